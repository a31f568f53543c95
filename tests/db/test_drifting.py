"""Drift of a mill's machines, and corrections that a person accepts."""

import uuid
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from orders import audit, drifting, looking, services
from orders.errors import CorrectionOver
from orders.flow import run_step
from orders.models import AuditEvent, Step
from production.domain.drift import LEAST_READINGS
from production.domain.grading import Rule
from production.drifting import Key, share_of_limit
from production.inspector import source_of, spec_of
from production.models import Correction, DriftReading, Inspection, JobTicket, Substrate
from tests.shop_floor import now, placed, released, work_on

pytestmark = pytest.mark.django_db
KEY = Key("PRT1", "RE-CMYK", "FAB-COT-SAT")


@pytest.fixture
def ann(mill):
    return User.objects.create_user("ann")


def read(mill, count=12, *, key=KEY, days_ago=30, released_at=None, **values):
    """So many cloths that were inspected, all off by as much."""
    for number in range(count):
        at = timezone.now() - timedelta(days=days_ago) + timedelta(hours=number)
        last = Inspection.objects.count()
        inspection = Inspection.objects.create(
            shop=mill.slug, reference="WL-000001-1", run=1, revision=1, number=last + 1, once=uuid.uuid4(),
            article=key.article, at=at, synthetic=True,
        )  # fmt: skip
        off = {"de00": 0.5, "dl": 0.0, "da": 0.0, "db": 0.0, "across_pct": 0.0, "along_pct": 0.0, **values}
        DriftReading.objects.create(
            inspection=inspection, shop=mill.slug, **vars(key), at=at, released_at=released_at or at, **off
        )


def only(mill):
    (series,) = drifting.all_series(mill)
    return series


def test_a_steady_machine_has_charts_and_no_correction(mill):
    read(mill)
    series = only(mill)
    assert (series.key, len(series.readings), series.proposals, series.synthetic) == (KEY, 12, (), True)
    assert not any(trend.drifts for trend in series.trends.values())
    assert len(series.trends["across"].points) == 12


def test_a_cloth_that_comes_out_too_wide_gets_another_pre_compensation_once_a_person_says_so(mill, ann):
    read(mill, across_pct=1.0)
    (proposed,) = only(mill).proposals
    cloth = Substrate.objects.get(shop=mill.slug, code=KEY.article)
    before = cloth.shrink_weft_pct
    assert proposed.before["shrink_weft_pct"] == before
    assert proposed.after["shrink_weft_pct"] < before
    assert proposed.after["shrink_warp_pct"] == cloth.shrink_warp_pct
    assert "too wide" in proposed.sentence
    cloth.refresh_from_db()
    assert cloth.shrink_weft_pct == before, "nothing is changed by itself"
    done = drifting.accept(mill, KEY, "size", seen=proposed.after, by=ann)
    cloth.refresh_from_db()
    assert cloth.shrink_weft_pct == proposed.after["shrink_weft_pct"]
    event = AuditEvent.objects.get(action="correction")
    assert (event.actor, event.details["before"], event.details["correction"]) == ("ann", proposed.before, done.pk)
    assert audit.first_broken(mill) is None
    # What was made before it says nothing any more; what is made since does.
    series = only(mill)
    assert (series.proposals, len(series.readings), series.trends["across"].points) == ((), 12, ())
    assert series.accepted == (done,)


@pytest.mark.parametrize(
    ("off", "said"),
    [
        ({"across_pct": 1.0}, "set its shrinkage in width from"),
        ({"along_pct": -0.8}, "too short: set its shrinkage in length from"),
        ({"across_pct": 1.0, "along_pct": -0.8}, "%, in length from"),
    ],
)
def test_the_sentence_says_which_shrinkage_is_to_be_set(mill, off, said):
    read(mill, **off)
    (proposed,) = only(mill).proposals
    assert said in proposed.sentence


def test_a_correction_is_accepted_once_and_only_as_it_was_shown(mill, ann):
    read(mill, along_pct=-0.8)
    (proposed,) = only(mill).proposals
    with pytest.raises(CorrectionOver):
        drifting.accept(mill, KEY, "size", seen={**proposed.after, "shrink_warp_pct": 9.0}, by=ann)
    drifting.accept(mill, KEY, "size", seen=proposed.after, by=ann)
    with pytest.raises(CorrectionOver):
        drifting.accept(mill, KEY, "size", seen=proposed.after, by=ann)
    assert Correction.objects.count() == 1


def test_who_changed_the_catalogue_by_hand_meanwhile_is_not_overwritten(mill, ann):
    read(mill, across_pct=1.0)
    (proposed,) = only(mill).proposals
    Substrate.objects.filter(shop=mill.slug, code=KEY.article).update(shrink_weft_pct=9.9)
    with pytest.raises(CorrectionOver):
        drifting.accept(mill, KEY, "size", seen=proposed.after, by=ann)
    assert Substrate.objects.get(shop=mill.slug, code=KEY.article).shrink_weft_pct == 9.9


def test_colours_that_moved_ask_for_a_profile_and_near_the_limit_for_a_tighter_one(mill, ann):
    read(mill, 8, de00=0.5, days_ago=60)
    read(mill, 12, de00=2.4, db=2.0)
    series = only(mill)
    assert {each.kind for each in series.proposals} == {"profile", "limit"}
    limit = next(each for each in series.proposals if each.kind == "limit")
    drifting.accept(mill, KEY, "limit", seen=limit.after, by=ann)
    assert share_of_limit(mill.slug, KEY) == 0.8
    assert share_of_limit(mill.slug, replace(KEY, machine="PRT2")) == 1.0
    profile = next(each for each in only(mill).proposals if each.kind == "profile")
    assert "limit" not in {each.kind for each in only(mill).proposals}
    drifting.accept(mill, KEY, "profile", seen=profile.after, by=ann)
    assert share_of_limit(mill.slug, KEY) == 1.0, "with the new profile the limit is the customer's again"


def test_what_was_declined_changes_nothing_and_is_asked_again_once_more_cloths_say_the_same(mill, ann):
    read(mill, across_pct=1.0)
    (proposed,) = only(mill).proposals
    cloth = Substrate.objects.get(shop=mill.slug, code=KEY.article)
    no = drifting.decline(mill, KEY, "size", seen=proposed.after, why="The scanner was new.", by=ann)
    assert (no.accepted, no.decided_by, no.why) == (False, "ann", "The scanner was new.")
    series = only(mill)
    assert (series.proposals, series.accepted, series.declined) == ((), (), (no,))
    assert series.trends["across"].drifts, "the chart says what it said"
    assert Substrate.objects.get(pk=cloth.pk).shrink_weft_pct == cloth.shrink_weft_pct
    event = AuditEvent.objects.get(action="correction declined")
    assert (event.details["why"], event.details["after"]) == ("The scanner was new.", proposed.after)
    with pytest.raises(CorrectionOver):
        drifting.accept(mill, KEY, "size", seen=proposed.after, by=ann)
    read(mill, LEAST_READINGS - 1, across_pct=1.0, days_ago=-1)
    assert only(mill).proposals == ()
    read(mill, 1, across_pct=1.0, days_ago=-2)
    (again,) = only(mill).proposals
    drifting.accept(mill, KEY, "size", seen=again.after, by=ann)
    assert Substrate.objects.get(pk=cloth.pk).shrink_weft_pct == again.after["shrink_weft_pct"]


def test_a_declined_limit_is_no_limit_and_an_accepted_one_stays_when_another_is_declined(mill, ann):
    read(mill, 8, de00=0.5, days_ago=60)
    read(mill, 12, de00=2.4)
    limit = next(each for each in only(mill).proposals if each.kind == "limit")
    drifting.decline(mill, KEY, "limit", seen=limit.after, why="", by=ann)
    assert share_of_limit(mill.slug, KEY) == 1.0
    Correction.objects.update(accepted=True)
    assert share_of_limit(mill.slug, KEY) == 0.8


# ------------------------------------------------------------------------------------------------ lines on their way


def too_short(mill, ann):
    """Cloths of a machine come out too short, and a person accepts that their fabric shrinks more."""
    read(mill, along_pct=-1.0)
    (proposed,) = only(mill).proposals
    drifting.accept(mill, KEY, "size", seen=proposed.after, by=ann)
    return proposed


def test_cloth_that_was_released_before_a_correction_is_held_against_what_it_was_made_by(quick, ann):
    line = released(quick)
    ticket = JobTicket.objects.get()
    before = spec_of(quick.slug, ticket.manifest, released=ticket.released_at.date())
    proposed = too_short(quick, ann)
    after = spec_of(quick.slug, ticket.manifest, released=ticket.released_at.date())
    assert after.shrink_warp > before.shrink_warp, "a line of today is printed longer"
    raster = looking.raster_of(line.approvals.get(), ticket)
    source = source_of(raster, quick.slug, ticket.manifest, released=ticket.released_at.date())
    assert source.repeat_mm == tuple(ticket.manifest["repeat"]["finished_mm"])
    assert source.length_mm == pytest.approx(6000, abs=1), "what was asked for has not changed"
    # What it says of the machine was said before: the series begins anew with the first cloth made by the new figure.
    read(quick, 1, across_pct=0, along_pct=-1.0, days_ago=-1, released_at=ticket.released_at)
    series = only(quick)
    assert (len(series.readings), len(series.trends["along"].points), series.proposals) == (13, 0, ())
    read(quick, 1, along_pct=0.1, days_ago=-2)
    assert len(only(quick).trends["along"].points) == 1
    assert proposed.after["shrink_warp_pct"] == Substrate.objects.get(shop=quick.slug, code=KEY.article).shrink_warp_pct


def test_a_line_that_was_planned_before_a_correction_is_planned_anew_and_not_released_on_too_little_cloth(quick, ann):
    line = placed(quick)
    services.approve(line, services.best(line).position, by=None)
    run_step(Step.objects.get(line=line, state="pending").pk)
    line = now(line)
    assert line.state == "releasing"
    planned = {each["sku"]: Decimal(each["quantity"]) for each in line.plan["materials"]}
    too_short(quick, ann)
    line = work_on(line)
    assert (line.state, line.blocked["code"]) == ("blocked", "hold_changed")
    assert "since the catalogue was changed" in line.blocked["sentence"]
    assert not JobTicket.objects.exists()
    services.resume(line, by=None)
    line = work_on(line)
    assert line.state == "released", line.blocked
    after = {each["sku"]: Decimal(each["quantity"]) for each in line.plan["materials"]}
    assert after[KEY.article] > planned[KEY.article]
    drawn = line.approvals.order_by("number")[0].candidate.artwork
    assert JobTicket.objects.get().manifest["repeat"]["pixels"][1] > drawn.height_px, "the same design, printed longer"
    assert JobTicket.objects.get().manifest["repeat"]["in_file_mm"][1] > 64


def test_series_of_other_machines_inks_and_shops_are_their_own(mill):
    read(mill, across_pct=1.0)
    read(mill, key=replace(KEY, machine="PRT2"))
    assert [each.key.machine for each in drifting.all_series(mill)] == ["PRT1", "PRT2"]
    DriftReading.objects.update(shop="other")
    assert drifting.all_series(mill) == []


def test_a_customer_s_own_rule_that_is_none_falls_back_to_its_class(mill, caplog):
    from orders.models import Customer

    customer = Customer.objects.create(shop=mill, name="Nord", quality="premium", inspection_rule={"most_de00": "x"})
    assert looking.rule_of(customer) == Rule.of("premium")
    assert "read as its class" in caplog.text
