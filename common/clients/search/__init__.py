"""Search: one contract, two engines, and the same answers from both: OpenSearch where configured, else Postgres."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

from common.clients.search.language import Question, ask
from common.settings import Settings

if TYPE_CHECKING:
    from common.clients.postgres.database import Database

__all__ = ["Counts", "Found", "Question", "Refusal", "Search", "ask", "search_for"]


class Refusal(Struct, frozen=True):
    """An envelope that will never be searchable: its place in the batch, and why."""

    index: int
    code: str
    detail: str


class Found(Struct, frozen=True):
    """One page, newest first; `total` counts every match, `next` is the cursor of the page after this one."""

    events: list[dict[str, Any]]
    total: int
    next: str | None


class Counts(Struct, frozen=True):
    """How many matches have which value, the most frequent first; routes: the twenty most frequent."""

    event_type: dict[str, int]
    severity: dict[str, int]
    route: dict[str, int]


class Search(Protocol):
    """Every method raises Unavailable when the engine does not answer in time."""

    def check_mapping(self) -> None:
        """Raises Misconfigured if what the engine has is not what this release writes."""

    def index(self, envelopes: Sequence[bytes]) -> list[Refusal]:
        """All of them are kept when this returns, but for those it names. A used id's document is replaced."""

    def find(self, question: Question, *, limit: int = 50, cursor: str | None = None) -> Found:
        """Newest first by (occurred_at in ms, event_id, project_id). New arrivals do not shift the next page."""

    def counts(self, question: Question) -> Counts: ...

    def over_time(self, question: Question, bars: int) -> list[int]:
        """Matches in so many equal parts of the question's time, which must have both ends."""

    def routes_over_time(self, question: Question, bars: int, most: int) -> dict[str, list[int]]:
        """The same of each of the most frequent routes, the most frequent first, asked in one question."""

    def prune(self, before: datetime, limit: int = 5000) -> int:
        """Delete at most so many events received before; returns how many it was."""

    def close(self) -> None: ...


def search_for(settings: Settings, database: "Database | None" = None) -> Search:
    """The engine the settings name. Opens nothing yet; `database` lends its connections if it is Postgres."""
    if settings.opensearch:
        from common.clients.search.opensearch import OpenSearch

        return OpenSearch(settings.opensearch)
    from common.clients.postgres.database import Database
    from common.clients.search.postgres import PostgresSearch

    return PostgresSearch(database or Database(where=lambda: settings.database))
