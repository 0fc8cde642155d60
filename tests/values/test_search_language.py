"""The search language: what a query asks, how a text falls into words, and where they stand."""

import sys
import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.clients.search import language
from common.clients.search.language import Attribute, Field, Term, Words, ask, marks, parse, searchable, words
from common.errors import Problem

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
ID = "0193aa00-0000-7000-8000-00000000abcd"


def one(*together: str, wanted: bool = True) -> Words:
    return Words(together, wanted)


@pytest.mark.parametrize(
    ("q", "terms"),
    [
        ("", ()),
        ("Upstream timeout", (one("upstream"), one("timeout"))),
        ("UPSTREAM_TIMEOUT", (one("upstream"), one("timeout"))),  # a word is a run of letters and digits
        ("/api/checkout", (one("api"), one("checkout"))),
        ('"upstream timeout"', (one("upstream", "timeout"),)),
        ('-"upstream timeout"', (one("upstream", "timeout", wanted=False),)),
        ("-timeout", (one("timeout", wanted=False),)),
        ("-read-timeout", (one("read", "timeout", wanted=False),)),  # what is left out is left out as it stands
        ("read-timeout", (one("read"), one("timeout"))),
        ("severity:error", (Field("severity", "error"),)),
        ("-severity:error", (Field("severity", "error", False),)),
        ('route:"/a/b"', (Attribute("route", "/a/b"),)),
        ("route:/a/b", (Attribute("route", "/a/b"),)),
        (r'note:"say \"hi\" \\ bye"', (Attribute("note", 'say "hi" \\ bye'),)),
        ('"user agent":"curl 8"', (Attribute("user agent", "curl 8"),)),
        ('empty:""', (Attribute("empty", ""),)),
        ("a.b:c", (Attribute("a.b", "c"),)),
        ("project_id:shop", (Attribute("project_id", "shop"),)),  # not one of the fields: then it is an attribute
        (f"event_id:{ID.upper()}", (Field("event_id", ID),)),
        ("event_id:nonsense", (Field("event_id", "nonsense"),)),
        # What cannot be parsed is taken as words.
        ('"never closed', (one("never"), one("closed"))),
        ('route:"never closed', (one("route"), one("never"), one("closed"))),
        ("at 12:30", (one("at"), one("12"), one("30"))),
        ("https://shop.example/pay", (one("https"), one("shop"), one("example"), one("pay"))),
        ("std::bad_alloc", (one("std"), one("bad"), one("alloc"))),
        ("ValueError: no", (one("valueerror"), one("no"))),
        ("--verbose", (one("verbose"),)),
        ("- -- -:", ()),
        ('""', ()),
        ('-""', ()),
        ('"', ()),
        ("!?", ()),
    ],
)
def test_what_a_query_asks(q: str, terms: tuple[Term, ...]) -> None:
    assert parse(q) == terms


@given(st.text(max_size=200))
def test_no_text_is_an_error(q: str) -> None:
    parse(q)


@given(TEXT.filter(bool), TEXT, st.booleans())
def test_a_written_term_is_read_back(name: str, value: str, wanted: bool) -> None:
    [term] = parse(language.field(name, value, wanted=wanted)[: language.LONGEST_QUERY])
    if name in language.FIELDS:
        assert isinstance(term, Field)
    else:
        assert term == Attribute(name, value, wanted)


def test_a_query_too_long_is_refused_and_not_cut() -> None:
    parse("x" * 2048)
    with pytest.raises(Problem) as refused:
        parse("x" * 2049)
    assert (refused.value.code, refused.value.field) == ("too_long", "q")


def test_so_is_one_of_too_many_terms() -> None:
    ask("acme", " ".join("abcdefgh"[n % 8] for n in range(256)))
    with pytest.raises(Problem, match="257 terms"):
        ask("acme", "x " * 256, project_id="shop")


def test_filters_say_the_same_as_single_parameters() -> None:
    since, until = datetime(2025, 1, 15, 10, tzinfo=UTC), datetime(2025, 1, 15, 11, tzinfo=UTC)
    kind = {"project_id": "shop", "environment": "prod", "event_type": "error", "severity": "warn"}
    text = "project_id:shop, env:prod,event_type:error,severity:warn"
    text += ",from:2025-01-15T10:00:00Z,to:2025-01-15T12:00:00+01:00"
    assert ask("acme", filters=text) == ask("acme", **kind, since=since, until=until)


def test_filters_take_attributes_and_quoted_values() -> None:
    assert ask("acme", filters='route:"/a,b",release:v1').terms == (
        Attribute("route", "/a,b"),
        Attribute("release", "v1"),
    )


@pytest.mark.parametrize("filters", ["nothing", "a:b,,", ",", "from:yesterday", "from:2025-01-15T10:00:00", 'a:"b'])
def test_filters_that_cannot_be_read_are_the_callers_mistake(filters: str) -> None:
    with pytest.raises(Problem) as refused:
        ask("acme", filters=filters)
    assert refused.value.field == "filters"


def test_times_are_whole_milliseconds_rounded_down() -> None:
    assert language.milliseconds(datetime(1970, 1, 1, 0, 0, 0, 1999, tzinfo=UTC)) == 1
    assert language.milliseconds(datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)) == -1
    assert language.milliseconds(datetime(1, 1, 1, tzinfo=UTC)) == -62135596800000
    assert language.milliseconds(datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)) == 253402300799999


@pytest.mark.many
def test_word_characters_are_exactly_letters_and_numbers_of_unicode() -> None:
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        expected = unicodedata.category(character)[0] in "LN"
        assert bool(words(character)) is expected, hex(code)


@pytest.mark.many
def test_lower_case_is_one_character_for_one_and_stays_a_word() -> None:
    for code in range(sys.maxunicode + 1):
        for word in words(chr(code)):
            assert len(word) == 1
            assert words(word) == [word]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Straße ẞ", ["straße", "ß"]),
        ("İstanbul", ["istanbul"]),
        ("ΟΔΟΣ οδος οδοσ", ["οδοσ"] * 3),  # a sigma at a word's end is any sigma
        ("naïve café", ["naïve", "café"]),
        ("日本語 ①½Ⅷ", ["日本語", "①½ⅷ"]),
        ("a_b", ["a", "b"]),
        ("x" * 300, ["x" * 255]),
        ("𝒳" * 300, ["𝒳" * 255]),
    ],
)
def test_words(text: str, found: list[str]) -> None:
    assert words(text) == found


def test_a_break_stands_between_two_texts() -> None:
    assert searchable(["Upstream timeout", "/api", "v1.2"]).split() == [
        "upstream",
        "timeout",
        "_",
        "api",
        "_",
        "v1",
        "2",
    ]


@given(st.lists(TEXT, min_size=1, max_size=4))
def test_short_and_long_texts_fall_into_words_by_the_same_rule(texts: list[str]) -> None:
    slowly = " _ ".join(" ".join(words(text)) for text in texts).split()
    assert searchable(texts).split() == slowly


@given(st.lists(st.text(st.characters(max_codepoint=127, exclude_characters="\0")), min_size=1, max_size=4))
def test_plain_texts_too(texts: list[str]) -> None:
    assert searchable(texts).split() == " _ ".join(" ".join(words(text)) for text in texts).split()


def test_a_word_keeps_its_first_255_places() -> None:
    found = searchable(["no " * 300 + "end"]).split()
    assert found == ["no"] * 255 + ["_"] * 45 + ["end"]


@pytest.mark.parametrize(
    ("q", "text", "marked"),
    [
        ("timeout", "Timeout after TIMEOUT", ["Timeout", "TIMEOUT"]),
        ('"after timeout"', "timeout after: timeout", ["after: timeout"]),
        ('timeout "after timeout"', "timeout after timeout", ["timeout", "after timeout"]),
        ("-timeout after", "timeout after", ["after"]),
        ("istanbul", "İSTANBUL!", ["İSTANBUL"]),
        ("severity:error", "severity error", []),
        ("x" * 300, "y " + "x" * 300, ["x" * 300]),
    ],
)
def test_marks_are_places_in_the_text_as_it_was_sent(q: str, text: str, marked: list[str]) -> None:
    assert [text[start:end] for start, end in marks(parse(q), text)] == marked
