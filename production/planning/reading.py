"""A problem as a JSON document, written by people or by other programs, and a plan as one to be read by them.

`SCHEMA` describes the document word for word. A shop writes machines, jobs and operations; two compact forms take the
textbook's problems: `unrelated` (parallel machines with changeovers) and `job_shop`. What a schema can't say is said by
the reader: machines that are able (`abilities` against `needs`), minutes that follow from a length and a speed, shifts
that become spans. Every fault is named by its place, such as $.operations[3].minutes.
"""

import json
import math
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any, Final
from zoneinfo import ZoneInfo

from jsonschema import Draft202012Validator

from inventory_sync.ports import Calendar, Window
from production.planning.clock import FIRST_DATED, LAST_DATED, is_dated, iso
from production.planning.document import (
    COMPACT,
    DAYS,
    MOST_MACHINES,
    MOST_OPERATIONS,
    NEEDED,
    NUMBER,
    SCHEMA,
    SHIFT,
    TIME,
    Json,
)
from production.planning.errors import InvalidProblem
from production.planning.openings import Span, minute_after, openings
from production.planning.plan import Figures, Plan
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
    Weights,
)

MOST_VALUES: Final = 4_000_000  # of the whole document
MOST_PAIRS: Final = 1_000_000  # of an operation and a machine that could do it
MOST_BYTES: Final = 64 * 1024 * 1024
DEEPEST: Final = 12
LONGEST_TEXT: Final = 1000
LONGEST_DAYS: Final = 1100  # that a calendar is read for by its shifts
MOST_FAULTS: Final = 100  # that an error carries; it counts the others

_SHOP: Final = Draft202012Validator({name: part for name, part in SCHEMA.items() if name != "oneOf"})


# ---------------------------------------------------------------------------------------------- faults


class _Faults:
    """What is wrong so far, by place."""

    def __init__(self) -> None:
        self.all: list[dict[str, str]] = []

    def add(self, path: str, sentence: str) -> None:
        self.all.append({"path": path, "sentence": f"{path}: {sentence}"})

    def refuse(self) -> None:
        if self.all:
            more = f" ({len(self.all) - 1} more)" if len(self.all) > 1 else ""
            raise InvalidProblem(
                f"{self.all[0]['sentence']}{more}",
                fields={"problems": self.all[:MOST_FAULTS], "count": len(self.all)},
            )


def _refuse(path: str, sentence: str) -> InvalidProblem:
    return InvalidProblem(
        f"{path}: {sentence}", fields={"problems": [{"path": path, "sentence": f"{path}: {sentence}"}], "count": 1}
    )


def _path(parts: Iterable[object]) -> str:
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, str | int | float) else ""
    text = text or {dict: "an object", list: "a list", type(None): "null"}.get(type(value), "another thing")
    return text if len(text) <= 60 else f"{text[:57]}..."


def _refuse_hostile(document: Json) -> None:
    """Refuse what is too large, too deep or no JSON, before anything else looks at it."""
    for name, most in (("operations", MOST_OPERATIONS), ("machines", MOST_MACHINES)):
        there = document.get(name)
        if isinstance(there, list) and len(there) > most:
            raise _refuse(f"$.{name}", f"there are {len(there)}, and {most} is the most: divide the problem.")
    values = 0
    level: list[tuple[tuple[object, ...], Any]] = [((), document)]
    for depth in range(DEEPEST + 1):
        inside: list[tuple[tuple[object, ...], Any]] = []
        for place, value in level:
            if isinstance(value, list):
                children: Iterable[tuple[object, Any]] = enumerate(value)
            elif isinstance(value, Mapping):
                children = value.items()
            else:
                continue
            values += len(value)
            if values > MOST_VALUES:
                raise _refuse("$", f"it holds more than {MOST_VALUES} values: divide the problem.")
            for key, child in children:
                if type(child) is int and -LAST_DATED < child < LAST_DATED:
                    continue
                if isinstance(child, list | Mapping):
                    if depth == DEEPEST:
                        raise _refuse(_path(place), f"it is nested deeper than {DEEPEST} levels.")
                    inside.append(((*place, key), child))
                elif wrong := _wrong_value(child):
                    raise _refuse(_path((*place, key)), wrong)
                if isinstance(key, str) and len(key) > LONGEST_TEXT:
                    raise _refuse(_path(place), f"a name in it is longer than {LONGEST_TEXT} characters.")
        level = inside


def _wrong_value(value: object) -> str:
    if isinstance(value, str):
        return f"it is longer than {LONGEST_TEXT} characters." if len(value) > LONGEST_TEXT else ""
    if isinstance(value, int | float) and not abs(value) < LAST_DATED:
        return f"{_short(value) if isinstance(value, float) else 'it'} is no number that can be planned with."
    return "" if value is None or isinstance(value, int | float) else f"{type(value).__name__} is no JSON."


_TYPES: Final = {
    "integer": "a whole number",
    "number": "a number",
    "string": "a text",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}


def _check_schema(document: Json, faults: _Faults) -> None:
    for error in islice(_SHOP.iter_errors(document), MOST_FAULTS):
        path, said, value = _path(error.absolute_path), error.validator_value, error.instance
        if error.validator == "type":
            kinds = " or ".join(_TYPES[kind] for kind in ([said] if isinstance(said, str) else said))
            faults.add(path, f"{_short(value)} is given, write {kinds}.")
        elif error.validator == "required":
            faults.add(path, f"{', '.join(name for name in said if name not in value)} is missing: add it.")
        elif error.validator == "additionalProperties":
            known = error.schema.get("properties", {})
            unknown = ", ".join(_short(name) for name in value if name not in known)
            faults.add(path, f"{unknown} is not known here; what is known: {', '.join(known)}.")
        elif error.validator in ("minimum", "exclusiveMinimum"):
            least = "above" if error.validator == "exclusiveMinimum" else "of at least"
            faults.add(path, f"{_short(value)} is given, write a number {least} {said}.")
        elif error.validator == "enum":
            faults.add(path, f"{_short(value)} is given, write {' or '.join(said)}.")
        elif error.validator == "pattern":
            example = {TIME: "2026-11-23T06:00", SHIFT: "06:00-14:00", NUMBER: "12.5"}[said]
            faults.add(path, f"{_short(value)} is given, write it such as {example}.")
        elif error.validator in ("minItems", "minLength"):
            faults.add(path, "it is empty or too short.")
        else:
            faults.add(path, f"it doesn't meet {error.validator} {_short(said)}.")


# ---------------------------------------------------------------------------------------------- reading


def read_text(text: str | bytes) -> Problem:
    """The problem of a JSON text. Raises InvalidProblem as `read` does, and for what is no JSON."""
    if len(text) > MOST_BYTES:
        raise _refuse("$", f"it is {len(text)} bytes long, and {MOST_BYTES} is the most: divide the problem.")
    try:
        document = json.loads(text)
    except RecursionError:
        raise _refuse("$", f"it is nested deeper than {DEEPEST} levels.") from None
    except ValueError as error:  # JSONDecodeError, UnicodeDecodeError, a number of too many digits
        raise _refuse("$", f"it is no JSON ({error}).") from None
    return read(document)


def read(document: Json) -> Problem:
    """The problem that a JSON document describes; `check` judges it afterwards.

    Raises InvalidProblem with all that is wrong with the document, each with its place.

    >>> read({"job_shop": [[[0, 3], [1, 2]], [[1, 4]]]}).operations[1].minutes
    {'M1': 2}
    >>> read({"job_shop": [[[0, -3]]]})
    Traceback (most recent call last):
    ...
    production.planning.errors.InvalidProblem: $.job_shop[0][0][1]: -3 is given, write a number of at least 0.
    """
    if not isinstance(document, Mapping):
        raise _refuse("$", f"it is {_short(document)}, write an object.")
    _refuse_hostile(document)
    faults = _Faults()
    _check_schema(document, faults)
    compact = [name for name in COMPACT if name in document]
    if compact:
        others = [name for name in (*NEEDED, *COMPACT, "rolls", "published", "setups") if name in document]
        if others != compact[:1]:
            faults.add("$", f"{', '.join(others)} stand beside each other: write {compact[0]} alone.")
    elif missing := [name for name in NEEDED if name not in document]:
        faults.add("$", f"{', '.join(missing)} is missing: add it, or write {' or '.join(COMPACT)}.")
    faults.refuse()
    if "unrelated" in document:
        return _read_unrelated(document["unrelated"], document.get("weights"))
    if "job_shop" in document:
        return _read_job_shop(document["job_shop"], document.get("weights"))
    return _read_shop(document)


def read_again(document: Json) -> Problem:
    """The problem that `written` wrote: it was read, and found good, before; a tenth of the time of `read`."""
    return _read_shop(document)


@dataclass(frozen=True)
class _Frame:
    """What every part of a document is read by."""

    tz: str
    start: int
    end: int
    faults: _Faults

    def minute(self, value: int | float | str | None, path: str) -> int | None:
        """A time in minutes; None stays None."""
        if not isinstance(value, str):
            return None if value is None else int(value)
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.faults.add(path, f"{value} is no date: write it such as 2026-11-23T06:00.")
            return None
        return minute_after(moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(self.tz)))

    def at(self, value: int | float | str, path: str) -> int:
        """A time in minutes."""
        found = self.minute(value, path)
        return self.start if found is None else found  # a fault is noted

    def span(self, pair: Sequence[int | str], path: str) -> Span:
        """A stretch of time."""
        return self.at(pair[0], f"{path}[0]"), self.at(pair[1], f"{path}[1]")


def _read_shop(document: Json) -> Problem:
    faults = _Faults()
    tz = document.get("tz", "UTC")
    if not _is_zone(tz):
        raise _refuse("$.tz", f"the time zone {_short(tz)} is not known: write one such as Europe/Paris.")
    frame = _Frame(tz, 0, 0, faults)
    start, end = frame.at(document["start"], "$.start"), frame.at(document["end"], "$.end")
    frame = _Frame(tz, start, end, faults)
    machines = tuple(
        _read_machine(each, document.get("calendars", {}), frame, f"$.machines[{number}]")
        for number, each in enumerate(document["machines"])
    )
    problem = Problem(
        start=start,
        end=end,
        machines=machines,
        jobs=tuple(
            Job(
                each["id"],
                each.get("name", ""),
                frame.minute(each.get("due"), f"$.jobs[{number}].due"),
                float(each.get("weight", 1.0)),
                frame.minute(each.get("release"), f"$.jobs[{number}].release"),
            )
            for number, each in enumerate(document["jobs"])
        ),
        operations=_read_operations(document, frame),
        setups=_read_setups(document.get("setups", []), faults),
        weights=Weights(**{name: float(value) for name, value in document.get("weights", {}).items()}),
        published=tuple(
            _read_assignment(each, frame, f"$.published[{number}]")
            for number, each in enumerate(document.get("published", []))
        ),
        frozen_until=frame.minute(document.get("frozen_until"), "$.frozen_until"),
        slushy_until=frame.minute(document.get("slushy_until"), "$.slushy_until"),
        tolerance_min=int(document.get("tolerance_min", Problem.tolerance_min)),
        rolls=tuple(
            Roll(
                each["code"],
                each["sku"],
                each.get("lot", ""),
                _decimal(each["length_m"]),
                frame.minute(each.get("ready"), f"$.rolls[{number}].ready"),
            )
            for number, each in enumerate(document.get("rolls", []))
        ),
        tz=tz,
        currency=document.get("currency", ""),
    )
    faults.refuse()
    return problem


def _is_zone(tz: str) -> bool:
    try:
        ZoneInfo(tz)
    except (KeyError, OSError, ValueError):
        return False
    return True


def _decimal(value: float | str) -> Decimal:
    return Decimal(value if isinstance(value, str) else repr(value))


def _read_machine(each: Json, calendars: Json, frame: _Frame, path: str) -> Machine:
    calendar, place = each["calendar"], f"{path}.calendar"
    if isinstance(calendar, str):
        if calendar not in calendars:
            frame.faults.add(place, f"there is no calendar {_short(calendar)}: add it to $.calendars.")
        calendar, place = calendars.get(calendar, {}), _path(("calendars", calendar))
    opened, overtime = _read_calendar(calendar, frame, place)
    return Machine(
        code=each["code"],
        open=opened,
        name=each.get("name", ""),
        overtime=overtime,
        taken=tuple(
            Taken(
                frame.at(one["from"], f"{path}.taken[{number}].from"),
                frame.at(one["to"], f"{path}.taken[{number}].to"),
                one.get("what", ""),
            )
            for number, one in enumerate(each.get("taken", []))
        ),
        setups=each.get("setups", ""),
        state=each.get("state", {}),
        load=int(each.get("load", 0)),
        load_by=tuple(each.get("load_by", [])),
    )


def _read_calendar(each: Json, frame: _Frame, path: str) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """The open time and the overtime."""
    by_shift = [name for name in ("tz", "shifts", "overtime_shifts", "leaves") if name in each]
    if not by_shift:
        opened, overtime = (
            tuple(frame.span(pair, f"{path}.{name}[{number}]") for number, pair in enumerate(each.get(name, [])))
            for name in ("open", "overtime")
        )
        return opened, overtime
    tz = each.get("tz", frame.tz)
    if not _is_zone(tz):
        frame.faults.add(f"{path}.tz", f"the time zone {_short(tz)} is not known: write one such as Europe/Paris.")
    elif spans := [name for name in ("open", "overtime") if name in each]:
        frame.faults.add(path, f"{', '.join(spans)} stands beside {', '.join(by_shift)}: write spans or shifts.")
    elif not FIRST_DATED <= frame.start < frame.end:
        frame.faults.add(path, "shifts need a plan that begins on a date: write $.start as 2026-11-23T06:00.")
    elif frame.end - frame.start > LONGEST_DAYS * 24 * 60:
        frame.faults.add(path, f"shifts are read for {LONGEST_DAYS} days at most: let $.end be earlier.")
    else:
        leaves = tuple(_read_leaf(one, frame, f"{path}.leaves[{n}]") for n, one in enumerate(each.get("leaves", [])))
        opened = _spans_of(each.get("shifts", {}), tz, leaves, frame)
        longer = _spans_of(each.get("overtime_shifts", {}), tz, leaves, frame)
        return opened, tuple(_outside(longer, opened))
    return (), ()


def _read_leaf(one: Json, frame: _Frame, path: str) -> Window:
    first, last = frame.at(one["from"], f"{path}.from"), frame.at(one["to"], f"{path}.to")
    zone = ZoneInfo("UTC")
    return Window(datetime.fromtimestamp(first * 60, zone), datetime.fromtimestamp(last * 60, zone))


def _spans_of(shifts: Json, tz: str, leaves: tuple[Window, ...], frame: _Frame) -> tuple[Span, ...]:
    week = tuple(tuple(_hours(shift) for shift in shifts.get(day, [])) for day in DAYS)
    return tuple(openings(Calendar(tz, week, leaves), frame.start, frame.end))


def _hours(shift: str) -> tuple[float, float]:
    """A shift in hours since midnight, such as (22, 30) for 22:00-06:00."""
    found = re.match(SHIFT, shift)
    assert found is not None
    first, last = (int(found[at]) + int(found[at + 1]) / 60 for at in (1, 3))
    return first, last if last > first else last + 24


def _outside(spans: Iterable[Span], others: Sequence[Span]) -> Iterator[Span]:
    """What of some spans lies in none of the others; all in order."""
    for start, end in spans:
        at = start
        for a, b in others:
            if b <= at:
                continue
            if a >= end:
                break
            if a > at:
                yield at, a
            at = max(at, b)
        if at < end:
            yield at, end


def _read_setups(each: Sequence[Json], faults: _Faults) -> dict[str, SetupMatrix]:
    found: dict[str, SetupMatrix] = {}
    for number, one in enumerate(each):
        if one["code"] in found:
            faults.add(f"$.setups[{number}].code", f"{_short(one['code'])} is there twice: keep one.")
        found[one["code"]] = SetupMatrix(
            one["code"],
            tuple(
                AttributeSetups(
                    part["attribute"],
                    {(pair["from"], pair["to"]): _setup(pair) for pair in part.get("pairs", [])},
                    _setup(part.get("same", 0)),
                    _setup(part.get("other", 0)),
                )
                for part in one["attributes"]
            ),
            one.get("combine", "sum"),
        )
    return found


def _setup(value: int | Json) -> Setup:
    if isinstance(value, Mapping):
        return Setup(int(value.get("minutes", 0)), _decimal(value.get("cost", 0)))
    return Setup(int(value))


def _read_assignment(each: Json, frame: _Frame, path: str) -> Assignment:
    start = frame.at(each["start"], f"{path}.start")
    return Assignment(
        each["operation"],
        each["machine"],
        start,
        frame.at(each["end"], f"{path}.end"),
        frame.at(each["changeover"], f"{path}.changeover") if "changeover" in each else start,
        each.get("overtime", False),
        each.get("roll", ""),
    )


# ---------------------------------------------------------------------------------------------- who can, how long


def _read_operations(document: Json, frame: _Frame) -> tuple[Operation, ...]:
    machines = {each["code"]: each for each in document["machines"]}
    minutes_of = _counting(machines)
    pairs = 0
    found: list[Operation] = []
    for number, each in enumerate(document["operations"]):
        path = f"$.operations[{number}]"
        minutes, wrong = minutes_of(each)
        if wrong:
            frame.faults.add(path, wrong)
        pairs += len(minutes)
        if pairs > MOST_PAIRS:
            raise _refuse("$.operations", f"more than {MOST_PAIRS} pairs with a machine: name fewer machines.")
        pin, cloth = each.get("pin"), each.get("cloth")
        found.append(
            Operation(
                id=each["id"],
                job=each["job"],
                minutes=minutes,
                name=each.get("name", ""),
                after=tuple(
                    After(one) if isinstance(one, str) else After(one["operation"], int(one.get("gap_min", 0)))
                    for one in each.get("after", [])
                ),
                release=frame.minute(each.get("release"), f"{path}.release"),
                attributes=each.get("attributes", {}),
                splittable=each.get("splittable", False),
                load=int(each.get("load", 0)),
                pin=Pin(pin["machine"], frame.minute(pin.get("start"), f"{path}.pin.start")) if pin else None,
                cloth=Cloth(cloth["sku"], _decimal(cloth["length_m"]), cloth.get("roll", "")) if cloth else None,
            )
        )
    return tuple(found)


def _counting(machines: Mapping[str, Json]) -> Callable[[Json], tuple[dict[str, int], str]]:
    """A function that says an operation's minutes by machine, or what is wrong; what is alike is judged once."""
    known: dict[Hashable, dict[str, str]] = {}

    def unable(each: Json, codes: Sequence[str]) -> dict[str, str]:
        """What each of those machines is not able to do."""
        needs = each.get("needs", {})
        key = (json.dumps(needs, sort_keys=True), tuple(codes))
        if key not in known:
            known[key] = {
                code: lack
                for code in codes
                if code in machines and (lack := _lack(code, needs, machines[code].get("abilities", {})))
            }
        return known[key]

    def minutes_of(each: Json) -> tuple[dict[str, int], str]:
        given, length = each.get("minutes"), each.get("length_m")
        if (given is None) == (length is None):
            return {}, "write either its minutes or its length_m, from which they are counted."
        if isinstance(given, Mapping) and "machines" in each:
            return {}, "its minutes name the machines already: leave machines out."
        if "machines" not in each and not isinstance(given, Mapping) and not each.get("needs"):
            return {}, "it says neither its machines nor what it needs: name them."
        codes = tuple(given) if isinstance(given, Mapping) else tuple(each.get("machines", machines))
        lacks = unable(each, codes)
        able = [code for code in codes if code not in lacks]
        if isinstance(given, Mapping):
            minutes = {code: int(given[code]) for code in able}
        elif given is not None:
            minutes = dict.fromkeys(able, int(given))
        else:
            speeds = {code: _speed(each, machines.get(code, {})) for code in able}
            lacks = lacks | {
                code: f"{code} has no speed for {_kind(each) or 'it'}" for code in able if not speeds[code]
            }
            metres = _decimal(length) if length is not None else Decimal(0)
            minutes = {code: math.ceil(metres / speed) for code, speed in speeds.items() if speed}
        if not minutes:
            more = f"; {len(lacks) - 10} more" if len(lacks) > 10 else ""
            return {}, f"no machine can do it: {'; '.join(islice(lacks.values(), 10)) or 'there is none'}{more}."
        return minutes, ""

    return minutes_of


def _kind(each: Json) -> str:
    """What the operation works on and how, such as FAB-X/quality."""
    return "/".join(each[name] for name in ("kind", "mode") if each.get(name))


def _speed(each: Json, machine: Json) -> Decimal | None:
    """The machine's speed for an operation: by kind and mode, by kind, or by default."""
    speeds = machine.get("speeds_m_min", {})
    for name in (_kind(each), each.get("kind", ""), "default"):
        if name in speeds:
            return _decimal(speeds[name])
    return None


def _lack(code: str, needs: Json, abilities: Json) -> str:
    """What a machine is not able to do, such as: PRT1: width_mm is 1400, at least 1500 needed. Empty: it is able."""
    for name, need in needs.items():
        if name not in abilities:
            return f"{code} says no {name}, {_need_words(need)} needed"
        if not _meets(abilities[name], need):
            return f"{code}: {name} is {_need_words(abilities[name])}, {_need_words(need)} needed"
    return ""


def _meets(ability: Any, need: Any) -> bool:
    """Whether an ability is enough: a range for what lies in it, a list for what is in it, a value for itself."""
    if isinstance(need, list):
        return all(_meets(ability, one) for one in need)
    if isinstance(need, Mapping):
        low, high = (ability.get("min"), ability.get("max")) if isinstance(ability, Mapping) else (ability, ability)
        if not isinstance(high, int | float | None) or not isinstance(low, int | float | None):
            return False
        enough = "min" not in need or high is None or high >= need["min"]
        return enough and ("max" not in need or low is None or low <= need["max"])
    if isinstance(ability, Mapping):
        if not isinstance(need, int | float):
            return False
        return bool(ability.get("min", need) <= need <= ability.get("max", need))
    return bool(need in ability if isinstance(ability, list) else need == ability)


def _need_words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(one) for one in value) or "none"
    if isinstance(value, Mapping):
        low, high = value.get("min"), value.get("max")
        if low is not None and high is not None:
            return f"{low} to {high}"
        return f"at most {high}" if high is not None else f"at least {low}" if low is not None else "anything"
    return str(value)


# ---------------------------------------------------------------------------------------------- compact forms


def _read_unrelated(each: Json, weights: Json | None) -> Problem:
    rows, setups = each["minutes"], each.get("setups", [])
    count = len(rows[0]) if rows else 0
    if not rows or not count:
        raise _refuse("$.unrelated.minutes", "there is no job or no machine: write minutes[job][machine].")
    if len(rows) > MOST_OPERATIONS or count > MOST_MACHINES:
        raise _refuse("$.unrelated.minutes", f"{MOST_OPERATIONS} jobs and {MOST_MACHINES} machines are the most.")
    for job, row in enumerate(rows):
        if len(row) != count:
            raise _refuse(f"$.unrelated.minutes[{job}]", f"it has {len(row)} machines, the first job has {count}.")
        for machine, minutes in enumerate(row):
            if minutes is not None and not _is_whole(minutes, 1):
                raise _refuse(
                    f"$.unrelated.minutes[{job}][{machine}]",
                    f"{_short(minutes)} is given, write whole minutes above 0, or null where it can't be done.",
                )
    if setups and len(setups) != count:
        raise _refuse("$.unrelated.setups", f"it is for {len(setups)} machines, minutes for {count}.")
    jobs = [f"J{job}" for job in range(len(rows))]
    setup_of: dict[int, Setup] = {}  # few differ among the many
    matrices = {
        f"S{machine}": SetupMatrix(
            f"S{machine}", (AttributeSetups("job", _pairs(table, jobs, setup_of, f"$.unrelated.setups[{machine}]")),)
        )
        for machine, table in enumerate(setups)
    }
    # One after the other with the longest changeover between: any plan that doesn't idle is over by then.
    longest = max(setup_of, default=0)
    end = sum(max((int(minutes) for minutes in row if minutes is not None), default=0) + longest for row in rows) or 1
    return Problem(
        start=0,
        end=end,
        machines=tuple(Machine(f"M{at}", ((0, end),), setups=f"S{at}" if setups else "") for at in range(count)),
        jobs=tuple(Job(job) for job in jobs),
        operations=tuple(
            Operation(
                id=job,
                job=job,
                minutes={f"M{at}": int(minutes) for at, minutes in enumerate(row) if minutes is not None},
                attributes={"job": job},
            )
            for job, row in zip(jobs, rows, strict=True)
        ),
        setups=matrices,
        weights=_makespan(weights),
    )


def _pairs(
    table: Sequence[Sequence[int]], jobs: Sequence[str], setup_of: dict[int, Setup], path: str
) -> dict[tuple[str, str], Setup]:
    """The changeovers of one machine that take any time. `setup_of` keeps one Setup for each number of minutes."""
    if len(table) != len(jobs):
        raise _refuse(path, f"it is for {len(table)} jobs, minutes for {len(jobs)}.")
    pairs: dict[tuple[str, str], Setup] = {}
    for before, row in zip(jobs, table, strict=True):
        if len(row) != len(jobs):
            raise _refuse(f"{path}[{jobs.index(before)}]", f"it is for {len(row)} jobs, minutes for {len(jobs)}.")
        for after, minutes in zip(jobs, row, strict=True):
            if not _is_whole(minutes, 0):
                raise _refuse(
                    f"{path}[{jobs.index(before)}][{jobs.index(after)}]",
                    f"{_short(minutes)} is given, write whole minutes of 0 or more.",
                )
            if minutes and before is not after:
                if minutes not in setup_of:
                    setup_of[minutes] = Setup(int(minutes))
                pairs[before, after] = setup_of[minutes]
    return pairs


def _read_job_shop(each: Sequence[Sequence[Sequence[int]]], weights: Json | None) -> Problem:
    count = 1 + max((step[0] for job in each for step in job), default=-1)
    end = sum(step[1] for job in each for step in job)
    if not end:
        raise _refuse("$.job_shop", "there is nothing to do: write [machine, minutes] for each operation.")
    if count > MOST_MACHINES or sum(len(job) for job in each) > MOST_OPERATIONS:
        raise _refuse("$.job_shop", f"{MOST_OPERATIONS} operations and {MOST_MACHINES} machines are the most.")
    for job, steps in enumerate(each):
        for number, step in enumerate(steps):
            if step[1] < 1:
                raise _refuse(f"$.job_shop[{job}][{number}][1]", f"{step[1]} is given, write whole minutes above 0.")
    return Problem(
        start=0,
        end=int(end),
        machines=tuple(Machine(f"M{at}", ((0, int(end)),)) for at in range(int(count))),
        jobs=tuple(Job(f"J{job}") for job in range(len(each))),
        operations=tuple(
            Operation(
                id=f"J{job}.{number}",
                job=f"J{job}",
                minutes={f"M{int(machine)}": int(minutes)},
                after=(After(f"J{job}.{number - 1}"),) if number else (),
            )
            for job, steps in enumerate(each)
            for number, (machine, minutes) in enumerate(steps)
        ),
        weights=_makespan(weights),
    )


def _makespan(weights: Json | None) -> Weights:
    """Nothing but how long it takes, unless the document weighs otherwise."""
    if weights is not None:
        return Weights(**{name: float(value) for name, value in weights.items()})
    return Weights(tardiness=0.0, changeover=0.0, money=0.0, moved=0.0, overtime=0.0, makespan=1.0)


def _is_whole(value: object, least: int) -> bool:
    if type(value) is int:
        return least <= value < LAST_DATED
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and float(value).is_integer()
        and least <= value < LAST_DATED
    )


# ---------------------------------------------------------------------------------------------- writing


def written(problem: Problem) -> dict[str, Any]:
    """A problem as a document that reads back as the same problem: times in minutes, calendars as spans.

    >>> shop = read({"job_shop": [[[0, 3], [1, 2]], [[1, 4]]]})
    >>> read(written(shop)) == shop
    True
    """
    return _without_empty(
        {
            "start": problem.start,
            "end": problem.end,
            "tz": problem.tz,
            "currency": problem.currency,
            "weights": {each.name: getattr(problem.weights, each.name) for each in fields(Weights)},
            "machines": [_machine_document(machine) for machine in problem.machines],
            "setups": [_setups_document(code, matrix) for code, matrix in problem.setups.items()],
            "jobs": [
                _without_empty(
                    {"id": job.id, "name": job.name, "due": job.due, "weight": job.weight, "release": job.release}
                )
                for job in problem.jobs
            ],
            "operations": [_operation_document(operation) for operation in problem.operations],
            "published": [_assignment_document(one) for one in problem.published],
            "frozen_until": problem.frozen_until,
            "slushy_until": problem.slushy_until,
            "tolerance_min": problem.tolerance_min,
            "rolls": [
                _without_empty(
                    {
                        "code": roll.code,
                        "sku": roll.sku,
                        "lot": roll.lot,
                        "length_m": str(roll.length_m),
                        "ready": roll.ready,
                    }
                )
                for roll in problem.rolls
            ],
        },
        keep=NEEDED,
    )


def _without_empty(record: Mapping[str, Any], keep: Iterable[str] = ()) -> dict[str, Any]:
    """What says something: no empty texts, lists and records, no nothing."""
    return {
        name: value
        for name, value in record.items()
        if name in keep or (value is not None and value not in ("", [], {}))
    }


def _machine_document(machine: Machine) -> dict[str, Any]:
    calendar = {"open": [list(span) for span in machine.open]}
    if machine.overtime:
        calendar["overtime"] = [list(span) for span in machine.overtime]
    return _without_empty(
        {
            "code": machine.code,
            "name": machine.name,
            "calendar": calendar,
            "taken": [_without_empty({"from": one.start, "to": one.end, "what": one.what}) for one in machine.taken],
            "setups": machine.setups,
            "state": dict(machine.state),
            "load": machine.load,
            "load_by": list(machine.load_by),
        }
    )


def _setups_document(code: str, matrix: SetupMatrix) -> dict[str, Any]:
    def setup(one: Setup) -> dict[str, Any]:
        return {"minutes": one.minutes} | ({"cost": str(one.cost)} if one.cost else {})

    return {
        "code": code,
        "combine": matrix.combine,
        "attributes": [
            _without_empty(
                {
                    "attribute": part.attribute,
                    "same": setup(part.same),
                    "other": setup(part.other),
                    "pairs": [
                        {"from": before, "to": after} | setup(one) for (before, after), one in part.pairs.items()
                    ],
                }
            )
            for part in matrix.attributes
        ],
    }


def _operation_document(operation: Operation) -> dict[str, Any]:
    pin, cloth = operation.pin, operation.cloth
    return _without_empty(
        {
            "id": operation.id,
            "job": operation.job,
            "name": operation.name,
            "minutes": dict(operation.minutes),
            "after": [
                {"operation": one.operation, "gap_min": one.gap_min} if one.gap_min else one.operation
                for one in operation.after
            ],
            "release": operation.release,
            "attributes": dict(operation.attributes),
            "splittable": operation.splittable or None,
            "load": operation.load,
            "pin": _without_empty({"machine": pin.machine, "start": pin.start}) if pin else None,
            "cloth": _without_empty({"sku": cloth.sku, "length_m": str(cloth.length_m), "roll": cloth.roll})
            if cloth
            else None,
        },
        keep=("minutes",),
    )


def _assignment_document(one: Assignment) -> dict[str, Any]:
    return _without_empty(
        {
            "operation": one.operation,
            "machine": one.machine,
            "changeover": one.changeover,
            "start": one.start,
            "end": one.end,
            "overtime": one.overtime or None,
            "roll": one.roll,
        }
    )


def plan_document(problem: Problem, plan: Plan) -> dict[str, Any]:
    """A plan to be read by others: times in minutes and, where they have one, with their local date.

    `assignments` can be written into a problem's `published` but for what they say more.
    """
    operations = {operation.id: operation for operation in problem.operations}
    assignments = []
    for one in plan.assignments:
        said = _assignment_document(one) | {
            "job": operations[one.operation].job,
            "name": operations[one.operation].name,
        }
        if is_dated(problem):
            said |= {f"{name}_at": iso(problem, getattr(one, name)) for name in ("changeover", "start", "end")}
        assignments.append(said)
    return {
        "by": plan.by,
        "seed": plan.seed,
        "effort": list(plan.effort),
        "bound": plan.bound,
        "tz": problem.tz,
        "currency": problem.currency,
        "figures": figures_document(plan.figures),
        "assignments": assignments,
    }


def figures_document(figures: Figures) -> dict[str, Any]:
    """Figures as JSON: money as a text, to the cent as it was."""
    said = {each.name: getattr(figures, each.name) for each in fields(Figures)}
    return said | {"changeover_cost": str(figures.changeover_cost), "late_jobs": list(figures.late_jobs)}
