"""Spaces of a brand's approved designs: built, kept, found again, walked in."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

import numpy as np
from django.db import transaction

from generation import services, storage
from generation.domain.latent import METHOD, Axis, Space, fitted, moved
from generation.domain.pattern import Brief, Raster
from generation.errors import UnknownLatentSpace
from generation.models import Artwork, LatentSpace


def build(shop: str, name: str, artworks: Sequence[Artwork]) -> LatentSpace:
    """Find the axes of the designs and keep them under the next version of that name; the same designs make no new one.

    Raises TooFewDesigns, ArtworkMissing.
    """
    ordered = sorted({artwork.sha256: artwork for artwork in artworks}.items())
    fingerprint = hashlib.sha256(f"{METHOD} {' '.join(sha256 for sha256, _ in ordered)}".encode()).hexdigest()
    newest = LatentSpace.objects.filter(shop=shop, name=name).first()
    if newest is not None and newest.fingerprint == fingerprint:
        return newest
    space = fitted([services.raster_of(artwork) for _, artwork in ordered])
    buffer = io.BytesIO()
    np.save(buffer, np.concatenate([space.mean[None], space.steps]))
    _, place = storage.put(buffer.getvalue(), shelf="latent", suffix="npy")
    with transaction.atomic():
        return LatentSpace.objects.create(
            shop=shop,
            name=name,
            version=newest.version + 1 if newest else 1,
            fingerprint=fingerprint,
            designs=[sha256 for sha256, _ in ordered],
            axes=[asdict(axis) for axis in space.axes],
            path=place,
        )


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


def walk(kept: LatentSpace, base: Raster, amounts: Mapping[str, float]) -> Raster:
    """The design moved along the space's axes. Raises UnknownAxis, OutsideAxis, ArtworkMissing."""
    sha256 = kept.path.rpartition("/")[2].partition(".")[0]
    arrays = np.load(io.BytesIO(storage.get(kept.path, sha256=sha256)))
    space = Space(tuple(Axis(**axis) for axis in kept.axes), arrays[0], arrays[1:])
    there = moved(base, space, amounts)
    return there if there is base else replace(there, origin=f"{kept.name} {kept.version}, {there.origin}")


def going_on(brief: Brief, moved_design: Raster, *, strength: float) -> Brief:
    """The brief that draws a moved design anew, so that its edges are drawn and not only pushed."""
    return replace(brief, parents=(moved_design,), strength=strength, redraw=(), share=0.5)
