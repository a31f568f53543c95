"""Grand florals and foliage: damask, toile, roses, hibiscus and the leaves of the tropics, one motif to a unit."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from generation.training.corpus.florals import UP, Words
from generation.training.corpus.shapes import TAU, acanthus, blade, mirrored, place, rosette, stem, through
from generation.training.corpus.sheet import Points, Sheet


def damask(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """A large palmette between scrolling acanthus leaves, the same left and right."""
    inner = int(style.choice((0, 0, 2)))
    lobes = int(style.integers(4, 7))
    palmette = 2 * int(style.integers(2, 4)) + 1
    reach = style.uniform(0.95, 1.08)

    def both(role: int, outline: Points) -> None:
        sheet.fill(role, outline)
        sheet.fill(role, mirrored(outline))

    # (start, heading, length, turn, width): rising scrolls, wide arms, hanging leaves
    scrolls = (
        (0.5, 0.80, UP + 0.75, 0.58, -2.1, 0.15),
        (0.5, 0.60, UP + 1.35, 0.40, 1.9, 0.11),
        (0.5, 0.84, 0.55, 0.36, 1.7, 0.10),
        (0.52, 0.36, UP + 0.55, 0.34, 1.9, 0.09),
    )
    for k, (x, y, heading, length, turn, width) in enumerate(scrolls):
        line, along = stem(x, y, heading, length * reach, curve=turn, points=28)
        both(1, acanthus(line, along, width, lobes=lobes - (k > 1), side=-np.sign(turn)))
        for side in (line[2:-5], mirrored(line[2:-5])):
            sheet.stroke(inner, side, 0.018)
    for k in range(palmette):
        place_in_fan = 2 * k / (palmette - 1) - 1
        length = 0.34 - 0.13 * abs(place_in_fan) ** 1.5
        sheet.fill(0, place(blade(length + 0.03, 0.15, belly=1.3, point=0.6), 0.5, 0.6, UP + 1.25 * place_in_fan))
    for k in range(palmette):
        place_in_fan = 2 * k / (palmette - 1) - 1
        length = 0.34 - 0.13 * abs(place_in_fan) ** 1.5
        role = 1 if k % 2 else 3
        sheet.fill(role, place(blade(length, 0.105, belly=1.3, point=0.6), 0.5, 0.6, UP + 1.25 * place_in_fan))
    sheet.disc(0, 0.5, 0.6, 0.075)
    sheet.disc(1, 0.5, 0.6, 0.05)
    for y, height in ((0.97, 0.15), (0.26, 0.22)):
        sheet.fill(1, place(blade(height, 0.1, belly=0.8 if y > 0.5 else 1.0, point=0.8), 0.5, y, UP))
    for side in (-1, 1):
        sheet.fill(1, place(blade(0.14, 0.06, belly=1.1, point=0.8), 0.5, 0.2, UP + 0.9 * side))
        sheet.disc(3, 0.5 + 0.11 * side, 0.93, 0.026)
    if style.random() < 0.6:
        for k in range(4):
            sheet.fill(1, place(blade(0.11, 0.06, belly=1.2, point=0.7), 0.0, 0.0, k * TAU / 4))
        sheet.disc(3, 0.0, 0.0, 0.025)
    return ("damask", "ornate", "opulent", "baroque", "symmetrical", "traditional")


def toile(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """A little country scene in fine lines: a tree on a hill, a house, birds, grasses."""
    flip = -1.0 if vary.random() < 0.5 else 1.0
    weight = style.uniform(0.011, 0.015)
    ink = 1

    def pen(points: Points, *, width: float = weight, closed: bool = False, paper: bool = False) -> None:
        turned = (np.asarray(points, float) - (0.5, 0.0)) * (flip, 1) + (0.5, 0.0)
        if paper:
            sheet.fill(0, turned)
        sheet.stroke(ink, turned, width, closed=closed)

    hill = through([(0.05, 0.84), (0.22, 0.75), (0.42, 0.72), (0.64, 0.77), (0.8, 0.75), (0.95, 0.82)], closed=False)
    pen(hill)
    for k in range(9):
        x, y = hill[2 + 3 * k]
        pen(np.array([[x + 0.015, y + 0.035], [x + 0.035, y + 0.085 - 0.02 * (k % 3)]]))
    lower = through([(0.2, 0.92), (0.4, 0.87), (0.6, 0.91), (0.82, 0.89)], closed=False)
    pen(lower)
    # the tree
    trunk = through([(0.27, 0.76), (0.29, 0.62), (0.26, 0.48)], closed=False)
    pen(trunk)
    pen(through([(0.35, 0.74), (0.335, 0.62), (0.36, 0.48)], closed=False))
    pen(np.array([[0.31, 0.6], [0.31, 0.7]]))
    crown = int(style.integers(0, 2))
    tops = ((0.3, 0.3, 0.17), (0.18, 0.42, 0.11), (0.43, 0.42, 0.12)) if crown == 0 else (
        (0.3, 0.22, 0.12), (0.17, 0.36, 0.11), (0.44, 0.34, 0.12), (0.31, 0.44, 0.12)
    )  # fmt: skip
    for x, y, radius in tops:
        pen(rosette(x, y, radius, 9, depth=0.16, angle=vary.uniform(0, TAU)), closed=True, paper=True)
    for x, y, radius in tops:
        for level in (-0.3, 0.15, 0.55):
            turn = np.linspace(0.3, 1.5, 8)
            reach = radius * (0.62 + 0.1 * level)
            pen(
                np.stack(
                    [x + reach * np.cos(turn) - 0.02, y + radius * level * 0.5 + reach * 0.5 * np.sin(turn)], axis=1
                )
            )
    # a house, a church or a windmill
    kind = int(style.integers(0, 3))
    x, y = 0.7, 0.76
    if kind < 2:
        pen(np.array([[x - 0.1, y], [x - 0.1, y - 0.14], [x + 0.12, y - 0.14], [x + 0.12, y]]), paper=True)
        pen(
            np.array([[x - 0.13, y - 0.14], [x - 0.07, y - 0.25], [x + 0.09, y - 0.25], [x + 0.15, y - 0.14]]),
            closed=True,
        )
        for k in range(4):
            pen(np.array([[x - 0.06 + 0.045 * k, y - 0.24], [x - 0.08 + 0.05 * k, y - 0.15]]), width=weight * 0.8)
        pen(np.array([[x, y], [x, y - 0.08], [x + 0.05, y - 0.08], [x + 0.05, y]]))
        if kind == 1:
            tower = np.array(
                [[x - 0.1, y], [x - 0.1, y - 0.3], [x - 0.045, y - 0.43], [x + 0.01, y - 0.3], [x + 0.01, y]]
            )
            pen(tower, closed=True, paper=True)
            pen(np.array([[x - 0.045, y - 0.27], [x - 0.045, y - 0.2]]), width=weight * 1.8)
    else:
        pen(
            np.array([[x - 0.08, y], [x - 0.045, y - 0.27], [x + 0.045, y - 0.27], [x + 0.08, y]]),
            closed=True,
            paper=True,
        )
        start = vary.uniform(0.3, 1.2)
        for k in range(4):
            sail = place(
                np.array([[0.0, 0.0], [0.2, 0.0], [0.2, 0.055], [0.05, 0.055]]), x, y - 0.27, start + k * TAU / 4
            )
            pen(sail, closed=True)
        pen(np.array([[x, y], [x, y - 0.07]]), width=weight * 2)
    for _ in range(2):
        bx, by, wing = vary.uniform(0.56, 0.8), vary.uniform(0.12, 0.26), vary.uniform(0.045, 0.065)
        pen(
            through(
                [
                    (bx - wing, by - 0.02),
                    (bx - wing / 2, by - 0.035),
                    (bx, by),
                    (bx + wing / 2, by - 0.035),
                    (bx + wing, by - 0.02),
                ],
                closed=False,
            )
        )
    for gx, gy in ((0.12, 0.9), (0.52, 0.85), (0.9, 0.9)):
        for side in (-0.4, 0.0, 0.4):
            pen(np.array([[gx, gy], [gx + 0.05 * side, gy - 0.055]]))
    return ("toile", "line drawing", "pastoral", "French", "countryside", "etched")


def rose(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """A full bloom of layered petals with a wound heart."""
    return _layered_bloom(sheet, style, vary, peony=False)


def peony(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """A full bloom of ruffled rings around its stamens."""
    return _layered_bloom(sheet, style, vary, peony=True)


def _layered_bloom(sheet: Sheet, style: Generator, vary: Generator, *, peony: bool) -> Words:
    x, y = 0.5 + vary.uniform(-0.03, 0.03), 0.5 + vary.uniform(-0.03, 0.03)
    radius = style.uniform(0.3, 0.36)
    outer = int(style.integers(5, 8))
    turn = vary.uniform(0, TAU)
    edge = int(style.choice((4, 0, 4)))
    leaves = int(style.integers(2, 4))
    for k in range(leaves):
        angle = turn + 0.3 + k * TAU / leaves + vary.uniform(-0.15, 0.15)
        for swing in (-0.28, 0.28):
            outline = place(blade(0.46, 0.15, belly=0.85, point=0.9), x, y, angle + swing)
            sheet.fill(2, outline)
            rib = np.array([[0.3, 0.0], [0.42, 0.0]])
            sheet.stroke(0, place(rib, x, y, angle + swing), 0.014)
    rings = ((1.0, outer, 1), (0.78, outer, 1), (0.56, outer - 1, 4 if edge == 0 else 1), (0.36, 4, 1))
    for ring, (share, count, role) in enumerate(rings):
        for k in range(count):
            angle = turn + 0.5 * ring + k * TAU / count
            reach, size = radius * share * 0.6, radius * share * (0.52 if not peony else 0.46)
            cx, cy = x + reach * np.cos(angle), y + reach * np.sin(angle)
            if peony:
                petal = rosette(cx, cy, size, 5, depth=0.16, angle=angle)
            else:
                bend = np.linspace(0, TAU, 26, endpoint=False)
                petal = place(np.stack([size * 0.85 * np.cos(bend), size * 1.1 * np.sin(bend)], axis=1), cx, cy, angle)
            sheet.fill(role, petal)
            sheet.stroke(edge, petal, 0.015, closed=True)
    if peony:
        sheet.disc(3, x, y, radius * 0.2)
        for k in range(7):
            a = turn + k * TAU / 7
            sheet.disc(3, x + radius * 0.27 * np.cos(a), y + radius * 0.27 * np.sin(a), 0.016)
        return ("peony", "romantic", "lush", "layered petals", "English garden")
    bend = np.linspace(0, 2.1 * TAU, 44)
    sheet.disc(3 if style.random() < 0.5 else 1, x, y, radius * 0.34)
    wound = radius * 0.03 + radius * 0.3 * bend / bend[-1]
    sheet.stroke(edge, np.stack([x + wound * np.cos(bend + turn), y + wound * np.sin(bend + turn)], axis=1), 0.016)
    return ("rose", "romantic", "vintage", "layered petals", "English garden")


def hibiscus(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """A tropical bloom of five broad petals with a long stamen, over pointed leaves."""
    radius = style.uniform(0.32, 0.38)
    turn = vary.uniform(0, TAU)
    edge = int(style.choice((0, 4)))
    x, y = 0.5, 0.5
    for k in (0.5, 2.5, 3.5):
        angle = turn + k * TAU / 5
        sheet.fill(2, place(blade(0.48, 0.22, belly=0.95, point=0.9), x, y, angle))
        sheet.stroke(0, place(np.array([[0.2, 0.0], [0.42, 0.0]]), x, y, angle), 0.014)
    for k in range(5):
        angle = turn + k * TAU / 5
        t = np.linspace(0, 1, 17)
        half = radius * 0.45 * np.sin(np.pi * t**1.5).clip(0) ** 0.55
        wave = 1 + 0.05 * np.cos(np.arange(17) * 2.1)
        upper = np.stack([t * radius, half * wave], axis=1)
        outline = place(np.concatenate([upper, (upper * (1, -1))[-2:0:-1]]), x, y, angle)
        sheet.fill(1, outline)
        sheet.stroke(edge, outline, 0.014, closed=True)
        for swing in (-0.3, 0.0, 0.3):
            vein = np.array([[radius * 0.2, 0.0], [radius * (0.72 - 0.3 * abs(swing)), 0.0]])
            sheet.stroke(4, place(vein, x, y, angle + swing), 0.011)
    sheet.fill(4, place(rosette(0, 0, radius * 0.34, 5, depth=0.55), x, y, turn))
    line, _ = stem(x, y, turn + TAU / 10, radius * 0.86, curve=0.5)
    sheet.stroke(3, line, 0.026)
    for k in (9, 11, 13, 15):
        for side in (-1, 1):
            sheet.disc(3, line[k][0] + 0.026 * side, line[k][1] - 0.018 * side, 0.015)
    return ("hibiscus", "tropical", "Hawaiian", "exotic", "summer")


def monstera(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """A broad heart-shaped leaf, slit from its edge towards the rib and pierced beside it."""
    angle = UP + vary.uniform(-0.4, 0.4)
    width = style.uniform(0.66, 0.76)
    slits = int(style.integers(3, 5))
    pierced = style.random() < 0.7
    half = through(
        [(0.0, 0.0), (-0.1, 0.17), (0.02, 0.36), (0.22, 0.42), (0.45, 0.36), (0.66, 0.2), (0.78, 0.0)], closed=False
    )
    half = half * (1, width / 0.84)
    leaf = np.concatenate([half, (half * (1, -1))[-2:0:-1]]) - (0.36, 0.0)
    sheet.stroke(2, place(np.array([[-0.46, 0.02], [-0.36, 0.0]]), 0.5, 0.5, angle), 0.03)
    sheet.fill(2, place(leaf, 0.5, 0.5, angle))
    for side in (-1, 1):
        for k in range(slits):
            at = 0.06 + 0.5 * k / slits - 0.3
            reach = 0.45 * width / 0.76
            wedge = np.array(
                [[at, 0.075], [at + 0.02, 0.11], [at + 0.2, reach], [at + 0.07, reach + 0.02], [at - 0.02, 0.12]]
            )
            sheet.fill(0, place(wedge * (1, side), 0.5, 0.5, angle))
            if pierced and k < slits - 1:
                hole = place(blade(0.09, 0.035, belly=1.0, point=0.7), at + 0.09, 0.055, 0.0)
                sheet.fill(0, place(place(hole, 0, 0) * (1, side), 0.5, 0.5, angle))
    vein = int(style.choice((0, 4, 1)))
    sheet.stroke(vein, place(np.array([[-0.36, 0.0], [0.34, 0.0]]), 0.5, 0.5, angle), 0.02)
    return ("monstera", "tropical", "jungle", "large leaf", "lush")


def palm(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """A palm frond of long drooping leaflets, or a fan palm."""
    if style.random() < 0.35:
        rays = 2 * int(style.integers(4, 6)) + 1
        lean = vary.uniform(-0.25, 0.25)
        sheet.stroke(2, np.array([[0.5 - 0.1 * lean, 0.95], [0.5, 0.62]]), 0.028)
        for k in range(rays):
            angle = UP + lean + 2.0 * (2 * k / (rays - 1) - 1)
            sheet.fill(
                2 if k % 2 else 1,
                place(
                    blade(0.46 if abs(k - rays // 2) < rays / 3 else 0.4, 0.1, belly=0.9, point=0.9), 0.5, 0.62, angle
                ),
            )
        sheet.disc(0, 0.5, 0.62, 0.03)
        return ("fan palm", "tropical", "Palm Springs", "resort")
    pairs = int(style.integers(9, 12))
    curve = vary.choice((-1, 1)) * style.uniform(0.35, 0.8)
    line, heading = stem(0.5, 0.5, UP - curve / 2, 0.8, curve=curve, points=pairs * 2 + 4)
    line = line - line.mean(axis=0) + (0.5, 0.53)
    sheet.stroke(2, line, 0.022)
    two = style.random() < 0.4
    for k in range(pairs):
        spot = 3 + 2 * k
        share = k / pairs
        length = 0.33 * np.sin(np.pi * (0.25 + 0.66 * share)) + 0.05
        for side in (-1, 1):
            outline = blade(length, 0.042, belly=0.8, point=0.9, bend=side * 0.28)
            sheet.fill(
                1 if two and side > 0 else 2, place(outline, *line[spot], heading[spot] + side * (1.0 - 0.35 * share))
            )
    return ("palm frond", "tropical", "resort", "exotic", "jungle")
