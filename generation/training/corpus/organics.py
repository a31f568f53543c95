"""Animal skins, stone and camouflage: periodic noise read at levels."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from generation.training.corpus.florals import Words
from generation.training.corpus.shapes import TAU, blob, even, noise, place, scatter
from generation.training.corpus.sheet import Sheet


def zebra(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Animal stripes that waver, swell and fork."""
    x, y = sheet.grid()
    bands = int(style.integers(3, 6))
    bend = style.uniform(0.06, 0.1) * noise(vary, sheet.side, waves=2) + 0.03 * noise(vary, sheet.side, waves=5)
    axis = y if style.random() < 0.6 else x
    swell = 0.45 * noise(vary, sheet.side, waves=4)
    sheet.paint(1, np.sin(TAU * bands * (axis + bend)) > style.uniform(-0.2, 0.2) + swell)
    return ("animal print", "safari", "wild", "striped")


def leopard(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Rosettes: a dark, broken ring around a tawny middle, close together, with single spots in the gaps."""
    n = int(style.choice((2, 3, 3, 4)))
    middle = int(style.choice((2, 2, 3)))
    for x, y in even(vary, n, n, jitter=0.14):
        r = 0.4 / n * vary.uniform(0.8, 1.05)
        stretch, lean = np.array([vary.uniform(0.95, 1.15), vary.uniform(0.7, 0.9)]), vary.uniform(0, TAU)
        ring, inside = blob(vary, 0, 0, r, wobble=0.14), blob(vary, 0.05 * r, 0, r * 0.62, wobble=0.14)
        sheet.fill(1, place(ring * stretch, x, y, lean))
        cuts = int(vary.integers(2, 4))
        start = vary.uniform(0, TAU)
        for k in range(cuts):
            a = start + (k + vary.uniform(-0.25, 0.25)) * TAU / cuts
            wedge = np.array([[0.35, -0.05], [1.5, -0.3], [1.5, 0.3], [0.35, 0.05]]) * r
            sheet.fill(0, place(place(wedge, 0, 0, a) * stretch, x, y, lean))
        sheet.fill(middle, place(inside * stretch, x, y, lean))
        for dx, dy in ((0.5, 0.12), (0.46, -0.2)):
            spot = blob(vary, 0, 0, 0.085 / n * vary.uniform(0.7, 1.1), wobble=0.2) * (1.0, 0.7)
            sheet.fill(1, place(spot, x + dx / n, y + (dy + vary.uniform(-0.06, 0.06)) / n, vary.uniform(0, TAU)))
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
    """Chips of stone, large and small."""
    count = int(style.integers(9, 18))
    roles = int(style.integers(2, 5))
    for k, (x, y) in enumerate(scatter(vary, count)):
        r = (vary.uniform(0.4, 0.52) if k < count * 0.6 else vary.uniform(0.16, 0.26)) / np.sqrt(count)
        corners = int(vary.integers(4, 7))
        turn = (np.arange(corners) + vary.uniform(-0.28, 0.28, size=corners)) * TAU / corners + vary.uniform(0, TAU)
        role = 1 + int(vary.integers(0, roles))
        chip = np.stack([r * np.cos(turn), 0.75 * r * np.sin(turn)], axis=1)
        sheet.fill(role, place(chip, x, y, vary.uniform(0, TAU)))
    return ("terrazzo", "stone", "speckled", "modern")


def ikat(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Nested diamonds with feathered edges, as from tied warps."""
    x, y = sheet.grid()
    threads = int(style.choice((16, 32)))
    tremble = 0.035 * vary.normal(size=threads) + 0.02 * (np.arange(threads) % 2)
    shift = np.repeat(tremble, sheet.side // threads)[None, :] if sheet.side >= threads else np.zeros((1, sheet.side))
    u = np.abs(2 * x - 1)
    v = np.abs(2 * ((y + shift) % 1.0) - 1)
    distance = u + v * style.uniform(0.9, 1.0)
    first, second, third = style.permutation(3) + 1
    sheet.paint(first, distance < 1.0)
    sheet.paint(0, distance < 0.78)
    sheet.paint(second, distance < 0.6)
    sheet.paint(third, distance < 0.32)
    if style.random() < 0.7:
        sheet.paint(second, distance > 1.28)
        sheet.paint(first if style.random() < 0.5 else 0, distance > 1.55)
    return ("ikat", "ethnic", "bohemian", "feathered")


def watercolour(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Brushed pools of colour that overlap, each darker at the rim where it dried."""
    n = int(style.integers(1, 3))
    rim = style.uniform(0.02, 0.035)
    washes = (2, 3, 4) if style.random() < 0.5 else (2, 2, 3)
    for k, (x, y) in enumerate(even(vary, n, 2, jitter=0.12, stagger=n > 1)):
        r = 0.27 if n == 1 else 0.2
        pool = blob(vary, x, y, r * vary.uniform(0.9, 1.15), wobble=0.16, lobes=5)
        centre = pool.mean(axis=0)
        sheet.fill(1, pool)
        sheet.fill(washes[k % 3], centre + (pool - centre) * (1 - rim / r))
        if vary.random() < 0.6:
            inner = blob(vary, x + vary.uniform(-0.05, 0.05), y, r * 0.45, wobble=0.2, lobes=4)
            sheet.fill(1 if k % 2 else 4, inner)
    for x, y in scatter(vary, int(style.integers(2, 6))):
        sheet.disc(int(vary.choice((1, 2))), x, y, vary.uniform(0.012, 0.026))
    return ("abstract", "fluid", "soft", "layered", "painterly")
