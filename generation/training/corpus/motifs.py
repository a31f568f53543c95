"""Motifs that are not flowers: dots, stars, hearts, fruit, trees and abstract shapes; each stays inside its unit."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from generation.training.corpus.florals import UP, Words
from generation.training.corpus.shapes import (
    TAU,
    blade,
    blob,
    ellipse,
    even,
    heart,
    place,
    rosette,
    star,
    stem,
    through,
)
from generation.training.corpus.sheet import Sheet


def dots(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Round dots in even rows."""
    n = int(style.integers(1, 4))
    radius = style.uniform(0.2, 0.34) / n
    ringed = style.random() < 0.3
    for k, (x, y) in enumerate(even(vary, n, n, jitter=0.0, stagger=n == 2)):
        sheet.disc(1 if n == 1 or k % 2 == 0 else 2, x, y, radius)
        if ringed:
            sheet.disc(0, x, y, radius * 0.55)
    return ("spotted", "classic", "simple", "large" if n == 1 else "small")


def loose_dots(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Dots set down with a full brush: nearly round, of different sizes, some with a lighter touch inside."""
    n = int(style.integers(2, 5))
    roles = (1, 1, 2) if style.random() < 0.5 else (1, 2, 3)
    size = style.uniform(0.26, 0.34) / n
    touched = style.random() < 0.35
    for k, (x, y) in enumerate(even(vary, n, n, jitter=0.2)):
        r = size * vary.uniform(0.6, 1.15)
        sheet.fill(roles[k % 3], blob(vary, x, y, r, wobble=0.05, lobes=3))
        if touched:
            sheet.fill(0, place(blade(r * 0.7, r * 0.28, belly=1.0, point=0.6), x - r * 0.45, y - r * 0.1, -0.7))
    return ("hand painted", "irregular", "playful", "dotted")


def stars(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Stars of one kind, one big or a few small."""
    points = int(style.choice((4, 5, 5, 6, 8)))
    n = int(style.integers(1, 3))
    inner = 0.34 if points == 4 else 0.45
    for k, (x, y) in enumerate(even(vary, n, n, jitter=0.1, stagger=n > 1)):
        size = (0.34 if n == 1 else 0.18) * vary.uniform(0.85, 1.05)
        sheet.fill(1 if k % 2 == 0 else 3, star(x, y, size, points, inner=inner, angle=UP + vary.uniform(-0.2, 0.2)))
    return ("night sky", "celestial", "festive", "children")


def hearts(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Hearts, one big or a few small."""
    n = int(style.integers(1, 3))
    inner = style.random() < 0.35
    for k, (x, y) in enumerate(even(vary, n, n, jitter=0.1, stagger=n > 1)):
        size = (0.32 if n == 1 else 0.17) * vary.uniform(0.9, 1.05)
        angle = vary.uniform(-0.25, 0.25)
        sheet.fill(1 if k % 2 == 0 else 3, heart(x, y, size, angle))
        if inner:
            sheet.fill(4 if n == 1 else 0, heart(x, y, size * 0.5, angle))
    return ("romantic", "sweet", "playful", "valentine")


def paisley(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """A curled paisley drop in nested outlines, with an eye and a border of dots."""
    curl = style.uniform(0.8, 1.15)
    outline = through(
        [
            (0.0, 0.33), (0.19, 0.26), (0.27, 0.07), (0.21, -0.13), (0.07, -0.27), (-0.09 * curl, -0.34),
            (-0.23 * curl, -0.31), (-0.27 * curl, -0.22), (-0.19 * curl, -0.23), (-0.13, -0.19), (-0.14, -0.09),
            (-0.24, 0.06), (-0.2, 0.25),
        ],
        steps=5,
    )  # fmt: skip
    flip = -1.0 if style.random() < 0.5 else 1.0
    angle = vary.uniform(-0.3, 0.3)
    outline = outline * (flip, 1)
    roles = (1, 0, 2) if style.random() < 0.5 else (2, 1, 3)
    for role, scale in zip(roles, (1.12, 0.88, 0.7), strict=True):
        inside = outline * scale + (0.04 * (1 - scale) * flip, 0.09 * (1 - scale))
        sheet.fill(role, place(inside, 0.5, 0.52, angle))
    eye = place(np.array([[0.02 * flip, 0.1]]), 0.5, 0.52, angle)[0]
    sheet.fill(3 if roles[2] != 3 else 4, rosette(eye[0], eye[1], 0.09, int(style.integers(5, 8)), depth=0.35))
    if style.random() < 0.5:
        for point in place(outline[::5] * 1.32, 0.5, 0.52, angle):
            sheet.disc(1, float(np.clip(point[0], 0.05, 0.95)), float(np.clip(point[1], 0.05, 0.95)), 0.026)
    return ("paisley", "bohemian", "oriental", "ornate")


def fir_trees(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Pine trees of stacked triangles."""
    n = int(style.integers(1, 3))
    tiers = int(style.integers(2, 4))
    for k, (x, y) in enumerate(even(vary, n, n, jitter=0.08, stagger=n > 1)):
        size = (0.76 if n == 1 else 0.4) * vary.uniform(0.88, 1.05)
        sheet.stroke(3, np.array([[x, y + size * 0.5], [x, y]]), size * 0.09)
        for j in range(tiers):
            top = y - size * 0.5 + j * size * 0.75 / tiers * 0.8
            half = size * (0.2 + 0.1 * j)
            bottom = top + size * 0.42
            sheet.fill(2 if k % 2 == 0 else 1, np.array([[x, top], [x + half, bottom], [x - half, bottom]]))
    return ("forest", "winter", "Nordic", "woodland")


def fruit(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Lemons, cherries or apples with a leaf."""
    kind = int(style.integers(0, 3))
    angle = vary.uniform(-0.4, 0.4)
    if kind == 0:
        turn = np.linspace(0, TAU, 50, endpoint=False)
        r = 0.24 * (1 + 0.28 * np.abs(np.cos(turn)) ** 9)
        sheet.fill(1, place(np.stack([r * 1.15 * np.cos(turn), r * np.sin(turn)], axis=1), 0.5, 0.55, angle + 0.6))
        for side in (-0.5, 0.5):
            sheet.fill(2, place(blade(0.26, 0.11, belly=0.85, point=0.9), 0.42, 0.38, UP + side + angle))
    elif kind == 1:
        for side in (-1, 1):
            x, y = 0.5 + side * 0.17, 0.68 + vary.uniform(-0.04, 0.04)
            sheet.stroke(2, np.linspace([0.54, 0.18], [x, y], 8), 0.026)
            sheet.disc(1, x, y, 0.14)
            sheet.disc(3, x - 0.045, y - 0.045, 0.03)
        sheet.fill(2, place(blade(0.27, 0.12, belly=0.85, point=0.9), 0.54, 0.2, 0.25 + angle))
    else:
        sheet.disc(1, 0.42, 0.56, 0.2)
        sheet.disc(1, 0.58, 0.56, 0.2)
        sheet.fill(1, ellipse(0.5, 0.62, 0.24, 0.2))
        sheet.stroke(3, np.array([[0.5, 0.42], [0.53, 0.24]]), 0.03)
        sheet.fill(2, place(blade(0.22, 0.11, belly=0.85, point=0.9), 0.53, 0.3, -0.5 + angle))
    return (("lemon", "citrus"), ("cherry", "sweet"), ("apple", "orchard"))[kind] + ("fruit", "summer", "kitchen")


def birds(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """A plump folk bird with a wing."""
    flip = 1 if vary.random() < 0.5 else -1
    lean = vary.uniform(-0.12, 0.12)

    def at(x: float, y: float) -> tuple[float, float]:
        return 0.5 + flip * x, 0.5 + y

    body = place(blade(0.66, 0.36, belly=1.25, point=0.75), 0.0, 0.0, 0.0) - (0.36, 0.0)
    turned = place(body, 0, 0, -0.3 + lean) * (flip, 1) + (0.5, 0.52)
    sheet.fill(1, turned)
    sheet.disc(1, *at(0.2, -0.13), 0.12)
    beak = np.array([at(0.29, -0.18), at(0.4, -0.12), at(0.29, -0.08)])
    sheet.fill(3, beak)
    wing = place(blade(0.34, 0.17, belly=1.2, point=0.7), 0, 0, 0.35 + lean) - (0.22, 0.06)
    sheet.fill(2, wing * (flip, 1) + (0.5, 0.52))
    sheet.disc(0, *at(0.22, -0.15), 0.028)
    for x in (-0.02, 0.06):
        sheet.stroke(3, np.array([at(x, 0.14), at(x + 0.02, 0.3)]), 0.022)
    return ("bird", "folk", "garden", "charming")


def cut_outs(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Abstract organic paper cut-outs."""
    n = 2
    roles = style.permutation(4)[:3] + 1
    for k, (x, y) in enumerate(even(vary, n, n, jitter=0.1)):
        role = int(roles[k % 3])
        if k % 3 == 2:
            line, heading = stem(x, y, vary.uniform(0, TAU), 0.34, curve=vary.uniform(-0.6, 0.6))
            line = line - line.mean(axis=0) + (x, y)
            sheet.stroke(role, line, 0.03)
            for j in range(3, 15, 3):
                for side in (-1, 1):
                    sheet.fill(role, place(blade(0.1, 0.05), *line[j], heading[j] + side * 1.0))
        else:
            sheet.fill(role, blob(vary, x, y, 0.17, wobble=0.28, lobes=3))
    return ("abstract", "organic", "modern art", "contemporary")


def memphis(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Confetti of circles, triangles, bars and zigzags."""
    n = int(style.integers(2, 4))
    size = 0.34 / n
    for x, y in even(vary, n, n, jitter=0.15):
        angle, role, kind = vary.uniform(0, TAU), 1 + int(vary.integers(0, 4)), int(vary.integers(0, 4))
        if kind == 0:
            sheet.disc(role, x, y, size * 0.75)
        elif kind == 1:
            sheet.fill(role, star(x, y, size, 3, inner=0.5, angle=angle))
        elif kind == 2:
            bar = np.array([[-size, -size / 3], [size, -size / 3], [size, size / 3], [-size, size / 3]])
            sheet.fill(role, place(bar, x, y, angle))
        else:
            zig = np.stack([np.linspace(-1, 1, 5) * size, np.array([0.4, -0.4, 0.4, -0.4, 0.4]) * size], axis=1)
            sheet.stroke(role, place(zig, x, y, angle), 0.035)
    return ("geometric", "playful", "eighties", "colourful")


def brush_dashes(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Short painted strokes, all roughly in one direction."""
    n = int(style.integers(2, 5))
    angle = style.choice((0.0, np.pi / 2, 0.6, -0.6))
    length, width = 0.62 / n, 0.2 / n
    roles = (1, 2) if style.random() < 0.5 else (1, 1)
    for k, (x, y) in enumerate(even(vary, n, n, jitter=0.12)):
        outline = blade(length, width, belly=1.0, point=0.4, bend=vary.uniform(-0.1, 0.1)) - (length / 2, 0)
        sheet.fill(roles[k % 2], place(outline, x, y, angle + vary.uniform(-0.2, 0.2)))
    return ("brush stroke", "painterly", "abstract", "minimalist")


def drops(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Rain drops or seeds standing upright."""
    n = int(style.integers(1, 4))
    size = (0.62, 0.36, 0.25)[n - 1]
    inner = style.random() < 0.5
    for x, y in even(vary, n, n, jitter=0.05, stagger=n > 1):
        outline = blade(size, size * 0.5, belly=1.5, point=0.75)
        sheet.fill(1, place(outline, x, y - size / 2, np.pi / 2))
        if inner:
            sheet.fill(3 if n == 1 else 0, place(outline, x, y - size * 0.05, np.pi / 2, 0.5))
    return ("teardrop", "raindrop", "simple", "Scandinavian")


def moons(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Suns, or crescent moons with a star."""
    if style.random() < 0.5:
        sheet.disc(1, 0.5, 0.5, 0.2)
        rays = int(style.choice((8, 10, 12)))
        turn = vary.uniform(0, TAU)
        for k in range(rays):
            sheet.fill(
                3,
                place(blade(0.17, 0.07, belly=0.7, point=0.8), 0.5, 0.5, turn + k * TAU / rays)
                + 0.25 * np.array([np.cos(turn + k * TAU / rays), np.sin(turn + k * TAU / rays)]),
            )
        return ("sun", "celestial", "boho", "warm")
    angle = vary.uniform(-0.5, 0.5)
    sheet.disc(1, 0.48, 0.5, 0.3)
    sheet.disc(0, 0.48 + 0.15 * np.cos(angle), 0.5 + 0.15 * np.sin(angle), 0.25)
    sheet.fill(3, star(0.64, 0.48, 0.12, 5))
    return ("moon", "celestial", "night sky", "dreamy")


def filler(sheet: Sheet, style: Generator, vary: Generator) -> None:
    """A small companion at the corner of the cell, in the space that large motifs leave between them."""
    kind, size = int(style.integers(0, 4)), style.uniform(0.085, 0.12)
    turn = vary.uniform(0, TAU)
    if kind == 0:
        for k in range(3):
            sheet.disc(
                3, size * 0.62 * np.cos(turn + k * TAU / 3), size * 0.62 * np.sin(turn + k * TAU / 3), size * 0.36
            )
    elif kind == 1:
        for k in range(2):
            sheet.fill(2, place(blade(size * 1.5, size * 0.7, belly=0.85, point=0.9), 0.0, 0.0, turn + k * TAU / 2.6))
    elif kind == 2:
        for k in range(5):
            sheet.fill(4, place(blade(size, size * 0.66, belly=1.4, point=0.5), 0.0, 0.0, turn + k * TAU / 5))
        sheet.disc(3, 0.0, 0.0, size * 0.32)
    else:
        sheet.disc(int(style.choice((1, 3, 4))), 0.0, 0.0, size * 0.5)
