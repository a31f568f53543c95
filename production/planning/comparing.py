"""What changes from one plan to another, as it is shown before anything is applied."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from inventory_sync import words
from production.planning.plan import Figures, Plan, figures_of
from production.planning.problem import Assignment, Problem

MOST_NAMED: Final = 3  # orders in a sentence


@dataclass(frozen=True)
class Move:
    """An operation that stands elsewhere. `moved`: on another machine, or by more than the problem tolerates."""

    operation: str
    job: str
    from_machine: str
    to_machine: str
    by_min: int  # later, or earlier below 0
    moved: bool


@dataclass(frozen=True)
class Lateness:
    """A job, and how late it is before and after; below 0: early."""

    job: str
    before_min: int
    after_min: int


@dataclass(frozen=True)
class Difference:
    """From one plan of a problem to another. Figures count only what the problem still has."""

    moves: tuple[Move, ...]  # the largest first
    newly_late: tuple[Lateness, ...]  # the latest first
    no_longer_late: tuple[Lateness, ...]
    new: tuple[str, ...]  # operations that were not planned before
    gone: tuple[str, ...]  # operations that are not planned any more
    before: Figures
    after: Figures

    @property
    def moved(self) -> tuple[Move, ...]:
        """The operations that move by more than the problem tolerates."""
        return tuple(move for move in self.moves if move.moved)

    @property
    def changeover_min(self) -> int:
        """Minutes of changeover more, or less below 0."""
        return self.after.changeover_min - self.before.changeover_min

    @property
    def sentence(self) -> str:
        """All of it in one line, such as: 7 operations move, 1 order newly late (WL-000012-1, 3 h)."""
        moved = len(self.moved)
        parts = [f"{_count(moved, 'operation')} {'moves' if moved == 1 else 'move'}"] if moved else []
        parts += [f"{_count(len(self.new), 'operation')} new"] if self.new else []
        parts += [f"{_count(len(self.gone), 'operation')} gone"] if self.gone else []
        if self.newly_late:
            late = ", ".join(f"{one.job}, {words.duration(one.after_min)}" for one in self.newly_late[:MOST_NAMED])
            more = f" and {len(self.newly_late) - MOST_NAMED} more" if len(self.newly_late) > MOST_NAMED else ""
            parts.append(f"{_count(len(self.newly_late), 'order')} newly late ({late}{more})")
        if self.no_longer_late:
            parts.append(f"{_count(len(self.no_longer_late), 'order')} no longer late")
        if self.changeover_min:
            less = "less" if self.changeover_min < 0 else "more"
            parts.append(f"{_count(abs(self.changeover_min), 'minute')} {less} changeover")
        return f"{', '.join(parts) or 'Nothing changes'}."


def compare(
    problem: Problem,
    before: Plan | Iterable[Assignment],
    after: Plan | Iterable[Assignment],
    *,
    figures: tuple[Figures, Figures] | None = None,
) -> Difference:
    """What changes from `before` to `after`, both judged by this problem; `before` may be of an older one.

    What stands on a machine that the problem doesn't have any more counts as moved, and in no figure. `figures`: of
    both by this problem, where they are known already.
    """
    operations = {operation.id: operation for operation in problem.operations}
    machines = {machine.code for machine in problem.machines}
    old, new = ({one.operation: one for one in _assignments(plan)} for plan in (before, after))
    moves = []
    for id, one in new.items():
        there = old.get(id)
        if there is None or id not in operations:
            continue
        by = one.start - there.start
        if by or there.machine != one.machine:
            moved = there.machine != one.machine or abs(by) > problem.tolerance_min
            moves.append(Move(id, operations[id].job, there.machine, one.machine, by, moved))
    was_all, is_all = figures or (
        figures_of(problem, [one for one in plan.values() if one.operation in operations and one.machine in machines])
        for plan in (old, new)
    )
    was, is_now = (_lateness(problem, plan) for plan in (old, new))
    changed = [Lateness(job, was[job], by) for job, by in is_now.items() if job in was]
    fresh = [Lateness(job, 0, by) for job, by in is_now.items() if job not in was and by > 0]
    return Difference(
        moves=tuple(sorted(moves, key=lambda one: (not one.moved, -abs(one.by_min), one.operation))),
        newly_late=tuple(
            sorted(
                [*(one for one in changed if one.before_min <= 0 < one.after_min), *fresh],
                key=lambda one: (-one.after_min, one.job),
            )
        ),
        no_longer_late=tuple(
            sorted(
                (one for one in changed if one.after_min <= 0 < one.before_min),
                key=lambda one: (-one.before_min, one.job),
            )
        ),
        new=tuple(id for id in new if id not in old),
        gone=tuple(id for id in old if id not in new),
        before=was_all,
        after=is_all,
    )


def _assignments(plan: Plan | Iterable[Assignment]) -> Iterable[Assignment]:
    return plan.assignments if isinstance(plan, Plan) else plan


def _lateness(problem: Problem, plan: dict[str, Assignment]) -> dict[str, int]:
    """By how many minutes each job is late that has a due date and stands in the plan with all its operations."""
    ends: dict[str, list[int | None]] = {}
    for operation in problem.operations:
        there = plan.get(operation.id)
        ends.setdefault(operation.job, []).append(there.end if there is not None else None)
    whole = {job: [end for end in each if end is not None] for job, each in ends.items() if None not in each}
    return {job.id: max(whole[job.id]) - job.due for job in problem.jobs if job.due is not None and whole.get(job.id)}


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
