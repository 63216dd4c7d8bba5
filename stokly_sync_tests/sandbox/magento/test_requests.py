"""Paths, stores, media types, `fields`, errors and faults: contract sections 3, 5, 13, 17."""

import pytest
import requests

from stokly_sync.sandbox.kit import decode
from stokly_sync.sandbox.magento import mishaps
from stokly_sync_tests.sandbox.magento.bench import Bench, criteria

pytestmark = pytest.mark.sandbox


@pytest.mark.parametrize(
    "path",
    [
        "/rest/V1/orders",
        "/rest/all/V1/orders",
        "/rest/default/V1/orders",
        "/index.php/rest/V1/orders",
        "/rest/V1/orders/",
    ],
)
def test_the_store_is_optional_and_the_front_script_and_a_last_slash_are_tolerated(
    bench: Bench, path: str
) -> None:  # 3
    bench.goods("S1")
    bench.place(("S1", 1))
    assert bench.ask("GET", path, query=criteria())["total_count"] == 1


@pytest.mark.parametrize("path", ["/rest/nosuch/V1/orders", "/rest/v1/orders", "/rest/all/async/V1/products/X"])
def test_unknown_stores_lower_case_v1_and_async_reads_cannot_be_processed(bench: Bench, path: str) -> None:  # 3
    assert bench.refusal("GET", path)[:2] == (400, "Specified request cannot be processed.")


@pytest.mark.parametrize(("method", "path"), [("GET", "/nosuch"), ("DELETE", "/orders/1"), ("GET", "/products/A/B")])
def test_an_unknown_route_or_method_is_404(bench: Bench, method: str, path: str) -> None:  # 5
    assert bench.refusal(method, path)[:2] == (404, "Request does not match any route.")


def test_a_body_must_be_json(bench: Bench) -> None:  # 3, 5
    url = f"{bench.root}/rest/V1/products"
    headers = {"Authorization": bench.oauth("POST", "/rest/V1/products"), "Content-Type": "text/plain"}
    answer = bench.session.post(url, data="x", headers=headers, timeout=30)
    text = "Server cannot understand Content-Type HTTP header media type text/plain"
    assert (answer.status_code, answer.json()["message"]) == (400, text)
    headers = {"Authorization": bench.oauth("POST", "/rest/V1/products"), "Content-Type": "application/json"}
    answer = bench.session.post(url, data="{", headers=headers, timeout=30)
    assert (answer.status_code, answer.json()["message"]) == (400, "Decoding error.")


def test_answers_are_json_and_are_not_to_be_stored(bench: Bench) -> None:  # 3
    headers = bench.call("GET", "/store/websites").headers
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Set-Cookie"].startswith("PHPSESSID=")


def test_xml_is_spoken_and_anything_else_is_a_page_with_500(bench: Bench) -> None:  # 3
    answer = bench.call("GET", "/store/websites", Accept="application/xml")
    assert "<item><id>1</id><code>base</code>" in answer.text
    answer = bench.call("GET", "/store/websites", Accept="text/csv")
    assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (500, "text/html")


def test_fields_trim_the_answer_at_every_depth(bench: Bench) -> None:  # 3
    bench.goods("S1")
    bench.place(("S1", 2))
    wanted = ("fields", "items[entity_id,nosuch,items[sku,qty_ordered]],total_count")
    answer = bench.ask("GET", "/orders", query=[*criteria(), wanted])
    assert answer == {"items": [{"entity_id": 1, "items": [{"sku": "S1", "qty_ordered": 2}]}], "total_count": 1}


def test_fields_turn_an_empty_list_into_null(bench: Bench) -> None:  # 3
    assert bench.ask("GET", "/orders", query=[*criteria(), ("fields", "items[entity_id],total_count")]) == {
        "items": None,
        "total_count": 0,
    }
    assert bench.ask("GET", "/orders", query=criteria())["items"] == []


def test_unbalanced_fields_give_an_empty_list(bench: Bench) -> None:  # 3
    assert bench.ask("GET", "/orders", query=[*criteria(), ("fields", "items[entity_id")]) == []


def test_an_entity_that_is_not_there_is_404(bench: Bench) -> None:  # 5
    text = "The entity that was requested doesn't exist. Verify the entity and try again."
    for path in ("/orders/9", "/shipment/9", "/invoices/9", "/creditmemo/9"):
        assert bench.refusal("GET", path) == (404, text, None)
    assert bench.refusal("GET", "/products/NO")[1].startswith("The product that was requested")
    assert bench.refusal("GET", "/customers/9999") == (
        404,
        "No such entity with %fieldName = %fieldValue",
        {"fieldName": "customerId", "fieldValue": 9999},
    )
    assert bench.refusal("GET", "/inventory/sources/no") == (
        404,
        'Source with code "%value" does not exist.',
        {"value": "no"},
    )
    assert bench.refusal("GET", "/stockItems/NO")[1:] == ('The Product with the "%1" SKU doesn\'t exist.', ["NO"])


def test_ids_in_a_path_are_cast_so_that_an_order_number_reads_another_order(bench: Bench) -> None:  # 5
    bench.goods("S1")
    bench.do("orders/plant", {"increment_id": "000000002", "lines": [{"sku": "S1", "quantity": 1, "row_total": 10}]})
    bench.do("orders/plant", {"increment_id": "000000001", "lines": [{"sku": "S1", "quantity": 1, "row_total": 10}]})
    assert bench.ask("GET", "/orders/000000001")["increment_id"] == "000000002"
    text = 'The "abc" value\'s type is invalid. The "int" type was expected. Verify and try again.'
    assert bench.refusal("GET", "/orders/abc") == (400, text, None)


def test_store_lists_hold_the_pseudo_store_admin(bench: Bench) -> None:  # 3
    assert {row["code"] for row in bench.ask("GET", "/store/storeViews")} == {"admin", "default"}
    assert {row["code"] for row in bench.ask("GET", "/store/websites")} == {"admin", "base"}
    (config,) = bench.ask("GET", "/store/storeConfigs")
    assert config["base_currency_code"] == "GBP"
    assert len(bench.ask("GET", "/store/storeGroups")) == 2


def test_input_limits_are_off_until_switched_on(bench: Bench) -> None:  # 13
    query = criteria(pageSize="301")
    assert bench.call("GET", "/orders", query=query).status_code == 200
    bench.system.set_switches(input_limits=True)
    assert bench.refusal("GET", "/orders", query=query) == (
        400,
        "Maximum SearchCriteria pageSize is %max",
        {"max": 300},
    )


def test_the_limit_of_an_array_names_its_type(bench: Bench) -> None:  # 13
    rows = [{"sku": "S1", "source_code": "default", "quantity": 1, "status": 1}] * 21
    assert bench.ask("POST", "/inventory/source-items", {"sourceItems": rows}) == []
    bench.system.set_switches(input_limits=True, complex_array_limit=20)
    kind = "\\Magento\\InventoryApi\\Api\\Data\\SourceItemInterface"
    assert bench.refusal("POST", "/inventory/source-items", {"sourceItems": rows}) == (
        400,
        'Maximum items of type "%type" is %max',
        {"type": kind, "max": 20},
    )


def test_243_has_limits_without_a_switch(bench: Bench) -> None:  # 13
    bench.goods("S1")
    for _ in range(21):
        bench.do("orders/place", {"lines": [{"sku": "S1"}]})
    bench.system.set_switches(release="2.4.3")
    assert len(bench.ask("GET", "/orders", query=criteria())["items"]) == 20
    assert bench.refusal("GET", "/orders", query=criteria(pageSize="301"))[2] == {"max": 300}


def test_a_proxy_answers_429_and_503_as_pages_with_and_without_retry_after(bench: Bench) -> None:  # 5, 17
    bench.system.faults.add(mishaps.too_many())
    bench.system.faults.add(mishaps.maintenance(retry_after="seconds", seconds=7, after=1))
    bench.system.faults.add(mishaps.crash(after=2))
    answers = [bench.call("GET", "/store/websites") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [429, 503, 500, 200]
    assert "Retry-After" not in answers[0].headers
    assert answers[1].headers["Retry-After"] == "7"
    assert answers[2].text.startswith("An error has happened during application run")


def test_a_connection_cut_after_the_commit_leaves_the_shipment_made(bench: Bench) -> None:  # 17
    bench.goods("S1")
    bench.place(("S1", 1))
    bench.system.faults.add(mishaps.cut_after_commit(path="/ship$"))
    with pytest.raises(requests.ConnectionError):
        bench.call("POST", "/order/1/ship", {})
    assert bench.find("/shipments", ("order_id", "eq", "1"))["total_count"] == 1


def test_a_slow_answer_is_still_the_right_one(bench: Bench) -> None:  # 17
    bench.system.faults.add(mishaps.slow(0.05))
    assert bench.call("GET", "/store/websites").elapsed.total_seconds() >= 0.05


def test_calls_are_counted_by_route(bench: Bench) -> None:
    bench.call("GET", "/orders/1")
    bench.call("GET", "/rest/all/V1/orders/2")
    rows = decode(bench.session.get(f"{bench.root}/_sandbox/stats", timeout=30).content)["calls"]
    assert rows == [{"method": "GET", "template": "/V1/orders/{id}", "status": 404, "calls": 2}]
