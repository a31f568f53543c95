"""A finding: what one check measured, against which limit, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters: an error stops the design, a warning is for a person, an info is to be known."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True)
class Finding:
    """The result of one check, in figures and in a sentence a sales person can read out."""

    code: str
    severity: Severity
    where: str
    measured: str  # with its unit, as it is shown
    limit: str
    remedy: str
    sentence: str

    def as_dict(self) -> dict[str, str]:
        """The finding as plain JSON values."""
        return {key: str(value) for key, value in asdict(self).items()}


def passed(findings: Iterable[Finding]) -> bool:
    """True if nothing among `findings` is an error."""
    return all(finding.severity is not Severity.ERROR for finding in findings)


def misread(code: str, where: str, measured: object, limit: object, *, what: str = "print file") -> Finding:
    """The finding that a file which a machine loads does not read back as it was meant."""
    return Finding(
        code=f"file_{code}",
        severity=Severity.ERROR,
        where=where,
        measured=str(measured)[:300],
        limit=str(limit)[:300],
        remedy="Write the file again; if it happens twice, look at the disk.",
        sentence=f"The {what} does not read back as it was meant: {where}.",
    )


def wrong_document(name: str, where: str, measured: object, limit: object, what: str) -> Finding:
    """The finding that a file for people does not say what the job says: `name` `what`."""
    return Finding(
        code="document_wrong",
        severity=Severity.ERROR,
        where=f"{name}, {where}",
        measured=str(measured)[:200],
        limit=str(limit)[:200],
        remedy="Release the job again.",
        sentence=f"{name} {what}.",
    )
