"""Incident."""

from collections.abc import Mapping

from functions.dashboard.serving import Asked, Page


def values(_asked: Asked) -> Mapping[str, object]:
    return {}


page = Page("incident.html", values, every=15)
