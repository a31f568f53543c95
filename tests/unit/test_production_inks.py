"""Four, six and eight inks: the model and its profiles, round trips, ink limit, gamut, and what a header says."""

import hashlib
import struct
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
import pyvips
from django.core.management import call_command
from PIL import ImageCms

from production.colour_profiles import PROFILES
from production.domain.colour import delta_e_2000
from production.domain.icc import device_space, lab_grid, nodes_per_ink, read_header, write_profile
from production.domain.inkmodel import (
    BLACK,
    REACTIVE_ON_COTTON,
    REACTIVE_SIX_ON_COTTON,
    InkModel,
    cloth_xyz,
    gamut_volume,
    keep_within,
    lab_of_ink,
    profile_tables,
    separate,
)
from production.domain.shipped import MADE, SHIPPED

NAMES = ("Cyan", "Magenta", "Yellow", "Black", "Orange", "Violet")
GREEN = ((640.0, 60.0, 1.30), (430.0, 60.0, 1.20))
RED = ((530.0, 55.0, 1.40), (440.0, 60.0, 1.30))
EIGHT = InkModel(bands=(*REACTIVE_SIX_ON_COTTON.bands, GREEN, RED), cloth=REACTIVE_ON_COTTON.cloth, tac=2.6)
ROUNDING = 1e-4  # of six 16-bit channels


def image_of(values, *, bands, format, interpretation):
    return pyvips.Image.new_from_memory(values.tobytes(), len(values), 1, bands, format).copy(
        interpretation=interpretation
    )


def to_ink(lab, path, *, depth=16):
    """Ink shares (n, C) for L*a*b* by the profile, through LittleCMS."""
    image = image_of(lab.astype(np.float32), bands=3, format="float", interpretation="lab")
    ink = image.icc_export(output_profile=str(path), intent="relative", depth=depth)
    dtype = np.uint16 if depth == 16 else np.uint8
    return np.frombuffer(ink.write_to_memory(), dtype).reshape(len(lab), -1) / np.iinfo(dtype).max


def to_lab(ink, path, *, interpretation="multiband", depth=16):
    """L*a*b* of ink shares (n, C) by the profile, through LittleCMS."""
    dtype, format = (np.uint16, "ushort") if depth == 16 else (np.uint8, "uchar")
    codes = np.rint(ink * np.iinfo(dtype).max).astype(dtype)
    image = image_of(codes, bands=ink.shape[1], format=format, interpretation=interpretation)
    lab = image.icc_import(input_profile=str(path), intent="relative", pcs="lab").cast("float")
    return np.frombuffer(lab.write_to_memory(), np.float32).reshape(-1, 3).astype(float)


def mixes(model, count=15_000):
    """Ink combinations within the limit: half of any inks, half of few, where the strong colours are."""
    rng = np.random.default_rng(4)
    inks = len(model.bands)
    any_inks = rng.random((count, inks))
    few = rng.random((count, inks)) * (rng.random((count, inks)) < 2.5 / inks)
    ink = np.concatenate([any_inks, few])
    return ink[ink.sum(axis=1) <= model.tac]


@pytest.fixture(scope="module", params=sorted(SHIPPED))
def shipped(request):
    entry = SHIPPED[request.param]
    return entry, PROFILES / entry.file


def test_colours_in_gamut_come_back_through_the_profile_and_from_the_cloth(shipped):
    entry, path = shipped
    wanted = lab_of_ink(mixes(entry.model), entry.model)
    ink = to_ink(wanted, path)
    by_profile = delta_e_2000(to_lab(ink, path), wanted)
    on_cloth = delta_e_2000(lab_of_ink(ink, entry.model), wanted)
    for difference in (by_profile, on_cloth):
        assert difference.mean() <= 0.5
        assert np.percentile(difference, 95) <= 1.5
    coarse = delta_e_2000(lab_of_ink(to_ink(wanted, path, depth=8), entry.model), wanted)
    assert coarse.mean() <= 1.0


def test_the_profile_says_of_any_mix_what_the_model_says(shipped):
    entry, path = shipped
    ink = mixes(entry.model, 3000)
    assert delta_e_2000(to_lab(ink, path), lab_of_ink(ink, entry.model)).mean() <= 0.2


def test_no_colour_asks_for_more_ink_than_the_limit(shipped):
    entry, path = shipped
    heaviest = to_ink(lab_grid(49).reshape(-1, 3), path).sum(axis=1).max()
    assert entry.model.tac - 0.01 < heaviest <= entry.model.tac + ROUNDING


def test_the_checksum_and_the_label_of_a_shipped_profile_are_its_own(shipped):
    entry, path = shipped
    data = path.read_bytes()
    assert path.with_suffix(".icc.sha256").read_text().split() == [hashlib.sha256(data).hexdigest(), path.name]
    profile = ImageCms.ImageCmsProfile(str(path))
    assert ImageCms.getProfileDescription(profile).startswith(f"SYNTHETIC reactive {entry.letters}")
    assert len(data) < 1_500_000


def test_the_command_builds_what_ships(tmp_path):
    """Another machine may round a code otherwise, not more."""
    out = StringIO()
    call_command("build_profile", which="cmyk", out=tmp_path, stdout=out)
    name = SHIPPED["cmyk"].file
    made, shipped = (np.frombuffer((folder / name).read_bytes(), np.uint8) for folder in (tmp_path, PROFILES))
    assert sorted(path.name for path in tmp_path.iterdir()) == [name, f"{name}.sha256"]
    assert made.size == shipped.size
    assert (made != shipped).mean() < 0.01
    assert hashlib.sha256(made.tobytes()).hexdigest() in out.getvalue()


def test_the_six_ink_profile_names_its_space_and_its_inks_in_their_order():
    header = read_header((PROFILES / SHIPPED["cmykov"].file).read_bytes())
    assert (header.device_class, header.space, header.pcs) == ("prtr", "6CLR", "Lab ")
    assert header.colorants == NAMES
    assert {"A2B0", "A2B1", "A2B2", "B2A0", "B2A1", "B2A2", "gamt", "clrt", "wtpt"} <= set(header.tags)


@pytest.mark.parametrize("interpretation", ["multiband", "cmyk"])
@pytest.mark.parametrize("depth", [8, 16])
def test_six_bands_go_in_and_out_at_both_depths(interpretation, depth):
    path = PROFILES / SHIPPED["cmykov"].file
    solids = np.concatenate([np.zeros((1, 6)), np.eye(6)])
    expected = lab_of_ink(solids, REACTIVE_SIX_ON_COTTON)
    found = to_lab(solids, path, interpretation=interpretation, depth=depth)
    assert delta_e_2000(found, expected).max() < 0.1
    screen = image_of(np.array([[255, 255, 255], [230, 120, 30]], np.uint8), bands=3, format="uchar",
                      interpretation="srgb")  # fmt: skip
    ink = screen.icc_transform(str(path), input_profile="srgb", intent="relative", depth=depth)
    planes = ink.numpy()[0]
    assert planes.shape == (2, 6)
    assert planes.dtype == {8: np.uint8, 16: np.uint16}[depth]
    assert planes[0].max() <= np.iinfo(planes.dtype).max // 10_000, "white leaves the cloth bare"
    assert planes[1][4] > np.iinfo(planes.dtype).max / 4, "orange prints with orange ink"


def test_six_inks_make_more_colours_than_four():
    four, six = (gamut_volume(model, step=8) for model in (REACTIVE_ON_COTTON, REACTIVE_SIX_ON_COTTON))
    assert six > 1.25 * four


def test_an_extra_ink_stays_out_of_neutrals_and_out_of_what_four_inks_mix_better():
    greys = np.stack([np.linspace(25, 95, 15), np.zeros(15), np.zeros(15)], axis=1)
    ink = separate(greys, REACTIVE_SIX_ON_COTTON)
    assert ink[:, BLACK + 1 :].max() < 0.1
    greens = lab_of_ink(np.array([[0.8, 0, 0.8, 0, 0, 0], [0.4, 0, 0.5, 0, 0, 0]]), REACTIVE_SIX_ON_COTTON)
    assert separate(greens, REACTIVE_SIX_ON_COTTON)[:, BLACK + 1 :].max() < 0.05


def test_an_extra_ink_never_prints_much_over_its_opponent():
    wanted = lab_of_ink(mixes(REACTIVE_SIX_ON_COTTON, 1500), REACTIVE_SIX_ON_COTTON)
    ink = separate(wanted, REACTIVE_SIX_ON_COTTON)
    orange_on_cyan, violet_on_yellow = ink[:, 4] * ink[:, 0], ink[:, 5] * ink[:, 2]
    assert max(orange_on_cyan.mean(), violet_on_yellow.mean()) < 0.02
    assert (ink > 0.02).sum(axis=1).mean() < 4.5


def test_along_a_ramp_no_ink_jumps():
    """From grey to the strongest orange and violet in 200 steps of colour."""
    path = PROFILES / SHIPPED["cmykov"].file
    for solid in (4, 5):
        ends = lab_of_ink(np.eye(6)[[solid]], REACTIVE_SIX_ON_COTTON)[0]
        ramp = np.linspace([ends[0], 0.0, 0.0], ends, 200)
        ink = to_ink(ramp, path)
        assert np.abs(np.diff(ink, axis=0)).max() < 0.06


@pytest.mark.parametrize("model", [REACTIVE_ON_COTTON, REACTIVE_SIX_ON_COTTON, EIGHT], ids=["four", "six", "eight"])
def test_the_solver_meets_colours_of_any_number_of_inks_within_their_limit(model):
    wanted = lab_of_ink(mixes(model, 400), model)
    ink = separate(wanted, model)
    assert ink.shape == (len(wanted), len(model.bands))
    assert ink.min() >= 0
    assert ink.max() <= 1
    assert ink.sum(axis=1).max() <= model.tac + 1e-9
    assert delta_e_2000(lab_of_ink(ink, model), wanted).mean() < 0.2


def test_a_lower_limit_is_kept_and_black_is_not_what_gives_way():
    model = replace(REACTIVE_SIX_ON_COTTON, tac=1.5)
    dark = lab_of_ink(np.array([[0.9, 0.8, 0.9, 0.5, 0, 0]]), REACTIVE_SIX_ON_COTTON)
    assert separate(dark, model).sum() <= 1.5 + 1e-9
    kept = keep_within(np.array([[0.9, 0.8, 0.9, 0.5, 0.4, 0.2]]), 1.5)
    assert kept.sum() == pytest.approx(1.5)
    assert kept[0, BLACK] == 0.5
    np.testing.assert_allclose(kept[0, [0, 1, 2, 4, 5]] / [0.9, 0.8, 0.9, 0.4, 0.2], 1.0 / 3.2)


def test_a_model_has_four_to_eight_inks():
    for bands in (EIGHT.bands[:3], (*EIGHT.bands, GREEN)):
        with pytest.raises(ValueError, match="inks"):
            replace(EIGHT, bands=bands)


def test_eight_inks_make_a_small_profile_that_the_colour_engine_takes(tmp_path):
    tables = profile_tables(EIGHT, b2a_grid=5)
    data = write_profile(
        tables,
        description="x",
        copyright_text="free",
        white_xyz=cloth_xyz(EIGHT),
        made=MADE,
        inks=(*NAMES, "Green", "Red"),
    )
    path = tmp_path / "eight.icc"
    path.write_bytes(data)
    assert read_header(data).space == "8CLR"
    assert len(data) < 1_500_000
    assert tables.a2b.shape == (*[nodes_per_ink(8)] * 8, 3)
    solids = np.eye(8)
    assert delta_e_2000(to_lab(solids, path), lab_of_ink(solids, EIGHT)).max() < 0.1


def test_an_ink_s_name_has_to_fit_its_place_in_the_file():
    tables = profile_tables(REACTIVE_ON_COTTON, b2a_grid=2)
    words = {"description": "x", "copyright_text": "free", "white_xyz": cloth_xyz(REACTIVE_ON_COTTON), "made": MADE}
    assert read_header(write_profile(tables, inks=("A" * 31, "M", "Y", "K"), **words)).colorants[0] == "A" * 31
    with pytest.raises(ValueError, match="31 characters"):
        write_profile(tables, inks=("A" * 32, "M", "Y", "K"), **words)


def test_what_is_no_profile_or_is_cut_short_is_not_read():
    data = (PROFILES / SHIPPED["cmykov"].file).read_bytes()
    for broken in (b"", b"\x89PNG" + bytes(400), data[:20_000], data[:200], struct.pack(">I", 2**31) + data[4:]):
        with pytest.raises(ValueError, match=r"profile|bytes"):
            read_header(broken)


def test_a_table_of_inks_that_is_cut_short_names_none():
    data = (PROFILES / "reactive-cmykov-cotton-synthetic.icc").read_bytes()
    at = 132 + 12 * list(read_header(data).tags).index("clrt")
    short = data[: at + 8] + (4).to_bytes(4, "big") + data[at + 12 :]
    assert read_header(data).colorants != ()
    assert read_header(short).colorants == ()


def test_device_spaces_are_named_by_the_number_of_inks():
    assert [device_space(count) for count in (4, 5, 6, 7, 8, 12)] == ["CMYK", "5CLR", "6CLR", "7CLR", "8CLR", "CCLR"]
