"""Whose a design is: promised to one customer it is made for nobody else, and nobody is told who that is."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from generation import services as generation
from orders import exclusivity, flow, services, work, worker
from orders.errors import AlreadySold, DesignTaken, InvalidOrder
from orders.models import AuditEvent, Exclusivity, Membership, Role, Shop
from tests.known_designs import drawn, seen, shown
from tests.quick_generator import QuickGenerator

pytestmark = pytest.mark.django_db(transaction=True)


def codes(line, artwork):
    return {finding.code: finding for finding in exclusivity.findings(line, artwork, generation.raster_of(artwork))}


def test_a_design_sold_to_somebody_else_is_found_in_other_colours_and_nobody_is_named(mill):
    first, _ = shown(mill, "Atelier Nord", drawn(1))
    services.approve(first, 1, by=None)
    second, candidate = shown(mill, "Maison Sud", drawn(1, turned=True))
    found = codes(second, candidate.artwork)
    assert found["sold_before"].severity == "warning"
    everything = json.dumps([work.plain(finding) for finding in found.values()])
    assert "Nord" not in everything
    assert first.order.number not in everything
    (sold,) = exclusivity.sold_before(second, candidate.artwork)
    assert (sold.order, sold.own) == (first.order.number, False)


def test_an_own_earlier_purchase_is_told_without_a_warning(mill):
    first, _ = shown(mill, "Atelier Nord", drawn(1))
    services.approve(first, 1, by=None)
    again, candidate = shown(mill, "Atelier Nord", drawn(1, turned=True))
    found = codes(again, candidate.artwork)
    assert found["bought_before"].severity == "info"
    assert "sold_before" not in found


def test_a_cancelled_sale_is_none(mill):
    first, _ = shown(mill, "Atelier Nord", drawn(1))
    services.approve(first, 1, by=None)
    services.cancel(seen(first), by=None)
    second, candidate = shown(mill, "Maison Sud", drawn(1, turned=True))
    found = codes(second, candidate.artwork)
    assert "sold_before" not in found
    assert found["drawn_before"].severity == "info"


def test_another_drawing_of_the_same_family_is_another_design(mill):
    first, _ = shown(mill, "Atelier Nord", drawn(1))
    services.approve(first, 1, by=None)
    second, candidate = shown(mill, "Maison Sud", drawn(2))
    assert set(codes(second, candidate.artwork)) == {"training"}


def test_another_shop_s_designs_are_not_looked_at(mill):
    first, candidate = shown(mill, "Atelier Nord", drawn(1))
    exclusivity.grant(candidate, by=None)
    services.approve(first, 1, by=None)
    order = first.order
    other = Shop.objects.create(slug="other", name="Another mill")
    order.pk, order.shop = None, other
    order.customer = type(order.customer).objects.create(shop=other, name="Maison Sud")
    order.save()
    first.pk, first.order, first.state, first.reference = None, order, "proofing", "WL-OTHER-1"
    first.save()
    first.rounds.create(number=1, words="sprigs", layout="straight", repeat_width_mm=80, repeat_height_mm=80)
    assert set(codes(seen(first), drawn(1, turned=True))) == {"training"}
    assert exclusivity.sold_before(seen(first), drawn(1)) == []


def test_a_promised_design_is_an_error_for_everybody_else_and_fine_for_its_owner(mill):
    owner, candidate = shown(mill, "Atelier Nord", drawn(1))
    exclusivity.grant(candidate, by=None)
    other, copied = shown(mill, "Maison Sud", drawn(1, turned=True))
    assert codes(other, copied.artwork)["exclusive_design"].severity == "error"
    with pytest.raises(DesignTaken) as refused:
        services.approve(other, 1, by=None)
    assert refused.value.http_status == 409
    assert "Nord" not in str(refused.value) + json.dumps(refused.value.fields)
    assert seen(other).state == "proofing"
    services.approve(owner, 1, by=None)
    assert seen(owner).state == "planning"


def test_a_design_promised_between_check_and_approval_is_refused(mill):
    other, copied = shown(mill, "Maison Sud", drawn(1, turned=True))
    assert "exclusive_design" not in codes(other, copied.artwork)
    _, candidate = shown(mill, "Atelier Nord", drawn(1))
    exclusivity.grant(candidate, by=None)
    with pytest.raises(DesignTaken):
        services.approve(other, 1, by=None)


def test_without_the_second_look_the_promise_would_be_broken(mill, monkeypatch):
    """The negative control: what the test before proves is the look at approval, and nothing else."""
    other, _ = shown(mill, "Maison Sud", drawn(1, turned=True))
    _, candidate = shown(mill, "Atelier Nord", drawn(1))
    exclusivity.grant(candidate, by=None)
    monkeypatch.setattr(exclusivity, "refuse_if_taken", lambda line, artwork: None)
    services.approve(other, 1, by=None)
    assert seen(other).state == "planning"


def test_what_was_sold_to_somebody_else_can_t_be_promised(mill):
    first, _ = shown(mill, "Maison Sud", drawn(1))
    services.approve(first, 1, by=None)
    _, candidate = shown(mill, "Atelier Nord", drawn(1, turned=True))
    events = AuditEvent.objects.count()
    with pytest.raises(AlreadySold):
        exclusivity.grant(candidate, by=None)
    assert (Exclusivity.objects.count(), AuditEvent.objects.count()) == (0, events)
    exclusivity.grant(candidate, by=None, territory="Japan")
    assert AuditEvent.objects.count() == events + 1


def test_a_promise_for_a_territory_warns_and_one_that_is_over_says_nothing(mill):
    _, candidate = shown(mill, "Atelier Nord", drawn(1))
    promise = exclusivity.grant(candidate, by=None, territory="Japan")
    other, copied = shown(mill, "Maison Sud", drawn(1, turned=True))
    found = codes(other, copied.artwork)["exclusive_elsewhere"]
    assert found.severity == "warning"
    assert "Japan" in found.sentence
    promise.territory, promise.valid_from = "", promise.valid_from - timedelta(days=10)
    promise.until = promise.valid_from + timedelta(days=2)
    promise.save()
    services.approve(other, 1, by=None)


@pytest.mark.parametrize(("first", "second"), [("Japan", "japan"), ("Japan", ""), ("", "Japan")])
def test_two_customers_are_never_promised_one_design_for_the_same_place(mill, first, second):
    _, candidate = shown(mill, "Atelier Nord", drawn(1))
    exclusivity.grant(candidate, by=None, territory=first)
    _, copied = shown(mill, "Maison Sud", drawn(1, turned=True))
    with pytest.raises(DesignTaken):
        exclusivity.grant(copied, by=None, territory=second)
    if first:
        exclusivity.grant(copied, by=None, territory="Norway")
    assert Exclusivity.objects.count() == (2 if first else 1)


def test_a_promise_that_has_ended_before_it_begins_is_refused(mill):
    _, candidate = shown(mill, "Atelier Nord", drawn(1))
    with pytest.raises(InvalidOrder) as refused:
        exclusivity.grant(candidate, by=None, until=timezone.now().date() - timedelta(days=2))
    assert refused.value.fields["field"] == "until"


class OneDesign(QuickGenerator):
    """Draws the same whatever the seed."""

    def _draw(self, brief, seed):
        return super()._draw(brief, 3)


def test_the_check_stops_a_promised_design(mill, monkeypatch):
    source = OneDesign()
    real = work.generation.generator_named
    monkeypatch.setattr(work.generation, "generator_named", lambda name: source if name == "embedded" else real(name))
    new = services.NewLine(
        words="checks", quantity_m=6, layout="straight", repeat_mm=(64, 64), substrate="FAB-COT-SAT", due_in_days=60
    )
    lines = []
    for customer in ("Atelier Nord", "Maison Sud"):
        order = services.place_and_submit(mill, customer=customer, lines=[new], by=None)
        lines.append(order.lines.get())
        worker.run_until_rest(lines[-1:])
        if customer == "Atelier Nord":
            for candidate in lines[0].newest_round.candidates.filter(passed=True):
                exclusivity.grant(candidate, by=None)
    assert lines[0].newest_round.candidates.filter(passed=True).exists()
    blocked = seen(lines[1])
    assert blocked.state == "blocked"
    assert {finding["code"] for finding in blocked.blocked["findings"]} == {"exclusive_design"}
    assert "Nord" not in json.dumps(blocked.blocked)


@pytest.fixture
def sales(mill, client):
    user = User.objects.create_user("seller")
    Membership.objects.create(shop=mill, user=user, role=Role.SALES)
    client.force_login(user)
    return client


def test_those_who_sell_see_the_order_and_may_promise(mill, sales):
    first, _ = shown(mill, "Maison Sud", drawn(1))
    services.approve(first, 1, by=None)
    _, candidate = shown(mill, "Atelier Nord", drawn(1, turned=True))
    (sold,) = sales.get(f"/api/candidates/{candidate.pk}/alike/").json()
    assert (sold["order"], sold["own"]) == (first.order.number, False)
    address = f"/api/candidates/{candidate.pk}/exclusive/"
    refused = sales.post(address, {}, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (409, "already_sold")
    granted = sales.post(address, {"territory": "Japan"}, content_type="application/json")
    assert (granted.status_code, granted.json()["customer"]) == (201, "Atelier Nord")


def test_a_move_that_was_refused_leaves_no_trace(mill):
    _, candidate = shown(mill, "Atelier Nord", drawn(1))
    exclusivity.grant(candidate, by=None)
    other, _ = shown(mill, "Maison Sud", drawn(1, turned=True))
    events = AuditEvent.objects.count()
    with pytest.raises(DesignTaken):
        services.approve(other, 1, by=None)
    assert AuditEvent.objects.count() == events
    assert other.steps.filter(kind__in=flow.OPENS.values()).count() == 0
