"""The list of acceptance: what is tried, on which stack it is looked at, and whether it wants the stack for itself."""

from collections.abc import Callable
from typing import NamedTuple

from local.acceptance import alarms, jobs, outage, record
from local.acceptance.check import Checks
from local.acceptance.system import System

OFFSET_SECONDS = 75 * 60  # an hour and a quarter, so that what takes an hour is over
# Each way of running the stack, in this order: as it is, and with its clock put forward.
PHASES: dict[str, dict[str, str]] = {
    "plain": {},
    "clock": {"CLOCK_OFFSET_SECONDS": str(OFFSET_SECONDS)},
}


class Scenario(NamedTuple):
    name: str
    about: str
    checks: Callable[[System], Checks]
    phase: str = "plain"
    prepare: Callable[[System], None] | None = None  # on the plain stack
    alone: bool = False


SCENARIOS = (
    Scenario("spike", "an error that spikes is one open incident with a summary, and all is in search", alarms.spike),
    Scenario("boundaries", "what just reaches each number of the rules, and what just does not", alarms.boundaries),
    Scenario("deploy", "a deploy before a spike is marked", alarms.deploy),
    Scenario("drop", "signups dry up: an incident, critical at none", alarms.drop),
    Scenario("resolve", "what is over for an hour is resolved, in the time of events", alarms.resolve),
    Scenario("queries", "the engine reads ranges of buckets and no raw events", record.queries),
    Scenario("outage", "the broker is down for a while and no event is lost", outage.outage, alone=True),
    Scenario("model", "a model that fails three times, with pauses that grow", jobs.model_fails, alone=True),
    Scenario("silence", "no signup at all, says the clock", alarms.silence, "clock", alarms.prepare_silence),
    Scenario(
        "resolve-by-clock",
        "what is over for an hour is resolved, by the clock",
        alarms.resolve_by_clock,
        "clock",
        alarms.prepare_resolve_by_clock,
    ),
    Scenario(
        "worker",
        "a worker killed in the middle: its job is done once",
        jobs.worker,
        "clock",
        jobs.prepare_worker,
        alone=True,
    ),
)
