"""Journals kept in the warehouse: once each, corrected by adding, and exported once (P5)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from stokly_sync.contracts.journals import Role
from stokly_sync.delivery.journals import journals, keep_journals, note_exported
from stokly_sync.warehouse.bulk import insert
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import LANDED
from stokly_sync_tests.systems.marketplacer.made import T0, frame

NOW = datetime(2026, 3, 9, tzinfo=UTC)
CHANNEL = "marketplacer"


@pytest.fixture
def warehouse(database_url: str) -> Iterator[Warehouse]:
    opened = Warehouse.open(database_url, brand="default")
    land(opened, {})
    yield opened
    opened.close()


def land(warehouse: Warehouse, remittance: dict[str, Any], **line: Any) -> None:
    """Put one payout of 20.00 there, in the place of any before."""
    root, child = LANDED["marketplacer.remittances"], LANDED["marketplacer.remittance_lines"]
    with warehouse.transaction() as connection:
        for table in (child, root):
            connection.execute(sa.delete(table))
        fixed = {"brand": "default", "window_start": T0, "landed_at": T0}
        insert(connection, root, frame("marketplacer.remittances", [remittance]), fixed=fixed)
        insert(connection, child, frame("marketplacer.remittance_lines", [line]), fixed={"brand": "default"})


def export(warehouse: Warehouse) -> list[str]:
    found = journals(warehouse, CHANNEL)
    with warehouse.transaction() as connection:
        note_exported(connection, found, brand="default", package="xero", now=NOW)
    return [journal.id for journal in found]


def total(warehouse: Warehouse, role: Role) -> int:
    lines = [line for journal in journals(warehouse, CHANNEL, exported=True) for line in journal.lines]
    return sum(line.amount for line in lines if line.role is role) // 10**7


def test_a_payout_is_one_journal_however_often_it_is_kept(warehouse: Warehouse) -> None:
    assert [keep_journals(warehouse, CHANNEL, now=NOW) for _ in range(2)] == [1, 1]
    (journal,) = journals(warehouse, CHANNEL)
    assert (journal.id, journal.currency, journal.at) == ("marketplacer-500", "GBP", T0)
    assert sum(line.amount for line in journal.lines) == 0
    assert [line.role for line in journal.lines] == [
        Role.PAYOUT,
        Role.COMMISSION,
        Role.COMMISSION_TAX,
        Role.SALES,
        Role.SALES_TAX,
    ]


def test_a_journal_is_exported_once(warehouse: Warehouse) -> None:
    keep_journals(warehouse, CHANNEL, now=NOW)
    assert export(warehouse) == ["marketplacer-500"]
    keep_journals(warehouse, CHANNEL, now=NOW)
    assert export(warehouse) == []
    assert len(journals(warehouse, CHANNEL, exported=True)) == 1


def test_a_payout_that_became_another_one_is_corrected_by_an_entry(warehouse: Warehouse) -> None:
    keep_journals(warehouse, CHANNEL, now=NOW)
    export(warehouse)
    land(warehouse, {"payout": "21.00"}, payout="21.00", commission="2.00")
    assert keep_journals(warehouse, CHANNEL, now=NOW) == 1
    assert export(warehouse) == ["marketplacer-500-2"]
    assert (total(warehouse, Role.PAYOUT), total(warehouse, Role.COMMISSION)) == (2100, 200)


def test_one_that_nobody_exported_is_made_anew(warehouse: Warehouse) -> None:
    keep_journals(warehouse, CHANNEL, now=NOW)
    land(warehouse, {"payout": "21.00"}, payout="21.00", commission="2.00")
    keep_journals(warehouse, CHANNEL, now=NOW)
    assert [journal.entry for journal in journals(warehouse, CHANNEL, exported=True)] == [1]
    assert total(warehouse, Role.PAYOUT) == 2100


def test_a_payout_that_is_gone_comes_to_nothing(warehouse: Warehouse) -> None:
    keep_journals(warehouse, CHANNEL, now=NOW)
    export(warehouse)
    land(warehouse, {"live": False})
    keep_journals(warehouse, CHANNEL, now=NOW)
    assert export(warehouse) == ["marketplacer-500-2"]
    assert all(total(warehouse, role) == 0 for role in Role)
