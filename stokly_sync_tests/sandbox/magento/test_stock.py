"""Multi-source inventory and the older stock calls: contract section 11."""

from typing import Any

import pytest

from stokly_sync_tests.sandbox.magento.bench import Bench

pytestmark = pytest.mark.sandbox

SOURCE = {"name": "Second", "enabled": True, "country_id": "GB", "postcode": "LS1 0AA"}


def row(sku: str = "S1", **more: Any) -> dict[str, Any]:
    return {"sku": sku, "source_code": "default", "quantity": 5, "status": 1, **more}


def write(bench: Bench, *rows: Any) -> Any:
    return bench.ask("POST", "/inventory/source-items", {"sourceItems": list(rows)})


def refused(bench: Bench, *rows: Any) -> tuple[str, Any]:
    answer = bench.call("POST", "/inventory/source-items", {"sourceItems": list(rows)})
    assert answer.status_code == 400
    return answer.json()["message"], answer.json().get("errors")


def levels(bench: Bench) -> dict[tuple[str, str], Any]:
    return {
        (item["sku"], item["source_code"]): item["quantity"] for item in bench.find("/inventory/source-items")["items"]
    }


def salable(bench: Bench, sku: str = "S1", stock: int = 1) -> Any:
    return bench.ask("GET", f"/inventory/get-product-salable-quantity/{sku}/{stock}")


@pytest.fixture
def shop(bench: Bench) -> Bench:
    """A shop with 100 of S1 at the default source."""
    bench.goods("S1")
    return bench


@pytest.fixture
def second(shop: Bench) -> Bench:
    """The same with a source and a stock of its own for the website."""
    shop.ask("POST", "/inventory/sources", {"source": {"source_code": "wh", **SOURCE}})
    channels = {"sales_channels": [{"type": "website", "code": "base"}]}
    assert shop.ask("POST", "/inventory/stocks", {"stock": {"name": "UK", "extension_attributes": channels}}) == 2
    link = {"stock_id": 2, "source_code": "wh", "priority": 1}
    assert shop.ask("POST", "/inventory/stock-source-links", {"links": [link]}) == []
    return shop


def test_levels_are_upserted_and_answered_with_an_empty_list(shop: Bench) -> None:  # 11.2
    assert write(shop, row(), row("s1", quantity="7")) == []
    assert levels(shop) == {("S1", "default"): 7}


def test_a_level_write_does_not_move_the_product(shop: Bench) -> None:  # 10
    before = shop.ask("GET", "/products/S1")["updated_at"]
    shop.clock.advance(60)
    write(shop, row())
    assert shop.ask("GET", "/products/S1")["updated_at"] == before


@pytest.mark.parametrize("missing", ["quantity", "status"])
def test_quantity_and_status_are_needed(shop: Bench, missing: str) -> None:  # 11.2
    body = {name: value for name, value in row().items() if name != missing}
    assert refused(shop, body) == (
        f'Validation Failed: "{missing}" should be numeric.',
        [{"message": '"%field" should be numeric.', "parameters": {"field": missing}}],
    )


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"status": 2}, 'Validation Failed: "status" should a known status.'),
        ({"sku": ""}, 'Validation Failed: "sku" can not be empty.'),
        ({"source_code": ""}, 'Validation Failed: "source_code" can not be empty.'),
        ({"source_code": "nosuch"}, "Could not save Source Item"),
    ],
)
def test_one_wrong_row_rolls_the_whole_request_back(shop: Bench, wrong: dict[str, Any], text: str) -> None:  # 11.2
    assert refused(shop, row(quantity=1), row(**wrong))[0] == text
    assert levels(shop) == {("S1", "default"): 100}


def test_several_faults_have_one_message_and_are_all_listed(shop: Bench) -> None:  # 11.2
    message, errors = refused(shop, row(status=None), row(sku=""))
    assert message == 'Validation Failed: "status" should be numeric.'
    assert len(errors) == 2


def test_an_unknown_sku_is_taken_with_200(shop: Bench) -> None:  # 11.2
    assert write(shop, row("NOSUCH")) == []
    assert ("NOSUCH", "default") in levels(shop)


def test_negative_quantities_and_configurables_are_stored(shop: Bench) -> None:  # 11.2
    shop.do("products", {"sku": "TEE", "name": "Tee", "type_id": "configurable"})
    assert write(shop, row(quantity=-1), row("TEE")) == []
    assert levels(shop)["S1", "default"] == -1


def test_an_empty_list_and_a_bare_array_are_refused(shop: Bench) -> None:  # 11.2
    assert refused(shop) == ("Input data is empty", None)
    assert shop.refusal("POST", "/inventory/source-items", [row()])[2] == {"fieldName": "sourceItems"}


def test_a_part_of_a_bundle_shipped_together_has_one_source(second: Bench) -> None:  # 11.2
    second.bundle("BT", {"S1": 1})
    assert refused(second, row(source_code="wh"))[0].startswith("Validation Failed: Not able to assign")
    assert write(second, row()) == []


def test_two_thousand_rows_are_taken_at_once(shop: Bench) -> None:  # 11.2
    assert write(shop, *(row(f"X{number}") for number in range(2_000))) == []
    assert shop.find("/inventory/source-items", ("sku", "like", "X%"), pageSize="1")["total_count"] == 2_000


def test_unassigning_drops_the_quantity(shop: Bench) -> None:  # 11.2
    body = {"sourceItems": [{"sku": "S1", "source_code": "default"}]}
    assert shop.ask("POST", "/inventory/source-items-delete", body) == []
    assert levels(shop) == {}


def test_open_orders_are_taken_off_what_can_be_sold(shop: Bench) -> None:  # 11.1
    shop.place(("S1", 7))
    assert salable(shop) == 93
    assert levels(shop)["S1", "default"] == 100
    (reservation,) = shop.inspect("reservations")
    assert (reservation["quantity"], reservation["metadata"]["event_type"]) == (-7, "order_placed")


def test_the_threshold_is_taken_off_too(shop: Bench) -> None:  # 11.1
    shop.system.set_switches(out_of_stock_threshold=10)
    assert salable(shop) == 90


def test_pushing_what_is_available_subtracts_open_orders_twice(shop: Bench) -> None:  # 11.1, 15 #2
    shop.place(("S1", 7))
    write(shop, row(quantity=93))
    assert salable(shop) == 86


def test_an_order_for_a_variant_or_a_bundle_reserves_its_parts(shop: Bench) -> None:  # 11.1
    child = shop.goods("TEE-S", visibility=1)
    shop.do("products", {"sku": "TEE", "name": "Tee", "type_id": "configurable", "_links": [child]})
    shop.bundle("BD", {"S1": 2})
    shop.place(("TEE-S", 1), ("BD", 3))
    assert (salable(shop, "TEE-S"), salable(shop)) == (99, 94)


def test_salable_quantities_that_cannot_be_told(shop: Bench) -> None:  # 11.3
    shop.bundle("BD", {"S1": 2})
    path = "/inventory/get-product-salable-quantity"
    text = "Can't check requested quantity for products without Source Items support."
    assert shop.refusal("GET", f"{path}/BD/1")[:2] == (400, text)
    assert shop.refusal("GET", f"{path}/S1/9")[:2] == (400, "Could not receive Stock Item data")
    answer = shop.call("GET", f"{path}/NOSUCH/1")
    assert (answer.status_code, answer.text.startswith("An error has happened")) == (500, True)


def test_many_salable_quantities_are_exported_with_a_count_of_the_page_only(shop: Bench) -> None:  # 11.3
    shop.goods("S2", quantity=0)
    shop.place(("S1", 1))
    rows = shop.find("/inventory/export-stock-salable-qty/website/base", sort="sku")
    assert rows["items"] == [
        {"sku": "S1", "qty": 99, "is_salable": True},
        {"sku": "S2", "qty": 0, "is_salable": False},
    ]
    page = shop.find("/inventory/export-stock-salable-qty/website/base", sort="sku", pageSize="1")
    assert page["total_count"] == 1
    dumped = shop.ask("GET", "/inventory/dump-stock-index-data/website/base")
    assert {item["sku"]: item["qty"] for item in dumped} == {"S1": 100, "S2": 0}


def test_whether_something_can_be_sold_is_asked_in_three_ways(shop: Bench) -> None:  # 11.3
    assert shop.ask("GET", "/inventory/is-product-salable/S1/1") is True
    query = [("skus[0]", "S1"), ("skus[1]", "NOSUCH"), ("stockId", "1")]
    assert shop.ask("GET", "/inventory/are-products-salable", query=query) == [
        {"sku": "S1", "stock_id": 1, "salable": True},
        {"sku": "NOSUCH", "stock_id": 1, "salable": False},
    ]
    assert shop.ask("GET", "/inventory/is-product-salable-for-requested-qty/S1/1/101")["salable"] is False


def test_a_stock_of_its_own_serves_the_website(second: Bench) -> None:  # 11.1
    assert second.ask("GET", "/inventory/stock-resolver/website/base")["stock_id"] == 2
    write(second, row(source_code="wh", quantity=4))
    assert (salable(second, stock=2), salable(second, stock=1)) == (4, 100)
    second.place(("S1", 3))
    assert salable(second, stock=2) == 1


def test_shipping_needs_the_source_that_has_the_goods(second: Bench) -> None:  # 7
    write(second, row(source_code="wh", quantity=4), row(quantity=0))
    second.place(("S1", 3))
    text = "Could not save a shipment, see error log for details"
    assert second.refusal("POST", "/order/1/ship", {})[:2] == (400, text)
    second.ask("POST", "/order/1/ship", {"arguments": {"extension_attributes": {"source_code": "wh"}}})
    assert levels(second)["S1", "wh"] == 1


def test_the_default_source_belongs_to_the_default_stock_alone(second: Bench) -> None:  # 11.1
    text = "Can not save link related to Default Source or Default Stock"
    for link in ({"stock_id": 2, "source_code": "default"}, {"stock_id": 1, "source_code": "wh"}):
        body = {"links": [{**link, "priority": 1}]}
        assert second.refusal("POST", "/inventory/stock-source-links", body)[:2] == (400, text)
    assert second.find("/inventory/stock-source-links")["total_count"] == 2


def test_a_source_that_exists_is_answered_with_200_too(second: Bench) -> None:  # 11.3
    assert second.ask("POST", "/inventory/sources", {"source": {"source_code": "wh", **SOURCE, "name": "New"}}) == []
    assert second.ask("GET", "/inventory/sources/wh")["name"] == "New"
    assert second.find("/inventory/sources", sort="source_code")["total_count"] == 2
    assert second.find("/inventory/stocks")["total_count"] == 2


def test_sources_are_proposed_by_priority(second: Bench) -> None:  # 11.3
    write(second, row(source_code="wh", quantity=4))
    request = {"stockId": 2, "items": [{"sku": "S1", "qty": 5}]}
    body = {"inventoryRequest": request, "algorithmCode": "priority"}
    answer = second.ask("POST", "/inventory/source-selection-algorithm-result", body)
    assert answer["shippable"] is False
    assert [(item["source_code"], item["qty_to_deduct"]) for item in answer["source_selection_items"]] == [("wh", 4)]


def test_the_older_call_writes_the_default_source_whatever_id_is_in_the_path(shop: Bench) -> None:  # 11.4
    path = "/products/S1/stockItems/999"
    assert shop.ask("PUT", path, {"stockItem": {"qty": 0}}) == 1
    assert shop.ask("GET", "/stockItems/S1")["is_in_stock"] is False
    shop.ask("PUT", path, {"stockItem": {"qty": 8}})
    assert (levels(shop)["S1", "default"], shop.ask("GET", "/stockItems/S1")["is_in_stock"]) == (8, True)


def test_on_a_shop_with_its_own_stock_the_older_call_changes_nothing_that_is_sold(second: Bench) -> None:  # 11.4
    write(second, row(source_code="wh", quantity=4))
    second.ask("PUT", "/products/S1/stockItems/1", {"stockItem": {"qty": 50}})
    status = second.ask("GET", "/stockStatuses/S1")
    assert (status["qty"], status["stock_id"]) == (4, 1)


def test_a_product_that_lives_elsewhere_has_no_legacy_quantity(second: Bench) -> None:  # 11.4
    second.ask("POST", "/inventory/source-items-delete", {"sourceItems": [{"sku": "S1", "source_code": "default"}]})
    assert second.ask("GET", "/stockItems/S1")["qty"] is None


def test_a_stock_item_in_a_product_save_does_the_same(shop: Bench) -> None:  # 11.4
    extension = {"stock_item": {"qty": 3, "is_in_stock": True}}
    shop.ask("PUT", "/rest/all/V1/products/S1", {"product": {"extension_attributes": extension}})
    assert levels(shop)["S1", "default"] == 3
