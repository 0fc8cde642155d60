"""An incident that burns now, as the engine would have left it, and what a reader sees of its page."""

import html
import json
import re
from datetime import UTC, datetime, timedelta

from tests.dashboard import Dashboard

MINUTE = timedelta(minutes=1)


def burning(dashboard: Dashboard, minutes: int = 20, **columns: str) -> str:
    """An incident that opened so many minutes ago with 42 errors; since then there are forty a minute."""
    opened = this_minute() - minutes * MINUTE
    incident = dashboard.acme.incident(opened_at=opened, **columns)
    last = opened + (minutes - 1) * MINUTE
    dashboard.conn.run(BURN, incident=incident, opened=opened, last=last)
    return incident


def this_minute() -> datetime:
    return datetime.now(UTC).replace(second=0, microsecond=0)


BURN = """
    INSERT INTO buckets (series, minute, value, critical)
    SELECT series, minute, 40, 0 FROM incidents, generate_series(minute_of(:opened) + 1, minute_of(:last)) minute
     WHERE id = :incident;
    UPDATE series SET newest = minute_of(:last), newest_occurred = :last, newest_received = :last
     WHERE id = (SELECT series FROM incidents WHERE id = :incident);
    UPDATE incidents SET last_seen_at = :last, last_event_at = :last, peak = 200 WHERE id = :incident;
"""


def words_of(page: str) -> str:
    """What a reader sees, without what only hearers are told."""
    body = re.sub(r"<(script|style|svg|title)\b.*?</\1>", " ", page[page.index("<main") :], flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", "", body)))


def keep(
    dashboard: Dashboard,
    incident: str,
    evidence: list[str],
    cited: list[list[int]],
    facts: list[dict[str, object]],
    left_out: dict[str, int] | None = None,
) -> None:
    """A summary, with what was verified of it and what was not."""
    content = {"title": "T", "impact": "I.", "likely_causes": ["C."], "evidence": evidence, "next_steps": ["N."]}
    dashboard.conn.run(
        "INSERT INTO ai_outputs (incident_id, model, content_json, facts_json, references_json, evidence_given, "
        "left_out) VALUES (:incident, 'a-model', :content, :facts, :cited, 4, :left_out)",
        incident=incident,
        content=json.dumps(content | {"confidence": 0.78}),
        facts=json.dumps(facts),
        cited=json.dumps(cited),
        left_out=json.dumps(left_out or {}),
    )
