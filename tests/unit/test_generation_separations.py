"""Separations as SVG: rendered back they are the raster, without gaps, and they close as the tile does."""

import re
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from generation.domain.finish import enlarge
from generation.domain.palette import NAMED_PALETTES
from generation.domain.pattern import Layout, Palette, Raster, Repeat
from generation.domain.separations import separations_svg
from generation.training import corpus

FINE = 4  # pixels of the check to one of the raster


def raster_of(family="simple_flower", size_px=400, seed=3, layout=Layout.STRAIGHT):
    coverage = corpus.draw_unit(corpus.family_named(family), seed, size_px=100, layout=layout).coverage
    indices = enlarge(coverage.astype(np.float32), width_px=size_px, height_px=size_px, layout=layout)
    used, indices = np.unique(indices, return_inverse=True)
    palette = Palette(tuple(NAMED_PALETTES["nordic"][role] for role in used))
    indices = indices.reshape(size_px, size_px).astype(np.uint8)
    return Raster(indices, palette, Repeat(160, 160, layout), seed=seed, roles=tuple(used.tolist()))


def paths_of(svg):
    root = ElementTree.fromstring(svg)
    return root, root.findall("{http://www.w3.org/2000/svg}path")


def outlines(data):
    """Polygons (n, 2) of a path's M, L, Q and Z, curves drawn with four chords each."""
    found, points = [], []
    for letter, text in re.findall(r"([MLQZ])([^MLQZ]*)", data):
        numbers = np.array(text.split(), float).reshape(-1, 2)
        if letter == "Z":
            found.append(np.array(points))
            points = []
        elif letter == "Q":
            start, (pull, end) = points[-1], numbers
            points += [(1 - t) ** 2 * start + 2 * t * (1 - t) * pull + t * t * end for t in (0.25, 0.5, 0.75, 1.0)]
        else:
            points.append(numbers[0])
    return found


def rendered(svg, raster):
    """(colours, H, W): which pixel centres each path covers, by the even-odd rule."""
    root, paths = paths_of(svg)
    width_mm, height_mm = map(float, root.get("viewBox").split()[2:])
    scale = np.array([raster.width_px / width_mm, raster.height_px / height_mm]) * FINE
    covered = []
    for path in paths:
        sheet = np.zeros((raster.height_px * FINE, raster.width_px * FINE), np.uint8)
        polygons = [np.round((outline * scale - 0.5) * 64).astype(np.int32) for outline in outlines(path.get("d"))]
        cv2.fillPoly(sheet, polygons, 1, shift=6)
        covered.append(sheet[FINE // 2 :: FINE, FINE // 2 :: FINE].astype(bool))
    return np.stack(covered)


@pytest.mark.parametrize("family", ["simple_flower", "leopard", "houndstooth"])
def test_rendered_back_they_are_the_raster_within_one_percent_and_without_a_gap(family):
    raster = raster_of(family)
    covered = rendered(separations_svg(raster), raster)
    assert covered.any(axis=0).all()
    mismatch = (covered.argmax(axis=0) != raster.indices).mean()
    assert mismatch <= 0.01


def test_there_is_one_path_per_colour_named_by_role_and_colour_at_true_size():
    raster = raster_of()
    root, paths = paths_of(separations_svg(raster))
    assert (root.get("width"), root.get("viewBox")) == ("160mm", "0 0 160 160")
    assert [path.get("fill") for path in paths] == list(raster.palette.colours)
    assert all(path.get("fill-rule") == "evenodd" for path in paths)
    assert paths[0].get("id") == f"ground-{raster.palette.colours[0][1:]}"


def test_neighbouring_colours_share_their_curves_exactly():
    seen = {}
    for path in paths_of(separations_svg(raster_of()))[1]:
        for curve in curves(path.get("d")):
            seen[curve] = seen.get(curve, 0) + 1
    assert len(seen) > 1000
    assert set(seen.values()) == {2}


def curves(data):
    """Every quadratic curve as (pull, its two ends in order of size), as written."""
    here = None
    for letter, text in re.findall(r"([MLQ])([^MLQZ]*)", data):
        numbers = text.split()
        if letter == "Q":
            yield tuple(numbers[:2]), tuple(sorted([here, tuple(numbers[2:])]))
        here = tuple(numbers[-2:])


def test_outlines_reach_the_tiles_edge_where_the_raster_does():
    raster = raster_of("leopard")
    starts = set()
    for path in paths_of(separations_svg(raster))[1]:
        for outline in outlines(path.get("d")):
            starts |= {round(y / 160 * raster.height_px, 2) for x, y in outline.tolist() if x == 0}
    changes = np.flatnonzero(np.diff(raster.indices[:, 0])) + 1
    assert {float(row) for row in changes} <= starts


def test_stairs_become_smooth():
    indices = np.tri(64, dtype=np.uint8)
    svg = separations_svg(Raster(indices, Palette(("#ffffff", "#000000")), Repeat(64, 64), seed=0))
    (outline,) = outlines(paths_of(svg)[1][1].get("d"))
    diagonal = outline[(outline[:, 0] > 8) & (outline[:, 0] < 56) & (outline[:, 1] < 63) & (outline[:, 1] > 8)]
    off = np.abs(diagonal[:, 0] - diagonal[:, 1])
    assert off.max() - off.min() < 0.1
