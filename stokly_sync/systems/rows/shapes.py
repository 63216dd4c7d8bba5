"""What documents look like: their members by type, so that whole pages can be read into columns at once.

Belongs here: the words of the declarations that stand beside each mapping. A document that looks otherwise is no error
by itself: it is then looked at member by member (see `cells`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from stokly_sync.contracts.tables import Dataset

Members = Mapping[str, pa.DataType | None]
"""Types of members by name; None for those that come in several types, or that nobody reads."""

TEXT: Final = pa.string()
AMOUNT: Final = pa.decimal128(38, 9)
WHOLE: Final = pa.int64()


def members(
    *,
    text: Iterable[str] = (),
    money: Iterable[str] = (),
    whole: Iterable[str] = (),
    texts: Iterable[str] = (),
    other: Iterable[str] = (),
    lists: Mapping[str, Members] | None = None,
) -> Members:
    """A declaration: members by type; `texts` are lists of text, `lists` are lists of sub-documents."""
    return {
        **dict.fromkeys(other),
        **dict.fromkeys(text, TEXT),
        **dict.fromkeys(money, AMOUNT),
        **dict.fromkeys(whole, WHOLE),
        **dict.fromkeys(texts, pa.list_(TEXT)),
        **{name: pa.list_(pa.struct(_fields(inner))) for name, inner in (lists or {}).items()},
    }


def _fields(declared: Members) -> list[pa.Field]:
    return [pa.field(name, kind) for name, kind in declared.items() if kind is not None]


@dataclass(frozen=True)
class Shape:
    """What a dataset's documents look like: the members of key and update time, and all that are understood.

    `known` members are columns, or on purpose not kept; any other is kept beside the columns.
    """

    dataset: Dataset
    key_member: str
    update_member: str | None
    known: Members

    def schema(self, without: Collection[str] = ()) -> pa.Schema:
        """The types that a page is read by."""
        return pa.schema([field for field in _fields(self.known) if field.name not in without])
