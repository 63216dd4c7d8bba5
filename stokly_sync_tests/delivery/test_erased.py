"""What a plan makes of records about people who were erased (X14)."""

from __future__ import annotations

from typing import Any

import pytest

from stokly_sync.contracts import erasure
from stokly_sync.delivery.figures import PlanFigures
from stokly_sync.delivery.planning import plan
from stokly_sync.delivery.rules import ERASED
from stokly_sync.flow import Built, Document, Feed, Frames
from stokly_sync.warehouse import erasures
from stokly_sync.warehouse.exceptions import EXCLUDED, counts_by_rule
from stokly_sync.warehouse.store import Warehouse
from stokly_sync_tests.delivery.kit import RULES, T0, land, ledger, order, orders_feed

CUSTOMERS, ORDERS = "stokly.customers", "stokly.orders"


def erase(warehouse: Warehouse, kind: str, key: str) -> None:
    with warehouse.transaction() as conn:
        erasures.note(conn, warehouse.brand, {kind: [erasure.digest(kind, key)]}, at=T0, run_id="run")


def planned(warehouse: Warehouse, feed: Feed, **how: Any) -> PlanFigures:
    return plan(warehouse, feed, catalogue=RULES, run_id="run", **how)


@pytest.mark.parametrize("forgets", [True, False])
def test_a_persons_own_record_is_left_out_everywhere(warehouse: Warehouse, forgets: bool) -> None:
    land(warehouse, ORDERS, [order("1"), order("2")])
    erase(warehouse, ORDERS, "1")
    figures = planned(warehouse, orders_feed(), forgets=forgets)
    assert (figures.to_send, figures.excluded) == (1, {ERASED: 1})
    assert (ledger(warehouse)["1"]["state"], ledger(warehouse)["1"]["document"]) == ("excluded", None)


def test_a_record_that_is_only_theirs_is_left_out_where_people_are_forgotten(warehouse: Warehouse) -> None:
    land(warehouse, "stokly.dispatches", [{"dispatch_id": "D1", "order_id": "1"}])
    erase(warehouse, ORDERS, "1")
    feed = orders_feed(name="dispatches", dataset="stokly.dispatches", key="dispatch_id", build=build_dispatches)
    assert planned(warehouse, feed, forgets=False).to_send == 1
    land(warehouse, "stokly.dispatches", [{"dispatch_id": "D1", "order_id": "1"}], number=1)
    assert planned(warehouse, feed, forgets=True).excluded == {ERASED: 1}


def build_dispatches(frames: Frames) -> Built:
    rows = frames["stokly.dispatches"]
    pairs = zip(rows["dispatch_id"], rows["version"], strict=True)
    return Built([Document(key, {"id": key}, version) for key, version in pairs])


def test_what_else_is_wrong_with_the_record_is_nobodys_work_any_more(warehouse: Warehouse) -> None:
    land(warehouse, ORDERS, [order("1", number="T-BAD")])
    erase(warehouse, ORDERS, "1")
    assert planned(warehouse, orders_feed()).quarantined == {}
    with warehouse.reading() as conn:
        found = {"brand": warehouse.brand, "subject": "test/orders"}
        assert counts_by_rule(conn, **found) == {}
        assert counts_by_rule(conn, **found, state=EXCLUDED) == {ERASED: 1}


def test_a_key_of_many_rows_goes_on_while_one_of_them_is_not_erased(warehouse: Warehouse) -> None:
    land(warehouse, ORDERS, [order("1", customer_id="C1"), order("2", customer_id="C1")])
    feed = orders_feed(name="customers", key="customer_id", build=build_customers)
    erase(warehouse, ORDERS, "1")
    assert planned(warehouse, feed).to_send == 1
    erase(warehouse, ORDERS, "2")
    land(warehouse, ORDERS, [order("1", customer_id="C1")], number=1)
    assert planned(warehouse, feed).excluded == {ERASED: 1}


def build_customers(frames: Frames) -> Built:
    rows = frames[ORDERS].drop_duplicates("customer_id")
    pairs = zip(rows["customer_id"], rows["version"], strict=True)
    return Built([Document(key, {"id": key}, version) for key, version in pairs])
