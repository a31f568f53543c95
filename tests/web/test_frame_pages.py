"""What every page's answer carries, whoever asks."""

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver

from orders.models import Role
from tests.people import signed_in

pytestmark = pytest.mark.django_db
DOCS = "/api/docs/"  # the reference of the API sets styles of its own


def plain_addresses(resolver=None, before="/"):
    """Every address that needs no number or name in it."""
    for entry in (resolver or get_resolver()).url_patterns:
        address = before + str(entry.pattern).removeprefix("^").removesuffix("$")
        if "<" in address or "(" in address or address.startswith("/admin/"):
            continue
        if isinstance(entry, URLPattern):
            yield address
        else:
            yield from plain_addresses(entry, address)


@pytest.fixture
def boss(mill):
    return signed_in(mill, Role.ADMIN, "boss")


def policy(answer):
    return {part.split()[0]: part.split()[1:] for part in answer["Content-Security-Policy"].split(";")}


def test_every_page_forbids_scripts_and_styles_that_stand_in_it(boss):
    addresses = [*plain_addresses(), "/no/such/address/"]
    assert {"/", "/login/", "/new/", "/studio/", "/board/", "/floor/", "/dashboard/", "/erp/"} <= set(addresses)
    for client in (boss, Client()):
        for address in addresses:
            answer = client.get(address)
            said = policy(answer)
            if "sandbox" in said:  # a file that is handed out may do nothing at all
                continue
            assert said["default-src"] == ["'self'"], address
            loosened = {name for name, sources in said.items() if {"'unsafe-inline'", "'unsafe-eval'"} & set(sources)}
            assert loosened == ({"style-src"} if address == DOCS else set()), address


def test_no_page_has_a_script_or_a_style_in_it(boss):
    for address in plain_addresses():
        answer = boss.get(address)
        if not answer.get("Content-Type", "").startswith("text/html") or address == DOCS:
            continue
        page = answer.content.decode()
        assert ' style="' not in page, address
        assert "<style" not in page, address
        tags = [tag.split(">")[0] for tag in page.split("<script")[1:]]
        assert not [tag for tag in tags if " src=" not in tag and 'type="application/json"' not in tag], address
        assert " onclick=" not in page, address
