"""AI jobs under bad conditions: the worker is killed in the middle, the model fails."""

import signal
from datetime import datetime
from typing import Any

from local.acceptance.alarms import explained
from local.acceptance.check import Checks, CouldNot, between, equal, wait_for
from local.acceptance.system import System, errors, kill, this_minute

# Base five seconds, doubled each time; jitter takes up to half off.
FIRST_WAIT, SECOND_WAIT = (2.5, 5.0), (5.0, 10.0)


def prepare_worker(system: System) -> None:
    """The model says nothing, so the job is running when its worker is killed; the harness starts another worker."""
    model, to = system.part("model"), system.project("worker")
    model.send_signal(signal.SIGSTOP)
    try:
        system.send(to, errors([this_minute()] * 30, "KILLED"))
        incident = system.incident(to)

        def running() -> dict[str, Any] | None:
            return next((job for job in system.jobs(incident) if job["status"] == "running"), None)

        job = wait_for("a running job", running)
        kill(system.part("ai_worker"))
    finally:
        model.send_signal(signal.SIGCONT)
    other = system.project("other")
    system.send(other, errors([this_minute()] * 30, "MEANWHILE"))
    done = system.ended_job(system.incident(other))
    system.notes["worker"] = {"incident": incident, "job": job, "other": done, "meanwhile": system.jobs(incident)}


def worker(system: System) -> Checks:
    """Its lease has run out by the clock that was put forward."""
    noted = system.notes["worker"]
    job, incident = noted["job"], noted["incident"]
    yield equal("another job, done by the worker that was started again", "succeeded", noted["other"]["status"])
    held = [(one["id"], one["status"], one["leased_until"]) for one in noted["meanwhile"]]
    yield equal("meanwhile the lease keeps others away", [(job["id"], "running", job["leased_until"])], held)
    ended = system.ended_job(incident)
    yield equal("attempts that failed: the one that was killed", 1, ended["attempt_count"])
    yield equal("jobs of the incident", [job["id"]], [one["id"] for one in system.jobs(incident)])
    yield from explained(system, incident)


def model_fails(system: System) -> Checks:
    to = system.project("model")
    with system.without("model"):
        system.send(to, errors([this_minute()] * 30, "UNEXPLAINED"))
        incident = system.incident(to)
        waits = watched(system, incident)
    yield between("seconds of backoff after the first attempt", *FIRST_WAIT, waits.get(1, 0))
    yield between("seconds of backoff after the second attempt", *SECOND_WAIT, waits.get(2, 0))
    job = system.ended_job(incident)
    yield equal("in the end, after so many attempts", ("failed", 3), (job["status"], job["attempt_count"]))
    yield equal("its last error names the failure", "connection", str(job["last_error"]).partition(":")[0])
    shown = system.one(incident)["summary"]
    yield equal("the facts are shown without a model", "plain", shown["model"] if shown else None)


def watched(system: System, incident: dict[str, Any]) -> dict[int, float]:
    """How long it was to wait after each failed attempt, seen while it waited."""
    waits: dict[int, float] = {}

    def look() -> bool | None:
        jobs = system.jobs(incident)
        if len(jobs) != 1:
            raise CouldNot(f"one job was expected, there are {len(jobs)}")
        job = jobs[0]
        if job["status"] == "queued" and job["attempt_count"]:
            wait = datetime.fromisoformat(job["run_after"]) - datetime.fromisoformat(job["updated_at"])
            waits[job["attempt_count"]] = round(wait.total_seconds(), 2)
        return True if job["status"] in ("succeeded", "failed") else None

    wait_for("the end of a job whose model fails", look)
    return waits
