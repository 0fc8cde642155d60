"""No file of this project holds a secret: none of ours, by their checksum, and none of the usual shapes."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from common import credentials
from common.credentials import ACCESS_TOKEN, PROJECT_KEY, well_formed
from tests.servers import ROOT

HIDDEN_BUT_OURS, NOT_OURS = {".ci", ".github"}, {"dist", "node_modules", "__pycache__"}
OURS = re.compile(rf"(?:{PROJECT_KEY}|{ACCESS_TOKEN})[0-9A-Za-z]{{30,}}")
SHAPES = {
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/]{40}",
    "a key of AWS": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a token of GitHub": r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{60,})",
    "a token of DigitalOcean": r"\bdo[opr]_v1_[0-9a-f]{64}",
    "a key of Google": r"\bAIza[0-9A-Za-z_-]{35}",
    "a token of Slack": r"\bxox[abprs]-[0-9]{8,}-",
    "a key of a model's server": r"\bsk-(?:proj-|ant-)?[A-Za-z0-9_-]{32,}",
    "a token of a registry": r"\b(?:npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{80,})",
    "a signed token": r"\beyJ[A-Za-z0-9_-]{16,}\.eyJ[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
    "an index with a password": r"index-url\s*=?\s*https?://[^\s/@]+:[^\s/@]+@",
}
# What masks such things is tried on such things, all of them made up.
INVENTED = {"tests/values/test_mask.py", "tests/values/test_prompt.py"}


def files() -> Iterator[Path]:
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [one for one in folders if one in HIDDEN_BUT_OURS or not (one[0] == "." or one in NOT_OURS)]
        yield from (path for name in names if (path := Path(folder, name)).is_file())


def found(text: str) -> list[str]:
    kinds = [kind for kind, shape in SHAPES.items() if re.search(shape, text)]
    ours = [one for one in OURS.findall(text) if well_formed(one, PROJECT_KEY) or well_formed(one, ACCESS_TOKEN)]
    return kinds + ["one of our keys or tokens"] * bool(ours)


def test_no_file_holds_a_secret() -> None:
    told = {}
    for path in files():
        if (name := str(path.relative_to(ROOT))) not in INVENTED:
            text = path.read_bytes().decode("utf-8", "replace")
            if kinds := found(text):
                told[name] = kinds
    assert told == {}


@pytest.mark.parametrize(
    "secret",
    [
        credentials.mint(PROJECT_KEY, b"a" * 24),
        f"token={credentials.mint(ACCESS_TOKEN, bytes(24))}&x",
        "-----BEGIN RSA " + "PRIVATE KEY-----\n" + "MIIE" * 10,
        "AKIA" + "ABCDEFGHIJKLMNOP",
        "ghp_" + "a" * 36,
        "eyJ" + "a" * 20 + ".eyJ" + "b" * 20 + "." + "c" * 20,
        "dop_v1_" + "0" * 64,
    ],
)
def test_what_it_looks_for_it_finds(secret: str) -> None:
    assert found(f"before {secret} after")


def test_an_example_of_a_key_is_none() -> None:
    assert found("X-Api-Key: sck_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM") == []
