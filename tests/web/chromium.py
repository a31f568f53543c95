"""The system's Chromium, driven by Playwright."""

import asyncio
import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Error, Playwright, expect, sync_playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--no-sandbox",  # the tests run as root in a container; they open nothing but this product's own pages
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
]
WAITS_MS = 20_000  # for what ought to appear; a machine that is shared takes its time


def chromium_path() -> str | None:
    """Where this machine's Chromium is; None: it has none."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


@dataclass
class Chromium:
    """The one browser of this process.

    Playwright's synchronous calls leave an event loop running in this thread. It is put out of sight between the tests
    of the browser, so that all others find the thread as they always do.
    """

    playwright: Playwright
    browser: Browser
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)

    @contextlib.contextmanager
    def awake(self) -> Iterator[Browser]:
        asyncio._set_running_loop(self._loop)
        try:
            yield self.browser
        finally:
            asyncio._set_running_loop(None)


@contextlib.contextmanager
def chromium_running() -> Iterator[Chromium]:
    """The system's Chromium; where there is none or it can't be started, what needs it is left out and says so."""
    path = chromium_path()
    if path is None:
        pytest.skip(f"LEFT OUT: what a real browser shows. None of {', '.join(PROGRAMS)} is installed.")
    playwright = sync_playwright().start()
    try:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
    except Error as error:
        playwright.stop()
        asyncio._set_running_loop(None)
        pytest.skip(f"LEFT OUT: what a real browser shows. {path} can't be started: {str(error).splitlines()[0]}")
    expect.set_options(timeout=WAITS_MS)
    chromium = Chromium(playwright, browser)
    asyncio._set_running_loop(None)
    yield chromium
    with chromium.awake():
        browser.close()
        playwright.stop()
