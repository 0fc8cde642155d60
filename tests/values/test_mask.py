"""What must not leave is masked, what a person needs to understand a failure is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.summaries.mask import mask, mask_attributes

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"

MUST = [
    ("no user ada.lovelace+test@mail.example.co.uk here", "ada.lovelace"),
    ("<bob@example.com>", "bob@"),
    ("user=müller@beispiel.de", "müller"),
    (f"token {JWT} expired", "eyJ"),
    ("Authorization: Bearer abcdef0123456789", "abcdef0123456789"),
    ("authorization=Basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNz"),
    ("key sck_4fGh28dkKsl19dkfj28dk bad", "4fGh28dk"),
    ("token ghp_16C7e42F292c6912E7710c838347Ae178B4a", "16C7e42F"),
    ("sk-proj-abcdEFGH1234567890abcdEFGH", "abcdEFGH"),
    ("sk_live_4eC39HqLyjWDarjtT1zdp7dc", "4eC39Hq"),
    ("AKIAIOSFODNN7EXAMPLE was refused", "IOSFODNN"),
    ("xoxb-123456789012-abcdefghij", "abcdefghij"),
    ("password=hunter2&next=1", "hunter2"),
    ('{"password": "correct horse"}', "correct"),
    ("DB_PASSWORD: s3cr3t!", "s3cr3t"),
    ("client_secret='abc123xyz'", "abc123xyz"),
    ("api-key: 12345-67890", "12345-67890"),
    ("postgres://app:pa55word@db/shop", "pa55word"),
    ("https://token@example.org/x", "token@"),
    ("card 4111 1111 1111 1111 declined", "1111 1111"),
    ("card 5500-0000-0000-0004", "5500"),
    ("pan=378282246310005", "3782822"),
    ("from 203.0.113.9 port 22", "203.0.113"),
    ("[2001:db8::ff00:42:8329]:443", "2001:db8"),
    ("fe80::1 unreachable", "fe80"),
    ("connect 10.0.0.7:5432", "10.0.0.7"),
    ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "MIIE"),
    ("-----BEGIN PRIVATE KEY-----\nMIIEvQ cut in the middle", "MIIEvQ"),
    ("digest 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "9f86d081"),
    ("blob QWxhZGRpbjpvcGVuIHNlc2FtZQ0123456789abcd==", "QWxhZGRp"),
    ("set-cookie: sid=abc123def; Path=/", "abc123def"),
]
MUST_NOT = [
    "UPSTREAM_TIMEOUT on /v1/orders/:id after 30000 ms",
    "release 2026.05.01-3, build 1.2.3.4, v10.0.0.1",
    "at 2026-05-01T12:03:04.123Z and 12:30:45",
    "order 9f1c2d3e-4b5a-6978-8695-a4b3c2d1e0f9 failed",
    "java.lang.NullPointerException at com.acme.shop.CheckoutService.pay(CheckoutService.java:42)",
    "std::vector::at: index 12 out of range",
    "commit 3d482c9 and 986c6b2a",
    "invoice 1234567890123 of 2026",  # no card: its check digit is wrong
    "0000 0000 0000 0000",
    "SELECT * FROM passwords_archive_table_without_any_digits_in_it",
    "status 504, 30 of 30, 3.5x",
    "the token is missing",
    "token expired",
    "password is too short",
    "/assets/images/very-long-name-of-a-picture-that-somebody-uploaded-2024.png",
    "999.999.999.999 is no address",
    "@channel see #incidents",
    "a::b",
]


@pytest.mark.parametrize(("text", "secret"), MUST)
def test_what_must_be_masked(text: str, secret: str) -> None:
    assert secret not in mask(text)
    assert "[" in mask(text)


@pytest.mark.parametrize("text", MUST_NOT)
def test_what_must_not_be_masked(text: str) -> None:
    assert mask(text) == text


@pytest.mark.parametrize("text", [text for text, _ in MUST] + MUST_NOT)
def test_twice_is_once(text: str) -> None:
    assert mask(mask(text)) == mask(text)


def test_an_attribute_is_masked_for_what_its_name_says() -> None:
    given = {"password": "x", "X-Api-Key": "abc", "session": "77", "route": "/login", "user": "eve@example.com"}
    masked = mask_attributes(given)
    assert masked == {
        "password": "[secret]",
        "X-Api-Key": "[secret]",
        "session": "[secret]",
        "route": "/login",
        "user": "[email]",
    }


@given(st.text(max_size=200), st.sampled_from(["someone@example.com", "203.0.113.77", "4111111111111111", JWT]))
def test_wherever_it_stands(around: str, secret: str) -> None:
    assert secret not in mask(f"{around} {secret} {around}")


def test_the_longest_message_takes_no_time_worth_mentioning() -> None:
    for piece in ("a@", "1 ", "1.", "a:", "-----BEGIN A-----", "password=", "eyJ.", "A/", "://a"):
        mask((piece * 8192)[:8192])
