"""For a jacquard loom: point paper as indexed PNG, lift plan as 1-bit TIFF and a specification in JSON, in a zip.

Every jacquard CAD reads indexed pictures of ends x picks, one pixel per crossing; no vendor's own format is claimed.
Written with Pillow; read back with imagecodecs and tifffile.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from generation.domain.pattern import MM_PER_INCH, Raster, layout_tiling
from production.assessment import lift_plan, weaves_of
from production.domain.finding import Finding, Severity
from production.domain.snap import STRAIGHT_COPIES
from production.domain.spec import Weaving
from production.domain.weave import LIBRARY, back_floats, floats
from production.files import write_whole
from production.ports import RenderJob

POINT_PAPER, LIFT, SPECIFICATION = "pointpaper.png", "lift.tif", "spec.json"
_PNG_COLOUR_TYPE, _PNG_INDEXED = 25, 3  # byte of the header chunk, and its value for a palette
_EPOCH = (1980, 1, 1, 0, 0, 0)  # zip can't be earlier; the job's time is in the specification


class PointPaper:
    """What a jacquard CAD needs to punch the design: picture, lift plan, weaves, yarns."""

    code = "point_paper"
    suffix = ".zip"

    def write(self, raster: Raster, job: RenderJob, out: Path) -> None:
        """Write the package at `out`."""
        paper = _cloth(raster, job)
        lift, repaired = lift_plan(raster, job.spec, weaves_of(raster.palette, job.spec))
        parts = {POINT_PAPER: _png(paper, raster, job), LIFT: _tiff(lift, job)}
        specification = _specification(raster, job, repaired=repaired)
        specification["sha256"] = {name: hashlib.sha256(data).hexdigest() for name, data in parts.items()}
        parts[SPECIFICATION] = json.dumps(specification, indent=1, ensure_ascii=False).encode()

        def fill(temporary: Path) -> None:
            with zipfile.ZipFile(temporary, "w") as package:
                for name, data in parts.items():
                    entry = zipfile.ZipInfo(name, _EPOCH)
                    entry.compress_type = zipfile.ZIP_DEFLATED
                    entry.external_attr = 0o644 << 16
                    package.writestr(entry, data)

        write_whole(out, fill)

    def verify(self, path: Path, raster: Raster, job: RenderJob) -> Sequence[Finding]:
        """Read the package back: checksums, every crossing, and no float over the limit on either face."""
        try:
            with zipfile.ZipFile(path) as package:
                broken = package.testzip()
                parts = {name: package.read(name) for name in (POINT_PAPER, LIFT, SPECIFICATION)}
            specification = json.loads(parts[SPECIFICATION])
            picture = imagecodecs.png_decode(parts[POINT_PAPER])
            with tifffile.TiffFile(io.BytesIO(parts[LIFT])) as file:
                page = file.pages[0]
                # PhotometricInterpretation 0, white is zero: 1 is black, the warp lies on top.
                lift = page.asarray() != (page.photometric.name != "MINISWHITE")
        except Exception as error:  # a damaged file can make a decoder raise anything
            return [_wrong("readable", "the package", f"{type(error).__name__}: {error}"[:200], "a whole package")]
        found = []
        if broken is not None:
            found.append(_wrong("readable", broken, "a wrong checksum", "the checksum of the package"))
        for name in (POINT_PAPER, LIFT):
            measured = hashlib.sha256(parts[name]).hexdigest()
            if measured != specification["sha256"].get(name):
                found.append(_wrong("checksum", name, measured, str(specification["sha256"].get(name))))
        if parts[POINT_PAPER][_PNG_COLOUR_TYPE] != _PNG_INDEXED:
            found.append(_wrong("structure", POINT_PAPER, "not indexed", "one index per crossing"))
        return found + _crossings(picture, lift, raster, job)


def _crossings(picture: NDArray[np.uint8], lift: NDArray[np.bool_], raster: Raster, job: RenderJob) -> list[Finding]:
    weaving = _weaving(job)
    paper = _cloth(raster, job)
    found = []
    if not np.array_equal(picture[..., :3], raster.palette.rgb()[paper]):
        found.append(_wrong("pixels", POINT_PAPER, f"{picture.shape[:2]}", f"{paper.shape}, every crossing as drawn"))
    if lift.shape != paper.shape:
        found.append(_wrong("size", LIFT, f"{lift.shape}", f"{paper.shape}"))
        return found
    over = floats(lift, weaving.max_float).over + back_floats(lift, weaving.max_float).over
    if over:
        found.append(_wrong("floats", LIFT, f"{over} floats", f"0 over {weaving.max_float} threads"))
    changed = 0
    for index, name in enumerate(weaves_of(raster.palette, job.spec)):
        weave = LIBRARY[name]
        size = weave.shape[0]
        picks, ends = np.nonzero(paper == index)
        changed += int(np.count_nonzero(lift[picks, ends] != weave[picks % size, ends % size]))
    _, repaired = lift_plan(raster, job.spec, weaves_of(raster.palette, job.spec))
    if changed != repaired:
        found.append(_wrong("pixels", LIFT, f"{changed} crossings off their weave", f"{repaired} binding points"))
    return found


def _cloth(raster: Raster, job: RenderJob) -> NDArray[np.uint8]:
    columns, rows = STRAIGHT_COPIES[job.spec.repeat.layout]
    return layout_tiling(raster.indices, job.spec.repeat.layout, columns, rows).astype(np.uint8)


def _png(paper: NDArray[np.uint8], raster: Raster, job: RenderJob) -> bytes:
    weaving = _weaving(job)
    picture = Image.frombytes("P", paper.shape[::-1], paper.tobytes())
    picture.putpalette(raster.palette.rgb().ravel().tolist())
    buffer = io.BytesIO()
    inch_cm = MM_PER_INCH / 10
    picture.save(buffer, "PNG", dpi=(weaving.ends_per_cm * inch_cm, weaving.picks_per_cm * inch_cm))
    return buffer.getvalue()


def _tiff(lift: NDArray[np.bool_], job: RenderJob) -> bytes:
    """1 bit, black = warp up, first row = first pick, CCITT group 4."""
    weaving = _weaving(job)
    buffer = io.BytesIO()
    inch_cm = MM_PER_INCH / 10
    resolution = (weaving.ends_per_cm * inch_cm, weaving.picks_per_cm * inch_cm)
    Image.fromarray(~lift).save(buffer, "TIFF", compression="group4", dpi=resolution)
    return buffer.getvalue()


def _specification(raster: Raster, job: RenderJob, *, repaired: int) -> dict[str, Any]:
    weaving, spec = _weaving(job), job.spec
    columns, rows = weaving.copies
    return {
        "reference": job.reference,
        "revision": job.revision,
        "released_at": job.released_at.isoformat(),
        "loom": spec.machines[0],
        "weave": {"code": weaving.code, "name": weaving.name},
        "repeat": {
            "ends": raster.width_px * columns,
            "picks": raster.height_px * rows,
            "width_mm": spec.repeat.width_mm * columns,
            "height_mm": spec.repeat.height_mm * rows,
            "layout": spec.repeat.layout.value,
            "design_repeats": [columns, rows],
        },
        "harness_ends": weaving.harness_ends,
        "hooks": weaving.hooks,
        "ends_per_cm": weaving.ends_per_cm,
        "picks_per_cm": weaving.picks_per_cm,
        "reed_width_mm": weaving.reed_width_mm,
        "warp": vars(weaving.warp),
        "weft": vars(weaving.weft),
        "effects": [
            {"index": index, "colour": colour, "weave": name, "matrix": LIBRARY[name].astype(int).tolist()}
            for index, (colour, name) in enumerate(
                zip(raster.palette.colours, weaves_of(raster.palette, spec), strict=True)
            )
        ],
        "max_float": weaving.max_float,
        "binding_points_added": repaired,
        "lift": "black (1) = warp up, first row = first pick, first column = first end",
        "yarn_kg": job.assessment.usage.yarn_kg,
    }


def _weaving(job: RenderJob) -> Weaving:
    assert job.spec.weaving is not None, "a woven line has a weave"
    return job.spec.weaving


def _wrong(code: str, where: str, measured: str, limit: str) -> Finding:
    return Finding(
        code=f"file_{code}",
        severity=Severity.ERROR,
        where=where,
        measured=measured,
        limit=limit,
        remedy="Write the file again; if it happens twice, look at the disk.",
        sentence=f"The loom package does not read back as it was meant: {where}.",
    )
