"""Custom fields by configuration: which column, attribute or tag feeds which field of a destination (X22).

Belongs here: what may be named as a source, the check of that when settings are read, and the typed values. How many
fields a destination takes, what they are called there and which record carries them is its own matter. A value that
does not fit its type is a misfit: a wrong value in a segment is worse than a late one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Final, Literal

import msgspec
import pandas as pd
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from stokly_sync.contracts import columns
from stokly_sync.contracts.money import decimal
from stokly_sync.contracts.people import CUSTOMERS
from stokly_sync.contracts.products import ITEMS
from stokly_sync.contracts.sales import ORDERS
from stokly_sync.contracts.tables import Kind, Table

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_DICT: Final = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
_LIST: Final = msgspec.json.Decoder(list[Any], float_hook=Decimal)

PropertyType = Literal["text", "number", "whole", "flag", "date"]


class PropertyField(BaseModel):
    """Where one custom field comes from, and its type."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str = Field(description="A column, attributes.NAME, tags.PREFIX, or extra.MEMBER.")
    type: PropertyType = Field("text", description="text, number, whole, flag or date.")

    @property
    def column(self) -> str:
        """The column that holds the source."""
        return self.source.partition(".")[0]


def _shorthand(value: Any) -> Any:
    """`name = "attributes.Colour"` is short for a text property with that source."""
    if not isinstance(value, dict):
        return value
    return {name: {"source": spec} if isinstance(spec, str) else spec for name, spec in value.items()}


Properties = Annotated[dict[str, PropertyField], BeforeValidator(_shorthand)]
"""Custom fields by their name at the destination, as a setting."""


@dataclass(frozen=True)
class Sources:
    """What the properties of one kind of record may be taken from."""

    table: Table

    def checked(self, mapping: dict[str, PropertyField]) -> dict[str, PropertyField]:
        """The mapping itself; raises ValueError naming the first field whose source does not exist."""
        for name, field in mapping.items():
            if not self.has(field.source):
                raise ValueError(f"{name} comes from {field.source!r}, which is none of: {', '.join(self.offered)}")
        return mapping

    def has(self, source: str) -> bool:
        """Whether the source can be read from rows of the table."""
        column, _, member = source.partition(".")
        return column in self._nested if member else column in self._names

    @property
    def offered(self) -> tuple[str, ...]:
        """Sources in words, for messages."""
        members = {"attributes": "attributes.NAME", "tags": "tags.PREFIX", "extra": "extra.MEMBER"}
        return (*self._names, *(members[name] for name in self._nested))

    @property
    def _names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.table.columns)

    @property
    def _nested(self) -> tuple[str, ...]:
        return tuple(n for n in ("attributes", "tags", "extra") if n == "extra" or n in self._names)


CONTACT_SOURCES: Final = Sources(CUSTOMERS.root)
PRODUCT_SOURCES: Final = Sources(ITEMS.root)
ORDER_SOURCES: Final = Sources(ORDERS.root)


@dataclass(frozen=True)
class Mapped:
    """Properties of each row (empty where nothing is mapped), and by row number what did not fit its type."""

    properties: list[dict[str, Any]]
    misfits: dict[int, str]


def mapped(frame: pd.DataFrame, mapping: Mapping[str, PropertyField], sources: Sources) -> Mapped:
    """Properties of every row of `frame`, which has the columns of the sources' table.

    Missing values are left out. Money becomes an exact number in major units, a list of texts is joined by ", ".
    """
    properties: list[dict[str, Any]] = [{} for _ in range(len(frame))]
    misfits: dict[int, str] = {}
    for name, field in mapping.items():
        convert = _CONVERT[field.type]
        for index, value in enumerate(_values(frame, field.source, sources.table)):
            if value is None:
                continue
            try:
                properties[index][name] = convert(value)
            except (ValueError, InvalidOperation):
                misfits[index] = f"the property {name} (from {field.source}) is no {field.type}"
    return Mapped(properties, misfits)


def _values(frame: pd.DataFrame, source: str, table: Table) -> Sequence[Any]:
    column, _, member = source.partition(".")
    if member:
        found = columns.texts(frame[column])
        if column == "tags":
            return [_tagged(text, member) for text in found]
        return [None if text is None else _DICT.decode(text).get(member) for text in found]
    match table.column(column).kind:
        case Kind.MONEY:
            return [None if nano is None else decimal(nano) for nano in columns.wholes(frame[column])]
        case Kind.WHOLE | Kind.FLAG:
            return columns.wholes(frame[column])
        case Kind.TIME:
            return columns.stamps(frame[column])
        case Kind.JSON:
            return [None if text is None else _joined(text) for text in columns.texts(frame[column])]
        case Kind.TEXT:
            return columns.texts(frame[column])


def _tagged(text: str | None, prefix: str) -> str | None:
    """What follows the prefix in the first tag that has it: `tier:` finds gold in `tier:gold`."""
    if text is None:
        return None
    found = (tag for tag in _LIST.decode(text) if isinstance(tag, str) and tag.startswith(prefix))
    return next((tag[len(prefix) :].strip() for tag in found), None) or None


def _joined(text: str) -> str | None:
    value = msgspec.json.decode(text)
    if isinstance(value, list):
        return ", ".join(str(part) for part in value) or None
    return text


def _single(value: Any) -> Any:
    # One kind of error for all that does not fit, because the caller reports it as one rule.
    if isinstance(value, dict | list):
        raise ValueError("not a single value")  # noqa: TRY004
    return value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(_single(value))


def _number(value: Any) -> Decimal | int:
    # As text, so that true and false are no numbers.
    number = value if type(value) is int else Decimal(str(_single(value)))
    if isinstance(number, Decimal) and not number.is_finite():
        raise ValueError("not a finite number")
    return number


def _whole(value: Any) -> int:
    number = _number(value)
    if number != int(number):
        raise ValueError("not a whole number")
    return int(number)


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    try:
        return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[str(value).lower()]
    except KeyError:
        raise ValueError("neither yes nor no") from None


def _date(value: Any) -> str:
    if not isinstance(value, str) or not _DATE.match(value):
        raise ValueError("not a date")
    return value[:10]


_CONVERT: Final[dict[str, Callable[[Any], Any]]] = {
    "text": _text,
    "number": _number,
    "whole": _whole,
    "flag": _flag,
    "date": _date,
}
