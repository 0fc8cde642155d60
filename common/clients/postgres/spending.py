"""What a project's model calls cost, by UTC day: counted by call, since a failed attempt is paid for too."""

from datetime import date

import msgspec

from common.clients.postgres.connection import Connection


class Spent(msgspec.Struct, frozen=True):
    """Tokens of one day, and how many the project may use; None: as many as the installation allows."""

    tokens: int
    limit: int | None


def spent(conn: Connection, project_id: str, day: date) -> Spent:
    query = """
        SELECT coalesce(s.input_tokens + s.output_tokens, 0), p.ai_tokens_per_day
          FROM projects p LEFT JOIN ai_spending s ON s.project_id = p.id AND s.day = :day::date
         WHERE p.id = :project
    """
    [[tokens, limit]] = conn.run(query, project=project_id, day=day.isoformat())
    return Spent(int(tokens), limit)


def spend(
    conn: Connection, project_id: str, day: date, input_tokens: int, output_tokens: int, cost: float | None
) -> None:
    """Whatever becomes of the answer, and whoever holds the lease by now."""
    query = """
        INSERT INTO ai_spending AS s (project_id, day, calls, input_tokens, output_tokens, cost)
        VALUES (:project, :day::date, 1, :input, :output, coalesce(:cost, 0))
        ON CONFLICT (project_id, day) DO UPDATE
           SET calls = s.calls + 1, input_tokens = s.input_tokens + excluded.input_tokens,
               output_tokens = s.output_tokens + excluded.output_tokens, cost = s.cost + excluded.cost
    """
    conn.run(query, project=project_id, day=day.isoformat(), input=input_tokens, output=output_tokens, cost=cost)
