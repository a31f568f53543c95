"""What an administrator can set on a shop, and what nobody can set any more."""

import pytest
from django.contrib.auth.models import User

from orders.models import Shop

pytestmark = pytest.mark.django_db

SHOP = {
    "slug": "second",
    "name": "Second mill",
    "currency": "EUR",
    "time_zone": "Europe/Paris",
    "connector": "ledger",
    "generator": "embedded",
    "printed_product": "FIN-PRINT",
    "woven_product": "FIN-WEAVE",
    "paper": "A4",
    "quotation_days": 30,
    "hold_hours": 48,
    "frozen_hours": 4,
    "slushy_hours": 24,
}


@pytest.fixture
def boss(client):
    client.force_login(User.objects.create_superuser("boss"))
    return client


def test_a_shop_is_made_with_what_exists(boss):
    assert boss.post("/admin/orders/shop/add/", SHOP).status_code == 302
    assert Shop.objects.get().slug == "second"


@pytest.mark.parametrize(
    ("field", "value"), [("time_zone", "Europe/Atlantis"), ("connector", "nothing"), ("generator", "nobody")]
)
def test_a_shop_can_t_be_set_to_what_does_not_exist(boss, field, value):
    answer = boss.post("/admin/orders/shop/add/", {**SHOP, field: value})
    assert answer.status_code == 200
    assert field in answer.context["adminform"].form.errors
    assert not Shop.objects.exists()


def test_the_name_by_which_stock_knows_a_shop_never_changes(boss):
    shop = Shop.objects.create(slug="first", name="First mill")
    answer = boss.post(f"/admin/orders/shop/{shop.pk}/change/", {**SHOP, "slug": "stolen", "time_zone": "Asia/Tokyo"})
    assert answer.status_code == 302
    shop.refresh_from_db()
    assert (shop.slug, shop.time_zone, shop.name) == ("first", "Asia/Tokyo", "Second mill")
