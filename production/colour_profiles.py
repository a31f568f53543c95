"""Colour profiles as data: registering one, and finding the one that counts for a printer, its inks and a fabric.

A profile's file is checked every time: its bytes by their SHA-256, its header by what the printer's inks need.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyvips
from django.conf import settings
from django.db.models import Q

from production.domain.icc import LAB, PRINTER, Header, device_space, read_header
from production.domain.spec import Ink, Profile
from production.errors import FabricNotPrintable, InksNotOnMachine, NoProfile, ProfileChanged, WrongProfile
from production.files import write_bytes_whole
from production.models import IccProfile, InkSet, MachineProfile, Substrate

PROFILES = Path(__file__).parent / "profiles"
SYNTHETIC = "SYNTHETIC"
_NEEDED_TABLES = ("A2B0", "B2A0")
_CLASSES = {
    PRINTER: "a printer",
    "mntr": "a screen",
    "scnr": "a scanner or camera",
    "link": "the way from one device to another",
    "spac": "a colour space",
    "abst": "an effect",
    "nmcl": "named colours",
}


@dataclass(frozen=True)
class Given:
    """What the owner of a profile says of it."""

    code: str
    name: str
    owner: str
    valid_from: date
    valid_until: date | None = None
    synthetic: bool = False  # a file that calls itself synthetic is, whatever is said here
    note: str = ""


def register(
    file: Path,
    given: Given,
    *,
    ink_set: InkSet,
    fabric_class: str = "",
    printer: MachineProfile | None = None,
    substrate: Substrate | None = None,
) -> IccProfile:
    """Check a profile's file, keep a copy of it and add it to the catalogue; returns the row.

    It counts for the pretreatment that the ink set asks for now, for fabrics of the inks' class (what `fabric_class`
    has to agree with), and without `printer` or `substrate` for all of them. Raises WrongProfile, InksNotOnMachine,
    FabricNotPrintable, and DiskFull where no copy fits.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise WrongProfile(
            f"{file.name} can't be read: {error.strerror}.", fields={"field": "profile", "profile": file.name}
        ) from error
    inks = tuple(Ink(**ink) for ink in ink_set.inks)
    header = refuse_wrong(data, file.name, inks)
    _refuse_unusable(data, file.name, len(inks))
    if printer is not None and ink_set not in printer.ink_sets():
        raise InksNotOnMachine(
            f"{printer.name} does not print with {ink_set.name}: give the machine these inks in the catalogue first.",
            fields={"field": "printer", "measured": ink_set.code, "limit": [each.code for each in printer.ink_sets()]},
        )
    fabric_class = fabric_class or (substrate.ink_class if substrate is not None else ink_set.ink_class)
    if fabric_class != ink_set.ink_class:
        raise FabricNotPrintable(
            f"{ink_set.name} is for {ink_set.ink_class} fabrics: the profile would never count on {fabric_class} ones.",
            fields={"field": "fabric_class", "measured": fabric_class, "limit": ink_set.ink_class},
        )
    digest = hashlib.sha256(data).hexdigest()
    kept = Path(settings.VAR_DIR) / "store" / "profiles" / f"{digest}.icc"
    write_bytes_whole(kept, data)
    row, new = _add(
        given,
        path=str(kept),
        digest=digest,
        header=header,
        ink_set=ink_set,
        printer=printer,
        substrate=substrate,
    )
    if not new:
        sentence = f"There is a profile {row.code} already: give this one its own code, or change that one."
        raise WrongProfile(sentence, fields={"field": "code", "measured": digest, "limit": row.sha256})
    return row


def register_shipped(file: str, given: Given, *, ink_set: InkSet) -> tuple[IccProfile, bool]:
    """Add a profile that comes with the product, for all fabrics of the inks' class; returns the row and if it is new.

    Raises WrongProfile.
    """
    data = (PROFILES / file).read_bytes()
    header = refuse_wrong(data, file, tuple(Ink(**ink) for ink in ink_set.inks))
    return _add(given, path=file, digest=hashlib.sha256(data).hexdigest(), header=header, ink_set=ink_set)


def profile_for(ink_set: InkSet, cloth: Substrate, printer: MachineProfile, on: date | None) -> Profile:
    """The profile that counts on the day `on` (any day's, without it), its bytes and header checked.

    Measured ones go before synthetic ones, then those of this very fabric, then of this printer, then the newest.
    Raises NoProfile, ProfileChanged, WrongProfile.
    """
    rows = IccProfile.objects.filter(
        Q(printer=printer) | Q(printer=None),
        Q(substrate=cloth) | Q(substrate=None),
        Q(pretreatment_sku=ink_set.pretreatment_sku) | Q(pretreatment_sku=""),
        ink_set=ink_set,
        fabric_class=cloth.ink_class,
    )
    valid = [row for row in rows if on is None or (row.valid_from <= on and (row.valid_until or on) >= on)]
    if not valid:
        ended = max((row.valid_until for row in rows if row.valid_until and on and row.valid_until < on), default=None)
        raise NoProfile(
            f"There is no valid colour profile for {printer.name} with {ink_set.name} on {cloth.ink_class} fabrics"
            + (f": the last one ended on {ended:%d %B %Y}" if ended else "")
            + ". Add one in the catalogue.",
            fields={"field": "substrate", "printer": printer.code, "ink_set": ink_set.code},
        )
    row = max(valid, key=lambda row: (not row.synthetic, bool(row.substrate_id), bool(row.printer_id), row.valid_from))
    path = PROFILES / row.path  # an absolute path stays as it is
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NoProfile(f"The colour profile {row.code} can't be read.", fields={"profile": row.code}) from error
    found = hashlib.sha256(data).hexdigest()
    if found != row.sha256:
        raise ProfileChanged(fields={"profile": row.code, "measured": found, "limit": row.sha256})
    refuse_wrong(data, row.code, tuple(Ink(**ink) for ink in ink_set.inks))
    return Profile(name=row.name, sha256=row.sha256, path=path, synthetic=row.synthetic)


def refuse_wrong(data: bytes, name: str, inks: Sequence[Ink]) -> Header:
    """The header of a profile that describes a printer with these inks in this order. Raises WrongProfile."""
    try:
        header = read_header(data)
    except ValueError as error:
        raise _wrong(name, f"{name} can't be used as a colour profile: {error}.", "no profile", "a profile") from None
    needed = device_space(len(inks))
    order = ", ".join(ink.name for ink in inks)
    if header.device_class != PRINTER:
        what = _CLASSES.get(header.device_class, f"a device of class {header.device_class!r}")
        sentence = f"{name} is a profile of {what}; one of a printer is needed."
        raise _wrong(name, sentence, header.device_class, PRINTER)
    if header.space != needed:
        sentence = (
            f"{name} is a profile for {header.space.strip()}; the inks {order} need one for {needed}, "
            f"with {len(inks)} channels."
        )
        raise _wrong(name, sentence, header.space.strip(), needed)
    if header.pcs != LAB:
        sentence = f"{name} describes colours in {header.pcs.strip()}; a profile of inks on cloth does so in Lab."
        raise _wrong(name, sentence, header.pcs.strip(), LAB.strip())
    missing = [tag for tag in _NEEDED_TABLES if tag not in header.tags]
    if missing:
        sentence = f"{name} has no table {' and no table '.join(missing)}, so it can't say which inks make a colour."
        raise _wrong(name, sentence, ", ".join(header.tags), ", ".join(_NEEDED_TABLES))
    named = [colorant.strip().casefold() for colorant in header.colorants]
    if named and not all(
        len(named) == len(inks) and found in (ink.name.casefold(), ink.channel.casefold())
        for found, ink in zip(named, inks, strict=False)
    ):
        found = ", ".join(header.colorants)
        sentence = f"The inks of {name} are {found}; the ink set's are {order}, in this order and by these names."
        raise _wrong(name, sentence, found, order)
    return header


def _refuse_unusable(data: bytes, name: str, inks: int) -> None:
    """Let the colour engine take one colour to ink and back: a header can be right and the tables broken."""
    white = pyvips.Image.black(1, 1, bands=3).copy(interpretation="lab").cast("float").linear([1, 1, 1], [100, 0, 0])
    try:
        white.set_type(pyvips.GValue.blob_type, "icc-profile-data", data)
        ink = white.icc_export(intent="relative", depth=16)
        ink.icc_import(embedded=True, intent="relative", pcs="lab").avg()
        bands = ink.bands
    except pyvips.Error:
        bands = 0
    if bands != inks:
        sentence = f"The tables of {name} can't be read: export the profile again."
        raise _wrong(name, sentence, "damaged tables", f"tables of {inks} inks")


def _wrong(name: str, sentence: str, measured: str, limit: str) -> WrongProfile:
    return WrongProfile(sentence, fields={"field": "profile", "profile": name, "measured": measured, "limit": limit})


def _add(
    given: Given,
    *,
    path: str,
    digest: str,
    header: Header,
    ink_set: InkSet,
    printer: MachineProfile | None = None,
    substrate: Substrate | None = None,
) -> tuple[IccProfile, bool]:
    synthetic = given.synthetic or SYNTHETIC in header.description.upper()
    label = f"{SYNTHETIC}: from an ink model, not measured on cloth. " if synthetic else ""
    if not header.colorants and header.space != device_space(4):
        order = ", ".join(ink["name"] for ink in ink_set.inks)
        label += f"The file doesn't name its inks; they are taken to be {order}, in this order. "
    named = SYNTHETIC in given.name.upper() or not synthetic
    return IccProfile.objects.get_or_create(
        shop=ink_set.shop,
        code=given.code,
        defaults={
            "name": given.name if named else f"{given.name}, {SYNTHETIC}",
            "owner": given.owner,
            "sha256": digest,
            "path": path,
            "ink_set": ink_set,
            "pretreatment_sku": ink_set.pretreatment_sku,
            "fabric_class": ink_set.ink_class,
            "printer": printer,
            "substrate": substrate,
            "valid_from": given.valid_from,
            "valid_until": given.valid_until,
            "synthetic": synthetic,
            "description": label + (given.note or f"Ink limit {ink_set.tac_pct:g} %."),
        },
    )
