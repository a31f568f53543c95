"""The corpus: every family draws the same bytes for the same seed, and meets itself at its edges."""

import numpy as np
import pytest

from generation.domain.pattern import Layout
from generation.domain.setting import Cells
from generation.training import corpus
from generation.training.corpus import FAMILIES, ROLES, draw_cloth, draw_unit, fold_roles, random_unit

families = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)


def test_there_are_enough_families_and_many_florals():
    assert len(FAMILIES) >= 40
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)
    assert sum("flor" in " ".join(family.nouns) or "flower" in " ".join(family.nouns) for family in FAMILIES) >= 8


@families
def test_the_same_seed_gives_the_same_bytes(family):
    first, second = draw_unit(family, 5), draw_unit(family, 5)
    assert first.coverage.tobytes() == second.coverage.tobytes()
    assert first.caption == second.caption


@families
def test_coverage_of_all_roles_fills_every_pixel_and_the_design_is_not_blank(family):
    for seed in range(3):
        coverage = draw_unit(family, seed).coverage
        assert coverage.shape == (ROLES, 64, 64)
        assert np.abs(coverage.astype(int).sum(axis=0) - 255).max() <= 4
        assert 0.02 < (coverage.argmax(axis=0) > 0).mean() < 1


@families
def test_a_unit_meets_itself_at_its_edges(family):
    """Over many styles the seam changes no more than the busiest line inside."""
    labels = np.stack([draw_unit(family, seed).coverage.argmax(axis=0) for seed in range(24)])
    for axis in (1, 2):
        changes = (labels != np.roll(labels, 1, axis=axis)).mean(axis=(0, 3 - axis))
        assert changes[0] <= 1.2 * changes[1:].max() + 0.01


@pytest.mark.parametrize("family", [family for family in FAMILIES if family.island], ids=lambda family: family.name)
@pytest.mark.parametrize("layout", [Layout.HALF_DROP, Layout.THIRD_DROP, Layout.HALF_BRICK])
def test_an_island_drawn_in_a_shifted_layout_meets_its_neighbour(family, layout):
    side = 48  # can be cut in halves and in thirds
    drawn = [draw_unit(family, seed, size_px=side, layout=layout).coverage.argmax(axis=0) for seed in range(16)]
    labels = np.stack(drawn)
    across = (np.roll(labels[:, :, 0], int(side * layout.drop), axis=1), labels[:, :, -1])
    down = (np.roll(labels[:, 0], int(side * layout.shift), axis=1), labels[:, -1])
    inside = max((labels != np.roll(labels, 1, axis=axis)).mean(axis=(0, 3 - axis))[1:].max() for axis in (1, 2))
    for here, there in (across, down):
        assert (here != there).mean() <= 1.2 * inside + 0.01


def test_a_cloth_of_dropped_columns_is_one_style_with_variation():
    cells = Cells(4, 4, Layout.HALF_DROP, Layout.HALF_DROP)
    cloth = draw_cloth(corpus.family_named("simple_flower"), 1, cells, size_px=32)
    assert cloth.shape == (ROLES, 128, 128)
    first, below = cloth[:, :32, :32], cloth[:, 32:64, :32]
    assert (first != below).any()
    assert abs((first[1] > 127).mean() - (below[1] > 127).mean()) < 0.1


def test_folding_leaves_the_asked_number_of_colours_and_loses_no_coverage():
    coverage = draw_unit(corpus.family_named("memphis"), 2).coverage
    for colours in (2, 3, 4):
        folded = fold_roles(coverage, colours)
        assert folded[colours:].max() == 0
        assert np.abs(folded.astype(int).sum(axis=0) - 255).max() <= 4


def test_training_seeds_cover_most_families():
    assert len({random_unit(seed, size_px=8).family for seed in range(500)}) > 0.85 * len(FAMILIES)


def test_about_one_caption_in_seven_names_a_limit_of_the_mill_and_colours_are_kept():
    units = [random_unit(seed, size_px=8) for seed in range(600)]
    limited = [unit for unit in units if unit.limits is not None]
    assert 0.11 < len(limited) / len(units) < 0.19
    for field in ("max_colours", "min_feature_share", "most_ink"):
        assert sum(getattr(unit.limits, field) is not None for unit in limited) > 5
    for unit in limited:
        if unit.limits.max_colours is not None:
            assert (unit.coverage.reshape(ROLES, -1).max(axis=1) > 0).sum() <= unit.limits.max_colours
            assert ("two", "three", "four")[unit.limits.max_colours - 2] in unit.caption.lower()


def test_a_unit_can_be_drawn_again_from_its_record():
    for seed in range(12):
        unit = random_unit(seed, size_px=32)
        record = unit.provenance
        assert record.version == corpus.version()
        again = draw_unit(
            corpus.family_named(record.program),
            record.seed,
            variation=record.variation,
            size_px=32,
            layout=unit.layout,
        )
        shown = (unit.coverage.reshape(ROLES, -1).max(axis=1) > 0).nonzero()[0].max() + 1
        assert (fold_roles(again.coverage, int(shown)) == unit.coverage).all()


def test_the_corpus_version_is_stable_within_a_run():
    corpus.version.cache_clear()
    first = corpus.version()
    corpus.version.cache_clear()
    assert corpus.version() == first
