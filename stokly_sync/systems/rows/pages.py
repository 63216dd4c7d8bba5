"""Whole pages of usual documents read into columns by compiled code, without a Python value for each member.

Usual means: every member has its declared type, every row a key of its own. Anything else raises Unusual, and the rows
are looked at one by one instead; both ways give the same rows. So nothing here has to name a problem, and nothing here
may repair one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import json as arrow_json

from stokly_sync.systems.rows.shapes import Shape
from stokly_sync.systems.transport import Unread

Places = np.ndarray[Any, np.dtype[np.int64]]


class Unusual(Exception):
    """Some document is not as declared."""


class Columns:
    """Documents as one Arrow column a member."""

    def __init__(self, rows: pa.StructArray) -> None:
        self._rows = rows
        self.names = frozenset(field.name for field in rows.type)

    def __len__(self) -> int:
        return len(self._rows)

    def column(self, *names: str) -> pa.Array:
        """The first member of `names` that a document has, for each document; missing where it has none."""
        found = [self._rows.field(name) for name in names if name in self.names]
        found = [column for column in found if not pa.types.is_null(column.type)]
        if len({column.type for column in found}) > 1:
            raise Unusual
        return pc.coalesce(*found) if found else pa.nulls(len(self))

    def values(self, *names: str) -> list[Any]:
        """The same as Python values."""
        column = self.column(*names)
        if pa.types.is_temporal(column.type) or pa.types.is_floating(column.type):
            raise Unusual
        values: list[Any] = column.to_pylist()
        return values

    def children(self, name: str) -> tuple[Columns, Places]:
        """The sub-documents under a member, and for each the place of its document."""
        lists = self.column(name)
        if pa.types.is_null(lists.type):
            return Columns(pa.array([], pa.struct([]))), np.zeros(0, dtype="int64")
        inner = lists.flatten()
        if not pa.types.is_struct(inner.type) or inner.null_count:
            raise Unusual
        return Columns(inner), pc.list_parent_indices(lists).to_numpy().astype("int64")

    def take(self, places: Sequence[int]) -> Columns:
        """The documents at these places."""
        return Columns(self._rows.take(pa.array(places, pa.int64())))


def columns_of(shape: Shape, documents: Sequence[Unread]) -> tuple[Columns, list[str]]:
    """Documents as columns, with their keys; raises Unusual."""
    text = b"\n".join([document.text for document in documents])
    table = _read(text, shape)
    if len(table) != len(documents) or _texts_in(table) != text.count(b'":"'):
        raise Unusual
    columns = [_one(column) for column in table.columns]
    rows = Columns(pa.StructArray.from_arrays(columns, fields=list(table.schema)))
    key = rows.column(shape.key_member)
    keys = key.to_pylist() if pa.types.is_string(key.type) else []
    if not all(keys) or len(set(keys)) != len(documents):
        raise Unusual
    return rows, keys


def _read(text: bytes, shape: Shape) -> pa.Table:
    try:
        return arrow_json.read_json(
            pa.BufferReader(text),
            read_options=arrow_json.ReadOptions(use_threads=False, block_size=len(text) + 1),
            parse_options=arrow_json.ParseOptions(explicit_schema=shape.schema()),
        )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise Unusual from error


def _texts_in(rows: pa.Table | pa.StructArray) -> int:
    """How many members hold a text.

    Arrow reads amounts from quoted numbers too, which must not go unnoticed: so there must be as many texts as there
    are quoted values.
    """
    columns = rows.columns if isinstance(rows, pa.Table) else rows.flatten()
    return sum(_texts(_one(column)) for column in columns)


def _texts(column: pa.Array) -> int:
    if pa.types.is_string(column.type) or pa.types.is_temporal(column.type):
        return int(len(column) - column.null_count)
    if pa.types.is_struct(column.type):
        return _texts_in(column)
    if pa.types.is_list(column.type) and pa.types.is_nested(column.type.value_type):
        return _texts(column.flatten())
    return 0


def _one(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    if isinstance(column, pa.ChunkedArray):
        return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    return column
