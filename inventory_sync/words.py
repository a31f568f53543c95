"""Quantities, days and times as a planner says them. English, whatever the machine's locale."""

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def quantity(value: Decimal, unit: str) -> str:
    """A quantity without needless zeros.

    >>> quantity(Decimal("150.000"), "m"), quantity(Decimal("8.500"), "m")
    ('150 m', '8.5 m')
    """
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return f"{text} {unit}"


def day(moment: datetime, tz: str) -> str:
    """A day in the time zone of the people who read it.

    >>> from datetime import UTC
    >>> day(datetime(2026, 12, 1, 23, 30, tzinfo=UTC), "Europe/Paris")
    'Wed 2 Dec'
    """
    local = moment.astimezone(ZoneInfo(tz))
    return f"{_DAYS[local.weekday()]} {local.day} {_MONTHS[local.month - 1]}"


def clock(moment: datetime, tz: str, *, now: datetime) -> str:
    """A time of day, with the weekday alone within the next six days and the date beyond.

    >>> from datetime import UTC
    >>> sunday = datetime(2026, 11, 22, 12, tzinfo=UTC)
    >>> clock(datetime(2026, 11, 26, 13, tzinfo=UTC), "Europe/Paris", now=sunday)
    'Thu 14:00'
    >>> clock(datetime(2026, 12, 3, 13, tzinfo=UTC), "Europe/Paris", now=sunday)
    'Thu 3 Dec 14:00'
    """
    local = moment.astimezone(ZoneInfo(tz))
    near = 0 <= (local.date() - now.astimezone(ZoneInfo(tz)).date()).days < 7
    return f"{_DAYS[local.weekday()] if near else day(moment, tz)} {local:%H:%M}"


def duration(minutes: float) -> str:
    """A length of time.

    >>> duration(45), duration(130), duration(120)
    ('45 min', '2 h 10 min', '2 h')
    """
    hours, rest = divmod(round(minutes), 60)
    if not hours:
        return f"{rest} min"
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def age(since: timedelta) -> str:
    """How long ago something was, in its largest unit.

    >>> age(timedelta(seconds=40)), age(timedelta(minutes=4.4)), age(timedelta(hours=2)), age(timedelta(days=3))
    ('40 s', '4 min', '2 h', '3 days')
    """
    seconds = max(0, int(since.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h" if seconds < 2 * 86400 else f"{seconds // 86400} days"
