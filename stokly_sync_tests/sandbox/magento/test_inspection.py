"""The test-only routes: what a shopper, the shop's office or an operator does without the API."""

from typing import Any

import pytest

from stokly_sync_tests.sandbox.magento.bench import Bench

pytestmark = pytest.mark.sandbox


@pytest.fixture
def shop(bench: Bench) -> Bench:
    bench.goods("S1")
    return bench


def refused(bench: Bench, name: str, body: Any) -> str:
    answer = bench.session.post(f"{bench.root}/_sandbox/{name}", json=body, timeout=30)
    assert answer.status_code == 400
    return str(answer.json()["message"])


def test_orders_are_placed_one_by_one_or_many_at_once(shop: Bench) -> None:
    shop.do("orders/place", {"lines": [{"sku": "S1"}], "paid": True})
    many = [{"lines": [{"sku": "S1", "quantity": 2}], "email": f"guest-{n}@example.com"} for n in range(3)]
    assert [row["entity_id"] for row in shop.do("orders/place-many", many)] == [2, 3, 4]
    assert [row["state"] for row in shop.inspect("orders")] == ["processing", "new", "new", "new"]
    assert shop.inspect("totals")["grand_total"] == {"GBP": 17 + 3 * 29}


def test_the_office_invoices_ships_refunds_and_cancels_by_either_number(shop: Bench) -> None:
    for _ in range(2):
        shop.place(("S1", 1))
    track = {"track_number": "T1", "title": "Post", "carrier_code": "custom"}
    shop.do("orders/invoice", {"increment_id": "000000001"})
    shop.do("orders/ship", {"entity_id": 1, "arguments": {"tracks": [track]}})
    done = shop.do("orders/refund", {"entity_id": 1, "arguments": {"arguments": {"shipping_amount": 0}}})
    assert (done["id"], done["state"]) == (1, "closed")
    assert shop.do("orders/cancel", {"increment_id": "000000002"})["state"] == "canceled"
    assert shop.inspect("shipments") == [
        {
            "increment_id": "000000001",
            "order": "000000001",
            "source_code": "default",
            "quantities": {"S1": 1},
            "tracks": [{"carrier_code": "custom", "track_number": "T1"}],
        }
    ]
    (memo,) = shop.inspect("creditmemos")
    assert (memo["order"], memo["grand_total"]) == ("000000001", 12)


def test_columns_of_orders_and_products_are_set_to_whatever_is_given(shop: Bench) -> None:
    shop.place(("S1", 1))
    shop.do("orders/alter", {"entity_id": 1, "arguments": {"tax_amount": 99}})
    shop.do("products/alter", {"sku": "s1", "columns": {"price": 1}, "custom": {"barcode": "9"}})
    assert shop.order(1)["tax_amount"] == 99
    product = shop.ask("GET", "/products/S1")
    assert product["price"] == 1
    assert {"attribute_code": "barcode", "value": "9"} in product["custom_attributes"]


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("orders/place", {"lines": [{"sku": "NO"}]}, "sells nothing of SKU"),
        ("orders/place", {"lines": []}, "at least one line"),
        ("orders/place", {"lines": [{"sku": "S1"}], "coupon": "NO"}, "coupon code isn't valid"),
        ("orders/place", {"lines": [{"sku": "S1"}], "customer_id": 9}, "no customer 9"),
        ("orders/place", {"line": []}, "unknown field `line`"),
        ("orders/ship", {"entity_id": 9}, "entity that was requested"),
        ("orders/cancel", {"increment_id": "9"}, "no order 9"),
        ("products", {"sku": "S1"}, "a SKU that no other has"),
        ("products/alter", {"sku": "NO"}, "no product 'NO'"),
        ("customers", {}, "e-mail address"),
    ],
)
def test_what_does_not_fit_is_400_and_says_why(shop: Bench, name: str, body: Any, said: str) -> None:
    assert said in refused(shop, name, body)


def test_switches_are_set_by_http_too(shop: Bench) -> None:
    url = f"{shop.root}/_sandbox/switches"
    assert shop.session.patch(url, json={"release": "2.4.8"}, timeout=30).status_code == 204
    assert shop.session.get(url, timeout=30).json()["release"] == "2.4.8"
    assert shop.session.patch(url, json={"nosuch": 1}, timeout=30).status_code == 400
