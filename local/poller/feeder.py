"""One station is fed: a loop that reads, sends, hears the answers and commits, and waits for whatever is away.

Healthy partitions travel together, one batch under way and the next being read meanwhile. A partition in which
something broke the station is taken aside and tried by itself, while the others go on. An offset is committed after
its records are answered, never before; what this process holds when it dies comes again.
"""

import random
import threading
import time

from common.clients.stream import Fenced, Overtaken, Reader, Recreated, Stream
from common.edge.records import Record
from common.errors import Misconfigured, Unavailable
from local.poller import pace
from local.poller.burial import Burials
from local.poller.lane import Lane
from local.poller.lanes import Lanes
from local.poller.pace import Pace
from local.poller.sender import Rules, Sender
from local.poller.stations import Station
from local.poller.stopped import Stopped
from local.poller.voice import Voice

BREATH_SECONDS = 1.0  # how often a member that has enough to do shows the others that it lives
MOMENT_SECONDS = 0.05  # how long an answer is waited for before records are looked for again
THE_STREAM = "the stream"


class Feeder:
    """`run` is the loop, in one thread; the questions at the end may come from any."""

    def __init__(
        self,
        station: Station,
        stream: Stream,
        stopped: Stopped,
        stopping: threading.Event,
        *,
        key: str = "",
        poison_tries: int = 10,
        times: Pace | None = None,
    ) -> None:
        self.station, self._stream, self.stopping = station, stream, stopping
        self._times = times or Pace()
        self._voice = Voice(station.name, self._times.shout)
        self._lanes = Lanes(station)
        burials = Burials(stream, stopped.database, station)
        rules = Rules(self._times, poison_tries, random.random)
        self._sender = Sender(station, key, burials, self._lanes, stopped, self._voice, rules)
        self._reader: Reader | None = None
        self._assigned: dict[int, int] = {}  # as of the last read: asking the reader would make a stuck loop look alive
        self._recreated: dict[int, str] = {}
        self._failures = 0
        self._read_at = 0.0
        self.turned_at = time.monotonic()
        self.wrong: Misconfigured | None = None
        self.left = False

    def run(self) -> None:
        """Until told to stop. Whatever else ends it ends the process, so that somebody notices."""
        try:
            while not self.stopping.is_set() and self._reader is None:
                self._open()
            while not self.stopping.is_set():
                self._turn()
            self._leave()
            self.left = True
        except Misconfigured as wrong:
            self.wrong = wrong
        finally:
            self.stopping.set()

    def _open(self) -> None:
        self.turned_at = time.monotonic()
        try:
            self._reader = self._stream.reader(self.station.topic, self.station.group)
        except Unavailable as error:
            self._stream_is_away(error)

    def _turn(self) -> None:
        """Once around. What was answered before is committed while the next request is on its way."""
        self.turned_at = now = time.monotonic()
        self._sender.send(now)
        self._commit()
        if self._lanes.hungry(now) or now - self._read_at > BREATH_SECONDS:
            self._read(now)
        if self._sender.under_way:
            self._sender.hear(MOMENT_SECONDS if self._lanes.hungry(now) else BREATH_SECONDS)
        elif not self._lanes.hungry(now):
            self.stopping.wait(self._until_due(now))
        self._shout()

    def _leave(self) -> None:
        """Finish what is under way, commit it, and let the others have our partitions now."""
        until = time.monotonic() + self._times.stop
        while self._sender.under_way and (left := until - time.monotonic()) > 0:
            self._sender.hear(left)
        self._commit()
        if self._reader:
            self._reader.close()
        self._sender.close()
        self._voice.say("info", "left", requests_given_up=self._sender.under_way)

    # ---- reading and committing

    def _read(self, now: float) -> None:
        """A little ahead of what is under way."""
        assert self._reader
        self._read_at = now
        self._pause(now)
        records, size = self._lanes.room(now)
        patience = 0.0 if self._sender.under_way or self._lanes.full(now) else self._until_due(now)
        try:
            found = self._reader.read(max(1, records), max(1, size), patience)
            self._lanes.keep(found, time.monotonic())
            if self._failures:
                self._look_for_stream(found)
        except Overtaken as gap:
            self._voice.say("error", "records were deleted before they were read", error=str(gap))
            self._reader.seek(gap.partition, gap.low)
        except Recreated as other:
            self._recreated[other.partition] = str(other)
            self._reader.pause(other.partition)  # the others go on
        except Unavailable as error:
            self._stream_is_away(error)
        self._forget_lost()

    def _pause(self, now: float) -> None:
        """What cannot be sent is not read: partitions set aside, and all of them while there is enough."""
        assert self._reader
        enough = not self._lanes.hungry(now)
        for lane in self._lanes:
            wanted = enough or lane.suspects > 0 or lane.not_before > now or lane.partition in self._recreated
            if wanted != lane.paused:
                lane.paused = wanted
                (self._reader.pause if wanted else self._reader.resume)(lane.partition)

    def _forget_lost(self) -> None:
        assert self._reader
        self._assigned = self._reader.assigned()
        for lane in [lane for lane in self._lanes if lane.partition not in self._assigned]:
            self._sender.forget(lane)
        for partition in [one for one in self._recreated if one not in self._assigned]:
            del self._recreated[partition]

    def _commit(self) -> None:
        due = {lane: lane.done for lane in self._lanes if lane.done > lane.committed}
        if not due:
            return
        assert self._reader
        try:
            self._reader.commit({lane.partition: offset for lane, offset in due.items()})
        except Fenced as fenced:
            self._voice.say("warn", "partitions have moved", partitions=sorted(fenced.partitions))
            for lane in [lane for lane in due if lane.partition in fenced.partitions]:
                self._give_up(lane)
        except Unavailable as error:
            self._stream_is_away(error)
            return
        for lane, offset in due.items():
            lane.committed = offset

    def _give_up(self, lane: Lane) -> None:
        """Somebody else has it; should it be ours all the same, what we forget here must be read again."""
        assert self._reader
        self._sender.forget(lane)
        self._reader.seek(lane.partition, lane.committed)
        self._reader.resume(lane.partition)

    # ---- waiting and saying

    def _until_due(self, now: float) -> float:
        """How long nothing needs to be done unless there is news."""
        moments = [lane.not_before for lane in self._lanes if lane.waiting]
        moments += [self._sender.wait_until, self._lanes.gathering_since + self.station.window_seconds]
        return min([self._times.idle, *(one - now for one in moments if one > now)])

    def _stream_is_away(self, error: Unavailable) -> None:
        self._voice.lasts(THE_STREAM, str(error))
        self._failures += 1
        self.stopping.wait(pace.after_wait(self._times, None, self._failures, random.random()))  # noqa: S311

    def _look_for_stream(self, found: list[Record]) -> None:
        """Nothing came: because there is nothing, or because nothing can? A broker that is away says so only once."""
        if not found:
            self._stream.ends(self.station.topic)
        self._failures = 0
        self._voice.over(THE_STREAM)

    def _shout(self) -> None:
        self._sender.shout()
        for partition, why in self._recreated.items():
            if self._voice.due(f"recreated {partition}"):
                self._voice.say("error", "a topic was made anew", error=f"{why}; then restart the poller")

    # ---- questions

    def positions(self) -> dict[int, int]:
        """For each partition that is ours, the first offset not answered yet."""
        done = {lane.partition: lane.done for lane in self._lanes}
        return {partition: done.get(partition, position) for partition, position in sorted(self._assigned.items())}

    def troubles(self) -> list[dict[str, object]]:
        """Partitions that stand still, and why."""
        stopped = [lane for lane in self._lanes if lane.stopped]
        found: list[dict[str, object]] = [
            {"partition": lane.partition, "offset": lane.done, "tries": lane.tries, "error": lane.error}
            for lane in stopped
        ]
        return found + [{"partition": partition, "error": why} for partition, why in list(self._recreated.items())]

    def oldest(self) -> int | None:
        """The broker's time of the oldest record that was read and is not answered, in milliseconds."""
        return min((first.record.timestamp for lane in self._lanes if (first := lane.peek())), default=None)

    def waits_for(self) -> dict[str, str]:
        return self._voice.lasting
