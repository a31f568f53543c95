"""Is the repeat the right size: pixels at the printed size, what snapping changed, how it sits on the cloth's width."""

from __future__ import annotations

import math

from generation.domain.pattern import MM_PER_INCH, Raster
from production.domain.finding import Finding, Severity
from production.domain.picture import Picture
from production.domain.snap import RESOLUTIONS_DPI
from production.domain.spec import WEAVE, LineSpec


def resolution(raster: Raster | Picture, spec: LineSpec) -> Finding:
    """Enough pixels for the printed size; on a loom, one pixel for each crossing of an end and a pick."""
    if spec.kind == WEAVE:
        fine = (raster.width_px, raster.height_px) == (spec.width_px, spec.height_px)
        return Finding(
            code="resolution",
            severity=Severity.INFO if fine else Severity.ERROR,
            where="the whole repeat",
            measured=f"{raster.width_px} x {raster.height_px}",
            limit=f"{spec.width_px} ends x {spec.height_px} picks",
            remedy="" if fine else "Draw the design at one pixel for each crossing.",
            sentence="One pixel for each crossing of warp and weft."
            if fine
            else "The picture does not have one pixel for each crossing of warp and weft.",
        )
    dpi = min(
        raster.width_px * MM_PER_INCH / spec.printed_width_mm, raster.height_px * MM_PER_INCH / spec.printed_height_mm
    )
    lowest = RESOLUTIONS_DPI[-1]
    fine = dpi >= lowest - 0.01
    return Finding(
        code="resolution",
        severity=Severity.INFO if fine else Severity.ERROR,
        where="the whole repeat",
        measured=f"{dpi:.0f} dpi",
        limit=f"{lowest:.0f} dpi",
        remedy="" if fine else "Use a picture with more pixels, or make the repeat smaller.",
        sentence=f"Sharp at this size: {dpi:.0f} dots per inch."
        if fine
        else f"The picture is too coarse for this size: {dpi:.0f} dots per inch.",
    )


def snapped_size(raster: Raster | Picture, spec: LineSpec) -> Finding:
    """The picture has exactly the pixels of the snapped repeat, and can be cut where its layout moves it."""
    across, along = spec.repeat.layout.step
    wanted = f"{spec.width_px} x {spec.height_px} px"
    measured = f"{raster.width_px} x {raster.height_px} px"
    fine = measured == wanted and raster.width_px % across == 0 and raster.height_px % along == 0
    changes = "; ".join(spec.snapped)
    return Finding(
        code="repeat_size",
        severity=Severity.INFO if fine else Severity.ERROR,
        where="the whole repeat",
        measured=measured,
        limit=wanted,
        remedy="" if fine else f"Draw the design at {wanted}.",
        sentence=(
            f"The finished repeat measures {spec.repeat.width_mm:.2f} x {spec.repeat.height_mm:.2f} mm"
            + (f": {changes}." if changes else ", as asked.")
        )
        if fine
        else f"The picture has {measured}, but this repeat is made of {wanted}.",
    )


def across_width(spec: LineSpec) -> Finding:
    """How many repeats stand side by side on the usable width, and whether the last one is cut."""
    count = spec.usable_width_px / spec.width_px
    whole, cut_px = divmod(spec.usable_width_px, spec.width_px)
    if whole < 1:
        return Finding(
            code="usable_width",
            severity=Severity.ERROR,
            where="across the cloth",
            measured=f"{spec.printed_width_mm:.0f} mm",
            limit=f"{spec.usable_width_mm:.0f} mm",
            remedy="Make the repeat narrower, or choose a wider fabric.",
            sentence="The repeat is wider than this fabric can be printed.",
        )
    share = cut_px / spec.width_px
    repeats = "repeat stands" if whole == 1 else "repeats stand"
    return Finding(
        code="usable_width",
        severity=Severity.INFO,
        where="across the cloth",
        measured=f"{count:.2f} repeats",
        limit="at least 1 repeat",
        remedy=f"A repeat {_even_width_mm(spec, whole)} mm wide would fit {whole} times without a cut."
        if cut_px
        else "",
        sentence=f"{whole} whole {repeats} side by side; the next is cut at {share:.0%} of its width."
        if cut_px
        else f"{whole} whole {repeats} side by side, without a cut.",
    )


def _even_width_mm(spec: LineSpec, whole: int) -> int:
    """The widest finished repeat that fits so often, in whole millimetres: rounded up it would be cut after all."""
    return math.floor(spec.usable_width_mm / whole * (1 - spec.shrink_weft))
