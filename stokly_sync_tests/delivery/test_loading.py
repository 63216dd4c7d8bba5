"""Which rows and columns a plan reads for its documents."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pandas as pd
import sqlalchemy as sa

from stokly_sync.contracts.datasets import TABLES
from stokly_sync.delivery.loading import load
from stokly_sync.flow import Frames, Need
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import LEDGER
from stokly_sync_tests.delivery.kit import land, order, orders_feed


def loaded(warehouse: Warehouse, *needs: Need, columns: tuple[str, ...] = ()) -> Frames:
    land(warehouse, "stokly.orders", [order("1"), order("2")])
    with warehouse.reading() as connection:
        return load(connection, orders_feed(needs=needs, columns=columns), ["1"], brand=warehouse.brand)


def test_the_feeds_own_table_has_the_asked_records_with_all_columns(warehouse: Warehouse) -> None:
    frames = loaded(warehouse)
    assert frames["stokly.orders"]["order_id"].tolist() == ["1"]
    assert list(frames["stokly.orders"]) == [c.name for c in TABLES["stokly.orders"].all_columns]


def test_of_the_feeds_own_table_only_named_columns_are_read_with_those_that_lead_to_other_rows_and_to_people(
    warehouse: Warehouse,
) -> None:
    by_customer = Need("stokly.customers", "customer_id", "stokly.orders", "customer_id")
    frames = loaded(warehouse, by_customer, columns=("stage", "total"))
    found_by = {"order_id", "customer_id", "customer_email", "created_at"}
    assert set(frames["stokly.orders"]) == {"stage", "total", *found_by}


def test_a_need_that_names_no_columns_reads_all(warehouse: Warehouse) -> None:
    frames = loaded(warehouse, Need("stokly.refunds", "order_id", "stokly.orders", "order_id"))
    assert list(frames["stokly.refunds"]) == [c.name for c in TABLES["stokly.refunds"].all_columns]


def test_only_named_columns_are_read_with_those_that_keys_and_other_needs_use(warehouse: Warehouse) -> None:
    by_order = Need("stokly.customers", "customer_id", "stokly.orders", "customer_id", columns=("live",))
    merged = Need("stokly.customers", "customer_id", "stokly.customers", "merged_into", columns=("email",))
    frames = loaded(warehouse, by_order, merged)
    assert set(frames["stokly.customers"]) == {"customer_id", "live", "email", "merged_into"}


def test_one_need_that_wants_all_columns_gets_them(warehouse: Warehouse) -> None:
    by_order = Need("stokly.customers", "customer_id", "stokly.orders", "customer_id", columns=("live",))
    merged = Need("stokly.customers", "customer_id", "stokly.customers", "merged_into")
    frames = loaded(warehouse, by_order, merged)
    assert list(frames["stokly.customers"]) == [c.name for c in TABLES["stokly.customers"].all_columns]


def test_a_need_may_find_an_address_that_was_typed_in_another_case(warehouse: Warehouse) -> None:
    land(warehouse, "stokly.customers", [{"customer_id": "C1", "email": "buyer@example.com"}])
    land(warehouse, "stokly.orders", [order("1", customer_email="Buyer@Example.com")])
    typed = Need("stokly.customers", "email", "stokly.orders", "customer_email")
    for need, found in ((typed, []), (replace(typed, lower=True), ["C1"])):
        with warehouse.reading() as connection:
            frames = load(connection, orders_feed(needs=(need,)), ["1"], brand=warehouse.brand)
        assert frames["stokly.customers"]["customer_id"].tolist() == found


def test_a_need_may_tell_when_another_feed_sent_its_rows(warehouse: Warehouse) -> None:
    land(warehouse, "stokly.customers", [{"customer_id": "C1"}, {"customer_id": "C2"}])
    land(warehouse, "stokly.orders", [order("1", customer_id="C1"), order("2", customer_id="C2")])
    row = {"feed": "elsewhere/customers", "key": "C1", "state": "accepted", "sent_at": datetime(2026, 1, 1, tzinfo=UTC)}
    with warehouse.transaction() as connection:
        connection.execute(sa.insert(LEDGER).values(brand=warehouse.brand, **row))
    need = Need("stokly.customers", "customer_id", "stokly.orders", "customer_id", sent_by="elsewhere/customers")
    with warehouse.reading() as connection:
        frames = load(connection, orders_feed(needs=(need,)), ["1", "2"], brand=warehouse.brand)
    sent = frames["stokly.customers"].set_index("customer_id")["sent_at"]
    assert sent["C1"] == row["sent_at"]
    assert pd.isna(sent["C2"])
