"""Outlines that textile designers draw with: petals, leaves, stems, blobs, and even scatterings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from generation.training.corpus.sheet import Points

TAU = 2 * np.pi


def blade(length: float, width: float, *, belly: float = 1.0, point: float = 0.6, bend: float = 0.0) -> Points:
    """A petal or leaf from the origin along +x; `belly` > 1 is fullest near the tip, `point` > 1 has sharp ends."""
    t = np.linspace(0, 1, 15)
    half = width / 2 * np.sin(np.pi * t**belly).clip(0) ** point
    upper = np.stack([t * length, half], axis=1)
    lower = np.stack([t * length, -half], axis=1)[-2:0:-1]
    outline = np.concatenate([upper, lower])
    outline[:, 1] += bend * length * (outline[:, 0] / length) ** 2
    return outline


def place(outline: Points, x: float, y: float, angle: float = 0.0, scale: float = 1.0) -> Points:
    """The outline turned by `angle` (radians, clockwise on the sheet), scaled and moved to (x, y)."""
    c, s = np.cos(angle) * scale, np.sin(angle) * scale
    return outline @ np.array([[c, s], [-s, c]]) + (x, y)


def stem(
    x: float, y: float, angle: float, length: float, *, curve: float = 0.0, points: int = 16
) -> tuple[Points, Points]:
    """A curved line from (x, y): its points (n, 2) and its direction (n,) in radians at each; `curve` is the turn."""
    heading = angle + curve * np.linspace(0, 1, points)
    steps = np.stack([np.cos(heading), np.sin(heading)], axis=1) * (length / (points - 1))
    line = np.cumsum(np.vstack([(x, y), steps[:-1]]), axis=0)
    return line, heading


def through(points: Sequence[tuple[float, float]], *, closed: bool = True, steps: int = 6) -> Points:
    """A smooth line through the points, closed or open (Catmull and Rom 1974)."""
    knots = np.asarray(points, float)
    if closed:
        around = np.concatenate([knots[-1:], knots, knots[:2]])
    else:
        around = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    a, b, c, d = (around[k : len(around) - 3 + k, None] for k in range(4))
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    line = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    out: Points = line.reshape(-1, 2)
    return out if closed else np.concatenate([out, knots[-1:]])


def acanthus(line: Points, heading: NDArray[np.float64], width: float, *, lobes: int, side: float) -> Points:
    """A scrolling leaf along `line`, lobed on its outer side (`side` +1 or -1) and nearly plain on its inner one."""
    t = np.linspace(0, 1, len(line))
    normal = np.stack([-np.sin(heading), np.cos(heading)], axis=1) * side
    body = np.sin(np.pi * t**0.75).clip(0) ** 0.8
    outer = width * body * (0.55 + 0.45 * np.abs(np.sin(np.pi * lobes * t)) ** 0.8)
    inner = 0.3 * width * body
    return np.concatenate([line + normal * outer[:, None], (line - normal * inner[:, None])[::-1]])


def mirrored(points: Points) -> Points:
    """The points on the other side of the unit's upright axis."""
    out: Points = points * (-1, 1) + (1, 0)
    return out


def blob(rng: Generator, x: float, y: float, radius: float, *, wobble: float = 0.15, lobes: int = 4) -> Points:
    """A closed soft shape around (x, y) whose radius wavers by about `wobble`."""
    turn = np.linspace(0, TAU, 48, endpoint=False)
    r = np.ones_like(turn)
    for k in range(2, lobes + 1):
        r += wobble / k * 1.6 * rng.normal() * np.cos(k * turn + rng.uniform(0, TAU))
    r = radius * r.clip(0.4, 1.7)
    return np.stack([x + r * np.cos(turn), y + r * np.sin(turn)], axis=1)


def ellipse(x: float, y: float, rx: float, ry: float, angle: float = 0.0) -> Points:
    """An ellipse around (x, y)."""
    turn = np.linspace(0, TAU, 40, endpoint=False)
    return place(np.stack([rx * np.cos(turn), ry * np.sin(turn)], axis=1), x, y, angle)


def rosette(x: float, y: float, radius: float, petals: int, *, depth: float = 0.3, angle: float = 0.0) -> Points:
    """A flower head in one outline: `petals` round lobes, cut in by `depth` of the radius."""
    turn = np.linspace(0, TAU, petals * 14, endpoint=False)
    r = radius * (1 - depth * (1 - np.abs(np.cos(petals * turn / 2)) ** 0.7))
    return np.stack([x + r * np.cos(turn + angle), y + r * np.sin(turn + angle)], axis=1)


def star(x: float, y: float, radius: float, points: int, *, inner: float = 0.45, angle: float = -np.pi / 2) -> Points:
    """A star with sharp points."""
    turn = angle + np.arange(2 * points) * np.pi / points
    r = np.where(np.arange(2 * points) % 2 == 0, radius, radius * inner)
    return np.stack([x + r * np.cos(turn), y + r * np.sin(turn)], axis=1)


def heart(x: float, y: float, size: float, angle: float = 0.0) -> Points:
    """A heart of half-width about `size`."""
    t = np.linspace(0, TAU, 48, endpoint=False)
    u = 16 * np.sin(t) ** 3
    v = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
    return place(np.stack([u, v], axis=1) / 16.0, x, y, angle, size)


def even(rng: Generator, columns: int, rows: int, *, jitter: float, stagger: bool = True) -> Points:
    """Places spread evenly on the torus, inside the unit: a lattice with every second column dropped, and jitter."""
    places = []
    for i in range(columns):
        for j in range(rows):
            drop = 0.25 if stagger and i % 2 else -0.25 if stagger else 0.0
            x, y = (i + 0.5) / columns, (j + 0.5 + drop) / rows
            places.append((x + rng.uniform(-1, 1) * jitter / columns, y + rng.uniform(-1, 1) * jitter / rows))
    return np.array(places)


def scatter(rng: Generator, count: int, *, tries: int = 14) -> Points:
    """Places far from each other on the torus, by best candidate (Mitchell 1991)."""
    places = [rng.random(2)]
    for _ in range(count - 1):
        candidates = rng.random((tries, 2))
        gap = np.abs(candidates[:, None] - np.array(places)[None])
        gap = np.minimum(gap, 1 - gap)
        places.append(candidates[(gap**2).sum(-1).min(axis=1).argmax()])
    return np.array(places)


def noise(rng: Generator, side: int, *, waves: int, falloff: float = 1.6) -> Points:
    """Periodic smooth noise (side, side), zero mean, unit deviation: a few low waves of random phase that tile."""
    k = np.fft.fftfreq(2 * waves + 1, 1 / (2 * waves + 1)).astype(int)
    radius = np.hypot(*np.meshgrid(k, k))
    amplitude = np.where((radius > 0) & (radius <= waves), (1 + radius) ** -falloff, 0.0)
    phases = rng.normal(size=radius.shape) + 1j * rng.normal(size=radius.shape)
    spectrum = np.zeros((side, side), complex)
    spectrum[np.ix_(k % side, k % side)] = amplitude * phases
    field = np.fft.ifft2(spectrum).real
    out: Points = (field - field.mean()) / field.std()
    return out
