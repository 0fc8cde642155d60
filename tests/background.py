"""What is known about an incident, as values: thirty errors in five minutes where two are usual."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from common.summaries.background import EPOCH, Background, Before, Deploy, Event, Neighbour, Seen, Subject
from tests.incident import NOW, OPENED

TIMEOUT = {"route": "/checkout", "error_code": "UPSTREAM_TIMEOUT", "status_code": "504", "release": "4.2.0"}
FIRST = int((OPENED - EPOCH).total_seconds()) // 60


def known(
    messages: Sequence[str] = ("upstream timeout calling payments",) * 30,
    attributes: dict[str, str] | None = None,
    **more: Any,
) -> Background:
    """`more` replaces parts of the whole, or of its incident."""
    said = TIMEOUT if attributes is None else attributes
    subject: dict[str, Any] = {
        "id": UUID(int=1),
        "org_id": "acme",
        "project_id": "shop",
        "environment": "prod",
        "rule": "error_spike",
        "service": None,
        "route": "/checkout",
        "error_code": "UPSTREAM_TIMEOUT",
        "severity": "error",
        "title": "Errors spike on /checkout: UPSTREAM_TIMEOUT (prod)",
        "opened_at": OPENED,
        "last_seen_at": OPENED,
        "window_minutes": 5,
        "observed": 30,
        "usual": 2.0,
        "peak": 214,
        "event_count": 230,
        "last_event_at": OPENED + timedelta(minutes=16),
    }
    whole: dict[str, Any] = {
        "now": NOW,
        "minutes": [(FIRST - 10, 20), (FIRST - 5, 4), (FIRST - 1, 14), (FIRST, 16)],
        "newest": FIRST + 16,
        "present": 180,
        "before": None,
        "together": [],
        "deploys": [],
        "events": [event(at, message, said) for at, message in enumerate(messages)],
        "seen": Seen(True, 30),
    }
    subject |= {name: more.pop(name) for name in list(more) if name in subject}
    return Background(Subject(**subject), **(whole | more))


def event(at: int, message: str, attributes: dict[str, str]) -> Event:
    return Event(UUID(int=1000 + at), OPENED + timedelta(seconds=at), message, "error", at, attributes)


def deploy(minutes_before: int, release: str = "4.2.0", message: str = "deployed") -> Deploy:
    return Deploy(UUID(int=7), OPENED - timedelta(minutes=minutes_before), "checkout", release, message)


def neighbour(minutes_later: int) -> Neighbour:
    return Neighbour(UUID(int=8), "error_spike", "/cart", "E_CART", OPENED + timedelta(minutes=minutes_later))


def before() -> Before:
    return Before(UUID(int=9), OPENED - timedelta(days=2), OPENED - timedelta(days=2) + timedelta(minutes=9))
