"""What set-up found is remembered for a day, for one system under one set of settings."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from stokly_sync.landing.reference import refresh
from stokly_sync.warehouse.memory import LASTS, Remembered
from stokly_sync.warehouse.store import Warehouse

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def at(memory: Remembered, later: timedelta) -> Remembered:
    return replace(memory, now=lambda: NOW + later)


def test_what_was_found_is_known_for_a_day(warehouse: Warehouse) -> None:
    memory = at(Remembered(warehouse, "emarsys", "a"), timedelta(0))
    assert memory.get("fields") is None
    memory.put("fields", {"email": "3"})
    memory.put("fields", {"email": "4"})
    assert at(memory, LASTS - timedelta(seconds=1)).get("fields") == {"email": "4"}
    assert at(memory, LASTS).get("fields") is None
    assert memory.get("event") is None


def test_other_settings_another_system_and_another_brand_know_nothing_of_it(warehouse: Warehouse) -> None:
    memory = Remembered(warehouse, "emarsys", "a")
    memory.put("fields", [1])
    assert replace(memory, digest="b").get("fields") is None
    assert replace(memory, system="dotdigital").get("fields") is None


def test_what_may_be_wrong_is_forgotten(warehouse: Warehouse) -> None:
    memory = Remembered(warehouse, "emarsys", "a")
    memory.put("fields", [1])
    memory.forget()
    assert memory.get("fields") is None


def test_it_is_no_part_of_a_system_s_vocabulary(warehouse: Warehouse) -> None:
    Remembered(warehouse, "emarsys", "a").put("fields", [1])
    entries = {"channels": [{"channelId": "1", "name": "Web"}]}
    assert refresh(warehouse, "emarsys", entries, run_id="1") == []
    assert refresh(warehouse, "emarsys", entries, run_id="2") == []
