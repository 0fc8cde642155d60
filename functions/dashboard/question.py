"""What the search page is asked, as its address says it: words, filters, and a stretch of time."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple, get_args
from urllib.parse import urlencode

from common.clients.search.language import Question, ask, field, parse
from common.errors import Problem
from common.events.envelope import EventType, Severity
from functions.dashboard.reader import Reader

HOUR = timedelta(hours=1)
RANGES = {"1h": HOUR, "24h": 24 * HOUR, "7d": 168 * HOUR, "31d": 744 * HOUR}
LONGEST = timedelta(days=31)
TYPES: tuple[str, ...] = get_args(EventType)
SEVERITIES: tuple[str, ...] = get_args(Severity)


class Asking(NamedTuple):
    """`between` is empty for a range that ends now, or where its first page was asked for (`at`)."""

    q: str
    project: str
    env: str
    type: str
    severity: str
    range: str
    since: datetime
    until: datetime
    between: bool
    at: str  # when the first page was asked for, if this is a later one

    def address(self, **changes: str) -> str:
        """The address of this, or of a change of it; what is the default is left out."""
        said = {"q": self.q, "project": self.project, "env": self.env, "type": self.type, "severity": self.severity}
        if self.between:
            said |= {"from": written(self.since), "to": written(self.until)}
        elif self.range != "1h":
            said["range"] = self.range
        return written_out(said | changes)

    def parts(self, count: int) -> Iterator[tuple[datetime, datetime, str]]:
        """Its time in so many parts, each with its address."""
        part = max((self.until - self.since) / count, timedelta(milliseconds=1))
        edges = [self.since + part * place for place in range(count + 1)]
        alone = self._replace(between=False, range="1h").address()
        start, names = alone if alone == "?" else f"{alone}&", [written(edge) for edge in edges]
        for place in range(count):
            yield edges[place], edges[place + 1], f"{start}from={names[place]}&to={names[place + 1]}"

    def newer(self, org: str, now: datetime) -> Question:
        """What has come since the first page of this was asked for."""
        return self._replace(since=self.until, until=max(now, self.until + timedelta(milliseconds=1))).question(org)

    def question(self, org: str, *, words: bool = True) -> Question:
        """Without words: everything of this stretch of time."""
        if not words:
            return ask(org, since=self.since, until=self.until)
        return ask(
            org,
            self.q,
            project_id=self.project or None,
            environment=self.env or None,
            event_type=self.type or None,
            severity=self.severity or None,
            since=self.since,
            until=self.until,
        )


def asking(query: Mapping[str, str], reader: Reader) -> Asking:
    """An hour until now, unless the address says otherwise; in a form what was changed wins, range or times."""
    wide = query.get("range", "")
    since, until = time_in(query, "from", reader), time_in(query, "to", reader)
    between = bool(since or until) and (wide not in RANGES or wide == query.get("was", "1h"))
    if not between:
        since, until = None, time_in(query, "at", reader) or whole_second_after(reader.now)
    since, until = stretch(since, until, RANGES.get(wide, HOUR))
    q, project, env, kind, severity, at = (
        query.get(name, "").strip() for name in ("q", "project", "env", "type", "severity", "at")
    )
    wide = wide if wide in RANGES else "1h"
    return Asking(q, project, env, kind, severity, wide, since, until, between, at)


def stretch(since: datetime | None, until: datetime | None, width: timedelta) -> tuple[datetime, datetime]:
    """Of at most 31 days; one end alone reaches as far as the width."""
    if until is None:
        assert since
        until = since + width
    since = since or until - width
    if until <= since:
        raise Problem("invalid", "The time must end after it begins.", field="to")
    if until - since > LONGEST:
        raise Problem("too_long", "At most 31 days can be searched at once.", field="to")
    return since, until


def time_in(query: Mapping[str, str], name: str, reader: Reader) -> datetime | None:
    """A time with its offset, or one of the reader's zone, as a form has it."""
    text = query.get(name, "").strip()
    if not text:
        return None
    try:
        time = datetime.fromisoformat(text)
        if 1 < time.year < 9999:  # beyond them there is no hour before or after
            return (time if time.tzinfo else time.replace(tzinfo=reader.zone)).astimezone(UTC)
    except ValueError:
        pass
    raise Problem("invalid", f"{name} is no time such as 2026-11-21T02:53.", field=name)


@lru_cache(maxsize=4096)
def term(name: str, value: str) -> str:
    """The shortest way to ask for this value: without quotes where it can be. Most events have what others have."""
    bare, quoted = f"{name}:{value}", field(name, value)
    return bare if parse(bare) == parse(quoted) else quoted


def with_term(q: str, term: str) -> str:
    """The query, narrowed by one term more; saying it twice changes nothing."""
    return q if f" {term} " in f" {q} " else f"{q} {term}".strip()


def written_out(query: Mapping[str, str]) -> str:
    return "?" + urlencode({name: value for name, value in query.items() if value}, safe=":/,")


def search_path(since: datetime, until: datetime, **said: str) -> str:
    """The path of Search that asks this of the time between."""
    return "/search" + written_out(said | {"from": written(since), "to": written(until)})


def written(time: datetime) -> str:
    """To the millisecond, which is what search knows."""
    precision = "milliseconds" if time.microsecond else "seconds"
    return time.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def whole_second_after(time: datetime) -> datetime:
    return time.replace(microsecond=0) + timedelta(seconds=1)
