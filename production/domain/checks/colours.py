"""Can the colours be made: how many there are, how much ink they take, how true they print."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from generation.domain.pattern import Palette, Raster
from production.domain.colour import delta_e_2000
from production.domain.finding import Finding, Severity
from production.domain.gamut import SEEN_DELTA_E, Gamut

TRUE_DELTA_E = SEEN_DELTA_E
STRONG_DELTA_E = 10.0
LIMITED_SHARE = 0.001  # of a picture's area; less is a speck
LEAST_DRAWN_PCT = 0.5  # of the area; less looks like plain cloth with specks


def colour_count(raster: Raster, *, most: int) -> Finding:
    """No more colours in use than the machine can make of this design."""
    used = int(np.count_nonzero(np.bincount(raster.indices.ravel(), minlength=len(raster.palette))))
    fine = used <= most
    return Finding(
        code="colours",
        severity=Severity.INFO if fine else Severity.ERROR,
        where="the palette",
        measured=f"{used} colours",
        limit=f"{most} colours",
        remedy="" if fine else f"Bring the design down to {most} colours.",
        sentence=f"{used} colours, {most} are possible."
        if fine
        else f"The design has {used} colours; {most} are the most that can be made here.",
    )


def drawn(shares: NDArray[np.float64], lab: NDArray[np.float64]) -> Finding:
    """Something is to be seen: a share of the cloth stands out from its most common colour.

    shares: (K,) of the area, per colour; lab: (K, 3) L*a*b* D50 of the colours as they are made, or are to be.
    """
    apart = delta_e_2000(lab, lab[int(shares.argmax())])
    return _drawn(float(100 * shares[apart > TRUE_DELTA_E].sum()))


def ink_limit(values: NDArray[np.uint8], *, tac_pct: float, palette: Palette, limited: Sequence[int]) -> Finding:
    """No colour takes more ink than the cloth does. values: (K, C) uint8 ink per colour; limited: cut to the limit."""
    total_pct = values.astype(np.int64).sum(axis=1) * 100 / 255
    worst = int(total_pct.argmax())
    fine = bool(total_pct[worst] <= tac_pct + 1e-9)
    cut = ", ".join(palette.colours[k] for k in limited)
    return Finding(
        code="ink_limit",
        severity=(Severity.WARNING if limited else Severity.INFO) if fine else Severity.ERROR,
        where=palette.colours[worst],
        measured=f"{total_pct[worst]:.1f} % ink",
        limit=f"{tac_pct:g} % ink",
        remedy="" if fine and not limited else "Choose a lighter colour.",
        sentence=f"The deepest colour takes {total_pct[worst]:.0f} % of ink; the cloth takes {tac_pct:g} %."
        if fine and not limited
        else f"{cut or palette.colours[worst]} asks for more ink than the cloth takes"
        + (" and prints a little lighter." if fine else "."),
    )


def colour_accuracy(delta_e: NDArray[np.float64], *, palette: Palette, woven: bool) -> Finding:
    """How far the colours come out from what was asked. delta_e: (K,) CIEDE2000, by the colour profile or the yarns."""
    worst = int(delta_e.argmax())
    value = float(delta_e[worst])
    fine = value <= TRUE_DELTA_E
    how = "clearly different" if value > STRONG_DELTA_E else "a little different"
    by = "by the colours of the yarns" if woven else "by the colour profile"
    return Finding(
        code="colour_accuracy",
        severity=Severity.INFO if fine else Severity.WARNING,
        where=palette.colours[worst],
        measured=f"ΔE2000 {value:.1f}",
        limit=f"ΔE2000 {TRUE_DELTA_E:g}",
        remedy=""
        if fine
        else "Show the customer a woven sample: a woven design has the colours of its two yarns."
        if woven
        else "Show the customer a printed sample, or choose a less saturated colour.",
        sentence=f"All colours come out as asked, {by}."
        if fine
        else f"{palette.colours[worst]} comes out {how} from the screen, {by}.",
    )


def gamut(found: Gamut) -> Finding:
    """How much of the design comes out otherwise than asked; judged by its 95th percentile."""
    fine = found.p95 <= TRUE_DELTA_E
    return Finding(
        code="gamut",
        severity=Severity.INFO if fine else Severity.WARNING,
        where="the whole design",
        measured=f"ΔE2000 {found.mean:.1f} mean, {found.p95:.1f} at 95 %; {found.beyond:.1%} over {TRUE_DELTA_E:g}",
        limit=f"ΔE2000 {TRUE_DELTA_E:g} at 95 % of the area",
        remedy="" if fine else "Look at the colour map, and show the customer a printed sample.",
        sentence=f"{1 - found.beyond:.0%} of the design prints in the colours that were asked."
        if fine
        else f"{found.beyond:.0%} of the design prints in visibly other colours than on the screen.",
    )


def flat_colours_needed(most: int) -> Finding:
    """A loom makes flat colours only: the finding for a picture in tones."""
    return Finding(
        code="colours",
        severity=Severity.ERROR,
        where="the design",
        measured="tones",
        limit=f"{most} colours",
        remedy=f"Bring the design down to {most} colours.",
        sentence="The design is in tones; a loom has one weave for each of a few flat colours.",
    )


def tones_drawn(lab: NDArray[np.float64], *, ground: NDArray[np.float64]) -> Finding:
    """Something is to be seen in tones: places (n, 3) of the picture that stand out from its main colour (3,)."""
    seen_pct = float(100 * (delta_e_2000(lab, ground) > TRUE_DELTA_E).mean())
    return _drawn(seen_pct)


def tones_ink_limit(heaviest_pct: float, *, tac_pct: float, limited: float) -> Finding:
    """No pixel takes more ink than the cloth does. limited: the share of the picture that was cut to the limit."""
    fine = heaviest_pct <= tac_pct + 1e-9
    told = limited > LIMITED_SHARE
    return Finding(
        code="ink_limit",
        severity=(Severity.WARNING if told else Severity.INFO) if fine else Severity.ERROR,
        where="the deepest tones",
        measured=f"{heaviest_pct:.1f} % ink",
        limit=f"{tac_pct:g} % ink",
        remedy="Show the customer a printed sample of the deep tones." if told else "",
        sentence=f"{limited:.1%} of the picture asks for more ink than the cloth takes and prints a little otherwise."
        if told
        else f"The deepest tone takes {heaviest_pct:.0f} % of ink; the cloth takes {tac_pct:g} %.",
    )


def _drawn(seen_pct: float) -> Finding:
    fine = seen_pct >= LEAST_DRAWN_PCT
    return Finding(
        code="drawn",
        severity=Severity.INFO if fine else Severity.ERROR,
        where="the design",
        measured=f"{seen_pct:.1f} % of the cloth",
        limit=f"{LEAST_DRAWN_PCT:g} % of the cloth",
        remedy="" if fine else "Draw it again, with colours that stand out from the ground.",
        sentence=f"The design covers {seen_pct:.0f} % of the cloth."
        if fine
        else "The cloth would look plain: almost nothing stands out from the ground.",
    )
