"""Plans that a planner asks for beside the board: around what has happened, weighed otherwise, or branches to compare.

What is asked becomes runs (orders/planruns.py); nothing of it holds before somebody publishes a plan.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.contrib.auth.models import User

from inventory_sync import services as inventory
from orders import planruns, work
from orders.models import PlanRun, Priority, Shop

# What a planner may stress; the other weights stay as they are.
EMPHASES: Final[Mapping[str, Mapping[str, float]]] = {
    "punctual": {"tardiness": 5.0},
    "changeovers": {"changeover": 5.0, "money": 5.0},
    "calm": {"moved": 600.0},
}
COMPARE_S: Final = 3.0  # of search for each branch
ADOPT_S: Final = 6.0


def ask(shop: Shop, wish: Mapping[str, Any], *, by: User) -> PlanRun:
    """Ask for a better plan, one weighed otherwise, or one around what has happened. Raises InvalidChange."""
    asked: dict[str, Any] = {"seconds": wish["seconds"]}
    kind = PlanRun.Kind.PLAN
    if wish["kind"] in ("down", "rush"):
        kind = PlanRun.Kind.REPLAN
        asked["changes"] = [change_of(wish)]
    elif wish["kind"] == "weights":
        asked["weights"] = dict(EMPHASES[wish["emphasis"]])
    return planruns.ask(shop, kind, work.plain(asked), by=by)


def compare(shop: Shop, branches: Mapping[str, Mapping[str, Any]], *, by: User) -> list[PlanRun]:
    """Ask for branches side by side, by their names; those that are weighed otherwise are runs of their own.

    Raises InvalidChange.
    """
    changes = {name: [change_of(wish)] for name, wish in branches.items() if wish["kind"] not in ("plan", "weights")}
    asked = {"seconds": COMPARE_S, "branches": changes}
    found = [planruns.ask(shop, PlanRun.Kind.WHAT_IF, work.plain(asked), by=by)]
    for name, wish in branches.items():
        if wish["kind"] == "weights":
            weighed = {"seconds": COMPARE_S, "weights": dict(EMPHASES[wish["emphasis"]]), "name": name}
            found.append(planruns.ask(shop, PlanRun.Kind.PLAN, weighed, by=by))
    return found


def adopt(compared: PlanRun, name: str, *, by: User) -> PlanRun:
    """Plan around one of the branches that were compared; no name: plan anew. Raises InvalidChange."""
    changes = compared.asked.get("branches", {}).get(name)
    asked = {"seconds": ADOPT_S, **({"changes": changes} if changes else {})}
    return planruns.ask(compared.shop, PlanRun.Kind.REPLAN if changes else PlanRun.Kind.PLAN, asked, by=by)


def can_be_adopted(changes: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a plan answers to all of a branch; hours that a calendar doesn't have can only be compared."""
    return all(change["change"] in planruns.HAPPENS for change in changes)


def change_of(wish: Mapping[str, Any]) -> dict[str, Any]:
    """What has happened, or could, as planning has it."""
    if wish["kind"] == "rush":
        return {"change": "rush", "job": wish["job"], "weight": float(Priority.RUSH)}
    span = [wish["since"].isoformat(), wish["until"].isoformat()]
    if wish["kind"] == "down":
        return {"change": "breakdown", "machine": wish["machine"], "span": span}
    money = {"per_hour": str(wish["per_hour"])} if wish["per_hour"] is not None else {}
    return {"change": "overtime", "machine": wish["machine"], "spans": [span], **money}


def calendars(shop: Shop) -> str:
    """Where a person enters a machine's hours in an ERP that lives elsewhere; empty: in the ledger of this place."""
    return inventory.calendars_at(shop.slug) if shop.connector != "ledger" else ""
