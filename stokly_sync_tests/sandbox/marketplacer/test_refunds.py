"""Refund requests, amendments and status flags: contract section 5."""

from typing import Any

import pytest

from stokly_sync_tests.sandbox.marketplacer.bench import SHIP, Bench

pytestmark = pytest.mark.sandbox

CREATE = """
    mutation ($input: RefundRequestCreateMutationInput!) {
      refundRequestCreate(input: $input) {
        status errors { messages } refundRequest { id status lineItems { id reason quantity status dispatched } }
      }
    }
"""


RESULT = "status errors { messages } refundRequest { id status lineItems { status } }"
RETURN = f"mutation ($id: ID!) {{ refundRequestReturn(input: {{refundRequestId: $id}}) {{ {RESULT} }} }}"
APPROVE = f"mutation ($id: ID!) {{ refundRequestApprove(input: {{refundRequestId: $id}}) {{ {RESULT} }} }}"
REFUND = f"""
    mutation ($id: ID!, $cash: Int) {{
      refundRequestRefund(input: {{refundRequestId: $id, cashAmountCents: $cash}}) {{ {RESULT} }}
    }}
"""
AMENDED = """
    amendments {
      id legacyId lineItemAmountTotalCents lineItemAmountTotalFormatted lineItemTaxTotalCents
      commissionAmountTotalCents commissionTaxTotalCents
      lineItems { quantity amountCents totalCents taxCents status dispatched custom lineItem { id } }
    }
"""


@pytest.fixture
def invoice(bench: Bench) -> Any:
    """Three of A at 12.00 and one of B at 12.00."""
    bench.listed("A")
    bench.listed("B")
    return bench.invoice(("A", 3), ("B", 1))


def asking(invoice: Any, quantity: int = 1, *, dispatched: bool = False, place: int = 0, **more: Any) -> dict[str, Any]:
    line = {"lineItemId": invoice["lineItems"][place]["id"], "reason": "Changed mind", "dispatched": dispatched}
    return {"invoiceId": invoice["id"], "lineItems": [{**line, "quantity": quantity, **more}]}


def opened(bench: Bench, invoice: Any, quantity: int = 1, **more: Any) -> str:
    given = asking(invoice, quantity, **more)
    return str(bench.change(CREATE, key=bench.seller, input=given)["refundRequest"]["id"])


def flags(bench: Bench, invoice: Any) -> set[str]:
    return set(bench.read(invoice["legacyId"])["statusFlags"])


def test_a_return_goes_from_awaiting_over_returned_to_refunded(bench: Bench, invoice: Any) -> None:
    bench.change(SHIP, input=bench.shipping(invoice))
    made = bench.change(CREATE, key=bench.seller, input=asking(invoice, dispatched=True))["refundRequest"]
    assert (made["status"], made["lineItems"][0]["status"]) == ("AWAITING", "AWAITING_RETURN")
    assert flags(bench, invoice) == {"PAID", "SENT", "AWAITING_RETURN"}
    assert bench.change(RETURN, key=bench.seller, id=made["id"])["refundRequest"]["status"] == "RETURNED"
    assert flags(bench, invoice) == {"PAID", "SENT", "AWAITING_REFUND"}
    paid = bench.change(REFUND, id=made["id"])["refundRequest"]
    assert (paid["status"], paid["lineItems"]) == ("REFUNDED", [{"status": "REFUNDED"}])
    assert flags(bench, invoice) == {"PAID", "SENT", "REFUNDED"}


def test_a_paid_refund_ends_as_an_amendment_with_negative_amounts(bench: Bench, invoice: Any) -> None:
    bench.do("refund-requests", invoice=invoice["legacyId"], sku="A", quantity=2, dispatched=True)
    (amendment,) = bench.read(invoice["legacyId"], AMENDED)["amendments"]
    assert (amendment["lineItemAmountTotalCents"], amendment["lineItemAmountTotalFormatted"]) == (-2400, "-£24.00")
    assert (amendment["lineItemTaxTotalCents"], amendment["commissionAmountTotalCents"]) == (-400, -360)
    assert amendment["commissionTaxTotalCents"] == -72
    (line,) = amendment["lineItems"]
    assert (line["quantity"], line["amountCents"], line["totalCents"], line["taxCents"]) == (2, -1200, -2400, -400)
    assert (line["status"], line["dispatched"], line["custom"]) == ("REFUNDED", True, None)
    assert line["lineItem"] == {"id": invoice["lineItems"][0]["id"]}


def test_a_cancellation_is_a_request_for_what_was_not_despatched(bench: Bench, invoice: Any) -> None:
    request = opened(bench, invoice, 3)
    assert flags(bench, invoice) == {"PAID", "AWAITING_REFUND"}
    bench.change(RETURN, id=request)
    bench.change(REFUND, id=request)
    shown = bench.read(invoice["legacyId"])
    assert [line["status"] for line in shown["lineItems"]] == ["CANCELLED", "NEW"]
    assert "CANCELLED" not in shown["statusFlags"]
    bench.do("refund-requests", invoice=invoice["legacyId"], sku="B")
    assert flags(bench, invoice) == {"PAID", "REFUNDED", "CANCELLED"}


def test_units_of_a_discounted_line_give_back_what_was_paid_for_them(bench: Bench) -> None:
    line = {"sku": "A", "quantity": 3, "amount_cents": 1000, "discount_cents": -102, "tax_cents": 150}
    number = bench.do("invoices", lines=[line])["legacy_id"]
    bench.do("refund-requests", invoice=number, quantity=3, dispatched=True)
    (amendment,) = bench.read(number, AMENDED)["amendments"]
    lines = amendment["lineItems"]
    assert bench.read(number)["totalCents"] == 900
    assert (sum(x["quantity"] for x in lines), sum(x["totalCents"] for x in lines)) == (3, -900)


def test_something_else_can_be_refunded_at_an_amount(bench: Bench, invoice: Any) -> None:
    line = {"custom": "Postage", "amountPerItemCents": 350, "quantity": 1}
    request = bench.change(CREATE, input={"invoiceId": invoice["id"], "lineItems": [line]})["refundRequest"]["id"]
    bench.change(RETURN, id=request)
    bench.change(REFUND, id=request)
    (amendment,) = bench.read(invoice["legacyId"], AMENDED)["amendments"]
    (shown,) = amendment["lineItems"]
    assert (shown["custom"], shown["totalCents"], shown["taxCents"], shown["lineItem"]) == ("Postage", -350, -58, None)


def test_the_two_forms_of_a_line_cannot_be_mixed(bench: Bench, invoice: Any) -> None:
    assert bench.refusal(CREATE, input=asking(invoice, amountPerItemCents=1)).startswith("Give either")
    half = {"invoiceId": invoice["id"], "lineItems": [{"custom": "Postage", "quantity": 1}]}
    assert bench.refusal(CREATE, input=half) == "custom and amount_per_item_cents must be given"


def test_a_line_of_another_invoice_or_a_variants_id_is_refused(bench: Bench, invoice: Any) -> None:  # 10.12
    other = bench.invoice(("B", 1))
    foreign = "line items must be part of the same invoice for which you are raising a refund request."
    given = asking(other)
    assert bench.refusal(CREATE, input={**given, "invoiceId": invoice["id"]}) == foreign
    given["lineItems"][0]["lineItemId"] = bench.listed("C")
    assert bench.refusal(CREATE, input=given) == foreign


def test_no_more_can_be_asked_for_than_was_bought(bench: Bench, invoice: Any) -> None:
    opened(bench, invoice, 2)
    assert "exceeds" in bench.refusal(CREATE, input=asking(invoice, 2))
    opened(bench, invoice, 1)
    assert bench.refusal(CREATE, input=asking(invoice, 0)) == "Quantity must be greater than 0"


def test_only_remittance_is_for_operators(bench: Bench, invoice: Any) -> None:
    given = asking(invoice, onlyRemittance=True)
    assert "operators" in bench.refusal(CREATE, key=bench.seller, input=given)
    assert bench.change(CREATE, input=given)


def test_steps_out_of_order_are_refused_in_the_vendors_words(bench: Bench, invoice: Any) -> None:
    request = opened(bench, invoice)
    refund = "Can only mark a returned or processed RefundRequest as refunded"
    assert bench.refusal(REFUND, id=request) == refund
    bench.change(RETURN, id=request)
    assert bench.refusal(RETURN, id=request) == "Can only mark an awaiting RefundRequest as returned"
    bench.change(REFUND, id=request)
    assert bench.refusal(REFUND, id=request) == refund
    assert bench.inspect("totals")["amendments"] == 1


@pytest.mark.parametrize("query", [RETURN, REFUND, APPROVE])
def test_an_unknown_request_is_named(bench: Bench, query: str) -> None:
    assert bench.refusal(query, id="none") == "No object found for refundRequestId: none"


def test_a_smaller_payment_is_an_amendment_over_what_was_paid(bench: Bench, invoice: Any) -> None:
    request = opened(bench, invoice)
    bench.change(RETURN, id=request)
    assert "exceeds" in bench.refusal(REFUND, id=request, cash=1201)
    bench.change(REFUND, id=request, cash=1000)
    assert bench.read(invoice["legacyId"], AMENDED)["amendments"][0]["lineItemAmountTotalCents"] == -1000


def test_where_refunds_are_approved_a_request_is_processed_before_it_is_paid(bench: Bench, invoice: Any) -> None:
    bench.system.set_switches(advanced_refunds=True)
    made = bench.change(CREATE, input=asking(invoice))["refundRequest"]
    assert made["lineItems"][0]["status"] == "PENDING_APPROVAL"
    approved = bench.change(APPROVE, id=made["id"])["refundRequest"]
    assert (approved["status"], approved["lineItems"]) == ("PROCESSED", [{"status": "REFUND_ACCEPTED"}])
    assert bench.change(REFUND, id=made["id"])["refundRequest"]["status"] == "REFUNDED"


def test_a_denied_request_frees_its_quantity(bench: Bench, invoice: Any) -> None:
    request = opened(bench, invoice, 3)
    bench.do("refund-requests/step", request=1, step="deny")
    assert flags(bench, invoice) == {"PAID"}
    query = "query ($id: ID!) { node(id: $id) { ... on RefundRequest { status lineItems { status } } } }"
    assert bench.ask(query, id=request)["node"] == {"status": "DENIED", "lineItems": [{"status": "REFUND_DENIED"}]}
    opened(bench, invoice, 3)


def test_requests_are_read_by_state_and_seller(bench: Bench, invoice: Any) -> None:
    open_one = opened(bench, invoice)
    bench.do("refund-requests", invoice=invoice["legacyId"], sku="B", until="RETURNED")
    query = """query ($statuses: [RefundRequestStatusEnum!], $seller: ID) {
        refundRequests(sellerId: $seller, filters: {statuses: $statuses}) {
            totalCount nodes { id status invoice { id } lineItems { id reason } } pageInfo { hasNextPage }
        }
    }"""
    found = bench.ask(query, statuses=["AWAITING"], key=bench.seller)["refundRequests"]
    assert [(node["id"], node["invoice"]["id"]) for node in found["nodes"]] == [(open_one, invoice["id"])]
    sellers = bench.ask("{ allSellers { nodes { id } } }")["allSellers"]["nodes"]
    counts = [bench.ask(query, seller=seller["id"])["refundRequests"]["totalCount"] for seller in sellers]
    assert counts == [2, 0]


def test_an_amendment_can_be_made_without_a_request(bench: Bench, invoice: Any) -> None:
    bench.do("amendments", invoice=invoice["legacyId"], sku="B")
    bench.do("amendments", invoice=invoice["legacyId"], custom="Goodwill", amount_cents=500)
    bench.do("amendments", invoice=invoice["legacyId"], sku="A", amount_cents=600)
    amendments = bench.read(invoice["legacyId"], AMENDED)["amendments"]
    names = ("lineItemAmountTotalCents", "lineItemTaxTotalCents", "commissionAmountTotalCents")
    assert [[amendment[name] for name in names] for amendment in amendments] == [
        [-1200, -200, -180],
        [-500, -83, 0],
        [-600, -100, -90],
    ]
    assert bench.inspect("totals")["refund_requests"] == {}


def test_flags_that_no_rule_derives_can_be_raised(bench: Bench) -> None:  # 4.1
    number = bench.do("invoices", raised=["READY", "PAYMENT_UNDER_REVIEW"])["legacy_id"]
    assert bench.read(number)["statusFlags"] == ["PAID", "PAYMENT_UNDER_REVIEW", "READY"]
