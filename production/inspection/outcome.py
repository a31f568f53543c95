"""What an inspection found out about a length of cloth: plain values that go into JSON and come back as they were.

An inspection that is not `trusted` says why and nothing else of the cloth: it has no colours, no defects, no grade.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

from production.inspection.flaws import Kind

Lab = tuple[float, float, float]
READINGS = "readings"  # as an instrument read its patches
AS_ASKED = "as asked"  # as its patches should be: what all of the print has in common is then put down to the scanner


@dataclass(frozen=True)
class Reason:
    """Why cloth was not inspected: a code for programs and a sentence for people, remedy included."""

    code: str
    sentence: str


@dataclass(frozen=True)
class Scanned:
    """One scan, and which part of the length it shows, from the head of the cloth."""

    name: str
    sha256: str
    dpi: float
    from_mm: float
    to_mm: float


def shown_mm(scans: Sequence[Scanned], from_mm: float = -math.inf, to_mm: float = math.inf) -> float:
    """How much of a length scans show, what overlaps counted once."""
    shown, until = 0.0, from_mm
    for start, end in sorted((each.from_mm, min(each.to_mm, to_mm)) for each in scans):
        shown += max(0.0, end - max(start, until))
        until = max(until, end)
    return shown


def is_shown(scans: Sequence[Scanned], from_mm: float, to_mm: float) -> bool:
    """True where scans show most of a length: of the rest nobody can say that it is free of defects."""
    return shown_mm(scans, from_mm, to_mm) > (to_mm - from_mm) / 2


@dataclass(frozen=True)
class Block:
    """One place of the cloth: its middle, how far it lies aside of where the pose has it, and how surely."""

    x_mm: float
    y_mm: float
    dx_mm: float
    dy_mm: float
    confidence: float  # 0 to 1


@dataclass(frozen=True)
class Registration:
    """How the scan lies on its reference, and what that says of the cloth's size and shape."""

    residual_mean_mm: float
    residual_p95_mm: float
    size_error_across_pct: float  # of the repeat; above 0: the cloth is wider than asked
    size_error_along_pct: float
    stretch_pct: float  # the largest local change of length, 95 of 100 places are under it
    bow_mm: float  # the middle of a pick against its ends; above 0: it lags towards the end of the roll
    skew_mm: float  # the right end of a pick against the left one, over the whole width
    confidence: float  # 0 to 1
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True)
class Colour:
    """One colour of the design: what it should be on this cloth, and what the scan shows."""

    colour: str  # "#rrggbb" as it was designed
    asked_lab: Lab
    seen_lab: Lab
    de00: float
    cmc: float  # CMC(2:1)
    share: float  # of the area


@dataclass(frozen=True)
class Channel:
    """By how much one channel of the print lies aside of the middle of all; one that no edges tell of is left out."""

    channel: str
    dx_um: float
    dy_um: float


@dataclass(frozen=True)
class Defect:
    """One defect; x from the left edge, y along the roll from the head of the cloth, both of its nearest corner."""

    number: int  # from 1, as on the map
    kind: Kind | None
    share: float  # of its pixels that are of that kind
    score: float
    x_mm: float
    y_mm: float
    width_mm: float
    height_mm: float
    area_mm2: float


@dataclass(frozen=True)
class Inspected:
    """All that is known of one inspected length of cloth."""

    job: str  # its reference; "" of a picture that no job printed
    revision: int
    trusted: bool
    reason: Reason | None  # where it is not trusted
    scans: tuple[Scanned, ...]
    width_mm: float
    length_mm: float
    area_m2: float
    registration: Registration | None = None
    colours: tuple[Colour, ...] = ()
    colours_unmeasured: str = ""  # why there are none, or not all, in words, where the rest is trusted
    colour_basis: str = ""  # what the colour bar was taken to be: READINGS, AS_ASKED; empty: no colours were measured
    target_residual_de00: float | None = None  # of the colour bar after the fit; None: there was no bar
    channels: tuple[Channel, ...] = ()
    defects: tuple[Defect, ...] = ()
    synthetic: bool = False  # a simulated scan: no cloth was seen

    def __post_init__(self) -> None:
        if self.trusted == (self.reason is not None):
            raise ValueError("an inspection is trusted, or it says why not")
        if not self.trusted and (self.colours or self.channels or self.defects):
            raise ValueError("an inspection that is not trusted says nothing of colours and defects")

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values; `of` makes the same of them again."""
        return {name: _plain(value) for name, value in vars(self).items()}

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Self:
        """What `as_dict` said. Raises ValueError where something is missing or is not known."""
        try:
            whole: dict[str, Any] = dict(said)
            for name, value_type in _PARTS.items():
                whole[name] = None if whole[name] is None else value_type(**_tupled(whole[name]))
            for name, item_type in _LISTS.items():
                whole[name] = tuple(item_type(**_tupled(each)) for each in whole[name])
            if whole["registration"] is not None:
                blocks = tuple(Block(**each) for each in said["registration"]["blocks"])
                whole["registration"] = Registration(**{**said["registration"], "blocks": blocks})
            whole["defects"] = tuple(
                Defect(**{**each, "kind": None if each["kind"] is None else Kind(each["kind"])})
                for each in said["defects"]
            )
            return cls(**whole)
        except (TypeError, KeyError) as error:
            raise ValueError(f"these are no facts of an inspection: {error}") from error


_PARTS: dict[str, type] = {"reason": Reason, "registration": Registration}
_LISTS: dict[str, type] = {"scans": Scanned, "colours": Colour, "channels": Channel, "defects": Defect}


def _plain(value: object) -> Any:
    if isinstance(value, Kind):
        return value.value
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Reason | Scanned | Block | Registration | Colour | Channel | Defect):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, float):
        return round(value, 4)
    return value


def _tupled(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
            for name, value in said.items()}  # fmt: skip
