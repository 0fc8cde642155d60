"""Days that are over are summed by the hour, once, and every trend stays what it was."""

from datetime import date, timedelta
from threading import Thread

import pytest

from common import settings
from common.clients.postgres import hours, metrics, partitions
from common.clients.postgres.connection import Connection
from common.clients.postgres.metrics import Place, Span

FIRST = 29_000_000 // 1440 * 1440  # the beginning of a day


@pytest.fixture
def today(conn: Connection) -> date:
    """Three days that are over, and the present one; in each a few minutes, some of them of long ago."""
    [[day]] = conn.run("SELECT (now() AT TIME ZONE 'UTC')::date")
    assert isinstance(day, date)
    partitions.make(conn, "activity", partitions.DAY, day - timedelta(days=4), day)
    for ago in range(4):
        for minute in (FIRST, FIRST + 59, FIRST + 60, FIRST + 1500, -61):
            for kind in ("error", "signup"):
                conn.run(ROW, day=(day - timedelta(days=ago + 1)).isoformat(), kind=kind, minute=minute, value=ago + 1)
    conn.run(ROW, day=day.isoformat(), kind="error", minute=FIRST, value=100)
    return day


def trends(conn: Connection) -> list[dict[str, list[int]]]:
    spans = [Span(FIRST, 60, 26), Span(FIRST - 1440, 1440, 4), Span(-120, 60, 2), Span(FIRST, 1, 61)]
    places = [Place(), Place(event_type="error"), Place(environment="dev")]
    return [metrics.over_time(conn, "o", place, span, "event_type") for span in spans for place in places]


def test_sums_change_no_trend(conn: Connection, today: date) -> None:
    before = trends(conn)
    assert hours.sum_up(conn) in (3, 4, 5)  # within an hour after midnight yesterday waits
    assert trends(conn) == before
    assert before[0] == {"error": [120, 10] + [0] * 23 + [10], "signup": [20, 10] + [0] * 23 + [10]}
    conn.run("DELETE FROM activity WHERE day < :day::date - 1", day=today.isoformat())
    assert trends(conn)[0]["error"][25] == before[0]["error"][25]  # the minutes are not read again


def test_twice_and_two_at_once_is_once(conn: Connection, database: settings.Postgres, today: date) -> None:
    def another() -> None:
        connection = Connection(database)
        hours.sum_up(connection)
        connection.close()

    before = trends(conn)
    threads = [Thread(target=another) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert hours.sum_up(conn) == 0
    assert trends(conn) == before


def test_sums_go_with_their_days(conn: Connection, today: date) -> None:
    hours.sum_up(conn)
    assert hours.prune(conn, today - timedelta(days=2)) > 0
    [[oldest]] = conn.run("SELECT min(day) FROM activity_hours")
    assert oldest == today - timedelta(days=2)


ROW = """
    INSERT INTO activity (day, org_id, project_id, environment, event_type, severity, minute, value)
    VALUES (:day::date, 'o', 'p', 'prod', :kind, 'error', :minute, :value)
"""
