"""A document reads into a problem, a problem is written into a document, and what is wrong is named by its place."""

import copy
import json
import time
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from production.planning.check import check
from production.planning.document import SCHEMA
from production.planning.errors import InvalidProblem
from production.planning.openings import minute_after
from production.planning.plan import Plan, figures_of
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
from production.planning.reading import plan_document, read, read_text, written

PARIS = ZoneInfo("Europe/Paris")


def at(day, hour, minute=0, month=11):
    return minute_after(datetime(2026, month, day, hour, minute, tzinfo=PARIS))


SHOP = {
    "title": "A small shop",
    "start": "2026-11-23T06:00",
    "end": "2026-11-28T00:00",
    "tz": "Europe/Paris",
    "currency": "EUR",
    "weights": {"tardiness": 2, "moved": 30},
    "calendars": {
        "two shifts": {
            "shifts": {day: ["06:00-14:00", "14:00-22:00"] for day in ("mon", "tue", "wed", "thu", "fri")},
            "overtime_shifts": {"mon": ["20:00-23:30"]},
            "leaves": [{"from": "2026-11-24T06:00", "to": "2026-11-24T12:00", "what": "Head maintenance"}],
        }
    },
    "machines": [
        {
            "code": "PRT1",
            "name": "Printer 1",
            "calendar": "two shifts",
            "setups": "PRINT",
            "state": {"ink": "acid", "fabric": "VELVET"},
            "taken": [{"from": "2026-11-23T08:00", "to": "2026-11-23T09:00", "what": "WL-1"}],
            "speeds_m_min": {"default": 0.5, "VELVET/quality": 0.35, "VELVET": 0.8},
            "abilities": {"width_mm": 1600, "inks": ["acid", "reactive"], "gsm": {"min": 60, "max": 400}},
        },
        {
            "code": "PRT2",
            "calendar": {"shifts": {"mon": ["22:00-06:00"]}},
            "setups": "PRINT",
            "speeds_m_min": {"default": 1},
            "abilities": {"width_mm": 1400, "inks": ["acid"], "gsm": {"min": 60}},
        },
        {"code": "STEAM", "calendar": {"open": [["2026-11-23T06:00", 29931000]]}, "load": 100, "load_by": ["class"]},
    ],
    "setups": [
        {
            "code": "PRINT",
            "combine": "max",
            "attributes": [
                {
                    "attribute": "ink",
                    "other": {"minutes": 75, "cost": 12.5},
                    "pairs": [{"from": "acid", "to": "*", "minutes": 60, "cost": "8.10"}],
                },
                {"attribute": "fabric", "same": 2, "other": 15},
            ],
        }
    ],
    "jobs": [{"id": "WL-1", "name": "Velvet", "due": "2026-11-25T17:00:00+00:00", "weight": 4, "release": 29923500}],
    "operations": [
        {
            "id": "print",
            "job": "WL-1",
            "name": "Print",
            "length_m": "10.5",
            "kind": "VELVET",
            "mode": "quality",
            "needs": {"width_mm": {"min": 1500}, "inks": "acid", "gsm": 180},
            "attributes": {"ink": "acid", "fabric": "VELVET"},
            "cloth": {"sku": "VELVET", "length_m": 12.25, "roll": "R1"},
        },
        {
            "id": "steam",
            "job": "WL-1",
            "minutes": 30,
            "machines": ["STEAM"],
            "load": 20,
            "attributes": {"class": "A"},
            "after": ["print", {"operation": "print", "gap_min": 45}],
            "pin": {"machine": "STEAM", "start": "2026-11-23T12:00"},
        },
    ],
    "published": [{"operation": "print", "machine": "PRT1", "start": "2026-11-23T06:00", "end": "2026-11-23T06:30"}],
    "frozen_until": "2026-11-23T07:00",
    "tolerance_min": 15,
    "rolls": [{"code": "R1", "sku": "VELVET", "lot": "L1", "length_m": "30", "ready": "2026-11-23T06:00"}],
}


def shop(**changes):
    """The document with what is named by its place put to another value; ... takes it out."""
    document = copy.deepcopy(SHOP)
    for place, value in changes.items():
        *parents, last = place.split("__")
        at_ = document
        for part in parents:
            at_ = at_[int(part) if part.isdigit() else part]
        last = int(last) if last.isdigit() else last
        if value is ...:
            del at_[last]
        else:
            at_[last] = value
    return document


def places(document):
    """The faults of a document, by place."""
    with pytest.raises(InvalidProblem) as error:
        read(document)
    return {one["path"]: one["sentence"] for one in error.value.fields["problems"]}


def test_a_shop_reads_as_it_is_written():
    problem = read(SHOP)
    check(problem)
    printer, night, steamer = problem.machines
    assert (problem.start, problem.end, problem.tz) == (at(23, 6), at(28, 0), "Europe/Paris")
    assert printer.open[:2] == ((at(23, 6), at(23, 22)), (at(24, 12), at(24, 22)))
    assert printer.overtime == ((at(23, 22), at(23, 23, 30)),)
    assert printer.taken == (Taken(at(23, 8), at(23, 9), "WL-1"),)
    assert night.open == ((at(23, 22), at(24, 6)),)
    assert (steamer.load, steamer.load_by, steamer.open) == (100, ("class",), ((at(23, 6), 29931000),))
    ink, fabric = problem.setups["PRINT"].attributes
    assert ink.between("acid", "reactive") == Setup(60, Decimal("8.10"))
    assert ink.between("reactive", "acid") == Setup(75, Decimal("12.5"))
    assert (fabric.same, fabric.other) == (Setup(2), Setup(15))
    assert problem.setups["PRINT"].combine == "max"
    assert problem.jobs == (Job("WL-1", "Velvet", at(25, 18), 4.0, 29923500),)
    printing, steaming = problem.operations
    assert printing.minutes == {"PRT1": 30}
    assert printing.cloth == Cloth("VELVET", Decimal("12.25"), "R1")
    assert steaming.after == (After("print"), After("print", 45))
    assert steaming.pin == Pin("STEAM", at(23, 12))
    assert problem.weights == Weights(tardiness=2.0, moved=30.0)
    assert problem.published == (Assignment("print", "PRT1", at(23, 6), at(23, 6, 30), at(23, 6)),)
    assert problem.frozen_until == at(23, 7)
    assert problem.rolls == (Roll("R1", "VELVET", "L1", Decimal(30), at(23, 6)),)
    assert read_text(json.dumps(SHOP)) == problem


def test_every_property_of_the_schema_is_described_and_the_schema_is_one():
    Draft202012Validator.check_schema(SCHEMA)

    def undescribed(part, name):
        if isinstance(part, dict):
            for key, child in part.get("properties", {}).items():
                if key not in ("min", "max"):
                    if "description" not in child:
                        yield f"{name}.{key}"
                    yield from undescribed(child, f"{name}.{key}")
            yield from undescribed(part.get("items"), f"{name}[]")
            yield from undescribed(part.get("additionalProperties"), f"{name}.*")

    assert list(undescribed(SCHEMA, "$")) == []
    validator = Draft202012Validator(SCHEMA)
    assert validator.is_valid(SHOP)
    assert validator.is_valid(written(read(SHOP)))
    assert not validator.is_valid(SHOP | {"job_shop": []})


# ---------------------------------------------------------------------------------------------- who can, how long


@pytest.mark.parametrize(
    ("kind", "mode", "minutes"),
    [
        ("VELVET", "quality", 30),  # 10.5 m at 0.35 m/min
        ("VELVET", "draft", 14),  # at 0.8, counted up
        ("TWILL", "quality", 21),  # at the default of 0.5
    ],
)
def test_minutes_are_counted_from_the_length_and_the_speed_of_kind_and_mode(kind, mode, minutes):
    problem = read(shop(operations__0__kind=kind, operations__0__mode=mode))
    assert problem.operations[0].minutes == {"PRT1": minutes}


def test_one_number_of_minutes_counts_for_all_that_are_able():
    document = shop(operations__0__length_m=..., operations__0__minutes=40, operations__0__needs={"inks": "acid"})
    assert read(document).operations[0].minutes == {"PRT1": 40, "PRT2": 40}


@pytest.mark.parametrize(
    ("needs", "able"),
    [
        ({"width_mm": {"min": 1400}}, ["PRT1", "PRT2"]),
        ({"width_mm": {"min": 1401}}, ["PRT1"]),
        ({"width_mm": {"max": 1400}}, ["PRT2"]),
        ({"width_mm": 1600}, ["PRT1"]),
        ({"inks": "reactive"}, ["PRT1"]),
        ({"inks": ["acid", "reactive"]}, ["PRT1"]),
        ({"gsm": 400}, ["PRT1", "PRT2"]),
        ({"gsm": 401}, ["PRT2"]),
        ({"gsm": {"min": 401}}, ["PRT2"]),
        ({"gsm": {"max": 60}}, ["PRT1", "PRT2"]),
        ({"gsm": 60, "inks": "acid", "width_mm": {"min": 1000, "max": 1500}}, ["PRT2"]),
    ],
)
def test_machines_that_are_able_can_do_it(needs, able):
    document = shop(operations__0__length_m=..., operations__0__minutes=40, operations__0__needs=needs)
    assert sorted(read(document).operations[0].minutes) == able


def test_where_none_is_able_each_machine_says_what_it_lacks():
    faults = places(shop(operations__0__needs={"width_mm": {"min": 1500}, "inks": "pigment"}))
    assert faults == {
        "$.operations[0]": "$.operations[0]: no machine can do it: PRT1: inks is acid, reactive, pigment needed; "
        "PRT2: width_mm is 1400, at least 1500 needed; STEAM says no width_mm, at least 1500 needed."
    }


def test_a_machine_without_a_speed_for_it_cannot_do_it():
    faults = places(shop(machines__0__speeds_m_min={"TWILL": 1}))
    assert "PRT1 has no speed for VELVET/quality" in faults["$.operations[0]"]


# ---------------------------------------------------------------------------------------------- compact forms


def test_parallel_machines_with_changeovers_are_a_document_of_two_tables():
    minutes = [[5, 9], [7, None]]
    setups = [[[0, 3], [4, 0]], [[0, 1], [2, 0]]]
    problem = read({"unrelated": {"minutes": minutes, "setups": setups}})
    check(problem)
    assert [one.minutes for one in problem.operations] == [{"M0": 5, "M1": 9}, {"M0": 7}]
    first, second = ({"job": "J0"}, {"job": "J1"})
    assert problem.setups["S0"].between(second, first).minutes == 4
    assert problem.setups["S1"].between(first, second).minutes == 1
    assert problem.setups["S0"].between({}, second).minutes == 0
    assert (problem.weights.makespan, problem.weights.changeover) == (1.0, 0.0)
    assert problem.end >= 5 + 7 + 4
    assert read(written(problem)) == problem


def test_a_job_shop_is_a_document_of_one_table():
    problem = read({"job_shop": [[[0, 3], [1, 2]], [[1, 4]]]})
    check(problem)
    assert [(one.id, dict(one.minutes)) for one in problem.operations] == [
        ("J0.0", {"M0": 3}),
        ("J0.1", {"M1": 2}),
        ("J1.0", {"M1": 4}),
    ]
    assert problem.operations[1].after == (After("J0.0"),)
    assert (problem.end, problem.weights.makespan) == (9, 1.0)
    assert read({"job_shop": [[[0, 3]]], "weights": {"makespan": 2}}).weights.makespan == 2.0


@pytest.mark.alone
def test_a_table_of_thirty_machines_and_150_jobs_is_read_within_six_seconds():
    jobs = range(150)
    minutes = [[1 + (job * machine) % 99 for machine in range(30)] for job in jobs]
    setups = [[[(a + b + machine) % 124 for b in jobs] for a in jobs] for machine in range(30)]
    began = time.perf_counter()
    read({"unrelated": {"minutes": minutes, "setups": setups}})
    assert time.perf_counter() - began < 6


# ---------------------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("document", "path", "said"),
    [
        (shop(operations__1__minutes=float("nan")), "$.operations[1].minutes", "NaN is no number"),
        (shop(operations__1__minutes=float("inf")), "$.operations[1].minutes", "Infinity is no number"),
        (shop(operations__1__minutes=10**400), "$.operations[1].minutes", "is no number that can be planned with"),
        (shop(operations__1__minutes=-5), "$.operations[1].minutes", "-5 is given, write a number of at least 1"),
        (shop(operations__1__minutes=0), "$.operations[1].minutes", "0 is given"),
        (shop(operations__1__minutes=1.5), "$.operations[1].minutes", "1.5 is given, write a whole number or an"),
        (shop(operations__1__minutes="30"), "$.operations[1].minutes", '"30" is given, write a whole number'),
        (shop(operations__1__minutes=True), "$.operations[1].minutes", "true is given, write a whole number"),
        (shop(operations__1__minutes={"STEAM": None}), "$.operations[1].minutes.STEAM", "null is given"),
        (shop(operations__1__minutes=...), "$.operations[1]", "write either its minutes or its length_m"),
        (shop(operations__1__length_m=5), "$.operations[1]", "write either its minutes or its length_m"),
        (shop(operations__1__minutes={"STEAM": 5}), "$.operations[1]", "its minutes name the machines already"),
        (shop(operations__1__machines=...), "$.operations[1]", "neither its machines nor what it needs"),
        (shop(operations__1__load="20"), "$.operations[1].load", '"20" is given, write a whole number'),
        (shop(operations__1__after=[{"gap_min": 5}]), "$.operations[1].after[0]", "operation is missing"),
        (shop(operations__1__after=[{"operation": "print", "gap_min": -5}]), "$.operations[1].after[0].gap_min", "-5"),
        (shop(operations__1__colour="red"), "$.operations[1]", '"colour" is not known here; what is known: id, job'),
        (shop(operations__1__pin__start="noon"), "$.operations[1].pin.start", "write it such as 2026-11-23T06:00"),
        (shop(operations__1__pin__start="2026-11-31T06:00"), "$.operations[1].pin.start", "is no date"),
        (shop(operations__0__length_m="ten"), "$.operations[0].length_m", "write it such as 12.5"),
        (shop(jobs__0__due="2026-11-23"), "$.jobs[0].due", "write it such as 2026-11-23T06:00"),
        (shop(jobs__0__weight=-1), "$.jobs[0].weight", "-1 is given, write a number of at least 0"),
        (shop(jobs__0__weight=float("nan")), "$.jobs[0].weight", "NaN is no number"),
        (shop(jobs__0__id=...), "$.jobs[0]", "id is missing"),
        (shop(machines__0__speeds_m_min={"default": 0}), "$.machines[0].speeds_m_min.default", "a number above 0"),
        (shop(machines__0__calendar="night"), "$.machines[0].calendar", 'there is no calendar "night"'),
        (shop(machines__1__calendar={"shifts": {}, "open": []}), "$.machines[1].calendar", "write spans or shifts"),
        (shop(machines__1__calendar={"shifts": {"mon": ["25:00-26"]}}), "$.machines[1].calendar.shifts.mon[0]", "06:"),
        (shop(machines__1__calendar={"shifts": {}, "tz": "Mars"}), "$.machines[1].calendar.tz", "is not known"),
        (shop(machines__1__calendar={"open": [[1]]}), "$.machines[1].calendar.open[0]", "empty or too short"),
        (shop(end="2036-11-28T00:00"), "$.calendars.two shifts", "shifts are read for 1100 days at most"),
        (shop(start=0), "$.calendars.two shifts", "shifts need a plan that begins on a date"),
        (shop(setups__0__combine="mean"), "$.setups[0].combine", '"mean" is given, write sum or max'),
        (shop(setups=SHOP["setups"] * 2), "$.setups[1].code", '"PRINT" is there twice'),
        (shop(tz="Mars/Base"), "$.tz", "the time zone"),
        (shop(end=...), "$", "end is missing"),
        (shop(job_shop=[]), "$", "stand beside each other"),
        ({}, "$", "start, end, machines, jobs, operations is missing: add it, or write unrelated or job_shop"),
        ([], "$", "it is a list, write an object"),
        ({"job_shop": [[[0, 5], [1]]]}, "$.job_shop[0][1]", "empty or too short"),
        ({"job_shop": [[[0, 0], [1, 3]]]}, "$.job_shop[0][0][1]", "0 is given"),
        ({"job_shop": []}, "$.job_shop", "there is nothing to do"),
        ({"job_shop": [[[5000, 1]]]}, "$.job_shop", "500 machines are the most"),
        ({"unrelated": {"minutes": []}}, "$.unrelated.minutes", "there is no job"),
        ({"unrelated": {"minutes": [[1, 2], [3]]}}, "$.unrelated.minutes[1]", "it has 1 machines, the first job has 2"),
        ({"unrelated": {"minutes": [[1, "2"]]}}, "$.unrelated.minutes[0][1]", '"2" is given'),
        ({"unrelated": {"minutes": [[1]], "setups": [[[-1]]]}}, "$.unrelated.setups[0][0][0]", "-1 is given"),
        ({"unrelated": {"minutes": [[1]], "setups": [[]]}}, "$.unrelated.setups[0]", "it is for 0 jobs"),
        ({"unrelated": {"minutes": [[1]], "setups": []}, "rolls": []}, "$", "write unrelated alone"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_its_place(document, path, said):
    faults = places(document)
    assert said in faults[path], faults


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(InvalidProblem, match=r"^\$\.jobs\[0\]\.weight: .* \(1 more\)$"):
        read(shop(jobs__0__weight=-1, operations__1__minutes=-1))


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.alone
@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"operations": [{"id": "x"}] * 1_000_000}, "$.operations"),
        (shop(operations=SHOP["operations"] * 10_001), "$.operations"),
        (shop(machines=SHOP["machines"] * 167), "$.machines"),
        ({"job_shop": [[0] * 1_000_000] * 10}, "$"),
        ({"title": nested(100_000)}, "$.title" + "[0]" * 11),
        ({"x" * 2_000_000: 1}, "$"),
        ({"title": "x" * 2_000_000}, "$.title"),
        ({"title": {1, 2}}, "$.title"),
        (shop(start=-(10**15)), "$.start"),
        (shop(start=10**15), "$.start"),
    ],
    ids=["a million operations", "20 002 operations", "501 machines", "ten million values", "deep", "a long name",
         "a long text", "no JSON", "long ago", "in a long time"],
)  # fmt: skip
def test_hostile_documents_are_refused_within_four_seconds(document, path):
    began = time.perf_counter()
    assert path in places(document)
    assert time.perf_counter() - began < 4


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[" * 200_000,
        '{"start": ' + "9" * 5000 + "}",
        b"\xff\xfe{",
        '{"start": NaN}',
        " " * (64 * 1024 * 1024 + 1),
    ],
    ids=["empty", "cut off", "deep", "a number of 5000 digits", "no UTF-8", "NaN", "too long"],
)
def test_a_text_that_is_no_document_is_refused(text):
    with pytest.raises(InvalidProblem, match=r"^\$"):
        read_text(text)


keys = st.sampled_from([*SCHEMA["properties"], "code", "id"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


@given(values)
@settings(max_examples=100, deadline=None)
def test_no_document_does_anything_but_read_or_be_refused(document):
    try:
        read(document)
    except InvalidProblem:
        return


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_document_with_one_value_replaced_reads_or_is_refused_by_its_place(data):
    document = copy.deepcopy(SHOP)
    at_ = document
    while True:
        key = data.draw(st.sampled_from(list(at_) if isinstance(at_, dict) else list(range(len(at_)))))
        child = at_[key]
        if not isinstance(child, dict | list) or not child or data.draw(st.integers(0, 3)) == 0:
            break
        at_ = child
    others = [None, -1, 0, 1.5, 7, "", "x", [], [[]], {}, {"min": "a"}, True, "2026-11-24T01:02"]
    at_[key] = data.draw(st.sampled_from(others))
    try:
        check(read(document))
    except InvalidProblem as error:
        said = error.fields["problems"][0]
    else:
        return
    assert "path" not in said or said["path"].startswith("$")


# ---------------------------------------------------------------------------------------------- writing

names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=6)
minutes = st.integers(-1000, 30_000_000)
lengths = st.decimals(0, 999, places=2)
setup = st.builds(Setup, st.integers(0, 99), lengths)
texts = st.dictionaries(names, names, max_size=2)
problems = st.builds(
    Problem,
    start=minutes,
    end=minutes,
    machines=st.lists(
        st.builds(
            Machine,
            names,
            st.lists(st.tuples(minutes, minutes), max_size=2).map(tuple),
            name=names,
            overtime=st.lists(st.tuples(minutes, minutes), max_size=2).map(tuple),
            taken=st.lists(st.builds(Taken, minutes, minutes, names), max_size=2).map(tuple),
            setups=names,
            state=texts,
            load=st.integers(0, 9),
            load_by=st.lists(names, max_size=2).map(tuple),
        ),
        max_size=2,
    ).map(tuple),
    jobs=st.lists(
        st.builds(Job, names, names, st.none() | minutes, st.floats(0, 99), st.none() | minutes), max_size=2
    ).map(tuple),
    operations=st.lists(
        st.builds(
            Operation,
            names,
            names,
            st.dictionaries(names, st.integers(1, 99), min_size=1, max_size=2),
            name=names,
            after=st.lists(st.builds(After, names, st.integers(0, 9)), max_size=2).map(tuple),
            release=st.none() | minutes,
            attributes=texts,
            splittable=st.booleans(),
            load=st.integers(0, 9),
            pin=st.none() | st.builds(Pin, names, st.none() | minutes),
            cloth=st.none() | st.builds(Cloth, names, lengths, st.just("") | names),
        ),
        max_size=3,
    ).map(tuple),
    setups=st.dictionaries(
        names,
        st.tuples(
            st.lists(
                st.builds(
                    AttributeSetups, names, st.dictionaries(st.tuples(names, names), setup, max_size=2), setup, setup
                ),
                max_size=2,
            ).map(tuple),
            st.sampled_from(["sum", "max"]),
        ),
        max_size=2,
    ).map(lambda found: {code: SetupMatrix(code, *parts) for code, parts in found.items()}),
    weights=st.builds(Weights, *[st.floats(0, 99)] * 6),
    published=st.lists(
        st.builds(Assignment, names, names, minutes, minutes, minutes, st.booleans(), st.just("") | names), max_size=2
    ).map(tuple),
    frozen_until=st.none() | minutes,
    slushy_until=st.none() | minutes,
    tolerance_min=st.integers(0, 99),
    rolls=st.lists(st.builds(Roll, names, names, names, lengths, st.none() | minutes), max_size=2).map(tuple),
    tz=st.sampled_from(["UTC", "Europe/Paris"]),
    currency=names,
)


@settings(max_examples=150, deadline=None)
@given(problems)
def test_what_is_written_reads_back_as_the_same_problem(problem):
    assert read_text(json.dumps(written(problem))) == problem


def test_a_shop_by_shifts_is_written_by_spans_and_reads_back():
    assert read(written(read(SHOP))) == read(SHOP)


def test_a_plan_is_written_with_its_figures_and_local_dates():
    problem = read(SHOP)
    printing = Assignment("print", "PRT1", at(23, 6), at(23, 6, 30), at(23, 6), roll="R1")
    steaming = Assignment("steam", "STEAM", at(23, 12), at(23, 12, 30), at(23, 12))
    figures = figures_of(problem, [printing, steaming])
    document = json.loads(json.dumps(plan_document(problem, Plan((printing, steaming), figures, by="test", seed=3))))
    assert document["assignments"][0] == {
        "operation": "print",
        "job": "WL-1",
        "name": "Print",
        "machine": "PRT1",
        "changeover": at(23, 6),
        "changeover_at": "2026-11-23T06:00:00+01:00",
        "start": at(23, 6),
        "start_at": "2026-11-23T06:00:00+01:00",
        "end": at(23, 6, 30),
        "end_at": "2026-11-23T06:30:00+01:00",
        "roll": "R1",
    }
    assert document["figures"]["changeover_min"] == 60
    assert document["figures"]["changeover_cost"] == "8.10"
    assert (document["by"], document["seed"], document["bound"]) == ("test", 3, None)


def test_a_plan_without_dates_is_written_in_minutes_alone():
    problem = read({"job_shop": [[[0, 3]]]})
    one = Assignment("J0.0", "M0", 0, 3, 0)
    document = plan_document(problem, Plan((one,), figures_of(problem, [one])))
    assert document["assignments"] == [
        {"operation": "J0.0", "job": "J0", "name": "", "machine": "M0", "changeover": 0, "start": 0, "end": 3}
    ]
