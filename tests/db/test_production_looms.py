"""Looms and their cloths in the catalogue of the demo mill."""

import json

import pytest

from generation.domain.pattern import Repeat
from orders.seeding import DEMO_FACTORY
from production import errors
from production.catalogue import seed_catalogue, skus, specify
from production.domain.floats import FloatLimits
from production.models import MachineProfile, WeaveSpec

REPEAT = Repeat(210, 280)


@pytest.fixture
def mill(db):
    seed_catalogue("demo", json.loads(DEMO_FACTORY.read_text(encoding="utf-8")))


def test_a_figure_weft_comes_from_the_catalogue_with_its_yarn(mill):
    weaving = specify("demo", weave="LOM1-GOLD", quantity_m=10, repeat=REPEAT).weaving
    assert [yarn.sku for yarn in weaving.wefts] == ["YRN-COT-NVY", "YRN-COT-GLD"]
    assert weaving.float_limits == FloatLimits(weft=9, warp=9)
    assert weaving.figure_hooks == 5376
    assert {"YRN-COT-NVY", "YRN-COT-GLD"} <= set(skus("demo"))


def test_a_shaded_satin_has_as_many_tones_as_weaves(mill):
    spec = specify("demo", weave="LOM1-TONE", quantity_m=10, repeat=REPEAT)
    assert spec.limits.max_colours == 8
    assert spec.width_px % 16 == spec.height_px % 16 == 0


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"weaves": ["satin_8", "satin_5"]}, errors.WeavesDoNotFitHarness),
        ({"weaves": ["satin_8", "sattin_8"]}, errors.UnknownWeaveName),
        ({"weaves": ["satin_8", "figure_1_3"]}, errors.WeavesDoNotGoTogether),
        ({"max_float": 6}, errors.FloatLimitTooShort),
        ({"max_float_mm": 2.0}, errors.FloatLimitTooShort),  # six picks
    ],
)
def test_a_cloth_that_can_not_be_woven_is_refused_when_it_is_asked_for(mill, changes, error):
    WeaveSpec.objects.filter(code="LOM1").update(**changes)
    with pytest.raises(error):
        specify("demo", weave="LOM1", quantity_m=10, repeat=REPEAT)


def test_a_castout_with_too_few_hooks_is_refused(mill):
    MachineProfile.objects.filter(code="LOM1").update(castout=[["selector", 8], ["figure", 5375]])
    with pytest.raises(errors.CastoutDoesNotFit, match="5375 figure hooks"):
        specify("demo", weave="LOM1", quantity_m=10, repeat=REPEAT)
