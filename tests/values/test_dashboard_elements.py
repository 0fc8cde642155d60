"""The elements that are written in Python: their texts are escaped, and they say what they are given."""

from datetime import UTC, datetime

from functions.dashboard import elements
from functions.dashboard.times import Clock

AT = datetime(2026, 11, 21, 2, 53, 4, tzinfo=UTC)
TAG = '<time datetime="2026-11-21T02:53:04Z" title="2026-11-21 02:53:04 UTC"'


def test_a_time_has_its_words_and_utc() -> None:
    assert elements.time(AT, "21 Nov <02:53>") == f"{TAG}>21 Nov &lt;02:53&gt;</time>"
    assert elements.ago(AT, Clock(AT)) == f"{TAG} data-ago>0 s ago</time>"


def test_what_an_event_holds_is_text() -> None:
    held = elements.held("<b>", "<i>", '"&', common=True)
    assert held == (
        "<dt>&lt;b&gt;<dd>&lt;i&gt;"
        '<button name="only" value="&#34;&amp;">only this</button>'
        '<button name="not" value="&#34;&amp;">not this</button>'
    )
    assert elements.held("n", "ж<", "", common=True) == "<dt>n<dd><bdi>ж&lt;</bdi>"


def test_what_no_other_can_have_is_not_excluded() -> None:
    assert "not this" not in elements.held("event_id", "1", "event_id:1", common=False)
    assert "not this" in elements.held("route", "1", "route:1", common=True)
