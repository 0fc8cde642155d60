"""Claim a job, do what its type says, finish it: no transaction is open while a model thinks."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from common import log
from common.clients.postgres import jobs, outputs
from common.clients.postgres.database import Database
from common.clients.postgres.jobs import Job
from common.clients.postgres.outputs import PLAIN
from common.clients.search import Search, search_for
from common.edge import clocks
from common.errors import Misconfigured
from common.metrics import names
from common.settings import Settings
from common.summaries import retry
from functions.ai_worker import summary
from functions.ai_worker.outcome import Done, Failed, Later, Outcome
from functions.ai_worker.seen import WAIT_SECONDS

if TYPE_CHECKING:
    from common.clients.model import Asker, Reply

Ask = Callable[[str, str], "Reply"]


class JobType(Protocol):
    def __call__(self, tools: "Tools", job: Job) -> Outcome: ...


class Tools:
    """What a job may use. `ask` is None where no model is configured."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        search: Search,
        ask: Ask | None,
        now: Callable[[], datetime] = clocks.now,
        patience: float = WAIT_SECONDS,  # with the search index
    ) -> None:
        self.settings, self.database, self.search, self.ask, self.now = settings, database, search, ask, now
        self.patience = patience


# A job type is a name and a function; what a later release queued waits for it.
TYPES: dict[str, JobType] = {"incident_summary": summary.summarize}


class Worker:
    """Any number of them, anywhere."""

    def __init__(self, tools: Tools, chance: Callable[[], float] = random.random) -> None:
        self.tools, self._chance = tools, chance

    def take(self, most: int) -> int:
        """The most urgent due jobs, so many at most; how many it was."""
        for taken in range(most):
            if not self.take_one():
                return taken
        return most

    def take_one(self) -> bool:
        """False if nothing is due."""
        with self.tools.database.connection() as conn:
            job = jobs.claim(conn, self.tools.now(), TYPES)
        if job is None:
            return False
        outcome = TYPES[job.job_type](self.tools, job)
        held = self._finish(job, outcome)
        count(outcome, held=held)
        log.write("info", "ai job", job=str(job.id), attempt=job.attempts + 1, held=held, outcome=str(outcome))
        return True

    def _finish(self, job: Job, outcome: Outcome) -> bool:
        """False if the lease was lost: somebody else has the job, and this outcome is nobody's."""
        now = self.tools.now()
        with self.tools.database.connection() as conn:
            match outcome:
                case Done(output):
                    return outputs.succeed(conn, job, output, now)
                case Later(until, why):
                    return jobs.postpone(conn, job, now, until, why)
                case Failed(reason):
                    wait: timedelta | None = retry.wait_after(job.attempts + 1, job.most, self._chance())
                    return jobs.fail(conn, job, now, printable(reason), wait)


def count(outcome: Outcome, *, held: bool) -> None:
    """For the metrics, once it is written."""
    match outcome:
        case Done(output):
            said = "plain" if output.model == PLAIN else "done"
            if held and said == "done":
                names.EVIDENCE.add(output.evidence_held, "verified")
                names.EVIDENCE.add(output.evidence_given - output.evidence_held, "dropped")
        case Later():
            said = "later"
        case Failed(reason):
            said = "failed"
            if held:
                names.FAILURES.add(1, reason.partition(":")[0])
    names.ATTEMPTS.add(1, said if held else "lost")


def printable(text: str) -> str:
    """What a server said may hold what Postgres and people cannot read."""
    return "".join(one if one.isprintable() else " " for one in text)


def from_settings(settings: Settings) -> Worker:
    """As it is deployed: two connections, since a process may answer two calls at once."""
    if settings.model and not settings.model.name:
        raise Misconfigured("GRADIENT_BASE_URL is set, GRADIENT_MODEL is not: name one of the server's models.")
    database = Database(2, lambda: settings.database)
    return Worker(Tools(settings, database, search_for(settings, database), asker(settings)))


def asker(settings: Settings) -> Ask | None:
    """Loads the model's client when it is first asked."""
    if settings.model is None:
        return None
    where = settings.model
    known: list[Asker] = []

    def ask(instructions: str, question: str) -> "Reply":
        from common.clients.model import Asker

        if not known:
            known.append(Asker(where))
        return known[0].ask(instructions, question)

    return ask
