"""The JSON document of a planning problem, described by a JSON Schema (draft 2020-12)."""

from collections.abc import Mapping
from typing import Any, Final

MOST_OPERATIONS: Final = 20_000
MOST_MACHINES: Final = 500
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SHIFT: Final = r"^([01]?\d|2[0-4]):([0-5]\d)-([01]?\d|2[0-4]):([0-5]\d)$"
TIME: Final = r"^\d{4}-\d\d-\d\dT\d\d:\d\d(:00)?(Z|[+-]\d\d:\d\d)?$"
NUMBER: Final = r"^\d{1,12}(\.\d{1,12})?$"
NEEDED: Final = ("start", "end", "machines", "jobs", "operations")  # of a shop
COMPACT: Final = ("unrelated", "job_shop")

Json = Mapping[str, Any]


def _text(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "description": description} | more


def _whole(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "integer", "description": description} | more


def _time(description: str) -> dict[str, Any]:
    return {"type": ["integer", "string"], "pattern": TIME, "description": description}


def _amount(description: str) -> dict[str, Any]:
    return {"type": ["number", "string"], "minimum": 0, "pattern": NUMBER, "description": description}


def _number(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "number", "minimum": 0, "description": description} | more


def _list(description: str, items: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, "description": description} | more


def _record(description: str, *required: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _by_name(description: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": values, "description": description}


_TEXTS = _by_name("Attributes and their values.", {"type": "string"})
_SPANS = _list(
    "Stretches of time [from, to], end excluded.",
    {"type": "array", "items": _time("When it begins or ends."), "minItems": 2, "maxItems": 2},
)
SHIFTS = _record(
    "Shifts by weekday in local time, such as 06:00-14:00; 22:00-06:00 runs into the next day.",
    **{day: _list("The shifts that begin on this day.", {"type": "string", "pattern": SHIFT}) for day in DAYS},
)
_CALENDAR = {
    "description": "When a machine runs, either as explicit spans (open, overtime) or by shifts (shifts, "
    "overtime_shifts, leaves); or the name of one of `calendars`.",
    "type": ["object", "string"],
    "properties": {
        "open": _SPANS,
        "overtime": _SPANS,
        "tz": _text("The time zone of the shifts; the document's, if there is none."),
        "shifts": SHIFTS,
        "overtime_shifts": SHIFTS,
        "leaves": _list(
            "Holidays, maintenance and breakdowns: closed, overtime included.",
            _record("A leave.", "from", "to", **{"from": _time("Begin."), "to": _time("End."), "what": _text("Name.")}),
        ),
    },
    "additionalProperties": False,
}
_SETUP_PARTS = {
    "minutes": _whole("Minutes of the machine.", minimum=0),
    "cost": _amount("Money for what is flushed or thrown away."),
}
_SETUP = {
    "description": "What a change takes: minutes, or minutes and money.",
    "type": ["integer", "object"],
    "minimum": 0,
    "properties": _SETUP_PARTS,
    "additionalProperties": False,
}
_NEED = {
    "description": "A value, a list of values all of which are needed, or a range such as {min: 1500}.",
    "type": ["string", "number", "boolean", "array", "object"],
    "items": {"type": ["string", "number"]},
    "properties": {"min": {"type": "number"}, "max": {"type": "number"}},
    "additionalProperties": False,
}
_MINUTES = {
    "description": "Minutes without changeover: by machine, or one number for all that can do it.",
    "type": ["integer", "object"],
    "minimum": 1,
    "additionalProperties": {"type": "integer", "minimum": 1},
}

_MACHINE = _record(
    "A machine, a bench, a GPU or a designer.",
    "code",
    "calendar",
    code=_text("By which operations name it.", minLength=1),
    name=_text("What people call it."),
    calendar=_CALENDAR,
    taken=_list(
        "What others have booked.",
        _record(
            "A booking.", "from", "to", **{"from": _time("Begin."), "to": _time("End."), "what": _text("By whom.")}
        ),
    ),
    setups=_text("The code of its setups; without, it needs no changeovers."),
    state=_TEXTS | {"description": "What it is set for at the start."},
    load=_whole("What one load takes; 0: one operation at a time.", minimum=0),
    load_by=_list("Attributes in which all operations of a load agree.", {"type": "string"}),
    speeds_m_min=_by_name(
        "Metres per minute by kind/mode, by kind, or `default`: minutes are counted from an operation's length_m.",
        _number("Metres per minute.", exclusiveMinimum=0),
    ),
    abilities=_by_name(
        "What it can do, against the operations' needs: a number (width_mm: 1600), a word, a list of words (inks), or "
        "a range (gsm: {min: 60, max: 400}).",
        _NEED,
    ),
)
_SETUPS = _record(
    "The changeovers of a kind of machine, by attribute.",
    "code",
    "attributes",
    code=_text("By which machines name it.", minLength=1),
    combine={"enum": ["sum", "max"], "description": "Of the attributes' minutes: one after the other, or at once."},
    attributes=_list(
        "One entry for each attribute.",
        _record(
            "What it takes to change one attribute. A pair counts first, then a pair with *, then same and other.",
            "attribute",
            attribute=_text("Its name.", minLength=1),
            same=_SETUP,
            other=_SETUP,
            pairs=_list(
                "What single changes take.",
                _record(
                    "A change.",
                    "from",
                    "to",
                    "minutes",
                    **{
                        "from": _text("The value before; * for any."),
                        "to": _text("The value after; * for any."),
                        **_SETUP_PARTS,
                    },
                ),
            ),
        ),
    ),
)
_JOB = _record(
    "An order line.",
    "id",
    id=_text("By which operations name it.", minLength=1),
    name=_text("What people call it."),
    due=_time("When it should be done."),
    weight=_number("Of a minute late; 1, if not said."),
    release=_time("No operation of it starts earlier."),
)
_OPERATION = _record(
    "One step of a job. Which machines can do it: those named in `minutes` or `machines`, otherwise all that have the "
    "abilities it needs.",
    "id",
    "job",
    id=_text("Its name for other operations, pins and plans.", minLength=1),
    job=_text("The job it belongs to."),
    name=_text("What people call it."),
    minutes=_MINUTES,
    machines=_list("The machines that can do it.", {"type": "string"}, minItems=1),
    length_m=_amount("The length that is worked, from which the minutes are counted by the machines' speeds."),
    kind=_text("What it works on, such as a fabric, for the speed."),
    mode=_text("How, such as quality, for the speed."),
    needs=_by_name("What its machine has to be able to do.", _NEED),
    after=_list(
        "The operations that have to be over.",
        {
            "description": "An operation, or one with the minutes that have to pass since its end.",
            "type": ["string", "object"],
            "properties": {
                "operation": _text("Its id."),
                "gap_min": _whole("Minutes since its end, at least.", minimum=0),
            },
            "required": ["operation"],
            "additionalProperties": False,
        },
    ),
    release=_time("It starts no earlier."),
    attributes=_TEXTS | {"description": "What its machine has to be set for."},
    splittable={"type": "boolean", "description": "Whether it may pause while its machine is closed."},
    load=_whole("How much of a load it takes.", minimum=0),
    pin=_record(
        "Where it has to stay.",
        "machine",
        machine=_text("On that machine."),
        start=_time("From then on, to the minute; without, whenever."),
    ),
    cloth=_record(
        "The print length that is cut for it.",
        "sku",
        "length_m",
        sku=_text("The fabric."),
        length_m=_amount("Its length."),
        roll=_text("The roll that is held for it already."),
    ),
)
_ASSIGNMENT = _record(
    "Where and when an operation is done.",
    "operation",
    "machine",
    "start",
    "end",
    operation=_text("Its id."),
    machine=_text("The machine."),
    start=_time("Begin."),
    end=_time("End, excluded."),
    changeover=_time("When its machine's changeover begins; the start, if there is none."),
    overtime={"type": "boolean", "description": "Whether it may lie in the machine's overtime."},
    roll=_text("The roll it is cut from."),
)
_WEIGHTS = _record(
    "What each unit costs beside a minute of changeover.",
    tardiness=_number("Per minute late, times the job's weight."),
    changeover=_number("Per minute of changeover."),
    money=_number("Per unit of money that changeovers cost."),
    moved=_number("Per operation that is not where it was published."),
    overtime=_number("Per minute of overtime."),
    makespan=_number("Per minute until everything is done."),
)
_MATRIX = {"type": "array", "items": {"type": "array"}}
_UNRELATED = _record(
    "Parallel machines that take different times, with changeovers that follow from the order; all jobs done as soon "
    "as can be.",
    "minutes",
    minutes=_MATRIX | {"description": "minutes[job][machine], whole numbers above 0; null: it can't be done there."},
    setups={
        "type": "array",
        "items": _MATRIX,
        "description": "setups[machine][job before][job after], whole minutes; the first job on a machine needs none.",
    },
)
_JOB_SHOP = {
    "type": "array",
    "items": {
        "type": "array",
        "items": {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 2, "maxItems": 2},
    },
    "description": "For each job its operations in order, each [machine from 0, minutes]; all done as soon as can be.",
}

SCHEMA: Final[Json] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "A planning problem",
    "description": "Times are whole minutes, or ISO dates and times, local where they name no offset, from which "
    "minutes since 1970 UTC are counted. A document holds machines, jobs and operations, or one of the compact forms "
    "unrelated and job_shop.",
    "type": "object",
    "properties": {
        "title": _text("What it is about."),
        "start": _time("When the plan begins."),
        "end": _time("By when everything has to be done."),
        "tz": _text("The time zone of those who read it; UTC, if there is none."),
        "currency": _text("Of the costs."),
        "weights": _WEIGHTS,
        "calendars": _by_name("Calendars that machines name.", _CALENDAR | {"type": "object"}),
        "machines": _list("All machines.", _MACHINE, maxItems=MOST_MACHINES),
        "setups": _list("The changeovers that machines name.", _SETUPS),
        "jobs": _list("All order lines.", _JOB),
        "operations": _list("All steps of all jobs.", _OPERATION, maxItems=MOST_OPERATIONS),
        "published": _list("Where operations stand until now.", _ASSIGNMENT),
        "frozen_until": _time("What is published to start before stays where it is."),
        "slushy_until": _time("What is published to start before stays on its machine."),
        "tolerance_min": _whole("So far an operation may start from where it was and has not moved.", minimum=0),
        "rolls": _list(
            "Rolls of fabric.",
            _record(
                "A roll.",
                "code",
                "sku",
                "length_m",
                code=_text("Its name.", minLength=1),
                sku=_text("The fabric."),
                lot=_text("Its dye lot: rolls of one lot match in shade."),
                length_m=_amount("Its length."),
                ready=_time("From when on it is there."),
            ),
        ),
        "unrelated": _UNRELATED,
        "job_shop": _JOB_SHOP,
    },
    "additionalProperties": False,
    "oneOf": [
        {"required": list(NEEDED)},
        {"required": ["unrelated"]},
        {"required": ["job_shop"]},
    ],
}
