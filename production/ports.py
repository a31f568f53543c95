"""The MachineFormat port, and the values that pass through it and the documents."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, TypeVar

from generation.domain.pattern import Raster
from production.assessment import Assessment
from production.domain.costing import CostBreakdown
from production.domain.finding import Finding
from production.domain.picture import Picture
from production.domain.sheet import Sheet, lay_out
from production.domain.spec import LineSpec, Machine
from production.lettering import dots_of
from production.planning.promise import PlannedStep

LONGEST_STEM = 40  # of a file's name: with revision and suffix no longer than hot folders take


@dataclass(frozen=True)
class Provenance:
    """Where an artwork comes from."""

    sha256: str
    generator: str
    fingerprint: str
    seed: int


@dataclass(frozen=True)
class LotUse:
    """A material that is held for a job, and from which lot."""

    sku: str
    name: str
    lot: str
    quantity: Decimal
    unit: str


@dataclass(frozen=True)
class RenderJob:
    """A job to be released: everything its files and documents say. Its times come with it: same job, same bytes."""

    spec: LineSpec
    assessment: Assessment
    cost: CostBreakdown
    reference: str
    revision: int
    released_at: datetime
    shop: str = ""  # the name on the documents
    customer: str = ""
    order: str = ""
    due: date | None = None
    promised: datetime | None = None
    words: str = ""
    steps: tuple[PlannedStep, ...] = ()
    lots: tuple[LotUse, ...] = ()
    provenance: Provenance | None = None
    tz: str = "UTC"  # for the times on the ticket
    url: str = ""  # where the line can be seen; the QR code holds it, or the reference where there is none
    spots: tuple[str, ...] = ()  # for a spot separation: the exact name of the channel of each colour
    paper: str = "A4"  # of its documents: A4 or Letter
    design: str = ""  # what people call the design, such as round and number
    colourway: str = ""
    priority: str = ""  # what is not known here is left for the mill to fill in by hand
    binding: str = ""  # what the promised date waits for, in words
    valid_until: date | None = None  # how long the quotation holds
    terms: str = ""  # of sale, as the shop says them
    asked: str = ""  # the quantity as the customer counts, such as 40 yd; empty: in metres

    @property
    def ordered(self) -> str:
        """The quantity as it stands on papers: 40 yd (36.58 m)."""
        length = f"{self.spec.quantity_m:g} m"
        return f"{self.asked} ({length})" if self.asked else length

    @property
    def name(self) -> str:
        """The stem of every file of the job: letters, digits, - and _ only, a letter or digit first, at most 45.

        A reference with other signs, or a longer one, is told from its likes by what follows its first letters.
        """
        safe = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in self.reference)
        if safe != self.reference or len(safe) > LONGEST_STEM or not safe[:1].isalnum():
            mark = hashlib.sha256(self.reference.encode("utf-8", "replace")).hexdigest()[:6]
            safe = f"{safe[: LONGEST_STEM - 1 - len(mark)].strip('-_') or 'job'}-{mark}"
        return f"{safe}-r{self.revision}"

    @property
    def machine(self) -> Machine:
        """The printer or loom it is planned on; not planned yet: the first that can make it."""
        planned = {step.work_centre for step in self.steps}
        return next((maker for maker in self.spec.makers if maker.code in planned), self.spec.makers[0])

    @cached_property
    def sheet(self) -> Sheet:
        """The printed cloth of the job. Raises ValueError for a woven one."""
        spec = self.spec
        if spec.inks is None:
            raise ValueError("a woven line has no printed sheet")
        return lay_out(
            dpi=spec.dpi,
            fabric_width_mm=spec.width_mm,
            pattern_px=spec.pattern_px,
            tile_px=(spec.width_px, spec.height_px),
            layout=spec.repeat.layout,
            channels=spec.inks.channels,
            tac_pct=spec.inks.tac_pct,
            words=f"{self.reference} r{self.revision} · {spec.sku} · {spec.quantity_m:g} m",
            code=self.name,
            lettering=dots_of,
        )


@dataclass(frozen=True)
class WrittenFile:
    """A file that was written and verified."""

    path: Path
    sha256: str
    format: str
    size_bytes: int


Progress = Callable[[int, int], None]  # (done, of how many)
OnFile = Callable[[str, int, int], None]  # (code of the file, done, of how many)
Manifest = Mapping[str, Any]  # what `manifest_of` says of a job; all that a verifier goes by
Master = TypeVar("Master", contravariant=True)  # InkTile for a printer, Draft for a loom


def every_job(job: RenderJob, kinds: Sequence[str]) -> None:
    """Any job can have this paper."""


@dataclass(frozen=True)
class Paper:
    """A sidecar or document of a job: what writes it, given the files written before it, and what reads it back.

    fits: raises where the job can't have it, given the kinds of machine files that it gets: before any is written.
    """

    suffix: str  # of the file, after the job's name
    write: Callable[[RenderJob, Raster | Picture, Sequence[WrittenFile]], bytes]
    verify: Callable[[Path, Manifest], Sequence[Finding]]
    fits: Callable[[RenderJob, Sequence[str]], object] = every_job


def no_progress(code: str, done: int, of: int) -> None:
    """Nobody watches."""


class MachineFormat(Protocol[Master]):
    """A kind of file that a machine loads. Writer and verifier share no code but numpy."""

    code: str
    kind: str  # of the lines it is for: PRINT or WEAVE

    def write(self, master: Master, job: RenderJob, folder: Path, on_progress: Progress) -> list[Path]:
        """Write the file or files into `folder`, named after the job.

        All of a file or nothing, bounded memory, the same job gives the same bytes.
        """

    def verify(self, path: Path, manifest: Manifest) -> Sequence[Finding]:
        """Read one file back by other code than `write` and compare it with the manifest; errors where it differs."""
