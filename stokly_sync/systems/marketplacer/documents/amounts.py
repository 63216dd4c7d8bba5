"""Money as Marketplacer writes it: whole pence, or a text with a currency sign where those are gone.

Belongs here: reading both, exactly. Prices of products are decimal texts in pounds and never come here. Source:
Marketplacer API contract 2.4.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

_NUMBER: Final = re.compile(
    r"[-\u2212(]?\s*[^\d\s(\u2212-]{0,4}\s*([-\u2212]?)\s*(\d[\d,\s]*(?:\.\d+)?)\s*[^\d]{0,4}\)?"
)


class Unreadable(ValueError):
    """A member that cannot be turned into its column; says which of the contract's rules it breaks."""

    def __init__(self, detail: str, *, money: bool = False, time: bool = False) -> None:
        super().__init__(detail)
        self.money = money
        self.time = time


def pence(node: Mapping[str, Any], base: str) -> int | None:
    """The amount `base` of a node: `<base>Cents` where it is there, else `<base>Formatted` read; None for neither."""
    whole = node.get(f"{base}Cents")
    if whole is not None:
        return whole_number(whole, f"{base}Cents")
    text = node.get(f"{base}Formatted")
    return None if text is None else read_text(str(text), f"{base}Formatted")


def whole_number(value: Any, member: str) -> int | None:
    """A whole number as it came; raises Unreadable for anything else."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unreadable(f"{member} is no whole number of pence", money=True)
    return value


def read_text(text: str, member: str) -> int:
    """Pence from a text such as `£1,234.50`, `-£3.00` or `(£3.00)`; raises Unreadable for what is none."""
    found = _NUMBER.fullmatch(text.strip())
    if found is None:
        raise Unreadable(f"{member} is no amount", money=True)
    negative = text.strip()[0] in "-\u2212(" or found.group(1) != ""
    try:
        amount = Decimal(re.sub(r"[,\s]", "", found.group(2))).scaleb(2)
    except InvalidOperation as error:
        raise Unreadable(f"{member} is no amount", money=True) from error
    if amount != amount.to_integral_value():
        raise Unreadable(f"{member} has parts of a penny", money=True)
    return -int(amount) if negative else int(amount)
