"""Keys and tokens: how they look, so that leak scanners and our log know them, and how they are stored.

`sck_…` is a project key, `sct_…` an access token. The last six characters are a checksum of the rest, so a mistyped
or invented one is refused without asking the database.
"""

import hashlib
import zlib

PROJECT_KEY, ACCESS_TOKEN = "sck_", "sct_"
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
RANDOM_CHARACTERS, CHECK_CHARACTERS = 33, 6  # 62^33 > 2^192


def mint(prefix: str, random: bytes) -> str:
    """A new one from 24 random bytes: 192 bits, then the checksum."""
    assert len(random) == 24
    body = prefix + _base62(int.from_bytes(random, "big"), RANDOM_CHARACTERS)
    return body + _check(body)


def well_formed(text: str, prefix: str) -> bool:
    """Whether this can be one of ours at all."""
    return text.startswith(prefix) and text.isascii() and _check(text[:-CHECK_CHARACTERS]) == text[-CHECK_CHARACTERS:]


def digest(text: str) -> str:
    """What is stored instead: SHA-256 is enough for 192 random bits."""
    return hashlib.sha256(text.encode()).hexdigest()


def _check(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), CHECK_CHARACTERS)


def _base62(number: int, width: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 62)
        digits = ALPHABET[digit] + digits
    return digits.rjust(width, "0")
