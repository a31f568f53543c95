"""Artworks are known again, among themselves and among what the weights were trained on."""

import contextlib

import numpy as np
import pytest
from django.db import transaction

from generation import likeness, services, storage
from generation.domain.pattern import Layout, Palette, Raster, Repeat
from generation.images import indexed_png
from generation.models import Artwork, ArtworkMark
from generation.training import corpus

pytestmark = pytest.mark.django_db
COLOURS = ("#f4efe6", "#203050", "#7a9a70", "#c9663f", "#e0b040", "#604060", "#99aabb", "#111111")


@pytest.fixture(autouse=True)
def own_store(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    likeness._signatures.clear()  # as in a process that has just begun


def raster(seed, *, turned=False, family="sprig", origin=""):
    unit = corpus.draw_unit(corpus.family_named(family), seed, size_px=96)
    indices = unit.coverage.argmax(axis=0).astype(np.uint8)
    if turned:
        indices = np.ascontiguousarray(np.roll(7 - np.rot90(indices), 31, axis=1))
    return Raster(indices, Palette(COLOURS), Repeat(80, 80, Layout.STRAIGHT), seed, origin=origin)


def kept(one, *, with_mark=True, pk=None):
    sha256, place = storage.put(indexed_png(one))
    artwork = Artwork.objects.create(
        pk=pk, sha256=sha256, key=sha256, path=place,
        width_px=96, height_px=96, repeat_width_mm=80, repeat_height_mm=80,
        layout="straight", palette=list(COLOURS), words="sprig", generator="test", fingerprint="test", seed=one.seed,
    )  # fmt: skip
    if with_mark:
        likeness.keep_mark(artwork, one)
    return artwork


def test_a_copy_in_other_colours_is_found_in_the_archive():
    artworks = [kept(raster(seed)) for seed in range(4)]
    copy = kept(raster(2, turned=True))
    first, second = likeness.archive([each.pk for each in artworks]).nearest(likeness.mark_of(copy), count=2)
    assert first.artwork_id == artworks[2].pk
    assert first.likeness >= likeness.SAME_DESIGN > second.likeness


def test_an_artwork_from_before_marks_were_kept_is_read_when_it_is_looked_for():
    old = kept(raster(2), with_mark=False)
    found = likeness.archive([old.pk]).nearest(likeness.mark_of(kept(raster(2, turned=True))))
    assert found[0].likeness >= likeness.SAME_DESIGN
    assert ArtworkMark.objects.filter(artwork=old).exists()


@pytest.mark.django_db(transaction=True)
def test_what_was_read_once_is_not_read_again_and_what_is_new_is_found(django_assert_num_queries):
    first = kept(raster(2))
    assert likeness.archive([first.pk]).artwork_ids == (first.pk,)
    with django_assert_num_queries(0):
        assert likeness.archive([first.pk]).artwork_ids == (first.pk,)
    second = kept(raster(3))
    both = likeness.archive([second.pk, first.pk])
    assert both.artwork_ids == (first.pk, second.pk)
    assert both.nearest(likeness.mark_of(second), count=1)[0].artwork_id == second.pk


@pytest.mark.django_db(transaction=True)
def test_what_was_undone_is_forgotten_for_its_number_may_be_given_again():
    with contextlib.suppress(ZeroDivisionError), transaction.atomic():
        undone = kept(raster(2))
        likeness.archive([undone.pk])
        _ = 1 / 0
    other = kept(raster(3), pk=undone.pk)
    found = likeness.archive([other.pk])
    assert np.allclose(found.signatures[0], likeness.mark_of(other).signature)


def test_an_artwork_whose_file_is_gone_is_left_out_and_told_of(caplog):
    old = kept(raster(2), with_mark=False)
    (storage.root() / old.path).unlink()
    assert likeness.archive([old.pk]).artwork_ids == ()
    assert old.sha256 in caplog.text


def test_a_recoloured_artwork_is_kept_with_a_mark_of_its_own():
    artwork = kept(raster(3))
    other = services.recolour(artwork, tuple(reversed(COLOURS[: len(services.raster_of(artwork).palette.colours)])))
    assert other.pk != artwork.pk
    assert likeness.archive([artwork.pk]).nearest(likeness.mark_of(other))[0].likeness > 0.999


def test_the_likeness_to_the_proposal_is_recorded():
    over = "model over proposal sprig 5, from noise 0.3"
    own, foreign = (
        likeness.keep_mark(kept(raster(n, origin=over), with_mark=False), raster(n, origin=over)) for n in (5, 6)
    )
    assert own.proposal_likeness >= likeness.SAME_DESIGN > foreign.proposal_likeness
    assert likeness.keep_mark(kept(raster(7)), raster(7)).proposal_likeness is None


def test_without_an_index_nothing_was_compared_and_that_is_said():
    assert likeness.nearest_training(raster(3)) == likeness.TrainingSearch(0, ())


def test_a_training_picture_is_known_again():
    likeness.index_training(24)
    unit = corpus.random_unit(17, size_px=96)
    seen = Raster(
        np.roll(unit.coverage.argmax(axis=0).astype(np.uint8), 13, axis=1), Palette(COLOURS),
        Repeat(80, 80, unit.layout), 1,
    )  # fmt: skip
    search = likeness.nearest_training(seen, 2)
    assert search.compared == 24
    assert search.nearest[0].likeness >= likeness.SAME_DESIGN
    assert search.nearest[0].family == unit.family


def test_an_index_that_another_process_makes_is_seen_without_a_restart():
    assert likeness.nearest_training(raster(3)).compared == 0
    path = likeness._training_path()
    path.parent.mkdir(parents=True)
    np.save(
        path,
        np.stack(
            [likeness.mark(each.indices, each.palette.lab(), Layout.STRAIGHT).signature for each in map(raster, (3, 4))]
        ),
    )
    assert likeness.nearest_training(raster(3)).compared == 2
