"""What the ERP knows of an order while it is offered, sold, changed, made and cancelled: one of each, always true."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models import F
from django.utils import timezone

from inventory_sync import services as inventory
from inventory_sync.connectors.ledger import LedgerErp
from inventory_sync.errors import ErpRejected, ErpUnavailable, NotEnoughStock
from inventory_sync.models import (
    LedgerAttachment,
    LedgerHold,
    LedgerLot,
    LedgerNote,
    LedgerOrder,
    LedgerSale,
    LedgerSaleLine,
)
from orders import flow, names, recording, services, steps, work, worker
from orders.errors import (
    CandidateNotPassed,
    DueDatePast,
    IllegalTransition,
    InvalidOrder,
    NotChangeable,
    PriceMoved,
    StaleState,
)
from orders.models import AuditEvent, OrderLine, Step
from production.models import InkSet, JobTicket

pytestmark = pytest.mark.django_db(transaction=True)


def wish(**changes):
    values = {
        "words": "small blue flowers",
        "quantity_m": Decimal(6),
        "layout": "half_drop",
        "repeat_mm": (64, 64),
        "substrate": "FAB-COT-SAT",
        "due_in_days": 30,
        **changes,
    }
    return services.NewLine(**values)


def placed(shop, *wishes):
    order = services.place_and_submit(shop, customer="Atelier Nord", lines=wishes or [wish()], by=None)
    return work_on(*order.lines.all())


def work_on(*lines):
    worker.run_until_rest(lines)
    fresh = OrderLine.objects.select_related("order__shop", "order__customer")
    now = [fresh.get(pk=line.pk) for line in lines]
    return now if len(now) > 1 else now[0]


def approved(line):
    services.approve(line, services.best(line).position, by=None)
    return work_on(line)


def released(shop, *wishes):
    line = approved(placed(shop, *wishes))
    assert line.state == "released", line.blocked
    return line


def changed(line, **values):
    services.change(line, **values, by=None)
    line = work_on(line)
    assert line.state == "released", line.blocked
    return line


def sold(order=None):
    """What stands on the one sale order: its state, and each line's quantity and price."""
    sale = LedgerSale.objects.get() if order is None else LedgerSale.objects.get(number=order.number)
    lines = {line.external_id.split(":")[2]: (line.quantity, line.unit_price) for line in sale.lines.all()}
    return sale.state, lines


def made():
    """The one manufacturing order."""
    return LedgerOrder.objects.get()


def stock(shop, sku="FAB-COT-SAT"):
    return inventory.stock_of(names.erp_of(shop), [sku])[sku].free


def erp_is_away(monkeypatch, *verbs):
    """Let verbs of the ERP find nobody there."""

    def away(*_, **__):
        raise ErpUnavailable

    for verb in verbs:
        monkeypatch.setattr(LedgerErp, verb, away)


# ------------------------------------------------------------------------------------------------ names


def test_records_and_holds_have_the_same_names_for_ever_and_a_reprint_its_own(quick):
    line = placed(quick)
    assert names.sale_id(line.order) == "weftline:demo:WL-000001"
    assert names.sale_line_id(line) == "weftline:demo:WL-000001-1:sale"
    assert (names.record_id(line), names.hold_name(line)) == ("weftline:demo:WL-000001-1", "WL-000001-1")
    line.run = 2
    assert (names.record_id(line), names.hold_name(line)) == ("weftline:demo:WL-000001-1:p2", "WL-000001-1-p2")


# ------------------------------------------------------------------------------------------------ offered


def test_what_is_offered_stands_in_the_erp_as_a_quotation_with_its_promise(quick):
    line = placed(quick)
    best = services.best(line)
    assert sold() == ("draft", {"WL-000001-1": (6, best.price_per_m)})
    sale = LedgerSale.objects.get()
    assert (sale.customer, sale.number, sale.promise) == ("Atelier Nord", "WL-000001", best.promise)
    assert not LedgerOrder.objects.exists()
    assert not LedgerHold.objects.exists(), "an inquiry holds nothing"


def test_two_lines_are_one_quotation_with_the_later_promise(quick):
    lines = placed(quick, wish(), wish(quantity_m=Decimal(40), repeat_mm=(96, 96)))
    assert set(sold()[1]) == {"WL-000001-1", "WL-000001-2"}
    assert LedgerSale.objects.get().promise == max(services.best(line).promise for line in lines)


def test_the_customer_chooses_while_the_erp_is_away_and_the_sale_follows(quick, monkeypatch):
    with monkeypatch.context() as patched:
        erp_is_away(patched, "upsert")
        line = placed(quick)
        assert (line.state, Step.objects.get(line=line, kind="quote").state) == ("proofing", "pending")
        services.approve(line, services.best(line).position, by=None)
        assert Step.objects.get(line=line, kind="quote").state == "dropped"
    assert work_on(line).state == "released"
    assert sold()[0] == "confirmed"


def test_a_quotation_that_can_not_be_written_leaves_the_line_with_the_customer_and_is_written_down(quick, monkeypatch):
    def refuse(*_, **__):
        raise ErpRejected("No.")

    with monkeypatch.context() as patched:
        patched.setattr(LedgerErp, "upsert", refuse)
        line = placed(quick)
    assert (line.state, line.blocked) == ("proofing", None)
    assert Step.objects.get(line=line, kind="quote").state == "failed"
    event = AuditEvent.objects.get(line=line, action="no quote")
    assert event.details == {"code": "erp_rejected", "sentence": "No."}
    assert approved(line).state == "released"


def test_a_worker_that_dies_on_the_quotation_leaves_the_line_with_the_customer(quick, monkeypatch):
    with monkeypatch.context() as patched:
        erp_is_away(patched, "upsert")
        line = placed(quick)
    past = timezone.now() - timedelta(hours=1)
    Step.objects.filter(line=line, kind="quote").update(state="running", attempt=F("max_attempts"), lease_until=past)
    flow.sweep()
    line.refresh_from_db()
    assert (line.state, Step.objects.get(line=line, kind="quote").state) == ("proofing", "failed")
    assert AuditEvent.objects.filter(line=line, action="no quote").exists()


def written_late(line, monkeypatch):
    """Quote the line by a worker that stops just before it writes, and writes once the line was sold by others."""
    honest, written = inventory.quote, []

    def late(erp, *, sale_id, sale):
        if not written:
            written.append(sale)
            approved(OrderLine.objects.select_related("order__shop").get(pk=line.pk))
            assert sold()[0] == "confirmed"
        return honest(erp, sale_id=sale_id, sale=sale)

    with monkeypatch.context() as patched:
        patched.setattr(inventory, "quote", late)
        recording.quote(line)
    assert written[0].lines[0].unit_price == 1


def with_another_offer(line):
    """Let the line be offered at a price that can be told from the one it is sold at."""
    line.newest_round.candidates.update(price_per_m=1)
    return OrderLine.objects.select_related("order__shop").get(pk=line.pk)


def sold_at_another_price(line, monkeypatch):
    honest = services.approve

    def approve(seen, position, *, by):
        seen.newest_round.candidates.update(price_per_m=2)
        return honest(seen, position, by=by)

    monkeypatch.setattr(services, "approve", approve)


def test_a_quotation_written_late_does_not_undo_what_was_sold_meanwhile(quick, monkeypatch):
    line = with_another_offer(placed(quick))
    sold_at_another_price(line, monkeypatch)
    written_late(line, monkeypatch)
    assert sold() == ("confirmed", {"WL-000001-1": (6, 2)})


def test_without_looking_again_a_late_quotation_undoes_what_was_sold(quick, monkeypatch):
    """The negative control."""
    line = with_another_offer(placed(quick))
    sold_at_another_price(line, monkeypatch)
    offered = recording._sale_of(line.order)

    def once(order, *, written=None):
        if written is None:
            inventory.quote(names.erp_of(order.shop), sale_id=names.sale_id(order), sale=offered)

    with monkeypatch.context() as patched:
        patched.setattr(recording, "_write_sale", once)
        written_late(line, monkeypatch)
    assert sold() == ("confirmed", {"WL-000001-1": (6, 1)})


def test_a_line_not_approved_yet_stands_at_nothing_on_a_confirmed_sale_until_it_is(quick):
    first, second = placed(quick, wish(), wish(quantity_m=Decimal(4)))
    assert sold()[1]["WL-000001-2"][0] == 4
    approved(first)
    state, lines = sold()
    assert (state, lines["WL-000001-1"][0], lines["WL-000001-2"][0]) == ("confirmed", 6, 0)
    approved(second)
    assert sold()[1]["WL-000001-2"][0] == 4
    assert LedgerOrder.objects.count() == 2


# ------------------------------------------------------------------------------------------------ sold


def test_a_released_line_is_one_confirmed_sale_and_one_order_with_its_files(quick):
    line = released(quick)
    approval = work.newest_approval(line)
    assert sold() == ("confirmed", {"WL-000001-1": (6, approval.candidate.price_per_m)})
    order = made()
    assert (order.state, order.quantity, order.reference) == ("confirmed", 6, "WL-000001-1")
    assert (order.sale, order.sale_line) == (names.sale_id(line.order), names.sale_line_id(line))
    assert order.due == work.moment(line.plan["promise"])
    attached = {one.name: one for one in LedgerAttachment.objects.all()}
    assert {name.removeprefix("WL-000001-1-r1") for name in attached} == {
        "-ticket.pdf", "-costing.pdf", "-preview.png", ".tif",
    }  # fmt: skip
    links = [one for one in attached.values() if one.as_link]
    assert [one.url for one in links] == ["http://127.0.0.1:8000/api/lines/WL-000001-1/files/WL-000001-1-r1.tif"]
    note = LedgerNote.objects.get()
    assert (note.external_id, note.key) == (order.external_id, f"{order.external_id}:released:r1")
    assert "6 m of FAB-COT-SAT" in note.text
    assert "Print on PRT" in note.text


def test_what_the_erp_gave_to_somebody_else_is_planned_anew(quick, monkeypatch):
    line = placed(quick)
    honest = LedgerErp.act

    def gone(erp, ref, action, expect):
        if ref.kind == "manufacturing_order":
            raise NotEnoughStock("The roll is gone.")
        return honest(erp, ref, action, expect)

    with monkeypatch.context() as patched:
        patched.setattr(LedgerErp, "act", gone)
        line = approved(line)
    assert (line.state, line.blocked["code"], line.came_from) == ("blocked", "hold_changed", "planning")
    assert "The roll is gone." in line.blocked["sentence"]
    services.resume(line, by=None)
    line = work_on(line)
    assert line.state == "released", line.blocked
    assert made().state == "confirmed"
    # The first ticket went out and is never edited: the next one supersedes it.
    assert sorted(JobTicket.objects.values_list("revision", flat=True)) == [1, 2]


def test_a_late_worker_does_not_give_back_what_a_later_approval_holds(quick, monkeypatch):
    line = released(quick)
    held = steps.Claim(Step.objects.get(line=line, kind="draw").pk, line.pk, "draw", 1, 4, None)
    with pytest.raises(flow.LostLease):
        flow.draw(line, held)
    assert LedgerHold.objects.get().reference == "WL-000001-1"


def released_by_a_late_worker(line, monkeypatch):
    """Approve the line; its first worker stops before it writes, and is woken once others released and changed it."""
    honest, late = inventory.record, []

    def stopped_in_between(*args, **kwargs):
        if not late:
            late.append(kwargs["order"])
            honest(*args, **kwargs)
            OrderLine.objects.filter(pk=line.pk).update(state="released", version=F("version") + 1)
            Step.objects.filter(line=line, kind="sync").update(state="done", token=None)
            changed(OrderLine.objects.select_related("order__shop").get(pk=line.pk), quantity_m=Decimal(9))
            assert made().quantity == 9
        return honest(*args, **kwargs)

    monkeypatch.setattr(inventory, "record", stopped_in_between)
    line = approved(line)
    assert late[0].quantity == 6
    assert (line.state, line.quantity_m) == ("released", 9)


def test_a_worker_that_comes_late_with_what_was_agreed_before_does_not_have_the_last_word(quick, monkeypatch):
    released_by_a_late_worker(placed(quick), monkeypatch)
    assert made().quantity == 9
    assert sold()[1]["WL-000001-1"][0] == 9


def test_without_looking_again_a_late_worker_has_the_last_word(quick, monkeypatch):
    """The negative control."""
    monkeypatch.setattr(recording, "_write_order", lambda line, *, written: None)
    released_by_a_late_worker(placed(quick), monkeypatch)
    assert made().quantity == 6


# ------------------------------------------------------------------------------------------------ changed


@pytest.mark.parametrize(
    ("values", "sku"),
    [
        ({"quantity_m": Decimal("9.5")}, "FAB-COT-SAT"),
        ({"substrate": "FAB-LIN-NAT"}, "FAB-LIN-NAT"),
        ({"due_date": timezone.localdate() + timedelta(days=60)}, "FAB-COT-SAT"),
        ({"quantity_m": Decimal(3), "substrate": "FAB-COT-POP"}, "FAB-COT-POP"),
    ],
)
def test_a_change_brings_the_same_records_to_what_is_agreed_now(quick, values, sku):
    before = stock(quick), stock(quick, sku)
    line = released(quick)
    first = {model: model.objects.get().pk for model in (LedgerSale, LedgerSaleLine, LedgerOrder)}
    line = changed(line, **values)
    for name, value in values.items():
        assert getattr(line, name) == value
    assert {model: model.objects.get().pk for model in first} == first, "one sale, one order, as before"
    approval = work.newest_approval(line)
    assert approval.number == 2
    assert sold() == ("confirmed", {"WL-000001-1": (line.quantity_m, approval.candidate.price_per_m)})
    order = made()
    assert (order.state, order.quantity) == ("confirmed", line.quantity_m)
    cloth = order.components.get(product__sku=sku)
    assert cloth.quantity == before[1] - stock(quick, sku), "what is used is what is held"
    if sku != "FAB-COT-SAT":
        assert stock(quick) == before[0], "the other cloth is free again"
    assert sorted(JobTicket.objects.values_list("revision", flat=True)) == [1, 2]
    assert [note.key.rpartition(":")[2] for note in LedgerNote.objects.all()] == ["r1", "r2"]
    assert {name for name in LedgerAttachment.objects.values_list("name", flat=True) if "ticket" in name} == {
        "WL-000001-1-r1-ticket.pdf", "WL-000001-1-r2-ticket.pdf",
    }  # fmt: skip


def test_a_proposal_says_what_a_change_would_cost_and_when_it_would_be_ready_and_changes_nothing(quick):
    line = released(quick)
    before = AuditEvent.objects.count(), made().revision, LedgerHold.objects.get().revision, line.version
    more = services.propose_change(line, quantity_m=Decimal(12))
    assert more.passed
    assert more.price_before == work.newest_approval(line).candidate.price
    assert more.price_difference == more.price - more.price_before > 0
    assert f"{more.price_difference} more than before" in more.sentence
    assert more.days_later is not None
    line.refresh_from_db()
    assert (AuditEvent.objects.count(), made().revision, LedgerHold.objects.get().revision, line.version) == before
    assert line.quantity_m == 6


def test_what_the_line_holds_itself_is_no_reason_against_a_change(quick):
    """Its own roll and its own minutes count as free, for the change would use them."""
    LedgerLot.objects.filter(product__sku="FAB-COT-SAT").exclude(lot="COT-SAT-R003").delete()
    line = released(quick, wish(quantity_m=Decimal(50)))
    assert stock(quick) < 40
    slightly_less = services.propose_change(line, quantity_m=Decimal(49))
    assert slightly_less.days_later <= 0
    assert changed(line, quantity_m=Decimal(49)).quantity_m == 49


def test_another_cloth_with_other_shrinkage_gets_the_design_in_its_own_pixels(quick):
    line = released(quick)
    old = work.newest_approval(line).candidate.artwork
    line = changed(line, substrate="FAB-COT-POP")
    candidate = work.newest_approval(line).candidate
    new = candidate.artwork
    assert (new.width_px, new.height_px) != (old.width_px, old.height_px)
    assert new.origin.startswith(f"brought from {old.width_px} x {old.height_px} to {new.width_px} x {new.height_px}")
    assert new.palette == old.palette
    assert (candidate.round.way, candidate.round.same_as.artwork) == ("change", old)
    assert not [finding for finding in candidate.findings if finding["severity"] == "error"]
    # Back again is the design as it was drawn, and not the second-hand copy of it.
    line = changed(line, substrate="FAB-COT-SAT")
    assert work.newest_approval(line).candidate.artwork == old


def test_a_design_on_another_cloth_can_be_gone_on_from(quick):
    line = changed(released(quick), substrate="FAB-COT-POP")
    LedgerLot.objects.filter(product__sku="FAB-COT-POP").update(on_hand=F("held"))
    services.change(line, quantity_m=Decimal(20), by=None)
    line = work_on(line)
    assert line.state == "blocked"
    first = line.rounds.get(number=1).candidates.first()
    colours = ["#101010", "#f0f0f0", "#a04030"]
    services.explore(line, services.Exploration(kind="recolour", candidates=[first.pk], palette=colours), by=None)
    line = work_on(line)
    assert line.state == "proofing", line.blocked
    assert services.best(line).artwork.palette == colours


def test_a_line_blocked_on_its_way_can_be_changed_to_what_can_be_had(quick):
    line = approved(placed(quick, wish(substrate="FAB-VEL-COT", quantity_m=Decimal(20))))
    assert (line.state, line.came_from) == ("blocked", "planning")
    line = changed(line, quantity_m=Decimal(5))
    assert made().quantity == 5
    assert sold()[1]["WL-000001-1"][0] == 5


def test_a_change_that_can_not_be_had_leaves_what_is_held_and_can_be_taken_back(quick):
    line = released(quick)
    before = stock(quick)
    services.change(line, quantity_m=Decimal(300), by=None)
    line = work_on(line)
    assert (line.state, line.blocked["code"]) == ("blocked", "not_yet_in_stock")
    assert stock(quick) == before
    assert changed(line, quantity_m=Decimal(6)).state == "released"
    assert stock(quick) == before


def test_a_design_that_can_not_be_made_on_the_other_cloth_is_refused_with_the_reason(quick):
    line = released(quick)
    InkSet.objects.filter(shop=quick.slug).update(tac_pct=1)
    proposal = services.propose_change(line, substrate="FAB-COT-POP")
    assert not proposal.passed
    assert (proposal.price, proposal.promise, proposal.days_later) == (None, None, None)
    assert "can't be made like this" in proposal.sentence
    with pytest.raises(CandidateNotPassed):
        services.change(line, substrate="FAB-COT-POP", by=None)
    line.refresh_from_db()
    assert (line.state, line.substrate) == ("released", "FAB-COT-SAT")


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({}, InvalidOrder),
        ({"quantity_m": Decimal(6)}, InvalidOrder),
        ({"due_date": timezone.localdate() - timedelta(days=2)}, DueDatePast),
        ({"quantity_m": Decimal(7), "price": Decimal("0.01")}, PriceMoved),
    ],
)
def test_a_change_that_says_nothing_or_was_not_agreed_to_is_refused(quick, values, refusal):
    line = released(quick)
    with pytest.raises(refusal):
        services.change(line, **values, by=None)
    line.refresh_from_db()
    assert (line.state, line.approvals.count(), line.rounds.count()) == ("released", 1, 1)


def test_a_woven_line_keeps_its_weave(quick):
    line = released(quick, wish(substrate="", weave="LOM1", layout="straight", repeat_mm=(70, 60)))
    with pytest.raises(InvalidOrder, match="woven"):
        services.propose_change(line, substrate="FAB-COT-SAT")
    assert changed(line, quantity_m=Decimal(8)).quantity_m == 8


def test_who_changes_second_is_told_so(quick):
    line = released(quick)
    seen = OrderLine.objects.select_related("order__shop").get(pk=line.pk)
    services.change(line, quantity_m=Decimal(7), by=None)
    with pytest.raises(StaleState):
        services.change(seen, quantity_m=Decimal(8), by=None)
    assert work_on(line).quantity_m == 7


def test_what_is_being_made_or_not_approved_yet_can_not_be_changed(quick):
    line = placed(quick)
    with pytest.raises(IllegalTransition):
        services.change(line, quantity_m=Decimal(7), by=None)
    line = services.started(approved(line))
    with pytest.raises(NotChangeable, match="is being made"):
        services.propose_change(line, quantity_m=Decimal(7))


# ------------------------------------------------------------------------------------------------ made


def test_the_work_reported_from_the_mill_moves_the_line_on_under_the_reporters_name(quick):
    line = released(quick)
    for report in (services.started, services.finished, services.passed):
        line = report(line, by=None, actor="ERP")
    assert line.state == "done"
    events = AuditEvent.objects.filter(line=line, actor="ERP").order_by("sequence")
    assert [event.action for event in events] == ["start", "finish", "pass"]
    with pytest.raises(IllegalTransition):
        services.started(line)


def test_a_cloth_that_fails_is_made_once_more_under_an_order_of_its_own(quick):
    before = stock(quick)
    line = released(quick)
    first = made()
    erp = names.erp_of(quick)
    for operation in first.work_orders.values_list("name", flat=True):
        inventory.work_on(erp, first.external_id, operation, "finish")
    assert LedgerOrder.objects.get().state == "done"
    line = services.finished(services.started(line))
    line = work_on(services.failed(line))
    assert (line.state, line.run) == ("released", 2), line.blocked
    orders = {order.external_id: order.state for order in LedgerOrder.objects.all()}
    assert orders == {"weftline:demo:WL-000001-1": "done", "weftline:demo:WL-000001-1:p2": "confirmed"}
    assert LedgerSale.objects.count() == LedgerSaleLine.objects.count() == 1
    used = LedgerHold.objects.get(reference="WL-000001-1-p2").reservations.get(lot__product__sku="FAB-COT-SAT")
    assert stock(quick) == before - 2 * used.quantity
    assert sorted(JobTicket.objects.values_list("revision", flat=True)) == [1, 2]
    services.cancel(line, by=None)
    assert work_on(line).state == "cancelled"
    states = {order.external_id: order.state for order in LedgerOrder.objects.all()}
    assert states == {"weftline:demo:WL-000001-1": "done", "weftline:demo:WL-000001-1:p2": "cancel"}


# ------------------------------------------------------------------------------------------------ cancelled


def test_cancelling_cancels_the_order_frees_what_it_holds_and_with_the_last_line_the_sale(quick):
    before = stock(quick)
    first, second = placed(quick, wish(), wish(quantity_m=Decimal(4)))
    first, second = approved(first), approved(second)
    services.cancel(first, by=None, actor="ERP")
    assert work_on(first).state == "cancelled"
    state, lines = sold()
    assert (state, lines["WL-000001-1"][0], lines["WL-000001-2"][0]) == ("confirmed", 0, 4)
    assert LedgerOrder.objects.get(external_id=names.record_id(first)).state == "cancel"
    assert LedgerOrder.objects.get(external_id=names.record_id(second)).state == "confirmed"
    services.cancel(second, by=None)
    assert work_on(second).state == "cancelled"
    assert sold()[0] == "cancel"
    assert stock(quick) == before
    assert [note.text for note in LedgerNote.objects.filter(key__endswith=":cancelled")], "its readers are told"


def test_a_line_cancelled_while_it_is_offered_takes_its_quotation_back(quick):
    line = placed(quick)
    services.cancel(line, by=None)
    assert work_on(line).state == "cancelled"
    assert sold()[0] == "cancel"


def test_a_line_cancelled_while_it_is_drawn_anew_does_not_stay_on_the_sale(quick):
    _, second = placed(quick, wish(), wish(quantity_m=Decimal(4)))
    services.revise(second, by=None, words="bold red stripes")
    second.refresh_from_db()
    services.cancel(second, by=None)
    assert work_on(second).state == "cancelled"
    assert sold()[1]["WL-000001-1"][0] == 6
    assert sold()[1]["WL-000001-2"][0] == 0


def test_a_sale_that_somebody_cancelled_in_the_erp_does_not_hold_up_cancelling_the_line(quick):
    line = released(quick)
    inventory.cancel_record(names.erp_of(quick), names.sale_id(line.order), kind="sale_order")
    services.cancel(line, by=None)
    assert work_on(line).state == "cancelled"
    assert made().state == "cancel"


def test_a_line_drawn_anew_keeps_its_order_which_is_brought_to_the_new_design(quick, monkeypatch):
    line = released(quick)
    first = made().pk
    LedgerLot.objects.filter(product__sku="FAB-COT-SAT").update(on_hand=F("held"))
    services.change(line, quantity_m=Decimal(60), by=None)
    line = work_on(line)
    assert line.state == "blocked"
    services.revise(line, by=None, words="bold red stripes", quantity_m=Decimal(5))
    line = work_on(line)
    assert (line.state, made().state) == ("proofing", "confirmed")
    assert not LedgerHold.objects.exists()
    LedgerLot.objects.filter(product__sku="FAB-COT-SAT").update(on_hand=100)
    line = approved(line)
    assert (line.state, made().pk, made().note, made().quantity) == ("released", first, "bold red stripes", 5)
