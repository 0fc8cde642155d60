"""Who made, revoked or took away what: one row each, in the transaction that did it."""

from typing import Literal

import msgspec

from common.clients.postgres.connection import Connection

What = Literal["created", "revoked", "exported", "limited"]
Kind = Literal["org", "project", "key", "token", "events"]


def record(conn: Connection, org: str, who: str, what: What, kind: Kind, subject: str, **details: object) -> None:
    """`details` never hold a secret."""
    conn.run(
        "INSERT INTO audit (org_id, who, what, kind, subject, details) "
        "VALUES (:org, :who, :what, :kind, :subject, :details)",
        org=org,
        who=who,
        what=what,
        kind=kind,
        subject=subject,
        details=msgspec.json.encode(details).decode(),
    )
