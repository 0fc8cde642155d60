"""Count a batch exactly once: lock and read, play in memory, write and commit; then say which AI jobs there are."""

from collections.abc import Callable, Sequence

import msgspec

from common import log, topics
from common.clients.postgres import counting
from common.clients.postgres.connection import Conflict, Connection
from common.clients.postgres.counting import Answer, Ask
from common.clients.postgres.database import Database
from common.clients.postgres.outcomes import Origin, Outcomes
from common.clients.postgres.progress import Source
from common.clients.stream import Stream, notices
from common.edge import clocks
from common.edge.records import Record, Refused
from common.errors import Misconfigured, Problem, Unavailable
from common.incidents.play import play
from functions.incident_engine import batch, events, figures, places, rows
from functions.incident_engine.batch import Grouped
from functions.incident_engine.events import Events, Unreadable
from functions.incident_engine.known import Known

TRIES = 5  # usually one; more where rows that were believed to be there are not, or a record is refused late
NOBODY = Problem("unknown_project", "There is no such organisation with such a project.")


class Work(msgspec.Struct, frozen=True):
    """A batch, and what it will ask."""

    records: list[Record]
    events: Events
    grouped: Grouped
    ask: Ask


class Engine:
    """One a process; what it remembers is only which rows exist."""

    def __init__(self, database: Database, stream: Callable[[], Stream], make_id: Callable[[], str]) -> None:
        self._database, self._stream, self._make_id = database, stream, make_id
        self._known = Known()

    def handle(self, records: list[Record]) -> list[Refused]:
        """All of it is counted when this returns; where it raises, none of it is and it must come again."""
        source = Source(topics.INCIDENT_ENGINE, self._stream().name, records[0].topic)
        with self._database.connection() as conn:
            try:
                refused, jobs = self._count(conn, source, records)
            except BaseException as error:
                conn.rollback()
                if isinstance(error, Conflict):
                    raise self._named(error) from error.__cause__
                raise
        notices.wake(self._stream(), jobs)
        return refused

    def _count(self, conn: Connection, source: Source, records: list[Record]) -> tuple[list[Refused], list[str]]:
        found = events.read(records)
        for _ in range(TRIES):
            work = self._prepare(source, records, found)
            answer = counting.begin(conn, work.ask)
            if answer.whole and not answer.strangers:
                self._known.add(source, work.ask.new)
                try:
                    return found.refused, self._write(conn, work, answer)
                except Unreadable as one:
                    found = events.without(found, {one.place: one.problem})
            else:
                self._known.forget()
                found = _without_strangers(found, answer)
            conn.rollback()
        raise Unavailable("Postgres", "rows that were there vanish again and again")

    def _prepare(self, source: Source, records: list[Record], found: Events) -> Work:
        grouped = batch.group(found, range(len(found.records)))
        partitions = sorted({record.partition for record in records})
        new = self._known.missing(grouped.projects, [group.series for group in grouped.groups], source, partitions)
        ask = Ask(source, partitions, grouped.spans(), set(found.own_ids.values()), new)
        return Work(records, found, grouped, ask)

    def _write(self, conn: Connection, work: Work, answer: Answer) -> list[str]:
        advanced = places.advance(work.records, answer.places)
        if not advanced.moves:
            conn.rollback()  # all of it was counted before
            figures.count(work.records, work.events, advanced, 0)
            return []
        for gap in advanced.gaps:
            log.write("warn", "incident_engine: offsets were passed over", topic=work.ask.source.topic, gap=gap)
        grouped, fresh = work.grouped, _fresh(work, advanced.fresh, answer.repeated)
        if len(fresh) < len(work.events.records):
            grouped = batch.group(work.events, fresh)
        outcomes, opened_by = self._played(work, grouped, answer)
        deploys = [rows.deploy(work.events, place) for place in grouped.deploys]
        jobs = counting.commit(conn, work.ask.source, outcomes, deploys, grouped.activity, advanced.moves)
        figures.count(work.records, work.events, advanced, len(fresh))
        figures.detected(work.events, opened_by, clocks.now())
        return jobs

    def _played(self, work: Work, grouped: Grouped, answer: Answer) -> tuple[Outcomes, list[int]]:
        """What is to be written, and which events opened an incident."""
        loaded = {one.id: one for one in answer.loaded}
        outcomes, opened_by = Outcomes(), list[int]()
        for group in grouped.groups:
            one, series = loaded[group.series.id], group.series
            played = play(one.state, group.runs, self._make_id)
            origin = Origin(work.ask.source.stream, group.partition)
            name = rows.title_of(series) if played.opened else ""
            outcomes.take(one, played, name, rows.reached(work.events, played), origin)
            for kept in played.kept:
                outcomes.keep(rows.kept_event(work.events, kept))
            opened_by += figures.openers(played)
        return outcomes, opened_by

    def _named(self, broken: Conflict) -> Exception:
        """A project that is gone meanwhile is found at the next try; any other promise broken is a bug."""
        self._known.forget()
        if "no partition" in str(broken):
            return Misconfigured(f"A table has no partition for today: run `python -m migrations.apply`. ({broken})")
        return Unavailable("Postgres", str(broken)) if broken.constraint.endswith("_fkey") else broken


def _fresh(work: Work, fresh: list[int], repeated: frozenset[str]) -> Sequence[int]:
    """The events of records that are new, but for repetitions: of an earlier batch, or within this one."""
    if len(fresh) == len(work.records) and not repeated and len(work.events.own_ids) == len(work.ask.ids):
        return range(len(work.events.records))
    new = {id(work.records[at]) for at in fresh}
    seen = set(repeated)
    stay: list[int] = []
    for place, record in enumerate(work.events.records):
        own = work.events.own_ids.get(place)
        if id(record) in new and (own is None or own not in seen):
            stay.append(place)
            if own is not None:
                seen.add(own)
    return stay


def _without_strangers(found: Events, answer: Answer) -> Events:
    nobodys = [place for place, kind in enumerate(found.kinds) if kind.project in answer.strangers]
    return events.without(found, dict.fromkeys(nobodys, NOBODY))
