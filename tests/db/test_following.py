"""Back from the ERP: what somebody changed there is followed, or a notice says why not; nothing is made twice."""

from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from inventory_sync import services as inventory
from inventory_sync.connectors.ledger import LedgerErp
from inventory_sync.errors import ErpUnavailable
from inventory_sync.models import (
    LedgerHold,
    LedgerOrder,
    LedgerSale,
    LedgerSaleLine,
    LedgerTask,
    LedgerWorkOrder,
)
from inventory_sync.ports import MANUFACTURING_ORDER, SALE_ORDER
from orders import following, names, services
from orders.models import AuditEvent, Following, Notice, OrderLine, Shop
from orders.seeding import DEMO_FACTORY, seed
from tests import shop_floor
from tests.shop_floor import now, placed, work_on

pytestmark = pytest.mark.django_db(transaction=True)


def released(shop, **changes):
    line = shop_floor.released(shop, **changes)
    following.follow(shop)  # what we wrote ourselves comes back, and is passed over
    return now(line)


@pytest.fixture
def line(quick):
    return released(quick)


def ledger():
    return LedgerErp(shop="demo")


def record_of(line):
    return LedgerOrder.objects.get(external_id=names.record_id(line))


def operations(line):
    return list(record_of(line).work_orders.values_list("name", flat=True))


def by_hand(row, **values):
    """What a clerk does to a record in the ERP itself."""
    kind = SALE_ORDER if isinstance(row, LedgerSale) else MANUFACTURING_ORDER
    type(row).objects.filter(pk=row.pk).update(**values)
    with transaction.atomic():
        ledger()._note([(kind, row.external_id)])


def asks_for(line, metres):
    """Somebody writes another length on the line's sale order."""
    LedgerSaleLine.objects.filter(external_id=names.sale_line_id(line)).update(quantity=metres)
    by_hand(LedgerSale.objects.get(external_id=names.sale_id(line.order)))


def follow(line):
    following.follow(line.order.shop)
    return now(line)


def notices(line, **only):
    return list(Notice.objects.filter(shop=line.order.shop, **only).order_by("pk").values_list("code", flat=True))


def picture():
    """Everything that following might touch."""
    return (
        list(OrderLine.objects.order_by("pk").values_list("pk", "state", "version", "plan")),
        list(LedgerOrder.objects.order_by("pk").values()),
        list(LedgerSale.objects.order_by("pk").values()),
        list(Notice.objects.order_by("pk").values()),
        AuditEvent.objects.count(),
        LedgerTask.objects.count(),
    )


# ---------------------------------------------------------------------------------------------- nothing to do


def test_what_we_wrote_ourselves_comes_back_and_changes_nothing(line):
    before = picture()
    by_hand(record_of(line))
    follow(line)
    following.sweep_deleted(line.order.shop)
    follow(line)
    assert picture() == before
    assert now(line).order.changed_in_erp_at is None


def test_an_offer_that_nobody_touched_leads_to_nothing(quick):
    line = placed(quick)
    following.follow(quick)
    following.sweep_deleted(quick)
    assert (notices(line), now(line).state) == ([], "proofing")


# ---------------------------------------------------------------------------------------------- production


def test_work_orders_that_are_started_and_done_move_the_line_on(line):
    first, *between, last = operations(line)
    name = names.record_id(line)
    inventory.work_on(ledger(), name, first, "start")
    assert follow(line).state == "in_production"
    for operation in (first, *between):
        inventory.work_on(ledger(), name, operation, "finish")
    assert follow(line).state == "inspecting", "the last operation is the inspection"
    inventory.work_on(ledger(), name, last, "finish")
    assert follow(line).state == "done"
    moves = line.events.filter(actor="ERP").order_by("sequence").values_list("action", flat=True)
    assert list(moves) == ["start", "finish", "pass"]
    before = picture()
    by_hand(record_of(line))
    follow(line)
    assert picture() == before


def test_an_order_that_was_finished_there_at_once_is_done_here(line):
    erp = ledger()
    erp.act(erp.find(MANUFACTURING_ORDER, names.record_id(line)), "finish", "confirmed")
    assert follow(line).state == "done"
    assert notices(line) == []


def test_an_order_that_was_cancelled_there_is_cancelled_here_and_gives_back_what_it_held(line):
    erp = ledger()
    erp.act(erp.find(MANUFACTURING_ORDER, names.record_id(line)), "cancel", "confirmed")
    assert follow(line).state == "cancelling"
    line = work_on(line)
    assert line.state == "cancelled"
    assert LedgerHold.objects.filter(consumed=False).count() == 0
    assert line.events.get(action="cancel").actor == "ERP"
    follow(line)
    assert notices(line) == []


def test_cloth_that_is_made_is_not_cancelled_by_a_click_there(line):
    *others, _ = operations(line)
    for operation in others:
        inventory.work_on(ledger(), names.record_id(line), operation, "finish")
    assert follow(line).state == "inspecting"
    by_hand(record_of(line), state="cancel")
    assert follow(line).state == "inspecting"
    assert notices(line) == ["cancelled_in_erp"]


# ---------------------------------------------------------------------------------------------- quantities


@pytest.mark.parametrize("where", ["sale order", "manufacturing order"])
def test_another_length_is_planned_anew_and_ends_in_the_same_records(line, where):
    if where == "sale order":
        asks_for(line, 8)
    else:
        by_hand(record_of(line), quantity=8)
    assert follow(line).state == "planning"
    line = work_on(line)
    assert (line.state, line.quantity_m) == ("released", 8), line.blocked
    assert LedgerOrder.objects.get().quantity == LedgerSaleLine.objects.get().quantity == 8
    assert LedgerOrder.objects.get().state == "confirmed"
    follow(line)
    assert now(line).state == "released"
    assert notices(line) == []
    assert "ERP" in line.events.values_list("actor", flat=True)


def test_a_length_that_can_t_be_made_is_a_notice_with_the_reason(line):
    asks_for(line, 0)
    line = follow(line)
    assert (line.state, line.quantity_m) == ("released", 6)
    (notice,) = Notice.objects.all()
    assert notice.code == "quantity_changed_in_erp"
    assert "0 m on the sale order" in notice.sentence
    assert "6 m here" in notice.sentence


def test_two_records_that_don_t_agree_are_for_a_person(line):
    asks_for(line, 8)
    by_hand(record_of(line), quantity=9)
    assert follow(line).state == "released"
    (notice,) = Notice.objects.all()
    assert "9 m on the manufacturing order and 8 m on the sale order" in notice.sentence


def test_a_length_that_comes_too_late_is_a_notice_once_and_is_on_a_list_there(line):
    inventory.work_on(ledger(), names.record_id(line), operations(line)[0], "start")
    follow(line)
    asks_for(line, 8)
    for _ in range(3):
        line = follow(line)
        following.sweep_deleted(line.order.shop)
    assert (line.state, line.quantity_m) == ("in_production", 6)
    assert notices(line) == ["quantity_changed_in_erp"]
    assert "can't be changed any more" in Notice.objects.get().sentence
    assert LedgerTask.objects.get().key == Notice.objects.get().key


def test_a_length_that_is_put_back_settles_its_notice_by_itself(line):
    inventory.work_on(ledger(), names.record_id(line), operations(line)[0], "start")
    asks_for(line, 8)
    follow(line)
    assert notices(line, settled_at=None) == ["quantity_changed_in_erp"]
    asks_for(line, 6)
    follow(line)
    assert Notice.objects.get().settled_by == "ERP"
    asks_for(line, 8)
    follow(line)
    assert notices(line, settled_at=None) == ["quantity_changed_in_erp"], "it is not as it was again"


def test_what_a_person_has_settled_is_not_shown_again(line, django_user_model):
    anna = django_user_model.objects.create_user("anna")
    inventory.work_on(ledger(), names.record_id(line), operations(line)[0], "start")
    asks_for(line, 8)
    follow(line)
    following.settle(Notice.objects.get(), by=anna)
    following.settle(Notice.objects.get(), by=anna)
    asks_for(line, 8)
    follow(line)
    assert Notice.objects.get().settled_by == "anna"
    assert line.events.filter(action="settle").count() == 1


def test_a_length_asked_for_while_the_customer_still_chooses_is_a_notice(quick):
    line = placed(quick)
    asks_for(line, 8)
    assert follow(line).state == "proofing"
    assert notices(line) == ["quantity_changed_in_erp"]
    assert "still choosing" in Notice.objects.get().sentence


# ---------------------------------------------------------------------------------------------- times


def moved(line, by):
    last = record_of(line).work_orders.last()
    LedgerWorkOrder.objects.filter(pk=last.pk).update(start=last.start + by, end=last.end + by)
    by_hand(record_of(line))
    return last.end + by


def test_a_work_order_that_is_moved_moves_the_plan_and_the_promise(line):
    promise = datetime.fromisoformat(line.plan["promise"])
    end = moved(line, timedelta(days=1))
    line = follow(line)
    assert datetime.fromisoformat(line.plan["slots"][-1]["end"]) == end
    assert datetime.fromisoformat(line.plan["promise"]) == promise + timedelta(days=1)
    assert notices(line) == []
    event = line.events.get(action="moved_in_erp")
    assert (event.actor, event.details["operations"]) == ("ERP", operations(line)[-1:])
    before = picture()
    follow(line)
    following.sweep_deleted(line.order.shop)
    assert picture() == before


def test_a_promise_that_is_moved_past_the_due_date_is_said_once(line):
    moved(line, timedelta(days=60))
    follow(line)
    following.sweep_deleted(line.order.shop)
    assert notices(line) == ["late"]
    assert operations(line)[-1] in Notice.objects.get().sentence
    moved(line, timedelta(days=-60))
    follow(line)
    assert notices(line, settled_at=None) == []


def test_seconds_that_an_erp_doesn_t_keep_move_nothing(line):
    plan = line.plan
    moved(line, timedelta(seconds=40))
    assert follow(line).plan == plan


def test_a_work_order_that_goes_to_another_machine_is_followed(line):
    first = record_of(line).work_orders.first()
    other = inventory.work_centres_of(ledger())
    code = next(code for code in other if code != first.work_centre.code)
    LedgerWorkOrder.objects.filter(pk=first.pk).update(work_centre=type(first.work_centre).objects.get(code=code))
    by_hand(record_of(line))
    assert follow(line).plan["slots"][0]["work_centre"] == code


# ---------------------------------------------------------------------------------------------- materials


def test_a_reservation_that_is_lost_before_production_is_a_notice_with_what_is_missing(line):
    erp, name = ledger(), names.hold_name(line)
    held = erp.held(name)
    erp.release(name)
    follow(line)
    following.sweep_deleted(line.order.shop)
    (notice,) = Notice.objects.all()
    assert notice.code == "reservation_lost"
    assert set(notice.fields["missing"]) == {material["sku"] for material in line.plan["materials"]}
    assert "Cotton satin" in notice.sentence
    assert LedgerTask.objects.get().key == notice.key
    erp.hold(held)
    follow(line)
    assert Notice.objects.get().settled_by == "ERP"


def test_what_production_uses_up_is_no_lost_reservation(line):
    inventory.work_on(ledger(), names.record_id(line), operations(line)[0], "start")
    ledger().release(names.hold_name(line))
    assert follow(line).state == "in_production"
    assert notices(line) == []


# ---------------------------------------------------------------------------------------------- deleted


def test_a_deleted_manufacturing_order_is_found_by_the_sweep_and_never_made_again(line):
    name = names.record_id(line)
    record_of(line).delete()
    follow(line)
    assert notices(line) == [], "a deletion leaves no change to follow"
    for _ in range(2):
        following.sweep_deleted(line.order.shop)
    assert notices(line) == ["deleted_in_erp"]
    assert name in Notice.objects.get().key
    assert now(line).state == "released"
    assert not LedgerOrder.objects.exists()


def test_a_deleted_sale_order_is_one_notice_for_the_order(line):
    LedgerSale.objects.all().delete()
    for _ in range(2):
        following.sweep_deleted(line.order.shop)
    (notice,) = Notice.objects.all()
    assert (notice.code, notice.line, notice.fields["order"]) == ("deleted_in_erp", None, line.order.number)
    assert not LedgerSale.objects.exists()


def test_a_deleted_offer_is_found_too(quick):
    line = placed(quick)
    LedgerSale.objects.all().delete()
    following.sweep_deleted(quick)
    assert notices(line) == ["deleted_in_erp"]


def test_a_line_that_was_taken_off_the_sale_order_is_found(line):
    LedgerSaleLine.objects.all().delete()
    by_hand(LedgerSale.objects.get())
    follow(line)
    assert notices(line) == ["deleted_in_erp"]


def test_a_cancelled_sale_order_stops_no_machine_but_is_said(line):
    by_hand(LedgerSale.objects.get(), state="cancel")
    assert follow(line).state == "released"
    assert notices(line) == ["sale_cancelled_in_erp"]
    by_hand(LedgerSale.objects.get(), state="confirmed")
    follow(line)
    assert notices(line, settled_at=None) == []


def test_what_we_cancelled_ourselves_is_no_finding(line):
    services.cancel(line, by=None)
    line = work_on(line)
    assert line.state == "cancelled"
    follow(line)
    following.sweep_deleted(line.order.shop)
    assert notices(line) == []


# ---------------------------------------------------------------------------------------------- races and faults


def change_here_while_it_is_read(line, monkeypatch):
    """Somebody there asks for 8 m; while that is read, a person here makes it 9, and it goes all the way."""
    asks_for(line, 8)
    honest, once = LedgerErp.standing, []

    def standing(self, refs):
        found = honest(self, refs)
        if not once:
            once.append(True)
            services.change(now(line), quantity_m=Decimal(9), by=None)
            assert work_on(line).state == "released"
        return found

    monkeypatch.setattr(LedgerErp, "standing", standing)
    follow(line)
    return work_on(follow(line))


def test_what_a_person_decides_here_is_not_undone_by_an_older_picture(line, monkeypatch):
    line = change_here_while_it_is_read(line, monkeypatch)
    assert line.quantity_m == LedgerOrder.objects.get().quantity == 9


def test_without_the_line_s_version_an_older_picture_would_undo_it(line, monkeypatch):
    guarded = services.change

    def unguarded(line, **wish):
        return guarded(now(line), **wish)

    monkeypatch.setattr(following.services, "change", unguarded)
    assert change_here_while_it_is_read(line, monkeypatch).quantity_m == 8


def dies_after_reading_the_changes(line, monkeypatch):
    inventory.work_on(ledger(), names.record_id(line), operations(line)[0], "start")

    def die(*args):
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(following, "_look_at", die)
        with suppress(RuntimeError):
            following.follow(line.order.shop)
    return follow(line)


def test_a_change_that_was_read_by_a_worker_that_died_is_followed_by_the_next(line, monkeypatch):
    assert dies_after_reading_the_changes(line, monkeypatch).state == "in_production"


def test_without_the_mark_the_change_would_be_lost_with_its_worker(line, monkeypatch):
    monkeypatch.setattr(following, "_mark", lambda shop, changes: None)
    assert dies_after_reading_the_changes(line, monkeypatch).state == "released"


def test_a_line_that_is_being_worked_on_is_looked_at_once_it_rests(line):
    services.change(line, quantity_m=Decimal(7), by=None)
    by_hand(record_of(line))
    assert follow(line).order.changed_in_erp_at is not None
    line = work_on(line)
    assert follow(line).order.changed_in_erp_at is None
    assert (line.state, line.quantity_m) == ("released", 7)


# ---------------------------------------------------------------------------------------------- an ERP that is away


@pytest.fixture
def far(distant, quick):
    return quick


def test_an_erp_that_lives_elsewhere_is_followed_in_the_same_way(far, distant):
    line = released(far)
    inventory.work_on(ledger(), names.record_id(line), operations(line)[0], "start")
    distant.cut = True
    with pytest.raises(ErpUnavailable):
        following.follow(far)
    assert "can't be reached" in Following.objects.get(shop=far).error
    distant.cut = False
    assert follow(line).state == "in_production"
    assert Following.objects.get(shop=far).error == ""


def test_a_quiet_poll_asks_once_however_many_lines_there_are(far, distant):
    lines = [released(far) for _ in range(2)]
    distant.asked.clear()
    following.follow(far)
    assert distant.asked == {"changes": 1}
    distant.asked.clear()
    following.sweep_deleted(far)
    assert distant.asked == {"standing": 1}
    assert [now(line).state for line in lines] == ["released"] * 2


def test_a_shop_whose_erp_is_away_does_not_keep_the_others_from_theirs(line, distant):
    away = Shop.objects.create(slug="away", name="Away mill", connector="distant")
    here = Shop.objects.create(slug="here", name="Here mill", connector="distant")
    distant.cut_for = {"away"}
    Following.objects.all().delete()
    following.follow_due()
    assert Following.objects.get(shop=away).followed_at is None
    assert "can't be reached" in Following.objects.get(shop=away).error
    assert Following.objects.get(shop=here).followed_at is not None


def test_an_erp_is_asked_as_often_as_the_setting_says_and_swept_once_a_day(far, distant):
    Following.objects.all().delete()
    following.follow_due()
    swept_at = Following.objects.get(shop=far).swept_at
    assert swept_at is not None
    distant.asked.clear()
    following.follow_due()
    assert distant.asked == {}
    Following.objects.update(tried_at=timezone.now() - timedelta(seconds=31))
    following.follow_due()
    assert distant.asked == {"changes": 1}
    assert Following.objects.get(shop=far).swept_at == swept_at
    Following.objects.update(tried_at=None, swept_at=timezone.now() - timedelta(days=2))
    following.follow_due()
    assert Following.objects.get(shop=far).swept_at > swept_at


def test_an_odd_answer_of_one_erp_ends_no_worker(line, distant, monkeypatch, caplog):
    def odd(self, cursor):
        raise KeyError("no such thing")

    monkeypatch.setattr(LedgerErp, "changes", odd)
    Following.objects.all().delete()
    following.follow_due()
    assert "nobody foresaw" in Following.objects.get(shop=line.order.shop).error
    assert "following the ERP" in caplog.text


def test_two_shops_follow_only_their_own(line, quick):
    seed(DEMO_FACTORY, slug="second", name="Second mill")
    second = Shop.objects.get(slug="second")
    second.generator = "quick"
    second.save()
    theirs = released(second)
    inventory.work_on(ledger(), names.record_id(line), operations(line)[0], "start")
    following.follow(second)
    assert (now(line).state, now(theirs).state) == ("released", "released")
    following.follow(quick)
    assert (now(line).state, now(theirs).state) == ("in_production", "released")


# ---------------------------------------------------------------------------------------------- by hand


def test_a_person_in_doubt_can_have_all_looked_at(line, capsys):
    record_of(line).delete()
    call_command("follow_erp", "--shop", "demo", "--all")
    assert "was deleted in the ERP" in capsys.readouterr().out


def test_an_erp_that_can_t_be_asked_is_said_with_a_status(far, distant, capsys):
    distant.cut = True
    with pytest.raises(SystemExit):
        call_command("follow_erp")
    assert "can't be reached" in capsys.readouterr().err
