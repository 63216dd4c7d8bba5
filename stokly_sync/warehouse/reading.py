"""Bulk reads: from a select to a frame whose dtypes are those of the contracts, on both databases.

PostgreSQL answers by COPY into Arrow's CSV reader, which spares a Python object a cell; SQLite's rows are turned by
column. `among` is how a long list of keys gets into a query without a parameter each. Writing stands in `bulk`.
"""

from __future__ import annotations

import io
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import sqlalchemy as sa
from pyarrow import csv

from stokly_sync.contracts.tables import Kind, Table
from stokly_sync.warehouse.engine import COPY_OUT
from stokly_sync.warehouse.frames import ARROW, NUL, arrow_of, kinds_of, shown, to_pandas
from stokly_sync.warehouse.sqltypes import TIME, kind_of
from stokly_sync.warehouse.tables import LANDED

AnySelect = sa.Select[*tuple[Any, ...]]
"""A select of any columns."""

_PG_ARRAYS: Final = {Kind.TEXT: "text[]", Kind.WHOLE: "bigint[]", Kind.TIME: "timestamptz[]"}
# One block must hold the longest row; the default of 1 MiB is short for an order with its unknown members.
_BLOCK_BYTES: Final = 16 << 20


def read_frame(conn: sa.Connection, select: AnySelect, columns: Mapping[str, Kind] | None = None) -> pd.DataFrame:
    """Run a select and give its rows as a frame of `contracts.tables.DTYPES`.

    `columns` gives names and kinds in the order of the select; without it they follow the selected columns. Missing
    values and empty texts stay apart. Order as the select says.
    """
    return to_pandas(read_arrow(conn, select, columns))


def read_arrow(conn: sa.Connection, select: AnySelect, columns: Mapping[str, Kind] | None = None) -> pa.Table:
    """As `read_frame`, but as Arrow columns (`frames.ARROW`), for code that stays there."""
    kinds = dict(columns) if columns is not None else kinds_of(select.selected_columns)
    if conn.dialect.name != "postgresql":
        return fetch_arrow(conn.execute(select), kinds)
    sink = io.BytesIO()
    conn.execute(select, execution_options={COPY_OUT: sink})
    return _parsed(sink, kinds) if sink.tell() else arrow_of([], kinds)


def fetch_arrow(result: sa.CursorResult[Any], kinds: Mapping[str, Kind]) -> pa.Table:
    """All rows of an executed statement as Arrow columns, in the driver's own values: a Python object a cell, no more.

    To be called before anything else is fetched from the result.
    """
    rows = result.cursor.fetchall()
    result.close()
    return arrow_of(rows, kinds)


def stream_frames(
    conn: sa.Connection, select: AnySelect, columns: Mapping[str, Kind] | None = None, *, rows: int = 20_000
) -> Iterator[pd.DataFrame]:
    """As `read_frame`, in frames of at most `rows` rows, holding no more than one in memory.

    On PostgreSQL through a server-side cursor: read to the end or close before writing on the same connection.
    """
    kinds = dict(columns) if columns is not None else kinds_of(select.selected_columns)
    result = conn.execute(select, execution_options={"yield_per": rows})
    try:
        for part in result.partitions():
            yield to_pandas(arrow_of([tuple(row) for row in part], kinds))
    finally:
        result.close()


def rows_by(
    conn: sa.Connection,
    table: Table,
    *,
    brand: str,
    column: str,
    values: Iterable[Any],
    names: Collection[str] = (),
    only: str | None = None,
) -> pd.DataFrame:
    """Landed rows of a contract's table whose `column` is among `values` (see `among`), in key order.

    Columns and dtypes are those of `table.all_columns`, or of them those in `names`; `only` names a flag that must be
    true.
    """
    landed = LANDED[table.name]
    kinds = {c.name: c.kind for c in table.all_columns if not names or c.name in names}
    select = (
        sa.select(*[landed.c[name] for name in kinds])
        .where(landed.c.brand == brand, among(conn, landed.c[column], values))
        .order_by(*[landed.c[name] for name in table.key])
    )
    if only is not None:
        select = select.where(landed.c[only])
    return read_frame(conn, select, kinds)


def among(conn: sa.Connection, column: sa.ColumnElement[Any], values: Iterable[Any]) -> sa.ColumnElement[bool]:
    """`column IN (values)` for any number of texts, whole numbers or times, as a single parameter that indexes serve.

    Missing values are left out, so the condition never holds for a missing column. Raises TypeError for a column of
    another kind, ValueError for a time without a zone.
    """
    kind = kind_of(column.type)
    if kind not in _PG_ARRAYS:
        raise TypeError(f"keys are texts, whole numbers or times; {column} is none of these")
    distinct = list(dict.fromkeys(values))
    if {*map(type, distinct)} != {str}:
        # A missing value is None, NA or what does not equal itself; asking pandas a value is ten times slower.
        distinct = [v for v in distinct if v is not None and v is not pd.NA and v == v]
    wanted = _wanted(kind, distinct, conn.dialect)
    if conn.dialect.name == "postgresql":
        array = sa.bindparam("among", _pg_array(wanted), type_=sa.Text(), unique=True)
        condition = column.op("=", is_comparison=True)(sa.func.any(sa.cast(array, _PgArray(_PG_ARRAYS[kind]))))
        if kind is not Kind.TEXT or not wanted:
            return condition
        # Keys of a chunk are neighbours. Told so, PostgreSQL goes by the index; some thousand keys alone look to it
        # like a reason to read the whole table, with several workers.
        return condition & column.between(min(wanted), max(wanted))
    return column.in_(sa.text("SELECT value FROM json_each(:among)").bindparams(among=json.dumps(wanted)))


def _wanted(kind: Kind, values: Iterable[Any], dialect: sa.Dialect) -> list[Any]:
    if kind is Kind.TEXT:
        texts = list(map(str, values))
        return [shown(text) for text in texts] if NUL in "".join(texts) else texts
    if kind is Kind.WHOLE:
        return [int(v) for v in values]
    times = [TIME.process_bind_param(v, dialect) for v in values]
    return [t.isoformat() if isinstance(t, datetime) else t for t in times]


class _PgArray(sa.types.UserDefinedType[Any]):
    """The target of a cast from the text form of an array, which PostgreSQL reads far faster than a constructor."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: Any) -> str:
        """Name the type in SQL."""
        return self.name


def _pg_array(values: list[Any]) -> str:
    if not values or not isinstance(values[0], str):
        return "{" + ",".join(map(str, values)) + "}"
    joined = '","'.join(values)
    if "\\" in joined or joined.count('"') > 2 * (len(values) - 1):
        joined = '","'.join(v.replace("\\", "\\\\").replace('"', '\\"') for v in values)
    return '{"' + joined + '"}'


def _parsed(sink: io.BytesIO, kinds: Mapping[str, Kind]) -> pa.Table:
    names = list(kinds)
    return csv.read_csv(
        pa.BufferReader(sink.getbuffer()),
        read_options=csv.ReadOptions(column_names=names, block_size=_BLOCK_BYTES, use_threads=False),
        parse_options=csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=csv.ConvertOptions(
            column_types={name: ARROW[kind] for name, kind in kinds.items()},
            true_values=["t"],
            false_values=["f"],
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
