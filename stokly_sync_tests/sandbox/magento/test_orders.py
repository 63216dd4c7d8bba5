"""Orders: their mathematics, their lines, what moves `updated_at`, and writing to them. Contract section 6."""

from decimal import Decimal
from typing import Any

import pytest

from stokly_sync_tests.sandbox.magento.bench import Bench, criteria

pytestmark = pytest.mark.sandbox


def number(value: Any) -> Decimal:
    return Decimal(str(value))


def adds_up(order: dict[str, Any]) -> bool:
    """The sum of section 6.2, compensation included."""
    names = ("subtotal", "shipping_amount", "tax_amount", "discount_amount", "discount_tax_compensation_amount")
    return number(order["grand_total"]) == sum(number(order[name]) for name in names)


def test_a_simple_line_with_a_coupon_has_the_figures_of_the_page(bench: Bench) -> None:  # 6.3
    bench.goods("S1", "12.00")
    (line,) = bench.place(("S1", 3), coupon="TEN")["items"]
    wanted = {
        "price": 10,
        "price_incl_tax": 12,
        "qty_ordered": 3,
        "discount_amount": number("3.6"),
        "tax_amount": number("5.4"),
        "tax_percent": 20,
        "discount_percent": 10,
        "discount_tax_compensation_amount": number("0.6"),
        "row_total": number("26.4"),
        "row_total_incl_tax": number("32.4"),
        "base_row_total": number("26.4"),
    }
    assert {name: line[name] for name in wanted} == wanted


def test_an_order_adds_up_and_its_discount_is_negative(bench: Bench) -> None:  # 6.2
    for sku, price in (("S1", "12.00"), ("S2", "9.99"), ("S3", "0.01")):
        bench.goods(sku, price)
    order = bench.place(("S1", 3), ("S2", 7), ("S3", 1), coupon="TEN")
    assert adds_up(order)
    assert order["discount_amount"] == -number("10.59")
    assert (order["coupon_code"], order["shipping_incl_tax"]) == ("TEN", 5)
    assert (order["total_qty_ordered"], order["total_item_count"]) == (11, 3)
    assert order["grand_total"] == number("95.35") + 5


def test_without_tax_in_prices_there_is_no_compensation(bench: Bench) -> None:  # 6.2
    bench.goods("S1", "10.00")
    bench.system.set_switches(prices_include_tax=False)
    order = bench.place(("S1", 2), coupon="TEN")
    assert adds_up(order)
    assert order["discount_tax_compensation_amount"] == 0
    assert (order["subtotal"], order["discount_amount"], order["tax_amount"]) == (20, -2, number("4.6"))


def test_what_is_null_is_left_out_but_for_two_members_of_the_payment(bench: Bench) -> None:  # 6.2
    bench.goods("S1")
    order = bench.place(("S1", 1))
    absent = {"total_paid", "total_refunded", "coupon_code", "customer_id", "ext_order_id"}
    assert not absent & set(order)
    assert not [name for name, value in order.items() if value is None or name.startswith("_")]
    assert (order["payment"]["account_status"], order["payment"]["cc_last4"]) == (None, None)
    assert (order["payment"]["method"], order["payment"]["amount_ordered"]) == ("checkmo", 17)


def test_money_is_a_number_without_trailing_zeros(bench: Bench) -> None:  # 6.2
    bench.goods("S1", "36.00")
    text = bench.call("GET", f"/orders/{bench.place(('S1', 1))['entity_id']}").text
    assert '"subtotal":30,' in text
    assert '"tax_amount":6.83' in text


def test_a_guest_has_no_customer_id_and_an_account_has_its_group(bench: Bench) -> None:  # 6.2
    bench.goods("S1")
    guest = bench.place(("S1", 1), email="guest@example.com")
    assert (guest["customer_is_guest"], guest["customer_group_id"], guest["customer_email"]) == (
        1,
        0,
        "guest@example.com",
    )
    account = bench.do("customers", {"email": "known@example.com"})["id"]
    order = bench.place(("S1", 1), customer_id=account)
    assert (order["customer_id"], order["customer_is_guest"], order["customer_group_id"]) == (account, 0, 1)


def test_the_shipping_address_is_inside_the_shipping_assignment(bench: Bench) -> None:  # 6.2
    bench.goods("S1")
    order = bench.place(("S1", 1), address={"city": "Truro"})
    assert "shipping_address" not in order
    (assigned,) = order["extension_attributes"]["shipping_assignments"]
    assert assigned["shipping"]["address"]["city"] == "Truro"
    assert assigned["shipping"]["address"]["street"] == ["1 Sample Street"]
    assert assigned["shipping"]["method"] == "flatrate_flatrate"
    assert assigned["shipping"]["total"]["shipping_amount"] == number("4.17")
    assert [line["sku"] for line in assigned["items"]] == ["S1"]
    assert order["billing_address"]["address_type"] == "billing"


def test_numbers_are_zero_padded_texts_and_times_are_utc_to_the_second(bench: Bench) -> None:  # 4, 6.2
    bench.goods("S1")
    order = bench.place(("S1", 1))
    assert (order["entity_id"], order["increment_id"]) == (1, "000000001")
    assert order["created_at"] == bench.clock.now().strftime("%Y-%m-%d %H:%M:%S")
    assert (order["state"], order["status"]) == ("new", "pending")


def test_a_configurable_has_two_lines_of_one_sku_with_the_money_on_the_parent(bench: Bench) -> None:  # 6.3
    child = bench.goods("TEE-S", "24.00", visibility=1)
    bench.do("products", {"sku": "TEE", "name": "Tee", "type_id": "configurable", "_links": [child]})
    order = bench.place(("TEE-S", 2), coupon="TEN")
    parent, below = order["items"]
    assert (parent["product_type"], below["product_type"]) == ("configurable", "simple")
    assert (parent["sku"], below["sku"], below["parent_item_id"]) == ("TEE-S", "TEE-S", parent["item_id"])
    assert parent["product_id"] != below["product_id"]
    assert (below["qty_ordered"], below["price"]) == (2, 0)
    assert not {"price_incl_tax", "tax_percent"} & set(below)
    assert below["parent_item"]["item_id"] == parent["item_id"]
    assert (order["subtotal"], order["total_qty_ordered"]) == (40, 2)
    assert adds_up(order)


@pytest.fixture
def parts(bench: Bench) -> Bench:
    """A shop with two parts of bundles, at 6.00 and 12.00 gross."""
    bench.goods("S1", "6.00")
    bench.goods("S2", "12.00")
    return bench


def test_a_dynamic_bundle_has_a_composed_sku_and_its_money_on_both(parts: Bench) -> None:  # 6.3
    parts.bundle("BD", {"S1": 2, "S2": 1})
    order = parts.place(("BD", 2), coupon="TEN")
    parent, first, second = order["items"]
    assert parent["sku"] == "BD-S1-S2"
    assert (first["qty_ordered"], second["qty_ordered"]) == (4, 2)
    assert parent["price"] == 20
    assert (parent["discount_amount"], first["discount_amount"]) == (0, number("2.4"))
    assert order["discount_amount"] == -number("4.8")
    assert order["subtotal"] == 40
    assert adds_up(order)


def test_a_fixed_bundle_keeps_its_sku_and_its_money(parts: Bench) -> None:  # 6.3
    parts.bundle("BF", {"S1": 1, "S2": 1}, price="15.00", sku_type="1", price_type="1")
    order = parts.place(("BF", 1))
    parent, *children = order["items"]
    assert (parent["sku"], parent["row_total_incl_tax"]) == ("BF", 15)
    assert [child["price"] for child in children] == [0, 0]
    assert order["grand_total"] == 20
    assert adds_up(order)


def test_a_virtual_order_has_no_shipping_address_and_no_shipping(bench: Bench) -> None:  # 6.2
    bench.goods("V1", type_id="virtual")
    order = bench.place(("V1", 1))
    assert (order["is_virtual"], order["shipping_amount"], order["grand_total"]) == (1, 0, 12)
    (assigned,) = order["extension_attributes"]["shipping_assignments"]
    assert "address" not in assigned["shipping"]


def test_nothing_is_sold_that_is_not_there_unless_asked_for(bench: Bench) -> None:  # 11.1
    bench.goods("S1", quantity=1)
    answer = bench.session.post(
        f"{bench.root}/_sandbox/orders/place", json={"lines": [{"sku": "S1", "quantity": 2}]}, timeout=30
    )
    assert (answer.status_code, "not available" in answer.json()["message"]) == (400, True)
    assert bench.inspect("totals")["orders"] == 0
    assert bench.place(("S1", 2), ignore_stock=True)["entity_id"] > 0


def test_a_raw_order_stands_as_it_was_given(bench: Bench) -> None:
    raw = {
        "lines": [{"sku": "GONE", "quantity": 2, "row_total": 20, "tax_amount": 4}],
        "increment_id": "WEB-1",
        "currency": "EUR",
        "rate": Decimal("1.25"),
        "ships": False,
        "columns": {"tax_amount": 5},
    }
    order = bench.order(bench.do("orders/plant", raw)["entity_id"])
    assert (order["increment_id"], order["grand_total"], order["base_grand_total"]) == ("WEB-1", 24, number("19.2"))
    assert (order["tax_amount"], order["order_currency_code"]) == (5, "EUR")
    assert "address" not in order["extension_attributes"]["shipping_assignments"][0]["shipping"]


def moved(bench: Bench, method: str, path: str, body: Any = None) -> bool:
    """Whether a call moves the order's `updated_at`; a minute passes before it."""
    before = bench.order(1)["updated_at"]
    bench.clock.advance(60)
    bench.ask(method, path, body)
    return bool(bench.order(1)["updated_at"] != before)


def test_invoices_cancelling_holding_refunds_and_columns_move_the_update_time(bench: Bench) -> None:  # 6.4
    bench.goods("S1")
    bench.place(("S1", 3))
    item = bench.order(1)["items"][0]["item_id"]
    assert moved(bench, "POST", "/orders/1/hold")
    assert moved(bench, "POST", "/orders/1/unhold")
    assert moved(bench, "POST", "/orders", {"entity": {"entity_id": 1, "ext_order_id": "E-1"}})
    assert not moved(bench, "POST", "/orders", {"entity": {"entity_id": 1, "ext_order_id": "E-1"}})
    one = [{"order_item_id": item, "qty": 1}]
    assert moved(bench, "POST", "/order/1/invoice", {"items": one, "capture": True})
    assert moved(bench, "POST", "/order/1/invoice", {"capture": True})
    assert moved(bench, "POST", "/order/1/refund", {"items": one})


def test_a_shipment_moves_the_update_time_only_if_the_state_changes(bench: Bench) -> None:  # 6.4
    bench.goods("S1")
    bench.place(("S1", 3))
    item = bench.order(1)["items"][0]["item_id"]
    one = {"items": [{"order_item_id": item, "qty": 1}]}
    assert moved(bench, "POST", "/order/1/ship", one)
    assert not moved(bench, "POST", "/order/1/ship", one)
    assert moved(bench, "POST", "/order/1/invoice", {"capture": True})
    assert moved(bench, "POST", "/order/1/ship", one)
    assert bench.order(1)["state"] == "complete"


def test_tracks_and_comments_do_not_move_the_update_time(bench: Bench) -> None:  # 6.4
    bench.goods("S1")
    bench.place(("S1", 1))
    bench.ask("POST", "/order/1/ship", {})
    comment = {"statusHistory": {"comment": "Called", "is_customer_notified": 0, "is_visible_on_front": 0}}
    assert not moved(bench, "POST", "/orders/1/comments", comment)
    track = {
        "order_id": 1,
        "parent_id": 1,
        "track_number": "T1",
        "title": "Post",
        "carrier_code": "custom",
        "weight": 1,
        "qty": 1,
        "description": "",
    }
    assert not moved(bench, "POST", "/shipment/track", {"entity": track})


def test_comments_are_listed_newest_first_and_a_foreign_status_is_refused(bench: Bench) -> None:  # 6.2, 6.5
    bench.goods("S1")
    bench.place(("S1", 1))
    for text in ("one", "two"):
        body = {"statusHistory": {"comment": text, "is_customer_notified": 0, "is_visible_on_front": 0}}
        assert bench.ask("POST", "/orders/1/comments", body) is True
    listed = bench.ask("GET", "/orders/1/comments")
    assert [row["comment"] for row in listed["items"]] == ["two", "one"]
    assert [row["comment"] for row in bench.order(1)["status_histories"]] == ["two", "one"]
    body = {"statusHistory": {"comment": "x", "status": "complete"}}
    assert bench.refusal("POST", "/orders/1/comments", body)[1].startswith("Unable to add comment: The status")


def test_cancelling_says_false_where_nothing_can_be_cancelled(bench: Bench) -> None:  # 6.5
    bench.goods("S1")
    bench.place(("S1", 2))
    assert bench.ask("POST", "/orders/1/cancel") is True
    order = bench.order(1)
    assert (order["state"], order["status"], order["items"][0]["qty_canceled"]) == ("canceled", "canceled", 2)
    assert bench.ask("POST", "/orders/1/cancel") is False
    assert bench.inspect("totals")["reserved"] == 0


def test_holding_is_refused_where_it_does_not_fit(bench: Bench) -> None:  # 6.5
    bench.goods("S1")
    bench.place(("S1", 1))
    bench.ask("POST", "/orders/1/cancel")
    assert bench.refusal("POST", "/orders/1/hold") == (400, "A hold action is not available.", None)


def test_an_order_can_be_marked_as_exported_and_found_by_it(bench: Bench) -> None:  # 6.5
    bench.goods("S1")
    bench.place(("S1", 1))
    bench.place(("S1", 1))
    answer = bench.ask("POST", "/orders", {"entity": {"entity_id": 1, "ext_order_id": "ERP-77"}})
    assert answer["grand_total"] is None
    assert (bench.order(1)["ext_order_id"], bench.order(1)["grand_total"]) == ("ERP-77", 17)
    left = bench.ask("GET", "/orders", query=criteria(("ext_order_id", "null", "1")))
    assert [row["entity_id"] for row in left["items"]] == [2]


def test_lines_can_be_searched_by_themselves(bench: Bench) -> None:  # 6
    bench.goods("S1")
    bench.goods("S2")
    bench.place(("S1", 1), ("S2", 1))
    bench.place(("S1", 1))
    found = bench.find("/orders/items", ("sku", "eq", "S1"), sort="item_id")
    assert [row["order_id"] for row in found["items"]] == [1, 2]
    assert bench.ask("GET", "/orders/1/statuses") == "pending"


def test_a_whole_order_is_wanted_where_one_is_created(bench: Bench) -> None:  # 6.5
    text = "Please provide payment for the order."
    assert bench.refusal("PUT", "/orders/create", {"entity": {}})[:2] == (400, text)
