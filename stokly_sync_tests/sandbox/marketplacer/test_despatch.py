"""Shipments: contract section 4.3."""

from datetime import timedelta

import pytest

from stokly_sync_tests.sandbox.marketplacer.bench import SHIP, Bench

pytestmark = pytest.mark.sandbox

UPDATE = """
    mutation ($input: ShipmentUpdateMutationInput!) {
      shipmentUpdate(input: $input) {
        status errors { messages } shipment { carrier trackingNumber trackingLink dispatchedAt note }
      }
    }
"""


def test_despatch_goes_from_partially_sent_to_sent(bench: Bench) -> None:  # 4.3
    bench.listed("A")
    invoice = bench.invoice(("A", 3))
    bench.change(SHIP, key=bench.seller, input=bench.shipping(invoice, 1))
    assert bench.read(invoice["legacyId"])["statusFlags"] == ["PAID", "PARTIALLY_SENT"]
    bench.change(SHIP, input=bench.shipping(invoice, 2))
    fields = (
        "shipments { carrier trackingNumber trackingLink dispatchedAt shippedItems { id quantity lineItem { id } } }"
    )
    shown = bench.read(invoice["legacyId"], fields)
    assert (shown["statusFlags"], shown["lineItems"][0]["status"]) == (["PAID", "SENT"], "ALLOCATED")
    assert [item["quantity"] for parcel in shown["shipments"] for item in parcel["shippedItems"]] == [1, 2]
    parcel = shown["shipments"][0]
    assert (parcel["carrier"], parcel["trackingNumber"]) == ("Royal Mail", "RM000000001GB")
    assert parcel["shippedItems"][0]["lineItem"]["id"] == invoice["lineItems"][0]["id"]


def test_more_than_is_undispatched_cannot_be_sent(bench: Bench) -> None:  # 4.3
    bench.listed("A")
    invoice = bench.invoice(("A", 2))
    exceeds = "Shipped items quantity exceeds the maximum number of undispatched items."
    assert bench.refusal(SHIP, input=bench.shipping(invoice, 3)) == exceeds
    bench.change(SHIP, input=bench.shipping(invoice))
    assert bench.refusal(SHIP, input=bench.shipping(invoice)) == exceeds
    twice = bench.shipping(bench.invoice(("A", 2)), 2)
    assert bench.refusal(SHIP, input={**twice, "shippedItems": twice["shippedItems"] * 2}) == exceeds
    assert bench.inspect("totals")["shipments"] == 1


def test_what_was_cancelled_is_not_left_to_be_sent(bench: Bench) -> None:  # 4.3, 5
    bench.listed("A")
    invoice = bench.invoice(("A", 3))
    bench.do("refund-requests", invoice=invoice["legacyId"], quantity=1)
    assert "exceeds" in bench.refusal(SHIP, input=bench.shipping(invoice, 3))
    bench.change(SHIP, input=bench.shipping(invoice, 2))
    assert "SENT" in bench.read(invoice["legacyId"])["statusFlags"]


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S+01:00"])
def test_the_day_of_despatch_may_be_a_date_or_a_time(bench: Bench, form: str) -> None:  # 4.3
    bench.listed("A")
    given = bench.shipping(bench.invoice(("A", 1)), dispatchedAt=(bench.clock.now() + timedelta(days=1)).strftime(form))
    bench.change(SHIP, input=given)


def test_despatch_before_the_order_is_refused(bench: Bench) -> None:  # 4.3
    bench.listed("A")
    day = (bench.clock.now() - timedelta(days=1)).date().isoformat()
    given = bench.shipping(bench.invoice(("A", 1)), dispatchedAt=day)
    assert bench.refusal(SHIP, input=given) == "Dispatched at is before shipped items were ordered"


@pytest.mark.parametrize(
    ("member", "message"),
    [
        ("invoiceId", "No object found for invoiceId: none"),
        ("postageCarrierId", "No object found for postageCarrierId: none"),
    ],
)
def test_despatch_names_what_it_does_not_find(bench: Bench, member: str, message: str) -> None:  # 4.3
    bench.listed("A")
    given = bench.shipping(bench.invoice(("A", 1)))
    assert bench.refusal(SHIP, input={**given, member: "none"}) == message


def test_a_line_of_another_invoice_cannot_be_sent(bench: Bench) -> None:  # 4.3
    bench.listed("A")
    first, second = bench.invoice(("A", 1)), bench.invoice(("A", 1))
    given = {**bench.shipping(first), "shippedItems": bench.shipping(second)["shippedItems"]}
    assert bench.refusal(SHIP, input=given) == "Shipped items must be line items of the invoice."


def test_a_shipment_can_be_corrected(bench: Bench) -> None:  # 4.3
    bench.listed("A")
    shipment = bench.change(SHIP, input=bench.shipping(bench.invoice(("A", 1))))["shipment"]["id"]
    carriers = bench.ask("{ shipmentCarriers { totalCount nodes { id name } } }")["shipmentCarriers"]["nodes"]
    at = (bench.clock.now() + timedelta(hours=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    given = {"postageCarrierId": carriers[1]["id"], "trackingNumber": "D1", "dispatchedAt": at, "note": "Left with 2"}
    shown = bench.change(UPDATE, input={"shipmentId": shipment, **given})["shipment"]
    assert shown == {
        "carrier": carriers[1]["name"],
        "trackingNumber": "D1",
        "trackingLink": "https://tracking.example.com/D1",
        "dispatchedAt": at,
        "note": "Left with 2",
    }
    assert bench.refusal(UPDATE, input={"shipmentId": "none"}) == "No object found for shipmentId: none"
