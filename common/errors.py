"""The kinds of failure; only `common/edge` turns them into statuses and retries.

A record nobody can use is a value (`edge.records.Refused`); whatever is none of these is a bug.
"""

from collections.abc import Mapping, Sequence


class Problem(Exception):
    """The caller's: answered as problem+json (RFC 9457) with this status, and not logged as ours."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        status: int = 422,
        field: str | None = None,
        headers: Sequence[tuple[str, str]] = (),
        more: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code, self.detail, self.status, self.field = code, detail, status, field
        self.headers, self.more = tuple(headers), dict(more or {})


class Unavailable(Exception):
    """The world's, and passing: 503 with Retry-After, or the whole batch comes again."""

    def __init__(self, what: str, reason: str = "", *, retry_after: int = 5) -> None:
        """`what` may be told to the caller, the `reason` only to the log."""
        super().__init__(f"{what}: {reason}" if reason else what)
        self.what, self.reason, self.retry_after = what, reason, retry_after


class Misconfigured(Exception):
    """The operator's: one sentence that says what to change. The process does not start."""
