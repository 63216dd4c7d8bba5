"""Reading the bodies of Stokly's writes: what must be there, what it must look like, and how it is flattened.

Belongs here: from nested JSON as it is written to the flat members as they are read, and the refusals on the way. Which
record is made of it is said in `sales_writes` and `other_writes`. Source: Stokly API contract 2.4, 2.6, 3.1, 4.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from stokly_sync.sandbox.kit import NotJsonError, decode
from stokly_sync.sandbox.stokly.conditions import Row
from stokly_sync.sandbox.stokly.times import parse_filter_time

PARTS = ("line1", "line2", "city", "region", "postcode", "country")
_NEEDED = ("line1", "city", "postcode")


class RefusedWriteError(Exception):
    """A write that Stokly does not take; `status` is 400 for its content, 409 for the state of what it is about."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def read_object(body: bytes) -> Row:
    """The JSON object of a body; refuses everything else."""
    try:
        value = decode(body) if body else {}
    except NotJsonError:
        raise RefusedWriteError("Invalid JSON") from None
    if not isinstance(value, dict):
        raise RefusedWriteError("Invalid body")
    return value


def need(row: Mapping[str, Any], *names: str) -> None:
    """Refuse a body that lacks one of these members, naming it."""
    for name in names:
        if row.get(name) in (None, ""):
            raise RefusedWriteError(f"{name} is required")


def objects(row: Mapping[str, Any], name: str) -> list[Row]:
    """A member that is a list of objects; absent is empty."""
    value = row.get(name) or []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise RefusedWriteError(f"{name} must be a list")
    return value


def number(value: Any, name: str, *, missing: int | None = None) -> Decimal:
    """An amount or a quantity: a JSON number, or text that is one (a voucher's amount was sent so)."""
    if value is None and missing is not None:
        return Decimal(missing)
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise RefusedWriteError(f"{name} must be a number")
    try:
        found = Decimal(value)
    except InvalidOperation:
        raise RefusedWriteError(f"{name} must be a number") from None
    if not found.is_finite():
        raise RefusedWriteError(f"{name} must be a number")
    return found


def currency(row: Mapping[str, Any], name: str = "currency") -> str:
    """A currency code of three capital letters."""
    value = row.get(name)
    if not isinstance(value, str) or len(value) != 3 or not value.isalpha() or not value.isupper():
        raise RefusedWriteError(f"{name} must be an ISO 4217 code")
    return value


def moment(row: Mapping[str, Any], name: str, *, default: str) -> str:
    """A time as the sandbox keeps it; the given default where there is none."""
    value = row.get(name)
    if value is None:
        return default
    found = parse_filter_time(value) if isinstance(value, str) else None
    if found is None:
        raise RefusedWriteError(f"{name} must be an ISO 8601 time")
    return found


def address(value: Any, prefix: str) -> Row:
    """A nested address as flat members (`shippingAddressLine1`); line1, city and postcode must not be empty."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise RefusedWriteError(f"{prefix}Address must be an object")
    need(value, *_NEEDED)
    country = value.get("country")
    if country and not (isinstance(country, str) and len(country) == 2 and country.isupper()):
        raise RefusedWriteError("country must be an ISO 3166-1 alpha-2 code")
    return {f"{prefix}Address{part.capitalize()}": str(value[part]) for part in PARTS if value.get(part)}


def person(value: Any) -> str:
    """A name of forename and surname as one text; the surname must not be empty."""
    if not isinstance(value, dict):
        raise RefusedWriteError("name is required")
    need(value, "surname")
    return " ".join(str(value[part]) for part in ("forename", "surname") if value.get(part))


def present(row: Mapping[str, Any], *names: str) -> Row:
    """Those of these members that are there and not empty: absent ones are left out of what is kept (2.1)."""
    return {name: row[name] for name in names if row.get(name) not in (None, "", [])}
