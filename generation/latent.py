"""Spaces of a brand's approved designs: built, kept, found again, named, kept within bounds, looked at, walked in."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from django.db import transaction

from generation import services, storage
from generation.domain.latent import METHOD, Axis, Space, checked, fitted, gridded, moved, place, smaller
from generation.domain.pattern import Brief, Raster
from generation.errors import InvalidAxis, UnknownAxis, UnknownLatentSpace
from generation.images import indexed_png, read_indexed_png
from generation.models import Artwork, LatentSpace

LOOKED_AT_PX = 256  # the longer side of a design while somebody drags it
LONGEST_NAME = 40  # of an axis
_GRID, _SMALL = "grid.png", f"small-{LOOKED_AT_PX}.png"


@dataclass(frozen=True)
class Standing:
    """How far the reading of the designs for a space has come."""

    read: int
    of: int

    @property
    def done(self) -> bool:
        """True once the space can be built at once."""
        return self.read == self.of


def build(shop: str, name: str, artworks: Sequence[Artwork]) -> LatentSpace:
    """Find the axes of the designs and keep them under the next version of that name; the same designs make no new one.

    What people call the axes and how far they allow them goes over to the next version. Raises TooFewDesigns,
    ArtworkMissing.
    """
    ordered = sorted({artwork.sha256: artwork for artwork in artworks}.items())
    fingerprint = hashlib.sha256(f"{METHOD} {' '.join(sha256 for sha256, _ in ordered)}".encode()).hexdigest()
    newest = LatentSpace.objects.filter(shop=shop, name=name).first()
    if newest is not None and newest.fingerprint == fingerprint:
        return newest
    space = fitted([_read(artwork) for _, artwork in ordered])
    buffer = io.BytesIO()
    np.save(buffer, np.concatenate([space.mean[None], space.steps]))
    _, where = storage.put(buffer.getvalue(), shelf="latent", suffix="npy")
    axes = _as_before(space.axes, axes_of(newest)) if newest else space.axes
    with transaction.atomic():
        return LatentSpace.objects.create(
            shop=shop,
            name=name,
            version=newest.version + 1 if newest else 1,
            fingerprint=fingerprint,
            designs=[sha256 for sha256, _ in ordered],
            axes=[asdict(axis) for axis in axes],
            path=where,
        )


def read_some(artworks: Sequence[Artwork], *, most: int) -> Standing:
    """Read at most so many of the designs that were not read yet for a space: reading takes longest. `most` 0: none.

    Raises ArtworkMissing.
    """
    unread = [artwork for artwork in artworks if not storage.is_derived(artwork.sha256, _GRID)]
    for artwork in unread[:most]:
        _read(artwork)
    return Standing(len(artworks) - max(0, len(unread) - most), len(artworks))


def found(shop: str, name: str, *, version: int | None = None) -> LatentSpace:
    """The shop's space of that name, the newest or that version. Raises UnknownLatentSpace."""
    named = LatentSpace.objects.filter(shop=shop, name=name)
    kept = (named.filter(version=version) if version else named).first()
    if kept is None:
        known = ", ".join(LatentSpace.objects.filter(shop=shop).values_list("name", flat=True).distinct()) or "none"
        raise UnknownLatentSpace(
            f"There is no space {name!r}; there are: {known}.", fields={"field": "name", "value": name}
        )
    return kept


def newest_of(shop: str) -> list[LatentSpace]:
    """The newest version of each of the shop's spaces, by name."""
    by_name: dict[str, LatentSpace] = {}
    for kept in LatentSpace.objects.filter(shop=shop):
        by_name.setdefault(kept.name, kept)
    return list(by_name.values())


def axes_of(kept: LatentSpace) -> tuple[Axis, ...]:
    """The axes of a space."""
    return tuple(
        Axis(**{**axis, "places": tuple(axis.get("places", ())), "allowed": _pair(axis.get("allowed"))})
        for axis in kept.axes
    )


def rename(kept: LatentSpace, axis: str, called: str) -> LatentSpace:
    """Call an axis by another name; an empty one gives it its first name back. Raises UnknownAxis, InvalidAxis."""
    called = " ".join(called.split())
    if len(called) > LONGEST_NAME:
        too_long = f"The name has {len(called)} letters; {LONGEST_NAME} are the most. Shorten it."
        raise InvalidAxis(too_long, fields={"field": "called", "value": len(called), "limit": LONGEST_NAME})
    with transaction.atomic():
        fresh = LatentSpace.objects.select_for_update().get(pk=kept.pk)
        others = [each for each in axes_of(fresh) if each.name != axis]
        if any(called.casefold() in (each.name.casefold(), each.called.casefold()) for each in others if called):
            twice = f"Another axis is called {called} already: choose another name."
            raise InvalidAxis(twice, fields={"field": "called", "value": called})
        return _changed(fresh, axis, called="" if called == axis else called)


def allow(kept: LatentSpace, axis: str, least: float, most: float) -> LatentSpace:
    """Keep how far a design may be moved along an axis: what lies outside is refused from now on.

    0 is where a design stands, and is always allowed. Raises UnknownAxis, InvalidAxis.
    """
    with transaction.atomic():
        fresh = LatentSpace.objects.select_for_update().get(pk=kept.pk)
        known = {each.name: each for each in axes_of(fresh)}
        if axis not in known:
            raise UnknownAxis(fields={"field": "axis", "value": axis})
        farthest = known[axis].farthest
        if not farthest[0] <= least <= 0 <= most <= farthest[1]:  # also refuses NaN
            raise InvalidAxis(
                f"{known[axis].said} can be allowed from {farthest[0]:g} to {farthest[1]:g}, as far as the approved "
                f"designs go, with 0 among it; {least:g} to {most:g} was asked for.",
                fields={"field": "allowed", "value": [least, most], "limit": list(farthest)},
            )
        return _changed(fresh, axis, allowed=(round(least, 3), round(most, 3)))


def places(kept: LatentSpace, artworks: Sequence[Artwork]) -> list[tuple[float, ...]]:
    """Where designs lie along the axes of a space; each is computed once. Raises ArtworkMissing."""
    known = dict(zip(kept.designs, zip(*(axis.places for axis in axes_of(kept)), strict=False), strict=False))
    return [known.get(artwork.sha256) or _place(kept, artwork) for artwork in artworks]


def walk(kept: LatentSpace, base: Raster, amounts: Mapping[str, float]) -> Raster:
    """The design moved along the space's axes. Raises UnknownAxis, OutsideAxis, ArtworkMissing."""
    there = moved(base, _space(kept), amounts)
    return there if there is base else replace(there, origin=f"{kept.name} {kept.version}, {there.origin}")


def check_walk(kept: LatentSpace, amounts: Mapping[str, float]) -> dict[str, float]:
    """The amounts by the axes' own names, if a design may be moved so. Raises UnknownAxis, OutsideAxis, InvalidAxis."""
    found = checked(_space(kept), amounts)
    if not any(found.values()):
        raise InvalidAxis("The design was not moved: move it along an axis first.", fields={"field": "walk"})
    return found


def walked_png(kept: LatentSpace, artwork: Artwork, amounts: Mapping[str, float], *, size_px: int) -> bytes:
    """One repeat of a design as it would be moved, small and quick to make: edges have moved, nothing is drawn anew.

    Raises UnknownAxis, OutsideAxis, ArtworkMissing.
    """
    return services.picture_png(moved(small(artwork), _space(kept), amounts), size_px=size_px)


def small(artwork: Artwork) -> Raster:
    """The artwork at LOOKED_AT_PX a side at most, each role in its first colour. Raises ArtworkMissing."""
    return _reduced(artwork, _SMALL)


def going_on(brief: Brief, moved_design: Raster, *, strength: float) -> Brief:
    """The brief that draws a moved design anew, so that its edges are drawn and not only pushed."""
    return replace(brief, parents=(moved_design,), strength=strength, redraw=(), share=0.5)


def _space(kept: LatentSpace) -> Space:
    arrays = _arrays(storage.root(), kept.path)
    return Space(axes_of(kept), arrays[0], arrays[1:])


@lru_cache(maxsize=16)
def _arrays(root: Path, path: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """What is kept under the digest of its bytes stays the same: it is read once by each process."""
    sha256 = path.rpartition("/")[2].partition(".")[0]
    arrays: np.ndarray[tuple[int, ...], np.dtype[np.float32]] = np.load(io.BytesIO(storage.get(path, sha256=sha256)))
    return arrays


def _place(kept: LatentSpace, artwork: Artwork) -> tuple[float, ...]:
    data = storage.derived(
        artwork.sha256,
        f"place-{kept.path.rpartition('/')[2][:16]}.json",
        lambda: json.dumps(place(_read(artwork), _space(kept))).encode(),
    )
    return tuple(json.loads(data))


def _read(artwork: Artwork) -> Raster:
    """The artwork as it is compared with others in a space."""
    return _reduced(artwork, _GRID)


def _reduced(artwork: Artwork, kind: str) -> Raster:
    """A smaller one of an artwork, made once; its colours and roles are the artwork's."""

    def make() -> bytes:
        whole = services.raster_of(artwork)
        return indexed_png(gridded(whole) if kind == _GRID else smaller(whole, longer_px=LOOKED_AT_PX))

    indices, _ = read_indexed_png(storage.derived(artwork.sha256, kind, make))
    return services.raster_with(artwork, indices)


def _changed(kept: LatentSpace, axis: str, **values: object) -> LatentSpace:
    if axis not in {each["name"] for each in kept.axes}:
        raise UnknownAxis(fields={"field": "axis", "value": axis})
    kept.axes = [{**each, **(values if each["name"] == axis else {})} for each in kept.axes]
    kept.save(update_fields=["axes"])
    return kept


def _as_before(axes: Sequence[Axis], before: Sequence[Axis]) -> tuple[Axis, ...]:
    """The axes with the names and bounds that people gave to those of the same name, as far as these still reach."""
    known = {axis.name: axis for axis in before}

    def kept(axis: Axis) -> Axis:
        old = known.get(axis.name)
        if old is None:
            return axis
        least, most = axis.farthest
        bounds = (max(least, old.allowed[0]), min(most, old.allowed[1])) if old.allowed else None
        return replace(axis, called=old.called, allowed=bounds)

    return tuple(map(kept, axes))


def _pair(kept: Sequence[float] | None) -> tuple[float, float] | None:
    return None if kept is None else (float(kept[0]), float(kept[1]))
