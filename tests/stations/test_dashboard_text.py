"""What is not ours is text, whatever it holds, and a page stays light."""

import html
import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from tests.burning import MINUTE, burning, keep
from tests.dashboard import Dashboard, Reader

pytestmark = pytest.mark.usefixtures("now")
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;"


def test_text_of_events_people_and_models_is_text(dashboard: Dashboard, reader: Reader) -> None:
    name = dashboard.acme.token("responder", HOSTILE)
    hostile = dashboard.reader(name, address="10.1.1.3")
    incident = burning(dashboard, title=HOSTILE, route=f"/{HOSTILE}", severity="critical")
    dashboard.conn.run(
        "UPDATE incidents SET error_code = :text, service = :text WHERE id = :id;"
        "UPDATE incident_events SET message = :text, attributes_json = :attributes WHERE incident_id = :id;"
        "UPDATE projects SET name = :text WHERE id = :project",
        text=HOSTILE, id=incident, project=dashboard.acme.project,
        attributes=json.dumps({"release": HOSTILE, "status_code": HOSTILE}),
    )  # fmt: skip
    dashboard.acme.deploy(datetime.now(UTC) - 22 * MINUTE, HOSTILE)
    keep(
        dashboard,
        incident,
        [HOSTILE],
        [[1]],
        [{"number": 1, "text": HOSTILE, "names": [HOSTILE], "refers": ["deploy:x"]}],
    )
    dashboard.acme.job(incident)
    hostile.post(f"/incidents/{incident}/comment", text=HOSTILE)
    hostile.post(f"/incidents/{incident}/acknowledge")
    for target in ("/", "/incidents", f"/incidents/{incident}", "/incidents?status=all"):
        for page in (reader.text(target), hostile.text(target)):
            assert "&lt;script&gt;alert(1)" in page, target
            assert Tags(page).strange() == [], target


class Tags(HTMLParser):
    """The elements of a page as a browser would read them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def strange(self) -> list[str]:
        """What none of our templates has."""
        inline = [f"{tag} {name}" for tag, attrs in self.seen for name in attrs if name == "style" or name[:2] == "on"]
        return inline + [tag for tag, attrs in self.seen if tag == "img" or (tag == "script" and "src" not in attrs)]


@pytest.mark.parametrize("text", ["é" * 120, "W" * 120, "a b " * 30, "​" * 50])
def test_a_title_of_any_shape_stands(dashboard: Dashboard, reader: Reader, text: str) -> None:
    incident = burning(dashboard, title=text + "!")
    assert html.escape(text[:100]) in reader.text(f"/incidents/{incident}")


def test_pages_stay_light(dashboard: Dashboard, reader: Reader) -> None:
    """Twenty-five rows; 180 points."""
    for n in range(26):
        burning(dashboard, 20, route=f"/api/orders/{n}", title=f"Orders of kind {n} fail after the release of today")
    long = burning(dashboard, 109, title="A long one " * 10)
    for n in range(30):
        dashboard.acme.deploy(datetime.now(UTC) - n * 4 * MINUTE, f"v2.{n}.0")
    light(reader.text("/"))
    light(reader.text("/incidents"))
    page = reader.text(f"/incidents/{long}")
    assert page.count('<rect x="') >= 170
    light(page)


def light(page: str) -> None:
    assert len(page.encode()) <= 60_000
    assert len(re.findall(r"<[a-z]", page)) <= 1_500
    assert " style=" not in page
    assert page.count("<h1>") == 1
