"""One error event, sent from where programs live: copied, pasted, it works as it stands."""

from typing import NamedTuple

CURL = """curl -s {url}/v1/events \\
  -H 'X-Api-Key: {key}' -H 'Content-Type: application/json' \\
  -d '{{"event_type": "error", "severity": "error", "environment": "prod", "message": "boom",
       "occurred_at": "'"$(date -u +%Y-%m-%dT%H:%M:%SZ)"'",
       "attributes": {{"route": "/checkout", "error_code": "BOOM"}}}}'
"""
PYTHON = """import json
from datetime import datetime, timezone
from urllib.request import Request, urlopen

event = {{
    "event_type": "error",
    "severity": "error",
    "environment": "prod",
    "message": "boom",
    "occurred_at": datetime.now(timezone.utc).isoformat(),
    "attributes": {{"route": "/checkout", "error_code": "BOOM"}},
}}
headers = {{"X-Api-Key": "{key}", "Content-Type": "application/json"}}
request = Request("{url}/v1/events", json.dumps(event).encode(), headers)
print(urlopen(request, timeout=10).read().decode())
"""
JAVASCRIPT = """fetch("{url}/v1/events", {{
  method: "POST",
  headers: {{"X-Api-Key": "{key}", "Content-Type": "application/json"}},
  body: JSON.stringify({{
    event_type: "error",
    severity: "error",
    environment: "prod",
    message: "boom",
    occurred_at: new Date().toISOString(),
    attributes: {{route: "/checkout", error_code: "BOOM"}},
  }}),
}}).then((answer) => answer.text()).then(console.log);
"""
YOUR_KEY, YOUR_INGEST = "YOUR_KEY", "https://YOUR_INGEST"


class Snippet(NamedTuple):
    id: str
    name: str
    text: str


def snippets(url: str, key: str) -> list[Snippet]:
    """With the address and key filled in where they are known."""
    known = {"url": url or YOUR_INGEST, "key": key or YOUR_KEY}
    return [
        Snippet("curl", "curl", CURL.format(**known)),
        Snippet("python", "Python", PYTHON.format(**known)),
        Snippet("javascript", "JavaScript (Node 18 or newer)", JAVASCRIPT.format(**known)),
    ]
