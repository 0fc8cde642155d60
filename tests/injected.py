"""The events of `fixtures/answers/injected.txt`: texts written to be obeyed."""

import re

from tests.servers import ROOT

INJECTED = ROOT / "fixtures" / "answers" / "injected.txt"


def injected() -> list[str]:
    lines = INJECTED.read_text(encoding="utf-8").splitlines()
    return [_meant(line) for line in lines if line and not line.startswith("#")]


def _meant(line: str) -> str:
    r"""\n and \u202e are what they say."""
    return re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), line.replace("\\n", "\n"))
