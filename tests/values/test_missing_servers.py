"""A program that is not installed: the sentence says how to get it, and under CI its absence is a failure."""

import pytest

from local.servers import java, process
from local.servers.process import Missing
from tests.conftest import left_out_without_its_server


def test_a_missing_program_says_how_to_get_it() -> None:
    with pytest.raises(Missing, match=r"no-such-server is needed\. apt install it"):
        process.program("no-such-server", "apt install it")


def test_a_java_too_old_says_which_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Missing, match=r"Java 999 or newer is needed, .*apt install maven"):
        java.java(999)


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_412"', 8),
        ('openjdk version "25" 2025-09-16', 25),
        ("no such thing", 0),
    ],
)
def test_a_java_says_its_version_in_its_own_way(said: str, version: int) -> None:
    assert java.version_in(said) == version


def test_without_its_server_a_test_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    running = left_out_without_its_server()
    next(running)
    with pytest.raises(pytest.skip.Exception, match="left out: Kafka"):
        running.throw(Missing("Kafka"))


def test_under_ci_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    running = left_out_without_its_server()
    next(running)
    with pytest.raises(Missing):
        running.throw(Missing("Kafka"))
