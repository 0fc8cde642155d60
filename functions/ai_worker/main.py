"""A notification wakes it: claim a due AI job under a lease, do it, finish it if the lease is still held."""

from functools import cache

import msgspec

from common import edge, settings, topics
from common.clients.stream import retried
from common.edge.records import UNREADABLE, Record, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from functions.ai_worker.work import Worker

NAME = "ai_worker"


class Notification(msgspec.Struct):
    """Only a wake-up: which job is done is decided by the queue."""

    job_id: str


read = msgspec.json.Decoder(Notification).decode


def handle(records: list[Record]) -> list[Refused]:
    """Takes AI_JOBS_PER_CALL due jobs at most, any of them; answers well whatever became of them."""
    worker().take(settings.current().ai_jobs_per_call)
    return [refused for record in retried.for_station(NAME, records) if (refused := refusal(record))]


def refusal(record: Record) -> Refused | None:
    try:
        read(record.value or b"")
    except UNREADABLE as wrong:
        return Refused(record, "not_a_notification", str(wrong))
    return None


# The database client costs a cold start 60 ms and the model's 400: each is loaded when it is needed.
@cache
def worker() -> "Worker":
    from functions.ai_worker.work import from_settings

    return from_settings(settings.current())


def bury(refused: list[Refused]) -> None:
    from common.clients.stream.dead import bury_for

    bury_for(NAME)(refused)


asgi, gcp, aws, main = edge.stream(handle, bury, topic=topics.AI_JOBS)
