"""Patterns of other crafts: deco fans, tied and dyed cloth, parquet, basketry and patchwork; all run on."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from generation.training.corpus.florals import Words
from generation.training.corpus.shapes import TAU, noise
from generation.training.corpus.sheet import Points, Sheet


def deco_fans(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Fans of the 1920s: rays within a double rim, each row standing on the next."""
    x, y = sheet.grid()
    n = int(style.integers(1, 3))
    rays = int(style.choice((7, 9, 11))) if n == 1 else int(style.choice((5, 7)))
    rim = style.uniform(0.06, 0.1)
    lit = style.random() < 0.5
    radius, drop = 0.5 / n, 0.25 / n
    for ahead in (0, 1):
        row = np.floor(y / drop) + ahead
        across = ((x * n - 0.5 * (row % 2)) % 1.0 - 0.5) / n
        up = (row + 1) * drop - y
        distance = np.hypot(across, up) / radius
        ray = np.floor((np.arctan2(across, up) / np.pi + 0.5) * rays)
        sheet.paint(3, distance < 1)
        sheet.paint(0, distance < 1 - rim)
        inside = distance < 1 - 2 * rim
        sheet.paint(1, inside)
        sheet.paint(2 if lit else 0, inside & (ray % 2 == 1) & (distance > 0.28))
        sheet.paint(3, distance < 0.22)
    return ("art deco", "fan", "twenties", "Gatsby", "glamorous")


def shibori(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Cloth tied and dyed: rings bound with thread, pole-wrapped streaks, or folds clamped between blocks."""
    x, y = sheet.grid()
    kind = int(style.integers(0, 3))
    rough, soft = noise(vary, sheet.side, waves=24, falloff=0.4), noise(vary, sheet.side, waves=4)
    if kind == 0:
        n = int(style.integers(1, 3))
        rings = int(style.integers(2, 4))
        sheet.paint(1, np.ones_like(x, bool))
        for cx, cy in ((0.25, 0.25), (0.75, 0.75)):
            u, v = (x * n - cx + 0.5) % 1.0 - 0.5, (y * n - cy + 0.5) % 1.0 - 0.5
            spokes = 0.014 * np.cos(18 * np.arctan2(v, u))
            distance = np.hypot(u, v) + spokes + 0.008 * rough
            for ring in range(rings):
                middle = 0.09 + 0.085 * ring
                sheet.paint(0, np.abs(distance - middle) < 0.024)
                sheet.paint(2, np.abs(distance - middle - 0.042) < 0.012)
            sheet.paint(0, distance < 0.03)
        return ("tie-dye", "tied rings", "Japanese", "hand dyed", "indigo dyed")
    if kind == 1:
        bands = int(style.integers(4, 7))
        phase = bands * (y + 0.035 * soft) + style.choice((-1, 1)) * 2 * x
        value = np.cos(TAU * phase) + 0.35 * rough
        sheet.paint(1, value > -0.25)
        sheet.paint(2, (value > -0.6) & (value <= -0.25))
        return ("tie-dye", "pole-wrapped", "streaked", "Japanese", "hand dyed")
    n = 2
    u, v = np.abs(2 * ((x * n) % 1.0) - 1), np.abs(2 * ((y * n) % 1.0) - 1)
    square = style.random() < 0.5
    reach = (np.maximum(u, v) if square else (u + v) * 0.75) + 0.06 * rough + 0.05 * soft
    sheet.paint(1, reach > 0.52)
    sheet.paint(2, (reach > 0.4) & (reach <= 0.52))
    sheet.paint(1, reach < 0.2)
    return ("tie-dye", "folded and dyed", "Japanese", "hand dyed", "indigo dyed")


def parquet(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Blocks laid in herringbone, with a joint between them, in one wood or three."""
    x, y = sheet.grid()
    n = int(style.choice((4, 4, 8)))
    joint = style.uniform(0.08, 0.13)
    toned = style.random() < 0.7
    # Blocks of 1 x 2 squares in steps: on the diagonal k = i - j (mod 4) two squares lie, two stand.
    i, j = np.floor(x * n).astype(int), np.floor(y * n).astype(int)
    u, v = (x * n) % 1.0, (y * n) % 1.0
    k = (i - j) % 4
    lying = k < 2
    along = np.where(lying, u + k, v + 3 - k)
    across = np.where(lying, v, u)
    inside = (along > joint) & (along < 2 - joint) & (across > joint) & (across < 1 - joint)
    sheet.paint(1, inside)
    if toned:
        sheet.paint(2, inside & ~lying)
        if style.random() < 0.5:
            sheet.paint(3, inside & lying & ((j % 2) == 0))
    return ("parquet", "herringbone blocks", "tessellated", "wooden floor", "geometric")


def basket_weave(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Strips over and under each other, two or three side by side."""
    x, y = sheet.grid()
    n = 2 * int(style.integers(1, 3))
    strips = int(style.integers(2, 4)) if n == 2 else 2
    gap = style.uniform(0.08, 0.13)
    u, v = (x * n) % 1.0, (y * n) % 1.0
    lying = (np.floor(x * n) + np.floor(y * n)) % 2 == 0
    across = (np.where(lying, v, u) * strips) % 1.0
    along = np.where(lying, u, v)
    inside = (np.abs(across - 0.5) < 0.5 - gap) & (np.abs(along - 0.5) < 0.5 - gap / strips)
    sheet.paint(1, inside & lying)
    sheet.paint(2 if style.random() < 0.7 else 1, inside & ~lying)
    return ("basket weave", "woven", "rattan", "wicker", "natural")


def patchwork(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Square patches of little prints sewn together, or the star block of a quilt."""
    x, y = sheet.grid()
    if style.random() < 0.35:
        u, v = np.abs(x - 0.5) * 4, np.abs(y - 0.5) * 4
        sheet.paint(2, (u < 1) & (v < 1))
        near, far = np.minimum(u, v), np.maximum(u, v)
        sheet.paint(1, (near < 1) & (far >= 1) & (near > far - 1))
        sheet.paint(3 if style.random() < 0.5 else 1, (u + v < 1) & (far < 1))
        sheet.paint(4 if style.random() < 0.5 else 0, near > 1)
        sheet.paint(3, (near > 1.25) & (far < 1.75))
        return ("quilt star", "patchwork", "American quilt", "country", "pieced")
    n = int(style.integers(2, 4))
    i, j = np.floor(x * n).astype(int), np.floor(y * n).astype(int)
    u, v = (x * n) % 1.0, (y * n) % 1.0
    order = style.permutation(9)
    for patch in range(n * n):
        here = (i + n * j) == patch
        ground, ink = ((0, 1), (1, 0), (2, 0), (3, 0), (0, 2), (4, 1), (0, 3), (2, 4), (1, 3))[int(order[patch % 9])]
        sheet.paint(ground, here)
        sheet.paint(ink, here & _little_print(int(style.integers(0, 6)), u, v))
    joint = 0.022
    sheet.paint(5, (np.minimum(u, 1 - u) < joint) | (np.minimum(v, 1 - v) < joint))
    return ("patchwork", "quilt", "country", "homespun", "cottage")


def _little_print(kind: int, u: Points, v: Points) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    a, b = (u * 3) % 1.0 - 0.5, (v * 3) % 1.0 - 0.5
    if kind == 0:
        return np.hypot(a, b) < 0.26
    if kind == 1:
        return (u * 4) % 1.0 < 0.42
    if kind == 2:
        return ((u * 2) % 1.0 < 0.5) ^ ((v * 2) % 1.0 < 0.5)
    if kind == 3:
        return np.hypot(u - 0.5, v - 0.5) < 0.3 * (1 - 0.3 * (1 - np.abs(np.cos(2.5 * np.arctan2(v - 0.5, u - 0.5)))))
    if kind == 4:
        return ((u + v) * 3) % 1.0 < 0.42
    return np.zeros(u.shape, bool)
