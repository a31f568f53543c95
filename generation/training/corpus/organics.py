"""Animal skins, stone and camouflage: periodic noise read at levels."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from generation.training.corpus.florals import Words
from generation.training.corpus.shapes import TAU, blob, even, noise, scatter
from generation.training.corpus.sheet import Sheet


def zebra(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Wavering animal stripes."""
    x, y = sheet.grid()
    bands = int(style.integers(3, 6))
    bend = style.uniform(0.05, 0.1) * noise(vary, sheet.side, waves=2)
    axis = y if style.random() < 0.6 else x
    sheet.paint(1, np.sin(TAU * bands * (axis + bend)) > style.uniform(-0.2, 0.25))
    return ("animal print", "safari", "wild", "striped")


def leopard(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Spots with a broken dark rim."""
    n = int(style.integers(2, 4))
    for x, y in even(vary, n, n, jitter=0.16):
        r = 0.32 / n
        sheet.fill(1, blob(vary, x, y, r, wobble=0.2))
        sheet.fill(2, blob(vary, x, y, r * 0.58, wobble=0.2))
        for _ in range(2):
            a = vary.uniform(0, TAU)
            sheet.stroke(
                0,
                np.array(
                    [
                        [x + 0.4 * r * np.cos(a), y + 0.4 * r * np.sin(a)],
                        [x + 1.3 * r * np.cos(a), y + 1.3 * r * np.sin(a)],
                    ]
                ),
                0.05,
            )
    return ("animal print", "leopard spots", "safari", "glamorous")


def camo(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Camouflage in three or four colours."""
    waves = int(style.integers(3, 5))
    for role in range(1, int(style.integers(3, 5))):
        sheet.paint(role, noise(vary, sheet.side, waves=waves) > 0.5)
    return ("camouflage", "military", "organic", "outdoor")


def marble(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Marbled veins, as on endpapers."""
    x, y = sheet.grid()
    a, b = noise(vary, sheet.side, waves=3), noise(vary, sheet.side, waves=4)
    value = np.sin(TAU * (y + int(style.integers(1, 3)) * x) + 1.5 * a + 0.7 * b)
    sheet.paint(1, value > 0.35)
    sheet.paint(2, np.abs(value + 0.25) < 0.22)
    if style.random() < 0.5:
        sheet.paint(3, value > 0.85)
    return ("marbled", "fluid", "swirling", "liquid")


def terrazzo(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Chips of stone."""
    count = int(style.integers(8, 18))
    roles = int(style.integers(2, 5))
    for x, y in scatter(vary, count):
        r = vary.uniform(0.35, 0.62) / np.sqrt(count)
        turn = np.sort(vary.uniform(0, TAU, size=int(vary.integers(4, 7))))
        role = 1 + int(vary.integers(0, roles))
        sheet.fill(role, np.stack([x + r * np.cos(turn), y + r * np.sin(turn) * 0.85], axis=1))
    return ("terrazzo", "stone", "speckled", "modern")


def ikat(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Diamonds with feathered edges, as from tied warps."""
    x, y = sheet.grid()
    threads = 32
    shift = np.repeat(vary.uniform(-0.05, 0.05, size=threads), sheet.side // threads)[None, :]
    u = np.abs(2 * x - 1)
    v = np.abs(2 * ((y + shift) % 1.0) - 1)
    distance = u + v
    for role, level in zip((1, 2, 3), sorted(style.uniform(0.2, 0.95, size=3))[::-1], strict=True):
        sheet.paint(role, distance < level)
    return ("ikat", "ethnic", "bohemian", "feathered")


def watercolour(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Large soft pools of colour."""
    field = noise(vary, sheet.side, waves=3, falloff=2.2)
    levels = sorted(style.uniform(-0.7, 1.2, size=int(style.integers(2, 4))))
    for role, level in enumerate(levels, start=1):
        sheet.paint(role, field > level)
    return ("abstract", "fluid", "soft", "layered", "topographic")
