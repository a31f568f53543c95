"""How a shop's Odoo is named and its key is kept: nothing of this needs an Odoo that answers."""

import io

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection as database
from django.test import Client

from inventory_sync import services
from inventory_sync.connectors.odoo_rpc import checked_url
from inventory_sync.credentials import keep_secret, secret_of
from inventory_sync.errors import ErpRejected, ErpUnavailable
from inventory_sync.models import ErpConnection
from orders.models import Shop

CANARY = "canary-7f3a9c51d2"
# Nothing listens there, and nothing on the way is asked.
NOWHERE = "http://127.0.0.1:9"

pytestmark = pytest.mark.django_db


def connected(**changes):
    values = {"shop": "demo", "url": NOWHERE, "database": "mill", "login": "connector", **changes}
    kept = ErpConnection(**values)
    keep_secret(kept, CANARY)
    kept.save()
    return kept


def test_a_key_is_encrypted_at_rest_and_read_back_in_clear():
    kept = connected()
    with database.cursor() as cursor:
        cursor.execute("SELECT * FROM inventory_sync_erpconnection")
        assert CANARY not in repr(cursor.fetchall())
    assert secret_of(ErpConnection.objects.get(pk=kept.pk)) == CANARY


def test_the_same_key_twice_looks_different_at_rest():
    first, second = connected(shop="one"), connected(shop="two")
    assert first.secret != second.secret


def test_under_another_secret_key_it_can_not_be_read_and_that_is_said(settings):
    kept = connected()
    settings.SECRET_KEY = "another installation's key, long enough to be one"
    with pytest.raises(ErpRejected, match="enter it again") as refusal:
        secret_of(kept)
    assert CANARY not in str(refusal.value)


def test_a_changed_byte_of_the_kept_key_is_found():
    kept = connected()
    kept.secret = kept.secret[:-8] + ("A" if kept.secret[-8] != "A" else "B") + kept.secret[-7:]
    with pytest.raises(ErpRejected):
        secret_of(kept)


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("http://erp.example.com", "https"),
        ("ftp://erp.example.com", "no address"),
        ("erp.example.com", "no address"),
        ("https://erp.example.com/odoo", "without a path"),
        ("https://", "no address"),
        ("", "no address"),
        ("https://erp.example.com?db=mill", "no address"),
        ("https://connector:secret@erp.example.com", "no address"),
        ("https://erp.example.com:port", "no address"),
    ],
)
def test_an_address_that_is_none_or_sends_the_key_in_clear_is_refused(url, word):
    with pytest.raises(ErpRejected, match=word) as refusal:
        checked_url(url)
    assert refusal.value.fields["field"] == "url"


@pytest.mark.parametrize("url", ["https://erp.example.com/", " https://erp.example.com:8443 ", "http://localhost:8069"])
def test_an_address_of_an_odoo_is_taken_without_its_last_slash(url):
    assert checked_url(url) == url.strip().rstrip("/")


def test_a_shop_without_a_connection_is_told_how_to_make_one():
    with pytest.raises(ErpRejected, match="connect_erp --shop demo"):
        services.connect("odoo", shop="demo")


def test_connecting_to_nothing_keeps_the_connection_that_was_there(mill):
    before = connected()
    with pytest.raises(ErpUnavailable):
        services.connect_remote(
            "demo", connector="odoo", url=NOWHERE, database="other", login="other", key="another key"
        )
    kept = ErpConnection.objects.get(shop="demo")
    assert (kept.database, kept.login, secret_of(kept)) == (before.database, before.login, CANARY)


def test_the_command_names_an_unknown_shop_and_an_address_that_is_none(mill, monkeypatch):
    monkeypatch.setenv("ODOO_API_KEY", CANARY)
    wish = {"url": NOWHERE, "database": "mill", "login": "connector"}
    with pytest.raises(CommandError, match="no shop 'nobody'; there are: demo") as refusal:
        call_command("connect_erp", shop="nobody", **wish)
    assert refusal.value.returncode == 2
    with pytest.raises(CommandError, match="use https"):
        call_command("connect_erp", shop="demo", **{**wish, "url": "http://erp.example.com"})
    with pytest.raises(CommandError, match="can't be reached"):
        call_command("connect_erp", shop="demo", **wish)
    assert Shop.objects.get(slug="demo").connector == "ledger", "a shop whose Odoo does not answer stays where it was"


def test_the_command_wants_a_key(mill, monkeypatch):
    monkeypatch.delenv("ODOO_API_KEY", raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    with pytest.raises(CommandError, match="no API key"):
        call_command("connect_erp", shop="demo", url=NOWHERE, database="mill", login="connector")


def test_the_doctor_says_that_an_odoo_does_not_answer(mill, capsys):
    connected()
    Shop.objects.filter(slug="demo").update(connector="odoo")
    with pytest.raises(SystemExit):
        call_command("doctor")
    said = capsys.readouterr().out
    assert "can't be reached" in said
    assert CANARY not in said


def test_the_administrator_s_page_takes_a_key_and_never_shows_it():
    User.objects.create_superuser("boss", password="a long password")
    browser = Client()
    browser.login(username="boss", password="a long password")
    page = "/admin/inventory_sync/erpconnection/"
    wish = {"shop": "demo", "url": "https://erp.example.com/", "database": "mill", "login": "connector", "company": ""}
    assert browser.post(f"{page}add/", {**wish, "key": CANARY}).status_code == 302
    kept = ErpConnection.objects.get(shop="demo")
    assert (kept.url, secret_of(kept)) == ("https://erp.example.com", CANARY)
    shown = browser.get(f"{page}{kept.pk}/change/").content.decode()
    assert CANARY not in shown
    assert kept.secret not in shown
    assert browser.post(f"{page}{kept.pk}/change/", {**wish, "login": "other", "key": ""}).status_code == 302
    kept.refresh_from_db()
    assert (kept.login, secret_of(kept)) == ("other", CANARY), "an empty field keeps the key"


def test_the_administrator_s_page_refuses_an_address_in_clear():
    User.objects.create_superuser("boss", password="a long password")
    browser = Client()
    browser.login(username="boss", password="a long password")
    wish = {"shop": "demo", "url": "http://erp.example.com", "database": "mill", "login": "connector", "key": CANARY}
    answer = browser.post("/admin/inventory_sync/erpconnection/add/", wish)
    assert answer.status_code == 200
    assert "use https" in answer.content.decode()
    assert not ErpConnection.objects.exists()
