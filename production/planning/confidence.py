"""How sure a promised date is: the day by which it is done in half, and in nine of ten, of the cases.

The stages of one job are drawn again and again: each takes its planned minutes times a ratio of actual to planned that
such stages had in this shop. A stage that is over late delays those after it, which wait for their machine to be open;
one that is over early delays nobody, as the next one's slot comes when it comes. What other jobs do when this one
is late is not drawn: a stage that misses its slot begins as soon as its machine is open. So the dates are those of the
job's own chain, a little early where a late job would have to queue.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inventory_sync.ports import Calendar
from production.planning.errors import InvalidHistory, UnknownOperation
from production.planning.insertion import OpenTime
from production.planning.openings import Span, merged, minute_after
from production.planning.problem import Assignment, Problem
from production.planning.promise import DAY_MIN, Promise, RouteStep, open_time

LEAST_OBSERVATIONS: Final = 8  # of a kind of stage, below which the shop's own history says too little
# Actual to planned where there is no history. Trade knowledge, not measured: most run to plan, some a little quicker,
# a few half as long again; late is more frequent and further than early.
TRADE_RATIOS: Final = (0.85, 0.9, 0.95, 0.95, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.05, 1.05, 1.1, 1.1, 1.15, 1.2, 1.3, 1.5)
LOOK_BEYOND_DAYS: Final = 60  # how far after its slot a stage may slip

Minutes = NDArray[np.int64]  # (samples,)


@dataclass(frozen=True)
class Stage:
    """One operation of a job at its slot. `after`: (number of a stage before, least minutes since its end)."""

    kind: str  # by which the history is looked up
    start: int
    minutes: int  # as planned, without the changeover
    open: tuple[Span, ...]  # of its machine, merged and in order, from `start` until long after it
    splittable: bool = False
    after: tuple[tuple[int, int], ...] = ()


def confident(
    stages: Sequence[Stage], history: Mapping[str, Sequence[float]], *, seed: int, samples: int = 400
) -> tuple[int, int]:
    """The minutes (P50, P90) by which all stages are over in half and in nine of ten of the samples.

    `history`: ratios of actual to planned minutes by kind of stage; a kind with fewer than LEAST_OBSERVATIONS is drawn
    from TRADE_RATIOS. Stages come in an order in which each follows those it comes after. The same seed gives the same
    answer. Raises InvalidHistory for a ratio that is none.

    >>> print_, cut = Stage("print", 0, 100, ((0, 1000),)), Stage("cut", 100, 10, ((0, 1000),), after=((0, 0),))
    >>> confident([print_, cut], {"print": [1.0] * 9 + [3.0], "cut": [1.0] * 8}, seed=1)
    (110, 110)
    >>> confident([print_, cut], {"print": [1.0] * 8 + [3.0] * 2, "cut": [1.0] * 8}, seed=1)
    (110, 310)
    """
    chance = np.random.default_rng(seed)
    ends: list[Minutes] = []
    for stage in stages:
        ready = np.full(samples, stage.start, dtype=np.int64)
        for number, gap_min in stage.after:
            ready = np.maximum(ready, ends[number] + gap_min)
        drawn = chance.choice(_ratios(stage.kind, history), size=samples)
        takes = np.maximum(1, np.ceil(np.round(stage.minutes * drawn, 6)).astype(np.int64))
        ends.append(_over(stage, ready, takes))
    last = np.max(ends, axis=0)
    p50, p90 = np.quantile(last, (0.5, 0.9), method="inverted_cdf")
    return int(p50), int(p90)


def _ratios(kind: str, history: Mapping[str, Sequence[float]]) -> NDArray[np.float64]:
    """The ratios to draw from, sorted so that the order in which they were observed says nothing."""
    observed = history.get(kind, ())
    if any(not (math.isfinite(ratio) and ratio > 0) for ratio in observed):
        wrong = next(ratio for ratio in observed if not (math.isfinite(ratio) and ratio > 0))
        raise InvalidHistory(
            f"{kind} took {wrong} times what was planned: a ratio is a number above 0; leave this one out.",
            fields={"kind": kind, "ratio": str(wrong)},
        )
    return np.array(sorted(observed if len(observed) >= LEAST_OBSERVATIONS else TRADE_RATIOS), dtype=np.float64)


def _over(stage: Stage, ready: Minutes, takes: Minutes) -> Minutes:
    """When the stage is over: started where its planned minutes fit, and then so many open minutes later.

    Nobody knows beforehand that it will take longer. What is not over when its machine closes goes on when it opens.
    """
    starts, ends = (np.array(each, dtype=np.int64) for each in zip(*(stage.open or ((0, 0),)), strict=True))
    lengths = ends - starts
    before = np.concatenate(([0], np.cumsum(lengths)))  # open minutes before each opening
    # Openings in which it may start: any where it may pause, otherwise those in which it could be done.
    if stage.splittable or int(lengths.max()) < stage.minutes:
        needs = np.ones_like(lengths)
    else:
        needs = np.full_like(lengths, stage.minutes)
    able = np.flatnonzero(lengths >= needs)
    latest = ends[able] - needs[able]  # of each, when it may start at the latest
    at = np.minimum(np.searchsorted(latest, ready), len(able) - 1)
    begin = np.maximum(ready, starts[able[at]])
    opening = np.searchsorted(starts, begin, side="right") - 1
    worked = before[opening] + np.minimum(begin, ends[opening]) - starts[opening] + takes
    last = np.minimum(np.searchsorted(before, worked) - 1, len(starts) - 1)
    # Beyond the openings that are known it counts as open.
    over: Minutes = np.maximum(starts[last] + worked - before[last], begin + takes)
    return over


def stages_of(problem: Problem, assignments: Iterable[Assignment], job: str) -> tuple[Stage, ...]:
    """A planned job's stages, by the name of each operation. Raises UnknownOperation where it has none."""
    planned = {one.operation: one for one in assignments}
    machines = {machine.code: machine for machine in problem.machines}
    operations = [one for one in problem.operations if one.job == job and one.id in planned]
    if not operations:
        raise UnknownOperation(f"The plan has no operations of {job}.", fields={"job": job})
    operations.sort(key=lambda one: planned[one.id].start)
    number = {one.id: at for at, one in enumerate(operations)}
    stages = []
    for one in operations:
        at = planned[one.id]
        machine = machines[at.machine]
        # Before the problem's start it is running, whatever its machine's time was.
        running = ((at.start, problem.start),) if at.start < problem.start else ()
        spans = merged((*running, *machine.open, *(machine.overtime if at.overtime else ())))
        time = OpenTime.of(spans)
        stages.append(
            Stage(
                one.name,
                at.start,
                time.worked(at.end) - time.worked(at.start),  # of a load: as long as it lasts
                tuple(span for span in spans if span[1] > at.start),
                one.splittable,
                tuple((number[b.operation], b.gap_min) for b in one.after if b.operation in number),
            )
        )
    return tuple(stages)


def stages_of_promise(
    route: Sequence[RouteStep], promised: Promise, *, calendars: Mapping[str, Calendar]
) -> tuple[Stage, ...]:
    """A promise's stages, by the name of each step; its work centres are open as their calendars say."""
    stages: list[Stage] = []
    last = minute_after(promised.date) // DAY_MIN + LOOK_BEYOND_DAYS
    for step, slot in zip(route, promised.steps, strict=True):
        start, end = minute_after(slot.start), minute_after(slot.end)
        time = open_time(calendars[slot.work_centre], start // DAY_MIN, last)
        spans = tuple(zip(time.starts, time.ends, strict=True))
        after = ((len(stages) - 1, math.ceil(step.gap_min)),) if stages else ()
        stages.append(Stage(step.name, start, time.worked(end) - time.worked(start), spans, step.splittable, after))
    return tuple(stages)
