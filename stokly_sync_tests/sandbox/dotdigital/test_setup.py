"""What is set up once: data fields, lists and custom identifiers; contract section 2."""

from typing import Any

import pytest

from stokly_sync_tests.sandbox.dotdigital.bench import Bench, contact

pytestmark = pytest.mark.sandbox


def message(bench: Bench, method: str, path: str, body: Any = None) -> tuple[int, str]:
    answer = bench.call(method, path, body)
    return answer.status_code, answer.json()["message"].split()[-1]


def test_an_account_has_the_built_in_data_fields(bench: Bench) -> None:
    names = {row["name"] for row in bench.get("/v2/data-fields")}
    assert names == {"FIRSTNAME", "LASTNAME", "FULLNAME", "GENDER", "POSTCODE", "LASTSUBSCRIBED"}


def test_a_data_field_is_created_private_unless_told_otherwise(bench: Bench) -> None:
    answer = bench.call("POST", "/v2/data-fields", {"name": "STOKLY_LTV", "type": "Numeric"})
    field = {"name": "STOKLY_LTV", "type": "Numeric", "visibility": "Private", "defaultValue": None}
    assert (answer.status_code, answer.json()) == (201, field)
    assert field in bench.get("/v2/data-fields")


@pytest.mark.parametrize(
    "field",
    [
        {"name": "A" * 21, "type": "String"},
        {"name": "", "type": "String"},
        {"name": "with space", "type": "String"},
        {"name": "UMLAUT_Ä", "type": "String"},
        {"name": "A", "type": "Text"},
        {"name": "A"},
        {"type": "String"},
        {"name": "A", "type": "String", "visibility": "Hidden"},
        {"name": "A", "type": "Numeric", "defaultValue": "none"},
    ],
)
def test_a_name_over_20_characters_or_an_unknown_type_is_refused(bench: Bench, field: dict[str, str]) -> None:
    assert message(bench, "POST", "/v2/data-fields", field) == (400, "ERROR_DATAFIELD_INVALID")


def test_a_name_of_20_characters_is_taken(bench: Bench) -> None:
    assert bench.call("POST", "/v2/data-fields", {"name": "A" * 20, "type": "Date"}).status_code == 201


@pytest.mark.parametrize("name", ["STOKLY_LTV", "stokly_ltv", "firstname"])
def test_a_data_field_exists_once_whatever_its_case(bench: Bench, name: str) -> None:
    bench.ok("POST", "/v2/data-fields", {"name": "STOKLY_LTV", "type": "Numeric"})
    body = {"name": name, "type": "String"}
    assert message(bench, "POST", "/v2/data-fields", body) == (400, "ERROR_NON_UNIQUE_DATAFIELD")


def test_names_can_be_switched_to_compare_exactly(bench: Bench) -> None:
    bench.system.set_switches(exact_field_names=True)
    assert bench.call("POST", "/v2/data-fields", {"name": "firstname", "type": "String"}).status_code == 201


def test_a_v2_body_that_is_no_json_is_refused(bench: Bench) -> None:
    assert message(bench, "POST", "/v2/data-fields", b"no") == (400, "ERROR_MALFORMED_REQUEST")


def test_a_data_field_is_deleted_with_its_values_but_a_built_in_one_stays(bench: Bench) -> None:
    bench.ok("POST", "/v2/data-fields", {"name": "SHORT", "type": "String"})
    bench.load(contact(dataFields={"SHORT": "x", "FIRSTNAME": "Customer"}))
    assert bench.ok("DELETE", "/v2/data-fields/SHORT") == {"dependencies": None, "result": True}
    assert bench.get("/contacts/v3/email/c1@example.com")["dataFields"] == {"FIRSTNAME": "Customer"}
    assert bench.ok("DELETE", "/v2/data-fields/FIRSTNAME")["result"] is False
    assert message(bench, "DELETE", "/v2/data-fields/SHORT") == (404, "ERROR_DATAFIELD_NOTFOUND")


def test_an_account_has_two_lists_that_nobody_can_make_or_delete(bench: Bench) -> None:
    assert [row["name"] for row in bench.get("/v2/address-books")] == ["Test", "All Contacts"]
    assert message(bench, "POST", "/v2/address-books", {"name": "Test"}) == (400, "ERROR_ADDRESSBOOK_DUPLICATE")
    assert message(bench, "DELETE", "/v2/address-books/2") == (400, "ERROR_ADDRESSBOOK_NOTWRITABLE")


@pytest.mark.parametrize("status", [200, 201])
def test_a_list_is_created_with_200_or_201(bench: Bench, status: int) -> None:
    bench.system.set_switches(list_created_status=status)
    answer = bench.call("POST", "/v2/address-books", {"name": "Customers", "visibility": "Public"})
    body = answer.json()
    assert (answer.status_code, body.pop("id") > 2) == (status, True)
    assert body == {"name": "Customers", "visibility": "Public", "contacts": 0}


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "x" * 129}, {"name": "x", "visibility": "Open"}])
def test_a_list_needs_a_name_of_at_most_128_characters(bench: Bench, body: dict[str, str]) -> None:
    assert message(bench, "POST", "/v2/address-books", body) == (400, "ERROR_ADDRESSBOOK_INVALID")


def test_a_list_counts_its_contacts(bench: Bench) -> None:
    number = bench.ok("POST", "/v2/address-books", {"name": "Customers"})["id"]
    bench.load(contact("C1", lists=[number]), contact("C2", lists=[number]), contact("C3"))
    assert bench.get(f"/v2/address-books/{number}")["contacts"] == 2
    assert bench.get("/v2/address-books/2")["contacts"] == 3
    assert message(bench, "GET", "/v2/address-books/7") == (404, "ERROR_ADDRESSBOOK_NOT_FOUND")


def test_a_deleted_list_leaves_its_contacts(bench: Bench) -> None:
    number = bench.ok("POST", "/v2/address-books", {"name": "Customers"})["id"]
    bench.load(contact(lists=[number]))
    assert bench.call("DELETE", f"/v2/address-books/{number}").status_code == 204
    assert bench.get("/contacts/v3/email/c1@example.com")["lists"] == []


@pytest.mark.parametrize("query", [{"select": 0}, {"select": 1001}, {"select": "x"}, {"skip": -1}])
def test_a_v2_list_takes_select_1_to_1000_and_skip_from_0(bench: Bench, query: dict[str, Any]) -> None:
    assert bench.call("GET", "/v2/address-books", params=query).status_code == 400


def test_select_and_skip_page_until_no_row_is_left(bench: Bench) -> None:
    pages = [bench.get("/v2/address-books", select=1, skip=skip) for skip in range(3)]
    assert [[row["name"] for row in page] for page in pages] == [["Test"], ["All Contacts"], []]


def test_a_custom_identifier_is_created_once(bench: Bench) -> None:
    path, body = "/configuration/v3/customIdentifiers", {"name": "stokly-id"}
    first, second = bench.call("POST", path, body), bench.call("POST", path, body)
    assert (first.status_code, first.json()["name"]) == (201, "stokly-id")
    assert (second.status_code, second.json()["errorCode"]) == (409, "customIdentifiers:nameAlreadyExists")
    assert [row["name"] for row in bench.get(path)] == ["stokly-id"]


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("x" * 51, 400, "nameTooLong"),
        ("a b", 400, "badJson"),
        ("", 400, "badJson"),
        ("email", 409, "nameAlreadyExists"),
    ],
)
def test_the_name_of_a_custom_identifier_has_1_to_50_plain_characters(
    bench: Bench, name: str, status: int, code: str
) -> None:
    answer = bench.call("POST", "/configuration/v3/customIdentifiers", {"name": name})
    assert (answer.status_code, answer.json()["errorCode"]) == (status, f"customIdentifiers:{code}")


def test_an_account_has_room_for_some_custom_identifiers_only(bench: Bench) -> None:
    bench.system.set_switches(custom_identifiers=1)
    path = "/configuration/v3/customIdentifiers"
    assert [bench.call("POST", path, {"name": name}).status_code for name in "ab"] == [201, 412]


def test_a_deleted_custom_identifier_is_gone_from_every_contact(bench: Bench) -> None:
    path = "/configuration/v3/customIdentifiers"
    bench.ok("POST", path, {"name": "stokly-id"})
    bench.load(contact(identifiers={"email": "c1@example.com", "stokly-id": "42"}))
    assert bench.call("DELETE", f"{path}/stokly-id").status_code == 204
    assert bench.get("/contacts/v3/email/c1@example.com")["identifiers"] == {"email": "c1@example.com"}
    assert bench.call("DELETE", f"{path}/stokly-id").json()["errorCode"] == "customIdentifiers:notExist"
