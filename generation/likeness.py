"""Which known designs is this one like: the archive's, the ones it was trained on, the proposal it was drawn over."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from generation import storage
from generation.domain.pattern import IndexArray, Layout, Palette, Raster, Repeat
from generation.domain.setting import cells_for
from generation.domain.uniqueness import (
    DIMENSIONS,
    SAME_DESIGN,
    Mark,
    Waves,
    cell_marks,
    likeness,
    mark,
    nearest,
    packed,
    unpacked,
)
from generation.errors import ArtworkMissing
from generation.images import read_indexed_png
from generation.models import Artwork, ArtworkMark
from generation.training import corpus

__all__ = [
    "SAME_DESIGN",
    "Alike",
    "AlikeTraining",
    "Archive",
    "TrainingSearch",
    "archive",
    "family_in",
    "index_training",
    "keep_mark",
    "mark_of",
    "nearest_training",
    "nearest_training_of",
    "training_picture",
]

log = logging.getLogger(__name__)

_UNIT_PX = 128  # a training unit is compared at this size
_READ_AT_ONCE = 500
_CELLS = 2  # a repeat of many motif cells is compared by so many of them
_PROPOSAL = re.compile(r"proposal (\w+)(?: with (\w+))? (\d+)")
_ROLES_LAB = np.stack([np.linspace(5, 95, corpus.ROLES), np.zeros(corpus.ROLES), np.zeros(corpus.ROLES)], axis=1)


@dataclass(frozen=True)
class Alike:
    """An artwork that a design is like, 0 nothing in common, 1 the same."""

    artwork_id: int
    likeness: float


@dataclass(frozen=True)
class AlikeTraining:
    """A training picture that a design is like: drawn again by its seed."""

    seed: int
    family: str
    likeness: float

    @property
    def called(self) -> str:
        """Its family of motifs as people say it."""
        return self.family.replace("_", " ")

    @property
    def distance(self) -> float:
        """0 the same, 1 nothing in common."""
        return 1 - self.likeness


@dataclass(frozen=True)
class TrainingSearch:
    """The training pictures nearest to a design, best first, and among how many was looked: 0 when none are indexed."""

    compared: int
    nearest: tuple[AlikeTraining, ...]

    @property
    def common_stock(self) -> bool:
        """True when two independent drawings of our own programs are this design: nobody's property, like gingham."""
        return sum(each.likeness >= SAME_DESIGN for each in self.nearest) >= 2


@dataclass(frozen=True)
class Archive:
    """Some artworks as they are searched."""

    artwork_ids: tuple[int, ...]
    signatures: NDArray[np.float32]  # (n, DIMENSIONS)

    def nearest(self, one: Mark, *, count: int = 3) -> list[Alike]:
        """The artworks most like the design, best first."""
        found = nearest(one, self.signatures, self._waves_at, count=count)
        return [Alike(self.artwork_ids[each.place], each.likeness) for each in found]

    def _waves_at(self, places: Sequence[int]) -> list[Waves]:
        ids = [self.artwork_ids[place] for place in places]
        kept = dict(ArtworkMark.objects.filter(artwork__in=ids).values_list("artwork_id", "waves"))
        return [unpacked(bytes(kept[number])) for number in ids]


def keep_mark(artwork: Artwork, raster: Raster) -> ArtworkMark:
    """Keep what the artwork is known again by, beside it; the one that is there already stays."""
    one = mark(raster.indices, raster.palette.lab(), raster.repeat.layout)
    values = {
        "signature": one.signature.astype("<f2").tobytes(),
        "waves": packed(one.waves),
        "proposal_likeness": _proposal_likeness(raster, artwork.words),
    }
    return ArtworkMark.objects.get_or_create(artwork=artwork, defaults=values)[0]


def mark_of(artwork: Artwork) -> Mark:
    """What the artwork is known again by; read from its pixels where nothing is kept yet. Raises ArtworkMissing."""
    kept = ArtworkMark.objects.filter(artwork=artwork).first() or keep_mark(artwork, _raster(artwork))
    return Mark(unpacked(bytes(kept.waves)), np.frombuffer(kept.signature, "<f2").astype(np.float32))


def archive(artwork_ids: Iterable[int]) -> Archive:
    """Artworks, ready to be searched; one whose file is gone is left out and stands in the log."""
    ids = sorted(set(artwork_ids))
    found = {number: kept for number in ids if (kept := _signatures.get(number))}
    if len(found) < len(ids):
        read = _read_signatures([number for number in ids if number not in found])
        found |= read
        if not connection.in_atomic_block:  # else it may be undone, and the number given to another
            _signatures.update(read)
    places = [number for number in ids if number in found]
    signatures = np.frombuffer(b"".join([found[number] for number in places]), "<f2")
    return Archive(tuple(places), signatures.reshape(len(places), DIMENSIONS).astype(np.float32))


def index_training(seeds: int, report: Callable[[int, int], None] | None = None) -> Path:
    """Keep the signatures of the first `seeds` training pictures, for this version of the corpus; returns the file."""
    path = _training_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    signatures = np.zeros((seeds, DIMENSIONS), np.float16)
    for seed in range(seeds):
        signatures[seed] = _training_mark(seed)[0].signature
        if report and (seed + 1) % 1000 == 0:
            report(seed + 1, seeds)
    half = path.with_suffix(".part")
    with half.open("wb") as file:
        np.save(file, signatures)
    half.replace(path)
    _training_signatures.cache_clear()
    return path


def nearest_training(raster: Raster, count: int = 1, *, words: str = "") -> TrainingSearch:
    """The `count` training pictures most like a design or one of its motif cells, best first.

    words: the brief's, for how large its motif cells were set. Compares with what `index_training` has indexed.
    """
    path = _training_path()
    if not path.exists():  # looked at every time: it may be made while this process runs
        return TrainingSearch(0, ())
    signatures = _training_signatures(path)
    lab = raster.palette.lab()
    marks = [mark(raster.indices, lab, raster.repeat.layout)]
    cells = cells_for(raster.repeat, words, islands=True)
    if cells.columns * cells.rows > 1:
        marks += cell_marks(raster.indices, lab, cells, most=_CELLS)
    best: dict[int, float] = {}
    for one in marks:
        for each in nearest(
            one, signatures, lambda seeds: [_training_mark(seed)[0].waves for seed in seeds], count=count
        ):
            best[each.place] = max(each.likeness, best.get(each.place, 0.0))
    found = sorted(best.items(), key=lambda pair: -pair[1])[:count]
    alike = tuple(AlikeTraining(seed, _training_mark(seed)[1], value) for seed, value in found)
    return TrainingSearch(len(signatures), alike)


def nearest_training_of(artwork: Artwork, count: int = 3) -> TrainingSearch:
    """As `nearest_training`, kept beside the artwork for as long as the same training pictures are indexed."""
    path = _training_path()
    if not path.exists():
        return TrainingSearch(0, ())
    indexed = len(_training_signatures(path))

    def search() -> bytes:
        found = nearest_training(_raster(artwork), count, words=artwork.words)
        return json.dumps([[each.seed, each.family, round(each.likeness, 4)] for each in found.nearest]).encode()

    kept = storage.derived(artwork.sha256, f"training-{corpus.version()}-{indexed}-{count}.json", search)
    return TrainingSearch(indexed, tuple(AlikeTraining(*each) for each in json.loads(kept)))


def training_picture(seed: int, *, size_px: int) -> NDArray[np.uint8] | None:
    """An indexed training picture drawn again, (H, W, 3) uint8 in tones of grey; None when none of that seed is."""
    path = _training_path()
    if not path.exists() or not 0 <= seed < len(_training_signatures(path)):
        return None
    roles = _roles(corpus.random_unit(seed, size_px=size_px).coverage)
    tones = np.linspace(240, 40, corpus.ROLES).round().astype(np.uint8)
    return np.repeat(tones[roles][..., None], 3, axis=2)


def family_in(origin: str) -> str:
    """The family of motifs, such as sprig, of the proposal that an artwork's origin names; empty: it names none."""
    named = _PROPOSAL.search(origin)
    return named[1].replace("_", " ") if named else ""


def _raster(artwork: Artwork) -> Raster:
    indices, _ = read_indexed_png(storage.get(artwork.path, sha256=artwork.sha256))
    repeat = Repeat(artwork.repeat_width_mm, artwork.repeat_height_mm, Layout(artwork.layout))
    return Raster(indices, Palette(tuple(artwork.palette)), repeat, artwork.seed, origin=artwork.origin)


def _proposal_likeness(raster: Raster, words: str) -> float | None:
    """How alike a design is to the proposal that its origin names: high by intent."""
    named = _PROPOSAL.search(raster.origin)
    if named is None:
        return None
    try:
        family = corpus.family_named(named[1])
    except KeyError:
        return None
    unit = corpus.draw_unit(family, int(named[3]), size_px=_UNIT_PX)
    proposed = mark(_roles(unit.coverage), _ROLES_LAB, Layout.STRAIGHT)
    lab = raster.palette.lab()
    marks = [mark(raster.indices, lab, raster.repeat.layout)]
    if family.island:
        marks += cell_marks(raster.indices, lab, cells_for(raster.repeat, words, islands=True), most=1)
    return round(max(likeness(one, proposed) for one in marks), 4)


# What this process has read by the artwork's number, a kilobyte each: they never change.
_signatures: dict[int, bytes] = {}


def _read_signatures(artwork_ids: Sequence[int]) -> dict[int, bytes]:
    """What is kept, and made where nothing is; without those whose file is gone."""
    found: dict[int, bytes] = {}
    for first in range(0, len(artwork_ids), _READ_AT_ONCE):
        some = Artwork.objects.filter(pk__in=artwork_ids[first : first + _READ_AT_ONCE])
        marked = some.exclude(mark=None).values_list("pk", "mark__signature")
        found |= {number: bytes(kept) for number, kept in marked}
        for artwork in some.filter(mark=None):
            try:
                found[artwork.pk] = bytes(keep_mark(artwork, _raster(artwork)).signature)
            except ArtworkMissing:
                log.exception("artwork %s can't be compared with others", artwork.sha256)
    return found


@lru_cache(maxsize=512)
def _training_mark(seed: int) -> tuple[Mark, str]:
    unit = corpus.random_unit(seed, size_px=_UNIT_PX)
    return mark(_roles(unit.coverage), _ROLES_LAB, unit.layout), unit.family


def _roles(coverage: NDArray[np.uint8]) -> IndexArray:
    roles: IndexArray = coverage.argmax(axis=0).astype(np.uint8)
    return roles


def _training_path() -> Path:
    return storage.root() / "training" / f"{corpus.version()}.npy"


@lru_cache(maxsize=2)
def _training_signatures(path: Path) -> NDArray[np.float32]:
    signatures: NDArray[np.float32] = np.load(path).astype(np.float32)
    return signatures
