"""Released files into a machine's hot folder: whole, in order, and the job no more than once.

A RIP takes what it finds as soon as it finds it. So every file is written beside its place under a hidden name, synced
and renamed; the pictures come first and the ticket, which starts the job, last. RIPs move or delete what they have
taken, so an empty folder says nothing: what was sent is known from the table of deliveries. The ticket waits,
complete, under a hidden name of its own that the table knows before it is renamed: whoever goes on after a break sees
from that name whether the renaming happened, however the RIP was in between. Two who send at once are kept apart by a
lock of this machine, and by a compare-and-set for those of several.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from production.errors import DiskFull, FilesChanged, NameTaken, NoHotFolder, NothingToSend, SentBefore
from production.files import sha256_of, sync
from production.formats.tickets.ticket import LENGTHS, REPEATS, is_placed, placed_kind
from production.models import Delivery, JobTicket, MachineProfile

LONGEST_NAME = 64
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._()-]*")
_MACHINE_KINDS = (*REPEATS, *LENGTHS, "pdfx_pages", "loom")
_CHUNK = 1 << 20
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


OnSent = Callable[[Delivery], object]  # called in the transaction that records the job as sent
OnFile = Callable[[str, int, int], None]  # (file name, done, of how many)


@dataclass(frozen=True)
class Parcel:
    """What one job puts into a hot folder, in the order it has to arrive; the last file starts the job."""

    job: str
    files: tuple[Path, ...]
    checksums: tuple[str, ...]  # SHA-256 of each, as it was released


def parcel_of(manifest: Mapping[str, Any], folder: Path) -> Parcel:
    """The files of a job that its machine loads, which lie in `folder`: what its ticket places, then the ticket.

    A machine that goes by no ticket gets its own kind of file alone. Raises NothingToSend.
    """
    files, ticket = manifest["files"], manifest["machine"]["sidecar"]
    kinds = [file["format"] for file in files]
    placed = placed_kind(ticket, kinds) if ticket else next((each for each in _MACHINE_KINDS if each in kinds), None)
    job = f"{manifest['reference']} r{manifest['revision']}"
    if placed is None or (ticket and ticket not in kinds):
        lacking = f"ticket of kind {ticket}" if placed else "file that its machine could load"
        raise NothingToSend(
            f"{job} has no {lacking}: release it with the files that its machine takes.",
            fields={"field": "files", "measured": kinds, "limit": ticket or list(_MACHINE_KINDS)},
        )
    # A profile that lies beside a picture comes before it: where there is no ticket, the picture starts the job.
    pictures = sorted((file for file in files if file["format"] == placed), key=lambda file: is_placed(file["name"]))
    chosen = [*pictures, *(file for file in files if ticket and file["format"] == ticket)]
    for file in chosen:
        if len(file["name"]) > LONGEST_NAME or not _SAFE_NAME.fullmatch(file["name"]):
            raise NothingToSend(
                f"No hot folder takes a file called {file['name']!r}: a name has at most {LONGEST_NAME} letters, "
                "digits and - _ . ( ).",
                fields={"field": "reference", "measured": file["name"], "limit": LONGEST_NAME},
            )
    return Parcel(
        job=job,
        files=tuple(folder / file["name"] for file in chosen),
        checksums=tuple(file["sha256"] for file in chosen),
    )


def hot_folder_of(shop: str, machine: str) -> Path:
    """The hot folder of a machine; one without an absolute path is made where this installation keeps its data.

    Raises NoHotFolder where the machine has none.
    """
    row = MachineProfile.objects.filter(shop=shop, code=machine).first()
    if row is None or not row.hot_folder:
        raise NoHotFolder(
            f"{machine} has no hot folder: set one in the catalogue of machines.",
            fields={"field": "machine", "measured": machine},
        )
    folder = Path(settings.VAR_DIR) / row.hot_folder
    if not Path(row.hot_folder).is_absolute():
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def deliver(
    manifest: Mapping[str, Any],
    *,
    folder: Path,
    hot_folder: Path,
    shop: str,
    ticket: JobTicket | None = None,
    by: str = "",
    again: bool = False,
    on_sent: OnSent = lambda delivery: None,
    on_file: OnFile = lambda name, done, of: None,
) -> Delivery:
    """Send a released job's files, which lie in `folder` beside their manifest, into `hot_folder`.

    Safe to repeat after any break: what is there already stays, and the job starts once. again: send it although it
    was sent before. Raises NothingToSend, NoHotFolder, FilesChanged, NameTaken, DiskFull, and SentBefore, also while
    somebody else is sending it.
    """
    parcel = parcel_of(manifest, folder)
    _refuse_folder(hot_folder)
    with _alone(shop, parcel.job), _said_of(hot_folder):
        delivery = _opened(parcel, hot_folder, shop=shop, ticket=ticket, by=by, again=again, on_sent=on_sent)
        for name in (path.name for path in parcel.files):  # what a killed try left
            for stale in hot_folder.glob(f".{name}.*part"):
                stale.unlink(missing_ok=True)
        _refuse_changed(parcel)
        _refuse_full(parcel, hot_folder)
        for place, (source, sha256) in enumerate(zip(parcel.files, parcel.checksums, strict=True), start=1):
            if place < len(parcel.files):
                put(source, sha256, hot_folder)
            else:
                _start(delivery, source, sha256, on_sent)
            on_file(source.name, place, len(parcel.files))
    return delivery


def _opened(
    parcel: Parcel,
    hot_folder: Path,
    *,
    shop: str,
    ticket: JobTicket | None,
    by: str,
    again: bool,
    on_sent: OnSent,
) -> Delivery:
    """The row of this delivery: new, or that of a try that did not come to its end. Raises SentBefore."""
    last = Delivery.objects.filter(shop=shop, job=parcel.job).order_by("-number").first()
    if last is not None and last.state == Delivery.State.STAGED:
        _settle(last, on_sent)
    said = {"hot_folder": str(hot_folder), "files": [path.name for path in parcel.files], "ticket": ticket, "by": by}
    if last is not None and last.state == Delivery.State.SENDING:
        Delivery.objects.filter(pk=last.pk).update(**said)
        last.refresh_from_db()
        return last
    if last is None or again:
        number = last.number + 1 if last is not None else 1
        made, new = Delivery.objects.get_or_create(shop=shop, job=parcel.job, number=number, defaults=said)
        if new:
            return made
        last = made
    when = f" at {last.sent_at:%d %b %Y %H:%M} UTC" if last.sent_at else ""
    raise SentBefore(
        f"{parcel.job} was sent to {Path(last.hot_folder).name}{when}: send it again only if it was not printed.",
        fields={
            "job": parcel.job,
            "hot_folder": last.hot_folder,
            "measured": last.sent_at and last.sent_at.isoformat(),
        },
    )


def _settle(delivery: Delivery, on_sent: OnSent) -> None:
    """Find out how a try ended that was killed around the renaming of its last file.

    The file under its hidden name: it never started, so it is taken back. No such file: it was renamed, and the RIP may
    have taken it since. It is taken back by renaming too, so that of two who look only one finds it, and whoever is
    killed in between leaves a name that says so.
    """
    hot_folder = Path(delivery.hot_folder)
    _refuse_folder(hot_folder)
    hidden, taken_back = hot_folder / delivery.waiting, hot_folder / f"{delivery.waiting}.back.part"
    try:
        os.rename(hidden, taken_back)
    except FileNotFoundError:
        if not taken_back.exists():
            _record_sent(delivery, on_sent)
            return
    staged = Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.STAGED, waiting=delivery.waiting)
    staged.update(state=Delivery.State.SENDING, waiting="")
    delivery.refresh_from_db()


def _start(delivery: Delivery, source: Path, sha256: str, on_sent: OnSent) -> None:
    """Put the last file into its place, which starts the job. Raises SentBefore where somebody else just did."""
    hot_folder = Path(delivery.hot_folder)
    target = hot_folder / source.name
    if target.exists():
        raise NameTaken(
            f"{target.name} is in the hot folder already: the machine has not taken it yet, or somebody copied it "
            "there. Remove it first.",
            fields={"field": "hot_folder", "measured": target.name},
        )
    hidden = hot_folder / f".{source.name}.{uuid.uuid4().hex}.part"
    _copy(source, sha256, hidden)
    sending = Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.SENDING)
    if sending.update(state=Delivery.State.STAGED, waiting=hidden.name) != 1:
        hidden.unlink(missing_ok=True)
        raise _elsewhere(delivery)
    try:
        os.rename(hidden, target)
    except FileNotFoundError:
        raise _elsewhere(delivery) from None
    sync(hot_folder)
    delivery.refresh_from_db()
    _record_sent(delivery, on_sent)


def _record_sent(delivery: Delivery, on_sent: OnSent) -> None:
    with transaction.atomic():
        staged = Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.STAGED, waiting=delivery.waiting)
        won = staged.update(state=Delivery.State.SENT, sent_at=timezone.now()) == 1
        delivery.refresh_from_db()
        if won:
            on_sent(delivery)


def put(source: Path, sha256: str, hot_folder: Path) -> None:
    """Copy a file into its place, whole or not at all; one that is there already stays. Raises NameTaken."""
    target = hot_folder / source.name
    if target.is_file() and sha256_of(target) == sha256:
        return
    if target.exists():
        raise NameTaken(
            f"{target.name} is in the hot folder already, and it is another file: remove it first.",
            fields={"field": "hot_folder", "measured": target.name},
        )
    hidden = hot_folder / f".{source.name}.{uuid.uuid4().hex}.part"
    _copy(source, sha256, hidden)
    os.rename(hidden, target)
    sync(hot_folder)


def _copy(source: Path, sha256: str, target: Path) -> None:
    """Copy a file and sync it, watching that it is the one that was released; what went wrong leaves nothing behind."""
    digest = hashlib.sha256()
    try:
        with source.open("rb") as read, target.open("xb") as written:
            while chunk := read.read(_CHUNK):
                digest.update(chunk)
                written.write(chunk)
            written.flush()
            os.fsync(written.fileno())
        if digest.hexdigest() != sha256:
            raise _changed(source)
        sync(target.parent)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _refuse_changed(parcel: Parcel) -> None:
    for path, sha256 in zip(parcel.files, parcel.checksums, strict=True):
        if not path.is_file() or sha256_of(path) != sha256:
            raise _changed(path)


def _refuse_full(parcel: Parcel, hot_folder: Path) -> None:
    needed = sum(path.stat().st_size for path in parcel.files if not (hot_folder / path.name).exists())
    if shutil.disk_usage(hot_folder).free < needed:
        raise DiskFull(
            f"The hot folder has no room for {needed / 1e6:.0f} MB: let the machine take what is there, then send "
            "again.",
            fields={"path": str(hot_folder), "measured": shutil.disk_usage(hot_folder).free, "limit": needed},
        )


def _refuse_folder(hot_folder: Path) -> None:
    if not hot_folder.is_dir():
        why = "is not there"
    elif not os.access(hot_folder, os.W_OK | os.X_OK):
        why = "can't be written to"
    else:
        return
    raise NoHotFolder(
        f"The hot folder {hot_folder} {why}: mount it or give this server the right to write, then send again.",
        fields={"field": "hot_folder", "measured": str(hot_folder)},
    )


def _changed(path: Path) -> FilesChanged:
    return FilesChanged(
        f"{path.name} is not the file that was released: nothing was started. Release the job again.",
        fields={"file": path.name},
    )


def _elsewhere(delivery: Delivery) -> SentBefore:
    return SentBefore(
        f"{delivery.job} is being sent by somebody else just now.", fields={"job": delivery.job, "by": delivery.by}
    )


@contextmanager
def _said_of(hot_folder: Path) -> Iterator[None]:
    """What the system says of a folder, as refusals."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise DiskFull(fields={"path": str(hot_folder)}) from error
        raise NoHotFolder(
            f"The hot folder {hot_folder} could not be used: {error.strerror}. Look at its mount, then send again.",
            fields={"field": "hot_folder", "measured": str(hot_folder)},
        ) from error


@contextmanager
def _alone(shop: str, job: str) -> Iterator[None]:
    """Hold the lock on sending a job; the kernel gives it back when this process ends, however it does."""
    locks = Path(settings.VAR_DIR) / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(f"{shop}/{job}".encode()).hexdigest()[:32]
    with (locks / name).open("wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SentBefore(f"{job} is being sent just now: look again in a moment.", fields={"job": job}) from None
        yield
