"""The description of the API says what the API does."""

import json
import re

import pytest
from django.contrib.auth.models import User

from orders.api.serializers import ORDER_EXAMPLE

pytestmark = pytest.mark.django_db


@pytest.fixture
def schema(client):
    client.force_login(User.objects.create_user("anna"))
    return client.get("/api/schema/?format=json").json()


@pytest.mark.parametrize(
    ("address", "shape"),
    [
        ("/api/orders/", "PaginatedOrderBriefList"),
        ("/api/orders/{number}/", "OrderView"),
        ("/api/lines/", "PaginatedLineBriefList"),
        ("/api/lines/{reference}/", "LineView"),
    ],
)
def test_lists_and_single_things_are_described_with_what_they_answer(schema, address, shape):
    answers = schema["paths"][address]["get"]["responses"]
    assert answers["200"]["content"]["application/json"]["schema"] == {"$ref": f"#/components/schemas/{shape}"}
    assert answers["404"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/ErrorView"}


@pytest.mark.parametrize("shape", ["OrderInput", "LineInput", "ApproveInput", "ReviseInput"])
def test_what_goes_in_has_no_fields_but_those_described(schema, shape):
    assert schema["components"]["schemas"][shape]["additionalProperties"] is False


def test_what_a_line_may_say_is_described_as_it_is_checked(schema):
    fields = schema["components"]["schemas"]["LineInput"]["properties"]
    assert schema["components"]["schemas"]["LayoutEnum"]["enum"] == [
        "straight", "half_drop", "third_drop", "half_brick", "mirror",
    ]  # fmt: skip
    number, text = fields["quantity_m"]["oneOf"]
    assert number["minimum"] > 0
    assert re.match(text["pattern"], ORDER_EXAMPLE["lines"][0]["quantity_m"])
    for wrong in ("-3", "", "1e5", "12.555"):
        assert not re.match(text["pattern"], wrong)


def test_the_bounds_of_a_preview_are_described(schema):
    asked = schema["paths"]["/api/candidates/{id}/preview/"]["get"]["parameters"]
    bounds = {
        each["name"]: (each["schema"]["minimum"], each["schema"]["maximum"]) for each in asked if each["in"] == "query"
    }
    assert bounds == {"size": (64, 2048), "repeats": (1, 4)}


def test_where_files_lie_on_the_server_is_not_told(schema):
    assert set(schema["components"]["schemas"]["FileView"]["properties"]) == {"name", "format", "sha256", "url"}
    assert "ErrorView" in json.dumps(schema)
