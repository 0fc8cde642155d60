"""The search language: how a text falls into words, what a query asks, and where its words stand in an event.

Both engines store the words made here and look for the words made here, so that they always agree.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

import msgspec

from common.errors import Problem

LONGEST_WORD = 255
OFTEN = 255  # the places one word may have in one event: Postgres keeps 256
LONGEST_QUERY = 2048
MOST_TERMS = 256  # OpenSearch refuses more than 1,024 conditions, and nobody writes so many by hand
BREAK = "_"  # stands between two texts, so that no phrase goes across; no query can ask for it
FIELDS = ("event_type", "severity", "environment", "event_id")
WHERE_WORDS_ARE = ("message", "route", "error_code", "release")

# Exactly the characters of Unicode's categories L and N; a test holds it.
_WORD = re.compile(r"[^\W_]+")
_PLAIN = bytes(ord(chr(i).lower()) if chr(i).isalnum() and i < 128 else ord(" " if i else BREAK) for i in range(256))
_QUOTED = r'"((?:[^"\\]|\\.)*)"'
_TERM = re.compile(
    rf"""(-(?=[\w"]))?
         (?: (?: ([^\W\d][\w.-]*) | {_QUOTED} ) : (?: {_QUOTED} | ((?!//|[:"])\S+) )
           | {_QUOTED}
           | ([^\s"]+|") )""",
    re.VERBOSE,
)
_FILTER = re.compile(rf'\s*(?:([^\s:",]+)|{_QUOTED}):(?:{_QUOTED}|([^,"]*))\s*(?:,|$)')
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_EPOCH, _MILLISECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)


class Words(msgspec.Struct, frozen=True):
    """These words, one after the other, in one of the texts that are searched."""

    words: tuple[str, ...]
    wanted: bool = True


class Field(msgspec.Struct, frozen=True):
    """A column of the event that is exactly this."""

    name: str
    value: str
    wanted: bool = True


class Attribute(msgspec.Struct, frozen=True):
    """An attribute that is exactly this; a number or boolean as JSON writes it."""

    name: str
    value: str
    wanted: bool = True


Term = Words | Field | Attribute


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked, always of one organisation: all terms hold, and `since` <= occurred_at < `until` (ms)."""

    org_id: str
    terms: tuple[Term, ...] = ()
    since: int | None = None
    until: int | None = None


def ask(
    org_id: str,
    q: str = "",
    filters: str = "",
    *,
    project_id: str | None = None,
    environment: str | None = None,
    event_type: str | None = None,
    severity: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Question:
    """Everything given must hold; `filters=field:value,…` says the same as the single parameters."""
    single = {"project_id": project_id, "environment": environment, "event_type": event_type, "severity": severity}
    terms: list[Term] = [Field(name, _clean(value)) for name, value in single.items() if value is not None]
    starts, ends = [since] if since else [], [until] if until else []
    for name, value in _filters(filters):
        if name in ("from", "to"):
            (starts if name == "from" else ends).append(_time(value))
        else:
            name = "environment" if name == "env" else name
            terms.append(Field(name, value) if name == "project_id" else _equal(name, value, True))
    terms += parse(q)
    if len(terms) > MOST_TERMS:
        raise Problem("too_long", f"q and filters hold {len(terms)} terms: at most {MOST_TERMS}.", field="q")
    return Question(
        org_id=org_id,
        terms=tuple(terms),
        since=milliseconds(max(starts)) if starts else None,
        until=milliseconds(min(ends)) if ends else None,
    )


def parse(q: str) -> tuple[Term, ...]:
    """word, "a phrase", field:value, field:"a value", "a field":value, and each with - before it.

    A field is one of FIELDS or any attribute. What is none of these is taken as words.
    """
    if len(q) > LONGEST_QUERY:
        raise Problem("too_long", f"q is too long: at most {LONGEST_QUERY} characters.", field="q")
    return tuple(term for found in _TERM.finditer(_clean(q)) for term in _terms(found))


def field(name: str, value: str, *, wanted: bool = True) -> str:
    """Write the term that finds this value; `parse` reads it back."""
    bare = _TERM.fullmatch(f"{name}:x")
    written = name if bare and bare[2] == name else _quote(name)
    return f"{'' if wanted else '-'}{written}:{_quote(value)}"


def words(text: str) -> list[str]:
    """Runs of letters and digits, lower-cased, cut at 255; no stemming, no stop words."""
    return [word[:LONGEST_WORD] for word in _WORD.findall(_lower(text))]


def searchable(texts: Iterable[str]) -> str:
    """The words of these texts in their order, parted by blanks, with a BREAK between two texts.

    A word's places beyond the first 255 are left empty (they read BREAK): nothing finds what Postgres cannot keep.
    """
    joined = " \0 ".join(texts)
    if len(joined) <= LONGEST_WORD and joined.isascii():  # the usual event: no word can be too long or too frequent
        return joined.encode().translate(_PLAIN).decode()
    return " ".join(_bounded(f" {BREAK} ".join(" ".join(words(text)) for text in joined.split("\0")).split()))


def marks(terms: Iterable[Term], text: str) -> list[tuple[int, int]]:
    """Where the wanted words and phrases stand in this text: [start, end) in characters, in order, not touching."""
    lower = _lower(text)
    asked = [term.words for term in terms if isinstance(term, Words) and term.wanted]
    wanted = [phrase for phrase in asked if all(word in lower for word in phrase)]
    if not wanted:
        return []
    places = list(_WORD.finditer(lower))
    said = tuple(place[0][:LONGEST_WORD] for place in places)
    spans = sorted(
        (places[i].start(), places[i + len(phrase) - 1].end())
        for phrase in wanted
        for i in range(len(places) - len(phrase) + 1)
        if said[i : i + len(phrase)] == phrase
    )
    return _merged(spans)


def milliseconds(time: datetime) -> int:
    """Time as both engines order it: whole milliseconds since 1970, rounded down."""
    return (time - _EPOCH) // _MILLISECOND


def _terms(found: "re.Match[str]") -> Iterator[Term]:
    minus, name, quoted_name, quoted_value, value, phrase, _ = found.groups()
    wanted = not minus
    if (named := name or _unquote(quoted_name)) and (quoted_value is not None or value):
        yield _equal(named, _unquote(quoted_value) if value is None else value, wanted)
    elif phrase is not None or not wanted:
        if together := tuple(words(_unquote(phrase) if phrase is not None else found[0])):
            yield Words(together, wanted)
    else:
        yield from (Words((word,)) for word in words(found[0]))


def _equal(name: str, value: str, wanted: bool) -> Term:
    if name == "event_id":
        value = _canonical(value)
    return Field(name, value, wanted) if name in FIELDS else Attribute(name, value, wanted)


def _canonical(value: str) -> str:
    try:
        return str(UUID(value))
    except ValueError:
        return value  # no event has it


def _filters(text: str) -> Iterator[tuple[str, str]]:
    at, text = 0, _clean(text)
    while at < len(text):
        found = _FILTER.match(text, at)
        if found is None or len(text) > LONGEST_QUERY:
            raise Problem("invalid", "filters must read field:value,field:value.", field="filters")
        name, quoted_name, quoted_value, value = found.groups()
        yield name or _unquote(quoted_name), _unquote(quoted_value) if value is None else value.strip()
        at = found.end()


def _time(text: str) -> datetime:
    try:
        time: datetime = msgspec.convert(text, Annotated[datetime, msgspec.Meta(tz=True)])
    except msgspec.ValidationError as error:
        detail = "from and to must be RFC 3339 times such as 2025-01-15T10:00:00Z."
        raise Problem("invalid_time", detail, field="filters") from error
    return time


def _clean(text: str) -> str:
    """No event holds NUL or half of a surrogate pair, and the engines cannot even be asked for them."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


def _lower(text: str) -> str:
    """One character for one, whatever stands beside it: İ is i, and a sigma at a word's end is any sigma."""
    return text.replace("İ", "i").lower().replace("ς", "σ")


def _bounded(found: list[str]) -> Iterator[str]:
    seen: Counter[str] = Counter()
    for word in found:
        seen[word] += 1
        yield word if seen[word] <= OFTEN else BREAK


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _unquote(text: str | None) -> str:
    return _ESCAPED.sub(r"\1", text or "")
