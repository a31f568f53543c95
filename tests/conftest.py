"""What all tests share: the demo mill."""

import pytest


@pytest.fixture
def mill(db):
    """The demo mill with its factory, freshly seeded."""
    from orders.models import Shop
    from orders.seeding import DEMO_FACTORY, seed

    seed(DEMO_FACTORY, slug="demo", name="Demo mill")
    return Shop.objects.get(slug="demo")
