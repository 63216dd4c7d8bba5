"""Credit memos: contract section 9."""

from decimal import Decimal
from typing import Any

import pytest

from stokly_sync_tests.sandbox.magento.bench import Bench

pytestmark = pytest.mark.sandbox

HEAD = "Creditmemo Document Validation Error(s):\n"


@pytest.fixture
def shop(bench: Bench) -> Bench:
    """Order 1, paid: three pieces of S1 at 12.00 with ten per cent off, shipping 5.00; 37.40 in all."""
    bench.goods("S1", "12.00")
    bench.place(("S1", 3), coupon="TEN", paid=True)
    return bench


def item(bench: Bench) -> int:
    number: int = bench.order(1)["items"][0]["item_id"]
    return number


def refund(bench: Bench, *quantities: tuple[int, int], **arguments: Any) -> Any:
    """Refund and say the credit memo."""
    body: dict[str, Any] = {"arguments": arguments}
    if quantities:
        body["items"] = [{"order_item_id": number, "qty": quantity} for number, quantity in quantities]
    number = bench.ask("POST", "/order/1/refund", body)
    assert isinstance(number, str)
    return bench.ask("GET", f"/creditmemo/{number}")


def refused(bench: Bench, body: Any) -> tuple[str, Any]:
    status, text, parameters = bench.refusal("POST", "/order/1/refund", body)
    assert status == 400
    return text, parameters


def test_without_a_word_about_shipping_all_of_it_is_refunded_too(shop: Bench) -> None:
    memo = refund(shop, (item(shop), 1))
    assert (memo["shipping_incl_tax"], memo["grand_total"]) == (5, Decimal("15.8"))


def test_with_shipping_0_only_the_goods_are_refunded(shop: Bench) -> None:
    memo = refund(shop, (item(shop), 1), shipping_amount=0)
    assert memo["grand_total"] == Decimal("10.8")
    assert (memo["subtotal"], memo["discount_amount"], memo["tax_amount"]) == (10, -Decimal("1.2"), Decimal("1.8"))
    assert memo["discount_tax_compensation_amount"] == Decimal("0.2")
    (line,) = memo["items"]
    assert (line["qty"], line["row_total"], line["row_total_incl_tax"]) == (1, 10, 12)


def test_part_of_the_shipping_is_given_back_net_with_its_tax(shop: Bench) -> None:
    memo = refund(shop, (item(shop), 1), shipping_amount=2)
    assert (memo["shipping_amount"], memo["shipping_tax_amount"]) == (2, Decimal("0.4"))
    rest = refund(shop, (item(shop), 1))
    assert rest["shipping_amount"] == Decimal("2.17")
    assert rest["shipping_tax_amount"] == Decimal("0.43")


def test_without_items_everything_is_refunded_and_the_order_closed(shop: Bench) -> None:
    memo = refund(shop)
    order = shop.order(1)
    assert memo["grand_total"] == order["total_refunded"] == order["total_paid"] == Decimal("37.4")
    assert (order["state"], order["items"][0]["qty_refunded"]) == ("closed", 3)
    assert order["items"][0]["amount_refunded"] == 30
    assert {"subtotal_refunded", "tax_refunded", "shipping_refunded"} <= set(order)


def test_a_partial_refund_leaves_a_complete_order_complete(shop: Bench) -> None:  # 6.1
    shop.ask("POST", "/order/1/ship", {})
    refund(shop, (item(shop), 1))
    assert shop.order(1)["state"] == "complete"


def test_a_refund_of_adjustments_alone_has_no_lines(shop: Bench) -> None:
    memo = refund(shop, (item(shop), 0), shipping_amount=0, adjustment_positive=3, adjustment_negative=1)
    assert (memo["items"], memo["grand_total"], memo["adjustment"]) == ([], 2, 2)
    assert (memo["adjustment_positive"], memo["adjustment_negative"]) == (3, 1)


def test_after_an_adjustment_everything_is_more_than_is_left(shop: Bench) -> None:
    refund(shop, (item(shop), 0), shipping_amount=0, adjustment_positive=3)
    assert refused(shop, {}) == (HEAD + "The most money available to refund is 34.4.", None)


def test_before_any_invoice_there_is_no_money_to_refund(bench: Bench) -> None:
    bench.goods("S1")
    bench.place(("S1", 1))
    body = {"items": [{"order_item_id": item(bench), "qty": 1}]}
    assert refused(bench, body) == (HEAD + "The most money available to refund is 0.", None)


def test_all_quantities_refunded_is_closed_even_if_money_is_left(shop: Bench) -> None:
    refund(shop, (item(shop), 3), shipping_amount=0)
    order = shop.order(1)
    assert (order["state"], order["total_refunded"]) == ("closed", Decimal("32.4"))


def test_too_large_a_quantity_is_refused_and_not_cut_down(shop: Bench) -> None:
    body = {"items": [{"order_item_id": item(shop), "qty": 4}]}
    assert refused(shop, body) == ('We found an invalid quantity to refund item "%1".', ["Sample S1"])


def test_a_repeated_refund_refunds_again(shop: Bench) -> None:
    for _ in range(2):
        refund(shop, (item(shop), 1), shipping_amount=0)
    assert shop.find("/creditmemos", ("order_id", "eq", "1"))["total_count"] == 2
    assert shop.order(1)["items"][0]["qty_refunded"] == 2


def test_a_line_of_another_order_is_refused(shop: Bench) -> None:
    text = "The creditmemo contains product item that is not part of the original order."
    assert refused(shop, {"items": [{"order_item_id": 999, "qty": 1}]}) == (HEAD + text, None)


def test_a_configurable_is_refunded_by_its_parent_line(bench: Bench) -> None:
    child = bench.goods("TEE-S", "24.00", visibility=1)
    bench.do("products", {"sku": "TEE", "name": "Tee", "type_id": "configurable", "_links": [child]})
    parent, below = bench.place(("TEE-S", 2), paid=True)["items"]
    text = HEAD + "The creditmemo contains incorrect product items."
    assert refused(bench, {"items": [{"order_item_id": below["item_id"], "qty": 1}]}) == (text, None)
    memo = refund(bench, (parent["item_id"], 1), shipping_amount=0)
    assert [(line["qty"], line["price"]) for line in memo["items"]] == [(1, 20), (1, 0)]
    assert memo["grand_total"] == 24


def test_goods_come_back_only_where_asked_for(shop: Bench) -> None:  # 11.1
    shop.ask("POST", "/order/1/ship", {})
    refund(shop, (item(shop), 1))
    assert shop.find("/inventory/source-items")["items"][0]["quantity"] == 97
    refund(shop, (item(shop), 1), extension_attributes={"return_to_stock_items": [item(shop)]})
    assert shop.find("/inventory/source-items")["items"][0]["quantity"] == 98
    assert shop.inspect("totals")["reserved"] == 0


def test_the_reservation_of_what_was_never_shipped_ends_anyway(shop: Bench) -> None:
    refund(shop, (item(shop), 2))
    assert shop.inspect("totals")["reserved"] == -1
    assert shop.find("/inventory/source-items")["items"][0]["quantity"] == 100


def test_an_offline_method_has_no_refund_through_a_gateway(shop: Bench) -> None:
    text = HEAD + "We can't create creditmemo for the invoice."
    assert shop.refusal("POST", "/invoice/1/refund", {"isOnline": True}) == (400, text, None)


def test_credit_memos_are_searched_by_time_and_order(shop: Bench) -> None:
    shop.clock.advance(60)
    refund(shop, (item(shop), 1))
    at = shop.order(1)["updated_at"]
    assert shop.find("/creditmemos", ("updated_at", "gteq", at))["total_count"] == 1
    assert shop.find("/creditmemos", ("updated_at", "gt", at))["total_count"] == 0
