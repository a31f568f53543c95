"""How true the colour profiles are: round trips beside a paper profile, ink limit, gamut, and the time to build."""

import time
from pathlib import Path

import numpy as np
import pyvips

from production.domain.colour import delta_e_2000
from production.domain.icc import lab_grid
from production.domain.inkmodel import gamut_volume, lab_of_ink
from production.domain.shipped import SHIPPED, built

PROFILES = Path(__file__).resolve().parents[2] / "production" / "profiles"
# Ghostscript's own profile of four inks on paper, where Ghostscript is.
PEER = Path("/usr/share/color/icc/ghostscript/default_cmyk.icc")
COLOURS = 200_000
LAB_SAMPLES = 129  # a side


def to_ink(lab: np.ndarray, profile: Path) -> np.ndarray:
    """Ink shares (n, C) for L*a*b* (n, 3), through LittleCMS at 16 bit."""
    image = pyvips.Image.new_from_memory(lab.astype(np.float32).tobytes(), len(lab), 1, 3, "float")
    ink = image.copy(interpretation="lab").icc_export(output_profile=str(profile), intent="relative", depth=16)
    return np.frombuffer(ink.write_to_memory(), np.uint16).reshape(len(lab), -1) / 65535


def to_lab(ink: np.ndarray, profile: Path) -> np.ndarray:
    """L*a*b* (n, 3) of ink shares (n, C), through LittleCMS at 16 bit."""
    wide = np.rint(ink * 65535).astype(np.uint16).tobytes()
    image = pyvips.Image.new_from_memory(wide, len(ink), 1, ink.shape[1], "ushort").copy(interpretation="cmyk")
    lab = image.icc_import(input_profile=str(profile), intent="relative", pcs="lab").cast("float")
    return np.frombuffer(lab.write_to_memory(), np.float32).reshape(-1, 3).astype(np.float64)


def mixes(inks: int, limit: float) -> np.ndarray:
    """Ink combinations within the limit: half of any inks, half of few, where the strong colours are."""
    rng = np.random.default_rng(9)
    few = rng.random((COLOURS, inks)) * (rng.random((COLOURS, inks)) < 2.5 / inks)
    ink = np.concatenate([rng.random((COLOURS, inks)), few])
    return ink[ink.sum(axis=1) <= limit]


def figures() -> list[tuple[str, str]]:
    """(what, figure) lines of the measurement."""
    rows, volumes = [], []
    if PEER.is_file():
        wanted = to_lab(mixes(4, 2.6), PEER)  # lighter than its own ink limit, so inside its gamut
        rows.append(("round trip by a paper profile's own tables", _spread(to_lab(to_ink(wanted, PEER), PEER), wanted)))
    for shipped in SHIPPED.values():
        path, model = PROFILES / shipped.file, shipped.model
        wanted = lab_of_ink(mixes(len(model.bands), model.tac), model)
        ink = to_ink(wanted, path)
        rows.append((f"{shipped.letters} round trip by the profile's own tables", _spread(to_lab(ink, path), wanted)))
        rows.append((f"{shipped.letters} round trip, printed by the model", _spread(lab_of_ink(ink, model), wanted)))
        total = to_ink(lab_grid(LAB_SAMPLES).reshape(-1, 3), path).sum(axis=1)
        rounding = len(model.bands) / 65535
        over = int((total > model.tac + rounding).sum())
        rows.append((f"{shipped.letters} heaviest ink of {len(total)} colours",
                     f"{total.max():.2%}, {over} over {model.tac:.0%} by more than 16 bits round"))  # fmt: skip
        volumes.append(gamut_volume(model))
        began = time.process_time()
        same = built(shipped) == path.read_bytes()
        took = time.process_time() - began
        rows.append(
            (f"{shipped.letters} profile built", f"{took:.1f} CPU s, {'the' if same else 'NOT the'} same bytes")
        )
    rows.append(("gamut, four inks and six", f"{volumes[0]:.0f} and {volumes[1]:.0f} cubic Lab units, "
                                             f"{volumes[1] / volumes[0] - 1:+.0%}"))  # fmt: skip
    return rows


def _spread(found: np.ndarray, wanted: np.ndarray) -> str:
    difference = delta_e_2000(found, wanted)
    p95, most = np.percentile(difference, 95), difference.max()
    return f"ΔE2000 mean {difference.mean():.2f}, p95 {p95:.2f}, worst {most:.1f} of {len(difference)} colours"


if __name__ == "__main__":
    for what, figure in figures():
        print(f"{what:<58} {figure}", flush=True)
