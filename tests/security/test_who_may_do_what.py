"""Deny by default: every address × method × person stands in a table, and an address without a row fails."""

import datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from orders import services
from orders.models import ApiToken, Membership, OrderLine, Role, Shop

PEOPLE = ("anonymous", "stranger", *[role.value for role in Role])
ALL = set(PEOPLE) - {"anonymous", "stranger"}
SELL, DESIGN, PLAN = {"sales", "admin"}, {"sales", "designer", "admin"}, {"sales", "planner", "admin"}

# address -> {method: roles that get through}. Whoever is not listed gets 401, 403 or 404.
API = {
    "/api/orders/": {"get": ALL, "post": SELL},
    "/api/orders/{order}/": {"get": ALL},
    "/api/lines/": {"get": ALL},
    "/api/lines/{line}/": {"get": ALL},
    "/api/lines/{line}/approve/": {"post": DESIGN},
    "/api/lines/{line}/revise/": {"post": DESIGN},
    "/api/lines/{line}/cancel/": {"post": SELL},
    "/api/lines/{line}/resume/": {"post": PLAN},
    "/api/candidates/1/": {"get": ALL},
    "/api/candidates/1/preview/": {"get": ALL},
    "/api/lines/{line}/files/ticket.pdf": {"get": ALL},
    "/api/stock/": {"get": ALL},
    "/api/work_centres/": {"get": ALL},
}
PAGES = {"/": ALL, "/lines/{line}/": ALL, "/lines/{line}/cancel/": SELL, "/new/": SELL}
OPEN = {"/live", "/ready", "/login/", "/logout/"}
SIGNED_IN = {"/api/schema/", "/api/docs/"}
ADMIN = "/admin/"
METHODS = ("get", "post", "put", "patch", "delete")
SHUT = {401, 403, 404, 405}


@pytest.fixture
def people(mill):
    """A logged-in client for each person; the stranger is an administrator of another shop."""
    other = Shop.objects.create(slug="other", name="Another mill")
    clients = {"anonymous": Client()}
    for name in PEOPLE[1:]:
        user = User.objects.create_user(name)
        role = Role.ADMIN if name == "stranger" else Role(name)
        Membership.objects.create(shop=other if name == "stranger" else mill, user=user, role=role)
        clients[name] = Client()
        clients[name].force_login(user)
    return clients


@pytest.fixture
def line(mill):
    new = services.NewLine(
        words="stripes", quantity_m=5, layout="straight", repeat_mm=(100, 100), substrate="FAB-COT-SAT", due_in_days=30
    )
    return services.place(mill, customer="Atelier Nord", lines=[new], by=None).lines.get()


def filled(address, line):
    return address.format(order=line.order.number, line=line.reference)


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("address", API)
def test_an_api_address_lets_through_only_who_is_listed(people, line, address, person):
    for method in METHODS:
        body = {} if method == "get" else {"data": "{}", "content_type": "application/json"}
        answer = getattr(people[person], method)(filled(address, line), **body)
        if method not in API[address]:
            assert answer.status_code in SHUT, (method, answer.status_code)
        elif person in API[address][method]:
            assert answer.status_code not in {401, 403}, (method, answer.content)
        elif person == "stranger":
            # Another shop's people may ask, and find nothing that is ours.
            assert line.reference.encode() not in answer.content
            assert answer.status_code in {200, 400, 404}
        else:
            assert answer.status_code in ({401} if person == "anonymous" else {403}), (method, answer.status_code)


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("address", PAGES)
def test_a_page_lets_through_only_who_is_listed(people, line, address, person):
    method = people[person].post if "cancel" in address else people[person].get
    answer = method(filled(address, line))
    if person == "anonymous":
        assert answer.status_code == 302
        assert answer["Location"].startswith("/login/")
    elif person == "stranger":
        assert line.reference.encode() not in answer.content
        if "{line}" in address:
            assert answer.status_code == 404
    elif person in PAGES[address]:
        assert answer.status_code in {200, 302}
    else:
        assert answer.status_code == 403


@pytest.mark.parametrize("person", PEOPLE)
def test_the_admin_pages_open_for_nobody_without_staff_rights(people, person):
    assert people[person].get("/admin/").status_code == 302


@pytest.mark.django_db
def test_the_description_of_the_api_is_for_people_who_are_signed_in():
    for address in SIGNED_IN:
        assert Client().get(address).status_code in {401, 403}


def _addresses(resolver, prefix=""):
    for entry in resolver.url_patterns:
        here = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            if not here.startswith("admin/"):
                yield from _addresses(entry, here)
        elif isinstance(entry, URLPattern):
            yield here


def test_every_address_stands_in_a_table(mill, line):
    known = [*API, *PAGES, *OPEN, *SIGNED_IN]
    resolver = get_resolver()
    covered = {resolver.resolve(filled(address, line)).route for address in known}
    assert {address.replace("^", "") for address in _addresses(resolver)} - covered == set()


def test_a_token_is_kept_only_as_a_digest_and_ends_when_it_should(mill):
    user = User.objects.create_user("script")
    membership = Membership.objects.create(shop=mill, user=user, role=Role.PLANNER)
    token, secret = ApiToken.issue(membership, name="t", expires_at=timezone.now() + datetime.timedelta(days=1))
    assert secret not in str(ApiToken.objects.filter(pk=token.pk).values().get())
    header = {"Authorization": f"Bearer {secret}"}
    assert Client().get("/api/stock/", headers=header).status_code == 200
    assert Client().post("/api/orders/", "{}", content_type="application/json", headers=header).status_code == 403
    ApiToken.objects.update(expires_at=timezone.now())
    assert Client().get("/api/stock/", headers=header).status_code == 401
    assert Client().get("/api/stock/", headers={"Authorization": "Bearer wl_nonsense"}).status_code == 401


def test_nothing_of_another_shop_is_changed_by_its_number(people, line):
    services.submit(OrderLine.objects.select_related("order__shop").get(pk=line.pk), by=None)
    assert people["stranger"].post(f"/api/lines/{line.reference}/cancel/").status_code == 404
    line.refresh_from_db()
    assert line.state == "generating"
