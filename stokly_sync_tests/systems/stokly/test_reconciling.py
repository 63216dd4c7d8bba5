"""A channel's orders against what Stokly says it holds, by read-back: counts, totals per currency, and what differs."""

from __future__ import annotations

from stokly_sync.contracts.money import NANO
from stokly_sync.reconciliation.compare import Comparison, Kind
from stokly_sync.reconciliation.run import reconcile
from stokly_sync.sandbox.stokly import Put
from stokly_sync_tests.systems.stokly.channel import CHANNEL, Desk, MakeDesk, imported, line, order, refund


def compared(at: Desk, kind: str = "orders") -> Comparison:
    [found] = reconcile(at.warehouse, [at.feed(kind)], at.client, run_id="run")
    return found


def test_both_sides_agree_when_every_order_has_arrived(desk: MakeDesk) -> None:
    at = desk()
    at.shop(order(1), order(2, customer_key=None, currency="EUR"))
    at.sync()
    found = compared(at)
    assert found.agreed
    assert (found.came_from, found.read_back) == (CHANNEL, True)
    assert found.theirs.totals == {"EUR": 36 * NANO, "GBP": 36 * NANO}


def test_what_is_kept_back_explains_what_is_missing(desk: MakeDesk) -> None:
    at = desk()
    at.shop(order(1, customer_key=None), order(2, line(1, "VASE", 1, "1.00"), customer_key=None))
    at.sync()
    found = compared(at)
    assert found.agreed
    assert (found.source.count, found.theirs.count, found.explained) == (2, 1, {"MG-ORDER-SKU": 1})


def test_a_total_that_was_changed_in_stokly_differs(desk: MakeDesk) -> None:
    at = desk()
    at.shop(order(1, customer_key=None))
    at.sync()
    at.account.mutate(
        Put(collection="saleorders", row={"saleOrderId": at.orders()["100000001"]["saleOrderId"], "displayTotal": 30})
    )
    [difference] = compared(at).unexplained
    assert (difference.kind, difference.ours, difference.theirs) == (Kind.VALUE, "36.00", "30.00")


def test_a_total_that_cannot_be_kept_does_not_end_the_comparison(desk: MakeDesk) -> None:
    at = desk()
    at.shop(order(1, customer_key=None))
    at.sync()
    sale = at.orders()["100000001"]["saleOrderId"]
    at.account.mutate(Put(collection="saleorders", row={"saleOrderId": sale, "displayTotal": "12.0000000001"}))
    [difference] = compared(at).unexplained
    assert difference.kind is Kind.VALUE


def test_an_order_that_only_stokly_has_differs(desk: MakeDesk) -> None:
    at = desk()
    at.shop(order(1, customer_key=None))
    at.sync()
    at.account.mutate(Put(collection="saleorders", row=imported(9, "999")))
    assert [(d.kind, d.key) for d in compared(at).unexplained] == [(Kind.UNEXPECTED, "999")]


def test_an_order_of_stokly_whose_row_is_broken_is_explained_by_the_rule_that_it_breaks(desk: MakeDesk) -> None:
    at = desk()
    at.shop(order(1, customer_key=None))
    at.sync()
    at.account.mutate(Put(collection="saleorders", row=imported(9, "999")))
    at.read()
    found = compared(at)
    assert (found.agreed, found.explained) == (True, {"ST-ORDER-LINES": 1})


def test_a_cancelled_order_is_on_neither_side_once_it_is_cancelled_in_stokly(desk: MakeDesk) -> None:
    at = desk()
    at.shop(order(1, customer_key=None))
    at.sync()
    at.shop(order(1, customer_key=None, state="cancelled"))
    assert [d.kind for d in compared(at).unexplained] == [Kind.UNEXPECTED]
    at.sync()
    assert compared(at).agreed


def test_refunds_are_compared_with_the_ledger(desk: MakeDesk) -> None:
    at = desk()
    first = order(1, customer_key=None)
    at.shop(first)
    at.sync()
    at.credit(refund(7, first, line(1, "MUG", 1, "10.00")))
    at.sync()
    found = compared(at, "refunds")
    assert (found.agreed, found.read_back, found.theirs.totals) == (True, False, {"GBP": 12 * NANO})
