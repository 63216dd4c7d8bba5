"""The queries whose cost must not grow with history are answered from an index."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta

import pandas as pd
import pytest
import sqlalchemy as sa

from stokly_sync.contracts.tables import UTC_TIME
from stokly_sync.warehouse.bulk import among, insert
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import ATTEMPTS, EXCEPTIONS, FINDINGS, LANDED, LEDGER
from stokly_sync_tests.support.postgres import new_database
from stokly_sync_tests.warehouse.examples import NOON, ORDERS, rows

MINE = {"brand": "demo", "feed": "ometria/orders"}
ORDER_TABLE = LANDED["stokly.orders"]


MANY = 3_000


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def warehouse(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """A history in a database of its own: pages that earlier tests bloated would make one index as good as another."""
    with ExitStack() as stack:
        url = f"sqlite:///{tmp_path_factory.mktemp('indexes') / 'warehouse.sqlite'}"
        if request.param == "postgresql":
            server = request.getfixturevalue("postgres_server")
            url = stack.enter_context(new_database(server, prefix="indexes")).render_as_string(hide_password=False)
        opened = Warehouse.open(url, brand="demo")
        stack.callback(opened.close)
        _fill(opened)
        yield opened


def _fill(warehouse: Warehouse) -> None:
    """Enough rows that the choice of an index matters, and statistics that say so."""
    keys = [f"k{i:04}" for i in range(MANY)]
    # One in a hundred is open, planned or unfinished; the rest is history.
    rare = [i % 100 == 0 for i in range(MANY)]
    times = [NOON + timedelta(minutes=15 * (i // 3)) for i in range(MANY)]
    ledger = {"key": keys, "state": ["planned" if r else "accepted" for r in rare], "stale": rare}
    attempts = {"attempt_id": keys, "opened_at": times, "closed_at": [None if r else NOON for r in rare]}
    exceptions = {"key": keys, "state": ["open" if r else "closed" for r in rare], "window_start": times}
    findings = {"finding_id": keys, "problem_key": keys, "state": ["open" if r else "cleared" for r in rare]}
    seen = {"first_seen": NOON, "last_seen": NOON}
    with warehouse.transaction() as conn:
        insert(conn, LEDGER, pd.DataFrame(ledger), fixed=MINE)
        sent = {"records": 1, "keys": "[]", "hashes": "[]"}
        insert(conn, ATTEMPTS, pd.DataFrame(attempts, dtype=object), fixed=MINE | sent)
        insert(conn, EXCEPTIONS, pd.DataFrame(exceptions), fixed={"brand": "demo", "subject": "s", "rule": "r"} | seen)
        told = {"brand": "demo", "kind": "run", "subject": "s", "title": "", "body": "{}"}
        insert(conn, FINDINGS, pd.DataFrame(findings), fixed=told | seen)
        landed = rows(ORDERS, keys).assign(window_start=pd.Series(times, dtype=UTC_TIME))
        insert(conn, ORDER_TABLE, landed, fixed={"brand": "demo", "landed_at": NOON})
        conn.exec_driver_sql("ANALYZE")


def plan(conn: sa.Connection, query: sa.Select[str]) -> str:
    """How the database would answer; PostgreSQL is told not to read a table that is small enough for it instead."""
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql("SET LOCAL enable_seqscan = off")
        prefix = "EXPLAIN "
    else:
        prefix = "EXPLAIN QUERY PLAN "
    explained = query.prefix_with("/* explained */")
    compiled = explained.compile(conn, compile_kwargs={"literal_binds": True})
    return "\n".join(str(row) for row in conn.exec_driver_sql(prefix + str(compiled).replace("%", "%%")))


@pytest.mark.parametrize(
    ("index", "query"),
    [
        ("ledger_stale", sa.select(LEDGER.c.key).filter_by(**MINE).where(LEDGER.c.stale)),
        ("ledger_by_state", sa.select(LEDGER.c.key).filter_by(**MINE, state="planned").order_by(LEDGER.c.key).limit(9)),
        ("attempts_open", sa.select(ATTEMPTS.c.attempt_id).filter_by(**MINE).where(ATTEMPTS.c.closed_at.is_(None))),
        # Where few are open PostgreSQL may take the index of the lists for them.
        (
            "exceptions_by_state or exceptions_listed",
            sa.select(EXCEPTIONS.c.key).filter_by(brand="demo", subject="s", state="open"),
        ),
        ("exceptions_listed", sa.select(EXCEPTIONS.c.key).filter_by(brand="demo", state="open", owner="cx")),
        (
            "findings_one_open",
            sa.select(FINDINGS.c.title).where(
                FINDINGS.c.brand == "demo", FINDINGS.c.kind == "run", FINDINGS.c.state == "open"
            ),
        ),
    ],
)
def test_an_index_serves(warehouse: Warehouse, index: str, query: sa.Select[str]) -> None:
    with warehouse.reading() as conn:
        answer = plan(conn, query)
    assert any(name in answer for name in index.split(" or ")), answer


def test_an_index_serves_a_list_of_windows(warehouse: Warehouse) -> None:
    with warehouse.reading() as conn:
        condition = among(conn, ORDER_TABLE.c.window_start, [NOON])
        query = sa.select(ORDER_TABLE.c.order_id).where(ORDER_TABLE.c.brand == "demo", condition)
        assert "stokly_orders_by_window_start" in plan(conn, query)


def test_the_key_serves_a_list_of_keys(warehouse: Warehouse) -> None:
    with warehouse.reading() as conn:
        condition = among(conn, ORDER_TABLE.c.order_id, ["k0001", "k0002"])
        query = sa.select(ORDER_TABLE.c.city).where(ORDER_TABLE.c.brand == "demo", condition)
        answer = plan(conn, query)
    assert "stokly_orders_pk" in answer or "sqlite_autoindex_stokly_orders_1" in answer
