"""JSON documents written a column at a time, byte for byte as the encoder of documents would write them.

Objects for every record and member cost several times what their text does, so builders of large feeds put texts
together by column. Belongs here: values to JSON text, members to objects, objects to lists. What a document says is
its builder's business. A missing value is a missing text; a missing text leaves its member out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from stokly_sync.contracts import columns
from stokly_sync.contracts.money import PLACES

Texts: TypeAlias = pa.Array | pd.Series | Sequence[str | None]

TEXT: Final = pa.large_string()
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number", order="deterministic")
# What JSON cannot show as it is.
_ESCAPED: Final = bytes([*range(0x20), *b'"\\'])
_ODD: Final = r'[\x00-\x1f"\\]'


def arrow(values: Texts) -> pa.Array:
    """A column of text as one Arrow array."""
    if isinstance(values, pa.Array):
        return values
    found = pa.array(values, TEXT, from_pandas=True)
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def texts(values: Texts) -> pa.Array:
    """Texts as JSON strings."""
    plain = arrow(values)
    escaped = plain
    if _any_escaped(plain):
        odd = pc.fill_null(pc.match_substring_regex(plain, _ODD), fill_value=False)
        encoded = [_ENCODER.encode(text)[1:-1].decode() for text in plain.filter(odd).to_pylist()]
        escaped = pc.replace_with_mask(plain, odd, pa.array(encoded, TEXT))
    return joined('"', escaped, '"')


def filled(values: Texts) -> pa.Array:
    """Texts as JSON strings; an empty one counts as missing."""
    plain = arrow(values)
    return texts(pc.if_else(pc.equal(pc.binary_length(plain), 0), pa.scalar(None, TEXT), plain))


def stamps(column: pd.Series) -> pa.Array:
    """UTC times as ISO 8601 text to the second with `Z`."""
    seconds = column.to_numpy(dtype="datetime64[s]")
    plain = pa.array(seconds).cast(TEXT)
    return joined('"', pc.replace_substring(plain, " ", "T", max_replacements=1), 'Z"')


def encoded(values: Sequence[Any]) -> pa.Array:
    """JSON of any values, one by one; what is empty counts as missing."""
    return pa.array([_ENCODER.encode(value).decode() if value else None for value in values], TEXT)


def flags(values: Sequence[bool] | npt.NDArray[np.bool_]) -> pa.Array:
    """`true` and `false`."""
    return pc.if_else(pa.array(values, pa.bool_()), pa.scalar("true", TEXT), pa.scalar("false", TEXT))


def wholes(values: npt.NDArray[np.int64]) -> pa.Array:
    """Whole numbers."""
    return pa.array(values).cast(TEXT)


def numbers(nanos: npt.NDArray[np.int64], places: npt.NDArray[np.int64]) -> pa.Array:
    """As `columns.decimals`, but as the text of JSON numbers."""
    minor = columns.half_even(nanos, 10 ** (PLACES - places))
    kinds = np.unique(places).tolist()
    if len(kinds) == 1:
        return _digits_of(minor, kinds[0])
    result = np.empty(len(minor), dtype=object)
    for count in kinds:
        rows = places == count
        result[rows] = _digits_of(minor[rows], count).to_pylist()
    return pa.array(result, TEXT)


def amounts(column: pd.Series, places: npt.NDArray[np.int64]) -> pa.Array:
    """Nano units as JSON numbers with `places` decimals, rounded once, half-even."""
    written = numbers(columns.counts(column), places)
    return only(written, column.notna().to_numpy())


def only(values: pa.Array, where: npt.NDArray[np.bool_]) -> pa.Array:
    """The texts where the mask is true, missing elsewhere."""
    return values if where.all() else pc.if_else(pa.array(where), values, pa.scalar(None, TEXT))


def objects(members: Mapping[str, pa.Array | str]) -> pa.Array:
    """JSON objects, one a row, with their members in the order in which documents are hashed.

    A plain text is the value of its member in every row.
    """
    parts: list[pa.Array | str] = []
    for name, values in sorted(members.items()):
        label = f',"{name}":'
        if isinstance(values, pa.Array) and values.null_count:
            parts.append(pc.fill_null(joined(label, values), ""))
        else:
            parts += (label, values)
    # The first member has no comma before it; where it may be missing, whichever is the first in its row.
    if isinstance(parts[0], str):
        return joined("{" + parts[0][1:], *parts[1:], "}")
    return joined("{", pc.utf8_slice_codeunits(joined(*parts), start=1), "}")


def lists(elements: pa.Array, starts: npt.NDArray[np.int64]) -> pa.Array:
    """JSON lists: the elements from each start to before the next one; the last start is the end."""
    grouped = pa.ListArray.from_arrays(pa.array(starts, pa.int32()), elements)
    return joined("[", pc.binary_join(grouped, pa.scalar(",", TEXT)), "]")


def joined(*parts: pa.Array | str) -> pa.Array:
    """Texts put together row by row, missing where one is; a plain text stands in each row."""
    found = [pa.scalar(part, TEXT) if isinstance(part, str) else part for part in parts]
    return pc.binary_join_element_wise(*found, pa.scalar("", TEXT))


def documents(written: pa.Array) -> list[bytes]:
    """Each text as bytes."""
    # Not `to_pylist`, which makes an object of its own for each text first.
    found: list[bytes] = written.cast(pa.large_binary()).to_numpy(zero_copy_only=False).tolist()
    return found


def _any_escaped(plain: pa.Array) -> bool:
    """Whether any text needs escaping; one look at all bytes of a column, because hardly ever one does."""
    text = plain.buffers()[2]
    return text is not None and len(bytes(text).translate(None, _ESCAPED)) < len(text)


def _digits_of(minor: npt.NDArray[np.int64], places: int) -> pa.Array:
    # Arrow writes decimals exactly; its 128 bits are ours and as many times the sign.
    wide = np.stack((minor, minor >> 63), axis=1)
    exact = pa.Array.from_buffers(pa.decimal128(38, places), len(minor), [None, pa.py_buffer(wide)])
    return exact.cast(TEXT)
