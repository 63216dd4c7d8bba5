"""Whether a feed has anything to do: never no when there is work, and no when there is none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from stokly_sync.delivery.due import ASK_AGAIN, reason_to_run, waiting_since
from stokly_sync.delivery.figures import PlanScope
from stokly_sync.delivery.planning import plan
from stokly_sync.delivery.sending import deliver
from stokly_sync.errors import TransientError
from stokly_sync.flow import Feed, Need, Window
from stokly_sync.warehouse.figures import Stage, record_figures
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import LEDGER
from stokly_sync_tests.delivery.kit import (
    QUICK,
    RULES,
    Destination,
    customer_gate,
    land,
    order,
    orders_feed,
    row,
    settle,
    submit,
    window,
)


def reason(
    warehouse: Warehouse,
    feed: Feed,
    *,
    of: Window | None = None,
    writes: bool = True,
    later: timedelta = timedelta(0),
) -> str | None:
    with warehouse.reading() as connection:
        return reason_to_run(
            connection, feed, brand=warehouse.brand, window=of, writes=writes, now=datetime.now(UTC) + later
        )


def planned(warehouse: Warehouse, feed: Feed, scope: PlanScope | None = None) -> None:
    plan(warehouse, feed, catalogue=RULES, scope=scope, run_id="plan")


def sent(warehouse: Warehouse, feed: Feed, destination: Destination | None = None) -> None:
    client = destination or Destination()
    deliver(warehouse, feed, client, catalogue=RULES, run_id="send", options=QUICK)


def stored(warehouse: Warehouse, subject: str, stage: Stage, body: dict[str, object]) -> None:
    with warehouse.transaction() as connection:
        record_figures(connection, brand=warehouse.brand, run_id="other", subject=subject, stage=stage, body=body)


def test_without_anything_landed_there_is_nothing_to_do(warehouse: Warehouse) -> None:
    assert reason(warehouse, orders_feed()) is None


def test_a_window_is_owed_until_it_is_planned_and_its_records_until_they_are_sent(warehouse: Warehouse) -> None:
    feed = orders_feed()
    land(warehouse, "stokly.orders", [order("1")])
    assert reason(warehouse, feed) == "test/orders owes a window"
    planned(warehouse, feed)
    assert reason(warehouse, feed) == "test/orders has records on their way"
    sent(warehouse, feed)
    assert reason(warehouse, feed) is None


def test_a_run_of_one_window_does_not_start_for_another(warehouse: Warehouse) -> None:
    land(warehouse, "stokly.orders", [order("1")], number=3)
    assert reason(warehouse, orders_feed(), of=window(3))
    assert reason(warehouse, orders_feed(), of=window(4)) is None


def test_a_feed_that_observes_has_nothing_to_send(warehouse: Warehouse) -> None:
    feed = orders_feed()
    land(warehouse, "stokly.orders", [order("1")])
    assert reason(warehouse, feed, writes=False), "it has to be planned all the same"
    planned(warehouse, feed)
    assert reason(warehouse, feed, writes=False) is None


def test_records_whose_fate_is_open_are_asked_for(warehouse: Warehouse) -> None:
    feed, open_still = orders_feed(send=submit, settle=settle), Destination(settled=lambda outcome: None)
    land(warehouse, "stokly.orders", [order("1")])
    planned(warehouse, feed)
    sent(warehouse, feed, open_still)
    assert reason(warehouse, feed) == "test/orders has records on their way"


def test_what_could_not_be_sent_is_tried_again(warehouse: Warehouse) -> None:
    feed = orders_feed()
    land(warehouse, "stokly.orders", [order("1")])
    planned(warehouse, feed)

    def down(_: object) -> None:
        raise TransientError("the destination is down")

    with pytest.raises(TransientError):
        sent(warehouse, feed, Destination(before=down))
    assert reason(warehouse, feed) == "test/orders has records on their way"


def test_a_record_that_is_marked_stale_is_sent_again(warehouse: Warehouse) -> None:
    feed = orders_feed()
    land(warehouse, "stokly.orders", [order("1")])
    planned(warehouse, feed)
    sent(warehouse, feed)
    with warehouse.transaction() as connection:
        connection.execute(sa.update(LEDGER).values(stale=True))
    assert reason(warehouse, feed) == "test/orders has records to send again"


def held(warehouse: Warehouse, feed: Feed) -> None:
    """A record in quarantine, planned and looked at just now."""
    land(warehouse, "stokly.orders", [order("1", number="T-BAD", customer_id="7")])
    planned(warehouse, feed)


def test_records_that_wait_are_left_alone_until_an_hour_has_passed(warehouse: Warehouse) -> None:
    feed = orders_feed()
    held(warehouse, feed)
    assert reason(warehouse, feed) is None
    assert reason(warehouse, feed, later=ASK_AGAIN - timedelta(minutes=1)) is None
    assert reason(warehouse, feed, later=ASK_AGAIN) is not None


def test_records_that_wait_are_looked_at_when_rows_that_they_need_changed(warehouse: Warehouse) -> None:
    feed = orders_feed(needs=(Need("stokly.refund_lines", "refund_id", "stokly.orders", "order_id"),))
    held(warehouse, feed)
    stored(warehouse, "stokly.refunds", Stage.EXTRACT, {"changed": 0, "removed": 0, "quarantined": {"ST-MONEY": 1}})
    assert reason(warehouse, feed) is None, "it was read again, and nothing had changed"
    stored(warehouse, "stokly.refunds", Stage.EXTRACT, {"changed": 1})
    assert reason(warehouse, feed) == "test/orders has records that wait for something that has moved"


def test_records_that_wait_are_looked_at_when_a_feed_that_they_wait_for_delivered(warehouse: Warehouse) -> None:
    feed = orders_feed(gates=(customer_gate(),))
    held(warehouse, feed)
    stored(warehouse, "test/customers", Stage.DELIVER, {"accepted": 0, "settled_earlier": {}})
    assert reason(warehouse, feed) is None
    stored(warehouse, "test/customers", Stage.DELIVER, {"accepted": 0, "settled_earlier": {"accepted": 2}})
    assert reason(warehouse, feed) is not None


def test_records_that_were_left_out_with_another_are_looked_at_when_that_one_may_be_there(warehouse: Warehouse) -> None:
    feed = orders_feed(gates=(customer_gate(follows=True),))
    row(warehouse, "test/customers", "c1", state="excluded", rule="T-REMOVED")
    land(warehouse, "stokly.orders", [order("1", customer_id="c1")])
    planned(warehouse, feed)
    assert reason(warehouse, feed) is None
    stored(warehouse, "test/customers", Stage.DELIVER, {"accepted": 1})
    assert reason(warehouse, feed) is not None


def waits(warehouse: Warehouse, feed: Feed) -> datetime | None:
    with warehouse.reading() as connection:
        return waiting_since(connection, feed, brand=warehouse.brand)


def test_what_waits_is_dated_from_the_change_then_from_the_plan(warehouse: Warehouse) -> None:
    feed, before = orders_feed(), datetime.now(UTC)
    assert waits(warehouse, feed) is None
    land(warehouse, "stokly.orders", [order("1")])
    changed = waits(warehouse, feed)
    assert changed is not None
    assert before - timedelta(seconds=1) <= changed <= datetime.now(UTC)
    planned(warehouse, feed)
    assert waits(warehouse, feed) is not None
    sent(warehouse, feed)
    assert waits(warehouse, feed) is None
