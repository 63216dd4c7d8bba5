"""Landing a window, a history, a sweep: on both databases, with the same end state however often."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from stokly_sync.contracts.money import NANO
from stokly_sync.contracts.rules import Catalogue, Rule, catalogue
from stokly_sync.errors import ContractBroken, NotOffered
from stokly_sync.flow import Page, Scope, Team, Window
from stokly_sync.landing import grid, run
from stokly_sync.landing.run import Reader, land_baseline, land_window, sweep
from stokly_sync.warehouse import windows
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import EXCEPTIONS, LANDED
from stokly_sync_tests.landing.source import Source

T0 = grid.floor(datetime.now(UTC)) - timedelta(hours=4)
HOUR = Window(T0, T0 + timedelta(hours=1))
CODES = (
    *("ST-MONEY", "ST-MEMBER-TYPE", "ST-ORDER-TOTAL", "ST-SKU-DUPLICATE", "ST-TIME"),
    *("ST-REFUND-OVER", "ST-REFUND-ORDER"),
)
RULES: Catalogue = catalogue(Rule(c, "It is wrong.", "Mend it.", Team.FINANCE, "X2") for c in CODES)


@pytest.fixture
def reader(warehouse: Warehouse) -> Reader:
    return Reader(warehouse, RULES, run_id="run-1", windows_from=T0 - timedelta(days=1))


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "CHUNK_ROWS", 3)


def order(key: str, *, at: datetime = T0, total: Any = 10 * NANO, **more: Any) -> dict[str, Any]:
    line = {"line_id": f"{key}-1", "position": 0, "quantity": 1, "line_price": 10 * NANO, "line_tax": 0}
    return {
        "order_id": key,
        "stage": "order",
        "currency": "GBP",
        "total": total,
        "line_count": 1,
        "lines_total": 10 * NANO,
        "live": True,
        "created_at": at,
        "updated_at": at,
        "lines": [{**line, "line_total": 10 * NANO}],
        **more,
    }


def orders(count: int = 7) -> Source:
    source = Source("stokly.orders")
    for n in range(count):
        source.put(**order(f"o{n}", at=T0 + timedelta(minutes=5 * n)))
    return source


def landed(warehouse: Warehouse, table: str = "stokly.orders") -> list[Any]:
    found = LANDED[table]
    with warehouse.reading() as conn:
        return list(conn.execute(sa.select(found).order_by(*found.primary_key.columns)))


def revisions(warehouse: Warehouse, dataset: str = "stokly.orders") -> dict[datetime, int]:
    with warehouse.reading() as conn:
        return {o.window.start: o.revision for o in windows.owed(conn, brand="demo", feed="f", datasets=[dataset])}


def watermark(warehouse: Warehouse, dataset: str = "stokly.orders") -> windows.Watermark:
    with warehouse.reading() as conn:
        return windows.watermark(conn, brand="demo", dataset=dataset)


def test_a_window_lands_rows_with_their_children_in_the_windows_of_their_time(reader: Reader) -> None:
    figures = land_window(reader, orders().extract(), None, HOUR)
    assert (figures.read, figures.changed, figures.unchanged) == (7, 7, 0)
    assert len(landed(reader.warehouse, "stokly.order_lines")) == 7
    starts = [row.window_start for row in landed(reader.warehouse)]
    assert starts == [grid.floor(T0 + timedelta(minutes=5 * n)) for n in range(7)]


def test_landing_the_same_window_again_changes_nothing_and_owes_nothing_new(reader: Reader) -> None:
    source = orders()
    land_window(reader, source.extract(), None, HOUR)
    before, owed = landed(reader.warehouse), revisions(reader.warehouse)
    figures = land_window(reader, source.extract(), None, HOUR)
    assert (figures.changed, figures.unchanged) == (0, 7)
    assert (landed(reader.warehouse), revisions(reader.warehouse)) == (before, owed)


def test_a_late_update_moves_the_row_to_the_window_that_saw_it_and_replaces_its_lines(reader: Reader) -> None:
    source = orders(1)
    land_window(reader, source.extract(), None, HOUR)
    later = Window(HOUR.end, HOUR.end + timedelta(minutes=15))
    two = [*source.documents["o0"]["lines"], {**source.documents["o0"]["lines"][0], "line_id": "o0-2", "position": 1}]
    source.put(
        **order("o0", total=20 * NANO, lines_total=20 * NANO, line_count=2, lines=two) | {"updated_at": later.start}
    )
    assert land_window(reader, source.extract(), None, later).changed == 1
    (row,) = landed(reader.warehouse)
    assert (row.window_start, row.total) == (later.start, 20 * NANO)
    assert len(landed(reader.warehouse, "stokly.order_lines")) == 2


def test_an_older_version_never_replaces_a_newer_one(reader: Reader) -> None:
    source = orders(1)
    source.put(**order("o0", number="new") | {"updated_at": T0 + timedelta(minutes=30)})
    land_window(reader, source.extract(), None, HOUR)
    source.put(**order("o0", number="old"))
    assert land_window(reader, source.extract(), None, HOUR).unchanged == 1
    assert landed(reader.warehouse)[0].number == "new"


def test_a_bad_row_is_held_back_with_its_document_and_the_rest_goes_on(reader: Reader) -> None:
    source = orders(3)
    source.put(**order("o1", total="x"))
    figures = land_window(reader, source.extract(), None, HOUR)
    assert (figures.read, figures.changed, dict(figures.quarantined)) == (3, 2, {"ST-MONEY": 1})
    with reader.warehouse.reading() as conn:
        (row,) = conn.execute(sa.select(EXCEPTIONS))
    assert (row.subject, row.key, row.state, row.owner, row.window_start) == (
        "stokly.orders",
        "o1",
        "open",
        "finance",
        T0,
    )
    assert '"total":"x"' in row.payload


def test_the_same_bad_row_seen_again_does_not_make_feeds_owe_a_window(reader: Reader) -> None:
    source = Source("stokly.orders")
    source.put(**order("o1", total="x"))
    land_window(reader, source.extract(), None, HOUR)
    before = revisions(reader.warehouse)
    figures = land_window(reader, source.extract(), None, HOUR)
    assert dict(figures.quarantined) == {"ST-MONEY": 1}
    assert revisions(reader.warehouse) == before


def test_a_row_is_released_by_itself_once_it_passes(reader: Reader) -> None:
    source = Source("stokly.orders")
    source.put(**order("o1", total="x"))
    land_window(reader, source.extract(), None, HOUR)
    source.put(**order("o1") | {"updated_at": T0 + timedelta(minutes=20)})
    figures = land_window(reader, source.extract(), None, HOUR)
    assert (figures.changed, figures.released) == (1, 1)
    with reader.warehouse.reading() as conn:
        assert conn.execute(sa.select(EXCEPTIONS.c.state, EXCEPTIONS.c.payload)).all() == [("closed", None)]


def test_when_most_rows_fail_nothing_is_stored_and_the_window_is_refused(reader: Reader) -> None:
    source = orders(60)
    source.page = 100
    for key in list(source.documents)[:30]:
        source.put(**source.documents[key] | {"total": "x"})
    with pytest.raises(ContractBroken, match="30 of 60 rows"):
        land_window(reader, source.extract(), None, HOUR)
    assert landed(reader.warehouse) == []
    with reader.warehouse.reading() as conn:
        assert len(windows.missing(conn, brand="demo", dataset="stokly.orders", grid=grid.windows_of(HOUR))) == 4


def test_the_running_window_is_open_and_the_watermark_stays_before_it(reader: Reader) -> None:
    now = datetime.now(UTC)
    source = orders(1)
    land_baseline(reader, source.extract(), None, T0)
    land_window(reader, source.extract(), None, Window(T0, now))
    assert watermark(reader.warehouse).watermark == grid.floor(now)


def test_a_replay_leaves_the_watermark_alone(reader: Reader) -> None:
    source = orders()
    land_baseline(reader, source.extract(), None, HOUR.end)
    land_window(reader, source.extract(), None, Window(T0, T0 + timedelta(minutes=15)))
    assert watermark(reader.warehouse).watermark == HOUR.end


def test_a_gap_holds_the_watermark_until_it_is_filled(reader: Reader) -> None:
    source = orders()
    land_baseline(reader, source.extract(), None, T0)
    quarter = timedelta(minutes=15)
    land_window(reader, source.extract(), None, Window(T0 + quarter, T0 + 2 * quarter))
    assert watermark(reader.warehouse).watermark == T0
    land_window(reader, source.extract(), None, Window(T0, T0 + quarter))
    assert watermark(reader.warehouse).watermark == T0 + 2 * quarter


def test_a_baseline_goes_on_where_it_was_cut_off(reader: Reader) -> None:
    source = orders()
    source.stop_after = 3
    with pytest.raises(ConnectionError):
        land_baseline(reader, source.extract(), None, HOUR.end)
    stopped = watermark(reader.warehouse)
    assert not stopped.baseline_done
    assert (stopped.watermark, stopped.baseline_cursor) == (None, "o3")
    source.stop_after = None
    land_baseline(reader, source.extract(), None, HOUR.end + timedelta(days=1))
    assert source.reads[-1].cursor == stopped.baseline_cursor
    done = watermark(reader.warehouse)
    assert (done.baseline_done, done.watermark) == (True, HOUR.end)
    assert len(landed(reader.warehouse)) == 7


def test_a_sweep_finds_what_was_missed_and_what_is_gone(reader: Reader) -> None:
    source = orders(4)
    land_window(reader, source.extract(), None, HOUR)
    del source.documents["o2"]
    source.put(**order("late", at=T0 - timedelta(days=9)))
    figures = sweep(reader, source.extract(), None)
    assert (figures.changed, figures.removed) == (1, 1)
    assert {row.order_id: row.live for row in landed(reader.warehouse)} == {
        "late": True,
        "o0": True,
        "o1": True,
        "o2": False,
        "o3": True,
    }
    running = grid.floor(datetime.now(UTC))
    assert running in revisions(reader.warehouse)


def test_a_sweep_fetches_the_lines_of_those_orders_only_that_are_new_or_newer(reader: Reader) -> None:
    source = orders(4)
    land_window(reader, source.extract(), None, HOUR)
    source.lines_apart = True
    source.put(**order("late", at=T0 - timedelta(days=9)))
    source.put(**order("o1", number="7") | {"updated_at": T0 + timedelta(hours=2)})
    figures = sweep(reader, source.extract(), None)
    assert source.completed == ["late", "o1"]
    assert (figures.changed, figures.removed) == (2, 0)
    assert len(landed(reader.warehouse, "stokly.order_lines")) == 5


def test_a_dataset_that_the_account_does_not_offer_is_no_failure(reader: Reader) -> None:
    def refuse(_client: object, _scope: Scope) -> Iterator[Page]:
        raise NotOffered("no such list")

    extract = replace(orders(1).extract(), read=refuse)
    assert not land_baseline(reader, extract, None, T0).offered
    assert not land_window(reader, extract, None, HOUR).offered
    assert watermark(reader.warehouse).watermark == HOUR.end


def test_what_a_snapshot_does_not_list_any_more_is_not_live(reader: Reader) -> None:
    source = Source("stokly.stock", snapshot=True)
    for key in ("a", "b"):
        source.put(stock_id=key, item_id=key, on_hand=1, live=True, created_at=T0)
    land_window(reader, source.extract(), None, HOUR)
    del source.documents["a"]
    assert land_window(reader, source.extract(), None, HOUR).removed == 1
    assert [row.live for row in landed(reader.warehouse, "stokly.stock")] == [False, True]


def item(key: str, sku: str, *, at: datetime = T0) -> dict[str, Any]:
    return {"item_id": key, "sku": sku, "format": 0, "stocked": True, "live": True, "created_at": at, "updated_at": at}


def test_of_two_items_with_one_sku_the_older_stays_and_the_other_waits_until_it_is_free(reader: Reader) -> None:
    source = Source("stokly.items")
    source.put(**item("i1", "ABC"))
    source.put(**item("i2", "abc", at=T0 + timedelta(minutes=1)))
    figures = land_window(reader, source.extract(), None, HOUR)
    assert dict(figures.quarantined) == {"ST-SKU-DUPLICATE": 1}
    assert [row.item_id for row in landed(reader.warehouse, "stokly.items")] == ["i1"]
    source.put(**item("i1", "XYZ") | {"updated_at": T0 + timedelta(minutes=50)})
    later = Window(T0 + timedelta(minutes=45), HOUR.end)
    land_window(reader, source.extract(), None, later)
    assert land_window(reader, source.extract(), None, later).released == 1
    assert [row.sku for row in landed(reader.warehouse, "stokly.items")] == ["XYZ", "abc"]


def test_a_refund_beyond_its_order_is_held_back_and_the_ones_before_it_are_not(reader: Reader) -> None:
    land_window(reader, orders(1).extract(), None, HOUR)
    source = Source("stokly.refunds")
    for n, total in enumerate((4, 6, 1)):
        source.put(
            refund_id=f"r{n}",
            order_id="o0",
            currency="GBP",
            total=total * NANO,
            live=True,
            created_at=T0 + timedelta(minutes=n),
        )
    figures = land_window(reader, source.extract(), None, HOUR)
    assert dict(figures.quarantined) == {"ST-REFUND-OVER": 1}
    assert [row.refund_id for row in landed(reader.warehouse, "stokly.refunds")] == ["r0", "r1"]


def test_a_refund_waits_for_its_order_and_is_released_when_it_lands(reader: Reader) -> None:
    source = Source("stokly.refunds")
    source.put(refund_id="r", order_id="o0", currency="GBP", total=NANO, live=True, created_at=T0)
    assert dict(land_window(reader, source.extract(), None, HOUR).quarantined) == {"ST-REFUND-ORDER": 1}
    land_window(reader, orders(1).extract(), None, HOUR)
    later = Window(HOUR.end, HOUR.end + timedelta(minutes=15))
    assert land_window(reader, source.extract(), None, later).released == 1
    assert len(landed(reader.warehouse, "stokly.refunds")) == 1


def test_brands_do_not_see_each_other(reader: Reader) -> None:
    other = Reader(Warehouse(reader.warehouse.engine, "other"), RULES, "run-2", reader.windows_from)
    land_window(reader, orders(2).extract(), None, HOUR)
    assert land_window(other, orders(3).extract(), None, HOUR).changed == 3
    assert len(landed(reader.warehouse)) == 5
    assert watermark(other.warehouse).watermark is None
