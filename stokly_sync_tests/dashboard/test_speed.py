"""A hundred thousand open exceptions: every page within 300 ms (X9).

The quickest of some tries counts, because what else runs on two cores says nothing about a page.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Final

import numpy as np
import pandas as pd
import pytest

from stokly_sync.contracts.tables import UTC_TIME
from stokly_sync.dashboard.access import access_for
from stokly_sync.delivery.rules import WAITS
from stokly_sync.operations.desk import Desk
from stokly_sync.operations.listing import Order, Wanted, page
from stokly_sync.warehouse.bulk import insert
from stokly_sync.warehouse.figures import Stage
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import EXCEPTIONS, LEDGER, RECONCILIATIONS, RUN_FIGURES
from stokly_sync_tests.dashboard.site import Visitor, served
from stokly_sync_tests.delivery.kit import T0, land, order, orders_feed
from stokly_sync_tests.operations.kit import ORDERS, Hands, desk_over
from stokly_sync_tests.operations.test_figures import DELIVERED

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

MANY: Final = 100_000
FEEDS: Final = [f"test{n}/orders" for n in range(12)]
LIMIT_S: Final = 0.3
MOST_TRIES: Final = 12
BODY: Final = (
    '{"status":"differs","read_back":true,"counts":{"source":9,"expected":9,"destination":8},"totals":{},"refunds":{},'
    '"differences":{"explained":{"T-GUEST":1},"unexplained":1,"unexplained_by_kind":{},"unaccounted":{},"in_doubt":0},'
    '"sample":[]}'
)


def seed(warehouse: Warehouse) -> None:
    """Exceptions with long payloads, a ledger that refused them all, and a week of what runs counted."""
    numbers = np.arange(MANY)
    keys = pd.Series([f"k{n:06}" for n in numbers])
    pick = [("finance", "ST-ORDER-TOTAL", ORDERS), ("operations", "T-REJECTED", FEEDS[0]), ("cx", "T-BAD", FEEDS[1])]
    chosen = [pick[n % 3] for n in numbers]
    seen = pd.Series([T0 + timedelta(seconds=int(n)) for n in numbers], dtype=UTC_TIME)
    columns = {
        "key": keys,
        "owner": [c[0] for c in chosen],
        "rule": [c[1] for c in chosen],
        "subject": [c[2] for c in chosen],
        "severity": "medium",
        "state": "open",
        "detail": "the total is not the sum of its parts",
        "payload": '{"order_id":"1","filler":"' + "x" * 2_000 + '"}',
        "value": numbers * 10**7,
        "currency": "GBP",
        "first_seen": seen,
        "last_seen": seen,
    }
    ledger = pd.DataFrame({"key": keys, "feed": FEEDS[0], "state": "rejected", "planned_at": seen})
    waits = ledger.head(MANY // 4).assign(
        feed=FEEDS[2], state="parked", rule=WAITS, reason="its customer is not there yet"
    )
    runs = [(feed, n) for feed in FEEDS for n in range(672)]
    body = str(DELIVERED).replace("'", '"')
    figures = pd.DataFrame(
        {
            "subject": [feed for feed, _ in runs],
            "run_id": [f"r{n}" for _, n in runs],
            "at": pd.Series([_now() - timedelta(minutes=15 * n) for _, n in runs], dtype=UTC_TIME),
        }
    )
    days = [(feed, n) for feed in FEEDS for n in range(90)]
    compared = pd.DataFrame(
        {
            "subject": [feed for feed, _ in days],
            "at": pd.Series([T0 + timedelta(days=n) for _, n in days], dtype=UTC_TIME),
        }
    )
    brand = {"brand": warehouse.brand}
    with warehouse.transaction() as conn:
        insert(conn, EXCEPTIONS, pd.DataFrame(columns), fixed=brand)
        insert(conn, LEDGER, ledger, fixed=brand | {"entry": 0})
        insert(conn, LEDGER, waits, fixed=brand | {"entry": 0})
        insert(conn, RUN_FIGURES, figures, fixed=brand | {"stage": Stage.DELIVER.value, "body": body})
        insert(conn, RECONCILIATIONS, compared, fixed=brand | {"status": "differs", "body": BODY})
        conn.exec_driver_sql("ANALYZE")
    land(warehouse, ORDERS, [order("k000001", number="7")])


def _now() -> pd.Timestamp:
    return pd.Timestamp.now("UTC").floor("s")


@pytest.fixture
def crowded(warehouse: Warehouse) -> Iterator[tuple[Desk, Visitor]]:
    """The dashboard over all that."""
    seed(warehouse)
    feeds = {f: replace(orders_feed(), system=f.partition("/")[0]) for f in FEEDS}
    desk = replace(desk_over(warehouse), feeds=feeds, hands=Hands(warehouse, feeds))
    access = access_for(host="127.0.0.1", url="http://127.0.0.1:3001", users={}, session_key=None)
    with served(desk, access) as address:
        yield desk, Visitor(address)


def test_every_page_answers_within_300_ms(crowded: tuple[Desk, Visitor]) -> None:
    desk, visitor = crowded
    place = page(
        desk, Wanted(order=Order.OLDEST), after=f'["{(T0 + timedelta(seconds=90_000)).isoformat()}","","",""]'
    ).after
    assert place is not None
    paths = [
        "/",
        "/?owner=cx",
        "/?sort=oldest",
        f"/?sort=oldest&after={place}",
        "/?sort=value&value=500000",
        "/?system=stokly&age=7&severity=medium",
        "/?rule=NO-SUCH",
        "/?assigned=nobody",
        "/?state=closed",
        "/waiting",
        f"/waiting?feed={FEEDS[2]}&rule={WAITS}",
        f"/exception?subject={FEEDS[0]}&key=k000001&rule=T-REJECTED",
        f"/exception?subject={ORDERS}&key=k000000&rule=ST-ORDER-TOTAL",
        "/reconciliation",
        "/trust?days=7",
        "/plans",
        f"/where?dataset={ORDERS}&key=k000001",
    ]
    taken = {path: _quickest(visitor, path) for path in paths}
    told = "\n".join(f"{seconds * 1000:6.0f} ms  {path[:70]}" for path, seconds in taken.items())
    sys.stdout.write(f"\n{desk.warehouse.engine.dialect.name}\n{told}\n")
    assert {path: seconds for path, seconds in taken.items() if seconds > LIMIT_S} == {}, told


def test_an_act_on_all_of_them_takes_seconds_and_not_minutes(crowded: tuple[Desk, Visitor]) -> None:
    _, visitor = crowded
    began = time.perf_counter()
    done = visitor.post("/exceptions/act", scope="all", act="assign", person="day shift")
    assert "100,000 exceptions assigned" in done.text
    assert time.perf_counter() - began < 60


def _quickest(visitor: Visitor, path: str) -> float:
    quickest = _seconds(visitor, path)
    for _ in range(MOST_TRIES):
        if quickest < LIMIT_S / 2:
            break
        quickest = min(quickest, _seconds(visitor, path))
    return quickest


def _seconds(visitor: Visitor, path: str) -> float:
    began = time.perf_counter()
    answer = visitor.get(path)
    taken = time.perf_counter() - began
    assert answer.status_code == 200, path
    return taken
