"""Flowers and leaves: each program draws one motif cell that stays inside its unit, so that any setting is seamless.

A program gets the sheet, a `style` generator (what all units of one cloth share) and a `vary` generator (what makes
each unit a little different), and returns the words that describe what it drew.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from generation.training.corpus.shapes import TAU, blade, blob, even, place, rosette, stem
from generation.training.corpus.sheet import Sheet

Words = tuple[str, ...]
UP = -np.pi / 2


def _flower(
    sheet: Sheet,
    x: float,
    y: float,
    radius: float,
    petals: int,
    *,
    turn: float,
    point: float,
    belly: float,
    fullness: float = 0.92,
    role: int = 1,
    centre: int = 3,
    centre_size: float = 0.3,
) -> None:
    width = fullness * TAU * radius * 0.62 / petals
    for k in range(petals):
        outline = blade(radius, width, belly=belly, point=point)
        sheet.fill(role, place(outline, x, y, turn + k * TAU / petals))
    sheet.disc(centre, x, y, radius * centre_size)


def _leaf(
    sheet: Sheet,
    x: float,
    y: float,
    angle: float,
    length: float,
    width: float,
    *,
    role: int = 2,
    bend: float = 0.0,
    rib: int | None = None,
) -> None:
    sheet.fill(role, place(blade(length, width, belly=0.85, point=0.9, bend=bend), x, y, angle))
    if rib is not None:
        line = np.stack([np.linspace(0.12, 0.8, 6) * length, bend * length * np.linspace(0.12, 0.8, 6) ** 2], axis=1)
        sheet.stroke(rib, place(line, x, y, angle), 0.014)


def simple_flower(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """One calm flower on a stem with two leaves, as on Scandinavian prints."""
    petals = int(style.integers(5, 9))
    radius = style.uniform(0.19, 0.27)
    point, belly = style.uniform(0.45, 0.7), style.uniform(1.1, 1.6)
    leaf_pairs = int(style.integers(1, 3))
    leaf = style.uniform(0.2, 0.27)
    opposite = style.random() < 0.5
    lean = vary.uniform(-0.16, 0.16)
    curve = vary.uniform(-0.5, 0.5)
    line, heading = stem(0.5 - 0.05 * np.sin(lean) - 0.12 * curve * 0.5, 0.95, UP + lean - curve / 2, 0.6, curve=curve)
    sheet.stroke(2, line, 0.03)
    for k in range(leaf_pairs):
        at = 4 + 4 * k + int(vary.integers(0, 2))
        for side in (-1, 1):
            spot = at if opposite else at + (side > 0) * 2
            _leaf(
                sheet,
                *line[spot],
                heading[spot] + side * vary.uniform(0.75, 1.05),
                leaf * (1 - 0.15 * k),
                leaf * 0.42,
                bend=-side * 0.12,
            )
    x, y = line[-1]
    _flower(
        sheet,
        x,
        y,
        radius,
        petals,
        turn=vary.uniform(0, TAU),
        point=point,
        belly=belly,
        centre_size=style.uniform(0.24, 0.36),
    )
    return ("minimalist", "simple", "clean", "single stem")


def flower_head(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """One flower seen from above, with a ring in another colour or none."""
    petals = int(style.integers(5, 11))
    radius = style.uniform(0.3, 0.41)
    turn = vary.uniform(0, TAU)
    x, y = 0.5 + vary.uniform(-0.04, 0.04), 0.5 + vary.uniform(-0.04, 0.04)
    if style.random() < 0.35:
        for k in range(int(style.integers(3, 5))):
            _leaf(sheet, x, y, turn + 0.5 + k * TAU / 4, min(0.44, radius * 1.25), radius * 0.42)
    _flower(
        sheet,
        x,
        y,
        radius,
        petals,
        turn=turn,
        point=style.uniform(0.4, 0.7),
        belly=style.uniform(1.1, 1.7),
        centre_size=style.uniform(0.22, 0.34),
    )
    if style.random() < 0.5:
        _flower(
            sheet, x, y, radius * 0.6, petals, turn=turn + np.pi / petals, role=4, point=0.6, belly=1.4, centre_size=0.4
        )
    return ("minimalist", "graphic", "bold", "simple") if petals < 8 else ("graphic", "bold", "retro")


def daisy(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Daisies with many narrow petals, one or a few in the cell."""
    petals = int(style.integers(10, 15))
    few = style.random() < 0.5
    places = np.array([[0.5, 0.5]]) if few else even(vary, 2, 2, jitter=0.16)
    radius = style.uniform(0.3, 0.38) if few else style.uniform(0.17, 0.21)
    with_leaves = style.random() < 0.4
    for x, y in places:
        turn = vary.uniform(0, TAU)
        if with_leaves:
            _leaf(sheet, x, y, turn + 0.4, radius * 1.3, radius * 0.5)
            _leaf(sheet, x, y, turn + 2.3, radius * 1.3, radius * 0.5)
        _flower(sheet, x, y, radius, petals, turn=turn, point=0.5, belly=1.5, fullness=0.85, centre_size=0.32)
    return ("fresh", "simple", "cheerful") if few else ("fresh", "scattered", "cheerful")


def tulip(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """A stylised tulip on a straight stem with two long leaves."""
    width, height = style.uniform(0.32, 0.42), style.uniform(0.32, 0.38)
    cups = int(style.integers(2, 4))
    lean = vary.uniform(-0.12, 0.12)
    line, heading = stem(0.5 - 0.2 * lean, 0.94, UP + lean, 0.5)
    sheet.stroke(2, line, 0.032)
    for side in (-1, 1):
        _leaf(sheet, *line[1], heading[1] + side * vary.uniform(0.35, 0.6), 0.44, 0.14, bend=-side * 0.22)
    x, y = line[-1]
    y += 0.05
    for k in (-1, 1):
        sheet.fill(
            1, place(blade(height, width * 0.62, belly=0.8, point=0.7, bend=-0.1 * k), x, y, UP + lean + 0.34 * k)
        )
    sheet.fill(3 if cups == 2 else 1, place(blade(height * 0.95, width * 0.55, belly=0.85, point=0.7), x, y, UP + lean))
    if cups == 3:
        sheet.stroke(3, place(blade(height * 0.8, width * 0.5, belly=0.85, point=0.7)[:14], x, y, UP + lean), 0.018)
    return ("spring", "stylised", "Scandinavian", "simple")


def ditsy(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Many little flowers and leaves spread evenly."""
    n = int(style.integers(2, 4))
    petals = int(style.integers(4, 7))
    radius = (0.2 if n == 2 else 0.14) * style.uniform(0.75, 1.0)
    two_colours = style.random() < 0.5
    for k, (x, y) in enumerate(even(vary, n, n, jitter=0.18)):
        turn = vary.uniform(0, TAU)
        for side in (-1, 1):
            _leaf(sheet, x, y, turn + side * vary.uniform(0.4, 0.9), radius * 1.35, radius * 0.5)
        role = 4 if two_colours and k % 2 else 1
        _flower(sheet, x, y, radius * 0.85, petals, turn=turn, point=0.45, belly=1.4, role=role)
    return ("small scale", "delicate", "scattered", "all-over", "vintage")


def sprig(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """A curved sprig with alternate leaves and a flower or bud at its end."""
    leaves = int(style.integers(3, 6))
    size = style.uniform(0.19, 0.26)
    end = int(style.integers(0, 3))
    curve = vary.choice((-1, 1)) * style.uniform(0.4, 1.0)
    angle = UP + vary.uniform(-0.35, 0.35) - curve / 2
    line, heading = stem(0.5, 0.5, angle, 0.68, curve=curve)
    line = line - line.mean(axis=0) + (0.5, 0.52)
    sheet.stroke(2, line, 0.026)
    for k in range(leaves):
        spot = 1 + k * 12 // leaves
        side = 1 if k % 2 else -1
        _leaf(sheet, *line[spot], heading[spot] + side * 0.8, size, size * 0.46, bend=-side * 0.1)
    x, y = line[-1]
    if end == 0:
        _flower(sheet, x, y, 0.15, int(style.integers(5, 8)), turn=vary.uniform(0, TAU), point=0.5, belly=1.4)
    elif end == 1:
        for k in (-0.5, 0, 0.5):
            sheet.fill(1, place(blade(0.17, 0.09, belly=0.9, point=0.7), x, y, heading[-1] + k))
    else:
        for k in range(5):
            sheet.disc(1, x + 0.075 * np.cos(k * TAU / 5), y + 0.075 * np.sin(k * TAU / 5), 0.045)
        sheet.disc(3, x, y, 0.045)
    return ("delicate", "sprig", "airy", "country")


def branch(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """A branch with paired leaves: olive, eucalyptus or fern."""
    kind = int(style.integers(0, 3))
    pairs = (4, 4, 6)[kind]
    length, width = ((0.27, 0.1), (0.19, 0.15), (0.28, 0.07))[kind]
    two_tone = style.random() < 0.4
    lean = vary.uniform(-0.25, 0.25) + style.uniform(-0.2, 0.2)
    curve = vary.uniform(-0.5, 0.5)
    line, heading = stem(0.5, 0.5, UP + lean - curve / 2, 0.78, curve=curve, points=24)
    line = line - line.mean(axis=0) + (0.5, 0.5)
    sheet.stroke(2, line, 0.024)
    for k in range(pairs):
        spot = 2 + k * 20 // pairs
        taper = 1 - 0.45 * k / pairs
        for side in (-1, 1):
            role = 1 if two_tone and side > 0 else 2
            _leaf(
                sheet,
                *line[spot],
                heading[spot] + side * (0.95, 1.1, 0.9)[kind],
                length * taper,
                width * (0.6 + 0.4 * taper),
                role=role,
                bend=-side * 0.08,
            )
    _leaf(sheet, *line[-1], heading[-1], length * 0.6, width * 0.7)
    return (("olive branch", "natural"), ("eucalyptus", "organic"), ("fern", "woodland"))[kind] + ("botanical", "leafy")


def big_leaf(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """One large leaf with its veins left in the ground colour or drawn in another."""
    length, width = style.uniform(0.74, 0.84), style.uniform(0.32, 0.46)
    vein_role = 0 if style.random() < 0.6 else 4
    veins = int(style.integers(3, 6))
    angle = UP + vary.uniform(-0.4, 0.4)
    bend = vary.uniform(-0.14, 0.14)
    x, y = 0.5 - length / 2 * np.cos(angle), 0.5 - length / 2 * np.sin(angle)
    sheet.fill(2, place(blade(length, width, belly=0.75, point=0.85, bend=bend), x, y, angle))
    t = np.linspace(0.0, 0.86, 10)
    sheet.stroke(vein_role, place(np.stack([t * length, bend * length * t**2], axis=1), x, y, angle), 0.026)
    for k in range(veins):
        at = 0.16 + 0.56 * k / veins
        reach = width * 0.42 * np.sin(np.pi * (at + 0.12) ** 0.75)
        for side in (-1, 1):
            base = np.array([[at * length, bend * length * at**2]])
            tip = base + np.array([[0.13 * length, side * reach]])
            sheet.stroke(vein_role, place(np.concatenate([base, tip]), x, y, angle), 0.02)
    return ("botanical", "tropical" if width > 0.4 else "natural", "large scale", "bold")


def tossed_leaves(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Loose leaves turned in all directions."""
    n = int(style.integers(2, 4))
    size = (0.4 if n == 2 else 0.28) * style.uniform(0.85, 1.0)
    slim = style.uniform(0.3, 0.5)
    ribbed = style.random() < 0.5
    roles = (2, 1) if style.random() < 0.5 else (2, 2)
    for k, (x, y) in enumerate(even(vary, n, n, jitter=0.12)):
        angle = vary.uniform(0, TAU)
        _leaf(
            sheet,
            x - size / 2 * np.cos(angle),
            y - size / 2 * np.sin(angle),
            angle,
            size,
            size * slim,
            role=roles[k % 2],
            bend=vary.uniform(-0.15, 0.15),
            rib=0 if ribbed else None,
        )
    return ("botanical", "tossed", "scattered", "autumn")


def line_flower(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """A flower drawn in lines only."""
    petals = int(style.integers(5, 8))
    radius, weight = style.uniform(0.27, 0.34), style.uniform(0.024, 0.034)
    x, y = 0.5 + vary.uniform(-0.03, 0.03), 0.4
    turn = vary.uniform(0, TAU)
    line, _ = stem(0.5 + vary.uniform(-0.08, 0.08), 0.95, UP + vary.uniform(-0.1, 0.1), 0.5)
    line = np.linspace(line[0], [x, y], 12) + np.stack([0.04 * np.sin(np.linspace(0, np.pi, 12)), np.zeros(12)], axis=1)
    sheet.stroke(1, line, weight)
    for side in (-1, 1):
        outline = place(blade(0.27, 0.13, belly=0.85, point=0.9, bend=-side * 0.1), *line[3], UP + side * 0.9)
        sheet.stroke(1, outline, weight, closed=True)
    for k in range(petals):
        outline = place(
            blade(radius, TAU * radius * 0.55 / petals, belly=1.4, point=0.5), x, y, turn + k * TAU / petals
        )
        sheet.fill(0, outline)
        sheet.stroke(1, outline, weight, closed=True)
    if style.random() < 0.6:
        sheet.disc(3, x, y, radius * 0.25)
    else:
        sheet.disc(1, x, y, radius * 0.2)
    return ("line art", "hand drawn", "outline", "minimalist")


def poppy(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """A big cut-out bloom of overlapping soft shapes, in the manner of bold printed cottons of the 1960s."""
    radius = style.uniform(0.34, 0.42)
    lobes = int(style.integers(4, 7))
    turn = vary.uniform(0, TAU)
    sheet.fill(1, rosette(0.5, 0.5, radius, lobes, depth=style.uniform(0.18, 0.32), angle=turn))
    if style.random() < 0.6:
        sheet.fill(4, rosette(0.5, 0.5, radius * 0.62, lobes, depth=0.25, angle=turn + np.pi / lobes))
    sheet.fill(3, blob(vary, 0.5, 0.5, radius * 0.3, wobble=0.08))
    if style.random() < 0.5:
        for k in range(lobes * 2):
            a = turn + k * np.pi / lobes
            sheet.disc(2, 0.5 + radius * 0.47 * np.cos(a), 0.5 + radius * 0.47 * np.sin(a), 0.022)
    return ("bold", "large scale", "cut-out", "mid-century")


def berries(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """A twig with round berries and a few leaves."""
    count = int(style.integers(3, 6))
    size = style.uniform(0.065, 0.09)
    curve = vary.choice((-1, 1)) * style.uniform(0.2, 0.7)
    line, heading = stem(0.5, 0.5, UP + vary.uniform(-0.3, 0.3) - curve / 2, 0.66, curve=curve)
    line = line - line.mean(axis=0) + (0.5, 0.52)
    sheet.stroke(2, line, 0.024)
    for k in range(count):
        spot = 3 + k * 12 // count
        side = 1 if k % 2 else -1
        twig, _ = stem(*line[spot], heading[spot] + side * 0.8, 0.19)
        sheet.stroke(2, twig, 0.02)
        sheet.disc(1, *twig[-1], size)
        other, h = line[spot - 1], heading[spot - 1]
        _leaf(sheet, *other, h - side * 0.9, 0.22, 0.1)
    sheet.disc(1, *line[-1], size)
    return ("berry", "winter", "woodland", "natural")


def meadow(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Wild flowers standing side by side on thin stems."""
    kinds = style.permutation(3)
    for k in range(3):
        base = 0.2 + 0.3 * k + vary.uniform(-0.03, 0.03)
        height = style.uniform(0.5, 0.68) * (1 if k != 1 else 1.1)
        line, heading = stem(base, 0.94, UP + vary.uniform(-0.12, 0.12), height, curve=vary.uniform(-0.25, 0.25))
        sheet.stroke(2, line, 0.022)
        _leaf(sheet, *line[5], heading[5] + (0.7 if k % 2 else -0.7), 0.14, 0.055)
        x, y = line[-1]
        if kinds[k] == 0:
            _flower(sheet, x, y, 0.115, 6, turn=vary.uniform(0, TAU), point=0.5, belly=1.4)
        elif kinds[k] == 1:
            for side in (-0.45, 0, 0.45):
                sheet.fill(3, place(blade(0.14, 0.07, belly=0.9, point=0.7), x, y + 0.02, heading[-1] + side))
        else:
            for j in range(5):
                spot = 15 - 2 * j
                sheet.disc(1, line[spot][0] + (0.03 if j % 2 else -0.03), line[spot][1], 0.034)
    return ("wildflower", "meadow", "natural", "delicate")


def folk_flower(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """A symmetrical folk motif: a bloom over scrolling leaves, the same left and right."""
    tiers = int(style.integers(2, 4))
    petals = int(style.integers(3, 6))
    sheet.stroke(2, np.array([[0.5, 0.93], [0.5, 0.4]]), 0.03)
    for k in range(tiers):
        y = 0.86 - 0.15 * k
        reach = 0.36 - 0.05 * k + vary.uniform(-0.015, 0.015)
        for side in (-1, 1):
            _leaf(sheet, 0.5, y, UP + side * (1.0 - 0.1 * k), reach, 0.11, bend=-side * 0.25)
            if k == 0:
                sheet.disc(3, 0.5 + side * 0.36, 0.5 + vary.uniform(-0.01, 0.01), 0.045)
    spread = style.uniform(0.45, 0.6)
    for k in range(petals):
        angle = UP + (k - (petals - 1) / 2) * spread
        sheet.fill(1 if k % 2 == 0 else 4, place(blade(0.32, 0.16, belly=1.2, point=0.6), 0.5, 0.42, angle))
    sheet.disc(3, 0.5, 0.42, 0.06)
    return ("folk", "symmetrical", "Scandinavian", "traditional")
