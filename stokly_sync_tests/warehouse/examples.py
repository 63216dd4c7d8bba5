"""Frames that the tests of this package write and read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pandas as pd

from stokly_sync.contracts.datasets import TABLES
from stokly_sync.contracts.tables import DTYPES, Kind, Table

ORDERS = TABLES["stokly.orders"]
LINES = TABLES["stokly.order_lines"]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

_VALUES: dict[Kind, Any] = {
    Kind.TEXT: "text",
    Kind.JSON: '["a"]',
    Kind.MONEY: 1_250_000_000,
    Kind.WHOLE: 1,
    Kind.FLAG: True,
    Kind.TIME: NOON,
}


def typed(table: Table, columns: dict[str, list[Any]]) -> pd.DataFrame:
    """A frame of a contract's table with its dtypes, from lists with None for missing values."""
    return pd.DataFrame({c.name: pd.Series(columns[c.name], dtype=DTYPES[c.kind]) for c in table.all_columns})  # type: ignore[call-overload]


def rows(table: Table, keys: list[str], **values: Any) -> pd.DataFrame:
    """Valid rows that differ in the first key column; `values` sets columns by name, for all or row by row."""
    columns = {c.name: [values.get(c.name, _VALUES[c.kind])] * len(keys) for c in table.all_columns}
    columns |= {name: list(value) for name, value in values.items() if isinstance(value, list)}
    return typed(table, columns | {table.key[0]: keys})
