"""Lines as events: what is no event is named by its line, and what a first reading must know of all of them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, NamedTuple

import msgspec

from common.edge.records import UNREADABLE
from local.replay.sources import Source
from local.sending.ids import id_after, id_of

Time = Annotated[datetime, msgspec.Meta(tz=True)]


class Needed(msgspec.Struct):
    """Without these, or with an id that is no text, ingest takes none."""

    event_type: str
    message: str
    occurred_at: Time
    event_id: str | None = None


class Archived(msgspec.Struct):
    """A line of the archiver: the event is inside it."""

    offset: int
    timestamp: int
    event: msgspec.Raw


class Line(NamedTuple):
    number: int  # among all lines of the replay, from 0
    occurred_at: datetime
    text: msgspec.Raw | bytes


class Broken(NamedTuple):
    where: str
    why: str

    def __str__(self) -> str:
        return f"{self.where}: {self.why}"


class Facts(NamedTuple):
    """Of a first reading. `last` leaves out what a wrong clock put into the future."""

    events: int
    first: datetime
    last: datetime
    days: dict[date, tuple[datetime, datetime]]  # the first and the last moment of each
    broken: list[Broken]


_needed = msgspec.json.Decoder(Needed)
_archived = msgspec.json.Decoder(Archived)


def read(sources: list[Source]) -> Iterator[Line | Broken]:
    number = 0
    for source in sources:
        for place, text in enumerate(source.lines(), 1):
            if text.strip():
                yield _read(number, f"{source.name}:{place}", text)
                number += 1


def _read(number: int, where: str, text: bytes) -> Line | Broken:
    inside: msgspec.Raw | bytes = text
    try:
        if text.startswith(b'{"offset":'):
            inside = _archived.decode(text).event
        return Line(number, _needed.decode(inside).occurred_at, inside)
    except UNREADABLE as error:
        return Broken(where, str(error))


def facts(sources: list[Source], now: datetime) -> Facts:
    events, broken, days = 0, list[Broken](), dict[date, tuple[datetime, datetime]]()
    for one in read(sources):
        if isinstance(one, Broken):
            broken.append(one)
            continue
        events += 1
        if one.occurred_at <= now:
            at = one.occurred_at.astimezone(UTC)
            first, last = days.get(at.date(), (at, at))
            days[at.date()] = (min(first, at), max(last, at))
    first = min((span[0] for span in days.values()), default=now)
    return Facts(events, first, max((span[1] for span in days.values()), default=now), days, broken)


def prepared(line: Line, run: str, shift: timedelta, *, keep_ids: bool = False) -> dict[str, Any]:
    """As it is sent: its time moved, and under an id of this run, unless it has one and keeps it.

    What has one id in the file has one id again: repeats stay repeats.
    """
    event: dict[str, Any] = msgspec.json.decode(line.text)
    given = event.get("event_id")
    if not (given and keep_ids):
        event["event_id"] = id_after(run, given) if given else id_of(run, line.number)
    if shift:
        event["occurred_at"] = (line.occurred_at.astimezone(UTC) + shift).isoformat().replace("+00:00", "Z")
    return event
