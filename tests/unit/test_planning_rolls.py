"""Every print length finds a roll, all of a job from one lot, wherever there is a way at all."""

from dataclasses import replace
from decimal import Decimal
from itertools import product
from unittest.mock import patch

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from production.planning import rolls as module
from production.planning.check import check
from production.planning.errors import NotEnoughRolls
from production.planning.problem import Assignment, Cloth, Job, Machine, Operation, Problem, Roll
from production.planning.rolls import cut, ready, with_rolls
from production.planning.validate import faults

LATER = 500


def roll(code, length, lot="L1", sku="VELVET", at=None):
    return Roll(code, sku, lot, Decimal(length), at)


def piece(id, length, job="J", held="", sku="VELVET"):
    return Operation(id, job, {"P": 10}, cloth=Cloth(sku, Decimal(length), held))


def shop(pieces, rolls):
    jobs = tuple(Job(job) for job in dict.fromkeys(one.job for one in pieces))
    return Problem(0, 1000, (Machine("P", ((0, 1000),)),), jobs, tuple(pieces), rolls=tuple(rolls))


def test_a_length_is_cut_from_the_shortest_roll_that_is_long_enough():
    rolls = [roll("R1", 50), roll("R2", "10.5"), roll("R3", "10.4"), roll("R4", 12)]
    assert cut(shop([piece("a", "10.5")], rolls)) == {"a": "R2"}


def test_a_roll_that_is_there_goes_before_a_shorter_one_that_comes():
    rolls = [roll("R1", 11, at=LATER), roll("R2", 50)]
    assert cut(shop([piece("a", 10)], rolls)) == {"a": "R2"}
    assert cut(shop([piece("a", 10)], rolls[:1])) == {"a": "R1"}


def test_a_roll_that_was_begun_is_used_up_first():
    rolls = [roll("R1", 30), roll("R2", 30)]
    pieces = [piece("a", 12, job="J", held="R2"), piece("b", 10, job="K"), piece("c", 8, job="M")]
    assert cut(shop(pieces, rolls)) == {"a": "R2", "b": "R2", "c": "R2"}


def test_all_of_a_job_and_fabric_come_from_one_lot_and_another_job_may_differ():
    rolls = [roll("R1", 10, "A"), roll("R2", 10, "B"), roll("R3", 9, "B"), roll("R4", 9, "A", sku="TWILL")]
    pieces = [piece("a", 9), piece("b", 9), piece("t", 5, sku="TWILL"), piece("k", 9, job="K")]
    assert cut(shop(pieces, rolls)) == {"a": "R3", "b": "R2", "t": "R4", "k": "R1"}


def test_what_holds_a_roll_keeps_it_and_binds_its_job_to_the_lot():
    rolls = [roll("R1", 5, "A"), roll("R2", 30, "B"), roll("R3", 20, "B")]
    found = cut(shop([piece("a", 5, held="R2"), piece("b", 5), piece("c", 5, job="K")], rolls))
    assert found == {"a": "R2", "b": "R3", "c": "R1"}


def test_with_starts_a_roll_is_there_in_time():
    rolls = [roll("R1", 10, at=LATER), roll("R2", 50, at=LATER + 100)]
    problem = shop([piece("a", 10)], rolls)
    assert cut(problem, starts={"a": LATER}) == {"a": "R1"}
    with pytest.raises(NotEnoughRolls, match="is not there by then"):
        cut(problem, starts={"a": LATER - 1})
    taken = shop([piece("a", 10), piece("b", 10, job="K")], rolls)
    assert cut(taken, starts={"b": LATER, "a": 900}) == {"a": "R2", "b": "R1"}


def test_where_greed_leaves_somebody_without_the_exact_model_finds_a_way(monkeypatch):
    """Greedily 6 m go on the roll of 9 and 5 on that of 10, and 4 with 4 find no roll of one lot."""
    rolls = [roll("R1", 9, "A"), roll("R2", 10, "A")]
    pieces = [piece("a", 6, "J"), piece("b", 5, "K"), piece("c", 4, "M"), piece("d", 4, "N")]
    assert sorted(cut(shop(pieces, rolls)).values()) == ["R1", "R1", "R2", "R2"]
    monkeypatch.setattr(module, "_exact", lambda *_: None)
    with pytest.raises(NotEnoughRolls):
        cut(shop(pieces, rolls))


def test_what_is_missing_is_named_with_job_lengths_longest_and_lots():
    rolls = [roll("R1", 10, "A"), roll("R2", "8.5", "B"), roll("R3", 4, "B")]
    with pytest.raises(NotEnoughRolls) as error:
        cut(shop([piece("a", 9, "K"), piece("b", "12.9"), piece("c", 3)], rolls))
    assert error.value.message == (
        "J needs 12.9 m and 3 m of VELVET of one lot, each in one length, but the longest roll that is left is 8.5 m: "
        "order a roll, or divide the length."
    )
    assert error.value.fields == {
        "job": "J",
        "sku": "VELVET",
        "lengths_m": ["12.9", "3"],
        "longest_m": "8.5",
        "lots": {"A": ["1"], "B": ["8.5", "4"]},
    }


def test_a_fabric_of_which_there_is_no_roll_is_named():
    with pytest.raises(NotEnoughRolls, match="there is no roll of TWILL"):
        cut(shop([piece("a", 5, sku="TWILL")], [roll("R1", 10)]))


def test_more_held_than_a_roll_is_long_and_lots_that_differ_are_refused():
    with pytest.raises(NotEnoughRolls, match="Roll R1 is 10 m long, 2 m less than what is held of it"):
        cut(shop([piece("a", 6, held="R1"), piece("b", 6, held="R1")], [roll("R1", 10)]))
    with pytest.raises(NotEnoughRolls, match="R1 of lot A, R2 of lot B"):
        cut(shop([piece("a", 6, held="R1"), piece("b", 6, held="R2")], [roll("R1", 10, "A"), roll("R2", 10, "B")]))


def test_without_rolls_there_is_nothing_to_choose():
    assert cut(shop([piece("a", 6, held="R9"), piece("b", 6)], [])) == {"a": "R9"}


def test_operations_are_released_when_their_roll_is_there():
    problem = shop([piece("a", 10), piece("b", 20, "K")], [roll("R1", 10), roll("R2", 20, at=LATER)])
    found = cut(problem)
    assert ready(problem, found) == {"b": LATER}
    held = with_rolls(problem, found)
    check(held)
    assert [(one.cloth.roll, one.release) for one in held.operations] == [("R1", None), ("R2", LATER)]
    later = replace(problem, operations=(problem.operations[0], replace(problem.operations[1], release=LATER + 1)))
    assert with_rolls(later, found).operations[1].release == LATER + 1
    assert cut(held) == found


def test_three_hundred_lengths_on_a_hundred_rolls_are_the_same_every_time():
    rolls = [roll(f"R{n}", 40 + n % 7, f"L{n % 9}") for n in range(100)]
    pieces = [piece(f"o{n}", f"{3 + n * 7 % 20}.{n % 10}", f"J{n // 3}") for n in range(300)]
    found = cut(shop(pieces, rolls))
    assert found == cut(shop(pieces, rolls))
    assert len(found) == 300


# ---------------------------------------------------------------------------------------------- against all ways

tenths = st.integers(1, 60).map(lambda number: Decimal(number) / 10)


@st.composite
def small(draw):
    rolls = [
        roll(f"R{n}", draw(tenths) * 2, draw(st.sampled_from("AB")), at=draw(st.sampled_from([None, None, LATER])))
        for n in range(draw(st.integers(1, 4)))
    ]
    pieces = [
        piece(f"o{n}", draw(tenths), draw(st.sampled_from("JK")), draw(st.sampled_from(["", "", "", "R0"])))
        for n in range(draw(st.integers(1, 5)))
    ]
    starts = {one.id: draw(st.sampled_from([0, LATER])) for one in pieces} if draw(st.booleans()) else None
    return shop(pieces, rolls), starts


def is_allowed(problem, found, starts):
    """The rule by its words."""
    rolls = {one.code: one for one in problem.rolls}
    lots = {}
    for one in problem.operations:
        mine = rolls[found[one.id]]
        lots.setdefault(one.job, set()).add(mine.lot)
        if one.cloth.roll and one.cloth.roll != mine.code:
            return False
        if starts and not one.cloth.roll and mine.ready is not None and mine.ready > starts[one.id]:
            return False
    used = {
        code: sum(one.cloth.length_m for one in problem.operations if found[one.id] == code) for code in found.values()
    }
    return all(len(each) == 1 for each in lots.values()) and all(
        length <= rolls[code].length_m for code, length in used.items()
    )


def greedy_fails(batches, *_):
    return {}, next((one for one in batches if not all(each.roll for each in one.pieces)), None)


@pytest.mark.parametrize("greedy", [module._greedy, greedy_fails], ids=["greedy first", "exact alone"])
@settings(max_examples=200, deadline=None)
@given(asked=small())
def test_a_way_is_found_exactly_where_there_is_one(greedy, asked):
    problem, starts = asked
    ids, codes = [one.id for one in problem.operations], [one.code for one in problem.rolls]
    ways = [
        way
        for each in product(codes, repeat=len(ids))
        if is_allowed(problem, way := dict(zip(ids, each, strict=True)), starts)
    ]
    with patch.object(module, "_greedy", greedy):
        if not ways:
            with pytest.raises(NotEnoughRolls):
                cut(problem, starts=starts)
            return
        found = cut(problem, starts=starts)
    assert found in ways
    fewest = min(len(set(way.values())) for way in ways)
    event(f"{len(set(found.values())) - fewest} rolls more than the fewest")


@settings(max_examples=100, deadline=None)
@given(small())
def test_the_validator_passes_what_is_cut(asked):
    problem, _ = asked
    try:
        found = cut(problem)
    except NotEnoughRolls:
        return
    plan = [
        Assignment(one.id, "P", LATER + 10 * n, LATER + 10 * n + 10, LATER + 10 * n, roll=found[one.id])
        for n, one in enumerate(problem.operations)
    ]
    assert faults(problem, plan) == ()
