"""From defects to a grade, and from the grade to what is done with the cloth. Pure: lengths in, a proposal out.

The grade is the four-point system of ASTM D5430: a defect has 1 point up to 75 mm, 2 up to 150, 3 up to 230 and 4
beyond that, a hole always 4, and no metre more than 4. What a customer takes is a `Rule`; a person confirms what it
proposes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final, Protocol

POINTS_BY_MM: Final = ((75.0, 1), (150.0, 2), (230.0, 3))
MOST_POINTS: Final = 4  # of one defect, and of one metre
HOLE: Final = "hole"
LINES: Final = frozenset({"missing_nozzle", "banding", "missing_pick", "broken_end"})  # long and thin
# So far apart may parts of one defect lie, in mm. Trade knowledge, not measured.
TOUCHING_MM: Final = 5.0
NEAR_MM: Final = 20.0  # of two spots
IN_LINE_MM: Final = 150.0  # of two ends of a line, along it
AROUND_MM: Final = 10.0  # of sound cloth goes with what is cut out
CM: Final = Decimal("0.01")
DM: Final = Decimal("0.1")
_EPSILON = 1e-9


class Found(Protocol):
    """A defect as inspection found it; x from the left, y along the roll from its head."""

    @property
    def number(self) -> int: ...
    @property
    def kind(self) -> str | None: ...
    @property
    def x_mm(self) -> float: ...
    @property
    def y_mm(self) -> float: ...
    @property
    def width_mm(self) -> float: ...
    @property
    def height_mm(self) -> float: ...


@dataclass(frozen=True)
class Fault:
    """A defect as an inspector counts it: what lies close together is one."""

    numbers: tuple[int, ...]  # of the defects that it is made of
    kind: str  # empty: nobody has named it
    x_mm: float
    y_mm: float
    width_mm: float
    height_mm: float

    @property
    def long_mm(self) -> float:
        """The longer of its sides."""
        return max(self.width_mm, self.height_mm)

    @property
    def points(self) -> int:
        """By its length, or 4 for a hole."""
        return points_of(self.long_mm, hole=self.kind == HOLE)

    @property
    def end_mm(self) -> float:
        """Where along the roll it ends."""
        return self.y_mm + self.height_mm

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**vars(self), "numbers": list(self.numbers), "points": self.points}


def points_of(long_mm: float, *, hole: bool = False) -> int:
    """The points of one defect of that length (ASTM D5430).

    >>> [points_of(mm) for mm in (0.5, 75, 76, 150, 230, 231)], points_of(2, hole=True)
    ([1, 1, 2, 2, 3, 4], 4)
    """
    if hole:
        return MOST_POINTS
    return next((points for most, points in POINTS_BY_MM if long_mm <= most), MOST_POINTS)


# ------------------------------------------------------------------------------------------------ grading


@dataclass(frozen=True)
class Grade:
    """The four-point grade of a length of cloth."""

    width_mm: float
    length_mm: float
    faults: tuple[Fault, ...]  # along the roll
    per_metre: tuple[int, ...]  # points of each metre from the head on, 4 at most; the last may be a part of one

    @property
    def points(self) -> int:
        """Of the whole length."""
        return sum(self.per_metre)

    @property
    def per_100m2(self) -> float:
        """Points per 100 m², as contracts ask for it."""
        return points_per_100m2(self.points, width_mm=self.width_mm, length_m=self.length_mm / 1000)

    @property
    def worst(self) -> int:
        """Points of the worst metre."""
        return max(self.per_metre, default=0)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "width_mm": self.width_mm, "length_mm": self.length_mm, "faults": [each.as_dict() for each in self.faults],
            "per_metre": list(self.per_metre), "points": self.points, "per_100m2": round(self.per_100m2, 2),
        }  # fmt: skip

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Grade:
        """The grade that `as_dict` wrote down."""
        names = [each.name for each in fields(Fault)]
        faults = [{name: row[name] for name in names} | {"numbers": tuple(row["numbers"])} for row in kept["faults"]]
        return cls(kept["width_mm"], kept["length_mm"], tuple(Fault(**row) for row in faults), tuple(kept["per_metre"]))


def grade(found: Iterable[Found], *, width_mm: float, length_mm: float) -> Grade:
    """Count a cloth's defects as ASTM D5430 does. Raises ValueError for a cloth without size."""
    if not (width_mm > 0 and length_mm > 0 and math.isfinite(width_mm) and math.isfinite(length_mm)):
        raise ValueError(f"a cloth of {width_mm} x {length_mm} mm can't be graded")
    faults = merged(found)
    return Grade(width_mm, length_mm, faults, _per_metre(faults, length_mm))


def points_per_100m2(points: float, *, width_mm: float, length_m: float) -> float:
    """100 000 · P / (W_mm · L_m).

    >>> points_per_100m2(12, width_mm=1500, length_m=40)
    20.0
    """
    return 100_000 * points / (width_mm * length_m)


def _per_metre(faults: Iterable[Fault], length_mm: float) -> tuple[int, ...]:
    """What is longer than a metre has 4 points in each that it touches, anything else its own where it begins."""
    count = max(1, math.ceil(length_mm / 1000 - _EPSILON))
    points = [0] * count
    for fault in faults:
        first, last = (min(count - 1, max(0, int(mm // 1000))) for mm in (fault.y_mm, fault.end_mm - _EPSILON))
        if fault.height_mm > 1000:
            for metre in range(first, last + 1):
                points[metre] += MOST_POINTS
        else:
            points[first] += fault.points
    return tuple(min(MOST_POINTS, each) for each in points)


def merged(found: Iterable[Found]) -> tuple[Fault, ...]:
    """Defects as an inspector counts them, along the roll: spots side by side are one, and so are the parts of a line.

    Whatever the order they come in, and merging once more changes nothing.
    """
    faults = [
        Fault((each.number,), each.kind or "", each.x_mm, each.y_mm, each.width_mm, each.height_mm) for each in found
    ]
    while True:
        groups = _groups(faults)
        if len(groups) == len(faults):
            return tuple(sorted(faults, key=lambda each: (each.y_mm, each.x_mm, each.numbers)))
        faults = [_together(group) for group in groups]


def _groups(faults: Sequence[Fault]) -> list[list[Fault]]:
    """Faults that belong together, by what is near to what."""
    along = sorted(faults, key=lambda each: (each.y_mm, each.x_mm, each.numbers))
    leader = list(range(len(along)))

    def lead(index: int) -> int:
        while leader[index] != index:
            leader[index] = leader[leader[index]]
            index = leader[index]
        return index

    reach = max(TOUCHING_MM, NEAR_MM, IN_LINE_MM)
    near_by: list[int] = []  # those that may still reach what comes
    for index, fault in enumerate(along):
        near_by = [other for other in near_by if along[other].end_mm + reach >= fault.y_mm]
        for other in near_by:
            if _belong_together(along[other], fault):
                leader[lead(index)] = lead(other)
        near_by.append(index)
    groups: dict[int, list[Fault]] = {}
    for index, fault in enumerate(along):
        groups.setdefault(lead(index), []).append(fault)
    return list(groups.values())


def _belong_together(one: Fault, other: Fault) -> bool:
    across = max(one.x_mm - other.x_mm - other.width_mm, other.x_mm - one.x_mm - one.width_mm)
    along = max(one.y_mm - other.end_mm, other.y_mm - one.end_mm)
    if max(across, along) <= TOUCHING_MM:
        return True
    if one.kind != other.kind:
        return False
    if one.kind not in LINES:
        return max(across, along) <= NEAR_MM
    longer = max(one, other, key=lambda each: each.long_mm)
    in_line, beside = (across, along) if longer.width_mm >= longer.height_mm else (along, across)
    return in_line <= IN_LINE_MM and beside <= TOUCHING_MM


def _together(group: Sequence[Fault]) -> Fault:
    """One fault of several: a hole where one of them is, else what the longest of them is."""
    if len(group) == 1:
        return group[0]
    left, top = min(each.x_mm for each in group), min(each.y_mm for each in group)
    right, bottom = max(each.x_mm + each.width_mm for each in group), max(each.end_mm for each in group)
    named = max(group, key=lambda each: (each.kind == HOLE, each.long_mm, each.numbers))
    numbers = tuple(sorted(number for each in group for number in each.numbers))
    return Fault(numbers, named.kind, left, top, right - left, bottom - top)


# ------------------------------------------------------------------------------------------------ the customer's rule


class Quality(StrEnum):
    """How much a customer expects."""

    PREMIUM = "premium"
    MID = "mid"
    PROMO = "promo"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What a customer takes. The figures of each class are trade knowledge and can be changed for every customer."""

    quality: str = Quality.MID
    most_per_100m2: float = 28.0  # points
    most_per_m: int = MOST_POINTS  # points
    most_de00: float = 2.5
    most_size_pct: float = 1.0  # of the repeat, each way
    most_bow_pct: float = 2.0  # of the width; bow and skew alike
    refused: tuple[str, ...] = (HOLE,)  # kinds that are cut out whatever the points
    longest_running_m: float = 9.0  # of one defect; ASTM D5430 rejects a roll with one over 10 yards
    takes_seconds: bool = False
    seconds_per_100m2: float = 60.0
    seconds_de00: float = 5.0
    shortest_piece_m: float = 1.0  # that is of use
    most_pieces: int = 3  # that a delivery may come in
    short_pct: float = 5.0  # so much less than was ordered is delivered without a word
    least_share: float = 0.005  # of the area: a smaller colour is not judged

    @classmethod
    def of(cls, quality: str, changed: Mapping[str, Any] | None = None) -> Rule:
        """The rule of a class with what a customer has otherwise. Raises ValueError in a sentence for what makes none.

        >>> Rule.of("premium", {"most_pieces": 1}).most_de00
        1.5
        """
        if quality not in set(Quality):
            raise ValueError(f"There is no class {quality!r}; there are {', '.join(Quality)}.")
        rule = cls(**{**_BY_CLASS[Quality(quality)], "quality": quality})
        values = {name: _checked(name, value) for name, value in (changed or {}).items()}
        return replace(rule, **values)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**vars(self), "quality": str(self.quality), "refused": list(self.refused)}


_BY_CLASS: Final[Mapping[Quality, Mapping[str, Any]]] = {
    Quality.PREMIUM: {
        "most_per_100m2": 20.0, "most_de00": 1.5, "most_size_pct": 0.5, "most_bow_pct": 1.5, "longest_running_m": 1.0,
        "most_pieces": 1, "shortest_piece_m": 2.0,
    },
    Quality.MID: {},
    Quality.PROMO: {
        "most_per_100m2": 40.0, "most_de00": 4.0, "most_size_pct": 1.5, "most_bow_pct": 3.0, "takes_seconds": True,
        "seconds_de00": 6.0, "most_pieces": 5,
    },
}  # fmt: skip
# name -> (least, most) of what can be changed for a customer
BOUNDS: Final[Mapping[str, tuple[float, float]]] = {
    "most_per_100m2": (0, 400), "most_per_m": (0, MOST_POINTS), "most_de00": (0.1, 50), "most_size_pct": (0.01, 20),
    "most_bow_pct": (0.01, 20), "longest_running_m": (0.01, 1000), "seconds_per_100m2": (0, 400),
    "seconds_de00": (0.1, 50), "shortest_piece_m": (0.01, 1000), "most_pieces": (1, 100), "short_pct": (0, 50),
    "least_share": (0, 1),
}  # fmt: skip
_WHOLE = {"most_per_m", "most_pieces"}


def _checked(name: str, value: Any) -> Any:
    if name == "takes_seconds":
        if not isinstance(value, bool):
            raise ValueError("takes_seconds is true or false.")
        return value
    if name == "refused":
        if not isinstance(value, list | tuple) or not all(isinstance(each, str) and len(each) <= 32 for each in value):
            raise ValueError('refused is a list of kinds of defects, such as ["hole", "stain"].')
        return tuple(value)
    if name not in BOUNDS:
        raise ValueError(f"A rule has no {name!r}; it has {', '.join(sorted({*BOUNDS, 'refused', 'takes_seconds'}))}.")
    least, most = BOUNDS[name]
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not least <= value <= most or (name in _WHOLE and value != int(value)):
        kind = "a whole number" if name in _WHOLE else "a number"
        raise ValueError(f"{name} is {str(value)[:40]!r}; give {kind} from {least:g} to {most:g}.")
    return int(value) if name in _WHOLE else float(value)


# ------------------------------------------------------------------------------------------------ deciding


class Decision(StrEnum):
    """What is done with a cloth."""

    PASS = "pass"  # noqa: S105 (the cloth passes)
    SECONDS = "seconds"  # it is delivered as what it is, and the customer takes that
    CUT_OUT = "cut_out"  # what is bad is cut out, and enough is left
    REPRINT = "reprint"  # metres are made once more


@dataclass(frozen=True)
class Piece:
    """A stretch of good cloth, in metres from the head of the roll."""

    from_m: float
    to_m: float

    @property
    def length_m(self) -> Decimal:
        """To the centimetre, rounded down."""
        return Decimal(str(round(self.to_m - self.from_m, 6))).quantize(CM, ROUND_FLOOR)


@dataclass(frozen=True)
class Reason:
    """One thing that was held against a limit."""

    code: str
    sentence: str
    measured: str
    limit: str
    kept: bool  # it is within the limit

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return dict(vars(self))


@dataclass(frozen=True)
class Proposal:
    """What the rule says of a cloth. No decision: a person has to look."""

    decision: Decision | None
    reasons: tuple[Reason, ...]
    pieces: tuple[Piece, ...] = ()
    good_m: Decimal = Decimal(0)
    scrap_m: Decimal = Decimal(0)
    reprint_m: Decimal = Decimal(0)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values, metres as text."""
        return {
            "decision": str(self.decision) if self.decision else "",
            "reasons": [each.as_dict() for each in self.reasons],
            "pieces": [[round(each.from_m, 3), round(each.to_m, 3)] for each in self.pieces],
            **{name: str(getattr(self, name)) for name in ("good_m", "scrap_m", "reprint_m")},
        }

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Proposal:
        """The proposal that `as_dict` wrote down."""
        return cls(
            Decision(kept["decision"]) if kept["decision"] else None,
            tuple(Reason(**row) for row in kept["reasons"]),
            tuple(Piece(*row) for row in kept["pieces"]),
            **{name: Decimal(kept[name]) for name in ("good_m", "scrap_m", "reprint_m")},
        )


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What was measured of a cloth beside its defects."""

    seen_m: float  # of its length
    de00: Sequence[tuple[str, float, float]] = ()  # colour, ΔE2000 against what was asked for, share of the area
    size_pct: tuple[float, float] = (0.0, 0.0)  # across, along
    bow_mm: float = 0.0
    skew_mm: float = 0.0
    unmeasured: str = ""  # which colours are not there, and why


def propose(found: Grade, seen: Seen, rule: Rule, *, wanted_m: Decimal) -> Proposal:
    """What the customer's rule says of a cloth of which `wanted_m` metres are to be delivered.

    Colour and size are the same all along: what is off in them can't be cut out.
    """
    reasons = _reasons(found, seen, rule, wanted_m)
    failing = {each.code for each in reasons if not each.kept}
    if "not_all_seen" in failing:
        return Proposal(None, reasons)
    length_m = Decimal(str(round(found.length_mm / 1000, 6))).quantize(CM, ROUND_FLOOR)
    if not failing:
        return Proposal(Decision.PASS, reasons, (Piece(0.0, found.length_mm / 1000),), good_m=wanted_m)
    needed = wanted_m * (1 - Decimal(str(rule.short_pct)) / 100)
    pieces: tuple[Piece, ...] = ()
    if not failing & {"colour", "size", "bow"}:
        pieces = good_pieces(found, rule, most=rule.most_pieces)
        good = _sum(pieces)
        if pieces and good >= needed:
            return Proposal(Decision.CUT_OUT, reasons, pieces, good_m=good, scrap_m=max(Decimal(0), length_m - good))
    if rule.takes_seconds and not failing & {"size", "bow", "refused", "running"} and _seconds_do(found, seen, rule):
        return Proposal(Decision.SECONDS, reasons, (Piece(0.0, found.length_mm / 1000),), good_m=wanted_m)
    # What is made once more comes as a piece of its own.
    pieces = good_pieces(found, rule, most=rule.most_pieces - 1) if pieces else ()
    good = _sum(pieces)
    missing = max(wanted_m - good, min(wanted_m, Decimal(str(rule.shortest_piece_m))))
    reprint = min(wanted_m, missing.quantize(DM, ROUND_CEILING))
    return Proposal(Decision.REPRINT, reasons, pieces, good, max(Decimal(0), length_m - good), reprint)


def good_pieces(found: Grade, rule: Rule, *, most: int) -> tuple[Piece, ...]:
    """The longest pieces, `most` of them, that are left within the rule once what is bad is cut out, along the roll.

    What has to go goes; then the faults with the most points, until the pieces keep the points that the rule allows.
    """
    if most < 1:
        return ()
    must = [each for each in found.faults if _must_go(each, rule)]
    may = [each for each in found.faults if not _must_go(each, rule)]
    may.sort(key=lambda each: (-each.points, each.height_mm, each.numbers))

    def left(count: int) -> tuple[Piece, ...]:
        return _pieces(found.length_mm, [*must, *may[:count]], rule.shortest_piece_m, most)

    low, high = 0, len(may)
    while low < high:  # the fewest that have to go
        middle = (low + high) // 2
        if _within(left(middle), may[middle:], found.width_mm, rule):
            high = middle
        else:
            low = middle + 1
    return left(low)


def _must_go(fault: Fault, rule: Rule) -> bool:
    return fault.kind in rule.refused or fault.height_mm > 1000 * rule.longest_running_m


def _pieces(length_mm: float, out: Iterable[Fault], shortest_m: float, most: int) -> tuple[Piece, ...]:
    edges = [(0.0, 0.0)]
    for start, end in sorted((each.y_mm - AROUND_MM, each.end_mm + AROUND_MM) for each in out):
        last_start, last_end = edges[-1]
        if start <= last_end:
            edges[-1] = (last_start, max(last_end, end))
        else:
            edges.append((start, end))
    edges.append((length_mm, length_mm))
    pieces = [
        Piece(end / 1000, start / 1000)
        for (_, end), (start, _) in pairwise(edges)
        if start - end >= 1000 * shortest_m - _EPSILON
    ]
    longest = sorted(pieces, key=lambda each: each.from_m - each.to_m)[:most]
    return tuple(sorted(longest, key=lambda each: each.from_m))


def _within(pieces: Sequence[Piece], faults: Sequence[Fault], width_mm: float, rule: Rule) -> bool:
    """True where the pieces that are left have no more points than the rule allows."""
    points = 0
    for piece in pieces:
        start, length = 1000 * piece.from_m, 1000 * (piece.to_m - piece.from_m)
        here = [
            replace(each, y_mm=each.y_mm - start) for each in faults if start - _EPSILON <= each.y_mm < start + length
        ]
        per_metre = _per_metre(here, length)
        if max(per_metre) > rule.most_per_m:
            return False
        points += sum(per_metre)
    length_m = sum(piece.to_m - piece.from_m for piece in pieces)
    return not points or points_per_100m2(points, width_mm=width_mm, length_m=length_m) <= rule.most_per_100m2


def _seconds_do(found: Grade, seen: Seen, rule: Rule) -> bool:
    return found.per_100m2 <= rule.seconds_per_100m2 and _worst_colour(seen, rule)[1] <= rule.seconds_de00


def _worst_colour(seen: Seen, rule: Rule) -> tuple[str, float]:
    judged = [(colour, de00) for colour, de00, share in seen.de00 if share >= rule.least_share]
    return max(judged, key=lambda each: each[1], default=("", 0.0))


def _sum(pieces: Iterable[Piece]) -> Decimal:
    return sum((each.length_m for each in pieces), Decimal(0))


def _reasons(found: Grade, seen: Seen, rule: Rule, wanted_m: Decimal) -> tuple[Reason, ...]:
    """All that is held against the rule, in the order people ask for it."""
    reasons: list[Reason] = []

    def held(code: str, sentence: str, measured: float, limit: float, unit: str, *, least: bool = False) -> None:
        kept = measured >= limit - _EPSILON if least else measured <= limit + _EPSILON
        said = [f"{value:.2f}".rstrip("0").rstrip(".") + (f" {unit}" if unit else "") for value in (measured, limit)]
        much = "at least" if least else "at most"
        words = sentence.format(said[0], f"{much} {said[1]}")
        reasons.append(Reason(code, words, said[0], said[1], kept))

    least_m = float(wanted_m) * (1 - rule.short_pct / 100)
    held("not_all_seen", "{} of the cloth were scanned; {} are needed to judge it.", seen.seen_m, least_m, "m",
         least=True)  # fmt: skip
    colour, de00 = _worst_colour(seen, rule)
    if colour:
        held("colour", f"The farthest colour, {colour}, is off by {{}}; the customer takes {{}}.",
             de00, rule.most_de00, "ΔE2000")  # fmt: skip
    if seen.unmeasured or not colour:
        by_eye = f"{seen.unmeasured or 'Colours were not measured.'} Judge the shade by eye."
        reasons.append(Reason("colour_by_eye", by_eye, "", f"{rule.most_de00:g} ΔE2000", kept=True))
    size = max(abs(each) for each in seen.size_pct)
    held("size", "The repeat's size is off by {}; the customer takes {}.", size, rule.most_size_pct, "%")
    bow = 100 * max(abs(seen.bow_mm), abs(seen.skew_mm)) / found.width_mm
    held("bow", "Bow or skew is {} of the width; the customer takes {}.", bow, rule.most_bow_pct, "%")
    held("points", "It has {} per 100 m²; the customer takes {}.", found.per_100m2, rule.most_per_100m2, "points")
    held("metre", "The worst metre has {}; the customer takes {}.", found.worst, rule.most_per_m, "points")
    refused = [each for each in found.faults if each.kind in rule.refused]
    if refused:
        what = ", ".join(f"{each.kind.replace('_', ' ')} at {each.y_mm / 1000:.2f} m" for each in refused[:5])
        more = f" and {len(refused) - 5} more" if len(refused) > 5 else ""
        sentence = f"The customer takes none of these: {what}{more}."
        reasons.append(Reason("refused", sentence, str(len(refused)), "0", kept=False))
    running = max((each.height_mm / 1000 for each in found.faults), default=0.0)
    held("running", "The longest defect runs for {}; the customer takes {}.", running, rule.longest_running_m, "m")
    return tuple(reasons)
