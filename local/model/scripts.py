"""The scripts that concern the connection: how long, which status, where it breaks; by how often this was asked."""

from typing import Any, NamedTuple


class Step(NamedTuple):
    wait: float = 0.0
    status: int = 200
    message: str = ""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    broken: str = ""


AFTER_ONE = ((b"retry-after", b"1"),)
AFTER_HOUR = ((b"retry-after", b"3600"),)
BUSY = "Too many requests."

ALWAYS = {
    "slow": Step(wait=3.0),
    "endless": Step(wait=3600.0),
    "busy-always": Step(status=429, message=BUSY, headers=AFTER_HOUR),
    "error": Step(status=500, message="The stand-in was told to fail."),
    "gateway-always": Step(status=503, message="No upstream."),
    "unauthorized": Step(status=401, message="Incorrect API key provided: sk-live-abcdefghijklmnop1234."),
    "dropped-always": Step(broken="dropped"),
    "drip": Step(broken="drip"),
    "garbage": Step(broken="garbage"),
}
ONCE = {
    "busy": Step(status=429, message=BUSY, headers=AFTER_ONE),
    "gateway": Step(status=502, message="Bad gateway."),
    "dropped": Step(broken="dropped"),
}


def step(script: str, time: int, request: dict[str, Any]) -> Step:
    """What happens the so many-th time this question is asked."""
    if script == "no-json-mode" and "response_format" in request:
        return Step(status=400, message="Unknown parameter: response_format is not supported.")
    if time == 1 and script in ONCE:
        return ONCE[script]
    return ALWAYS.get(script, Step())
