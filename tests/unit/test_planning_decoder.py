"""The compiled decoder does what the reference says, and what it makes is a plan."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from production.planning.check import check
from production.planning.decoder import PLACED, assignments_of, decoded
from production.planning.errors import InvalidProblem
from production.planning.floor import floor_of
from production.planning.openings import merged
from production.planning.plan import figures_of
from production.planning.problem import (
    ANY,
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
    Weights,
)
from production.planning.reference import decode
from production.planning.validate import faults

HORIZON = 900
SETUPS = {
    "printer": SetupMatrix(
        "printer",
        (
            AttributeSetups("fabric", same=Setup(2), other=Setup(15, Decimal("0.50"))),
            AttributeSetups(
                "ink", {("a", "b"): Setup(5), ("c", ANY): Setup(9), (ANY, "c"): Setup(40)}, other=Setup(20)
            ),
        ),
        combine="max",
    ),
    "washer": SetupMatrix("washer", (AttributeSetups("shade", {("dark", "light"): Setup(12)}, other=Setup(4)),)),
}


@st.composite
def spans(draw, most=4, first=0):
    edges = sorted(draw(st.sets(st.integers(first, HORIZON), min_size=2, max_size=2 * most)))
    return tuple(merged(zip(edges[::2], edges[1::2], strict=False)))


@st.composite
def machines(draw, code):
    opened = draw(st.one_of(st.just(((0, HORIZON),)), spans()))
    overtime = ()
    if draw(st.booleans()):
        closed = list(zip((0, *(b for _, b in opened)), (*(a for a, _ in opened), HORIZON), strict=True))
        overtime = tuple(one for one in closed if one[0] < one[1] and draw(st.booleans()))
    taken = tuple(Taken(a, b) for a, b in draw(st.one_of(st.just(()), spans(most=2))))
    load = draw(st.sampled_from((0, 0, 3)))
    return Machine(
        code,
        opened,
        overtime=overtime,
        taken=taken,
        setups=draw(st.sampled_from(("", "printer", "washer"))),
        state=draw(st.sampled_from(({}, {"fabric": "x", "ink": "a", "shade": "dark"}))),
        load=load,
        load_by=draw(st.sampled_from(((), ("shade",), ("fabric", "shade")))) if load else (),
    )


@st.composite
def problems(draw):
    """Shops with a bit of everything, that `check` lets pass."""
    count = draw(st.integers(1, 3))
    shop = [draw(machines(f"M{number}")) for number in range(count)]
    jobs = [
        Job(
            f"J{n}",
            due=draw(st.one_of(st.none(), st.integers(0, HORIZON))),
            weight=draw(st.sampled_from((0.0, 1.0, 2.5))),
            release=draw(st.one_of(st.none(), st.integers(-50, 400))),
        )
        for n in range(draw(st.integers(1, 4)))
    ]
    operations, published = [], []
    for number in range(draw(st.integers(1, 9))):
        minutes = {machine.code: draw(st.integers(1, 60)) for machine in shop if draw(st.booleans())}
        minutes = minutes or {shop[0].code: draw(st.integers(1, 60))}
        after = draw(st.sets(st.integers(0, number - 1), max_size=2)) if number else ()
        pin = None
        if draw(st.integers(0, 4)) == 0:
            start = draw(st.one_of(st.none(), st.integers(-40, HORIZON - 60)))
            pin = Pin(draw(st.sampled_from(sorted(minutes))), start)
        operations.append(
            Operation(
                f"O{number}",
                draw(st.sampled_from(jobs)).id,
                minutes,
                after=tuple(After(f"O{n}", draw(st.sampled_from((0, 0, 25)))) for n in sorted(after)),
                release=draw(st.one_of(st.none(), st.integers(0, 300))),
                attributes={
                    "fabric": draw(st.sampled_from("xy")),
                    "ink": draw(st.sampled_from("abc")),
                    "shade": draw(st.sampled_from(("dark", "light"))),
                },
                splittable=draw(st.booleans()),
                load=draw(st.integers(1, 3)),
                pin=pin,
            )
        )
        if draw(st.integers(0, 2)) == 0:
            machine, start = draw(st.sampled_from(sorted(minutes))), draw(st.integers(-30, 500))
            published.append(Assignment(f"O{number}", machine, start, start + minutes[machine], start))
    problem = Problem(
        0,
        HORIZON,
        tuple(shop),
        tuple(jobs),
        tuple(operations),
        setups=SETUPS,
        weights=Weights(makespan=draw(st.sampled_from((0.0, 0.25)))),
        published=tuple(published),
        slushy_until=draw(st.sampled_from((None, 100))),
    )
    try:
        check(problem)
    except InvalidProblem:
        problem = replace(problem, operations=tuple(replace(one, pin=None) for one in operations))
        try:
            check(problem)
        except InvalidProblem:  # nothing fits its calendars: open them
            problem = replace(
                problem, machines=tuple(replace(one, open=((0, HORIZON),), overtime=(), taken=()) for one in shop)
            )
    return problem


@st.composite
def decodings(draw):
    """A problem, an order that keeps to `after`, and modes."""
    problem = draw(problems())
    floor = floor_of(problem)
    left, order = list(floor.free), []
    while left:
        done = {problem.operations[op].id for op in range(len(problem.operations)) if op not in left}
        able = [op for op in left if all(one.operation in done for one in problem.operations[op].after)]
        if not able:  # it waits for what is pinned
            able = left
        op = draw(st.sampled_from(able))
        left.remove(op)
        order.append(op)
    first = floor.tables.mode_first
    mode = [draw(st.integers(int(first[op]), int(first[op + 1]) - 1)) for op in range(len(problem.operations))]
    return problem, floor, np.array(order, np.int64), np.array(mode, np.int64)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(decodings())
def test_the_compiled_decoder_does_what_the_reference_says(decoding):
    problem, floor, order, mode = decoding
    out, cost = decoded(floor, order, mode)
    names = [operation.id for operation in problem.operations]
    expected = decode(
        problem, [names[op] for op in order], {name: floor.modes[m] for name, m in zip(names, mode, strict=True)}
    )
    assert assignments_of(floor, out, mode) == expected.assignments
    assert {name for op, name in enumerate(names) if not out[op, PLACED]} <= set(expected.missing)
    assert (cost >= floor.tables.missing) == bool(expected.missing)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(decodings())
def test_what_is_decoded_is_a_plan_and_its_figures_are_the_decoders_cost(decoding):
    problem, floor, order, mode = decoding
    out, cost = decoded(floor, order, mode)
    if cost >= floor.tables.missing:
        return
    plan = assignments_of(floor, out, mode)
    assert faults(problem, plan) == ()
    assert figures_of(problem, plan).cost == pytest.approx(cost, rel=1e-9, abs=1e-6)
