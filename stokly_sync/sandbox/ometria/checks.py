"""Checks of single values: is this a string, an amount, a time stamp as the vendor takes it?

Each check answers None for a good value, or the path below it (empty for the value itself) of the first
bad one, in the vendor's way of writing paths. Which field gets which check is said in `validation`.
"""

import re
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from stokly_sync.sandbox.ometria.codes import COUNTRIES, CURRENCIES

Path = tuple[str, ...]
Check = Callable[[Any], Path | None]
HERE: Path = ()

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_PHONE = re.compile(r"\+[1-9]\d{6,14}")


def text(value: Any) -> Path | None:
    """A JSON string."""
    return None if isinstance(value, str) else HERE


def boolean(value: Any) -> Path | None:
    """A JSON boolean."""
    return None if isinstance(value, bool) else HERE


def number(value: Any) -> Path | None:
    """A JSON number; numbers in quotes are refused."""
    return None if isinstance(value, int | Decimal) and not isinstance(value, bool) else HERE


def whole(value: Any) -> Path | None:
    """A JSON number without a fraction part."""
    return None if isinstance(value, int) and not isinstance(value, bool) else HERE


def identifier(value: Any) -> Path | None:
    """A non-empty string without an at sign: ids must not hold personal data (section 3)."""
    return None if isinstance(value, str) and value.strip() and "@" not in value else HERE


def email(value: Any) -> Path | None:
    """An e-mail address by its form."""
    return None if isinstance(value, str) and _EMAIL.fullmatch(value) else HERE


def timestamp(value: Any) -> Path | None:
    """An ISO 8601 date and time that exists, with `Z` or an offset (section 3; naive ones, pitfall 8)."""
    if not isinstance(value, str) or not _TIMESTAMP.fullmatch(value):
        return HERE
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return HERE
    return None


def calendar_date(value: Any) -> Path | None:
    """A date `YYYY-MM-DD` that exists."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return HERE
    try:
        date.fromisoformat(value)
    except ValueError:
        return HERE
    return None


def phone(value: Any) -> Path | None:
    """A telephone number in E.164 form."""
    return None if isinstance(value, str) and _PHONE.fullmatch(value) else HERE


def currency(value: Any) -> Path | None:
    """An ISO 4217 code, upper case."""
    return None if isinstance(value, str) and value in CURRENCIES else HERE


def country(value: Any) -> Path | None:
    """An ISO 3166-1 alpha-2 code, upper case."""
    return None if isinstance(value, str) and value in COUNTRIES else HERE


def one_of(*allowed: str) -> Check:
    """One of the given words."""
    return lambda value: None if isinstance(value, str) and value in allowed else HERE


def list_of(check: Check) -> Check:
    """A JSON array, each element of which passes `check`."""

    def checked(value: Any) -> Path | None:
        if not isinstance(value, list):
            return HERE
        for position, element in enumerate(value):
            below = check(element)
            if below is not None:
                return (str(position), *below)
        return None

    return checked


def object_of(fields: Mapping[str, Check], *, required: Collection[str] = (), any_of: Collection[str] = ()) -> Check:
    """A JSON object: known members pass their check, `required` are there, and one of `any_of` is.

    A member that is null counts as absent; members that are not known are let through.
    """

    def checked(value: Any) -> Path | None:
        if not isinstance(value, dict):
            return HERE
        return missing(value, required=required, any_of=any_of) or bad_member(value, fields)

    return checked


def missing(value: Mapping[str, Any], *, required: Collection[str], any_of: Collection[str]) -> Path | None:
    """The first required member that is absent or null, or the first of `any_of` if none of them is there."""
    for name in required:
        if value.get(name) is None:
            return (name,)
    if any_of and all(value.get(name) is None for name in any_of):
        return (next(iter(any_of)),)
    return None


def bad_member(value: Mapping[str, Any], fields: Mapping[str, Check]) -> Path | None:
    """The path of the first known member that does not pass its check."""
    for name, member in value.items():
        check = fields.get(name)
        if check is None or member is None:
            continue
        below = check(member)
        if below is not None:
            return (name, *below)
    return None
