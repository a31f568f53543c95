"""Geometric and woven patterns: fields and lattices that run on from unit to unit without a break."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from generation.training.corpus.florals import Words
from generation.training.corpus.shapes import TAU, blade, place, rosette
from generation.training.corpus.sheet import Points, Sheet


def _fold(value: Points) -> Points:
    """Triangle wave of period 1, from 0 at whole numbers to 1 half-way."""
    out: Points = 1 - np.abs(2 * (value - np.floor(value)) - 1)
    return out


def stripes(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Stripes of two to five widths, across or along."""
    x, y = sheet.grid()
    vertical = style.random() < 0.6
    axis = x if vertical else y
    count = int(style.integers(1, 5))
    bands = int(style.choice((1, 2, 2, 3)))
    phase = (axis * count) % 1.0
    edges = np.sort(style.uniform(0.06, 0.94, size=2 * bands))
    for k in range(bands):
        sheet.paint(1 + k, (phase > edges[2 * k]) & (phase < max(edges[2 * k + 1], edges[2 * k] + 0.12)))
    return ("vertical" if vertical else "horizontal", "wide" if count == 1 else "narrow", "nautical", "classic")


def pinstripe(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Fine even stripes."""
    x, y = sheet.grid()
    vertical = style.random() < 0.7
    count = int(style.integers(3, 8))
    width = style.uniform(0.25, 0.5)
    phase = ((x if vertical else y) * count) % 1.0
    sheet.paint(1, np.abs(phase - 0.5) < width / 2)
    return ("fine", "tailored", "vertical" if vertical else "horizontal", "ticking")


def diagonal_stripes(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Stripes on the bias."""
    x, y = sheet.grid()
    count = int(style.integers(1, 4))
    phase = (count * (x + style.choice((-1, 1)) * y)) % 1.0
    width = style.uniform(0.25, 0.5)
    sheet.paint(1, phase < width)
    if style.random() < 0.5:
        sheet.paint(2, (phase > width + 0.15) & (phase < 0.85))
    return ("diagonal", "bias", "candy", "dynamic")


def plaid(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Tartan: the same stripes both ways, with a twilled mixture where they cross."""
    x, y = sheet.grid()
    bands = [
        (style.uniform(0.05, 0.3), style.uniform(0.16, 0.3), 1),
        (style.uniform(0.5, 0.7), style.uniform(0.06, 0.14), 2),
    ]
    if style.random() < 0.6:
        bands.append((style.uniform(0.78, 0.92), 0.045, 3))
    twill = ((x + y) * 16) % 1.0 < 0.5
    across, along = np.zeros(x.shape, np.uint8), np.zeros(x.shape, np.uint8)
    for at, width, role in bands:
        across[np.abs(x - at) < width / 2] = role
        along[np.abs(y - at) < width / 2] = role
    mixed = np.where(twill, across, along)
    sheet.roles[:] = np.where(
        (across > 0) & (along > 0),
        np.where(across == along, across, mixed),
        np.where(twill, np.maximum(across, along), np.where(np.minimum(across, along) > 0, mixed, 0)),
    )
    solid = (across == 3) | (along == 3)
    sheet.roles[solid] = 3
    return ("tartan", "Scottish", "checked", "autumn", "wool")


def gingham(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Gingham: even checks, half tone where one stripe crosses the ground."""
    x, y = sheet.grid()
    n = int(style.integers(1, 5))
    a, b = (x * n) % 1.0 < 0.5, (y * n) % 1.0 < 0.5
    sheet.paint(2, a ^ b)
    sheet.paint(1, a & b)
    return ("checked", "picnic", "country", "vichy")


def windowpane(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """A grid of lines, single or double."""
    x, y = sheet.grid()
    n = int(style.integers(1, 4))
    width = style.uniform(0.04, 0.09) if n == 1 else 0.11
    for axis in (x, y):
        phase = np.abs((axis * n) % 1.0 - 0.5)
        sheet.paint(1, phase < width / 2)
        if n == 1 and style.random() < 0.5:
            sheet.paint(2, np.abs(phase - 0.16) < 0.022)
    return ("grid", "lines", "minimalist", "checked")


def checkerboard(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Squares in alternation."""
    x, y = sheet.grid()
    n = int(style.integers(1, 4))
    sheet.paint(1, ((np.floor(x * 2 * n) + np.floor(y * 2 * n)) % 2) == 1)
    return ("chequered", "squares", "graphic", "retro")


def argyle(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Diamonds with fine crossing lines."""
    x, y = sheet.grid()
    n = int(style.integers(1, 3))
    u, v = _fold(x * n), _fold(y * n)
    sheet.paint(1, u + v > 1.0 + style.uniform(0, 0.1))
    if style.random() < 0.7:
        lines = np.minimum(np.abs(_fold(x * n) - _fold(y * n)), 1.0)
        sheet.paint(3, lines < 0.06 * n)
    return ("diamond", "harlequin", "knitted", "preppy")


def houndstooth(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Houndstooth, from the weave itself: four dark and four light threads both ways in a 2/2 twill."""
    x, y = sheet.grid()
    n = int(style.integers(1, 3))
    column, row = np.floor(x * 8 * n).astype(int) % 8, np.floor(y * 8 * n).astype(int) % 8
    warp_up = (column + row) % 4 < 2
    sheet.paint(1, np.where(warp_up, column < 4, row < 4))
    return ("dogtooth", "woven", "tailored", "classic")


def herringbone(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Herringbone columns of slanted bars."""
    x, y = sheet.grid()
    columns = 2 * int(style.integers(1, 3))
    slope = int(style.integers(1, 3)) * columns / 2
    sign = np.where(np.floor(x * columns) % 2 == 0, 1.0, -1.0)
    local = (x * columns) % 1.0
    phase = (y * columns * 1.5 // 1 * 0 + y * 2 * slope + sign * local * slope / columns * 2) % 1.0
    sheet.paint(1, phase < style.uniform(0.4, 0.55))
    return ("broken twill", "woven", "tweed", "tailored")


def chevron(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Zigzag bands."""
    x, y = sheet.grid()
    n, bands = int(style.integers(1, 4)), int(style.integers(1, 4))
    phase = (y * bands + style.uniform(0.3, 0.7) * bands / max(n, bands) * _fold(x * n)) % 1.0
    roles = (1, 2, 3) if style.random() < 0.5 else (1,)
    width = 0.5 / len(roles) + 0.08
    for k, role in enumerate(roles):
        start = k / len(roles)
        sheet.paint(role, (phase >= start) & (phase < start + width / 1.3))
    return ("zigzag", "dynamic", "graphic", "missoni style")


def waves(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Soft wave lines."""
    x, y = sheet.grid()
    n, bands = int(style.integers(1, 3)), int(style.integers(2, 5))
    depth = style.uniform(0.05, 0.11)
    phase = (bands * (y + depth * np.sin(TAU * n * x))) % 1.0
    width = style.uniform(0.3, 0.5)
    sheet.paint(1, phase < width)
    if style.random() < 0.4:
        sheet.paint(
            2, (bands * (y + depth * np.sin(TAU * n * x))) % 2.0 < width if bands % 2 == 0 else phase > 1 - width / 3
        )
    return ("wavy", "sea", "calm", "coastal")


def scallops(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Overlapping fans, as in Japanese seigaiha: of the fans over a pixel the lowest one lies in front."""
    x, y = sheet.grid()
    n = int(style.integers(1, 3))
    rings = int(style.integers(2, 5))
    radius, drop = 0.5 / n, 0.25 / n
    order = (1, 0, 2, 0) if rings > 2 else (1, 0)
    for ahead in (0, 1):
        row = np.floor(y / drop) + ahead
        off_centre = (x * n - 0.5 * (row % 2)) % 1.0 - 0.5
        distance = np.hypot(off_centre / n, (row + 1) * drop - y) / radius
        for ring in range(rings):
            sheet.paint(order[ring], distance < 1 - 0.95 * ring / rings)
    return ("Japanese", "seigaiha", "fan", "art deco")


def ogee(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Onion shapes with pointed ends in nested outlines, offset by half, with a palmette inside or a kernel."""
    x, y = sheet.grid()
    wave = 0.25 + 0.25 * np.cos(TAU * y)
    steepness = np.hypot(1.0, 0.25 * TAU * np.sin(TAU * y))
    from_edge = (wave - np.abs((x + 0.5) % 1.0 - 0.5)) / steepness  # > 0 in the one, < 0 in the other
    depth = np.abs(from_edge)
    line = style.uniform(0.022, 0.036)
    other = int(style.choice((0, 2, 0)))
    sheet.paint(other, from_edge > 0)
    sheet.paint(1, depth < line)
    if style.random() < 0.6:
        sheet.paint(3, np.abs(depth - 2.6 * line) < 0.45 * line)
    kernel = style.random() < 0.4
    if kernel:
        sheet.paint(1, depth > 0.15)
        sheet.paint(3, depth > 0.24)
    else:
        for cx, cy in ((0.5, 0.5), (0.0, 0.0)):
            for k in (-2, -1, 0, 1, 2):
                outline = blade(0.25 - 0.035 * abs(k), 0.085, belly=1.2, point=0.7)
                sheet.fill(1 if k % 2 == 0 else 3, place(outline, cx, cy + 0.11, -np.pi / 2 + 0.5 * k))
            sheet.disc(1, cx, cy + 0.13, 0.035)
    return ("ogee", "Moroccan", "damask", "elegant")


def hexagons(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """A honeycomb, stretched a little so that it repeats on a square."""
    x, y = sheet.grid()
    n = int(style.choice((2, 2, 4)))
    best, tone = np.full(x.shape, 9.0), np.zeros(x.shape, np.uint8)
    tones = style.integers(0, 3, size=(n, n))
    for j in range(-1, n + 1):
        for i in range(-1, n + 1):
            u, v = np.abs(x * n - i - 0.5 * (j % 2)), np.abs(y * n - j)
            away = np.maximum(u, 0.5 * u + 0.75 * v)
            nearer = away < best
            best[nearer], tone[nearer] = away[nearer], tones[i % n, j % n]
    kind = int(style.integers(0, 4))
    joint = style.uniform(0.05, 0.09)
    if kind == 0:  # a net
        sheet.paint(1, best > 0.5 - joint)
        sheet.paint(2, best < 0.2)
    elif kind == 1:  # tiles in tones
        for k in range(3):
            sheet.paint((1, 2, 3)[k], (best < 0.5 - joint) & (tone == k))
    else:
        sheet.paint(1, best < 0.5 - joint)
        if kind == 2:
            sheet.paint(0, best < 0.32)
            sheet.paint(3, best < 0.2)
    return ("honeycomb", "geometric", "modern", "tile")


def triangles(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Triangles in rows, coloured by chance."""
    n = int(style.integers(1, 3)) * 2
    two = style.random() < 0.5
    for row in range(n):
        for column in range(n):
            x, y, w = column / n, row / n, 1 / n
            a = 1 if two else int(style.integers(0, 4))
            b = 0 if two else int(style.integers(0, 4))
            sheet.fill(a, np.array([[x, y + w], [x + w / 2, y], [x + w, y + w]]))
            sheet.fill(b, np.array([[x + w / 2, y], [x + w, y + w], [x + 1.5 * w, y]]))
    return ("triangular", "geometric", "Scandinavian", "modern")


def trellis(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """A lattice of crossing lines with a small flower in each field or at each crossing."""
    width = style.uniform(0.04, 0.07)
    for k in (-1.0, 0.0, 1.0):
        sheet.stroke(2, np.array([[k - 0.1, -0.1], [k + 1.1, 1.1]]), width)
        sheet.stroke(2, np.array([[k - 0.1, 1.1], [k + 1.1, -0.1]]), width)
    place_in_field = style.random() < 0.6
    petals = int(style.integers(4, 7))
    for x, y in ((0.5, 0.0), (0.0, 0.5)) if place_in_field else ((0.0, 0.0), (0.5, 0.5)):
        sheet.fill(1, rosette(x, y, 0.17, petals, depth=0.4))
        sheet.disc(3, x, y, 0.055)
    return ("lattice", "diamond trellis", "garden", "traditional")


def quatrefoil(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Moroccan four-lobed tiles."""
    outline = style.random() < 0.6
    for x, y in ((0.25, 0.25), (0.75, 0.75)):
        for role, r in ((1, 1.0), (0 if outline else 2, 0.74), (3, 0.3)):
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                sheet.disc(role, x + 0.115 * dx * min(1, r + 0.15), y + 0.115 * dy * min(1, r + 0.15), 0.125 * r)
            if role != 3:
                sheet.disc(role, x, y, 0.15 * r)
    return ("Moroccan tile", "lattice", "Mediterranean", "geometric")


def fair_isle(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Knitted bands of stitches: crosses, zigzags, diamonds on a coarse grid."""
    cells = 16
    grid = np.zeros((cells, cells), np.uint8)
    column = np.arange(cells)
    row = 0
    while row < cells - 1:
        kind, role = int(style.integers(0, 4)), 1 + int(style.integers(0, 3))
        if kind == 0 and row + 5 <= cells:
            for k in range(5):
                grid[row + k, (column % 8 - 4) ** 2 <= (2 - abs(k - 2)) ** 2 + 0.1] = role
            row += 6
        elif kind == 1 and row + 3 <= cells:
            for k in range(3):
                grid[row + k, column % 4 == (k, 1, 3 - k)[0]] = role
                grid[row + k, column % 4 == (4 - k) % 4] = role
            row += 4
        elif kind == 2:
            grid[row, :] = role
            row += 2
        else:
            grid[row, column % 2 == 0] = role
            row += 2
    sheet.roles[:] = np.kron(grid, np.ones((sheet.side // cells,) * 2, np.uint8))
    return ("Fair Isle", "knitted", "Nordic knit", "winter")


def greek_key(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """A meander."""
    rows = ("11111110", "10000010", "10111010", "10101010", "10001010", "11111011", "00000000", "00000000")
    bits = np.array([[int(c) for c in row] for row in rows], np.uint8)
    if style.random() < 0.5:
        bits[7] = 2
    sheet.roles[:] = np.kron(bits, np.ones((sheet.side // 8,) * 2, np.uint8))
    return ("meander", "classical", "border", "geometric")


def circles(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Overlapping or concentric rings, mid-century."""
    n = int(style.integers(1, 3))
    rings = int(style.integers(2, 5))
    half = style.random() < 0.4
    for i in range(n):
        for j in range(n):
            x, y = (i + 0.5) / n, (j + 0.5) / n
            for k in range(rings):
                sheet.disc((1, 0, 2, 3)[k] if rings > 2 else (1, 0)[k], x, y, 0.47 / n * (1 - k / rings))
    if half:
        gx, _ = sheet.grid()
        swapped = np.where(sheet.roles == 1, 2, np.where(sheet.roles == 2, 1, sheet.roles))
        sheet.roles[:] = np.where((gx * n) % 1.0 < 0.5, sheet.roles, swapped)
    return ("concentric", "retro", "mid-century", "geometric")
