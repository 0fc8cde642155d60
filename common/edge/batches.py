"""A stream function: one batch in, the refused buried, then success; or the batch comes again."""

from __future__ import annotations

from time import monotonic
from typing import Any

from common import log
from common.edge import notes
from common.edge.answers import outcome
from common.edge.aws import Failed
from common.edge.cloudevent import records_of
from common.edge.records import Record, Refused, from_event, from_json, of_topic, summary
from common.edge.run import drive
from common.edge.values import Request, Response, only_post, reply
from common.metrics import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Batched = Callable[[list[Record]], list[Refused]]
    Bury = Callable[[list[Refused]], None]


class Batches:
    """The same work on a batch, whoever brings it."""

    def __init__(self, name: str, handle: Batched, bury: Bury, topic: str) -> None:
        self.name, self.handle, self.bury, self.topic = name, handle, bury, topic

    def over_http(self, request: Request) -> Response:
        """The poller's POST, answered as AWS's event source would be; or Knative's, answered without a body."""
        only_post(request)
        records = records_of(request)
        if records is not None:
            return self._result(records, Response(204))
        return self._result(from_json(request.body), reply(200, {"batchItemFailures": []}))

    def on_aws(self, event: Any) -> object:
        """The event source's invocation. When the world is down, each partition comes again from its first record:

        an error document would make AWS bisect a batch in which nothing is wrong. The event source must have
        ReportBatchItemFailures, or this answer would count as success.
        """
        started = monotonic()
        response = drive(outcome(self._from_event, event))
        notes.event(self.name, response, started)
        if response.status == 503:
            return {"batchItemFailures": _firsts(event)}
        if response.status >= 400:
            raise Failed(str(log.clean(response.log.get("error", response.log["detail"]))))
        return {"batchItemFailures": []}

    async def _from_event(self, event: object) -> Response:
        return self._result(from_event(event), Response(200))

    def _result(self, records: list[Record], done: Response) -> Response:
        started = monotonic()
        response = drive(outcome(self._work, records, done))
        names.BATCH_SECONDS.observe(monotonic() - started, self.name)
        names.BATCH_RECORDS.add(len(records), self.name)
        return response if response is done else _with_summary(response, records)

    async def _work(self, records: list[Record], done: Response) -> Response:
        refused = self.handle(of_topic(records, self.topic)) if records else []
        if refused:
            self.bury(refused)  # before success is answered; if it fails, so does the batch
        done.log = summary(records, refused)
        return done


def _with_summary(response: Response, records: list[Record]) -> Response:
    response.log = {**summary(records), **response.log}
    return response


def _firsts(event: Any) -> list[dict[str, object]]:
    """AWS's composite identifiers: the partition as AWS names it, and its lowest offset."""
    return [
        {"itemIdentifier": {"partition": name, "offset": min(record["offset"] for record in records)}}
        for name, records in event["records"].items()
        if records
    ]
