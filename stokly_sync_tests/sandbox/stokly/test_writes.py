"""What writes take, when their effect is seen, and what they refuse. Source: Stokly API contract 2.1, 2.6, 3, 4."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import pytest
import requests

from stokly_sync.sandbox.seeds.account import DEFAULT_BINS, MAGENTO, WAREHOUSE
from stokly_sync.sandbox.stokly import Dispatch
from stokly_sync_tests.sandbox.stokly.bench import Bench

DELAY: Final = 1.1
ADDRESS: Final = {"line1": "1 High Street", "city": "Leeds", "postcode": "LS1 0AA", "country": "GB"}
Body = dict[str, Any]


def post(bench: Bench, path: str, body: object, method: str = "POST") -> requests.Response:
    headers = {"Authorization": f"Bearer {bench.token}"}
    return bench.session.request(method, f"{bench.root}{path}", json=body, headers=headers, timeout=30)


def made(bench: Bench, path: str, body: object, method: str = "POST") -> str:
    """The id that a write was answered with, once its effect can be seen."""
    answer = post(bench, path, body, method)
    assert answer.status_code == 202, answer.text
    bench.clock.advance(DELAY)
    return str(answer.json().get("data", {}).get("id"))


def item(bench: Bench, place: int = 0) -> str:
    return str(bench.system.store.rows("items")[place]["itemId"])


def customer(**changes: Any) -> Body:
    name = {"forename": "Customer", "surname": "17850"}
    known = {"email": "17850@example.com", "barcode": "MAGENTO-7", "billingAddress": ADDRESS}
    return {"type": 1, "name": name, "fullName": "Customer 17850", **known, **changes}


def order(bench: Bench, **changes: Any) -> Body:
    line = {"type": "item", "referenceId": item(bench), "quantity": 2, "fulfilmentType": "delivery"}
    prices = {"displayPrice": 50, "displayTax": 10, "displayDiscount": 0}
    whole = {"displayLinePrice": 100, "displayLineTax": 20, "displayLineDiscount": 0, "displayLineTotal": 120}
    name = {"forename": "Customer", "surname": "17850"}
    return {
        "stage": "order",
        "createdAt": "2025-12-12T00:00:00.000Z",
        "sourceType": MAGENTO.source_type,
        "sourceId": MAGENTO.channel_id,
        "sourceReferenceId": "100000123",
        "currency": "GBP",
        "useSystemExchangeRate": False,
        "exchangeRate": 1,
        "customer": {"name": name, "address": ADDRESS, "email": "17850@example.com"},
        "shipping": {"name": name, "address": ADDRESS, "option": "Standard", "cost": 5, "tax": 1},
        "items": [{**line, **prices, **whole}],
        "payments": [{"method": 4, "amount": 126, "label": "card", "timestamp": "2025-12-12T00:00:00.000Z"}],
        **changes,
    }


def only(bench: Bench, path: str, field: str, value: str) -> Body:
    rows = bench.rows(path, filter=f"[{field}]=={{{value}}}")
    assert len(rows) == 1
    return rows[0]


def test_a_write_is_answered_202_and_seen_a_moment_later(bench: Bench) -> None:
    answer = post(bench, "/v0/customers", customer())
    assert answer.status_code == 202
    assert "x-ratelimit-remaining" in answer.headers
    assert bench.rows("/v0/customers", filter="[barcode]=={MAGENTO-7}") == []
    bench.clock.advance(DELAY)
    assert only(bench, "/v0/customers", "barcode", "MAGENTO-7")["customerId"] == answer.json()["data"]["id"]


def test_the_delay_is_a_switch(bench: Bench) -> None:
    bench.system.set_switches(write_delay=30.0)
    key = post(bench, "/v0/customers", customer()).json()["data"]["id"]
    bench.clock.advance(29)
    assert bench.call(f"/v0/customers/{key}").status_code == 404
    bench.clock.advance(2)
    assert bench.call(f"/v0/customers/{key}").status_code == 200


def test_a_customer_is_written_nested_and_read_flat(bench: Bench) -> None:
    made(bench, "/v0/customers", customer(shippingAddresses=[ADDRESS]))
    row = only(bench, "/v0/customers", "barcode", "MAGENTO-7")
    assert (row["name"], row["status"], row["type"]) == ("Customer 17850", 1, 1)
    assert row["billingAddressPostcode"] == "LS1 0AA"
    assert bench.rows(f"/v0/customers/{row['customerId']}/addresses") == [ADDRESS]


def test_a_billing_address_may_be_called_address(bench: Bench) -> None:
    body = customer(address=ADDRESS)
    del body["billingAddress"]
    made(bench, "/v0/customers", body)
    assert only(bench, "/v0/customers", "barcode", "MAGENTO-7")["billingAddressCity"] == "Leeds"


def test_an_account_balance_is_written_as_money_and_read_as_a_number(bench: Bench) -> None:
    key = made(bench, "/v0/customers", customer())
    made(bench, f"/v0/customers/{key}", {"accountBalance": {"amount": 12.5, "currency": "GBP"}}, "PATCH")
    assert bench.get(f"/v0/customers/{key}")["data"]["accountBalance"] == Decimal("12.5")


def test_a_deleted_customer_is_not_live_any_more(bench: Bench) -> None:
    key = made(bench, "/v0/customers", customer())
    made(bench, f"/v0/customers/{key}", None, "DELETE")
    assert bench.rows("/v0/customers", filter=f"[customerId]=={{{key}}}&&[status]=={{1}}") == []


def test_an_order_has_its_lines_totals_and_payments(bench: Bench) -> None:
    key = made(bench, "/v2/saleorders", order(bench, tags=["imported"]))
    row = only(bench, "/v2/saleorders", "sourceReferenceId", "100000123")
    assert (row["saleOrderId"], row["channelName"], row["paymentStatus"]) == (key, MAGENTO.name, "paid")
    assert (row["displaySubtotal"], row["displayTax"], row["displayTotal"], row["amountPaid"]) == (100, 20, 126, 126)
    assert (row["createdAt"], row["itemStatuses"]) == ("2025-12-12T00:00:00.000Z", ["unprocessed"])
    assert (row["customerEmail"], row["shippingAddressLine1"]) == ("17850@example.com", "1 High Street")
    lines = bench.rows(f"/v2/saleorders/{key}/items")
    assert [(line["itemSku"], line["quantity"], line["displayLineTotal"]) for line in lines] == [("MUG", 2, 120)]
    assert [p["amount"] for p in bench.rows(f"/v2/saleorders/{key}/payments")] == [126]


def test_an_order_counts_as_sold_at_once(bench: Bench) -> None:
    before = bench.rows("/v0/items")[0]
    made(bench, "/v2/saleorders", order(bench))
    after = bench.rows("/v0/items")[0]
    assert (after["sold"], after["available"]) == (before["sold"] + 2, before["available"] - 2)
    assert after["onHand"] == before["onHand"]


def test_an_order_of_an_account_tells_of_the_account(bench: Bench) -> None:
    key = made(bench, "/v0/customers", customer())
    made(bench, "/v2/saleorders", order(bench, customer={"customerId": key}))
    row = only(bench, "/v2/saleorders", "sourceReferenceId", "100000123")
    assert (row["customerId"], row["customerName"], row["billingAddressCity"]) == (key, "Customer 17850", "Leeds")


def test_the_same_order_twice_makes_two_orders(bench: Bench) -> None:
    for _ in range(2):
        made(bench, "/v2/saleorders", order(bench))
    assert len(bench.rows("/v2/saleorders", filter="[sourceReferenceId]=={100000123}")) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sourceReferenceId": None}, "sourceReferenceId is required"),
        ({"currency": "Pounds"}, "currency must be an ISO 4217 code"),
        ({"sourceId": "00000000-0000-4000-8000-000000000000"}, "Unknown channel"),
        ({"customer": {"customerId": "nobody"}}, "Unknown customer"),
        ({"customer": {"name": {"forename": "A", "surname": ""}}}, "surname is required"),
        ({"shipping": {"address": {**ADDRESS, "postcode": ""}}}, "postcode is required"),
        ({"items": [{"type": "item", "referenceId": "MUG", "quantity": 1}]}, "Unknown item"),
        ({"createdAt": "yesterday"}, "createdAt must be an ISO 8601 time"),
    ],
)
def test_an_order_that_is_not_one_is_refused_with_the_reason(bench: Bench, change: Body, message: str) -> None:
    answer = post(bench, "/v2/saleorders", order(bench, **change))
    assert (answer.status_code, answer.json()) == (400, {"message": message})


def test_what_is_no_json_and_what_is_no_record_is_refused(bench: Bench) -> None:
    headers = {"Authorization": f"Bearer {bench.token}"}
    answer = bench.session.post(f"{bench.root}/v0/customers", data=b"{", headers=headers, timeout=30)
    assert (answer.status_code, answer.json()) == (400, {"message": "Invalid JSON"})
    assert post(bench, "/v2/saleorders/nothing", {"tags": []}, "PATCH").status_code == 404


def test_tags_replace_the_list_and_an_empty_body_saves_again(bench: Bench) -> None:
    key = made(bench, "/v2/saleorders", order(bench, tags=["a", "b"]))
    made(bench, f"/v2/saleorders/{key}", {"tags": ["c"]}, "PATCH")
    made(bench, f"/v2/saleorders/{key}", {}, "PATCH")
    assert bench.get(f"/v2/saleorders/{key}")["data"]["tags"] == ["c"]


CANCELLING: Final[dict[str, Callable[[Bench, str], requests.Response]]] = {
    "patch": lambda bench, key: post(bench, f"/v2/saleorders/{key}", {"stage": "removed"}, "PATCH"),
    "post": lambda bench, key: post(bench, f"/v2/saleorders/{key}/cancellations", {}),
    "delete": lambda bench, key: post(bench, f"/v2/saleorders/{key}", None, "DELETE"),
}


@pytest.mark.parametrize("way", CANCELLING)
def test_a_cancelled_order_is_removed_and_frees_its_units(bench: Bench, way: str) -> None:
    bench.system.set_switches(cancellations=[way])
    before = bench.rows("/v0/items")[0]["available"]
    key = made(bench, "/v2/saleorders", order(bench))
    for name, cancel in CANCELLING.items():
        assert (cancel(bench, key).status_code == 202) == (name == way)
    bench.clock.advance(DELAY)
    row = bench.get(f"/v2/saleorders/{key}")["data"]
    assert (row["stage"], row["itemStatuses"]) == ("removed", ["cancelled"])
    assert bench.rows("/v0/items")[0]["available"] == before


def test_an_order_that_has_left_cannot_be_cancelled(bench: Bench) -> None:
    key = made(bench, "/v2/saleorders", order(bench))
    bench.system.dispatch(Dispatch(order=key))
    answer = post(bench, f"/v2/saleorders/{key}", {"stage": "removed"}, "PATCH")
    assert (answer.status_code, answer.json()) == (409, {"message": "The order has been dispatched"})


def test_an_invoice_is_kept_with_its_items(bench: Bench) -> None:
    key = made(bench, "/v2/saleorders", order(bench))
    sold = {"referenceType": "item", "referenceId": item(bench), "itemName": "Mug", "quantity": 2}
    invoice = {"status": "paid", "currency": "GBP", "payments": [{"method": 4, "amount": 120}]}
    invoice["items"] = [{**sold, "displayPrice": 50, "displayTax": 10}]
    made(bench, f"/v2/saleorders/{key}/invoices", {"invoices": [invoice]})
    row = only(bench, "/v0/invoices", "saleOrderId", key)
    assert (row["status"], row["currency"]) == ("paid", "GBP")
    assert [i["itemSku"] for i in bench.rows(f"/v0/invoices/{row['saleInvoiceId']}/items")] == ["MUG"]


def test_a_paid_invoice_whose_payments_do_not_add_up_is_refused(bench: Bench) -> None:
    key = made(bench, "/v2/saleorders", order(bench))
    items = [{"referenceType": "item", "referenceId": item(bench), "quantity": 2, "displayPrice": 50, "displayTax": 10}]
    invoice = {"status": "paid", "currency": "GBP", "payments": [{"method": 4, "amount": 100}], "items": items}
    assert post(bench, f"/v2/saleorders/{key}/invoices", {"invoices": [invoice]}).status_code == 400


def refund(bench: Bench, key: str, **changes: Any) -> Body:
    line = bench.rows(f"/v2/saleorders/{key}/items")[0]["lineId"]
    items = [{"lineId": line, "quantity": 1, "displayPrice": 50, "displayTax": 10}]
    return {"items": items, "payments": [{"method": 4, "amount": 60}], "reason": "Damaged", **changes}


@pytest.mark.parametrize("with_note", [True, False])
def test_a_refund_makes_its_credit_note_where_the_account_does_so(bench: Bench, with_note: bool) -> None:
    bench.system.set_switches(refund_credit_notes=with_note)
    key = made(bench, "/v2/saleorders", order(bench))
    made(bench, f"/v2/saleorders/{key}/refunds", refund(bench, key))
    row = bench.rows(f"/v2/saleorders/{key}/refunds")[0]
    assert (row["displayTotal"], row["displayTax"], row["status"], row["reason"]) == (60, 10, "completed", "Damaged")
    notes = bench.rows("/v0/credit-notes", filter=f"[referenceId]=={{{key}}}")
    assert [(n["creditNoteId"], n["value"]) for n in notes] == ([(row["creditNoteId"], 60)] if with_note else [])


def test_more_than_the_order_is_not_refunded(bench: Bench) -> None:
    key = made(bench, "/v2/saleorders", order(bench))
    body = refund(bench, key, payments=[{"method": 4, "amount": 127}])
    assert post(bench, f"/v2/saleorders/{key}/refunds", body).status_code == 409


def test_refunds_can_be_missing_altogether(bench: Bench) -> None:
    key = made(bench, "/v2/saleorders", order(bench))
    body = refund(bench, key)
    bench.system.set_switches(absent_endpoints=["refunds"])
    assert post(bench, f"/v2/saleorders/{key}/refunds", body).status_code == 404


def test_a_credit_note_takes_its_amount_as_a_number_or_as_text(bench: Bench) -> None:
    for barcode, amount in (("VOUCHER-1", 25), ("VOUCHER-2", "25.00")):
        body = {"barcode": barcode, "value": {"currency": "GBP", "amount": amount}, "referenceType": 0}
        made(bench, "/v0/credit-notes", body)
        row = only(bench, "/v0/credit-notes", "barcode", barcode)
        assert (row["value"], row["balance"], row["referenceType"]) == (25, 25, 0)


def test_collected_lines_leave_the_stock_of_their_place(bench: Bench) -> None:
    key = made(bench, "/v2/saleorders", order(bench))
    line = bench.rows(f"/v2/saleorders/{key}/items")[0]["lineId"]
    before = bench.rows("/v0/items")[0]
    body = {"locationId": WAREHOUSE, "items": [{"lineId": line, "quantity": 2}]}
    made(bench, f"/v2/saleorders/{key}/collect-items", body)
    after = bench.rows("/v0/items")[0]
    assert (after["onHand"], after["available"]) == (before["onHand"] - 2, before["available"])
    assert bench.get(f"/v2/saleorders/{key}")["data"]["itemStatuses"] == ["collected"]
    assert post(bench, f"/v2/saleorders/{key}/collect-items", body).status_code == 409


def test_an_adjustment_moves_one_bin_and_what_repeats_it(bench: Bench) -> None:
    first = item(bench)
    where = f"[itemId]=={{{first}}}"
    before = {row["binId"]: row["onHand"] for row in bench.rows("/v1/inventory-records", filter=where)}
    body = {"locationId": WAREHOUSE, "binId": DEFAULT_BINS[WAREHOUSE], "reason": "count"}
    made(bench, "/v1/adjustments", {**body, "items": [{"itemId": first, "quantity": -3}]})
    after = {row["binId"]: row["onHand"] for row in bench.rows("/v1/inventory-records", filter=where)}
    assert after == {place: units - 3 for place, units in before.items()}


def test_a_part_of_an_order_is_dispatched_and_then_the_rest(bench: Bench) -> None:
    key = made(bench, "/v2/saleorders", order(bench))
    part = {"order": "100000123", "courier": "DPD", "trackingNumber": "DP1", "items": [{"sku": "MUG", "quantity": 1}]}
    assert bench.control("POST", "dispatches", [part]).status_code == 204
    assert bench.get(f"/v2/saleorders/{key}")["data"]["itemStatuses"] == ["unprocessed"]
    assert bench.control("POST", "dispatches", [{"order": key, "trackingNumber": "DP2"}]).status_code == 204
    assert bench.get(f"/v2/saleorders/{key}")["data"]["itemStatuses"] == ["dispatched"]
    parcels = bench.rows(f"/v2/saleorders/{key}/dispatches")
    assert [(p["courier"], p["trackingNumber"]) for p in parcels] == [("DPD", "DP1"), ("Royal Mail", "DP2")]
    assert bench.control("POST", "dispatches", [{"order": key}]).status_code == 409
    assert bench.control("POST", "dispatches", [{"order": "nothing"}]).status_code == 404
