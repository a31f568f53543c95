"""Artworks in the store: drawn once, named by their bytes, never half written."""

import hashlib
import io

import numpy as np
import pytest
from PIL import Image

from generation import services, storage
from generation.domain.pattern import Brief, Layout, Limits, Palette, Raster, Repeat
from generation.errors import ArtworkMissing, InvalidBrief, NotAColour, UnknownGenerator
from generation.models import Artwork, ModelCard

pytestmark = pytest.mark.django_db


class Checks:
    """A generator that draws checks and counts what it is asked for."""

    name = "checks"

    def __init__(self):
        self.drawn = []

    def fingerprint(self):
        return "0" * 64

    def card(self):
        return {"name": "checks"}

    def generate(self, brief, seeds, limits, on_step=None):
        rasters = []
        for seed in seeds:
            self.drawn.append(seed)
            cell = 2 + seed
            rows, columns = np.indices((brief.height_px, brief.width_px)) // cell
            indices = ((rows + columns) % 2).astype(np.uint8)
            rasters.append(Raster(indices, Palette(("#ffffff", "#102030")), brief.repeat, seed))
            if on_step:
                on_step(1, 1)
        return rasters


@pytest.fixture
def checks(monkeypatch, settings, tmp_path):
    settings.VAR_DIR = tmp_path
    source = Checks()
    real = services.generator_named
    monkeypatch.setattr(services, "generator_named", lambda name: source if name == "checks" else real(name))
    return source


@pytest.fixture
def brief():
    return Brief("checks", Repeat(80, 60, Layout.HALF_DROP), 80, 60)


def draw(brief, seeds, **more):
    return services.draw(brief, seeds=seeds, limits=Limits(), generator="checks", **more)


def test_an_artwork_is_named_by_the_digest_of_its_file(checks, brief):
    (artwork,) = draw(brief, [1])
    data = (storage.root() / artwork.path).read_bytes()
    assert hashlib.sha256(data).hexdigest() == artwork.sha256
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.size == (artwork.width_px, artwork.height_px) == (80, 60)


def test_the_same_brief_and_seed_are_drawn_once(checks, brief):
    first = draw(brief, [1, 2])
    second = draw(brief, [2, 1])
    assert [artwork.pk for artwork in second] == [first[1].pk, first[0].pk]
    assert checks.drawn == [1, 2]
    assert len(list(storage.root().rglob("*.png"))) == 2


@pytest.mark.parametrize(
    "other",
    [
        {"words": "other"},
        {"palette": ("#000000", "#ffffff")},
        {"repeat": Repeat(81, 60, Layout.HALF_DROP)},
        {"reference": np.zeros((9, 9, 3), np.uint8)},
    ],
)
def test_whatever_changes_in_the_brief_changes_the_key(checks, brief, other):
    changed = Brief(**{**vars(brief), **other})
    keys = {services._key(each, 1, Limits(), "checks", "f") for each in (brief, changed)}
    assert len(keys) == 2


def test_two_briefs_with_the_very_same_picture_share_one_artwork(checks, brief):
    (first,) = draw(brief, [1])
    (second,) = draw(Brief(**{**vars(brief), "words": "chequers"}), [1])
    assert first.pk == second.pk
    assert Artwork.objects.count() == 1


def test_a_writer_killed_after_the_file_and_before_the_row_leaves_nothing_in_the_way(checks, brief, monkeypatch):
    def killed(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(Artwork.objects, "get_or_create", killed)
    with pytest.raises(KeyboardInterrupt):
        draw(brief, [1])
    monkeypatch.undo()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(services, "generator_named", lambda name: checks)
        patch.setattr("django.conf.settings.VAR_DIR", storage.root().parent, raising=False)
        (artwork,) = draw(brief, [1])
    assert services.raster_of(artwork).indices.shape == (60, 80)


def test_a_writer_killed_half_way_through_the_file_leaves_no_file_of_that_name(checks, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        storage.put(b"picture")
    assert [path for path in storage.root().rglob("*") if path.is_file()] == []


def test_pixels_come_back_as_they_were_drawn(checks, brief):
    (artwork,) = draw(brief, [3])
    raster = services.raster_of(artwork)
    assert raster.indices.tobytes() == checks.generate(brief, [3], Limits())[0].indices.tobytes()
    assert raster.repeat == brief.repeat
    assert raster.palette.colours == ("#ffffff", "#102030")


def test_a_file_that_was_changed_or_lost_is_noticed(checks, brief):
    (artwork,) = draw(brief, [1])
    path = storage.root() / artwork.path
    path.chmod(0o644)
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(ArtworkMissing, match="changed"):
        services.raster_of(artwork)
    path.unlink()
    with pytest.raises(ArtworkMissing, match="not in the store"):
        services.raster_of(artwork)


def test_the_preview_shows_the_layout(checks, brief):
    (artwork,) = draw(brief, [18])
    with Image.open(io.BytesIO(services.preview_png(artwork, size_px=160, columns=2, rows=1))) as picture:
        assert picture.size == (160, 60)
        cloth = np.asarray(picture.convert("L"))
    assert (cloth[:, 80:] == np.roll(cloth[:, :80], 30, axis=0)).all()


def test_progress_runs_over_all_seeds(checks, brief):
    told = []
    draw(brief, [1, 2, 3], on_step=lambda done, steps: told.append((done, steps)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_the_model_s_card_is_kept_with_its_fingerprint(checks, brief):
    draw(brief, [1])
    draw(brief, [2])
    assert ModelCard.objects.get().card == {"name": "checks"}


@pytest.mark.parametrize(
    ("change", "error", "field"),
    [
        ({"width_px": 4}, InvalidBrief, "repeat_mm"),
        ({"height_px": 99_999}, InvalidBrief, "repeat_mm"),
        ({"height_px": 61}, InvalidBrief, "repeat_mm"),
        ({"words": "  "}, InvalidBrief, "words"),
        ({"palette": ("#12345", "#ffffff")}, NotAColour, "palette"),
        ({"palette": ("#123456",)}, InvalidBrief, "palette"),
    ],
)
def test_a_brief_that_can_not_be_drawn_is_refused_with_its_field(checks, brief, change, error, field):
    with pytest.raises(error) as refused:
        draw(Brief(**{**vars(brief), **change}), [1])
    assert refused.value.fields["field"] == field
    assert checks.drawn == []


def test_one_colour_is_not_a_design(checks, brief):
    with pytest.raises(InvalidBrief, match="two colours"):
        services.draw(brief, seeds=[1], limits=Limits(max_colours=1), generator="checks")


def test_an_unknown_generator_is_named(brief):
    with pytest.raises(UnknownGenerator, match="midjourney"):
        services.draw(brief, seeds=[1], limits=Limits(), generator="midjourney")


def test_the_weights_that_ship_draw_through_the_services_and_the_words_matter(settings, tmp_path):
    """Stripes are even along themselves and flowers are not; a sign of the words in the pixels, not in the names."""
    settings.VAR_DIR = tmp_path
    repeat = Repeat(120, 120, Layout.STRAIGHT)

    def evenness(words):
        (artwork,) = services.draw(Brief(words, repeat, 180, 180), seeds=[5], limits=Limits())
        tile = services.raster_of(artwork).indices
        return [(np.diff(tile.astype(int), axis=axis) != 0).mean() for axis in (0, 1)]

    down, across = evenness("vertical stripes in navy and white")
    flower_down, flower_across = evenness("daisies")
    assert min(down, across) < 0.2 * max(down, across)
    assert min(flower_down, flower_across) > 0.4 * max(flower_down, flower_across)
    assert ModelCard.objects.get().card["images_seen"] > 0
