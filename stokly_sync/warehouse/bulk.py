"""Bulk writes: a whole frame at a time into one table, on both databases.

A frame goes into a temporary table (COPY of CSV bytes on PostgreSQL, `executemany` on SQLite) and from there by one
statement to its place: multi-row INSERTs built in Python are 40 times slower. Reads stand in `reading` and are offered
here too, so that callers know one module. Which row may replace which is said by the caller through `Merge`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import sqlalchemy as sa
from pyarrow import csv
from sqlalchemy.dialects import postgresql, sqlite

from stokly_sync.warehouse.engine import COPY_IN
from stokly_sync.warehouse.frames import from_rows, kinds_of, to_arrow, to_rows, without_zone
from stokly_sync.warehouse.reading import among, read_frame, rows_by, stream_frames

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

Columns = sa.ColumnCollection[str, sa.ColumnElement[Any]]
Expression = Callable[[Any, Any], sa.ColumnElement[Any]]
"""`expression(stored, incoming)`: both give columns by attribute, for example `stored.version`."""

# Rows that are turned to CSV or to tuples at once: it bounds the memory beside the caller's frame.
_SLICE: Final = 50_000
_INCOMING: Final = "incoming"


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
    empty = from_rows([], kinds_of([table.c[name] for name in key]))
    if frame.empty:
        return MergeResult(0, 0, empty)
    _refuse_twins(table, frame, key)
    incoming = _fill(conn, table, frame)
    result = conn.execute(_merge_statement(conn, table, incoming, same, condition))
    if condition.returning:
        keys = from_rows([tuple(row) for row in result], kinds_of([table.c[name] for name in key]))
        written = len(keys)
    else:
        keys, written = empty, result.rowcount
    _drop(conn)
    return MergeResult(len(frame), written, keys)


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
    if frame.empty:
        return 0
    if frame.duplicated(subset=list(key)).any():
        raise ValueError(
            f"a key occurs twice among the changes of {table.name}; keep one row for each {', '.join(key)}"
        )
    incoming = _fill(conn, table, frame)
    values = {c: incoming.c[c] for c in map(str, frame.columns) if c not in key} | dict(set_fixed or {})
    matches = [table.c[c] == value for c, value in (fixed or {}).items()]
    matches += [table.c[c] == incoming.c[c] for c in key]
    if when is not None:
        matches.append(when(table.c, incoming.c))
    changed = conn.execute(sa.update(table).where(*matches).values(values)).rowcount
    _drop(conn)
    return changed


def insert(conn: sa.Connection, table: sa.Table, frame: pd.DataFrame, *, fixed: Mapping[str, Any] | None = None) -> int:
    """Append the rows of a frame, with the columns of `fixed` equal in all; gives their number.

    A key that is stored already is an error of the database (`sqlalchemy.exc.IntegrityError`).
    """
    if frame.empty:
        return 0
    whole = frame.assign(**{c: _constant(value, frame.index) for c, value in (fixed or {}).items()})
    for part in _slices(table, whole):
        _send(conn, table.name, part)
    return len(frame)


def delete_by(conn: sa.Connection, table: sa.Table, *, brand: str, column: str, values: Iterable[Any]) -> int:
    """Delete the brand's rows whose `column` (text or whole) is among `values`; gives their number."""
    return conn.execute(sa.delete(table).where(table.c.brand == brand, among(conn, table.c[column], values))).rowcount


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


def _refuse_twins(table: sa.Table, frame: pd.DataFrame, key: Sequence[str]) -> None:
    # PostgreSQL would refuse them with a riddle and SQLite would let the last one win.
    if frame.duplicated(subset=list(key)).any():
        raise ValueError(f"a key occurs twice among the rows for {table.name}; keep one row for each {', '.join(key)}")


def _fill(conn: sa.Connection, table: sa.Table, frame: pd.DataFrame) -> sa.TableClause:
    """Put a frame into the temporary table that the next statement reads."""
    columns = [sa.column(str(c), table.c[c].type) for c in frame.columns if c in table.c]
    names = ", ".join(_name(conn, c.name) for c in columns)
    if conn.dialect.name == "postgresql":
        source = _name(conn, table.name)
        shape = f"SELECT {names} FROM {source} WITH NO DATA"  # noqa: S608  # names of our own tables
        create = f"CREATE TEMPORARY TABLE {_INCOMING} ON COMMIT DROP AS {shape}"
    else:
        create = f"CREATE TEMPORARY TABLE {_INCOMING} ({names})"
    parts = _slices(table, frame)
    conn.exec_driver_sql(create)
    for part in parts:
        _send(conn, _INCOMING, part)
    return sa.table(_INCOMING, *columns)


def _slices(table: sa.Table, frame: pd.DataFrame) -> list[pa.Table]:
    arrow = to_arrow(table, frame)
    return [arrow.slice(start, _SLICE) for start in range(0, len(frame), _SLICE)]


def _send(conn: sa.Connection, target: str, part: pa.Table) -> None:
    names = ", ".join(_name(conn, c) for c in part.column_names)
    if conn.dialect.name == "postgresql":
        sink = pa.BufferOutputStream()
        # Our sessions run in UTC, so that a time without a zone is read as what it is.
        csv.write_csv(without_zone(part), sink, csv.WriteOptions(include_header=False))
        statement = f"COPY {_name(conn, target)} ({names}) FROM STDIN WITH (FORMAT csv)"
        conn.exec_driver_sql(statement, execution_options={COPY_IN: pa.BufferReader(sink.getvalue())})
    else:
        marks = ", ".join("?" * part.num_columns)
        statement = f"INSERT INTO {_name(conn, target)} ({names}) VALUES ({marks})"  # noqa: S608  # as above
        conn.exec_driver_sql(statement, to_rows(part))


def _constant(value: Any, index: pd.Index[Any]) -> pd.Series[Any]:
    return pd.Series([value] * len(index), index=index, dtype=None if value is not None else object)


def _drop(conn: sa.Connection) -> None:
    conn.exec_driver_sql(f"DROP TABLE {_INCOMING}")


def _name(conn: sa.Connection, name: str) -> str:
    return conn.dialect.identifier_preparer.quote(name)
