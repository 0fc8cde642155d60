"""Overview."""

from collections.abc import Mapping

from functions.dashboard.serving import Asked, Page


def values(_asked: Asked) -> Mapping[str, object]:
    return {}


page = Page("overview.html", values, every=15)
