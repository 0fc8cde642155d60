"""In a local stack the archiver runs: what is accepted can be read again from the archive."""

import json
from collections.abc import Iterator

import httpx
import pytest

from common import settings, topics
from common.clients import archive
from common.clients.objects import objects_for
from local.checkout import Checkout
from tests import servers
from tests.streams import wait_for

EVENTS, TEXT = 6000, "x" * 900


@pytest.fixture
def checkout() -> Iterator[Checkout]:
    made = Checkout(servers.home())
    done = made.make("up", STACK="embedded")
    assert done.returncode == 0, done.stdout + done.stderr
    yield made
    made.remove()


def test_five_megabytes_are_archived_at_once_and_read_back_as_they_were_accepted(checkout: Checkout) -> None:
    env = checkout.env()
    sent = set(send(env))
    objects = objects_for(settings.read({name: value for name, value in env.items() if name.startswith("S3_")}))
    # What is left over waits up to a minute for more.
    wait_for(lambda: sum(1 for _ in archive.read(objects, topics.RAW)) > EVENTS // 2, 40)
    records = list(archive.read(objects, topics.RAW))
    kept = [json.loads(one.value or b"")["event_id"] for one in records]
    assert len(kept) == len(set(kept))
    assert set(kept) <= sent
    assert len(list(objects.names())) <= 4  # few large objects
    objects.close()
    assert "objects" in checkout.make("status").stdout


def send(env: dict[str, str]) -> Iterator[str]:
    """The ids they were given."""
    event = {"event_type": "feedback", "occurred_at": "2026-03-01T12:00:00Z"}
    for first in range(0, EVENTS, 500):
        batch = [event | {"message": f"{n} {TEXT}", "attributes": {"n": n}} for n in range(first, first + 500)]
        answer = httpx.post(
            f"{env['INGEST_API_URL']}/v1/events/batch", json=batch, headers={"X-Api-Key": env["PROJECT_API_KEY"]}
        )
        assert answer.status_code == 202, answer.text
        yield from answer.json()["event_ids"]
