"""Columns of cells: members of many documents turned into typed columns at once, exactly.

Belongs here: the conversion of one member of all documents, by compiled code where every value has the usual type, one
by one where not. A value that cannot be converted becomes a problem of its row and a missing cell; in pages that were
read as columns it makes the page Unusual, and each document is looked at. Nothing here knows what a member means.
Problems name the member and the kind of value, never the value of a text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from stokly_sync.contracts.money import nano
from stokly_sync.contracts.tables import DTYPES, Dataset, Kind
from stokly_sync.flow import Json, Problem
from stokly_sync.systems.rows.pages import Columns, Unusual
from stokly_sync.systems.rows.times import parse_times
from stokly_sync.systems.transport import encode

_NUMBERS: Final = frozenset({int, Decimal, type(None)})
_TEXTS: Final = frozenset({str, type(None)})
_WHOLES: Final = frozenset({int, type(None)})
_KINDS: Final = {bool: "a yes or no", dict: "an object", list: "a list", str: "a text", int: "a number"}
_NANO_TYPE = pa.decimal128(38, 9)
LARGEST: Final = 2**63 - 1


def kind_of(value: object) -> str:
    """What a JSON value is, in words."""
    return _KINDS.get(type(value), "a number")


@dataclass
class Cells:
    """Documents of one table and the problems found in them; `owners` are the root keys, one for each document."""

    dataset: Dataset
    documents: Sequence[Json] | Columns
    owners: Sequence[str]
    prefix: str = ""
    problems: list[Problem] = field(default_factory=list)

    def values(self, *names: str) -> list[Any]:
        """The first member of `names` that a document has, for each document; None where it has none."""
        if isinstance(self.documents, Columns):
            return self.documents.values(*names)
        found = [d.get(names[0]) for d in self.documents]
        for name in names[1:]:
            if None in found:
                found = [d.get(name) if v is None else v for v, d in zip(found, self.documents, strict=True)]
        return found

    def text(self, *names: str, strip: bool = False, numbers: bool = False) -> pd.api.extensions.ExtensionArray:
        """A text column; empty text is missing. `numbers` are accepted where a source writes both."""
        if isinstance(self.documents, Columns):
            return _texts(self.documents.column(*names), strip=strip, numbers=numbers)
        values = self.values(*names)
        if not set(map(type, values)) <= _TEXTS:
            allowed = (str, int) if numbers else (str,)
            values = self._each(values, names[0], lambda v: str(v) if _is(v, allowed) else None, "a text")
        values = [v.strip() or None if v else None for v in values] if strip else [v or None for v in values]
        return texts(values)

    def money(self, *names: str) -> pd.Series:
        """An Int64 column of nano units; numbers with more than nine decimals or out of range are problems."""
        if isinstance(self.documents, Columns):
            return _amounts(self.documents.column(*names))
        values = self.values(*names)
        if not set(map(type, values)) <= _NUMBERS:
            values = self._each(values, names[0], lambda v: v if _is(v, (int, Decimal)) else None, "a number")
        try:
            return _scaled(pa.array(values, _NANO_TYPE))
        except (pa.ArrowInvalid, OverflowError):
            return pd.Series([self._nano(i, v, names[0]) for i, v in enumerate(values)], dtype="Int64")

    def whole(self, *names: str) -> pd.Series:
        """An Int64 column of whole numbers; 2.0 is one, 2.5 is a problem."""
        if isinstance(self.documents, Columns):
            return _wholes(self.documents.column(*names))
        values = self.values(*names)
        if not set(map(type, values)) <= _WHOLES or any(_too_large(v) for v in values):
            values = self._each(values, names[0], _whole, "a whole number")
        return pd.Series(values, dtype="Int64")

    def time(self, *names: str) -> pd.Series:
        """A UTC column; text that is no time is a problem under the dataset's time rule."""
        values: pa.Array | list[Any]
        if isinstance(self.documents, Columns):
            values = _of_type(self.documents.column(*names), pa.string())
        else:
            values = self.values(*names)
            if not set(map(type, values)) <= _TEXTS:
                values = self._each(values, names[0], lambda v: v if _is(v, (str,)) else None, "a time")
        parsed, bad = parse_times(values)
        for i in bad:
            self.problem(i, self.dataset.time_rule, names[0], "is no readable time")
        naive = parsed.cast(pa.timestamp("us")).to_numpy(zero_copy_only=False)
        return pd.Series(pd.DatetimeIndex(naive).tz_localize("UTC"))

    def flag(self, *names: str) -> pd.Series:
        """A boolean column; 0 and 1 are accepted."""
        values = self._each(self.values(*names), names[0], _flag, "a yes or no")
        return pd.Series(values, dtype="boolean")

    def json(self, *names: str, of: type) -> pd.api.extensions.ExtensionArray:
        """A column of JSON text holding lists or objects (`of`)."""
        values = self._each(
            self.values(*names), names[0], lambda v: v if isinstance(v, of) else None, f"a {of.__name__}"
        )
        return texts([None if v is None else encode(v).decode() for v in values])

    def problem(self, i: int, rule: str, member: str, what: str) -> None:
        """Note that member `member` of the i-th document breaks a rule."""
        if isinstance(self.documents, Columns):
            raise Unusual
        self.problems.append(Problem(self.owners[i], rule, f"{self.prefix}{member} {what}"))

    def _each(self, values: list[Any], member: str, convert: Callable[[Any], Any], wanted: str) -> list[Any]:
        converted = [None if v is None else convert(v) for v in values]
        for i, (value, done) in enumerate(zip(values, converted, strict=True)):
            if done is None and value is not None:
                self.problem(i, self.dataset.type_rule, member, f"is {kind_of(value)} where {wanted} is expected")
        return converted

    def _nano(self, i: int, value: Decimal | int | None, member: str) -> int | None:
        try:
            return None if value is None else nano(value)
        except ValueError as error:
            self.problem(i, self.dataset.money_rule, member, f"cannot be kept exactly: {error}")
            return None


def texts(values: Sequence[str | None]) -> pd.api.extensions.ExtensionArray:
    """A column of text from texts and None."""
    made: pd.api.extensions.ExtensionArray = pd.array(pa.array(values, pa.string()), dtype="str")
    return made


def _of_type(column: pa.Array, kind: pa.DataType) -> pa.Array:
    """The column, or one without values where no document has the member; raises Unusual for another type."""
    if pa.types.is_null(column.type):
        return pa.nulls(len(column), kind)
    if column.type != kind:
        raise Unusual
    return column


def _texts(column: pa.Array, *, strip: bool, numbers: bool) -> pd.api.extensions.ExtensionArray:
    if numbers and pa.types.is_integer(column.type):
        column = column.cast(pa.string())
    column = _of_type(column, pa.string())
    if strip:
        column = pc.utf8_trim_whitespace(column)
    filled = pc.if_else(pc.equal(pc.binary_length(column), 0), pa.scalar(None, pa.string()), column)
    made: pd.api.extensions.ExtensionArray = pd.array(filled, dtype="str")
    return made


def _amounts(column: pa.Array) -> pd.Series:
    try:
        return _scaled(_of_type(column, _NANO_TYPE))
    except OverflowError as error:
        raise Unusual from error


def _wholes(column: pa.Array) -> pd.Series:
    column = _of_type(column, pa.int64())
    missing = np.asarray(column.is_null())
    return pd.Series(pd.arrays.IntegerArray(column.fill_null(0).to_numpy(zero_copy_only=False).copy(), missing))


def constant(value: bool, length: int) -> pd.Series:
    """A boolean column of one value."""
    return pd.Series(np.full(length, value), dtype="boolean")


def frame_of(table_columns: Sequence[tuple[str, Kind]], columns: dict[str, Any]) -> pd.DataFrame:
    """A frame with exactly these columns, in this order and of the dtypes of their kinds."""
    # Arrays have no index that pandas would have to compare for each column.
    made = {name: _array(columns[name], DTYPES[kind]) for name, kind in table_columns}
    return pd.DataFrame(made, copy=False)


def _array(values: Any, dtype: Any) -> Any:
    found = getattr(values, "array", values)
    return found if getattr(found, "dtype", None) == dtype else pd.array(found, dtype=dtype)


def _scaled(amounts: pa.Array) -> pd.Series:
    """Nano units from Arrow decimals: a decimal128 is stored as 16 bytes, whole number of its last place."""
    halves = np.frombuffer(amounts.buffers()[1], dtype="<i8", count=2 * (len(amounts) + amounts.offset))
    halves = halves.reshape(-1, 2)[amounts.offset :]
    missing = np.asarray(amounts.is_null())
    low, high = halves[:, 0], halves[:, 1]
    if ((low >> 63 != high) & ~missing).any():
        raise OverflowError("an amount is out of range")
    return pd.Series(pd.arrays.IntegerArray(np.where(missing, 0, low), missing))


def _is(value: object, types: tuple[type, ...]) -> bool:
    return isinstance(value, types) and not isinstance(value, bool)


def _too_large(value: int | None) -> bool:
    return value is not None and abs(value) > LARGEST


def _whole(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    if isinstance(value, Decimal) and (not value.is_finite() or abs(value) > LARGEST or value != int(value)):
        return None
    whole = int(value)
    return whole if abs(whole) <= LARGEST else None


def _flag(value: object) -> bool | None:
    return bool(value) if isinstance(value, bool) or (isinstance(value, int) and value in (0, 1)) else None
