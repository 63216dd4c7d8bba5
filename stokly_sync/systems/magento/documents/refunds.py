"""Refunds of Stokly as credit memos of Magento orders, and which memo is which refund (G5).

A credit memo is known to be a refund by our mark in its comment, by the memo's mark in the refund's reason (then the
refund came from Magento and never goes back), or by units and amount: each memo once, oldest refund first. Pure.
Source: Magento API contract 9, 15 (1, 14).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from stokly_sync.contracts.channels import MAGENTO
from stokly_sync.contracts.money import decimal, minor_digits, minor_unit, text
from stokly_sync.contracts.origins import marked
from stokly_sync.flow import Built, Document, Frames, Json, Problem
from stokly_sync.systems.magento import order_rules as rules
from stokly_sync.systems.magento.documents.common import records, versioned
from stokly_sync.systems.magento.documents.stock import is_ours
from stokly_sync.systems.magento.settings import MagentoSettings

SIBLINGS: Final = "siblings"
"""All refunds of the orders concerned."""
_DENIED: Final = "denied"


@dataclass(frozen=True)
class Refund:
    """A refund of either side: its key, nano units in all, units by SKU, and what else it may be known by.

    `reference` is the refund that a credit memo is marked with, `number` the memo's number, `reason` a refund's text.
    """

    key: str
    total: int
    currency: str
    units: Mapping[str, int]
    reference: str | None = None
    number: str | None = None
    reason: str | None = None


def matched(wanted: Sequence[Refund], there: Sequence[Refund]) -> dict[str, str]:
    """For refunds of one order, in their order, the credit memo that each is; those without one are left out."""
    free = {memo.key: memo for memo in there}
    found: dict[str, str] = {}

    def take(refund: Refund, fits: Sequence[Refund]) -> None:
        if fits and refund.key not in found:
            found[refund.key] = fits[0].key
            del free[fits[0].key]

    for refund in wanted:
        take(refund, [m for m in free.values() if m.reference == refund.key])
    for refund in wanted:
        take(refund, [m for m in free.values() if came_from(refund, m)])
    for same_units in (True, False):
        for refund in wanted:
            fits = [m for m in free.values() if m.reference is None and _equal(refund, m)]
            take(refund, [m for m in fits if not same_units or Counter(m.units) == Counter(refund.units)])
    return found


def came_from(refund: Refund, memo: Refund) -> bool:
    """Whether a refund was made from the credit memo: its reason carries the memo's mark."""
    return marked(refund.reason, MAGENTO) == memo.key


def _equal(refund: Refund, memo: Refund) -> bool:
    # What one side rounds by line the other may round as a whole.
    pieces = max(1, len(refund.units), len(memo.units))
    return refund.currency == memo.currency and abs(refund.total - memo.total) <= pieces * minor_unit(memo.currency)


def build_refunds(frames: Frames, settings: MagentoSettings) -> Built:
    """Credit memos from `stokly.refunds`; the key is the refund id, `held` names memos that are there already.

    Keeps back what came from Magento, what is not complete or of another channel, and, where the settings say raise,
    whatever Magento does not have.
    """
    orders = {row["order_id"]: row for row in records(frames["stokly.orders"])}
    channel = {row["number"]: row for row in records(frames["magento.orders"]) if row["live"]}
    memos, units = memos_by_order(frames), units_of(frames["stokly.refund_lines"], "refund_id")
    siblings = _siblings(frames, settings, units)
    lines = _skus(frames)
    documents: list[Document] = []
    kept: list[Problem] = []
    held: dict[str, str | None] = {}
    for row in records(frames["stokly.refunds"]):
        key, order = row["refund_id"], orders.get(row["order_id"])
        there = channel.get(order["channel_reference"]) if order is not None else None
        problem = _kept_back(row, order, there, settings)
        if problem is None and there is not None:
            mine, of_order = siblings.get(there["number"], []), memos.get(there["order_id"], [])
            name = matched(mine, of_order).get(key)
            memo = next((m for m in of_order if m.key == name), None)
            own = next(refund for refund in mine if refund.key == key)
            problem = _decided(row, own, memo, lines.get(there["order_id"], {}), settings)
            if problem is None:
                documents.append(_document(row, own, _body(row, own, there, settings)))
                if memo is not None:
                    held[key] = memo.key
        if problem is not None:
            kept.append(problem)
    return Built(documents, kept, held)


def _decided(
    row: Json, own: Refund, memo: Refund | None, ordered: Mapping[str, int], settings: MagentoSettings
) -> Problem | None:
    """Why a refund of one of our orders is not sent; None for one that is there already, or may be made."""
    key, origin = own.key, marked(own.reason, MAGENTO)
    if origin is not None:
        return Problem(key, rules.REFUND_ORIGIN.code, f"made from credit memo {origin}")
    if memo is not None:
        return None
    if settings.refunds == "raise":
        amount = f"{own.currency} {text(own.total)}"
        tax = "" if row["tax"] is None else f", of it {text(row['tax'])} VAT that Magento still shows as due"
        return Problem(key, rules.REFUND_MISSING.code, f"{amount} refunded in Stokly{tax}")
    for sku, wanted in own.units.items():
        if wanted > ordered.get(sku, 0):
            told = f"{wanted} of SKU {sku} refunded, {ordered.get(sku, 0)} left to refund in Magento"
            return Problem(key, rules.REFUND_QUANTITY.code, told)
    return None


def _kept_back(row: Json, order: Json | None, there: Json | None, settings: MagentoSettings) -> Problem | None:
    key = row["refund_id"]
    if row["order_id"] is None or (order is not None and not is_ours(order, settings)):
        return Problem(key, rules.NOT_FROM_HERE.code, "its order came from another channel")
    if not _counts(row, settings):
        return Problem(key, rules.REFUND_REMOVED.code, "removed, or not complete")
    if order is None or there is None:
        named = "its order has not been taken over" if order is None else f"order {order['channel_reference']}"
        return Problem(key, rules.ORDER_UNKNOWN.code, named)
    return None


def _counts(row: Json, settings: MagentoSettings) -> bool:
    return row["live"] and (row["status"] is None or row["status"] in settings.refund_states)


def _siblings(frames: Frames, settings: MagentoSettings, units: Mapping[str, Counter[str]]) -> dict[str, list[Refund]]:
    """All refunds that count of the orders concerned, by the order's number in Magento, oldest first."""
    numbers = {row["order_id"]: row["channel_reference"] for row in records(frames["stokly.orders"])}
    found: dict[str, list[Refund]] = {}
    for row in sorted(records(frames[SIBLINGS]), key=lambda r: (r["created_at"], r["refund_id"])):
        if _counts(row, settings) and numbers.get(row["order_id"]):
            found.setdefault(numbers[row["order_id"]], []).append(refund_of(row, units))
    return found


def refund_of(row: Json, units: Mapping[str, Counter[str]]) -> Refund:
    """A row of `stokly.refunds` as it is matched."""
    key = row["refund_id"]
    return Refund(key, row["total"], row["currency"], units.get(key, {}), reason=row["reason"])


def memos_by_order(frames: Frames) -> dict[str, list[Refund]]:
    """Live credit memos of `magento.refunds` by order id, oldest first."""
    units = units_of(frames["magento.refund_lines"], "refund_id")
    found: dict[str, list[Refund]] = {}
    for row in sorted(records(frames["magento.refunds"]), key=lambda r: (r["created_at"], r["refund_id"])):
        if row["live"] and row["state"] != _DENIED:
            key = row["refund_id"]
            memo = Refund(key, row["total"], row["currency"], units.get(key, {}), row["reference"], row["number"])
            found.setdefault(row["order_id"], []).append(memo)
    return found


def units_of(lines: Any, key: str) -> dict[str, Counter[str]]:
    """Units by SKU of each owner; lines that give back no goods are left out."""
    found: dict[str, Counter[str]] = {}
    for line in records(lines):
        if line["sku"] is not None and line["quantity"]:
            found.setdefault(line[key], Counter())[line["sku"]] += line["quantity"]
    return found


def _skus(frames: Frames) -> dict[str, Counter[str]]:
    """Units by SKU that are left to refund, by order id of Magento."""
    found: dict[str, Counter[str]] = {}
    for line in records(frames["magento.order_lines"]):
        if line["sku"] is not None:
            gone = (line["quantity_cancelled"] or 0) + (line["quantity_refunded"] or 0)
            found.setdefault(line["order_id"], Counter())[line["sku"]] += line["quantity"] - gone
    return found


def _document(row: Json, own: Refund, body: Json) -> Document:
    version = versioned(f"refund {own.key}", row["version"])
    return Document(own.key, body, version, event_at=row["created_at"], value=own.total, currency=own.currency)


def _body(row: Json, own: Refund, there: Json, settings: MagentoSettings) -> Json:
    shipping = decimal(row["shipping"] or 0)
    rate = decimal(there["shipping_tax"] or 0) / decimal(there["shipping"]) if there["shipping"] else Decimal(0)
    cent = Decimal(1).scaleb(-minor_digits(own.currency))
    return {
        "order": there["order_id"],
        "refund": own.key,
        "number": row["number"],
        "units": dict(sorted(own.units.items())),
        "currency": own.currency,
        "total": decimal(own.total).quantize(cent),
        "shipping": shipping.quantize(cent),
        "shipping_gross": (shipping * (1 + rate)).quantize(cent),
        "notify": settings.notify_customer,
    }
