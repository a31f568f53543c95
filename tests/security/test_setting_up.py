"""What setting up gives away: demo logins stay the person's own, and a server opens only when it is told to."""

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from orders.models import Membership, Role, Shop
from orders.seeding import demo_logins

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quick_hashes(settings):
    """Logins by the dozen: how slowly a password is hashed is Django's own matter."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def demo():
    return Shop.objects.create(slug="demo", name="Demo mill")


def test_a_new_demo_login_opens_with_the_password_that_is_printed(demo, client):
    for _, name, password in demo_logins(demo):
        assert client.login(username=name, password=password)
    assert User.objects.filter(is_superuser=True).get().username == "demo-admin"


def test_a_second_run_gives_nobody_back_rights_that_were_taken(demo):
    demo_logins(demo)
    User.objects.filter(username="demo-admin").update(is_staff=False, is_superuser=False)
    Membership.objects.filter(user__username="demo-admin").update(role=Role.OPERATOR)
    Membership.objects.filter(user__username="demo-sales").delete()
    demo_logins(demo)
    assert not User.objects.filter(is_superuser=True).exists()
    assert Membership.objects.get(user__username="demo-admin").role == Role.OPERATOR
    assert not Membership.objects.filter(user__username="demo-sales").exists()


def test_a_password_that_a_person_chose_is_neither_changed_nor_claimed_to_be_another(demo):
    demo_logins(demo)
    person = User.objects.get(username="demo-sales")
    person.set_password("a password of my own")
    person.save()
    assert next(said for _, name, said in demo_logins(demo) if name == "demo-sales") == "own password"
    person.refresh_from_db()
    assert person.check_password("a password of my own")


def test_each_shop_has_demo_logins_of_its_own(demo):
    demo_logins(demo)
    other = Shop.objects.create(slug="other", name="Other mill")
    names = {name for _, name, _ in demo_logins(other)}
    assert names == {f"other-{role}" for role in Role}
    assert Membership.objects.filter(shop=other).count() == len(names)
    assert not Membership.objects.filter(shop=other, user__username__startswith="demo-").exists()


def test_demo_logins_are_not_made_on_a_server_that_others_reach(settings):
    settings.ALLOWED_HOSTS = ["localhost", "orders.mill.example"]
    with pytest.raises(CommandError, match="ALLOWED_HOSTS"):
        call_command("seed", "--logins")
    assert not User.objects.exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "", "192.168.1.7", "[::]"])
def test_a_server_that_is_meant_for_one_machine_does_not_listen_to_others(settings, host, monkeypatch):
    def started(*args, **options):
        raise AssertionError("a server was started")

    monkeypatch.setattr("orders.management.commands.serve.subprocess.Popen", started)
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
    with pytest.raises(CommandError, match="ALLOWED_HOSTS"):
        call_command("serve", f"--host={host}")
