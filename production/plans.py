"""Plans that are kept: immutable versions, of which one holds; and the changeovers of a shop's machines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from production.models import (
    ActualUse,
    Changeover,
    CostSheet,
    Downtime,
    MachineProfile,
    PlanVersion,
    PublishedPlan,
    WeaveSpec,
)
from production.planning.comparing import Difference
from production.planning.errors import PlanOutdated
from production.planning.plan import Figures, Plan
from production.planning.problem import ANY, Assignment, AttributeSetups, Problem, Setup, SetupMatrix
from production.planning.reading import read_again, written

SAME: Final = "="  # in a row of Changeover
TIME: Final = "time:"  # before a work centre, in a costing
REPORTS_READ: Final = 600  # of how long operations took


def setups_of(shop: str, standing_min: Mapping[str, float]) -> dict[str, SetupMatrix]:
    """The changeovers of those machines that have any, by machine.

    `standing_min`: the machine's usual set-up, which is what it takes while nobody knows what it is set for.
    """
    rows: dict[str, dict[str, list[Changeover]]] = defaultdict(lambda: defaultdict(list))
    for row in Changeover.objects.filter(shop=shop).order_by("pk"):
        if row.work_centre in standing_min:
            rows[row.work_centre][row.attribute].append(row)
    return {
        machine: SetupMatrix(
            machine,
            tuple(_attribute(name, found, round(standing_min[machine])) for name, found in attributes.items()),
            combine="max",
        )
        for machine, attributes in rows.items()
    }


def _attribute(name: str, rows: list[Changeover], unknown_min: int) -> AttributeSetups:
    pairs = {("", ANY): Setup(unknown_min)}
    same, other = Setup(), Setup(unknown_min)
    for row in rows:
        setup = Setup(row.minutes, row.cost)
        if SAME in (row.before, row.after):
            same = setup
        elif (row.before, row.after) == (ANY, ANY):
            other = setup
        else:
            pairs[row.before, row.after] = setup
    return AttributeSetups(name, pairs, same=same, other=other)


def usual_states(shop: str) -> dict[str, dict[str, str]]:
    """What machines are set for unless something else was made on them last: their ink set; their warp."""
    found: dict[str, dict[str, str]] = {}
    for machine in MachineProfile.objects.filter(shop=shop).exclude(ink_set=None).select_related("ink_set"):
        assert machine.ink_set is not None
        found[machine.code] = {"ink_set": machine.ink_set.code}
    warps: dict[str, set[str]] = defaultdict(set)
    for weave in WeaveSpec.objects.filter(shop=shop).select_related("loom"):
        warps[weave.loom.code].add(weave.warp["sku"])
    return found | {loom: {"warp": next(iter(skus))} for loom, skus in warps.items() if len(skus) == 1}


def downtimes(shop: str, now: datetime) -> dict[str, list[Downtime]]:
    """When machines stand still that their calendars say are running, from now on."""
    found: dict[str, list[Downtime]] = defaultdict(list)
    for row in Downtime.objects.filter(shop=shop, end__gt=now).order_by("start"):
        found[row.work_centre].append(row)
    return found


def stand_still(shop: str, machine: str, start: datetime, end: datetime, *, reason: str) -> None:
    """Note that a machine stands still for so long."""
    Downtime.objects.get_or_create(shop=shop, work_centre=machine, start=start, end=end, defaults={"reason": reason})


def history_of(shop: str) -> dict[str, list[float]]:
    """How long operations really took, as ratios of actual to planned machine time, by operation; newest reports.

    Of the jobs that were reported last: what a machine took years ago says little of it now.
    """
    operations = dict(MachineProfile.objects.filter(shop=shop).values_list("code", "operation"))
    found: dict[str, list[float]] = defaultdict(list)
    uses = ActualUse.objects.filter(code__startswith=TIME)
    jobs = set(uses.filter(ticket__shop=shop).order_by("-pk").values_list("ticket", flat=True)[:REPORTS_READ])
    sheets = dict(CostSheet.objects.filter(ticket__in=jobs).values_list("ticket", "lines"))
    rows = uses.filter(ticket__in=jobs).order_by("issue", "pk").values_list("ticket", "code", "quantity")
    newest = {(ticket, code): quantity for ticket, code, quantity in rows}
    for (ticket, code), quantity in newest.items():
        machine = code.removeprefix(TIME)
        lines = sheets[ticket]["lines"]
        planned = next((Decimal(line["quantity"]) for line in lines if line["code"] == code), None)
        if machine in operations and planned and quantity > 0:
            found[operations[machine]].append(float(quantity / planned))
    return dict(found)


def published(shop: str) -> int:
    """The number of the plan that holds; 0: none was published yet."""
    number = PublishedPlan.objects.filter(shop=shop).values_list("number", flat=True).first()
    return number or 0


def take_turn(shop: str) -> None:
    """Wait, inside the caller's transaction, until nobody else keeps a plan of this shop."""
    PublishedPlan.objects.get_or_create(shop=shop)
    PublishedPlan.objects.filter(shop=shop).update(last=F("last"))


@transaction.atomic
def keep(
    shop: str,
    problem: Problem,
    plan: Plan,
    difference: Difference,
    *,
    base: int,
    reason: str,
    by: str = "",
    changes: Sequence[Mapping[str, Any]] = (),
) -> PlanVersion:
    """Keep a plan as a new version. It has been validated by whoever found it. `changes`: what it is an answer to."""
    PublishedPlan.objects.get_or_create(shop=shop)
    PublishedPlan.objects.filter(shop=shop).update(last=F("last") + 1)  # holds the row until commit
    number = PublishedPlan.objects.values_list("last", flat=True).get(shop=shop)
    return PlanVersion.objects.create(
        shop=shop,
        number=number,
        base=base,
        reason=reason,
        by=by,
        at=timezone.now(),
        found_by=plan.by,
        seed=plan.seed,
        effort=list(plan.effort),
        problem=written(problem),
        assignments=[asdict(one) for one in plan.assignments],
        figures=figures_written(plan.figures),
        difference=difference_written(difference),
        changes=[dict(change) for change in changes],
    )


def publish(version: PlanVersion) -> None:
    """Let a version hold, if what holds is what it was made from; inside the caller's transaction.

    Raises PlanOutdated when another was published meanwhile.
    """
    moved = PublishedPlan.objects.filter(shop=version.shop, number=version.base).update(
        number=version.number, published_at=timezone.now()
    )
    if moved != 1:
        now = published(version.shop)
        raise PlanOutdated(
            f"Plan {version.number} was made from plan {version.base}, and plan {now} holds by now: plan again.",
            fields={"plan": version.number, "base": version.base, "published": now},
        )


def problem_of(version: PlanVersion) -> Problem:
    """What a version planned."""
    return read_again(version.problem)


def plan_of(version: PlanVersion) -> Plan:
    """A version as the plan that it keeps."""
    figures = version.figures
    return Plan(
        assignments=tuple(Assignment(**one) for one in version.assignments),
        figures=Figures(
            **{
                **figures,
                "late_jobs": tuple(figures["late_jobs"]),
                "changeover_cost": Decimal(figures["changeover_cost"]),
            }
        ),
        by=version.found_by,
        seed=version.seed,
        effort=tuple(version.effort),
    )


def figures_written(figures: Figures) -> dict[str, Any]:
    """Figures as plain JSON values; money as text."""
    return {**asdict(figures), "changeover_cost": str(figures.changeover_cost), "late_jobs": list(figures.late_jobs)}


def difference_written(difference: Difference) -> dict[str, Any]:
    """A difference as plain JSON values, with its sentence."""
    plain = asdict(difference)
    for side in ("before", "after"):
        if isinstance(plain.get(side), dict) and "changeover_cost" in plain[side]:
            plain[side] = figures_written(getattr(difference, side))
    return {**plain, "sentence": difference.sentence}
