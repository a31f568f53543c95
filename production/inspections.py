"""Inspections of what was made: their scans, what was measured, what the customer's rule says, what a person said."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol
from uuid import UUID

from django.conf import settings
from django.db.models import Max

from production.domain import grading
from production.domain.grading import Grade, Proposal, Rule, Seen
from production.errors import InvalidScans
from production.files import sha256_of, write_whole
from production.inspection.detect import USUAL, Scores, Threshold, threshold_for
from production.inspection.flaws import Kind
from production.inspection.outcome import Defect, Inspected, Reason, shown_mm
from production.inspection.pictures import Album, album_of
from production.models import DefectThreshold, DefectVerdict, DriftReading, Inspection, JobTicket

MOST_SCANS: Final = 60  # of one length of cloth
MOST_BYTES: Final = 1_500_000_000  # of one scan
SUFFIXES: Final = (".tif", ".tiff", ".png", ".jpg", ".jpeg")
PICTURES: Final = "pictures"  # the folder, and the kind of file that its index is
OPEN: Final = (Inspection.State.WAITING, Inspection.State.MEASURED, Inspection.State.REFUSED)


class Upload(Protocol):
    """A file that somebody sends, as a request brings it."""

    name: str | None
    size: int | None

    def chunks(self) -> Iterable[bytes]: ...


# ------------------------------------------------------------------------------------------------ scans


@dataclass(frozen=True)
class Scan:
    """A scan in the store, named by its content."""

    name: str  # as who sent it called it
    path: Path
    sha256: str
    size_bytes: int

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"name": self.name, "path": str(self.path), "sha256": self.sha256, "bytes": self.size_bytes}

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Scan:
        """The scan that `as_dict` wrote down."""
        return cls(kept["name"], Path(kept["path"]), kept["sha256"], kept["bytes"])


def keep_scans(shop: str, reference: str, sent: Sequence[Upload]) -> list[Scan]:
    """Put scans into the private store, each by its content. Nothing of what they show is looked at yet.

    Raises DiskFull, and InvalidScans for none, too many, one too large or of another kind, and the same one twice.
    """
    if not 1 <= len(sent) <= MOST_SCANS:
        raise InvalidScans(
            f"{len(sent)} scans were sent; give between 1 and {MOST_SCANS}, from the head of the roll on.",
            fields={"field": "scans", "measured": len(sent), "limit": MOST_SCANS},
        )
    for each in sent:
        _refuse_unfit(each)
    folder = Path(settings.VAR_DIR) / "store" / "scans" / shop / reference
    kept = [_kept(folder, each) for each in sent]
    twice = [one.name for number, one in enumerate(kept) if one.sha256 in {each.sha256 for each in kept[:number]}]
    if twice:
        raise InvalidScans(f"{twice[0]} is there twice: each scan shows a part of its own.", fields={"field": "scans"})
    return kept


def _refuse_unfit(sent: Upload) -> None:
    name, size = _plain_name(sent.name), sent.size or 0
    if Path(name).suffix.lower() not in SUFFIXES:
        raise InvalidScans(
            f"{name} is no scan: send TIFF, PNG or JPEG.",
            fields={"field": "scans", "measured": name, "choices": list(SUFFIXES)},
        )
    if not 0 < size <= MOST_BYTES:
        much = "is empty" if not size else f"has {size / 1e9:.1f} GB; {MOST_BYTES / 1e9:.1f} GB are read at most"
        raise InvalidScans(
            f"{name} {much}. Scan at 100 dpi, or in several parts.",
            fields={"field": "scans", "measured": size, "limit": MOST_BYTES},
        )


def _plain_name(name: str | None) -> str:
    """The last part of a file's name as it can be shown and kept."""
    last = (name or "scan").replace("\\", "/").rpartition("/")[2]
    return "".join(char for char in last if char.isprintable())[-80:] or "scan"


def _kept(folder: Path, sent: Upload) -> Scan:
    name, digest, size = _plain_name(sent.name), hashlib.sha256(), 0
    suffix = Path(name).suffix.lower()
    partial = folder / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}{suffix}"

    def fill(path: Path) -> None:
        nonlocal size
        with path.open("wb") as file:
            for chunk in sent.chunks():
                size += len(chunk)
                if size > MOST_BYTES:  # whatever its sender said
                    raise InvalidScans(f"{name} is too large.", fields={"field": "scans", "limit": MOST_BYTES})
                digest.update(chunk)
                file.write(chunk)

    write_whole(partial, fill)
    path = folder / f"{digest.hexdigest()}{suffix}"
    partial.replace(path)
    return Scan(name, path, digest.hexdigest(), size)


# ------------------------------------------------------------------------------------------------ beginning


def begin(ticket: JobTicket, scans: Sequence[Scan], *, run: int, by: str, at: datetime, once: UUID) -> Inspection:
    """Write down that a ticket's cloth is to be inspected; earlier scans that nobody decided on are overtaken.

    Call it with the line locked: the number is counted.
    """
    said = ticket.manifest
    lines = Inspection.objects.filter(shop=ticket.shop, reference=ticket.reference)
    lines.filter(state__in=OPEN).update(state=Inspection.State.OVERTAKEN)
    return Inspection.objects.create(
        shop=ticket.shop,
        reference=ticket.reference,
        run=run,
        revision=ticket.revision,
        number=(lines.aggregate(last=Max("number"))["last"] or 0) + 1,
        once=once,
        machine=(said.get("machine") or {}).get("code", ""),
        ink_set=(said.get("inks") or {}).get("set", ""),
        article=said.get("article", ""),
        scans=[each.as_dict() for each in scans],
        by=by,
        at=at,
    )


# ------------------------------------------------------------------------------------------------ measured


def refused(code: str, sentence: str) -> dict[str, Any]:
    """What an inspection is when its scans can't be inspected: never a grade, always the reason."""
    return {
        "state": Inspection.State.REFUSED,
        "reason": {"code": code, "sentence": sentence},
        "outcome": None,
        "grade": None,
        "proposal": None,
    }


def judged(found: Inspected, *, rule: Rule, wanted_m: Any) -> dict[str, Any]:
    """What an inspection is once its scans were measured: graded, with what the customer's rule says of the cloth."""
    if not found.trusted:
        reason = found.reason or Reason("not_inspectable", "The scan does not lie surely enough on its source.")
        return {**refused(reason.code, reason.sentence), "outcome": found.as_dict(), "synthetic": found.synthetic}
    grade = grading.grade(found.defects, width_mm=found.width_mm, length_mm=found.length_mm)
    proposal = grading.propose(grade, seen_of(found), rule, wanted_m=wanted_m)
    return {
        "state": Inspection.State.MEASURED,
        "reason": None,
        "outcome": found.as_dict(),
        "grade": grade.as_dict(),
        "rule": rule.as_dict(),
        "proposal": proposal.as_dict(),
        "synthetic": found.synthetic,
    }


def seen_of(found: Inspected) -> Seen:
    """What a customer's rule looks at beside the defects."""
    lies = found.registration
    assert lies is not None, "what is trusted lies on its source"
    return Seen(
        seen_m=shown_mm(found.scans) / 1000,
        de00=tuple((each.colour, each.de00, each.share) for each in found.colours),
        size_pct=(lies.size_error_across_pct, lies.size_error_along_pct),
        bow_mm=lies.bow_mm,
        skew_mm=lies.skew_mm,
        unmeasured=found.colours_unmeasured,
    )


def outcome_of(inspection: Inspection) -> Inspected | None:
    """What was measured; None before that."""
    return Inspected.of(inspection.outcome) if inspection.outcome else None


def grade_of(inspection: Inspection) -> Grade | None:
    """The four-point grade; None where there is none."""
    return Grade.of(inspection.grade) if inspection.grade else None


def rule_of(inspection: Inspection) -> Rule | None:
    """What the customer took when it was measured; None where nothing was."""
    kept = inspection.rule
    return Rule(**{**kept, "refused": tuple(kept["refused"])}) if kept else None


def proposal_of(inspection: Inspection) -> Proposal | None:
    """What the rule says; None where there is nothing to say it of."""
    return Proposal.of(inspection.proposal) if inspection.proposal else None


# ------------------------------------------------------------------------------------------------ what people say


def defect_of(inspection: Inspection, number: int) -> Defect | None:
    """A defect that was found, by its number on the map."""
    found = outcome_of(inspection)
    return next((each for each in found.defects if each.number == number), None) if found else None


def keep_verdict(
    inspection: Inspection,
    number: int,
    *,
    confirmed: bool,
    kind: str,
    place: tuple[float, float, float, float] | None,
    by: str,
    at: datetime,
) -> DefectVerdict:
    """Keep what a person says of a defect, with where its picture is: the next training learns from it.

    number 0: a defect that was not found, at `place` (x, y, width, height in mm on the cloth). Raises InvalidScans for
    a number or a kind that is none, and for a place off the cloth.
    """
    found, outcome = defect_of(inspection, number), outcome_of(inspection)
    if kind and kind not in set(Kind):
        raise InvalidScans(
            f"{kind[:32]!r} is no kind of defect.", fields={"field": "kind", "choices": [each.value for each in Kind]}
        )
    if outcome is None or (number and found is None):
        raise InvalidScans(f"{inspection} has no defect {number}.", fields={"field": "defect", "measured": number})
    if found is not None:
        place = (found.x_mm, found.y_mm, found.width_mm, found.height_mm)
    if place is None or not _on_cloth(place, outcome):
        raise InvalidScans(
            "Where is it? Mark a place on the cloth.",
            fields={"field": "place", "limit": [outcome.width_mm, outcome.length_mm]},
        )
    x, y, width, height = place
    scan = next((each for each in outcome.scans if each.from_mm <= y + height / 2 <= each.to_mm), None)
    named = found.kind.value if found is not None and found.kind else ""
    return DefectVerdict.objects.create(
        inspection=inspection,
        number=number,
        confirmed=confirmed,
        kind=kind or (named if confirmed else ""),
        found_kind=named,
        crop={"scan": scan.sha256 if scan else "", "x_mm": x, "y_mm": y, "width_mm": width, "height_mm": height},
        by=by,
        at=at,
    )


def _on_cloth(place: tuple[float, float, float, float], outcome: Inspected) -> bool:
    x, y, width, height = place
    return (
        min(x, y) >= 0 and min(width, height) > 0 and x + width <= outcome.width_mm and y + height <= outcome.length_mm
    )


def verdicts_of(inspection: Inspection) -> dict[int, DefectVerdict]:
    """What counts of what people said, by the defect's number: the newest."""
    return {each.number: each for each in inspection.verdicts.order_by("pk") if each.number}


def upheld(inspection: Inspection) -> Inspected | None:
    """What was measured, without the defects that a person said are none, and with the kinds that a person gave."""
    found = outcome_of(inspection)
    if found is None or not found.trusted:
        return found
    said = verdicts_of(inspection)
    marked = [each for each in inspection.verdicts.order_by("pk") if not each.number and each.confirmed]
    kept = [
        Defect(**{**vars(each), "kind": Kind(said[each.number].kind)})
        if each.number in said and said[each.number].kind
        else each
        for each in found.defects
        if each.number not in said or said[each.number].confirmed
    ]
    last = max((each.number for each in found.defects), default=0)
    for number, each in enumerate(marked, start=last + 1):
        place = {name: each.crop[name] for name in ("x_mm", "y_mm", "width_mm", "height_mm")}
        kind = Kind(each.kind) if each.kind else None
        area = place["width_mm"] * place["height_mm"]
        kept.append(Defect(number=number, kind=kind, share=1.0, score=0.0, area_mm2=area, **place))
    return Inspected(**{**vars(found), "defects": tuple(kept)})


# ------------------------------------------------------------------------------------------------ thresholds


def threshold_of(shop: str, article: str, *, fingerprint: str) -> Threshold:
    """From which score on a place of a fabric quality is a defect: as it was set for this detector, else the usual."""
    return threshold_by(threshold_set(shop, article, fingerprint=fingerprint))


def threshold_set(shop: str, article: str, *, fingerprint: str) -> DefectThreshold | None:
    """What was set last for a fabric quality and this detector; None: the usual threshold holds."""
    rows = DefectThreshold.objects.filter(shop=shop, article=article, fingerprint=fingerprint)
    return rows.order_by("-at", "-pk").first()


def threshold_by(kept: DefectThreshold | None) -> Threshold:
    """The threshold that was set; None: the usual one."""
    return Threshold(kept.high, kept.low) if kept is not None else USUAL


def threshold_as_dict(kept: DefectThreshold | None) -> dict[str, Any]:
    """How an inspection keeps which threshold it was made with, in plain JSON values."""
    used = threshold_by(kept)
    said: dict[str, Any] = {"high": round(used.high, 4), "low": round(used.low, 4), "set": kept is not None}
    if kept is None:
        return said
    return said | {
        "clean_m2": round(kept.clean_m2, 3), "false_alarms_per_m2": kept.false_alarms_per_m2, "by": kept.by,
        "at": kept.at.isoformat(), "synthetic": kept.synthetic,
    }  # fmt: skip


def threshold_in_words(inspection: Inspection) -> str:
    """How closely a cloth was looked at, as it stands on papers; empty where it was not."""
    used = inspection.threshold
    if not used or inspection.outcome is None:
        return ""
    if not used["set"]:
        return f"As usual: no threshold was set for {inspection.article} by clean cloth of it."
    on = "simulated scans" if used["synthetic"] else "clean cloth"
    return (
        f"As set for {inspection.article} on {used['clean_m2']:.1f} m² of {on}: at most "
        f"{used['false_alarms_per_m2']:g} false alarms per m²."
    )


def set_threshold(
    shop: str,
    article: str,
    clean: Sequence[Scores],
    *,
    false_alarms_per_m2: float,
    fingerprint: str,
    numbers: Sequence[str],
    synthetic: bool,
    by: str,
    at: datetime,
) -> DefectThreshold:
    """Set from which score on a place of a fabric quality is a defect, on clean cloth of it: to so many false alarms.

    numbers: the inspections whose cloth it was. synthetic: some of it was simulated. Raises InvalidScans where the
    budget does not come to one false alarm on all the cloth: nothing could be counted then.
    """
    there, least = sum(each.area_m2 for each in clean), 1 / false_alarms_per_m2
    if there < least:
        raise InvalidScans(
            f"{there:.2f} m² of clean cloth are too little for {false_alarms_per_m2:g} false alarms per m²: give at "
            f"least {least:.2f} m², or allow more.",
            fields={"field": "scans", "measured": round(there, 3), "limit": round(least, 3)},
        )
    found = threshold_for(clean, false_alarms_per_m2)
    return DefectThreshold.objects.create(
        shop=shop,
        article=article,
        fingerprint=fingerprint,
        high=found.high,
        low=found.low,
        clean_m2=there,
        false_alarms_per_m2=false_alarms_per_m2,
        inspections=list(numbers),
        synthetic=synthetic,
        by=by,
        at=at,
    )


# ------------------------------------------------------------------------------------------------ drift


def note_drift(inspection: Inspection) -> DriftReading | None:
    """Keep how far an inspected cloth is off, once, for the charts; None where nothing was measured."""
    found = outcome_of(inspection)
    if found is None or not found.trusted or found.registration is None:
        return None
    ticket = JobTicket.objects.filter(
        shop=inspection.shop, reference=inspection.reference, revision=inspection.revision
    ).first()
    shares = sum(each.share for each in found.colours)
    off: dict[str, float | None] = dict.fromkeys(("de00", "dl", "da", "db"))
    if shares:
        off["de00"] = sum(each.de00 * each.share for each in found.colours) / shares
        for axis, name in enumerate(("dl", "da", "db")):
            off[name] = (
                sum((each.seen_lab[axis] - each.asked_lab[axis]) * each.share for each in found.colours) / shares
            )
    reading, _ = DriftReading.objects.get_or_create(
        inspection=inspection,
        defaults={
            "shop": inspection.shop, "machine": inspection.machine, "ink_set": inspection.ink_set,
            "article": inspection.article, "at": inspection.at, **off,
            "released_at": ticket.released_at if ticket else inspection.at,
            "across_pct": found.registration.size_error_across_pct,
            "along_pct": found.registration.size_error_along_pct,
        },
    )  # fmt: skip
    return reading


# ------------------------------------------------------------------------------------------------ files


def folder_of(inspection: Inspection) -> Path:
    """Where an inspection's own files lie."""
    store = Path(settings.VAR_DIR) / "store" / "inspections"
    return store / inspection.shop / inspection.reference / str(inspection.number)


def pictures_of(inspection: Inspection) -> Album | None:
    """What people can look at of the cloth; None where it was not inspected, or its pictures are not whole."""
    kept = next((each for each in inspection.files if each["kind"] == PICTURES), None)
    return album_of(folder_of(inspection) / PICTURES / kept["name"]) if kept is not None else None


def keep_file(inspection: Inspection, kind: str, path: Path) -> dict[str, Any]:
    """Register a file of an inspection; of each kind the newest counts."""
    entry = file_entry(kind, path)
    files = [each for each in inspection.files if each["kind"] != kind] + [entry]
    Inspection.objects.filter(pk=inspection.pk).update(files=files)
    inspection.files = files
    return entry


def file_entry(kind: str, path: Path) -> dict[str, Any]:
    """How a file stands in an inspection's list."""
    return {"kind": kind, "name": path.name, "path": str(path), "sha256": sha256_of(path)}
