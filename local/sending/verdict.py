"""What an answer of ingest means for a batch: taken, taken in part, refused, to be sent again, or in two."""

import json
from collections import Counter
from typing import Any, NamedTuple

from local.poller.post import Reply

AGAIN = (408, 425, 429, 500, 502, 503, 504)
TOO_LARGE = 413
HOPELESS = (401, 403, 404, 405)  # no event would fare better


class Verdict(NamedTuple):
    accepted: int = 0
    refused: int = 0
    again: bool = False
    halve: bool = False  # so many are too much for one request; each alone may be taken
    kinds: tuple[tuple[str, int], ...] = ()  # of what went not well, and how often
    wrong: str = ""  # the answer is none that ingest may give to this batch
    hopeless: str = ""  # nothing that is sent after it can fare better: why


def judge(reply: Reply, ids: list[str]) -> Verdict:
    if reply.status == 202:
        return of_taken(reply.body, ids)
    said = read(reply.body)
    kind = f"{reply.status} {said.get('code', '')}".strip()
    if reply.status in AGAIN:
        return Verdict(again=True, kinds=((kind, 1),))
    if reply.status == TOO_LARGE and len(ids) > 1:
        return Verdict(halve=True, kinds=((kind, 1),))
    hopeless = f"{kind}: {said.get('detail', '')}" if reply.status in HOPELESS else ""
    rejected = of_rejected(said) if reply.status == 422 else {}
    return Verdict(refused=len(ids), kinds=tuple(rejected.items()) or ((kind, len(ids)),), hopeless=hopeless)


def of_taken(body: bytes, ids: list[str]) -> Verdict:
    """Each event is either accepted under the id it was sent with, or rejected by its place."""
    said = read(body)
    rejected = said.get("rejected")
    if not isinstance(rejected, list) or not all(isinstance(one, dict) for one in rejected):
        return Verdict(wrong=f"202 without a list of what was rejected: {body[:200]!r}")
    places = {one.get("index") for one in rejected}
    expected = [one for place, one in enumerate(ids) if place not in places]
    if said.get("event_ids") != expected or said.get("accepted") != len(expected):
        return Verdict(wrong=f"202, but not for the {len(expected)} events that were sent: {body[:200]!r}")
    kinds = tuple(of_rejected(said).items())
    return Verdict(accepted=len(expected), refused=len(rejected), kinds=kinds)


def of_rejected(said: dict[str, Any]) -> dict[str, int]:
    """How many were rejected, by code and field."""
    rejected = said.get("rejected")
    return dict(Counter(f"{one.get('code')} {one.get('field') or ''}".strip() for one in rejected or ()))


def read(body: bytes) -> dict[str, Any]:
    """An object, empty if it is none."""
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
