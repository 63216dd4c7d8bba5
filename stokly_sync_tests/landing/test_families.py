"""Totals of variable parents, made from their variants, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from stokly_sync.contracts.rules import Catalogue, Rule, catalogue
from stokly_sync.flow import Team, Window
from stokly_sync.landing import grid, run
from stokly_sync.landing.run import Reader, land_baseline, land_window, sweep
from stokly_sync.warehouse import windows
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import LANDED
from stokly_sync_tests.landing.source import Source

T0 = grid.floor(datetime.now(UTC)) - timedelta(hours=4)
HOUR = Window(T0, T0 + timedelta(hours=1))
RULES: Catalogue = catalogue([Rule("ST-SKU-DUPLICATE", "It is wrong.", "Mend it.", Team.FINANCE, "X2")])


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "CHUNK_ROWS", 3)


class Shop:
    """Items and stock at a source, and a reader that lands them."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self.reader = Reader(warehouse, RULES, run_id="run-1", windows_from=T0 - timedelta(days=1))
        self.items = Source("stokly.items")
        self.stock = Source("stokly.stock", snapshot=True)
        self.minute = 0

    def item(self, key: str, *, parent: str | None = None, live: bool = True, format_: int = 0) -> None:
        self.minute += 1
        at = T0 + timedelta(minutes=self.minute)
        row = {"item_id": key, "sku": key.upper(), "format": format_, "stocked": format_ != 2, "live": live}
        self.items.put(**row, parent_item_id=parent, created_at=T0, updated_at=at)

    def units(self, key: str, available: int | None, **counts: Any) -> None:
        row = {"stock_id": f"{key}/", "item_id": key, "sku": key.upper(), "available": available, "live": True}
        self.stock.put(**{"on_hand": available, **row, **counts})

    def land(self) -> None:
        land_window(self.reader, self.items.extract(), None, HOUR)
        land_window(self.reader, self.stock.extract(), None, HOUR).check()

    def row(self, key: str) -> Any:
        table = LANDED["stokly.stock"]
        own = table.c.stock_id == f"{key}/"
        with self.warehouse.reading() as connection:
            return connection.execute(sa.select(table).where(table.c.brand == self.warehouse.brand, own)).one_or_none()

    def available(self, key: str = "p") -> int:
        return int(self.row(key).available)

    def revision(self) -> int:
        with self.warehouse.reading() as connection:
            owed = windows.owed(connection, brand=self.warehouse.brand, feed="f", datasets=["stokly.stock"])
        return sum(o.revision for o in owed)


@pytest.fixture
def shop(warehouse: Warehouse) -> Shop:
    """A parent `p` with the variants `red` (3 units) and `blue` (4), and a plain item."""
    made = Shop(warehouse)
    made.item("p", format_=2)
    for key, units in (("red", 3), ("blue", 4), ("plain", 9)):
        made.item(key, parent=None if key == "plain" else "p")
        made.units(key, units)
    made.land()
    return made


def test_a_parent_has_the_total_of_its_variants_under_its_own_sku(shop: Shop) -> None:
    shop.units("red", 3, on_hand=5, quarantined=1, on_order=10)
    shop.units("blue", 4, on_hand=4, on_order=20)
    shop.land()
    row = shop.row("p")
    assert (row.item_id, row.sku, row.location_id, row.live) == ("p", "P", None, True)
    assert (row.on_hand, row.available, row.quarantined, row.on_order) == (9, 7, 1, 30)


def test_totals_do_not_count_as_read(shop: Shop) -> None:
    figures = land_window(shop.reader, shop.stock.extract(), None, HOUR)
    assert (figures.read, figures.unchanged, figures.changed, figures.removed) == (3, 3, 0, 0)


def test_a_total_moves_only_when_its_sums_do(shop: Shop) -> None:
    before, revision = shop.row("p"), shop.revision()
    shop.land()
    assert shop.row("p") == before
    assert shop.revision() == revision
    shop.units("red", 0)
    shop.land()
    assert shop.available() == 4
    assert shop.row("p").version > before.version
    assert shop.revision() > revision


def test_a_variant_that_is_short_takes_nothing_from_the_others(shop: Shop) -> None:
    shop.units("red", -6)
    shop.land()
    assert (shop.available(), shop.row("p").on_hand) == (4, -2)


def test_on_hand_counts_where_nothing_says_what_is_available(shop: Shop) -> None:
    shop.units("red", None, on_hand=2)
    shop.land()
    assert shop.available() == 6


def test_stock_by_location_is_not_added_to_the_totals(shop: Shop) -> None:
    shop.stock.put(stock_id="red/A", item_id="red", sku="RED", location_id="A", on_hand=3, live=True)
    shop.land()
    assert shop.row("p").on_hand == 7


def _deleted(shop: Shop) -> None:
    shop.item("red", parent="p", live=False)


def _delisted(shop: Shop) -> None:
    del shop.stock.documents["red/"]


def _moved(shop: Shop) -> None:
    shop.item("q", format_=2)
    shop.item("red", parent="q")


@pytest.mark.parametrize("change", [_deleted, _delisted, _moved])
def test_a_variant_that_is_gone_counts_no_longer(shop: Shop, change: Callable[[Shop], None]) -> None:
    change(shop)
    shop.land()
    assert shop.available() == 4
    if change is _moved:
        assert shop.available("q") == 3


def test_a_parent_without_variants_has_nothing(shop: Shop) -> None:
    shop.item("empty", format_=2)
    shop.land()
    assert (shop.available("empty"), shop.row("empty").live) == (0, True)


def test_the_total_of_a_deleted_parent_is_not_live_and_comes_back_with_it(shop: Shop) -> None:
    shop.item("p", format_=2, live=False)
    shop.land()
    assert shop.row("p").live is False
    shop.item("p", format_=2)
    shop.land()
    assert (shop.row("p").live, shop.available()) == (True, 7)


def test_a_parent_that_was_deleted_before_has_no_total(shop: Shop) -> None:
    shop.item("gone", format_=2, live=False)
    shop.land()
    assert shop.row("gone") is None


def test_a_sweep_leaves_totals_as_they_are(shop: Shop) -> None:
    before = shop.row("p")
    assert sweep(shop.reader, shop.stock.extract(), None).removed == 0
    assert shop.row("p") == before


def test_a_sweep_sums_again(shop: Shop) -> None:
    revision = shop.revision()
    shop.units("red", 0)
    sweep(shop.reader, shop.stock.extract(), None)
    assert shop.available() == 4
    assert shop.revision() > revision


def test_the_history_brings_totals_that_feeds_owe(warehouse: Warehouse) -> None:
    shop = Shop(warehouse)
    shop.item("p", format_=2)
    shop.item("red", parent="p")
    shop.units("red", 3)
    until = T0 + timedelta(hours=2)
    for source in (shop.items, shop.stock):
        land_baseline(shop.reader, source.extract(), None, until)
    assert shop.available() == 3
    with warehouse.reading() as connection:
        owed = windows.owed(connection, brand="demo", feed="f", datasets=["stokly.stock"])
    assert shop.row("p").window_start in {o.window.start for o in owed}


def test_brands_do_not_share_families(shop: Shop) -> None:
    other = Shop(Warehouse(shop.warehouse.engine, "other"))
    other.item("p", format_=2)
    other.item("red", parent="p")
    other.units("red", 1)
    other.land()
    shop.land()
    assert shop.available() == 7


def test_stock_that_came_before_its_families_gets_its_totals_with_the_next_read(warehouse: Warehouse) -> None:
    shop = Shop(warehouse)
    shop.units("red", 3)
    land_window(shop.reader, shop.stock.extract(), None, HOUR)
    assert shop.row("p") is None
    shop.item("p", format_=2)
    shop.item("red", parent="p")
    shop.land()
    assert shop.available() == 3
