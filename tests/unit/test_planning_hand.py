"""Moves by hand: what is looked at is little, and comes to what putting everything again would come to."""

from dataclasses import replace
from heapq import heappop, heappush

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from production.planning import explain
from production.planning.comparing import compare
from production.planning.errors import NoSlot
from production.planning.hand import Shop, Standing, moved_by_hand
from production.planning.insertion import gaps_of, insert, inserted, place, taken_out
from production.planning.plan import figures_of
from production.planning.problem import (
    After,
    Assignment,
    AttributeSetups,
    Job,
    Machine,
    Operation,
    Pin,
    Problem,
    Setup,
    SetupMatrix,
    Taken,
)
from production.planning.replan import right_shift
from production.planning.validate import faults

DAY = 24 * 60
OPEN = tuple((day * DAY + 6 * 60, day * DAY + 18 * 60) for day in range(40))
# Shorter than any operation: where one between two goes, who follows can still be changed over to.
INKS = SetupMatrix("inks", (AttributeSetups("ink", {("red", "blue"): Setup(15), ("blue", "red"): Setup(10)},
                                            other=Setup(5)),))  # fmt: skip
USUAL = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@st.composite
def shops(draw):
    """A shop of three stages with full machines, its plan, and a wish or three."""
    codes = ["A1", "A2", "B1", "B2", "C1"]
    machines = [
        Machine(code, OPEN, setups="inks" if code != "C1" else "",
                taken=(Taken(2 * DAY + 7 * 60, 2 * DAY + 9 * 60),) if draw(st.booleans()) else ())
        for code in codes
    ]  # fmt: skip
    stages = [["A1", "A2"], ["B1", "B2"], ["C1"]]
    jobs, operations = [], []
    for number in range(draw(st.integers(3, 14))):
        job = Job(f"J{number}", due=draw(st.integers(DAY, 6 * DAY)), weight=draw(st.sampled_from([1.0, 3.0])))
        jobs.append(job)
        route = [stage for stage in stages if draw(st.integers(0, 9))] or [stages[0]]
        if draw(st.integers(0, 5)) == 0:
            route = [*route, route[0]]  # once more over the first machines
        for at, stage in enumerate(route):
            operations.append(
                Operation(
                    f"{job.id}/{at}", job.id,
                    {code: draw(st.integers(20, 240)) for code in stage},
                    after=(After(f"{job.id}/{at - 1}", draw(st.sampled_from([0, 0, 30]))),) if at else (),
                    attributes={"ink": draw(st.sampled_from(["red", "blue", ""]))},
                    splittable=draw(st.booleans()),
                )
            )  # fmt: skip
    problem = Problem(6 * 60, 40 * DAY, tuple(machines), tuple(jobs), tuple(operations), {"inks": INKS})
    plan, gaps = (), gaps_of(problem, ())
    for job in jobs:
        found = insert(gaps, [one for one in operations if one.job == job.id])
        plan, gaps = inserted(problem, plan, found), found.gaps
    plan = right_shift(problem, right_shift(problem, plan))
    pinned = draw(st.sets(st.sampled_from([one.operation for one in plan]), max_size=2))
    at = {one.operation: one for one in plan}
    problem = replace(
        problem,
        operations=tuple(
            replace(one, pin=Pin(at[one.id].machine, at[one.id].start)) if one.id in pinned else one
            for one in operations
        ),
    )
    free = [one for one in operations if one.id not in pinned]
    wishes = {}
    numbers = st.lists(st.integers(0, len(free) - 1), min_size=1, max_size=3, unique=True)
    for one in [free[number] for number in draw(numbers)] if free else ():
        start = at[one.id].start + draw(st.integers(-2 * DAY, 2 * DAY))
        wishes[one.id] = (draw(st.sampled_from(list(one.minutes))), max(problem.start, start))
    return problem, plan, wishes


def put_there(problem, plan, wishes):
    """The plan with what is moved simply put there."""
    at = {one.operation: one for one in plan}
    for one in problem.operations:
        if one.id in wishes:
            machine, start = wishes[one.id]
            yield Assignment(one.id, machine, start, start + one.minutes[machine], start)
        else:
            yield at[one.id]


def all_put_again(problem, plan, wishes):
    """The rule of moves by hand, with everybody on the machines that something is put on taken out and put again."""
    in_order, fixed = {machine for machine, _ in wishes.values()}, {one.id for one in problem.operations if one.pin}
    stood, operations = {one.operation: one for one in plan}, {one.id: one for one in problem.operations}
    position = {one.id: at for at, one in enumerate(problem.operations)}
    placed, gaps, heap, done = dict(stood), gaps_of(problem, plan), [], {}
    out = {id for id, one in stood.items() if id in wishes or (one.machine in in_order and id not in fixed)}

    def waits(id):
        return any(after.operation in out for after in operations[id].after)

    def push(id):
        if not waits(id):
            start = wishes[id][1] if id in wishes else stood[id].start
            heappush(heap, (start, id not in wishes, position[id], id))

    def ready(one):
        return max([problem.start, *(placed[each.operation].end + each.gap_min for each in one.after
                                     if each.operation in placed)])  # fmt: skip

    def take_out(ids):
        """Who stands behind is changed over to anew; who has not the time for it gives way too."""
        nonlocal gaps
        gaps, changed = taken_out(gaps, [placed.pop(id) for id in ids])
        placed.update({one.operation: one for one in changed})
        out.update(ids)
        for id in ids:
            done.get(stood[id].machine, set()).discard(id)
        for one in changed:
            row = gaps.rows[one.machine]
            if one.operation in placed and one.operation not in fixed and (
                one.changeover < row.begins[row.starts.index(one.start)]
            ):  # fmt: skip
                take_out([one.operation])
                push(one.operation)

    take_out(sorted(out))
    for id in sorted(out):
        push(id)
    while heap:
        *_, id = heappop(heap)
        if id not in out or waits(id):  # what it comes after was taken out since, and calls it when it has its place
            continue
        machine, start = wishes.get(id) or (stood[id].machine, stood[id].start)
        last = max((placed[each].end for each in done.get(machine, ()) if each in placed), default=0)
        since = {machine: last} if machine in in_order else None
        one = operations[id]
        gaps, new, changed = place(gaps, [one], max(start, ready(one)), machines=[machine], since=since)
        placed |= {each.operation: each for each in (*changed, *new)}
        out.discard(id)
        done.setdefault(machine, set()).add(id)
        for other in problem.operations:
            if all(after.operation != id for after in other.after) or other.id in fixed:
                continue
            if other.id in out:
                push(other.id)
            elif placed[other.id].start < ready(other):
                take_out([other.id])
                push(other.id)
    return tuple(placed[one.id] for one in problem.operations)


def tried(way):
    try:
        return way()
    except NoSlot:
        return None


@USUAL
@given(shops())
def test_shifting_who_is_in_the_way_comes_to_what_shifting_everybody_does(found):
    problem, plan, wishes = found
    if not wishes or right_shift(problem, plan) != plan:
        return
    standing = Standing(Shop(problem), plan)
    shifted = standing._with(wishes, standing.shop.machines.keys())
    whole = tried(lambda: right_shift(problem, tuple(put_there(problem, plan, wishes)), first=wishes.keys()))
    assert (shifted and shifted.assignments) == whole


@USUAL
@given(shops())
def test_making_room_for_a_bar_comes_to_what_putting_all_of_its_machine_again_does(found):
    problem, plan, wishes = found
    if not wishes or right_shift(problem, plan) != plan:
        return
    standing = Standing(Shop(problem), plan)
    moved = standing._with(wishes, {machine for machine, _ in wishes.values()})
    assert (moved and moved.assignments) == tried(lambda: all_put_again(problem, plan, wishes))


@USUAL
@given(shops(), st.data())
def test_moves_one_after_another_break_no_rule_and_leave_the_plan_before_as_it_was(found, data):
    problem, plan, wishes = found
    standing = Standing(Shop(problem), plan)
    for _ in range(3):
        if not wishes:
            return
        before = standing.assignments
        moved = standing.moved(wishes)
        assert standing.assignments == before
        assert moved.assignments == moved_by_hand(problem, before, wishes)
        # What is pinned stays, even if what it comes after is put later: the planner is told, and nothing is kept.
        broken = faults(problem, moved.assignments)
        assert [each for each in broken if each.code != "after" or each.operation not in standing.shop.fixed] == []
        assert all(moved.placed[id].machine == machine for id, (machine, _) in wishes.items())
        assert all(moved.placed[id].start >= start for id, (_, start) in wishes.items())
        known = compare(problem, plan, moved.assignments, figures=(figures_of(problem, plan), moved.figures))
        assert known == compare(problem, plan, moved.assignments)
        said = explain.waits(problem, moved.assignments, wishes)
        for id in wishes:
            assert said[id] == " ".join(explain.why(problem, moved.assignments, id).sentences[:2])
        standing = moved
        wishes = {id: (machine, max(problem.start, start + data.draw(st.integers(-600, 600))))
                  for id, (machine, start) in wishes.items()}  # fmt: skip


def test_who_has_to_go_behind_what_is_pinned_is_changed_over_from_that():
    machines = (Machine("Q", OPEN, taken=(Taken(380, 410),)), Machine("P", OPEN, setups="inks"))
    red = {"ink": "red"}
    operations = (
        Operation("before", "A", {"Q": 20}),
        Operation("mine", "A", {"P": 20}, after=(After("before"),), attributes=red),
        Operation("pinned", "B", {"P": 20}, attributes=red, pin=Pin("P", 400)),
        Operation("moved", "C", {"P": 20}, attributes=red),
    )
    problem = Problem(6 * 60, 40 * DAY, machines, (Job("A"), Job("B"), Job("C")), operations, {"inks": INKS})
    plan = (
        Assignment("before", "Q", 360, 380, 360),
        Assignment("mine", "P", 380, 400, 375),  # what the machine was set for before is not known
        Assignment("pinned", "P", 400, 420, 400),
        Assignment("moved", "P", 500, 520, 500),
    )
    assert faults(problem, plan) == ()
    moved = moved_by_hand(problem, plan, {"before": ("Q", 390), "moved": ("P", 480)})
    assert moved == (
        Assignment("before", "Q", 410, 430, 410),
        Assignment("mine", "P", 430, 450, 430),
        Assignment("pinned", "P", 400, 420, 395),
        Assignment("moved", "P", 480, 500, 480),
    )
    assert faults(problem, moved) == ()
