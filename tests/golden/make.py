"""`python -m tests.golden.make`: the golden files, made again. Look at what changed, and why, before they are kept."""

import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import django
import numpy as np
from django.conf import settings

HERE = Path(__file__).parent
KINDS = ("printed", "printed_six", "woven")
SPOTS = ("Ecru", "Night", "Mist", "Straw")

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orders.settings")
    sys.path.insert(0, str(HERE.parent))
    django.setup()

from production_samples import INKS, NORDIC, job_for, print_spec, weave_spec  # noqa: E402

from generation.domain.pattern import Layout, Limits, Palette, Raster  # noqa: E402
from production import services as production  # noqa: E402
from production.domain.icc import write_profile  # noqa: E402
from production.domain.inkmodel import cloth_xyz, lab_of_ink, profile_tables  # noqa: E402
from production.domain.shipped import MADE, SHIPPED, Shipped  # noqa: E402
from production.domain.spec import PRINT, WEAVE, Ink, Inks, LineSpec  # noqa: E402
from production.files import sha256_of  # noqa: E402


def small_profile(shipped: Shipped) -> bytes:
    """A coarse profile of the model: the files that hold it stay small."""
    steps = np.linspace(0, 1, 3)
    ink = np.stack(np.meshgrid(*[steps] * len(shipped.letters), indexing="ij"), axis=-1)
    return write_profile(
        replace(profile_tables(shipped.model, b2a_grid=9), a2b=lab_of_ink(ink, shipped.model)),
        description=f"SYNTHETIC, coarse, {shipped.letters}, for tests",
        copyright_text="No copyright, use freely",
        white_xyz=cloth_xyz(shipped.model),
        made=MADE,
        inks=shipped.inks,
    )


def inks(which: str) -> Inks:
    """The inks of a small profile beside this file."""
    path = HERE / f"{which}.icc"
    profile = replace(INKS.profile, name=f"Coarse {which}, SYNTHETIC", path=path, sha256=sha256_of(path))
    more = tuple(Ink(name[0], name, f"INK-RE-{name[0]}", 10.0) for name in SHIPPED[which].inks[4:])
    return replace(INKS, inks=INKS.inks + more, profile=profile)


def blocks(spec: LineSpec) -> Raster:
    """A design of blocks that closes in every layout, and packs small."""
    rows, columns = np.indices((spec.height_px, spec.width_px))
    indices = (rows * 6 // spec.height_px + columns * 6 // spec.width_px) % 2 + 2 * (columns * 3 // spec.width_px % 2)
    return Raster(indices.astype(np.uint8), Palette(NORDIC[:4]), spec.repeat, seed=7)


def codes_of(kind: str) -> list[str]:
    """Every kind of file once; what people read looks the same for six inks as for four."""
    other = WEAVE if kind != "woven" else PRINT
    left_out = {code for code in settings.WEFTLINE["formats"] if production.machine_format(code).kind == other}
    left_out |= {"ergosoft", "printfactory"}  # they have no word for a third-drop
    left_out |= {"bigtiff_raw", "pdfx_pages"}  # large, or the same as another while the cloth is short
    if kind != "printed":
        left_out |= {"spot", "quotation", "strikeoff", "preview", "gamut", "costing", "costing_json"}
    if kind == "woven":
        left_out |= {"xjdf", "durst"}  # for printers
    return [code for code in production.format_codes() if code not in left_out]


def make(folder: Path) -> None:
    """Write every golden file into `folder`."""
    limits = Limits(max_colours=8, min_feature_mm=0.5)
    cloth = {"width_mm": 12, "height_mm": 12, "quantity_m": 0.1, "limits": limits}
    printed = replace(print_spec(layout=Layout.THIRD_DROP, **cloth), width_mm=90.0, usable_width_mm=64.0)
    specs = (
        replace(printed, inks=inks("cmyk")),
        replace(printed, inks=inks("cmykov")),
        weave_spec(layout=Layout.HALF_DROP),
    )
    for kind, spec in zip(KINDS, specs, strict=True):
        design = blocks(spec)
        job = job_for(spec, design, spots=SPOTS if kind == "printed" else ())
        production.write_files(design, job=job, folder=folder / kind, formats=codes_of(kind))


if __name__ == "__main__":
    for kind in KINDS:
        shutil.rmtree(HERE / kind, ignore_errors=True)
    for which, shipped in SHIPPED.items():
        (HERE / f"{which}.icc").write_bytes(small_profile(shipped))
    make(HERE)
    for path in sorted(HERE.rglob("*-*")):
        print(f"{path.stat().st_size:>9}  {path.relative_to(HERE)}")
