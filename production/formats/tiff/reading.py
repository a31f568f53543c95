"""What every TIFF of a job is held against when it is read back: through tifffile, by the manifest alone."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from generation.domain.pattern import MM_PER_INCH
from production.domain.finding import Finding, misread
from production.domain.ink_tile import digest_of
from production.ports import Manifest

SIZE_TOLERANCE_MM = 0.1
RESOURCES = 34377
LAB_TOLERANCE = 0.011  # Photoshop keeps hundredths
# Tags by which a reader would print something else, and the value that says nothing new: Orientation and FillOrder;
# none is good in SubfileType, the grey and transfer curves, InkNames, NumberOfInks and DotRange.
_TURNING = {274: 1, 266: 1, 255: None, 290: None, 291: None, 301: None, 333: None, 334: None, 336: None}

Fact = tuple[str, str, object, object]  # (code, where, measured, meant)
Channel = tuple[str, tuple[float, ...]]  # (name, L*a*b*)


def read_with(path: Path, look: Callable[[tifffile.TiffFile], Iterable[Finding]]) -> list[Finding]:
    """What `look` finds in the file; one finding where it can't be read as a whole."""
    try:
        with tifffile.TiffFile(path) as file:
            return list(look(file))
    except Exception as error:  # a damaged file can make a decoder raise anything
        return [misread("readable", "the file", f"{type(error).__name__}: {error}"[:200], "a whole TIFF")]


def structure(
    file: tifffile.TiffFile,
    *,
    size_px: Sequence[int],
    samples: int,
    photometric: str,
    compression: str,
    dpi: float,
    big: bool = False,
    profile_sha256: str = "",
) -> Iterator[Finding]:
    """One page, 8 bits, interleaved, in strips, of this size, kind, resolution and profile; else what is not so."""
    page = file.pages[0]
    tags = values_of(page)
    profile = tags.get(34675, b"")
    facts: list[Fact] = [
        ("structure", "pages", len(file.pages), 1),
        ("structure", "BigTIFF", file.is_bigtiff, big),
        ("structure", "byte order", file.byteorder, "<"),
        ("structure", "colour", _named(page.photometric), photometric),
        ("structure", "planes", page.samplesperpixel, samples),
        ("structure", "bits", page.bitspersample, 8),
        ("structure", "compression", _named(page.compression), compression),
        ("structure", "strips", page.is_tiled, False),
        ("structure", "interleaving", int(page.planarconfig), 1),
        ("structure", "kind of picture", int(tags.get(254, 0)), 0),
        (
            "tags",
            "tags that change the picture",
            [tag for tag, good in _TURNING.items() if tags.get(tag, good) != good],
            [],
        ),
        ("size", "width in pixels", page.imagewidth, size_px[0]),
        ("size", "height in pixels", page.imagelength, size_px[1]),
        ("profile", "profile sha256", hashlib.sha256(profile).hexdigest() if profile else "", profile_sha256),
        ("resolution", "resolution unit", int(tags.get(296, 0)), 2),
    ]
    if photometric == "SEPARATED":
        facts.append(("structure", "ink set", int(tags.get(332, 1)), 1))
    yield from differences(facts)
    for name, tag, pixels in (("XResolution", 282, size_px[0]), ("YResolution", 283, size_px[1])):
        numerator, denominator = tags.get(tag, (0, 1))
        measured_mm = pixels * MM_PER_INCH * denominator / numerator if numerator else 0.0
        meant_mm = pixels * MM_PER_INCH / dpi
        if abs(measured_mm - meant_mm) > SIZE_TOLERANCE_MM:
            yield misread("size", name, f"{measured_mm:.3f} mm", f"{meant_mm:.3f} ± {SIZE_TOLERANCE_MM} mm")


def _named(value: int) -> str:
    """The name of a tag's value, or the number where it has none."""
    return str(getattr(value, "name", value))


def differences(facts: Iterable[Fact]) -> Iterator[Finding]:
    """A finding for each fact that is not as meant."""
    for code, where, measured, meant in facts:
        if measured != meant:
            yield misread(code, where, measured, meant)


def extra_channels(page: tifffile.TiffPage, meant: Sequence[Channel]) -> Iterator[Finding]:
    """The samples after the fourth are spot channels of these names and colours, none of them alpha."""
    tags = values_of(page)
    kinds = tuple(int(kind) for kind in np.atleast_1d(tags.get(338, ())))
    yield from differences([("structure", "kinds of the extra channels", kinds, (0,) * len(meant))])
    found = _channels(bytes(tags.get(RESOURCES, b"")))
    for how, names in found["names"].items():
        yield from differences(
            [("channels", f"names of the extra channels, {how}", names, [name for name, _ in meant])]
        )
    yield from differences([("channels", "kinds in the colours' list", found["kinds"], [2] * len(meant))])
    for (name, lab), shown in zip(meant, found["lab"], strict=False):
        if max(abs(one - other) for one, other in zip(lab, shown, strict=True)) > LAB_TOLERANCE:
            yield misread("channels", f"colour of {name}", shown, tuple(lab))


def separated_structure(
    file: tifffile.TiffFile, manifest: Manifest, *, size_px: Sequence[int], compression: str, big: bool = False
) -> Iterator[Finding]:
    """What is not as it is meant in the head of a TIFF in the job's inks."""
    inks = manifest["separations"]
    spots = [(ink["ink"], tuple(ink["lab"])) for ink in inks[4:]]
    yield from structure(
        file,
        size_px=size_px,
        samples=len(inks),
        photometric="SEPARATED",
        compression=compression,
        dpi=manifest["repeat"]["dpi"],
        big=big,
        profile_sha256="" if spots else manifest["profile"]["sha256"],
    )
    if spots:
        yield from extra_channels(file.pages[0], spots)


def planes_match(planes: NDArray[np.uint8], manifest: Manifest) -> Iterator[Finding]:
    """Every plane of one repeat is the one that was meant."""
    for k, meant in enumerate(manifest["separations"]):
        measured = digest_of(planes[..., k])
        if measured != meant["sha256"]:
            yield misread("pixels", f"ink {meant['ink']}", measured, meant["sha256"])


def values_of(page: tifffile.TiffPage) -> Mapping[int, Any]:
    """The page's tags by number."""
    return {tag.code: tag.value for tag in page.tags}


def _channels(resources: bytes) -> dict[str, Any]:
    """What Photoshop's image resources say of the extra channels: names two ways, kinds, L*a*b*."""
    blocks: dict[int, bytes] = {}
    at = 0
    while at + 12 <= len(resources) and resources[at : at + 4] == b"8BIM":
        (number,) = struct.unpack_from(">H", resources, at + 4)
        at += 6 + (resources[at + 6] // 2 + 1) * 2  # over the resource's own name
        (size,) = struct.unpack_from(">I", resources, at)
        blocks[number] = resources[at + 4 : at + 4 + size]
        at += 4 + size + size % 2
    short, wide, display = (blocks.get(number, b"") for number in (1006, 1045, 1077))
    names: dict[str, list[str]] = {"Pascal": [], "Unicode": []}
    while short:
        names["Pascal"].append(short[1 : 1 + short[0]].decode("mac_roman"))
        short = short[1 + short[0] :]
    while wide:
        stop = 4 + 2 * int.from_bytes(wide[:4], "big")
        names["Unicode"].append(wide[4:stop].decode("utf-16-be").rstrip("\0"))
        wide = wide[stop:]
    entries = list(struct.iter_unpack(">HhhhhHB", display[4:]))
    return {
        "names": names,
        "kinds": [entry[6] for entry in entries],
        "lab": [tuple(value / 100 for value in entry[1:4]) for entry in entries],
    }
