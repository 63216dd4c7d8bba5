"""Shipments: contract section 7."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from stokly_sync_tests.sandbox.magento.bench import Bench

pytestmark = pytest.mark.sandbox

HEAD = "Shipment Document Validation Error(s):\n"
NO_PRODUCTS = "You can't create a shipment without products."
NOT_ALLOWED = "The order does not allow a shipment to be created.\n" + NO_PRODUCTS
NOT_SAVED = "Could not save a shipment, see error log for details"
TRACK = {"track_number": "T1", "title": "Royal Mail", "carrier_code": "royalmail"}


@pytest.fixture
def shop(bench: Bench) -> Bench:
    """Order 1: three pieces of S1 and one of the virtual V1."""
    bench.goods("S1")
    bench.goods("V1", type_id="virtual")
    bench.place(("S1", 3), ("V1", 1))
    return bench


def line(bench: Bench, place: int = 0, order: int = 1) -> Any:
    return bench.order(order)["items"][place]


def ship(bench: Bench, *items: tuple[int, Any], order: int = 1, **more: Any) -> Any:
    rows = [{"order_item_id": number, "qty": quantity} for number, quantity in items]
    return bench.ask("POST", f"/order/{order}/ship", {"items": rows, **more})


def refused(bench: Bench, body: Any, order: int = 1) -> str:
    status, text, _ = bench.refusal("POST", f"/order/{order}/ship", body)
    assert status == 400
    return text


def test_without_items_everything_open_is_shipped_and_the_answer_is_a_text(shop: Bench) -> None:
    assert shop.ask("POST", "/order/1/ship", {}) == "1"
    assert [row["qty_shipped"] for row in shop.order(1)["items"]] == [3, 0]
    assert refused(shop, {}) == HEAD + NOT_ALLOWED


def test_an_empty_list_of_items_is_everything_too(shop: Bench) -> None:
    assert shop.ask("POST", "/order/1/ship", {"items": []}) == "1"
    assert line(shop)["qty_shipped"] == 3


def test_too_large_a_quantity_is_cut_down_without_a_word(shop: Bench) -> None:
    ship(shop, (line(shop)["item_id"], 2))
    ship(shop, (line(shop)["item_id"], 5))
    assert line(shop)["qty_shipped"] == 3
    assert [row["total_qty"] for row in shop.find("/shipments", sort="entity_id")["items"]] == [2, 1]


@pytest.mark.parametrize("quantity", [0, -1, 0.5, None])
def test_quantities_that_are_none_make_no_shipment(shop: Bench, quantity: Any) -> None:
    body = {"items": [{"order_item_id": line(shop)["item_id"], "qty": quantity}]}
    assert refused(shop, body) == HEAD + NO_PRODUCTS


def test_unknown_and_virtual_lines_make_no_shipment(shop: Bench) -> None:
    for number in (9999, line(shop, 1)["item_id"]):
        assert refused(shop, {"items": [{"order_item_id": number, "qty": 1}]}) == HEAD + NO_PRODUCTS
    assert refused(shop, {"items": [{"order_item_id": line(shop)["item_id"]}]}) == HEAD + NO_PRODUCTS


def test_cancelled_held_and_unknown_orders_are_refused_each_in_its_words(shop: Bench) -> None:
    shop.ask("POST", "/orders/1/hold")
    assert refused(shop, {}) == HEAD + "A shipment cannot be created when an order has a status of holded"
    shop.ask("POST", "/orders/1/unhold")
    shop.ask("POST", "/orders/1/cancel")
    words = "A shipment cannot be created when an order has a status of canceled\n"
    assert refused(shop, {}) == HEAD + words + NO_PRODUCTS
    assert shop.refusal("POST", "/order/99/ship", {})[0] == 404


def test_a_closed_order_is_refused(shop: Bench) -> None:
    shop.ask("POST", "/order/1/invoice", {"capture": True})
    shop.ask("POST", "/order/1/refund", {})
    assert shop.order(1)["state"] == "closed"
    assert refused(shop, {}) == HEAD + NOT_ALLOWED


@pytest.mark.parametrize(
    ("track", "text"),
    [
        ({**TRACK, "title": ""}, NOT_SAVED),
        ({**TRACK, "carrier_code": ""}, NOT_SAVED),
        ({**TRACK, "track_number": ""}, HEAD + "Please enter a tracking number."),
    ],
)
def test_a_track_must_be_whole(shop: Bench, track: dict[str, str], text: str) -> None:
    assert refused(shop, {"tracks": [track]}) == text
    assert shop.inspect("totals")["shipments"] == 0


def test_any_carrier_code_is_taken_and_shown_with_its_track(shop: Bench) -> None:
    shop.ask("POST", "/order/1/ship", {"tracks": [{**TRACK, "carrier_code": "anything"}]})
    (shipment,) = shop.find("/shipments", ("order_id", "eq", "1"))["items"]
    (track,) = shipment["tracks"]
    assert (track["track_number"], track["carrier_code"], track["parent_id"]) == ("T1", "anything", 1)
    assert shipment["extension_attributes"] == {"source_code": "default"}
    assert shipment == shop.ask("GET", "/shipment/1")


@pytest.mark.parametrize("source", ["nosuch", "empty"])
def test_a_source_that_is_not_there_or_has_too_little_is_refused(shop: Bench, source: str) -> None:
    shop.ask(
        "POST",
        "/inventory/sources",
        {"source": {"source_code": "empty", "name": "E", "country_id": "GB", "postcode": "1"}},
    )
    assert refused(shop, {"arguments": {"extension_attributes": {"source_code": source}}}) == NOT_SAVED
    assert line(shop)["qty_shipped"] == 0


def test_goods_leave_the_named_source_and_the_reservation_ends(shop: Bench) -> None:  # 11.1
    shop.do("source-items", {"sku": "S1", "source_code": "default", "quantity": 5})
    shop.ask("POST", "/order/1/ship", {})
    (item,) = shop.find("/inventory/source-items", ("sku", "eq", "S1"))["items"]
    assert item["quantity"] == 2
    assert shop.ask("GET", "/inventory/get-product-salable-quantity/S1/1") == 2


def test_a_configurable_is_shipped_by_its_parent_line(bench: Bench) -> None:
    child = bench.goods("TEE-S", visibility=1)
    bench.do("products", {"sku": "TEE", "name": "Tee", "type_id": "configurable", "_links": [child]})
    parent, below = bench.place(("TEE-S", 2))["items"]
    assert refused(bench, {"items": [{"order_item_id": below["item_id"], "qty": 1}]}) == HEAD + NO_PRODUCTS
    ship(bench, (parent["item_id"], 2))
    assert [row["qty_shipped"] for row in bench.order(1)["items"]] == [2, 0]
    (item,) = bench.ask("GET", "/shipment/1")["items"]
    assert (item["sku"], item["order_item_id"], item["qty"]) == ("TEE-S", parent["item_id"], 2)


@pytest.fixture
def parts(bench: Bench) -> Bench:
    bench.goods("S1")
    bench.goods("S2")
    return bench


@pytest.mark.parametrize("price_type", ["0", "1"])
def test_a_bundle_shipped_together_goes_by_its_parent_and_its_parts_follow(parts: Bench, price_type: str) -> None:
    parts.bundle("BT", {"S1": 2, "S2": 1}, price="15", price_type=price_type, sku_type="1")
    parent, first, _ = parts.place(("BT", 2))["items"]
    text = refused(parts, {"items": [{"order_item_id": first["item_id"], "qty": 1}]})
    assert text == (
        f'{HEAD}{NO_PRODUCTS}\nCannot create shipment as bundle product "BT" has shipment type "Together". '
        "Bundle product itself should be shipped instead."
    )
    ship(parts, (parent["item_id"], 1))
    assert [row["qty_shipped"] for row in parts.order(1)["items"]] == [1, 2, 1]
    levels = {row["sku"]: row["quantity"] for row in parts.find("/inventory/source-items")["items"]}
    assert (levels["S1"], levels["S2"]) == (98, 99)


def test_a_bundle_shipped_separately_goes_by_its_parts_and_its_parent_overcounts(parts: Bench) -> None:
    parts.bundle("BS", {"S1": 1, "S2": 1}, shipment_type="1")
    parent, first, second = parts.place(("BS", 1))["items"]
    assert refused(parts, {"items": [{"order_item_id": parent["item_id"], "qty": 1}]}).endswith(NO_PRODUCTS)
    ship(parts, (first["item_id"], 1))
    ship(parts, (second["item_id"], 1))
    assert [row["qty_shipped"] for row in parts.order(1)["items"]] == [2, 1, 1]


def test_of_five_shipments_at_once_one_is_made(shop: Bench) -> None:
    calls = [shop.oauth("POST", "/rest/V1/order/1/ship") for _ in range(5)]

    def send(header: str) -> int:
        return shop.session.post(
            f"{shop.root}/rest/V1/order/1/ship", headers={"Authorization": header}, timeout=10
        ).status_code

    with ThreadPoolExecutor(5) as pool:
        assert sorted(pool.map(send, calls)) == [200, 400, 400, 400, 400]


def test_the_plain_shipment_call_deducts_stock_and_moves_no_quantities(shop: Bench) -> None:
    entity: dict[str, Any] = {
        "order_id": 1,
        "items": [{"order_item_id": line(shop)["item_id"], "qty": 3}],
        "extension_attributes": {"source_code": "default"},
    }
    for _ in range(2):
        shop.ask("POST", "/shipment", {"entity": entity})
    order = shop.order(1)
    assert (order["items"][0]["qty_shipped"], order["state"]) == (0, "new")
    assert shop.find("/inventory/source-items", ("sku", "eq", "S1"))["items"][0]["quantity"] == 94
    del entity["extension_attributes"]
    assert shop.refusal("POST", "/shipment", {"entity": entity})[1] == "The shipment couldn't be saved."


def test_a_later_track_must_name_everything(shop: Bench) -> None:
    shop.ask("POST", "/order/1/ship", {})
    whole = {**TRACK, "order_id": 1, "parent_id": 1, "weight": 1, "qty": 1, "description": "x"}
    assert shop.ask("POST", "/shipment/track", {"entity": whole})["entity_id"] == 1
    for name in ("weight", "qty", "description", "title"):
        body = {"entity": {**whole, name: None}}
        assert shop.refusal("POST", "/shipment/track", body)[1] == "Could not save the shipment tracking."
    body = {"entity": {**whole, "parent_id": 99}}
    assert shop.refusal("POST", "/shipment/track", body)[1] == "Could not save the shipment tracking."
    assert len(shop.ask("GET", "/shipment/1")["tracks"]) == 1


def test_a_comment_stays_on_the_shipment_and_is_appended_where_asked(shop: Bench) -> None:
    ship(shop, (line(shop)["item_id"], 1), comment={"comment": "Left", "is_visible_on_front": 0})
    assert shop.order(1)["status_histories"] == []
    ship(shop, (line(shop)["item_id"], 1), comment={"comment": "More", "is_visible_on_front": 0}, appendComment=True)
    assert [row["comment"] for row in shop.order(1)["status_histories"]] == ["More"]
    assert [row["comment"] for row in shop.ask("GET", "/shipment/1")["comments"]] == ["Left"]
