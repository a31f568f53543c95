"""How an operation stands by what was reported of it. Pure: reports in, standing out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final


class Said(StrEnum):
    """What can be reported of an operation."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    FINISH = "finish"
    SCRAP = "scrap"
    UNDO = "undo"


class OperationState(StrEnum):
    """How far an operation is."""

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"


# Why metres were lost, and why a machine stands. Codes: what people read is in orders/web/floor.py.
SCRAP_REASONS: Final = ("misprint", "stain", "nozzle", "registration", "broken_end", "wrong_shade", "other")
PAUSE_REASONS: Final = ("break", "shift", "material", "machine", "quality", "other")
REJECTED: Final = "rejected"  # of the inspection's end: the cloth is not good

_S = OperationState
# Finished once more is a correction of the metres; scrap may be seen after the end.
TRANSITIONS: Final[Mapping[tuple[OperationState, Said], OperationState]] = {
    (_S.WAITING, Said.START): _S.RUNNING,
    (_S.RUNNING, Said.PAUSE): _S.PAUSED,
    (_S.PAUSED, Said.RESUME): _S.RUNNING,
    (_S.RUNNING, Said.FINISH): _S.DONE,
    (_S.PAUSED, Said.FINISH): _S.DONE,
    (_S.DONE, Said.FINISH): _S.DONE,
    (_S.RUNNING, Said.SCRAP): _S.RUNNING,
    (_S.PAUSED, Said.SCRAP): _S.PAUSED,
    (_S.DONE, Said.SCRAP): _S.DONE,
}


@dataclass(frozen=True, kw_only=True)
class Report:
    """One thing that was reported, in the order in which it was taken."""

    number: int
    kind: Said
    at: datetime
    by: str
    metres: Decimal | None = None
    reason: str = ""
    undoes: int | None = None


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How an operation stands."""

    state: OperationState = OperationState.WAITING
    started_at: datetime | None = None
    since: datetime | None = None  # of the present state
    by: str = ""  # who reported last
    made_m: Decimal | None = None
    scrap_m: Decimal = Decimal(0)
    worked: timedelta = timedelta(0)  # until `since`, pauses left out
    reason: str = ""  # why it is paused, or how the inspection ended
    counting: tuple[Report, ...] = field(default=())  # what was not taken back

    @property
    def last(self) -> Report | None:
        """What was reported last: the only thing that can be taken back."""
        return self.counting[-1] if self.counting else None

    def worked_until(self, now: datetime) -> timedelta:
        """How long it has been worked on, pauses left out."""
        if self.state is not OperationState.RUNNING or self.since is None:
            return self.worked
        return self.worked + max(timedelta(0), now - self.since)


def standing_of(reports: Iterable[Report]) -> Standing:
    """How an operation stands by its reports, in their order; one that does not follow is passed over.

    >>> from datetime import UTC
    >>> nine = datetime(2026, 11, 23, 9, tzinfo=UTC)
    >>> said = [Report(number=1, kind=Said.START, at=nine, by="ann")]
    >>> said += [Report(number=2, kind=Said.FINISH, at=nine + timedelta(minutes=20), by="ann", metres=Decimal(6))]
    >>> standing_of(said).state.value, standing_of(said).worked
    ('done', datetime.timedelta(seconds=1200))
    """
    reports = list(reports)
    taken_back = {report.undoes for report in reports if report.kind is Said.UNDO}
    stands = Standing()
    for report in reports:
        if report.kind is not Said.UNDO and report.number not in taken_back:
            stands = _after(stands, report)
    return stands


def _after(before: Standing, report: Report) -> Standing:
    state = TRANSITIONS.get((before.state, report.kind))
    if state is None:
        return before
    counting = (*before.counting, report)
    if report.kind is Said.SCRAP:
        return replace(before, scrap_m=before.scrap_m + (report.metres or 0), by=report.by, counting=counting)
    return replace(
        before,
        state=state,
        started_at=before.started_at or report.at,
        since=before.since if before.state is state and before.since else report.at,
        by=report.by,
        made_m=report.metres if report.kind is Said.FINISH else before.made_m,
        worked=before.worked_until(report.at),
        reason=report.reason,
        counting=counting,
    )
