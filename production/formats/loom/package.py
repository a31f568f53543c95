"""For a jacquard loom: a zip with point paper, lift plans, weaves, warp and weft, hooks, WIF, simulation and sheet.

Every jacquard CAD reads indexed pictures of ends x picks, one pixel per crossing; no vendor's own format is claimed.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from production.documents.weave_sheet import weave_sheet
from production.domain.draft import Draft
from production.domain.finding import Finding
from production.domain.floats import Lift
from production.domain.spec import WEAVE, Weaving
from production.domain.weave import BACK, LIBRARY
from production.files import write_whole
from production.formats.loom import pictures, tables
from production.formats.loom.reading import check_package
from production.formats.loom.wif import wif_bytes
from production.ports import Manifest, Progress, RenderJob
from production.simulation import from_near, whole_repeat

_EPOCH = (1980, 1, 1, 0, 0, 0)  # zip can't be earlier; the job's time is in the specification

Part = Callable[[IO[bytes]], object]  # writes itself


class LoomPackage:
    """What a jacquard CAD needs to punch the design, and what the weaver needs to set the loom."""

    code = "loom"
    kind = WEAVE

    def write(self, master: Draft, job: RenderJob, folder: Path, on_progress: Progress) -> list[Path]:
        """Write the package."""
        weaving = job.spec.weaving
        assert weaving is not None, "a woven line has a weave"
        out = folder / f"{job.name}.zip"
        looks = whole_repeat(master, weaving), from_near(master, weaving)
        parts = {**_pictures(master, weaving), **_tables(master, job, weaving), **_simulations(looks)}
        of = len(parts) + 3

        def fill(temporary: Path) -> None:
            checksums: dict[str, str] = {}
            with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as package:
                for name, part in parts.items():
                    checksums[name] = _add(package, name, part)
                    on_progress(len(checksums), of)
                sheet = weave_sheet(master, job, whole=looks[0], near=looks[1], checksums=checksums)
                checksums["spec.pdf"] = _add(package, "spec.pdf", _these(sheet))
                said = tables.as_json(tables.specification(master, job, dict(checksums)))
                checksums["spec.json"] = _add(package, "spec.json", _these(said))
                sums = "".join(f"{digest}  {name}\n" for name, digest in checksums.items())
                _add(package, "SHA256SUMS", _these(sums.encode()))
            on_progress(of, of)

        write_whole(out, fill)
        return [out]

    def verify(self, path: Path, manifest: Manifest) -> Sequence[Finding]:
        """Read the package back: checksums, every crossing in every picture, weaves, tables, and no float over."""
        return check_package(path, manifest)


def lift_plans(draft: Draft) -> Iterator[tuple[str, Lift]]:
    """(name, plan) of the lift plans of a package: all picks in their order, and with two wefts each by itself."""
    if draft.extra is None:
        yield "lift", draft.lift
    else:
        yield "lift", np.stack(draft.lifts, axis=1).reshape(-1, draft.lift.shape[1])
        for nth, lift in enumerate(draft.lifts, 1):
            yield f"lift_w{nth}", lift


def _pictures(draft: Draft, weaving: Weaving) -> dict[str, Part]:
    dpi = pictures.dpi_of(weaving.ends_per_cm, weaving.picks_per_cm)
    paper = partial(pictures.point_paper, draft.paper, draft.palette)
    parts: dict[str, Part] = {
        "pointpaper.png": lambda to: pictures.write_png(paper(), dpi, to),
        "pointpaper.bmp": lambda to: pictures.write_bmp(paper(), dpi, to),
        "pointpaper.tif": lambda to: pictures.write_tiff(paper(), dpi, to),
    }
    for name, lift in lift_plans(draft):
        across, along = dpi
        size = across, along * lift.shape[0] / draft.paper.shape[0]
        parts[f"{name}.tif"] = partial(_write_plan, pictures.write_tiff, lift, size)
        parts[f"{name}.bmp"] = partial(_write_plan, pictures.write_bmp, lift, size)
    return parts


def _write_plan(write: Callable[..., None], lift: Lift, dpi: pictures.Dpi, to: IO[bytes]) -> None:
    write(pictures.lift_plan(lift), dpi, to)


def _tables(draft: Draft, job: RenderJob, weaving: Weaving) -> dict[str, Part]:
    parts: dict[str, Part] = {
        "weaves.json": _these(tables.weaves_json(draft, weaving)),
        "wefts.csv": _these(tables.wefts_csv(draft, weaving)),
        "warp.csv": _these(tables.warp_csv(job.spec, weaving)),
        "castout.csv": _these(tables.castout_csv(draft, weaving)),
        "floats.json": _these(tables.floats_json(draft, weaving.float_limits)),
    }
    threads: dict[str, Any] = {
        "warp": weaving.warp,
        "wefts": weaving.wefts,
        "ends_per_cm": weaving.ends_per_cm,
        "picks_per_cm": weaving.picks_per_cm,
    }
    for name in dict.fromkeys(draft.weaves):
        if weave := wif_bytes(_woven(name, two_wefts=weaving.extra is not None), title=name, **threads):
            parts[f"wif/{name}.wif"] = _these(weave)
    _, lift = next(lift_plans(draft))
    if design := wif_bytes(lift, title=f"{job.reference} r{job.revision}", **threads):
        parts["wif/design.wif"] = _these(design)
    return parts


def _woven(name: str, *, two_wefts: bool) -> Lift:
    """The lift plan of a weave of the library by itself, the picks of two wefts taking turns."""
    weave = LIBRARY[name]
    if not two_wefts:
        return weave.lift
    figure = BACK.lift if weave.figure is None else weave.figure
    size = int(np.lcm(len(weave.lift), len(figure)))
    lifts = [np.tile(lift, (size // len(lift), size // len(lift))) for lift in (weave.lift, figure)]
    return np.stack(lifts, axis=1).reshape(2 * size, size)


def _simulations(looks: tuple[NDArray[np.uint8], NDArray[np.uint8]]) -> dict[str, Part]:
    def png(picture: NDArray[np.uint8]) -> Part:
        return lambda to: Image.fromarray(picture).save(to, "PNG")

    return {"simulation.png": png(looks[0]), "closeup.png": png(looks[1])}


def _these(data: bytes) -> Part:
    return lambda to: to.write(data)


def _add(package: zipfile.ZipFile, name: str, part: Part) -> str:
    """Add a part as it is written, without the whole of it in memory; its SHA-256 in hex."""
    entry = zipfile.ZipInfo(name, _EPOCH)
    packed = name.endswith((".png", ".tif", ".pdf"))
    entry.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    with package.open(entry, "w") as to:
        hashing = _Hashing(to)
        part(hashing)
    return hashing.digest.hexdigest()


class _Hashing(io.RawIOBase):
    """A file that is written through to another and hashed on the way; it can't be gone back in."""

    def __init__(self, to: IO[bytes]) -> None:
        self._to = to
        self.digest = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.digest.update(data)
        return self._to.write(data)
