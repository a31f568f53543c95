"""Which roll each print length is cut from: in one piece, and all of one job and fabric from one dye lot.

Greedy first: the job with the longest piece chooses first, each piece takes the shortest roll that is long enough, so
that long rolls stay long. Only where that leaves somebody without, an exact model (CP-SAT) looks for a way in which
everybody has his roll.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from ortools.sat.python import cp_model

from inventory_sync import words
from production.planning.errors import NotEnoughRolls
from production.planning.problem import Problem, Roll

EFFORT: Final = 20.0  # CP-SAT's own measure of time, so that the same question has the same answer


@dataclass(frozen=True)
class _Piece:
    operation: str
    length_m: Decimal
    roll: str  # held already
    by: int | None  # when it has to be there


@dataclass(frozen=True)
class _Batch:
    """The print lengths of one job and fabric, the longest first: all from one lot."""

    job: str
    sku: str
    pieces: tuple[_Piece, ...]


def cut(problem: Problem, *, starts: Mapping[str, int] | None = None) -> dict[str, str]:
    """The roll of each operation that is cut from one: operation -> roll.

    What holds a roll keeps it. Rolls that are there go before those that are still to come; with `starts`, a roll is
    there by its operation's start. Where the problem knows no rolls, there is nothing to choose.
    Raises NotEnoughRolls, naming a job that is left without.

    >>> from production.planning.problem import Cloth, Operation
    >>> rolls = (Roll("R1", "VELVET", "L1", Decimal(30)), Roll("R2", "VELVET", "L1", Decimal(12)))
    >>> print_ = Operation("1", "WL-1", {"PRT1": 30}, cloth=Cloth("VELVET", Decimal("10.5")))
    >>> cut(Problem(0, 480, (), (), (print_,), rolls=rolls))
    {'1': 'R2'}
    """
    rolls = {roll.code: roll for roll in problem.rolls}
    found = {one.id: one.cloth.roll for one in problem.operations if one.cloth is not None and one.cloth.roll}
    if not rolls:
        return found
    left = {code: roll.length_m for code, roll in rolls.items()}
    batches = _batches(problem, starts or {})
    _take_held(batches, rolls, left)
    for sku in sorted({batch.sku for batch in batches}):
        mine = [batch for batch in batches if batch.sku == sku]
        those = [roll for roll in problem.rolls if roll.sku == sku]
        placed, without = _greedy(mine, those, left, problem.start)
        if without is not None:
            exact = _exact(mine, those, left, problem.start)
            if exact is None:
                raise _not_enough(without, those, left, placed, mine)
            placed = exact
        found |= placed
    return {one.id: found[one.id] for one in problem.operations if one.id in found}


def ready(problem: Problem, rolls: Mapping[str, str]) -> dict[str, int]:
    """When the roll of each operation is there, where that is not yet: operation -> minute."""
    there = {roll.code: roll.ready for roll in problem.rolls}
    minutes = {operation: there.get(code) for operation, code in rolls.items()}
    return {operation: minute for operation, minute in minutes.items() if minute is not None and minute > problem.start}


def with_rolls(problem: Problem, rolls: Mapping[str, str]) -> Problem:
    """The problem with those rolls held, and its operations released no sooner than their rolls are there."""
    minutes = ready(problem, rolls)
    return replace(
        problem,
        operations=tuple(
            replace(
                one,
                cloth=replace(one.cloth, roll=rolls[one.id]),
                release=max((at for at in (one.release, minutes.get(one.id)) if at is not None), default=None),
            )
            if one.cloth is not None and one.id in rolls
            else one
            for one in problem.operations
        ),
    )


def rolled(problem: Problem) -> Problem:
    """The problem with a roll for each print length; itself where it knows no rolls. Raises NotEnoughRolls."""
    return with_rolls(problem, cut(problem)) if problem.rolls else problem


def _batches(problem: Problem, starts: Mapping[str, int]) -> list[_Batch]:
    """The batches in the order in which they choose: what is bound to a lot already, then the longest piece."""
    pieces: dict[tuple[str, str], list[_Piece]] = defaultdict(list)
    for one in problem.operations:
        if one.cloth is not None:
            piece = _Piece(one.id, one.cloth.length_m, one.cloth.roll, starts.get(one.id))
            pieces[one.job, one.cloth.sku].append(piece)
    batches = [
        _Batch(job, sku, tuple(sorted(each, key=lambda piece: -piece.length_m))) for (job, sku), each in pieces.items()
    ]
    return sorted(
        batches,
        key=lambda batch: (
            not any(piece.roll for piece in batch.pieces),
            -batch.pieces[0].length_m,
            -sum(piece.length_m for piece in batch.pieces),
        ),
    )


def _take_held(batches: Iterable[_Batch], rolls: Mapping[str, Roll], left: dict[str, Decimal]) -> None:
    """Take what is held already off its rolls."""
    for batch in batches:
        held = [piece for piece in batch.pieces if piece.roll in rolls]
        for piece in held:
            left[piece.roll] -= piece.length_m
            if left[piece.roll] < 0:
                raise _refused(
                    batch,
                    f"Roll {piece.roll} is {words.quantity(rolls[piece.roll].length_m, 'm')} long, "
                    f"{words.quantity(-left[piece.roll], 'm')} less than what is held of it, {batch.job} among it: "
                    "hold another roll for one of them.",
                    rolls.values(),
                    {code: max(length, Decimal(0)) for code, length in left.items()},
                )
        if len({rolls[piece.roll].lot for piece in held}) > 1:
            names = ", ".join(f"{piece.roll} of lot {rolls[piece.roll].lot}" for piece in held)
            raise _refused(
                batch, f"{batch.job} holds rolls of different lots ({names}): hold rolls of one lot.",
                rolls.values(), left,
            )  # fmt: skip


def _lots(batch: _Batch, rolls: Iterable[Roll]) -> dict[str, list[Roll]]:
    """The rolls that a batch may be cut from, by lot: one lot alone where it holds a roll already."""
    lots: dict[str, list[Roll]] = defaultdict(list)
    for roll in rolls:
        lots[roll.lot].append(roll)
    held = {piece.roll for piece in batch.pieces if piece.roll}
    bound = {lot for lot, each in lots.items() if any(roll.code in held for roll in each)}
    return {lot: lots[lot] for lot in bound} if bound else lots


def _is_there(roll: Roll, piece: _Piece) -> bool:
    return piece.by is None or roll.ready is None or roll.ready <= piece.by


# ---------------------------------------------------------------------------------------------- greedy

_Choice = tuple[int, int, Decimal, int, str]  # latest to come, more remnants, what is left, a lot begun, lot


def _greedy(
    batches: Sequence[_Batch], rolls: Sequence[Roll], left: Mapping[str, Decimal], start: int
) -> tuple[dict[str, str], _Batch | None]:
    """Roll by operation, and the first batch that is left without. Each takes the lot that leaves least behind."""
    whole = {roll.code: roll.length_m for roll in rolls}
    rest = dict(left)
    placed: dict[str, str] = {}
    without: _Batch | None = None
    for batch in batches:
        choices: list[tuple[_Choice, dict[str, str], dict[str, Decimal]]] = []
        for lot, each in _lots(batch, rolls).items():
            mine = _best_fit(batch, each, rest, start)
            if mine is None:
                continue
            taken, after = mine
            used = [roll for roll in each if roll.code in set(taken.values())]
            remnants = sum((rest[roll.code] == whole[roll.code]) - (after[roll.code] == 0) for roll in used)
            untouched = all(rest[roll.code] == whole[roll.code] for roll in each)
            latest = max((roll.ready for roll in used if roll.ready is not None and roll.ready > start), default=start)
            over = sum((after[roll.code] for roll in used), Decimal(0))
            choices.append(((latest, remnants, over, int(untouched), lot), taken, after))
        if not choices:
            without = without or batch
            continue
        _, taken, rest = min(choices, key=lambda choice: choice[0])
        placed |= taken
    return placed, without


def _best_fit(
    batch: _Batch, rolls: Sequence[Roll], left: Mapping[str, Decimal], start: int
) -> tuple[dict[str, str], dict[str, Decimal]] | None:
    """Each piece, the longest first, from the shortest roll that is long enough; None where one finds none."""
    after = dict(left)
    taken: dict[str, str] = {}
    for piece in batch.pieces:
        if piece.roll:
            continue
        fitting = [roll for roll in rolls if after[roll.code] >= piece.length_m and _is_there(roll, piece)]
        if not fitting:
            return None
        roll = min(fitting, key=lambda one: (max(one.ready or start, start), after[one.code], one.code))
        after[roll.code] -= piece.length_m
        taken[piece.operation] = roll.code
    return taken, after


# ---------------------------------------------------------------------------------------------- exact


def _exact(
    batches: Sequence[_Batch], rolls: Sequence[Roll], left: Mapping[str, Decimal], start: int
) -> dict[str, str] | None:
    """A way in which nobody is left without, on few rolls and few that are still to come; None where there is none."""
    pieces = [piece for batch in batches for piece in batch.pieces if not piece.roll]
    scale = 10 ** max((_decimals(length) for length in (*(p.length_m for p in pieces), *left.values())), default=0)
    model = cp_model.CpModel()
    used = {roll.code: model.new_bool_var("") for roll in rolls}
    parts: dict[str, list[tuple[int, cp_model.IntVar]]] = defaultdict(list)  # of each roll
    cuts: dict[tuple[str, str], cp_model.IntVar] = {}
    later = []
    for batch in batches:
        lots = {lot: (model.new_bool_var(""), each) for lot, each in _lots(batch, rolls).items()}
        model.add_exactly_one(chosen for chosen, _ in lots.values())
        for piece in batch.pieces:
            if piece.roll:
                continue
            options = []
            for chosen, each in lots.values():
                for roll in each:
                    if left[roll.code] < piece.length_m or not _is_there(roll, piece):
                        continue
                    this = cuts[piece.operation, roll.code] = model.new_bool_var("")
                    model.add_implication(this, chosen)
                    model.add_implication(this, used[roll.code])
                    parts[roll.code].append((int(piece.length_m * scale), this))
                    options.append(this)
                    if roll.ready is not None and roll.ready > start:
                        later.append(this)
            model.add_exactly_one(options)
    for code, lengths in parts.items():
        model.add(sum(length * this for length, this in lengths) <= int(left[code] * scale))
    model.minimize(len(rolls) * sum(later) + sum(used.values()))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 0
    solver.parameters.max_deterministic_time = EFFORT
    if solver.solve(model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    return {operation: code for (operation, code), this in cuts.items() if solver.boolean_value(this)}


def _decimals(length: Decimal) -> int:
    exponent = length.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


# ---------------------------------------------------------------------------------------------- refusals


def _not_enough(
    batch: _Batch, rolls: Sequence[Roll], left: Mapping[str, Decimal], placed: Mapping[str, str], all_: Sequence[_Batch]
) -> NotEnoughRolls:
    """What the batch needs, and what the others leave."""
    rest = dict(left)
    for other in all_:
        for piece in other.pieces:
            if piece.operation in placed:
                rest[placed[piece.operation]] -= piece.length_m
    pieces = [piece for piece in batch.pieces if not piece.roll]
    needed = " and ".join(words.quantity(piece.length_m, "m") for piece in pieces)
    one_lot = " of one lot" if len(batch.pieces) > 1 else ""
    longest = max((rest[roll.code] for roll in rolls), default=Decimal(0))
    if not rolls:
        there = f"there is no roll of {batch.sku}"
    elif any(rest[roll.code] >= pieces[0].length_m and not _is_there(roll, pieces[0]) for roll in rolls):
        there = f"what is long enough is not there by then; the longest that is left is {words.quantity(longest, 'm')}"
    else:
        there = f"the longest roll that is left is {words.quantity(longest, 'm')}"
    return _refused(
        batch,
        f"{batch.job} needs {needed} of {batch.sku}{one_lot}, each in one length, but {there}: order a roll, or divide "
        "the length.",
        rolls,
        rest,
    )


def _refused(batch: _Batch, message: str, rolls: Iterable[Roll], left: Mapping[str, Decimal]) -> NotEnoughRolls:
    lots: dict[str, list[Decimal]] = defaultdict(list)
    for roll in rolls:
        if roll.sku == batch.sku:
            lots[roll.lot].append(left[roll.code])
    return NotEnoughRolls(
        message,
        fields={
            "job": batch.job,
            "sku": batch.sku,
            "lengths_m": [str(piece.length_m) for piece in batch.pieces],
            "longest_m": str(max((length for each in lots.values() for length in each), default=Decimal(0))),
            "lots": {lot: [str(length) for length in sorted(each, reverse=True)] for lot, each in lots.items()},
        },
    )
