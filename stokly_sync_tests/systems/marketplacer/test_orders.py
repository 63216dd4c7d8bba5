"""Invoices as orders: states from several flags, amounts that add up however they are told, and pence (P3)."""

from __future__ import annotations

from typing import Any

import pytest

from stokly_sync.contracts.channels import MARKETPLACER, ORDERS
from stokly_sync.contracts.schema import validate
from stokly_sync.flow import Rows
from stokly_sync.systems.marketplacer.documents.orders import order_rows, state_of
from stokly_sync_tests.systems.marketplacer.made import ASKED, INVOICE, invoice, line_item, pounds, row, settings


def landed(*nodes: dict[str, Any], **given: Any) -> Rows:
    return validate(ORDERS[MARKETPLACER], order_rows(nodes, ASKED, settings=settings(**given)))


def order(node: dict[str, Any], **given: Any) -> dict[str, Any]:
    rows = landed(node, **given)
    assert rows.problems == []
    return row(rows.frames["marketplacer.orders"])


def lines(node: dict[str, Any], **given: Any) -> list[dict[str, Any]]:
    frame = landed(node, **given).frames["marketplacer.order_lines"]
    return [row(frame, i) for i in range(len(frame))]


def test_an_invoice_is_an_order_under_the_number_that_people_know() -> None:
    found = order(invoice(order={"legacyId": 900}))
    assert (found["order_id"], found["number"], found["parent_number"], found["store"]) == (
        INVOICE,
        "13218",
        "900",
        "S1",
    )
    assert found["currency"] == "GBP"
    assert str(found["placed_at"]) == "2026-03-01 09:30:00+00:00"


def test_pence_become_pounds_exactly() -> None:
    found = order(invoice())
    assert pounds(found["total"]) == "27.00"
    assert found["total"] == 27 * 10**9
    assert (pounds(found["shipping"]), pounds(found["shipping_tax"])) == ("2.50", "0.50")
    assert pounds(found["tax"]) == "4.50"
    assert (pounds(found["commission"]), pounds(found["commission_tax"])) == ("2.70", "0.54")


def test_lines_and_shipping_add_up_to_the_total() -> None:
    found, (line,) = order(invoice()), lines(invoice())
    assert (pounds(line["line_price"]), pounds(line["line_tax"]), pounds(line["line_total"])) == (
        "20.00",
        "4.00",
        "24.00",
    )
    assert found["lines_total"] + found["shipping"] + found["shipping_tax"] == found["total"]
    assert line["open"] is True


@pytest.mark.parametrize(
    ("told", "total"),
    [
        # A unit's cost with tax; the line's cost with tax; the whole line; without tax; with a discount beside it.
        ({"line_cost": 1200, "line_tax": 400}, 2700),
        ({"line_cost": 2400, "line_tax": 400}, 2700),
        ({"line_cost": None, "line_total": 2400, "line_tax": 400}, 2700),
        ({"line_cost": 1000, "line_tax": 400, "postage": 250}, 2700),
        ({"line_cost": 1200, "line_tax": 400, "discountCents": -240}, 2460),
    ],
)
def test_the_reading_that_adds_up_is_taken(told: dict[str, Any], total: int) -> None:
    node = invoice(lineItems=[line_item(**told)], totalCents=total, postage=told.pop("postage", 300))
    found = order(node)
    assert found["lines_total"] + found["shipping"] + found["shipping_tax"] == found["total"]


def test_an_order_that_adds_up_in_no_reading_is_landed_as_it_is() -> None:
    found = order(invoice(totalCents=9999))
    assert found["lines_total"] + found["shipping"] + found["shipping_tax"] != found["total"]


def test_one_line_without_a_price_costs_what_the_postage_leaves() -> None:
    (line,) = lines(invoice(lineItems=[line_item(line_cost=None, line_tax=None)]))
    assert pounds(line["line_total"]) == "24.00"


def test_lines_without_any_price_are_kept_out_and_named() -> None:
    bare = [line_item(key, line_cost=None) for key in ("L1", "L2")]
    rows = landed(invoice(lineItems=bare))
    assert [(p.key, p.rule) for p in rows.problems] == [(INVOICE, "MP-MONEY")]
    assert rows.frames["marketplacer.orders"].empty


def test_tax_that_nobody_tells_stays_missing_unless_a_rate_is_set() -> None:
    untold = invoice(lineItems=[line_item(line_tax=None)], postage_tax=None)
    assert lines(untold)[0]["line_tax"] is None
    assert order(untold)["tax"] is None
    (line,) = lines(untold, tax_rate="20")
    assert (pounds(line["line_price"]), pounds(line["line_tax"])) == ("20.00", "4.00")
    assert pounds(order(untold, tax_rate="20")["tax"]) == "4.50"


def test_amounts_are_read_from_text_once_the_pence_are_gone() -> None:
    node = invoice(
        commissionAmountCents=None, commissionAmountFormatted="£1,002.70", commissionAmountTaxFormatted="-£0.54"
    )
    node.pop("commissionAmountTaxCents")
    found = order(node)
    assert (pounds(found["commission"]), pounds(found["commission_tax"])) == ("1002.70", "-0.54")


@pytest.mark.parametrize("wrong", ["12.5", 12.5, True, "about a pound"])
def test_an_amount_that_is_none_is_a_problem_of_its_order_alone(wrong: Any) -> None:
    rows = landed(invoice(id="bad", lineItems=[line_item(line_cost=wrong)]), invoice())
    assert {p.key: p.rule for p in rows.problems} == {"bad": "MP-MONEY"}
    assert len(rows.frames["marketplacer.orders"]) == 1


def test_a_time_that_is_none_is_a_problem() -> None:
    assert [p.rule for p in landed(invoice(paidAt="yesterday")).problems] == ["MP-TIME"]


@pytest.mark.parametrize(
    ("flags", "state"),
    [
        ([], "pending"),
        (["PAYMENT_UNDER_REVIEW"], "held"),
        (["PAID"], "open"),
        (["PAID", "READY"], "open"),
        (["PAID", "PARTIALLY_SENT"], "part_shipped"),
        (["PAID", "SENT"], "shipped"),
        (["PAID", "SENT", "REMITTED"], "shipped"),
        (["PAID", "COLLECTED"], "shipped"),
        (["PAID", "SENT", "AWAITING_RETURN"], "shipped"),
        (["PAID", "SENT", "REFUNDED"], "refunded"),
        (["PAID", "REFUNDED"], "cancelled"),
        (["PAID", "CANCELLED"], "cancelled"),
    ],
)
def test_several_flags_at_once_are_told_by_membership(flags: list[str], state: str) -> None:
    assert state_of(set(flags), paid="PAID" in flags, total=2700, given_back=0, sent=False) == state


def test_a_part_that_was_refunded_does_not_make_the_order_refunded() -> None:
    flags = {"PAID", "SENT", "REFUNDED"}
    assert state_of(flags, paid=True, total=2700, given_back=1200, sent=True) == "shipped"
    assert state_of(flags, paid=True, total=2700, given_back=2700, sent=True) == "refunded"


def test_what_was_shipped_cancelled_and_refunded_counts_by_line() -> None:
    node = invoice(
        lineItems=[line_item(quantity=5)],
        shipments=[{"shippedItems": [{"quantity": 3, "lineItem": {"id": "L1"}}]}],
        amendments=[
            {
                "lineItems": [
                    {"quantity": 1, "totalCents": -1200, "dispatched": True, "lineItem": {"id": "L1"}},
                    {"quantity": 2, "totalCents": -2400, "dispatched": False, "lineItem": {"id": "L1"}},
                ]
            }
        ],
    )
    (line,) = lines(node)
    assert (line["quantity_shipped"], line["quantity_refunded"], line["quantity_cancelled"]) == (3, 1, 2)
    assert pounds(order(node)["amount_refunded"]) == "36.00"


def test_lines_of_an_ended_order_are_not_open() -> None:
    assert lines(invoice(statusFlags=["PAID", "SENT"]))[0]["open"] is False


def test_an_address_has_the_country_of_the_settings_where_nobody_names_one() -> None:
    found = order(invoice())
    assert (found["billing_line1"], found["billing_line2"], found["shipping_region"]) == (
        "1 High Street",
        "Flat 2",
        "YK",
    )
    assert (found["shipping_country"], found["shipping_name"]) == ("GB", "Customer 17850")
    assert order(invoice(), country=None)["shipping_country"] is None


def test_the_same_invoice_twice_counts_once_and_has_one_content() -> None:
    rows = landed(invoice(statusFlags=[]), invoice())
    assert rows.frames["marketplacer.orders"]["state"].tolist() == ["open"]
    again = landed(invoice(buyerPhone="020 7946 0001"))
    assert (
        again.frames["marketplacer.orders"]["content_hash"][0] != rows.frames["marketplacer.orders"]["content_hash"][0]
    )
