"""A handful of rows of plain values, merged by one statement.

Books are kept in such rows: a run's figures, a window, a watermark. Frames, Arrow columns and a temporary table would
cost more than the row itself, two milliseconds of work and four statements on PostgreSQL. Whatever may be many rows
goes through `bulk.merge`, which says what a merge does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from stokly_sync.warehouse.bulk import Merge, merge
from stokly_sync.warehouse.frames import shown
from stokly_sync.warehouse.merging import Task, on_conflict

_FEW: Final = 50
_ALWAYS: Final = Merge()


def merge_few(
    conn: sa.Connection,
    table: sa.Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    fixed: Mapping[str, Any] | None = None,
    condition: Merge = _ALWAYS,
) -> None:
    """Do as `bulk.merge` does with rows that all have the same columns, each key once; `returning` is not offered.

    Values are what the columns take: text, whole numbers, flags, aware datetimes, None.
    """
    if len(rows) > _FEW:
        merge(conn, table, {name: [row[name] for row in rows] for name in rows[0]}, fixed=fixed, condition=condition)
    elif rows:
        same = dict(fixed or {})
        key = tuple(c.name for c in table.primary_key.columns if c.name not in same)
        # Rows are locked in the order of their keys, so that two processes cannot wait for each other.
        ordered = sorted(rows, key=lambda row: tuple(row[name] for name in key))
        task = Task(table, pa.table({name: [] for name in rows[0]}), key, same, condition)
        new = postgresql.insert(table) if conn.dialect.name == "postgresql" else sqlite.insert(table)
        values = [{name: _stored(value) for name, value in {**same, **row}.items()} for row in ordered]
        conn.execute(on_conflict(new, task, condition.when), values)


def _stored(value: Any) -> Any:
    return shown(value) if isinstance(value, str) else value
