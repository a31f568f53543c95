"""Several orders on one roll: what is refused, and what a RIP prints of it."""

import json
import shutil
import subprocess
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pikepdf
import pytest
import tifffile
from django.core.management import call_command
from production_samples import INKS, job_for, print_spec, raster_for

from generation.domain.pattern import Layout, layout_tiling
from production.domain.sheet import Mark
from production.errors import FilesChanged, NoRollLongEnough, NoTile, PiecesDiffer
from production.formats.pdf.preflight import preflight
from production.rolls import make_roll, verify_roll
from production.separation import ink_tile
from production.services import write_files

ROLLS = {"R003": Decimal(60), "R004": Decimal(25)}
INK_NAMES = ("Cyan", "Magenta", "Yellow", "Black")


def order(folder, number, *, layout=Layout.STRAIGHT, formats=("tile",), job_changes=None, **line):
    """(manifest, job, tile) of a small order that was released into a folder of its own."""
    values = {"width_mm": 30, "height_mm": 22, "quantity_m": 0.05, "layout": layout, **line}
    spec = replace(print_spec(**values), width_mm=120.0, usable_width_mm=95.0)
    raster = raster_for(spec, colours=3 + number % 2)
    job = job_for(spec, raster, reference=f"WL-{number:06d}-1", order=f"WL-{number:06d}", **(job_changes or {}))
    written = write_files(raster, job=job, folder=folder / job.name, formats=formats)
    return written[-1].path, job, ink_tile(raster, spec.inks, job.assessment.separation)


def roll_of(orders, folder, rolls=ROLLS):
    paths = make_roll([path for path, *_ in orders], rolls=rolls, folder=folder, on_progress=lambda done, of: None)
    return paths[0], json.loads(paths[-1].read_text(encoding="utf-8"))


def test_a_rip_prints_every_piece_where_the_rolls_manifest_says(tmp_path):
    layouts = (Layout.HALF_DROP, Layout.MIRROR, Layout.THIRD_DROP)
    orders = [order(tmp_path, number, layout=layout) for number, layout in enumerate(layouts, 1)]
    path, said = roll_of(orders, tmp_path / "roll")
    assert preflight(path) == []
    if not shutil.which("gs"):
        pytest.skip("gs is not installed: what a RIP prints of a roll is left out")
    run = ["gs", "-q", "-dSAFER", "-dBATCH", "-dNOPAUSE", "-sDEVICE=tiffsep", "-r300", "-dPrintSpotCMYK"]
    subprocess.run([*run, f"-sOutputFile={tmp_path}/rip.tif", path], check=True, capture_output=True)
    printed = np.stack([255 - tifffile.imread(tmp_path / f"rip({name}).tif") for name in INK_NAMES], axis=-1)
    with pikepdf.open(path) as pdf:
        page = pdf.pages[0]
        head = round((page.MediaBox[3] - page.TrimBox[3]) / Decimal("0.24"))
    printed = printed[head : head + said["px"][1]]
    for piece, (_, job, tile) in zip(said["pieces"], orders, strict=True):
        sheet = job.sheet
        assert piece["to_mm"] - piece["from_mm"] == pytest.approx(sheet.mm(sheet.length_px), abs=0.01)
        meant = np.zeros((sheet.length_px, sheet.width_px, 4), np.uint8)
        columns, rows = -(-sheet.pattern_width_px // tile.width_px), -(-sheet.pattern_length_px // tile.height_px)
        pattern = layout_tiling(tile.planes, sheet.layout, columns, rows)
        meant[sheet.y_px : sheet.y_px + sheet.pattern_length_px, sheet.x_px : sheet.x_px + sheet.pattern_width_px] = (
            pattern[: sheet.pattern_length_px, : sheet.pattern_width_px]
        )
        for mark in sheet.marks:
            stamp(meant, mark)
        assert np.array_equal(printed[piece["from_px"] : piece["from_px"] + sheet.length_px], meant)
    ends = [(piece["from_px"], piece["from_px"] + piece["sheet"]["px"][1]) for piece in said["pieces"]]
    cuts = [mark for mark in said["marks"] if mark["kind"] == "cut"]
    assert len(cuts) == 2
    for cut, (_, above), (below, _) in zip(cuts, ends, ends[1:], strict=False):
        x, y, width, height = cut["px"]
        assert above < y < y + height < below
        assert (printed[y : y + height, x : x + width, 3] == 255).all()
        assert width == said["px"][0]


def stamp(cloth, mark: Mark):
    across = slice(mark.x_px, mark.x_px + mark.width_px)
    cloth[mark.y_px : mark.y_px + mark.height_px, across][mark.dots()] = mark.ink


def test_the_shortest_roll_that_is_long_enough_is_taken_and_the_bytes_are_the_same_again(tmp_path):
    orders = [order(tmp_path, 1), order(tmp_path, 2)]
    path, said = roll_of(orders, tmp_path / "a")
    again, _ = roll_of(orders, tmp_path / "b")
    assert said["roll"] == {"lot": "R004", "length_m": "25"}
    assert (path.name, path.read_bytes()) == (again.name, again.read_bytes())
    lengths = [piece["sheet"]["mm"][1] for piece in said["pieces"]]
    assert said["length_m"] == pytest.approx((sum(lengths) + 60) / 1000, abs=0.001)


def test_a_roll_that_is_too_short_is_refused_with_both_lengths(tmp_path):
    orders = [order(tmp_path, 1), order(tmp_path, 2)]
    printed = sum(job.sheet.length_px for _, job, _ in orders) * 25.4 / 300 / 1000 + 0.06
    usage = [job.assessment.usage for _, job, _ in orders]
    needed = printed + max(each.fabric_length_m - each.pattern_length_m for each in usage)  # threaded once for both
    assert printed < 1.8 < needed
    with pytest.raises(NoRollLongEnough) as refused:
        roll_of(orders, tmp_path / "roll", {"R009": Decimal("1.8")})
    assert refused.value.fields["measured"] == f"{needed:.3f} m"
    assert "R009 has 1.80 m" in refused.value.message
    assert not (tmp_path / "roll").exists()


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("fabric", {"sku": "FAB-OTHER"}),
        ("inks", {"inks": replace(INKS, code="RE-OTHER")}),
        ("width", {"width_mm_all": 130.0}),
    ],
)
def test_orders_of_another_fabric_ink_set_or_width_are_refused(field, changes, tmp_path):
    one = order(tmp_path, 1)
    wide = changes.pop("width_mm_all", 120.0)
    spec = replace(print_spec(width_mm=30, height_mm=22, quantity_m=0.05), usable_width_mm=95.0)
    spec = replace(spec, width_mm=wide, **changes)
    raster = raster_for(spec)
    job = job_for(spec, raster, reference="WL-000002-1")
    other = write_files(raster, job=job, folder=tmp_path / "other", formats=("tile",))[-1].path
    with pytest.raises(PiecesDiffer) as refused:
        roll_of([one, (other,)], tmp_path / "roll")
    assert refused.value.fields["field"] == field
    assert "WL-000002-1 r1" in refused.value.message


def test_a_tile_that_was_changed_and_a_folder_without_one_are_refused(tmp_path):
    changed, missing = order(tmp_path, 1), order(tmp_path, 2, formats=("pdfx",))
    tile = changed[0].parent / "WL-000001-1-r1.tif"
    data = bytearray(tile.read_bytes())
    data[len(data) // 2] ^= 1
    tile.write_bytes(data)
    with pytest.raises(FilesChanged):
        roll_of([changed], tmp_path / "roll")
    with pytest.raises(NoTile):
        roll_of([missing], tmp_path / "roll")
    assert not list((tmp_path / "roll").glob("*"))


@pytest.mark.parametrize("key", ["from_px", "separations", "marks"])
def test_a_roll_that_is_not_as_its_manifest_says_is_told(key, tmp_path):
    path, said = roll_of([order(tmp_path, 1), order(tmp_path, 2)], tmp_path / "roll")
    assert verify_roll(path, said) == []
    if key == "from_px":
        said["pieces"][1]["from_px"] += 1
    elif key == "separations":
        said["pieces"][1]["separations"] = said["pieces"][0]["separations"]
    else:
        said["marks"].pop()
    assert verify_roll(path, said)


def test_the_command_makes_a_roll_and_says_why_it_does_not(tmp_path, capsys):
    folders = [str(order(tmp_path, number)[0].parent) for number in (1, 2)]
    call_command("make_roll", *folders, "--roll", "R003=60", "--out", str(tmp_path / "roll"))
    told = capsys.readouterr().out.split()
    assert [line.rsplit("-", 1)[-1] for line in told][-1] == "roll.json"
    with pytest.raises(SystemExit) as refused:
        call_command("make_roll", *folders, "--roll", "R003=0.2", "--out", str(tmp_path / "short"))
    assert refused.value.code == 3
    assert "R003 has 0.20 m" in capsys.readouterr().err
    with pytest.raises(SystemExit) as nothing:
        call_command("make_roll", str(tmp_path / "roll"), "--roll", "R003=60", "--out", str(tmp_path / "none"))
    assert nothing.value.code == 2
