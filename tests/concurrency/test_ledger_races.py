"""Two processes, one roll, one minute: exactly one of them gets it."""

import json
import subprocess
import sys
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

RACER = Path(__file__).with_name("ledger_racer.py")
# Long enough that both are between guard and write at once, well under the database's lock timeout of 3 s.
PAUSE_S = 0.25
ROLL, SKU = "VEL-COT-R001", "FAB-VEL-COT"  # 8.5 m
NINE, HALF_PAST, TEN, ELEVEN = (f"2026-11-25T{clock}:00+00:00" for clock in ("09:00", "09:30", "10:00", "11:00"))


class Racer:
    """One process with its own connection."""

    def __init__(self, environment):
        self.process = subprocess.Popen(
            [sys.executable, RACER], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self):
        assert self.answer() == "ready"
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=10)
        self.process.stdout.close()

    def tell(self, verb, **arguments):
        self.process.stdin.write(json.dumps([verb, arguments]) + "\n")
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        assert line, "the racer died"
        return json.loads(line)

    def ask(self, verb, **arguments):
        self.tell(verb, **arguments)
        return self.answer()


@contextmanager
def two_on(environment):
    """Two racers on a seeded ledger, stopped at the end whatever happens."""
    with Racer(environment) as one, Racer(environment) as other:
        one.ask("seed")
        yield one, other


@pytest.fixture(scope="module")
def on_postgres(migrated_postgres):
    with two_on(migrated_postgres) as pair:
        yield pair


@pytest.fixture(scope="module")
def on_sqlite(migrated_sqlite):
    with two_on(migrated_sqlite) as pair:
        yield pair


@pytest.fixture(params=["postgres", "sqlite"])
def racers(request):
    """Two processes on each database in turn, with nothing held."""
    pair = request.getfixturevalue(f"on_{request.param}")
    yield pair
    pair[0].ask("reset")


@pytest.fixture
def unguarded(on_postgres):
    """Two processes on PostgreSQL, for the negative controls: SQLite has one writer at a time, guard or no guard."""
    yield on_postgres
    on_postgres[0].ask("reset")


def race(pair, first, second, **both):
    """Both at once; their two answers."""
    for racer, reference, wanted in zip(pair, ("A", "B"), (first, second), strict=True):
        racer.tell("hold", reference=reference, **wanted, **both)
    return [racer.answer() for racer in pair]


def metres(quantity, lot=ROLL, sku=SKU):
    return {"materials": [(sku, lot, quantity)]}


def minutes(start, end, centre="PRT1"):
    return {"slots": [(centre, start, end)]}


def overlaps(bookings):
    return [
        (one, other)
        for index, one in enumerate(bookings)
        for other in bookings[index + 1 :]
        if one[0] == other[0] and one[1] < other[2] and other[1] < one[2]
    ]


def test_the_last_metres_of_a_roll_go_to_one_and_the_other_is_told_why(racers):
    answers = race(racers, metres("5"), metres("6"), pause_s=PAUSE_S)
    assert sorted(answer["code"] for answer in answers) == ["held", "not_enough_stock"]
    loser = next(answer for answer in answers if answer["code"] != "held")
    assert Decimal(loser["fields"]["free"]) in {Decimal("3.5"), Decimal("2.5")}
    assert "150 m arrive" in loser["message"]
    state = racers[0].ask("state")
    assert Decimal(state["reserved"][ROLL]) == Decimal(state["held"][ROLL]) <= Decimal("8.5")


def test_without_the_guard_both_get_the_last_metres(unguarded):
    answers = race(unguarded, metres("5"), metres("6"), pause_s=PAUSE_S, guard=False)
    assert [answer["code"] for answer in answers] == ["held", "held"]
    assert Decimal(unguarded[0].ask("state")["reserved"][ROLL]) == 11  # of 8.5 m: what the guard is for


def test_the_same_minute_goes_to_one_and_the_other_is_told_who_has_it(racers):
    answers = race(racers, minutes(NINE, TEN), minutes(HALF_PAST, ELEVEN), pause_s=PAUSE_S)
    assert sorted(answer["code"] for answer in answers) == ["held", "slot_taken"]
    winner = "AB"[[answer["code"] for answer in answers].index("held")]
    loser = next(answer for answer in answers if answer["code"] != "held")
    assert loser["fields"]["taken_by"] == winner
    assert not overlaps(racers[0].ask("state")["bookings"])


def test_without_the_guard_both_get_the_same_minute(unguarded):
    answers = race(unguarded, minutes(NINE, TEN), minutes(HALF_PAST, ELEVEN), pause_s=PAUSE_S, guard=False)
    assert [answer["code"] for answer in answers] == ["held", "held"]
    assert overlaps(unguarded[0].ask("state")["bookings"])


def test_two_that_cross_each_other_both_get_what_there_is(racers):
    first = {
        "materials": [("FAB-COT-SAT", "COT-SAT-R001", "20"), ("FAB-COT-SAT", "COT-SAT-R002", "20")],
        "slots": [("PRT1", NINE, TEN), ("STEAM", TEN, ELEVEN)],
    }
    second = {
        "materials": [("FAB-COT-SAT", "COT-SAT-R002", "20"), ("FAB-COT-SAT", "COT-SAT-R001", "20")],
        "slots": [("STEAM", NINE, TEN), ("PRT1", TEN, ELEVEN)],
    }
    answers = race(racers, first, second, pause_s=PAUSE_S / 2)
    assert [answer["code"] for answer in answers] == ["held", "held"]


def test_ink_from_one_heap_is_never_promised_twice(racers):
    answers = race(racers, metres("0.2", None, "INK-RE-V"), metres("0.3", None, "INK-RE-V"), pause_s=PAUSE_S)
    assert sorted(answer["code"] for answer in answers) == ["held", "not_enough_stock"]


def test_the_same_reference_twice_at_once_holds_once(racers):
    for racer in racers:
        racer.tell("hold", reference="A", **metres("5"), **minutes(NINE, TEN), pause_s=PAUSE_S)
    codes = {racer.answer()["code"] for racer in racers}
    assert "held" in codes
    assert codes <= {"held", "erp_conflict"}
    state = racers[0].ask("state")
    assert Decimal(state["reserved"][ROLL]) == Decimal(state["held"][ROLL]) == 5
    assert [booking[3] for booking in state["bookings"]].count("A") == 1


def test_thirty_races_at_full_speed_have_one_winner_each(racers):
    for _ in range(30):
        answers = race(racers, metres("5") | minutes(NINE, TEN), metres("6") | minutes(HALF_PAST, ELEVEN))
        codes = sorted(answer["code"] for answer in answers)
        assert codes[0] == "held"
        assert codes[1] in {"not_enough_stock", "slot_taken"}
        state = racers[0].ask("state")
        assert Decimal(state["reserved"][ROLL]) == Decimal(state["held"][ROLL]) <= Decimal("8.5")
        assert not overlaps(state["bookings"])
        racers[0].ask("reset")
