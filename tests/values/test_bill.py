"""The monthly bill is a sum anyone can follow."""

import tomllib

import pytest

from local.bill import main
from local.bill.main import VOLUMES, invocations, month
from local.bill.measured import Measured

CALLS = {"ingest": 4.0, "incident_engine": 20.0, "indexer": 20.0, "archiver": 20.0, "core_api": 10.0}
MEASURED = Measured(CALLS, 100, 50.0, 500.0, 2500.0)
PRICES = tomllib.loads(main.PRICES.read_text())


def test_the_list_says_when_it_was_written_down() -> None:
    assert PRICES["dated"] >= "2026-11"


@pytest.mark.parametrize("platform", sorted(set(PRICES) - {"dated"}))
def test_more_events_never_cost_less(platform: str) -> None:
    bills = [month(MEASURED, PRICES[platform], events) for events in VOLUMES]
    assert bills == sorted(bills)


def test_without_an_event_only_what_is_always_there_is_paid() -> None:
    """People who look in are the few cents beside it."""
    prices = PRICES["aws"] | dict.fromkeys(
        ("gigabyte_second", "million_requests", "million_gateway_requests", "gigabyte_logged"), 0
    )
    always = prices["always_on"] + prices["stores"]["none"] + prices["secrets_and_alarms"]
    assert month(MEASURED, prices, 0) == pytest.approx(always)


def test_a_hundred_million_events_by_hand() -> None:
    """Ten million requests of 4 ms with a quarter of a gigabyte are ten thousand gigabyte-seconds.

    A thousand incidents wait ten seconds each for a model, with half a gigabyte: five thousand.
    """
    nothing = dict.fromkeys(PRICES["aws"], 0) | {"stores": dict.fromkeys(PRICES["aws"]["stores"], 0), "inside": []}
    only_ingest = Measured(dict.fromkeys(CALLS, 0.0) | {"ingest": 4.0}, 100, 0, 0, 0)
    assert month(only_ingest, nothing | {"gigabyte_second": 1}, 100_000_000) == pytest.approx(15_000)
    assert month(only_ingest, nothing | {"gigabyte_second": 1, "least_ms": 100}, 10_000) == pytest.approx(
        1_000 * 0.25 * 0.1 + 43_200 * 0.25 * 0.1 + 3 * 1_000 * 0.5 * 0.1  # requests, ticks, stations
        + 31_680 * 0.5 * 0.1 + 0.1 * 0.5 * 10  # people who read, a tenth of a model's answer
    )  # fmt: skip
    assert month(only_ingest, nothing | {"vcpu_second": 1}, 100_000_000) == pytest.approx(50_000)
    assert month(only_ingest, nothing | {"vcpu_second": 1, "inside": ["ingest"]}, 100_000_000) == pytest.approx(10_000)
    assert month(only_ingest, nothing | {"million_objects": 1}, 10_000) == pytest.approx(0.001)  # one a batch
    assert month(only_ingest, nothing | {"gigabyte_stored": 1}, 100_000_000) == 0


def test_stations_are_woken_at_most_once_a_second_or_for_a_full_batch() -> None:
    assert invocations(MEASURED, 10_000)["indexer"] == 1_000
    assert invocations(MEASURED, 100_000_000)["indexer"] == 2_592_000
