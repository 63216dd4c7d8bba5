"""What the lines of an invoice cost, tax and discount told apart, so that they add up to its total.

The names of these members are known at best, what they mean is not: whether a cost is a unit's or the line's, with or
without tax, with or without the discount. The total is proven: so each reading is tried, the likeliest first, and the
one that adds up is taken; where none does, the settings' reading stands, and whoever asks for completeness sees it.
All amounts are pence. Source: Marketplacer API contract 2.4, 4.1, 12.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import product
from typing import Any, Literal

from stokly_sync.systems.marketplacer.documents.amounts import pence, whole_number


@dataclass(frozen=True)
class Priced:
    """One line, or the postage: with tax, and the tax in it where anybody says so; discount positive."""

    gross: int
    tax: int | None
    discount: int = 0

    @property
    def net(self) -> int:
        """Without the tax, as far as that is known."""
        return self.gross - (self.tax or 0)


@dataclass(frozen=True)
class Policy:
    """What the settings say where the marketplace does not: whether amounts hold tax, and per cent of it."""

    amounts: Literal["gross", "net"] = "gross"
    tax_rate: Decimal | None = None


@dataclass(frozen=True)
class _Line:
    units: int
    cost: int | None
    whole: int | None
    tax: int | None
    discount: int


@dataclass(frozen=True)
class _Reading:
    """How costs are understood."""

    unit: bool
    discounted: bool
    taxed: bool

    def gross(self, line: _Line) -> int:
        """The line with tax after discount."""
        base = line.whole if line.cost is None or (not self.unit and line.whole is not None) else line.cost
        amount = (base or 0) * (line.units if self.unit and line.cost is not None else 1)
        if not self.discounted:
            amount -= line.discount
        return amount if self.taxed else amount + (line.tax or 0)


def priced(invoice: Mapping[str, Any], policy: Policy) -> tuple[list[Priced], Priced] | None:
    """Each line item of an invoice and the postage; None where the server does not say what a line costs."""
    lines = [_line(node) for node in invoice.get("lineItems") or ()]
    total = pence(invoice, "total")
    postage, postage_tax = _postage(invoice)
    if any(line.cost is None and line.whole is None for line in lines):
        if len(lines) != 1 or total is None:
            return None
        # One line: it is what the postage leaves of the total.
        lines = [_Line(lines[0].units, None, total - postage, lines[0].tax, 0)]
    reading = _reading(lines, total, postage, postage_tax, policy)
    found = [
        _with_tax(reading.gross(line), line.tax, policy, taxed=reading.taxed, discount=line.discount) for line in lines
    ]
    carried = postage if reading.taxed else postage + (postage_tax or 0)
    return found, _with_tax(carried, postage_tax, policy, taxed=reading.taxed)


def _reading(
    lines: Sequence[_Line], total: int | None, postage: int, postage_tax: int | None, policy: Policy
) -> _Reading:
    taxed_first = (policy.amounts == "gross", policy.amounts != "gross")
    readings = [_Reading(*one) for one in product((True, False), (False, True), taxed_first)]
    for reading in readings:
        carried = postage if reading.taxed else postage + (postage_tax or 0)
        if total is not None and sum(map(reading.gross, lines)) + carried == total:
            return reading
    return readings[0]


def _with_tax(gross: int, tax: int | None, policy: Policy, *, taxed: bool, discount: int = 0) -> Priced:
    if tax is not None or policy.tax_rate is None:
        return Priced(gross, tax, discount)
    if taxed:
        part = _rounded(Decimal(gross) * policy.tax_rate / (100 + policy.tax_rate))
        return Priced(gross, part, discount)
    added = _rounded(Decimal(gross) * policy.tax_rate / 100)
    return Priced(gross + added, added, discount)


def _rounded(value: Decimal) -> int:
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


def _line(node: Mapping[str, Any]) -> _Line:
    return _Line(
        units=whole_number(node.get("quantity"), "quantity") or 0,
        cost=whole_number(node.get("line_cost"), "line_cost"),
        whole=whole_number(node.get("line_total"), "line_total"),
        tax=whole_number(node.get("line_tax"), "line_tax"),
        discount=-(pence(node, "discount") or 0),
    )


def _postage(invoice: Mapping[str, Any]) -> tuple[int, int | None]:
    """Postage and its tax: the invoice's own, else the sum over its lines."""
    own, tax = invoice.get("postage"), invoice.get("postage_tax")
    if own is not None:
        return whole_number(own, "postage") or 0, whole_number(tax, "postage_tax")
    lines = invoice.get("lineItems") or ()
    amounts = [whole_number(node.get("line_postage"), "line_postage") for node in lines]
    taxes = [whole_number(node.get("line_postage_tax"), "line_postage_tax") for node in lines]
    told = [tax for tax in taxes if tax is not None]
    return sum(amount or 0 for amount in amounts), sum(told) if told else None
