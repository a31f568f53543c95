"""The demo factory's catalogue: what it makes of an order line, and how it refuses."""

import json
from datetime import date
from decimal import Decimal

import pytest

from generation.domain.pattern import Layout, Repeat
from orders.seeding import DEMO_FACTORY
from production import errors
from production.catalogue import seed_catalogue, skus, specify
from production.models import IccProfile, MachineProfile, Substrate

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


def test_the_catalogue_names_every_material_that_stock_must_know(factory):
    known = {row["sku"] for row in factory["fabrics"] + factory["materials"]}
    assert set(skus("demo")) <= known
    assert {"FAB-COT-SAT", "INK-RE-C", "CHE-PRE-RE", "YRN-COT-60"} <= set(skus("demo"))


def test_errors_have_codes_of_their_own():
    classes = [value for value in vars(errors).values() if isinstance(value, type)]
    kinds = [kind for kind in classes if issubclass(kind, errors.ProductionError)]
    assert len({kind.code for kind in kinds}) == len(kinds)
    assert all(kind.__doc__ for kind in kinds)
