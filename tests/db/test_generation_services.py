"""Artworks in the store: drawn once, named by their bytes, never half written."""

import hashlib
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from generation import images, services, storage
from generation.domain.pattern import Brief, Knobs, Layout, Limits, Palette, Raster, Repeat
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


def parent(*, cell=3, palette=("#ffffff", "#102030"), layout=Layout.HALF_DROP, roles=()):
    indices = (np.indices((60, 80)) // cell).sum(axis=0) % 2
    return Raster(indices.astype(np.uint8), Palette(palette), Repeat(80, 60, layout), 1, roles=roles)


@pytest.mark.parametrize(
    "other",
    [
        {"knobs": Knobs(scale=1.4)},
        {"knobs": Knobs(density=0.7)},
        {"parents": (parent(),)},
        {"parents": (parent(), parent(cell=5))},
        {"strength": 0.3},
        {"share": 0.3},
        {"redraw": (1,)},
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


@pytest.mark.parametrize(
    "change",
    [{"cell": 5}, {"palette": ("#ffffff", "#203040")}, {"roles": (0, 2)}, {"layout": Layout.STRAIGHT}],
)
def test_whatever_changes_in_the_drawing_to_go_on_from_changes_the_key(checks, brief, change):
    briefs = [Brief(**{**vars(brief), "parents": (each,)}) for each in (parent(), parent(**change))]
    assert len({services._key(each, 1, Limits(), "checks", "f") for each in briefs}) == 2


def test_the_same_pixels_set_otherwise_are_another_artwork(checks, brief):
    artworks = [
        draw(Brief(**{**vars(brief), "repeat": Repeat(80, 60, layout)}), [1])[0]
        for layout in (Layout.HALF_DROP, Layout.STRAIGHT)
    ]
    assert [services.raster_of(artwork).repeat.layout for artwork in artworks] == [Layout.HALF_DROP, Layout.STRAIGHT]


def test_a_colourway_changes_no_pixel_s_index_and_asks_no_model(checks, brief):
    (artwork,) = draw(brief, [1])
    other = services.recolour(artwork, ["navy", "#F4C3A5"])
    before, after = services.raster_of(artwork), services.raster_of(other)
    assert (after.indices == before.indices).all()
    assert after.palette.colours == ("#1d2f52", "#f4c3a5")
    assert artwork.sha256 != other.sha256
    assert services.recolour(artwork, ["navy", "#f4c3a5"]).pk == other.pk
    assert services.recolour(other, list(artwork.palette)).pk == artwork.pk, "and back again it is the first"
    assert checks.drawn == [1]


def test_a_named_palette_gives_each_colour_the_one_of_its_role(checks, brief):
    (artwork,) = draw(brief, [1])
    Artwork.objects.update(roles=[0, 3])
    artwork.refresh_from_db()
    nordic = services.palette_named("nordic")
    assert services.colourway(artwork, "nordic") == (nordic[0], nordic[3])


@pytest.mark.parametrize(
    ("palette", "said"),
    [(["#ffffff"], "2 colours and 1"), (["red"] * 2, "Two of the colours are the same"), (["red", "#1"], "not a colo")],
)
def test_a_colourway_that_is_none_is_refused(checks, brief, palette, said):
    (artwork,) = draw(brief, [1])
    with pytest.raises((InvalidBrief, NotAColour), match=said) as refused:
        services.recolour(artwork, palette)
    assert refused.value.fields["field"] == "palette"


def test_roles_and_notes_are_kept_with_the_artwork(checks, brief):
    told = replace(parent(roles=(0, 4)), notes=("Emoji are not read.",))
    artwork = services._keep(told, words="w", key="k", generator="checks", fingerprint="f")
    raster = services.raster_of(Artwork.objects.get(pk=artwork.pk))
    assert (raster.roles, raster.notes) == ((0, 4), ("Emoji are not read.",))


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
        ({"height_px": 62, "repeat": Repeat(80, 60, Layout.THIRD_DROP)}, InvalidBrief, "repeat_mm"),
        ({"width_px": 81, "repeat": Repeat(80, 60, Layout.HALF_BRICK)}, InvalidBrief, "repeat_mm"),
        ({"words": "  "}, InvalidBrief, "words"),
        ({"palette": ("#12345", "#ffffff")}, NotAColour, "palette"),
        ({"palette": ("#123456",)}, InvalidBrief, "palette"),
        ({"palette": ("#123456", "#123456")}, InvalidBrief, "palette"),
        ({"palette": ("navy", "#ffffff", "#1d2f52")}, InvalidBrief, "palette"),
        ({"palette": tuple(f"#0000{n:02x}" for n in range(40))}, InvalidBrief, "palette"),
        ({"words": "x" * 501}, InvalidBrief, "words"),
        ({"knobs": Knobs(scale=0.4)}, InvalidBrief, "scale"),
        ({"knobs": Knobs(density=float("nan"))}, InvalidBrief, "density"),
        ({"strength": 1.1}, InvalidBrief, "strength"),
        ({"strength": -0.1}, InvalidBrief, "strength"),
        ({"share": float("nan")}, InvalidBrief, "share"),
        ({"parents": (parent(),) * 3}, InvalidBrief, "parents"),
        ({"parents": (parent(layout=Layout.MIRROR),)}, InvalidBrief, "layout"),
        ({"redraw": (1,)}, InvalidBrief, "redraw"),
        ({"redraw": (1,), "parents": (parent(), parent())}, InvalidBrief, "redraw"),
        ({"redraw": (2,), "parents": (parent(),)}, InvalidBrief, "redraw"),
    ],
)
def test_a_brief_that_can_not_be_drawn_is_refused_with_its_field(checks, brief, change, error, field):
    with pytest.raises(error) as refused:
        draw(Brief(**{**vars(brief), **change}), [1])
    assert refused.value.fields["field"] == field
    assert checks.drawn == []


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_that_no_generator_takes_is_refused_before_anything_is_drawn(checks, brief, seed):
    with pytest.raises(InvalidBrief, match="seed") as refused:
        draw(brief, [1, seed])
    assert refused.value.fields["limit"] == [0, 2**32 - 1]
    assert checks.drawn == []


def test_one_drawing_is_kept_before_the_next_is_begun(checks, brief):
    coming = services.drawings(brief, seeds=[1, 2], limits=Limits(), generator="checks")
    first = next(coming)
    assert (checks.drawn, Artwork.objects.get()) == ([1], first)
    assert [each.seed for each in coming] == [2]


def test_what_is_only_looked_at_is_not_kept(checks, brief):
    (raster,) = services.rasters(brief, seeds=[1], limits=Limits(), generator="checks")
    assert raster.indices.shape == (60, 80)
    assert not Artwork.objects.exists()
    assert not storage.root().exists()


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


def test_a_picture_is_read_back_though_its_plain_pixels_take_more_than_a_file_may(settings, tmp_path, monkeypatch):
    settings.VAR_DIR = tmp_path
    monkeypatch.setattr(images, "MOST_BYTES", 50_000)
    noise = np.random.default_rng(0).integers(0, 256, (150, 150, 3)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "JPEG", quality=80)
    sha256 = services.keep_reference(buffer.getvalue(), whole=True)
    assert services.kept_reference(sha256).shape == noise.shape
