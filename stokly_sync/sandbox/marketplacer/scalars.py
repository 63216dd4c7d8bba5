"""The three scalars of the vendor: times, dates and decimals.

Belongs here: what is taken and what is refused, with the vendor's wording. A date may be given as a full time
stamp too; `2024-06-21T00` is neither. Source: Marketplacer API contract 2.2, 2.4, 4.3.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from graphql import GraphQLError

from stokly_sync.sandbox.marketplacer.ids import moment_text

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def _no(value: Any, scalar: str) -> GraphQLError:
    return GraphQLError(f'Could not coerce value "{value}" to {scalar}')


def _moment(scalar: str) -> Callable[[Any], datetime]:
    def parse(value: Any) -> datetime:
        if not isinstance(value, str):
            raise _no(value, scalar)
        try:
            if _DAY.fullmatch(value):
                return datetime.fromisoformat(value).replace(tzinfo=UTC)
            if _MOMENT.fullmatch(value):
                return datetime.fromisoformat(value).astimezone(UTC)
        except ValueError as error:
            raise _no(value, scalar) from error
        raise _no(value, scalar)

    return parse


def parse_decimal(value: Any) -> Decimal:
    """A decimal sent as a string (as the vendor's examples do) or as a number.

    Raises:
        GraphQLError: if it is neither.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float)) or not _NUMBER.fullmatch(str(value)):
        raise _no(value, "Decimal")
    try:
        return Decimal(str(value))
    except InvalidOperation as error:
        raise _no(value, "Decimal") from error


SCALARS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "ISO8601DateTime": (moment_text, _moment("ISO8601DateTime")),
    "ISO8601Date": (moment_text, _moment("ISO8601Date")),
    "Decimal": (str, parse_decimal),
}
"""Scalar -> how it is written, how it is read."""
