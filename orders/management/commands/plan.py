"""Plan looms and printers: the live shop, or a problem in a file."""

import json
import math
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from orders import planning
from orders.management import typed
from orders.management.commands.place_order import shop_named
from orders.services import Refusals
from production import plans
from production.planning import bound
from production.planning.check import check
from production.planning.errors import InvalidProblem
from production.planning.gantt import gantt
from production.planning.plan import Plan
from production.planning.problem import Problem
from production.planning.reading import SCHEMA, plan_document, read
from production.planning.rules import RULES, forward, plan_by
from production.planning.solve import solve
from production.planning.validate import require

BAD_INPUT = 2
LARGEST_BYTES = 64 * 1024 * 1024
MOST_MOVES = 10**9


class Command(BaseCommand):
    """`manage.py plan [--problem FILE.json] [--seconds 10] [--gantt out.html] [--json]`."""

    help = (
        "Plan the shop's looms, printers and finishing, and keep the plan as a version; or, with --problem, plan "
        "what a file says. Ends with status 0, and with 2 when it can't be planned: the sentence says what stands "
        "against it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        say = parser.add_argument
        say("--problem", metavar="FILE", help="a problem as JSON, - for standard input; without it, the live shop")
        say("--schema", action="store_true", help="print the JSON Schema of such files, and do nothing else")
        say("--seconds", default="10", metavar="S", help="how long to search (10)")
        say("--seed", default="0", metavar="N", help="the same seed and effort give the same plan (0)")
        say("--effort", default="", metavar="A,B,…", help="moves per cycle, as a plan says them, instead of --seconds")
        say("--chains", default="", metavar="N", help="searches side by side; without it, one for each core")
        say("--rule", choices=[*RULES, "forward"], help="only by this rule, without a search")
        say("--bound", default="", metavar="S", help="prove in so many seconds what no plan can cost less than")
        say("--gantt", metavar="FILE", type=Path, help="draw the plan into an HTML file")
        say("--publish", action="store_true", help="let the plan hold (the live shop's)")
        say("--shop", help="the shop's short name; needed when there are several")
        say("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["schema"]:
            self.stdout.write(json.dumps(SCHEMA, indent=1))
            return
        try:
            self._plan(options)
        except Refusals as refusal:
            if options["json"]:
                answer = {"code": refusal.code, "message": str(refusal), "fields": refusal.fields}
                self.stdout.write(json.dumps(answer, indent=1, default=str))
            else:
                self.stderr.write(str(refusal))
                for fault in refusal.fields.get("problems", [])[1:]:
                    self.stderr.write(f"  {fault['sentence']}")
            sys.exit(BAD_INPUT)

    def _plan(self, options: dict[str, Any]) -> None:
        search = _search(options)
        said: dict[str, Any] = {}
        if options["problem"]:
            problem = read(_document(options["problem"]))
            check(problem)
            plan = _found(problem, options["rule"], search)
            require(problem, plan.assignments)
            name = options["problem"]
        else:
            shop = shop_named(options["shop"])
            schedule = planning.to_plan(shop)
            problem = schedule.problem
            plan = _found(problem, options["rule"], {**search, "start": schedule.assignments})
            version = planning.keep(shop, schedule, plan, reason="Planned from the command line", by="")
            said = {"plan": version.number, "base": version.base, "difference": version.difference}
            name = f"{shop.name}, plan {version.number}"
            if options["publish"]:
                moved = planning.publish(shop, version.number, by=None)
                said["published"] = [line.reference for line in moved]
        if options["bound"]:
            said["bound"] = bound.lower_bound(problem, seconds=_seconds("bound", options["bound"]))
        if options["gantt"]:
            _write(options["gantt"], gantt(problem, plan, title=name))
        document = plan_document(problem, plan)
        if options["json"]:
            self.stdout.write(json.dumps({**document, **said}, indent=1, default=str))
            return
        self._tell(problem, plan, said, options)

    def _tell(self, problem: Problem, plan: Plan, said: dict[str, Any], options: dict[str, Any]) -> None:
        figures = plans.figures_written(plan.figures)
        write = self.stdout.write
        write(f"{len(plan.assignments)} operations on {len(problem.machines)} machines, by {plan.by}.")
        money = f" ({figures['changeover_cost']} {problem.currency})" if problem.currency else ""
        write(
            f"Cost {figures['cost']:.1f}: {figures['weighted_tardiness_min']:.0f} weighted minutes late in "
            f"{len(figures['late_jobs'])} orders, {figures['changeover_min']} minutes of changeovers{money}, "
            f"{figures['overtime_min']} of overtime; all is done after {figures['makespan_min'] / 60:.1f} h."
        )
        for job in figures["late_jobs"][:10]:
            write(f"  late: {job}")
        if "bound" in said:
            write(f"No plan can cost less than {said['bound']:.1f}.")
        if "plan" in said:
            write(f"Kept as plan {said['plan']}. {said['difference']['sentence']}")
        if "published" in said:
            write(f"Published; {len(said['published'])} lines have other times.")
        if options["gantt"]:
            write(f"Drawn in {options['gantt']}")
        if plan.effort and plan.by == "search":  # what was polished does not come again by its moves alone
            write(f"Again: --seed {plan.seed} --effort {','.join(map(str, plan.effort))}")


def _found(problem: Problem, rule: str | None, search: dict[str, Any]) -> Plan:
    if rule == "forward":
        return forward(problem)
    return plan_by(problem, rule) if rule else solve(problem, **search)


def _search(options: dict[str, Any]) -> dict[str, Any]:
    """How to search, from what was typed. Raises InvalidOrder naming the option."""
    search: dict[str, Any] = {"seed": typed.whole("seed", options["seed"])}
    if options["effort"]:
        effort = [typed.whole("effort", each) for each in options["effort"].split(",")]
        if effort[0] < 0 or not all(0 < abs(each) <= MOST_MOVES for each in effort):
            raise typed.refused(
                "effort", options["effort"], "--effort takes whole numbers as a plan says them, such as 20000,40000."
            )
        search["effort"] = effort
    else:
        search["seconds"] = _seconds("seconds", options["seconds"])
    if options["chains"]:
        search["chains"] = typed.whole("chains", options["chains"])
        if not 1 <= search["chains"] <= 64:
            raise typed.refused("chains", options["chains"], "--chains takes a whole number from 1 to 64.")
    return search


def _seconds(option: str, text: str) -> float:
    seconds = typed.number(option, text)
    if not (math.isfinite(seconds) and 0 < seconds <= 24 * 3600):
        raise typed.refused(option, text, f"--{option} takes seconds, above 0 and at most a day.")
    return seconds


def _document(name: str) -> Any:
    """A problem's JSON. Raises InvalidProblem for a file that is none."""
    try:
        data = sys.stdin.buffer.read(LARGEST_BYTES + 1) if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise InvalidProblem(f"{name} can't be read: {error.strerror}.", fields={"problems": [], "count": 0}) from error
    if len(data) > LARGEST_BYTES:
        raise InvalidProblem(f"{name} is larger than {LARGEST_BYTES // 2**20} MB.", fields={"problems": [], "count": 0})
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InvalidProblem(f"{name} is no JSON: {error}.", fields={"problems": [], "count": 0}) from error


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise typed.unwritable("gantt", path, error) from error
