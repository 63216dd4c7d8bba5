"""Between pandas frames, Arrow columns and the rows that drivers take and give; nothing is lost on the way.

Missing values, empty texts and the ends of the 64-bit range stay what they are; no amount passes through a float.
Arrow stands in the middle because it converts by column, not by cell. SQL stands in `bulk` and `reading`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from stokly_sync.contracts.tables import UTC_TIME, Kind
from stokly_sync.warehouse.sqltypes import kind_of

_TIME: Final = pa.timestamp("us", tz="UTC")
_NAIVE_TIME: Final = pa.timestamp("us")

ARROW: Final[dict[Kind, pa.DataType]] = {
    Kind.TEXT: pa.large_string(),
    Kind.JSON: pa.large_string(),
    Kind.MONEY: pa.int64(),
    Kind.WHOLE: pa.int64(),
    Kind.FLAG: pa.bool_(),
    Kind.TIME: _TIME,
}

_PANDAS: Final[dict[pa.DataType, Any]] = {
    pa.large_string(): pd.StringDtype("pyarrow", na_value=float("nan")),
    pa.int64(): pd.Int64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
    _TIME: UTC_TIME,
}

Tabular: TypeAlias = pd.DataFrame | Mapping[str, Sequence[Any]]
"""Rows as a frame, or as columns of plain Python values, None where missing: they need no frame to become Arrow's."""

# PostgreSQL cannot store the character NUL, which JSON can carry; it is shown as "replacement character" on both.
NUL: Final = "\x00"
_NUL_SHOWN: Final = "\ufffd"


def kinds_of(columns: Iterable[sa.ColumnElement[Any]]) -> dict[str, Kind]:
    """Names and kinds of SQL columns, in their order."""
    return {str(c.name if isinstance(c, sa.Column) else c.key): kind_of(c.type) for c in columns}


def to_arrow(table: sa.Table, rows: Tabular) -> pa.Table:
    """Turn rows into Arrow columns of the SQL table's types.

    Raises ValueError for a column that the table does not have or values that do not fit its type.
    """
    names = [str(c) for c in rows]
    unknown = [c for c in names if c not in table.c]
    if unknown:
        raise ValueError(f"table {table.name} has no column {', '.join(unknown)}")
    _refuse_naive(table, rows, names)
    schema = pa.schema([pa.field(c, ARROW[kind_of(table.c[c].type)]) for c in names])
    try:
        # Column by column: a conversion of the frame as a whole describes the frame too, which takes as long again.
        arrow = pa.table([_column(rows[field.name], field.type) for field in schema], schema=schema)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        # Arrow's message can quote the value, so only its class is kept.
        types = dict(rows.dtypes) if isinstance(rows, pd.DataFrame) else dict.fromkeys(names, "of plain values")
        raise ValueError(
            f"a value does not fit its column of {table.name} ({type(error).__name__}); "
            f"columns: {', '.join(f'{c} {t}' for c, t in types.items())}"
        ) from None
    return without_nul(arrow)


def _column(values: pd.Series | Sequence[Any], wanted: pa.DataType) -> pa.Array | pa.ChunkedArray:
    if isinstance(values, pd.Series):
        return pa.array(values, wanted, from_pandas=True)
    # Told that plain numbers are whole, Arrow would cut off what follows the point in silence; a cast does not.
    return pa.array(values).cast(wanted) if wanted == pa.int64() else pa.array(values, wanted)


def to_array(table: sa.Table, name: str, value: Any) -> pa.Array:
    """One value as an Arrow array of its column's type; raises ValueError as `to_arrow` does."""
    if name not in table.c:
        raise ValueError(f"table {table.name} has no column {name}")
    if isinstance(value, datetime) and value.tzinfo is None:
        raise ValueError(f"a time without a zone does not fit its column of {table.name}: {name}")
    try:
        array = pa.array([shown(value) if isinstance(value, str) else value], ARROW[kind_of(table.c[name].type)])
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise ValueError(f"the value of {name} does not fit {table.name} ({type(error).__name__})") from None
    return array


def _refuse_naive(table: sa.Table, rows: Tabular, names: Iterable[str]) -> None:
    """Arrow would take a time without a zone for UTC in silence."""
    for name in names:
        if kind_of(table.c[name].type) is not Kind.TIME:
            continue
        values = rows[name]
        if not isinstance(values, pd.Series) or values.dtype == object:
            # A missing time has no zone either; it is asked last, because asking pandas takes longer than all else.
            naive = any(isinstance(v, datetime) and v.tzinfo is None and not pd.isna(v) for v in values)
        else:
            naive = values.dtype.kind == "M" and not isinstance(values.dtype, pd.DatetimeTZDtype)
        if naive:
            raise ValueError(f"a time without a zone does not fit its column of {table.name}: {name}")


def without_nul(arrow: pa.Table) -> pa.Table:
    """Show the character NUL as U+FFFD in text columns; most tables have none and pass untouched."""
    for i, field in enumerate(arrow.schema):
        if field.type == pa.large_string() and _has_nul(arrow.column(i)):
            arrow = arrow.set_column(i, field, pc.replace_substring(arrow.column(i), NUL, _NUL_SHOWN))
    return arrow


def without_zone(arrow: pa.Table) -> pa.Table:
    """The same moments without their zone, which is always UTC: Arrow writes these 25 times faster as text."""
    for i, field in enumerate(arrow.schema):
        if field.type == _TIME:
            arrow = arrow.set_column(i, field.name, arrow.column(i).cast(_NAIVE_TIME))
    return arrow


def _has_nul(column: pa.ChunkedArray) -> bool:
    """Whether any text holds it: one look at all bytes together, which is thirty times as fast as at each text."""
    return any(_bytes(chunk).min(initial=1) == 0 for chunk in column.chunks)


def _bytes(texts: pa.Array) -> npt.NDArray[np.uint8]:
    _, offsets, data = texts.buffers()
    if not len(texts) or data is None:
        return np.zeros(0, dtype=np.uint8)
    start, end = np.frombuffer(offsets, dtype=np.int64)[[texts.offset, texts.offset + len(texts)]]
    return np.frombuffer(data, dtype=np.uint8)[start:end]


def shown(value: str) -> str:
    """A text as it is stored: see `without_nul`."""
    return value.replace(NUL, _NUL_SHOWN) if NUL in value else value


def to_columns(arrow: pa.Table) -> list[list[Any]]:
    """Columns of plain Python values as SQLite stores them: times in microseconds, missing values None."""
    return [_plain(column) for column in arrow.columns]


def _plain(column: pa.ChunkedArray) -> list[Any]:
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    if column.type != pa.int64():
        return cast("list[Any]", column.to_numpy().tolist())
    if not column.null_count:
        return cast("list[Any]", column.to_numpy().tolist())
    # NumPy has no missing integers and Arrow would fall back to floats, which cannot hold every 64-bit number.
    values = column.fill_null(0).to_numpy().astype(object)
    values[column.is_null().to_numpy()] = None
    return cast("list[Any]", values.tolist())


def arrow_of(rows: Sequence[Sequence[Any]], kinds: Mapping[str, Kind]) -> pa.Table:
    """Arrow columns from rows of plain values; times are aware datetimes or microseconds, flags may be 0 and 1."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(kinds)
    arrays = [_array(values, kind) for values, kind in zip(columns, kinds.values(), strict=True)]
    return pa.table(arrays, schema=schema_of(kinds))


def _array(values: Sequence[Any], kind: Kind) -> pa.Array:
    if kind is Kind.FLAG:
        return pa.array([None if v is None else bool(v) for v in values], pa.bool_())
    return pa.array(values, ARROW[kind])


def schema_of(kinds: Mapping[str, Kind]) -> pa.Schema:
    """The Arrow schema of a frame with these columns."""
    return pa.schema([pa.field(name, ARROW[kind]) for name, kind in kinds.items()])


def to_pandas(arrow: pa.Table) -> pd.DataFrame:
    """A frame with the dtypes of `contracts.tables.DTYPES`."""
    return cast("pd.DataFrame", arrow.to_pandas(types_mapper=_PANDAS.get))
