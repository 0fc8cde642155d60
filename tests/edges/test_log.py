"""Logs: JSON lines, one for many requests, and never a secret."""

import json
from pathlib import Path
from time import monotonic

import pytest

from common import log
from common.edge import notes
from common.edge.values import Request, Response


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("key sck_live_AbC-123 refused", "key sck_***** refused"),
        ("token sct_Abc123", "token sct_*****"),
        ("Authorization: Bearer abc.def-ghi", "Authorization: Bearer *****"),
        ("authorization=Basic dXM6cHc=", "authorization=Basic *****"),
        ("'authorization': 'abcdef'", "'authorization': '*****'"),
        ('{"x-internal-key": "abcdef"}', '{"x-internal-key": "*****"}'),
        ("X-Api-Key: abcdef", "X-Api-Key: *****"),
        ("postgresql://us:p@ss:w0rd@db:5432/x", "postgresql://us:*****@db:5432/x"),
        ("redis://:pw@host and amqp://a:b@c", "redis://:*****@host and amqp://a:*****@c"),
        ("host=db password=hunter2 user=us", "host=db password=***** user=us"),
        ("KAFKA_SASL_PASSWORD='hunter2'", "KAFKA_SASL_PASSWORD='*****'"),
        ("GRADIENT_API_KEY=abc", "GRADIENT_API_KEY=*****"),
        ("http://127.0.0.1:3000/a@b", "http://127.0.0.1:3000/a@b"),  # a port is no password
        ("a basic idea of order", "a basic ***** of order"),  # better one word too many
        ("Zahlung fehlgeschlagen", "Zahlung fehlgeschlagen"),
    ],
)
def test_a_secret_is_replaced_by_stars(said: str, kept: str) -> None:
    assert log.clean(said) == kept


def test_secrets_are_found_in_whatever_holds_them(capsys: pytest.CaptureFixture[str]) -> None:
    log.write("info", "said", headers={"Authorization": "x", "x-api-key": ["y"], "accept": "z"}, all=["sck_abc", 1])
    log.write("info", "said", error=ConnectionError("postgres://a:b@c"), path=Path("/x"))
    first, second = lines(capsys)
    assert first["headers"] == {"Authorization": "*****", "x-api-key": "*****", "accept": "z"}
    assert first["all"] == ["sck_*****", 1]
    assert (second["error"], second["path"]) == ("postgres://a:*****@c", "/x")


def test_a_text_is_cut_and_says_how_long_it_was() -> None:
    cut = str(log.clean("ä" * 5000))
    assert cut.endswith("… (5000 characters)")
    assert len(cut) < 2100


def test_log_level_says_what_is_written(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "warn")
    for level in ("debug", "info", "warn", "error"):
        log.write(level, "x")
    assert [line["level"] for line in lines(capsys)] == ["warn", "error"]


def test_one_ordinary_request_a_second_is_written_and_says_for_how_many_it_stands() -> None:
    sampler = log.Sampler()
    said = [sampler.due(second) for second in (10.0, 10.2, 10.9, 11.0, 11.5, 15.0)]
    assert said == [1, 0, 0, 3, 0, 2]
    assert sum(said) == 6  # nobody is forgotten


def test_every_refusal_and_every_slow_request_is_written(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notes, "_sampler", log.Sampler())
    now = monotonic()
    for _ in range(3):
        notes.sampled("ingest", Request("POST", "/v1/events"), Response(202, log={"event_id": "e-1"}), now)
        notes.sampled("ingest", Request("POST", "/v1/events"), Response(401, log={"code": "no_key"}), now)
        notes.sampled("ingest", Request("POST", "/v1/events"), Response(202), now - 2)
    said = [(line["status"], line.get("stands_for"), line["level"]) for line in lines(capsys)]
    assert said == [(202, 1, "info")] + [(401, None, "warn"), (202, None, "info")] * 3


def test_a_line_carries_what_the_handler_said(capsys: pytest.CaptureFixture[str]) -> None:
    notes.every("ingest", Request("POST", "/v1/events"), Response(202, log={"event_id": "e-1"}), monotonic())
    (line,) = lines(capsys)
    assert (line["message"], line["method"], line["path"], line["event_id"]) == ("ingest", "POST", "/v1/events", "e-1")
    assert str(line["time"]).endswith("Z")
