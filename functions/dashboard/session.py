"""What our cookies say, and that we wrote them. Pure: the secret, the time and chance are passed in."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

LONGEST = timedelta(days=30)  # then one signs in again, however long the token lives
PAD = 16


class Session(NamedTuple):
    """Who is signed in: the digest of an access token. The token itself is in no cookie."""

    digest: str
    since: int


def begin(secret: bytes, digest: str, now: datetime, random: bytes) -> str:
    return sign(secret, "session", f"{digest}~{int(now.timestamp())}~{random.hex()}")


def session(secret: bytes, cookie: str, now: datetime) -> Session | None:
    """None: there is none, it is too old, or somebody else wrote it."""
    text = unsign(secret, "session", cookie)
    if text is None:
        return None
    digest, since, _ = text.split("~")
    if now - datetime.fromtimestamp(int(since), UTC) > LONGEST:
        return None
    return Session(digest, int(since))


def sign(secret: bytes, purpose: str, text: str) -> str:
    """The text as a cookie may hold it, good for this purpose only."""
    body = urlsafe_b64encode(text.encode()).decode().rstrip("=")
    return f"{body}.{_mac(secret, purpose, body).hex()}"


def unsign(secret: bytes, purpose: str, cookie: str) -> str | None:
    body, _, mac = cookie.partition(".")
    if not cookie.isascii() or not hmac.compare_digest(_mac(secret, purpose, body).hex(), mac):
        return None
    try:
        return urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode()
    except (NotBase64, UnicodeDecodeError):
        return None


def form_token(secret: bytes, cookie: str, pad: bytes) -> str:
    """Proof that a form came from a page of ours, shown to the bearer of this cookie.

    It looks different each time, so that the size of compressed pages tells nothing of it.
    """
    assert len(pad) == PAD
    return (pad + _xor(pad, _mac(secret, "form", cookie)[:PAD])).hex()


def form_holds(secret: bytes, cookie: str, token: str) -> bool:
    try:
        said = bytes.fromhex(token)
    except ValueError:
        return False
    pad, hidden = said[:PAD], said[PAD:]
    return len(said) == 2 * PAD and hmac.compare_digest(_xor(pad, hidden), _mac(secret, "form", cookie)[:PAD])


def _mac(secret: bytes, purpose: str, text: str) -> bytes:
    return hmac.digest(secret, f"{purpose}|{text}".encode(), sha256)


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
