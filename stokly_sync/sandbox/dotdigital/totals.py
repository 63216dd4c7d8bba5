"""Sums over everything the Dotdigital sandbox holds, for tests and the demo to compare with.

Not part of the vendor's API, which has no sums. Amounts are exact, per currency, and written as text with
at least two places. Source of what is summed: Dotdigital API contract 3 (orders record, refunds) and 6.
"""

from collections import defaultdict
from decimal import Decimal, localcontext
from typing import Any

from stokly_sync.sandbox.dotdigital.reading import count_statuses
from stokly_sync.sandbox.dotdigital.store import Record, Store

TWO_PLACES = Decimal("0.01")
PRECISION = 100
"""Digits that a sum may have; the usual 28 would round an absurd amount instead of showing it."""

AMOUNTS = {
    "order_total": ("order_total", "orderTotal"),
    "order_total_gross": ("order_total_gross", "orderTotalGross"),
    "refund_total": ("refund_total", "refundTotal"),
}
"""What is summed over orders, in both spellings that the platform reads."""


def totals(store: Store) -> dict[str, Any]:
    """Contacts by status and list, records by collection, and the sums of every `orders` collection."""
    with localcontext(prec=PRECISION):
        return {
            "contacts": {
                "all": len(store.contacts),
                "status": count_statuses(store),
                "lists": {book.name: count for book in store.lists.values() if (count := _members(store, book.id))},
            },
            "collections": {name: len(collection.records) for name, collection in store.collections.items()},
            "orders": {
                name: _orders([row.json for row in collection.records.values()])
                for name, collection in store.collections.items()
                if collection.type == "orders"
            },
            "events": {"kept": len(store.events), "lost": store.lost_events},
        }


def _members(store: Store, number: int) -> int:
    return sum(number in contact.lists for contact in store.contacts.values())


def _orders(orders: list[Record]) -> dict[str, Any]:
    sums: dict[str, defaultdict[str, Decimal]] = {name: defaultdict(Decimal) for name in AMOUNTS}
    for order in orders:
        for name, spellings in AMOUNTS.items():
            amount = next((order[spelling] for spelling in spellings if spelling in order), None)
            if amount is not None:
                sums[name][str(order.get("currency") or "")] += amount
    shown = {
        name: {code: amount_text(value) for code, value in sorted(by_currency.items())}
        for name, by_currency in sums.items()
    }
    return {"count": len(orders), **shown}


def amount_text(value: Decimal) -> str:
    """An amount without exponent, with two places or as many as it has."""
    with localcontext(prec=PRECISION):
        rounded = value.quantize(TWO_PLACES)
        return format(rounded if rounded == value else value.normalize(), "f")
