"""Conversational prints: animals, the sea and the wood, each a clear silhouette inside its unit."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from generation.training.corpus.florals import UP, Words
from generation.training.corpus.shapes import TAU, blade, ellipse, even, place, stem, through
from generation.training.corpus.sheet import Points, Sheet


class _Pose:
    """Draws on the sheet with a turn, a size and a face to the left or to the right, around a place in the unit."""

    def __init__(self, sheet: Sheet, x: float, y: float, *, size: float = 1.0, turn: float = 0.0, flip: bool = False):
        self.sheet, self.place, self.size, self.turn = sheet, (x, y), size, turn
        self.mirror = (-1.0, 1.0) if flip else (1.0, 1.0)

    def at(self, points: Points) -> Points:
        return place(np.asarray(points, float) * self.mirror, *self.place, self.turn, self.size)

    def fill(self, role: int, points: Points) -> None:
        self.sheet.fill(role, self.at(points))

    def stroke(self, role: int, points: Points, width: float, *, closed: bool = False) -> None:
        self.sheet.stroke(role, self.at(points), width * self.size, closed=closed)

    def disc(self, role: int, x: float, y: float, radius: float) -> None:
        self.sheet.disc(role, *self.at(np.array([[x, y]]))[0], radius * self.size)


def butterflies(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """A butterfly with patterned wings, the same on both sides."""
    n = 1 if style.random() < 0.65 else 2
    fore = style.uniform(0.9, 1.1)
    tails = style.random() < 0.35
    inner, spots = int(style.choice((3, 4, 0))), style.random() < 0.6
    lower = 1 if style.random() < 0.5 else 2
    for x, y in even(vary, n, n, jitter=0.06, stagger=n > 1):
        pose = _Pose(sheet, x, y, size=0.98 if n == 1 else 0.5, turn=vary.uniform(-0.45, 0.45))
        upper_wing = through(
            [
                (0.015, -0.03),
                (0.1, -0.24),
                (0.3, -0.33 * fore),
                (0.41, -0.27 * fore),
                (0.38, -0.12),
                (0.24, 0.01),
                (0.02, 0.03),
            ]
        )
        under = [(0.015, 0.02), (0.2, 0.03), (0.31, 0.12), (0.27, 0.27), (0.16, 0.29), (0.05, 0.15)]
        if tails:
            under[4:4] = [(0.22, 0.42)]
        lower_wing = through(under)
        for side in (1.0, -1.0):
            flip = (side, 1.0)
            pose.fill(lower, lower_wing * flip)
            pose.fill(inner, (lower_wing * 0.52 + (0.075, 0.07)) * flip)
            pose.fill(1, upper_wing * flip)
            pose.fill(inner, (upper_wing * 0.55 + (0.085, -0.07)) * flip)
            if spots:
                for sx, sy in ((0.335, -0.245 * fore), (0.345, -0.16), (0.25, 0.2)):
                    pose.disc(0, side * sx, sy, 0.026)
            pose.stroke(2, np.array([[0.0, -0.14], [0.045 * side, -0.27], [0.1 * side, -0.34]]), 0.016)
        pose.fill(2, ellipse(0.0, 0.01, 0.032, 0.19))
    return ("butterfly", "garden", "fluttering", "whimsical", "spring")


def fish(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """A fish with a forked tail, fins, an eye, and scales or bands."""
    n = 1 if style.random() < 0.5 else 2
    depth = style.uniform(0.27, 0.4)
    marking = int(style.integers(0, 3))
    flip = bool(vary.random() < 0.5)
    for k, (x, y) in enumerate(even(vary, n, n, jitter=0.06, stagger=n > 1)):
        pose = _Pose(sheet, x, y, size=1.0 if n == 1 else 0.5, turn=vary.uniform(-0.3, 0.3), flip=flip)
        role = 1 if n == 1 or k % 2 == 0 else 4
        pose.fill(3, through([(0.22, 0.0), (0.4, -0.17), (0.36, 0.0), (0.4, 0.17)], steps=5))
        pose.fill(3, np.array([[-0.1, -0.3 * depth], [0.02, -0.5 * depth - 0.09], [0.17, -0.25 * depth]]))
        pose.fill(3, np.array([[-0.02, 0.3 * depth], [0.09, 0.5 * depth + 0.07], [0.14, 0.25 * depth]]))
        pose.fill(
            role,
            through(
                [
                    (-0.41, 0.01),
                    (-0.28, -0.36 * depth),
                    (-0.06, -0.5 * depth),
                    (0.26, -0.07),
                    (0.28, 0.05),
                    (-0.06, 0.5 * depth),
                    (-0.3, 0.32 * depth),
                ]
            ),
        )
        if marking == 0:
            for px in (-0.04, 0.06, 0.16):
                reach = depth * (0.36 - 0.9 * max(0.0, px))
                turn = np.linspace(-1.1, 1.1, 9)
                pose.stroke(0, np.stack([px + 0.04 * np.cos(turn), reach * np.sin(turn)], axis=1), 0.02)
        elif marking == 1:
            for px, py in (
                (-0.08, -0.05),
                (-0.08, 0.05),
                (0.02, 0.0),
                (0.02, -0.1),
                (0.02, 0.1),
                (0.12, -0.04),
                (0.12, 0.045),
            ):
                pose.disc(2, px, py * depth / 0.32, 0.026)
        else:
            pose.stroke(2, np.array([[-0.12, 0.0], [0.2, 0.0]]), 0.045)
        turn = np.linspace(-1.0, 1.0, 9)
        pose.stroke(0, np.stack([-0.2 + 0.05 * np.cos(turn), 0.36 * depth * np.sin(turn)], axis=1), 0.018)
        pose.disc(0, -0.29, -0.1 * depth, 0.04)
        pose.disc(2, -0.295, -0.1 * depth, 0.02)
    return ("fish", "under the sea", "ocean", "coastal", "swimming")


def shells(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """A scallop shell or a wound snail shell."""
    scallop = style.random() < 0.55
    turn = vary.uniform(-0.4, 0.4)
    pose = _Pose(sheet, 0.5, 0.5, size=style.uniform(0.88, 1.02), turn=turn)
    if scallop:
        ribs = int(style.integers(5, 8))
        fan = np.linspace(-1.05, 1.05, 60)
        edge = 0.66 + 0.03 * np.abs(np.cos(np.linspace(0, ribs, 60) * np.pi + np.pi / 2))
        outline = np.stack([edge * np.sin(fan) * 0.68, 0.33 - edge * np.cos(fan)], axis=1)
        pose.fill(3, np.array([[-0.15, 0.36], [-0.09, 0.2], [0.09, 0.2], [0.15, 0.36]]))
        pose.fill(1, np.concatenate([outline, [[0.05, 0.33], [-0.05, 0.33]]]))
        for k in range(1, ribs):
            angle = -1.05 + 2.1 * k / ribs
            tip = np.array([0.6 * np.sin(angle) * 0.68, 0.33 - 0.6 * np.cos(angle)])
            pose.stroke(0, np.array([[0.012 * np.sin(angle) * 8, 0.24], tip]), 0.018)
        inner = np.linspace(-0.95, 0.95, 30)
        pose.stroke(3, np.stack([0.45 * np.sin(inner) * 0.72, 0.31 - 0.45 * np.cos(inner)], axis=1), 0.02)
        return ("scallop shell", "seaside", "beach", "coastal")
    bend = np.linspace(0, 2.6 * TAU, 110)
    radius = 0.05 * np.exp(0.125 * bend)
    centre = np.stack([0.05 + radius * np.cos(bend), 0.03 + radius * np.sin(bend)], axis=1)
    outer = centre[bend > 1.6 * TAU] * 1.0
    pose.fill(1, outer)
    pose.fill(1, ellipse(0.05, 0.03, 0.21, 0.21))
    pose.stroke(0, centre[bend < 1.75 * TAU], 0.02)
    for k in np.flatnonzero(bend > 1.5 * TAU)[::6]:
        pose.stroke(3, np.stack([centre[k] * 0.68 + (0.016, 0.01), centre[k] * 0.94 + (0.003, 0.002)]), 0.016)
    return ("snail shell", "nautilus", "seaside", "coastal")


def starfish(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """A starfish with rows of dots along its arms, one or a few."""
    n = 1 if style.random() < 0.6 else 2
    waist = style.uniform(0.14, 0.18)
    for k, (x, y) in enumerate(even(vary, n, n, jitter=0.08, stagger=n > 1)):
        pose = _Pose(sheet, x, y, size=1.0 if n == 1 else 0.5, turn=vary.uniform(-0.6, 0.6))
        reaches = [(0.42 if arm % 2 == 0 else waist, UP + arm * TAU / 10) for arm in range(10)]
        pose.fill(1 if k % 2 == 0 else 2, through([(reach * np.cos(a), reach * np.sin(a)) for reach, a in reaches]))
        for a in UP + np.arange(5) * TAU / 5:
            for reach in (0.1, 0.17, 0.24, 0.31):
                pose.disc(3, reach * np.cos(a), reach * np.sin(a), 0.028 - 0.035 * reach)
        pose.disc(3, 0.0, 0.0, 0.035)
    return ("seaside", "beach", "coastal", "under the sea")


def seaweed(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Three stems of kelp with leaves, swaying."""
    for k, x in enumerate((0.28, 0.5, 0.72)):
        height = style.uniform(0.6, 0.82)
        line = np.stack(
            [
                x + 0.035 * np.sin(np.linspace(0, 2 * TAU, 40) + vary.uniform(0, TAU)),
                np.linspace(0.94, 0.94 - height, 40),
            ],
            axis=1,
        )
        sheet.stroke(2 if k != 1 else 1, line, 0.024)
        for j in range(4, 38, 6):
            for side in (-1, 1):
                sheet.fill(
                    2 if k != 1 else 1, place(blade(0.11, 0.055, belly=1.1, point=0.8), *line[j], UP + side * 0.8)
                )
    return ("seaweed", "kelp", "under the sea", "coastal")


def coral(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """A branching coral."""
    width = style.uniform(0.04, 0.052)
    spread = style.uniform(0.42, 0.58)
    role = int(style.choice((1, 3)))

    def grow(x: float, y: float, angle: float, length: float, weight: float, depth: int) -> None:
        line, heading = stem(x, y, angle, length, curve=vary.uniform(-0.35, 0.35), points=7)
        sheet.stroke(role, line, weight)
        if depth == 0:
            sheet.disc(role, *line[-1], weight * 0.75)
            return
        for side in (-1, 1):
            grow(
                *line[-1],
                heading[-1] + side * spread * vary.uniform(0.8, 1.15),
                length * 0.74,
                weight * 0.84,
                depth - 1,
            )

    sheet.fill(role, ellipse(0.5, 0.91, 0.12, 0.035))
    for lean in (-0.62, 0.0, 0.62):
        grow(0.5 + 0.06 * lean, 0.9, UP + lean, 0.26 if lean == 0 else 0.22, width, 3 if lean == 0 else 2)
    return ("coral", "reef", "under the sea", "coastal", "branching")


def mushrooms(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """Toadstools with spotted caps, alone or in twos and threes."""
    group = int(style.integers(1, 4))
    tall, spotted = style.uniform(0.3, 0.38), style.random() < 0.75
    sizes = ((0.5, 1.0),), ((0.37, 0.8), (0.7, 0.55)), ((0.5, 0.78), (0.22, 0.45), (0.79, 0.5))
    for x, size in sizes[group - 1]:
        pose = _Pose(sheet, x, 0.88, size=size, turn=vary.uniform(-0.08, 0.08))
        pose.fill(
            4, through([(-0.07, -0.45), (-0.075, -0.2), (-0.11, -0.02), (0.11, -0.02), (0.075, -0.2), (0.07, -0.45)])
        )
        pose.fill(3, ellipse(0.0, -tall - 0.03, 0.27, 0.075))
        dome = through(
            [
                (-0.36, -tall),
                (-0.3, -tall - 0.2),
                (-0.13, -tall - 0.36),
                (0.13, -tall - 0.36),
                (0.3, -tall - 0.2),
                (0.36, -tall),
            ],
            closed=False,
        )
        under = np.stack([np.linspace(0.36, -0.36, 12), -tall - 0.035 * np.sin(np.linspace(0, np.pi, 12))], axis=1)
        pose.fill(1, np.concatenate([dome, under]))
        if spotted:
            for sx, sy, r in ((0.0, -0.24, 0.06), (-0.18, -0.13, 0.05), (0.19, -0.14, 0.045), (0.02, -0.1, 0.035)):
                pose.disc(0, sx, -tall + sy, r)
    for x in (0.12, 0.5, 0.88):
        for side in (-0.5, 0.1, 0.6):
            sheet.fill(2, place(blade(0.13, 0.035, belly=0.8, point=0.9), x, 0.93, UP + side))
    return ("mushroom", "toadstool", "woodland", "whimsical", "autumn")


def sailboats(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """A sailing boat on a few waves."""
    n = 1 if style.random() < 0.7 else 2
    striped = style.random() < 0.4
    flip = bool(vary.random() < 0.5)
    for x, y in even(vary, n, n, jitter=0.05, stagger=n > 1):
        pose = _Pose(sheet, x, y, size=0.95 if n == 1 else 0.48, turn=vary.uniform(-0.07, 0.07), flip=flip)
        pose.stroke(2, np.array([[0.0, 0.2], [0.0, -0.44]]), 0.026)
        pose.fill(4, np.array([[0.035, 0.13], [0.035, -0.38], [0.16, -0.12], [0.32, 0.13]]))
        pose.fill(3, np.array([[-0.035, 0.13], [-0.035, -0.3], [-0.15, -0.08], [-0.26, 0.13]]))
        if striped:
            for level in (-0.16, -0.02):
                pose.stroke(1, np.array([[0.045, level], [0.045 + 0.55 * (level + 0.38), level]]), 0.03)
        pose.fill(3, np.array([[0.0, -0.45], [-0.13, -0.41], [0.0, -0.36]]))
        pose.fill(
            1,
            through(
                [(-0.36, 0.18), (-0.25, 0.31), (-0.1, 0.34), (0.12, 0.34), (0.27, 0.3), (0.38, 0.18)], closed=False
            ),
        )
        for level, shift in ((0.38, 0.0), (0.455, 0.09)):
            along = np.linspace(-0.4 + shift, 0.34 + shift * 0.6, 36)
            pose.stroke(2, np.stack([along, level + 0.02 * np.sin(along * TAU * 5)], axis=1), 0.022)
    return ("sailboat", "nautical", "seaside", "children", "summer")


def anchors(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """An anchor, with a rope around it or without."""
    n = 1 if style.random() < 0.65 else 2
    weight, rope = style.uniform(0.055, 0.07), style.random() < 0.5
    for k, (x, y) in enumerate(even(vary, n, n, jitter=0.04, stagger=n > 1)):
        pose = _Pose(sheet, x, y, size=0.98 if n == 1 else 0.48, turn=vary.uniform(-0.3, 0.3))
        role = 1 if k % 2 == 0 else 3
        pose.disc(role, 0.0, -0.34, 0.085)
        pose.disc(0, 0.0, -0.34, 0.042)
        pose.stroke(role, np.array([[0.0, -0.26], [0.0, 0.38]]), weight)
        pose.stroke(role, np.array([[-0.16, -0.17], [0.16, -0.17]]), weight * 0.85)
        for side in (-1, 1):
            pose.disc(role, 0.17 * side, -0.17, 0.036)
            turn = np.linspace(np.pi / 2, np.pi / 2 - 1.25 * side, 16)
            arm = np.stack([0.31 * np.cos(turn), 0.07 + 0.31 * np.sin(turn)], axis=1)
            pose.stroke(role, arm, weight)
            pose.fill(role, place(np.array([[-0.09, 0.08], [0.0, -0.1], [0.09, 0.08]]), *arm[-1], 0.35 * side))
        if rope:
            along = np.linspace(0, 1, 40)
            pose.stroke(
                3 if role == 1 else 1, np.stack([0.11 * np.sin(along * TAU * 1.5), -0.26 + 0.58 * along], axis=1), 0.026
            )
    return ("anchor", "nautical", "maritime", "sailor", "marine")


def cats(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """A sitting cat seen from behind or in front, with its tail round its side."""
    pose = _Pose(sheet, 0.5, 0.5, size=style.uniform(0.92, 1.0), flip=bool(vary.random() < 0.5))
    face = style.random() < 0.65
    tail = through([(0.12, 0.4), (0.3, 0.41), (0.39, 0.3), (0.36, 0.16), (0.29, 0.12)], closed=False)
    pose.stroke(1, tail, 0.062)
    pose.fill(
        1,
        through(
            [
                (-0.1, -0.14),
                (0.08, -0.14),
                (0.15, 0.06),
                (0.22, 0.28),
                (0.18, 0.43),
                (0.0, 0.45),
                (-0.19, 0.43),
                (-0.23, 0.26),
                (-0.16, 0.05),
            ]
        ),
    )
    pose.fill(1, ellipse(-0.01, -0.2, 0.18, 0.155))
    for side in (-1, 1):
        pose.fill(
            1, np.array([[-0.01 + side * 0.175, -0.2], [-0.01 + side * 0.155, -0.44], [-0.01 + side * 0.03, -0.33]])
        )
        if face:
            pose.fill(
                3,
                np.array(
                    [[-0.01 + side * 0.14, -0.29], [-0.01 + side * 0.137, -0.385], [-0.01 + side * 0.075, -0.325]]
                ),
            )
            pose.fill(0, ellipse(-0.01 + side * 0.075, -0.21, 0.036, 0.028))
            pose.stroke(0, np.array([[-0.01 + side * 0.06, -0.12], [-0.01 + side * 0.15, -0.105]]), 0.012)
    if face:
        pose.fill(3, np.array([[-0.04, -0.16], [0.02, -0.16], [-0.01, -0.125]]))
        pose.fill(4, through([(-0.01, -0.05), (0.06, 0.06), (0.06, 0.18), (-0.01, 0.25), (-0.08, 0.18), (-0.08, 0.06)]))
        for side in (-1, 1):
            pose.stroke(0, np.array([[0.07 * side, 0.28], [0.075 * side, 0.43]]), 0.016)
    return ("cat", "animal", "playful", "children", "pets")


def foxes(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """The head of a fox, or a fox asleep, curled into its tail."""
    if style.random() < 0.5:
        pose = _Pose(sheet, 0.5, 0.5, size=0.96, turn=vary.uniform(-0.15, 0.15))
        half = [(0.0, 0.4), (0.13, 0.26), (0.36, 0.04), (0.32, -0.16), (0.37, -0.42), (0.14, -0.22), (0.0, -0.2)]
        head = np.array(half)
        pose.fill(1, np.concatenate([head, (head * (-1, 1))[-2:0:-1]]))
        for side in (-1.0, 1.0):
            pose.fill(2, np.array([[0.31, -0.19], [0.335, -0.35], [0.19, -0.215]]) * (side, 1))
            pose.fill(0, np.array([[0.0, 0.33], [0.11, 0.24], [0.31, 0.05], [0.17, 0.03], [0.05, 0.12]]) * (side, 1))
            pose.disc(2, side * 0.13, -0.015, 0.035)
        pose.fill(2, ellipse(0.0, 0.36, 0.055, 0.045))
        return ("fox", "woodland", "animal", "children", "geometric")
    pose = _Pose(sheet, 0.5, 0.52, size=1.0, flip=bool(vary.random() < 0.5))
    pose.fill(1, ellipse(0.02, -0.02, 0.4, 0.3))
    turn = np.linspace(-0.1, 2.7, 24)
    line = np.stack([0.02 + 0.33 * np.cos(turn), 0.0 + 0.26 * np.sin(turn)], axis=1)
    swell = 0.1 * np.sin(np.linspace(0.3, np.pi, 24)) ** 0.7 + 0.004
    out = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    tail = np.concatenate([line + out * swell[:, None], (line - out * swell[:, None])[::-1]])
    pose.fill(0, np.concatenate([line + out * (swell + 0.02)[:, None], (line - out * (swell + 0.02)[:, None])[::-1]]))
    pose.fill(1, tail)
    pose.fill(4, np.concatenate([(line + out * swell[:, None])[16:], (line - out * swell[:, None])[:15:-1]]))
    snout = np.array(
        [[-0.36, -0.02], [-0.42, -0.3], [-0.27, -0.2], [-0.13, -0.22], [-0.02, -0.35], [0.02, -0.06], [-0.16, 0.16]]
    )
    pose.fill(0, snout * 1.1 + (0.017, 0.005))
    pose.fill(3 if style.random() < 0.2 else 1, snout)
    pose.fill(0, np.array([[-0.34, -0.01], [-0.16, 0.14], [0.0, -0.06], [-0.09, -0.03], [-0.16, 0.05], [-0.24, -0.02]]))
    pose.disc(2, -0.16, 0.14, 0.034)
    for x in (-0.255, -0.085):
        pose.stroke(2, np.array([[x - 0.035, -0.08], [x, -0.06], [x + 0.035, -0.08]]), 0.018)
    return ("fox", "sleeping", "woodland", "animal", "children")


def rabbits(sheet: Sheet, style: Generator, vary: Generator) -> Words:
    """A crouching rabbit from the side, long-eared, with a round tail."""
    pose = _Pose(
        sheet, 0.5, 0.54, size=style.uniform(0.92, 1.02), turn=vary.uniform(-0.06, 0.06), flip=bool(vary.random() < 0.5)
    )
    pose.disc(4, 0.33, 0.19, 0.085)
    pose.fill(
        1,
        through(
            [
                (-0.14, -0.04),
                (0.06, -0.08),
                (0.26, 0.02),
                (0.34, 0.2),
                (0.28, 0.34),
                (0.02, 0.36),
                (-0.2, 0.35),
                (-0.2, 0.14),
            ]
        ),
    )
    for angle, role in ((UP + 0.42, 1), (UP + 0.1, 1)):
        pose.fill(role, place(blade(0.34, 0.115, belly=1.0, point=0.6), -0.19, -0.17, angle))
    pose.fill(3, place(blade(0.25, 0.05, belly=1.0, point=0.6), -0.185, -0.2, UP + 0.1))
    pose.fill(
        1,
        through(
            [(-0.35, -0.03), (-0.3, -0.16), (-0.18, -0.21), (-0.08, -0.14), (-0.06, 0.0), (-0.17, 0.1), (-0.29, 0.07)]
        ),
    )
    turn = np.linspace(2.4, 5.6, 16)
    pose.stroke(0, np.stack([0.16 + 0.13 * np.cos(turn), 0.2 + 0.13 * np.sin(turn)], axis=1), 0.018)
    pose.fill(1, ellipse(-0.2, 0.345, 0.1, 0.035))
    pose.disc(0, -0.24, -0.08, 0.026)
    pose.disc(3, -0.345, -0.015, 0.02)
    if style.random() < 0.5:
        for x in (-0.4, 0.4):
            for side in (-0.5, 0.1, 0.6):
                sheet.fill(2, place(blade(0.13, 0.035, belly=0.8, point=0.9), 0.5 + x, 0.94, UP + side))
    return ("rabbit", "bunny", "spring", "animal", "nursery")
