"""A person before a real browser: who they are, what their page looked like, what their browser complained of."""

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import axe_core_python
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from playwright.sync_api import BrowserContext, Error, Locator, Page

from orders import flow, planruns, steps
from orders.models import Membership, Role, Shop
from tests.web.chromium import WAITS_MS, Chromium

ROOT = Path(__file__).resolve().parents[2]
SCREENS = ROOT / "var" / "screens"
HEIGHTS = {390: 844, 1024: 768}
PASSWORD = "a loom of one's own"


# ------------------------------------------------------------------------------------------------ one person's page


@cache
def _axe() -> str:
    return (Path(axe_core_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


OVERFLOW = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const out = [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > width + 1);
  const named = (e) => [e.tagName.toLowerCase() + (e.id && `#${e.id}`), ...e.classList].join('.');
  return [`${document.documentElement.scrollWidth} px in ${width}`, ...out.slice(0, 8).map(named)];
}"""

SETTLED = """() => document.readyState === 'complete'
  && [...document.images].every((image) => image.complete || image.getBoundingClientRect().top > innerHeight)
  && !document.querySelector('.htmx-request, [aria-busy=true], #loading:not([hidden])')
  && [...document.querySelectorAll('weft-canvas')].every((canvas) => canvas.state !== 'loading')"""


@dataclass
class Face:
    """One person's browser window. `page` is Playwright's."""

    page: Page
    context: BrowserContext
    home: str
    width: int
    dark: bool
    role: Role | None
    complaints: list[str] = field(default_factory=list)

    def goto(self, path: str) -> Page:
        """Open a page of the product."""
        self.page.goto(self.home + path)
        return self.page

    def resize(self, width: int, height: int | None = None) -> None:
        """Make the window as wide as another device's."""
        self.width = width
        self.page.set_viewport_size({"width": width, "height": height or HEIGHTS.get(width, 1000)})

    def settle(self) -> None:
        """Wait until the page has its pictures and nothing on it waits for the server."""
        self.page.wait_for_function(SETTLED)

    def shot(self, name: str) -> Path:
        """Write what the whole page looks like to var/screens/<name>-<width>[-dark].png."""
        path = SCREENS / f"{name}-{self.width}{'-dark' * self.dark}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=path, full_page=True, animations="disabled")
        return path

    def violations(self) -> list[str]:
        """What axe finds on the page as it is now that is serious or critical."""
        # Evaluated through the browser's own debugging line: a script element would be refused by the page's policy.
        self.page.evaluate(_axe())
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations'], preload: false})")
        return [
            f"{each['id']} ({each['impact']}) at {' '.join(map(str, node['target']))}: {each['help']}; "
            + " ".join(node["failureSummary"].split())
            for each in found["violations"]
            if each["impact"] in {"serious", "critical"}
            for node in each["nodes"]
        ]

    def axe(self) -> None:
        """Assert that axe finds nothing serious or critical on the page as it is now."""
        found = self.violations()
        assert not found, f"{self.page.url} at {self.width}{', dark' * self.dark}:\n" + "\n".join(found)

    def overflow(self) -> list[str]:
        """What sticks out of the window sideways; empty when the page fits."""
        return self.page.evaluate(OVERFLOW)

    def fits(self) -> None:
        """Assert that nobody has to scroll the page sideways."""
        found = self.overflow()
        assert not found, f"{self.page.url} at {self.width} sticks out: {', '.join(found)}"

    def offline(self, gone: bool = True) -> None:
        """Cut the connection, or bring it back."""
        self.context.set_offline(gone)

    def focused(self, locator: Locator) -> bool:
        return locator.evaluate("(element) => element === document.activeElement")

    def tab_to(self, locator: Locator, *, at_most: int = 80, key: str = "Tab") -> Locator:
        """Press Tab until the element has the focus; fails when that never comes."""
        for _ in range(at_most):
            if self.focused(locator):
                return locator
            self.page.keyboard.press(key)
        assert self.focused(locator), f"{locator} was not reached by {at_most} × {key}"
        return locator

    def press(self, *keys: str) -> None:
        """Press keys one after the other, such as "Enter" or "Shift+ArrowRight"."""
        for key in keys:
            self.page.keyboard.press(key)

    def write(self, locator: Locator, words: str) -> None:
        """Go to a field by Tab, and type over what is in it."""
        self.tab_to(locator)
        self.press("ControlOrMeta+a")
        self.page.keyboard.type(words)


@dataclass
class Faces:
    """Opens windows for people of the demo mill, and knows what none of their browsers may complain of."""

    chromium: Chromium
    home: str
    opened: list[Face] = field(default_factory=list)
    _expected: list[str] = field(default_factory=list)

    def person(self, role: Role) -> User:
        """The member of the demo mill with a role; made when first asked for. Their password is browser.PASSWORD."""
        user = User.objects.filter(username=f"{role.value}-here").first()
        if user is None:
            user = User.objects.create_user(f"{role.value}-here", password=PASSWORD, is_staff=role is Role.ADMIN)
            Membership.objects.create(shop=Shop.objects.get(slug="demo"), user=user, role=role)
        return user

    def open(
        self, role: Role | str | None, width: int = 1600, height: int | None = None, *, dark: bool = False, **context
    ) -> Face:
        """A window of a person with this role who has signed in, or of nobody. `context`: what Playwright takes."""
        role = None if role is None else Role(role)
        colours = "dark" if dark else "light"
        size = {"width": width, "height": height or HEIGHTS.get(width, 1000)}
        made = self.chromium.browser.new_context(
            viewport=size, color_scheme=colours, **{"locale": "en-GB", "timezone_id": "Europe/Paris", **context}
        )
        made.set_default_timeout(WAITS_MS)
        if role is not None:
            client = Client()
            client.force_login(self.person(role))
            session = client.cookies[settings.SESSION_COOKIE_NAME].value
            made.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": self.home}])
        face = Face(made.new_page(), made, self.home, width, dark, role)
        self._listen(face)
        self.opened.append(face)
        return face

    def sign_out(self, face: Face) -> None:
        """End a person's session behind their back."""
        face.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)

    def expects(self, *said: str) -> None:
        """Say which complaints a test provokes, by a part of what is said, such as "409"."""
        self._expected.extend(said)

    def complaints(self) -> list[str]:
        """What the browsers complained of so far that no test expected."""
        for face in self.opened:
            for page in face.context.pages:
                with contextlib.suppress(Error):  # one that is leaving its page has nothing more to say
                    page.evaluate("1")  # what was said before has arrived after this
        said = [complaint for face in self.opened for complaint in face.complaints]
        return [each for each in said if not any(part in each for part in self._expected)]

    def close(self) -> None:
        """Close every window, and wait until the server has let go of it."""
        for face in self.opened:
            face.context.close()
        until = time.monotonic() + 20
        while serving := [t for t in threading.enumerate() if "process_request_thread" in t.name]:
            assert time.monotonic() < until, f"the server still works for windows that are closed: {serving}"
            time.sleep(0.02)

    def _listen(self, face: Face) -> None:
        def said(message) -> None:
            if message.type in {"error", "warning"}:
                where = (message.location or {}).get("url", "")
                face.complaints.append(f"{face.page.url} says: {message.text} ({where})")

        def asked(request) -> None:
            if not request.url.startswith((self.home + "/", "data:", "blob:", "about:")):
                face.complaints.append(f"{face.page.url} asks another host: {request.url}")

        face.context.on("console", said)
        face.context.on("weberror", lambda error: face.complaints.append(f"{face.page.url} broke: {error.error}"))
        face.context.on("request", asked)


# ------------------------------------------------------------------------------------------------ the mill


@dataclass
class Works:
    """A worker beside the test: does every step and planning run as it comes due, until it is told to stop."""

    errors: list[BaseException] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._stop.clear()
        self._thread = threading.Thread(target=self._work, name="works", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish the step that is being done, and do no other."""
        self._stop.set()
        if self._thread:
            self._thread.join(120)
            assert not self._thread.is_alive(), "a step did not end within two minutes"
        self._thread = None
        if self.errors:
            raise self.errors.pop()

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing is done meanwhile, as when the worker is away."""
        self.stop()
        yield
        self.start()

    def rest(self, seconds: float = 60) -> None:
        """Wait until nothing is due any more."""
        until = time.monotonic() + seconds
        while _due() or planruns.due():
            assert time.monotonic() < until, f"still to be done after {seconds} s: {_due()}"
            if self.errors:
                raise self.errors[0]
            time.sleep(0.02)

    def _work(self) -> None:
        try:
            while not self._stop.is_set():
                if not work_once():
                    self._stop.wait(0.05)
        except BaseException as error:  # the test's own thread raises it again
            self.errors.append(error)
        finally:
            connection.close()


def _due() -> Sequence[int]:
    return steps.due()


def work_once() -> bool:
    """Do what is due now, what people wait for first; False when there was nothing."""
    runs = [planruns.answer(run) for run in planruns.due()]
    return any([*runs, *(flow.run_step(step) for step in _due())])
