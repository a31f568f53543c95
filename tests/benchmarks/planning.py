"""How good plans are, and how soon: `python -m tests.benchmarks.planning [--only PART ...] [--shops N] [--files N]`.

Parts: textile (rules and forward planner), bound, machines, shops, replan. Peers run in the same run with the same
seconds: CP-SAT on the model of the whole problem, and PyJobShop, in an environment of its own that is made when it is
not there. Whatever they answer is an order; our decoder times it and our figures judge it, as they judge ours.

`PLANNING_INSTANCES` names a folder with Vallada's and Ruiz's files (I_50_10_S_1-9_1.txt and so on) and `references.csv`
(name;makespan, their reference values of 2011). Without it, instances drawn the same way are compared with the peers.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import mean
from typing import Final

from ortools.sat.python import cp_model

from production.planning.bound import lower_bound
from production.planning.floor import Mode, floor_of
from production.planning.model import model_of
from production.planning.plan import Figures, cost_of, figures_of
from production.planning.problem import Assignment, Problem
from production.planning.reference import decode
from production.planning.replan import breakdown, continued, replan
from production.planning.rules import RULES, first_plan, forward, plan_by
from production.planning.solve import solve
from production.planning.validate import faults
from tests.benchmarks.planning_instances import (
    TAILLARD,
    read_vallada_ruiz,
    taillard_job_shop,
    textile,
    vallada_ruiz,
)

ROOT: Final = Path(__file__).resolve().parents[2]
PEER: Final = Path(__file__).with_name("pyjobshop_peer.py")
PEERS_HOME: Final = ROOT / "var" / "pyjobshop"
FOLDER: Final = os.environ.get("PLANNING_INSTANCES", "")
CORES: Final = os.cpu_count() or 1
MOST_ARCS: Final = 400_000  # of CP-SAT's model of a whole problem; a larger one isn't built in time
Figure = tuple[str, str]


# ---------------------------------------------------------------------------------------------- peers


def retimed(problem: Problem, starts: dict[str, int], machines: dict[str, str]) -> tuple[Assignment, ...] | None:
    """A peer's order, timed by our decoder; None where it finds no place."""
    floor = floor_of(problem)
    free = sorted((problem.operations[op].id for op in floor.free), key=lambda name: starts[name])
    found = decode(problem, free, {name: Mode(machines[name]) for name in free})
    return None if found.missing or faults(problem, found.assignments) else found.assignments


def last_end(problem: Problem) -> int:
    """When all is done in the forward planner's plan: peers need not look beyond."""
    return problem.start + forward(problem).figures.makespan_min


def by_cp_sat(problem: Problem, seconds: float) -> Figures | None:
    """What CP-SAT finds on the whole problem, the building of its model included in the seconds."""
    began = time.monotonic()
    arcs = sum(len(one.minutes) for one in problem.operations) ** 2 / max(1, len(problem.machines))
    if any(machine.setups for machine in problem.machines) and arcs > MOST_ARCS:
        return None
    model = model_of(problem, latest=dict.fromkeys((job.id for job in problem.jobs), last_end(problem)))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = CORES
    solver.parameters.max_time_in_seconds = max(0.1, seconds - (time.monotonic() - began))
    if solver.solve(model.cp) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    starts = {name: solver.value(start) for name, start in model.start.items()}
    on = {name: code for (name, code), here in model.on.items() if here is True or solver.boolean_value(here)}
    plan = retimed(problem, starts, on)
    return figures_of(problem, plan) if plan else None


def peers_python() -> Path | None:
    """The Python that has PyJobShop, made when it is not there; None where it can't be."""
    python = PEERS_HOME / "bin" / "python"
    if not python.exists():
        try:
            subprocess.run([sys.executable, "-m", "venv", PEERS_HOME], check=True, capture_output=True)
            subprocess.run(
                [python, "-m", "pip", "install", "--quiet", "pyjobshop==0.0.9"],
                check=True,
                capture_output=True,
                timeout=600,
            )
        except (OSError, subprocess.SubprocessError):
            pass
    there = python.exists() and subprocess.run([python, "-c", "import pyjobshop"], capture_output=True).returncode == 0
    return python if there else None


def by_pyjobshop(problem: Problem, seconds: float, python: Path) -> Figures | None:
    """What PyJobShop finds in as many seconds. Its sum of objectives can't hold changeovers beside lateness."""
    end = last_end(problem) + 14 * 24 * 60  # beyond, machines are always open to it: its semantics are the looser
    codes = {machine.code: at for at, machine in enumerate(problem.machines)}
    jobs = {job.id: at for at, job in enumerate(problem.jobs)}
    position = {one.id: at for at, one in enumerate(problem.operations)}
    asked = {
        "seconds": seconds,
        "workers": CORES,
        "objective": {"weight_makespan": 1} if problem.weights.makespan else {"weight_total_tardiness": 1},
        "breaks": [_breaks(problem, machine.open, end) for machine in problem.machines],
        "jobs": [
            {"weight": round(job.weight), "due": None if job.due is None else job.due - problem.start}
            for job in problem.jobs
        ],
        "tasks": [
            {
                "job": jobs[one.job],
                "release": max(problem.start, problem.jobs[jobs[one.job]].release or 0, one.release or 0)
                - problem.start,
                "splittable": one.splittable,
                "modes": [[codes[code], minutes] for code, minutes in one.minutes.items()],
            }
            for one in problem.operations
        ],
        "after": [
            [position[each.operation], at, each.gap_min]
            for at, one in enumerate(problem.operations)
            for each in one.after
        ],
        "setups": [*_setups(problem)],
    }
    try:
        ran = subprocess.run(
            [python, PEER], input=json.dumps(asked), capture_output=True, text=True, timeout=3 * seconds + 60
        )
    except subprocess.TimeoutExpired:
        return None
    found = json.loads(ran.stdout)["tasks"] if ran.returncode == 0 and ran.stdout else []
    if not found:
        return None
    names = [one.id for one in problem.operations]
    starts = {name: start for name, (start, _) in zip(names, found, strict=True)}
    on = {name: problem.machines[at].code for name, (_, at) in zip(names, found, strict=True)}
    plan = retimed(problem, starts, on)
    return figures_of(problem, plan) if plan else None


def _breaks(problem: Problem, opened: Sequence[tuple[int, int]], end: int) -> list[list[int]]:
    """When a machine is closed until `end`, counted from the problem's start."""
    edges = [(problem.start, problem.start), *opened, (end, end)]
    gaps = [(max(a[1], problem.start), min(b[0], end)) for a, b in pairwise(edges)]
    return [[a - problem.start, b - problem.start] for a, b in gaps if a < b]


def _setups(problem: Problem) -> Iterator[list[int]]:
    for at, machine in enumerate(problem.machines):
        if not machine.setups:
            continue
        able = [(n, one) for n, one in enumerate(problem.operations) if machine.code in one.minutes]
        for n, before in able:
            for m, after in able:
                minutes = problem.setups[machine.setups].between(before.attributes, after.attributes).minutes
                if n != m and minutes:
                    yield [at, n, m, minutes]


def peers(problem: Problem, seconds: float) -> dict[str, Figures | None]:
    """What the peers find in the same seconds."""
    found = {"CP-SAT": by_cp_sat(problem, seconds)}
    if python := peers_python():
        found["PyJobShop"] = by_pyjobshop(problem, seconds, python)
    return found


def _said(found: dict[str, Figures | None], of: Callable[[Figures], float]) -> str:
    words = [f"{name} {of(figures):,.0f}" if figures else f"{name} no plan" for name, figures in found.items()]
    if "PyJobShop" not in found:
        words.append("PyJobShop is not here and not to be installed")
    return ", ".join(words)


# ---------------------------------------------------------------------------------------------- textile shops


def against_rules(operations: int, seconds: float, seeds: Sequence[int]) -> Iterator[Figure]:
    """Cost against the best rule, and changeovers against an ERP's forward planner."""
    saved, fewer, firsts = [], [], []
    for seed in seeds:
        for tight in (False, True):
            problem = textile(operations, seed=seed, tight=tight)
            began = time.monotonic()
            first_plan(problem)
            firsts.append(time.monotonic() - began)
            rule = min((plan_by(problem, rule) for rule in RULES), key=lambda plan: plan.figures.cost)
            planner = forward(problem).figures
            ours = solve(problem, seconds=seconds).figures
            saved.append(1 - ours.cost / rule.figures.cost)
            fewer.append(1 - ours.changeover_min / planner.changeover_min)
            yield (
                f"{operations} operations, seed {seed}, {'tight' if tight else 'slack'}, {seconds:g} s",
                f"cost {ours.cost:,.0f}, best rule ({rule.by}) {rule.figures.cost:,.0f}; changeovers "
                f"{ours.changeover_min / 60:.1f} h, forward {planner.changeover_min / 60:.1f} h; late "
                f"{ours.weighted_tardiness_min / 60:.1f} h, rule {rule.figures.weighted_tardiness_min / 60:.1f} h, "
                f"forward {planner.weighted_tardiness_min / 60:.1f} h (weighted)",
            )
    yield f"first plan of {operations} operations", f"{max(firsts):.2f} s at the slowest"
    yield (
        f"{operations} operations in {seconds:g} s: cost under the best rule",
        f"{_share(saved)}  (bound {_least(operations)})",
    )
    yield (
        f"{operations} operations in {seconds:g} s: changeovers under the forward planner",
        f"{_share(fewer)}  (bound 50 %)",
    )


def _least(operations: int) -> str:
    return "30 %" if operations <= 200 else "20 %"


def _share(shares: Sequence[float]) -> str:
    return f"{100 * mean(shares):.0f} % on average ({100 * min(shares):.0f} to {100 * max(shares):.0f} %)"


def textile_figures() -> Iterator[Figure]:
    solve(textile(50, seed=99), seconds=1)  # compiled once
    yield from against_rules(200, 10, (1, 2, 3))
    yield from against_rules(1000, 60, (1,))
    for operations, seconds in ((50, 10.0), (200, 10.0)):
        problem = textile(operations, seed=1, tight=True)
        ours = solve(problem, seconds=seconds).figures
        theirs = _said(peers(problem, seconds), lambda figures: figures.cost)
        yield f"peers, {operations} operations, tight, {seconds:g} s: cost", f"ours {ours.cost:,.0f}, {theirs}"


def bound_figures(*, seconds: float = 60.0, seeds: Sequence[int] = (1, 2, 3)) -> Iterator[Figure]:
    """How far plans of 50 operations are above a proven bound."""
    gaps = []
    for seed in seeds:
        for tight in (False, True):
            problem = textile(50, seed=seed, tight=tight)
            ours = solve(problem, seconds=10).figures.cost
            began = time.monotonic()
            proven = lower_bound(problem, seconds=seconds, known=ours, workers=CORES)
            gaps.append(ours / proven - 1)
            yield (
                f"50 operations, seed {seed}, {'tight' if tight else 'slack'}",
                f"cost {ours:,.0f}, no plan below {proven:,.1f} (after {time.monotonic() - began:.0f} s)",
            )
    yield (
        "50 operations in 10 s: above a proven bound",
        f"{100 * mean(gaps):.1f} % on average, {100 * max(gaps):.1f} % at most  (bound 5 %)",
    )


# ---------------------------------------------------------------------------------------------- classics


def machines_figures(*, files: int = 12, seconds: float = 10.0, folder: str = FOLDER) -> Iterator[Figure]:
    """Unrelated machines with setups against the reference makespans of 2011."""
    if folder:
        with (Path(folder) / "references.csv").open(encoding="utf-8") as rows:
            known = {name: int(makespan) for name, makespan in csv.reader(rows, delimiter=";")}
        there = sorted(path for path in Path(folder).glob("I_*_1.txt") if path.stem in known)
        chosen = there[:: max(1, len(there) // files)][:files]
        off = []
        for path in chosen:
            ours = solve(read_vallada_ruiz(path), seconds=seconds).figures.makespan_min
            off.append(ours / known[path.stem] - 1)
            yield (
                f"{path.stem}, {seconds:g} s: makespan",
                f"{ours}, reference {known[path.stem]} ({100 * off[-1]:+.1f} %)",
            )
        yield (
            f"unrelated machines, {len(off)} of {len(known)} files, against the references of 2011",
            f"{100 * mean(off):+.1f} % on average, {100 * max(off):+.1f} % at worst  (bound -4 %)",
        )
    else:
        yield "unrelated machines, references of 2011", "left out: PLANNING_INSTANCES names no folder with the files"
    for jobs, machines, setups in ((50, 10, 49), (100, 10, 124)):
        problem = vallada_ruiz(jobs, machines, setups, seed=1)
        ours = solve(problem, seconds=seconds).figures.makespan_min
        theirs = _said(peers(problem, seconds), lambda figures: figures.makespan_min)
        yield (
            f"peers, {jobs} jobs on {machines} machines, setups to {setups}, {seconds:g} s: makespan",
            f"ours {ours}, {theirs}",
        )


def shops_figures(*, shops: int = 3, seconds: float = 60.0) -> Iterator[Figure]:
    """Job shops of 15 × 15 against their proven optima."""
    over = []
    for number in range(1, shops + 1):
        problem, optimum = taillard_job_shop(number), TAILLARD[number - 1][2]
        ours = solve(problem, seconds=seconds).figures.makespan_min
        over.append(ours / optimum - 1)
        found = _said(peers(problem, seconds), lambda figures: figures.makespan_min) if number == 1 else ""
        yield (
            f"ta{number:02}, 15 × 15, {seconds:g} s: makespan",
            f"{ours}, optimum {optimum} ({100 * over[-1]:+.1f} %)" + (f"; {found}" if found else ""),
        )
    yield (
        f"job shops of 15 × 15 in {seconds:g} s: above the optimum",
        f"{100 * mean(over):.1f} % on average, {100 * max(over):.1f} % at most  (bound 3 %)",
    )


# ---------------------------------------------------------------------------------------------- a breakdown


def replan_figures(
    *, seconds: float = 4.0, published_s: float = 30.0, seeds: Sequence[int] = (1, 2, 3)
) -> Iterator[Figure]:
    """A printer stands still for ten hours: how soon there is a plan, who moves, what stability costs.

    The published plan is one that was looked for long enough; planning freely has the same seconds and may begin with
    what is published or with our own answer.
    """
    took, moved, dearer = [], [], []
    for seed in seeds:
        problem = textile(200, seed=seed)
        plan = solve(problem, seconds=published_s)
        now = problem.start + 24 * 60
        left = continued(problem, plan, now)
        left = replace(left, frozen_until=now + 120)
        broken = max(
            (machine.code for machine in problem.machines if machine.code.startswith("printer")),
            key=lambda code: sum(one.machine == code and one.start < now + 720 for one in left.published),
        )
        stop = (now + 120, now + 720)
        event = breakdown(left, broken, *stop)
        began = time.monotonic()
        best = replan(event, plan, seconds=seconds).best
        took.append(time.monotonic() - began)
        job = {one.id: one.job for one in event.operations}
        hit = {
            job[one.operation]
            for one in event.published
            if one.operation in job and one.machine == broken and one.start < stop[1] and one.end > stop[0]
        }
        before = {one.operation: one for one in event.published}
        others = [one for one in best.plan.assignments if one.operation in before and job[one.operation] not in hit]
        far = [
            one
            for one in others
            if one.machine != before[one.operation].machine or abs(one.start - before[one.operation].start) > 30
        ]
        moved.append(len(far) / max(1, len(others)))
        free = replace(event, weights=replace(event.weights, moved=0.0))
        freely = min(solve(free, seconds=seconds, start=start).figures.cost for start in (plan, best.plan))
        dearer.append(cost_of(free.weights, best.figures) / freely - 1 if freely else 0.0)
        yield (
            f"{broken} down for 10 h, 200 operations, seed {seed}",
            f"{best.by} in {took[-1]:.1f} s, {len(far)} of {len(others)} unaffected operations moved more than 30 min, "
            f"{100 * dearer[-1]:+.1f} % against planning freely",
        )
    yield "replan of 200 operations", f"{max(took):.1f} s at the slowest  (bound 5 s)"
    yield (
        "unaffected operations that move more than 30 min",
        f"{100 * mean(moved):.0f} % on average, {100 * max(moved):.0f} % at most  (bound 10 %)",
    )
    yield (
        "cost above planning freely",
        f"{100 * mean(dearer):.1f} % on average, {100 * max(dearer):.1f} % at most  (bound 3 %)",
    )


PARTS: Final[dict[str, Callable[..., Iterator[Figure]]]] = {
    "textile": textile_figures,
    "bound": bound_figures,
    "machines": machines_figures,
    "shops": shops_figures,
    "replan": replan_figures,
}


def figures(only: Sequence[str] = tuple(PARTS), *, shops: int = 3, files: int = 12) -> Iterator[Figure]:
    """What was measured, line by line."""
    more: dict[str, dict[str, int]] = {"shops": {"shops": shops}, "machines": {"files": files}}
    for part in only:
        yield from PARTS[part](**more.get(part, {}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--shops", type=int, default=3, help="how many of Taillard's job shops, up to 10")
    parser.add_argument("--files", type=int, default=12, help="how many of Vallada's and Ruiz's files")
    asked = parser.parse_args()
    for what, figure in figures(asked.only, shops=asked.shops, files=asked.files):
        print(f"{what:<74} {figure}", flush=True)


if __name__ == "__main__":
    main()
