"""What designers say of designs: kept, counted, never offered when it was no; and what, if anything, is learnt."""

import json

import cv2
import numpy as np
import pypdfium2
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from generation import latent
from generation import services as generation
from generation.errors import InvalidBrief, OutsideAxis
from orders import authorship, deciding, exclusivity, learning, provenance, quoting, reviewing, services, spaces, work
from orders.domain.preferences import FEWEST, NotYet, Preference, learnt
from orders.errors import (
    CandidateNotPassed,
    DecidedMeanwhile,
    DesignRejected,
    InvalidDecision,
    NotReviewable,
    StaleState,
)
from orders.models import AuditEvent, Decision, HumanEdit, OrderLine, Step
from production.documents import provenance as sheet
from tests.known_designs import drawn, seen, shown
from tests.racing import at_once
from tests.shop_floor import now, placed, work_on

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def dora(db):
    return User.objects.create_user("dora")


def say(candidate, accepted, *reasons, by=None, words="", newest=0):
    return deciding.decide(candidate, accepted=accepted, reasons=reasons, words=words, seen=newest, by=by)


def test_what_was_rejected_is_not_approved_quoted_or_taken_for_the_best(quick, dora):
    line = placed(quick)
    one, two = line.newest_round.candidates.order_by("position")
    say(one, False, "busy", by=dora, words="far too full")
    with pytest.raises(DesignRejected, match="dora rejected this design \\(too busy; far too full\\)") as refused:
        services.approve(line, one.position, by=None)
    assert refused.value.http_status == 409
    assert now(line).state == "proofing"
    with pytest.raises(DesignRejected):
        quoting.quote(one, by=None)
    assert work.best(line) == two
    say(two, False, "busy")
    assert work.best(line) is None


def test_the_newest_decision_counts_and_all_are_kept(mill, dora):
    line, candidate = shown(mill, "Nord", drawn(1))
    no = say(candidate, False, "colours", by=dora)
    say(candidate, True, "good_colours", newest=no.pk)
    services.approve(line, 1, by=None)
    assert [each.accepted for each in candidate.decisions.all()] == [False, True]
    actions = AuditEvent.objects.filter(line=line).values_list("action", "actor")
    assert ("reject", "dora") in actions
    assert ("accept", "") in actions


def test_who_has_not_seen_the_newest_decision_is_told_of_it(mill, dora):
    _, candidate = shown(mill, "Nord", drawn(1))
    say(candidate, False, "seam", by=dora)
    with pytest.raises(DecidedMeanwhile, match="dora has rejected this design meanwhile \\(the repeat shows\\)"):
        say(candidate, True)
    assert Decision.objects.count() == 1


def test_the_same_said_twice_is_kept_once(mill, dora):
    _, candidate = shown(mill, "Nord", drawn(1))
    first = say(candidate, False, "seam", "busy", by=dora)
    assert say(candidate, False, "busy", "seam", by=dora) == first
    assert AuditEvent.objects.filter(action="reject").count() == 1


@pytest.mark.parametrize(
    ("accepted", "reasons", "words"),
    [(False, [], ""), (False, ["fresh"], ""), (True, ["busy"], ""), (False, ["because"], ""), (False, [], "x" * 501)],
)
def test_what_is_no_decision_is_refused(mill, accepted, reasons, words):
    _, candidate = shown(mill, "Nord", drawn(1))
    with pytest.raises(InvalidDecision):
        say(candidate, accepted, *reasons, words=words)
    assert not Decision.objects.exists()


def test_what_can_t_be_made_is_not_accepted_and_what_is_made_is_not_judged_any_more(mill):
    line, candidate = shown(mill, "Nord", drawn(1))
    candidate.passed = False
    candidate.save()
    with pytest.raises(CandidateNotPassed):
        say(candidate, True)
    say(candidate, False, "unmakeable")
    OrderLine.objects.filter(pk=line.pk).update(state="released")
    with pytest.raises(NotReviewable):
        say(candidate, False, "busy", newest=Decision.objects.get().pk)


def test_of_two_designers_at_once_one_decides(mill):
    _, candidate = shown(mill, "Nord", drawn(1))
    ends = at_once(lambda: say(candidate, True), lambda: say(candidate, False, "busy"))
    assert sum(isinstance(end, DecidedMeanwhile) for end in ends) == 1, ends
    assert Decision.objects.count() == 1


def test_with_nobody_looking_for_a_newer_decision_both_are_kept(mill, monkeypatch):
    """The negative control: without the comparison the test of two designers must fail, or it proves nothing."""
    _, candidate = shown(mill, "Nord", drawn(1))
    monkeypatch.setattr(deciding, "newest_of", lambda candidates: {})
    at_once(lambda: say(candidate, True), lambda: say(candidate, False, "busy"))
    assert Decision.objects.count() == 2


def test_of_a_rejection_and_an_approval_at_once_the_design_is_not_both(mill):
    line, candidate = shown(mill, "Nord", drawn(1))
    fresh = seen(line)
    ends = at_once(lambda: services.approve(fresh, 1, by=None), lambda: say(candidate, False, "busy"))
    refused = [end for end in ends if isinstance(end, DesignRejected | NotReviewable)]
    assert len(refused) == 1, ends
    assert Decision.objects.exists() != seen(line).approvals.exists()


# ---------------------------------------------------------------------------------------------- the hand's log


def test_every_edit_that_led_to_a_design_stands_in_its_log_with_who_did_it(quick, dora):
    line = placed(quick)
    first = line.newest_round.candidates.first()
    line = work_on(reviewing.draw_again(line, words="wide checks", by=dora, keep_colours_of=first))
    (one, *_) = line.newest_round.candidates.all()
    palette = ["#ffffff", "#112233", "#445566"][: len(one.artwork.palette)]
    wish = services.Exploration(kind="recolour", candidates=[one.pk], palette=palette)
    line = work_on(services.explore(line, wish, by=None, actor="the customer"))
    log = authorship.edits_of(line.newest_round.candidates.get())
    assert [(edit.what, authorship.who(edit)) for edit in log] == [("lock", "dora"), ("recolour", "the customer")]
    assert "#112233" in authorship.in_words(log[1])
    assert authorship.edits_of(first) == []


def test_a_file_brought_back_keeps_its_own_colours_or_those_of_the_design(quick, dora):
    line = placed(quick)
    candidate = line.newest_round.candidates.first()
    raster = generation.raster_of(candidate.artwork)
    rgb = np.ascontiguousarray(raster.palette.rgb()[raster.indices])
    rgb[(rgb == raster.palette.rgb()[1]).all(axis=2)] = (120, 20, 20)
    png = cv2.imencode(".png", rgb[..., ::-1])[1].tobytes()
    said = {"name": "e.png", "author": "Ida", "by": dora}
    line = work_on(reviewing.bring_back(candidate, png, keep_colours=False, **said))
    assert line.state == "proofing", line.blocked
    assert "#781414" in line.newest_round.candidates.get().artwork.palette
    line = work_on(reviewing.bring_back(candidate, png, keep_colours=True, line=line, **said))
    assert set(line.newest_round.candidates.get().artwork.palette) <= set(candidate.artwork.palette)
    assert HumanEdit.objects.filter(what="upload", by=dora).count() == 2
    # What was drawn by hand is gone on from when it is drawn again.
    line = work_on(reviewing.draw_again(line, words="the same, bolder", by=dora))
    assert line.newest_round.way == "reword"
    assert [edit.what for edit in authorship.edits_of(line.newest_round.candidates.first())] == ["upload", "reword"]


# ---------------------------------------------------------------------------------------------- spaces


@pytest.fixture
def space(mill):
    for seed in range(5):
        approved, _ = shown(mill, "Nord", drawn(seed))
        services.approve(approved, 1, by=None)
    Step.objects.all().delete()
    while isinstance(built := spaces.build(mill, name="nord", customer="", by=None), spaces.Standing):
        continue
    return built


def test_a_moved_design_is_drawn_as_a_round_of_its_line_within_the_brand_s_bounds(quick, space, dora):
    line, candidate = shown(quick, "Nord", drawn(9))
    axis = latent.axes_of(space)[0]
    line = work_on(spaces.draw(line, space, candidate.pk, {axis.name: axis.most}, strength=0.3, by=dora))
    brief = line.newest_round
    assert (brief.way, brief.walk["amounts"], brief.strength) == ("walk", {axis.name: axis.most}, 0.3)
    moved = latent.walk(space, generation.raster_of(candidate.artwork), brief.walk["amounts"])
    (asked,) = work.asked_of(brief, work.spec_of(line, brief)).parents
    assert (asked.indices == moved.indices).all()
    spaces.bound_axis(quick, space, axis=axis.name, least=-0.1, most=0.1, by=dora)
    with pytest.raises(OutsideAxis, match="as far as the brand allows"):
        spaces.draw(seen(line), space, candidate.pk, {axis.name: 0.2}, strength=0.3, by=dora)
    with pytest.raises(InvalidBrief):
        spaces.draw(seen(line), space, candidate.pk, {axis.name: 0.1}, strength=float("nan"), by=dora)


def test_a_design_that_was_not_moved_is_not_drawn(quick, space):
    line, candidate = shown(quick, "Nord", drawn(9))
    with pytest.raises(services.Refusals, match="was not moved"):
        spaces.draw(line, space, candidate.pk, {latent.axes_of(space)[0].name: 0.0}, strength=0.3, by=None)


def test_approved_designs_lie_where_they_were_when_the_space_was_built(space):
    for artwork, place in zip(spaces.approved(*shop_of(space)), places_of(space), strict=True):
        computed = latent._place(space, artwork)
        assert np.allclose(computed, place, atol=0.15), (computed, place)


def shop_of(space):
    return (OrderLine.objects.first().order.shop,)


def places_of(space):
    return latent.places(space, spaces.approved(*shop_of(space)))


# ---------------------------------------------------------------------------------------------- what is learnt


def decisions_of(number, *, seed=1, taste=1.0):
    """Synthetic decisions: a designer who turns down what is covered much, as strictly as the taste says."""
    random = np.random.default_rng(seed)
    rows = random.normal(size=(number, len(learning.FEATURES)))
    accepted = random.random(number) < 1 / (1 + np.exp(2.5 * taste * rows[:, 0]))
    return rows, accepted, np.arange(number) // 3


def test_a_preference_puts_designs_it_has_not_seen_in_the_designer_s_order():
    rows, accepted, rounds = decisions_of(150)
    liked = learnt(learning.FEATURES, rows[:90], accepted[:90], rounds[:90])
    assert isinstance(liked, Preference)
    assert liked.strongest[0][0] == "cover"
    assert liked.strongest[0][1] < 0
    likely = np.array([liked.likelihood(row) for row in rows[90:]])
    good, bad = likely[accepted[90:]], likely[~accepted[90:]]
    ordered = (good[:, None] > bad[None, :]).mean()
    assert ordered > 0.75, ordered  # as they were drawn, which is chance: 0.5
    assert abs(ordered - liked.told_apart) < 0.15  # what the page says of it holds for decisions to come


@pytest.mark.parametrize("seed", range(6))
def test_decisions_without_any_order_teach_nothing(seed):
    """The negative control: a designer who throws dice."""
    rows, accepted, rounds = decisions_of(90, seed=seed, taste=0.0)
    assert isinstance(learnt(learning.FEATURES, rows, accepted, rounds), NotYet)


def test_few_decisions_or_all_alike_teach_nothing():
    rows, accepted, rounds = decisions_of(FEWEST - 1)
    assert learnt(learning.FEATURES, rows, accepted, rounds).told_apart is None
    rows, _, rounds = decisions_of(60)
    assert learnt(learning.FEATURES, rows, np.ones(60, bool), rounds) == NotYet(60, 60)


def test_what_was_learnt_orders_the_next_round(mill):
    """Real artworks: a designer who accepts sparse sprigs and rejects the same in which the ground is the motif."""
    for seed in range(FEWEST // 2):
        for artwork, accepted in ((drawn(seed), True), (inverted(seed), False)):
            _, candidate = shown(mill, "Nord", artwork)
            say(candidate, accepted, *([] if accepted else ["busy"]))
    liked = learning.preference(mill)
    assert isinstance(liked, Preference), liked
    assert liked.told_apart > 0.9
    line, full = shown(mill, "Nord", inverted(40))
    brief = line.newest_round
    sparse = brief.candidates.create(position=2, artwork=drawn(41), drawn_at=full.drawn_at, passed=True)
    order = learning.most_liked_first(mill, [full, sparse])
    assert [candidate for candidate, _ in order] == [sparse, full]
    assert order[0][1] > 0.5 > order[1][1]


def inverted(seed):
    """A sprig that nearly covers the cloth: what is ground in the other is its first motif."""
    return drawn(seed, covered=True)


def test_decisions_are_exported_with_the_pairs_of_each_round(quick, dora, capsys):
    line = placed(quick)
    one, two = line.newest_round.candidates.order_by("position")
    say(one, True, "fresh", by=dora)
    say(two, False, "busy", by=dora, words="<b>full</b>")
    call_command("export_decisions", "--shop", quick.slug)
    rows = [json.loads(row) for row in capsys.readouterr().out.splitlines()]
    assert [row["type"] for row in rows] == ["decision", "decision", "pair"]
    assert (rows[1]["accepted"], rows[1]["in_words"], rows[1]["by"]) == (False, "<b>full</b>", "dora")
    assert (rows[2]["chosen"]["sha256"], rows[2]["rejected"]["sha256"]) == (one.artwork.sha256, two.artwork.sha256)


def test_how_often_is_counted_once_for_each_design(quick, dora):
    line = placed(quick)
    one, two = line.newest_round.candidates.order_by("position")
    no = say(one, False, "busy", by=dora)
    say(one, True, by=dora, newest=no.pk)
    say(two, False, "busy", by=dora)
    told = learning.told(quick, by="generator")
    assert (told.accepted, told.rejected, told.pairs) == (1, 1, 1)
    assert [(rate.name, rate.accepted, rate.decided) for rate in told.rates] == [("quick", 1, 2)]
    assert told.reasons == ((deciding.Reason.BUSY, 1),)


# ---------------------------------------------------------------------------------------------- the sheet


def test_the_provenance_sheet_says_where_a_design_comes_from_on_every_page_it_takes(mill, dora):
    sold, _ = shown(mill, "Maison Sud", drawn(1, turned=True))
    services.approve(sold, 1, by=None)
    line, candidate = shown(mill, "Atelier Nord", drawn(1))
    newest = 0
    for number in range(14):
        words = f"looked at for the {number + 1}th time, and thought about it for long"
        no = number % 2 == 0
        newest = say(candidate, not no, *(["busy"] if no else []), by=dora, words=words, newest=newest).pk
    exclusivity.grant(candidate, by=None, territory="Japan")
    for number in range(8):
        authorship.note(line.newest_round, "words", by=dora, details={"words": f"words of the {number}th try"})
    gathered = provenance.gathered(candidate)
    assert gathered.archive[0].alike > exclusivity.SAME_DESIGN
    _, pdf = provenance.sheet(candidate)
    pages = [page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(pdf)]
    said = " ".join(" ".join(pages).split())
    for part in (
        candidate.artwork.sha256[:32], "Atelier Nord", "sprigs", "Seed", "test", "accepted", "rejected", "too busy",
        "words of the 7th try", "dora", "Japan", "alike, distance", "page 1 of 2", "page 2 of 2",
    ):  # fmt: skip
        assert part in said, part
    assert "Maison Sud" not in said
    assert sold.order.number not in said
    raster = generation.raster_of(candidate.artwork)
    assert sheet.provenance_pdf(raster, gathered) == sheet.provenance_pdf(raster, gathered)


def test_a_stale_line_is_not_drawn_again(quick):
    line = placed(quick)
    before = now(line)
    OrderLine.objects.filter(pk=line.pk).update(version=line.version + 1)
    with pytest.raises(StaleState):
        reviewing.draw_again(before, words="wide checks", by=None)
    assert line.rounds.count() == 1
