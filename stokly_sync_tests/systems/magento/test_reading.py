"""Lists that move while they are read lose no row. Source: Magento API contract 4, 6.4."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from stokly_sync.errors import TransientError
from stokly_sync.flow import Scope, Window
from stokly_sync.systems.magento import MagentoClient, MagentoSettings
from stokly_sync.systems.magento.client import Found
from stokly_sync.systems.magento.extracts import LEVELS, ORDERS, read_levels, read_orders
from stokly_sync.systems.magento.reading import by_id, changed, counted, of_ids
from stokly_sync.systems.magento.search import Search, stamp
from stokly_sync_tests.systems.magento.rows import T0

WINDOW = Window(T0, T0 + timedelta(minutes=15))


@dataclass
class Shop:
    """A shop in memory that answers searches like Magento does; `moves` happen behind each answer."""

    tables: dict[str, list[dict[str, Any]]]
    moves: list[Callable[[Shop], None]] = field(default_factory=list)
    asked: list[Search] = field(default_factory=list)
    repeats_last: bool = False
    """As releases before 2.4 do past the last page."""
    settings: Any = field(default_factory=lambda: MagentoSettings.model_validate({"order_page": 3, "overlap": 60}))
    memory: dict[str, Any] = field(default_factory=dict)

    def search(self, wanted: Search, *, page: int = 1, size: int) -> Found:
        self.asked.append(wanted)
        rows = [row for row in self.tables[wanted.path] if all(self._holds(row, c) for c in wanted.conditions)]
        rows.sort(key=lambda row: tuple(row.get(name, row.get("id")) for name in wanted.order))
        first = (page - 1) * size
        if self.repeats_last and first >= len(rows) > 0:
            first = (len(rows) - 1) // size * size
        found = Found([dict(row) for row in rows[first : first + size]], len(rows), T0, size)
        if self.moves:
            self.moves.pop(0)(self)
        return found

    def _holds(self, row: dict[str, Any], condition: Any) -> bool:
        value, wanted = row[condition.field], condition.value
        if condition.operator == "in":
            return str(value) in wanted.split(",")
        wanted = type(value)(wanted)
        return bool({"gteq": value >= wanted, "lt": value < wanted, "gt": value > wanted}[condition.operator])

    @property
    def client(self) -> MagentoClient:
        return cast("MagentoClient", self)


def row(number: int, seconds: int = 0, **members: Any) -> dict[str, Any]:
    moment = T0 + timedelta(seconds=seconds)
    return {"entity_id": number, "updated_at": stamp(moment), **members}


def ids(pages: Any) -> list[int]:
    return [one["entity_id"] for page in pages for one in page.rows]


def window(shop: Shop) -> list[int]:
    return ids(changed(shop.client, ORDERS, WINDOW, key="entity_id", size=3))


def test_a_window_reads_what_was_updated_in_it_and_a_while_before() -> None:
    shop = Shop({"/orders": [row(1, -61), row(2, -59), row(3, 0), row(4, 899), row(5, 900)]})
    assert window(shop) == [2, 3, 4]


def test_a_row_that_is_updated_while_it_is_read_neither_hides_another_nor_is_lost() -> None:
    def touch(shop: Shop) -> None:
        shop.tables["/orders"][0]["updated_at"] = stamp(T0 + timedelta(seconds=50))

    shop = Shop({"/orders": [row(n, n) for n in range(1, 9)]}, moves=[touch])
    found = window(shop)
    assert sorted(set(found)) == list(range(1, 9))
    assert found.count(1) == 2


def test_many_rows_of_one_second_are_counted_through() -> None:
    """An import touches thousands of orders in one second."""
    shop = Shop({"/orders": [row(n, 5) for n in range(1, 11)] + [row(n, n) for n in range(11, 15)]})
    assert sorted(window(shop)) == list(range(1, 15))


def test_a_second_whose_rows_leave_while_they_are_counted_is_counted_again() -> None:
    def leave(shop: Shop) -> None:
        shop.tables["/orders"][0]["updated_at"] = stamp(T0 + timedelta(seconds=70))

    def wait(shop: Shop) -> None:
        del shop

    shop = Shop({"/orders": [row(n, 5) for n in range(1, 11)]}, moves=[wait, wait, leave])
    assert sorted(set(window(shop))) == list(range(1, 11))


def test_reading_costs_few_calls_more_than_there_are_pages() -> None:
    shop = Shop({"/orders": [row(n, n) for n in range(1, 31)]})
    assert len(window(shop)) == 30
    assert len(shop.asked) <= 30 / (3 - 1)


@pytest.mark.parametrize("old", [False, True])
def test_the_history_goes_by_id_and_on_from_where_it_stopped(old: bool) -> None:
    shop = Shop({"/orders": [row(n) for n in range(1, 10)]}, repeats_last=old)
    assert ids(by_id(shop.client, ORDERS, size=3, cursor=None)) == list(range(1, 10))
    assert len(shop.asked) == 3
    assert ids(by_id(shop.client, ORDERS, size=3, cursor="6")) == [7, 8, 9]


def test_ids_are_asked_for_in_as_few_calls_as_pages() -> None:
    shop = Shop({"/orders": [row(n) for n in range(1, 8)]})
    assert ids(of_ids(shop.client, ORDERS, "entity_id", [str(n) for n in range(1, 7)], size=3)) == [1, 2, 3, 4, 5, 6]
    assert len(shop.asked) == 2


def level(sku: str) -> dict[str, Any]:
    return {"sku": sku, "source_code": "default", "quantity": 1, "status": 1}


@pytest.mark.parametrize("old", [False, True])
def test_a_list_without_times_is_counted_once_where_it_holds_still(old: bool) -> None:
    shop = Shop({LEVELS.path: [level(f"S{n}") for n in range(7)]}, repeats_last=old)
    pages = list(counted(shop.client, LEVELS, size=3))
    assert [one["sku"] for page in pages for one in page.rows] == [f"S{n}" for n in range(7)]
    assert len(shop.asked) == 3


def test_a_row_that_goes_while_a_list_is_counted_hides_no_other() -> None:
    def leave(shop: Shop) -> None:
        shop.tables[LEVELS.path].pop(0)

    shop = Shop({LEVELS.path: [level(f"S{n}") for n in range(7)]}, moves=[leave])
    found = [one["sku"] for page in counted(shop.client, LEVELS, size=3) for one in page.rows]
    assert sorted(found) == [f"S{n}" for n in range(7)]


def test_a_list_that_never_holds_still_is_given_up_and_not_taken_as_whole() -> None:
    def grow(shop: Shop) -> None:
        shop.tables[LEVELS.path].append(level(f"N{len(shop.asked)}"))

    shop = Shop({LEVELS.path: [level(f"S{n}") for n in range(7)]}, moves=[grow] * 100)
    with pytest.raises(TransientError, match="faster than it can be read"):
        list(counted(shop.client, LEVELS, size=3))


def test_a_window_of_orders_also_reads_those_whose_shipments_moved() -> None:
    """The second part shipment of an order does not move it. Source: contract 6.4."""
    orders = [row(1, -7200), row(2, 10), row(3, -7200)]
    shipments = [row(9, 20, order_id=1), row(8, -7200, order_id=3)]
    shop = Shop({"/orders": orders, "/shipments": shipments})
    pages = read_orders(shop.client, Scope(WINDOW))
    assert sorted(one["entity_id"] for page in pages for one in page.documents) == [1, 2]


def test_a_sweep_reads_bare_rows_and_a_history_says_where_it_is() -> None:
    shop = Shop({"/orders": [row(n) for n in range(1, 5)]})
    assert [len(page.documents) for page in read_orders(shop.client, Scope(WINDOW, sweep=True))] == [4]
    assert shop.asked[0].members == "entity_id,updated_at"
    pages = list(read_orders(shop.client, Scope(WINDOW, baseline=True, cursor="1")))
    assert [(len(page.documents), page.cursor) for page in pages] == [(3, "4")]


def test_stock_is_read_at_the_mapped_sources_alone() -> None:
    other = {**level("S1"), "source_code": "elsewhere"}
    shop = Shop({LEVELS.path: [level("S1"), other]})
    shop.settings = SimpleNamespace(sources=("default",), product_page=300)
    (page,) = read_levels(shop.client, Scope(WINDOW))
    assert [one["level_id"] for one in page.documents] == ["S1/default"]


def test_a_time_is_written_in_utc_and_cut_to_the_second() -> None:
    assert stamp(datetime(2026, 3, 1, 9, 30, 0, 999_999, tzinfo=UTC)) == "2026-03-01 09:30:00"
