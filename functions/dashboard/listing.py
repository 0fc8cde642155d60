"""Incidents as rows: what a list shows of each."""

from functools import lru_cache
from typing import NamedTuple

from common.clients.postgres.rows import Row
from common.detection.rules import HOUR, usual
from functions.dashboard import course, sentences
from functions.dashboard.plots.spark import Spark, spark
from functions.dashboard.sentences import Sentence
from functions.dashboard.words import NOUNS, short, whole

SEVERITIES = {"critical": "Critical", "error": "Error", "warn": "Warn"}
STATUSES = {"open": "Open", "investigating": "Investigating", "resolved": "Resolved"}
KEPT = 512  # rows, of about 6 kB each


class Line(NamedTuple):
    row: Row
    sentence: Sentence
    places: list[str]
    spark: Spark
    worst: str
    usual: str
    lasted: str

    @property
    def severity(self) -> str:
        return SEVERITIES[self.row.severity]

    @property
    def status(self) -> str:
        return STATUSES[self.row.status]


@lru_cache(maxsize=KEPT)
def line(row: Row) -> Line:
    """Pages refresh by themselves, and most of their rows are as they were."""
    incident = row.incident
    readings = course.hour_of(row)
    resolved = row.status == "resolved"
    where = "the hour around it" if resolved else "last hour"
    return Line(
        row=row,
        sentence=sentences.row(incident, readings, course.newest_of(row)),
        places=[place for place in (row.project_id, row.environment, row.route or row.error_code) if place],
        spark=spark(
            f"{NOUNS[row.rule].capitalize()}s", where, readings, row.baseline / HOUR, [one.at for one in row.deploys]
        ),
        worst=short(row.peak),
        usual=short(whole(usual(row.rule, row.baseline))),
        lasted=sentences.lasted(incident) if resolved else "",
    )
