"""Money and times as the shop's database and its answers have them.

Belongs here: rounding, base-currency twins, and how a row becomes JSON. Amounts are `Decimal`, rounded
half up to two places as PHP does; times are texts in UTC to the second.
Source: Magento API contract 4 (dates) and 6.2 (money, nulls).
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Row = dict[str, Any]

ZERO = Decimal(0)
CENT = Decimal("0.01")
HUNDRED = Decimal(100)


def stamp(moment: datetime) -> str:
    """A moment as the database keeps it: `2026-01-02 03:04:05`, UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def cents(amount: Decimal) -> Decimal:
    """An amount rounded half up to two places."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def amount(value: Any) -> Decimal:
    """A member of a row as a number; what is not set counts as nothing."""
    return Decimal(value) if value is not None else ZERO


def twin(name: str) -> str:
    """The name of the amount in the website's base currency; one of them is irregular."""
    irregular = {"shipping_discount_tax_compensation_amount": "base_shipping_discount_tax_compensation_amnt"}
    return irregular.get(name, f"base_{name}")


def put_money(row: Row, amounts: Mapping[str, Decimal], *, rate: Decimal) -> None:
    """Set amounts of the order's currency together with their base twins; `rate` is order by base."""
    for name, value in amounts.items():
        row[name] = value
        row[twin(name)] = value if rate == 1 else cents(value / rate)


def add_money(row: Row, amounts: Mapping[str, Decimal], *, rate: Decimal) -> None:
    """Add to amounts, twins too."""
    put_money(row, {name: amount(row.get(name)) + value for name, value in amounts.items()}, rate=rate)


def portion(whole: Decimal, *, quantity: Decimal, of: Decimal, done_quantity: Decimal, done: Decimal) -> Decimal:
    """The share of an amount for a part of a quantity; the last part takes what rounding has left."""
    if done_quantity + quantity >= of:
        return whole - done
    return cents(whole * quantity / of)


def plain(value: Decimal) -> Decimal | int:
    """A number as PHP writes it: without trailing zeros, and whole if it is."""
    if value == value.to_integral_value():
        return int(value)
    return value.normalize()


def wire(value: Any) -> Any:
    """A value ready for JSON: numbers written as PHP does, all the way down."""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, dict):
        return {name: wire(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [wire(member) for member in value]
    return value


def shown(row: Mapping[str, Any], *, without: Iterable[str] = ()) -> Row:
    """A row's columns: what is null or private (`_name`) is left out (section 6.2)."""
    hidden = set(without)
    return {
        name: value
        for name, value in row.items()
        if value is not None and not name.startswith("_") and name not in hidden
    }
