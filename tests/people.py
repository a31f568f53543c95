"""People of a shop who have signed in."""

from django.contrib.auth.models import User
from django.test import Client

from orders.models import Membership


def signed_in(shop, role, name=""):
    """A browser of a member with this role, who is its `user`; named after the role where no name is given."""
    user = User.objects.create_user(name or str(role))
    Membership.objects.create(shop=shop, user=user, role=role)
    client = Client()
    client.force_login(user)
    client.user = user
    return client
