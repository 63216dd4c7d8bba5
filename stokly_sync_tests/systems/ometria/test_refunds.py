"""Refunds and credit notes on their orders (O3)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from stokly_sync.systems.ometria.documents import build_orders
from stokly_sync.systems.ometria.settings import OmetriaSettings
from stokly_sync_tests.systems.ometria.rows import T0, as_planned, body, order_frames, rules

SETTINGS = OmetriaSettings()


def order(settings: OmetriaSettings = SETTINGS, row: dict[str, Any] | None = None, **tables: Any) -> dict[str, Any]:
    return body(build_orders(as_planned(order_frames(row, **tables), settings), settings))


def test_a_partial_refund_stands_on_its_line_and_the_order_stays_valid() -> None:
    document = order(refunds=[{}], refund_lines=[{}])
    (line,) = document["lineitems"]
    assert (document["status"], document["is_valid"]) == ("partial_refund", True)
    assert (line["quantity_refunded"], line["refunded"]) == (1, Decimal("12.00"))
    assert (line["quantity"], line["total"]) == (2, Decimal("24.00"))
    assert document["timestamp"] == "2026-03-01T09:30:00Z"
    assert "properties" not in document


def test_a_full_refund_makes_the_order_invalid() -> None:
    document = order(refunds=[{"total": "30.00"}], refund_lines=[{"quantity": 2, "line_total": "24.00"}])
    assert (document["status"], document["is_valid"]) == ("refunded", False)
    assert document["properties"] == {"refunded_other": "6.00"}


def test_a_full_refund_may_come_in_parts() -> None:
    document = order(
        refunds=[{"total": "12.00"}, {"refund_id": "R2", "total": "18.00"}],
        refund_lines=[{}, {"refund_id": "R2", "line_total": "12.00"}],
    )
    assert document["status"] == "refunded"
    assert document["lineitems"][0]["quantity_refunded"] == 2
    assert document["lineitems"][0]["refunded"] == Decimal("24.00")


@pytest.mark.parametrize(
    ("total", "status"), [("29.99", "partial_refund"), ("29.991", "refunded"), ("30.00", "refunded")]
)
def test_full_means_to_within_a_minor_unit_a_line(total: str, status: str) -> None:
    assert order(refunds=[{"total": total}])["status"] == status


def test_shipping_and_goodwill_become_a_property() -> None:
    document = order(refunds=[{"total": "5.00"}])
    assert document["status"] == "partial_refund"
    assert document["properties"] == {"refunded_other": "5.00"}
    assert "refunded" not in document["lineitems"][0]


def test_a_line_of_a_refund_that_the_order_lacks_becomes_a_property() -> None:
    document = order(refunds=[{}], refund_lines=[{"line_id": "L9"}])
    assert document["properties"] == {"refunded_other": "12.00"}


@pytest.mark.parametrize("refund", [{"live": False}, {"status": "pending"}])
def test_a_refund_that_does_not_count_leaves_its_version(refund: dict[str, Any]) -> None:
    later = T0.replace(day=8)
    built = build_orders(order_frames(refunds=[{**refund, "version": later}], refund_lines=[{}]), SETTINGS)
    assert body(built)["status"] == "pending"
    assert "refunded" not in body(built)["lineitems"][0]
    assert built.documents[0].version == later


def test_a_refund_without_a_status_counts() -> None:
    assert order(refunds=[{"status": None}])["status"] == "partial_refund"


def test_which_states_of_refunds_count_is_a_setting() -> None:
    settings = OmetriaSettings(refund_states=("completed", "pending"))
    assert order(settings, refunds=[{"status": "pending"}])["status"] == "partial_refund"


def test_a_credit_note_of_the_order_counts_unless_a_refund_names_it() -> None:
    assert order(credit_notes=[{}])["properties"] == {"refunded_other": "5.00"}
    document = order(refunds=[{"credit_note_id": "N1"}], refund_lines=[{}], credit_notes=[{}])
    assert "properties" not in document


@pytest.mark.parametrize("note", [{"live": False}, {"order_id": None, "customer_id": "C1"}, {"order_id": None}])
def test_other_credit_notes_change_nothing(note: dict[str, Any]) -> None:
    assert order(credit_notes=[note])["status"] == "pending"


def test_a_later_refund_is_the_event_and_the_version_of_its_order() -> None:
    later = T0.replace(day=20)
    built = build_orders(order_frames(refunds=[{"created_at": later, "version": later}]), SETTINGS)
    assert (built.documents[0].version, built.documents[0].event_at) == (later, later)


@pytest.mark.parametrize("tables", [{"refunds": [{"currency": "EUR"}]}, {"credit_notes": [{"currency": "EUR"}]}])
def test_a_refund_in_another_currency_keeps_the_order_back(tables: dict[str, Any]) -> None:
    built = build_orders(order_frames(**tables), SETTINGS)
    assert rules(built) == {"O1": "OM-REFUND-CURRENCY"}
    assert not built.documents


def test_an_order_for_nothing_is_refunded_when_every_unit_came_back() -> None:
    row = {"subtotal": "0", "tax": "0", "shipping": "0", "total": "0"}
    back = {"unit_price": "0", "line_total": "0"}
    tables: dict[str, Any] = {"refunds": [{"total": "0"}]}
    assert order(row=row, refund_lines=[{**back, "quantity": 1}], **tables)["status"] == "partial_refund"
    assert order(row=row, refund_lines=[{**back, "quantity": 2}], **tables)["status"] == "refunded"


def test_a_refund_of_a_cancelled_order_leaves_it_cancelled() -> None:
    document = order(row={"item_statuses": '["cancelled"]'}, refunds=[{"total": "30.00"}])
    assert (document["status"], document["is_valid"]) == ("cancelled", False)


def test_lines_add_up_to_what_was_given_back_although_each_refund_was_rounded() -> None:
    document = order(
        refunds=[{"total": "3.82"}, {"refund_id": "R2", "total": "3.82"}],
        refund_lines=[{"line_total": "3.816"}, {"refund_id": "R2", "line_total": "3.816"}],
    )
    assert document["lineitems"][0]["refunded"] == Decimal("7.64")
    assert "properties" not in document
