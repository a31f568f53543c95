"""Minutes as people read them: local clock times, or plain minutes where a problem doesn't count from 1970."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from inventory_sync import words
from production.planning.openings import moment_of
from production.planning.problem import Problem

FIRST_DATED: Final = 5_000_000  # the middle of 1979: who starts earlier counts from an origin of his own
LAST_DATED: Final = 4_000_000_000  # the year 9575; a later day has no date


def is_dated(problem: Problem) -> bool:
    """Whether the problem's minutes are since 1970, so that they have a date."""
    return FIRST_DATED <= problem.start < LAST_DATED


def clock(problem: Problem, minute: int) -> str:
    """A minute in the words of the problem's readers.

    >>> clock(Problem(0, 480, (), (), ()), 90)
    'minute 90'
    >>> clock(Problem(29_929_260, 29_939_340, (), (), (), tz="Europe/Paris"), 29_929_260)
    'Fri 06:00'
    """
    if not is_dated(problem):
        return f"minute {minute}"
    return words.clock(moment_of(minute), problem.tz, now=moment_of(problem.start))


def iso(problem: Problem, minute: int) -> str | None:
    """A minute as ISO date and time in the problem's time zone; None where it has no date."""
    return local(problem, minute).isoformat() if is_dated(problem) else None


def local(problem: Problem, minute: int) -> datetime:
    """The local moment of a minute that has a date."""
    return moment_of(minute).astimezone(ZoneInfo(problem.tz))
