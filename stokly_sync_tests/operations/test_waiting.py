"""What waits, and what is left out with what it belongs to: counted by rule, and record by record."""

from __future__ import annotations

from collections.abc import Sequence

from stokly_sync.delivery.rules import LEFT_OUT, WAITS
from stokly_sync.operations import waiting
from stokly_sync.warehouse.store import Warehouse
from stokly_sync_tests.delivery.kit import Destination, customer_gate, land, order, orders_feed, row
from stokly_sync_tests.operations.kit import FEED, ORDERS, desk_over, load, rejected


def keys(rows: Sequence[waiting.Waiting]) -> list[str]:
    return [row.key for row in rows]


def test_what_waits_and_what_is_left_out_is_told_by_feed_and_rule(warehouse: Warehouse) -> None:
    feed = orders_feed(gates=(customer_gate(follows=True),))
    desk = desk_over(warehouse, feed)
    rejected(warehouse, "refused")
    row(warehouse, "test/customers", "gone", state="excluded", rule="T-GUEST")
    waits = [order(key, customer_id="nobody-yet") for key in ("a", "b", "c")]
    land(warehouse, ORDERS, [*waits, order("d", customer_id="gone")])
    load(warehouse, feed, Destination())
    assert [(g.rule, g.state, g.count) for g in waiting.groups(desk)] == [
        (WAITS, "parked", 3),
        (LEFT_OUT, "excluded", 1),
    ]
    assert [g.count for g in waiting.groups(desk, rule=LEFT_OUT)] == [1]
    assert waiting.groups(desk, feed="test/customers") == []

    rows, after = waiting.records(desk, feed=FEED, rule=WAITS, size=2)
    assert (keys(rows), after) == (["a", "b"], "b")
    assert rows[0].record == (ORDERS, "a")
    assert "its customer" in rows[0].reason
    rows, after = waiting.records(desk, feed=FEED, rule=WAITS, size=2, after=after)
    assert (keys(rows), after) == (["c"], "")
