"""The page of an acceptance run: what was seen where it differs, and nothing that fell short is hidden."""

from local.acceptance.page import page

CHECKS = [
    {"what": "incidents", "expected": "['a|b']", "seen": "['a|b']", "held": True},
    {"what": "events a second", "expected": "19.8 to 20.2", "seen": "20", "held": True},
    {"what": "errors", "expected": "30", "seen": "29", "held": False},
]
HELD = {"name": "drop", "about": "signups dry up", "held": True, "could_not": None, "checks": CHECKS[:2]}
SHORT = {"name": "spike", "about": "errors", "held": False, "could_not": "no stack", "checks": CHECKS[2:]}


def test_the_page_shows_every_check_and_what_fell_short() -> None:
    report = {"began": "2026-03-01T12:00:00+00:00", "stack": "embedded", "scenarios": [HELD, SHORT]}
    said = page([report, report | {"stack": "native"}])
    assert "## embedded, 2026-03-01: 1 of 2 scenarios held" in said
    assert "## native, 2026-03-01: 1 of 2 scenarios held" in said
    assert "| incidents | ['a\\|b'] | as expected |" in said
    assert "| events a second | 19.8 to 20.2 | 20 |" in said
    assert "| errors | 30 | 29, NOT HELD |" in said
    assert "**spike**: errors. NOT HELD." in said
    assert "It could not go on: no stack" in said
