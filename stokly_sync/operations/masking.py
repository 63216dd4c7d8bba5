"""Documents without what is personal in them, for people who need not see it (X14).

Several ways of knowing find more than one. The columns that contracts mark as personal say which *values* belong to
the person; they are found again under any name, in the words of every destination. The *names* of members are all there
is to go by where a value was rewritten, or could not even be read. In the record of a person itself every text is
masked that is not known to be harmless. What is masked without need costs a click, the other way round a breach.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from stokly_sync.contracts.datasets import TABLES
from stokly_sync.contracts.people import CUSTOMERS
from stokly_sync.flow import Frames

MASK: Final = "•••"
_ADDRESS: Final = re.compile(r"[^\s@<>\"',;:]+@[^\s@<>\"',;:]+")
_WORD: Final = re.compile(r"\w+")
# Members of a source or destination that are about a person, wherever they stand.
_PERSONAL: Final = re.compile(
    r"mail|phone|mobile|telephone|fax|addressline|address_?[1-4]|street|postcode|post_code|postal|zip|city|town"
    r"|fore_?name|first_?name|last_?name|sur_?name|family_?name|middle_?name|full_?name|customer_?name|contact_?name"
    r"|recipient|birth|gender|^notes?$|comment|^reason$|customer_?reference|^message$|buyer",
    re.IGNORECASE,
)
# `name` alone is a person's, unless it stands in a list of goods.
# Amounts, short counts, dates and times as texts: harmless in the record of a person too.
_HARMLESS: Final = re.compile(
    r"-?\d{1,4}|-?\d+\.\d+|\d{4}-\d\d-\d\d([T ][\d:.]+(Z|[+-]\d\d:?\d\d)?)?|true|false", re.IGNORECASE
)
_CODES: Final = re.compile(r"currency|status|type|country", re.IGNORECASE)
_GOODS: Final = frozenset({"items", "lines", "lineitems", "line_items", "products", "variants", "channel", "images"})


@dataclass(frozen=True)
class Mask:
    """What is personal in the documents of one record, all texts folded to lower case."""

    values: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    """The words that the values are made of."""
    harmless: frozenset[str] = frozenset()
    """Values of columns that are not personal."""
    by_name: bool = False
    """Whether members are judged by their names too."""
    strict: bool = False
    """Whether only harmless texts are shown: the record is a person's own."""

    def over(self, document: Any) -> Any:
        """The same document with everything personal replaced; numbers, flags and what is not personal stay."""
        return self._masked(document, name="", goods=False)

    def _masked(self, value: Any, *, name: str, goods: bool) -> Any:
        if isinstance(value, Mapping):
            return {k: self._masked(v, name=str(k), goods=goods or name.lower() in _GOODS) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [self._masked(v, name=name, goods=goods) for v in value]
        if value is None or isinstance(value, bool):
            return value
        if self._is_personal(value, name, goods):
            return MASK
        return _ADDRESS.sub(MASK, value) if isinstance(value, str) else value

    def _is_personal(self, value: Any, name: str, goods: bool) -> bool:
        if self.by_name and (_PERSONAL.search(name) or (name.lower() == "name" and not goods)):
            return True
        text = str(value).strip().casefold()
        if text in self.values:
            return True
        if not isinstance(value, str) or not text:
            return False
        if self.strict:
            return not (text in self.harmless or _HARMLESS.fullmatch(text) or _CODES.search(name))
        found = _WORD.findall(text)
        return bool(found) and all(word in self.words for word in found)


def mask_of(frames: Frames, *, root: str) -> Mask:
    """What the personal columns of a record's rows hold; `root` is the table that the record stands in."""
    values = {text.strip().casefold() for text in _texts(frames, personal=True)} - {""}
    words = {word for text in values for word in _WORD.findall(text) if len(word) > 1}
    return Mask(
        frozenset(values),
        frozenset(words),
        frozenset(text.strip().casefold() for text in _texts(frames, personal=False)) - values,
        by_name=any(personal_columns(_table_of(name, frame)) for name, frame in frames.items()),
        strict="email" in personal_columns(root),
    )


def masked_row(table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """A landed row with its personal columns replaced where they hold anything."""
    hidden = personal_columns(table)
    return {k: MASK if k in hidden and v is not None else v for k, v in row.items()}


def personal_columns(table: str) -> frozenset[str]:
    """Columns that the contract of a table marks as personal, and the unknown members beside them where it has any."""
    named = frozenset(c.name for c in TABLES[table].columns if c.personal) if table in TABLES else frozenset()
    return named | {"extra"} if named else named


def _table_of(name: str, frame: pd.DataFrame) -> str:
    """The table whose rows a frame holds; builders give some frames a name of their own."""
    return CUSTOMERS.name if name not in TABLES and "email" in frame else name


def _texts(frames: Frames, *, personal: bool) -> Iterator[str]:
    for name, frame in frames.items():
        hidden = personal_columns(_table_of(name, frame))
        for column in frame.columns:
            if (column in hidden) is personal:
                for value in frame[column].dropna():
                    yield from _members(value) if column == "extra" and personal else (str(value),)


def _members(text: str) -> Iterator[str]:
    """Every value within unknown members, which may hold anything."""
    waiting: list[Any] = [json.loads(text)]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict | list):
            waiting += value.values() if isinstance(value, dict) else value
        elif value is not None:
            yield str(value)
