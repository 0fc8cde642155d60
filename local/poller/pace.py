"""How long the poller waits for what; chance is passed in, and spreads whoever failed at the same moment."""

import msgspec


class Pace(msgspec.Struct, frozen=True):
    """In seconds. Ten tries of one record take about five minutes, whether it fails at once or only times out."""

    first: float = 2.0  # after the first try of a record alone; then twice as long each time …
    longest: float = 60.0  # … up to this
    split: float = 0.5  # before a part of a failed batch is tried
    down: float = 0.5  # a station that cannot be reached or says nothing of when; twice as long each time …
    down_longest: float = 10.0  # … up to this
    retry_after_longest: float = 300.0
    probe: float = 300.0  # how often a stopped record is tried again: its station may have been mended
    shout: float = 60.0  # how often something that lasts is said
    idle: float = 0.5  # the longest wait for news; a stop is noticed after it
    stop: float = 8.0  # for the requests under way; supervisors kill after ten
    ask: float = 1.0  # how often the database is asked who wants a stopped record skipped


def spread(seconds: float, chance: float) -> float:
    """A quarter more or less, for a chance between 0 and 1."""
    return seconds * (0.75 + chance / 2)


def doubled(first: float, times: int, longest: float) -> float:
    return float(min(longest, first * 2 ** min(times, 30)))


def after_failure(pace: Pace, tries: int, stopped: bool, took: float, chance: float) -> float:
    """How long a partition waits. What the try itself took counts, so that time-outs do not make it twice as long."""
    if stopped:
        return spread(pace.probe, chance)
    if tries == 0:
        return spread(pace.split, chance)
    return max(spread(pace.split, chance), spread(doubled(pace.first, tries - 1, pace.longest), chance) - took)


def after_wait(pace: Pace, asked: float | None, times: int, chance: float) -> float:
    """How long a station is left alone: as long as it asked for, never less; else longer each time."""
    if asked is not None:
        return min(asked, pace.retry_after_longest) * (1 + chance / 10)
    return spread(doubled(pace.down, times, pace.down_longest), chance)
