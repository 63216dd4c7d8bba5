"""Orders and invoices: contract sections 4.1 and 4.2."""

from datetime import timedelta
from typing import Any

import pytest

from stokly_sync_tests.sandbox.marketplacer.bench import ORDER, SHIP, Bench

pytestmark = pytest.mark.sandbox

MONEY = """
    postageCents postageTaxCents taxCents discountCents discountFormatted totalFormatted
    commissionAmountCents commissionAmountFormatted commissionAmountTaxCents commissionTaxRate
"""
LIST = """
    query ($filters: InvoiceFilters, $sort: InvoiceSort, $first: Int) {
      invoices(filters: $filters, sort: $sort, first: $first) { totalCount nodes { legacyId } }
    }
"""
PERSON = {
    "firstName": "Sample",
    "surname": "Buyer",
    "emailAddress": "buyer@example.com",
    "address": {"address": "1 Sample Street", "city": "Bristol", "postcode": "BS1 0AA", "state": "BST"},
}


def numbers(bench: Bench, key: str | None = None, **given: Any) -> list[int]:
    return [node["legacyId"] for node in bench.ask(LIST, key=key, **given)["invoices"]["nodes"]]


def ordering(*lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"order": PERSON, "lineItems": list(lines), **more}


def line(variant: str, quantity: int = 1, amount: int = 1200, **more: Any) -> dict[str, Any]:
    return {"variantId": variant, "quantity": quantity, "cost": {"amount": amount}, **more}


def stock(bench: Bench) -> list[int]:
    return [variant["count_on_hand"] for variant in bench.inspect("variants")]


def test_a_shoppers_order_is_a_paid_invoice_that_takes_stock_down(bench: Bench) -> None:  # 4.1, 4.2
    bench.listed("A", count_on_hand=5)
    fields = """paidAt createdAt buyerEmailAddress seller { businessName }
        shippingAddress { city postcode state { short } }"""
    invoice = bench.invoice(("A", 2), email="a@example.com", postage_cents=350)
    shown = bench.read(invoice["legacyId"], fields)
    assert (shown["statusFlags"], shown["totalCents"], shown["buyerEmailAddress"]) == (["PAID"], 2750, "a@example.com")
    assert shown["paidAt"] == shown["createdAt"]
    assert shown["shippingAddress"] == {"city": "Bristol", "postcode": "BS1 0AA", "state": {"short": "BST"}}
    assert shown["lineItems"][0] | {"id": ""} == {"id": "", "quantity": 2, "status": "NEW", "variantSku": "A"}
    assert stock(bench) == [3]


def test_a_shopper_cannot_buy_more_than_there_is(bench: Bench) -> None:  # 4.2
    bench.listed("A", count_on_hand=1)
    body = {"lines": [{"sku": "A", "quantity": 2}]}
    answer = bench.session.post(f"{bench.root}/_sandbox/orders", json=body, timeout=30)
    assert (answer.status_code, stock(bench)) == (400, [1])


def test_amounts_are_whole_pence_with_a_text_twin(bench: Bench) -> None:  # 2.4, 6
    bench.listed("A", price="1234.50")
    invoice = bench.invoice(("A", 1), postage_cents=480)
    assert bench.read(invoice["legacyId"], MONEY) | invoice == {
        **invoice,
        "postageCents": 480,
        "postageTaxCents": 80,
        "taxCents": 20655,
        "discountCents": 0,
        "discountFormatted": "£0.00",
        "totalCents": 123930,
        "totalFormatted": "£1,239.30",
        "commissionAmountCents": 18518,
        "commissionAmountFormatted": "£185.18",
        "commissionAmountTaxCents": 3704,
        "commissionTaxRate": 20.0,
    }


def test_a_line_copies_what_was_bought_and_keeps_it(bench: Bench) -> None:  # 4.1
    variant = bench.listed("A", barcode="20001", label="Small")
    invoice = bench.invoice(("A", 2))
    update = """mutation ($id: ID!) {
        variantUpdate(input: {variantId: $id, attributes: {sku: "Z", price: "1.00"}}) { status errors { messages } }
    }"""
    bench.change(update, id=variant)
    fields = """lineItems { variantId variantSku variantBarcode variantName advertTitle brandName itemCostCents
        commissionRate commissionAmountCents commissionAmountFormatted }"""
    (shown,) = bench.read(invoice["legacyId"], fields)["lineItems"]
    assert (shown["variantId"], shown["variantSku"], shown["variantBarcode"]) == (variant, "A", "20001")
    assert (shown["variantName"], shown["advertTitle"], shown["brandName"]) == (
        "Small",
        "Sample product",
        "Demo House Brand",
    )
    assert (shown["itemCostCents"], shown["commissionRate"]) == (1200, "15.0")
    assert (shown["commissionAmountCents"], shown["commissionAmountFormatted"]) == (360, "£3.60")


def test_cents_that_are_on_their_way_out_can_be_gone(bench: Bench) -> None:  # 2.4, 10.11
    told = '{ __type(name: "Invoice") { fields(includeDeprecated: true) { name } } }'
    assert {"name": "commissionAmountCents"} in bench.ask(told)["__type"]["fields"]
    bench.system.set_switches(formatted_only=True)
    assert "commissionAmountCents" in bench.error("{ invoices { nodes { commissionAmountCents } } }")["message"]
    assert {"name": "commissionAmountCents"} not in bench.ask(told)["__type"]["fields"]
    bench.listed()
    bench.invoice()
    (shown,) = bench.ask("{ invoices { nodes { totalCents commissionAmountFormatted } } }")["invoices"]["nodes"]
    assert shown == {"totalCents": 1200, "commissionAmountFormatted": "£1.80"}


def test_an_order_is_created_by_the_operator_and_counts_as_paid(bench: Bench) -> None:  # 4.1, 4.2
    given = ordering(line(bench.listed("A"), 3, 3600))
    order = bench.change(ORDER, input=given)["order"]
    assert order["totalCents"] == 3600
    assert stock(bench) == [7]
    query = "{ invoices { nodes { statusFlags paidAt createdAt order { id legacyId totalCents invoices { id } } } } }"
    (invoice,) = bench.ask(query)["invoices"]["nodes"]
    assert (invoice["statusFlags"], invoice["paidAt"]) == (["PAID"], invoice["createdAt"])
    assert invoice["order"]["id"] == order["id"]


def test_a_unit_price_with_a_fraction_is_rounded_up_and_moves_the_total(bench: Bench) -> None:  # 2.4, 4.2
    order = bench.change(ORDER, input=ordering(line(bench.listed("A"), 4, 10830)))["order"]
    assert order["totalCents"] == 10832


def test_an_order_is_split_into_one_invoice_a_seller(bench: Bench) -> None:  # 1, 4.2
    ours, theirs, more = bench.listed("A"), bench.listed("B", seller=2), bench.listed("C")
    bench.change(ORDER, input=ordering(line(ours), line(theirs), line(more)))
    query = "{ invoices { nodes { seller { businessName } lineItems { variantSku } } } }"
    found = bench.ask(query)["invoices"]["nodes"]
    assert [[item["variantSku"] for item in invoice["lineItems"]] for invoice in found] == [["A", "C"], ["B"]]


def test_invoices_may_be_given_one_a_seller(bench: Bench) -> None:  # 4.2
    ours, more = bench.listed("A"), bench.listed("B")
    both = {"order": PERSON, "invoices": [{"lineItems": [line(ours)]}, {"lineItems": [line(more)]}]}
    assert bench.refusal(ORDER, input=both) == "A seller can only have one invoice per order"
    named = {"lineItems": [line(ours), line(more)], "externalIds": [{"key": "shop", "value": "W-1"}]}
    bench.change(ORDER, input={"order": PERSON, "invoices": [named]})
    assert len(numbers(bench, filters={"externalId": "W-1"})) == 1


def test_an_external_id_finds_an_order_and_guards_nothing(bench: Bench) -> None:  # 4.2
    variant = bench.listed("A")
    given = ordering(line(variant))
    given["order"] = {**PERSON, "externalIds": [{"key": "shop", "value": "W-100"}]}
    bench.change(ORDER, input=given)
    bench.change(ORDER, input=given)
    assert len(numbers(bench, filters={"externalId": "W-100"})) == 2
    assert len(numbers(bench, filters={"partialExternalId": "W-1"})) == 2
    query = '{ externalIds(ownerType: "Order", key: "shop", value: "W-100") { owner { ... on Order { externalId } } } }'
    assert len(bench.ask(query)["externalIds"]) == 2


def test_goods_outside_the_catalogue_are_custom_lines(bench: Bench) -> None:  # 4.2
    seller = bench.ask("{ allSellers { nodes { id } } }")["allSellers"]["nodes"][0]["id"]
    custom = {"sellerId": seller, "advertName": "Wrapping", "sku": "WRAP"}
    bench.change(ORDER, input=ordering({"custom": custom, "quantity": 1, "cost": {"amount": 250}}))
    query = "{ invoices { nodes { lineItems { variantId variantSku advertTitle } } } }"
    (invoice,) = bench.ask(query)["invoices"]["nodes"]
    assert invoice["lineItems"] == [{"variantId": None, "variantSku": "WRAP", "advertTitle": "Wrapping"}]


def test_promotions_are_negative_discounts(bench: Bench) -> None:  # 4.1, 4.2
    given = line(bench.listed("A"), adjustments=[{"type": "PROMOTION", "amount": 200}, {"type": "FEE", "amount": 50}])
    order = bench.change(ORDER, input=ordering(given))["order"]
    (shown,) = bench.ask("{ invoices { nodes { discountCents totalCents } } }")["invoices"]["nodes"]
    assert (order["totalCents"], shown) == (1050, {"discountCents": -200, "totalCents": 1050})


TAXED = {"cost": {"amount": 1200, "tax": 200}, "postage": {"amount": 350, "tax": 58}}


@pytest.mark.parametrize(
    "lines",
    [
        [TAXED, {"cost": {"amount": 1200}, "postage": {"amount": 0}}],
        [{"cost": {"amount": 1200, "tax": 200}, "postage": {"amount": 350}}],
        [{"cost": {"amount": 1200, "tax": 200}}],
    ],
    ids=["one line", "cost alone", "no postage"],
)
def test_tax_is_on_every_line_for_cost_and_postage_or_nowhere(bench: Bench, lines: list[Any]) -> None:  # 4.2
    variant = bench.listed("A")
    given = ordering(*({**line(variant), **taxes} for taxes in lines))
    assert bench.refusal(ORDER, input=given).startswith("Tax must be given")
    bench.change(ORDER, input=ordering({**line(variant), **TAXED}))
    (shown,) = bench.ask("{ invoices { nodes { taxCents postageTaxCents totalCents } } }")["invoices"]["nodes"]
    assert shown == {"taxCents": 258, "postageTaxCents": 58, "totalCents": 1550}


@pytest.mark.parametrize("both", [True, False])
def test_a_line_has_exactly_one_of_variant_and_custom(bench: Bench, both: bool) -> None:  # 4.2
    given: dict[str, Any] = {"quantity": 1, "cost": {"amount": 1}}
    if both:
        given = {**given, "variantId": bench.listed("A"), "custom": {"sellerId": "x"}}
    assert bench.refusal(ORDER, input=ordering(given)).startswith("Exactly one")


def test_over_ordering_is_refused_over_all_lines_and_takes_nothing(bench: Bench) -> None:  # 4.2
    variant, other = bench.listed("A", count_on_hand=3), bench.listed("B")
    given = ordering(line(other), line(variant, 2), line(variant, 2))
    assert "exceeds the count on hand" in bench.refusal(ORDER, input=given)
    assert (stock(bench), numbers(bench)) == ([3, 10], [])


def test_what_is_not_on_sale_cannot_be_ordered(bench: Bench) -> None:  # 3.4
    variant = bench.listed("A", published=False)
    assert "not on sale" in bench.refusal(ORDER, input=ordering(line(variant)))


def test_invoices_are_filtered_by_windows_of_their_times(bench: Bench) -> None:  # 4.1
    bench.listed("A")
    first = bench.invoice(("A", 1))
    middle = bench.clock.now() + timedelta(seconds=50)
    bench.clock.advance(100)
    second = bench.invoice(("A", 1))
    for name in ("created", "paid", "updated"):
        assert numbers(bench, filters={f"{name}Since": middle.isoformat()}) == [second["legacyId"]]
        assert numbers(bench, filters={f"{name}Until": middle.isoformat()}) == [first["legacyId"]]
    bench.clock.advance(100)
    later = bench.clock.now().isoformat()
    bench.change(SHIP, input=bench.shipping(first))
    assert numbers(bench, filters={"updatedSince": later}) == [first["legacyId"]]
    assert numbers(bench, filters={"paidSince": later}) == []
    assert numbers(bench, filters={"remittedSince": later}) == []
    bench.do("remittance-advices", invoices=[first["legacyId"]])
    assert numbers(bench, filters={"remittedSince": later}) == [first["legacyId"]]


def test_invoices_are_filtered_by_buyer_number_order_and_state(bench: Bench) -> None:  # 4.1
    bench.listed("A")
    one = bench.invoice(("A", 1), email="one@example.com", surname="First")["legacyId"]
    two = bench.invoice(("A", 1), email="two@example.com", surname="Second")
    bench.change(SHIP, input=bench.shipping(two))
    assert numbers(bench, filters={"buyerEmailAddress": "one@example.com"}) == [one]
    assert numbers(bench, filters={"buyerName": "second"}) == [two["legacyId"]]
    assert numbers(bench, filters={"legacyId": one}) == [one]
    assert numbers(bench, filters={"orderId": 1}) == [one]
    assert numbers(bench, filters={"notDispatched": True}) == [one]
    assert numbers(bench, filters={"statuses": ["SENT"]}) == [two["legacyId"]]
    assert numbers(bench, filters={"statuses": ["SENT"], "legacyId": one}) == []


def test_invoices_are_sorted_both_ways(bench: Bench) -> None:  # 4.1
    bench.listed("A")
    made = []
    for _ in range(3):
        made.append(bench.invoice(("A", 1))["legacyId"])
        bench.clock.advance(1)
    assert numbers(bench) == made
    assert numbers(bench, sort={"fields": ["PAID_AT"], "ordering": "DESCENDING"}, first=2) == made[:0:-1]
    assert numbers(bench, sort={"fields": ["CREATED_AT"], "ordering": "ASCENDING"}) == made


def test_unpaid_invoices_are_not_for_sellers(bench: Bench) -> None:  # 4.1
    number = bench.do("invoices", paid=False)["legacy_id"]
    assert numbers(bench, key=bench.seller) == []
    assert numbers(bench) == [number]


def test_a_burst_of_orders_can_be_placed_at_once(bench: Bench) -> None:
    bench.listed("A", count_on_hand=100)
    bench.listed("B", count_on_hand=100)
    made = bench.do("orders/burst", count=60, skus=["A", "B"])["invoices"]
    assert len(set(made)) == 60
    assert (stock(bench), bench.inspect("totals")["invoices"]) == ([70, 70], 60)
