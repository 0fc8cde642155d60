"""The model's client: which failures are tried again within an attempt, and after how long."""

from concurrent.futures import Future

import httpx2
import openai
import pytest
import tenacity

from common.clients.model import passes, pause, retry_after

NOW = 1_777_636_800.0  # Fri, 01 May 2026 12:00:00 GMT
REQUEST = httpx2.Request("POST", "http://model/v1/chat/completions")


def refused(status: int, **headers: str) -> openai.APIStatusError:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return openai.APIStatusError("no", response=httpx2.Response(status, headers=named, request=REQUEST), body=None)


def failed(attempt: int, error: Exception) -> tenacity.RetryCallState:
    state = tenacity.RetryCallState(tenacity.Retrying(), None, (), {})
    state.attempt_number = attempt
    outcome: Future[None] = tenacity.Future(attempt)
    outcome.set_exception(error)
    state.outcome = outcome  # type: ignore[assignment]
    return state


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_too_many_requests_and_gateways_pass(status: int) -> None:
    assert passes(refused(status))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 500, 501])
def test_nothing_else_does(status: int) -> None:
    assert not passes(refused(status))


def test_connections_pass_and_our_own_faults_do_not() -> None:
    assert passes(openai.APIConnectionError(request=REQUEST))
    assert passes(openai.APITimeoutError(request=REQUEST))
    assert not passes(ValueError())


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 30 ", 30.0),
        ("Fri, 01 May 2026 12:00:20 GMT", 20.0),
        ("Fri, 01 May 2026 11:00:00 GMT", 0.0),
        ("", 0.0),
        ("soon", 0.0),
        ("-5", 0.0),
    ],
)
def test_retry_after(header: str, seconds: float) -> None:
    assert retry_after(header, NOW) == seconds


@pytest.mark.parametrize(("attempt", "low", "high"), [(1, 0.25, 0.5), (2, 0.5, 1.0)])
def test_a_pause_doubles_with_jitter(attempt: int, low: float, high: float) -> None:
    assert low <= pause(failed(attempt, openai.APIConnectionError(request=REQUEST))) <= high


def test_a_pause_is_as_long_as_the_server_asks() -> None:
    assert pause(failed(1, refused(429, retry_after="9"))) == 9
    assert pause(failed(2, refused(429, retry_after="0"))) >= 0.5
