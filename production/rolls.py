"""Several orders on one roll: their released sheets behind each other in one PDF/X-4, with marks to cut them apart by.

Made from nothing but the folders that were released: each order's manifest and tile. Each is checked against its
manifest first, and the roll is read back piece by piece before it counts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from generation.domain.pattern import MM_PER_INCH, Layout
from production.domain.finding import passed
from production.domain.sheet import CUT_MM, Mark, Sheet, lay_out
from production.domain.spec import Ink
from production.domain.usage import FULL
from production.errors import FilesChanged, NoRollLongEnough, NoTile, PiecesDiffer, VerifyFailed
from production.files import sha256_of, write_bytes, write_bytes_whole, write_together
from production.formats.pdf.pdfx import INKS_PROFILE, Cloth, Piece, output_intent, write_cloth
from production.formats.pdf.reading import roll_findings
from production.lettering import dots_of
from production.manifest import read_manifest
from production.ports import Progress

GAP_MM = 60.0  # bare cloth between two pieces: scissors, and a hand's breadth to either side
LABEL_MM = 6.0
MANIFEST = "-manifest.json"
ROLL = "-roll.json"
_ICC_TAG = 34675
_MOST_LINES = 4  # of the strip before the cloth, for the pieces


@dataclass(frozen=True)
class Order:
    """A released job as it lies in its folder."""

    manifest: Path
    said: Mapping[str, Any]
    sheet: Sheet

    @property
    def name(self) -> str:
        return f"{self.said['reference']} r{self.said['revision']}"

    @property
    def threading_m(self) -> float:
        """Cloth beyond the printed length that it takes by itself: head, tail and waste; on one roll threaded once."""
        usage = self.said["assessment"]["usage"]
        return max(0.0, float(usage["fabric_length_m"]) - float(usage["pattern_length_m"]))

    @property
    def tile(self) -> list[Path]:
        """The file of its repeat, and that of the inks' profile where it lies beside it."""
        return [self.manifest.parent / Path(each["name"]).name for each in self._tile]

    @property
    def _tile(self) -> list[dict[str, Any]]:
        return [each for each in self.said["files"] if each["format"] == "tile"]

    def refuse_changed(self) -> None:
        """Raise NoTile where it has no tile, FilesChanged where that is not the one that was released."""
        if not self._tile:
            raise NoTile(
                f"The files of {self.name} hold no tile to print from: make them again with the tile.",
                fields={"path": self.manifest.name},
            )
        for path, each in zip(self.tile, self._tile, strict=True):
            if not path.is_file() or sha256_of(path) != each["sha256"]:
                raise FilesChanged(
                    f"{path.name} is not the file that was released with {self.name}: the roll is not made.",
                    fields={"path": path.name},
                )


def make_roll(
    manifests: Sequence[Path], *, rolls: Mapping[str, Decimal], folder: Path, on_progress: Progress
) -> list[Path]:
    """Write the orders of `manifests` behind each other as one PDF/X-4, and the roll's own manifest last.

    rolls: length in metres of each roll of the fabric, by its number; the shortest that is long enough is taken. Raises
    PiecesDiffer where orders can't share a roll, NoRollLongEnough, NoTile, FilesChanged where a file is not the one
    that was released, ManifestDamaged, VerifyFailed, DiskFull. The same orders and rolls give the same bytes.
    """
    orders = [_order(path) for path in manifests]
    _refuse_different(orders)
    for order in orders:
        order.refuse_changed()
    first = orders[0].sheet
    gap = round(GAP_MM * first.dpi / MM_PER_INCH)
    tops = [0]
    for order in orders[:-1]:
        tops.append(tops[-1] + order.sheet.length_px + gap)
    length_px = tops[-1] + orders[-1].sheet.length_px
    threading_m = max(order.threading_m for order in orders)
    lot, length_m = _roll_for(first.mm(length_px) / 1000, threading_m, rolls, len(orders))
    marks = _marks(orders, tops, gap)
    digest = hashlib.sha256("".join([lot, *(sha256_of(order.manifest) for order in orders)]).encode()).hexdigest()
    machine = "".join(c if c.isascii() and c.isalnum() else "-" for c in orders[0].said["machine"]["code"])
    name = f"roll-{machine}-{digest[:8]}"
    profile = _profile(orders[0])
    said = _said(name, orders, tops, marks, length_px=length_px, lot=lot, length_m=length_m)
    cloth = _cloth(name, orders, tops, marks, said, profile)
    pdf = folder / f"{name}.pdf"
    fills = {pdf: partial(write_cloth, cloth=cloth, cuts=[0, length_px], tell=on_progress)}
    if cloth.intent != profile:
        fills[folder / f"{name}{INKS_PROFILE}"] = partial(write_bytes, data=profile)
    write_together(fills)
    if findings := verify_roll(pdf, said):
        for path in fills:
            path.unlink(missing_ok=True)
        raise VerifyFailed(f"{pdf.name} does not read back as it should.", fields={"findings": findings})
    said["files"] = [{"name": path.name, "sha256": sha256_of(path), "bytes": path.stat().st_size} for path in fills]
    told = folder / f"{name}{ROLL}"
    write_bytes_whole(told, json.dumps(said, indent=1, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace"))
    return [*fills, told]


def verify_roll(path: Path, said: Mapping[str, Any]) -> list[dict[str, str]]:
    """Read a roll's PDF back by other code and compare every piece with the roll's manifest; what is wrong."""
    found = roll_findings(path, said)
    return [] if passed(found) else [finding.as_dict() for finding in found]


def _order(manifest: Path) -> Order:
    """A released job, its sheet laid out again from its manifest; it must come out as it was."""
    said = read_manifest(manifest)
    if not said["sheet"]:
        raise NoTile(f"{manifest.name} is not the manifest of a printed order.", fields={"path": manifest.name})
    return Order(manifest, said, sheet_again(said, code=manifest.name.removesuffix(MANIFEST)))


def sheet_again(said: Mapping[str, Any], *, code: str) -> Sheet:
    """The sheet of a printed job by its manifest, laid out again. Raises FilesChanged where it comes out otherwise."""
    told = said["sheet"]
    sheet = lay_out(
        dpi=told["dpi"],
        fabric_width_mm=told["mm"][0],
        pattern_px=tuple(told["pattern_px"][2:]),
        tile_px=tuple(told["tile_px"]),
        layout=Layout(told["layout"]),
        channels=said["inks"]["channels"],
        tac_pct=said["inks"]["limit_pct"],
        words=f"{said['reference']} r{said['revision']} · {said['article']} · {said['quantity_m']:g} m",
        code=code,
        lettering=dots_of,
    )
    if json.loads(json.dumps(sheet.as_dict())) != told:
        raise FilesChanged(
            f"The cloth of {code} is not laid out as it is today: release the order again.", fields={"path": code}
        )
    return sheet


def _refuse_different(orders: Sequence[Order]) -> None:
    """Raise PiecesDiffer where the orders' machine, fabric, inks, profile, resolution or width is not one."""
    facts = {
        "machine": [order.said["machine"]["code"] for order in orders],
        "fabric": [order.said["article"] for order in orders],
        "inks": [order.said["inks"]["set"] for order in orders],
        "channels": [" ".join(each["ink"] for each in order.said["separations"]) for order in orders],
        "profile": [order.said["profile"]["name"] for order in orders],
        "profile file": [order.said["profile"]["sha256"] for order in orders],
        "resolution": [f"{order.sheet.dpi:g} dpi" for order in orders],
        "width": [f"{order.sheet.width_px} px" for order in orders],
    }
    for field, values in facts.items():
        if len(set(values)) > 1:
            told = ", ".join(f"{order.name}: {value}" for order, value in zip(orders, values, strict=True))
            raise PiecesDiffer(
                f"These orders can't be printed on one roll: they differ in {field} ({told}). Make a roll for each.",
                fields={"field": field, "measured": told, "limit": "one for all"},
            )


def _roll_for(printed_m: float, threading_m: float, rolls: Mapping[str, Decimal], pieces: int) -> tuple[str, Decimal]:
    """The shortest roll that is long enough to print on and to thread."""
    needed_m = printed_m + threading_m
    enough = sorted((length, lot) for lot, length in rolls.items() if length >= Decimal(str(needed_m)))
    if not enough:
        told = ", ".join(f"{lot} has {length:.2f} m" for lot, length in sorted(rolls.items())) or "there is none"
        raise NoRollLongEnough(
            f"{pieces} pieces with the cloth between them take {needed_m:.2f} m, {threading_m:.2f} m of it to thread "
            f"and to lose; {told}. Take fewer orders at a time, or a longer roll.",
            fields={"field": "roll", "measured": f"{needed_m:.3f} m", "limit": told},
        )
    length, lot = enough[0]
    return lot, length


def _marks(orders: Sequence[Order], tops: Sequence[int], gap: int) -> tuple[Mark, ...]:
    """In the middle of each gap a line across the cloth to cut along, and on either side of it whose cloth that is."""
    sheet = orders[0].sheet
    ink = tuple(FULL if channel == "K" else 0 for channel in orders[0].said["inks"]["channels"])
    thick, letters = _px(sheet, CUT_MM), _px(sheet, LABEL_MM)
    found = []
    for count, (before, after) in enumerate(pairwise(orders), 1):
        line = tops[count] - gap // 2
        found.append(Mark("cut", f"cut {count}", 0, line, sheet.width_px, thick, ink))
        for words, top in (
            (f"{before.name} ends", line - 2 * letters),
            (f"{after.name} begins, piece {count + 1} of {len(orders)}", line + thick + letters),
        ):
            left = _px(sheet, 2 * LABEL_MM)
            dots = dots_of(words, letters)[:, : max(0, sheet.width_px - 2 * left)]
            if dots.size:
                found.append(Mark("text", words, left, top, dots.shape[1], letters, ink, dots))
    return tuple(found)


def _cloth(
    name: str,
    orders: Sequence[Order],
    tops: Sequence[int],
    marks: tuple[Mark, ...],
    said: Mapping[str, Any],
    profile: bytes,
) -> Cloth:
    first = orders[0].said
    intent, condition = output_intent(profile, first["profile"]["name"])
    roll = said["roll"]
    starts = [
        f"{count}: {order.name} from {order.sheet.mm(top) / 1000:.2f} m"
        for count, (order, top) in enumerate(zip(orders, tops, strict=True), 1)
    ]
    step = -(-len(starts) // _MOST_LINES)
    lines = [" · ".join(starts[at : at + step]) for at in range(0, len(starts), step)]
    return Cloth(
        pieces=tuple(Piece(order.sheet, top, partial(_planes, order)) for order, top in zip(orders, tops, strict=True)),
        marks=marks,
        length_px=said["px"][1],
        inks=tuple(Ink(each["channel"], each["ink"], "", 0.0) for each in first["separations"]),
        solid_lab=np.array([each["lab"] for each in first["separations"]], np.float64),
        intent=intent,
        condition=condition,
        title=name,
        revision=1,
        released_at=max(datetime.fromisoformat(order.said["released_at"]) for order in orders),
        lines=(
            f"{name} · {first['article']} · lot {roll['lot']}, {roll['length_m']} m · on {first['machine']['code']}",
            f"{len(orders)} pieces, {said['length_m']:.2f} m printed · print at 100 %: this strip is not cloth",
            *lines,
        ),
        code=name,
    )


def _said(
    name: str,
    orders: Sequence[Order],
    tops: Sequence[int],
    marks: Sequence[Mark],
    *,
    length_px: int,
    lot: str,
    length_m: Decimal,
) -> dict[str, Any]:
    """The roll as plain JSON values: where each piece lies on it, in printed pixels and millimetres from its head."""
    first = orders[0]
    sheet = replace(first.sheet, marks=tuple(marks), length_px=length_px)
    return {
        "format": "weftline-roll/1",
        "name": name,
        "machine": first.said["machine"]["code"],
        "article": first.said["article"],
        "inks": first.said["inks"],
        "profile": first.said["profile"],
        "dpi": sheet.dpi,
        "px": [sheet.width_px, length_px],
        "length_m": round(sheet.mm(length_px) / 1000, 4),
        "gap_mm": GAP_MM,
        "roll": {"lot": lot, "length_m": str(length_m)},
        "pieces": [
            {
                "reference": order.said["reference"],
                "revision": order.said["revision"],
                "order": order.said["order"],
                "customer": order.said["customer"],
                "quantity_m": order.said["quantity_m"],
                "manifest": {"name": order.manifest.name, "sha256": sha256_of(order.manifest)},
                "from_px": top,
                "from_mm": round(sheet.mm(top), 3),
                "to_mm": round(sheet.mm(top + order.sheet.length_px), 3),
                "separations": order.said["separations"],
                "sheet": order.said["sheet"],
            }
            for order, top in zip(orders, tops, strict=True)
        ],
        "marks": sheet.as_dict()["marks"],
        "files": [],
    }


def _planes(order: Order) -> NDArray[np.uint8]:
    """(H, W, C): the order's tile."""
    planes: NDArray[np.uint8] = tifffile.imread(order.tile[0])
    return planes


def _profile(order: Order) -> bytes:
    """The inks' profile: beside the tile where it is a file of its own, else in it."""
    tile, *beside = order.tile
    if beside:
        return beside[0].read_bytes()
    with tifffile.TiffFile(tile) as file:
        return bytes(file.pages.first.tags.valueof(_ICC_TAG))


def _px(sheet: Sheet, mm: float) -> int:
    return max(1, round(mm * sheet.dpi / MM_PER_INCH))
