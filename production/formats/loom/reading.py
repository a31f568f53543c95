"""Reading a loom package back: every part against its checksum, every crossing of every picture against the manifest.

Nothing here is shared with what writes it: PNG and bitmaps are taken apart by hand so that indices are seen and not
colours, TIFF is read with tifffile, floats are counted by walking all threads side by side.
"""

from __future__ import annotations

import configparser
import csv
import hashlib
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import tifffile
from numpy.typing import NDArray

from production.domain.finding import Finding, misread
from production.ports import Manifest

_wrong = partial(misread, what="loom package")

_Plane = NDArray[np.uint8]
_Palette = list[tuple[int, int, int]]

_ALWAYS = {
    *("pointpaper.png", "pointpaper.bmp", "pointpaper.tif", "lift.tif", "lift.bmp", "weaves.json", "wefts.csv"),
    *("warp.csv", "castout.csv", "floats.json", "simulation.png", "closeup.png", "spec.pdf", "spec.json"),
}
_SUMS = "SHA256SUMS"
_LOCAL_HEADER = struct.Struct("<4sHHHHHIIIHH")
_LISTING = 46  # bytes of a part in the list at the end, without its name
_END = struct.Struct("<4sHHHHIIH")
_MIDNIGHT_1980 = (0, 1 << 5 | 1)  # the earliest time and date a zip can hold
_CHUNK = 1 << 20


def check_package(path: Path, manifest: Manifest) -> list[Finding]:
    """Errors for whatever in the package at `path` is not as `manifest` says."""
    try:
        with zipfile.ZipFile(path) as package:
            found = _parts(package, path) or [
                *_papers(package, manifest),
                *_lifts(package, manifest),
                *_weaves(package, manifest),
                *_tables(package, manifest),
                *_spec(package, manifest),
            ]
    except Exception as error:  # a damaged file can make a decoder raise anything
        return [_wrong("readable", "the package", f"{type(error).__name__}: {error}"[:200], "a whole package")]
    return found


def _parts(package: zipfile.ZipFile, path: Path) -> list[Finding]:
    """The parts that must be there, the same under both headers of the zip, each with its checksum."""
    found, names = [], [entry.filename for entry in package.infolist()]
    sums = dict(reversed(line.split("  ", 1)) for line in package.read(_SUMS).decode().splitlines())
    if missing := sorted((_ALWAYS | {_SUMS}) - set(names)):
        found.append(_wrong("structure", "the package", f"without {', '.join(missing)}", "all its parts"))
    if sorted(names) != sorted({*sums, _SUMS}):
        found.append(_wrong("structure", _SUMS, f"{len(sums)} parts", f"{len(names) - 1} parts, each once"))
    said = json.loads(package.read("spec.json"))["sha256"]
    found += _structure(package, path, names)
    for name in names:
        if name != _SUMS:
            measured = _digest(package, name)
            for meant in {sums.get(name), said.get(name, measured)}:
                if measured != meant:
                    found.append(_wrong("checksum", name, measured, str(meant)))
    return found


def _spec(package: zipfile.ZipFile, manifest: Manifest) -> list[Finding]:
    """What a loom is set up by says the job's own figures."""
    said = json.loads(package.read("spec.json"))
    draft, usage = manifest["draft"], manifest["assessment"]["usage"]
    meant = {
        "reference": manifest["reference"],
        "revision": manifest["revision"],
        "released_at": manifest["released_at"],
        "loom": manifest["machine"]["code"],
        "harness_ends": draft["harness_ends"],
        "repeats_in_harness": draft["harness_ends"] // draft["ends"],
        "total_ends": draft["total_ends"],
        "fabric_length_m": round(usage["fabric_length_m"], 4),
        "picks": usage["picks"],
        "yarn_kg": {sku: round(kg, 4) for sku, kg in usage["yarn_kg"].items()},
    }
    found = [
        _wrong("spec", f"spec.json, {key.replace('_', ' ')}", str(said.get(key)), str(value))
        for key, value in meant.items()
        if said.get(key) != value
    ]
    threads = [said["repeat"]["ends"], said["repeat"]["picks"], said["repeat"]["layout"]]
    if threads != [draft["ends"], draft["picks"], manifest["repeat"]["layout"]]:
        found.append(_wrong("spec", "spec.json, repeat", str(threads), f"{draft['ends']} x {draft['picks']} threads"))
    return found


def _structure(package: zipfile.ZipFile, path: Path, names: Sequence[str]) -> list[Finding]:
    """The zip's own bytes: what stands before each part agrees with the list at the end, and nothing else is said."""
    found = []
    with path.open("rb") as raw:
        raw.seek(-_END.size, io.SEEK_END)
        end, start = raw.tell(), package.start_dir
        whole = _END.unpack(raw.read()) == (b"PK\x05\x06", 0, 0, len(names), len(names), end - start, start, 0)
        if not whole or not _is_listed(raw, start, end, names):
            found.append(_wrong("structure", "the package", "another list of parts", "a plain zip, nothing after it"))
        for entry in package.infolist():
            raw.seek(entry.header_offset)
            head = _LOCAL_HEADER.unpack(raw.read(_LOCAL_HEADER.size))
            if head != _local_header(entry) or _listed(entry) != _LISTED:
                found.append(_wrong("structure", entry.filename, "another header", "a plain entry of the zip"))
    return found


# Versions 2.0 by and for, Unix, no flags, one volume, no other attributes than -rw-r--r--, nothing more said.
_LISTED = (20, 20, 3, 0, 0, 0, 0, 0o644 << 16, b"", b"", (1980, 1, 1, 0, 0, 0))


def _is_listed(raw: BinaryIO, start: int, end: int, names: Sequence[str]) -> bool:
    """Whether the list from `start` to `end` has these names one after the other and nothing between."""
    for name in names:
        raw.seek(start + 28)
        if struct.unpack("<HHH", raw.read(6)) != (len(name), 0, 0):
            return False
        start += _LISTING + len(name)
    return start == end


def _listed(entry: zipfile.ZipInfo) -> tuple[object, ...]:
    """What the list at the end of the zip says of a part, besides its name, place and size."""
    made = entry.create_version, entry.extract_version, entry.create_system, entry.reserved
    marks = entry.flag_bits, entry.volume, entry.internal_attr, entry.external_attr
    return (*made, *marks, entry.extra, entry.comment, entry.date_time)


def _local_header(entry: zipfile.ZipInfo) -> tuple[object, ...]:
    """The header that stands before a part, as the list at the end says it."""
    sizes = entry.CRC, entry.compress_size, entry.file_size
    return (b"PK\x03\x04", 20, 0, entry.compress_type, *_MIDNIGHT_1980, *sizes, len(entry.filename), 0)


def _papers(package: zipfile.ZipFile, manifest: Manifest) -> list[Finding]:
    meant, found = manifest["draft"], []
    palette = [tuple(int(colour[k : k + 2], 16) for k in (1, 3, 5)) for colour in manifest["palette"]]
    readers: dict[str, Callable[[bytes], tuple[_Plane, _Palette]]] = {
        "pointpaper.png": _png,
        "pointpaper.bmp": _bmp,
        "pointpaper.tif": _tiff,
    }
    for name, read in readers.items():
        plane, colours = read(package.read(name))
        found += _plane(name, plane, (meant["picks"], meant["ends"]), meant["paper_sha256"])
        if colours[: len(palette)] != palette:
            found.append(_wrong("palette", name, f"{colours[: len(palette)]}", f"{palette}"))
    return found


def _lifts(package: zipfile.ZipFile, manifest: Manifest) -> list[Finding]:
    meant, found = manifest["draft"], []
    size = meant["picks"], meant["ends"]
    digests: list[str] = meant["lifts_sha256"]
    limits = meant["float_limits"]
    for name, digest in zip(_plan_names(len(digests)), digests, strict=True):
        lift = _tiff_lift(package.read(f"{name}.tif"))
        found += _plane(f"{name}.tif", lift, size, digest)
        found += _plane(f"{name}.bmp", _bmp_lift(package.read(f"{name}.bmp")), size, digest)
        for along, axis in (("weft", 1), ("warp", 0)):
            longest = _longest_run(lift, axis, limits[along])
            if longest > limits[along]:
                found.append(_wrong("floats", f"{name}.tif", f"{longest} threads", f"{limits[along]} threads"))
    if len(digests) > 1:
        size = meant["picks"] * len(digests), meant["ends"]
        for name, read in (("lift.tif", _tiff_lift), ("lift.bmp", _bmp_lift)):
            lift = read(package.read(name))
            for nth, digest in enumerate(digests):
                found += _plane(f"{name}, weft {nth + 1}", lift[nth :: len(digests)], size, digest, whole=lift.shape)
    return found


def _weaves(package: zipfile.ZipFile, manifest: Manifest) -> list[Finding]:
    """Every weave is woven where its colour is, but for the binding points that were added; its WIF says the same."""
    meant, found = manifest["draft"], []
    said = json.loads(package.read("weaves.json"))
    if [(each["index"], each["weave"], each["colour"]) for each in said] != [
        (index, weave, colour)
        for index, (weave, colour) in enumerate(zip(meant["weaves"], manifest["palette"], strict=True))
    ]:
        found.append(_wrong("weaves", "weaves.json", f"{len(said)} weaves", "the weave of each colour"))
    paper, _ = _tiff(package.read("pointpaper.tif"))
    names = _plan_names(len(meant["lifts_sha256"]))
    other = 0
    for nth, name in enumerate(names):
        lift = _tiff_lift(package.read(f"{name}.tif"))
        other += _other_crossings(paper, lift, [np.array(each["layers"][nth]["lift"], np.uint8) for each in said])
    if other != meant["repaired"]:
        found.append(_wrong("weaves", "lift.tif", f"{other} crossings unlike the weaves", f"{meant['repaired']}"))
    drawn = {each["weave"]: [np.array(layer["lift"], np.uint8) for layer in each["layers"]] for each in said}
    for name in package.namelist():
        if not name.startswith("wif/"):
            continue
        lift = _wif(package.read(name).decode())
        weave = name.removeprefix("wif/").removesuffix(".wif")
        plan = _tiff_lift(package.read("lift.tif")) if weave == "design" else _in_turns(drawn[weave])
        if not np.array_equal(lift, plan):
            found.append(_wrong("wif", name, "another draft", "the draft of the lift plan"))
    return found


def _tables(package: zipfile.ZipFile, manifest: Manifest) -> list[Finding]:
    meant, found = manifest["draft"], []
    wefts = _rows(package, "wefts.csv")
    picks = meant["picks"] * len(meant["lifts_sha256"])
    if [row["pick"] for row in wefts] != [str(pick) for pick in range(1, picks + 1)]:
        found.append(_wrong("tables", "wefts.csv", f"{len(wefts)} picks", f"{picks} picks"))
    hooks = [row for row in _rows(package, "castout.csv") if row["function"] == "figure"]
    columns = [(index % meant["ends"]) + 1 for index in range(meant["harness_ends"])]
    if [int(row["point_paper_column"]) for row in hooks] != columns:
        found.append(_wrong("tables", "castout.csv", f"{len(hooks)} ends", f"{meant['harness_ends']} ends"))
    ends = sum(int(row["ends"]) for row in _rows(package, "warp.csv"))
    if ends != meant["total_ends"]:
        found.append(_wrong("tables", "warp.csv", f"{ends} ends", f"{meant['total_ends']} ends"))
    if not package.read("spec.pdf").startswith(b"%PDF-"):
        found.append(_wrong("structure", "spec.pdf", "no PDF", "a PDF"))
    return found


def _plane(
    name: str, plane: _Plane, size: tuple[int, int], digest: str, *, whole: tuple[int, ...] | None = None
) -> list[Finding]:
    shape = tuple(whole or plane.shape)
    if shape != size:
        return [_wrong("size", name, f"{shape[1]} x {shape[0]}", f"{size[1]} ends x {size[0]} picks")]
    measured = hashlib.sha256(np.ascontiguousarray(plane).data).hexdigest()
    return [] if measured == digest else [_wrong("pixels", name, measured, digest)]


def _png(data: bytes) -> tuple[_Plane, _Palette]:
    """(indices, palette) of an indexed PNG of 8 bits without interlacing (ISO/IEC 15948)."""
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError("no PNG")
    chunks: dict[bytes, list[bytes]] = {}
    at = 8
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + length]
        if struct.unpack_from(">I", data, at + 8 + length)[0] != zlib.crc32(body, zlib.crc32(kind)):
            raise ValueError(f"the PNG's {kind!r} is damaged")
        chunks.setdefault(kind, []).append(body)
        at += 12 + length
    width, height, bits, colour, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[b"IHDR"][0])
    if (bits, colour, interlaced) != (8, 3, 0):
        raise ValueError("the PNG is not indexed with 8 bits")
    unpack = zlib.decompressobj()
    rows = bytearray(height * (width + 1))
    filled = 0
    for body in [*chunks[b"IDAT"], b""]:
        while body or not filled:
            part = unpack.decompress(body, _CHUNK)
            rows[filled : filled + len(part)] = part
            filled, body = filled + len(part), unpack.unconsumed_tail
            if not part and not body:
                break
    plane = np.frombuffer(rows, np.uint8).reshape(height, width + 1)
    if plane[:, 0].any():
        raise ValueError("the PNG's rows are filtered: an index has no neighbour that it is like")
    return plane[:, 1:], _triples(chunks[b"PLTE"][0], 3, (0, 1, 2))


def _bmp(data: bytes) -> tuple[_Plane, _Palette]:
    """(indices, palette) of a bitmap of 8 bits."""
    rows, bits, palette = _bitmap(data)
    if bits != 8:
        raise ValueError("the bitmap is not indexed with 8 bits")
    return rows, palette


def _bmp_lift(data: bytes) -> _Plane:
    """1 where a bitmap of one bit is black."""
    rows, bits, palette = _bitmap(data)
    if bits != 1 or sorted(palette[:2]) != [(0, 0, 0), (255, 255, 255)]:
        raise ValueError("the bitmap is not black and white")
    return rows ^ 1 if palette[0] == (0, 0, 0) else rows


def _bitmap(data: bytes) -> tuple[_Plane, int, _Palette]:
    """(values, bits, palette) of an uncompressed Windows bitmap, its lowest row first in the file."""
    magic, _, _, _, start = struct.unpack_from("<2sIHHI", data)
    head, width, height, _, bits, packed = struct.unpack_from("<IiiHHI", data, 14)
    if magic != b"BM" or packed != 0 or height <= 0:
        raise ValueError("no plain bitmap")
    stride = (width * bits + 31) // 32 * 4
    rows = np.frombuffer(data, np.uint8, height * stride, start).reshape(height, stride)[::-1]
    values = rows[:, :width] if bits == 8 else np.unpackbits(rows, axis=1)[:, :width]
    return values, bits, _triples(data[14 + head : start], 4, (2, 1, 0))


def _tiff(data: bytes) -> tuple[_Plane, _Palette]:
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages[0]
        if page.photometric.name != "PALETTE" or page.bitspersample != 8:
            raise ValueError("the TIFF is not indexed with 8 bits")
        colours = np.asarray(page.colormap) >> 8  # (3, 256) uint16
        return page.asarray(), [(int(red), int(green), int(blue)) for red, green, blue in colours.T]


def _tiff_lift(data: bytes) -> _Plane:
    """1 where a TIFF of one bit is black."""
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages[0]
        if page.bitspersample != 1 or page.compression != 4:
            raise ValueError("the TIFF has more than one bit, or is not of CCITT group 4")
        # PhotometricInterpretation 0, white is zero: 1 is black.
        black = page.photometric.name == "MINISWHITE"
        return (page.asarray() == black).view(np.uint8)


def _longest_run(lift: _Plane, axis: int, limit: int) -> int:
    """The longest run of equal crossings along `axis`, around the edge, or a little more than `limit` if it is over.

    All threads are walked at once, twice around: the second time begins with what the first has left.
    """
    rows = lift if axis == 0 else np.ascontiguousarray(lift.T)
    run = np.zeros(rows.shape[1], np.uint16)
    longest = 0
    before = rows[-1]
    for _ in range(2):
        for row in rows:
            run *= row == before
            run += 1
            before = row
            longest = max(longest, int(run.max()))
            if longest > limit + 64:
                return longest
    return longest


def _other_crossings(paper: _Plane, lift: _Plane, weaves: Sequence[_Plane]) -> int:
    """How many crossings are not as the weave of their colour has them, tiled from the first pick and end."""
    count = 0
    ends = np.arange(paper.shape[1])
    for pick, (colours, crossings) in enumerate(zip(paper, lift, strict=True)):
        rows = np.stack([weave[pick % len(weave)][ends % len(weave)] for weave in weaves])
        count += int(np.count_nonzero(rows[colours, ends] != crossings))
    return count


def _in_turns(lifts: Sequence[_Plane]) -> _Plane:
    """The plan of one or two wefts whose picks take turns, as large as both weaves divide."""
    size = int(np.lcm.reduce([len(lift) for lift in lifts]))
    out = np.zeros((size * len(lifts), size), np.uint8)
    for nth, lift in enumerate(lifts):
        for pick in range(size):
            out[pick * len(lifts) + nth] = np.tile(lift[pick % len(lift)], size // len(lift))
    return out


def _wif(content: str) -> _Plane:
    """The lift plan of a WIF file with a rising shed."""
    wif = configparser.RawConfigParser()
    wif.read_string(content)
    threading = [wif.getint("THREADING", str(end + 1)) for end in range(wif.getint("WARP", "Threads"))]
    lift = np.zeros((wif.getint("WEFT", "Threads"), wif.getint("WEAVING", "Shafts") + 1), np.uint8)
    for pick in range(len(lift)):
        lift[pick, [int(shaft) for shaft in wif.get("LIFTPLAN", str(pick + 1)).split(",")]] = 1
    return lift[:, threading]


def _plan_names(wefts: int) -> list[str]:
    return ["lift"] if wefts == 1 else [f"lift_w{nth}" for nth in range(1, wefts + 1)]


def _rows(package: zipfile.ZipFile, name: str) -> list[dict[str, Any]]:
    return list(csv.DictReader(io.StringIO(package.read(name).decode(), newline="")))


def _triples(data: bytes, size: int, order: tuple[int, int, int]) -> _Palette:
    return [tuple(data[at + k] for k in order) for at in range(0, len(data) - size + 1, size)]  # type: ignore[misc]


def _digest(package: zipfile.ZipFile, name: str) -> str:
    digest = hashlib.sha256()
    with package.open(name) as part:
        while chunk := part.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
