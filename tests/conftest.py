"""What all tests share: a data folder of their own, and the demo mill."""

import os
import tempfile

# Before the settings are read: tests never touch the data of the installation they run in.
os.environ["WEFTLINE_VAR"] = tempfile.mkdtemp(prefix="weftline-tests-")

import pytest


@pytest.fixture
def mill(db):
    """The demo mill with its factory, freshly seeded."""
    from orders.models import Shop
    from orders.seeding import DEMO_FACTORY, seed

    seed(DEMO_FACTORY, slug="demo", name="Demo mill")
    return Shop.objects.get(slug="demo")
