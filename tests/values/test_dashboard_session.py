"""What a cookie of the dashboard is worth, and where it may send somebody."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from common.access import FORGET, Access
from common.clients.postgres.tokens import Caller, Looked
from common.errors import Problem
from functions.dashboard import session
from functions.dashboard.reader import Reader, local_path, zone_named

NOW = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)
SECRET, OTHER = bytes(range(32)), bytes(32)
DIGEST = "ab" * 32
COOKIE = session.begin(SECRET, DIGEST, NOW, bytes(12))
PAD = bytes(range(session.PAD))


def test_a_cookie_says_whose_token_signed_in_and_since_when() -> None:
    found = session.session(SECRET, COOKIE, NOW + timedelta(days=29))
    assert found == session.Session(DIGEST, int(NOW.timestamp()))


def test_after_a_month_one_signs_in_again() -> None:
    assert session.session(SECRET, COOKIE, NOW + session.LONGEST + timedelta(seconds=1)) is None


@pytest.mark.parametrize("at", range(0, len(COOKIE), 7))
def test_a_cookie_that_was_changed_is_none(at: int) -> None:
    changed = COOKIE[:at] + ("A" if COOKIE[at] != "A" else "B") + COOKIE[at + 1 :]
    assert session.session(SECRET, changed, NOW) is None


@pytest.mark.parametrize("cookie", ["", ".", "a.b", "é.é", COOKIE + "0", COOKIE.partition(".")[0], COOKIE[1:]])
def test_what_we_did_not_write_is_no_cookie(cookie: str) -> None:
    assert session.session(SECRET, cookie, NOW) is None
    assert session.session(OTHER, COOKIE, NOW) is None


def test_a_text_signed_for_one_purpose_is_no_session() -> None:
    body = session.sign(SECRET, "notice", f"{DIGEST}~{int(NOW.timestamp())}~00")
    assert session.unsign(SECRET, "notice", body)
    assert session.session(SECRET, body, NOW) is None


def test_a_forms_proof_is_for_one_cookie_and_never_looks_the_same() -> None:
    one, two = session.form_token(SECRET, COOKIE, PAD), session.form_token(SECRET, COOKIE, bytes(session.PAD))
    assert one != two
    assert session.form_holds(SECRET, COOKIE, one)
    assert session.form_holds(SECRET, COOKIE, two)
    another = session.begin(SECRET, DIGEST, NOW, bytes(11) + b"1")
    assert not session.form_holds(SECRET, another, one)


@pytest.mark.parametrize("token", ["", "zz", "00", "é", session.form_token(SECRET, COOKIE, PAD)[:-2] + "00"])
def test_a_form_without_its_proof_is_not_ours(token: str) -> None:
    assert not session.form_holds(SECRET, COOKIE, token)


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/a\r\nset-cookie: x=1",
        "/a\tb",
        "/é",
        "evil",
        "",
        "/" + "a" * 3000,
    ],
)
def test_nobody_is_sent_elsewhere(path: str) -> None:
    assert local_path(path) == "/"


@pytest.mark.parametrize("path", ["/", "/incidents?status=mine&cursor=1~2", "/search?q=a%20b", "/setup#keys"])
def test_a_page_of_ours_is_gone_back_to(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize("name", ["", "Europe", "../etc/passwd", "/etc/localtime", "Europe/Nowhere", "a\0b", "x" * 99])
def test_what_is_no_zone_is_none(name: str) -> None:
    assert zone_named(name) is None


def test_a_zone_is_known_by_its_name() -> None:
    assert str(zone_named("Europe/Paris")) == "Europe/Paris"
    assert zone_named("America/Argentina/Buenos_Aires")


class Registry:
    """A database with one token, that counts how often it is asked, and for whom refusals are counted."""

    def __init__(self) -> None:
        self.now, self.asked, self.caller = 0.0, 0, Caller("t", "acme", "Ana", "admin")
        self.counted: list[str] = []
        self.access = Access(self.look_up, lambda: self.now)

    async def look_up(self, _digest: str, whos: Sequence[str]) -> Looked:
        self.asked += 1
        self.counted += whos
        return Looked(self.caller)


def test_a_cookie_dies_within_half_a_minute_of_its_token() -> None:
    registry = Registry()

    async def live() -> None:
        assert (await registry.access.signed_in(DIGEST, NOW)).name == "Ana"
        registry.caller = None  # type: ignore[assignment]
        registry.now = FORGET - 1
        await registry.access.signed_in(DIGEST, NOW)
        assert registry.asked == 1
        registry.now = FORGET
        with pytest.raises(Problem, match="revoked"):
            await registry.access.signed_in(DIGEST, NOW)
        assert registry.counted == []  # a cookie of ours is no guess

    asyncio.run(live())


def test_a_cookie_is_worth_no_more_than_a_token_that_expires() -> None:
    registry = Registry()
    registry.caller = Caller("t", "acme", "Ana", "admin", NOW)
    with pytest.raises(Problem, match="expired"):
        asyncio.run(registry.access.signed_in(DIGEST, NOW))


@pytest.mark.parametrize(("role", "may"), [("viewer", 1), ("responder", 2), ("admin", 3)])
def test_a_role_may_what_those_before_it_may(role: str, may: int) -> None:
    caller = Caller("t", "acme", "Ana", role)
    reader = Reader(caller=caller, now=NOW, zone=UTC, theme="", keys=True, root="", here="/", csrf="")
    assert sum(reader.may(other) for other in ("viewer", "responder", "admin")) == may
