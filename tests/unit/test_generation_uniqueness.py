"""The same design is known again however it is moved, turned, recoloured or rescaled; another design is not."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.domain.pattern import Layout
from generation.domain.setting import Cells
from generation.domain.uniqueness import (
    SAME_DESIGN,
    cell_marks,
    likeness,
    mark,
    nearest,
    packed,
    signature,
    signatures_of,
    unpacked,
)
from generation.training import corpus

LAB = np.stack([np.linspace(5, 95, 8), np.zeros(8), np.zeros(8)], axis=1)


def design(family, seed, *, size_px=96):
    return corpus.draw_unit(corpus.family_named(family), seed, size_px=size_px).coverage.argmax(axis=0).astype(np.uint8)


def mark_of(indices, layout=Layout.STRAIGHT, lab=LAB):
    return mark(np.ascontiguousarray(indices), lab, layout)


def redrawn(indices, strength_px):
    """The design with calmer outlines, as a second drawing of it has."""
    planes = [cv2.GaussianBlur(np.tile(indices == c, (3, 3)).astype(np.float32), (0, 0), strength_px) for c in range(8)]
    height, width = indices.shape
    return np.argmax(planes, axis=0).astype(np.uint8)[height : 2 * height, width : 2 * width]


FAMILIES = ("sprig", "memphis", "meadow", "cut_outs")


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    "change",
    [
        lambda d: np.roll(d, (29, 51), (0, 1)),
        lambda d: d[:, ::-1],
        lambda d: np.rot90(d),
        lambda d: np.rot90(d)[::-1],
        lambda d: d[::-1, ::-1],
        lambda d: np.array([3, 0, 7, 1, 2, 6, 5, 4], np.uint8)[d],
        lambda d: np.tile(d, (2, 2)),
        lambda d: np.tile(d, (1, 3)),
        lambda d: np.kron(d, np.ones((3, 3), np.uint8)),
        lambda d: redrawn(d, 1.0),
    ],
    ids=["moved", "mirrored", "turned", "both", "upside down", "recoloured", "2x2", "1x3", "larger", "redrawn"],
)
def test_a_changed_design_is_the_same_design(family, change):
    one = design(family, 5)
    assert likeness(mark_of(one), mark_of(change(one))) >= SAME_DESIGN


@pytest.mark.parametrize("family", FAMILIES)
def test_an_independent_drawing_of_the_same_family_is_another_design(family):
    marks = [mark_of(design(family, seed)) for seed in (5, 6, 7, 8)]
    assert max(likeness(one, other) for n, one in enumerate(marks) for other in marks[:n]) < SAME_DESIGN


def test_where_independent_drawings_coincide_the_design_is_common_stock():
    assert likeness(mark_of(design("houndstooth", 5)), mark_of(design("houndstooth", 6))) >= SAME_DESIGN


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 95), st.integers(0, 95), st.permutations(range(8)))
def test_the_signature_stays_when_a_design_is_moved_and_recoloured(down, across, colours):
    one = design("sprig", 3)
    other = np.asarray(colours, np.uint8)[np.roll(one, (down, across), (0, 1))]
    difference = np.abs(signature(one, LAB, Layout.STRAIGHT) - signature(other, LAB, Layout.STRAIGHT)).max()
    assert difference < 0.01


def test_a_dropped_repeat_is_the_straight_repeat_that_makes_the_same_cloth():
    one = design("sprig", 3)
    wide = np.hstack([one, np.roll(one, 48, axis=0)])
    assert likeness(mark_of(one, Layout.HALF_DROP), mark_of(wide)) > 0.999
    thirds = np.hstack([one, np.roll(one, 32, axis=0), np.roll(one, 64, axis=0)])
    assert likeness(mark_of(one, Layout.THIRD_DROP), mark_of(thirds)) > 0.999
    assert likeness(mark_of(one, Layout.THIRD_DROP), mark_of(wide)) < 0.999
    tall = np.vstack([one, np.roll(one, 48, axis=1)])
    assert likeness(mark_of(one, Layout.HALF_BRICK), mark_of(tall)) > 0.999
    mirrored = np.vstack([np.hstack([one, one[:, ::-1]]), np.hstack([one, one[:, ::-1]])[::-1]])
    assert likeness(mark_of(one, Layout.MIRROR), mark_of(mirrored)) > 0.999


def test_a_colour_twice_in_the_palette_hides_no_copy():
    one = design("sprig", 3)
    lab = np.concatenate([LAB, LAB[1:2] + 0.5])
    halves = one.copy()
    halves[:, :48][one[:, :48] == 1] = 8
    assert likeness(mark_of(one), mark_of(halves, lab=lab)) > 0.999
    assert likeness(mark_of(one), mark_of(halves, lab=np.linspace([0, 0, 0], [99, 9, 9], 9))) < 0.999


def test_a_motif_is_found_again_in_a_repeat_of_many():
    family = corpus.family_named("memphis")
    cells = Cells(4, 3, Layout.STRAIGHT, Layout.HALF_DROP)
    cloth = corpus.draw_cloth(family, 9, cells, size_px=64).argmax(axis=0).astype(np.uint8)
    alone = mark_of(corpus.draw_cloth(family, 9, Cells(1, 1, Layout.STRAIGHT), size_px=64).argmax(0).astype(np.uint8))
    assert likeness(mark_of(cloth), alone) < 0.5
    assert max(likeness(one, alone) for one in cell_marks(cloth, LAB, cells)) >= SAME_DESIGN


def test_plain_cloth_is_like_nothing_and_breaks_nothing():
    plain = mark_of(np.zeros((64, 64), np.uint8))
    assert likeness(plain, plain) == 0.0
    assert likeness(plain, mark_of(design("sprig", 3))) == 0.0


def test_the_nearest_of_many_is_the_design_itself():
    designs = [design(family, seed, size_px=64) for family in FAMILIES for seed in range(8)]
    marks = [mark_of(one) for one in designs]
    signatures = signatures_of([one.waves for one in marks])
    changed = mark_of(np.roll(np.rot90(designs[13])[::-1], 17, axis=1))
    first, second = nearest(changed, signatures, lambda places: [marks[place].waves for place in places], count=2)
    assert first.place == 13
    assert first.likeness >= SAME_DESIGN > second.likeness
    assert nearest(changed, signatures[:0], lambda places: [marks[place].waves for place in places]) == []


def test_the_nearest_are_those_that_laying_over_every_one_finds():
    designs = [design(family, seed, size_px=64) for family in ("sprig", "houndstooth", "memphis") for seed in range(12)]
    marks = [mark_of(one) for one in designs]
    signatures = signatures_of([one.waves for one in marks])
    for one in (marks[5], marks[17], mark_of(np.rot90(designs[30])), mark_of(design("meadow", 3, size_px=64))):
        found = nearest(
            one, signatures, lambda places: [marks[place].waves for place in places], count=4, shortlist=len(marks)
        )
        every = sorted((likeness(other, one) for other in marks), reverse=True)
        assert [each.likeness for each in found] == pytest.approx(every[:4], abs=0.01)


def test_a_symmetrical_design_is_found_in_whichever_turn_it_fits():
    marks = [mark_of(design("houndstooth", seed)[:, :: 1 - 2 * (seed % 2)]) for seed in range(6)]
    signatures = signatures_of([one.waves for one in marks]).astype(np.float16)
    found = nearest(
        mark_of(design("houndstooth", 7)), signatures, lambda places: [marks[place].waves for place in places], count=6
    )
    assert min(each.likeness for each in found) > 0.99


def test_a_mark_is_kept_in_few_bytes_and_read_back():
    one = mark_of(design("sprig", 3))
    data = packed(one.waves)
    assert len(data) < 4000 * len(one.waves)
    assert np.abs(unpacked(data) - one.waves).max() < 1e-3 * np.abs(one.waves).max()
