"""Sums over everything the Ometria sandbox holds, for tests and the demo to compare with.

Not part of the vendor's API. Amounts are exact, per currency, and written as text with at least two
places. Source of the counting rules: Ometria API contract 3 (order.is_valid) and 4 (recon recipe).
"""

from collections import defaultdict
from decimal import Decimal, localcontext
from typing import Any

from stokly_sync.sandbox.ometria.reading import total
from stokly_sync.sandbox.ometria.store import Record, Store

TWO_PLACES = Decimal("0.01")


PRECISION = 100
"""Digits that a sum may have; the usual 28 would round an absurd amount instead of showing it."""


def totals(store: Store) -> dict[str, Any]:
    """Counts by type, and of orders the sums by currency.

    `grand_total` adds up valid orders only (an order without `is_valid` is valid); `refunded`, `quantity`
    and `quantity_refunded` add up the lines of all orders. An order without a currency stands under "".
    """
    with localcontext(prec=PRECISION):
        return _totals(store)


def _totals(store: Store) -> dict[str, Any]:
    grand: defaultdict[str, Decimal] = defaultdict(Decimal)
    refunded: defaultdict[str, Decimal] = defaultdict(Decimal)
    quantity = quantity_refunded = valid = 0
    for row in store.orders.values():
        order = row.fields
        lines = order.get("lineitems") or []
        refunded[currency_of(order)] += total(lines, "refunded")
        quantity += int(total(lines, "quantity"))
        quantity_refunded += int(total(lines, "quantity_refunded"))
        if order.get("is_valid", True):
            valid += 1
            grand[currency_of(order)] += order["grand_total"]
    variants = sum(1 for row in store.products.values() if row.fields.get("is_variant"))
    return {
        "contacts": {name: len(rows) for name, rows in store.contacts.items() if rows},
        "products": {"parents": len(store.products) - variants, "variants": variants},
        "orders": {"all": len(store.orders), "valid": valid},
        "events": len(store.events),
        "grand_total": {code: amount_text(value) for code, value in sorted(grand.items())},
        "refunded": {code: amount_text(value) for code, value in sorted(refunded.items()) if value},
        "quantity": quantity,
        "quantity_refunded": quantity_refunded,
    }


def currency_of(order: Record) -> str:
    """The selling currency of an order, or "" if it names none."""
    local = (order.get("totals") or {}).get("local") or {}
    return order.get("currency") or local.get("currency") or ""


def amount_text(value: Decimal) -> str:
    """An amount without exponent, with two places or as many as it has."""
    with localcontext(prec=PRECISION):
        rounded = value.quantize(TWO_PLACES)
        return format(rounded if rounded == value else value.normalize(), "f")
