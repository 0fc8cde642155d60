"""Times in the reader's zone. One zone a page, named; whoever wants another time finds it in UTC in the title."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from functions.dashboard.words import duration

RELATIVE = timedelta(days=7)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Clock(NamedTuple):
    """A reader's moment and zone."""

    now: datetime
    zone: tzinfo = UTC

    def local(self, time: datetime) -> datetime:
        """An event may be of the year 1, which some zones have no time for."""
        try:
            return time.astimezone(self.zone)
        except OverflowError:
            return time.astimezone(UTC)

    def minute(self, time: datetime) -> str:
        """02:53."""
        return _minute(self.local(time))

    def second(self, time: datetime) -> str:
        """02:53:04, in events, timeline and deploys."""
        return _second(self.local(time))

    def day(self, time: datetime) -> str:
        """20 Nov; of another year 20 Nov 2025."""
        return _day(self.local(time), self.local(self.now))

    def absolute(self, time: datetime) -> str:
        """Today 02:53, this year 20 Nov 09:14, else 20 Nov 2025."""
        local, today = self.local(time), self.local(self.now)
        if local.date() == today.date():
            return _minute(local)
        return f"{_day(local, today)} {_minute(local)}" if local.year == today.year else _day(local, today)

    def absolute_second(self, time: datetime) -> str:
        """With seconds, and the day where it is not today."""
        local, today = self.local(time), self.local(self.now)
        return _second(local) if local.date() == today.date() else f"{_day(local, today)} {_second(local)}"

    def stretch(self, since: datetime, until: datetime) -> str:
        """02:53:04 to 02:54:04, each with its day where that is not today; a day both share is said once."""
        same = self.local(since).date() == self.local(until).date()
        return f"{self.absolute_second(since)} to {self.second(until) if same else self.absolute_second(until)}"

    def relative(self, time: datetime) -> str:
        """19 min ago, in 14 s; nothing beyond seven days, where the absolute time says more."""
        apart = self.now - time
        if abs(apart) > RELATIVE:
            return ""
        return f"{duration(apart)} ago" if apart >= timedelta(0) else f"in {duration(-apart)}"

    def offset(self, time: datetime) -> str:
        """UTC+1, UTC+5:30, UTC."""
        minutes = int((self.local(time).utcoffset() or timedelta(0)).total_seconds() // 60)
        if not minutes:
            return "UTC"
        hours, rest = divmod(abs(minutes), 60)
        return f"UTC{'+' if minutes > 0 else '-'}{hours}{f':{rest:02}' if rest else ''}"

    @property
    def zone_name(self) -> str:
        """UTC, or Europe/Paris, UTC+1."""
        key = getattr(self.zone, "key", "UTC")
        return "UTC" if key == "UTC" else f"{key}, {self.offset(self.now)}"


def _minute(local: datetime) -> str:
    """Written out, since strftime takes twice as long, and a plot has hundreds of them."""
    return f"{local.hour:02}:{local.minute:02}"


def _second(local: datetime) -> str:
    return f"{local.hour:02}:{local.minute:02}:{local.second:02}"


def _day(local: datetime, today: datetime) -> str:
    return f"{local.day} {MONTHS[local.month - 1]}{'' if local.year == today.year else f' {local.year}'}"


def in_utc(time: datetime) -> str:
    """2026-11-21 02:53:00 UTC: the title of every time."""
    return f"{time.astimezone(UTC).isoformat(' ', 'seconds')[:19]} UTC"


def for_machines(time: datetime) -> str:
    """2026-11-21T02:53:00Z: the datetime of every time."""
    return f"{time.astimezone(UTC).isoformat('T', 'seconds')[:19]}Z"


def minutes(count: int) -> timedelta:
    return timedelta(minutes=count)
