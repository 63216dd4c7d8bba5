"""Changes on the wire: each record's own fate, shipments and refund requests looked up before they are made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from stokly_sync.errors import InDoubt, PermissionDenied
from stokly_sync.flow import Outcome, Record, State
from stokly_sync.systems.marketplacer.refunding import look_up_refunds, send_refunds, settle_refunds
from stokly_sync.systems.marketplacer.sending import send_products, send_stock
from stokly_sync.systems.marketplacer.shipping import look_up_shipments, send_shipments
from stokly_sync.systems.transport import encode
from stokly_sync_tests.systems.marketplacer.test_client import answer, client, said
from stokly_sync_tests.systems.transport.stub import Reply

GUARD = "Shipped items quantity exceeds the maximum number of undispatched items."
CARRIERS = answer({"shipmentCarriers": {"nodes": [{"id": "C1", "name": "Royal Mail"}], "pageInfo": {}}})
TYPES = answer(None, {"message": "introspection is off"})


def record(key: str, **body: Any) -> Record:
    return Record(key, encode(body), "hash")


def fates(outcomes: Any) -> dict[str, tuple[str, str | None, str | None]]:
    found: list[Outcome] = list(outcomes)
    return {o.key: (o.state.value, o.rule, o.receipt) for o in found}


def payloads(*each: Mapping[str, Any]) -> Reply:
    return answer({f"c{i}": {"status": 200, "errors": None, **one} for i, one in enumerate(each)})


def refused(text: str, field: str | None = None) -> dict[str, Any]:
    return {"status": 422, "errors": [{"field": field, "messages": [text]}]}


def stock(key: str, units: int) -> Record:
    return record(key, sku=key, variantId=f"V-{key}", countOnHand=units)


def test_stock_is_an_absolute_whole_number_for_each_variant() -> None:
    with client(payloads({"variant": {"id": "V1"}}, {"variant": {"id": "V2"}})) as (made, stub):
        assert fates(send_stock(made, [stock("A", 3), stock("B", 0)])) == {
            "A": ("accepted", None, "V1"),
            "B": ("accepted", None, "V2"),
        }
    assert said(stub.seen[0])["variables"]["c0"] == {"variantId": "V-A", "attributes": {"countOnHand": 3}}


def test_a_variant_that_is_refused_is_named_and_the_others_stand() -> None:
    with client(payloads(refused("could not be found", "variantId"), {"variant": {"id": "V2"}})) as (made, _):
        outcomes = send_stock(made, [stock("A", 3), stock("B", 0)])
    assert fates(outcomes) == {"A": ("rejected", "MP-REJECTED", None), "B": ("accepted", None, "V2")}
    assert outcomes[0].reason == "variantId: could not be found"


def test_a_missing_right_is_no_fault_of_the_records() -> None:
    error = {"message": "no", "path": ["c0"], "extensions": {"code": "MISSING_SCOPE"}}
    with client(answer({"c0": None}, error)) as (made, _), pytest.raises(PermissionDenied):
        send_stock(made, [stock("A", 3)])


def variants(*skus: str) -> Reply:
    nodes = [{"id": "A", "variants": {"nodes": [{"id": f"V-{sku}", "sku": sku} for sku in skus]}}]
    return answer({"advertsWhere": {"nodes": nodes, "pageInfo": {}}})


BRANDS = answer({"brands": {"nodes": [{"id": "B1", "name": "Acme"}], "pageInfo": {}}})


def test_a_product_is_looked_for_before_it_is_made() -> None:
    new = [record(sku, advert={"title": sku, "price": "1.00"}, brandName="ACME") for sku in ("A", "B")]
    with client(variants("A"), BRANDS, payloads({"advert": {"id": "AD"}})) as (made, stub):
        assert fates(send_products(made, new)) == {"A": ("accepted", None, "V-A"), "B": ("accepted", None, "AD")}
    sent = said(stub.seen[2])["variables"]["c0"]
    assert sent == {"attributes": {"title": "B", "price": "1.00", "brandId": "B1"}}


def test_a_picture_that_cannot_be_fetched_refuses_its_product_alone() -> None:
    text = "Unable to retrieve attachment: https://img.example.com/1.png (Net::OpenTimeout)"
    with client(variants(), payloads(refused(text))) as (made, _):
        (outcome,) = send_products(made, [record("A", advert={"title": "A"})])
    assert outcome.state is State.REJECTED
    assert "Net::OpenTimeout" in str(outcome.reason)


def parcel(key: str, tracking: str = "AB1", carrier: str = "Royal Mail", units: int = 2) -> Record:
    items = [{"lineItemId": "L1", "quantity": units}]
    return record(
        key, invoiceId="INV", carrier=carrier, trackingNumber=tracking, dispatchedAt="2026-03-02", shippedItems=items
    )


def held(*shipments: tuple[str, str, int]) -> Reply:
    """The invoice with these shipments: id, number and units of its one line."""
    made = [
        {"id": key, "trackingNumber": number, "shippedItems": [{"quantity": units, "lineItem": {"id": "L1"}}]}
        for key, number, units in shipments
    ]
    return answer({"nodes": [{"id": "INV", "shipments": made}]})


def test_a_shipment_is_made_under_the_carriers_id() -> None:
    with client(held(), CARRIERS, payloads({"shipment": {"id": "S1"}})) as (made, stub):
        assert fates(send_shipments(made, [parcel("D1")])) == {"D1": ("accepted", None, "S1")}
    assert said(stub.seen[2])["variables"]["c0"]["postageCarrierId"] == "C1"


def test_a_shipment_that_is_there_is_tied_and_not_made() -> None:
    with client(held(("S7", "ab 1", 2)), CARRIERS) as (made, _):
        assert fates(send_shipments(made, [parcel("D1")])) == {"D1": ("accepted", None, "S7")}


@pytest.mark.parametrize("there", [("S7", "OTHER", 2), ("S7", "AB1", 1)])
def test_another_shipment_is_not_taken_for_it(there: tuple[str, str, int]) -> None:
    with client(held(there), CARRIERS, payloads({"shipment": {"id": "S8"}})) as (made, _):
        assert fates(send_shipments(made, [parcel("D1")])) == {"D1": ("accepted", None, "S8")}


def test_one_shipment_stands_for_one_record() -> None:
    with client(held(("S7", "AB1", 1)), CARRIERS, payloads({"shipment": {"id": "S8"}})) as (made, _):
        outcomes = fates(send_shipments(made, [parcel("D1", units=1), parcel("D2", units=1)]))
    assert outcomes == {"D1": ("accepted", None, "S7"), "D2": ("accepted", None, "S8")}


def test_the_guard_makes_us_look_once_more_before_it_counts() -> None:
    late = held(("S9", "AB1", 2))
    with client(held(), CARRIERS, payloads(refused(GUARD)), late) as (made, _):
        assert fates(send_shipments(made, [parcel("D1")])) == {"D1": ("accepted", None, "S9")}
    with client(held(), CARRIERS, payloads(refused(GUARD)), held()) as (made, _):
        assert fates(send_shipments(made, [parcel("D1")])) == {"D1": ("rejected", "MP-SHIP-QUANTITY", None)}


def test_another_refusal_of_a_shipment_is_named() -> None:
    text = "Dispatched at is before shipped items were ordered"
    with client(held(), CARRIERS, payloads(refused(text))) as (made, _):
        assert fates(send_shipments(made, [parcel("D1")])) == {"D1": ("rejected", "MP-SHIPMENT-REFUSED", None)}


def test_a_carrier_that_the_marketplace_lacks_is_named_and_the_others_leave() -> None:
    with client(held(), CARRIERS, payloads({"shipment": {"id": "S1"}})) as (made, _):
        outcomes = fates(send_shipments(made, [parcel("D1"), parcel("D2", carrier="Pigeon")]))
    assert outcomes == {"D1": ("accepted", None, "S1"), "D2": ("rejected", "MP-CARRIER-UNMAPPED", None)}


def test_a_lost_answer_leaves_the_shipment_to_be_looked_up() -> None:
    with client(held(), CARRIERS, Reply(cut="before")) as (made, _), pytest.raises(InDoubt):
        send_shipments(made, [parcel("D1")])
    with client(held(("S1", "AB1", 2))) as (made, _):
        assert fates(look_up_shipments(made, [parcel("D1"), parcel("D2", "CD2")])) == {"D1": ("accepted", None, "S1")}


def refund(key: str, before: int = 0) -> Record:
    items = [{"lineItemId": "L1", "quantity": 1, "reason": "x", "dispatched": True}]
    return record(key, invoiceId="INV", lineItems=items, notes=[], before=before, cashAmountCents=1200, pay=True)


def requests(*each: tuple[str, str]) -> Reply:
    nodes = [
        {
            "id": key,
            "status": status,
            "invoice": {"id": "INV"},
            "lineItems": [{"request_quantity": 1, "lineItem": {"id": "L1"}}],
        }
        for key, status in each
    ]
    return answer({"refundRequests": {"nodes": nodes, "pageInfo": {}}})


def step(status: str) -> Reply:
    return payloads({"refundRequest": {"id": "RR1", "status": status}})


def named(stub: Any) -> list[str]:
    """The changes that were asked for, in order."""
    texts = [json.loads(seen.body)["query"] for seen in stub.seen]
    return [text.split("{ c0: ")[1].split("(")[0] for text in texts if text.startswith("mutation")]


def test_a_request_is_made_and_its_goods_are_marked_as_back() -> None:
    with client(TYPES, requests(), step("AWAITING"), step("RETURNED")) as (made, stub):
        assert fates(send_refunds(made, [refund("R1")])) == {"R1": ("accepted", None, "RR1")}
    assert named(stub) == ["refundRequestCreate", "refundRequestReturn"]


def test_an_operator_may_pay_it_as_well() -> None:
    replies = (TYPES, requests(), step("AWAITING"), step("RETURNED"), step("REFUNDED"))
    with client(*replies, refunds_pay=True) as (made, stub):
        assert fates(send_refunds(made, [refund("R1")])) == {"R1": ("accepted", None, "RR1")}
    assert named(stub)[-1] == "refundRequestRefund"
    assert said(stub.seen[-1])["variables"]["c0"]["cashAmountCents"] == 1200


def test_a_seller_never_pays() -> None:
    with client(TYPES, requests(), step("AWAITING"), step("RETURNED"), refunds_pay=True, role="seller") as (made, stub):
        send_refunds(made, [refund("R1")])
    assert "refundRequestRefund" not in named(stub)


def test_a_request_that_stopped_half_way_is_taken_further_and_not_made_again() -> None:
    with client(TYPES, requests(("RR1", "AWAITING")), step("RETURNED")) as (made, stub):
        assert fates(send_refunds(made, [refund("R1")])) == {"R1": ("accepted", None, "RR1")}
    assert named(stub) == ["refundRequestReturn"]


def test_of_two_equal_refunds_each_has_a_request_of_its_own() -> None:
    replies = (TYPES, requests(("RR1", "RETURNED")), step("AWAITING"), step("RETURNED"))
    with client(*replies) as (made, stub):
        send_refunds(made, [refund("R2", before=1)])
    assert named(stub)[0] == "refundRequestCreate"


def test_a_step_that_was_taken_before_is_no_refusal() -> None:
    told = payloads(refused("Can only mark an awaiting RefundRequest as returned"))
    stands = answer({"nodes": [{"id": "RR1", "status": "PROCESSED"}]})
    with client(TYPES, requests(("RR1", "AWAITING")), told, stands) as (made, _):
        assert fates(send_refunds(made, [refund("R1")])) == {"R1": ("accepted", None, "RR1")}


def test_a_step_that_is_refused_where_it_stands_is_named() -> None:
    told = payloads(refused("No object found for refundRequestId: x"))
    stands = answer({"nodes": [{"id": "RR1", "status": "AWAITING"}]})
    with client(TYPES, requests(("RR1", "AWAITING")), told, stands) as (made, _):
        assert fates(send_refunds(made, [refund("R1")])) == {"R1": ("rejected", "MP-REFUND-REFUSED", None)}


def test_a_refund_that_the_operator_denied_counts_for_nothing() -> None:
    replies = (TYPES, requests(("RR0", "DENIED")), step("AWAITING"), step("RETURNED"))
    with client(*replies) as (made, stub):
        send_refunds(made, [refund("R1")])
    assert named(stub)[0] == "refundRequestCreate"


def test_a_step_without_an_answer_is_taken_when_it_is_settled() -> None:
    down = [Reply(500)] * 4
    with client(TYPES, requests(), step("AWAITING"), *down) as (made, _):
        outcomes = send_refunds(made, [refund("R1")])
    assert fates(outcomes) == {"R1": ("submitted", None, "RR1 1200")}
    stands = answer({"nodes": [{"id": "RR1", "status": "AWAITING"}]})
    with client(stands, step("RETURNED")) as (made, _):
        assert fates(settle_refunds(made, outcomes)) == {"R1": ("accepted", None, "RR1")}


def test_what_is_looked_up_says_where_it_stands() -> None:
    with client(TYPES, requests(("RR1", "RETURNED"))) as (made, _):
        assert fates(look_up_refunds(made, [refund("R1"), refund("R2", before=1)])) == {"R1": ("accepted", None, "RR1")}
