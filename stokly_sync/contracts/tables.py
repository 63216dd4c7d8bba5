"""How a table of valid rows is declared: its columns with kind and meaning, its key, its children, its rules.

One declaration feeds four readers: the pandera schema (`contracts.schema`), the SQL table (`warehouse.tables`), the
column schema in the Dagster UI and the reference pages. Kinds are few on purpose; `DTYPES` gives the pandas dtype.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import pandas as pd


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    MONEY = "money"
    """Nano units; the currency stands in the row's `currency` column."""
    WHOLE = "whole"
    TIME = "time"
    """UTC, microseconds."""
    FLAG = "flag"
    JSON = "json"
    """JSON text: lists and objects that only documents look into."""


UTC_TIME: Final = pd.DatetimeTZDtype("us", "UTC")

DTYPES: Final[dict[Kind, object]] = {
    # Objects and not their names, which pandas would look up for each column of each frame.
    Kind.TEXT: pd.api.types.pandas_dtype("str"),
    Kind.MONEY: pd.Int64Dtype(),
    Kind.WHOLE: pd.Int64Dtype(),
    Kind.TIME: UTC_TIME,
    Kind.FLAG: pd.BooleanDtype(),
    Kind.JSON: pd.api.types.pandas_dtype("str"),
}


@dataclass(frozen=True)
class Column:
    """One column: `required` forbids missing values, `personal` marks what erasure must clear (X14)."""

    name: str
    kind: Kind
    description: str
    required: bool = False
    personal: bool = False


META: Final = (
    Column(
        "content_hash",
        Kind.TEXT,
        "Hash of the row and its children as they are stored, less version and update time.",
        required=True,
    ),
    Column(
        "version",
        Kind.TIME,
        "Source update time, or when the request started; older never wins.",
        required=True,
    ),
    Column("extra", Kind.JSON, "Members that the contract does not know, less the deny-list."),
)
"""Columns that every root frame carries beside its own."""


@dataclass(frozen=True)
class RowRule:
    """A rule on rows of one table: `holds` gives True where a row keeps it; missing counts as kept."""

    code: str
    holds: Callable[[pd.DataFrame], pd.Series]
    detail: Callable[[pd.Series], str]
    """The detail for one offending row in plain words, without personal data."""


@dataclass(frozen=True)
class Table:
    """A table of rows. `key` are the key columns after `brand`; `parent_key` names the owner's key in a child table."""

    name: str
    description: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    rules: tuple[RowRule, ...] = ()
    parent_key: str | None = None
    indexes: tuple[str, ...] = ()
    """Columns that other feeds look rows up by."""
    sparse_indexes: tuple[str, ...] = ()
    """The same, of columns in which few rows have a value: only those are in the index."""

    @property
    def all_columns(self) -> tuple[Column, ...]:
        """Own columns, and `META` for a root table."""
        return self.columns if self.parent_key else (*self.columns, *META)

    @property
    def sql_name(self) -> str:
        """Name of the SQL table: dots become underscores."""
        return self.name.replace(".", "_")

    def column(self, name: str) -> Column:
        """The column of that name; raises KeyError."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name}")


@dataclass(frozen=True)
class Dataset:
    """A root table with the child tables that are replaced together with each root row.

    The root's key is always one text column. `event_at` names the time of the business event, for latency.
    `type_rule`, `money_rule` and `time_rule` are the codes used when a member cannot be turned into its column.
    """

    root: Table
    children: tuple[Table, ...] = ()
    event_at: str | None = None
    type_rule: str = "ST-MEMBER-TYPE"
    money_rule: str = "ST-MONEY"
    time_rule: str = "ST-TIME"
    unique: tuple[tuple[str, str], ...] = ()
    """(column, rule code): live root rows must differ in this column, compared without regard to case."""
    value: str | None = None
    """Money column of the root that is at stake while a record is kept back; its currency is in `currency`."""
    sought_by: tuple[str, ...] = ()
    """Columns of the root, beside its key, by which people look a record up; each has an index."""

    @property
    def name(self) -> str:
        """Name of the dataset, equal to its root table's."""
        return self.root.name

    @property
    def key(self) -> str:
        """The root's natural key column."""
        return self.root.key[0]

    @property
    def tables(self) -> tuple[Table, ...]:
        """Root and children."""
        return (self.root, *self.children)


def empty(table: Table) -> pd.DataFrame:
    """A frame of the table's columns and dtypes without rows."""
    return pd.DataFrame({c.name: pd.Series(dtype=DTYPES[c.kind]) for c in table.all_columns})  # type: ignore[call-overload]
