"""Settings from the environment: a bad value stops the start with a sentence that names it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from orders import environment as env

SQLITE = {"default": {"ENGINE": "django.db.backends.sqlite3"}}
POSTGRES = {"default": {"ENGINE": "django.db.backends.postgresql"}}


def test_a_secret_can_come_from_a_file(monkeypatch, tmp_path):
    path = tmp_path / "secret"
    path.write_text("hush\n")
    monkeypatch.setenv("SECRET_KEY_FILE", str(path))
    assert env.text("SECRET_KEY") == "hush"


def test_a_secret_file_that_can_t_be_read_stops_the_start_and_is_named(monkeypatch):
    monkeypatch.setenv("SECRET_KEY_FILE", "/nowhere/secret")
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY_FILE"):
        env.text("SECRET_KEY", "default")


@pytest.mark.parametrize("value", ["perhaps", "2", "ja"])
def test_a_flag_is_yes_or_no(monkeypatch, value):
    monkeypatch.setenv("DEBUG", value)
    with pytest.raises(ImproperlyConfigured, match="DEBUG"):
        env.flag("DEBUG", default=False)


@pytest.mark.parametrize("value", ["many", "0", "65", "1.5"])
def test_a_number_out_of_bounds_is_refused_by_name(monkeypatch, value):
    monkeypatch.setenv("WORKERS", value)
    with pytest.raises(ImproperlyConfigured, match="WORKERS"):
        env.whole("WORKERS", default=1, at_least=1, at_most=64)


def test_an_address_is_read_without_the_slash_at_its_end(monkeypatch):
    monkeypatch.setenv("PUBLIC_URL", "https://orders.mill.example/cloth/")
    assert env.address("PUBLIC_URL", default="http://127.0.0.1:8000") == "https://orders.mill.example/cloth"


@pytest.mark.parametrize(
    "value", ["orders.mill.example", "ftp://mill.example", "https://", "https://mill.example/?a=1"]
)
def test_what_is_no_address_is_refused_by_name(monkeypatch, value):
    monkeypatch.setenv("PUBLIC_URL", value)
    with pytest.raises(ImproperlyConfigured, match="PUBLIC_URL"):
        env.address("PUBLIC_URL", default="http://127.0.0.1:8000")


def test_a_database_url_is_read_with_user_password_host_and_socket():
    settings = env.database("postgresql://anna:p%40ss@db.mill:5433/weftline")
    assert (settings["USER"], settings["PASSWORD"], settings["HOST"], settings["PORT"]) == (
        "anna",
        "p@ss",
        "db.mill",
        "5433",
    )
    assert env.database("postgresql://postgres:@/postgres?host=/run/pg")["HOST"] == "/run/pg"


def test_the_embedded_database_takes_its_write_lock_at_once():
    assert env.database("sqlite:////data/weftline.sqlite3")["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


def test_another_kind_of_database_is_refused():
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL"):
        env.database("mysql://mill/weftline")


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"debug": True, "secret_is_own": True, "databases": POSTGRES}, "DEBUG"),
        ({"debug": False, "secret_is_own": False, "databases": POSTGRES}, "SECRET_KEY"),
        ({"debug": False, "secret_is_own": True, "databases": SQLITE}, "DATABASE_URL"),
    ],
)
def test_a_public_server_refuses_settings_meant_for_one_machine(settings, named):
    with pytest.raises(ImproperlyConfigured, match=named):
        env.refuse_unsafe(hosts=["orders.mill.example"], **settings)
    env.refuse_unsafe(hosts=["127.0.0.1"], **settings)


def test_a_public_server_with_its_own_settings_starts():
    env.refuse_unsafe(debug=False, hosts=["orders.mill.example"], secret_is_own=True, databases=POSTGRES)


def test_folders_are_read_by_name(monkeypatch, tmp_path):
    monkeypatch.setenv("CHECKPOINTS", f"sdxl={tmp_path}, other={tmp_path}")
    assert env.folders("CHECKPOINTS") == {"sdxl": tmp_path.resolve(), "other": tmp_path.resolve()}
    monkeypatch.delenv("CHECKPOINTS")
    assert env.folders("CHECKPOINTS") == {}


@pytest.mark.parametrize("value", ["sdxl", "=/tmp", "sd xl=/tmp", "one=/tmp,one=/tmp", "one=/no/such/folder"])
def test_a_folder_that_cannot_be_read_is_named(monkeypatch, value):
    monkeypatch.setenv("CHECKPOINTS", value)
    with pytest.raises(ImproperlyConfigured, match="CHECKPOINTS"):
        env.folders("CHECKPOINTS")


def test_the_command_line_ends_with_a_sentence_and_no_traceback():
    said = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=Path(__file__).resolve().parents[2], env={**os.environ, "CHECKPOINTS": "sdxl"}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert said.returncode == 1
    assert said.stderr.startswith("Settings: CHECKPOINTS has 'sdxl'")
    assert "Traceback" not in said.stderr
