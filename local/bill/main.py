"""`make bill`: what a month costs on each platform, from what this machine measures and the list in prices.toml."""

import tomllib
from pathlib import Path
from typing import Any

from local.bill.measured import EVENTS, STATIONS, Measured, measure
from local.bundles.declaration import named

PRICES = Path(__file__).parent / "prices.toml"
VOLUMES = (0, 10_000, 1_000_000, 100_000_000)
MINUTES = 30 * 24 * 60
KEPT_OF_A_MONTH = 1.0  # search keeps thirty days, the log seven
READS = 3 * 8 * 60 * 22  # three people have a page open all their working hours, which asks once a minute
EVENTS_AN_INCIDENT, MODEL_MS = 100_000, 10_000  # and how long its summary waits for a model
NOT_IN_IT = (
    "not in it: the model's tokens, traffic out, an OpenSearch, tax, and where functions in a network of their own\n"
    "  ask the internet, a NAT gateway of about 40"
)
BILLION = 1e9


def main() -> int:
    prices = tomllib.loads(PRICES.read_text())
    measured = measure()
    print(f"measured here: {_said(measured)}; prices of {prices.pop('dated')}, US dollars a month")
    print(f"  {'':<58}" + "".join(f"{volume:>14,}" for volume in VOLUMES) + "  events")
    for platform in prices.values():
        print(f"  {platform['name']:<58}" + "".join(f"{month(measured, platform, one):>14,.2f}" for one in VOLUMES))
    print(f"  {NOT_IN_IT}")
    return 0


def month(measured: Measured, prices: dict[str, Any], events: int) -> float:
    """Functions, gateway, archive, logs, disk, what is always on, and the stores, which are most of it."""
    every = invocations(measured, events)
    calls = {name: count for name, count in every.items() if name not in prices["inside"]}
    compute = sum(count * _call(measured, prices, name) for name, count in calls.items())
    requests = sum(calls.values()) / 1e6 * prices["million_requests"]
    gateway = (every["ingest"] + every["core_api"]) / 1e6 * prices["million_gateway_requests"]
    archived = every["archiver"] / 1e6 * prices["million_objects"]
    logged = sum(calls.values()) * measured.log_bytes / BILLION * prices["gigabyte_logged"]
    stored = events * KEPT_OF_A_MONTH * measured.disk_bytes / BILLION * prices["gigabyte_stored"]
    size = "none" if not events else "small" if events <= 1_000_000 else "large"
    fixed = prices["always_on"] + prices["stores"][size] + prices["secrets_and_alarms"]
    return float(compute + requests + gateway + archived + logged + stored + fixed)


def invocations(measured: Measured, events: int) -> dict[str, float]:
    """A batch a second at the most often, a full one at the most events; the clock ticks whatever happens."""
    batches = min(events, max(events / measured.batch, min(events / EVENTS, MINUTES * 60)))
    asked = {"ai_worker": events / EVENTS_AN_INCIDENT, "core_api": READS}
    return {"ingest": events / EVENTS, **dict.fromkeys(STATIONS, batches), **asked, "tick": MINUTES}


def _call(measured: Measured, prices: dict[str, Any], name: str) -> float:
    """What one costs; no platform counts less than its shortest."""
    took = measured.call_ms | {"tick": measured.tick_ms, "ai_worker": MODEL_MS}
    milliseconds = max(took[name], prices["least_ms"])
    a_second = named(name).memory / 1024 * prices["gigabyte_second"] + prices["vcpu_second"]
    return float(a_second * milliseconds / 1000)


def _said(measured: Measured) -> str:
    calls = ", ".join(f"{name} {ms:.1f} ms a call" for name, ms in measured.call_ms.items())
    sizes = f"{measured.log_bytes:.0f} bytes of log a call, {measured.disk_bytes:.0f} bytes of disk an event"
    return f"{calls}, tick {measured.tick_ms:.0f} ms, {sizes}"
