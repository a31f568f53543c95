"""The demo factory's catalogue: what it makes of an order line, and how it refuses."""

import json
from datetime import date
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from PIL import ImageCms

from generation.domain.pattern import Layout, Repeat
from orders import work
from orders.models import Order, OrderLine, Round
from orders.seeding import DEMO_FACTORY
from production import errors
from production.catalogue import seed_catalogue, skus, specify
from production.colour_profiles import PROFILES, Given, register
from production.models import IccProfile, InkSet, MachineProfile, Substrate

REPEAT = Repeat(320, 320, Layout.HALF_DROP)


@pytest.fixture
def factory(db):
    factory = json.loads(DEMO_FACTORY.read_text(encoding="utf-8"))
    seed_catalogue("demo", factory)
    return factory


def test_seeding_again_makes_nothing_new(factory):
    assert set(seed_catalogue("demo", factory).values()) == {0}


def test_every_shop_has_its_own_catalogue(factory):
    assert seed_catalogue("other", factory)["substrates"] == 12
    assert Substrate.objects.filter(code="FAB-COT-SAT").count() == 2


def test_the_demo_order_is_specified(factory):
    spec = specify("demo", substrate="FAB-COT-SAT", quantity_m=Decimal("12.5"), repeat=REPEAT, words="floral")
    assert (spec.kind, spec.sku, spec.machines) == ("print", "FAB-COT-SAT", ("PRT1", "PRT2"))
    assert (spec.width_px, spec.height_px) == (3917, 3916)
    assert [step[0].operation for step in spec.operations] == [
        "Pretreat", "Print", "Steam", "Wash", "Stenter", "Inspect and cut",
    ]  # fmt: skip
    assert spec.inks.profile.synthetic
    assert spec.limits.max_colours == 8


def test_a_woven_line_is_specified(factory):
    spec = specify("demo", weave="LOM1", quantity_m=10, repeat=Repeat(280, 280))
    assert (spec.kind, spec.machines, spec.dpi) == ("weave", ("LOM1",), 0.0)
    assert (spec.width_px, spec.height_px) == (1792, 840)
    assert spec.limits.max_colours == 5


@pytest.mark.parametrize(
    ("changes", "error", "field"),
    [
        ({"substrate": "FAB-NOPE"}, errors.UnknownFabric, "substrate"),
        ({"substrate": None, "weave": "NOPE"}, errors.UnknownWeave, "weave"),
        ({"substrate": None}, errors.NotOneCloth, "substrate"),
        ({"weave": "LOM1"}, errors.NotOneCloth, "substrate"),
        ({"quantity_m": 0}, errors.QuantityOutOfRange, "quantity_m"),
        ({"quantity_m": -3}, errors.QuantityOutOfRange, "quantity_m"),
        ({"quantity_m": 1e9}, errors.QuantityOutOfRange, "quantity_m"),
        ({"quantity_m": float("nan")}, errors.QuantityOutOfRange, "quantity_m"),
        ({"quantity_m": Decimal("Infinity")}, errors.QuantityOutOfRange, "quantity_m"),
        ({"repeat": Repeat(2000, 300)}, errors.RepeatTooWide, "repeat_mm"),
        ({"repeat": Repeat(2, 300)}, errors.RepeatTooSmall, "repeat_mm"),
        ({"repeat": Repeat(1400, 4000)}, errors.RepeatTooLarge, "repeat_mm"),
        ({"substrate": "FAB-SIL-HAB"}, errors.FabricNotPrintable, "substrate"),
        ({"substrate": "FAB-POL-VOI"}, errors.FabricNotPrintable, "substrate"),
        ({"substrate": None, "weave": "LOM1"}, errors.RepeatDoesNotFitHarness, "repeat_mm"),
    ],
)
def test_what_cannot_be_made_is_refused_by_name_and_field(factory, changes, error, field):
    line = {"substrate": "FAB-COT-SAT", "quantity_m": 12.5, "repeat": REPEAT, **changes}
    with pytest.raises(error) as refused:
        specify("demo", **line)
    assert refused.value.fields["field"] == field
    assert refused.value.http_status == 400
    assert str(refused.value).endswith(".")
    json.dumps(refused.value.fields, allow_nan=False)


def test_another_shop_s_fabric_is_unknown(factory):
    with pytest.raises(errors.UnknownFabric):
        specify("elsewhere", substrate="FAB-COT-SAT", quantity_m=1, repeat=REPEAT)


def test_a_profile_that_has_ended_is_not_used(factory):
    IccProfile.objects.update(valid_until=date(2026, 6, 30))
    specify("demo", substrate="FAB-COT-SAT", quantity_m=1, repeat=REPEAT, on=date(2026, 6, 30))
    with pytest.raises(errors.NoProfile):
        specify("demo", substrate="FAB-COT-SAT", quantity_m=1, repeat=REPEAT, on=date(2026, 7, 1))


def test_a_profile_whose_file_was_changed_is_not_used(factory):
    IccProfile.objects.update(sha256="0" * 64)
    with pytest.raises(errors.ProfileChanged):
        specify("demo", substrate="FAB-COT-SAT", quantity_m=1, repeat=REPEAT)


def test_a_printer_s_own_profile_goes_before_the_common_one(factory):
    common = IccProfile.objects.get(code="RE-CMYK-COTTON")
    printer = MachineProfile.objects.get(code="PRT1")
    IccProfile.objects.create(
        shop="demo",
        code="OWN",
        name="Own",
        printer=printer,
        ink_set=common.ink_set,
        fabric_class="reactive",
        sha256=common.sha256,
        path=common.path,
        valid_from=date(2026, 1, 1),
        synthetic=True,
    )
    assert specify("demo", substrate="FAB-COT-SAT", quantity_m=1, repeat=REPEAT).inks.profile.name == "Own"


def printed(**line):
    return specify("demo", **{"substrate": "FAB-COT-SAT", "quantity_m": 1, "repeat": REPEAT, **line})


def test_six_inks_are_printed_when_they_are_asked_for(factory):
    spec = printed(ink_set="RE-CMYKOV")
    assert spec.machines == ("PRT1", "PRT2")
    assert spec.inks.channels == tuple("CMYKOV")
    assert [ink.name for ink in spec.inks.inks] == ["Cyan", "Magenta", "Yellow", "Black", "Orange", "Violet"]
    assert spec.inks.profile.path.name == "reactive-cmykov-cotton-synthetic.icc"
    assert spec.inks.profile.synthetic
    assert "SYNTHETIC" in spec.inks.profile.name
    assert printed().inks.channels == tuple("CMYK")


def test_one_machine_can_be_asked_for(factory):
    assert printed(machine="PRT2").machines == ("PRT2",)
    both = printed(machine="PRT2", ink_set="RE-CMYKOV")
    assert (both.machines, both.inks.code) == (("PRT2",), "RE-CMYKOV")
    assert specify("demo", weave="LOM1", machine="LOM1", quantity_m=1, repeat=Repeat(280, 280)).machines == ("LOM1",)


def test_only_machines_with_the_inks_are_offered(factory):
    MachineProfile.objects.get(code="PRT1").other_ink_sets.clear()
    assert printed(ink_set="RE-CMYKOV").machines == ("PRT2",)
    assert printed().machines == ("PRT1", "PRT2")


def test_a_machine_whose_standard_inks_do_not_suit_prints_with_those_that_do(factory):
    wide, reactive = MachineProfile.objects.get(code="PRT3"), InkSet.objects.get(code="RE-CMYK")
    wide.other_ink_sets.add(reactive)
    assert printed(machine="PRT3").inks.code == "RE-CMYK"
    assert "PRT3" not in printed().machines, "without being asked, machines print with their standard inks"


@pytest.mark.parametrize(
    ("changes", "error", "field"),
    [
        ({"machine": "PRT9"}, errors.UnknownMachine, "machine"),
        ({"machine": "LOM1"}, errors.MachineNotSuitable, "machine"),
        ({"machine": "STEAM"}, errors.MachineNotSuitable, "machine"),
        ({"machine": "PRT3"}, errors.MachineNotSuitable, "machine"),  # it has no reactive inks
        ({"machine": "PRT1", "substrate": "FAB-POL-VOI"}, errors.MachineNotSuitable, "machine"),  # 3 m wide
        ({"ink_set": "DI-CMYK"}, errors.UnknownInkSet, "ink_set"),
        ({"ink_set": "RE-CMYKOV", "substrate": "FAB-SIL-HAB"}, errors.FabricNotPrintable, "ink_set"),
        ({"machine": "PRT3", "ink_set": "RE-CMYKOV"}, errors.InksNotOnMachine, "ink_set"),
        ({"substrate": None, "weave": "LOM1", "machine": "PRT1"}, errors.MachineNotSuitable, "machine"),
        ({"substrate": None, "weave": "LOM1", "machine": "LOM2"}, errors.MachineNotSuitable, "machine"),
        ({"substrate": None, "weave": "LOM1", "machine": "LOM9"}, errors.UnknownMachine, "machine"),
        ({"substrate": None, "weave": "LOM1", "ink_set": "RE-CMYK"}, errors.InksNotOnMachine, "ink_set"),
    ],
)
def test_a_machine_or_inks_that_do_not_fit_are_refused_by_name(factory, changes, error, field):
    with pytest.raises(error) as refused:
        printed(**{"repeat": Repeat(280, 280), **changes})
    assert type(refused.value) is error
    assert refused.value.fields["field"] == field
    assert refused.value.http_status == 400
    assert str(refused.value).endswith(".")
    json.dumps(refused.value.fields, allow_nan=False)


def test_inks_that_no_wide_enough_machine_has_are_refused(factory):
    for machine in MachineProfile.objects.all():
        machine.other_ink_sets.clear()
    with pytest.raises(errors.InksNotOnMachine, match="orange and violet"):
        printed(ink_set="RE-CMYKOV")


@pytest.mark.parametrize(("fabric_pct", "limit_pct"), [(None, 280), (240, 240), (300, 280)])
def test_the_lower_ink_limit_of_inks_and_fabric_counts(factory, fabric_pct, limit_pct):
    Substrate.objects.filter(code="FAB-COT-SAT").update(tac_pct=fabric_pct)
    assert printed().inks.tac_pct == limit_pct


def test_the_demo_mill_has_every_ink_of_its_ink_sets_in_stock(factory):
    stock = {row["sku"]: row["on_hand"] for row in factory["materials"]}
    assert all(stock[ink["sku"]] > 0 for ink_set in factory["ink_sets"] for ink in ink_set["inks"])


# ------------------------------------------------------------------------------------------------ colour profiles

FOUR, SIX = (PROFILES / f"reactive-{inks}-cotton-synthetic.icc" for inks in ("cmyk", "cmykov"))


def changed(source, *changes):
    data = source.read_bytes()
    for old, new in changes:
        assert len(old) == len(new)
        assert old in data
        data = data.replace(old, new)
    return data


def swapped_names(name, other):
    """The six-ink profile with two inks named the other way round."""
    first, second = (word.ljust(8, b"\0") for word in (name, other))
    return changed(SIX, (first, b"........"), (second, first), (b"........", second))


WRONG = {
    "a screen's": (lambda: ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(), "RE-CMYK", "a screen"),
    "a link": (lambda: changed(FOUR, (b"prtrCMYK", b"linkCMYK")), "RE-CMYK", "one device to another"),
    "an unknown class": (lambda: changed(FOUR, (b"prtrCMYK", b"wovnCMYK")), "RE-CMYK", "'wovn'"),
    "six for four": (SIX.read_bytes, "RE-CMYK", "6CLR"),
    "four for six": (FOUR.read_bytes, "RE-CMYKOV", "for CMYK; .* 6CLR"),
    "RGB printer": (lambda: changed(FOUR, (b"prtrCMYK", b"prtrRGB ")), "RE-CMYK", "for RGB"),
    "in XYZ": (lambda: changed(FOUR, (b"CMYKLab ", b"CMYKXYZ ")), "RE-CMYK", "XYZ"),
    "one way only": (lambda: changed(FOUR, (b"B2A0", b"prv0")), "RE-CMYK", "no table B2A0"),
    "inks in another order": (lambda: swapped_names(b"Orange", b"Violet"), "RE-CMYKOV", "Violet, Orange"),
    "other inks": (lambda: changed(SIX, (b"Orange\0", b"Green\0\0")), "RE-CMYKOV", "Green"),
    "damaged": (lambda: changed(FOUR, (b"mft2", b"mft9")), "RE-CMYK", "tables"),
    "cut short": (lambda: FOUR.read_bytes()[:30_000], "RE-CMYK", "30000 bytes"),
    "a picture": (lambda: b"\x89PNG" + bytes(300), "RE-CMYK", "no ICC profile"),
    "nothing": (lambda: b"", "RE-CMYK", "no ICC profile"),
}
GIVEN = Given("MILL-1", "Measured", "The mill", date(2026, 3, 1), date(2026, 12, 31))


@pytest.fixture
def kept(factory, settings, tmp_path):
    settings.VAR_DIR = tmp_path / "var"
    return settings.VAR_DIR / "store" / "profiles"


def measured(tmp_path):
    """A profile that doesn't call itself synthetic, as a measured one wouldn't."""
    path = tmp_path / "measured.icc"
    path.write_bytes(changed(FOUR, (b"SYNTHETIC", b"Our mill ")))
    return path


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_profile_is_refused_with_what_it_is_and_what_is_needed(kept, tmp_path, case):
    make, code, words = WRONG[case]
    path = tmp_path / "theirs.icc"
    path.write_bytes(make())
    with pytest.raises(errors.WrongProfile, match=words) as refused:
        register(path, GIVEN, ink_set=InkSet.objects.get(code=code))
    assert {"field", "profile", "measured", "limit"} <= set(refused.value.fields)
    assert not IccProfile.objects.filter(code="MILL-1").exists()
    assert not kept.exists()


def test_a_file_that_is_not_there_is_refused(kept, tmp_path):
    with pytest.raises(errors.WrongProfile, match="can't be read"):
        register(tmp_path / "nowhere.icc", GIVEN, ink_set=InkSet.objects.get(code="RE-CMYK"))


def test_a_profile_of_the_wrong_class_is_not_used_even_when_it_is_in_the_catalogue(factory, tmp_path):
    wrong = tmp_path / "wrong.icc"
    wrong.write_bytes(SIX.read_bytes())
    row = IccProfile.objects.get(code="RE-CMYK-COTTON")
    row.path, row.sha256 = str(wrong), IccProfile.objects.get(code="RE-CMYKOV-COTTON").sha256
    row.save()
    with pytest.raises(errors.WrongProfile, match="6CLR"):
        printed()


def test_a_mill_s_measured_profile_is_kept_and_goes_before_the_synthetic_one(kept, tmp_path):
    file = measured(tmp_path)
    row = register(file, GIVEN, ink_set=InkSet.objects.get(code="RE-CMYK"))
    file.unlink()
    assert list(kept.iterdir()) == [kept / f"{row.sha256}.icc"]
    found = printed(on=date(2026, 3, 1)).inks.profile
    assert (found.name, found.synthetic, found.sha256) == ("Measured", False, row.sha256)
    assert row.pretreatment_sku == "CHE-PRE-RE"
    assert row.owner == "The mill"
    for day in (date(2026, 2, 28), date(2027, 1, 1)):
        assert printed(on=day).inks.profile.synthetic
    with pytest.raises(errors.WrongProfile, match="already"):
        register(PROFILES / row.path, GIVEN, ink_set=row.ink_set)


def test_a_profile_of_one_fabric_counts_for_it_alone_and_goes_before_the_printer_s(kept, tmp_path):
    ink_set, satin = InkSet.objects.get(code="RE-CMYK"), Substrate.objects.get(code="FAB-COT-SAT")
    printer, file = MachineProfile.objects.get(code="PRT1"), measured(tmp_path)
    register(file, Given("A", "Of the printer", "Mill", date(2026, 5, 1)), ink_set=ink_set, printer=printer)
    register(file, Given("B", "Of the satin", "Mill", date(2026, 1, 1)), ink_set=ink_set, substrate=satin)
    assert printed().inks.profile.name == "Of the satin"
    assert printed().machines == ("PRT1", "PRT2")
    assert printed(substrate="FAB-VIS-CHA").inks.profile.name == "Of the printer"
    assert printed(substrate="FAB-VIS-CHA").machines == ("PRT1",), "the file would print in other colours on PRT2"
    assert printed(substrate="FAB-VIS-CHA", machine="PRT2").inks.profile.synthetic


def test_a_profile_of_another_pretreatment_does_not_count(kept, tmp_path):
    ink_set = InkSet.objects.get(code="RE-CMYK")
    register(measured(tmp_path), GIVEN, ink_set=ink_set)
    assert not printed().inks.profile.synthetic
    IccProfile.objects.filter(code="MILL-1").update(pretreatment_sku="CHE-PRE-DI")
    assert printed().inks.profile.synthetic


def test_a_synthetic_profile_stays_labelled_whoever_adds_it(kept):
    row = register(FOUR, GIVEN, ink_set=InkSet.objects.get(code="RE-CMYK"))
    assert row.synthetic
    assert row.name == "Measured, SYNTHETIC"
    assert row.description.startswith("SYNTHETIC")


def test_a_profile_for_a_printer_without_the_inks_or_fabrics_of_another_class_is_refused(kept, tmp_path):
    ink_set, file = InkSet.objects.get(code="RE-CMYK"), measured(tmp_path)
    with pytest.raises(errors.InksNotOnMachine):
        register(file, GIVEN, ink_set=ink_set, printer=MachineProfile.objects.get(code="PRT3"))
    with pytest.raises(errors.FabricNotPrintable):
        register(file, GIVEN, ink_set=ink_set, fabric_class="disperse")
    with pytest.raises(errors.FabricNotPrintable):
        register(file, GIVEN, ink_set=ink_set, substrate=Substrate.objects.get(code="FAB-SIL-HAB"))


def test_a_printer_without_a_valid_profile_is_left_out(factory):
    IccProfile.objects.filter(code="RE-CMYK-COTTON").update(printer=MachineProfile.objects.get(code="PRT2"))
    assert printed().machines == ("PRT2",)
    with pytest.raises(errors.NoProfile):
        printed(machine="PRT1")


def test_of_a_file_that_names_no_inks_the_catalogue_says_which_order_was_taken(kept, tmp_path):
    path = tmp_path / "six.icc"
    path.write_bytes(changed(SIX, (b"clrt", b"prv0")))
    row = register(path, GIVEN, ink_set=InkSet.objects.get(code="RE-CMYKOV"))
    assert "doesn't name its inks; they are taken to be Cyan, Magenta, Yellow, Black, Orange, Violet" in row.description
    assert "doesn't name" not in IccProfile.objects.get(code="RE-CMYKOV-COTTON").description
    assert "doesn't name" not in IccProfile.objects.get(code="RE-CMYK-COTTON").description


def test_a_profile_is_added_from_the_command_line(kept, tmp_path):
    out = StringIO()
    call_command("add_profile", measured(tmp_path), ink_set="RE-CMYK", printer="PRT2", owner="The mill",
                 valid_from=date(2026, 3, 1), stdout=out)  # fmt: skip
    row = IccProfile.objects.get(code="measured")
    assert (row.printer.code, row.owner, row.synthetic) == ("PRT2", "The mill", False)
    assert row.sha256 in out.getvalue()


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (["--ink-set", "RE-CMYKOV", "--valid-from", "2026-03-01"], "6CLR"),
        (["--ink-set", "NOPE", "--valid-from", "2026-03-01"], "no ink set 'NOPE'"),
        (["--ink-set", "RE-CMYK", "--valid-from", "2026-03-01", "--printer", "PRT9"], "no machine 'PRT9'"),
        (["--ink-set", "RE-CMYK", "--valid-from", "2026-03-01", "--valid-until", "2026-02-01"], "before it begins"),
    ],
)
def test_what_can_not_be_added_is_said_and_ends_with_status_2(kept, tmp_path, wish, words):
    errors_said = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("add_profile", str(measured(tmp_path)), "--owner", "Mill", *wish, stderr=errors_said)
    assert ended.value.code == 2
    assert words in errors_said.getvalue()
    assert IccProfile.objects.count() == 2


def test_an_order_is_not_made_with_a_profile_that_has_ended(mill):
    """What orders ask production for, they ask for the day it is at the mill."""
    line = OrderLine(order=Order(shop=mill), substrate="FAB-COT-SAT", quantity_m=Decimal(2))
    brief = Round(repeat_width_mm=320, repeat_height_mm=320, layout="half_drop", words="floral")
    assert work.spec_of(line, brief).inks.profile.synthetic
    IccProfile.objects.update(valid_until=date(2026, 6, 30))
    with pytest.raises(errors.NoProfile, match="ended on 30 June 2026"):
        work.spec_of(line, brief)


def test_the_catalogue_names_every_material_that_stock_must_know(factory):
    known = {row["sku"] for row in factory["fabrics"] + factory["materials"]}
    assert set(skus("demo")) <= known
    assert {"FAB-COT-SAT", "INK-RE-C", "INK-RE-O", "INK-RE-V", "CHE-PRE-RE", "YRN-COT-60"} <= set(skus("demo"))


def test_errors_have_codes_of_their_own():
    classes = [value for value in vars(errors).values() if isinstance(value, type)]
    kinds = [kind for kind in classes if issubclass(kind, errors.ProductionError)]
    assert len({kind.code for kind in kinds}) == len(kinds)
    assert all(kind.__doc__ for kind in kinds)
