"""Screen colours to inks at full size: how fast beside Pillow in the same run, and how near to the unhurried engine."""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyvips
from PIL import Image, ImageCms

from generation.domain.pattern import Repeat
from production.domain.colour import delta_e_2000
from production.domain.picture import Picture
from production.domain.spec import Ink, Inks, Profile
from production.files import sha256_of
from production.separation import to_ink, to_lab, tone_tile

PROFILES = Path(__file__).resolve().parents[2] / "production" / "profiles"
SIDE_PX = 7560  # 64 cm at 300 dpi
BAND_ROWS = 256
RUNS = 3
LEAST_MPX_S, LEAST_TIMES, MOST_DELTA_E = 35.0, 2.0, 0.1


def figures() -> list[tuple[str, str]]:
    """(what, figure) lines of all measurements."""
    rgb, four = picture(), ink_set("reactive-cmyk-cotton-synthetic", "CMYK")
    six = ink_set("reactive-cmykov-cotton-synthetic", "CMYKOV")
    ours, pillow = [], []
    for _ in range(RUNS):  # in turn, so that whatever else the machine does meets both
        ours.append(_rates(lambda: convert(rgb, four)))
        pillow.append(_rates(lambda: convert_with_pillow(rgb, four)))
    (fast, by_cpu), (peer, peer_by_cpu) = max(ours), max(pillow)
    times = fast / peer
    verdict = f"(at least {LEAST_MPX_S:g}: {_verdict(fast >= LEAST_MPX_S)})"
    rows = [
        (f"sRGB to CMYK, 16 bit, {rgb.size / 3e6:.0f} Mpx", f"{fast:.1f} Mpx/s {verdict}, {by_cpu:.1f} per CPU second"),
        ("  Pillow ImageCms, 8 bit, in the same run", f"{peer:.1f} Mpx/s, {peer_by_cpu:.1f} per CPU second"),
        ("  times as fast", f"{times:.2f} (at least {LEAST_TIMES:g}: {_verdict(times >= LEAST_TIMES)})"),
    ]
    rows.append(("sRGB to six inks, 16 bit", f"{_rates(lambda: convert(rgb, six))[0]:.1f} Mpx/s"))
    design = Picture(rgb, Repeat(640.08, 640.08))
    rows.append(("  with dither and ink limit 280 %", f"{_rates(lambda: tone_tile(design, four))[0]:.1f} Mpx/s"))
    lower = replace(four, tac_pct=230.0)
    rows.append(("  with dither and a lower limit, 230 %", f"{_rates(lambda: tone_tile(design, lower))[0]:.1f} Mpx/s"))
    mean, worst = accuracy(four)
    limit = f"mean below {MOST_DELTA_E:g}: {_verdict(mean < MOST_DELTA_E)}"
    said = f"ΔE2000 mean {mean:.3f}, 99 % within {worst:.2f} ({limit})"
    rows.append(("16 bit against LittleCMS without its grid", said))
    return rows


def picture() -> np.ndarray:
    """(7560, 7560, 3) uint8: soft colours with the grain of a scan, so that nearly every pixel is another colour."""
    rng = np.random.default_rng(0)
    soft = Image.fromarray(rng.integers(0, 256, (60, 60, 3), dtype=np.uint8))
    rgb = np.array(soft.resize((SIDE_PX, SIDE_PX), Image.Resampling.BICUBIC))
    rgb -= np.minimum(rgb, rng.integers(0, 6, rgb.shape, dtype=np.uint8))
    return rgb


def ink_set(profile: str, channels: str) -> Inks:
    """Inks for a shipped profile."""
    path = PROFILES / f"{profile}.icc"
    return Inks(
        code=channels,
        name=channels,
        ink_class="reactive",
        inks=tuple(Ink(channel, channel, f"INK-{channel}", 10.0) for channel in channels),
        tac_pct=280.0,
        purge_ml=6.0,
        pretreatment_sku="CHE-PRE-RE",
        pickup_pct=70.0,
        profile=Profile(profile, sha256_of(path), path, synthetic=True),
    )


def convert(rgb: np.ndarray, inks: Inks) -> None:
    """The conversion alone, in bands on all cores as a tile is made."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        bands = (rgb[top : top + BAND_ROWS] for top in range(0, len(rgb), BAND_ROWS))
        for _ in pool.map(lambda band: to_ink(band, inks, scaled_black=True), bands):
            pass


def convert_with_pillow(rgb: np.ndarray, inks: Inks) -> None:
    """The same conversion by Pillow, 8 bit, its transform made in the time too, as ours is."""
    transform = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"),
        str(inks.profile.path),
        "RGB",
        "CMYK",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    ImageCms.applyTransform(Image.fromarray(rgb), transform)


def accuracy(inks: Inks, count: int = 200_000) -> tuple[float, float]:
    """(mean, 99th percentile) CIEDE2000 of printed colours: our way against floating point, which has no grid."""
    rgb = np.random.default_rng(1).integers(0, 256, (1, count, 3), dtype=np.uint8)
    screen = pyvips.Image.new_from_memory((rgb.astype(np.uint16) * 257).tobytes(), count, 1, 3, "ushort")
    how = {"intent": "relative", "black_point_compensation": True}
    lab = screen.copy(interpretation="rgb16").icc_import(input_profile="srgb", pcs="lab", **how)
    exported = lab.icc_export(output_profile=str(inks.profile.path), depth=16, **how)
    reference = np.frombuffer(exported.write_to_memory(), np.uint16).reshape(1, count, -1)
    found = delta_e_2000(to_lab(to_ink(rgb, inks, scaled_black=True) / 65535, inks), to_lab(reference / 65535, inks))
    return float(found.mean()), float(np.percentile(found, 99))


def _rates(work: Callable[[], object]) -> tuple[float, float]:
    """(megapixels per second, per CPU second)."""
    began, cpu = time.perf_counter(), time.process_time()
    work()
    megapixels = SIDE_PX**2 / 1e6
    return megapixels / (time.perf_counter() - began), megapixels / (time.process_time() - cpu)


def _verdict(holds: bool) -> str:
    return "holds" if holds else "DOES NOT HOLD"


if __name__ == "__main__":
    for what, figure in figures():
        print(f"{what:<58} {figure}", flush=True)
