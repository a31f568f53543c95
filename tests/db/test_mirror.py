"""What is known of an ERP that lives elsewhere: quoting goes on without it, and nothing is released on old stock."""

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from inventory_sync import mirror, services
from inventory_sync.connectors.ledger import LedgerErp
from inventory_sync.errors import ErpUnavailable, StaleStock
from inventory_sync.models import LedgerProduct, LedgerWorkCentre, MirrorOf, MirrorStock
from inventory_sync.ports import (
    Booking,
    Calendar,
    Hold,
    Incoming,
    Lot,
    MaterialHold,
    SlotHold,
    StockLevel,
    Window,
    WorkCentre,
)

pytestmark = pytest.mark.django_db

SATIN, VELVET = "FAB-COT-SAT", "FAB-VEL-COT"


@pytest.fixture
def erp(distant):
    return services.connect("distant", shop="demo")


def aged(**how_long):
    """Let everything that is known be that much older."""
    back = timedelta(**how_long)
    for known in MirrorOf.objects.all():
        known.as_of = known.as_of and known.as_of - back
        known.save()
    for row in MirrorStock.objects.all():
        row.level["as_of"] = (datetime.fromisoformat(row.level["as_of"]) - back).isoformat()
        row.save()


def free(erp, sku=SATIN, **options):
    return services.stock_of(erp, [sku], **options)[sku].free


def taken_by_somebody(metres="8.5", reference="THEIRS", sku=VELVET):
    """What somebody takes in the ERP itself, past us."""
    LedgerErp(shop="demo").hold(Hold(reference, (MaterialHold(sku, None, Decimal(metres)),), ()))


def test_everything_is_read_once_and_then_answered_from_here(erp, distant):
    mirror.refresh(erp)
    read = {**distant.asked}
    assert free(erp) == LedgerErp(shop="demo").stock([SATIN])[0].free
    assert services.work_centres_of(erp) == {centre.code: centre for centre in LedgerErp(shop="demo").work_centres()}
    now = timezone.now()
    there = LedgerErp(shop="demo").bookings(Window(now, now + timedelta(days=60)))
    assert services.bookings_of(erp, now, now + timedelta(days=60)) == there
    assert {**distant.asked} == read


def test_a_ledger_is_asked_itself_and_nothing_of_it_is_kept(mill):
    erp = services.connect("ledger", shop="demo")
    free(erp)
    mirror.poll(erp)
    assert not MirrorStock.objects.exists()
    taken_by_somebody()
    assert free(erp, VELVET) == 0


def test_what_is_older_than_the_interval_is_asked_for_and_kept(erp, distant):
    mirror.refresh(erp)
    taken_by_somebody()
    assert free(erp, VELVET) == Decimal("8.5"), "the mirror is behind, and that is known"
    aged(minutes=2)
    assert free(erp, VELVET) == 0
    distant.cut = True
    assert free(erp, VELVET) == 0


def test_while_the_erp_is_away_what_was_read_last_answers_and_says_how_old_it_is(erp, distant):
    mirror.refresh(erp)
    aged(hours=2)
    distant.cut = True
    level = services.stock_of(erp, [SATIN])[SATIN]
    assert timezone.now() - level.as_of > timedelta(hours=2)
    assert services.work_centres_of(erp)
    now = timezone.now()
    assert services.bookings_of(erp, now, now + timedelta(days=1)) is not None


def test_what_is_about_to_be_held_is_never_answered_from_here(erp, distant):
    mirror.refresh(erp)
    taken_by_somebody()
    assert free(erp, VELVET, fresh=True) == 0
    distant.cut = True
    for ask in (
        lambda: services.stock_of(erp, [SATIN], fresh=True),
        lambda: services.work_centres_of(erp, fresh=True),
        lambda: services.bookings_of(erp, timezone.now(), timezone.now() + timedelta(days=1), fresh=True),
    ):
        with pytest.raises(ErpUnavailable):
            ask()


def test_an_erp_that_was_never_read_and_is_away_can_t_be_quoted_from(erp, distant):
    distant.cut = True
    for ask in (
        lambda: services.stock_of(erp, [SATIN]),
        lambda: services.work_centres_of(erp),
        lambda: services.bookings_of(erp, timezone.now(), timezone.now() + timedelta(days=1)),
    ):
        with pytest.raises(ErpUnavailable):
            ask()


def test_a_poll_reads_again_only_what_has_changed(erp, distant):
    mirror.poll(erp)
    distant.asked.clear()
    assert mirror.poll(erp) == []
    assert distant.asked == {"changes": 1}
    taken_by_somebody()
    changes = mirror.poll(erp)
    assert ("stock", VELVET) in {(change.kind, change.key) for change in changes}
    assert mirror.levels("demo")[VELVET].free == 0
    assert (distant.asked["stock"], distant.asked["work_centres"]) == (1, 0)


def test_what_no_poll_found_changed_is_as_old_as_the_poll(erp):
    mirror.poll(erp)
    aged(minutes=20)
    mirror.poll(erp)
    assert timezone.now() - mirror.levels("demo", [SATIN])[SATIN].as_of < timedelta(minutes=1)


def test_a_booking_that_somebody_makes_is_there_after_the_next_poll(erp):
    mirror.poll(erp)
    start = timezone.now() + timedelta(days=3)
    slot = SlotHold("PRT1", start, start + timedelta(hours=1))
    LedgerErp(shop="demo").hold(Hold("THEIRS", (), (slot,)))
    window = Window(start, start + timedelta(minutes=1))
    assert mirror.bookings("demo", window) == []
    mirror.poll(erp)
    (booking,) = mirror.bookings("demo", window)
    assert (booking.reference, booking.start, booking.end) == ("THEIRS", slot.start, slot.end)


def test_a_change_while_everything_is_read_is_read_again(erp, monkeypatch):
    """The cursor is from before the reading; with one from after it, the metres would be offered to two."""
    honest = LedgerErp.bookings

    def somebody_is_quick(self, window):
        if not LedgerErp(shop="demo").held("THEIRS"):
            taken_by_somebody()
        return honest(self, window)

    monkeypatch.setattr(LedgerErp, "bookings", somebody_is_quick)
    mirror.refresh(erp)
    assert mirror.levels("demo")[VELVET].free == Decimal("8.5")
    mirror.poll(erp)
    assert mirror.levels("demo")[VELVET].free == 0


def test_a_reading_that_breaks_off_leaves_what_was_known(erp, distant, monkeypatch):
    mirror.refresh(erp)
    before = mirror.levels("demo"), mirror.as_of("demo")
    aged_cursor = MirrorOf.objects.get().cursor
    taken_by_somebody()
    monkeypatch.setattr(LedgerErp, "work_centres", lambda self: (_ for _ in ()).throw(ErpUnavailable))
    with pytest.raises(ErpUnavailable):
        mirror.refresh(erp)
    assert (mirror.levels("demo"), mirror.as_of("demo")) == before
    assert MirrorOf.objects.get().cursor == aged_cursor


def test_changes_are_noted_with_the_cursor_or_not_passed_over(erp):
    mirror.poll(erp)
    taken_by_somebody()

    def full(changes):
        raise RuntimeError("no room to note it")

    with pytest.raises(RuntimeError):
        mirror.poll(erp, note=full)
    noted = []
    mirror.poll(erp, note=noted.extend)
    assert ("stock", VELVET) in {(change.kind, change.key) for change in noted}


def test_a_material_that_is_gone_makes_everything_read_again(erp):
    mirror.poll(erp)
    taken_by_somebody()
    LedgerErp(shop="demo").release("THEIRS")
    LedgerProduct.objects.filter(sku=VELVET).delete()
    mirror.poll(erp)
    assert VELVET not in mirror.levels("demo")
    assert SATIN in mirror.levels("demo")


def test_after_a_day_everything_is_read_again(erp):
    mirror.poll(erp)
    LedgerWorkCentre.objects.filter(code="PRT1").update(name="Renamed without a word")
    mirror.poll(erp)
    assert "Renamed" not in next(c.name for c in mirror.work_centres("demo") if c.code == "PRT1")
    MirrorOf.objects.update(whole_at=timezone.now() - timedelta(days=2))
    mirror.poll(erp)
    assert "Renamed" in next(c.name for c in mirror.work_centres("demo") if c.code == "PRT1")


def test_two_shops_never_see_each_other_s(erp, distant):
    mirror.refresh(erp)
    assert mirror.levels("other") == {}
    assert mirror.work_centres("other") == []
    assert mirror.as_of("other") is None
    mirror.refresh(services.connect("distant", shop="other"))
    assert mirror.levels("demo")[SATIN].free > 0


# ---------------------------------------------------------------------------------------------- releasing


def test_nothing_is_released_on_stock_that_is_too_old_and_can_t_be_asked_for(erp, distant):
    mirror.refresh(erp)
    aged(minutes=14)
    distant.cut = True
    mirror.require_fresh(erp, [SATIN])
    aged(minutes=2)
    with pytest.raises(StaleStock, match=r"FAB-COT-SAT was read 16 min ago; 15 min is the most") as refused:
        mirror.require_fresh(erp, [SATIN])
    assert refused.value.fields | {"as_of": ""} == {"sku": SATIN, "as_of": "", "age_min": 16, "limit_min": 15}
    assert refused.value.retryable
    distant.cut = False
    mirror.require_fresh(erp, [SATIN])
    assert timezone.now() - mirror.levels("demo", [SATIN])[SATIN].as_of < timedelta(minutes=1)


def test_how_old_stock_may_be_at_release_is_a_setting(erp, distant, settings):
    mirror.refresh(erp)
    aged(minutes=16)
    distant.cut = True
    settings.WEFTLINE = {**settings.WEFTLINE, "stale_stock_min": 20}
    mirror.require_fresh(erp, [SATIN])


def test_stock_that_was_never_read_is_not_released_on(erp, distant):
    distant.cut = True
    with pytest.raises(StaleStock, match="has never been read"):
        mirror.require_fresh(erp, [SATIN])


def test_a_ledger_is_never_stale(mill):
    mirror.require_fresh(services.connect("ledger", shop="demo"), [SATIN])
    assert not MirrorOf.objects.exists()


# ---------------------------------------------------------------------------------------------- kept exactly

names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
quantities = st.decimals(-(10**6), 10**8, allow_nan=False, places=3)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
hours = st.floats(0, 48, allow_nan=False)
stock_levels = st.builds(
    StockLevel,
    sku=names.filter(bool),
    lots=st.lists(st.builds(Lot, names, quantities, quantities), max_size=3).map(tuple),
    incoming=st.lists(st.builds(Incoming, quantities, moments, names), max_size=2).map(tuple),
    supplier_lead_days=st.none() | st.integers(0, 400),
    unit=st.sampled_from(["m", "l", "kg", "pcs"]),
    unit_cost=st.decimals(0, 10**6, allow_nan=False, places=4),
    as_of=moments,
    name=names,
    by_lot=st.booleans(),
)
windows = st.builds(Window, moments, moments, names)
centres = st.builds(
    WorkCentre,
    code=names,
    name=names,
    kind=names,
    cost_per_hour=st.decimals(0, 10**6, allow_nan=False, places=2),
    setup_min=hours,
    cleanup_min=hours,
    alternatives=st.lists(names, max_size=3).map(tuple),
    attributes=st.dictionaries(names, names, max_size=3),
    calendar=st.builds(
        Calendar,
        tz=st.just("Europe/Paris"),
        shifts=st.lists(st.lists(st.tuples(hours, hours), max_size=2).map(tuple), min_size=7, max_size=7).map(tuple),
        leaves=st.lists(windows, max_size=2).map(tuple),
    ),
)
booked = st.builds(Booking, names, moments, moments, names, st.booleans())


class Told:
    """An ERP that says what it is given."""

    remote = True
    shop = "told"

    def __init__(self, levels, work_centres, bookings):
        self.levels, self.centres, self.booked = levels, work_centres, bookings

    def stock(self, skus):
        return self.levels

    def work_centres(self):
        return self.centres

    def bookings(self, window):
        return self.booked

    def changes(self, cursor):
        return [], cursor


@given(
    levels=st.lists(stock_levels, max_size=4, unique_by=lambda level: level.sku),
    work_centres=st.lists(centres, max_size=3),
    bookings=st.lists(booked, max_size=4),
)
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
def test_everything_comes_back_as_it_was_said(levels, work_centres, bookings):
    mirror.refresh(Told(levels, work_centres, bookings))
    MirrorOf.objects.update(as_of=None)
    assert mirror.levels("told") == {level.sku: level for level in levels}
    assert mirror.work_centres("told") == work_centres
    for_ever = Window(datetime(1990, 1, 1, tzinfo=UTC), datetime(2090, 1, 1, tzinfo=UTC))
    assert mirror.bookings("told", for_ever) == bookings


@pytest.mark.alone
def test_ten_thousand_materials_are_kept_in_less_than_a_second():
    now = timezone.now()
    levels = [
        StockLevel(f"FAB-{number}", (Lot(f"R{number}", Decimal(50), Decimal(60)),), (), 14, "m", Decimal("4.2"), now)
        for number in range(10_000)
    ]
    erp, took_s = Told(levels, [], []), []
    for _ in range(3):
        begun = time.perf_counter()
        mirror.refresh(erp)
        took_s.append(time.perf_counter() - begun)
    assert min(took_s) < 1, took_s
    assert len(mirror.levels("told")) == 10_000
