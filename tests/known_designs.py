"""Stored designs that took no model to draw, and lines that show them to a customer."""

import cv2
import numpy as np
from django.utils import timezone

from generation import storage
from generation.domain.pattern import Layout, Palette, Raster, Repeat
from generation.images import indexed_png
from generation.models import Artwork
from generation.training import corpus
from orders import services
from orders.models import Candidate, OrderLine

COLOURS = ("#f4efe6", "#203050", "#7a9a70", "#c9663f", "#e0b040", "#604060", "#99aabb", "#111111")


def drawn(seed, *, turned=False, covered=False):
    """A stored sprig; turned, moved and in other colours it is another file of the same design.

    Covered, the motif's colour stands where the ground was, and the ground where the motif was.
    """
    unit = corpus.draw_unit(corpus.family_named("sprig"), seed, size_px=96)
    indices = unit.coverage.argmax(axis=0).astype(np.uint8)
    if turned:
        indices = np.ascontiguousarray(np.roll(7 - np.rot90(indices), 31, axis=1))
    if covered:
        indices = np.where(indices < 2, 1 - indices, indices).astype(np.uint8)
    indices = cv2.resize(indices, (192, 192), interpolation=cv2.INTER_NEAREST)
    raster = Raster(indices, Palette(COLOURS), Repeat(80, 80, Layout.STRAIGHT), seed)
    sha256, place = storage.put(indexed_png(raster))
    made = {
        "path": place, "width_px": 192, "height_px": 192, "repeat_width_mm": 80, "repeat_height_mm": 80,
        "layout": "straight", "palette": list(COLOURS), "words": "sprig", "generator": "test", "fingerprint": "test",
        "seed": seed, "key": sha256,
    }  # fmt: skip
    return Artwork.objects.get_or_create(sha256=sha256, defaults=made)[0]


def shown(shop, customer, artwork):
    """A line of that customer in proofing, with the artwork as its one candidate that can be made."""
    new = services.NewLine(
        words="sprigs", quantity_m=5, layout="straight", repeat_mm=(80, 80), substrate="FAB-COT-SAT", due_in_days=30
    )
    line = services.place(shop, customer=customer, lines=[new], by=None).lines.get()
    candidate = Candidate.objects.create(
        round=line.newest_round, position=1, artwork=artwork, drawn_at=timezone.now(), checked_at=timezone.now(),
        passed=True, price=100, currency="EUR", promise=timezone.now(),
    )  # fmt: skip
    OrderLine.objects.filter(pk=line.pk).update(state="proofing")
    return seen(line), candidate


def seen(line):
    return OrderLine.objects.select_related("order__shop", "order__customer").get(pk=line.pk)
