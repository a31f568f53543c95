"""The connection's user may do what the README says and no more; what is taken from it is named in words."""

import uuid

import pytest

from inventory_sync import services
from inventory_sync.connectors.odoo_session import forget_sessions
from inventory_sync.errors import ErpRejected
from tests import odoo_server
from tests.odoo_world import CONNECTORS, each, shop_on

pytestmark = pytest.mark.django_db


@pytest.fixture(params=each("odoo 14", "odoo 19"))
def server(request):
    return odoo_server.server(CONNECTORS[request.param][1])


@pytest.fixture
def user(server):
    """A user with the rights of `connector`, whom nobody else is at this moment; its password is its login."""
    (like,) = server.ask("res.users", "search", [("login", "=", "connector")])
    login = f"least-{uuid.uuid4().hex[:12]}"
    copied = server.ask(
        "res.users", "copy", [like], {"login": login, "name": login, "password": login, "email": f"{login}@example.com"}
    )
    user = copied[0] if isinstance(copied, list) else copied
    yield user, login
    server.ask("res.users", "write", [user], {"active": False})


@pytest.fixture
def erp(server, user):
    _, login = user
    return services.connect("odoo", shop=shop_on(server, login=login, key=login))


@pytest.mark.parametrize(
    ("model", "method", "named"),
    [
        ("res.users", "write", {"vals": {"name": "somebody else"}}),
        ("res.groups", "write", {"vals": {"name": "another group"}}),
        ("res.company", "unlink", {}),
        ("ir.config_parameter", "set_param", {"key": "database.uuid", "value": "another"}),
        ("ir.config_parameter", "get_param", {"key": "database.secret"}),
        ("ir.model.access", "search_read", {"domain": [], "fields": ["name"]}),
        ("ir.actions.server", "write", {"vals": {"name": "another action"}}),
        ("res.users", "unlink", {}),
    ],
)
def test_users_rights_and_settings_are_not_the_connections_to_touch(server, erp, model, method, named):
    admin = server.ask("res.users", "search", [("login", "=", "admin")])
    ids = (admin if model == "res.users" else [1]) if method in {"write", "unlink"} else None
    with pytest.raises(ErpRejected, match="may not do that in Odoo"):
        erp.session.rpc.call(model, method, ids, writes=True, **named)


# The group as an administrator finds it -> what the connection then can't do.
GROUPS = {
    "sales_team.group_sale_salesman": "sale.order",
    "mrp.group_mrp_user": "mrp.workcenter",
}


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_that_is_taken_away_is_missed_by_name(server, user, erp, group):
    assert list(erp.problems()) == []
    before = rights(server, user)
    (module, name) = group.split(".")
    (row,) = server.rows("ir.model.data", [("module", "=", module), ("name", "=", name)], ["res_id"])
    # What implies the group goes with it, or it would still be there.
    gone = {row["res_id"]}
    while above := set(server.ask("res.groups", "search", [("implied_ids", "in", list(gone))])) - gone:
        gone |= above
    set_rights(server, user, [group for group in before if group not in gone])
    forget_sessions()
    said = list(erp.problems())
    assert any(GROUPS[group] in sentence and "group" in sentence for sentence in said), said
    set_rights(server, user, before)
    forget_sessions()
    assert list(erp.problems()) == []


def rights(server, user):
    field = "group_ids" if server.major >= 19 else "groups_id"
    return server.rows("res.users", [("id", "=", user[0])], [field])[0][field]


def set_rights(server, user, groups):
    field = "group_ids" if server.major >= 19 else "groups_id"
    server.ask("res.users", "write", [user[0]], {field: [[6, 0, groups]]})
