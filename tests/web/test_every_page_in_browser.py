"""Every page of a mill at work, on a telephone, a tablet and a desk, by day and by night."""

import uuid

import pytest

from orders import linking
from orders.models import OrderLine, Role, Round
from orders.turning import Limits
from tests.shop_floor import placed, planned, released

SIZES = {False: (390, 1024, 1600), True: (1024,)}  # by night


@pytest.fixture
def day(quick):
    """A shop in which something of everything is there: its pages as (name, who looks, address)."""
    waiting = placed(quick, words="small checks on a pale ground", layout="half_drop", end_use="Cushion covers")
    made = released(quick, words="wide checks in ochre and ink")
    stuck = placed(quick, words="checks that nothing can print")
    sentence = "None of the designs can be made on this cloth: the lines are finer than 0.25 mm."
    OrderLine.objects.filter(pk=stuck.pk).update(
        state="blocked", came_from="generating",
        blocked={"code": "nothing_passes", "sentence": sentence, "findings": [], "fields": {}},
    )  # fmt: skip
    for metres in (8, 14, 22, 31):
        line = planned(quick, metres=metres, due_in_days=3 + metres)
        Round.objects.create(
            line=line, number=1, words="stripes", layout="straight", repeat_width_mm=64, repeat_height_mm=64
        )
    first, second = waiting.newest_round.candidates.values_list("pk", flat=True)
    _, token = linking.make(waiting, limits=Limits(), once=uuid.uuid4(), by=None)
    return [
        ("index", Role.SALES, "/"),
        ("new", Role.SALES, "/new/"),
        ("line-proofing", Role.SALES, f"/lines/{waiting.reference}/"),
        ("line-released", Role.PLANNER, f"/lines/{made.reference}/"),
        ("line-blocked", Role.SALES, f"/lines/{stuck.reference}/"),
        ("compare", Role.SALES, f"/lines/{waiting.reference}/compare/?a={first}&b={second}"),
        ("links", Role.SALES, f"/lines/{waiting.reference}/link/"),
        ("customer", None, f"/c/{token}/"),
        ("customer-forged", None, f"/c/{token[:-2]}xx/"),
        ("studio", Role.DESIGNER, "/studio/"),
        ("studio-review", Role.DESIGNER, f"/studio/{waiting.reference}/"),
        ("studio-spaces", Role.DESIGNER, "/studio/spaces/"),
        ("studio-learned", Role.DESIGNER, "/studio/learned/"),
        ("board", Role.PLANNER, "/board/"),
        ("board-table", Role.PLANNER, "/board/?view=table"),
        ("board-runs", Role.PLANNER, "/board/runs/"),
        ("board-what-if", Role.PLANNER, "/board/whatif/"),
        ("floor", Role.OPERATOR, "/floor/"),
        ("floor-job", Role.OPERATOR, f"/floor/{made.reference}-R1/"),
        ("dashboard", Role.ADMIN, "/dashboard/"),
        ("erp", Role.PLANNER, "/erp/"),
        ("login", None, "/login/"),
        ("not-found", Role.SALES, "/no/such/page/"),
        ("not-allowed", Role.OPERATOR, "/new/"),
    ]


def test_every_page_fits_and_is_readable_and_quiet_at_every_width(day, faces):
    faces.expects("/no/such/page/)", "xx/)", "status of 403 (Forbidden)")  # the pages that say so
    wrong = []
    for name, role, address in day:
        for dark, widths in SIZES.items():
            window = faces.open(role, dark=dark)
            for width in widths:
                window.resize(width)
                window.goto(address)
                window.settle()
                window.shot(f"page-{name}")
                where = f"{name} at {width}{', dark' * dark}"
                wrong += [f"{where} sticks out: {what}" for what in window.overflow()]
                wrong += [f"{where}: {what}" for what in window.violations()]
    assert not wrong, "\n".join(wrong)
