"""Logs: one JSON object a line on stderr, and never a secret in it."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from _thread import allocate_lock
from contextlib import suppress

LEVELS = {"debug": 10, "info": 20, "warn": 30, "error": 40}
SLOW_SECONDS = 1.0
LONGEST = 2_000  # characters of one text; a caller's megabyte is not ours to keep
STARS = "*****"

# Our own keys by their shape, credentials by the words before them, passwords by their place in a URL.
_SECRETS = (
    (re.compile(r"\b(sc[kt]_)[A-Za-z0-9_-]+"), rf"\1{STARS}"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[^\s\"',]+"), rf"\1 {STARS}"),
    (re.compile(r"(?i)\b((?:x-api-key|x-internal-key|cookie)[\"']?\s*[:=]\s*[\"']?)[^\s\"',]+"), rf"\1{STARS}"),
    (re.compile(r"(?i)\b(authorization[\"']?\s*[:=]\s*[\"']?)(?!bearer|basic)[^\s\"',]+"), rf"\1{STARS}"),
    (
        re.compile(r"(?i)([a-z0-9_]*(?:password|passwd|secret|api_key)[\"']?\s*[:=]\s*[\"']?)[^\s\"',&;]+"),
        rf"\1{STARS}",
    ),
    (re.compile(r"(://[^:/?#\s\"'@]*:)[^/?#\s\"']*(?=@)"), rf"\1{STARS}"),
)
_SECRET_NAMES = re.compile(r"(?i)authorization|cookie|password|passwd|secret|api.?key|internal.?key|access.?token")


def write(level: str, message: str, **fields: object) -> None:
    """One line, if LOG_LEVEL lets that level through."""
    if _wanted(level):
        line = {"time": _now(), "level": level, "message": message, **fields}
        _put(json.dumps(clean(line), default=_shown))


def write_counters(function: str, counters: dict[str, float]) -> None:
    """One line of our own names and numbers. It is written at each call, so nobody looks for secrets in it."""
    if _wanted("info"):
        _put(
            f'{{"time": "{_now()}", "level": "info", "message": "metrics", "function": "{function}", '
            f'"counters": {json.dumps(counters)}}}'
        )


def _wanted(level: str) -> bool:
    return LEVELS[level] >= LEVELS.get(os.environ.get("LOG_LEVEL", "info"), LEVELS["info"])


def _put(line: str) -> None:
    with suppress(OSError):  # a full disk under the log is no reason to answer 500, or to stop
        sys.stderr.write(line + "\n")  # one call, so that the lines of two threads do not mix
        sys.stderr.flush()


def clean(value: object) -> object:
    """The same value without its secrets; texts are cut at two thousand characters."""
    if isinstance(value, str):
        return _cleaned(value)
    if isinstance(value, dict):
        return {key: STARS if _SECRET_NAMES.search(str(key)) else clean(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean(one) for one in value]
    return value


def _cleaned(text: str) -> str:
    for pattern, without in _SECRETS:
        text = pattern.sub(without, text)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"


def _shown(value: object) -> str:
    return _cleaned(str(value))


def _now() -> str:
    seconds, millis = divmod(time.time_ns() // 1_000_000, 1_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{millis:03d}Z"


class Sampler:
    """At most one line a second a process, and the number of ordinary requests it stands for."""

    def __init__(self) -> None:
        self._lock = allocate_lock()  # plain handlers run in threads
        self._unsaid, self._next = 0, 0.0

    def due(self, now: float) -> int:
        """Counts one request: how many the line to be written now stands for, 0 if none is due."""
        with self._lock:
            self._unsaid += 1
            if now < self._next:
                return 0
            stands_for, self._unsaid, self._next = self._unsaid, 0, now + 1.0
            return stands_for
