"""Which failing thing an event belongs to: its fingerprint, its metric, its series, and its place in the stream."""

import re
from functools import cache, lru_cache
from hashlib import sha256
from uuid import UUID

import msgspec
from msgspec import Struct

FINGERPRINT_VERSION = 1
METRICS = {"error": "error_count", "signup": "signup_count"}  # the types that have series
FIRST_LINE = 120
_READ = 1024  # of a line, before its marks are set: a bound for the work, not part of what is kept
_REMEMBERED = 8192


class Fingerprint(Struct, frozen=True, gc=False):
    """The parts a person reads, an absent one being empty, and the text that names the whole."""

    text: str
    event_type: str
    environment: str
    error_code: str = ""
    route: str = ""
    message: str = ""


def fingerprint(
    event_type: str, environment: str, error_code: str | None, route: str | None, message: str
) -> Fingerprint:
    """Of an error `error_code|route|environment`, or `||environment|first line` where it has neither of the two.

    Of everything else `event_type|environment`. Unambiguous by escaping and by the number of parts: two events
    share a text only if they share the parts.
    """
    if event_type != "error":
        return _plain(event_type, environment)
    if error_code or (route and shorten(route)):
        return _error(environment, error_code or "", route or "")
    line = first_line(message)
    return Fingerprint(_join("", "", environment, line), event_type, environment, message=line)


@lru_cache(maxsize=_REMEMBERED)
def _plain(event_type: str, environment: str) -> Fingerprint:
    return Fingerprint(_join(event_type, environment), event_type, environment)


@lru_cache(maxsize=_REMEMBERED)
def _error(environment: str, error_code: str, route: str) -> Fingerprint:
    short = shorten(route)
    return Fingerprint(_join(error_code, short, environment), "error", environment, error_code, short)


def metric_of(event_type: str) -> str | None:
    """What is counted per minute; None for types that only feed activity."""
    return METRICS.get(event_type)


@lru_cache(maxsize=_REMEMBERED)
def series_id(project_id: str, environment: str, metric: str, text: str) -> bytes:
    """The first 16 bytes of SHA-256 over the JSON array [version, project, environment, metric, fingerprint]."""
    parts = msgspec.json.encode([FINGERPRINT_VERSION, project_id, environment, metric, text])
    return sha256(parts).digest()[:16]


@lru_cache(maxsize=_REMEMBERED)
def stream_key(org_id: str, project_id: str, event_type: str, error_code: str | None, route: str | None) -> bytes:
    """error: `org|project|error_code|route`, other: `org|project|event_type`; so a series has one partition."""
    if event_type != "error":
        return _join(org_id, project_id, event_type).encode()
    return _join(org_id, project_id, error_code or "", shorten(route or "")).encode()


def _join(*parts: str) -> str:
    r"""Parts divided by `|`; in them `\` and `|` are written `\\` and `\|`."""
    return "|".join(part.replace("\\", "\\\\").replace("|", "\\|") for part in parts)


_ID = r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}|[0-9A-Fa-f]{16,}"
_id_segment = re.compile(rf"[0-9]+|{_ID}")


@lru_cache(maxsize=_REMEMBERED)
def shorten(route: str) -> str:
    """No query, no fragment; a segment of digits, a UUID, or sixteen and more hexadecimal digits reads `:id`."""
    path = route.partition("?")[0].partition("#")[0]
    return "/".join(":id" if _id_segment.fullmatch(segment) else segment for segment in path.split("/"))


# What differs from one failure to the next of the same kind. Quotes first: what is in them is not looked at.
# Every repetition is bounded or cannot start in the middle of itself, so that no line takes long.
_QUOTED = r"""(?P<text>"[^"]*"|`[^`]*`|“[^“”]*”|(?<![0-9A-Za-z_])'[^']*'(?![0-9A-Za-z_]))"""
_URL = r"""(?<![0-9A-Za-z+.-])[A-Za-z][0-9A-Za-z+.-]{0,30}://[^ \t"'`<>]+"""
_EMAIL = r"(?<![0-9A-Za-z._%+-])[0-9A-Za-z._%+-]{1,64}@[0-9A-Za-z][0-9A-Za-z.-]*[0-9A-Za-z]"
_MEMORY = r"(?<![0-9A-Za-z])0[xX][0-9A-Fa-f]+"
_IPV4 = r"(?<![0-9A-Za-z.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9A-Za-z])(?::[0-9]+)?"
_IPV6 = r"(?<![0-9A-Za-z:])[0-9A-Fa-f]{1,4}(?:::?[0-9A-Fa-f]{1,4}){3,7}(?![0-9A-Za-z:])"  # and MAC
_REST = (
    rf"(?P<id>(?<![0-9A-Za-z])(?:{_ID})(?![0-9A-Za-z]))"
    r"|(?P<number>[0-9]+(?:[.,][0-9]+)*)"
)


def first_line(message: str) -> str:
    """The first line that is not blank, with marks for what varies, at most 120 characters."""
    line = message.lstrip(" \t\r\n").partition("\n")[0].partition("\r")[0].rstrip(" \t")
    return _marked(line[:_READ])


@lru_cache(maxsize=1024)
def _marked(line: str) -> str:
    # the search for URLs and e-mail addresses is most of the work, and seldom needed
    varies = _varies("@" in line or "://" in line)
    return varies.sub(lambda found: f"<{found.lastgroup}>", line)[:FIRST_LINE]


@cache
def _varies(with_names: bool) -> re.Pattern[str]:
    """Compiled on first use: only the engine needs it."""
    names = f"{_URL}|{_EMAIL}|" if with_names else ""
    return re.compile(f"{_QUOTED}|(?P<address>{names}{_MEMORY}|{_IPV4}|{_IPV6})|{_REST}")


def uuid7(unix_ms: int, chance: int) -> UUID:
    """A UUIDv7 (RFC 9562) of this millisecond, from 74 random bits."""
    return msgspec.convert(f"{uuid7_number(unix_ms, chance):032x}", UUID)  # half the cost of UUID(int=…)


def uuid7_number(unix_ms: int, chance: int) -> int:
    """The same as its 128 bits."""
    return unix_ms << 80 | 7 << 76 | (chance >> 62 & 0xFFF) << 64 | 2 << 62 | chance & (1 << 62) - 1
