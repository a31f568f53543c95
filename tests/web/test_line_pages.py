"""The page of a line: its designs, what is decided of them, and what whoever comes too late is told."""

import html
import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from inventory_sync import services as inventory
from orders import comparing, linking, names, services, standing
from orders.models import Candidate, Membership, OrderLine, Preference, Role, Round
from orders.turning import Limits
from orders.web import showing
from tests.people import signed_in
from tests.shop_floor import now, placed, planned, released, work_on

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
THREE = ["#101010", "#e0e0e0", "#c02020"]


@pytest.fixture
def anna(mill):
    return signed_in(mill, Role.SALES, "anna")


@pytest.fixture
def ben(mill):
    return signed_in(mill, Role.SALES, "ben")


def passing(line):
    return [candidate for candidate in line.newest_round.candidates.order_by("position") if candidate.passed]


def agreed(candidate, **changes):
    """What the page sends when somebody ticks that the scale is right, and approves."""
    expected = services.digest_of(services.work.specification(now(candidate.round.line), candidate))
    return {"candidate": candidate.position, "scale": "on", "expected": expected, "design": candidate.pk, **changes}


def do(client, line, verb, typed=None, *, htmx=True):
    return client.post(f"/lines/{line.reference}/{verb}/", typed or {}, headers=HTMX if htmx else {})


# ------------------------------------------------------------------------------------------------ what it shows


def test_each_design_stands_there_with_price_promise_and_what_was_found(anna, quick):
    line = placed(quick, layout="half_drop", end_use="Curtains")
    page = anna.get(f"/lines/{line.reference}/").content.decode()
    for candidate in passing(line):
        assert f'id="design-{candidate.pk}"' in page
        assert str(candidate.price) in page
        assert candidate.binding in page
        for finding in candidate.findings:
            if finding["severity"] == "warning":
                assert finding["sentence"] in page
    assert 'layout="half_drop"' in page
    assert 'product="curtain"' in page
    on = showing.page(
        Membership.objects.get(user=anna.user), showing.line_of(anna.user.membership_set.get(), line.reference)
    )["on"]
    assert f'cloth-width-mm="{on.usable_mm}"' in page
    assert on.usable_mm < 1500  # the usable width of the cloth as it is washed, and not the nominal one


def test_how_often_the_repeat_stands_across_is_said_as_it_is():
    def across(repeat, cloth):
        on = showing.OnCloth(width_mm=repeat, height_mm=repeat, layout="straight", usable_mm=cloth)
        return on.across, on.cut

    assert across(320, 1440) == ("4.5", True)
    assert across(360, 1440) == ("4", False)
    assert across(362, 1440) == ("3.98", True)  # a little is cut all the same, and "4.0" would hide it


def test_the_one_that_was_chosen_is_found_again_at_its_address(anna, quick):
    line = placed(quick)
    second = passing(line)[1]
    page = anna.get(f"/lines/{line.reference}/?design={second.pk}").content.decode()
    assert f'value="{second.pk}" checked' in page
    for nonsense in ("x", "-1", "9" * 40, "٣"):
        assert anna.get(f"/lines/{line.reference}/", {"design": nonsense}).status_code == 200


def test_a_page_that_knows_everything_is_told_nothing_and_one_that_does_not_is_told_what_changed(anna, quick):
    line = placed(quick)
    page = anna.get(f"/lines/{line.reference}/").content.decode()
    seen = page.partition("?seen=")[2].partition('"')[0]
    asked = f"/lines/{line.reference}/state/?seen={seen}"
    assert anna.get(asked, headers=HTMX).status_code == 204
    services.approve(line, passing(line)[0].position, by=None)
    told = anna.get(asked, headers=HTMX).content.decode()
    assert 'id="head"' in told
    assert "every 1s" in told
    assert 'id="rounds"' not in told  # the same designs: they stay as they are
    work_on(now(line))
    services.change(now(line), quantity_m=Decimal(7), by=None)
    assert 'id="rounds"' in anna.get(asked, headers=HTMX).content.decode()


def test_a_finished_line_shows_its_files_plan_and_clock(anna, quick):
    line = released(quick)
    page = anna.get(f"/lines/{line.reference}/").content.decode()
    for file in services.work.files_of(line):
        assert file.url in page
    assert "Request to print file" in page
    assert line.plan["slots"][0]["work_centre"] in page


# ------------------------------------------------------------------------------------------------ approving


@pytest.mark.parametrize("expected", [None, "", "0" * 63, "g" * 64])
def test_a_yes_that_does_not_say_what_was_shown_is_refused(anna, quick, expected):
    line = placed(quick)
    wish = {**agreed(passing(line)[0]), "expected": expected}
    answer = do(anna, line, "approve", {name: value for name, value in wish.items() if value is not None})
    assert answer.status_code == 400
    assert "This page is not whole: load it again, then approve." in answer.content.decode()
    assert now(line).state == "proofing"


def test_nobody_approves_without_having_looked_at_the_scale(anna, quick):
    line = placed(quick)
    wish = agreed(passing(line)[0])
    del wish["scale"]
    answer = do(anna, line, "approve", wish)
    assert answer.status_code == 400
    assert "true scale" in answer.content.decode()
    assert now(line).state == "proofing"
    assert not line.approvals.exists()


def test_approve_pressed_twice_is_one_approval_and_a_calm_sentence(anna, quick):
    line = placed(quick)
    wish = agreed(passing(line)[0])
    assert do(anna, line, "approve", wish).status_code == 200
    again = do(anna, line, "approve", wish)
    assert again.status_code == 200
    assert "It is approved already" in again.content.decode()
    assert "error" not in again.content.decode().partition('id="head"')[0]
    assert line.approvals.count() == 1
    without_script = do(anna, line, "approve", wish, htmx=False)
    assert without_script.status_code == 302
    assert "approved already" in anna.get(without_script["Location"]).content.decode()


def test_who_comes_second_is_told_who_was_quicker_and_sees_how_it_stands(anna, ben, quick):
    line = placed(quick)
    first, second = passing(line)
    assert do(anna, line, "approve", agreed(first)).status_code == 200
    late = do(ben, line, "approve", agreed(second))
    said = late.content.decode()
    assert late.status_code == 409
    assert f"design 1.{first.position}, by anna" in said
    assert "being planned" in said
    assert 'id="approve"' not in said
    assert [approval.candidate for approval in line.approvals.all()] == [first]


@pytest.mark.parametrize(
    ("quicker", "late", "told"),
    [
        ("cancel", "approve", "ben was quicker: it was cancelled"),
        ("revise", "approve", "ben was quicker: it was sent to be drawn again"),
        ("cancel", "explore", "ben was quicker: it was cancelled"),
    ],
)
def test_whatever_somebody_else_did_before_is_named(anna, ben, quick, quicker, late, told):
    line = placed(quick)
    first = passing(line)[0]
    wishes = {
        "approve": agreed(first),
        "revise": {"words": "wider checks"},
        "explore": {"kind": "more_like_this", "candidates": first.pk},
    }
    do(ben, line, quicker, wishes.get(quicker))
    answer = do(anna, line, late, wishes[late])
    assert answer.status_code == 409
    assert told in answer.content.decode()
    assert line.rounds.count() == (2 if quicker == "revise" else 1)


def test_what_is_agreed_is_what_was_shown(anna, quick):
    line = placed(quick)
    first = passing(line)[0]
    wish = agreed(first)
    Candidate.objects.filter(pk=first.pk).update(price=first.price + 1)
    answer = do(anna, line, "approve", wish)
    assert answer.status_code == 409
    assert not line.approvals.exists()
    assert do(anna, line, "approve", agreed(Candidate.objects.get(pk=first.pk))).status_code == 200


def test_approving_what_is_no_candidate_is_said_on_the_page(anna, quick):
    line = placed(quick)
    for candidate in ("abc", "", "-1", "1.5", "9" * 5000, "1\0"):
        answer = do(anna, line, "approve", {"candidate": candidate}, htmx=False)
        page = anna.get(answer["Location"])
        assert page.status_code == 200
        assert "Candidate: " in page.content.decode()
    assert now(line).state == "proofing"


def test_a_design_that_the_designer_rejected_can_t_be_approved(anna, quick):
    line = placed(quick)
    first, second = passing(line)
    first.decisions.create(accepted=False, reasons=["busy"], words="")
    page = anna.get(f"/lines/{line.reference}/?design={first.pk}").content.decode()
    assert "Rejected by the designer" in page
    assert 'id="approve"' not in page
    assert do(anna, line, "approve", agreed(first)).status_code == 409
    assert 'id="approve"' in anna.get(f"/lines/{line.reference}/?design={second.pk}").content.decode()


# ------------------------------------------------------------------------------------------------ quoting, asking


def test_a_quote_holds_until_a_day_and_is_given_back_from_the_page(anna, quick):
    line = placed(quick)
    first = passing(line)[0]
    answer = do(anna, line, "quote", {"candidate": first.position, "design": first.pk})
    assert answer.status_code == 200
    assert "are held until" in answer.content.decode()
    assert f"Held for design 1.{first.position}" in answer.content.decode()
    assert inventory.held(names.erp_of(quick), names.hold_name(line))
    answer = do(anna, line, "unquote", {"design": first.pk})
    assert "Held for" not in answer.content.decode()
    assert now(line).quote is None
    assert not inventory.held(names.erp_of(quick), names.hold_name(line))


def test_a_design_that_is_no_longer_where_it_stood_is_not_quoted_under_another_s_name(anna, quick):
    line = placed(quick)
    shown = passing(line)[0]
    work_on(services.revise(line, by=None, words="stripes"))
    answer = do(anna, line, "quote", {"candidate": shown.position, "design": shown.pk})
    assert answer.status_code == 409
    assert now(line).quote is None


def test_an_address_with_a_number_of_thousands_of_digits_shows_the_page(anna, quick):
    line = placed(quick)
    assert anna.get(f"/lines/{line.reference}/?design={'9' * 5000}").status_code == 200


def test_a_quote_that_has_run_out_is_not_shown_as_held(anna, quick):
    line = placed(quick)
    first = passing(line)[0]
    do(anna, line, "quote", {"candidate": first.position})
    quote = {**now(line).quote, "expires": (timezone.now() - timedelta(minutes=1)).isoformat()}
    type(line).objects.filter(pk=line.pk).update(quote=quote)
    assert "Held for" not in anna.get(f"/lines/{line.reference}/").content.decode()


def test_an_inquiry_says_a_day_and_what_it_waits_for_and_holds_nothing(anna, quick):
    line = placed(quick)
    answer = anna.get(f"/lines/{line.reference}/inquire/", headers=HTMX).content.decode()
    assert "Nothing is held." in answer
    assert "in nine of ten" in answer
    assert not inventory.held(names.erp_of(quick), names.hold_name(line))
    assert now(line).quote is None


# ------------------------------------------------------------------------------------------------ adjusting


@pytest.mark.parametrize(
    ("typed", "became"),
    [
        ({"kind": "more_like_this", "strength": "0.3"}, {"way": "more_like_this", "strength": 0.3}),
        ({"kind": "reword", "words": "stripes", "strength": "0.6"}, {"way": "reword", "words": "stripes"}),
        ({"kind": "resize", "scale": "0,5", "density": "1"}, {"way": "resize", "scale": 0.5, "density": 1.0}),
        ({"kind": "recolour", "colour": THREE}, {"way": "recolour", "palette": THREE}),
        ({"kind": "recolour", "palette": "terracotta"}, {"way": "recolour", "palette_name": "terracotta"}),
        ({"kind": "redraw", "colours": ["1"]}, {"way": "redraw", "redraw": [1]}),
        ({"kind": "interpolate", "share": "0.25", "two": True}, {"way": "interpolate", "share": 0.25}),
    ],
)  # fmt: skip
def test_each_way_of_going_on_from_a_design_makes_a_round_and_keeps_the_old(anna, quick, typed, became):
    line = placed(quick)
    first, second = passing(line)
    chosen = [first.pk, second.pk] if typed.pop("two", False) else [first.pk]
    answer = do(anna, line, "explore", {**typed, "candidates": chosen})
    assert answer["HX-Redirect"] == f"/lines/{line.reference}/"
    line = work_on(now(line))
    assert (line.state, line.rounds.count()) == ("proofing", 2)
    assert {name: getattr(line.newest_round, name) for name in became} == became
    page = anna.get(f"/lines/{line.reference}/").content.decode()
    assert f'id="design-{first.pk}"' in page
    assert "Against 1.1:" in page


def test_what_can_t_be_drawn_is_said_beside_the_form_and_nothing_typed_is_swapped_away(anna, quick):
    line = placed(quick)
    wish = {"kind": "reword", "candidates": passing(line)[0].pk, "words": "x" * 501}
    answer = do(anna, line, "explore", wish)
    assert answer.status_code == 400
    assert "501 characters" in answer.content.decode()
    assert line.rounds.count() == 1


def test_a_design_of_an_earlier_round_is_taken_up_again_and_can_be_approved(anna, quick):
    line = placed(quick)
    old = passing(line)[0]
    do(anna, line, "explore", {"kind": "more_like_this", "candidates": old.pk, "strength": "0.9"})
    line = work_on(now(line))
    page = anna.get(f"/lines/{line.reference}/?design={old.pk}").content.decode()
    assert 'id="again"' in page
    assert 'id="approve"' not in page
    do(anna, line, "explore", {"kind": "recolour", "candidates": old.pk, "colour": old.artwork.palette})
    line = work_on(now(line))
    (again,) = passing(line)
    assert again.artwork == old.artwork
    assert do(anna, line, "approve", agreed(again)).status_code == 200


def test_words_that_can_t_be_printed_are_not_drawn_again(anna, quick):
    line = placed(quick)
    for words in ("roses\0", "roses\u202eesrever", "x" * 501):
        answer = do(anna, line, "revise", {"words": words}, htmx=False)
        assert 'role="alert"' in anna.get(answer["Location"]).content.decode()
    assert line.rounds.count() == 1


def test_a_line_is_cancelled_from_its_page(anna, quick):
    line = placed(quick)
    do(anna, line, "cancel")
    assert work_on(now(line)).state == "cancelled"


# ------------------------------------------------------------------------------------------------ comparing


def test_two_designs_stand_beside_each_other_with_what_is_different(anna, quick):
    line = placed(quick)
    first = passing(line)[0]
    do(anna, line, "explore", {"kind": "resize", "candidates": first.pk, "scale": "0.5"})
    line = work_on(now(line))
    second = line.newest_round.candidates.get()
    page = anna.get(f"/lines/{line.reference}/compare/?a={first.pk}&b={second.pk}").content.decode()
    assert page.count("<weft-canvas") == 2
    assert "50%" in page
    assert f"Designs 1.{first.position} and 2.1" in page
    for nonsense in ("a=x&b=y", "a=0", f"a={first.pk}&b={first.pk}", ""):
        assert anna.get(f"/lines/{line.reference}/compare/?{nonsense}").status_code == 200


def test_a_difference_counts_money_and_the_shop_s_days(quick):
    line = placed(quick)
    first, second = passing(line)
    for each in (first, second):
        each.round.line.order.shop.time_zone = "Pacific/Auckland"
    first.price, second.price = Decimal("100.00"), Decimal("90.50")
    # Half an hour apart by the world's clock, and a day apart by the mill's.
    first.promise = timezone.datetime(2026, 6, 1, 11, 45, tzinfo=timezone.get_default_timezone())
    second.promise = first.promise + timedelta(minutes=30)
    found = comparing.difference(first, second)
    assert (found.price, found.days) == (Decimal("-9.50"), 1)
    second.price = second.promise = None
    found = comparing.difference(first, second)
    assert (found.price, found.days) == (None, None)
    assert all(asked.same for asked in found.asked)


def test_only_what_was_asked_otherwise_is_called_different(quick):
    line = placed(quick)
    brief = line.newest_round
    other = Round.objects.get(pk=brief.pk)
    other.words, other.density = "stripes", 1.5
    first, second = Candidate(round=brief), Candidate(round=other)
    differing = [asked.what for asked in comparing.difference(first, second).asked if not asked.same]
    assert differing == ["Words", "Density"]


def test_one_design_alone_is_compared_with_nothing(anna, quick, settings):
    settings.WEFTLINE = {**settings.WEFTLINE, "candidates": 1}
    line = placed(quick)
    answer = anna.get(f"/lines/{line.reference}/compare/", follow=True)
    assert "nothing to compare" in answer.content.decode()


# ------------------------------------------------------------------------------------------------ changing


def test_a_change_is_shown_with_its_price_and_keeps_what_was_typed(anna, quick):
    line = released(quick)
    due = (timezone.localdate() + timedelta(days=40)).isoformat()
    wish = {"quantity_m": "7,5", "substrate": line.substrate, "due_date": due}
    shown = do(anna, line, "change", wish).content.decode()
    assert "Change it, for" in shown
    assert 'value="7,5"' in shown
    assert now(line).quantity_m == Decimal(6)
    refused = do(anna, line, "change", {**wish, "quantity_m": "many"})
    assert refused.status_code == 400
    assert "Write the metres as a number" in refused.content.decode()
    assert 'value="many"' in refused.content.decode()


def test_who_counts_in_yards_changes_in_yards(anna, quick):
    Preference.objects.create(user=anna.user, units="imperial")
    line = released(quick)
    page = anna.get(f"/lines/{line.reference}/").content.decode()
    assert 'name="quantity_yd"' in page
    assert 'value="6.56"' in page
    shown = do(anna, line, "change", {"quantity_yd": "8", "due_date": line.due_date.isoformat()})
    assert "Change it, for" in shown.content.decode()
    assert 'name="quantity_m" value="7.32"' in shown.content.decode()
    refused = do(anna, line, "change", {"quantity_yd": "x", "due_date": line.due_date.isoformat()})
    assert refused.status_code == 400


# ------------------------------------------------------------------------------------------------ while it is drawn


def test_a_line_that_is_drawn_says_how_far_it_is_and_that_one_may_leave(anna, quick):
    order = services.place_and_submit(
        quick, customer="Nord", by=None,
        lines=[services.NewLine(words="checks", quantity_m=Decimal(6), layout="straight", repeat_mm=(64, 64),
                                substrate="FAB-COT-SAT", due_in_days=30)],
    )  # fmt: skip
    line = order.lines.get()
    type(line).objects.filter(pk=line.pk).update(progress="drawing designs, 40 %")
    page = anna.get(f"/lines/{line.reference}/").content.decode()
    assert 'max="100" value="40"' in page
    assert "You may leave this page and come back" in page
    assert f"/api/lines/{line.reference}/designs/stream/" in page
    assert "<noscript><meta http-equiv=" in page


def test_a_blocked_line_says_why_and_what_can_be_done(anna, quick):
    line = placed(quick)
    blocked = {"code": "manufacturability", "sentence": "None can be made.", "findings": []}
    type(line).objects.filter(pk=line.pk).update(state="blocked", came_from="generating", blocked=blocked)
    page = anna.get(f"/lines/{line.reference}/").content.decode()
    assert "None can be made." in page
    assert 'id="resume"' in page


def test_how_far_it_is_is_told_only_where_it_is_known(quick):
    line = placed(quick)
    brief = line.newest_round
    line.state, line.progress = "releasing", "writing and verifying: tile, 30 %"
    assert standing.percent(line, brief, drawn=0) == 30
    line.progress = "writing"
    assert standing.percent(line, brief, drawn=0) is None
    line.state = "generating"
    assert standing.percent(line, brief, drawn=1) == 50


# ------------------------------------------------------------------------------------------------ nothing lost


def test_of_a_line_for_which_nothing_is_drawn_every_page_says_so(mill):
    root = signed_in(mill, Role.ADMIN, "root")
    line = planned(mill)
    token = linking.make(line, limits=Limits(), by=None, once=uuid.uuid4())[1]
    for path in ("", "compare/", "inquire/", "repeat/", "state/"):
        page = root.get(f"/lines/{line.reference}/{path}")
        assert (page.status_code, "Nothing is drawn for this line yet" in page.content.decode()) == (200, True), path
    assert "Nothing is drawn for this line yet" in root.get(f"/studio/{line.reference}/").content.decode()
    for verb, typed in (
        ("revise", {"words": "checks"}),
        ("approve", {"candidate": "1"}),
        ("change", {"quantity_m": "9"}),
    ):
        answer = do(root, line, verb, typed)
        assert (answer.status_code, "Nothing is drawn for this line yet" in answer.content.decode()) == (409, True), (
            verb
        )
    for address in (f"/floor/{line.reference}/", "/board/", "/board/data/", f"/lines/{line.reference}/link/"):
        assert root.get(address).status_code == 200, address
    seen = root.get(f"/api/lines/{line.reference}/").json()
    assert (seen["words"], seen["layout"], seen["repeat_mm"], seen["candidates"]) == ("", "", [], [])
    assert root.get("/api/lines/").status_code == 200
    OrderLine.objects.filter(pk=line.pk).update(state="proofing")
    page = Client().get(f"/c/{token}/")
    assert (page.status_code, "Your designs are being drawn" in page.content.decode()) == (200, True)


def test_a_session_that_ended_under_a_form_leads_back_to_the_page_that_it_stands_on(anna, quick):
    line = placed(quick)
    address, page = f"/lines/{line.reference}/revise/", f"http://testserver/lines/{line.reference}/?design=1"
    anna.logout()
    assert do(anna, line, "revise", {"words": "stripes"}).status_code == 401
    answer = anna.post(address, {"words": "stripes"}, headers={"Referer": page})
    assert answer["Location"] == f"/login/?next=%2Flines%2F{line.reference}%2F%3Fdesign%3D1"
    for elsewhere in ("", "https://elsewhere.example/x/", "javascript:alert(1)", "http://testserver"):
        answer = anna.post(address, {"words": "stripes"}, headers={"Referer": elsewhere})
        assert answer["Location"] == "/login/?next=%2F", elsewhere
    assert anna.get(address).headers.get("Location") == f"/login/?next=/lines/{line.reference}/revise/"


def test_pressed_twice_and_pressed_again_after_going_back_is_done_once(anna, quick):
    line = placed(quick)
    first = do(anna, line, "revise", {"words": "stripes"})
    assert first["HX-Redirect"]
    assert do(anna, line, "revise", {"words": "stripes"}).status_code in {200, 409}
    assert now(line).rounds.count() == 2
    work_on(now(line))
    wish = agreed(passing(now(line))[0])
    assert do(anna, line, "approve", wish).status_code == 200
    assert do(anna, line, "approve", wish).status_code == 200  # it is approved: by the same person, to the same
    assert now(line).approvals.count() == 1


@pytest.mark.parametrize(
    ("verb", "typed", "told"),
    [
        ("approve", {"candidate": "x", "scale": "on", "expected": "0" * 64}, "Candidate: Write a whole number."),
        ("approve", {"candidate": "1e309", "scale": "on", "expected": "0" * 64}, "Candidate: Write a whole number."),
        (
            "approve",
            {"candidate": "1", "scale": "", "expected": "0" * 64},
            "Size: Tick it, or leave it without a tick.",
        ),
        ("revise", {"words": "\0"}, "can't be printed"),
        ("change", {"quantity_m": "9" * 400}, "more cloth than can be ordered"),
        ("change", {"quantity_m": "NaN"}, "Write the metres as a number"),
        ("change", {"due_date": "9999-12-31T23:59"}, "Due: Write the day."),
        ("explore", {"kind": "resize", "scale": "1e309", "candidates": "1"}, "ordinary number"),
    ],
)
def test_what_is_typed_wrongly_is_said_in_the_words_of_who_typed_it(anna, bare, verb, typed, told):
    answer = do(anna, bare, verb, typed)
    said = html.unescape(answer.content.decode())
    assert (answer.status_code, told in said) == (400, True), said
    for programmers in ("This field", "valid integer", "Ensure ", "valid boolean", "wrong format"):
        assert programmers not in said


@pytest.fixture
def bare(mill):
    """A line that could be chosen from, but for its designs."""
    new = services.NewLine(
        words="checks", quantity_m=Decimal(6), layout="straight", repeat_mm=(64, 64), substrate="FAB-COT-SAT",
        due_in_days=30,
    )  # fmt: skip
    line = services.place(mill, customer="Atelier Nord", lines=[new], by=None).lines.get()
    OrderLine.objects.filter(pk=line.pk).update(state="proofing")
    return now(line)
