"""The internal key: what a caller of a stream or clock function must show, before its body is read."""

from __future__ import annotations

import os
import sys

from common.errors import Misconfigured, Problem

PLATFORM = "platform"  # INTERNAL_KEY=platform: the platform itself lets only trusted callers through
HOW_TO = (
    "INTERNAL_KEY is not set: give this function and its callers one long random text, "
    "or say INTERNAL_KEY=platform where the platform lets only trusted callers through."
)


def anyone(headers: dict[str, str]) -> None:
    """The gate of what is public."""


def admit(headers: dict[str, str]) -> None:
    """The gate of what is not: one of the keys, compared in constant time."""
    keys = internal_keys()
    if not keys:
        return
    from hmac import compare_digest

    sent = headers.get("x-internal-key", "").encode()
    matches = [compare_digest(sent, key.encode()) for key in keys]  # all of them: which one must not show either
    if not any(matches):
        raise Problem("internal_key", "X-Internal-Key is missing or wrong.", status=401)


def internal_keys() -> tuple[str, ...]:
    """The keys that open; none where none is needed: a trusted platform, or a loopback host without a key."""
    from common import settings

    keys = tuple(settings.current().internal_keys)
    if PLATFORM in keys:
        if len(keys) > 1:
            raise Misconfigured("INTERNAL_KEY says platform beside keys: say platform, or the keys, not both.")
        return ()
    if not keys and served_on() not in settings.LOOPBACK:
        raise Misconfigured(HOW_TO)
    return keys


def check_start() -> None:
    """A server without a key it needs ends here with one sentence, instead of being open or refusing everyone.

    Lambda and OpenWhisk start all the same: their event sources and triggers need no key, and without one
    every HTTP caller is refused.
    """
    if served_on() is None:
        return
    try:
        internal_keys()
    except Misconfigured as wrong:
        print(wrong, file=sys.stderr)
        raise SystemExit(2) from None


def served_on() -> str | None:
    """The address this process was started to serve on; None where another process serves, or nobody can tell."""
    program = sys.argv[0] if sys.argv else ""
    if "functions_framework" in program or "functions-framework" in program:
        return _option("--host") or os.environ.get("HOST") or "0.0.0.0"  # noqa: S104  its own default
    if "uvicorn" in program and not {"--fd", "--uds"} & {word.partition("=")[0] for word in sys.argv}:
        return _option("--host") or os.environ.get("UVICORN_HOST") or "127.0.0.1"
    return None


def _option(name: str) -> str | None:
    """The value of a command line option, the last one given."""
    found = None
    for word, following in zip(sys.argv, [*sys.argv[1:], ""], strict=True):
        if word == name:
            found = following
        elif word.startswith(f"{name}="):
            found = word.partition("=")[2]
    return found
