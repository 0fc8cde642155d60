"""What search is asked about an incident: its own events, and what else failed beside them; as words and a type."""

from common.clients.search.language import field

PARTS = 8  # of a route


def own(rule: str, error_code: str | None, route: str | None) -> tuple[str, str]:
    """Events of this kind; the route by its words, since events carry it with their ids in it."""
    words = [field("error_code", error_code)] if error_code else []
    words += [part for part in (route or "").split("/") if part.isalnum()][:PARTS]
    return " ".join(words), "error" if rule == "error_spike" else "signup"


def others(rule: str, error_code: str | None, route: str | None) -> tuple[str, str]:
    """Errors that are not of this code, or without one not on this route; beside signups all of them."""
    if rule == "error_spike" and error_code:
        return field("error_code", error_code, wanted=False), "error"
    if rule == "error_spike" and route:
        return field("route", route, wanted=False), "error"
    return "", "error"
