"""What a PDF page paints, and where: a walk through its operators with pikepdf (ISO 32000-1, 8 and 9)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pikepdf

Box = tuple[float, float, float, float]  # left, foot, right, top
Matrix = tuple[float, float, float, float, float, float]

_EVERYWHERE = (float("-inf"), float("-inf"), float("inf"), float("inf"))
_PATHS = {"f", "F", "f*", "B", "B*", "b", "b*", "S", "s"}
_PAINTS = {*_PATHS, "sh", "Tj", "TJ", "'", '"', "INLINE IMAGE"}
_DEEPEST = 12  # forms within forms


@dataclass(frozen=True)
class Drawn:
    """One picture as a page shows it, or something else that it paints (`picture` is None then)."""

    picture: pikepdf.Object | None
    matrix: Matrix  # from the picture's unit square to the page
    clip: Box
    fill: tuple[float, ...]  # the colour that a shape is stamped in


@dataclass(frozen=True)
class _State:
    matrix: Matrix = (1, 0, 0, 1, 0, 0)
    clip: Box = _EVERYWHERE
    fill: tuple[float, ...] = (0.0, 0.0, 0.0, 1.0)


def drawn(
    content: pikepdf.Object, resources: Any = None, state: _State | None = None, depth: int = 0
) -> Iterator[Drawn]:
    """Everything that a page or a form paints, in its order. A clip is taken as the box around its rectangles.

    Raises ValueError for forms that hold each other.
    """
    if depth > _DEEPEST:
        raise ValueError("forms within forms without end")
    resources = content.get("/Resources", resources or {})
    pictures = resources.get("/XObject", {})
    state, kept, path = state or _State(), [], list[Box]()
    for each in pikepdf.parse_content_stream(content):
        step, operands = str(each.operator), list(each.operands)
        if step == "q":
            kept.append(state)
        elif step == "Q":
            state = kept.pop()
        elif step == "cm":
            state = replace(state, matrix=times(tuple(map(float, operands)), state.matrix))
        elif step == "re":
            x, y, width, height = map(float, operands)
            path.append(around(times((width, 0, 0, height, x, y), state.matrix)))
        elif step in ("W", "W*") and path:
            state = replace(state, clip=shared(state.clip, _hull(path)))
        elif step in ("g", "rg", "k", "sc", "scn"):
            state = replace(
                state, fill=tuple(float(value) for value in operands if not isinstance(value, pikepdf.Name))
            )
        elif step == "Do":
            picture = pictures[str(operands[0])]
            if picture.get("/Subtype") == "/Form":
                own = tuple(float(value) for value in picture.get("/Matrix", (1, 0, 0, 1, 0, 0)))
                inside = replace(state, matrix=times(own, state.matrix))
                yield from drawn(picture, resources, inside, depth + 1)
            else:
                yield Drawn(picture, state.matrix, state.clip, state.fill)
        elif step in _PAINTS:
            yield Drawn(None, state.matrix, state.clip, state.fill)
        if step == "n" or step in _PATHS:
            path = []


def times(first: tuple[float, ...], then: tuple[float, ...]) -> Matrix:
    """One transformation after another (ISO 32000-1, 8.3.4)."""
    a, b, c, d, e, f = first
    p, q, r, s, t, u = then
    return (a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u)


def around(matrix: Matrix) -> Box:
    """The box around what the unit square becomes."""
    a, b, c, d, e, f = matrix
    xs, ys = (e, e + a, e + c, e + a + c), (f, f + b, f + d, f + b + d)
    return (min(xs), min(ys), max(xs), max(ys))


def shared(one: Sequence[float], other: Sequence[float]) -> Box:
    """What two boxes have in common; its right is left of its left where they have nothing."""
    return (max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3]))


def _hull(boxes: Sequence[Box]) -> Box:
    lefts, feet, rights, tops = zip(*boxes, strict=True)
    return (min(lefts), min(feet), max(rights), max(tops))
