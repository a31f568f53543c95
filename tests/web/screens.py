"""`make screens`: the README's pictures, made again. No test: it is asked for by name, and draws with the real model.

A mill with some months behind it and weeks ahead, one order to choose from and one that can be made.
"""

import io
import uuid
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from PIL import Image

from orders import inspecting, linking, services
from orders.models import Role
from orders.turning import Limits
from tests.benchmarks import busy_shop
from tests.inspected import on_the_inspection_table
from tests.shop_floor import placed, work_on
from tests.web.browser import ROOT

PICTURES = ROOT / "tests" / "golden" / "screens"
LARGEST = 120_000
WIDEST = 1200  # pixels
QUALITIES = (86, 78, 70, 60, 50, 40)
WORDS = "climbing roses with small leaves, indigo and madder on cream"
SIZE = {"repeat_mm": (320, 320), "quantity_m": 24, "layout": "half_drop"}


@pytest.fixture
def mill_at_work(mill):
    """The mill, an order whose designs wait to be chosen from, and one that is released."""
    busy_shop.fill(mill, orders=400, ahead=45, generator="embedded", as_drawn=True)
    waiting = placed(mill, words=WORDS, end_use="Curtains", **SIZE)
    made = placed(mill, words="palm leaves in two greens on sand", **SIZE)
    services.approve(made, services.best(made).position, by=None)
    return waiting, work_on(made)


def kept(window, name: str) -> Path:
    """Keep what is in the window as a small picture."""
    window.settle()
    seen = Image.open(io.BytesIO(window.page.screenshot(animations="disabled"))).convert("RGB")
    seen.thumbnail((WIDEST, WIDEST), Image.Resampling.LANCZOS)
    for quality in QUALITIES:
        file = io.BytesIO()
        seen.save(file, "WEBP", quality=quality, method=6)
        if file.tell() <= LARGEST:
            break
    path = PICTURES / f"{name}.webp"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(file.getvalue())
    return path


def scanned(line, tmp_path):
    """The line with the first metre of its cloth scanned, SYNTHETIC, and looked at by the network that ships."""
    by, path = User.objects.create_user("ann"), tmp_path / "roll.png"
    line = on_the_inspection_table(line, by=by)
    flawed = ("--defects", "hole,stain,missing_nozzle", "--seed", "5", "--errors", "0.5", "--metres", "1")
    call_command("simulate_scan", "--job", line.reference, "--out", str(path), *flawed)
    inspecting.begin(line, [SimpleUploadedFile(path.name, path.read_bytes())], by=by, once=uuid.uuid4())
    return work_on(line)


def pictures(faces, *asked) -> None:
    """One picture each of (name, role, window, address, what is done before)."""
    for name, role, size, address, action in asked:
        window = faces.open(role, *size)
        window.goto(address)
        window.settle()
        if action:
            action(window.page)
        path = kept(window, name)
        assert path.stat().st_size <= LARGEST, f"{path} has {path.stat().st_size} bytes"


def test_pictures_of_each_role_s_page(mill_at_work, faces, tmp_path):
    waiting, made = mill_at_work
    _, token = linking.make(waiting, limits=Limits(), once=uuid.uuid4(), by=None)
    pictures(
        faces,
        ("sales", Role.SALES, (1600, 1200), f"/lines/{waiting.reference}/", None),
        ("customer", None, (1100, 1000), f"/c/{token}/", None),
        ("studio", Role.DESIGNER, (1600, 1100), f"/studio/{waiting.reference}/", None),
        ("board", Role.PLANNER, (1600, 900), "/board/", to_a_bar),
        ("operator", Role.OPERATOR, (1024, 900), f"/floor/{made.reference}-R1/", None),
        ("dashboard", Role.ADMIN, (1600, 1250), "/dashboard/", None),
    )
    scanned(made, tmp_path)
    pictures(
        faces,
        ("inspection", Role.OPERATOR, (1600, 1350), f"/lines/{made.reference}/inspection/", None),
        ("drift", Role.PLANNER, (1600, 1350), "/drift/", None),
    )


def to_a_bar(page) -> None:
    """Show less time, and go to a bar: it is brought into sight."""
    page.locator("#in").click()
    page.locator("#in").click()
    page.locator("#focus").focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.locator("#later").click()
