"""How Arrow columns reach the database: COPY of CSV bytes on PostgreSQL, `executemany` on SQLite.

Rows go straight into a table, or into the temporary table `incoming` for a statement that merges them. What that
statement says stands in `bulk`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import Any, Final

import pyarrow as pa
import sqlalchemy as sa
from pyarrow import csv

from stokly_sync.warehouse.engine import COPY_IN
from stokly_sync.warehouse.frames import to_array, to_columns, without_zone
from stokly_sync.warehouse.sqltypes import WHOLE

# Rows that are turned to CSV or to tuples at once: it bounds the memory beside the caller's frame.
_SLICE: Final = 50_000
_INCOMING: Final = "incoming"
PLACE: Final = "place_in_frame"


def fill_incoming(conn: sa.Connection, table: sa.Table, arrow: pa.Table, *, numbered: bool = False) -> sa.TableClause:
    """Put rows into the temporary table `incoming`, which has the types of `table`; see `drop_incoming`.

    With `numbered`, a column `PLACE` says which row of `arrow` it is, from 0.
    """
    columns = [sa.column(name, table.c[name].type) for name in arrow.column_names]
    names = ", ".join(_quoted(conn, name) for name in arrow.column_names)
    if numbered:
        columns.append(sa.column(PLACE, WHOLE))
        arrow = arrow.append_column(PLACE, pa.array(range(arrow.num_rows), pa.int64()))
    if conn.dialect.name == "postgresql":
        place = f", 0::bigint AS {PLACE}" if numbered else ""
        shape = f"SELECT {names}{place} FROM {_quoted(conn, table.name)} WITH NO DATA"  # noqa: S608  # our own names
        conn.exec_driver_sql(f"CREATE TEMPORARY TABLE {_INCOMING} ON COMMIT DROP AS {shape}")
    else:
        conn.exec_driver_sql(f"CREATE TEMPORARY TABLE {_INCOMING} ({names}{f', {PLACE}' if numbered else ''})")
    send(conn, _INCOMING, arrow)
    return sa.table(_INCOMING, *columns)


def drop_incoming(conn: sa.Connection) -> None:
    """Drop the temporary table, so that the next statement of this transaction can have its own."""
    conn.exec_driver_sql(f"DROP TABLE {_INCOMING}")


def send(conn: sa.Connection, target: str, arrow: pa.Table) -> None:
    """Append rows to a table by name."""
    names = ", ".join(_quoted(conn, name) for name in arrow.column_names)
    postgresql = conn.dialect.name == "postgresql"
    for start in range(0, arrow.num_rows, _SLICE):
        part = arrow.slice(start, _SLICE)
        if postgresql:
            copy = f"COPY {_quoted(conn, target)} ({names}) FROM STDIN WITH (FORMAT csv)"
            conn.exec_driver_sql(copy, execution_options={COPY_IN: pa.BufferReader(_csv(part))})
        else:
            marks = ", ".join("?" * part.num_columns)
            statement = f"INSERT INTO {_quoted(conn, target)} ({names}) VALUES ({marks})"  # noqa: S608  # as above
            conn.exec_driver_sql(statement, list(zip(*to_columns(part), strict=True)))


def send_by(conn: sa.Connection, statement: str, rows: pa.Table, order: Sequence[str | tuple[Any]]) -> int:
    """Run one of SQLite's statements for every row; gives how many rows it changed.

    `order` says what the statement's marks stand for: a column by name, or (a value,).
    """
    changed = 0
    for start in range(0, rows.num_rows, _SLICE):
        part = rows.slice(start, _SLICE)
        columns = dict(zip(part.column_names, to_columns(part), strict=True))
        cells = [columns[place] if isinstance(place, str) else repeat(place[0], part.num_rows) for place in order]
        changed += conn.exec_driver_sql(statement, list(zip(*cells, strict=True))).rowcount
    return changed


def with_constants(arrow: pa.Table, fixed: Mapping[str, pa.Array]) -> pa.Table:
    """Add columns that have one value in all rows, given as arrays of that one value."""
    for name, value in fixed.items():
        arrow = arrow.append_column(name, pa.repeat(value[0], arrow.num_rows))
    return arrow


def constants(table: sa.Table, fixed: Mapping[str, Any]) -> dict[str, pa.Array]:
    """Values of columns as arrays of one, for `with_constants`; raises ValueError as `frames.to_array` does."""
    return {name: to_array(table, name, value) for name, value in fixed.items()}


def _csv(part: pa.Table) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    # Our sessions run in UTC, so that a time without a zone is read as what it is.
    csv.write_csv(without_zone(part), sink, csv.WriteOptions(include_header=False))
    return sink.getvalue()


def _quoted(conn: sa.Connection, name: str) -> str:
    return conn.dialect.identifier_preparer.quote(name)
