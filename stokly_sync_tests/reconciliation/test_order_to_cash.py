"""Each order of a channel against what Stokly made of it: total, payment, refund, VAT, invoice, and what differs."""

from __future__ import annotations

from typing import Any, Final

import pytest

from stokly_sync.contracts.datasets import TABLES
from stokly_sync.contracts.money import NANO
from stokly_sync.flow import Frames, Origin
from stokly_sync.reconciliation.order_to_cash import Line, as_frame, order_to_cash, sums
from stokly_sync_tests.systems.stokly.channel import PLACED, Row, frame_of, line, order, refund

MAGENTO: Final = Origin("magento_two")
PAPERS: Final = ("invoices", "refunds", "credit_notes", "dispatches")


def here(of: Row, **changes: Any) -> Row:
    """The order as Stokly has it."""
    amounts = {name: of[name] for name in ("total", "amount_paid", "shipping_tax", "currency", "line_count")}
    known = {"order_id": f"S{of['order_id']}", "stage": "order", "channel_reference": of["number"]}
    return {**known, **amounts, "source_type": "magento_two", "created_at": of["placed_at"], "live": True, **changes}


def cash(orders: list[Row], twins: list[Row], memos: list[Row] | None = None, **papers: list[Row]) -> list[Line]:
    """The report over these rows; each order in Stokly has the taxes of the channel's order of its number."""
    sold = {one["number"]: one["lines"] for one in orders}
    taxes = [
        {"order_id": twin["order_id"], "line_id": one["line_id"], "line_tax": one["line_tax"]}
        for twin in twins
        for one in sold.get(twin["channel_reference"], [])
    ]
    frames: Frames = {
        "magento.orders": _frame("magento.orders", orders),
        "magento.refunds": _frame("magento.refunds", memos or []),
        "stokly.orders": _frame("stokly.orders", twins),
        "stokly.order_lines": _frame("stokly.order_lines", taxes),
        **{f"stokly.{name}": _frame(f"stokly.{name}", papers.get(name, [])) for name in PAPERS},
    }
    return order_to_cash(frames, "magento", MAGENTO)


def _frame(name: str, rows: list[Row]) -> Any:
    return frame_of(TABLES[name], rows, PLACED)


def test_an_order_that_went_all_the_way_differs_in_nothing() -> None:
    first = order(1, state="shipped")
    [found] = cash(
        [first],
        [here(first)],
        invoices=[{"invoice_id": "I1", "order_id": "S1"}],
        dispatches=[{"dispatch_id": "D1", "order_id": "S1"}],
    )
    assert found.differs == ()
    assert (found.total, found.total_here, found.vat, found.vat_here) == (36 * NANO, 36 * NANO, 6 * NANO, 6 * NANO)
    assert (found.invoices, found.dispatches, found.home_id) == (1, 1, "S1")


CASES: Final[dict[str, tuple[dict[str, Any], dict[str, Any] | None, str]]] = {
    "not there": ({}, None, "not in Stokly"),
    "removed there": ({}, {"stage": "removed"}, "removed in Stokly alone"),
    "cancelled here": ({"state": "cancelled"}, {}, "cancelled in the channel alone"),
    "another total": ({}, {"total": 35 * NANO}, "total: 1.00 GBP"),
    "not paid there": ({}, {"amount_paid": 0}, "payment not allocated: 36.00 GBP"),
    "another VAT": ({}, {"shipping_tax": 0}, "VAT: 1.00 GBP"),
    "another currency": ({}, {"currency": "EUR"}, "the currency is EUR"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_differs_is_said_in_plain_words(case: str) -> None:
    change, twin, words = CASES[case]
    first = order(1) | change
    [found] = cash([first], [] if twin is None else [here(first, **twin)])
    assert found.differs == (words,)


def test_an_order_that_was_never_to_be_imported_differs_in_nothing() -> None:
    [pending, cancelled] = cash([order(1, state="pending"), order(2, state="cancelled")], [])
    assert pending.differs == cancelled.differs == ()


def test_a_refund_without_a_credit_note_is_named_and_one_with_it_is_not() -> None:
    first = order(1)
    back = refund(7, first, line(1, "MUG", 1, "10.00"))
    [open_] = cash([first], [here(first)], [back])
    assert open_.differs == ("refund: 12.00 GBP",)
    paper = {"refund_id": "R", "order_id": "S1", "total": 12 * NANO, "credit_note_id": "N"}
    note = {"credit_note_id": "N", "order_id": "S1", "value": 12 * NANO}
    [closed] = cash([first], [here(first)], [back], refunds=[paper], credit_notes=[note])
    assert (closed.differs, closed.refunded_here) == ((), 12 * NANO)


def test_an_invoice_before_the_dispatch_and_a_dispatch_without_invoice_are_named() -> None:
    first, second = order(1), order(2, state="shipped")
    early, late = cash(
        [first, second],
        [here(first), here(second)],
        invoices=[{"invoice_id": "I1", "order_id": "S1"}],
        dispatches=[{"dispatch_id": "D2", "order_id": "S2"}],
    )
    assert (early.differs, late.differs) == (("invoiced before dispatch",), ("not invoiced",))


def test_an_order_that_only_stokly_has_is_named_unless_it_is_from_before_the_channels_history() -> None:
    first = order(5)
    old = here(order(1), order_id="S-old", channel_reference="OLD")
    new = here(order(9), order_id="S-new", channel_reference="NEW")
    till = here(order(9), order_id="S-till", channel_reference="TILL", source_type="epos")
    found = cash([first], [here(first), old, new, till])
    assert {one.number: one.differs for one in found} == {first["number"]: (), "NEW": ("not in the channel",)}


def test_an_order_that_is_there_twice_is_named() -> None:
    first = order(1)
    [found] = cash([first], [here(first), here(first, order_id="S1b")])
    assert found.differs == ("in Stokly 2 times",)


def test_sums_are_by_month_and_currency() -> None:
    euros = order(2, currency="EUR")
    found = sums(cash([order(1), euros], [here(order(1)), here(euros, total=30 * NANO)]))
    assert list(found) == [("2026-01", "EUR"), ("2026-01", "GBP")]
    assert (found["2026-01", "EUR"].amounts["total"], found["2026-01", "EUR"].differing) == (36 * NANO, 1)
    assert (found["2026-01", "GBP"].orders, found["2026-01", "GBP"].amounts["total_here"]) == (1, 36 * NANO)


def test_as_a_table_amounts_are_text_and_nothing_is_personal() -> None:
    [row] = as_frame(cash([order(1)], [])).to_dict("records")
    assert (row["total"], row["differs"], row["period"]) == ("36.00", "not in Stokly", "2026-01")
    assert not any("example.com" in str(value) or "Customer" in str(value) for value in row.values())
