"""An inquiry holds nothing; a quote holds fabric, inks and machine time until it expires, is approved or given back."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from inventory_sync import services as inventory
from inventory_sync.connectors.ledger import LedgerErp
from inventory_sync.errors import NotEnoughStock
from inventory_sync.models import LedgerBooking, LedgerHold, LedgerLot
from orders import names, promising, quoting, services, timetable
from orders.errors import CandidateNotPassed, IllegalTransition, NotNewest
from orders.models import OrderLine
from production.errors import UnknownFabric
from production.planning.validate import faults
from tests.shop_floor import now, placed, work_on

pytestmark = pytest.mark.django_db(transaction=True)


def held(line):
    return LedgerErp(shop="demo").held(names.hold_name(line))


def free_m(sku="FAB-COT-SAT"):
    return LedgerErp(shop="demo").stock([sku])[0].free


def pass_time(hours):
    """So much later, all holds have so much less time left."""
    for hold in LedgerHold.objects.exclude(expires=None):
        LedgerHold.objects.filter(pk=hold.pk).update(expires=hold.expires - timedelta(hours=hours))
    for line in OrderLine.objects.filter(quote__isnull=False):
        expires = datetime.fromisoformat(line.quote["expires"]) - timedelta(hours=hours)
        OrderLine.objects.filter(pk=line.pk).update(quote={**line.quote, "expires": expires.isoformat()})


# ---------------------------------------------------------------------------------------------- inquiries


def test_an_inquiry_says_a_date_its_certainty_and_what_it_waits_for_and_holds_nothing(mill):
    before = free_m(), LedgerBooking.objects.count()
    answer = promising.inquire(mill, substrate="FAB-COT-SAT", quantity_m=Decimal("12.5"))
    assert answer.promise.binding
    assert answer.likely <= answer.safe
    assert answer.promise.date <= answer.safe
    assert [step.name for step in answer.promise.steps][:3] == ["Draw the design", "Review the design", "Pretreat"]
    assert (free_m(), LedgerBooking.objects.count()) == before
    assert not LedgerHold.objects.exists()


def test_with_a_design_already_none_is_drawn_and_the_date_is_no_later(mill):
    drawn = promising.inquire(mill, substrate="FAB-COT-SAT", quantity_m=Decimal("12.5"), drawn=True)
    undrawn = promising.inquire(mill, substrate="FAB-COT-SAT", quantity_m=Decimal("12.5"))
    assert next(step.name for step in drawn.promise.steps) == "Pretreat"
    assert drawn.promise.date <= undrawn.promise.date


def test_a_woven_cloth_can_be_asked_for_too(mill):
    answer = promising.inquire(mill, weave="LOM1", quantity_m=Decimal(20))
    assert "Weave" in [step.name for step in answer.promise.steps]


def test_what_can_never_be_there_is_refused_and_an_unknown_cloth_is_named(mill):
    LedgerLot.objects.filter(product__sku="FAB-COT-SAT").update(on_hand=0, held=0)
    with pytest.raises(UnknownFabric):
        promising.inquire(mill, substrate="FAB-NONE", quantity_m=Decimal(5))
    answer = promising.inquire(mill, substrate="FAB-COT-SAT", quantity_m=Decimal(5))
    assert answer.promise.why[0].kind == "material"


def test_an_inquiry_sees_at_once_what_was_quoted_meanwhile(quick):
    first = promising.inquire(quick, substrate="FAB-COT-SAT", quantity_m=Decimal(6), drawn=True)
    line = placed(quick)
    quoting.quote(services.best(line), by=None)
    second = promising.inquire(quick, substrate="FAB-COT-SAT", quantity_m=Decimal(6), drawn=True)
    assert second.promise.date > first.promise.date


# ---------------------------------------------------------------------------------------------- quotes


def test_a_quote_holds_fabric_inks_and_machine_time_until_it_expires(quick):
    line = placed(quick)
    before = free_m()
    line = quoting.quote(services.best(line), by=None)
    assert free_m() < before
    assert [(s.work_centre, s.start.isoformat(), s.end.isoformat()) for s in held(line).slots] == [
        (slot["work_centre"], slot["start"], slot["end"]) for slot in line.quote["slots"]
    ]
    expires = datetime.fromisoformat(line.quote["expires"])
    assert held(line).expires == expires
    assert timedelta(hours=47) < expires - timezone.now() <= timedelta(hours=48)
    assert faults(*at_hand(quick)) == ()
    pass_time(49)
    assert held(line) is None
    assert free_m() == before
    assert timetable.schedule_of(quick).assignments == ()


def at_hand(shop):
    schedule = timetable.schedule_of(shop)
    assert schedule.assignments
    return schedule.problem, schedule.assignments


def test_an_approval_takes_over_what_the_quote_holds_and_nothing_expires_any_more(quick):
    line = placed(quick)
    line = quoting.quote(services.best(line), by=None)
    quoted = held(line)
    services.approve(line, services.best(line).position, by=None)
    line = work_on(line)
    assert line.state == "released", line.blocked
    assert line.quote is None
    assert held(line).expires is None
    assert LedgerHold.objects.count() == 1
    assert {each.lot for each in held(line).materials} == {each.lot for each in quoted.materials}


def test_another_design_s_quote_takes_its_place(quick):
    line = placed(quick)
    first, second = line.newest_round.candidates.filter(passed=True)[:2]
    quoting.quote(first, by=None)
    line = quoting.quote(second, by=None, hours=3)
    assert line.quote["candidate"] == second.pk
    assert LedgerHold.objects.count() == 1


def test_a_quote_can_be_given_back_and_a_new_round_or_a_cancel_gives_it_back(quick):
    line = placed(quick)
    before = free_m()
    line = quoting.quote(services.best(line), by=None)
    line = quoting.give_back(line, by=None)
    assert (line.quote, held(line), free_m()) == (None, None, before)
    assert quoting.give_back(line, by=None).quote is None
    quoting.quote(services.best(line), by=None)
    services.revise(now(line), by=None, words="wider checks")
    line = work_on(line)
    assert (line.quote, held(line), free_m()) == (None, None, before)
    quoting.quote(services.best(line), by=None)
    services.cancel(now(line), by=None)
    line = work_on(line)
    assert (line.state, line.quote, free_m()) == ("cancelled", None, before)


def test_only_what_can_be_made_and_is_still_to_be_chosen_can_be_quoted(quick):
    line = placed(quick)
    old = services.best(line)
    old.passed = False
    with pytest.raises(CandidateNotPassed):
        quoting.quote(old, by=None)
    old.passed = True
    services.revise(line, by=None, words="wider checks")
    line = work_on(line)
    with pytest.raises(NotNewest):
        quoting.quote(old, by=None)
    services.approve(line, services.best(line).position, by=None)
    line = work_on(line)
    with pytest.raises(IllegalTransition):
        quoting.quote(services.best(line), by=None)


def test_a_quote_keeps_the_last_metres_from_others(quick):
    LedgerLot.objects.filter(product__sku="FAB-COT-SAT").exclude(lot="COT-SAT-R003").delete()
    LedgerLot.objects.filter(lot="COT-SAT-R003").update(on_hand=9)
    line = placed(quick)
    line = quoting.quote(services.best(line), by=None)
    with pytest.raises(NotEnoughStock):
        inventory.hold(
            LedgerErp(shop="demo"),
            reference="OTHER",
            materials=[("FAB-COT-SAT", "COT-SAT-R003", Decimal(5))],
            slots=[],
        )
