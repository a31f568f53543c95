"""Four-point grades and what a customer's rule makes of them."""

from dataclasses import dataclass, replace
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from production.domain.grading import (
    Decision,
    Fault,
    Grade,
    Proposal,
    Quality,
    Rule,
    Seen,
    good_pieces,
    grade,
    merged,
    points_of,
    points_per_100m2,
    propose,
)

WIDTH, LENGTH = 1500.0, 10_000.0
USUAL = Rule()
KINDS = ("missing_nozzle", "banding", "ink_spot", "stain", "hole", "missing_pick", "broken_end", "slub", None)


@dataclass(frozen=True)
class D:
    number: int
    kind: str | None
    x_mm: float
    y_mm: float
    width_mm: float
    height_mm: float


def at(y, long=10.0, kind="stain", x=100.0, wide=5.0, number=1):
    return D(number, kind, x, y, wide, long)


sizes = st.floats(0.3, 2500, allow_nan=False)
one = st.builds(
    D, number=st.integers(1, 9999), kind=st.sampled_from(KINDS), x_mm=st.floats(0, WIDTH - 10),
    y_mm=st.floats(0, LENGTH - 10), width_mm=st.floats(0.3, 400), height_mm=sizes,
)  # fmt: skip
some = st.lists(one, max_size=25, unique_by=lambda each: each.number)
seen = st.builds(
    Seen,
    seen_m=st.just(10.0),
    de00=st.lists(st.tuples(st.just("#203040"), st.floats(0, 8), st.floats(0, 1)), max_size=3),
    size_pct=st.tuples(st.floats(-2, 2), st.floats(-2, 2)),
    bow_mm=st.floats(0, 40),
)
rules = st.builds(
    Rule.of,
    st.sampled_from([str(each) for each in Quality]),
    st.fixed_dictionaries(
        {},
        optional={
            "takes_seconds": st.booleans(), "most_pieces": st.integers(1, 6), "shortest_piece_m": st.floats(0.1, 5),
            "most_per_100m2": st.floats(0, 60), "most_per_m": st.integers(0, 4), "refused": st.just(["hole", "stain"]),
        },
    ),
)  # fmt: skip


# ------------------------------------------------------------------------------------------------ points


@pytest.mark.parametrize(
    ("mm", "points"), [(0.1, 1), (75, 1), (75.1, 2), (150, 2), (151, 3), (230, 3), (230.5, 4), (9000, 4)]
)
def test_a_defect_has_points_by_its_length(mm, points):
    assert points_of(mm) == points
    assert grade([at(500, mm)], width_mm=WIDTH, length_mm=LENGTH).faults[0].points == points


def test_a_hole_has_four_points_however_small():
    assert grade([at(500, 2, "hole")], width_mm=WIDTH, length_mm=LENGTH).points == 4


def test_no_metre_has_more_than_four_points():
    many = [at(100 + 60 * number, 30, number=number) for number in range(12)]
    found = grade(many, width_mm=WIDTH, length_mm=LENGTH)
    assert len(found.faults) == 12
    assert found.per_metre == (4, *[0] * 9)


def test_points_per_100_square_metres_follow_the_width():
    found = grade([at(500), at(4500, number=2)], width_mm=1500, length_mm=LENGTH)
    assert found.per_100m2 == pytest.approx(100 * 2 / 15)
    assert points_per_100m2(2, width_mm=750, length_m=10) == pytest.approx(2 * found.per_100m2)


def test_what_runs_on_has_four_points_in_every_metre_that_it_touches():
    found = grade([at(1500, 3000, "broken_end")], width_mm=WIDTH, length_mm=LENGTH)
    assert found.per_metre == (0, 4, 4, 4, 4, 0, 0, 0, 0, 0)


def test_a_cloth_without_size_has_no_grade():
    for width, length in ((0, 1000), (1000, 0), (float("nan"), 1000), (1000, float("inf"))):
        with pytest.raises(ValueError, match="can't be graded"):
            grade([], width_mm=width, length_mm=length)


# ------------------------------------------------------------------------------------------------ merging


def test_spots_side_by_side_are_one_and_those_apart_are_two():
    assert len(merged([at(100), at(125, number=2)])) == 1
    assert len(merged([at(100), at(141, number=2)])) == 2
    assert len(merged([at(100), at(125, kind="slub", number=2)])) == 2, "other things, not touching"
    assert len(merged([at(100), at(112, kind="slub", number=2)])) == 1, "touching: one place"


def test_the_parts_of_a_missing_pick_are_one_line():
    parts = [D(number, "missing_pick", 160.0 * number, 500.0, 60.0, 0.4) for number in range(8)]
    (line,) = merged(parts)
    assert line.numbers == tuple(range(8))
    assert line.width_mm == pytest.approx(7 * 160 + 60)
    assert len(merged([*parts, D(99, "missing_pick", 0.0, 520.0, 60.0, 0.4)])) == 2, "another pick"


def test_a_stain_with_a_hole_in_it_is_a_hole():
    (fault,) = merged([at(100, 80, "stain", wide=80), D(2, "hole", 130.0, 130.0, 3.0, 3.0)])
    assert (fault.kind, fault.points) == ("hole", 4)


@given(some, st.integers(0, 2**32))
def test_the_order_in_which_defects_are_found_does_not_matter(found, seed):
    mixed = list(found)
    Random(seed).shuffle(mixed)
    assert merged(mixed) == merged(found)


@given(some)
def test_merging_loses_no_defect_and_merging_again_changes_nothing(found):
    faults = merged(found)
    assert sorted(number for each in faults for number in each.numbers) == sorted(each.number for each in found)
    again = [D(number, each.kind, each.x_mm, each.y_mm, each.width_mm, each.height_mm)
             for number, each in enumerate(faults)]  # fmt: skip
    assert len(merged(again)) == len(faults)
    inside = {number: each for each in faults for number in each.numbers}
    for each in found:
        fault = inside[each.number]
        assert fault.x_mm <= each.x_mm
        assert fault.y_mm <= each.y_mm
        assert fault.end_mm >= each.y_mm + each.height_mm - 1e-6
        assert fault.points >= (4 if each.kind == "hole" else points_of(max(each.width_mm, each.height_mm)))


@given(some)
def test_a_grade_keeps_its_bounds_and_comes_back_from_json(found):
    graded = grade(found, width_mm=WIDTH, length_mm=LENGTH)
    assert len(graded.per_metre) == 10
    assert all(0 <= each <= 4 for each in graded.per_metre)
    assert graded.points <= 40
    assert bool(graded.points) == bool(found)
    assert Grade.of(graded.as_dict()) == graded


# ------------------------------------------------------------------------------------------------ rules


def test_a_customer_s_rule_is_its_class_with_what_it_has_otherwise():
    assert [Rule.of(each).most_de00 for each in ("premium", "mid", "promo")] == [1.5, 2.5, 4.0]
    assert Rule.of("mid", {"refused": ["stain"], "most_pieces": 1}).refused == ("stain",)


@pytest.mark.parametrize(
    "changed",
    [
        {"most_pieces": 0}, {"most_pieces": 1.5}, {"most_de00": "2"}, {"most_de00": float("nan")}, {"colour": 1},
        {"takes_seconds": 1}, {"refused": "hole"}, {"refused": [1]}, {"most_per_m": 5}, {"most_pieces": True},
        {"quality": "mid"},
    ],
)  # fmt: skip
def test_what_makes_no_rule_is_refused_by_name(changed):
    with pytest.raises(ValueError, match=next(iter(changed))):
        Rule.of("mid", changed)
    with pytest.raises(ValueError, match="premium, mid, promo"):
        Rule.of("luxury")


# ------------------------------------------------------------------------------------------------ proposals


def proposed(*found, rule=USUAL, wanted="10", **measured):
    values = {"seen_m": 10.0, "de00": (("#203040", 1.0, 0.5),), **measured}
    graded = grade(found, width_mm=WIDTH, length_mm=LENGTH)
    return propose(graded, Seen(**values), rule, wanted_m=Decimal(wanted))


def broken(proposal):
    return {each.code for each in proposal.reasons if not each.kept}


def test_a_good_cloth_passes_whole_and_every_reason_says_limit_and_measure():
    found = proposed(at(500))
    assert (found.decision, found.good_m, found.scrap_m, found.reprint_m) == (Decision.PASS, 10, 0, 0)
    assert broken(found) == set()
    assert {each.code for each in found.reasons} == {
        "not_all_seen",
        "colour",
        "size",
        "bow",
        "points",
        "metre",
        "running",
    }
    colour = next(each for each in found.reasons if each.code == "colour")
    assert (colour.measured, colour.limit) == ("1 ΔE2000", "2.5 ΔE2000")


def test_a_hole_is_cut_out_where_enough_is_left():
    found = proposed(at(200, 4, "hole"))
    assert found.decision is Decision.CUT_OUT
    (piece,) = found.pieces
    assert piece.from_m == pytest.approx(0.214)
    assert (found.good_m, found.scrap_m) == (Decimal("9.78"), Decimal("0.22"))


def test_what_is_missing_is_made_once_more_and_the_good_pieces_are_kept():
    found = proposed(at(2000, 4, "hole"), at(5000, 900, "hole", number=2))
    assert found.decision is Decision.REPRINT
    assert [round(each.from_m, 2) for each in found.pieces] == [2.01, 5.91]
    assert found.good_m + found.reprint_m >= 10
    assert found.reprint_m < 4
    assert found.scrap_m == 10 - found.good_m


def test_who_takes_one_uncut_length_gets_all_of_it_anew():
    found = proposed(at(5000, 4, "hole"), rule=Rule.of("mid", {"most_pieces": 1}))
    assert (found.decision, found.reprint_m, found.good_m, found.scrap_m) == (Decision.REPRINT, 10, 0, 10)


@pytest.mark.parametrize(
    ("measured", "code"),
    [({"de00": (("#203040", 3.0, 0.5),)}, "colour"), ({"size_pct": (0.1, -1.4)}, "size"), ({"skew_mm": 60.0}, "bow")],
)
def test_what_is_wrong_all_along_can_t_be_cut_out(measured, code):
    found = proposed(**measured)
    assert broken(found) == {code}
    assert (found.decision, found.reprint_m, found.good_m) == (Decision.REPRINT, 10, 0)


def test_a_colour_that_hardly_shows_is_not_judged():
    assert proposed(de00=(("#203040", 9.0, 0.001), ("#ffffff", 0.5, 0.9))).decision is Decision.PASS


def test_colours_that_were_not_measured_are_for_the_eye():
    found = proposed(de00=(), unmeasured="There is no colour bar.")
    assert found.decision is Decision.PASS
    assert any("Judge the shade by eye" in each.sentence for each in found.reasons)


def test_a_colour_that_was_cut_off_is_for_the_eye_and_the_others_are_measured():
    found = proposed(de00=(("#203040", 0.5, 0.5),), unmeasured="Not measured: #f0a81f.")
    assert {"colour", "colour_by_eye"} <= {each.code for each in found.reasons}
    assert any("#f0a81f. Judge the shade by eye." in each.sentence for each in found.reasons)


def test_seconds_are_proposed_only_to_who_takes_them_and_only_within_bounds():
    takes = Rule.of("mid", {"takes_seconds": True})
    assert proposed(de00=(("#203040", 4.0, 0.5),), rule=takes).decision is Decision.SECONDS
    assert proposed(de00=(("#203040", 6.0, 0.5),), rule=takes).decision is Decision.REPRINT
    assert proposed(size_pct=(5.0, 0.0), rule=takes).decision is Decision.REPRINT


def test_a_length_that_was_not_seen_is_not_judged():
    found = proposed(seen_m=8.0)
    assert (found.decision, broken(found)) == (None, {"not_all_seen"})
    assert found.good_m == found.reprint_m == 0


def test_the_worst_faults_go_first_and_no_more_than_have_to():
    many = [
        at(1000 * number + 300, 200 if number < 3 else 20, number=number + 1, x=100.0 * number) for number in range(9)
    ]
    graded = grade(many, width_mm=WIDTH, length_mm=LENGTH)
    rule = Rule.of("mid", {"most_per_100m2": 60.0, "shortest_piece_m": 0.5, "most_pieces": 10})
    assert graded.per_100m2 > 60
    pieces = good_pieces(graded, rule, most=10)
    cut = [each for each in graded.faults if not any(p.from_m * 1000 <= each.y_mm < p.to_m * 1000 for p in pieces)]
    assert cut
    assert all(each.points == 3 for each in cut)


@given(some, seen, rules)
def test_whatever_is_found_a_proposal_adds_up(found, measured, rule):
    graded = grade(found, width_mm=WIDTH, length_mm=LENGTH)
    proposal = propose(graded, measured, rule, wanted_m=Decimal(10))
    assert Proposal.of(proposal.as_dict()).decision == proposal.decision
    assert 0 <= proposal.reprint_m <= 10
    assert 0 <= proposal.good_m <= 10
    assert 0 <= proposal.scrap_m <= 10
    assert (proposal.decision is Decision.PASS) == (not broken(proposal))
    assert (proposal.decision is Decision.REPRINT) == (proposal.reprint_m > 0)
    if proposal.decision in {Decision.CUT_OUT, Decision.REPRINT}:
        assert proposal.good_m + proposal.scrap_m == 10
        assert len(proposal.pieces) <= rule.most_pieces
        # No good piece holds what the customer does not take.
        for piece in proposal.pieces:
            assert piece.to_m - piece.from_m >= rule.shortest_piece_m - 1e-6
            for fault in graded.faults:
                if fault.kind in rule.refused:
                    assert fault.end_mm <= 1000 * piece.from_m + 1e-3 or fault.y_mm >= 1000 * piece.to_m - 1e-3
    if proposal.decision is Decision.REPRINT:
        assert proposal.good_m + proposal.reprint_m >= 10


@given(some, rules)
def test_a_stricter_limit_never_passes_what_a_milder_one_refuses(found, rule):
    graded = grade(found, width_mm=WIDTH, length_mm=LENGTH)
    measured = Seen(seen_m=10.0)
    mild = propose(graded, measured, rule, wanted_m=Decimal(10))
    strict = propose(graded, measured, replace(rule, most_per_100m2=rule.most_per_100m2 / 2), wanted_m=Decimal(10))
    assert not (strict.decision is Decision.PASS and mild.decision is not Decision.PASS)


def test_faults_are_plain_values():
    assert Fault((1,), "hole", 1.0, 2.0, 3.0, 4.0).as_dict()["points"] == 4
