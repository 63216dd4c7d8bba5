"""A handful of rows, merged by one statement: the same outcome as a frame of them has."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from stokly_sync.warehouse.bulk import Merge, merge
from stokly_sync.warehouse.few import merge_few
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import WINDOWS
from stokly_sync_tests.warehouse.examples import NOON

COUNTING = Merge(
    keep=("run_id",),
    compute={"revision": lambda old, new: old.revision + new.revision},
    when=lambda old, new: new.read >= old.read,
)


def rows(number: int, **cells: Any) -> list[dict[str, Any]]:
    """Windows from the newest to the oldest."""
    start = {"window_start": NOON, "window_end": NOON + timedelta(minutes=15)}
    fixed = {"kind": "interval", "state": "landed", "reason": "a\0b", "revision": 1, "read": 5, **cells}
    counts = {"changed": 0, "quarantined": 0, "excluded": 0}
    return [
        {**fixed, **counts, **{name: at - timedelta(minutes=15 * i) for name, at in start.items()}}
        for i in range(number)
    ]


@pytest.mark.parametrize("number", [1, 3, 60], ids=["one", "a few", "so many that a frame is made of them"])
def test_the_outcome_is_that_of_a_frame(warehouse: Warehouse, number: int) -> None:
    with warehouse.transaction() as conn:
        for dataset, few in (("few", True), ("frame", False)):
            for run, some in (("1", rows(number)), ("2", rows(number, read=6)), ("3", rows(number, read=1))):
                fixed = {"brand": "demo", "dataset": dataset, "run_id": run, "updated_at": NOON}
                if few:
                    merge_few(conn, WINDOWS, some, fixed=fixed, condition=COUNTING)
                else:
                    merge(conn, WINDOWS, pd.DataFrame(some), fixed=fixed, condition=COUNTING)
        columns = [c for c in WINDOWS.c if c.name != "dataset"]
        by_few, by_frame = (
            conn.execute(sa.select(*columns).where(WINDOWS.c.dataset == name).order_by(WINDOWS.c.window_start)).all()
            for name in ("few", "frame")
        )
    assert by_few == by_frame
    assert {(row.run_id, row.revision, row.read, row.reason) for row in by_few} == {("1", 2, 6, "a\ufffdb")}


def test_no_row_is_no_statement(warehouse: Warehouse) -> None:
    with warehouse.reading() as conn:
        merge_few(conn, WINDOWS, [])
