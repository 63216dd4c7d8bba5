"""The content of a row and its children as one hash, a column at a time.

Two readings of a record have the same hash exactly when the rows made of them are the same, whatever the order of
members or the way a number was written. The update time does not count, nor the version.
"""

from __future__ import annotations

from collections.abc import Collection
from hashlib import blake2b
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from stokly_sync.contracts.tables import Dataset
from stokly_sync.flow import Frames

_APART: Final = frozenset({"content_hash", "version", "updated_at"})
# Control characters stand between cells and rows, and for a missing cell: texts of a shop do not hold them.
_CELL, _ROW, _MISSING = "\x1f", "\x1e", "\x00"


def content_hashes(dataset: Dataset, frames: Frames) -> list[str]:
    """A hash for each root row, 32 hexadecimal digits; children stand in the order of their roots."""
    root = frames[dataset.name]
    parts = [_joined(root, _APART)]
    keys = pd.Index(root[dataset.key])
    for table in dataset.children:
        child = frames[table.name]
        counts = np.bincount(keys.get_indexer(pd.Index(child[table.parent_key])), minlength=len(keys))
        offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32())
        parts.append(pc.binary_join(pa.ListArray.from_arrays(offsets, _joined(child, {str(table.parent_key)})), _ROW))
    whole = pc.binary_join_element_wise(*parts, _ROW) if len(parts) > 1 else parts[0]
    return [blake2b(text, digest_size=16).hexdigest() for text in whole.cast(pa.binary()).to_pylist()]


def _joined(frame: pd.DataFrame, apart: Collection[str]) -> pa.Array:
    """The cells of each row in one text."""
    cells = [_text(frame[name]) for name in frame.columns if name not in apart]
    return pc.binary_join_element_wise(*cells, _CELL, null_handling="replace", null_replacement=_MISSING)


def _text(column: pd.Series) -> pa.Array:
    array = pa.array(column, from_pandas=True)
    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0) if array.num_chunks == 1 else array.combine_chunks()
    if pa.types.is_timestamp(array.type):
        array = array.cast(pa.int64())
    return array if array.type == pa.string() else array.cast(pa.string())
