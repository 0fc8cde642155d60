"""The running system as its users and its operator meet it: HTTP, the verbs of make, processes that can be ended."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import psutil

from local import stacks, state
from local.acceptance.check import CouldNot, wait_for
from local.checkout import told
from local.loadgen.events import Event, stamp
from local.sending.courier import Courier
from local.sending.ids import id_of, new_run
from local.sending.tally import Tally
from local.sending.target import Api, Target, of_stack

VERB_SECONDS = 300
BATCH = 500


class System:
    """A stack of this folder. Each scenario has a project of its own, so that none sees another's events."""

    def __init__(self, stack: str) -> None:
        self.stack, self.run = stack, new_run()[:8]
        self.notes: dict[str, Any] = {}  # what a scenario prepared, for when it is looked at

    def start(self, **variables: str) -> None:
        """With these variables, and none of those that the stack before left in the shell."""
        self.forget()
        self.verb("up", STACK=self.stack, **variables)

    def stop(self) -> None:
        self.verb("down")

    def restart(self, **variables: str) -> None:
        self.stop()
        self.start(**variables)

    def verb(self, *words: str, **variables: str) -> None:
        ours = set(of_stack()) | {"MAKEFLAGS", "MAKELEVEL"}
        environ = {name: value for name, value in os.environ.items() if name not in ours} | variables
        told(state.ROOT, words, environ, VERB_SECONDS)

    def forget(self) -> None:
        """Addresses may change when it starts again."""
        self.__dict__.pop("env", None)
        if "api" in self.__dict__:
            self.__dict__.pop("api").close()

    @cached_property
    def env(self) -> dict[str, str]:
        return of_stack()

    @cached_property
    def api(self) -> Api:
        return Api(self.env)

    def account(self) -> dict[str, Any]:
        """What runs here, empty if nothing does."""
        return state.recall("running") if state.running() else {}

    # Sending

    def project(self, name: str) -> Target:
        project = f"acceptance-{self.run}-{name}"
        return Target(self.env["INGEST_API_URL"], self.api.key_of(project), project)

    def send(self, to: Target, events: Sequence[Event]) -> None:
        """All of them accepted, in their order."""
        tally, run = Tally(), new_run()
        courier = Courier(to, tally, threading.Event())
        for start in range(0, len(events), BATCH):
            batch = [
                event | {"event_id": id_of(run, start + n)} for n, event in enumerate(events[start : start + BATCH])
            ]
            courier.deliver(batch, time.monotonic())
        courier.close()
        if tally.told().accepted != len(events):
            raise CouldNot(f"of {len(events)} events {tally.told().accepted} were accepted: {dict(tally.errors)}")

    def loadgen(self, mode: str, to: Target, *, rate: float, seconds: float) -> dict[str, Any]:
        """Its report."""
        words = [mode, "--rate", f"{rate:g}", "--duration", f"{seconds:g}"]
        environ = os.environ | {"INGEST_API_URL": to.url, "PROJECT_API_KEY": to.key}
        done = subprocess.run(
            [sys.executable, "-m", "local.loadgen", *words],
            cwd=state.ROOT,
            env=environ,
            capture_output=True,
            text=True,
            timeout=seconds + VERB_SECONDS,
            check=False,
        )
        try:
            return dict(json.loads(done.stdout))
        except ValueError:
            raise CouldNot(f"loadgen {mode}: {done.stderr.strip()[-500:]}") from None

    # Asking

    def incidents(self, to: Target) -> list[dict[str, Any]]:
        return list(self.api.get("/v1/incidents", project_id=to.project)["incidents"])

    def incident(self, to: Target) -> dict[str, Any]:
        """The newest of the project, as soon as there is one."""
        found = wait_for(f"an incident of {to.project}", lambda: self.incidents(to) or None)
        return self.one(found[0])

    def one(self, incident: dict[str, Any]) -> dict[str, Any]:
        """With its events, timeline, deploys and summary."""
        return dict(self.api.get(f"/v1/incidents/{incident['id']}"))

    def jobs(self, incident: dict[str, Any]) -> list[dict[str, Any]]:
        return list(self.api.get("/v1/ai/jobs", incident_id=incident["id"])["jobs"])

    def ended_job(self, incident: dict[str, Any]) -> dict[str, Any]:
        def ended() -> dict[str, Any] | None:
            return next((job for job in self.jobs(incident) if job["status"] in ("succeeded", "failed")), None)

        return wait_for("the end of its AI job", ended)

    def found(self, where: Target, **asked: Any) -> int:
        """How many events search has."""
        return int(self.api.get("/v1/search/events", project_id=where.project, limit=1, **asked)["total"])

    # Processes

    def part(self, name: str) -> psutil.Process:
        """As the harness notes it whenever it starts one."""
        note = next(state.HOME.glob(f"*/{name}.pid"), None)
        if note is None:
            raise CouldNot(f"{name} is no process of this stack")
        return psutil.Process(json.loads(note.read_text())["pid"])

    @property
    def broker(self) -> str:
        return "kafka" if self.stack in ("native", "compose") else "postgres"

    @contextmanager
    def without(self, name: str) -> Iterator[None]:
        """Killed, and kept so: the harness, which would start it again at once, is held still meanwhile."""
        if self.stack == "compose" and name in stacks.COMPOSE_STORES:
            try:
                stacks.compose("kill", name)
                yield
            finally:
                stacks.compose("start", name)
            return
        harness = psutil.Process(self.account()["pid"])
        harness.send_signal(signal.SIGSTOP)
        try:
            kill(self.part(name))
            yield
        finally:
            harness.send_signal(signal.SIGCONT)


def kill(process: psutil.Process) -> None:
    """At once, with whatever it started."""
    for one in [process, *process.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            one.send_signal(signal.SIGKILL)


def errors(minutes: Sequence[datetime], code: str, route: str = "/api/pay") -> list[Event]:
    attributes = {"error_code": code, "route": route, "status_code": 500}
    about: Event = {"event_type": "error", "environment": "prod", "severity": "error", "message": f"{code} at {route}"}
    return [about | {"occurred_at": stamp(at), "attributes": attributes} for at in minutes]


def signups(minutes: Sequence[datetime], environment: str = "prod") -> list[Event]:
    about: Event = {"event_type": "signup", "environment": environment, "message": "signed up"}
    return [about | {"occurred_at": stamp(at)} for at in minutes]


def this_minute() -> datetime:
    return datetime.now(UTC).replace(second=0, microsecond=0)
