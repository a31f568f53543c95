"""Setting up a shop from one data file: the demo factory, or a mill's own."""

import hashlib
import hmac
import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from inventory_sync import services as inventory
from orders.models import ApiToken, Customer, Membership, Role, Shop
from production import services as production

DEMO_FACTORY = Path(__file__).parent / "demo" / "factory.json"


@transaction.atomic
def seed(path: Path, *, slug: str, name: str, own_erp: bool = False) -> dict[str, int]:
    """Make the shop with everything the file says, or complete it; returns how many rows of each kind were new.

    `own_erp`: its stock and machines are in an ERP of its own, so no ledger is filled.
    """
    factory: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    shop, new_shop = Shop.objects.get_or_create(slug=slug, defaults={"name": name, "currency": factory["currency"]})
    counts = {"shops": int(new_shop)}
    counts["customers"] = sum(
        Customer.objects.get_or_create(shop=shop, name=customer["name"])[1] for customer in factory["customers"]
    )
    if not own_erp:
        counts |= inventory.seed_ledger(slug, factory, today=timezone.localdate(timezone=ZoneInfo(shop.time_zone)))
    counts |= production.seed_catalogue(slug, factory)
    return counts


def demo_logins(shop: Shop) -> list[tuple[str, str, str]]:
    """Make one login per role for trying the product on this machine; returns (role, name, password).

    The password comes from this installation's own key, so no two installations share one. A person who is there
    already keeps rights, role and password as they are now; a password that was changed is not known here.
    """
    logins = []
    for role in Role:
        name = f"{shop.slug}-{role.value}"
        password = hmac.new(settings.SECRET_KEY.encode(), name.encode(), hashlib.sha256).hexdigest()[:12]
        user = User.objects.filter(username=name).first()
        if user is None:
            boss = role is Role.ADMIN
            user = User.objects.create_user(name, password=password, is_staff=boss, is_superuser=boss)
            Membership.objects.create(shop=shop, user=user, role=role)
        logins.append((role.label, name, password if user.check_password(password) else "own password"))
    return logins


def issue_token(membership: Membership, *, name: str, days: int) -> str:
    """Make an API token for a person in a shop and return its secret, which is shown once."""
    return ApiToken.issue(membership, name=name, expires_at=timezone.now() + timedelta(days=days))[1]
