"""A job goes into the gaps of a plan: nobody moves, every rule holds, and no earlier end exists."""

import random
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from production.planning.errors import InvalidRoute, NoSlot, NotEnoughRolls
from production.planning.insertion import OpenTime, Row, gaps_of, insert, inserted, with_job
from production.planning.problem import (
    After,
    Assignment,
    AttributeSetups,
    Cloth,
    Job,
    Machine,
    Operation,
    Pin,
    Problem,
    Roll,
    Setup,
    SetupMatrix,
    Taken,
)
from production.planning.validate import faults
from tests.benchmarks.planning_instances import textile

INK = SetupMatrix("printer", (AttributeSetups("ink", other=Setup(30)),))
PRINTER = Machine("PRT1", open=((0, 480),), setups="printer", state={"ink": "acid"})


def printed(id, job, minutes=60, ink="acid", machine="PRT1", **more):
    return Operation(id, job, {machine: minutes}, attributes={"ink": ink}, **more)


def shop(*operations, machines=(PRINTER,), end=480, **more):
    jobs = tuple(Job(id) for id in dict.fromkeys(one.job for one in operations))
    return Problem(0, end, tuple(machines), jobs, tuple(operations), {"printer": INK}, **more)


def put(problem, assignments, *operations, **more):
    return insert(gaps_of(problem, assignments), operations, job=Job("NEW"), **more)


# ---------------------------------------------------------------------------------------------- a gap


def test_what_fits_a_gap_goes_there_and_what_does_not_goes_behind():
    plan = [Assignment("A", "PRT1", 0, 60, 0), Assignment("B", "PRT1", 120, 180, 120)]
    problem = shop(printed("A", "J1"), printed("B", "J2"))
    assert put(problem, plan, printed("N", "NEW", 60)).assignments[0].start == 60
    assert put(problem, plan, printed("N", "NEW", 61)).assignments[0].start == 180


def test_the_changeover_before_has_to_fit():
    plan = [Assignment("A", "PRT1", 0, 60, 0)]
    found = put(shop(printed("A", "J1")), plan, printed("N", "NEW", 60, "reactive")).assignments[0]
    assert (found.changeover, found.start, found.end) == (60, 90, 150)


def test_the_changeover_of_the_displaced_successor_has_to_fit():
    """From acid to reactive and back: 30 + 60 + 30 minutes, and a minute less is none."""
    problem = shop(printed("A", "J1"), printed("B", "J2"))
    for free, start in ((120, 90), (119, 239 + 30)):
        plan = [Assignment("A", "PRT1", 0, 60, 0), Assignment("B", "PRT1", 60 + free, 120 + free, 60 + free)]
        found = put(problem, plan, printed("N", "NEW", 60, "reactive"))
        assert found.assignments[0].start == start
        assert [one.changeover for one in found.displaced] == ([150] if free == 120 else [])


def test_a_successor_that_needs_no_changeover_any_more_begins_later():
    plan = [Assignment("A", "PRT1", 0, 60, 0), Assignment("B", "PRT1", 300, 360, 270)]
    problem = shop(printed("A", "J1"), printed("B", "J2", ink="reactive"))
    found = put(problem, plan, printed("N", "NEW", 60, "reactive"))
    assert found.displaced == (Assignment("B", "PRT1", 300, 360, 300),)
    assert not faults(
        with_job(problem, Job("NEW"), [printed("N", "NEW", 60, "reactive")]), inserted(problem, plan, found)
    )


def test_a_booking_of_others_leaves_the_state_but_no_changeover_lies_across_it():
    machine = replace(PRINTER, taken=(Taken(100, 200),))
    problem = shop(printed("B", "J2", ink="reactive"), machines=[machine])
    plan = [Assignment("B", "PRT1", 240, 300, 210)]
    # Before the booking it would be set for acid still; the changeover of B lies after the booking, as it did.
    assert put(problem, plan, printed("N", "NEW", 60, "acid")).assignments[0].start == 0
    # Set for pigment before the booking, B would find 30 minutes after it for its changeover: just enough.
    near = [Assignment("B", "PRT1", 229, 289, 229)]
    odd = shop(printed("B", "J2", ink="acid"), machines=[machine])
    assert put(odd, near, printed("N", "NEW", 60, "pigment")).assignments[0].start == 289 + 30


def test_nobody_moves_and_the_index_stays_as_it_was():
    plan = [Assignment("A", "PRT1", 0, 60, 0), Assignment("B", "PRT1", 120, 180, 120)]
    gaps = gaps_of(shop(printed("A", "J1"), printed("B", "J2")), plan)
    first = insert(gaps, [printed("N", "NEW", 60)], job=Job("NEW"))
    again = insert(gaps, [printed("N", "NEW", 60)], job=Job("NEW"))
    assert first.assignments == again.assignments
    assert insert(first.gaps, [printed("M", "OTHER", 60)], job=Job("OTHER")).assignments[0].start == 180


def test_a_second_step_on_the_same_machine_finds_it_set_by_the_first():
    route = (printed("N1", "NEW", 60, "reactive"), printed("N2", "NEW", 30, "reactive", after=(After("N1", 15),)))
    found = put(shop(), [], *route)
    assert [(one.changeover, one.start, one.end) for one in found.assignments] == [(0, 30, 90), (105, 105, 135)]


def test_a_changeover_may_pause_overnight_but_a_print_may_not():
    machine = replace(PRINTER, open=((0, 100), (200, 300)))
    found = put(shop(machines=[machine]), [], printed("N", "NEW", 80, "reactive")).assignments[0]
    assert (found.changeover, found.start, found.end) == (70, 200, 280)
    woven = put(shop(machines=[machine]), [], printed("N", "NEW", 80, "reactive", splittable=True)).assignments[0]
    assert (woven.changeover, woven.start, woven.end) == (0, 30, 210)


def test_overtime_is_used_only_where_it_is_asked_for_and_ends_earlier():
    machine = replace(PRINTER, open=((0, 60), (200, 300)), overtime=((60, 120),))
    problem = shop(machines=[machine])
    regular, longer = (put(problem, [], printed("N", "NEW", 90), overtime=asked) for asked in (False, True))
    assert (regular.assignments[0].start, regular.assignments[0].overtime) == (200, False)
    assert (longer.assignments[0].start, longer.assignments[0].overtime) == (0, True)
    assert put(problem, [], printed("N", "NEW", 50), overtime=True).assignments[0].overtime is False


def test_nothing_new_starts_in_the_frozen_zone():
    assert put(shop(frozen_until=200), [], printed("N", "NEW")).assignments[0].start == 200


def test_releases_and_branches_are_waited_for():
    first = printed("N1", "NEW", 60, release=40)
    second = printed("N2", "NEW", 30, machine="PRT2")
    last = Operation("N3", "NEW", {"PRT2": 10}, after=(After("N1", 5), After("N2")), attributes={"ink": "acid"})
    machines = [PRINTER, replace(PRINTER, code="PRT2")]
    found = insert(gaps_of(shop(machines=machines), []), [last, first, second], job=Job("NEW", release=10))
    assert [one.start for one in found.assignments] == [105, 40, 10]


def test_a_pin_of_the_new_operation_is_kept_to_the_minute():
    both = Operation("N", "NEW", {"PRT1": 60, "PRT2": 30}, attributes={"ink": "acid"}, pin=Pin("PRT1", 77))
    machines = [PRINTER, replace(PRINTER, code="PRT2")]
    assert put(shop(machines=machines), [], both).assignments[0] == Assignment("N", "PRT1", 77, 137, 77)
    taken = replace(PRINTER, taken=(Taken(100, 120),))
    with pytest.raises(NoSlot, match="N has no free 1 h on PRT1 minute 77: choose another time"):
        put(shop(machines=[taken, machines[1]]), [], both)


# ---------------------------------------------------------------------------------------------- loads

STEAMER = Machine("STEAM", open=((0, 480),), load=100, load_by=("class",))


def steamed(id, job, minutes=30, load=40, kind="wet", **more):
    return Operation(id, job, {"STEAM": minutes}, attributes={"class": kind}, load=load, **more)


def load_of(*, load=50, kind="wet", minutes=30, **more):
    problem = shop(steamed("A", "J1", load=50), machines=[STEAMER])
    standing = [Assignment("A", "STEAM", 100, 130, 100)]
    return put(problem, standing, steamed("N", "NEW", minutes, load, kind, **more), ready=80).assignments[0].start


def test_a_load_that_has_room_and_agrees_is_joined():
    assert load_of(load=50) == 100


@pytest.mark.parametrize("wrong", [{"load": 51}, {"kind": "dry"}, {"minutes": 31}, {"release": 101}])
def test_a_load_that_is_full_differs_is_too_short_or_too_early_is_not_joined(wrong):
    assert load_of(**wrong) >= 130


# ---------------------------------------------------------------------------------------------- rolls


def roll(code, length, lot="L1", ready=None):
    return Roll(code, "VELVET", lot, Decimal(length), ready)


def cut(id, length, after=()):
    return printed(id, "NEW", 10, cloth=Cloth("VELVET", Decimal(length)), after=after)


def test_print_lengths_are_cut_from_one_lot_and_the_shortest_roll_that_suffices():
    rolls = (roll("R1", 50), roll("R2", 12), roll("R3", 9), roll("R4", 40, "L2"))
    found = put(shop(rolls=rolls), [], cut("N1", 8), cut("N2", 10), cut("N3", 45))
    assert [one.roll for one in found.assignments] == ["R3", "R2", "R1"]


def test_a_lot_that_comes_later_is_waited_for_where_none_is_there():
    rolls = (roll("R1", 12), roll("R2", 11, "L2"), roll("R3", 30, "L2", ready=200))
    found = put(shop(rolls=rolls), [], cut("N1", 10), cut("N2", 10))
    assert {one.roll for one in found.assignments} == {"R2", "R3"} or all(one.roll == "R3" for one in found.assignments)
    assert max(one.start for one in found.assignments if one.roll == "R3") >= 200


def test_what_stands_has_cut_its_rolls_already():
    rolls = (roll("R1", 20), roll("R2", 30, "L2"))
    standing = printed("A", "J1", cloth=Cloth("VELVET", Decimal(15)))
    found = put(shop(standing, rolls=rolls), [Assignment("A", "PRT1", 0, 60, 0, roll="R1")], cut("N", 10))
    assert found.assignments[0].roll == "R2"


def test_lengths_that_no_lot_has_are_refused_with_what_there_is():
    with pytest.raises(NotEnoughRolls, match="NEW needs 20 m and 15 m of VELVET from one lot") as error:
        put(shop(rolls=(roll("R1", 20), roll("R2", 15, "L2"))), [], cut("N1", 15), cut("N2", 20))
    assert error.value.fields["lots"] == {"L1": ["20"], "L2": ["15"]}


# ---------------------------------------------------------------------------------------------- when there is none


@pytest.mark.parametrize(
    ("machine", "operation", "reason"),
    [
        (replace(PRINTER, open=()), printed("N", "NEW"), "never_open"),
        (replace(PRINTER, open=((0, 50), (60, 110))), printed("N", "NEW"), "too_long"),
        (replace(PRINTER, taken=(Taken(30, 450),)), printed("N", "NEW"), "busy"),
    ],
)
def test_where_nothing_fits_the_reason_is_named(machine, operation, reason):
    with pytest.raises(NoSlot, match="N") as error:
        put(shop(machines=[machine]), [], operation)
    assert error.value.fields["reason"] == reason


def test_a_circle_and_a_missing_predecessor_are_refused():
    with pytest.raises(InvalidRoute, match="N1, N2 wait for one another"):
        put(shop(), [], printed("N1", "NEW", after=(After("N2"),)), printed("N2", "NEW", after=(After("N1"),)))
    with pytest.raises(InvalidRoute, match="N1 comes after GONE"):
        put(shop(), [], printed("N1", "NEW", after=(After("GONE"),)))


# ---------------------------------------------------------------------------------------------- open time

spans = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), max_size=5)


@given(spans, st.integers(0, 60), st.integers(0, 30))
def test_open_time_agrees_with_counting_minute_by_minute(drawn, minute, minutes):
    at, opened = 0, []
    for closed, length in drawn:
        opened.append((at + closed, at + closed + length))
        at += closed + length
    time = OpenTime.of(opened)
    runs = [any(a <= m < b for a, b in opened) for m in range(200)]
    assert time.worked(minute) == sum(runs[:minute])
    if minutes:
        done = next((m for m in range(minute, 200) if sum(runs[minute:m]) == minutes), None)
        begun = next((m for m in range(minute, -1, -1) if sum(runs[m:minute]) == minutes), None)
        assert time.done(minute, minutes) == done
        assert time.begun(minute, minutes) == begun


# ---------------------------------------------------------------------------------------------- any shop

END = 220
COLOURS = ("red", "blue", "")


def setup(chance):
    return Setup(chance.choice((0, 3, 7, 15)))


def small_shop(chance):
    """Three machines, one of them with loads, with holes in their time, and a plan with holes in it."""
    matrices = {}
    for code in ("A", "B"):
        each = []
        for name in ("ink", "cloth")[: chance.randint(1, 2)]:
            pairs = {(chance.choice(COLOURS), chance.choice((*COLOURS, "*"))): setup(chance) for _ in range(3)}
            each.append(AttributeSetups(name, pairs, same=Setup(chance.choice((0, 0, 2))), other=setup(chance)))
        matrices[code] = SetupMatrix(code, tuple(each), chance.choice(("sum", "max")))
    machines = []
    for number in range(3):
        edges = sorted(chance.sample(range(0, END, 2), 6))
        taken = [Taken(at, at + chance.randint(1, 15)) for at in chance.sample(range(END), chance.randint(0, 2))]
        longer = tuple((a, b) for a, b in [(edges[1], edges[2])] if b - a > 4 and chance.random() < 0.5)
        machines.append(
            Machine(
                f"M{number}",
                open=tuple((a, b) for a, b in zip(edges[::2], edges[1::2], strict=True)),
                overtime=tuple((a, b - 2) for a, b in longer),
                taken=tuple(taken),
                setups=chance.choice(("A", "B", "")),
                state={"ink": chance.choice(COLOURS)},
                load=10 if number == 2 else 0,
                load_by=("ink",) if number == 2 else (),
            )
        )
    problem = Problem(0, END, tuple(machines), (), (), matrices, frozen_until=chance.choice((None, 20)))
    plan = ()
    for number in range(chance.randint(1, 6)):
        job, operations = small_job(chance, f"J{number}")
        try:
            found = insert(
                gaps_of(problem, plan), operations, job=job, ready=chance.randrange(150), overtime=chance.random() < 0.5
            )
        except NoSlot:
            continue
        problem = with_job(problem, job, operations)
        plan = inserted(problem, plan, found)
    return problem, plan


def small_job(chance, name):
    operations = []
    for number in range(chance.randint(1, 3)):
        codes = chance.sample(("M0", "M1", "M2"), chance.randint(1, 3))
        before = tuple(After(one.id, chance.choice((0, 4))) for one in operations if chance.random() < 0.7)
        operations.append(
            Operation(
                f"{name}.{number}",
                name,
                {code: chance.randint(1, 18) for code in codes},
                after=before,
                release=chance.choice((None, chance.randrange(100))),
                attributes={"ink": chance.choice(COLOURS), "cloth": chance.choice(COLOURS)},
                splittable=chance.random() < 0.4,
                load=chance.randint(1, 6),
            )
        )
    return Job(name, release=chance.choice((None, 10))), tuple(operations)


def scan(problem, plan, operation):
    """The earliest end by trying every machine and minute before the validator; None where there is none."""
    ends = [
        new.end
        for code, minutes in operation.minutes.items()
        for start in range(problem.frozen_until or 0, END)
        for new in possible(problem, plan, operation, code, start, minutes)
        if not faults(problem, changed_over(problem, plan, new))
    ]
    return min(ends, default=None)


def opened(problem, one):
    machine = next(machine for machine in problem.machines if machine.code == one.machine)
    return {m for a, b in (*machine.open, *(machine.overtime if one.overtime else ())) for m in range(a, b)}


def possible(problem, plan, operation, code, start, minutes):
    """That operation at that minute by itself, and in the load that starts then."""
    new = Assignment(operation.id, code, start, start, start)
    runs, end, worked = opened(problem, new), start, 0
    while worked < minutes and end < END:
        worked += end in runs
        end += 1
    if start in runs and worked == minutes:
        yield replace(new, end=end)
    if next(machine for machine in problem.machines if machine.code == code).load:
        for one in plan:
            if (one.machine, one.start) == (code, start):
                yield replace(one, operation=operation.id)


def changed_over(problem, plan, new):
    """The plan with the new one, where its changeover and that of what follows are begun as late as they can be."""
    attributes = {one.id: one.attributes for one in problem.operations}
    machine = next(one for one in problem.machines if one.code == new.machine)
    whole = {one.operation: one for one in (*plan, new)}
    row = [whole[one.id] for one in problem.operations if whole.get(one.id, new).machine == machine.code]
    state, seen, past = machine.state, set(), False
    for one in sorted(row, key=lambda one: one.start):
        if machine.load and (one.start, one.end) in seen:
            continue
        seen.add((one.start, one.end))
        load = [each for each in row if machine.load and (each.start, each.end) == (one.start, one.end)] or [one]
        past = past or new in load
        if (past and new.start < one.start) or load == [new]:
            takes = (
                problem.setups[machine.setups].between(state, attributes[load[0].operation]) if machine.setups else 0
            )
            runs, begin, worked = opened(problem, one), one.start, 0
            while takes and worked < takes.minutes and begin > 0:
                begin -= 1
                worked += begin in runs
            whole |= {each.operation: replace(each, changeover=begin) for each in load}
        past, state = past and one.start <= new.start, attributes[load[0].operation]
    return tuple(whole.values())


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_no_earlier_end_exists_by_trying_every_minute(seed):
    chance = random.Random(seed)
    problem, plan = small_shop(chance)
    job, operations = small_job(chance, "NEW")
    problem = replace(problem, jobs=(*problem.jobs, job))
    for operation in operations:
        grown = replace(problem, operations=(*problem.operations, operation))
        expected = scan(grown, plan, operation)
        if expected is None:
            with pytest.raises(NoSlot):
                insert(gaps_of(problem, plan), [operation])
            return
        found = insert(gaps_of(problem, plan), [operation])
        assert found.end == expected
        problem, plan = grown, inserted(problem, plan, found)


def moved(before, after):
    """Those of a plan that are elsewhere in another; only when their changeover begins may have changed."""
    there = {one.operation: replace(one, changeover=0) for one in after}
    return [one for one in before if there[one.operation] != replace(one, changeover=0)]


def insertions(chance, tries):
    """Small shops with a job put in: (problem, plan before, plan after)."""
    for _ in range(tries):
        problem, plan = small_shop(chance)
        job, operations = small_job(chance, "NEW")
        try:
            found = insert(gaps_of(problem, plan), operations, job=job, overtime=chance.random() < 0.5)
        except NoSlot:
            continue
        yield with_job(problem, job, operations), plan, inserted(problem, plan, found)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_every_insertion_into_any_shop_is_feasible_and_moves_nobody(seed):
    for problem, before, after in insertions(random.Random(seed), 25):
        assert not faults(problem, after)
        assert not moved(before, after)


def orders(problem):
    by_job = {}
    for one in problem.operations:
        by_job.setdefault(one.job, []).append(one)
    return [(next(job for job in problem.jobs if job.id == id), tuple(each)) for id, each in by_job.items()]


@pytest.mark.parametrize("loads", [False, True])
def test_a_shop_for_textiles_is_filled_order_by_order_and_nobody_moves(loads):
    """As 200 operations come in one after another: the plan is judged after each, with what stood before in place."""
    whole = textile(200, seed=3, loads=loads)
    problem, plan, gaps = replace(whole, jobs=(), operations=()), (), None
    for job, operations in orders(whole):
        gaps = gaps_of(problem, plan)
        found = insert(gaps, operations, job=job)
        problem, before = with_job(problem, job, operations), plan
        plan = inserted(problem, plan, found)
        assert not faults(problem, plan)
        assert not moved(before, plan)
    assert len(plan) == 200


def test_an_index_that_grew_equals_one_that_is_built_anew():
    whole = textile(60, seed=5, loads=True)
    problem, gaps, plan = (
        replace(whole, jobs=(), operations=()),
        gaps_of(replace(whole, jobs=(), operations=()), ()),
        (),
    )
    for job, operations in orders(whole):
        found = insert(gaps, operations, job=job)
        problem = with_job(problem, job, operations)
        plan, gaps = inserted(problem, plan, found), found.gaps
        anew = gaps_of(problem, plan)
        assert gaps.rows == anew.rows
        assert gaps.ends == anew.ends


def test_without_the_successors_changeover_the_validator_objects(monkeypatch):
    """The guard is needed: as if who follows could do with what it had."""
    monkeypatch.setattr(Row, "_limit", lambda self, work, gap: self.starts[gap] if gap < len(self.starts) else self.end)
    found = [faults(problem, after) for problem, _, after in insertions(random.Random(1), 150)]
    assert any(fault.code == "changeover" for each in found for fault in each)


def test_without_the_changeover_before_the_validator_objects(monkeypatch):
    monkeypatch.setattr(Row, "state_in", lambda self, gap: self.state)
    found = [faults(problem, after) for problem, _, after in insertions(random.Random(1), 150)]
    assert any(fault.code == "changeover" for each in found for fault in each)
