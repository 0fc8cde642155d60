"""What `status` and `health` say of a station's lag."""

from typing import Any

import pytest

from local.look import lag

CALM: dict[str, Any] = {"lag": 0, "partitions": {"0": {"position": 7, "lag": 0}}, "stopped": [], "waits_for": {}}


@pytest.mark.parametrize(
    ("station", "said"),
    [
        (CALM, "lag 0"),
        (CALM | {"lag": 12, "partitions": {"0": {"lag": 0}, "3": {"lag": 9}, "7": {"lag": 3}}}, "lag 12 (3: 9, 7: 3)"),
        (CALM | {"lag": None, "partitions": {"0": {"lag": None}}}, "lag unknown: the stream does not answer"),
        (
            CALM | {"stopped": [{"partition": 3, "error": "it broke off"}], "waits_for": {"the station": "503"}},
            "lag 0; partition 3 is stopped: it broke off; waits for the station: 503",
        ),
    ],
)
def test_a_lag_is_told_in_all_and_by_partition(station: dict[str, Any], said: str) -> None:
    assert lag(station) == said
