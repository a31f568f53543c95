"""A plan as one HTML page that needs nothing else: a Gantt chart in SVG and the figures below it.

Made to be printed as well: every meaning has a form beside its colour. Hatched is a changeover, grey what others have
booked, shaded what is closed, a heavy outline is late, a bar on top is overtime, a dot is a pin.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Final
from zoneinfo import ZoneInfo

from inventory_sync import words
from production.planning.clock import clock, is_dated, local
from production.planning.hours import OPEN, Hours, within
from production.planning.openings import merged, minute_after, moment_of
from production.planning.plan import Plan, loads, setup_of
from production.planning.problem import Assignment, Machine, Operation, Problem, Setup

NAMES_PX: Final = 176
AXIS_PX: Final = 62
ROW_PX: Final = 46
BAR_PX: Final = 30
WIDTH_PX: Final = 1400  # of a chart of few operations
WIDER_PX: Final = 2400  # of one of many short ones, so that most can be told apart; it is scrolled
SHORT_PX: Final = 14  # of an operation that is shorter than three in four
LEAST_PX: Final = 4 / 60  # per minute
MOST_PX: Final = 30_000
CHARACTER_PX: Final = 6.3
TICK_PX: Final = 44  # between two hours that are written
MOST_LATE: Final = 50  # orders in the table
PALETTE: Final = (
    "#a9c7e2", "#f3cb9b", "#bcd9a5", "#e9b6bb", "#cdbfe4", "#eee09a",
    "#a6d7cc", "#dec9b0", "#c0cbdb", "#ecc0da", "#d3da97", "#b4d7ef",
)  # fmt: skip
NEUTRAL: Final = "#f4f2ed"  # of what has no such attribute
_HOURS: Final = (1, 2, 3, 4, 6, 12, 24)


def gantt(problem: Problem, plan: Plan, *, title: str = "Plan", colour_by: str = "") -> str:
    """The page. `colour_by`: an attribute of the operations; without, each job has a colour of its own.

    >>> problem = Problem(0, 480, (Machine("P", ((0, 480),)),), (), (Operation("a", "WL-1", {"P": 60}),))
    >>> from production.planning.plan import figures_of
    >>> one = Assignment("a", "P", 0, 60, 0)
    >>> page = gantt(problem, Plan((one,), figures_of(problem, [one])), title="Today <1>")
    >>> "<h1>Today &lt;1&gt;</h1>" in page, "<script" in page, "<title>WL-1 on P" in page
    (True, False, True)
    """
    chart = _Chart.of(problem, plan, colour_by)
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{_text(title)}</title>",
            f"<style>{_STYLE}{_print_style(chart)}</style></head><body>",
            f"<h1>{_text(title)}</h1>",
            f"<p>{_text(_lead(chart))}</p>",
            '<div class="chart">',
            *_names(chart),
            *_drawing(chart),
            "</div>",
            *_legend(chart),
            *_figures(chart),
            *_late_orders(chart),
            "</body></html>",
        )
    )


def _text(text: str) -> str:
    """Text that is nothing but text."""
    return escape("".join(one if one >= " " or one == "\n" else " " for one in text))


@dataclass(frozen=True)
class _Chart:
    """What is drawn, and where."""

    problem: Problem
    plan: Plan
    begin: int
    end: int
    px: float  # per minute
    rows: Mapping[str, Sequence[Sequence[tuple[Assignment, Operation]]]]  # by machine and load
    hours: Mapping[tuple[str, bool], Hours]  # by machine, without and with overtime
    late: Mapping[str, int]  # minutes, of the jobs that are late
    dues: Mapping[str, int]
    ends: Mapping[str, int]  # of the jobs
    colours: Mapping[str, str]
    colour_by: str

    @classmethod
    def of(cls, problem: Problem, plan: Plan, colour_by: str) -> "_Chart":
        starts = [one.changeover for one in plan.assignments]
        begin = min((problem.start, *starts))
        last = max((one.end for one in plan.assignments), default=begin)
        end = min(max(last, begin + 60) + max(15, (last - begin) // 60), max(problem.end, last))
        end = max(end, begin + 1)
        lengths = sorted(one.end - one.start for one in plan.assignments) or [1]
        short = min(SHORT_PX / max(lengths[len(lengths) // 4], 1), WIDER_PX / (end - begin))
        px = min(max(WIDTH_PX / (end - begin), short, LEAST_PX), MOST_PX / (end - begin))
        operations = {operation.id: operation for operation in problem.operations}
        ends: dict[str, int] = {}
        for one in plan.assignments:
            job = operations[one.operation].job
            ends[job] = max(ends.get(job, one.end), one.end)
        dues = {job.id: job.due for job in problem.jobs if job.due is not None}
        order = sorted(plan.assignments, key=lambda one: (one.start, one.operation))
        keys = dict.fromkeys(_colour_key(operations[one.operation], colour_by) for one in order)
        keys.pop("", None)
        return cls(
            problem=problem,
            plan=plan,
            begin=begin,
            end=end,
            px=px,
            rows=loads(problem, plan.assignments),
            hours={
                (machine.code, overtime): Hours.of(problem, machine, overtime=overtime)
                for machine in problem.machines
                for overtime in (False, True)
            },
            late={job: ends[job] - due for job, due in dues.items() if ends.get(job, due) > due},
            dues=dues,
            ends=ends,
            colours={key: PALETTE[number % len(PALETTE)] for number, key in enumerate(keys)} | {"": NEUTRAL},
            colour_by=colour_by,
        )

    @property
    def width(self) -> float:
        return round((self.end - self.begin) * self.px, 1)

    @property
    def height(self) -> int:
        return AXIS_PX + ROW_PX * len(self.problem.machines) + 8

    def x(self, minute: int) -> float:
        return round((minute - self.begin) * self.px, 1)

    def at(self, minute: int) -> str:
        return clock(self.problem, minute)


def _colour_key(operation: Operation, colour_by: str) -> str:
    return operation.attributes.get(colour_by, "") if colour_by else operation.job


def _lead(chart: _Chart) -> str:
    """Such as: 48 operations of 17 orders on 8 machines, Mon 23 Nov to Fri 27 Nov, times in Europe/Paris."""
    problem, orders = chart.problem, len(chart.ends)
    last = max((one.end for one in chart.plan.assignments), default=chart.begin)
    counted = (
        f"{len(chart.plan.assignments)} operation{'s' * (len(chart.plan.assignments) != 1)} of {orders} "
        f"order{'s' * (orders != 1)} on {len(problem.machines)} machine{'s' * (len(problem.machines) != 1)}"
    )
    if not is_dated(problem):
        return f"{counted}, {chart.at(chart.begin)} to {last}"
    first, until = (words.day(moment_of(minute), problem.tz) for minute in (chart.begin, last))
    days = first if first == until else f"{first} to {until}"
    return f"{counted}, {days}, times in {problem.tz}"


# ---------------------------------------------------------------------------------------------- the chart


def _names(chart: _Chart) -> Iterator[str]:
    """The column of the machines, which stays when the chart is scrolled."""
    yield f'<svg class="names" width="{NAMES_PX}" height="{chart.height}" viewBox="0 0 {NAMES_PX} {chart.height}">'
    for number, machine in enumerate(chart.problem.machines):
        y = AXIS_PX + ROW_PX * number
        name = (machine.name or machine.code).split(" (")[0]
        yield f'<line class="rule" x1="0" x2="{NAMES_PX}" y1="{y}" y2="{y}"/>'
        below = machine.code if name != machine.code else ""
        middle = y + ROW_PX / 2 + (-1 if below else 4)
        yield f'<text class="machine" x="0" y="{middle}">{_text(_cut(name, 22))}</text>'
        if below:
            yield f'<text class="code" x="0" y="{middle + 14}">{_text(_cut(below, 22))}</text>'
    yield "</svg>"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _drawing(chart: _Chart) -> Iterator[str]:
    width, height = chart.width, chart.height
    yield f'<svg class="plan" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">'
    yield (
        '<defs><pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<rect width="5" height="5" fill="#fff"/><line x1="0" y1="0" x2="0" y2="5" stroke="#55534d" stroke-width="2"/>'
        "</pattern></defs>"
    )
    for number, machine in enumerate(chart.problem.machines):
        yield from _ground(chart, machine, AXIS_PX + ROW_PX * number)
    yield from _axis(chart)
    for number, machine in enumerate(chart.problem.machines):
        yield from _row(chart, machine, AXIS_PX + ROW_PX * number)
    yield from _zones(chart)
    yield "</svg>"


def _box(chart: _Chart, kind: str, start: int, end: int, y: float, height: float, *, style: str = "") -> str:
    start, end = max(start, chart.begin), min(end, chart.end)
    wide = max(round((end - start) * chart.px, 1), 0.6)
    return f'<rect class="{kind}" x="{chart.x(start)}" y="{y}" width="{wide}" height="{height}"{style}/>'


def _ground(chart: _Chart, machine: Machine, y: int) -> Iterator[str]:
    """A machine's closed time and its overtime, under everything else."""
    at = chart.begin
    spans = merged((*machine.open, *machine.overtime))
    for a, b in (*within(spans, chart.begin, chart.end), (chart.end, chart.end)):
        if a > at:
            yield _box(chart, "closed", at, a, y, ROW_PX)
        at = b
    for a, b in within(machine.overtime, chart.begin, chart.end):
        yield _box(chart, "extra", a, b, y, ROW_PX)
    yield f'<line class="rule" x1="0" x2="{chart.width}" y1="{y}" y2="{y}"/>'


def _axis(chart: _Chart) -> Iterator[str]:
    bottom = chart.height - 8
    yield f'<line class="rule" x1="0" x2="{chart.width}" y1="{bottom}" y2="{bottom}"/>'
    for minute, label, is_day in _ticks(chart):
        x = chart.x(minute)
        if is_day:
            yield f'<line class="day" x1="{x}" x2="{x}" y1="4" y2="{bottom}"/>'
            yield f'<text class="date" x="{x + 5}" y="16">{label}</text>'
        else:
            yield f'<line class="hour" x1="{x}" x2="{x}" y1="{AXIS_PX - 6}" y2="{bottom}"/>'
            anchor = "middle" if x > TICK_PX / 2 else "start"
            yield f'<text class="clock" x="{x}" y="{AXIS_PX - 10}" text-anchor="{anchor}">{label}</text>'


def _ticks(chart: _Chart) -> Iterator[tuple[int, str, bool]]:
    """Minutes that are written on the axis, with their words; True: a day begins."""
    if not is_dated(chart.problem):
        step = next(
            one * 10**power for power in range(10) for one in (1, 2, 5) if one * 10**power * chart.px >= TICK_PX
        )
        first = -(-chart.begin // step) * step
        yield from ((minute, str(minute), False) for minute in range(first, chart.end, step))
        return
    step = next((hours for hours in _HOURS if hours * 60 * chart.px >= TICK_PX), 24)
    every = next(days for days in (1, 2, 7, 14, 28, 91, 364) if days * 1440 * chart.px >= 80 or days == 364)
    zone = ZoneInfo(chart.problem.tz)
    start = local(chart.problem, chart.begin)
    midnight = datetime(start.year, start.month, start.day)  # noqa: DTZ001 (a day of the local calendar)
    number = 0
    while (day := minute_after((midnight + timedelta(days=number)).replace(tzinfo=zone))) < chart.end:
        shown = max(day, chart.begin)
        if number % every == 0 and (
            number or chart.x(minute_after((midnight + timedelta(1)).replace(tzinfo=zone))) > 80
        ):
            yield shown, words.day(moment_of(shown), chart.problem.tz), True
        for hour in range(0, 24, step) if step < 24 else ():
            tick = minute_after((midnight + timedelta(days=number, hours=hour)).replace(tzinfo=zone))
            if chart.begin <= tick < chart.end and TICK_PX / 2 < chart.x(tick) < chart.width - TICK_PX / 2:
                yield tick, f"{hour:02d}:00", False
        number += 1


def _zones(chart: _Chart) -> Iterator[str]:
    """Lines over all machines: where the plan begins, and until when it is frozen or slushy."""
    problem = chart.problem
    lines = [("begin", problem.start if problem.start > chart.begin else None, "plan begins")]
    lines += [("frozen", problem.frozen_until, "frozen"), ("slushy", problem.slushy_until, "machine fixed")]
    for kind, minute, label in lines:
        if minute is not None and chart.begin < minute < chart.end:
            x = chart.x(minute)
            yield f'<line class="{kind}" x1="{x}" x2="{x}" y1="{AXIS_PX - 38}" y2="{chart.height - 8}"/>'
            if x > 90:
                yield f'<text class="zone" x="{x - 4}" y="{AXIS_PX - 29}" text-anchor="end">{label}</text>'
            else:
                yield f'<text class="zone" x="{x + 4}" y="{AXIS_PX - 29}">{label}</text>'


def _row(chart: _Chart, machine: Machine, y: int) -> Iterator[str]:
    """What one machine does, and what others have booked of it."""
    top = y + (ROW_PX - BAR_PX) / 2 + 2
    for taken in machine.taken:
        if taken.start < chart.end and taken.end > chart.begin:
            said = f"Booked by others{f': {taken.what}' if taken.what else ''}\n{_span(chart, taken.start, taken.end)}"
            yield f"<g><title>{_text(said)}</title>"
            yield _box(chart, "taken", taken.start, taken.end, top, BAR_PX)
            wide = (min(taken.end, chart.end) - max(taken.start, chart.begin)) * chart.px
            yield from _label(chart, max(taken.start, chart.begin), wide, top + BAR_PX / 2 + 4, (taken.what, "booked"))
            yield "</g>"
    state = machine.state
    for load in chart.rows[machine.code]:
        first, operation = load[0]
        setup = setup_of(chart.problem, machine.code, state, operation.attributes)
        yield from _changeover(chart, machine, first, setup, top)
        height = BAR_PX / len(load)
        for number, (one, each) in enumerate(load):
            yield from _operation(chart, machine, one, each, setup, top + number * height, height)
        state = operation.attributes
    yield from _dues(chart, machine, top)


def _dues(chart: _Chart, machine: Machine, top: float) -> Iterator[str]:
    """A mark where a job is due, on the machine that ends it."""
    for one, operation in (each for load in chart.rows[machine.code] for each in load):
        due = chart.dues.get(operation.job)
        if due is not None and one.end == chart.ends[operation.job] and chart.begin <= due <= chart.end:
            x = chart.x(due)
            mark = f"{operation.job} due {chart.at(due)}"
            yield (
                f'<g class="due"><title>{_text(mark)}</title><line x1="{x}" x2="{x}" y1="{top - 4}" '
                f'y2="{top + BAR_PX}"/><path d="M{x - 4} {top - 9}h8l-4 6z"/></g>'
            )


def _changeover(chart: _Chart, machine: Machine, one: Assignment, setup: Setup, top: float) -> Iterator[str]:
    """The hatched box: as long as the changeover takes, its pauses left out."""
    if one.changeover >= one.start:
        return
    hours = chart.hours[machine.code, one.overtime]
    over = hours.after(max(one.changeover, chart.problem.start), setup.minutes) or one.start
    cost = f", {setup.cost} {chart.problem.currency}".rstrip() if setup.cost else ""
    said = f"Changeover {words.duration(setup.minutes)}{cost}\n{_span(chart, one.changeover, min(over, one.start))}"
    yield f"<g><title>{_text(said)}</title>"
    if one.changeover < chart.problem.start:
        yield _box(chart, "change", one.changeover, min(chart.problem.start, one.start), top + 5, BAR_PX - 10)
    for a, b, kind in hours.pieces(max(one.changeover, chart.problem.start), min(over, one.start)):
        if kind == OPEN:
            yield _box(chart, "change", a, b, top + 5, BAR_PX - 10)
    yield "</g>"


def _operation(
    chart: _Chart, machine: Machine, one: Assignment, operation: Operation, setup: Setup, top: float, height: float
) -> Iterator[str]:
    late = chart.late.get(operation.job)
    said = [
        f"{_title(operation)} on {machine.name or machine.code}",
        f"{_span(chart, one.start, one.end)} ({words.duration(one.end - one.start)})",
    ]
    if one.changeover < one.start:
        said.append(f"changeover of {words.duration(setup.minutes)} from {chart.at(one.changeover)}")
    if (due := chart.dues.get(operation.job)) is not None:
        said.append(f"due {chart.at(due)}{f', {words.duration(late)} late' if late else ''}")
    said += [f"roll {one.roll}"] if one.roll else []
    said += [f"{name} {value}" for name, value in operation.attributes.items()]
    pinned = operation.pin is not None
    said += ["pinned"] if pinned else []
    yield f"<g><title>{_text(chr(10).join(said))}</title>"
    style = f' fill="{chart.colours[_colour_key(operation, chart.colour_by)]}" rx="2"'
    kind = "work late" if late else "work"
    start = max(one.start, chart.begin)
    past = min(max(start, chart.problem.start), one.end)
    pieces = [(start, past, OPEN)] if past > start else []
    pieces += chart.hours[machine.code, one.overtime].pieces(past, one.end)
    if len(pieces) > 1:
        yield _box(chart, "pause", start, one.end, top + height / 2 - 2, 4, style=style)
    for a, b in merged((a, b) for a, b, what in pieces if what == OPEN):
        yield _box(chart, kind, a, b, top, height, style=style)
    if one.overtime:
        for a, b in within(machine.overtime, one.changeover, one.end):
            yield _box(chart, "over", a, b, top - 4, 3)
    longest = max(((b - a, a) for a, b, what in pieces if what == OPEN), default=(0, start))
    if height >= 11:
        names = (_title(operation), operation.job, operation.name, operation.job[-4:])
        yield from _label(chart, longest[1], longest[0] * chart.px, top + height / 2 + 4, names)
    if pinned:
        yield f'<circle class="pin" cx="{chart.x(start) + 5}" cy="{top + 5}" r="2.4"/>'
    yield "</g>"


def _title(operation: Operation) -> str:
    return f"{operation.job} {operation.name}".strip() if operation.job else operation.id


def _label(chart: _Chart, start: int, wide: float, y: float, names: Iterable[str]) -> Iterator[str]:
    """The longest of the names that fits."""
    fitting = [name for name in names if name and len(name) * CHARACTER_PX + 8 <= wide]
    if fitting:
        yield f'<text class="label" x="{chart.x(start) + 5}" y="{y}">{_text(fitting[0])}</text>'


def _span(chart: _Chart, start: int, end: int) -> str:
    """Such as Mon 08:00 to 10:00."""
    first, last = chart.at(start), chart.at(end)
    day, _, time = last.rpartition(" ")
    return f"{first} to {time if first.rpartition(' ')[0] == day else last}"


# ---------------------------------------------------------------------------------------------- below the chart


def _legend(chart: _Chart) -> Iterator[str]:
    samples = [
        ("Changeover", '<rect class="change" x="1" y="2" width="24" height="10"/>'),
        ("Booked by others", '<rect class="taken" x="1" y="1" width="24" height="12"/>'),
        ("Closed", '<rect class="closed" x="1" y="1" width="24" height="12"/>'),
        ("Late", f'<rect class="work late" x="2" y="2" width="22" height="10" fill="{PALETTE[0]}"/>'),
        ("Overtime", '<rect class="extra" x="1" y="1" width="24" height="12"/><rect class="over" x="1" y="1" '
         'width="24" height="3"/>'),
        ("Due", '<g class="due"><path d="M9 1h8l-4 6z"/><line x1="13" x2="13" y1="4" y2="13"/></g>'),
        ("Pinned", '<circle class="pin" cx="13" cy="7" r="2.6"/>'),
    ]  # fmt: skip
    if chart.colour_by:
        box = '<rect class="work" x="1" y="1" width="24" height="12" fill="{}"/>'
        for key, fill in chart.colours.items():
            samples.append((f"{chart.colour_by} {key}" if key else f"no {chart.colour_by}", box.format(fill)))
    yield '<ul class="legend">'
    for name, drawing in samples:
        yield f'<li><svg width="26" height="14">{drawing}</svg>{_text(name)}</li>'
    yield "</ul>"


def _figures(chart: _Chart) -> Iterator[str]:
    figures, plan, currency = chart.plan.figures, chart.plan, chart.problem.currency
    rows = [
        ("Late orders", str(len(figures.late_jobs)), f"of {len(chart.ends)}"),
        ("Lateness", words.duration(figures.tardiness_min), f"weighted {figures.weighted_tardiness_min:,.0f} min"),
        ("Changeovers", words.duration(figures.changeover_min), f"{figures.changeover_cost:,.2f} {currency}".strip()),
        ("Overtime", words.duration(figures.overtime_min), ""),
        ("Moved", str(figures.moved), "operations that are not where they were published"),
        ("Done after", words.duration(figures.makespan_min), ""),
        ("Cost", f"{figures.cost:,.1f}", _gap(figures.cost, plan.bound)),
    ]
    by = f"{plan.by}, seed {plan.seed}" if plan.by else ""
    rows += [("Made by", by, f"{sum(plan.effort):,} moves" if plan.effort else "")] if by else []
    yield "<table><caption>Figures</caption><tbody>"
    for name, value, more in rows:
        yield f'<tr><th scope="row">{_text(name)}</th><td class="number">{_text(value)}</td><td>{_text(more)}</td></tr>'
    yield "</tbody></table>"


def _gap(cost: float, bound: float | None) -> str:
    if bound is None:
        return ""
    more = f", at most {(cost - bound) / cost:.1%} less" if cost > 0 else ""
    return f"no plan costs less than {bound:,.1f}{more}"


def _late_orders(chart: _Chart) -> Iterator[str]:
    late = sorted(chart.late.items(), key=lambda one: (-one[1], one[0]))
    if not late:
        return
    yield "<table><caption>Late orders</caption><thead><tr><th>Order</th>"
    yield "".join(f'<th class="number">{name}</th>' for name in ("Due", "Done", "Late")) + "</tr>"
    yield "</thead><tbody>"
    names = {job.id: job.name for job in chart.problem.jobs}
    for job, minutes in late[:MOST_LATE]:
        cells = (chart.at(chart.dues[job]), chart.at(chart.ends[job]), words.duration(minutes))
        numbers = "".join(f'<td class="number">{_text(cell)}</td>' for cell in cells)
        yield f'<tr><th scope="row">{_text(f"{job} {names[job]}".strip())}</th>{numbers}</tr>'
    if len(late) > MOST_LATE:
        yield f'<tr><td colspan="4">and {len(late) - MOST_LATE} more</td></tr>'
    yield "</tbody></table>"


def _print_style(chart: _Chart) -> str:
    """On paper the whole chart is as wide as the page."""
    share = 100 * NAMES_PX / (NAMES_PX + chart.width)
    return f"@media print{{.names{{width:{share:.2f}%}}.plan{{width:{100 - share:.2f}%}}}}"


_STYLE: Final = """
:root{color-scheme:light}
body{margin:28px 32px;background:#fff;color:#1d1d1b;font:14px/1.45 system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,
sans-serif;font-variant-numeric:tabular-nums}
h1{margin:0;font-size:21px;font-weight:600}
p{margin:2px 0 18px;color:#5f5d57}
svg{display:block;font:11px system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
font-variant-numeric:tabular-nums}
.chart{display:flex;overflow-x:auto;padding-bottom:6px}
.chart svg{flex:none}
.names{position:sticky;left:0;background:#fff}
.machine{font-size:13px;font-weight:600;fill:#1d1d1b}
.code,.clock,.zone{fill:#6d6b64}
.code{font-size:11px}
.clock{font-size:10.5px}
.zone{font-size:10.5px;font-style:italic}
.date{font-size:12px;font-weight:600;fill:#1d1d1b}
.rule{stroke:#dcdad4}
.day{stroke:#8f8d86}
.hour{stroke:#8f8d86;stroke-opacity:.22}
.closed{fill:#eeece7}
.extra{fill:#faf6e6;stroke:#cdbf86;stroke-dasharray:2 2}
.taken{fill:#b5b3ad;stroke:#8f8d86}
.change{fill:url(#hatch);stroke:#55534d;stroke-width:.8}
.work{stroke:#55534d;stroke-width:.8}
.late{stroke:#a1171f;stroke-width:2.4}
.pause{stroke:none}
.over{fill:#1d1d1b}
.pin{fill:#1d1d1b}
.due path{fill:#1d1d1b}
.due line{stroke:#1d1d1b;stroke-width:1;stroke-dasharray:1.5 1.5}
.label{fill:#1d1d1b;pointer-events:none}
.begin{stroke:#1d1d1b;stroke-width:1.2}
.frozen{stroke:#2c5d8f;stroke-width:1.4;stroke-dasharray:6 3}
.slushy{stroke:#2c5d8f;stroke-width:1.2;stroke-dasharray:1.5 3}
.legend{display:flex;flex-wrap:wrap;gap:6px 20px;margin:10px 0 24px;padding:0 0 0 176px;list-style:none;color:#5f5d57;
font-size:12px}
.legend li{display:flex;align-items:center;gap:7px}
table{display:inline-table;margin:0 48px 24px 0;border-collapse:collapse;vertical-align:top}
caption{padding-bottom:4px;text-align:left;font-weight:600}
th,td{padding:4px 18px 4px 0;border-top:1px solid #dcdad4;text-align:left;font-weight:400}
thead th{color:#5f5d57;border-top:0}
.number{text-align:right;white-space:nowrap}
td:last-child,th:last-child{padding-right:0}
table td:not(.number){color:#5f5d57}
@page{size:landscape;margin:12mm}
@media print{body{margin:0;font-size:10px;-webkit-print-color-adjust:exact;print-color-adjust:exact}
.chart{overflow:visible}.chart svg{height:auto}.names{position:static}.legend{padding-left:0;margin-bottom:12px;
font-size:9px}h1{font-size:15px}p{margin-bottom:10px}th,td{padding:2px 12px 2px 0}table{break-inside:avoid}}
"""
