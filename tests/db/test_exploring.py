"""Going on from a design: what is asked of the generator, what stays as it was, and that repeats add nothing."""

import json

import numpy as np
import pytest

from generation import services as generation
from generation.errors import InvalidBrief, UnknownGenerator
from orders import flow, services, steps, work, worker
from orders.errors import IllegalTransition, InvalidOrder, LostLease, UnknownCandidate
from orders.models import AuditEvent, Candidate, OrderLine, Round, Step
from tests.quick_generator import COLOURS

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def line(quick):
    """A line with two candidates to choose from."""
    return work_on(placed(quick))


def placed(shop, **changes):
    wish = {
        "words": "checks", "quantity_m": 6, "layout": "straight", "repeat_mm": (64, 64), "substrate": "FAB-COT-SAT",
        "palette": list(COLOURS), "due_in_days": 30, **changes,
    }  # fmt: skip
    return services.place_and_submit(shop, customer="Nord", lines=[services.NewLine(**wish)], by=None).lines.get()


def work_on(line):
    worker.run_until_rest([line])
    return OrderLine.objects.select_related("order__shop").get(pk=line.pk)


def candidates(line):
    return list(line.newest_round.candidates.select_related("artwork", "round"))


def going_on(line, kind, *chosen, **wish):
    ids = [candidate.pk for candidate in chosen]
    services.explore(line, services.Exploration(kind=kind, candidates=ids, **wish), by=None)
    return work_on(line)


def pixels(candidate):
    return generation.raster_of(candidate.artwork).indices


def test_more_like_this_draws_a_new_round_over_the_chosen_design_and_keeps_the_old_one(line):
    first, second = candidates(line)
    line = going_on(line, "more_like_this", second, strength=0.3)
    assert line.state == "proofing", line.blocked
    brief = line.newest_round
    assert (brief.number, brief.way, brief.parent, brief.strength) == (2, "more_like_this", second, 0.3)
    assert {c.artwork.origin for c in candidates(line)} == {"checks over a drawing, strength 0.3"}
    assert all(candidate.passed is not None for candidate in candidates(line))
    assert any(candidate.price for candidate in candidates(line))
    assert line.rounds.count() == 2
    assert Candidate.objects.filter(round__number=1, round__line=line).count() == 2
    assert first.artwork.sha256 not in {c.artwork.sha256 for c in candidates(line)}
    event = AuditEvent.objects.filter(line=line, action="revise").get()
    assert event.details["way"] == "more_like_this"
    assert event.details["from"] == [second.pk]


def test_between_two_designs_lies_one_with_a_share_of_each(line):
    first, second = candidates(line)
    line = going_on(line, "interpolate", first, second, share=0.25)
    between = pixels(candidates(line)[0])
    height = between.shape[0] // 4
    assert (between[:height] == pixels(second)[:height]).all()
    assert (between[height + 1 :] == pixels(first)[height + 1 :]).all()


def test_only_the_chosen_colours_are_drawn_anew(line):
    first, _ = candidates(line)
    line = going_on(line, "redraw", first, colours=[2])
    before, after = pixels(first), pixels(candidates(line)[0])
    assert (after[before != 2] == before[before != 2]).all()
    assert (after[before == 2] != 2).any()


def test_another_size_keeps_the_seed_and_all_else_and_there_is_one_of_it(line):
    first, _ = candidates(line)
    line = going_on(line, "resize", first, knobs={"scale": 2.0})
    (larger,) = candidates(line)
    assert larger.artwork.seed == first.artwork.seed
    assert larger.artwork.palette == first.artwork.palette
    assert changes_across(larger) < changes_across(first)
    line = going_on(line, "resize", larger, knobs={"density": 0.5})
    assert (line.newest_round.scale, line.newest_round.density) == (2.0, 0.5)


def test_the_size_of_a_variation_is_changed_where_it_came_from(line):
    first, _ = candidates(line)
    line = going_on(line, "more_like_this", first, strength=0.4)
    with pytest.raises(InvalidOrder, match="change the size of that one first"):
        going_on(line, "resize", candidates(line)[0], knobs={"density": 2})


def test_what_goes_on_from_another_size_keeps_that_size(line):
    line = going_on(line, "resize", candidates(line)[0], knobs={"density": 2})
    line = going_on(line, "more_like_this", candidates(line)[0], strength=0.4)
    assert line.newest_round.density == 2


def changes_across(candidate):
    return int((np.diff(pixels(candidate)[0].astype(int)) != 0).sum())


def test_a_colourway_is_exact_checked_and_priced_and_no_model_draws_it(line, monkeypatch):
    first, _ = candidates(line)
    monkeypatch.setattr("tests.quick_generator.QuickGenerator.generate", None)
    line = going_on(line, "recolour", first, palette=["#ffffff", "#112233", "terracotta"])
    (coloured,) = candidates(line)
    assert coloured.passed
    assert coloured.price
    assert coloured.artwork.palette == ["#ffffff", "#112233", generation.parse_colour("terracotta")]
    assert (pixels(coloured) == pixels(first)).all()
    assert line.rounds.count() == 2


def test_a_round_says_which_designs_it_goes_on_from(line):
    line = going_on(line, "interpolate", *candidates(line))
    assert line.newest_round.way_in_words == "between designs 1.1 and 1.2"
    line = going_on(line, "recolour", candidates(line)[0], palette=["#ffffff", "#112233", "terracotta"])
    assert line.newest_round.way_in_words == "design 2.1 in other colours"


def test_a_colourway_by_name_takes_the_palette_s_colours_by_role(line):
    first, _ = candidates(line)
    line = going_on(line, "recolour", first, palette="indigo")
    assert candidates(line)[0].artwork.palette == list(generation.palette_named("indigo")[:3])


def test_a_colourway_can_be_approved_and_released(line):
    first, _ = candidates(line)
    line = going_on(line, "recolour", first, palette="indigo")
    services.approve(line, 1, by=None)
    line = work_on(line)
    assert line.state == "released", line.blocked
    (manifest,) = (file.path for file in work.files_of(line) if file.format == "manifest")
    assert json.loads(manifest.read_text())["palette"] == list(generation.palette_named("indigo")[:3])


def test_other_words_for_a_design_are_its_round_s_words(line):
    first, _ = candidates(line)
    line = going_on(line, "reword", first, words="  bolder   checks ", strength=0.8)
    assert (line.newest_round.words, line.newest_round.parent) == ("bolder checks", first)


def test_a_design_that_can_t_be_made_in_its_new_colours_is_blocked_at_once_and_not_drawn_again(line):
    from production.models import InkSet

    InkSet.objects.filter(shop="demo").update(tac_pct=1)
    first, _ = candidates(line)
    line = going_on(line, "recolour", first, palette="indigo")
    assert (line.state, line.blocked["code"]) == ("blocked", "manufacturability")
    assert (len(candidates(line)), line.newest_round.batch) == (1, 1)
    services.resume(line, by=None)
    line = work_on(line)
    assert line.state == "blocked"
    assert len(candidates(line)) == 1
    line = going_on(line, "more_like_this", first)
    assert line.newest_round.number == 3, "a blocked line can be gone on from too"


@pytest.mark.parametrize(
    ("kind", "chosen", "wish", "error", "field"),
    [
        ("bigger", 1, {}, InvalidOrder, "kind"),
        ("words", 1, {}, InvalidOrder, "kind"),
        ("more_like_this", 2, {}, InvalidOrder, "candidates"),
        ("interpolate", 1, {}, InvalidOrder, "candidates"),
        ("more_like_this", 1, {"strength": 1.5}, InvalidBrief, "strength"),
        ("more_like_this", 1, {"strength": float("nan")}, InvalidBrief, "strength"),
        ("more_like_this", 1, {"share": 0.5}, InvalidOrder, "share"),
        ("more_like_this", 1, {"generator": "midjourney"}, UnknownGenerator, "generator"),
        ("more_like_this", 1, {"generator": "upload"}, InvalidOrder, "generator"),
        ("interpolate", 2, {"share": -0.5}, InvalidBrief, "share"),
        ("redraw", 1, {}, InvalidOrder, "colours"),
        ("redraw", 1, {"colours": [3]}, InvalidBrief, "redraw"),
        ("resize", 1, {}, InvalidOrder, "knobs"),
        ("resize", 1, {"knobs": {}}, InvalidOrder, "knobs"),
        ("resize", 1, {"knobs": {"width": 2}}, InvalidOrder, "knobs"),
        ("resize", 1, {"knobs": {"scale": 3}}, InvalidBrief, "scale"),
        ("recolour", 1, {}, InvalidOrder, "palette"),
        ("recolour", 1, {"palette": ["#ffffff"] * 3}, InvalidBrief, "palette"),
        ("recolour", 1, {"palette": ["#ffffff", "#000000"]}, InvalidBrief, "palette"),
        ("recolour", 1, {"palette": "indigo", "strength": 0.2}, InvalidOrder, "strength"),
        ("reword", 1, {}, InvalidOrder, "words"),
        ("reword", 1, {"words": " "}, InvalidOrder, "words"),
        ("reword", 1, {"words": "x" * 501}, InvalidOrder, "words"),
    ],
)
def test_what_can_t_be_gone_on_with_is_refused_and_changes_nothing(quick, kind, chosen, wish, error, field):
    line = placed(quick)
    flow.run_step(Step.objects.get(line=line).pk)
    OrderLine.objects.update(state="proofing")
    line.refresh_from_db()
    with pytest.raises(error) as refused:
        going_on(line, kind, *candidates(line)[:chosen], **wish)
    assert refused.value.fields["field"] == field
    assert line.rounds.count() == 1


def test_another_line_s_design_is_not_there(line, quick):
    other = placed(quick)
    flow.run_step(Step.objects.get(line=other).pk)
    with pytest.raises(UnknownCandidate):
        going_on(line, "more_like_this", candidates(other)[0])


def test_while_a_line_is_being_drawn_nobody_goes_on(line):
    first, _ = candidates(line)
    services.explore(line, services.Exploration(kind="more_like_this", candidates=[first.pk]), by=None)
    line.refresh_from_db()
    with pytest.raises(IllegalTransition):
        services.explore(line, services.Exploration(kind="more_like_this", candidates=[first.pk]), by=None)
    assert line.rounds.count() == 2


def test_the_size_of_a_colourway_is_not_changed_in_one_go(line):
    first, _ = candidates(line)
    line = going_on(line, "recolour", first, palette="indigo")
    with pytest.raises(InvalidOrder, match="first, then the colours"):
        going_on(line, "resize", candidates(line)[0], knobs={"scale": 2})


def test_a_line_may_be_drawn_by_another_generator_than_the_shop_s(quick):
    quick.generator = "embedded"
    quick.save()
    line = work_on(placed(quick, generator="quick"))
    assert {candidate.artwork.generator for candidate in candidates(line)} == {"quick"}
    services.revise(line, by=None, words="more checks")
    assert line.newest_round.generator == "quick", "a revision keeps it"


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"generator": "midjourney"}, "lines[0].generator"),
        ({"palette": ["#ffffff", "#000000", "#ffffff"]}, "lines[0].palette"),
        ({"palette": [f"#00{n}" for n in range(9)]}, "lines[0].palette"),
        (
            {"palette": [f"#00{n}" for n in range(6)], "substrate": "", "weave": "LOM1", "repeat_mm": (60, 60)},
            "lines[0].palette",
        ),
        ({"generator": "upload"}, "lines[0].reference"),
    ],
)
def test_what_no_generator_could_draw_is_refused_before_anything_is_drawn(quick, wish, field):
    with pytest.raises((InvalidBrief, InvalidOrder, UnknownGenerator)) as refused:
        placed(quick, **wish)
    assert refused.value.fields["field"] == field


def held_draw(line):
    return steps.claim(Step.objects.get(line=line, kind="draw", state="pending").pk)


def test_each_candidate_is_there_before_the_next_is_drawn(quick):
    line = placed(quick)
    there = []
    drawings = work.draw(line)
    held = held_draw(line)
    for artwork in drawings:
        there.append(line.newest_round.candidates.count())
        steps.keep(held, lambda artwork=artwork: work.keep_drawn(line, artwork))
    assert there == [0, 1]


def test_a_draw_that_broke_off_goes_on_from_what_is_there(quick, monkeypatch):
    line = placed(quick)
    honest = work.keep_drawn

    def breaks_after_one(line, artwork):
        if line.newest_round.candidates.exists():
            raise KeyboardInterrupt
        honest(line, artwork)

    with monkeypatch.context() as patched:
        patched.setattr(work, "keep_drawn", breaks_after_one)
        with pytest.raises(KeyboardInterrupt):
            flow.run_step(Step.objects.get(line=line).pk)
    (first,) = candidates(line)
    Step.objects.filter(line=line).update(lease_until=steps.database_now())
    line = work_on(line)
    assert [c.position for c in candidates(line)] == [1, 2]
    assert candidates(line)[0].pk == first.pk
    assert len({c.artwork_id for c in candidates(line)}) == 2


def test_who_lost_the_step_adds_no_candidate(quick, settings):
    line = placed(quick)
    settings.WEFTLINE = {**settings.WEFTLINE, "lease_s": 0.05}
    slow = held_draw(line)
    drawings = work.draw(line)
    artwork = next(drawings)
    Step.objects.filter(pk=slow.step_id).update(lease_until=steps.database_now())
    settings.WEFTLINE = {**settings.WEFTLINE, "lease_s": 30}
    work_on(line)
    before = [c.pk for c in candidates(line)]
    with pytest.raises(LostLease):
        steps.keep(slow, lambda: work.keep_drawn(line, artwork))
    assert [c.pk for c in candidates(line)] == before
    assert len(before) == 2


def test_the_same_picture_twice_is_one_candidate(quick):
    line = placed(quick)
    artwork = next(work.draw(line))
    work.keep_drawn(line, artwork)
    work.keep_drawn(line, artwork)
    assert Round.objects.get(line=line).candidates.count() == 1
