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

from generation.domain.pattern import MM_PER_INCH, Palette
from production.domain.draft import Draft
from production.domain.finding import Finding, Severity
from production.domain.floats import FloatLimits, count_floats
from production.domain.ink_tile import digest_of
from production.domain.spec import Weaving
from production.domain.weave import LIBRARY
from production.files import write_whole
from production.ports import Manifest, Progress, RenderJob

POINT_PAPER, LIFT, SPECIFICATION = "pointpaper.png", "lift.tif", "spec.json"
_PNG_COLOUR_TYPE, _PNG_INDEXED = 25, 3  # byte of the header chunk, and its value for a palette
_EPOCH = (1980, 1, 1, 0, 0, 0)  # zip can't be earlier; the job's time is in the specification


class LoomPackage:
    """What a jacquard CAD needs to punch the design: picture, lift plan, weaves, yarns."""

    code = "loom"

    def write(self, master: Draft, job: RenderJob, folder: Path, on_progress: Progress) -> list[Path]:
        """Write the package."""
        parts = {POINT_PAPER: _png(master, job), LIFT: _tiff(master.lift, job)}
        specification = _specification(master, job)
        specification["sha256"] = {name: hashlib.sha256(data).hexdigest() for name, data in parts.items()}
        parts[SPECIFICATION] = json.dumps(specification, indent=1, ensure_ascii=False).encode()
        out = folder / f"{job.name}.zip"

        def fill(temporary: Path) -> None:
            with zipfile.ZipFile(temporary, "w") as package:
                for name, data in parts.items():
                    entry = zipfile.ZipInfo(name, _EPOCH)
                    entry.compress_type = zipfile.ZIP_DEFLATED
                    entry.external_attr = 0o644 << 16
                    package.writestr(entry, data)

        write_whole(out, fill)
        on_progress(1, 1)
        return [out]

    def verify(self, path: Path, manifest: Manifest) -> Sequence[Finding]:
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
        return found + _crossings(picture, lift, manifest)


def _crossings(picture: NDArray[np.uint8], lift: NDArray[np.bool_], manifest: Manifest) -> list[Finding]:
    meant, found = manifest["draft"], []
    for name, size in ((POINT_PAPER, picture.shape[:2]), (LIFT, lift.shape)):
        if list(size) != [meant["picks"], meant["ends"]]:
            found.append(_wrong("size", name, f"{size}", f"{meant['picks']} x {meant['ends']}"))
    palette = Palette(tuple(manifest["palette"])).rgb()
    paper = np.full(picture.shape[:2], 255, np.uint8)
    for index, colour in enumerate(palette):
        paper[(picture[..., :3] == colour).all(axis=2)] = index
    if digest_of(paper) != meant["paper_sha256"]:
        found.append(_wrong("pixels", POINT_PAPER, digest_of(paper), meant["paper_sha256"]))
    if digest_of(lift.astype(np.uint8)) != meant["lift_sha256"]:
        found.append(_wrong("pixels", LIFT, digest_of(lift.astype(np.uint8)), meant["lift_sha256"]))
    most = meant["max_float"]
    over = count_floats(lift, FloatLimits(most, most)).over
    if over:
        found.append(_wrong("floats", LIFT, f"{over} floats", f"0 over {most} threads"))
    return found


def _png(draft: Draft, job: RenderJob) -> bytes:
    weaving = _weaving(job)
    picture = Image.frombytes("P", draft.paper.shape[::-1], draft.paper.tobytes())
    picture.putpalette(draft.palette.rgb().ravel().tolist())
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


def _specification(draft: Draft, job: RenderJob) -> dict[str, Any]:
    weaving, spec = _weaving(job), job.spec
    columns, rows = weaving.copies
    return {
        "reference": job.reference,
        "revision": job.revision,
        "released_at": job.released_at.isoformat(),
        "loom": spec.machines[0],
        "weave": {"code": weaving.code, "name": weaving.name},
        "repeat": {
            "ends": draft.paper.shape[1],
            "picks": draft.paper.shape[0],
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
            {"index": index, "colour": colour, "weave": name, "matrix": LIBRARY[name].lift.astype(int).tolist()}
            for index, (colour, name) in enumerate(zip(draft.palette.colours, draft.weaves, strict=True))
        ],
        "max_float": weaving.max_float,
        "binding_points_added": draft.repaired,
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
