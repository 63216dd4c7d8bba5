"""Single records and whole collections of insight data: contract sections 3 and 6."""

from typing import Any

import pytest

from stokly_sync_tests.sandbox.dotdigital.bench import CATALOGUE, Bench, contact, email_of, order, product

pytestmark = pytest.mark.sandbox

C1 = f"/insightData/v3/contacts/email/{email_of('C1')}"
SHELF = "/insightData/v3/account/catalog_main"


def code(bench: Bench, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, str]:
    answer = bench.call(method, path, body, **more)
    return answer.status_code, answer.json()["errorCode"]


def create(bench: Bench, name: str, scope: str, kind: str) -> int:
    query = {"collectionScope": scope, "collectionType": kind}
    return bench.call("POST", f"/insightData/v3/collections/{name}", params=query).status_code


@pytest.fixture
def shop(bench: Bench) -> Bench:
    """A sandbox with a contact, an order and a product."""
    bench.load(contact("C1"), contact("C2"))
    bench.load_insight(order("O1"))
    bench.load_insight(product("P1", price=1), **CATALOGUE)
    return bench


def test_a_collection_is_created_once_and_then_simply_there(bench: Bench) -> None:
    assert [create(bench, "catalog_main", "account", "catalog") for _ in range(2)] == [201, 200]


def test_an_account_has_room_for_some_collections_only(bench: Bench) -> None:
    bench.system.set_switches(collections=1)
    assert [create(bench, name, "account", "custom") for name in ("aa", "bb")] == [201, 412]


@pytest.mark.parametrize(
    ("name", "scope", "kind"), [("a b", "account", "custom"), ("aa", "all", "custom"), ("aa", "account", "stock")]
)
def test_a_collection_needs_a_name_a_scope_and_a_type_that_can_be(
    bench: Bench, name: str, scope: str, kind: str
) -> None:
    assert create(bench, name, scope, kind) == 400


@pytest.mark.parametrize("path", ["/insightData/v3/account/catalog_x/P1", f"{C1}/Purchases/O1"])
def test_a_single_write_never_makes_its_collection(shop: Bench, path: str) -> None:
    assert code(shop, "PUT", path, {"sku": "P1"}) == (404, "insightData:collectionNotFound")


def test_a_single_write_creates_with_201_and_replaces_with_204(shop: Bench) -> None:
    first = shop.call("PUT", f"{SHELF}/P2", {"sku": "P2", "price": 1, "stock": 3})
    second = shop.call("PUT", f"{SHELF}/P2", {"sku": "P2", "price": 2})
    assert (first.status_code, second.status_code) == (201, 204)
    row = shop.get(f"{SHELF}/P2")
    assert (row["key"], row["json"]) == ("P2", {"sku": "P2", "price": 2})
    assert set(row) == {"key", "json", "created", "updated"}


def test_a_single_write_takes_json_as_text_too(shop: Bench) -> None:
    assert shop.call("PUT", f"{SHELF}/P2", '{"sku":"P2"}').status_code == 201
    assert shop.get(f"{SHELF}/P2")["json"] == {"sku": "P2"}


def test_a_contacts_record_tells_its_owner(shop: Bench) -> None:
    assert shop.call("PUT", f"{C1}/Orders/O2", {"id": "O2"}).status_code == 201
    owner = shop.get(f"/contacts/v3/email/{email_of('C1')}")["contactId"]
    assert shop.get(f"{C1}/Orders/O2")["ownerContactId"] == owner


def test_a_record_of_nobody_is_404(shop: Bench) -> None:
    path = "/insightData/v3/contacts/email/nobody@example.com/Orders/O2"
    assert code(shop, "PUT", path, {"id": "O2"}) == (404, "insightData:contactNotFound")
    assert code(shop, "PUT", "/insightData/v3/contacts/email/none/Orders/O2", {}) == (400, "insightData:invalidId")


@pytest.mark.parametrize("body", [[1], {"price": "1.00"}, {"bad key": 1}, b"no", '"text"', "no json"])
def test_a_single_write_is_refused_by_the_same_rules(shop: Bench, body: Any) -> None:
    assert code(shop, "PUT", f"{SHELF}/P1", body) == (400, "insightData:badJson")
    assert shop.get(f"{SHELF}/P1")["json"] == {"sku": "P1", "price": 1}


@pytest.mark.parametrize(
    "path", [f"{SHELF}/P9", f"{C1}/Orders/O9", f"/insightData/v3/contacts/email/{email_of('C2')}/Orders/O1"]
)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_record_that_is_not_there_is_404(shop: Bench, method: str, path: str) -> None:
    assert code(shop, method, path) == (404, "insightData:recordNotFound")


def test_a_key_may_have_odd_characters(shop: Bench) -> None:
    assert shop.call("PUT", f"{SHELF}/A%2FB%20%C3%A9%23", {"sku": "A"}).status_code == 201
    assert shop.get(f"{SHELF}/A%2FB%20%C3%A9%23")["key"] == "A/B é#"


def test_a_deleted_record_leaves_the_count(shop: Bench) -> None:
    assert shop.call("DELETE", f"{SHELF}/P1").status_code == 204
    assert shop.call("DELETE", f"{C1}/Orders/O1").status_code == 204
    assert {row["recordCount"] for row in shop.get("/insightData/v3/collections")} == {0}


@pytest.mark.parametrize("path", ["/insightData/v3/accounts/catalog_main/deleteRecords", f"{C1}/Orders/deleteRecords"])
def test_records_are_deleted_by_key_and_the_missing_ones_named(shop: Bench, path: str) -> None:
    answer = shop.ok("DELETE", path, {"keys": ["P1" if "accounts" in path else "O1", "X"]})
    assert answer["summary"] == {"totalRecords": 2, "totalDeleted": 1, "totalNotFound": 1}
    assert answer["notFound"] == ["X"]


def test_the_deletion_of_many_account_records_is_spelt_in_the_plural(shop: Bench) -> None:
    assert code(shop, "DELETE", f"{SHELF}/deleteRecords", {"keys": ["P1"]}) == (404, "insightData:recordNotFound")


@pytest.mark.parametrize("body", [{}, {"keys": []}, {"keys": ["x"] * 5001}, {"keys": [1]}])
def test_1_to_5000_keys_are_deleted_at_once(shop: Bench, body: Any) -> None:
    path = "/insightData/v3/accounts/catalog_main/deleteRecords"
    assert code(shop, "DELETE", path, body) == (400, "insightData:noRecordsSpecified")


def test_a_collection_is_emptied_and_deleted_by_jobs(shop: Bench) -> None:
    for path, left in (("/empty", ["Orders", "catalog_main"]), ("", ["Orders"])):
        answer = shop.call("DELETE", f"/insightData/v3/collections/catalog_main{path}")
        job = f"/insightData/v3/async/{answer.json()['jobId']}"
        assert (answer.status_code, shop.get(job)["status"]) == (202, "NotStarted")
        shop.clock.advance(1)
        assert shop.get(job)["status"] == "Finished"
        assert [row["collectionName"] for row in shop.get("/insightData/v3/collections")] == left
    assert code(shop, "DELETE", "/insightData/v3/collections/catalog_main") == (404, "insightData:collectionNotFound")
    assert code(shop, "GET", "/insightData/v3/async/none") == (404, "insightData:asyncJobNotFound")


def test_an_emptied_collection_keeps_its_types(shop: Bench) -> None:
    shop.ok("DELETE", "/insightData/v3/collections/catalog_main/empty")
    shop.clock.advance(1)
    assert shop.reasons(product("P1", price="1"), **CATALOGUE) == ["JsonValueIncompatibleWithSchema"]


def test_the_records_of_one_contact_can_be_emptied(shop: Bench) -> None:
    shop.load_insight(order("O2", owner="C2"))
    shop.ok("DELETE", f"{C1}/Orders/empty")
    shop.clock.advance(1)
    assert [row["key"] for row in shop.get("/insightData/v3/contacts/Orders")["_items"]] == ["O2"]


def test_records_are_read_by_contact_over_all_contacts_and_for_the_account(shop: Bench) -> None:
    shop.load_insight(order("O2", owner="C2"))
    paths = {f"{C1}/Orders": ["O1"], "/insightData/v3/contacts/Orders": ["O1", "O2"], SHELF: ["P1"]}
    assert {path: [row["key"] for row in shop.get(path)["_items"]] for path in paths} == paths


@pytest.mark.parametrize("path", ["/insightData/v3/account/Orders", "/insightData/v3/contacts/catalog_main"])
def test_a_collection_is_read_only_in_its_own_scope(shop: Bench, path: str) -> None:
    assert code(shop, "GET", path) == (404, "insightData:collectionNotFound")


def test_collections_are_listed_for_the_account_and_for_one_contact(shop: Bench) -> None:
    assert [row["collectionName"] for row in shop.get("/insightData/v3/account")] == ["catalog_main"]
    assert [(row["collectionName"], row["recordCount"]) for row in shop.get(C1)] == [("Orders", 1)]
    assert shop.get(f"/insightData/v3/contacts/email/{email_of('C2')}") == []


def test_a_record_count_can_lag(shop: Bench) -> None:
    shop.system.set_switches(record_count_lag=10)
    counts = []
    for _ in range(3):
        counts.append(shop.get("/insightData/v3/account")[0]["recordCount"])
        shop.load_insight(product(f"P{len(counts) + 1}"), **CATALOGUE)
        shop.clock.advance(8)
    assert counts == [1, 1, 3]
