"""Whether a value suits a field, and the form in which it is kept.

Belongs here: the rule of each field type, as data where it can be. Every failure is 2007.
Source: Emarsys API contract 1.7 (value rules); text that is too long: 7 (unknown, a switch).
"""

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from stokly_sync.sandbox.emarsys.envelope import RowError, as_text
from stokly_sync.sandbox.emarsys.fields import EMAIL, Field

Value = str | list[str]
"""A stored value: text, or for a multi-choice field the chosen ids."""

LENGTHS = {"shorttext": 60, "longtext": 255, "url": 255, "largetext": 65_535}
NUMERIC_DIGITS = 24

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}( \d{2}:\d{2}(:\d{2})?)?")
_URL = re.compile(r"https?://\S+")


def is_email(value: Any) -> bool:
    """Whether this is an e-mail address by its form."""
    return isinstance(value, str) and _EMAIL.fullmatch(value) is not None


def stored_form(field: Field, value: Any, *, long_text: Literal["refuse", "cut"]) -> Value | None:
    """The value as it is kept; None empties the field.

    Raises:
        RowError: 2007, naming the field and never the value.
    """
    if field.read_only or field.application_type == "voucher":
        raise RowError(2007, f"Field {field.id} cannot be written.")
    if value is None or value == "":
        return None
    kept = _FORMS[field.application_type](field, value)
    if kept is None:
        raise RowError(2007, f"Invalid value for field {field.id} of type {field.application_type}.")
    length = LENGTHS.get(field.application_type)
    if isinstance(kept, str) and length is not None and len(kept) > length:
        if long_text == "refuse":
            raise RowError(2007, f"Value for field {field.id} is longer than {length} characters.")
        return kept[:length]
    return kept


def _text(field: Field, value: Any) -> Value | None:
    if field.id == EMAIL and not is_email(value):
        return None
    return value if isinstance(value, str) else None


def _url(_field: Field, value: Any) -> Value | None:
    return value if isinstance(value, str) and _URL.fullmatch(value) else None


def _number(_field: Field, value: Any) -> Value | None:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        value = format(value, "f") if isinstance(value, Decimal) else str(value)
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        return None
    return value if sum(character.isdigit() for character in value) <= NUMERIC_DIGITS else None


def _date(_field: Field, value: Any) -> Value | None:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return None
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return None
    return value


def _choice(field: Field, value: Any) -> Value | None:
    chosen = as_text(value)
    return chosen if chosen in field.choices else None


def _choices(field: Field, value: Any) -> Value | None:
    if not isinstance(value, list) or not value:
        return None
    chosen = [text for text in map(as_text, value) if text is not None and text in field.choices]
    return chosen if len(chosen) == len(value) else None


_FORMS: dict[str, Callable[[Field, Any], Value | None]] = {
    "shorttext": _text,
    "longtext": _text,
    "largetext": _text,
    "url": _url,
    "numeric": _number,
    "date": _date,
    "singlechoice": _choice,
    "multichoice": _choices,
}
"""Field type -> what makes a stored value of a given one, or None where it does not suit."""
