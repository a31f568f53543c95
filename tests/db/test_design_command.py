"""manage.py design: designs in a folder, an account of how they were made, and a sentence for what can't be drawn."""

import hashlib
import io
import json

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from generation.domain.pattern import Layout
from generation.images import read_master
from generation.models import Artwork
from orders.models import Order
from tests.quick_generator import COLOURS

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quick(settings):
    quick = {**settings.WEFTLINE["generators"], "quick": "tests.quick_generator.QuickGenerator"}
    settings.WEFTLINE = {**settings.WEFTLINE, "generators": quick}


@pytest.fixture
def out(tmp_path):
    return tmp_path / "designs"


def design(out, *words, backend="quick"):
    """Run the command; returns (status, what it said, what it complained of)."""
    said, complained, status = io.StringIO(), io.StringIO(), 0
    try:
        call_command("design", "--out", str(out), "--backend", backend, *words, stdout=said, stderr=complained)
    except SystemExit as end:
        status = end.code
    return status, said.getvalue(), complained.getvalue()


def small(out, *words, n=1):
    return design(out, "checks", "--repeat-mm", "60x60", "--layout", "straight", "-n", str(n), *words)


def account(out):
    return json.loads((out / "design.json").read_text())


def test_each_seed_gives_a_tile_a_cloth_and_a_master_and_an_account_of_them(out):
    status, said, _ = small(out, "--seed", "7", n=2)
    assert status == 0
    told = account(out)
    assert [each["seed"] for each in told["designs"]] == [7, 8]
    assert (told["words"], told["layout"], told["backend"], len(told["fingerprint"])) == (
        "checks",
        "straight",
        "quick",
        64,
    )
    for each in told["designs"]:
        assert each["passed"]
        assert each["origin"] == "checks"
        assert {finding["code"] for finding in each["findings"]} == {"colours", "drawn", "seam", "smallest_detail"}
        assert set(each["timings_s"]) == {"drawn", "checked", "written"}
        for file in each["files"].values():
            assert hashlib.sha256((out / file["name"]).read_bytes()).hexdigest() == file["sha256"]
    with Image.open(out / "7-master.png") as master:
        assert master.mode == "P"
        assert master.size == tuple(told["pixels"])
        assert master.info["dpi"] == pytest.approx((300, 300), rel=0.01)
    assert "Note: Checks were drawn." in said
    assert "can be made" in said
    assert not Artwork.objects.exists()
    assert not Order.objects.exists()
    assert sorted(path.name for path in out.iterdir()) == sorted(
        ["design.json", *(f"{seed}-{kind}.png" for seed in (7, 8) for kind in ("tile", "3x3", "master"))]
    )


def test_the_separations_are_an_svg_with_a_path_for_each_colour(out):
    small(out, "--svg")
    (told,) = account(out)["designs"]
    svg = (out / told["files"]["separations"]["name"]).read_text()
    assert svg.count("<path") == len(told["palette"])
    assert all(colour in svg for colour in told["palette"])


def test_an_upload_is_one_picture(out, tmp_path):
    Image.fromarray(np.repeat(np.arange(64, dtype=np.uint8) // 32 * 200, 64).reshape(64, 64)).save(tmp_path / "own.png")
    words = ("--reference", str(tmp_path / "own.png"), "--repeat-mm", "20x20", "--layout", "straight")
    status, _, complained = design(out, *words, backend="upload")
    assert status in {0, 3} or "seam" in complained, complained
    status, _, complained = design(out, *words, "-n", "3", backend="upload")
    assert (status, complained.partition(":")[0]) == (2, "n")


def test_the_same_wish_gives_the_same_files(out, tmp_path):
    small(out), small(tmp_path / "again")
    for name in ("1-master.png", "1-3x3.png"):
        assert (out / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_a_cloth_s_own_checks_are_made_and_its_size_is_drawn(out, mill):
    status, said, _ = small(out, "--substrate", "FAB-COT-SAT", "--machine", "PRT1", "--json")
    told = json.loads(said)
    assert status == 0
    assert (told["cloth"], told["machines"]) == ("FAB-COT-SAT", ["PRT1", "PRT2"])
    assert {"ink_limit", "seam_ink", "usable_width"} <= {finding["code"] for finding in told["designs"][0]["findings"]}
    assert told["pixels"][0] > 60 / 25.4 * 300, "what shrinks is printed larger"


def test_a_loom_s_own_name_is_enough(out, mill):
    status, _, complained = small(out, "--machine", "LOM1", "--palette", "nordic")
    assert status == 0, complained
    assert account(out)["limits"]["max_colours"] == 5


def test_when_none_can_be_made_the_status_is_3_and_the_files_are_there_all_the_same(out, mill):
    from production.models import InkSet

    InkSet.objects.update(tac_pct=1)
    status, said, _ = small(out, "--substrate", "FAB-COT-SAT")
    assert status == 3
    assert "error:" in said
    assert (out / "1-master.png").exists()


def test_an_earlier_master_is_gone_on_from_with_its_size_layout_and_colours(out, tmp_path):
    small(out, "--palette", ",".join(COLOURS), n=2)
    status, _, complained = design(
        tmp_path / "like", "--like", str(out / "1-master.png"), "--strength", "0.25", "-n", "1", "--seed", "9"
    )
    assert status != 2, complained
    told = account(tmp_path / "like")
    assert told["designs"][0]["origin"] == "checks over a drawing, strength 0.25"
    assert told["designs"][0]["palette"] == list(COLOURS)
    assert told["layout"] == "straight"
    assert told["repeat_mm"] == pytest.approx([60, 60], rel=0.01)
    sha256 = hashlib.sha256((out / "1-master.png").read_bytes()).hexdigest()
    assert told["pictures"] == {"like": sha256}
    masters = [str(out / f"{seed}-master.png") for seed in (1, 2)]
    design(tmp_path / "between", "--like", masters[0], "--and", masters[1], "--share", "0.75", "-n", "1")
    assert account(tmp_path / "between")["designs"][0]["origin"] == "between two, at 0.75"
    design(tmp_path / "anew", "--like", masters[0], "--redraw", "2", "-n", "1", "--seed", "5")
    before = read_master((out / "1-master.png").read_bytes())
    after = read_master((tmp_path / "anew" / "5-master.png").read_bytes())
    assert after.repeat.layout is Layout.STRAIGHT
    kept = before.indices != 2
    assert (before.palette.rgb()[before.indices][kept] == after.palette.rgb()[after.indices][kept]).all()


def test_a_picture_without_roles_is_gone_on_from_with_a_note(out, tmp_path):
    bare = Image.fromarray(np.repeat(np.arange(64, dtype=np.uint8) // 32, 64).reshape(64, 64), "P")
    bare.putpalette([255, 255, 255, 20, 40, 60])
    bare.save(tmp_path / "bare.png")
    status, said, _ = design(out, "--like", str(tmp_path / "bare.png"), "--repeat-mm", "20x20", "-n", "1")
    assert status != 2
    assert "does not say what each colour is for" in said


@pytest.mark.parametrize(
    ("words", "field", "said"),
    [
        ([""], "words", "few words"),
        (["x" * 10_000], "words", "500 are read at most"),
        (["roses", "--palette", "#ff0000"], "palette", "two colours at least"),
        (["roses", "--palette", ",".join(f"#0000{n}" for n in range(10, 50))], "palette", "8 are the most"),
        (["roses", "--palette", "#ff0000,#ff0000,#ffffff"], "palette", "Two of the colours are the same"),
        (["roses", "--palette", "#ff0000,,"], "palette", "not a colour"),
        (["roses", "--palette", "no such"], "palette", "Choose one of"),
        (["roses", "--colours", "1"], "colours", "2 to 8"),
        (["roses", "--colours", "40"], "colours", "2 to 8"),
        (["roses", "--repeat-mm", "0x5"], "repeat_mm", "0x5"),
        (["roses", "--repeat-mm", "99999x1"], "repeat_mm", "between 16 and"),
        (["roses", "--repeat-mm", "9999x9999"], "repeat_mm", "too large"),
        (["roses", "--repeat-mm", "nanxnan"], "repeat_mm", "can't be made"),
        (["roses", "--repeat-mm", "big"], "repeat_mm", "width x height"),
        (["roses", "--layout", "diagonal"], "layout", "half_drop"),
        (["roses", "--backend", "midjourney"], "backend", "the settings have"),
        (["roses", "--backend", "upload"], "reference", "--reference"),
        (["roses", "--reference", "/no/such/picture.png"], "reference", "can't be read"),
        (["roses", "--reference", __file__], "reference", "can't be read"),
        (["roses", "--like", __file__], "like", "indexed PNG"),
        (["roses", "--and", __file__], "like", "indexed PNG"),
        (["roses", "--redraw", "1"], "redraw", "exactly one"),
        (["roses", "--redraw", "one"], "redraw", "whole number"),
        (["roses", "--strength", "0.5"], "strength", "--like"),
        (["roses", "--share", "0.5"], "share", "--and"),
        (["roses", "--scale", "9"], "scale", "between 0.5 and 2"),
        (["roses", "--density", "nan"], "density", "between 0.5 and 2"),
        (["roses", "--scale", "big"], "scale", "no number"),
        (["roses", "-n", "0"], "n", "Between 1 and 64"),
        (["roses", "-n", "1000"], "n", "Between 1 and 64"),
        (["roses", "--seed", "-1"], "seed", "between 0 and 4294967295"),
        (["roses", "--seed", "9" * 500], "seed", "500 digits"),
        (["roses", "--substrate", "NOPE"], "substrate", "Choose one of"),
        (["roses", "--machine", "NOPE"], "substrate", "FAB-COT-SAT"),
        (["roses", "--machine", "PRT3", "--substrate", "FAB-COT-SAT"], "machine", "PRT1, PRT2"),
        (["roses", "--shop", "demo"], "shop", "--substrate"),
    ],
)
def test_what_can_t_be_drawn_is_said_in_a_sentence_with_status_2_before_anything_is_drawn(
    out, mill, words, field, said
):
    if words[1:2] == ["--and"]:
        words = [*words[:1], "--like", __file__, *words[1:]]
    status, told, complained = design(out, *words, "--json")
    assert status == 2, told
    body = json.loads(told, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert body["fields"]["field"] == field
    assert said in body["message"]
    assert body["code"]
    assert not out.exists()
    status, told, complained = design(out, *words)
    assert (status, told) == (2, "")
    assert complained.startswith(f"{field}: ")


def test_a_folder_that_can_t_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("here already")
    for name in (tmp_path / "file", tmp_path / "file" / "below", "/proc/here", "a\0b"):
        status, told, complained = small(name)
        assert (status, told) == (2, "")
        assert complained.startswith("out: Nothing can be written to ")
    assert (tmp_path / "file").read_text() == "here already"


def test_no_folder_is_not_this_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, _, complained = design("", "roses", "-n", "1")
    assert status == 2
    assert complained.startswith("out: Say where")
    assert not list(tmp_path.iterdir())


def test_without_a_catalogue_the_cloth_s_name_is_refused_with_what_to_do(out):
    with pytest.raises(CommandError, match="There is no shop yet"):
        small(out, "--substrate", "FAB-COT-SAT")


@pytest.mark.parametrize(
    "words",
    ["🌹🌻", "红色的玫瑰花", "ورود حمراء", "красные розы", "stripes without stripes, no lines, plain and busy"],
    ids=["emoji", "Chinese", "Arabic", "Cyrillic", "contradictory"],
)
def test_words_that_are_hard_to_read_are_drawn_or_refused_with_a_reason_and_never_in_silence(out, words):
    status, told, _ = design(
        out, words, "--repeat-mm", "40x40", "-n", "1", "--json", backend="embedded"
    )  # fmt: skip
    answer = json.loads(told)
    if status == 2:
        assert answer["fields"]["field"] == "words"
    else:
        assert answer["designs"][0]["notes"], "what was made of the words is said"
