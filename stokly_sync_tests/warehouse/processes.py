"""What the tests run in processes of their own: `python -m stokly_sync_tests.warehouse.processes JOB URL ...`."""

from __future__ import annotations

import sys
import time
from datetime import timedelta

import sqlalchemy as sa

from stokly_sync.warehouse.bulk import Merge, merge
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import LANDED
from stokly_sync_tests.warehouse.examples import NOON, ORDERS, rows

LONG_S = 60


def hold(warehouse: Warehouse, name: str, purpose: str) -> None:
    """Take a lock, say so, and sit on it."""
    with warehouse.exclusive(name, purpose=purpose):
        print("held", flush=True)  # noqa: T201  # the test waits for this line
        time.sleep(LONG_S)


def merge_often(warehouse: Warehouse, city: str, rounds: str) -> None:
    """Merge the same keys again and again, in an order of its own, adding one to `tax` each time."""
    keys = [f"o{i}" for i in range(300)]
    frame = rows(ORDERS, keys if city < "M" else keys[::-1], city=city, tax=1)
    fixed = {"brand": "demo", "window_start": NOON, "landed_at": NOON}
    adding = Merge(compute={"tax": lambda stored, new: stored.tax + new.tax}, when=lambda stored, _: sa.true())
    for _ in range(int(rounds)):
        with warehouse.transaction() as conn:
            merge(conn, LANDED[ORDERS.name], frame, fixed=fixed, condition=adding)


def replace_often(warehouse: Warehouse, first: str, rounds: str) -> None:
    """Replace the same keys again and again with every second version from `first` on, old ones never over new."""
    fixed = {"brand": "demo", "window_start": NOON, "landed_at": NOON}
    newer = Merge(when=lambda stored, new: new.version > stored.version)
    for n in range(int(first), 2 * int(rounds), 2):
        frame = rows(ORDERS, [f"o{i}" for i in range(600)], version=NOON + timedelta(minutes=n), tax=n)
        with warehouse.transaction() as conn:
            merge(conn, LANDED[ORDERS.name], frame, fixed=fixed, condition=newer)


if __name__ == "__main__":
    job, url, *arguments = sys.argv[1:]
    {"hold": hold, "merge_often": merge_often, "replace_often": replace_often}[job](
        Warehouse.open(url, brand="demo"), *arguments
    )
