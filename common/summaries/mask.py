"""Masking: emails, tokens, keys, card numbers and IP addresses are replaced before a text leaves for the model.

Names of what failed must stay readable: codes, routes, releases, times, UUIDs, short hashes, class names.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping

MARKS = ("[email]", "[token]", "[key]", "[card]", "[ip]", "[secret]")

SECRET_NAME = re.compile(
    r"(?i)passw|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|authorization|cookie|session(?:[_-]?id)?$|"
    r"credential|^pwd$|^auth$|signature|^otp$|^pin$"
)
_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\Z)", re.DOTALL)
_URL_LOGIN = re.compile(r"(?<=://)[^\s/@\"'<>]+@")
_SCHEME = re.compile(r"(?i)\b(bearer|basic|digest)\s+[A-Za-z0-9+/=_.~-]{8,}")
_NAMED = re.compile(
    r"""(?ix)
    (?<![A-Za-z0-9])
    ( (?:[a-z0-9]+[_-])* (?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key(?:[_-]?id)?|private[_-]?key
      |authorization|cookie|session[_-]?id|credentials?|signature|client[_-]?secret|otp)
      ["']? \s* (?:=|:) \s* ["']? )
    (?!\[(?:token|secret|key)\])
    (?: [^\s"'&,;<>{}]{3,} )
    """
)
# Their own prefixes tell what they are.
_KNOWN = re.compile(
    r"""(?x)
    (?<![A-Za-z0-9])
    (?: sc[kt]_[A-Za-z0-9_-]{8,}            # ours
      | gh[pousr]_[A-Za-z0-9]{20,} | github_pat_[A-Za-z0-9_]{20,} | glpat-[A-Za-z0-9_-]{16,}
      | (?:sk|pk|rk)[-_](?:live|test|proj|ant|svcacct)?[-_]?[A-Za-z0-9_-]{16,} | whsec_[A-Za-z0-9]{16,}
      | xox[abeoprs]-[A-Za-z0-9-]{10,} | xapp-[A-Za-z0-9-]{10,}
      | A(?:KIA|SIA|GPA|IDA|ROA)[A-Z0-9]{16}
      | AIza[A-Za-z0-9_-]{30,} | ya29\.[A-Za-z0-9_-]{20,}
      | do[opr]_v1_[a-f0-9]{32,} | dop_v1_[a-f0-9]{32,}
      | SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,} | npm_[A-Za-z0-9]{30,} | hf_[A-Za-z0-9]{30,}
      | eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?   # JWT
    )"""
)
_EMAIL = re.compile(r"(?<![\w.%+-])[\w.%+-]{1,64}@(?:[\w-]{1,63}\.)+[^\W\d_]{2,24}(?![\w-])")
_CARD = re.compile(r"(?<![\w.-])[0-9](?:[ -]?[0-9]){12,60}(?![\w-])")
_IPV4 = re.compile(r"(?<![\w.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![\w]|\.[0-9])")
_IPV6 = re.compile(r"(?i)(?<![\w:.])(?:[0-9a-f]{0,4}:){2,7}(?:[0-9a-f]{1,4}|(?:[0-9]{1,3}\.){3}[0-9]{1,3})?(?![\w:])")
_VERSION = re.compile(r"(?i)(?:\bv|\bver(?:sion)?[ :=]*|\brelease[ :=]*|\bbuild[ :=]*)$")
_LONG = re.compile(
    r"(?<![\w/+=-])(?=[A-Za-z0-9+/_=-]*[0-9])(?=[A-Za-z0-9+/_=-]*[A-Za-z])[A-Za-z0-9+/_-]{32,}={0,2}(?![\w+/=-])"
)
_UUID = re.compile(r"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def mask(text: str) -> str:
    """The same text without what must not leave. Twice is once."""
    text = _PEM.sub("[key]", text)
    text = _URL_LOGIN.sub("[secret]@", text)
    text = _SCHEME.sub(r"\1 [token]", text)
    text = _NAMED.sub(r"\1[secret]", text)
    text = _KNOWN.sub("[token]", text)
    text = _EMAIL.sub("[email]", text)
    for pattern, replaced in _JUDGED:
        text = pattern.sub(replaced, text)
    return text


def mask_attributes(attributes: Mapping[str, str]) -> dict[str, str]:
    """A value is masked for what it is, or for what its name says it is."""
    return {mask(name): "[secret]" if SECRET_NAME.search(name) else mask(value) for name, value in attributes.items()}


def _card(found: re.Match[str]) -> str:
    """Thirteen to nineteen digits whose check digit is right, in whole groups; other groups may stand beside them."""
    groups = list(re.finditer(r"[0-9]+", found[0]))
    for first, start in enumerate(groups):
        for end in groups[first:]:
            if _checks("".join(re.findall(r"[0-9]", found[0][start.start() : end.end()]))):
                return f"{found[0][: start.start()]}[card]{found[0][end.end() :]}"
    return found[0]


def _checks(digits: str) -> bool:
    if not 13 <= len(digits) <= 19 or len(set(digits)) == 1:
        return False
    values = [int(one) for one in digits]
    return (sum(values[-1::-2]) + sum(sum(divmod(2 * one, 10)) for one in values[-2::-2])) % 10 == 0


def _ipv4(found: re.Match[str]) -> str:
    """Four numbers up to 255, unless the words before them say that it is a version."""
    if _VERSION.search(found.string[max(0, found.start() - 12) : found.start()]):
        return found[0]
    return "[ip]" if all(int(part) <= 255 for part in found[0].split(".")) else found[0]


def _ipv6(found: re.Match[str]) -> str:
    """What the library reads as one, with a digit in it; 12:30:45, std::vector and a::b are none."""
    try:
        ipaddress.IPv6Address(found[0])
    except ValueError:
        return found[0]
    return "[ip]" if any(one.isdigit() for one in found[0]) else found[0]


def _long(found: re.Match[str]) -> str:
    """A long run of letters and digits is a key; a UUID, a path of words or a chained name is not."""
    if _UUID.fullmatch(found[0]):
        return found[0]
    parts = re.split(r"[/_-]", found[0])
    return "[key]" if any(len(part) >= 20 and re.search(r"[0-9]", part) for part in parts) else found[0]


_JUDGED: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (_IPV6, _ipv6),
    (_IPV4, _ipv4),
    (_CARD, _card),
    (_LONG, _long),
)
