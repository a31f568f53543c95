"""Deny by default: every address × method × person stands in a table, and an address without a row fails."""

import datetime

import cv2
import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from generation.models import LatentSpace
from orders import services
from orders.models import ApiToken, Candidate, Membership, OrderLine, Pin, PlanRun, Role
from orders.web.orderform import keep_picture
from production.models import Inspection, PlanVersion

PEOPLE = ("anonymous", "stranger", *[role.value for role in Role])
ALL = set(PEOPLE) - {"anonymous", "stranger"}
SELL, DESIGN, PLAN = {"sales", "admin"}, {"sales", "designer", "admin"}, {"sales", "planner", "admin"}
SEND, STUDIO = {"planner", "admin"}, {"designer", "admin"}
FLOOR = {"operator", "planner", "admin"}

# address -> {method: roles that get through}. Whoever is not listed gets 401, 403 or 404.
API = {
    "/api/orders/": {"get": ALL, "post": SELL},
    "/api/orders/{order}/": {"get": ALL},
    "/api/lines/": {"get": ALL},
    "/api/lines/{line}/": {"get": ALL},
    "/api/lines/{line}/approve/": {"post": DESIGN},
    "/api/lines/{line}/revise/": {"post": DESIGN},
    "/api/lines/{line}/explore/": {"post": DESIGN},
    "/api/lines/{line}/designs/stream/": {"get": ALL},
    "/api/lines/{line}/change/": {"post": SELL},
    "/api/lines/{line}/change/proposal/": {"post": SELL},
    "/api/lines/{line}/cancel/": {"post": SELL},
    "/api/lines/{line}/resume/": {"post": PLAN},
    "/api/lines/{line}/send/": {"post": SEND},
    "/api/lines/{line}/scans/": {"post": FLOOR},
    "/api/lines/{line}/inspections/": {"get": ALL},
    "/api/lines/{line}/inspections/{inspection}/": {"get": ALL},
    "/api/lines/{line}/inspections/{inspection}/decide/": {"post": FLOOR},
    "/api/lines/{line}/inspections/{inspection}/verdicts/": {"get": ALL, "post": FLOOR},
    "/api/candidates/{candidate}/": {"get": ALL},
    "/api/candidates/{candidate}/preview/": {"get": ALL},
    "/api/candidates/{candidate}/alike/": {"get": SELL},
    "/api/candidates/{candidate}/exclusive/": {"post": SELL},
    "/api/candidates/{candidate}/quotation/": {"get": SELL},
    "/api/lines/{line}/files/ticket.pdf": {"get": ALL},
    "/api/stock/": {"get": ALL},
    "/api/work_centres/": {"get": ALL},
    "/api/erp/outbox/": {"get": ALL},
    "/api/erp/outbox/{step}/retry/": {"post": PLAN},
    "/api/erp/notices/": {"get": ALL},
    "/api/erp/notices/{notice}/settle/": {"post": PLAN},
    "/api/lines/{line}/prioritise/": {"post": PLAN},
    "/api/lines/{line}/quote/release/": {"post": SELL},
    "/api/candidates/{candidate}/quote/": {"post": SELL},
    "/api/plans/": {"get": ALL, "post": SEND},
    "/api/plans/{plan}/": {"get": ALL},
    "/api/plans/{plan}/publish/": {"post": SEND},
    "/api/plans/{plan}/difference/": {"get": ALL},
    "/api/plans/{plan}/gantt/": {"get": ALL},
    "/api/plans/{plan}/why/": {"get": ALL},
    "/api/plans/replan/": {"post": SEND},
    "/api/plans/what_if/": {"post": SEND},
    "/api/plans/runs/": {"get": ALL},
    "/api/plans/runs/{run}/": {"get": ALL},
    "/api/plans/runs/{run}/cancel/": {"post": SEND},
    "/api/promise/": {"post": PLAN},
}
PAGES = {
    "/": {"get": ALL},
    "/new/": {"get": SELL, "post": SELL},
    "/new/inquiry/": {"post": SELL},
    "/new/cloth/": {"get": SELL},
    "/new/customers/": {"get": SELL},
    "/new/picture/": {"post": SELL},
    "/new/picture/{picture}/": {"get": SELL},
    "/lines/{line}/repeat/": {"get": SELL},
    "/lines/{line}/strike-off/": {"post": SELL},
    "/lines/{line}/": {"get": ALL},
    "/lines/{line}/state/": {"get": ALL},
    "/lines/{line}/designs/{candidate}/": {"get": ALL},
    "/lines/{line}/compare/": {"get": ALL},
    "/lines/{line}/inquire/": {"get": PLAN},
    "/lines/{line}/approve/": {"post": DESIGN},
    "/lines/{line}/revise/": {"post": DESIGN},
    "/lines/{line}/explore/": {"post": DESIGN},
    "/lines/{line}/change/": {"post": SELL},
    "/lines/{line}/quote/": {"post": SELL},
    "/lines/{line}/unquote/": {"post": SELL},
    "/lines/{line}/submit/": {"post": SELL},
    "/lines/{line}/cancel/": {"post": SELL},
    "/lines/{line}/resume/": {"post": PLAN},
    "/lines/{line}/send/": {"post": SEND},
    "/lines/{line}/link/": {"get": ALL, "post": SELL},
    "/lines/{line}/link/{link}/close/": {"post": SELL},
    "/lines/{line}/pins/{pin}/": {"post": DESIGN},
    "/lines/{line}/wishes/{wish}/": {"post": SELL},
    "/lines/{line}/wishes/{wish}/draw/": {"post": DESIGN},
    "/lines/{line}/inspection/": {"get": ALL},
    "/lines/{line}/inspection/scans/": {"post": FLOOR},
    "/lines/{line}/inspection/{inspection}/": {"get": ALL},
    "/lines/{line}/inspection/{inspection}/part/": {"get": ALL},
    "/lines/{line}/inspection/{inspection}/look/": {"get": ALL},
    "/lines/{line}/inspection/{inspection}/defects/1/": {"post": FLOOR},
    "/lines/{line}/inspection/{inspection}/decide/": {"post": FLOOR},
    "/lines/{line}/inspection/{inspection}/foresee/": {"get": FLOOR},
    "/lines/{line}/inspection/{inspection}/report.pdf": {"get": ALL},
    "/lines/{line}/inspection/{inspection}/pictures/scan-0000.jpg": {"get": ALL},
    "/studio/": {"get": ALL},
    "/studio/learned/": {"get": DESIGN},
    "/studio/learned/decisions.jsonl": {"get": DESIGN},
    "/studio/spaces/": {"get": DESIGN, "post": STUDIO},
    "/studio/spaces/{space}/": {"get": DESIGN},
    "/studio/spaces/{space}/look.png": {"get": DESIGN},
    "/studio/spaces/{space}/axis/": {"post": STUDIO},
    "/studio/spaces/{space}/draw/": {"post": DESIGN},
    "/studio/{line}/": {"get": ALL},
    "/studio/{line}/{candidate}/near/": {"get": DESIGN},
    "/studio/{line}/{candidate}/provenance.pdf": {"get": DESIGN},
    "/studio/{line}/{candidate}/coloured.png": {"get": DESIGN},
    "/studio/{line}/decide/": {"post": STUDIO},
    "/studio/{line}/again/": {"post": DESIGN},
    "/studio/{line}/recolour/": {"post": DESIGN},
    "/studio/{line}/upload/": {"post": STUDIO},
    "/board/": {"get": ALL},
    "/board/data/": {"get": ALL},
    "/board/draft/": {"post": SEND},
    "/board/keep/": {"post": SEND},
    "/board/able/": {"post": ALL},
    "/board/why/": {"post": ALL},
    "/board/priority/": {"post": PLAN},
    "/board/place/": {"post": PLAN},
    "/board/move/": {"post": SEND},
    "/board/plans/{plan}/": {"get": ALL},
    "/board/plans/{plan}/publish/": {"post": SEND},
    "/board/ask/": {"post": SEND},
    "/board/runs/": {"get": ALL},
    "/board/runs/{run}/": {"get": ALL},
    "/board/runs/{run}/stop/": {"post": SEND},
    "/board/whatif/": {"get": ALL, "post": SEND},
    "/board/whatif/{run}/adopt/": {"post": SEND},
    "/floor/": {"get": ALL},
    "/floor/{line}/": {"get": ALL},
    "/floor/{line}/work/": {"get": ALL},
    "/floor/{line}/report/": {"post": {"operator", "planner", "admin"}},
    "/dashboard/": {"get": ALL},
    "/dashboard/speed/": {"get": ALL},
    "/dashboard/costs/": {"get": {"sales", "planner", "admin"}},
    "/drift/": {"get": ALL},
    "/drift/accept/": {"post": SEND},
    "/drift/decline/": {"post": SEND},
    "/erp/": {"get": ALL},
    "/erp/retry/{step}/": {"post": PLAN},
    "/erp/settle/{notice}/": {"post": PLAN},
}
OPEN = {"/live", "/ready", "/login/", "/logout/", "/offline/", "/offline.js"}
# Open to whoever has the right token, and to nobody else: tests/web/test_customer_pages.py.
BY_LINK = {
    "/c/{token}/", "/c/{token}/opened/", "/c/{token}/progress/", "/c/{token}/pictures/{candidate}/", "/c/{token}/turn/",
    "/c/{token}/pins/", "/c/{token}/ask/", "/c/{token}/approve/",
}  # fmt: skip
SIGNED_IN = {"/api/schema/", "/api/docs/", "/home/", "/preferences/", "/studio/training/5.png"}
PNG = cv2.imencode(".png", np.zeros((64, 64, 3), np.uint8))[1].tobytes()
METHODS = ("get", "post", "put", "patch", "delete")
SHUT = {401, 403, 404, 405}
# A body that is right for each verb, so that nobody is turned away for what they wrote before it is seen who they are.
BODIES = {
    "approve": {"candidate": 1},
    "revise": {"words": "wider stripes"},
    "explore": {"kind": "x", "candidates": [1]},
    "change": {"quantity_m": "7"},
    "proposal": {"quantity_m": "7"},
    "prioritise": {"priority": 4},
    "decide": {"decision": "pass"},
    "verdicts": {"defect": 1, "confirmed": True},
}
QUERIES = {
    "why": "?operation=A.1", "coloured.png": "?c=ffffff-203040", "look.png": "?candidate={candidate}&axis0=0.5",
}  # fmt: skip


def filled(address, line):
    candidate, step, notice = Candidate.objects.get(round__line=line), line.steps.get(kind="quote"), line.notices.get()
    numbers = {"candidate": candidate.pk, "step": step.pk, "notice": notice.pk}
    numbers |= {"token": "a.b", "link": line.links.get().pk, "wish": line.wishes.get().pk}
    numbers["pin"] = Pin.objects.get(candidate__round__line=line).pk
    numbers["picture"] = keep_picture(SimpleUploadedFile("p.png", PNG), generator="quick").token(line.order.shop)
    numbers |= {"plan": PlanVersion.objects.get(shop="demo").number, "run": PlanRun.objects.first().pk}
    query = QUERIES.get(address.rstrip("/").rpartition("/")[2], "")
    numbers["inspection"] = Inspection.objects.get(shop="demo").number
    numbers["space"] = LatentSpace.objects.get(shop="demo").pk
    return f"{address}{query}".format(order=line.order.number, line=line.reference, **numbers)


def read(answer):
    """What was answered, read to its end, which closes a file."""
    return answer.getvalue()


def body_for(address):
    return BODIES.get(address.rstrip("/").rpartition("/")[2], {})


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("address", API)
def test_an_api_address_lets_through_only_who_is_listed(people, line, address, person):
    for method in METHODS:
        body = {} if method == "get" else {"data": body_for(address), "content_type": "application/json"}
        answer = getattr(people[person], method)(filled(address, line), **body)
        said = read(answer)
        if method not in API[address]:
            assert answer.status_code in SHUT, (method, answer.status_code)
        elif person in API[address][method]:
            # What is not checked yet has no price to quote.
            fine = {200, 201, 202, 400, 409} if method != "get" or "quotation" in address else {200}
            assert answer.status_code in fine, (method, answer.status_code)
        elif person == "stranger":
            # Another shop's people may ask, and find nothing that is ours.
            assert line.reference.encode() not in said
            ours = "{" in address
            assert answer.status_code in ({404} if ours else {200, 202, 400}), (method, answer.status_code)
        else:
            assert answer.status_code == (401 if person == "anonymous" else 403), (method, answer.status_code)


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("address", PAGES)
def test_a_page_lets_through_only_who_is_listed(people, line, address, person):
    for method, listed in PAGES[address].items():
        answer = getattr(people[person], method)(filled(address, line), body_for(address) if method == "post" else {})
        if person == "anonymous":
            assert answer.status_code == 302
            assert answer["Location"].startswith("/login/")
        elif person == "stranger":
            assert line.reference.encode() not in read(answer)
            assert answer.status_code in ({404} if "{" in address else {200, 400}), (method, answer.status_code)
        elif person in listed:
            fine = {200} if method == "get" else {200, 302, 400, 409}
            assert answer.status_code in fine, (method, answer.status_code)
        else:
            assert answer.status_code == 403, (method, answer.status_code)


@pytest.mark.parametrize(
    "verb",
    ["approve", "revise", "explore", "change", "quote", "unquote", "submit", "cancel", "resume", "send"],
)
def test_nothing_is_done_by_looking_at_an_address(people, line, verb):
    assert people["admin"].get(f"/lines/{line.reference}/{verb}/").status_code == 405


@pytest.mark.parametrize("address", ["/erp/retry/{step}/", "/erp/settle/{notice}/"])
def test_nothing_is_said_to_the_erp_by_looking_at_an_address(people, line, address):
    assert people["admin"].get(filled(address, line)).status_code == 405


@pytest.mark.parametrize(
    "address",
    [address for address, methods in [*API.items(), *PAGES.items()] if "post" in methods],
)
def test_another_site_can_t_post_in_a_person_s_name(people, line, address):
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.get(username="admin"))
    content = {"content_type": "application/json"} if address.startswith("/api/") else {}
    assert client.post(filled(address, line), body_for(address), **content).status_code == 403
    line.refresh_from_db()
    assert line.state == "draft"


def test_a_person_can_t_choose_a_shop_that_is_not_theirs(people, line):
    for address in ("/api/lines/", f"/api/lines/{line.reference}/"):
        assert people["stranger"].get(address, headers={"X-Shop": "demo"}).status_code == 403


def test_a_file_s_size_may_be_asked_for_before_it_is_fetched(people, line):
    address = f"/api/lines/{line.reference}/files/ticket.pdf"
    answer = people["operator"].head(address)
    read(answer)
    assert (answer.status_code, answer["Content-Length"]) == (200, "22")
    assert people["stranger"].head(address).status_code == 404


def test_where_a_file_lies_on_the_server_is_not_told(people, line, settings):
    answer = people["admin"].get(f"/api/lines/{line.reference}/")
    (file,) = answer.json()["files"]
    assert file["name"] == "ticket.pdf"
    assert str(settings.VAR_DIR).encode() not in answer.content


@pytest.mark.parametrize("query", ["size=63", "size=2049", "size=-1", "size=x", "size=", "repeats=0", "repeats=5"])
def test_nobody_can_ask_for_a_picture_of_any_size(people, line, query):
    answer = people["sales"].get(filled("/api/candidates/{candidate}/preview/", line) + f"?{query}")
    assert (answer.status_code, answer.json()["fields"]["field"]) == (400, query.partition("=")[0])


@pytest.mark.parametrize("person", PEOPLE)
def test_the_admin_pages_open_for_nobody_without_staff_rights(people, person):
    assert people[person].get("/admin/").status_code == 302


@pytest.mark.django_db
def test_the_description_of_the_api_is_for_people_who_are_signed_in():
    for address in SIGNED_IN:
        assert Client().get(address).status_code in {302, 401, 403}


def _addresses(resolver, prefix=""):
    for entry in resolver.url_patterns:
        here = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            if not here.startswith("admin/"):
                yield from _addresses(entry, here)
        elif isinstance(entry, URLPattern):
            yield here


def test_every_address_stands_in_a_table(mill, line):
    known = [*API, *PAGES, *OPEN, *BY_LINK, *SIGNED_IN]
    resolver = get_resolver()
    covered = {resolver.resolve(filled(address, line).partition("?")[0]).route for address in known}
    assert {address.replace("^", "") for address in _addresses(resolver)} - covered == set()


def test_a_token_is_kept_only_as_a_digest_and_ends_when_it_should(mill):
    user = User.objects.create_user("script")
    membership = Membership.objects.create(shop=mill, user=user, role=Role.PLANNER)
    token, secret = ApiToken.issue(membership, name="t", expires_at=timezone.now() + datetime.timedelta(days=1))
    assert secret not in str(ApiToken.objects.filter(pk=token.pk).values().get())
    header = {"Authorization": f"Bearer {secret}"}
    assert Client().get("/api/stock/", headers=header).status_code == 200
    assert Client().post("/api/orders/", "{}", content_type="application/json", headers=header).status_code == 403
    User.objects.update(is_active=False)
    assert Client().get("/api/stock/", headers=header).status_code == 401
    User.objects.update(is_active=True)
    assert Client().get("/api/stock/", headers=header).status_code == 200
    ApiToken.objects.update(expires_at=timezone.now())
    assert Client().get("/api/stock/", headers=header).status_code == 401
    assert Client().get("/api/stock/", headers={"Authorization": "Bearer wl_nonsense"}).status_code == 401


def test_nothing_of_another_shop_is_changed_by_its_number(people, line):
    services.submit(OrderLine.objects.select_related("order__shop").get(pk=line.pk), by=None)
    assert people["stranger"].post(f"/api/lines/{line.reference}/cancel/").status_code == 404
    line.refresh_from_db()
    assert line.state == "generating"


def test_a_person_who_may_no_longer_log_in_is_out_at_once(people, line):
    User.objects.filter(username="admin").update(is_active=False)
    assert people["admin"].get("/api/lines/").status_code == 401
    assert people["admin"].get("/").status_code == 302
