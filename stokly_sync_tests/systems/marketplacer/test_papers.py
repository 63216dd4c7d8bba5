"""Shipments, refunds and remittances as rows (P4, P5, P10)."""

from __future__ import annotations

from typing import Any

import pytest

from stokly_sync.contracts.channels import MARKETPLACER, REFUNDS, SHIPMENTS
from stokly_sync.contracts.remittances import REMITTANCES
from stokly_sync.contracts.schema import validate
from stokly_sync.flow import Rows
from stokly_sync.systems.marketplacer.documents.papers import AMENDMENT, refund_rows, shipment_rows
from stokly_sync.systems.marketplacer.documents.remittances import remittance_rows
from stokly_sync_tests.systems.marketplacer.made import ASKED, pounds, row, settings

OF = {"id": "INV", "legacyId": 13218, "createdAt": "2026-03-01T09:30:00Z"}


def refunds(*nodes: dict[str, Any]) -> Rows:
    return validate(REFUNDS[MARKETPLACER], refund_rows(nodes, ASKED, settings=settings()))


def amendment(**more: Any) -> dict[str, Any]:
    item = {"totalCents": -1200, "taxCents": -200, "quantity": 1, "dispatched": True}
    line = {**item, "lineItem": {"id": "L1", "variantSku": "SKU-1"}}
    return {
        "id": "AM1",
        "legacyId": 7,
        "createdAt": OF["createdAt"],
        "invoice": OF,
        AMENDMENT: True,
        "lineItems": [line],
        **more,
    }


def request(status: str, **more: Any) -> dict[str, Any]:
    line = {"id": "L1", "variantSku": "SKU-1", "quantity": 2, "line_cost": 1200}
    item = {"id": "RL1", "reason": "Too big", "status": "AWAITING_RETURN", "request_quantity": 1, "lineItem": line}
    return {"id": "RR1", "status": status, "invoice": OF, "lineItems": [item], **more}


def test_a_shipment_names_its_invoice_its_number_and_its_lines() -> None:
    node = {
        "id": "S1",
        "invoice": OF,
        "carrier": "Royal Mail",
        "trackingNumber": " AB123 ",
        "dispatchedAt": "2026-03-02T10:00:00Z",
        "shippedItems": [{"id": "X", "quantity": 2, "lineItem": {"id": "L1", "variantSku": "SKU-1"}}],
    }
    rows = validate(SHIPMENTS[MARKETPLACER], shipment_rows([node], ASKED))
    found = row(rows.frames["marketplacer.shipments"])
    assert (found["order_id"], found["tracking_number"], found["tracking_numbers"]) == ("INV", "AB123", '["AB123"]')
    assert row(rows.frames["marketplacer.shipment_lines"])["quantity"] == 2


def test_a_paid_refund_is_its_amendment_with_positive_amounts() -> None:
    rows = refunds(amendment())
    found = row(rows.frames["marketplacer.refunds"])
    assert (found["state"], pounds(found["total"]), pounds(found["tax"]), found["live"]) == (
        "completed",
        "12.00",
        "2.00",
        True,
    )
    line = row(rows.frames["marketplacer.refund_lines"])
    assert (pounds(line["line_price"]), pounds(line["line_tax"]), line["returned"]) == ("10.00", "2.00", True)


def test_what_an_amendment_gives_back_beside_its_lines_is_an_adjustment() -> None:
    postage = {"totalCents": -300, "quantity": 1, "custom": "Postage", "lineItem": None}
    rows = refunds(amendment(lineItems=[*amendment()["lineItems"], postage]))
    found = row(rows.frames["marketplacer.refunds"])
    assert (pounds(found["total"]), pounds(found["adjustment"])) == ("15.00", "3.00")
    assert len(rows.frames["marketplacer.refund_lines"]) == 1


@pytest.mark.parametrize(
    ("status", "state", "live"),
    [
        ("AWAITING", "requested", True),
        ("RETURNED", "requested", True),
        ("DENIED", "denied", True),
        ("REFUNDED", "completed", False),
    ],
)
def test_a_request_stands_for_the_refund_until_it_was_paid(status: str, state: str, live: bool) -> None:
    found = row(refunds(request(status)).frames["marketplacer.refunds"])
    assert (found["state"], found["live"], pounds(found["total"])) == (state, live, "12.00")


def test_a_refund_that_names_no_invoice_is_kept_out() -> None:
    assert [p.rule for p in refunds(amendment(invoice=None)).problems] == ["MP-MEMBER-TYPE"]


def sale(**more: Any) -> dict[str, Any]:
    of = {"id": "INV", "totalCents": 2700, "commissionAmountTaxCents": 54, "tax": 450}
    return {"id": "RE1", "amountCents": 2376, "commissionAmountCents": 270, "invoice": of, **more}


def back(**more: Any) -> dict[str, Any]:
    of = {
        "id": "AM1",
        "lineItems": [{"totalCents": -1200, "taxCents": -200}],
        "commissionTaxTotalCents": -24,
        "invoice": {"id": "INV"},
    }
    return {"id": "RE2", "amountCents": -1056, "commissionAmountCents": -120, "invoiceAmendment": of, **more}


def advice(*parts: dict[str, Any], total: int, **more: Any) -> Rows:
    node = {
        "id": "P1",
        "legacyId": 500,
        "createdAt": "2026-03-08T00:00:00Z",
        "totalCents": total,
        "remittances": list(parts),
    }
    made = remittance_rows([{**node, **more}], ASKED, settings=settings())
    return validate(REMITTANCES[MARKETPLACER], made)


def parts_of(rows: Rows) -> list[tuple[Any, ...]]:
    frame = rows.frames["marketplacer.remittance_lines"]
    names = ("gross", "tax", "commission", "commission_tax", "payout")
    return [(row(frame, i)["kind"], *(pounds(row(frame, i)[n]) for n in names)) for i in range(len(frame))]


def test_sales_and_refunds_of_a_payout_add_up() -> None:
    rows = advice(sale(), back(), total=2376 - 1056, commissionAmountTotalCents=150)
    assert rows.problems == []
    assert parts_of(rows) == [
        ("sale", "27.00", "4.50", "2.70", "0.54", "23.76"),
        ("refund", "-12.00", "-2.00", "-1.20", "-0.24", "-10.56"),
    ]
    assert pounds(row(rows.frames["marketplacer.remittances"])["payout"]) == "13.20"


def test_amounts_may_be_what_the_customer_paid() -> None:
    rows = advice(sale(amountCents=2700), back(amountCents=-1200), total=2376 - 1056)
    assert [part[-1] for part in parts_of(rows)] == ["23.76", "-10.56"]


def test_a_commission_may_hold_its_tax() -> None:
    rows = advice(sale(amountCents=2430), total=2430)
    assert parts_of(rows) == [("sale", "27.00", "4.50", "2.16", "0.54", "24.30")]


@pytest.mark.parametrize(
    ("parts", "total", "more"),
    [
        ([sale()], 2375, {}),
        ([sale(amountCents=2000)], 2376, {}),
        ([sale(amountCents=2000)], 2000, {}),
        ([sale(), back()], 2376, {}),
        ([sale()], 2376, {"commissionAmountTotalCents": 999}),
    ],
)
def test_a_payout_that_is_not_the_sum_of_its_parts_is_kept_out(parts: Any, total: int, more: dict[str, Any]) -> None:
    rows = advice(*parts, total=total, **more)
    assert [(p.key, p.rule) for p in rows.problems] == [("P1", "MP-REMITTANCE-SUM")]
    assert rows.frames["marketplacer.remittances"].empty
