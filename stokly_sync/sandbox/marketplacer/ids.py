"""Global ids, cursors, and the vendor's two ways of writing money.

Belongs here: text forms that every part of the API shares. `Invoice-13218` is `SW52b2ljZS0xMzIxOA==`; a cursor
holds a position and is meant to be passed back unread. Source: Marketplacer API contract 2.3, 2.4.
"""

import base64
import binascii
from datetime import UTC, datetime
from decimal import Decimal

SYMBOL, CURRENCY = "£", "GBP"


def global_id(kind: str, number: int) -> str:
    """The opaque id of a thing of that type."""
    return base64.b64encode(f"{kind}-{number}".encode()).decode()


def read_id(text: str) -> tuple[str, int] | None:
    """Type and number of a global id, or None if it is none."""
    try:
        kind, _, number = base64.b64decode(text, validate=True).decode("ascii").rpartition("-")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (kind, int(number)) if kind and number.isascii() and number.isdecimal() else None


def cursor(position: int) -> str:
    """The cursor of the row at that place, counted from one."""
    return base64.b64encode(f"row {position}".encode()).decode().rstrip("=")


def position(text: str) -> int | None:
    """The place that a cursor names, or None if it is no cursor of ours."""
    try:
        word, _, number = base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode("ascii").partition(" ")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return int(number) if word == "row" and number.isascii() and number.isdecimal() else None


def formatted(pence: int) -> str:
    """Pence as the string with a currency symbol: `£1,234.56`, `-£5.00`."""
    pounds, rest = divmod(abs(pence), 100)
    return f"{'-' if pence < 0 else ''}{SYMBOL}{pounds:,}.{rest:02d}"


def price_text(price: Decimal) -> str:
    """A product price as it is read: no trailing zeros, but at least one decimal, such as `25.0`."""
    plain = f"{price.normalize():f}"
    return plain if "." in plain else f"{plain}.0"


def moment_text(moment: datetime | str) -> str:
    """A moment as it is read: ISO 8601 with its zone, whole seconds; what was planted as a text, as it stands."""
    if isinstance(moment, str):
        return moment
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
