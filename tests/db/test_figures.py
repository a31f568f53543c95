"""The dashboard's figures: what they count, and that they ask the database no more of many lines than of few."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from generation.models import Artwork
from inventory_sync.errors import ErpUnavailable
from inventory_sync.models import LedgerIncoming, LedgerProduct
from orders import clock, clocks, figures, floor, services
from orders.models import Approval, AuditEvent, Candidate, LineClock, OrderLine, Step
from production.models import CostSheet, Downtime, JobTicket
from tests.db.test_reporting import make
from tests.security.conftest import stripes
from tests.shop_floor import now, planned, released, work_on

pytestmark = pytest.mark.django_db


def approved(line, *, days_ago, own_s, customer_s):
    """A line whose print file was verified so long ago, after so much of the mill's and of the customer's time."""
    verified = timezone.now() - timedelta(days=days_ago)
    begun = verified - timedelta(seconds=own_s + customer_s)
    type(line.order).objects.filter(pk=line.order_id).update(created_at=begun)
    brief = line.rounds.create(number=1, words="x", layout="straight", repeat_width_mm=64, repeat_height_mm=64)
    seen = begun + timedelta(seconds=own_s / 2)
    candidate = Candidate.objects.create(
        round=brief, position=1, artwork=art(), drawn_at=seen, checked_at=seen, passed=True, price=1
    )
    at = seen + timedelta(seconds=customer_s)
    Approval.objects.create(line=line, candidate=candidate, number=1, at=at, specification={}, sha256="0" * 64)
    event = AuditEvent(shop=line.order.shop, line=line, order=line.order, at=verified, action="ok")
    event.from_state, event.previous, event.digest = "releasing", "0" * 64, "1" * 64
    event.sequence = (AuditEvent.objects.order_by("-sequence").values_list("sequence", flat=True).first() or 0) + 1
    event.save()


def art():
    return Artwork.objects.first() or stripes()


def questions(look):
    with CaptureQueriesContext(
        connection,
    ) as asked:
        look()
    return len(asked)


# ------------------------------------------------------------------------------------------------ speed


def test_speed_is_counted_with_and_without_the_customers_time_by_stage_and_week(mill):
    for days, own, customer in ((1, 60, 3600), (1, 100, 7200), (10, 200, 0)):
        approved(planned(mill), days_ago=days, own_s=own, customer_s=customer)
    found = figures.speed(mill, weeks=4)
    assert (found.total.count, found.unread) == (0, AuditEvent.objects.exclude(line=None).count())  # it only reads
    call_command("sweep")
    found = figures.speed(mill, weeks=4)
    assert (found.total.count, found.unread) == (3, 0)
    assert found.without_customer.p50_s == pytest.approx(100, abs=0.1)
    assert found.total.p50_s == pytest.approx(3660, abs=0.1)
    stages = {stage.code: stage for stage in found.stages}
    assert stages["customer"].customers
    assert stages["customer"].spread.p50_s == pytest.approx(3600, abs=0.1)
    assert stages["made"].spread.count == 0
    assert sum(week.total.count for week in found.weeks) == 3
    assert len(found.weeks) == 4
    assert found.slowest[0][1] == pytest.approx(200, abs=0.1)
    assert figures.speed(mill, weeks=1).total.count <= 2


def test_the_kept_clock_says_what_the_clock_of_the_line_says_and_goes_on_with_it(quick):
    line = released(quick)
    assert clocks.keep_up(quick) == 0
    kept, read = LineClock.objects.get(line=line), clock.read(now(line))
    assert kept.total_s == pytest.approx(read["speed_to_customisation_s"], abs=0.01)
    assert kept.print_file_s == pytest.approx(read["stages_s"]["approval_to_print_file"], abs=0.01)
    assert kept.made_s is None
    services.finished(services.started(now(line)))
    clocks.keep_up(quick)
    assert LineClock.objects.get(line=line).made_s > 0
    services.failed(now(line))
    clocks.keep_up(quick)
    assert LineClock.objects.get(line=line).total_s is None  # agreed once more, and not there yet


def test_many_events_are_read_bit_by_bit_and_none_is_passed_over(mill):
    for _ in range(3):
        approved(planned(mill), days_ago=1, own_s=60, customer_s=0)
    unread = AuditEvent.objects.exclude(line=None).count()
    for left in range(unread - 1, -1, -1):
        assert clocks.keep_up(mill, at_most=1) == left
    assert LineClock.objects.filter(total_s__isnull=False).count() == 3


# ------------------------------------------------------------------------------------------------ late


def test_a_line_promised_after_its_due_date_is_late_and_one_that_is_near_may_be(mill):
    late, near, early = planned(mill), planned(mill), planned(mill)
    promise = floor.operations(late)[-1].end
    OrderLine.objects.filter(pk=late.pk).update(due_date=(promise - timedelta(days=2)).date())
    OrderLine.objects.filter(pk=near.pk).update(due_date=floor.operations(near)[-1].end.date())
    found = figures.late(mill)
    assert [(risk.line, risk.days) for risk in found.late] == [(late, 2)]
    assert (found.open, found.near, found.reckoned) == (3, 1, 1)
    assert {risk.line for risk in found.at_risk} <= {near}
    # Where printing takes forty times as long as planned, it is late in one case of ten.
    ticket = JobTicket.objects.create(
        shop="demo", reference=early.reference, revision=1, released_at=timezone.now(), manifest={}
    )
    lines = {"lines": [{"code": f"time:{code}", "quantity": "1"} for code in ("PRT1", "PRT2")]}
    CostSheet.objects.create(ticket=ticket, currency="EUR", total=1, price=1, price_per_m=1, lines=lines)
    for code in ("PRT1", "PRT2"):
        ticket.uses.create(issue=2, code=f"time:{code}", quantity=Decimal(40), recorded_at=timezone.now())
    # Two reports say too little: eight are needed.
    for _ in range(8):
        other = JobTicket.objects.create(
            shop="demo", reference="X", revision=1, released_at=timezone.now(), manifest={}
        )
        CostSheet.objects.create(ticket=other, currency="EUR", total=1, price=1, price_per_m=1, lines=lines)
        other.uses.create(issue=2, code="time:PRT1", quantity=Decimal(40), recorded_at=timezone.now())
    (risk,) = figures.late(mill).at_risk
    assert (risk.line, risk.days) == (near, 0)
    assert risk.safe.date() > near_due(near)


def near_due(line):
    return OrderLine.objects.get(pk=line.pk).due_date


# ------------------------------------------------------------------------------------------------ load


def test_load_counts_our_operations_others_bookings_and_neither_closed_time_nor_breakdowns(mill):
    before = {row.code: row for row in figures.load(mill).rows}
    line = planned(mill)
    slot = floor.operations(line)[0]
    after = {row.code: row for row in figures.load(mill).rows}
    taken = sum(day.ours_min for day in after[slot.work_centre].days)
    assert taken - sum(day.ours_min for day in before[slot.work_centre].days) == pytest.approx(
        (slot.end - slot.start).total_seconds() / 60, abs=2
    )
    assert sum(day.others_min for day in before["PRT1"].days) > 0
    assert all(day.share is None for day in before["PRET"].days if not day.open_min)
    open_min = sum(day.open_min for day in after["PRET"].days)
    day = next(day for day in after["PRET"].days if day.open_min).day
    begin = timezone.make_aware(timezone.datetime.combine(day, timezone.datetime.min.time()))
    Downtime.objects.create(shop="demo", work_centre="PRET", start=begin, end=begin + timedelta(days=1))
    assert sum(d.open_min for d in {r.code: r for r in figures.load(mill).rows}["PRET"].days) < open_min


# ------------------------------------------------------------------------------------------------ cover


def test_cover_is_what_is_free_and_coming_by_what_is_planned_a_day(mill):
    line = planned(mill)
    fabric = next(each for each in figures.cover(mill).covers if each.level.sku == line.substrate)
    wanted = Decimal(next(m["quantity"] for m in line.plan["materials"] if m["sku"] == line.substrate))
    assert fabric.per_day == wanted / figures.DAYS
    assert fabric.days == pytest.approx(float(fabric.level.free / fabric.per_day))
    assert fabric.jobs == (line.reference,)
    product = LedgerProduct.objects.get(shop="demo", sku=line.substrate)
    LedgerIncoming.objects.create(product=product, reference="X", quantity=100, due=timezone.now() + timedelta(days=3))
    LedgerIncoming.objects.create(product=product, reference="Y", quantity=999, due=timezone.now() + timedelta(days=90))
    more = next(each for each in figures.cover(mill).covers if each.level.sku == line.substrate)
    assert more.coming == 100
    assert more.days == pytest.approx(fabric.days + float(100 / fabric.per_day))


# ------------------------------------------------------------------------------------------------ the rest


def test_drawing_counts_what_waits_and_how_long_it_took(mill):
    line = planned(mill)
    start = timezone.now() - timedelta(hours=1)
    for seconds in (10, 20, 30):
        Step.objects.create(
            line=line, kind="draw", state="done", due_at=start, created_at=start,
            started_at=start + timedelta(seconds=5), ended_at=start + timedelta(seconds=5 + seconds),
        )  # fmt: skip
    Step.objects.create(line=line, kind="draw", state="pending", due_at=start, created_at=start)
    found = figures.drawing(mill)
    assert (found.waiting, found.running, found.takes.p50_s, found.waits.p50_s) == (1, 0, 20, 5)
    assert found.oldest_s == pytest.approx(3600, abs=30)
    assert found.lines == (line,)


def test_the_erp_s_panel_does_not_ask_the_erp(mill, distant):
    mill.refresh_from_db()
    distant.cut = True
    found = figures.sync(mill)
    assert (found.waiting, found.stopped, found.connection.remote) == (0, 0, True)
    with pytest.raises(ErpUnavailable):
        figures.load(mill)


def test_costs_compare_what_was_reported_with_the_plan(quick):
    assert figures.costs(quick).count == 0
    line = released(quick)
    make(line, by=User.objects.create_user("ann"))
    work_on(line)
    found = figures.costs(quick)
    sheet = CostSheet.objects.get()
    assert (found.count, found.planned, found.actual) == (1, sheet.total, sheet.actual)
    assert found.jobs[0].reference == line.reference


def test_each_panel_asks_as_many_questions_of_many_lines_as_of_few(mill):
    panels = [lambda: figures.speed(mill, weeks=4)]
    panels += [lambda look=look: look(mill) for look in (figures.late, figures.load, figures.cover, figures.drawing)]
    panels += [lambda look=look: look(mill) for look in (figures.sync, figures.costs)]
    approved(planned(mill), days_ago=1, own_s=60, customer_s=0)
    clocks.keep_up(mill)
    for look in panels:
        look()
    few = [questions(look) for look in panels]
    for _ in range(4):
        approved(planned(mill), days_ago=1, own_s=60, customer_s=0)
    clocks.keep_up(mill)
    assert [questions(look) for look in panels] == few


def test_a_new_shop_has_figures_of_nothing(mill):
    OrderLine.objects.all().delete()
    assert figures.speed(mill, weeks=4).total == figures.Spread(0)
    assert figures.late(mill).open == 0
    assert figures.cover(mill).covers == ()
    assert figures.costs(mill).count == 0
    assert figures.drawing(mill).takes.count == 0
