"""The planner's board: what stands on it, what a draft of moves comes to, and how it is kept and published."""

import random
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.utils import timezone

from inventory_sync.connectors.ledger import LedgerErp
from orders import board, byhand, names, planning, planruns, timetable
from orders.errors import DraftRefused
from orders.models import AuditEvent, OrderLine
from production import plans
from production.eligibility import why_not
from production.models import Downtime, MachineProfile, PlanVersion, PublishedPlan
from production.planning.errors import PlanOutdated
from production.planning.validate import faults
from tests.racing import at_once
from tests.shop_floor import filled, now, planned, released, work_on

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = 60


@pytest.fixture
def mill(mill):
    """A mill in which nothing is frozen, so that everything may move."""
    mill.frozen_hours = mill.slushy_hours = 0
    mill.save()
    return mill


@pytest.fixture
def lines(mill):
    return [planned(mill), planned(mill, "FAB-COT-POP"), planned(mill)]


@pytest.fixture
def paul(db):
    return User.objects.create_user("paul")


def bar_of(shop, line, name="Print"):
    return next(bar for bar in board.look(shop).bars if bar.job == line.reference and bar.name == name)


def elsewhere(bar):
    return next(code for code in bar.machines if code != bar.machine)


def move(bar, machine=None, start=None):
    wish = byhand.Wish(bar.operation, machine or bar.machine, bar.start if start is None else start,
                       (bar.machine, bar.start))  # fmt: skip
    return byhand.Step(byhand.MOVE, (wish,))


def drafted(shop, *steps):
    return byhand.draft(board.base_of(shop)[0], steps)


def place_of(draft, operation):
    return next(one for one in draft.assignments if one.operation == operation)


# ------------------------------------------------------------------------------------------------ what stands there


def test_machines_stand_by_kind_and_every_operation_on_its_machine(mill, lines):
    seen = board.look(mill)
    kinds = [row.kind for row in seen.rows]
    assert kinds == sorted(kinds, key=board.KINDS.index)
    assert {"loom", "printer", "finishing", "design", "gpu"} <= set(kinds)
    assert len(seen.bars) == sum(len(line.plan["slots"]) for line in lines)
    work = next(work for work in seen.works if work.job == lines[0].reference)
    assert (work.customer, work.metres, work.inks) == (lines[0].order.customer.name, "6", "RE-CMYK")
    assert work.late_min < 0


def test_what_nobody_may_move_says_why(mill, lines):
    OrderLine.objects.filter(pk=lines[0].pk).update(state="syncing", version=2)
    quote = {**lines[1].plan, "expires": (timezone.now() + timedelta(hours=5)).isoformat()}
    OrderLine.objects.filter(pk=lines[1].pk).update(state="proofing", plan=None, quote=quote, version=2)
    kept = {bar.job: bar.kept for bar in board.look(mill).bars}
    assert kept[lines[0].reference][0] == "erp"
    assert kept[lines[1].reference][0] == "quote"
    assert kept[lines[2].reference] == ("", "")
    waiting = board.look(mill).waiting
    assert [(each.kind, each.job) for each in waiting] == [("quote", lines[1].reference)]
    mill.frozen_hours = 24 * 14
    mill.save()
    kept = {bar.job: bar.kept for bar in board.look(mill).bars}
    assert kept[lines[2].reference][0] == "frozen"
    assert "frozen" in kept[lines[2].reference][1]


def test_why_a_machine_can_t_do_it_is_said_in_words(mill, lines):
    schedule, _ = board.base_of(mill)
    bar = bar_of(mill, lines[0])
    why = board.unable(mill, schedule, board.operation_of(schedule, bar.operation))
    assert set(why) == {row.code for row in board.look(mill).rows} - set(bar.machines)
    assert "ink" in why["PRT3"].lower()
    assert why["LOM1"] == "Jacquard loom 1 does weave; this is print."
    mill.slushy_hours = 24 * 20
    mill.save()
    schedule, _ = board.base_of(mill)
    why = board.unable(mill, schedule, board.operation_of(schedule, bar.operation))
    assert "so soon nothing changes its machine" in why[elsewhere(bar)]


def test_a_cloth_too_wide_and_a_weave_on_another_loom_are_said_by_their_figures(mill):
    line = planned(mill, "FAB-COT-SAT")
    MachineProfile.objects.filter(code="PRT2").update(width_mm=1200)
    said = why_not(
        "demo",
        {"PRT2": "Printer 2"},
        operation="Print",
        attributes={"fabric": line.substrate, "ink_set": "RE-CMYK"},
    )
    assert "cm wide" in said["PRT2"]
    assert "Printer 2 takes 120 cm" in said["PRT2"]
    said = why_not("demo", {"LOM2": "Loom 2"}, operation="Weave", attributes={"weave": "LOM1", "fabric": "LOM1"})
    assert "5376 hooks" in said["LOM2"]


def test_the_board_is_read_again_only_when_something_of_ours_has_changed(mill, lines):
    before = board.look(mill)
    assert board.look(mill).base == before.base
    planned(mill)
    after = board.look(mill)
    assert after.base != before.base
    Downtime.objects.create(
        shop="demo", work_centre="PRT1", start=timezone.now(), end=timezone.now() + timedelta(hours=4), reason="Belt"
    )
    seen = board.look(mill)
    assert seen.base != after.base
    assert [row.down[0][2] for row in seen.rows if row.down] == ["Belt"]


# ------------------------------------------------------------------------------------------------ drafts


def test_a_bar_goes_to_the_other_machine_and_no_rule_is_broken(mill, lines):
    bar = bar_of(mill, lines[0])
    found = drafted(mill, move(bar, elsewhere(bar)))
    assert place_of(found, bar.operation).machine == elsewhere(bar)
    assert (found.faults, found.refused) == ((), ())
    assert any(each.operation == bar.operation for each in found.difference.moved)
    assert board.look(mill).bars == board.look(mill).bars
    assert bar_of(mill, lines[0]).machine == bar.machine, "a draft holds nothing"


def test_who_stands_in_the_way_makes_room_and_the_order_s_next_steps_follow(mill, lines):
    satin, poplin = bar_of(mill, lines[0]), bar_of(mill, lines[1])
    found = drafted(mill, move(satin, poplin.machine, poplin.start))
    here, there = place_of(found, satin.operation), place_of(found, poplin.operation)
    assert here.start >= poplin.start
    assert there.changeover >= here.end
    steam = place_of(found, bar_of(mill, lines[0], "Steam").operation)
    assert steam.start >= here.end
    assert found.faults == ()


def test_what_can_t_start_yet_starts_as_soon_as_it_can_and_says_what_it_waits_for(mill, lines):
    bar, before = bar_of(mill, lines[0]), bar_of(mill, lines[0], "Pretreat")
    found = drafted(mill, move(bar, start=before.start))
    assert place_of(found, bar.operation).start >= before.end
    assert "Pretreat" in found.waits[bar.operation]


def test_many_random_moves_break_no_rule(mill):
    filled(mill, 150)
    chance = random.Random(4)
    schedule, _ = board.base_of(mill)
    bars = [bar for bar in board.look(mill).bars if not bar.kept[0]]
    steps = []
    for _ in range(30):
        bar = chance.choice(bars)
        start = bar.start + chance.randint(-2000, 2000)
        steps.append(byhand.Step(byhand.MOVE, (byhand.Wish(bar.operation, chance.choice(list(bar.machines)), start),)))
        found = byhand.draft(schedule, steps)
        assert found.faults == (), found.faults[:2]
        assert found.refused == ()
        assert len(found.assignments) == len(schedule.assignments)
    byhand._decoded.clear()
    anew = byhand.draft(schedule, steps)
    assert (anew.assignments, anew.difference, anew.waits) == (found.assignments, found.difference, found.waits)


def test_one_move_does_not_stir_the_whole_shop(mill):
    """What follows goes into gaps: shifting everything behind it would move most of a full machine's row."""
    filled(mill, 300)
    bars = [bar for bar in board.look(mill).bars if bar.name == "Print"]
    bar = bars[4]
    found = drafted(mill, move(bar, elsewhere(bar), bar.start + 3 * HOUR))
    assert 0 < len(found.difference.moved) < len(found.assignments) / 5


def test_a_pin_keeps_a_bar_where_it_is_whatever_comes(mill, lines):
    satin, poplin = bar_of(mill, lines[0]), bar_of(mill, lines[1])
    pin = byhand.Step(byhand.PIN, operations=(poplin.operation,))
    found = drafted(mill, pin, move(satin, poplin.machine, poplin.start))
    there = place_of(found, poplin.operation)
    assert (there.machine, there.start) == (poplin.machine, poplin.start)
    assert found.faults == ()
    found = drafted(mill, pin, move(poplin, start=poplin.start + HOUR))
    assert "pinned" in found.refused[0].sentence
    unpin = byhand.Step(byhand.UNPIN, operations=(poplin.operation,))
    assert drafted(mill, pin, unpin, move(poplin, start=poplin.start + HOUR)).refused == ()


@pytest.mark.parametrize(
    ("state", "said"), [("syncing", "on its way into the ERP"), ("inspecting", "inspected"), ("blocked", "stopped")]
)
def test_a_move_of_what_stays_is_refused_by_itself_and_the_others_are_done(mill, lines, state, said):
    OrderLine.objects.filter(pk=lines[1].pk).update(state=state, version=2)
    first, second = bar_of(mill, lines[1]), bar_of(mill, lines[2])
    found = drafted(mill, move(first, start=first.start + HOUR), move(second, start=second.start + HOUR))
    assert [each.step for each in found.refused] == [0]
    assert said in found.refused[0].sentence
    assert place_of(found, second.operation).start >= second.start + HOUR


def test_wishes_that_mean_nothing_are_refused_in_words(mill, lines):
    bar = bar_of(mill, lines[0])
    found = drafted(mill, move(bar, "LOM1"), byhand.Step(byhand.PIN, operations=("WL-NOBODY/1",)))
    assert "can't be done on Jacquard loom 1" in found.refused[0].sentence
    assert "no longer on the board" in found.refused[1].sentence


def test_nothing_is_put_into_the_frozen_time(mill, lines):
    bar = bar_of(mill, lines[0], "Pretreat")
    mill.frozen_hours = 1
    mill.save()
    schedule, _ = board.base_of(mill)
    found = byhand.draft(schedule, [move(bar, start=schedule.problem.start)])
    if not found.refused:  # it may itself be frozen by now
        assert place_of(found, bar.operation).start >= schedule.problem.frozen_until


def test_several_bars_are_moved_together(mill, lines):
    bars = [bar_of(mill, line) for line in (lines[0], lines[2])]
    together = byhand.Step(
        byhand.MOVE, tuple(byhand.Wish(bar.operation, bar.machine, bar.start + 2 * HOUR) for bar in bars)
    )
    found = drafted(mill, together)
    assert all(place_of(found, bar.operation).start >= bar.start + 2 * HOUR for bar in bars)
    assert found.faults == ()


def test_what_should_have_begun_waits_in_the_tray_until_it_is_put_somewhere(mill, lines):
    line = lines[0]
    slots = [dict(slot) for slot in line.plan["slots"]]
    past = timezone.now() - timedelta(hours=3)
    slots[0] |= {
        "start": past.isoformat(),
        "run_start": past.isoformat(),
        "end": (past + timedelta(hours=1)).isoformat(),
    }
    OrderLine.objects.filter(pk=line.pk).update(plan={**line.plan, "slots": slots}, version=2)
    waiting = board.look(mill).waiting
    assert [(each.kind, each.job) for each in waiting] == [("late", line.reference)]
    assert "nobody has reported it" in waiting[0].sentence
    schedule, _ = board.base_of(mill)
    wish = byhand.Wish(waiting[0].operation, "PRET", schedule.problem.start)
    found = byhand.draft(schedule, [byhand.Step(byhand.MOVE, (wish,))])
    assert place_of(found, waiting[0].operation).machine == "PRET"
    assert found.faults == ()
    version = byhand.keep(mill, [byhand.Step(byhand.MOVE, (wish,))], by="paul")
    planning.publish(mill, version.number, by=None)
    assert board.look(mill).waiting == ()


def test_a_line_that_found_no_time_is_planned_again_from_the_tray(quick, paul):
    line = released(quick)
    blocked = {"code": "no_slot", "sentence": "Print: no free time.", "findings": [], "fields": {}}
    OrderLine.objects.filter(pk=line.pk).update(state="blocked", came_from="planning", plan=None, blocked=blocked)
    assert [(each.kind, each.sentence) for each in board.look(quick).waiting] == [("blocked", "Print: no free time.")]
    board.place(quick, line.reference, by=paul)
    assert [each.kind for each in board.look(quick).waiting] == ["planning"]
    with pytest.raises(DraftRefused, match="does not wait"):
        board.place(quick, line.reference, by=paul)


# ------------------------------------------------------------------------------------------------ keeping, publishing


def test_a_draft_is_kept_published_and_the_erp_has_the_new_date(quick, paul):
    quick.frozen_hours = quick.slushy_hours = 0
    quick.save()
    line = released(quick)
    bar = bar_of(quick, line)
    version = byhand.keep(quick, [move(bar, elsewhere(bar), bar.start + 24 * HOUR)], by="paul")
    assert (version.found_by, version.by, plans.published("demo")) == ("hand", "paul", 0)
    assert bar_of(quick, line).machine == bar.machine
    moved = byhand.publish(quick, version.number, by=paul)
    assert [each.reference for each in moved] == [line.reference]
    there = bar_of(quick, line)
    assert there.machine == elsewhere(bar)
    assert there.start >= bar.start + 24 * HOUR
    work_on(line)
    hold = LedgerErp(shop="demo").held(names.hold_name(line))
    slot = next(slot for slot in now(line).plan["slots"] if slot["name"] == "Print")
    assert (slot["work_centre"], slot["start"]) in {(each.work_centre, each.start.isoformat()) for each in hold.slots}


def test_pins_are_kept_with_the_plan_and_a_search_leaves_them_alone(mill, lines, paul):
    bar = bar_of(mill, lines[0])
    pin = byhand.Step(byhand.PIN, operations=(bar.operation,))
    version = byhand.keep(mill, [move(bar, start=bar.start + 6 * HOUR), pin], by="paul")
    byhand.publish(mill, version.number, by=paul)
    pinned = bar_of(mill, lines[0])
    assert pinned.pinned
    assert pinned.start >= bar.start + 6 * HOUR
    found = planruns.improve(mill, seconds=0.3)
    there = next(one for one in found.assignments if one["operation"] == bar.operation)
    assert (there["machine"], there["start"]) == (pinned.machine, pinned.start)
    assert AuditEvent.objects.get(action="pin").actor == "paul"
    unpin = byhand.Step(byhand.UNPIN, operations=(bar.operation,))
    version = byhand.keep(mill, [unpin, move(pinned, start=bar.start)], by="paul")
    byhand.publish(mill, version.number, by=paul)
    free = bar_of(mill, lines[0])
    assert (free.pinned, free.start) == (False, bar.start)


def test_a_pin_that_can_t_be_kept_any_more_does_not_stop_the_planning(mill, lines, paul):
    bar = bar_of(mill, lines[0])
    version = byhand.keep(mill, [byhand.Step(byhand.PIN, operations=(bar.operation,))], by="paul")
    byhand.publish(mill, version.number, by=paul)
    slot = next(slot for slot in now(lines[0]).plan["slots"] if slot["name"] == "Print")
    begin = datetime.fromisoformat(slot["start"])
    Downtime.objects.create(shop="demo", work_centre=bar.machine, start=begin, end=begin + timedelta(hours=5))
    found = planruns.improve(mill, seconds=0.3)
    assert faults(plans.problem_of(found), plans.plan_of(found).assignments) == ()


def test_what_changes_nothing_or_can_t_be_done_is_not_kept(mill, lines):
    bar = bar_of(mill, lines[0])
    with pytest.raises(DraftRefused, match="Nothing changes"):
        byhand.keep(mill, [move(bar)], by="paul")
    with pytest.raises(DraftRefused, match="can't be done on") as refusal:
        byhand.keep(mill, [move(bar, elsewhere(bar)), move(bar, "LOM1")], by="paul")
    assert [each["step"] for each in refusal.value.fields["refused"]] == [1]
    assert not PlanVersion.objects.exists()


def test_a_draft_that_was_made_on_other_things_says_what_has_changed_and_goes_on(mill, lines, paul):
    bar, other = bar_of(mill, lines[0]), bar_of(mill, lines[2])
    mine = move(bar, elsewhere(bar))
    theirs = byhand.keep(mill, [move(bar, start=bar.start + 5 * HOUR), move(other, elsewhere(other))], by="petra")
    byhand.publish(mill, theirs.number, by=paul)
    schedule, _ = board.base_of(mill)
    (said,) = byhand.changed_since(schedule, [mine])
    assert lines[0].reference in said
    assert "when you moved it" in said
    found = byhand.draft(schedule, [mine])
    assert place_of(found, bar.operation).machine == elsewhere(bar)
    assert place_of(found, other.operation).machine == elsewhere(other)
    byhand.publish(mill, byhand.keep(mill, [mine], by="paul").number, by=paul)


def test_of_two_drafts_that_were_kept_on_the_same_plan_one_is_published(mill, lines, paul):
    first, second = bar_of(mill, lines[0]), bar_of(mill, lines[1])
    kept = [byhand.keep(mill, [move(bar, elsewhere(bar))], by="paul") for bar in (first, second)]
    byhand.publish(mill, kept[0].number, by=paul)
    with pytest.raises(PlanOutdated, match=f"plan {kept[0].number} holds by now"):
        byhand.publish(mill, kept[1].number, by=paul)
    assert bar_of(mill, lines[1]).machine == second.machine


def test_of_two_planners_who_publish_at_the_same_moment_one_is_told(mill, lines, paul):
    bars = [bar_of(mill, line) for line in lines[:2]]
    kept = [byhand.keep(mill, [move(bar, elsewhere(bar))], by="paul").number for bar in bars]
    ends = at_once(*[lambda n=number: byhand.publish(mill, n, by=paul) for number in kept])
    lost = [end for end in ends if isinstance(end, Exception)]
    assert len(lost) == 1, ends
    assert isinstance(lost[0], PlanOutdated | OperationalError)
    won = kept.index(plans.published("demo"))
    assert bar_of(mill, lines[won]).machine == elsewhere(bars[won])
    assert bar_of(mill, lines[1 - won]).machine == bars[1 - won].machine


def test_with_the_compare_and_set_off_the_slower_planner_takes_the_other_s_moves_back(mill, lines, paul, monkeypatch):
    """The negative control: what the first published is undone by the second, and nobody is told."""

    def unguarded(version):
        PublishedPlan.objects.filter(shop=version.shop).update(number=version.number)

    monkeypatch.setattr(plans, "publish", unguarded)
    bars = [bar_of(mill, line) for line in lines[:2]]
    kept = [byhand.keep(mill, [move(bar, elsewhere(bar))], by="paul").number for bar in bars]
    for number in kept:
        byhand.publish(mill, number, by=paul)
    assert bar_of(mill, lines[0]).machine == bars[0].machine


def test_why_a_bar_is_where_it_is_is_answered_in_the_draft(mill, lines):
    bar = bar_of(mill, lines[0])
    found = board.reasons(mill, [move(bar, elsewhere(bar))], bar.operation)
    name = {"PRT1": "Printer 1", "PRT2": "Printer 2"}[elsewhere(bar)]
    assert name in found.here.sentences[0]
    assert "in time" in found.order.sentences[0]


def test_the_shop_that_is_filled_for_measuring_breaks_no_rule(mill):
    assert filled(mill, 400) >= 400
    schedule = timetable.schedule_of(mill, moving=True)
    assert faults(schedule.problem, schedule.assignments) == ()
