"""A record its station will not get any more: a letter of it, and where records are counted, its place passed over."""

from common import topics
from common.clients.postgres import letters, progress
from common.clients.postgres.database import Database
from common.clients.postgres.progress import Source
from common.clients.stream import Stream, dead
from common.clients.stream.dead import Letter
from common.errors import Misconfigured, Unavailable
from local.poller.outcome import Buried, Taken, Unburied
from local.poller.stations import Station

COUNTED = "It was counted while it was being buried."


class Burials:
    def __init__(self, stream: Stream, database: Database, station: Station) -> None:
        self._stream, self._database, self._station = stream, database, station

    def bury(self, letter: Letter) -> Buried | Taken | Unburied:
        """Taken: it turns out to have been counted, so there is nothing to bury."""
        counts = self._station.group == topics.INCIDENT_ENGINE
        try:
            if counts and self._was_counted(letter):
                return Taken()
            dead.publish(self._stream, [letter])
            if counts:
                self._pass_over(letter)
        except (Unavailable, Misconfigured) as error:
            return Unburied(str(error))
        return Buried()

    def _was_counted(self, letter: Letter) -> bool:
        with self._database.connection() as conn:
            return progress.counted(conn, self._source()).get(letter.partition, 0) > letter.offset

    def _pass_over(self, letter: Letter) -> None:
        """Else the clock jobs' gate would stay shut until the next record. A try of it that is still under way and
        ends well counts it either before this, and then the letter is of no use, or not at all.
        """
        with self._database.transaction() as conn:
            conn.run("SET LOCAL lock_timeout = '2s'")  # the engine may hold it; then it is tried again
            if not progress.pass_over(conn, self._source(), letter.partition, letter.offset, letter.timestamp):
                letters.end(conn, letter.id, "dropped", "the poller", COUNTED)

    def _source(self) -> Source:
        return Source(self._station.group, self._stream.name, self._station.topic)
