"""What a loom finds in its package."""

import csv
import hashlib
import io
import json
import tempfile
import zipfile
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pypdfium2
import pytest
from dtx_to_wif import read_wif
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from production_samples import job_for, raster_for, weave_spec
from pyweaving.wif import WIFReader

from generation.domain.pattern import Layout, Palette, Raster
from production.assessment import assess
from production.domain.finding import Severity
from production.domain.picture import Picture
from production.domain.spec import Yarn
from production.domain.weave import LIBRARY
from production.drafting import raster_of
from production.formats.loom.package import LoomPackage
from production.formats.loom.wif import shafts_of, wif_bytes
from production.services import manifest_of


def package_of(tmp_path, **line):
    spec = weave_spec(**line)
    raster = raster_for(spec)
    job = job_for(spec, raster)
    return raster, LoomPackage().write(job.assessment.draft, job, tmp_path, lambda done, of: None)[0]


def test_the_loom_package_holds_one_pixel_per_crossing(tmp_path):
    raster, path = package_of(tmp_path, layout=Layout.HALF_DROP)
    with zipfile.ZipFile(path) as package:
        specification, weaves = (json.loads(package.read(f"{name}.json")) for name in ("spec", "weaves"))
        with package.open("pointpaper.png") as file, Image.open(file) as paper:
            assert (paper.mode, paper.size) == ("P", (384, 192))
            assert paper.info["dpi"] == pytest.approx((32 * 2.54, 24 * 2.54), abs=0.1)
            pixels = np.asarray(paper)
        with package.open("lift.tif") as file, Image.open(file) as lift:
            assert (lift.mode, lift.size) == ("1", (384, 192))
    assert specification["repeat"]["ends"] == 384
    assert specification["repeat"]["design_repeats"] == [2, 1]
    half = pixels.shape[0] // 2
    assert np.array_equal(pixels[:, 192:], np.roll(pixels[:, :192], half, axis=0))
    assert [weave["colour"] for weave in weaves] == list(raster.palette.colours)


def test_black_in_the_lift_plan_is_warp_up(tmp_path):
    raster, job = flowers()
    _, parts = parts_of(job, tmp_path)
    ground = black(parts["lift.tif"])[raster.indices == 0].mean()  # warp-faced satin: seven ends of eight on top
    assert ground == pytest.approx(7 / 8, abs=0.02)


EXTRA = Yarn("YRN-C", "Old gold lurex", 30.0, 0.02, "#c9a66b")


@lru_cache(maxsize=1)
def flowers():
    """A line, its design and its job."""
    spec = weave_spec()
    raster = raster_for(spec)
    return raster, job_for(spec, raster)


@lru_cache(maxsize=1)
def two_wefts():
    """A line with a figure weft, its design, and its job."""
    spec = weave_spec(layout=Layout.STRAIGHT)
    weaves = ("satin_8", "twill_1_3", "sateen_8", "figure_1_3")
    spec = replace(spec, weaving=replace(spec.weaving, extra=EXTRA, weaves=weaves))
    raster = raster_for(spec)
    return raster, job_for(spec, raster)


@lru_cache(maxsize=8)
def package_bytes(design):
    """The package of `flowers` or `two_wefts`, written once."""
    with tempfile.TemporaryDirectory() as folder:
        return write(design()[1], Path(folder)).read_bytes()


def write(job, folder):
    return LoomPackage().write(job.assessment.draft, job, folder, lambda done, of: None)[0]


def parts_of(job, folder):
    """(path, parts) of the package of `job` in `folder`."""
    design = next((known for known in (flowers, two_wefts) if known()[1] is job), None)
    if design is None:
        path = write(job, folder)
    else:
        path = folder / f"{job.name}.zip"
        path.write_bytes(package_bytes(design))
    with zipfile.ZipFile(path) as package:
        return path, {name: package.read(name) for name in package.namelist()}


def rows_of(data):
    return list(csv.DictReader(io.StringIO(data.decode())))


def said_of(job):
    return json.loads(json.dumps(manifest_of(job, job.assessment.draft)))


def errors_in(path, said):
    return [finding.code for finding in LoomPackage().verify(path, said) if finding.severity is Severity.ERROR]


def black(data):
    with Image.open(io.BytesIO(data)) as image:
        return ~np.asarray(image.convert("1"))


def repacked(path, **changed):
    """The package with parts changed and every checksum inside made to agree again."""
    with zipfile.ZipFile(path) as package:
        parts = {entry.filename: package.read(entry) for entry in package.infolist()}
    parts |= {name.replace("__", "."): data for name, data in changed.items()}
    said = json.loads(parts["spec.json"])
    said["sha256"] = {name: hashlib.sha256(parts[name]).hexdigest() for name in said["sha256"]}
    parts["spec.json"] = json.dumps(said).encode()
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in parts.items() if name != "SHA256SUMS"}
    parts["SHA256SUMS"] = "".join(f"{digest}  {name}\n" for name, digest in sums.items()).encode()
    with zipfile.ZipFile(path, "w") as package:
        for name, data in parts.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            package.writestr(entry, data)
    return path


def test_point_paper_and_lift_plan_are_the_same_in_every_format(tmp_path):
    raster, job = two_wefts()
    _, parts = parts_of(job, tmp_path)
    for name in ("png", "bmp", "tif"):
        with Image.open(io.BytesIO(parts[f"pointpaper.{name}"])) as paper:
            assert paper.mode == "P", name
            assert np.array_equal(np.asarray(paper), raster.indices), name
            assert paper.info["dpi"] == pytest.approx((32 * 2.54, 24 * 2.54), abs=0.02), name
    for name in ("lift", "lift_w1", "lift_w2"):
        assert np.array_equal(black(parts[f"{name}.tif"]), black(parts[f"{name}.bmp"])), name


def test_an_extra_weft_has_its_own_lift_plan_and_its_picks_take_turns(tmp_path):
    raster, job = two_wefts()
    path, parts = parts_of(job, tmp_path)
    ground, figure, all_picks = (black(parts[f"{name}.tif"]) for name in ("lift_w1", "lift_w2", "lift"))
    assert np.array_equal(all_picks[0::2], ground)
    assert np.array_equal(all_picks[1::2], figure)
    shows = (~figure)[raster.indices == 3].mean()  # colour 3 is the lurex: over three ends of four
    hidden = (~figure)[raster.indices == 0].mean()  # bound under one end of eight
    assert (shows, hidden) == (pytest.approx(0.75, abs=0.03), pytest.approx(0.125, abs=0.03))
    picks = rows_of(parts["wefts.csv"])
    assert [(row["pick"], row["selector"], row["regulator"], row["sku"]) for row in picks[:3]] == [
        ("1", "1", "1", "YRN-B"),
        ("2", "2", "0", "YRN-C"),
        ("3", "1", "1", "YRN-B"),
    ]
    assert len(picks) == 2 * 192
    assert errors_in(path, said_of(job)) == []


def test_every_hook_has_one_function_and_the_ends_stand_in_the_middle(tmp_path):
    spec = weave_spec()
    castout = (("selector", 8), ("figure", 100), ("regulator", 2), ("selvedge", 12), ("figure", 300), ("selvedge", 12))
    spec = replace(spec, weaving=replace(spec.weaving, hooks=400, castout=castout))
    raster = raster_for(spec)
    job = job_for(spec, raster)
    path, parts = parts_of(job, tmp_path)
    hooks = rows_of(parts["castout.csv"])
    assert [int(row["hook"]) for row in hooks] == list(range(1, 435))
    functions = [row["function"] for row in hooks]
    assert functions == [
        *(["selector"] * 8 + ["spare"] * 8 + ["figure"] * 92 + ["regulator"] * 2 + ["selvedge"] * 12),
        *(["figure"] * 292 + ["spare"] * 8 + ["selvedge"] * 12),
    ]
    assert [int(row["point_paper_column"]) for row in hooks if row["function"] == "figure"] == list(range(1, 385))
    assert [row["yarn"] for row in hooks[:2]] == ["YRN-B", ""]
    assert errors_in(path, said_of(job)) == []


def test_the_warp_is_drawn_in_from_selvedge_to_selvedge(tmp_path):
    _, parts = parts_of(flowers()[1], tmp_path)
    left, body, right = rows_of(parts["warp.csv"])
    assert [int(row["ends"]) for row in (left, body, right)] == [48, 4704, 48]  # 147 cm of 150 at 32 ends per cm
    assert (left["from_end"], right["to_end"]) == ("1", "4800")
    assert body["reed_dents"] == "1176"


def test_two_colours_that_are_alike_are_told_apart_by_their_index(tmp_path):
    spec = weave_spec()
    raster = raster_for(spec)
    twins = Raster(raster.indices, Palette((*raster.palette.colours[:3], raster.palette.colours[2])), raster.repeat, 1)
    job = job_for(spec, twins)
    path, parts = parts_of(job, tmp_path)
    said = said_of(job)
    assert errors_in(path, said) == []
    with Image.open(io.BytesIO(parts["pointpaper.png"])) as paper:
        pixels, colours = np.asarray(paper).copy(), paper.getpalette()
    pixels[tuple(np.argwhere(pixels == 2)[0])] = 3  # looks the same, is woven another way
    changed = Image.frombytes("P", pixels.shape[::-1], pixels.tobytes())
    changed.putpalette(colours)
    buffer = io.BytesIO()
    changed.save(buffer, "PNG")
    assert "file_pixels" in errors_in(repacked(path, pointpaper__png=buffer.getvalue()), said)


def test_a_part_that_lies_is_found_though_its_checksums_agree(tmp_path):
    _, job = flowers()
    said = said_of(job)
    path, parts = parts_of(job, tmp_path)
    assert errors_in(repacked(path), said) == []  # the control: repacked whole, it is still the package
    weaves = json.loads(parts["weaves.json"])
    weaves[0]["layers"][0]["lift"][0][0] ^= 1
    assert "file_weaves" in errors_in(repacked(path, weaves__json=json.dumps(weaves).encode()), said)
    path, parts = parts_of(job, tmp_path)
    lift = black(parts["lift.tif"])
    lift[:, 3] = True  # an end that is never bound
    buffer = io.BytesIO()
    Image.fromarray(~lift).save(buffer, "TIFF", compression="group4")
    assert {"file_pixels", "file_floats"} <= set(errors_in(repacked(path, lift__tif=buffer.getvalue()), said))
    path, parts = parts_of(job, tmp_path)
    wif = parts["wif/satin_8.wif"].replace(b"[LIFTPLAN]\r\n1=2,", b"[LIFTPLAN]\r\n1=1,")
    assert errors_in(repacked(path, **{"wif/satin_8__wif": wif}), said) == ["file_wif"]
    path, parts = parts_of(job, tmp_path)
    hooks = parts["castout.csv"].replace(b"figure", b"spare", 1)
    assert errors_in(repacked(path, castout__csv=hooks), said) == ["file_tables"]


def test_a_flipped_bit_in_any_of_the_zips_own_bytes_is_found(tmp_path):
    _, job = flowers()
    said, whole = said_of(job), package_bytes(flowers)
    path = tmp_path / "flipped.zip"
    path.write_bytes(whole)
    assert errors_in(path, said) == []
    with zipfile.ZipFile(path) as package:
        own = list(range(package.start_dir, len(whole)))  # the list at the end, and what stands before each part
        own += [entry.header_offset + byte for entry in package.infolist() for byte in range(30)]
    rng = np.random.default_rng(4)
    for position in rng.choice(own, 400, replace=False):
        data = bytearray(whole)
        data[position] ^= 1 << int(rng.integers(8))
        path.write_bytes(data)
        assert errors_in(path, said), position


def test_the_package_names_no_vendors_format_and_every_part_has_its_checksum(tmp_path):
    _, parts = parts_of(flowers()[1], tmp_path)
    said = json.loads(parts["spec.json"])
    assert "No file in this package is in a loom maker's own format" in said["note"]
    sums = dict(reversed(line.split("  ")) for line in parts["SHA256SUMS"].decode().splitlines())
    assert sums == {name: hashlib.sha256(data).hexdigest() for name, data in parts.items() if name != "SHA256SUMS"}
    assert said["floats"]["over"] == 0
    assert said["sha256"].items() <= sums.items()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("reference", "WL-000002-1"),
        ("loom", "LOM9"),
        ("harness_ends", 1),
        ("total_ends", 1),
        ("picks", 1),
        ("fabric_length_m", 1.0),
        ("yarn_kg", {}),
        ("repeat", {"ends": 1, "picks": 1, "layout": "straight"}),
    ],
)
def test_a_spec_that_says_other_figures_than_the_job_is_found(key, value, tmp_path):
    _, job = flowers()
    path, parts = parts_of(job, tmp_path)
    said = said_of(job)
    assert errors_in(path, said) == []
    repacked(path, spec__json=json.dumps(json.loads(parts["spec.json"]) | {key: value}).encode())
    assert len(errors_in(path, said)) == 1


def test_the_cloths_picture_has_its_aspect_and_its_yarns(tmp_path):
    raster, job = two_wefts()
    _, parts = parts_of(job, tmp_path)
    with Image.open(io.BytesIO(parts["simulation.png"])) as cloth:
        assert cloth.width / cloth.height == pytest.approx((384 / 32) / (192 / 24), rel=0.01)
        seen = np.asarray(cloth).astype(float)
    assert seen.shape[2] == 3
    place = cv2.resize(raster.indices, seen.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    warm = seen[..., 0] - seen[..., 2]  # gold is warm, navy is not
    assert warm[place == 3].mean() > 60 > 0 > warm[place == 1].mean()


def test_the_weave_sheet_says_what_the_loom_is_set_to(tmp_path):
    _, job = two_wefts()
    _, parts = parts_of(job, tmp_path)
    with pypdfium2.PdfDocument(parts["spec.pdf"]) as pdf:
        words = " ".join(page.get_textpage().get_text_range() for page in pdf)
    for said in (
        "384 ends x 192 picks of each weft",
        "32 ends/cm",
        "Old gold lurex",
        "figure 1 3",
        "0 floats are over",
    ):
        assert said in words
    assert hashlib.sha256(parts["lift.tif"]).hexdigest() in words


def test_yarn_picks_and_hours_of_two_wefts_are_those_counted_by_hand():
    _, job = two_wefts()
    usage = job.assessment.usage
    # 3 m ordered, no shrinkage, 0.8 m head, 0.4 m tail, 3 % waste: 4.2 / 0.97 = 4.329897 m
    assert usage.fabric_length_m == pytest.approx(4.329897, abs=1e-6)
    # warp: 4800 ends x 4.329897 m x 1.06 x 19.7 tex / 10^6 = 0.434000 kg, and 3 % loss
    assert usage.yarn_kg["YRN-A"] == pytest.approx(0.447020, abs=1e-5)
    # each weft: 24 picks/cm x 432.9897 cm = 10391.75 picks of 1.5 m, 15587.63 m
    # ground: 15587.63 m x 1.04 x 39.4 tex / 10^6 = 0.638719 kg, and 3 % loss
    assert usage.yarn_kg["YRN-B"] == pytest.approx(0.657880, abs=1e-5)
    # figure: 15587.63 m x 1.02 x 30 tex / 10^6 = 0.476981 kg, and 3 % loss
    assert usage.yarn_kg["YRN-C"] == pytest.approx(0.491291, abs=1e-5)
    assert usage.picks == 2 * 10392
    # 20783.5 picks at 480 a minute and 85 %: 50.94 min; 60 min of setting up and clearing
    assert usage.minutes["Weave"] == pytest.approx(110.94, abs=0.01)


def test_a_picture_in_tones_becomes_cloth_as_light_as_it_is_with_no_float_over():
    spec = weave_spec()
    weaves = tuple(f"shade_8_{n}" for n in range(8, 0, -1))
    spec = replace(spec, weaving=replace(spec.weaving, weaves=weaves), limits=replace(spec.limits, max_colours=8))
    y, x = np.mgrid[: spec.height_px, : spec.width_px]
    light = 0.5 + 0.45 * np.sin(2 * np.pi * x / spec.width_px) * np.sin(2 * np.pi * y / spec.height_px)
    rgb = np.repeat((light * 255).astype(np.uint8)[..., None], 3, axis=2)
    raster = raster_of(Picture(rgb, spec.repeat), spec)
    found = assess(raster, spec=spec)
    assert found.passed, [each.sentence for each in found.findings if each.severity is Severity.ERROR]
    assert found.draft.floats[0].over == 0
    cloth = found.draft.lift.reshape(192 // 16, 16, 384 // 16, 16).mean(axis=(1, 3))  # the warp is the light yarn
    wanted = light.reshape(192 // 16, 16, 384 // 16, 16).mean(axis=(1, 3))
    assert np.corrcoef(cloth.ravel(), wanted.ravel())[0, 1] > 0.98


# ------------------------------------------------------------------------------------------------------------- WIF


def by_pyweaving(data, folder):
    """The lift plan as PyWeaving reads it."""
    path = folder / "draft.wif"
    path.write_bytes(data)
    draft = WIFReader(str(path)).read()
    rows = [[end.shaft in pick.shafts for end in draft.warp] for pick in draft.weft]
    return np.array(rows), [thread.color.css for thread in (draft.warp[0], *draft.weft)]


def by_dtx_to_wif(data):
    """The lift plan as dtx-to-wif reads it."""
    pattern = read_wif(io.StringIO(data.decode(), newline=None))
    assert pattern.is_rising_shed
    rows = [
        [pattern.threading[end] <= pattern.liftplan[pick] for end in range(1, pattern.warp.threads + 1)]
        for pick in range(1, pattern.weft.threads + 1)
    ]
    return np.array(rows), pattern


@pytest.mark.parametrize("name", LIBRARY)
def test_every_weave_reads_back_equal_through_two_other_readers_of_wif(name, tmp_path):
    weaving = weave_spec().weaving
    lift = LIBRARY[name].lift
    data = wif_bytes(lift, title=name, warp=weaving.warp, wefts=(weaving.weft,), ends_per_cm=32, picks_per_cm=24)
    plan, colours = by_pyweaving(data, tmp_path)
    assert np.array_equal(plan, lift)
    assert colours[:2] == ["rgb(233, 224, 204)", "rgb(31, 42, 77)"]
    plan, pattern = by_dtx_to_wif(data)
    assert np.array_equal(plan, lift)
    assert (pattern.name, pattern.num_shafts) == (name, len({column.tobytes() for column in lift.T}))
    assert pattern.color_table[2] == (31, 42, 77)
    assert pattern.warp.spacing == pytest.approx(1 / 32, abs=1e-6)


def test_wif_is_written_as_its_readers_expect_it():
    weaving = weave_spec().weaving
    lift = LIBRARY["satin_8"].lift
    data = wif_bytes(
        lift, title="A\r\n[WIF]=x", warp=weaving.warp, wefts=(weaving.weft,), ends_per_cm=32, picks_per_cm=24
    )
    assert data.count(b"\n") == data.count(b"\r\n")
    assert b" =" not in data
    assert b"= " not in data
    assert b"Date=April 20, 1997\r\n" in data
    assert b"Version=1.1\r\n" in data
    assert b"\r\n[WIF]=x" not in data  # a name can't begin a section


def test_a_design_that_takes_few_shafts_goes_into_wif_whole_and_others_do_not(tmp_path):
    spec = weave_spec()
    stripes = np.repeat((np.arange(192) // 16 % 2).astype(np.uint8)[:, None], 384, axis=1)
    raster = Raster(stripes, Palette(raster_for(spec).palette.colours[:2]), spec.repeat, seed=1)
    job = job_for(spec, raster)
    _, parts = parts_of(job, tmp_path / "stripes")
    plan, _ = by_pyweaving(parts["wif/design.wif"], tmp_path)
    assert np.array_equal(plan, job.assessment.draft.lift)
    _, parts = parts_of(flowers()[1], tmp_path)
    assert "wif/design.wif" not in parts
    assert "wif/satin_8.wif" in parts


def test_two_wefts_take_turns_in_wif(tmp_path):
    _, job = two_wefts()
    _, parts = parts_of(job, tmp_path)
    plan, colours = by_pyweaving(parts["wif/figure_1_3.wif"], tmp_path)
    assert np.array_equal(plan[1::2], LIBRARY["figure_1_3"].figure)
    assert colours[1:3] == ["rgb(31, 42, 77)", "rgb(201, 166, 107)"]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 60), st.integers(1, 40), st.integers(0, 999))
def test_any_plan_of_at_most_32_shafts_is_taken_apart_and_put_together_again(picks, ends, kinds, seed):
    rng = np.random.default_rng(seed)
    columns = rng.random((picks, kinds)) < 0.5
    lift = columns[:, rng.integers(0, kinds, ends)]
    found = shafts_of(lift)
    different = len({column.tobytes() for column in lift.T})
    if different > 32:
        assert found is None
        return
    threading, lifts = found
    assert lifts.shape[1] == different
    assert np.array_equal(lifts[:, threading], lift)
