"""Addresses that people wrote where nothing personal belongs are found and struck out (X14)."""

from __future__ import annotations

import sqlalchemy as sa

from stokly_sync.operations import audit
from stokly_sync.operations.audit import Action
from stokly_sync.operations.places import STRUCK, mentions, strike_out
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import ACTIONS, EXCEPTIONS
from stokly_sync_tests.delivery.kit import land, order
from stokly_sync_tests.operations.kit import kept_back

WHO = "buyer@example.com"


def test_a_note_a_reason_and_a_message_lose_the_address_and_nothing_else(warehouse: Warehouse) -> None:
    kept_back(warehouse, "1", note="Asked Buyer@Example.com on Monday", detail="names buyer@example.com")
    told = {"subject": "stokly.orders", "key": "1"}
    with warehouse.transaction() as conn:
        audit.note_record(conn, warehouse.brand, Action.IGNORE, actor="x", detail=f"wrote to {WHO}", **told)
        assert set(mentions(conn, warehouse.brand, [WHO])) == {"exceptions.note", "exceptions.detail", "actions.detail"}
        assert strike_out(conn, warehouse.brand, [WHO]) == 2
        row = conn.execute(sa.select(EXCEPTIONS.c.note, EXCEPTIONS.c.detail)).one()
        assert tuple(row) == (f"Asked {STRUCK} on Monday", f"names {STRUCK}")
        assert conn.execute(sa.select(ACTIONS.c.detail)).scalar_one() == f"wrote to {STRUCK}"
        assert not list(mentions(conn, warehouse.brand, [WHO]))
        assert strike_out(conn, warehouse.brand, [WHO]) == 0


def test_a_personal_column_is_emptied_and_another_brand_is_left_alone(warehouse: Warehouse) -> None:
    land(warehouse, "stokly.orders", [order("1", customer_email=WHO)])
    other = Warehouse(warehouse.engine, "other")
    land(other, "stokly.orders", [order("1", customer_email=WHO)])
    with warehouse.transaction() as conn:
        strike_out(conn, warehouse.brand, [WHO])
        assert not list(mentions(conn, warehouse.brand, [WHO]))
        assert list(mentions(conn, other.brand, [WHO])) == ["stokly_orders.customer_email"]


def test_signs_of_a_pattern_in_an_address_are_only_letters(warehouse: Warehouse) -> None:
    kept_back(warehouse, "1", note="a_b%c@example.com and aXbYc@example.com")
    with warehouse.transaction() as conn:
        strike_out(conn, warehouse.brand, ["a_b%c@example.com"])
        assert conn.execute(sa.select(EXCEPTIONS.c.note)).scalar_one() == f"{STRUCK} and aXbYc@example.com"
