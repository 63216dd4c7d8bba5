"""The watermark passes no gap, and a feed owes exactly what changed since it last planned."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from stokly_sync.flow import Window
from stokly_sync.warehouse import windows
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import WINDOWS
from stokly_sync.warehouse.windows import OwedWindow, Watermark, WindowCount, WindowKind, WindowState
from stokly_sync_tests.warehouse.examples import NOON

STEP = timedelta(minutes=15)
ORDERS = "stokly.orders"
REFUNDS = "stokly.refunds"
FEED = "ometria/orders"


def window(n: int) -> Window:
    """The n-th quarter of an hour after noon."""
    return Window(NOON + n * STEP, NOON + (n + 1) * STEP)


def land(
    warehouse: Warehouse,
    *numbers: int,
    changed: int = 1,
    dataset: str = ORDERS,
    state: WindowState = WindowState.LANDED,
    kind: WindowKind = WindowKind.INTERVAL,
) -> datetime | None:
    with warehouse.transaction() as conn:
        counts = [WindowCount(window(n), read=5, changed=changed) for n in numbers]
        windows.note_landed(conn, brand="demo", dataset=dataset, counts=counts, run_id="r", state=state, kind=kind)
        return windows.advance(conn, brand="demo", dataset=dataset)


def refuse(warehouse: Warehouse, *numbers: int) -> None:
    with warehouse.transaction() as conn:
        spans = [window(n) for n in numbers]
        windows.note_refused(conn, brand="demo", dataset=ORDERS, spans=spans, reason="no currency", run_id="r")


def begin(warehouse: Warehouse, to: datetime = NOON) -> None:
    with warehouse.transaction() as conn:
        windows.set_baseline(conn, brand="demo", dataset=ORDERS, to=to, cursor=None, done=True)


def owed(warehouse: Warehouse, feed: str = FEED) -> list[tuple[str, int, int]]:
    with warehouse.reading() as conn:
        found = windows.owed(conn, brand="demo", feed=feed, datasets=[ORDERS, REFUNDS])
    return [(o.dataset, (o.window.start - NOON) // STEP, o.revision) for o in found]


def plan(warehouse: Warehouse, *planned: tuple[str, int, int], feed: str = FEED) -> None:
    with warehouse.transaction() as conn:
        done = [OwedWindow(dataset, window(n), revision) for dataset, n, revision in planned]
        windows.mark_planned(conn, brand="demo", feed=feed, windows=done, run_id="r")


def stored(warehouse: Warehouse, n: int) -> tuple[str, str, int, int, int]:
    c = WINDOWS.c
    with warehouse.reading() as conn:
        query = sa.select(c.kind, c.state, c.revision, c.read, c.changed).where(c.window_start == window(n).start)
        return tuple(conn.execute(query).one())


def test_there_is_no_watermark_before_a_baseline(warehouse: Warehouse) -> None:
    assert land(warehouse, 0) is None
    with warehouse.reading() as conn:
        assert windows.watermark(conn, brand="demo", dataset=ORDERS) == Watermark()


def test_the_watermark_stops_before_a_gap_and_jumps_once_it_is_filled(warehouse: Warehouse) -> None:
    begin(warehouse)
    assert land(warehouse, 0, 1) == window(1).end
    assert land(warehouse, 3, 4) == window(1).end
    assert land(warehouse, 2, changed=0) == window(4).end


def test_the_watermark_passes_neither_open_nor_refused_windows(warehouse: Warehouse) -> None:
    begin(warehouse)
    refuse(warehouse, 0)
    land(warehouse, 2, state=WindowState.OPEN)
    assert land(warehouse, 1) == NOON
    assert land(warehouse, 0) == window(1).end
    assert land(warehouse, 2) == window(2).end


def test_a_baseline_or_sweep_does_not_move_the_watermark(warehouse: Warehouse) -> None:
    begin(warehouse)
    assert land(warehouse, 0, kind=WindowKind.SWEEP) == NOON
    assert land(warehouse, 0, kind=WindowKind.BASELINE) == NOON


def test_a_replay_moves_the_watermark_neither_on_nor_back(warehouse: Warehouse) -> None:
    begin(warehouse)
    land(warehouse, 0, 1)
    assert land(warehouse, -8, 0) == window(1).end
    refuse(warehouse, 0)
    assert land(warehouse, 1) == window(1).end


def test_a_baseline_that_stopped_is_taken_up_where_it_was(warehouse: Warehouse) -> None:
    with warehouse.transaction() as conn:
        windows.set_baseline(conn, brand="demo", dataset=ORDERS, to=NOON, cursor="page 7", done=False)
    land(warehouse, 0)
    with warehouse.reading() as conn:
        known = windows.watermark(conn, brand="demo", dataset=ORDERS)
    assert known == Watermark(window(0).end, NOON, "page 7", baseline_done=False)
    begin(warehouse)
    with warehouse.reading() as conn:
        known = windows.watermark(conn, brand="demo", dataset=ORDERS)
    assert known == Watermark(window(0).end, NOON, None, baseline_done=True)


def test_missing_windows_are_those_never_landed_or_refused(warehouse: Warehouse) -> None:
    land(warehouse, 0, 1, 4)
    land(warehouse, 3, state=WindowState.OPEN)
    land(warehouse, 5, kind=WindowKind.SWEEP)
    refuse(warehouse, 1)
    with warehouse.reading() as conn:
        found = windows.missing(conn, brand="demo", dataset=ORDERS, grid=[window(n) for n in range(6)])
    assert found == [window(n) for n in (1, 2, 3, 5)]


@pytest.mark.parametrize(
    ("kind", "state", "expected"),
    [
        # (kind, state) after a landed interval window is noted again
        (WindowKind.INTERVAL, WindowState.OPEN, ("interval", "landed")),
        (WindowKind.SWEEP, WindowState.OPEN, ("interval", "landed")),
        (WindowKind.SWEEP, WindowState.LANDED, ("interval", "landed")),
        (WindowKind.BASELINE, WindowState.LANDED, ("interval", "landed")),
    ],
)
def test_a_landed_window_stays_landed(
    warehouse: Warehouse, kind: WindowKind, state: WindowState, expected: tuple[str, str]
) -> None:
    land(warehouse, 0)
    land(warehouse, 0, kind=kind, state=state)
    assert stored(warehouse, 0)[:3] == (*expected, 2)


def test_a_sweep_does_not_close_a_refused_window(warehouse: Warehouse) -> None:
    refuse(warehouse, 0)
    land(warehouse, 0, kind=WindowKind.SWEEP)
    assert stored(warehouse, 0)[:3] == ("interval", "refused", 1)


def test_counts_are_replaced_by_a_new_read_and_added_by_its_further_chunks(warehouse: Warehouse) -> None:
    land(warehouse, 0)
    land(warehouse, 0)
    assert stored(warehouse, 0)[2:] == (2, 5, 1)
    with warehouse.transaction() as conn:
        count = WindowCount(window(0), read=2, changed=2)
        windows.note_landed(conn, brand="demo", dataset=ORDERS, counts=[count], run_id="r", more=True)
    assert stored(warehouse, 0)[2:] == (3, 7, 3)


def test_a_landed_window_is_owed_until_it_is_planned_and_an_empty_one_never(warehouse: Warehouse) -> None:
    land(warehouse, 1, 0)
    land(warehouse, 0, dataset=REFUNDS, changed=0)
    assert owed(warehouse) == [(ORDERS, 0, 1), (ORDERS, 1, 1)]
    plan(warehouse, *owed(warehouse))
    assert owed(warehouse) == []
    assert owed(warehouse, feed="ometria/contacts") != []


def test_a_window_is_owed_again_when_a_row_of_it_changes_and_not_when_it_is_only_read(warehouse: Warehouse) -> None:
    land(warehouse, 0)
    plan(warehouse, *owed(warehouse))
    land(warehouse, 0, changed=0)
    assert owed(warehouse) == []
    land(warehouse, 0)
    assert owed(warehouse) == [(ORDERS, 0, 2)]


def test_what_lands_while_a_feed_plans_is_still_owed_afterwards(warehouse: Warehouse) -> None:
    land(warehouse, 0)
    read_before = owed(warehouse)
    land(warehouse, 0)
    plan(warehouse, *read_before)
    assert owed(warehouse) == [(ORDERS, 0, 2)]


def test_a_slower_plan_does_not_take_back_what_a_later_one_has_done(warehouse: Warehouse) -> None:
    land(warehouse, 0)
    land(warehouse, 0)
    plan(warehouse, (ORDERS, 0, 2))
    plan(warehouse, (ORDERS, 0, 1))
    assert owed(warehouse) == []


def test_a_quarantined_row_alone_makes_a_window_owed_again(warehouse: Warehouse) -> None:
    land(warehouse, 0)
    plan(warehouse, *owed(warehouse))
    with warehouse.transaction() as conn:
        count = WindowCount(window(0), read=1, quarantined=1)
        windows.note_landed(conn, brand="demo", dataset=ORDERS, counts=[count], run_id="r")
    assert owed(warehouse) == [(ORDERS, 0, 2)]


def test_a_window_that_was_only_refused_is_not_owed_but_what_it_held_before_is(warehouse: Warehouse) -> None:
    refuse(warehouse, 0, 1)
    land(warehouse, 2)
    refuse(warehouse, 2)
    assert owed(warehouse) == [(ORDERS, 2, 1)]
