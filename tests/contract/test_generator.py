"""What every generator has to keep, run against each one in the settings and one of each kind of local model."""

import hashlib

import numpy as np
import pytest
from django.conf import settings

from generation.backends import weights
from generation.backends.checkpoint import CheckpointGenerator
from generation.domain.pattern import Brief, Layout, Limits, Palette, Raster, Repeat
from generation.domain.seam import lab_of_indices, worst_seam
from generation.errors import GenerationError
from generation.ports import LooksFirst
from generation.services import generator_named
from tests import checkpoints

NORDIC = ("#f1eee7", "#34506b", "#8ba495")


@pytest.fixture(scope="module", params=[*sorted(settings.WEFTLINE["generators"]), *checkpoints.KINDS])
def generator(request, tmp_path_factory):
    if request.param in checkpoints.KINDS:
        folder = checkpoints.save_tiny(request.param, tmp_path_factory.mktemp(request.param))
        weights.pin(folder)
        return CheckpointGenerator(folder, steps=2)
    return generator_named(request.param)


@pytest.fixture
def brief_of(generator):
    """Asks for what this generator works from: words, or for uploads a file that closes in the layout."""

    def asked(layout=Layout.HALF_DROP, *, words="minimalist floral design with a Nordic color palette", **more):
        size = (more.pop("width_px", 240), more.pop("height_px", 240))
        if generator.name == "upload":
            more.setdefault("reference", closing_tile(layout, *size))
        return Brief(words, more.pop("repeat", Repeat(160, 160, layout)), *size, **more)

    return asked


def closing_tile(layout, width, height):
    """Three colours in round patches, periodic in the layout."""
    x, y = np.meshgrid(np.arange(width) / width, np.arange(height) / height)
    if layout is Layout.HALF_DROP:
        field = np.cos(np.pi * (x + 2 * y)) + np.cos(np.pi * (x - 2 * y)) + np.sin(4 * np.pi * y)
    elif layout is Layout.THIRD_DROP:
        field = np.cos(2 * np.pi * (y - x / 3)) + np.cos(2 * np.pi * (y + 2 * x / 3)) + np.sin(6 * np.pi * y)
    elif layout is Layout.HALF_BRICK:
        field = np.cos(np.pi * (2 * x + y)) + np.cos(np.pi * (2 * x - y)) + np.sin(4 * np.pi * x)
    else:
        field = np.sin(2 * np.pi * x) + np.cos(4 * np.pi * y)
    return Palette(NORDIC).rgb()[np.digitize(field, [0.2, 1.0])]


def digest(raster: Raster) -> str:
    return hashlib.sha256(raster.indices.tobytes() + repr(raster.palette.colours).encode()).hexdigest()


def test_it_has_a_name_and_a_stable_fingerprint(generator):
    assert generator.name
    assert generator.fingerprint() == generator.fingerprint()
    assert len(generator.fingerprint()) == 64


def test_there_is_one_raster_of_the_asked_size_per_seed_in_order(generator, brief_of):
    layout = Layout.STRAIGHT
    brief = brief_of(layout, words="stripes", repeat=Repeat(120, 80, layout), width_px=180, height_px=122)
    rasters = generator.generate(brief, [7, 3], Limits())
    assert [raster.seed for raster in rasters] == [7, 3]
    for raster in rasters:
        assert raster.indices.shape == (122, 180)
        assert raster.indices.dtype == np.uint8
        assert raster.repeat == brief.repeat


def test_what_was_begun_is_at_the_briefs_size_what_is_generated_and_at_another_the_same_design(generator, brief_of):
    if not isinstance(generator, LooksFirst):
        pytest.skip("has no looks")
    brief = brief_of(width_px=480, height_px=480)
    at_size = generator.begin(brief, 5, Limits())
    look, whole = at_size(240, 240), at_size(480, 480)
    assert digest(whole) == digest(generator.generate(brief, [5], Limits())[0])
    assert look.indices.shape == (240, 240)
    assert (look.seed, look.repeat, look.palette) == (whole.seed, whole.repeat, whole.palette)
    assert (look.indices == whole.indices[::2, ::2]).mean() > 0.9


def test_a_seed_draws_the_same_alone_and_in_company(generator, brief_of):
    alone = generator.generate(brief_of(), [2], Limits())[0]
    company = generator.generate(brief_of(), [1, 2], Limits())
    assert digest(alone) == digest(company[1])
    if generator.name != "upload":  # a file is what it is
        assert digest(company[0]) != digest(company[1])


@pytest.mark.parametrize("layout", list(Layout))
def test_every_pixel_is_in_the_palette_and_every_colour_is_used(generator, layout, brief_of):
    raster = generator.generate(brief_of(layout), [1], Limits(max_colours=5))[0]
    assert len(raster.palette) <= 5
    assert set(np.unique(raster.indices)) == set(range(len(raster.palette)))


@pytest.mark.parametrize("layout", list(Layout))
def test_the_seam_looks_no_more_like_a_cut_than_the_inside(generator, layout, brief_of):
    for words in ("minimalist flowers", "wide vertical stripes", "marble"):
        raster = generator.generate(brief_of(layout, words=words), [1], Limits())[0]
        assert not worst_seam(lab_of_indices(raster.indices, raster.palette), layout).shows


def test_pinned_colours_are_kept_exactly_and_in_order(generator, brief_of):
    raster = generator.generate(brief_of(palette=NORDIC), [1], Limits())[0]
    positions = [NORDIC.index(colour) for colour in raster.palette.colours]
    assert positions == sorted(positions)
    assert raster.palette.colours[0] == NORDIC[0]


@pytest.mark.parametrize("most", [2, 3, 4])
def test_no_more_colours_than_the_limit(generator, most, brief_of):
    for seed in (1, 2):
        assert 2 <= len(generator.generate(brief_of(), [seed], Limits(max_colours=most))[0].palette) <= most


def test_details_are_as_large_as_the_limit_asks(generator, brief_of):
    raster = generator.generate(brief_of(words="ditsy floral"), [1], Limits(min_feature_mm=2.0))[0]
    smallest_px = int(np.ceil(2.0 * 240 / 160))
    thin = 0
    for line in np.concatenate([raster.indices, raster.indices.T]):
        ends = np.flatnonzero(np.diff(line)) + 1
        runs = np.diff(ends)
        thin += int(runs[runs < smallest_px].sum())
    assert thin / (2 * raster.indices.size) < 0.02


def test_a_reference_picture_gives_its_colours(generator, brief_of):
    picture = np.zeros((80, 80, 3), np.uint8)
    picture[:] = (240, 230, 210)
    picture[20:60, 25:55] = (30, 60, 120)
    raster = generator.generate(brief_of(Layout.STRAIGHT, words="", reference=picture), [1], Limits())[0]
    assert raster.palette.colours[0] == "#f0e6d2"
    assert "#1e3c78" in raster.palette.colours


def test_a_blank_picture_is_refused_with_its_field(generator, brief_of):
    with pytest.raises(GenerationError) as refused:
        generator.generate(brief_of(words="", reference=np.full((40, 40, 3), 200, np.uint8)), [1], Limits())
    assert refused.value.fields["field"] == "reference"


def test_progress_ends_at_the_last_step(generator, brief_of):
    told = []
    generator.generate(brief_of(), [1, 2], Limits(), on_step=lambda done, steps: told.append((done, steps)))
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1]
