"""The title of an incident until its summary gives it a better one: what fails and where, and no number."""

from common.detection.rules import SPIKE, Rule

LONGEST = 120  # of each part


def title(rule: Rule, environment: str, *, error_code: str = "", route: str = "", message: str = "") -> str:
    """Errors spike on /checkout: UPSTREAM_TIMEOUT (prod). The message speaks only where code and route are silent."""
    if rule != SPIKE:
        return f"Signups dry up ({environment})"
    where = f" on {_short(route)}" if route else ""
    what = error_code or ("" if route else message)
    return f"Errors spike{where}{f': {_short(what)}' if what else ''} ({environment})"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
