"""Bulk writes: a whole frame at a time into one table, on both databases.

Rows whose key is new go straight to their place; the others go into a temporary table and from there by one
statement, because multi-row INSERTs built in Python are 40 times slower. Reads stand in `reading` and are offered here
too, so that callers know one module. Which row may replace which is said by the caller through `Merge`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from psycopg2.errors import UniqueViolation
from sqlalchemy.dialects import postgresql, sqlite

from stokly_sync.contracts.tables import Kind
from stokly_sync.warehouse.frames import ARROW, kinds_of, to_arrow, to_pandas
from stokly_sync.warehouse.reading import among, fetch_arrow, read_arrow, read_frame, rows_by, stream_frames
from stokly_sync.warehouse.sending import drop_incoming, fill_incoming, send, with_constants
from stokly_sync.warehouse.sqltypes import kind_of

__all__ = [
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

Expression = Callable[[Any, Any], sa.ColumnElement[Any]]
"""`expression(stored, incoming)`: both give columns by attribute, for example `stored.version`."""

# Looking known keys up first pays from about here on; below, one more question costs more than it spares.
_WORTH_LOOKING: Final = 500
# How many keys are asked for at once.
_KEYS: Final = 50_000


@dataclass(frozen=True)
class Merge:
    """What an upsert does with a row that is known already.

    `keep`: columns that stay as stored. `compute`: columns with a value of their own, from the stored and the
    incoming row. `when`: the condition under which the row changes at all; without it, always. `returning`: whether
    the keys of the inserted and changed rows are wanted.
    """

    keep: tuple[str, ...] = ()
    compute: Mapping[str, Expression] = field(default_factory=dict)
    when: Expression | None = None
    returning: bool = False


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
    frame: pd.DataFrame,
    *,
    fixed: Mapping[str, Any] | None = None,
    condition: Merge = _ALWAYS,
) -> MergeResult:
    """Insert the rows of a frame, and change those whose primary key is known as `condition` says.

    `fixed` are columns with one value for all rows (brand, run id); frame and `fixed` together hold the primary key.
    Columns in neither are left as stored, or get the table's default. Rows are locked in key order, so that two
    processes merging the same keys wait for each other and never deadlock within one merge.
    Raises ValueError for unknown columns, values that do not fit, or a key that occurs twice.
    """
    same = dict(fixed or {})
    key = [c.name for c in table.primary_key.columns if c.name not in same]
    rows = _prepared(table, frame, key)
    new, known = _parted(conn, table, rows, key, same)
    if new.num_rows and not _appended(conn, table, new, same):
        new, known = rows.slice(0, 0), rows
    written, keys = _merged(conn, table, known, same, condition)
    if condition.returning:
        keys = pa.concat_tables([new.select(key), keys])
    return MergeResult(rows.num_rows, new.num_rows + written, to_pandas(keys))


def update(
    conn: sa.Connection,
    table: sa.Table,
    frame: pd.DataFrame,
    *,
    key: Sequence[str],
    fixed: Mapping[str, Any] | None = None,
    set_fixed: Mapping[str, Any] | None = None,
    when: Expression | None = None,
) -> int:
    """Change known rows only: those equal in `key` (frame columns) and in `fixed` (one value for all, such as brand).

    The frame's other columns and `set_fixed` are written, where `when(stored, incoming)` holds. Gives the number of
    changed rows. Raises ValueError as `merge` does.
    """
    rows = _prepared(table, frame, key)
    if not rows.num_rows:
        return 0
    incoming = fill_incoming(conn, table, rows)
    values = {c: incoming.c[c] for c in rows.column_names if c not in key} | dict(set_fixed or {})
    matches = [table.c[c] == value for c, value in (fixed or {}).items()]
    matches += [table.c[c] == incoming.c[c] for c in key]
    if when is not None:
        matches.append(when(table.c, incoming.c))
    changed = conn.execute(sa.update(table).where(*matches).values(values)).rowcount
    drop_incoming(conn)
    return changed


def insert(conn: sa.Connection, table: sa.Table, frame: pd.DataFrame, *, fixed: Mapping[str, Any] | None = None) -> int:
    """Append the rows of a frame, with the columns of `fixed` equal in all; gives their number.

    A key that is stored already is an error of the database (`sqlalchemy.exc.IntegrityError`).
    """
    send(conn, table.name, with_constants(to_arrow(table, frame), _constants(table, fixed or {})))
    return len(frame)


def delete_by(conn: sa.Connection, table: sa.Table, *, brand: str, column: str, values: Iterable[Any]) -> int:
    """Delete the brand's rows whose `column` (text or whole) is among `values`; gives their number."""
    return conn.execute(sa.delete(table).where(table.c.brand == brand, among(conn, table.c[column], values))).rowcount


def _prepared(table: sa.Table, frame: pd.DataFrame, key: Sequence[str]) -> pa.Table:
    rows = to_arrow(table, frame)
    # PostgreSQL would refuse twins with a riddle and SQLite would let the last one win.
    if frame.duplicated(subset=list(key)).any():
        raise ValueError(f"a key occurs twice among the rows for {table.name}; keep one row for each {', '.join(key)}")
    return rows


def _parted(
    conn: sa.Connection, table: sa.Table, rows: pa.Table, key: Sequence[str], same: Mapping[str, Any]
) -> tuple[pa.Table, pa.Table]:
    """Rows whose key is not stored yet, in key order, and the rest; all are rest where looking would not pay."""
    if rows.num_rows < _WORTH_LOOKING or len(key) != 1 or kind_of(table.c[key[0]].type) is Kind.FLAG:
        return rows.slice(0, 0), rows
    column = table.c[key[0]]
    mine = [table.c[c.name] == same[c.name] for c in table.primary_key.columns if c.name in same]
    known = [
        read_arrow(conn, sa.select(column).where(*mine, among(conn, column, part.to_pylist()))).column(0)
        for part in (rows.column(key[0]).slice(start, _KEYS) for start in range(0, rows.num_rows, _KEYS))
    ]
    is_known = pc.is_in(rows.column(key[0]), value_set=pa.chunked_array(known, ARROW[kind_of(column.type)]))
    new = rows.filter(pc.invert(is_known))
    return new.take(pc.sort_indices(new.column(key[0]))), rows.filter(is_known)


def _appended(conn: sa.Connection, table: sa.Table, new: pa.Table, same: Mapping[str, Any]) -> bool:
    """Insert rows that were new a moment ago; False when another process was faster with one of them."""
    rows = with_constants(new, _constants(table, same))
    if conn.dialect.name != "postgresql":
        # Holding the one write lock, nobody can have been faster.
        send(conn, table.name, rows)
        return True
    try:
        with conn.begin_nested():
            send(conn, table.name, rows)
    except sa.exc.IntegrityError as error:
        if not isinstance(error.orig, UniqueViolation):
            raise
        return False
    return True


def _merged(
    conn: sa.Connection, table: sa.Table, rows: pa.Table, same: Mapping[str, Any], condition: Merge
) -> tuple[int, pa.Table]:
    """Merge rows by way of the temporary table; gives how many were written and, if asked for, their keys."""
    keys = [c for c in table.primary_key.columns if c.name not in same]
    none = pa.schema([(c.name, ARROW[kind_of(c.type)]) for c in keys]).empty_table()
    if not rows.num_rows:
        return 0, none
    incoming = fill_incoming(conn, table, rows)
    result = conn.execute(_merge_statement(conn, table, incoming, same, condition))
    if condition.returning:
        returned = fetch_arrow(result, kinds_of(keys))
        written = returned.num_rows
    else:
        returned, written = none, result.rowcount
    drop_incoming(conn)
    return written, returned


def _merge_statement(
    conn: sa.Connection, table: sa.Table, incoming: sa.TableClause, same: Mapping[str, Any], condition: Merge
) -> sa.UpdateBase:
    key = [c.name for c in table.primary_key.columns]
    names = [*same, *[c.name for c in incoming.columns]]
    values = [sa.cast(sa.literal(v, table.c[c].type), table.c[c].type).label(c) for c, v in same.items()]
    # SQLite would take ON for a join's without a WHERE.
    rows = sa.select(*values, *incoming.columns).where(sa.literal_column("1") == sa.literal_column("1"))
    if conn.dialect.name == "postgresql":
        rows = rows.order_by(*[incoming.c[c] for c in key if c not in same])
    # One type for both: the two dialects' inserts offer the same methods.
    make: Any = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    statement: postgresql.Insert = make(table).from_select(names, rows)
    changes: dict[str, Any] = {c: statement.excluded[c] for c in names if c not in key and c not in condition.keep}
    changes |= {c: compute(table.c, statement.excluded) for c, compute in condition.compute.items()}
    if changes:
        where = condition.when(table.c, statement.excluded) if condition.when else None
        statement = statement.on_conflict_do_update(index_elements=key, set_=changes, where=where)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=key)
    return statement.returning(*[table.c[c] for c in key if c not in same]) if condition.returning else statement


def _constants(table: sa.Table, fixed: Mapping[str, Any]) -> dict[str, pa.Array]:
    one_row = pd.DataFrame({name: pd.Series([value], dtype=object) for name, value in fixed.items()})
    arrow = to_arrow(table, one_row)
    return {name: arrow.column(name).combine_chunks() for name in arrow.column_names}
