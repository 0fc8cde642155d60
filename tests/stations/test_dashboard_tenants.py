"""Two organisations that have the same of everything: no page and no form of one shows or changes the other's.

The walk is made from the list of routes, so a new one is walked without being named here.
"""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from functions.dashboard.application import ROUTES
from tests.dashboard import Dashboard
from tests.shop import START, Tenant

EVENT = str(uuid4())
OWN = {"/sign-in", "/sign-out", "/static/{name}", "/{path:path}", "/search/narrow", "/health", "/healthz", "/readyz"}


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    with Dashboard.running(Path(tmp_path_factory.mktemp("tenants"))) as place:
        place.move_in()
        yield place


class Owner:
    """Somebody with one of everything."""

    def __init__(self, dashboard: Dashboard, tenant: Tenant) -> None:
        self.tenant = tenant
        self.incident = tenant.incident(title=f"Errors of {tenant.org}")
        tenant.summary(self.incident)
        tenant.deploy(release=f"release-{tenant.org}")
        tenant.activity(START, 3)
        self.job = tenant.job(self.incident)
        [[self.token]] = dashboard.conn.run(
            "SELECT id::text FROM access_tokens WHERE org_id = :org AND name = 'viewer'", org=tenant.org
        )
        dashboard.search.index([tenant.envelope(event_id=EVENT)])

    def target(self, path: str) -> str:
        ids = {"incidents": self.incident, "jobs": self.job}
        ids["setup"] = self.token if "tokens" in path else self.tenant.key_id
        return path.replace("{id:uuid}", ids.get(path.split("/")[1], "")).replace("{project}", self.tenant.project)

    def traces(self) -> list[str]:
        return [self.tenant.org, self.tenant.project, self.incident, self.job, self.token, self.tenant.key_id]


@pytest.fixture(scope="module")
def owners(dashboard: Dashboard) -> tuple[Owner, Owner]:
    return Owner(dashboard, dashboard.acme), Owner(dashboard, dashboard.tenant())


def routes(method: str, *, with_id: bool) -> list[str]:
    paths = [route.path for route in ROUTES if method in (route.methods or ())]
    return [path for path in paths if path not in OWN and ("{" in path) is with_id]


@pytest.mark.parametrize("path", routes("GET", with_id=True))
@pytest.mark.parametrize("part", ["", "?part=live"])
def test_anothers_page_is_404(dashboard: Dashboard, owners: tuple[Owner, Owner], path: str, part: str) -> None:
    mine, theirs = owners
    reader = dashboard.reader(mine.tenant.tokens["admin"])
    assert reader.get(mine.target(path) + part).status == 200
    answer = reader.get(theirs.target(path) + part)
    assert answer.status == 404
    assert "There is nothing here, or it is not yours." in answer.body.decode()


@pytest.mark.parametrize("path", routes("POST", with_id=True))
def test_a_form_for_anothers_is_404_and_changes_nothing(
    dashboard: Dashboard, owners: tuple[Owner, Owner], path: str
) -> None:
    mine, theirs = owners
    before = state(dashboard, theirs)
    reader = dashboard.reader(mine.tenant.tokens["admin"])
    answer = reader.post(theirs.target(path), name="one", text="x", why="x", assignee="")
    assert answer.status == 404, answer
    assert state(dashboard, theirs) == before


@pytest.mark.parametrize("path", routes("GET", with_id=False))
def test_no_page_shows_anothers(dashboard: Dashboard, owners: tuple[Owner, Owner], path: str) -> None:
    mine, theirs = owners
    page = dashboard.reader(mine.tenant.tokens["admin"]).text(path)
    assert not [trace for trace in theirs.traces() if trace in page]


@pytest.mark.parametrize(
    "target",
    [
        "/search?project={project}",
        "/setup?project={project}",
        "/incidents?project={project}",
        "/jobs?incident={incident}",
    ],
)
def test_naming_anothers_in_an_address_shows_nothing(
    dashboard: Dashboard, owners: tuple[Owner, Owner], target: str
) -> None:
    mine, theirs = owners
    answer = dashboard.reader(mine.tenant.tokens["admin"]).get(
        target.format(project=theirs.tenant.project, incident=theirs.incident)
    )
    page = answer.body.decode().replace(f"project={theirs.tenant.project}", "").replace(theirs.incident, "")
    assert answer.status in (200, 404)
    assert f"Errors of {theirs.tenant.org}" not in page


def state(dashboard: Dashboard, owner: Owner) -> list[list[object]]:
    """All that a form could have changed."""
    return dashboard.conn.run(
        """SELECT i.status, i.assignee, (SELECT count(*) FROM incident_timeline t WHERE t.incident_id = i.id),
                  (SELECT string_agg(status, ',') FROM ai_jobs WHERE org_id = :org),
                  (SELECT count(*) FROM audit WHERE org_id = :org),
                  (SELECT count(*) FROM access_tokens WHERE org_id = :org AND revoked_at IS NULL)
             FROM incidents i WHERE i.org_id = :org""",
        org=owner.tenant.org,
    )
