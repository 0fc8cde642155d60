"""Secrets that sign what we hand out and believe again: made by whoever needs one first, the same for all."""

from common.clients.postgres.connection import Connection


def secret(conn: Connection, purpose: str, random: bytes) -> bytes:
    """The secret of this purpose; these 32 random bytes become it if there is none. Deleting the row voids all."""
    assert len(random) == 32
    query = """
        INSERT INTO signing_secrets (purpose, secret) VALUES (:purpose, :random) ON CONFLICT DO NOTHING;
        SELECT secret FROM signing_secrets WHERE purpose = :purpose
    """
    [[found]] = conn.run(query, purpose=purpose, random=random.hex())
    return bytes.fromhex(found)
