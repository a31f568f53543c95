"""What a person waits for at the pages: `python -m tests.benchmarks.faces`.

On installations of their own: on the server with ten thousand orders behind it, every page and part of a page; in a
real browser before `manage.py serve`, with the model that ships, from Generate to the designs, the weight of a first
visit, and a planner's drag on a full board.
"""

import contextlib
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from tests.web.chromium import ARGUMENTS, chromium_path

ROOT = Path(__file__).resolve().parents[2]
ORDERS = 5
FIRST_S, FOUR_S = 3, 7
WEIGHT_KB = 250
BARS = 2000
FRAMES = 50  # a second, at least
FULL = f"from orders.models import Shop; from tests.shop_floor import filled; filled(Shop.objects.get(), {BARS})"
DESIGNS = (
    "small blue flowers on a cream ground", "wide irregular stripes in ochre and ink", "herons among reeds",
    "tiny stars at night", "a quiet houndstooth in grey",
)  # fmt: skip


def figures() -> Iterator[tuple[str, str]]:
    """Yield (what, figure) for each."""
    with tempfile.TemporaryDirectory() as folder:
        manage = manager(Path(folder))
        manage("migrate", "--verbosity", "0")
        manage("seed")
        said = manage("shell", "--verbosity", "0", "--command", "from tests.benchmarks.pages import main; main()")
        yield from (tuple(each) for each in json.loads(said.splitlines()[-1]))
    if chromium_path() is None:
        yield "what a browser shows", "LEFT OUT: there is no Chromium"
        return
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        with serving(Path(folder) / "fresh") as mill:
            yield from weight(browser, mill)
            yield from generating(browser, mill)
        with serving(Path(folder) / "board", fill=FULL) as mill:
            yield from dragging(browser, mill)
        browser.close()


# ------------------------------------------------------------------------------------------------ an installation


@dataclass
class Mill:
    """An installation that serves: its address, and the logins of its people by role."""

    address: str
    server: psutil.Process
    logins: dict[str, tuple[str, str]] = field(default_factory=dict)

    def come_to_rest(self, within_s: float = 300) -> None:
        """Wait until server and worker have nothing to do: what is compiled and loaded at a start is behind them."""
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            before = self._worked_s()
            time.sleep(3)
            if self._worked_s() - before < 0.3:
                return

    def _worked_s(self) -> float:
        family = (self.server, *self.server.children(recursive=True))
        return sum(sum(each.cpu_times()[:2]) for each in family if each.is_running())

    def open(self, browser: Browser, role: str) -> Page:
        """A window of a person who has signed in as anybody does."""
        page = browser.new_context(viewport={"width": 1600, "height": 1000}, locale="en-GB").new_page()
        page.set_default_timeout(240_000)  # the first design waits for a model that is loaded
        page.goto(f"{self.address}/login/")
        name, password = self.logins[role]
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(re.compile("^(?!.*/login/)"))
        return page


def environment(folder: Path) -> dict[str, str]:
    """Of an installation in this folder, embedded."""
    env = {**os.environ, "WEFTLINE_VAR": str(folder), "DJANGO_SETTINGS_MODULE": "orders.settings"}
    env.pop("DATABASE_URL", None)
    return env


def manager(folder: Path) -> Callable[..., str]:
    """`manage.py` of the installation in this folder; returns what it says."""

    def manage(*words: str) -> str:
        command = [sys.executable, "manage.py", *words]
        done = subprocess.run(command, cwd=ROOT, env=environment(folder), check=True, stdout=subprocess.PIPE, text=True)
        return done.stdout

    return manage


@contextlib.contextmanager
def serving(folder: Path, *, fill: str = "") -> Iterator[Mill]:
    """A freshly seeded installation with `manage.py serve` running."""
    manage = manager(folder)
    manage("migrate", "--verbosity", "0")
    people = re.findall(r"^  \w+ +demo-(\w+) +(\S+)$", manage("seed", "--logins"), re.MULTILINE)
    if fill:
        manage("shell", "--verbosity", "0", "--command", fill)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "manage.py", "serve", "--port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, env=environment(folder), stdout=subprocess.DEVNULL)
    logins = {role: (f"demo-{role}", password) for role, password in people}
    mill = Mill(f"http://127.0.0.1:{port}", psutil.Process(server.pid), logins)
    try:
        _wait_for(f"{mill.address}/ready")
        yield mill
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(60)


def _wait_for(address: str, within_s: float = 120) -> None:
    until = time.monotonic() + within_s
    while True:
        with contextlib.suppress(OSError), urllib.request.urlopen(address):  # 503 is an OSError too
            return
        assert time.monotonic() < until, f"{address} is not there after {within_s:.0f} s"
        time.sleep(1)


# ------------------------------------------------------------------------------------------------ Generate

SEEN = """(count) => [...document.querySelectorAll('#newest .design img')].filter(
  (image) => image.complete && image.naturalWidth && image.getBoundingClientRect().width > 60).length >= count"""


def generating(browser: Browser, mill: Mill) -> Iterator[tuple[str, str]]:
    """From Generate to designs that can be seen, the model warm."""
    page = mill.open(browser, "sales")
    first, four = [], []
    for number in range(ORDERS + 1):
        mill.come_to_rest()
        page.goto(f"{mill.address}/new/")
        page.locator("[name=customer]").fill("Atelier Nord")
        page.locator("[name=words]").fill(DESIGNS[number % len(DESIGNS)])
        page.locator("[name=quantity]").fill("12")
        began = time.perf_counter()
        page.get_by_role("button", name="Generate").click()
        page.wait_for_function(SEEN, arg=1)
        one_s = time.perf_counter() - began
        page.wait_for_function(SEEN, arg=4)
        if number:  # before the first the worker has no model in memory
            first.append(one_s)
            four.append(time.perf_counter() - began)
        page.get_by_text("Being checked").first.wait_for(state="detached")
        page.wait_for_function("() => !document.querySelector('#watch[data-stream]')?.dataset.stream")
    page.context.close()
    for what, found, wanted in (("first design", first, FIRST_S), ("four designs", four, FOUR_S)):
        figure = f"median {statistics.median(found):.1f} s, worst {max(found):.1f} s (wanted {wanted})"
        yield f"Generate pressed to {what} seen, {ORDERS} orders", figure


# ------------------------------------------------------------------------------------------------ weight


def weight(browser: Browser, mill: Mill) -> Iterator[tuple[str, str]]:
    """What comes over the line from the login to the first page, without pictures; nothing is kept from before."""
    page = mill.open(browser, "sales")
    page.context.close()
    page = browser.new_context(viewport={"width": 1600, "height": 1000}, locale="en-GB").new_page()
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    kinds, sizes = {}, {}
    line.on("Network.responseReceived", lambda said: kinds.__setitem__(said["requestId"], said["type"]))
    line.on("Network.loadingFinished", lambda said: sizes.__setitem__(said["requestId"], said["encodedDataLength"]))
    for number, (name, address) in enumerate((("login", "/login/"), ("home", "/"), ("new order", "/new/"))):
        if number == 1:
            person, password = mill.logins["sales"]
            page.get_by_label("Name").fill(person)
            page.get_by_label("Password").fill(password)
            page.get_by_role("button", name="Log in").click()
            page.wait_for_url(f"{mill.address}{address}")
        else:
            page.goto(mill.address + address)
        page.wait_for_load_state("networkidle")
        bytes_so_far = sum(size for request, size in sizes.items() if kinds.get(request) != "Image")
        figure = f"{bytes_so_far / 1000:.0f} kB so far" + (f" (wanted {WEIGHT_KB})" if number else "")
        yield f"first visit without pictures, to {name}", figure
    page.context.close()


# ------------------------------------------------------------------------------------------------ the board

COUNT = """() => {
  const seen = { frames: 0, worst: 0, begun: performance.now(), last: performance.now(), on: true };
  window.seen = seen;
  const frame = (now) => {
    seen.frames += 1;
    seen.worst = Math.max(seen.worst, now - seen.last);
    seen.last = now;
    if (seen.on) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}"""
COUNTED = """() => {
  window.seen.on = false;
  const { frames, worst, begun, last } = window.seen;
  return { each_s: 1000 * frames / (last - begun), worst };
}"""


def dragging(browser: Browser, mill: Mill) -> Iterator[tuple[str, str]]:
    """Frames that the browser shows while a bar is dragged over a board with BARS bars, all of them in sight."""
    page = mill.open(browser, "planner")
    began = time.perf_counter()
    page.goto(f"{mill.address}/board/")
    page.locator("#stage:not([hidden])").wait_for()
    yield f"board with {BARS} bars, from asked for to drawn", f"{time.perf_counter() - began:.1f} s"
    found = []
    for whole in (False, True):
        if whole:
            page.locator("#whole").click()
        page.locator("#focus").focus()
        for _ in range(12):
            page.keyboard.press("ArrowRight")
        box = page.locator("#focus").bounding_box()
        assert box is not None, "no bar has the focus"
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.evaluate(COUNT)
        began, step = time.monotonic(), 0
        while time.monotonic() - began < 4:
            step += 1
            page.mouse.move(box["x"] + 300 * abs((step / 60) % 2 - 1), box["y"] + 30 * ((step // 30) % 6))
        found.append(page.evaluate(COUNTED))
        page.keyboard.press("Escape")
        page.mouse.up()
    page.context.close()
    for what, each in zip(("a day or two in sight", "all bars in sight"), found, strict=True):
        figure = f"{each['each_s']:.0f} frames/s (wanted {FRAMES}), longest gap {each['worst']:.0f} ms"
        yield f"  dragging with {what}", figure


if __name__ == "__main__":
    for what, figure in figures():
        print(f"{what:<58} {figure}", flush=True)
