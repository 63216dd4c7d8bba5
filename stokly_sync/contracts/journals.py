"""Payouts of a marketplace as balanced journal entries: sales, refunds, commission, tax on it, payout (P5).

One journal a remittance, one line a role. Debits are positive, credits negative, and a journal sums to nothing, because
a remittance that does not add up is never landed. A journal is only ever added to: what a remittance should come to,
less what was journalled of it before, is its next entry. Amounts are nano units of one currency. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final


class Role(StrEnum):
    """What a line of a journal is for; which account that is, is said by settings."""

    PAYOUT = "payout"
    """What reached the bank, or is on its way."""
    COMMISSION = "commission"
    COMMISSION_TAX = "commission_tax"
    REFUNDS = "refunds"
    REFUNDS_TAX = "refunds_tax"
    SALES = "sales"
    SALES_TAX = "sales_tax"
    ADJUSTMENTS = "adjustments"


FALLBACK: Final[Mapping[Role, tuple[Role, ...]]] = {
    Role.SALES_TAX: (Role.SALES,),
    Role.REFUNDS_TAX: (Role.SALES_TAX, Role.REFUNDS),
    Role.ADJUSTMENTS: (Role.SALES,),
    Role.COMMISSION_TAX: (Role.COMMISSION,),
}
"""Where a role goes that has no account of its own: the first of these that has one."""
ROLES: Final = tuple(role.value for role in Role)


@dataclass(frozen=True)
class Line:
    """One line of a journal: nano units, debit positive."""

    role: Role
    amount: int


@dataclass(frozen=True)
class Journal:
    """One entry of a journal; `entry` counts from 1, those after the first correct what a remittance became since."""

    channel: str
    remittance: str
    entry: int
    number: str
    at: datetime
    currency: str
    lines: tuple[Line, ...]

    @property
    def id(self) -> str:
        """The name by which an accounting package shows it, which is what tells that it was imported already."""
        return f"{self.channel}-{self.number}" + (f"-{self.entry}" if self.entry > 1 else "")


def amounts(lines: Sequence[Mapping[str, Any]]) -> dict[Role, int]:
    """What the lines of one remittance come to by role; rows of `<channel>.remittance_lines`.

    Raises ValueError where they do not balance. Source: P5.
    """
    found: Counter[Role] = Counter()
    for line in lines:
        gross, tax = line["gross"], line["tax"] or 0
        kind = line["kind"]
        if kind == "adjustment":
            found[Role.ADJUSTMENTS] -= gross
        else:
            goods, taxes = (Role.REFUNDS, Role.REFUNDS_TAX) if kind == "refund" else (Role.SALES, Role.SALES_TAX)
            found[goods] -= gross - tax
            found[taxes] -= tax
        found[Role.COMMISSION] += line["commission"]
        found[Role.COMMISSION_TAX] += line["commission_tax"] or 0
        found[Role.PAYOUT] += line["payout"]
    _refuse_unbalanced(found)
    return {role: found[role] for role in Role if found[role]}


def missing(wanted: Mapping[Role, int], journalled: Mapping[Role, int]) -> tuple[Line, ...]:
    """The lines of the next entry: what there should be less what there is; none where that is nothing."""
    left = {role: wanted.get(role, 0) - journalled.get(role, 0) for role in Role}
    _refuse_unbalanced(left)
    return tuple(Line(role, amount) for role, amount in left.items() if amount)


def accounted(lines: Sequence[Line], accounts: Mapping[str, str]) -> list[tuple[str, Role, int]]:
    """Account, role and amount of each line, those of one account and role put together.

    Raises KeyError naming the role that has no account.
    """
    found: Counter[tuple[str, Role]] = Counter()
    for line in lines:
        held = next((role for role in (line.role, *FALLBACK.get(line.role, ())) if role in accounts), line.role)
        found[accounts[held], line.role] += line.amount
    return [(account, role, amount) for (account, role), amount in found.items() if amount]


def _refuse_unbalanced(found: Mapping[Role, int]) -> None:
    if sum(found.values()):
        raise ValueError(f"the lines of a journal do not balance: {sum(found.values())} nano units are left")
