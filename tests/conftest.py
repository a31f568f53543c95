"""What all tests share: the demo mill, with its model or with a generator that needs none."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def emptied_by_rows():
    """PostgreSQL's tables hold few rows after a test: to delete them takes a sixth of what truncating does."""
    from django.db.backends.postgresql.operations import DatabaseOperations

    def sql_flush(self, style, tables, *, reset_sequences=False, allow_cascade=False):
        assert not reset_sequences, "no test counts on it"
        return [f"DELETE FROM {self.quote_name(table)}" for table in tables]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", sql_flush)
        yield


@pytest.fixture(autouse=True)
def no_snapshots():
    """What a test before kept in memory is of another database."""
    from orders.timetable import forget_snapshots

    forget_snapshots()


@pytest.fixture
def mill(db):
    """The demo mill with its factory, freshly seeded."""
    from tests.demo_mill import lay_out

    return lay_out()


@pytest.fixture
def quick(mill, settings):
    """The demo mill with a generator that needs no model, two candidates a round."""
    quick = {**settings.WEFTLINE["generators"], "quick": "tests.quick_generator.QuickGenerator"}
    settings.WEFTLINE = {**settings.WEFTLINE, "candidates": 2, "generators": quick}
    mill.generator = "quick"
    mill.save()
    return mill


@pytest.fixture
def distant(mill, settings):
    """The demo mill with its ledger at the end of a line that can be cut: returns the line."""
    from tests.distant import Network, network

    connectors = {**settings.WEFTLINE["connectors"], "distant": "tests.distant.DistantErp"}
    settings.WEFTLINE = {**settings.WEFTLINE, "connectors": connectors}
    mill.connector = "distant"
    mill.save(update_fields=["connector"])
    vars(network).update(vars(Network()))
    return network
