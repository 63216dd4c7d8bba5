"""Bulk writes: many rows at a time into one table, on both databases.

Frames, or columns of plain values, become Arrow columns (`frames`), reach the database as CSV or tuples (`sending`) and
are merged there (`merging`). Reads stand in `reading` and are offered here too, so that callers know one module. Which
row may replace which is said by the caller through `Merge`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import sqlalchemy as sa

from stokly_sync.warehouse import merging
from stokly_sync.warehouse.frames import Tabular, to_arrow, to_pandas
from stokly_sync.warehouse.merging import Expression, Merge
from stokly_sync.warehouse.reading import among, read_frame, rows_by, stream_frames
from stokly_sync.warehouse.sending import constants, drop_incoming, fill_incoming, send, with_constants

__all__ = [
    "Expression",
    "Merge",
    "MergeResult",
    "among",
    "delete_by",
    "insert",
    "merge",
    "read_frame",
    "rows_by",
    "stream_frames",
    "update",
]


@dataclass(frozen=True)
class MergeResult:
    """What came of a merge.

    `offered` rows came in, `written` of them were inserted or changed; `keys` holds the key columns of those (less the
    fixed ones) if asked for, else it is empty.
    """

    offered: int
    written: int
    keys: pd.DataFrame


_ALWAYS: Final = Merge()


def merge(
    conn: sa.Connection,
    table: sa.Table,
    rows: Tabular,
    *,
    fixed: Mapping[str, Any] | None = None,
    condition: Merge = _ALWAYS,
) -> MergeResult:
    """Insert rows, and change those whose primary key is known as `condition` says.

    `fixed` are columns with one value for all rows (brand, run id); rows and `fixed` together hold the primary key.
    Columns in neither are left as stored, or get the table's default. Processes that merge the same keys wait for each
    other and do not deadlock within one merge.
    Raises ValueError for unknown columns, values that do not fit, or a key that occurs twice.
    """
    same = dict(fixed or {})
    key = tuple(c.name for c in table.primary_key.columns if c.name not in same)
    arrow = _prepared(table, rows, key)
    written, keys = merging.merged(conn, merging.Task(table, arrow, key, same, condition))
    return MergeResult(arrow.num_rows, written, to_pandas(keys))


def update(
    conn: sa.Connection,
    table: sa.Table,
    rows: Tabular,
    *,
    key: Sequence[str],
    fixed: Mapping[str, Any] | None = None,
    set_fixed: Mapping[str, Any] | None = None,
    when: Expression | None = None,
) -> int:
    """Change known rows only: those equal in `key` (columns of `rows`) and in `fixed` (one value for all).

    The other columns and `set_fixed` are written, where `when(stored, incoming)` holds. Gives the number of
    changed rows. Raises ValueError as `merge` does.
    """
    arrow = _prepared(table, rows, key)
    if not arrow.num_rows:
        return 0
    incoming = fill_incoming(conn, table, arrow)
    values = {c: incoming.c[c] for c in arrow.column_names if c not in key} | dict(set_fixed or {})
    matches = [table.c[c] == value for c, value in (fixed or {}).items()]
    matches += [table.c[c] == incoming.c[c] for c in key]
    if when is not None:
        matches.append(when(table.c, incoming.c))
    changed = conn.execute(sa.update(table).where(*matches).values(values)).rowcount
    drop_incoming(conn)
    return changed


def insert(conn: sa.Connection, table: sa.Table, rows: Tabular, *, fixed: Mapping[str, Any] | None = None) -> int:
    """Append rows, with the columns of `fixed` equal in all; gives their number.

    A key that is stored already is an error of the database (`sqlalchemy.exc.IntegrityError`).
    """
    arrow = to_arrow(table, rows)
    if arrow.num_rows:
        send(conn, table.name, with_constants(arrow, constants(table, fixed or {})))
    return len(arrow)


def delete_by(conn: sa.Connection, table: sa.Table, *, brand: str, column: str, values: Iterable[Any]) -> int:
    """Delete the brand's rows whose `column` (text or whole) is among `values`; gives their number."""
    return conn.execute(sa.delete(table).where(table.c.brand == brand, among(conn, table.c[column], values))).rowcount


def _prepared(table: sa.Table, rows: Tabular, key: Sequence[str]) -> pa.Table:
    arrow = to_arrow(table, rows)
    # PostgreSQL would refuse twins with a riddle and SQLite would let the last one win.
    if _twins(rows, key):
        raise ValueError(f"a key occurs twice among the rows for {table.name}; keep one row for each {', '.join(key)}")
    return arrow


def _twins(rows: Tabular, key: Sequence[str]) -> bool:
    if isinstance(rows, pd.DataFrame):
        return bool(rows.duplicated(subset=list(key)).any())
    keys = list(zip(*(rows[name] for name in key), strict=True))
    return len(set(keys)) < len(keys)
