"""A clock function: one tick runs its jobs, each after the other's failure."""

from __future__ import annotations

from time import monotonic

from common import log
from common.edge import clocks, notes
from common.edge.answers import outcome
from common.edge.aws import Failed
from common.edge.run import drive
from common.edge.values import Request, Response, name_of, only_post, reply
from common.metrics import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    Run = Callable[[datetime], int]


class Ticks:
    """The same jobs, whatever woke them. `now` is the host's clock, never what the event says."""

    def __init__(self, name: str, runs: tuple[Run, ...]) -> None:
        self.name, self.runs = name, runs

    def over_http(self, request: Request) -> Response:
        only_post(request)
        return drive(self._tick())

    def on_aws(self, _event: object) -> object:
        response = self._invoked()
        if response.status >= 400:
            raise Failed(str(log.clean(response.log["detail"])))
        return {"done": response.log["done"]}

    def on_trigger(self, _event: object) -> Response:
        return self._invoked()

    def _invoked(self) -> Response:
        started = monotonic()
        response = drive(outcome(self._tick))
        notes.event(self.name, response, started)
        return response

    async def _tick(self) -> Response:
        """The sum of what was done; or, after all have run, the worst that happened."""
        now = clocks.now()
        results = [self._job(run, now) for run in self.runs]
        worst = max(results, key=lambda result: result.status)
        if worst.status < 400:
            done = sum(int(str(result.log["done"])) for result in results)
            return reply(200, {"done": done}, log={"done": done})
        # The job's own line has the rest.
        worst.log = {key: worst.log[key] for key in ("job", "code", "detail")}
        return worst

    def _job(self, run: Run, now: datetime) -> Response:
        started = monotonic()
        result, job = drive(outcome(_one, run, now)), name_of(run.__code__.co_filename)
        names.CLOCK_RUNS.add(1, job, "failed" if result.status >= 400 else "done")
        if result.status >= 400:
            result.log = {"job": job, **result.log}
            notes.failure(f"{self.name}: a job failed", result, started)
        return result


async def _one(run: Run, now: datetime) -> Response:
    return Response(200, log={"done": run(now)})
