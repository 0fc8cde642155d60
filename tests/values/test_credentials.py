"""Keys and tokens: recognisable, checkable without a database, stored as a digest."""

import pytest

from common import credentials


def test_a_key_has_always_the_same_length_and_a_good_checksum() -> None:
    for random in (bytes(24), b"\xff" * 24, b"signals-copilot-24-bytes"):
        key = credentials.mint(credentials.PROJECT_KEY, random)
        assert len(key) == 4 + 33 + 6
        assert credentials.well_formed(key, credentials.PROJECT_KEY)


def test_every_mistyped_character_is_noticed() -> None:
    key = credentials.mint(credentials.PROJECT_KEY, b"x" * 24)
    for place in range(4, len(key)):
        other = "0" if key[place] != "0" else "1"
        assert not credentials.well_formed(key[:place] + other + key[place + 1 :], credentials.PROJECT_KEY)


@pytest.mark.parametrize("text", ["", "sck_", "sct_0000", "sck_" + "é" * 39, "password"])
def test_what_cannot_be_a_key_is_refused(text: str) -> None:
    assert not credentials.well_formed(text, credentials.PROJECT_KEY)


def test_a_token_is_no_key() -> None:
    token = credentials.mint(credentials.ACCESS_TOKEN, b"x" * 24)
    assert not credentials.well_formed(token, credentials.PROJECT_KEY)


def test_the_digest_is_plain_sha256() -> None:
    assert credentials.digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
