"""Bulk import of insight data, and what types and keys it takes: contract section 3."""

from decimal import Decimal
from typing import Any

import pytest

from stokly_sync_tests.sandbox.dotdigital.bench import CATALOGUE, Bench, Record, contact, email_of, order, product

pytestmark = pytest.mark.sandbox


@pytest.fixture
def shop(bench: Bench) -> Bench:
    """A sandbox with two contacts."""
    bench.load(contact("C1"), contact("C2"))
    return bench


def orders(bench: Bench) -> dict[str, Record]:
    return {row["key"]: row["json"] for row in bench.get("/insightData/v3/contacts/Orders")["_items"]}


def test_an_import_goes_from_not_started_to_processing_to_finished(shop: Bench) -> None:
    shop.system.set_switches(import_delay=2)
    number = shop.insight(order())
    seen = []
    for _ in range(3):
        seen.append(shop.get(f"/insightData/v3/import/{number}")["status"])
        shop.clock.advance(1)
    assert seen == ["NotStarted", "Processing", "Finished"]


def test_a_finished_import_can_be_called_complete(shop: Bench) -> None:
    shop.system.set_switches(done="Complete")
    number = shop.insight(order())
    shop.clock.advance(1)
    assert shop.get(f"/insightData/v3/import/{number}")["status"] == "Complete"


def test_the_report_counts_and_names_what_was_refused(shop: Bench) -> None:
    bad = order("O2", owner="NOBODY", order_total=Decimal("1.0"))
    report = shop.load_insight(order("O1"), bad)
    assert (report["collectionName"], report["summary"]) == (
        "Orders",
        {"totalRecords": 2, "totalImported": 1, "totalRejected": 1},
    )
    assert report["failures"] == [
        {
            "key": "O2",
            "json": bad["json"],
            "collectionOwner": {"ownerType": "contact", "contactIdentity": bad["contactIdentity"]},
            "failureReason": "ContactEmailDoesNotExist",
            "details": ["email"],
        }
    ]


def test_a_report_without_failures_has_no_such_member(shop: Bench) -> None:
    assert "failures" not in shop.load_insight(order())


def test_an_order_never_creates_a_contact(bench: Bench) -> None:
    assert bench.reasons(order()) == ["ContactEmailDoesNotExist"]
    assert bench.call("GET", "/v2/contacts/count").text == "0"


@pytest.mark.parametrize(
    ("identity", "reason"),
    [
        ({"identifier": "contactId", "value": "7"}, "ContactIdDoesNotExist"),
        ({"identifier": "mobileNumber", "value": "447123123123"}, "ContactPhoneNumberDoesNotExist"),
        ({"identifier": "stokly-id", "value": "9"}, "ContactCustomIdentifierValueDoesNotExist"),
        ({"identifier": "unknown", "value": "9"}, "InvalidContactIdentifierType"),
        ({"identifier": "email", "value": "none"}, "InvalidContactIdentifier"),
        ({"identifier": "email", "value": None}, "InvalidContactIdentifier"),
        (None, "InvalidContactIdentifier"),
    ],
)
def test_an_order_needs_an_owner_that_exists(shop: Bench, identity: Any, reason: str) -> None:
    shop.ok("POST", "/configuration/v3/customIdentifiers", {"name": "stokly-id"})
    assert shop.reasons({**order(), "contactIdentity": identity}) == [reason]


def test_an_owner_can_be_named_by_any_identifier(bench: Bench) -> None:
    bench.ok("POST", "/configuration/v3/customIdentifiers", {"name": "stokly-id"})
    made = bench.load(contact(identifiers={"email": email_of("C1"), "stokly-id": "1"}))["created"][0]["contactId"]
    named = [{"identifier": "stokly-id", "value": "1"}, {"identifier": "contactId", "value": made}]
    assert bench.reasons(*({**order(f"O{n}"), "contactIdentity": one} for n, one in enumerate(named))) == []


def test_an_account_record_has_no_owner(bench: Bench) -> None:
    record = {**product(), "contactIdentity": {"identifier": "email", "value": email_of("C1")}}
    assert bench.reasons(record, **CATALOGUE) == ["InvalidContactIdentifier"]


def test_a_second_import_replaces_the_whole_record(shop: Bench) -> None:
    shop.load_insight(order(order_status="new", note="x"))
    shop.load_insight(order(order_status="refunded"))
    assert orders(shop) == {"O1": {"id": "O1", "currency": "GBP", "order_status": "refunded"}}


def test_a_second_import_can_be_switched_to_merge(shop: Bench) -> None:
    shop.system.set_switches(bulk_upsert="merge")
    shop.load_insight(order(order_status="new", note="x"))
    shop.load_insight(order(order_status="refunded"))
    assert orders(shop)["O1"]["note"] == "x"


def test_an_import_makes_its_collection_with_scope_and_type(shop: Bench) -> None:
    shop.load_insight(order())
    assert shop.get("/insightData/v3/collections") == [
        {"collectionName": "Orders", "collectionType": "orders", "collectionScope": "contact", "recordCount": 1}
    ]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"collectionName": "my orders"}, "invalidId"),
        ({"collectionName": "1orders"}, "invalidId"),
        ({"collectionScope": "all"}, "badJson"),
        ({"collectionType": "invoices"}, "badJson"),
        ({"records": [1]}, "badJson"),
        ({"collectionType": "custom"}, "badJson"),
    ],
)
def test_a_bad_or_another_collection_refuses_the_whole_import(shop: Bench, more: Record, code: str) -> None:
    shop.load_insight(order())
    body = {"collectionName": "Orders", "collectionScope": "contact", "collectionType": "orders", "records": [order()]}
    answer = shop.call("PUT", "/insightData/v3/import", {**body, **more})
    assert (answer.status_code, answer.json()["errorCode"]) == (400, f"insightData:{code}")


def test_5_imports_are_active_at_once_and_the_next_is_429(shop: Bench) -> None:
    shop.system.set_switches(import_delay=5)
    for n in range(5):
        shop.insight(order(f"O{n}"))
    body = {"collectionName": "Orders", "collectionScope": "contact", "collectionType": "orders", "records": [order()]}
    answer = shop.call("PUT", "/insightData/v3/import", body)
    assert (answer.status_code, answer.json()["errorCode"]) == (429, "insightData:tooManyActiveImports")
    shop.start(contact("C3"))
    shop.clock.advance(5)
    assert shop.call("PUT", "/insightData/v3/import", body).status_code == 202


def test_a_key_twice_in_one_import_is_refused_the_second_time(shop: Bench) -> None:
    assert shop.reasons(order(), order(order_status="new")) == ["DuplicateKey"]
    assert "order_status" not in orders(shop)["O1"]


def test_a_key_of_another_contact_is_refused_until_it_is_deleted_there(shop: Bench) -> None:
    shop.load_insight(order("O1", owner="C1"))
    moved = order("O1", owner="C2")
    assert shop.reasons(moved) == ["KeyExistingForDifferentContact"]
    assert shop.call("DELETE", f"/insightData/v3/contacts/email/{email_of('C1')}/Orders/O1").status_code == 204
    assert shop.reasons(moved) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"key": ""}, "InvalidClientKey"),
        ({"key": "x" * 256}, "InvalidClientKey"),
        ({"key": 7}, "InvalidClientKey"),
        ({"json": '{"id":"O1"}'}, "InvalidJson"),
        ({"json": None}, "InvalidJson"),
        ({"json": {"bad key": 1}}, "JsonKeyInvalidCharacters"),
        ({"json": {"a": {"b.c": 1}}}, "JsonKeyInvalidCharacters"),
        ({"json": {"a": [{"ä": 1}]}}, "JsonKeyInvalidCharacters"),
        ({"json": {"x" * 256: 1}}, "JsonKeyTooLong"),
        ({"json": {"note": "x" * 1001}}, "JsonValueTooLong"),
        ({"json": {"number": 2**63}}, "JsonNumberValueTooLarge"),
        ({"json": {"a": [[1]]}}, "JsonContainsNestedArray"),
        ({"json": {"a_b": 1, "a-b": 1}}, "JsonContainsDashUnderscoreClash"),
    ],
)
def test_a_record_is_refused_for_its_key_or_its_json(shop: Bench, change: Record, reason: str) -> None:
    assert shop.reasons({**order(), **change}) == [reason]
    assert orders(shop) == {}


def test_an_array_of_objects_inside_an_object_of_an_array_is_taken(shop: Bench) -> None:
    products = [{"sku": "S1", "categories": [{"Name": "Hats"}], "sub_items": [{"sku": "S2"}]}]
    assert shop.reasons(order(products=products)) == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Decimal("99.0"), "99.00"),
        (99, Decimal("99.5")),
        ("text", 1),
        (1, "text"),
        ("2026-01-01T00:00:00Z", "soon"),
        ("2026-01-01 10:00:00", "soon"),
        (True, "true"),
        (True, 1),
        ({"a": 1}, "a"),
        ({"a": 1}, {"a": "x"}),
        ([{"a": 1}], {"a": 1}),
        ({"a": 1}, []),
        ([], [{"a": 1}]),
        ([{"a": 1}], [{"a": "x"}]),
    ],
)
def test_first_values_fix_the_type_for_ever(shop: Bench, first: Any, second: Any) -> None:
    shop.load_insight(order("O1", field=first))
    report = shop.load_insight(order("O2", field=second))
    assert report["failures"][0]["failureReason"] == "JsonValueIncompatibleWithSchema"
    assert report["failures"][0]["details"][0].startswith("field")
    assert set(orders(shop)) == {"O1"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Decimal("99.5"), 99),
        ("text", "2026-01-01T00:00:00Z"),
        ({"a": 1}, {"b": "x"}),
        ([{"a": 1}], []),
        ("text", None),
        (None, 1),
        ("2026-01-01T00:00:00Z", "2026-01-01"),
    ],
)
def test_what_fits_or_extends_the_schema_is_taken(shop: Bench, first: Any, second: Any) -> None:
    shop.load_insight(order("O1", field=first))
    assert shop.reasons(order("O2", field=second)) == []


def test_values_within_one_record_must_agree_too(shop: Bench) -> None:
    assert shop.reasons(order(products=[{"qty": 1}, {"qty": "1"}])) == ["JsonValueIncompatibleWithSchema"]


def test_a_refused_record_fixes_no_type(shop: Bench) -> None:
    shop.load_insight(order("O1", field="text", other=[[1]]))
    assert shop.reasons(order("O2", field=1)) == []


def test_every_number_can_be_a_float_and_null_can_be_refused(shop: Bench) -> None:
    shop.system.set_switches(numbers="float", nulls="reject")
    shop.load_insight(order("O1", field=99))
    assert shop.reasons(order("O2", field=Decimal("99.5")), order("O3", field=None)) == [
        "JsonValueIncompatibleWithSchema"
    ]


def test_the_schema_tells_the_types(shop: Bench) -> None:
    shop.load_insight(order(order_total=Decimal("1.5"), purchase_date="2026-01-01T00:00:00Z", products=[{"qty": 1}]))
    answer = shop.get("/insightData/v3/collections/Orders/schema")
    (json,) = answer["schema"]
    types = {field["name"]: (field["type"], field["mode"]) for field in json["fields"]}
    assert types == {
        "id": ("STRING", "NULLABLE"),
        "currency": ("STRING", "NULLABLE"),
        "order_total": ("FLOAT", "NULLABLE"),
        "purchase_date": ("TIMESTAMP", "NULLABLE"),
        "products": ("RECORD", "REPEATED"),
    }


def test_money_is_read_back_digit_by_digit(shop: Bench) -> None:
    shop.load_insight(order(order_total=Decimal("12.500000001")))
    assert b'"order_total":12.500000001' in shop.call("GET", "/insightData/v3/contacts/Orders").content


def test_a_record_can_be_accepted_and_fail_in_the_report(shop: Bench) -> None:
    shop.system.set_switches(failing_ids={"O1"})
    assert shop.reasons(order("O1"), order("O2")) == ["Unknown"]
    assert set(orders(shop)) == {"O2"}


def test_a_poisonous_record_fails_its_whole_import(shop: Bench) -> None:
    shop.system.set_switches(poison_ids={"O1"})
    number = shop.insight(order("O1"), order("O2"))
    shop.clock.advance(1)
    assert shop.get(f"/insightData/v3/import/{number}") == {"importId": number, "status": "Failed"}
    assert shop.get("/insightData/v3/collections") == []


def test_an_import_can_get_lost_or_never_end_and_then_holds_its_place(shop: Bench) -> None:
    shop.system.set_switches(lost_imports=1, stuck_imports=1, active_insight_imports=1)
    lost, stuck = shop.insight(order("O1")), shop.insight(order("O2"))
    shop.clock.advance(3600)
    assert shop.call("GET", f"/insightData/v3/import/{lost}").json()["errorCode"] == "insightData:importNotFound"
    assert shop.get(f"/insightData/v3/import/{stuck}")["status"] == "Processing"
    body = {"collectionName": "Orders", "collectionScope": "contact", "collectionType": "orders", "records": [order()]}
    assert shop.call("PUT", "/insightData/v3/import", body).status_code == 429


def test_imports_are_counted_by_record_and_needless_ones_apart(shop: Bench) -> None:
    shop.load_insight(order("O1"), order("O2"))
    shop.load_insight(order("O1"), order("O2", note="x"))
    counted = shop.inspect("imports")
    assert {key: value for key, value in counted["imported"].items() if key.startswith("insight")} == {
        "insight/Orders/O1": 2,
        "insight/Orders/O2": 2,
    }
    assert counted["unchanged"] == {"insight/Orders/O1": 1}
