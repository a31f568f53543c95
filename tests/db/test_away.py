"""An ERP that lives elsewhere and is away: what goes on, what waits, and that nothing is there twice afterwards."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from inventory_sync import mirror
from inventory_sync import services as inventory
from inventory_sync.errors import ErpConflict, ErpUnavailable, StaleStock
from inventory_sync.models import LedgerOrder, LedgerSale, MirrorOf, MirrorStock
from orders import flow, following, outbox, services, work, worker
from orders.models import OrderLine, Step

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def far(distant, quick):
    following.follow(quick)
    return quick


def placed(shop):
    new = services.NewLine(
        words="checks",
        quantity_m=Decimal(6),
        layout="straight",
        repeat_mm=(64, 64),
        substrate="FAB-COT-SAT",
        due_in_days=30,
    )
    return services.place_and_submit(shop, customer="Atelier Nord", lines=[new], by=None).lines.get()


def now(line):
    return OrderLine.objects.select_related("order__shop", "order__customer").get(pk=line.pk)


def step_once(line):
    """Do the line's open step, whenever it is due."""
    step = line.steps.get(state="pending")
    Step.objects.filter(pk=step.pk).update(due_at=timezone.now() - timedelta(minutes=1))
    flow.run_step(step.pk)
    return now(line)


def aged(minutes):
    back = timedelta(minutes=minutes)
    for known in MirrorOf.objects.all():
        known.as_of -= back
        known.save()
    for row in MirrorStock.objects.all():
        row.level["as_of"] = (datetime.fromisoformat(row.level["as_of"]) - back).isoformat()
        row.save()


def test_an_order_is_quoted_while_the_erp_is_away_and_nothing_is_lost_or_twice_afterwards(far, distant):
    aged(120)
    distant.cut = True
    line = placed(far)
    while line.state in {"draft", "generating"}:
        line = step_once(now(line))
    assert line.state == "proofing", line.blocked
    assert services.best(line).price > 0
    line = step_once(line)
    (entry,) = outbox.entries(far, outbox.waiting())
    assert (entry.kind, entry.state, entry.error_code) == ("quote", "pending", "erp_unavailable")
    services.approve(line, services.best(line).position, by=None)
    for _ in range(3):
        line = step_once(now(line))
    assert (line.state, line.steps.last().state) == ("planning", "pending")
    distant.cut = False
    while line.state != "released":
        line = step_once(line)
    assert (LedgerSale.objects.count(), LedgerOrder.objects.count()) == (1, 1)
    assert list(outbox.waiting()) == []


def test_nothing_is_released_on_stock_of_which_nobody_knows_any_more(far, distant):
    line = placed(far)
    worker.run_until_rest([line])
    line = now(line)
    services.approve(line, services.best(line).position, by=None)
    line = step_once(now(line))
    assert line.state == "releasing"
    aged(20)
    distant.cut_verbs = {"stock"}
    with pytest.raises(StaleStock):
        work.release(line)
    line = step_once(line)
    assert (line.state, line.steps.last().error_code) == ("releasing", "stale_stock")
    distant.cut_verbs = set()
    assert step_once(line).state == "syncing"


def test_planning_asks_the_erp_itself_and_what_it_says_is_young_enough_for_the_release(far, distant):
    line = placed(far)
    worker.run_until_rest([line])
    services.approve(now(line), services.best(now(line)).position, by=None)
    aged(20)
    distant.asked.clear()
    line = step_once(now(line))
    assert (distant.asked["stock"], distant.asked["bookings"]) == (1, 1)
    line = step_once(line)
    assert line.state == "syncing"
    assert distant.asked["stock"] == 1
    skus = [material["sku"] for material in line.plan["materials"]]
    known = mirror.levels("demo", skus)
    assert all(timezone.now() - level.as_of < timedelta(minutes=1) for level in known.values())
    assert inventory.connect("distant", shop="demo").remote


def test_two_hours_without_the_erp_use_up_no_try_and_everything_drains_when_it_answers(far, distant):
    lines = [placed(far) for _ in range(2)]
    worker.run_until_rest(lines)
    for line in lines:
        services.approve(now(line), services.best(now(line)).position, by=None)
    distant.cut = True
    for line in lines:
        for _ in range(30):  # two hours of tries, five minutes apart at most
            assert step_once(now(line)).state == "planning", now(line).blocked
    with pytest.raises(ErpUnavailable):
        following.follow(far)
    waiting = Step.objects.filter(state="pending", error_code="erp_unavailable")
    waiting.update(due_at=timezone.now() + timedelta(minutes=5), created_at=timezone.now() - timedelta(hours=2))
    distant.cut = False
    following.follow(far)
    assert not waiting.filter(due_at__gt=timezone.now()).exists(), "they are tried now, not after their pause"
    worker.run_until_rest(lines)
    assert [now(line).state for line in lines] == ["released", "released"]
    assert (LedgerOrder.objects.count(), LedgerSale.objects.count()) == (2, 2)


def test_an_error_of_the_step_itself_still_uses_up_its_tries(far, distant, monkeypatch):
    line = placed(far)
    worker.run_until_rest([line])
    services.approve(now(line), services.best(now(line)).position, by=None)

    def conflict(*_, **__):
        raise ErpConflict("Somebody else writes all the time.")

    monkeypatch.setattr(inventory, "hold", conflict)
    for _ in range(flow.TRIES["plan"]):
        assert now(line).state == "planning"
        step_once(now(line))
    assert now(line).state == "blocked"


def test_patience_ends_after_a_day(far, distant):
    line = placed(far)
    worker.run_until_rest([line])
    services.approve(now(line), services.best(now(line)).position, by=None)
    distant.cut = True
    for _ in range(flow.TRIES["plan"] + 2):
        assert step_once(now(line)).state == "planning"
    Step.objects.filter(state="pending").update(created_at=timezone.now() - flow.PATIENCE, attempt=40, max_attempts=41)
    assert step_once(now(line)).state == "blocked"
