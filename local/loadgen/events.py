"""The events of a run: which stands at which line is decided by mode, seed and line alone; so two runs are alike."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from local.sending.ids import id_of

Event = dict[str, Any]
MODES = {
    "normal": "page views, orders, signups, and an error now and then: nothing that opens an incident",
    "spike_errors": "as normal, but every second event is the same error",
    "drop_signups": "an hour and a half of signups, in one go with times of the past, and since then none",
    "deploy_then_spike": "as normal; after a third of the time a release is deployed, and from then on errors",
}
ROUTES = (("GET", "/"), ("GET", "/search"), ("GET", "/products/{}"), ("POST", "/api/cart"), ("POST", "/api/checkout"))
RARE = (("CART_EXPIRED", "/api/cart"), ("BAD_COUPON", "/api/checkout"), ("NO_STOCK", "/api/cart"), ("SLOW", "/search"))
RARE_SECONDS = 15  # one of them at a time: each code comes once a minute, whatever the rate
SPIKE = {"error_code": "UPSTREAM_TIMEOUT", "method": "POST", "status_code": 504, "service": "checkout"}
NEW, OLD = "v2.15.0", "v2.14.3"
# Signups dry up at the seventeenth minute before the start: the drop is there as soon as the next one comes.
FLOW_MINUTES, FLOW_EACH, SILENT_MINUTES = 90, 4, 17
FIRST_OF_FLOW = 1 << 40  # their lines, out of the way of those that follow


class Plan(NamedTuple):
    mode: str
    rate: float  # events a second
    seconds: float
    seed: int
    batch: int
    environment: str
    run: str
    began: datetime

    @property
    def lines(self) -> int:
        return round(self.rate * self.seconds)

    @property
    def batches(self) -> int:
        return -(-self.lines // self.batch)

    def due(self, batch: int) -> float:
        """Seconds after the beginning: when the last event of it has happened."""
        return min(self.lines, (batch + 1) * self.batch) / self.rate


def batch_of(plan: Plan, number: int) -> list[Event]:
    chance = Random(f"{plan.seed}/{number}")  # noqa: S311  it decides what happens in a play
    lines = range(number * plan.batch, min(plan.lines, (number + 1) * plan.batch))
    return [event_of(plan, line, chance) for line in lines]


def event_of(plan: Plan, line: int, chance: Random) -> Event:
    passed = line / plan.rate
    about = _about(plan, line, passed, chance)
    at = plan.began + timedelta(seconds=passed)
    return about | {"event_id": id_of(plan.run, line), "occurred_at": stamp(at), "environment": plan.environment}


def flow(plan: Plan) -> list[Event]:
    """The signups of before, if the mode wants some; the last of them comes now, and shows the silence."""
    if plan.mode != "drop_signups":
        return []
    minute = plan.began.replace(second=0, microsecond=0)
    first = minute - timedelta(minutes=FLOW_MINUTES + SILENT_MINUTES)
    times = [first + timedelta(seconds=number * 60 / FLOW_EACH) for number in range(FLOW_MINUTES * FLOW_EACH)]
    events = [_signup() | {"occurred_at": stamp(at), "environment": plan.environment} for at in [*times, plan.began]]
    return [event | {"event_id": id_of(plan.run, FIRST_OF_FLOW + line)} for line, event in enumerate(events)]


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _about(plan: Plan, line: int, passed: float, chance: Random) -> Event:
    deployed = plan.mode == "deploy_then_spike" and passed >= plan.seconds / 3
    if deployed and line - 1 < plan.rate * plan.seconds / 3:
        return _deploy()
    if (deployed or plan.mode == "spike_errors") and line % 2:
        return _spike(chance, NEW if deployed else OLD)
    slot = int(passed // RARE_SECONDS)
    if slot != int((line - 1) / plan.rate // RARE_SECONDS):
        return _rare(slot)
    return _usual(chance, signups=plan.mode != "drop_signups")


def _usual(chance: Random, *, signups: bool) -> Event:
    lot = chance.random()
    if lot < 0.04 and signups:
        return _signup()
    if lot < 0.1:
        amount = round(chance.uniform(5, 250), 2)
        return {"event_type": "custom", "message": "order placed", "payload": {"amount": amount, "currency": "EUR"}}
    if lot < 0.11:
        return {"event_type": "feedback", "message": "found what I wanted", "attributes": {"stars": 4}}
    method, route = chance.choice(ROUTES)
    attributes = {"method": method, "route": route.format(chance.randrange(5000)), "status_code": 200}
    attributes |= {"duration_ms": round(chance.lognormvariate(3.5, 0.6), 1), "service": "storefront", "release": OLD}
    return {"event_type": "http_request", "message": f"{method} {route}", "attributes": attributes}


def _signup() -> Event:
    return {"event_type": "signup", "message": "a customer signed up", "attributes": {"service": "accounts"}}


def _rare(slot: int) -> Event:
    code, route = RARE[slot % len(RARE)]
    attributes = {"error_code": code, "route": route, "service": "storefront", "release": OLD}
    return {"event_type": "error", "severity": "error", "message": f"{code} at {route}", "attributes": attributes}


def _spike(chance: Random, release: str) -> Event:
    order = chance.randrange(100_000)
    message = f"Payment provider timed out after 3000 ms for order {order}"
    attributes = SPIKE | {"route": f"/api/checkout/{order}/pay", "release": release, "duration_ms": 3000}
    return {"event_type": "error", "severity": "error", "message": message, "attributes": attributes}


def _deploy() -> Event:
    attributes = {"service": "checkout", "release": NEW}
    return {"event_type": "deploy", "message": f"checkout {NEW} deployed", "attributes": attributes}
