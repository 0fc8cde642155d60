"""Notices of AI jobs: the promise is the row, a notice only spares the worker a minute."""

from collections.abc import Sequence

import msgspec

from common import log, topics
from common.clients.stream import Stream
from common.errors import Misconfigured, Unavailable
from common.metrics import names


def wake(stream: Stream, jobs: Sequence[str]) -> None:
    """Tell of new jobs, after their commit. If it fails, `sweep_jobs` tells of what nobody has taken in a minute."""
    if not jobs:
        return
    notices = [msgspec.json.encode({"job_id": job}) for job in jobs]
    try:
        stream.publish(topics.AI_JOBS, [(notice, notice) for notice in notices]).wait()
        names.PUBLISHED.add(len(notices), topics.AI_JOBS)
    except (Unavailable, Misconfigured) as error:
        log.write("warn", "a notice of AI jobs was lost; they are told of again in a minute", why=str(error), jobs=jobs)
