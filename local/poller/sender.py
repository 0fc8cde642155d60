"""What is sent to a station, and what its answers mean for the partitions: done, wait, again, or take it apart."""

import time
from collections.abc import Callable
from itertools import islice
from queue import Empty, SimpleQueue
from typing import NamedTuple

from common.clients.postgres.stops import Ask, Stop
from common.clients.stream import dead
from common.edge import clocks
from common.edge.records import Refused
from common.metrics import names
from local.poller import batch, outcome, pace
from local.poller.batch import Item
from local.poller.burial import Burials
from local.poller.job import Job
from local.poller.lane import Lane
from local.poller.lanes import Lanes
from local.poller.outcome import Broken, Buried, Outcome, Taken, TooLarge, Unburied, Waits
from local.poller.pace import Pace
from local.poller.post import Address, BrokenOff, Unreachable
from local.poller.stations import Station
from local.poller.stopped import Stopped
from local.poller.voice import Voice

THE_STATION = "the station"


class Rules(NamedTuple):
    times: Pace
    poison_tries: int
    chance: Callable[[], float]


class Sender:
    """At most one request of the healthy partitions is under way, and one of each that was set aside."""

    def __init__(
        self, station: Station, key: str, burials: Burials, lanes: Lanes, stopped: Stopped, voice: Voice, rules: Rules
    ) -> None:
        self._station, self._burials, self._lanes, self._stopped = station, burials, lanes, stopped
        self._voice, self._rules = voice, rules
        self._address = Address(station.url, key, station.timeout_seconds)
        self._done: SimpleQueue[Job] = SimpleQueue()
        self._asks: SimpleQueue[Ask] = SimpleQueue()
        self._common: Job | None = None
        self._waits = 0
        self.wait_until = 0.0
        self.under_way = 0

    def ask(self, one: Ask) -> None:
        """Somebody wants this record skipped; from any thread."""
        self._asks.put(one)

    def send(self, now: float) -> None:
        """Whatever may go now. The dead are buried also while the station is away."""
        self._take_asks()
        away = now < self.wait_until
        for lane in self._lanes:
            if lane.job is None and lane.not_before <= now and lane.waiting:
                if self._lanes.too_large(lane):
                    self._bury(lane, "too_large", f"A request takes {self._station.max_bytes} bytes, too few for it.")
                elif lane.suspects and not away:
                    self._post({lane: self._lanes.own(lane)})
        if not away and self._common is None and self._due(now):
            parts = self._lanes.together(now)
            if parts:
                self._common = self._post(parts)
                self._lanes.gathering_since = now

    def hear(self, seconds: float) -> None:
        """All answers that are there; the first is waited for."""
        try:
            self._settle(self._done.get(timeout=seconds))
            while True:
                self._settle(self._done.get_nowait())
        except Empty:
            return

    def forget(self, lane: Lane) -> None:
        """It is not ours any more: whoever has it now finds out about its record by himself."""
        if lane.tries:
            self._stopped.forget(self._stop(lane))
        self._lanes.forget(lane)
        lane.end()

    def shout(self) -> None:
        """Once a minute, as long as a record stops its partition."""
        for lane in [lane for lane in self._lanes if lane.stopped]:
            if self._voice.due(f"stopped {lane.partition}"):
                where = f"--station {self._station.name} --partition {lane.partition} --offset {lane.first}"
                remedy = f"mend the station, or: python -m local skip {where} --why '…'"
                said = {"tries": lane.tries, "error": lane.error, "remedy": remedy}
                self._say("error", "a record has stopped its partition", lane, **said)

    def close(self) -> None:
        self._address.close()

    # ---- there

    def _due(self, now: float) -> bool:
        """Whether the batch is full, or has waited long enough to be."""
        return now - self._lanes.gathering_since >= self._station.window_seconds or self._lanes.full(now)

    def _post(self, parts: dict[Lane, int]) -> Job:
        sent = {lane.partition: list(islice(lane.waiting, count)) for lane, count in parts.items()}
        return self._start(Job(parts, lambda: self._request(sent)))

    def _request(self, sent: dict[int, list[Item]]) -> Outcome:
        """In a thread of its own."""
        topic = self._station.topic
        offsets = {part: (items[0].record.offset, items[-1].record.offset) for part, items in sent.items()}
        try:
            reply = self._address.post(batch.body(topic, sent))
        except Unreachable as error:
            return Waits(str(error))
        except BrokenOff as error:
            return Broken(str(error))
        return outcome.outcome(*reply, topic, offsets)

    def _bury(self, lane: Lane, code: str, detail: str, by: str = "") -> None:
        """Its first record; what a station refuses, it buries itself."""
        letter = dead.letter(self._station.name, Refused(lane.waiting[0].record, code, detail), clocks.now(), by)
        self._say("warn", "buries a record", lane, code=code, detail=detail, by=by, letter=letter.id)

        self._start(Job({lane: 1}, lambda: self._burials.bury(letter), burial=True))

    def _start(self, job: Job) -> Job:
        self.under_way += 1
        job.start(self._done)
        return job

    def _take_asks(self) -> None:
        """A record that is to be skipped is buried at once, even if a try of it is under way."""
        while not self._asks.empty():
            one = self._asks.get()
            lane = self._lanes.get(one.partition)
            if lane and lane.tries and lane.first == one.offset and not (lane.job and lane.job.burial):
                self._bury(lane, "skipped", one.why, one.by)

    # ---- and back

    def _settle(self, job: Job) -> None:
        """What an answer means for each partition in it that still waits for it."""
        self.under_way -= 1
        if job is self._common:
            self._common = None
        parts = {lane: count for lane, count in job.parts.items() if lane.job is job}
        for lane in parts:
            lane.end()
        names.DELIVERIES.add(1, self._station.name, outcome.NAMES[type(job.outcome)])
        match job.outcome:
            case Taken(again):
                self._took(parts, again)
            case Buried():
                for lane in parts:
                    self._answered(lane, 1, "buried")
            case Waits(why, seconds):
                self._wait(why, seconds)
            case Unburied(why):
                self._set_aside(parts, f"its dead letter: {why}")
            case Broken(why):
                self._broke(job, parts, why)
            case TooLarge(why):
                self._was_too_large(job, parts, why)

    def _took(self, parts: dict[Lane, int], again: dict[int, int]) -> None:
        self._waits = 0
        self._voice.over(THE_STATION)
        for lane, count in parts.items():
            taken = again.get(lane.partition, lane.first + count) - lane.first
            before = 0 if taken else lane.again
            if taken:
                self._answered(lane, min(taken, count), "answered")
            if lane.partition in again:
                lane.again = before + 1
                self._set_aside({lane: 1}, "the station wants it again")

    def _answered(self, lane: Lane, count: int, how: str) -> None:
        """A stop that another poller wrote down is over with the first answer we have; nobody else would end it."""
        stop, is_first = self._stop(lane), lane.done == lane.came_at
        lane.answered(count)
        if stop.tries or is_first:
            self._stopped.end(stop._replace(offset=lane.done - 1), how)
            self._voice.over_again(f"stopped {lane.partition}")

    def _wait(self, why: str, seconds: float | None) -> None:
        """The world is down: nobody is guilty, nothing is taken apart, all of it comes again."""
        pause = pace.after_wait(self._rules.times, seconds, self._waits, self._rules.chance())
        self._waits += 1
        self.wait_until = time.monotonic() + pause
        self._voice.lasts(THE_STATION, why)

    def _set_aside(self, parts: dict[Lane, int], why: str) -> None:
        """Only these partitions wait, longer each time."""
        for lane in parts:
            seconds = pace.doubled(self._rules.times.first, max(0, lane.again - 1), self._rules.times.longest)
            lane.not_before = time.monotonic() + pace.spread(seconds, self._rules.chance())
            self._say("warn", "a record comes again", lane, why=why)

    def _broke(self, job: Job, parts: dict[Lane, int], why: str) -> None:
        took = time.monotonic() - job.started
        for lane, count in parts.items():
            lane.broke(count, why, self._rules.poison_tries, shared=len(job.parts) > 1)
            pause = pace.after_failure(self._rules.times, lane.tries, lane.stopped, took, self._rules.chance())
            lane.not_before = time.monotonic() + pause
            if lane.tries:
                self._stopped.keep(self._stop(lane), self.ask)
            if not lane.stopped:
                self._say("warn", "a batch failed", lane, records=count, tries=lane.tries, error=why)

    def _was_too_large(self, job: Job, parts: dict[Lane, int], why: str) -> None:
        for lane, count in parts.items():
            if count == 1 and len(job.parts) == 1:
                self._bury(lane, "too_large", why)
            else:
                lane.broke(count, why, self._rules.poison_tries, shared=len(job.parts) > 1)

    def _stop(self, lane: Lane) -> Stop:
        return Stop(self._station.name, self._station.topic, lane.partition, lane.first, lane.tries, lane.error)

    def _say(self, level: str, message: str, lane: Lane, **fields: object) -> None:
        self._voice.say(level, message, partition=lane.partition, offset=lane.first, **fields)
