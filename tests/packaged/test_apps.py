"""The bundles of core_api and the dashboard: the same bytes, cookies, redirects and compressed answers everywhere."""

import gzip
import re
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from common.clients.search import search_for
from local.hosts.call import Answer, Host
from tests.edges.normal import without_address
from tests.packaged.conftest import PLATFORMS, Deployment, Deployments
from tests.stations.test_search_contract import sealed

GZIP = {"accept-encoding": "gzip"}


def unpacked(answer: Answer) -> bytes:
    return gzip.decompress(answer.body) if answer.header("content-encoding") == "gzip" else answer.body


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/openapi.json", 200),
        ("/docs", 200),
        ("/health", 200),
        ("/v1/incidents", 401),
        ("/v1/incidents/not-an-id", 401),
        ("/nothing", 404),
    ],
)
def test_the_api_gives_the_same_bytes_everywhere(on: Deployments, path: str, status: int) -> None:
    answers = [on(platform)("core_api").request("GET", path, GZIP) for platform in PLATFORMS]
    assert {answer.status for answer in answers} == {status}
    assert len({without_address(unpacked(answer)) for answer in answers}) == 1


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_api_answers_whoever_has_a_token(on: Deployments, platform: str) -> None:
    headers = {"authorization": f"Bearer {on(platform).token}", **GZIP}
    answer = on(platform)("core_api").request("GET", "/v1/incidents?limit=5", headers)
    assert (answer.status, sorted(answer.json())) == (200, sorted(answer.json()))
    described = on(platform)("core_api").request("GET", "/openapi.json", headers)
    # DigitalOcean takes compressed text for text, so there it is not compressed.
    assert described.header("content-encoding") == (None if platform == "digitalocean" else "gzip")


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_page_of_the_largest_events_is_carried_by_every_platform(on: Deployments, platform: str) -> None:
    """Together they are more than a megabyte, and most of it is quotes."""
    here = on(platform)
    search = search_for(here.settings)
    given = {"project_id": "demo", "occurred_at": datetime.now(UTC), "payload": {"x": '"' * 30_000}}
    every = [sealed("demo", f"quoting {n}", **given) for n in range(110)]
    assert search.index(every) == []
    search.close()
    host, seen, path = here("core_api"), set[str](), "/v1/search/events?q=quoting&limit=200"
    for _ in range(2):
        answer = host.request("GET", path, {"authorization": f"Bearer {here.token}"})
        assert (answer.status, answer.json()["total"]) == (200, len(every)), answer.body[:200]
        found = {event["event_id"] for event in answer.json()["events"]}
        assert found
        assert not found & seen
        seen |= found
        path += "&cursor=" + answer.json()["next"]


def signed_in(deployment: Deployment, host: Host) -> tuple[Answer, str]:
    form = host.request("GET", "/sign-in")
    visit = form.all("set-cookie")[0].partition(";")[0]
    csrf = re.findall(r'name="csrf" value="([^"]+)"', form.body.decode())[0]
    sent = urlencode({"token": deployment.token, "csrf": csrf, "next": "/"}).encode()
    headers = {"content-type": "application/x-www-form-urlencoded", "cookie": visit}
    return host.request("POST", "/sign-in", headers, sent), visit


@pytest.mark.parametrize("platform", PLATFORMS)
def test_people_sign_in_to_the_dashboard_with_a_cookie_and_are_sent_on(on: Deployments, platform: str) -> None:
    host = on(platform)("dashboard")
    stranger = host.request("GET", "/incidents")
    assert (stranger.status, str(stranger.header("location")).endswith("/sign-in?next=%2Fincidents")) == (303, True)
    answer, _ = signed_in(on(platform), host)
    assert answer.status == 303
    cookies = answer.all("set-cookie")
    assert len(cookies) >= 2  # one is set, one is taken back
    own = next(one for one in cookies if "Max-Age=0" not in one and "max-age=0" not in one).partition(";")[0]
    page = host.request("GET", "/", {"cookie": own, **GZIP})
    assert page.status == 200
    assert b"</html>" in unpacked(page)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_dashboards_files_are_in_its_bundle(on: Deployments, platform: str) -> None:
    host = on(platform)("dashboard")
    links = set(re.findall(r'(?:href|src)="[^"]*?(static/[^"]+)"', host.request("GET", "/sign-in").body.decode()))
    assert links
    for link in links:
        answer = host.request("GET", f"/{link}", GZIP)
        assert (answer.status, bool(unpacked(answer))) == (200, True)
