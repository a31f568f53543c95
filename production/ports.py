"""The MachineFormat port, and the values that pass through it and the documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from generation.domain.pattern import Raster
from production.assessment import Assessment
from production.domain.costing import CostBreakdown
from production.domain.finding import Finding
from production.domain.spec import LineSpec
from production.planning.promise import PlannedStep


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

    @property
    def name(self) -> str:
        """The stem of every file of the job: letters, digits, - and _ only, at most 60."""
        safe = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in self.reference)
        return f"{safe[:50] or 'job'}-r{self.revision}"


@dataclass(frozen=True)
class WrittenFile:
    """A file that was written and verified."""

    path: Path
    sha256: str
    format: str
    size_bytes: int


class MachineFormat(Protocol):
    """A kind of file that a machine loads. Writer and verifier share no code but numpy."""

    code: str
    suffix: str

    def write(self, raster: Raster, job: RenderJob, out: Path) -> None:
        """Write the file at `out`: all of it or nothing, bounded memory, the same job gives the same bytes."""

    def verify(self, path: Path, raster: Raster, job: RenderJob) -> Sequence[Finding]:
        """Read the file back by other code than `write` and compare it with the job; errors where it is not that."""
