"""The four column types of the warehouse, equal in meaning on SQLite and PostgreSQL.

Text, 64-bit integers, flags and times in UTC are all there is: bulk paths can then carry any table as Arrow columns
without knowing it. Amounts are 64-bit nano units and JSON is text, see `contracts.tables.Kind`. No table stands here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator, TypeEngine

from stokly_sync.contracts.tables import Kind

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class UtcTime(TypeDecorator[datetime]):
    """A time in UTC to the microsecond: `timestamptz` on PostgreSQL, microseconds since 1970 on SQLite.

    Takes aware datetimes of any zone (ValueError for naive ones) and gives them back in UTC.
    """

    impl = sa.BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> TypeEngine[datetime]:
        """Choose the database's own type."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(sa.TIMESTAMP(timezone=True))
        return dialect.type_descriptor(self.impl_instance)

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | int | None:
        """Turn an aware datetime into what the driver takes."""
        if value is None or pd.isna(value):
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone cannot be stored: {value}")
        if isinstance(value, pd.Timestamp):
            value = value.to_pydatetime(warn=False)
        return value.astimezone(UTC) if dialect.name == "postgresql" else (value - _EPOCH) // _MICROSECOND

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        """Spare PostgreSQL's times a call each: in our sessions, which run in UTC, the driver's values are right."""
        return None if dialect.name == "postgresql" else super().result_processor(dialect, coltype)

    def process_result_value(self, value: datetime | int | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002  # signature of the base
        """Turn what the driver gives into an aware datetime in UTC."""
        if value is None:
            return None
        return value.astimezone(UTC) if isinstance(value, datetime) else _EPOCH + value * _MICROSECOND


# Collation "C" sorts by code point, as SQLite and Python do, so that keyset paging and merges run in one order
# everywhere; it also spares PostgreSQL the locale's comparison, the dearest part of a text index.
TEXT: Final[TypeEngine[str]] = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
WHOLE: Final = sa.BigInteger()
FLAG: Final = sa.Boolean()
TIME: Final = UtcTime()

SQL_TYPES: Final[dict[Kind, TypeEngine[Any]]] = {
    Kind.TEXT: TEXT,
    Kind.JSON: TEXT,
    Kind.MONEY: WHOLE,
    Kind.WHOLE: WHOLE,
    Kind.FLAG: FLAG,
    Kind.TIME: TIME,
}


def kind_of(type_: TypeEngine[Any]) -> Kind:
    """The kind of a selected column, which fixes its dtype in a frame; raises TypeError for any other type."""
    if isinstance(type_, UtcTime):
        return Kind.TIME
    if isinstance(type_, sa.Boolean):
        return Kind.FLAG
    if isinstance(type_, sa.Integer):
        return Kind.WHOLE
    if isinstance(type_, sa.String):
        return Kind.TEXT
    raise TypeError(f"no kind for a column of type {type_!r}: cast it to text, a whole number, a flag or a time")
