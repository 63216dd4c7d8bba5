"""Asynchronous and bulk calls: contract section 12."""

from typing import Any

import pytest

from stokly_sync_tests.sandbox.magento.bench import ALL, Bench

pytestmark = pytest.mark.sandbox

ASYNC, BULK = "/rest/all/async/V1", "/rest/all/async/bulk/V1"
LEVEL = {"sku": "S1", "source_code": "default", "quantity": 5, "status": 1}


@pytest.fixture
def shop(bench: Bench) -> Bench:
    bench.goods("S1")
    bench.system.set_switches(drain="never")
    return bench


def queue(bench: Bench, method: str, path: str, body: Any) -> Any:
    answer = bench.call(method, path, body)
    assert answer.status_code == 202, answer.text
    return answer.json()


def statuses(bench: Bench, accepted: Any) -> list[int]:
    answer = bench.ask("GET", f"/bulk/{accepted['bulk_uuid']}/status")
    return [row["status"] for row in answer["operations_list"]]


def test_a_bulk_is_accepted_and_waits_for_a_consumer(shop: Bench) -> None:
    accepted = queue(shop, "POST", f"{BULK}/inventory/source-items", [{"sourceItems": [LEVEL]}] * 2)
    assert accepted["errors"] is False
    assert [(row["id"], row["status"]) for row in accepted["request_items"]] == [(0, "accepted"), (1, "accepted")]
    assert all(len(row["data_hash"]) == 64 for row in accepted["request_items"])
    assert statuses(shop, accepted) == [4, 4]
    assert shop.do("bulk/drain") == {"ended": 2}
    assert statuses(shop, accepted) == [1, 1]
    assert shop.find("/inventory/source-items")["items"][0]["quantity"] == 5


def test_a_queue_may_be_drained_by_asking_for_its_status(shop: Bench) -> None:
    shop.system.set_switches(drain="asked", drain_after=10)
    accepted = queue(shop, "POST", f"{ASYNC}/inventory/source-items", {"sourceItems": [LEVEL]})
    assert statuses(shop, accepted) == [4]
    shop.clock.advance(10)
    assert statuses(shop, accepted) == [1]


def test_parts_of_the_path_stand_beside_the_body(shop: Bench) -> None:
    shop.place(("S1", 1))
    accepted = queue(shop, "POST", f"{BULK}/order/byOrderId/ship", [{"orderId": 1, "items": []}, {"orderId": 9}])
    shop.do("bulk/drain")
    detailed = shop.ask("GET", f"/bulk/{accepted['bulk_uuid']}/detailed-status")
    done, failed = detailed["operations_list"]
    assert (done["status"], done["result_serialized_data"], done["serialized_data"]) == (1, '"1"', "")
    assert done["result_message"] == "Service execution success Magento\\Sales\\Api\\ShipOrderInterface::execute"
    assert (failed["status"], failed["error_code"]) == (3, 0)
    assert failed["result_message"].startswith("The entity that was requested")
    assert (detailed["user_type"], detailed["operation_count"]) == (1, 2)
    assert shop.ask("GET", f"/bulk/{accepted['bulk_uuid']}/operation-status/3") == 1


def test_the_text_of_a_failure_has_its_placeholders_filled_and_is_cut(shop: Bench) -> None:
    wrong = [{"product": {"sku": "NO", "price": 1}}]
    accepted = queue(shop, "PUT", f"{BULK}/products/bySku", wrong)
    shop.do("bulk/drain")
    (row,) = shop.ask("GET", f"/bulk/{accepted['bulk_uuid']}/status")["operations_list"]
    assert row["result_message"] == "Invalid product data: Invalid attribute set entity type"


def test_an_empty_array_is_accepted_and_a_bare_object_is_not(shop: Bench) -> None:
    assert queue(shop, "POST", f"{BULK}/inventory/source-items", [])["request_items"] == []
    body = {"sourceItems": [LEVEL]}
    assert shop.refusal("POST", f"{BULK}/inventory/source-items", body)[2] == {"fieldName": "sourceItems"}


def test_one_incomplete_element_refuses_the_whole_request(shop: Bench) -> None:
    assert shop.refusal("POST", f"{BULK}/inventory/source-items", [{"sourceItems": [LEVEL]}, {}])[0] == 400
    assert shop.inspect("totals")["operations_open"] == 0


@pytest.mark.parametrize("path", ["products/S1", "products/:sku"])
def test_a_real_sku_in_a_bulk_path_is_no_route(shop: Bench, path: str) -> None:
    assert shop.refusal("PUT", f"{BULK}/{path}", [])[:2] == (404, "Request does not match any route.")


def test_a_product_without_its_sku_crashes_the_consumer_and_holds_up_what_follows(shop: Bench) -> None:
    rows = [{"sku": "S1", "product": {"price": 1}}, {"product": {"sku": "S1", "price": 2}}]
    accepted = queue(shop, "PUT", f"{BULK}/products/bySku", rows)
    later = queue(shop, "POST", f"{ASYNC}/inventory/source-items", {"sourceItems": [LEVEL]})
    assert shop.do("bulk/drain") == {"ended": 0}
    assert (statuses(shop, accepted), statuses(shop, later)) == ([4, 4], [4])
    assert shop.do("bulk/restart") == {"ended": 2}
    assert (statuses(shop, accepted), statuses(shop, later)) == ([4, 1], [1])
    assert shop.ask("GET", f"{ALL}/products/S1")["price"] == 2


def test_a_single_call_takes_the_sku_from_its_path(shop: Bench) -> None:
    accepted = queue(shop, "PUT", f"{ASYNC}/products/S1", {"product": {"price": 3}})
    shop.do("bulk/drain")
    assert statuses(shop, accepted) == [1]
    assert shop.ask("GET", f"{ALL}/products/S1")["price"] == 3


def test_operations_can_end_undone_with_the_statuses_of_a_tired_database(shop: Bench) -> None:
    shop.system.set_switches(fates=[2, 5])
    accepted = queue(shop, "POST", f"{BULK}/inventory/source-items", [{"sourceItems": [LEVEL]}] * 3)
    shop.do("bulk/drain")
    assert statuses(shop, accepted) == [2, 5, 1]


def test_an_unknown_bulk_is_404(shop: Bench) -> None:
    assert shop.refusal("GET", "/bulk/none/status") == (404, "Bulk uuid %bulkUuid not exist", {"bulkUuid": "none"})


def test_operations_are_searched_over_all_bulks(shop: Bench) -> None:
    for _ in range(2):
        queue(shop, "POST", f"{ASYNC}/inventory/source-items", {"sourceItems": [LEVEL]})
    assert shop.find("/bulk", ("status", "eq", "4"))["total_count"] == 2


def test_the_limit_of_an_array_is_larger_on_async_but_not_on_bulk(shop: Bench) -> None:  # 13
    shop.system.set_switches(input_limits=True, complex_array_limit=20)
    rows = {"sourceItems": [LEVEL] * 21}
    queue(shop, "POST", f"{ASYNC}/inventory/source-items", rows)
    assert shop.refusal("POST", f"{BULK}/inventory/source-items", [rows])[2]["max"] == 20
    queue(shop, "POST", f"{BULK}/inventory/source-items", [{"sourceItems": [LEVEL]}] * 21)
