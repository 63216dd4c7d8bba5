"""Invoices: contract section 8."""

from decimal import Decimal

import pytest

from stokly_sync_tests.sandbox.magento.bench import Bench

pytestmark = pytest.mark.sandbox


@pytest.fixture
def shop(bench: Bench) -> Bench:
    """Order 1: three pieces of S1 at 12.00 with ten per cent off, shipping 5.00."""
    bench.goods("S1", "12.00")
    bench.place(("S1", 3), coupon="TEN")
    return bench


def test_without_items_everything_open_is_invoiced_and_paid_where_captured(shop: Bench) -> None:
    assert shop.ask("POST", "/order/1/invoice", {"capture": True}) == "1"
    order = shop.order(1)
    assert (order["state"], order["items"][0]["qty_invoiced"]) == ("processing", 3)
    assert order["total_paid"] == order["total_invoiced"] == order["grand_total"]
    assert order["total_due"] == 0


def test_without_capture_nothing_is_paid(shop: Bench) -> None:
    shop.ask("POST", "/order/1/invoice", {"capture": False})
    order = shop.order(1)
    assert "total_paid" not in order
    assert shop.ask("GET", "/invoices/1")["state"] == 1


def test_a_second_whole_invoice_is_refused(shop: Bench) -> None:
    shop.ask("POST", "/order/1/invoice", {"capture": True})
    text = (
        "Invoice Document Validation Error(s):\n"
        "The invoice can't be created without products. Add products and try again.\n"
        "The order does not allow an invoice to be created."
    )
    assert shop.refusal("POST", "/order/1/invoice", {}) == (400, text, None)


def test_parts_add_up_to_the_whole_and_the_first_carries_all_shipping(shop: Bench) -> None:
    item = shop.order(1)["items"][0]["item_id"]
    for _ in range(3):
        shop.ask("POST", "/order/1/invoice", {"items": [{"order_item_id": item, "qty": 1}], "capture": True})
    first, second, third = shop.find("/invoices", sort="entity_id")["items"]
    assert first["shipping_incl_tax"] == 5
    assert "shipping_amount" not in second
    assert second["discount_amount"] == -Decimal("1.2")
    total = sum(Decimal(str(row["grand_total"])) for row in (first, second, third))
    assert total == Decimal(str(shop.order(1)["grand_total"]))
    assert first["items"][0]["row_total"] == 10  # the plain value, not the one after discount


def test_all_invoiced_and_all_shipped_is_complete(shop: Bench) -> None:  # 6.1
    shop.ask("POST", "/order/1/ship", {})
    assert shop.order(1)["state"] == "processing"
    shop.ask("POST", "/order/1/invoice", {"capture": True})
    assert shop.order(1)["status"] == "complete"


def test_the_child_of_a_configurable_is_listed_at_price_0_without_a_row_total(bench: Bench) -> None:
    child = bench.goods("TEE-S", "24.00", visibility=1)
    bench.do("products", {"sku": "TEE", "name": "Tee", "type_id": "configurable", "_links": [child]})
    bench.place(("TEE-S", 1))
    bench.ask("POST", "/order/1/invoice", {"capture": True})
    (invoice,) = bench.find("/invoices")["items"]
    parent, below = invoice["items"]
    assert (parent["row_total"], below["price"], invoice["subtotal"]) == (20, 0, 20)
    assert "row_total" not in below


def test_the_parts_of_a_dynamic_bundle_count_once(bench: Bench) -> None:  # 6.3
    bench.goods("S1", "6.00")
    bench.goods("S2", "12.00")
    bench.bundle("BD", {"S1": 2, "S2": 1})
    bench.place(("BD", 1), coupon="TEN")
    bench.ask("POST", "/order/1/invoice", {"capture": True})
    order = bench.order(1)
    assert order["total_paid"] == order["grand_total"]
    assert [row["qty_invoiced"] for row in order["items"]] == [1, 2, 1]


def test_virtual_goods_are_no_longer_reserved_once_invoiced(bench: Bench) -> None:  # 11.1
    bench.goods("V1", type_id="virtual")
    bench.place(("V1", 2))
    assert bench.inspect("totals")["reserved"] == -2
    bench.ask("POST", "/order/1/invoice", {"capture": True})
    assert bench.inspect("totals")["reserved"] == 0
    assert bench.order(1)["state"] == "complete"
