"""What documents of every type share: size limits and optional members.

Belongs here: rules of the wire that hold for each record type. Nothing of a single type.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from stokly_sync.flow import Document, Json, Problem
from stokly_sync.systems.ometria import rules
from stokly_sync.systems.transport import encode

RECORD_BYTES: Final = 60_000
"""60 KB a record, read as thousands: the stricter reading. Source: Ometria API contract 1."""
PROPERTIES_CHARS: Final = 1_000
"""The JSON of one record's properties must stay below this. Source: Ometria API contract 1."""
WORST_ESCAPE: Final = 6
"""Bytes that one byte of text can become in JSON (control characters)."""


def pruned(body: Json) -> Json:
    """The body without members that are None: an absent member is documented, a null one is not."""
    return {name: value for name, value in body.items() if value is not None}


def with_optional(body: Json, **members: object) -> Json:
    """Add the members that have a value (not None, not empty) to the body, and give it back."""
    for name, value in members.items():
        if value:
            body[name] = value
    return body


def oversized(documents: Iterable[Document], suspects: Sequence[bool] | None = None) -> list[Problem]:
    """Problems of documents that break the vendor's size limits.

    `suspects` says for each document whether it may be too large at all; without it each one is encoded and measured.
    Source: Ometria API contract 1 and 6.9.
    """
    found = []
    for index, document in enumerate(documents):
        properties = document.body.get("properties")
        if properties and (size := len(encode(properties).decode())) >= PROPERTIES_CHARS:
            detail = f"custom fields of {size} characters, fewer than {PROPERTIES_CHARS} are taken"
            found.append(Problem(document.key, rules.PROPERTIES_SIZE.code, detail))
        elif (suspects is None or suspects[index]) and (size := len(encode(document.body))) > RECORD_BYTES:
            detail = f"{size} bytes, at most {RECORD_BYTES} are taken"
            found.append(Problem(document.key, rules.RECORD_SIZE.code, detail))
    return found


def text_bytes(frame: pd.DataFrame, names: Iterable[str]) -> pd.Series:
    """Bytes of text in the named columns of each row, as a sum (int64)."""
    total = pd.Series(0, index=frame.index, dtype="int64")
    for name in names:
        lengths = pc.binary_length(pa.array(frame[name], type=pa.large_string(), from_pandas=True))
        total += lengths.fill_null(0).to_numpy(zero_copy_only=False)
    return total


def listed(values: Iterable[Any]) -> list[bool]:
    """Truth of each value as a plain list."""
    return [bool(value) for value in values]
