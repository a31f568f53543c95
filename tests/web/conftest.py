"""A real browser on the demo mill. See browser.py for what a window can do.

    def test_a_sales_person_reads(quick, faces, works):
        anna = faces.open("sales", width=1024, dark=True)  # signed in as a member with that role; None: nobody
        page = anna.goto("/new/")                          # Playwright's page
        anna.write(page.get_by_label("Customer"), "Nord")  # reached by Tab, then typed
        anna.axe(); anna.fits(); anna.shot("new")          # nothing serious; no scrolling sideways; var/screens/

After each test: no window complained in its console (CSP, errors, warnings) and none asked another host, but for what
`faces.expects("409")` named. Without a Chromium these tests are skipped and say so.
"""

import os

import pytest
from django.db import connections

from orders import watching
from tests.web.browser import Faces, Works
from tests.web.chromium import chromium_running


@pytest.fixture(scope="session")
def chromium():
    with chromium_running() as running:
        yield running


@pytest.fixture
def faces(mill, live_server, chromium, settings, monkeypatch):
    """Opens windows for people of the demo mill."""
    settings.WEFTLINE = {**settings.WEFTLINE, "public_url": live_server.url}
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # nobody's real password is here
    # A window that was closed is noticed at once, so that no thread of the server outlives its test.
    monkeypatch.setattr(watching, "SAY_SOMETHING_EVERY_S", 0.2)
    # Playwright's loop runs in this thread while a test of the browser does; nothing of the database is awaited in it.
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "yes")
    with chromium.awake():
        faces = Faces(chromium, live_server.url)
        try:
            yield faces
            complaints = faces.complaints()
        finally:
            faces.close()
            connections.close_all()  # under Playwright's loop this thread has had one of its own
    assert not complaints, "\n".join(complaints)


@pytest.fixture
def works(faces):
    """A worker that does every step as it comes due."""
    works = Works()
    works.start()
    yield works
    works.stop()
