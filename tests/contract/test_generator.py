"""What every generator has to keep, run against each one in the settings."""

import hashlib
from importlib import import_module

import numpy as np
import pytest
from django.conf import settings

from generation.domain.pattern import Brief, Layout, Limits, Raster, Repeat
from generation.errors import GenerationError

NORDIC = ("#f1eee7", "#34506b", "#8ba495")


@pytest.fixture(scope="module", params=sorted(settings.WEFTLINE["generators"]))
def generator(request):
    module, _, attribute = settings.WEFTLINE["generators"][request.param].rpartition(".")
    return getattr(import_module(module), attribute)()


def brief_of(
    layout=Layout.HALF_DROP, *, words="minimalist floral design with a Nordic color palette", size_px=240, **more
):
    return Brief(words, Repeat(160, 160, layout), size_px, size_px, **more)


def digest(raster: Raster) -> str:
    return hashlib.sha256(raster.indices.tobytes() + repr(raster.palette.colours).encode()).hexdigest()


def test_it_has_a_name_and_a_stable_fingerprint(generator):
    assert generator.name
    assert generator.fingerprint() == generator.fingerprint()
    assert len(generator.fingerprint()) == 64


def test_there_is_one_raster_of_the_asked_size_per_seed_in_order(generator):
    brief = Brief("stripes", Repeat(120, 80, Layout.STRAIGHT), 180, 122)
    rasters = generator.generate(brief, [7, 3], Limits())
    assert [raster.seed for raster in rasters] == [7, 3]
    for raster in rasters:
        assert raster.indices.shape == (122, 180)
        assert raster.indices.dtype == np.uint8
        assert raster.repeat == brief.repeat


def test_a_seed_draws_the_same_alone_and_in_company(generator):
    alone = generator.generate(brief_of(), [2], Limits())[0]
    company = generator.generate(brief_of(), [1, 2], Limits())
    assert digest(alone) == digest(company[1])
    assert digest(company[0]) != digest(company[1])


@pytest.mark.parametrize("layout", list(Layout))
def test_every_pixel_is_in_the_palette_and_every_colour_is_used(generator, layout):
    raster = generator.generate(brief_of(layout), [1], Limits(max_colours=5))[0]
    assert len(raster.palette) <= 5
    assert set(np.unique(raster.indices)) == set(range(len(raster.palette)))


@pytest.mark.parametrize("layout", list(Layout))
def test_the_seam_changes_no_more_than_the_inside(generator, layout):
    for words in ("minimalist flowers", "wide vertical stripes", "marble"):
        raster = generator.generate(brief_of(layout, words=words), [1], Limits())[0]
        tile, half = raster.indices, raster.indices.shape[0] // 2
        across, down = (tile[:, -1], tile[:, 0]), (tile[-1], tile[0])
        if layout is Layout.HALF_DROP:
            across = (across[0], np.roll(across[1], half))
        if layout is Layout.HALF_BRICK:
            down = (down[0], np.roll(down[1], half))
        if layout is Layout.MIRROR:
            continue  # an edge that meets its own picture can't show
        for (here, there), axis in ((across, 1), (down, 0)):
            inside = (np.diff(tile.astype(int), axis=axis) != 0).mean(axis=1 - axis)
            assert (here != there).mean() <= np.percentile(inside, 99) * 1.1 + 1e-9


def test_pinned_colours_are_kept_exactly_and_in_order(generator):
    raster = generator.generate(brief_of(palette=NORDIC), [1], Limits())[0]
    positions = [NORDIC.index(colour) for colour in raster.palette.colours]
    assert positions == sorted(positions)
    assert raster.palette.colours[0] == NORDIC[0]


@pytest.mark.parametrize("most", [2, 3, 4])
def test_no_more_colours_than_the_limit(generator, most):
    for seed in (1, 2):
        assert 2 <= len(generator.generate(brief_of(), [seed], Limits(max_colours=most))[0].palette) <= most


def test_details_are_as_large_as_the_limit_asks(generator):
    raster = generator.generate(brief_of(words="ditsy floral"), [1], Limits(min_feature_mm=2.0))[0]
    smallest_px = int(np.ceil(2.0 * 240 / 160))
    thin = 0
    for line in np.concatenate([raster.indices, raster.indices.T]):
        ends = np.flatnonzero(np.diff(line)) + 1
        runs = np.diff(ends)
        thin += int(runs[runs < smallest_px].sum())
    assert thin / (2 * raster.indices.size) < 0.02


def test_a_reference_picture_gives_its_colours(generator):
    picture = np.zeros((80, 80, 3), np.uint8)
    picture[:] = (240, 230, 210)
    picture[20:60, 25:55] = (30, 60, 120)
    raster = generator.generate(brief_of(Layout.STRAIGHT, words="", reference=picture), [1], Limits())[0]
    assert raster.palette.colours[0] == "#f0e6d2"
    assert "#1e3c78" in raster.palette.colours


def test_a_blank_picture_is_refused_with_its_field(generator):
    with pytest.raises(GenerationError) as refused:
        generator.generate(brief_of(words="", reference=np.full((40, 40, 3), 200, np.uint8)), [1], Limits())
    assert refused.value.fields["field"] == "reference"


def test_progress_ends_at_the_last_step(generator):
    told = []
    generator.generate(brief_of(), [1, 2], Limits(), on_step=lambda done, steps: told.append((done, steps)))
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1]
