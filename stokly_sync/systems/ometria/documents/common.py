"""What documents of every type share: size limits, optional members, and the customer that is left after a merge.

Belongs here: rules of the wire that hold for each record type. Nothing of a single type.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from stokly_sync.contracts import columns
from stokly_sync.contracts.people import EMAIL_PATTERN
from stokly_sync.flow import Document, Frames, Json, Problem
from stokly_sync.systems.ometria import rules
from stokly_sync.systems.transport import encode

RECORD_BYTES: Final = 60_000
"""60 KB a record, read as thousands: the stricter reading. Source: Ometria API contract 1."""
PROPERTIES_CHARS: Final = 1_000
"""The JSON of one record's properties must stay below this. Source: Ometria API contract 1."""
WORST_ESCAPE: Final = 6
"""Bytes that one byte of text can become in JSON (control characters)."""

_EMAIL: Final = re.compile(EMAIL_PATTERN)
_LONGEST_CHAIN: Final = 20


def pruned(body: Json) -> Json:
    """The body without members that are None: an absent member is documented, a null one is not."""
    return {name: value for name, value in body.items() if value is not None}


def with_optional(body: Json, **members: object) -> Json:
    """Add the members that have a value (not None, not empty) to the body, and give it back."""
    for name, value in members.items():
        if value:
            body[name] = value
    return body


def reachable(email: str | None) -> str | None:
    """The address, or None where there is none that could be delivered to."""
    return email if email and _EMAIL.fullmatch(email) else None


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


def without(documents: Sequence[Document], problems: Iterable[Problem]) -> list[Document]:
    """The documents that have no problem."""
    bad = {problem.key for problem in problems}
    return [document for document in documents if document.key not in bad] if bad else list(documents)


def text_bytes(frame: pd.DataFrame, names: Iterable[str]) -> pd.Series:
    """Bytes of text in the named columns of each row, as a sum (int64)."""
    total = pd.Series(0, index=frame.index, dtype="int64")
    for name in names:
        lengths = pc.binary_length(pa.array(frame[name], type=pa.large_string(), from_pandas=True))
        total += lengths.fill_null(0).to_numpy(zero_copy_only=False)
    return total


def departed(frames: Frames) -> dict[str, str | None]:
    """Customers that are gone: the id that took over in a merge, or None for a deleted one.

    `frames` may lack `stokly.customers`; customers that are not among its rows are taken as they are.
    """
    customers = frames.get("stokly.customers")
    if customers is None or customers.empty:
        return {}
    gone = customers[~columns.flags(customers["live"]) | customers["merged_into"].notna().to_numpy()]
    return dict(zip(columns.keys(gone["customer_id"]), columns.texts(gone["merged_into"]), strict=True))


def accounts(ids: Sequence[str | None], gone: Mapping[str, str | None]) -> list[str | None]:
    """For each customer id the account that is left today; None for guests and deleted customers."""
    if not gone:
        return list(ids)
    return [_left(one, gone) if one in gone else one for one in ids]


def _left(customer_id: str | None, gone: Mapping[str, str | None]) -> str | None:
    for _ in range(_LONGEST_CHAIN):
        if customer_id is None or customer_id not in gone:
            return customer_id
        customer_id = gone[customer_id]
    # A ring of merges has no survivor; the order then goes by its e-mail address.
    return None


def problems_where(keys: Sequence[str], mask: Iterable[bool], rule: str, detail: str) -> list[Problem]:
    """One problem for each key whose mask is true."""
    return [Problem(key, rule, detail) for key, hit in zip(keys, mask, strict=True) if hit]


def listed(values: Iterable[Any]) -> list[bool]:
    """Truth of each value as a plain list."""
    return [bool(value) for value in values]
