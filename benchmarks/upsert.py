"""Bulk upsert of a frame, half of its keys known, beside what cannot be beaten: COPY, and bare `executemany`.

Fifteen columns of all kinds. On PostgreSQL the floor is COPY of the same rows into an empty table with the same key,
on SQLite `executemany` of INSERT .. ON CONFLICT in one transaction; both start from the same frame, as the merge does.
Five rows for each order of the run, so that 200,000 orders make the million that the target speaks of.
"""

from __future__ import annotations

import io
import sqlite3
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import sqlalchemy as sa
from pyarrow import csv

from benchmarks import surroundings
from benchmarks.context import Context
from benchmarks.harness import Sample, ratio, rounds, seconds, timed
from benchmarks.results import Line, at_least
from stokly_sync.contracts.tables import DTYPES, Kind
from stokly_sync.warehouse.bulk import merge
from stokly_sync.warehouse.engine import open_engine
from stokly_sync.warehouse.sqltypes import FLAG, TEXT, TIME, WHOLE

TITLE: Final = "Bulk upsert, half of the rows known"
ROWS_PER_ORDER: Final = 5
_NAMES: Final = ("ref", "stage", "currency", "email", "postcode")
TABLE: Final = sa.Table(
    "upserted",
    sa.MetaData(),
    sa.Column("brand", TEXT, primary_key=True),
    sa.Column("order_id", TEXT, primary_key=True),
    *(sa.Column(name, TEXT) for name in _NAMES),
    *(sa.Column(name, WHOLE) for name in ("number", "subtotal", "tax", "total", "shipping")),
    sa.Column("paid", FLAG),
    *(sa.Column(name, TIME) for name in ("created_at", "updated_at")),
)


def frame(first: int, count: int, salt: int) -> pd.DataFrame:
    """Rows with keys from `first` on; `salt` changes their values."""
    n = np.arange(first, first + count)
    chance = np.random.default_rng(salt)
    start = pd.Timestamp("2024-01-01", tz="UTC")
    columns: dict[str, Any] = {
        "order_id": [f"{i:012x}" for i in n],
        "ref": [f"W{i:09d}" for i in n],
        "stage": np.array(["quote", "order", "done"])[chance.integers(0, 3, count)],
        "currency": np.array(["GBP", "EUR"])[chance.integers(0, 2, count)],
        "email": [f"customer.{i}@example.com" for i in n],
        "postcode": [f"LS{i % 29} {i % 9}AB" for i in n],
        "number": pd.Series(n, dtype="Int64"),
        **{name: pd.Series(chance.integers(0, 10**12, count), dtype="Int64") for name in ("subtotal", "tax", "total")},
        "shipping": pd.Series(chance.integers(0, 10**10, count), dtype="Int64"),
        "paid": pd.Series(chance.random(count) > 0.5, dtype="boolean"),
        "created_at": start + pd.to_timedelta(n, unit="s"),
        "updated_at": start + pd.to_timedelta(n + salt, unit="s"),
    }
    texts = {name: pd.Series(columns[name], dtype=DTYPES[Kind.TEXT]) for name in ("order_id", *_NAMES)}  # type: ignore[call-overload]
    return pd.DataFrame(columns | texts)


def run(context: Context) -> list[Line]:
    """Ratio to the floor on each database."""
    count = context.rows * ROWS_PER_ORDER
    old, new = frame(0, count, 1), frame(count // 2, count, 2)
    with surroundings.database(context.postgresql) as url:
        postgresql = _sides(url, old, new, _copy)
        first = rounds(postgresql, count=context.rounds)
    with tempfile.TemporaryDirectory(prefix="stokly-sync-bench-") as folder:
        sqlite = _sides(f"sqlite:///{Path(folder) / 'upsert.sqlite'}", old, new, _executemany)
        second = rounds(sqlite, count=context.rounds)
    return [
        *_lines("PostgreSQL", "COPY into an empty table", first, count, 0.5),
        *_lines("SQLite", "executemany", second, count, 0.7),
    ]


def _lines(database: str, floor: str, samples: dict[str, list[Sample]], count: int, target: float) -> list[Line]:
    mine, bound = (count / seconds(samples[name]) for name in ("merge", "floor"))
    rates = Line(f"{database}: merge beside {floor}", f"{mine:,.0f} beside {bound:,.0f} rows a second")
    return [rates, at_least(f"{database}: share of {floor}", ratio(samples, of="merge", to="floor"), target)]


def _sides(
    url: str, old: pd.DataFrame, new: pd.DataFrame, floor: Callable[..., None]
) -> dict[str, Callable[[], Sample]]:
    engine = open_engine(url)
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            connection.execute(sa.schema.CreateSchema("stokly_sync"))
    empty = engine.dialect.name == "postgresql"

    def merged() -> Sample:
        _prepare(engine, old)
        return timed(partial(_merge, engine, new))

    def bound() -> Sample:
        _prepare(engine, old.head(0) if empty else old)
        return timed(partial(floor, engine, new))

    return {"merge": merged, "floor": bound}


def _prepare(engine: sa.Engine, rows: pd.DataFrame) -> None:
    with engine.begin() as connection:
        TABLE.drop(connection, checkfirst=True)
        TABLE.create(connection)
        merge(connection, TABLE, rows, fixed={"brand": "b"})
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE upserted")
            connection.exec_driver_sql("CHECKPOINT")
    else:
        with engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def _merge(engine: sa.Engine, rows: pd.DataFrame) -> None:
    with engine.begin() as connection:
        merge(connection, TABLE, rows, fixed={"brand": "b"})


def _copy(engine: sa.Engine, rows: pd.DataFrame) -> None:
    whole = rows.assign(brand="b", **{c: rows[c].dt.tz_localize(None) for c in ("created_at", "updated_at")})
    sink = io.BytesIO()
    csv.write_csv(pa.Table.from_pandas(whole, preserve_index=False), sink, csv.WriteOptions(include_header=False))
    sink.seek(0)
    connection: Any = engine.raw_connection()
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY upserted ({', '.join(whole.columns)}) FROM STDIN CSV", sink)
    connection.commit()
    connection.close()


def _executemany(engine: sa.Engine, rows: pd.DataFrame) -> None:
    plain = rows.assign(brand="b", paid=rows["paid"].astype("int64"))
    for name in ("created_at", "updated_at"):
        plain[name] = plain[name].dt.as_unit("us").astype("int64")
    columns = list(plain.columns)
    changes = ", ".join(f"{c} = excluded.{c}" for c in columns if c not in ("brand", "order_id"))
    statement = f"INSERT INTO upserted ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
    with sqlite3.connect(str(engine.url.database)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        values = zip(*[plain[c].tolist() for c in columns], strict=True)
        connection.executemany(f"{statement} ON CONFLICT (brand, order_id) DO UPDATE SET {changes}", values)
    connection.close()
