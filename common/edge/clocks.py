"""The host's clock, read in one place."""

import os
from datetime import UTC, datetime, timedelta


def now() -> datetime:
    """This moment, moved by CLOCK_OFFSET_SECONDS, which settings refuse unless every store is local."""
    moment = datetime.now(UTC)
    if "CLOCK_OFFSET_SECONDS" not in os.environ:  # a plain entry does not load settings for nothing
        return moment
    from common import settings

    return moment + timedelta(seconds=settings.current().clock_offset_seconds)
