"""An order sent twice, quantities as customers count, an old order repeated, a strike-off before its bulk."""

import uuid
from datetime import timedelta
from decimal import Decimal

import pypdfium2
import pytest

from orders import repeating, services, strikeoffs, work
from orders.domain.asked import Asked, Unit
from orders.errors import IllegalTransition, InvalidOrder, PlacedAlready, StrikeOffFirst
from orders.models import Order, OrderLine, Shop
from orders.seeding import DEMO_FACTORY, seed
from orders.work import as_drawn
from tests.shop_floor import now, placed, released, work_on

pytestmark = pytest.mark.django_db

CHECKS = {
    "words": "checks",
    "quantity_m": Decimal(6),
    "layout": "straight",
    "repeat_mm": (64, 64),
    "substrate": "FAB-COT-SAT",
    "due_in_days": 30,
}


def new_line(**changes):
    return services.NewLine(**{**CHECKS, **changes})


def place(shop, *lines, **more):
    return services.place_and_submit(shop, customer="Atelier Nord", lines=lines, by=None, **more)


# ------------------------------------------------------------------------------------------------ sent twice


def test_a_form_that_is_sent_twice_makes_one_order(quick):
    once = uuid.uuid4()
    first, second = place(quick, new_line(), once=once), place(quick, new_line(), once=once)
    assert first == second
    assert Order.objects.count() == 1
    assert place(quick, new_line()) != first


def test_what_was_changed_after_a_form_was_sent_is_not_lost_in_the_order_it_made(quick):
    once = uuid.uuid4()
    first = place(quick, new_line(), once=once)
    for other in ({"words": "stripes"}, {"quantity_m": Decimal(7)}, {"palette": "nordic"}, {"scale": 2.0}):
        with pytest.raises(PlacedAlready, match=first.number):
            place(quick, new_line(**other), once=once)
    with pytest.raises(PlacedAlready):
        services.place_and_submit(quick, customer="Somebody else", lines=[new_line()], by=None, once=once)
    assert Order.objects.count() == 1


def test_another_shop_s_order_is_not_told_by_the_number_of_its_form(quick):
    once = uuid.uuid4()
    first = place(quick, new_line(), once=once)
    seed(DEMO_FACTORY, slug="other", name="Another mill")
    with pytest.raises(PlacedAlready) as refused:
        place(Shop.objects.get(slug="other"), new_line(generator="quick"), once=once)
    assert first.number not in str(refused.value)
    assert refused.value.fields == {}


# ------------------------------------------------------------------------------------------------ counted


def test_a_line_keeps_how_its_customer_counts(quick):
    yards = Asked(quantity=Decimal(40), unit=Unit.YARDS)
    line = place(quick, new_line(quantity_m=yards.metres, asked=yards, end_use="  curtain ")).lines.get()
    assert (line.quantity_m, line.asked, line.end_use) == (
        Decimal("36.58"),
        {"quantity": "40", "unit": "yd"},
        "curtain",
    )


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (Asked(quantity=Decimal(0), unit=Unit.METRES), "quantity"),
        (Asked(quantity=Decimal("2.5"), unit=Unit.PANELS, height_mm=Decimal(1000)), "quantity"),
        (Asked(quantity=Decimal(2), unit=Unit.PANELS), "height_mm"),
        (Asked(quantity=Decimal(2), unit=Unit.PANELS, height_mm=Decimal(900), gap_mm=Decimal(-1)), "gap_mm"),
        (Asked(quantity=Decimal(2), unit=Unit.YARDS, height_mm=Decimal(900)), "height_mm"),
        (Asked(quantity=Decimal(40), unit=Unit.YARDS), "quantity_m"),  # they are not 6 m
    ],
)
def test_a_quantity_that_can_t_be_counted_is_refused_by_its_field(quick, asked, field):
    with pytest.raises(InvalidOrder) as refused:
        place(quick, new_line(asked=asked))
    assert refused.value.fields["field"] == f"lines[0].{field}"


def test_yards_are_forgotten_once_other_metres_are_agreed(quick):
    yards = Asked(quantity=Decimal(10), unit=Unit.YARDS)
    line = released(quick, quantity_m=yards.metres, asked=yards)
    services.change(line, due_date=line.due_date + timedelta(days=3), by=None)
    assert now(line).asked
    line = work_on(line)
    services.change(line, quantity_m=Decimal(12), by=None)
    assert now(line).asked is None


def test_papers_say_the_quantity_as_the_customer_counts_beside_the_metres(quick):
    yards = Asked(quantity=Decimal(10), unit=Unit.YARDS)
    line = placed(quick, quantity_m=yards.metres, asked=yards)
    assert "10 yd (9.15 m)" in text_of(work.quotation(services.best(line))[1])
    services.approve(line, services.best(line).position, by=None)
    line = work_on(line)
    assert "10 yd (9.15 m)" in text_of(work.file_named(line, f"{line.reference}-r1-ticket.pdf").read_bytes())


def text_of(content):
    with pypdfium2.PdfDocument(content) as document:
        return " ".join(" ".join(page.get_textpage().get_text_range().split()) for page in document)


def test_an_order_may_say_how_large_its_motifs_are_and_a_revision_keeps_that(quick):
    line = placed(quick, scale=1.5, density=0.5)
    assert (line.newest_round.scale, line.newest_round.density) == (1.5, 0.5)
    services.revise(line, by=None, words="other checks")
    assert (line.newest_round.scale, line.newest_round.density) == (1.5, 0.5)
    with pytest.raises(services.Refusals) as refused:
        place(quick, new_line(scale=3.0))
    assert refused.value.fields["field"] == "lines[0].scale"


# ------------------------------------------------------------------------------------------------ once more


def again(shop, old, **changes):
    """The same design as an old line, placed and worked on."""
    design = repeating.design_of(old)
    order = place(shop, new_line(repeat_of=old, same_as=design, **changes))
    return work_on(order.lines.get())


def test_the_same_design_again_is_not_drawn_and_is_checked_priced_and_promised_anew(quick):
    old = released(quick)
    line = again(quick, old, quantity_m=Decimal(20))
    assert (line.state, line.repeat_of) == ("proofing", old)
    (candidate,) = line.newest_round.candidates.all()
    before = repeating.design_of(old)
    assert candidate.artwork == before.artwork
    assert candidate.price > before.price
    assert candidate.promise
    assert line.newest_round.way_in_words == f"design 1.{before.position} of {old.reference} again"
    services.approve(line, 1, by=None)
    assert work_on(line).state == "released"


def shade(candidate):
    return {f["code"]: f for f in candidate.findings if f["code"].startswith("shade")}


def test_a_repeat_says_whether_it_comes_from_the_roll_and_the_profile_of_last_time(quick):
    old = released(quick)
    (same,) = again(quick, old).newest_round.candidates.all()
    assert {code: f["severity"] for code, f in shade(same).items()} == {"shade_roll": "info", "shade_profile": "info"}
    roll = old.plan["lot"]
    (other,) = again(quick, old, quantity_m=Decimal(80)).newest_round.candidates.all()
    found = shade(other)["shade_roll"]
    assert found["severity"] == "warning"
    assert roll in found["sentence"]
    assert "the shade may differ" in found["sentence"]
    (cloth,) = again(quick, old, substrate="FAB-COT-POP").newest_round.candidates.all()
    assert shade(cloth)["shade_cloth"]["severity"] == "warning"
    assert cloth.passed, "it was brought to the size that this cloth asks for"
    assert as_drawn(cloth).artwork == repeating.design_of(old).artwork


def test_who_repeats_nothing_is_told_nothing_of_shades(quick):
    line = placed(quick)
    assert not any(shade(candidate) for candidate in line.newest_round.candidates.all())


def test_a_repeat_can_be_gone_on_from_and_changed_like_any_line(quick):
    line = again(quick, released(quick))
    (candidate,) = line.newest_round.candidates.all()
    larger = services.Exploration(kind="resize", candidates=[candidate.pk], knobs={"scale": 1.5})
    line = work_on(services.explore(line, larger, by=None))
    assert line.state == "proofing"
    services.approve(line, 1, by=None)
    line = work_on(line)
    services.change(line, quantity_m=Decimal(9), by=None)
    assert work_on(line).state == "released"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"repeat_mm": (80, 64)}, "repeat_mm"),
        ({"layout": "half_drop"}, "repeat_mm"),
        ({"substrate": "", "weave": "LOM1"}, "weave"),
        ({"substrate": "NO-SUCH"}, "substrate"),
    ],
)
def test_the_same_design_is_not_taken_for_another(quick, changes, field):
    old = released(quick)
    with pytest.raises(services.Refusals) as refused:
        place(quick, new_line(same_as=repeating.design_of(old), **changes))
    assert refused.value.fields["field"] == f"lines[0].{field}"


def test_only_what_was_released_can_be_had_again(quick):
    line = placed(quick)
    assert repeating.design_of(line) is None
    services.approve(line, 1, by=None)
    assert repeating.design_of(now(line)) is None
    line = work_on(line)
    assert repeating.design_of(line) == line.approvals.get().candidate
    services.cancel(line, by=None)
    assert repeating.design_of(now(line)) is None


# ------------------------------------------------------------------------------------------------ strike-off first


@pytest.fixture
def struck(quick):
    """An order of 20 m that waits for a strike-off of 1 m."""
    order = place(quick, new_line(quantity_m=Decimal(20)), new_line(quantity_m=Decimal(1), sample_of=1))
    bulk, sample = order.lines.order_by("position")
    return bulk, work_on(sample)


def made(sample):
    services.approve(sample, services.best(sample).position, by=None)
    sample = work_on(sample)
    assert sample.state == "released", sample.blocked
    sample = services.started(sample)
    return services.finished(sample)


def test_the_bulk_waits_until_its_strike_off_is_approved(struck):
    bulk, sample = struck
    assert (bulk.state, sample.state, sample.sample_of) == ("draft", "proofing", bulk)
    for refused in (lambda: services.submit(bulk, by=None), lambda: services.approve(bulk, 1, by=None)):
        with pytest.raises(StrikeOffFirst, match=sample.reference):
            refused()
    with pytest.raises(StrikeOffFirst, match="has not been made yet"):
        strikeoffs.approve(sample, by=None)
    assert now(bulk).state == "draft"


def test_the_bulk_is_made_in_the_design_of_its_approved_strike_off(struck):
    bulk, sample = struck
    sample = made(sample)
    handed_on = strikeoffs.approve(sample, by=None)
    assert handed_on == bulk
    assert now(sample).state == "done"
    line = work_on(bulk)
    assert line.state == "proofing"
    (candidate,) = line.newest_round.candidates.all()
    assert candidate.artwork == sample.approvals.get().candidate.artwork
    assert "shade_roll" in shade(candidate)
    services.approve(line, 1, by=None)
    assert work_on(line).state == "released"


def test_a_strike_off_is_approved_once(struck):
    bulk, sample = struck
    sample = made(sample)
    strikeoffs.approve(sample, by=None)
    with pytest.raises(IllegalTransition):
        strikeoffs.approve(now(sample), by=None)
    assert bulk.rounds.count() == 2


def test_an_order_does_not_wait_for_a_strike_off_that_was_cancelled(struck):
    bulk, sample = struck
    services.cancel(sample, by=None)
    services.submit(now(bulk), by=None)
    assert work_on(bulk).state == "proofing"


def test_a_line_that_is_no_strike_off_is_not_approved_as_one(quick):
    with pytest.raises(InvalidOrder, match="no strike-off"):
        strikeoffs.approve(placed(quick), by=None)
    assert OrderLine.objects.get().state == "proofing"
