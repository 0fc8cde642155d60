"""What core_api answers to whoever may read."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from tests.shop import START, Shop

DETAILS = {"events", "summary", "timeline", "series", "recurrences", "deploys"}


def test_a_list_item_is_the_incident_without_what_belongs_to_it(shop: Shop) -> None:
    incident = shop.acme.incident()
    [item] = shop.get("/v1/incidents").json()["incidents"]
    one = shop.get(f"/v1/incidents/{incident}").json()
    assert item == {name: value for name, value in one.items() if name not in DETAILS}
    assert set(one) == set(item) | DETAILS
    assert (item["observed"], item["usual"], item["peak"], item["event_count"]) == (42, 2.5, 50, 1042)
    assert item["opened_at"] == START.isoformat().replace("+00:00", "Z")


def test_one_incident_has_all_that_belongs_to_it(shop: Shop) -> None:
    incident = shop.acme.incident()
    shop.acme.summary(incident)
    shop.acme.deploy()
    shop.acme.deploy(START - timedelta(days=1), "41")  # too long before
    one = shop.get(f"/v1/incidents/{incident}").json()
    [event], [entry], [deploy] = one["events"], one["timeline"], one["deploys"]
    assert (event["message"], event["attributes"]) == ("upstream timed out", {"route": "/checkout"})
    assert (entry["what"], entry["numbers"]["observed"]) == ("opened", 42)
    assert deploy["release"] == "42"
    summary = one["summary"]
    assert (summary["confidence"], summary["model"], summary["references"]) == (0.8, "a-model", [[1]])
    assert one["recurrences"] == []


def test_the_plot_begins_an_hour_before_the_window_and_leaves_no_minute_out(shop: Shop) -> None:
    incident = shop.acme.incident()
    series = shop.get(f"/v1/incidents/{incident}").json()["series"]
    assert series["from"] == (START - timedelta(minutes=64)).isoformat().replace("+00:00", "Z")
    assert series["bucket_seconds"] == 60
    assert series["values"][:65] == [1] * 60 + [9] * 5
    assert set(series["values"][65:]) == {0}


def test_a_long_incident_has_wider_bars(shop: Shop) -> None:
    incident = shop.acme.incident(opened_at=START - timedelta(days=3))
    shop.conn.run("UPDATE incidents SET last_seen_at = :at WHERE id = :id", at=START, id=incident)
    series = shop.get(f"/v1/incidents/{incident}").json()["series"]
    assert series["bucket_seconds"] > 60
    assert len(series["values"]) <= 361
    assert sum(series["values"]) == 60 + 45


def test_recurrences_are_the_others_of_the_same_series(shop: Shop) -> None:
    first, second = shop.acme.incident(status="resolved"), shop.acme.incident()
    shop.conn.run(
        "UPDATE incidents SET series = (SELECT series FROM incidents WHERE id = :first) WHERE id = :second",
        first=first,
        second=second,
    )
    [other] = shop.get(f"/v1/incidents/{second}").json()["recurrences"]
    assert (other["id"], other["status"]) == (first, "resolved")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"a", "b", "c"}),
        ("project_id=SHOP", {"a", "b", "c"}),
        ("env=prod", {"a", "b", "c"}),
        ("environment=prod&env=prod", {"a", "b", "c"}),  # both names, one meaning
        ("environment=dev", set()),
        ("status=open", {"a", "b"}),
        ("status=resolved", {"c"}),
        ("severity=critical", {"b"}),
        ("rule=signup_drop", {"c"}),
        ("q=slow+pay", {"a"}),
        ("q=PAY", {"a"}),
        ("q=100%25", {"b"}),  # no wildcard
        ("q=_", {"b"}),
        ("q=timeout", {"a", "b", "c"}),  # the error code
        (f"from={quote((START - timedelta(minutes=90)).isoformat())}", {"a"}),
        (f"to={quote((START - timedelta(minutes=90)).isoformat())}", {"b", "c"}),
    ],
)
def test_incidents_are_narrowed(shop: Shop, query: str, found: set[str]) -> None:
    ids = {
        shop.acme.incident(title="a: slow", route="/pay"): "a",
        shop.acme.incident(title="100%_", severity="critical", opened_at=START - timedelta(hours=2)): "b",
        shop.acme.incident(rule="signup_drop", status="resolved", opened_at=START - timedelta(hours=3)): "c",
    }
    answer = shop.get(f"/v1/incidents?{query.replace('SHOP', shop.acme.project)}").json()
    assert {ids[one["id"]] for one in answer["incidents"]} == found


def test_pages_are_right_while_rows_change(shop: Shop) -> None:
    ids = [shop.acme.incident(opened_at=START - timedelta(minutes=n // 2), route=f"/{n}") for n in range(10)]
    page = shop.get("/v1/incidents?limit=3").json()
    seen = [one["id"] for one in page["incidents"]]
    while page["next"]:
        shop.acme.incident(opened_at=START + timedelta(minutes=1))  # one more at the top
        shop.conn.run("UPDATE incidents SET event_count = event_count + 1")
        page = shop.get(f"/v1/incidents?limit=3&cursor={page['next']}").json()
        seen += [one["id"] for one in page["incidents"]]
    assert sorted(seen) == sorted(ids)  # each once


def test_every_list_is_a_page_with_a_next(shop: Shop) -> None:
    for n in range(3):
        shop.acme.job(shop.acme.incident(route=f"/{n}"), created_at=START + timedelta(minutes=n))
        shop.acme.deploy(START + timedelta(minutes=n), f"r{n}")
    admin = shop.acme.tokens["admin"]
    for n in range(2):
        shop.post("/v1/projects", {"id": f"{shop.acme.project}-{n}", "name": "P"})
        shop.post(f"/v1/projects/{shop.acme.project}/keys", {"name": f"k{n}"})
    shop.search.index([shop.acme.envelope() for _ in range(3)])
    for path, name in (
        ("/v1/incidents", "incidents"),
        ("/v1/deploys", "deploys"),
        ("/v1/ai/jobs", "jobs"),
        ("/v1/projects", "projects"),
        (f"/v1/projects/{shop.acme.project}/keys", "keys"),
        ("/v1/tokens", "tokens"),
        ("/v1/search/events", "events"),
    ):
        first = shop.get(f"{path}?limit=2", admin).json()
        rest = shop.get(f"{path}?limit=2&cursor={first['next']}", admin).json()
        assert (len(first[name]), len(rest[name]), rest["next"]) == (2, 1, None), path
        everything = shop.get(path, admin).json()
        assert everything[name] == first[name] + rest[name]


def test_a_long_timeline_keeps_the_entry_that_opened_it(shop: Shop) -> None:
    incident = shop.acme.incident()
    shop.conn.run(
        "INSERT INTO incident_timeline (incident_id, at, who, what, why) "
        "SELECT :incident, now(), 'anna', 'commented', n::text FROM generate_series(1, 250) n",
        incident=incident,
    )
    entries = shop.get(f"/v1/incidents/{incident}").json()["timeline"]
    assert [entry["why"] for entry in entries] == ["errors spike", *map(str, range(52, 251))]


def test_search_finds_highlights_and_counts(shop: Shop) -> None:
    shop.search.index(
        [
            shop.acme.envelope(message="payment declined", severity="critical"),
            shop.acme.envelope(message="upstream timed out", attributes={"route": "/login"}),
        ]
    )
    found = shop.get("/v1/search/events?q=payment").json()
    assert (found["total"], found["next"]) == (1, None)
    assert found["events"][0]["highlights"] == {"message": [[0, 7]]}
    counts = shop.get("/v1/search/counts").json()
    assert counts == {
        "event_type": {"error": 2},
        "severity": {"critical": 1, "error": 1},
        "route": {"/checkout": 1, "/login": 1},
    }
    assert shop.get("/v1/search/events?filters=severity:critical").json()["total"] == 1
    assert shop.get(f"/v1/search/events?severity=critical&env=prod&project_id={shop.acme.project}").json()["total"] == 1
    far = quote((START - timedelta(days=40)).isoformat())
    assert shop.get(f"/v1/search/events?from={far}").json()["total"] == 0  # the 31 days after it


def test_search_looks_through_the_last_31_days_unless_it_is_told_which(shop: Shop) -> None:
    long_ago = (START - timedelta(days=32)).strftime("%Y-%m-%dT%H:%M:%SZ")
    shop.search.index([shop.acme.envelope(), shop.acme.envelope(occurred_at=long_ago)])
    for narrowed in ("", f"?from={long_ago}"):
        assert shop.get(f"/v1/search/events{narrowed}").json()["total"] == 1, narrowed
        assert shop.get(f"/v1/search/counts{narrowed}").json()["event_type"] == {"error": 1}, narrowed


def test_the_overview_compares_the_hour_with_three_before(shop: Shop) -> None:
    now = datetime.now(UTC)
    for ago, value in ((1, 7), (59, 1), (61, 20), (24 * 60 + 30, 300), (7 * 24 * 60 + 30, 4000)):
        shop.acme.activity(now - timedelta(minutes=ago), value)
    shop.acme.activity(now, 5, "signup", "info")
    shop.acme.incident(severity="critical")
    overview = shop.get("/v1/metrics/overview").json()
    assert overview["events"] == {"now": 13, "hour_before": 20, "day_before": 300, "week_before": 4000}
    assert overview["by_type"]["signup"]["now"] == 5
    assert overview["by_type"]["deploy"] == dict.fromkeys(overview["events"], 0)
    assert overview["incidents"] == {"open": 1, "investigating": 0, "critical": 1}


def test_trends_have_a_value_for_every_step(shop: Shop) -> None:
    for minutes, value in ((0, 3), (1, 4), (61, 5)):
        shop.acme.activity(START + timedelta(minutes=minutes), value)
    shop.acme.activity(START, 1, "signup", "info")
    ends = f"from={START:%Y-%m-%dT%H:%M:00Z}&to={START + timedelta(minutes=2):%Y-%m-%dT%H:%M:00Z}"
    trends = shop.get(f"/v1/metrics/trends?step=minute&{ends}").json()
    assert [(one["name"], one["values"], one["total"]) for one in trends["series"]] == [
        ("error", [3, 4], 7),
        ("signup", [1, 0], 1),
    ]
    by = {
        kind: shop.get(f"/v1/metrics/trends?by={kind}&step=day").json()["series"]
        for kind in ("severity", "environment")
    }
    assert [one["name"] for one in by["severity"]] == ["error", "info"]
    assert [(one["name"], one["total"]) for one in by["environment"]] == [("prod", 13)]


def test_trends_by_route_come_from_search(shop: Shop) -> None:
    shop.search.index([shop.acme.envelope(), shop.acme.envelope(), shop.acme.envelope(attributes={"route": "/login"})])
    series = shop.get("/v1/metrics/trends?by=route").json()["series"]
    assert [(one["name"], one["total"], len(one["values"])) for one in series] == [
        ("/checkout", 2, 25),
        ("/login", 1, 25),
    ]


def test_ai_stats_and_activity_count_the_last_day(shop: Shop) -> None:
    for n, status in enumerate(("failed", "succeeded", "succeeded", "queued")):
        shop.acme.job(shop.acme.incident(route=f"/{n}"), status)
    stats = shop.get("/v1/ai/stats").json()
    assert (stats["queued"], stats["running"], stats["succeeded"], stats["failed"]) == (1, 0, 2, 1)
    assert (stats["configured"], stats["seconds"]) == (False, {"median": 0.0, "p95": 0.0})
    hours = shop.get("/v1/ai/activity").json()["hours"]
    assert len(hours) == 24
    assert sum(hour["succeeded"] for hour in hours) == 2
    assert [job["status"] for job in shop.get("/v1/ai/jobs?status=failed").json()["jobs"]] == ["failed"]


def test_history_of_another_age_is_answered_too(shop: Shop) -> None:
    old = shop.acme.incident(opened_at=datetime(1, 1, 2, tzinfo=UTC))
    one = shop.get(f"/v1/incidents/{old}").json()
    assert one["opened_at"] == "0001-01-02T00:00:00Z"
    page = shop.get("/v1/incidents?limit=1").json()
    assert shop.get(f"/v1/incidents?cursor=-62135510400000000~{old}").json()["incidents"] == []
    assert page["incidents"][0]["id"] == old
