"""Orders and refunds as sales data: what they add up to (E3; Emarsys API contract 2.3, 2.4)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from stokly_sync.contracts.buyers import order_contacts
from stokly_sync.delivery.appending import missing
from stokly_sync.flow import Append, Document, Part
from stokly_sync.systems.emarsys import EmarsysSettings
from stokly_sync.systems.emarsys.documents import (
    build_orders,
    build_refunds,
    order_products,
    ordered_at,
    parts_of,
    with_parts,
)
from stokly_sync.systems.emarsys.documents.common import guest_id
from stokly_sync_tests.systems.emarsys.rows import body, order_frames, rules

Rows = list[dict[str, Any]]
SETTINGS = EmarsysSettings()
APPEND = Append(parts_of, with_parts, ordered_at)


def lines_of(made: dict[str, Any]) -> list[tuple[str, int, str]]:
    return [(line["item"], line["quantity"], str(line["price"])) for line in made["lines"]]


def test_an_order_says_what_was_sold_gross_on_whom_and_when() -> None:
    made = body(build_orders(order_frames(), SETTINGS))
    assert lines_of(made) == [("SKU-1", 2, "24.00")]
    assert (made["order"], made["customer"], made["at"]) == ("O1", "C1", "2026-03-01T09:30:00Z")


def test_lines_of_one_sku_are_one_and_an_amount_is_rounded_once() -> None:
    lines: Rows = [{"line_id": "L1", "line_total": "1.005"}, {"line_id": "L2", "line_total": "1.005", "quantity": 1}]
    assert lines_of(body(build_orders(order_frames(lines=lines), SETTINGS))) == [("SKU-1", 3, "2.01")]


def test_a_cancelled_line_is_not_sold() -> None:
    lines: Rows = [{}, {"line_id": "L2", "status": "cancelled", "line_total": "99.00"}]
    assert lines_of(body(build_orders(order_frames(lines=lines), SETTINGS))) == [("SKU-1", 2, "24.00")]


@pytest.mark.parametrize(
    ("order", "line"), [({}, {"status": "cancelled"}), ({"live": False}, {})], ids=["a line", "the order"]
)
def test_what_was_cancelled_and_refunded_is_taken_off_once(order: dict[str, Any], line: dict[str, Any]) -> None:
    lines: Rows = [{**line, "line_id": "L1"}]
    found = order_frames(order, lines, refunds=[{}], refund_lines=[{"quantity": 2, "line_total": "24.00"}])
    (sold,) = build_orders(found, SETTINGS).documents
    (back,) = build_refunds(found, SETTINGS).documents
    assert (lines_of(sold.body), lines_of(back.body)) == ([("SKU-1", 2, "24.00")], [("SKU-1", -2, "-24.00")])


def test_a_refund_that_does_not_count_keeps_nothing() -> None:
    found = order_frames({"live": False}, refunds=[{"status": "pending"}], refund_lines=[{}])
    (sold,) = build_orders(found, SETTINGS).documents
    assert lines_of(sold.body) == []


def test_shipping_goes_under_an_item_of_its_own_where_one_is_set() -> None:
    made = body(build_orders(order_frames(), EmarsysSettings(other_item="SHIPPING")))
    assert lines_of(made) == [("SHIPPING", 1, "6.00"), ("SKU-1", 2, "24.00")]


def test_a_guest_is_booked_on_an_id_that_says_nothing() -> None:
    made = body(build_orders(order_frames({"customer_id": None, "customer_email": "Guest@example.com"}), SETTINGS))
    assert made["customer"] == guest_id("guest@example.com")
    assert "guest@" not in made["customer"].lower().removeprefix("guest:")


def test_a_guest_whose_address_a_customer_has_is_that_customer() -> None:
    made = body(build_orders(order_frames({"customer_id": None}), SETTINGS))
    assert made["customer"] == "C1"


def test_an_order_of_a_merged_customer_is_the_survivor_s() -> None:
    people: Rows = [{"live": False, "merged_into": "C2"}, {"customer_id": "C2", "email": "other@example.com"}]
    assert body(build_orders(order_frames(customers=people), SETTINGS))["customer"] == "C2"


@pytest.mark.parametrize(
    ("order", "lines", "rule"),
    [
        ({"payment_status": "unpaid"}, [{}], "EM-ORDER-NOT-CONFIRMED"),
        ({"tags": '["fraud-hold"]'}, [{}], "EM-ORDER-NOT-CONFIRMED"),
        ({"currency": "EUR"}, [{}], "EM-CURRENCY"),
        ({"total": "-1.00"}, [{}], "EM-ORDER-NEGATIVE"),
        ({"customer_id": None, "customer_email": None}, [{}], "EM-NO-IDENTITY"),
        ({}, [{"item_id": "NOBODY"}], "EM-SKU-UNKNOWN"),
        ({"live": False}, [{}], "EM-ORDER-REMOVED"),
        ({"stage": "removed"}, [{}], "EM-ORDER-REMOVED"),
        ({}, [{"status": "cancelled"}], "EM-ORDER-REMOVED"),
        ({}, [], "EM-ORDER-REMOVED"),
    ],
)
def test_an_order_that_is_no_sale_is_kept_back(order: dict[str, Any], lines: list[dict[str, Any]], rule: str) -> None:
    assert rules(build_orders(order_frames(order, lines), SETTINGS)) == {"O1": rule}


def test_a_sku_that_no_file_can_carry_keeps_its_order_back() -> None:
    made = build_orders(order_frames(items=[{"sku": "SKU\n1"}]), SETTINGS)
    assert rules(made) == {"O1": "EM-SKU-TEXT"}


def test_another_currency_is_sent_where_a_column_for_it_was_agreed() -> None:
    columns = ("item", "price", "order", "timestamp", "customer", "quantity", "s_currency")
    assert body(build_orders(order_frames({"currency": "EUR"}), EmarsysSettings(sales_columns=columns)))["lines"]


def test_guests_may_be_left_out() -> None:
    guest = {"customer_id": None, "customer_email": "guest@example.com"}
    assert rules(build_orders(order_frames(guest), EmarsysSettings(guests="exclude"))) == {"O1": "EM-GUEST"}


def test_an_order_needs_its_products_and_its_contact() -> None:
    found = order_frames()
    assert order_products(found).to_dict("records") == [{"key": "O1", "needs": "SKU-1"}]
    assert order_contacts(found).to_dict("records") == [{"key": "O1", "needs": "C1"}]


def test_a_refund_takes_units_and_money_off_at_its_own_time() -> None:
    found = order_frames(refunds=[{"created_at": "2026-03-05T10:00:00Z"}], refund_lines=[{}])
    made = body(build_refunds(found, SETTINGS))
    assert lines_of(made) == [("SKU-1", -1, "-12.00")]
    assert (made["order"], made["customer"], made["at"]) == ("O1", "C1", "2026-03-05T10:00:00Z")
    assert made["ordered_at"] == "2026-03-01T09:30:00Z"


def test_money_refunded_beside_the_lines_goes_under_the_item_for_the_rest() -> None:
    found = order_frames(refunds=[{"total": "15.00"}], refund_lines=[{}])
    assert lines_of(body(build_refunds(found, EmarsysSettings(other_item="OTHER")))) == [
        ("OTHER", 0, "-3.00"),
        ("SKU-1", -1, "-12.00"),
    ]


@pytest.mark.parametrize(
    ("refund", "lines", "rule"),
    [
        ({"order_id": None}, [{}], "EM-REFUND-NO-ORDER"),
        ({"order_id": "O9"}, [{}], "EM-REFUND-ORDER"),
        ({"currency": "EUR"}, [{}], "EM-REFUND-CURRENCY"),
        ({"status": "pending"}, [{}], "EM-REFUND-PENDING"),
        ({}, [], "EM-REFUND-NO-LINES"),
        ({"live": False}, [{}], "EM-REFUND-NO-LINES"),
    ],
)
def test_a_refund_that_is_none_yet_is_kept_back(refund: dict[str, Any], lines: list[dict[str, Any]], rule: str) -> None:
    found = order_frames(refunds=[refund], refund_lines=lines)
    assert rules(build_refunds(found, SETTINGS)) == {"R1": rule}


def held(*lines: tuple[str, int, str]) -> dict[str, Part]:
    return {item: Part(quantity, int(Decimal(price) * 10**9)) for item, quantity, price in lines}


def document(lines: list[dict[str, Any]]) -> Document:
    built = build_orders(order_frames(lines=lines, items=[{}, {"item_id": "I2", "sku": "SKU-2"}]), SETTINGS)
    (made,) = built.documents
    return made


@pytest.mark.parametrize(
    ("lines", "there", "sent"),
    [
        ([{"quantity": 3, "line_total": "36.00"}], [("SKU-1", 2, "24.00")], [("SKU-1", 1, "12.00")]),
        ([{"quantity": 1, "line_total": "12.00"}], [("SKU-1", 2, "24.00")], [("SKU-1", -1, "-12.00")]),
        ([{"line_total": "20.00"}], [("SKU-1", 2, "24.00")], [("SKU-1", 0, "-4.00")]),
        ([{"item_id": "I2"}], [("SKU-1", 2, "24.00")], [("SKU-1", -2, "-24.00"), ("SKU-2", 2, "24.00")]),
    ],
    ids=["more", "less", "cheaper", "another item"],
)
def test_an_edited_order_is_corrected_by_the_difference(
    lines: list[dict[str, Any]], there: list[tuple[str, int, str]], sent: list[tuple[str, int, str]]
) -> None:
    left = missing(APPEND, document(lines), held(*there))
    assert left is not None
    assert lines_of(left.body) == sent


def test_an_order_that_is_held_as_it_is_needs_nothing() -> None:
    assert missing(APPEND, document([{}]), held(("SKU-1", 2, "24.00"))) is None


def test_an_order_cancelled_after_it_was_sent_is_taken_back_line_by_line() -> None:
    (made,) = build_orders(order_frames({"live": False}), SETTINGS).documents
    left = missing(APPEND, made, held(("SKU-1", 2, "24.00")))
    assert left is not None
    assert lines_of(left.body) == [("SKU-1", -2, "-24.00")]
