"""manage.py make_files and verify_files: any picture becomes files for a printer or a loom, or is refused by name."""

import io
import json

import numpy as np
import pytest
from django.core.management import call_command
from PIL import Image
from production_samples import NORDIC, flipped, petals

from generation.domain.pattern import Layout, Palette
from production import services as production

pytestmark = pytest.mark.django_db

PRINTED = {"machine": "PRT1", "substrate": "FAB-COT-SAT", "repeat_mm": "64x64", "layout": "half_drop"}


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    path = tmp_path_factory.mktemp("pictures") / "rose.png"
    indices = petals(800, 800, colours=4, layout=Layout.HALF_DROP)
    Image.fromarray(Palette(NORDIC[:4]).rgb()[indices]).save(path)
    return path


def command(name, *args, **options):
    """(status, what it said as JSON, the sentences it complained with)."""
    out, err, status = io.StringIO(), io.StringIO(), 0
    try:
        call_command(name, *args, **options, stdout=out, stderr=err)
    except SystemExit as end:
        status = end.code or 0
    text = out.getvalue()
    return status, json.loads(text) if options.get("json") else text, err.getvalue()


def made(picture, out, **options):
    return command(
        "make_files", str(picture), out=str(out), **{**PRINTED, "length_mm": "2000", "json": True, **options}
    )


def test_a_picture_becomes_the_files_that_were_asked_for_and_they_read_back(mill, picture, tmp_path):
    asked = "tile,inks,spot,pdfx,bigtiff,xjdf,ergosoft,printfactory,durst,ticket,costing,quotation,strikeoff,gamut"
    status, said, _ = made(picture, tmp_path, formats=asked, spots="Ecru,Night,Mist,Straw")
    assert status == 0, said
    assert {file["format"] for file in said["files"]} == {*asked.split(","), "manifest"}
    assert sorted(file["name"] for file in said["files"]) == sorted(path.name for path in tmp_path.iterdir())
    assert command("verify_files", tmp_path)[0] == 0


def test_six_inks_are_asked_for_by_their_ink_set(mill, picture, tmp_path):
    status, said, _ = made(picture, tmp_path, inks="RE-CMYKOV", formats="tile,xjdf")
    assert status == 0, said
    manifest = json.loads((tmp_path / "rose-r1-manifest.json").read_text())
    assert [ink["channel"] for ink in manifest["separations"]] == list("CMYKOV")


def test_a_loom_gets_its_package(mill, picture, tmp_path):
    asked = {"machine": "LOM1", "weave_spec": "LOM1", "substrate": None, "repeat_mm": "210x200", "formats": "loom"}
    status, said, _ = made(picture, tmp_path, **asked)
    assert status == 0, said
    assert [file["format"] for file in said["files"]] == ["loom", "manifest"]
    assert command("verify_files", tmp_path)[0] == 0


def test_the_same_time_of_release_gives_the_same_bytes(mill, picture, tmp_path):
    asked = {"formats": "tile,ticket,costing", "at": "2026-11-22T14:30+01:00"}
    first, again = (made(picture, tmp_path / name, **asked)[1]["files"] for name in ("a", "b"))
    assert [file["sha256"] for file in first] == [file["sha256"] for file in again]


def test_colours_can_be_given_their_spot_channels_by_name(mill, picture, tmp_path):
    names = dict(zip(NORDIC[:4], ("Ecru", "Night", "Mist", "Straw"), strict=True))
    status, said, _ = made(picture, tmp_path, formats="spot", spots=",".join(f"{c}={n}" for c, n in names.items()))
    assert status == 0, said
    manifest = json.loads((tmp_path / "rose-r1-manifest.json").read_text())
    named = [channel["name"] for channel in manifest["spots"]["channels"]]
    assert named == [names[colour] for colour in manifest["palette"]]


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"formats": "tile,jacquard"}, "unknown_format", "formats"),
        ({"formats": "loom"}, "format_not_for_job", "formats"),
        ({"formats": "xjdf"}, "ticket_needs_file", "formats"),
        ({"formats": "tile,ticket,durst"}, "ticket_needs_file", "formats"),
        ({"formats": "pdfx,printfactory"}, "ticket_needs_file", "formats"),
        ({"formats": "spot", "spots": "Ecru,Night"}, "spot_names_do_not_fit", "spots"),
        ({"formats": "spot", "spots": "#123456=Ecru"}, "invalid_order", "spots"),
        ({"machine": "PRT9"}, "unknown_machine", "machine"),
        ({"machine": "PRT3"}, "machine_not_suitable", "machine"),
        ({"inks": "RE-CMYKOG"}, "unknown_ink_set", "inks"),
        ({"substrate": "FAB-NONE"}, "unknown_fabric", "substrate"),
        ({"repeat_mm": "1600x1600"}, "repeat_too_wide", "repeat_mm"),
        ({"repeat_mm": "64"}, "invalid_order", "repeat_mm"),
        ({"layout": "herringbone"}, "invalid_order", "layout"),
        ({"length_mm": "nan"}, "quantity_out_of_range", "length_mm"),
        ({"length_mm": "0"}, "quantity_out_of_range", "length_mm"),
        ({"length_mm": "400000"}, "not_yet_in_stock", "length_mm"),
        ({"at": "noon"}, "invalid_order", "at"),
        ({"revision": "0"}, "invalid_order", "revision"),
        ({"reference": " "}, "invalid_order", "reference"),
        ({"reference": "rose\udce9"}, "invalid_order", "reference"),
        ({"reference": "x" * 65}, "invalid_order", "reference"),
        ({"customer": "two\nlines"}, "invalid_order", "customer"),
        ({"at": "9999-12-31T23:59"}, "invalid_order", "at"),
        ({"substrate": None}, "not_one_cloth", "substrate"),
        ({"formats": "tile,durst"}, "ticket_needs_file", "formats"),  # known only once the tile is written
    ],
)
def test_what_can_t_be_made_is_refused_by_the_option_s_name_and_leaves_no_file(
    mill, picture, tmp_path, changes, code, field
):
    status, said, _ = made(picture, tmp_path / "out", **changes)
    assert status == 2
    assert (said["code"], said["fields"]["field"]) == (code, field)
    assert said["message"].endswith(".")
    assert not list((tmp_path / "out").glob("*")) if (tmp_path / "out").exists() else True


def test_a_layout_that_a_ticket_can_t_say_is_refused_before_anything_is_written(mill, tmp_path):
    alone = np.full((800, 800, 3), 240, np.uint8)
    alone[200:600, 250:550] = (30, 60, 120)  # far from the edges: it closes in every layout
    Image.fromarray(alone).save(tmp_path / "alone.png")
    asked = {"layout": "third_drop", "formats": "tile,bigtiff,ergosoft"}
    status, said, _ = made(tmp_path / "alone.png", tmp_path / "out", **asked)
    assert (status, said["code"], said["fields"]["field"]) == (2, "layout_not_in_ticket", "layout")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_design_that_does_not_close_is_refused_with_its_findings(mill, tmp_path):
    ramp = np.tile(np.linspace(0, 255, 800).astype(np.uint8)[None, :, None], (800, 1, 3))
    Image.fromarray(ramp).save(tmp_path / "ramp.png")
    status, _, complaint = made(tmp_path / "ramp.png", tmp_path / "out", layout="straight", json=False)
    assert status == 2
    assert "side to side" in complaint
    assert list((tmp_path / "out").iterdir()) == []


def test_a_picture_whose_file_has_an_ill_name_is_made_all_the_same(mill, picture, tmp_path):
    ill = tmp_path / "ros\udce9 \u6f22.png"  # a name in Latin-1 bytes, as an old archive unpacks it
    ill.write_bytes(picture.read_bytes())
    everything = "tile,pdfx,xjdf,ergosoft,durst,ticket,costing,quotation,strikeoff"
    status, said, _ = made(ill, tmp_path / "out", formats=everything)
    assert status == 0, said
    assert said["reference"] == "ros- \u6f22"
    assert command("verify_files", tmp_path / "out")[0] == 0


def test_two_pictures_in_one_folder_never_share_a_name(mill, picture, tmp_path):
    names = set()
    for stem in ("\u6f22\u5b57", "\u65e5\u672c", "rose v2", "rose-v2"):
        other = tmp_path / f"{stem}.png"
        other.write_bytes(picture.read_bytes())
        status, said, _ = made(other, tmp_path / "out", formats="tile")
        assert status == 0, said
        names |= {file["name"] for file in said["files"]}
    assert len(names) == 8
    assert all(name[0].isalnum() and len(name) <= 64 for name in names)


def test_no_picture_is_said_so(mill, tmp_path):
    status, said, _ = made(tmp_path / "none.png", tmp_path)
    assert (status, said["fields"]["field"]) == (2, "image")


def test_a_changed_file_and_a_lost_file_are_named_and_the_status_tells(mill, picture, tmp_path):
    made(picture, tmp_path, formats="tile,ticket,costing")
    tile = tmp_path / "rose-r1.tif"
    flipped(tile, tile.stat().st_size // 2).replace(tile)
    (tmp_path / "rose-r1-costing.pdf").unlink()
    status, said, _ = command("verify_files", tmp_path, json=True)
    assert status == 3
    assert [finding["where"] for finding in said["rose-r1-manifest.json"]] == ["rose-r1.tif", "rose-r1-costing.pdf"]


def test_a_folder_without_a_manifest_has_nothing_to_verify(tmp_path):
    assert command("verify_files", tmp_path)[0] == 2


def test_half_a_manifest_is_said_so(mill, picture, tmp_path):
    made(picture, tmp_path, formats="tile")
    manifest = tmp_path / "rose-r1-manifest.json"
    manifest.write_bytes(manifest.read_bytes()[:500])
    status, _, complaint = command("verify_files", tmp_path)
    assert status == 3
    assert "damaged" in complaint


DAMAGED = {
    "nothing": b"",
    "no manifest": b"{}",
    "a list": b"[]",
    "null": b"null",
    "other letters": b"\xff\xfe",
    "without files": b'{"format": "weftline-job/1", "files": []}',
    "without end": b"[" * 100_000,
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_whoever_goes_by_a_manifest_refuses_a_damaged_one(mill, content, tmp_path):
    (tmp_path / "rose-r1-manifest.json").write_bytes(content)
    for asked in (
        ("verify_files", tmp_path),
        ("deliver_files", str(tmp_path), "--to", str(tmp_path)),
        ("make_roll", str(tmp_path), "--roll", "R1=60", "--out", str(tmp_path / "out")),
    ):
        status, _, complaint = command(*asked)
        assert status == 3, asked
        assert "damaged" in complaint
    assert [path.name for path in tmp_path.iterdir()] == ["rose-r1-manifest.json"]


def test_a_roll_that_has_nowhere_to_go_is_refused(mill, picture, tmp_path):
    made(picture, tmp_path, formats="tile")
    (tmp_path / "taken").touch()
    status, _, complaint = command("make_roll", str(tmp_path), "--roll", "R1=60", "--out", str(tmp_path / "taken"))
    assert status == 3
    assert "Choose another folder" in complaint


def test_every_kind_of_file_has_a_name_that_people_use():
    assert all(production.title_of(code) != code for code in [*production.format_codes(), "manifest"])


def test_a_figure_changed_in_the_manifest_is_told(mill, picture, tmp_path):
    made(picture, tmp_path, formats="tile")
    manifest = tmp_path / "rose-r1-manifest.json"
    said = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text(json.dumps(said), encoding="utf-8")  # set otherwise, it says the same
    assert command("verify_files", tmp_path)[0] == 0
    said["ink"][0]["ml"] += 1
    manifest.write_text(json.dumps(said), encoding="utf-8")
    assert command("verify_files", tmp_path)[0] == 3
