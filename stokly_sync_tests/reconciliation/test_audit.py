"""The audit's questions to landed rows: what counts, how much money, whose it is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import pandas as pd
import pytest

from stokly_sync.contracts.money import NANO
from stokly_sync.contracts.rules import Rule, catalogue
from stokly_sync.flow import Team
from stokly_sync.reconciliation.audit import Topic, audit
from stokly_sync.reconciliation.compare import Comparison, Difference, Kind, Side
from stokly_sync.reconciliation.disagreement import disagreement
from stokly_sync.warehouse.bulk import insert
from stokly_sync.warehouse.exceptions import open_exceptions
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import LANDED

NOW: Final = datetime(2026, 5, 4, 12, tzinfo=UTC)
RULES: Final = catalogue([Rule("X-ONE", "One is wrong.", "Put it right.", Team.CX, "X2")])
META: Final = {"content_hash": "h", "version": NOW, "window_start": NOW, "landed_at": NOW, "live": True}
ORDER: Final = {
    **META,
    "stage": "order",
    "currency": "GBP",
    "total": 10 * NANO,
    "line_count": 1,
    "lines_total": 10 * NANO,
    "created_at": NOW,
}


def land(warehouse: Warehouse, table: str, **row: Any) -> None:
    with warehouse.transaction() as conn:
        insert(conn, LANDED[table], pd.DataFrame([row], dtype=object), fixed={"brand": warehouse.brand})


def order(warehouse: Warehouse, key: str, **other: Any) -> None:
    land(warehouse, "stokly.orders", order_id=key, **{**ORDER, "customer_id": "c", **other})


def item(warehouse: Warehouse, sku: str, **other: Any) -> None:
    land(warehouse, "stokly.items", **{**META, "item_id": sku, "sku": sku, "format": 0, "stocked": True, **other})


def customer(warehouse: Warehouse, key: str, **other: Any) -> None:
    land(warehouse, "stokly.customers", **{**META, "customer_id": key, "email": f"{key}@example.com", **other})


def paper(warehouse: Warehouse, kind: str, **row: Any) -> None:
    table = LANDED[f"stokly.{kind}"]
    usual = {name: value for name, value in (("currency", "GBP"), ("created_at", NOW)) if name in table.c}
    land(warehouse, f"stokly.{kind}", **{**META, **usual, **row})


def asked(warehouse: Warehouse, title: str) -> Topic:
    found = audit(warehouse, RULES, {}, made_at=NOW)
    return next(topic for topic in found.topics if topic.title == title)


def test_without_rows_nothing_is_found(warehouse: Warehouse) -> None:
    found = audit(warehouse, RULES, {}, made_at=NOW)
    assert (found.found, found.kept_back, found.counts) == ((), (), {})


def test_customers_without_an_address_and_with_a_shared_one(warehouse: Warehouse) -> None:
    customer(warehouse, "none", email=None)
    customer(warehouse, "one", email="same@example.com")
    customer(warehouse, "two", email="Same@example.com", account_code="ACC-2")
    customer(warehouse, "gone", email="same@example.com", live=False)
    assert asked(warehouse, "Customers without an e-mail address").examples == ("none",)
    assert asked(warehouse, "Customers who share an e-mail address").examples == ("ACC-2", "one")


def test_orders_of_guests_are_counted_with_their_money_by_currency(warehouse: Warehouse) -> None:
    order(warehouse, "a", customer_id=None, customer_email="a@example.com")
    order(warehouse, "b", customer_id=None, currency="EUR", number="1002")
    order(warehouse, "c")
    topic = asked(warehouse, "Orders of guests")
    assert (topic.records, topic.amounts) == (2, "10.00 EUR, 10.00 GBP")
    assert asked(warehouse, "Orders of guests without an e-mail address").examples == ("1002",)


def test_skus_that_are_sold_and_do_not_exist(warehouse: Warehouse) -> None:
    item(warehouse, "KNOWN")
    order(warehouse, "a")
    for position, sku in enumerate(["KNOWN", "UNKNOWN", "UNKNOWN"]):
        line = {"order_id": "a", "line_id": str(position), "position": position, "sku": sku, "quantity": 1}
        money = {"line_price": 5 * NANO, "line_tax": NANO, "line_total": 6 * NANO}
        land(warehouse, "stokly.order_lines", **line, **money)
    topic = asked(warehouse, "SKUs that orders sell and that no item has")
    assert (topic.records, topic.amounts, topic.examples) == (1, "12.00 GBP", ("UNKNOWN",))


def test_items_without_a_price_leave_variable_parents_out(warehouse: Warehouse) -> None:
    item(warehouse, "A")
    item(warehouse, "PARENT", format=2)
    item(warehouse, "B", price=NANO, currency="GBP")
    assert asked(warehouse, "Items without a price").examples == ("A",)


def test_stock_below_zero_is_counted_once_an_item(warehouse: Warehouse) -> None:
    for location, available in ((None, -2), ("shop", -2), ("store", 4)):
        row = {"stock_id": f"A/{location}", "item_id": "A", "sku": "A", "location_id": location}
        land(warehouse, "stokly.stock", **META, **row, available=available)
    assert asked(warehouse, "Items with less than no stock").records == 1


@pytest.mark.parametrize(
    ("paid", "title", "amount"),
    [
        (4 * NANO, "Orders dispatched and not fully paid", "6.00 GBP"),
        (13 * NANO, "Orders paid more than they cost", "3.00 GBP"),
    ],
)
def test_money_that_was_taken_beside_what_was_due(warehouse: Warehouse, paid: int, title: str, amount: str) -> None:
    order(warehouse, "a", amount_paid=paid)
    order(warehouse, "b", amount_paid=10 * NANO)
    order(warehouse, "c")
    for key in "abc":
        paper(warehouse, "invoices", invoice_id=key, order_id=key, issued_at=NOW)
        paper(warehouse, "dispatches", dispatch_id=key, order_id=key, dispatched_at=NOW)
    topic = asked(warehouse, title)
    assert (topic.records, topic.amounts) == (1, amount)
    assert asked(warehouse, "Orders dispatched and not invoiced").records == 0


def test_goods_that_left_without_an_invoice(warehouse: Warehouse) -> None:
    order(warehouse, "a")
    paper(warehouse, "dispatches", dispatch_id="d", order_id="a", dispatched_at=NOW)
    assert asked(warehouse, "Orders dispatched and not invoiced").amounts == "10.00 GBP"


def test_refunds_and_credit_notes_that_do_not_meet(warehouse: Warehouse) -> None:
    paper(warehouse, "refunds", refund_id="r1", order_id="a", total=NANO)
    paper(warehouse, "refunds", refund_id="r2", credit_note_id="n1", total=2 * NANO)
    paper(warehouse, "credit_notes", credit_note_id="n1", order_id="a", value=2 * NANO)
    paper(warehouse, "credit_notes", credit_note_id="n2", order_id="a", value=3 * NANO)
    paper(warehouse, "credit_notes", credit_note_id="n3", value=4 * NANO)
    assert asked(warehouse, "Refunds without a credit note").examples == ("r1",)
    assert asked(warehouse, "Refunds that name no order").examples == ("r2",)
    assert asked(warehouse, "Credit notes of an order that no refund belongs to").examples == ("n2",)


def test_what_rules_keep_back_is_counted_once_a_record(warehouse: Warehouse) -> None:
    for subject in ("ometria/orders", "emarsys/orders"):
        frame = pd.DataFrame(
            {"key": ["o-1", "o-2"], "rule": "X-ONE", "state": "open", "value": NANO, "currency": "GBP"}
        )
        with warehouse.transaction() as conn:
            open_exceptions(conn, frame, brand=warehouse.brand, subject=subject, run_id="r", at=NOW)
    (topic,) = audit(warehouse, RULES, {}, made_at=NOW).kept_back
    assert (topic.title, topic.records, topic.amounts, topic.owner) == ("X-ONE: One is wrong.", 2, "2.00 GBP", "cx")


def test_a_comparison_shows_what_no_rule_explains() -> None:
    differences = (
        Difference("o-1", Kind.MISSING, "present", "absent", None),
        Difference("o-2", Kind.MISSING, "present", "absent", "X-ONE"),
    )
    sides = Side(2, {"GBP": 2 * NANO}), Side(2, {"GBP": 2 * NANO}), Side(0)
    found = disagreement(Comparison("ometria/orders", *sides, differences, {}, {}))
    assert (found.open, found.examples, found.totals) == (1, ("o-1",), "2.00 / 0.00 GBP")
