"""Money as Arrow decimal128(38, 9) columns beside scaled 64-bit integers (DESIGN, money).

Both are exact; the question is what they cost on the way from the wire to a sum and to SQL and back. Every step starts
from the same amounts and ends in the same ones. Decimals go to SQLite as text, the only exact form it has. Arrow widens
the result of each addition by a digit and refuses beyond 38, so that columns of 38 digits cannot be added at all: the
decimal side computes on columns cast to 30 digits.
"""

from __future__ import annotations

import io
import random
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd
import pandera.pandas as pa_check
import pyarrow as pa
from pyarrow import csv

from benchmarks.context import Context
from benchmarks.harness import cpu_seconds, rounds, timed
from benchmarks.results import Line
from stokly_sync.contracts.money import NANO
from stokly_sync.systems.rows.cells import Cells

TITLE: Final = "Money: Arrow decimal128(38, 9) beside scaled int64"
_DECIMAL: Final = pa.decimal128(38, 9)
_COMPUTABLE: Final = pd.ArrowDtype(pa.decimal128(30, 9))
_PARTS: Final = ("net", "tax", "shipping")
_MEMBERS: Final = (*_PARTS, "total")


@dataclass(frozen=True)
class Side:
    """One representation: how it does each step; frames hold columns net, tax, shipping, total and currency."""

    convert: Callable[[list[dict[str, Any]]], pd.DataFrame]
    computable: Callable[[pd.Series], pd.Series]
    cent: Any
    sql_type: str
    to_sqlite: Callable[[pd.Series], list[Any]]
    from_sqlite: Callable[[list[Any]], pd.Series]


def wire_amounts(rows: int) -> list[dict[str, Any]]:
    """Documents with amounts as the JSON decoder gives them; totals are the sums of their parts."""
    chance, made = random.Random(9), []
    for n in range(rows):
        parts = [Decimal(chance.randrange(10**6)).scaleb(-2) for _ in _PARTS]
        made.append({**dict(zip(_PARTS, parts, strict=True)), "total": sum(parts), "currency": ("GBP", "EUR")[n % 2]})
    return made


def run(context: Context) -> list[Line]:
    """Time each step for both; gives seconds per million rows, the ratio, and memory."""
    rows = min(context.rows, 1_000_000)
    documents = wire_amounts(rows)
    frames = {name: side.convert(documents) for name, side in SIDES.items()}
    lines = [
        _line(step, {name: work(SIDES[name], documents, frames[name]) for name in SIDES}, context.rounds, rows)
        for step, work in STEPS.items()
    ]
    sizes = {name: frame[list(_MEMBERS)].memory_usage(index=False).sum() / rows for name, frame in frames.items()}
    figure = f"{sizes['int64']:.0f} against {sizes['decimal']:.0f} bytes a row"
    return [*lines, Line("memory of the four columns", figure)]


def _line(step: str, sides: dict[str, Callable[[], Any]], count: int, rows: int) -> Line:
    samples = rounds({name: partial(timed, work) for name, work in sides.items()}, count=count)
    mine, other = (cpu_seconds(samples[name]) / rows * 1e6 for name in ("int64", "decimal"))
    return Line(step, f"{mine:.2f} against {other:.2f} s per million rows, ratio {other / mine:.1f}")


def _int64(documents: list[dict[str, Any]]) -> pd.DataFrame:
    # The product's own way from members to a column.
    cells = Cells(None, documents, [""] * len(documents))  # type: ignore[arg-type]
    return pd.DataFrame({name: cells.money(name) for name in _MEMBERS} | {"currency": _currencies(documents)})


def _decimal(documents: list[dict[str, Any]]) -> pd.DataFrame:
    columns = {name: pa.array([d.get(name) for d in documents], _DECIMAL) for name in _MEMBERS}
    frame = {name: pd.Series(pd.arrays.ArrowExtensionArray(column)) for name, column in columns.items()}
    return pd.DataFrame(frame | {"currency": _currencies(documents)})


def _currencies(documents: list[dict[str, Any]]) -> pd.Series:
    return pd.Series([d["currency"] for d in documents], dtype="str")


def _ints_to_sqlite(column: pd.Series) -> list[Any]:
    values: list[Any] = column.to_numpy(dtype=np.int64, na_value=0).tolist()
    return values


def _decimals_to_sqlite(column: pd.Series) -> list[Any]:
    values: list[Any] = pa.array(column).cast(pa.string()).to_pylist()
    return values


def _decimals_from_sqlite(values: list[Any]) -> pd.Series:
    return pd.Series(pd.arrays.ArrowExtensionArray(pa.array(values, pa.string()).cast(_DECIMAL)))


SIDES: Final = {
    "int64": Side(
        _int64,
        lambda column: column,
        NANO // 100,
        "INTEGER",
        _ints_to_sqlite,
        lambda values: pd.Series(values, dtype="Int64"),
    ),
    "decimal": Side(
        _decimal,
        lambda column: column.astype(_COMPUTABLE),
        Decimal("0.01"),
        "TEXT",
        _decimals_to_sqlite,
        _decimals_from_sqlite,
    ),
}


def _pandera(side: Side, frame: pd.DataFrame) -> object:
    def rule(checked: pd.DataFrame) -> pd.Series:
        kept: pd.Series = (side.computable(checked["total"]) - _added(side, checked)).abs() <= side.cent
        return kept

    dtypes = {name: pa_check.Column(frame[name].dtype) for name in _MEMBERS}
    return pa_check.DataFrameSchema(dtypes, checks=pa_check.Check(rule)).validate(frame, lazy=True)


def _added(side: Side, frame: pd.DataFrame) -> pd.Series:
    net, tax, shipping = (side.computable(frame[name]) for name in _PARTS)
    total: pd.Series = net + tax + shipping
    return total


def _sums(frame: pd.DataFrame) -> object:
    return frame.groupby("currency")["total"].sum()


def _csv_and_back(frame: pd.DataFrame) -> object:
    table = pa.Table.from_pandas(frame[list(_MEMBERS)], preserve_index=False)
    sink = io.BytesIO()
    csv.write_csv(table, sink)
    types = csv.ConvertOptions(column_types={name: table.schema.field(name).type for name in _MEMBERS})
    return csv.read_csv(pa.BufferReader(sink.getvalue()), convert_options=types)


def _sqlite_and_back(side: Side, frame: pd.DataFrame) -> object:
    with sqlite3.connect(":memory:") as connection:
        connection.execute(f"CREATE TABLE amounts (amount {side.sql_type})")
        values = side.to_sqlite(frame["total"])
        connection.executemany("INSERT INTO amounts VALUES (?)", zip(values, strict=True))
        return side.from_sqlite([row[0] for row in connection.execute("SELECT amount FROM amounts")])


STEPS: Final[dict[str, Callable[[Side, list[dict[str, Any]], pd.DataFrame], Callable[[], Any]]]] = {
    "four columns from wire decimals": lambda side, documents, _: lambda: side.convert(documents),
    "sum rule by pandera": lambda side, _, frame: lambda: _pandera(side, frame),
    "adding three columns": lambda side, _, frame: lambda: _added(side, frame),
    "sum per currency": lambda _, __, frame: lambda: _sums(frame),
    "four columns to CSV for COPY and back": lambda _, __, frame: lambda: _csv_and_back(frame),
    "one column to SQLite and back": lambda side, _, frame: lambda: _sqlite_and_back(side, frame),
}
