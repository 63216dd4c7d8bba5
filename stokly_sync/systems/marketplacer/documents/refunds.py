"""Refunds of Stokly as refund requests, or as an exception while somebody enters them by hand (P10).

Each refund is first held against what the marketplace has: a request or an amendment that shows it, one to one. So one
that began there and was taken into Stokly never goes back, whoever took it over. What is left is created, or raised
with the VAT that both sides state differently until then. Source: Marketplacer API contract 5.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import pandas as pd

from stokly_sync.contracts import columns
from stokly_sync.contracts.channels import MARKETPLACER
from stokly_sync.contracts.money import minor_unit, text
from stokly_sync.flow import Built, Document, Frames, Json, Problem
from stokly_sync.systems.marketplacer import rules
from stokly_sync.systems.marketplacer.documents.common import Line, Sale, sales
from stokly_sync.systems.marketplacer.settings import MarketplacerSettings

OF_ORDER: Final = "refunds of the same orders"
"""Frame of all refunds in Stokly of the orders that are looked at."""
POSTAGE: Final = "Postage and other"
_PENNY: Final = 10**7


@dataclass
class Refund:
    """One refund on either side: total and tax in nano units, units and amount by SKU."""

    key: str
    order: str
    total: int
    at: datetime
    currency: str = ""
    tax: int = 0
    number: str | None = None
    version: datetime | None = None
    counts: bool = True
    units: Counter[str] = field(default_factory=Counter)
    amounts: Counter[str] = field(default_factory=Counter)


def build_refunds(frames: Frames, settings: MarketplacerSettings) -> Built:
    """Documents from `stokly.refunds`; held where the marketplace has the refund, with its id there."""
    asked = set(columns.keys(frames["stokly.refunds"]["refund_id"]))
    bought, theirs = sales(frames, settings), _theirs(frames)
    by_order: dict[str, list[Refund]] = defaultdict(list)
    kept: list[Problem] = []
    for refund in sorted(_ours(frames, settings), key=lambda r: (r.at, r.key)):
        if refund.order in bought and refund.counts:
            by_order[refund.order].append(refund)
        elif refund.key in asked:
            kept.append(Problem(refund.key, rules.REFUND_OTHER.code, "no order here, not completed, or removed"))
    documents: list[Document] = []
    held: dict[str, str | None] = {}
    for order, refunds in by_order.items():
        sale = bought[order]
        tied = tie(refunds, theirs.get(sale.invoice, []))
        alike: Counter[str] = Counter()
        for refund in refunds:
            document = _document(refund, sale, alike, settings)
            if refund.key not in asked:
                continue
            if settings.refunds == "raise" and refund.key not in tied:
                kept.append(_missing(refund))
                continue
            documents.append(document)
            if refund.key in tied:
                held[refund.key] = tied[refund.key]
    return Built(documents, kept, held)


def tie(ours: Sequence[Refund], theirs: Sequence[Refund]) -> dict[str, str]:
    """Our refunds tied to theirs, one to one: by goods and total, then by total, then by goods."""
    tied: dict[str, str] = {}
    free = {refund.key: refund for refund in theirs}
    for goods, total in ((True, True), (False, True), (True, False)):
        for refund in ours:
            if refund.key in tied:
                continue
            found = next((t for t in free.values() if _alike(refund, t, goods=goods, total=total)), None)
            if found is not None:
                tied[refund.key] = found.key
                del free[found.key]
    return tied


def _alike(ours: Refund, theirs: Refund, *, goods: bool, total: bool) -> bool:
    if goods and (not ours.units or +ours.units != +theirs.units):
        return False
    slack = minor_unit(ours.currency) * max(len(ours.units), 1)
    return not total or abs(ours.total - theirs.total) <= slack


def _document(refund: Refund, sale: Sale, alike: Counter[str], settings: MarketplacerSettings) -> Document:
    items: list[Json] = []
    rest = refund.total
    for sku, units in refund.units.items():
        amount = refund.amounts[sku]
        rest -= amount
        items += _items(sku, units, amount, [line for line in sale.all_lines if line.sku == sku])
    if rest >= _PENNY:
        items.append({"custom": POSTAGE, "quantity": 1, "amountPerItemCents": rest // _PENNY})
    signature = repr(sorted((i.get("lineItemId") or i["custom"], i["quantity"]) for i in items))
    body: Json = {
        "invoiceId": sale.invoice,
        "lineItems": items,
        "notes": [{"note": f"Stokly refund {refund.number or refund.key}"}],
        # How many like it stand before it, so that one of two equal refunds is not taken for the other.
        "before": alike[signature],
        "cashAmountCents": refund.total // _PENNY,
        "pay": settings.refunds_pay,
    }
    alike[signature] += 1
    return Document(
        refund.key, body, refund.version or refund.at, event_at=refund.at, value=refund.total, currency=refund.currency
    )


def _items(sku: str, units: int, amount: int, lines: Sequence[Line]) -> list[Json]:
    """Line items for some units of a SKU; an amount that is not their price goes by amount."""
    found: list[Json] = []
    price = 0
    left = units
    for line in lines:
        some = min(left, line.ordered - line.cancelled - line.refunded)
        if some <= 0 or not line.ordered:
            continue
        sent = line.shipped - line.refunded >= some
        found.append({"lineItemId": line.key, "quantity": some, "reason": "Refunded in Stokly", "dispatched": sent})
        price += line.total * some // line.ordered
        left -= some
    if found and left == 0 and abs(price - amount) <= _PENNY * units:
        return found
    return [{"custom": f"Refund of {sku}", "quantity": 1, "amountPerItemCents": amount // _PENNY}]


def _missing(refund: Refund) -> Problem:
    detail = f"{text(refund.total)} {refund.currency} refunded in Stokly, with VAT of {text(refund.tax)}"
    return Problem(refund.key, rules.REFUND_MISSING.code, detail)


def _ours(frames: Frames, settings: MarketplacerSettings) -> list[Refund]:
    rows = pd.concat([frames["stokly.refunds"], frames[OF_ORDER]]).drop_duplicates("refund_id")
    states = rows["status"].isna() | rows["status"].isin(list(settings.refund_states))
    counted = columns.flags(rows["live"]) & states.to_numpy(dtype=bool)
    by_key = {
        key: Refund(key, order or "", total, at, currency, tax, number, version, counts)
        for key, order, total, at, currency, tax, number, version, counts in zip(
            columns.keys(rows["refund_id"]),
            columns.texts(rows["order_id"]),
            columns.counts(rows["total"]).tolist(),
            columns.moments(rows["created_at"]),
            columns.keys(rows["currency"]),
            columns.counts(rows["tax"]).tolist(),
            columns.texts(rows["number"]),
            columns.moments(rows["version"]),
            counted.tolist(),
            strict=True,
        )
        if at is not None
    }
    _add_lines(by_key, frames["stokly.refund_lines"])
    return list(by_key.values())


def _theirs(frames: Frames) -> Mapping[str, list[Refund]]:
    rows = frames[f"{MARKETPLACER}.refunds"]
    by_key = {
        key: Refund(key, order, total, at)
        for key, order, total, at, state, live in zip(
            columns.keys(rows["refund_id"]),
            columns.keys(rows["order_id"]),
            columns.counts(rows["total"]).tolist(),
            columns.moments(rows["created_at"]),
            columns.keys(rows["state"]),
            columns.flags(rows["live"]).tolist(),
            strict=True,
        )
        if live and state != "denied" and at is not None
    }
    _add_lines(by_key, frames[f"{MARKETPLACER}.refund_lines"])
    found: dict[str, list[Refund]] = defaultdict(list)
    for refund in by_key.values():
        found[refund.order].append(refund)
    return found


def _add_lines(by_key: Mapping[str, Refund], lines: pd.DataFrame) -> None:
    for key, sku, units, amount in zip(
        columns.keys(lines["refund_id"]),
        columns.texts(lines["sku"]),
        columns.counts(lines["quantity"]).tolist(),
        columns.counts(lines["line_total"]).tolist(),
        strict=True,
    ):
        if key in by_key and sku is not None:
            by_key[key].units[sku] += units
            by_key[key].amounts[sku] += amount
