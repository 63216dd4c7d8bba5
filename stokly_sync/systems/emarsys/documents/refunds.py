"""Refunds as sales data: lines of their order with negative units and amounts (E3).

Credit notes without a refund stand in `credits`. Source: Emarsys API contract 2.4 (refunds: the form is the page's own
choice; the refund's time is the line's).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from stokly_sync.contracts import columns
from stokly_sync.contracts.buyers import Buyer, buyers
from stokly_sync.contracts.mapping import ORDER_SOURCES
from stokly_sync.flow import Built, Document, Frames, Json, Problem
from stokly_sync.systems.emarsys import rules
from stokly_sync.systems.emarsys.documents.common import broken, custom_fields, told_of, versioned
from stokly_sync.systems.emarsys.documents.orders import foreign, skus_of
from stokly_sync.systems.emarsys.documents.sales import Sold, add, lines_of, value_of
from stokly_sync.systems.emarsys.settings import EmarsysSettings


@dataclass(frozen=True)
class Sale:
    """The order that a refund belongs to, as far as refunds need it."""

    at: str | None
    currency: str
    channel: str | None
    buyer: Buyer
    custom: dict[str, str]


@dataclass(frozen=True)
class Refund:
    """One refund, as far as its document needs it."""

    key: str
    order: str | None
    currency: str
    counts: bool
    live: bool
    at: str | None
    moment: datetime | None
    version: datetime | None
    sold: Sold


def build_refunds(frames: Frames, settings: EmarsysSettings) -> Built:
    """Refunds from `stokly.refunds` with their lines, orders, items and customers; the key is the refund id.

    A refund that was taken back gets a document without lines and a problem at once, like an order that was removed.
    """
    sales = sales_of(frames, settings)
    documents, kept = [], []
    for refund in _refunds(frames, settings):
        sale = sales.get(refund.order or "")
        problem = kept_back(refund, sale, settings)
        if problem is not None:
            kept.append(problem)
        undone = problem is not None and problem.rule in (rules.REFUND_NO_LINES.code, rules.REFUND_PENDING.code)
        if sale is not None and not sale.buyer.nobody and (problem is None or undone):
            documents.append(document_of(refund, sale, {} if undone else refund.sold))
    return Built(documents, kept)


def _refunds(frames: Frames, settings: EmarsysSettings) -> list[Refund]:
    rows = frames["stokly.refunds"]
    states = rows["status"].isna() | rows["status"].isin(list(settings.refund_states))
    live = columns.flags(rows["live"])
    sold = _lines(frames, settings)
    return [
        Refund(key, order, currency, counts, alive, at, moment, version, sold.get(key, {}))
        for key, order, currency, counts, alive, at, moment, version in zip(
            columns.keys(rows["refund_id"]),
            columns.texts(rows["order_id"]),
            columns.keys(rows["currency"]),
            states.tolist(),
            live.tolist(),
            columns.stamps(rows["created_at"]),
            columns.moments(rows["created_at"]),
            columns.moments(rows["version"]),
            strict=True,
        )
    ]


def _lines(frames: Frames, settings: EmarsysSettings) -> Mapping[str, Sold]:
    """Negative units and amounts by item for each refund; what belongs to no item goes under the item for the rest."""
    rows, skus, own = frames["stokly.refund_lines"], skus_of(frames["stokly.items"]), _items_of_lines(frames)
    found: dict[str, Sold] = defaultdict(dict)
    shown: dict[str, int] = defaultdict(int)
    for refund, line, item, units, amount in zip(
        columns.keys(rows["refund_id"]),
        columns.texts(rows["line_id"]),
        columns.texts(rows["item_id"]),
        columns.counts(rows["quantity"]).tolist(),
        columns.counts(rows["line_total"]).tolist(),
        strict=True,
    ):
        sku = skus.get(own.get(line) or item)
        if sku is not None and not broken(sku):
            add(found[refund], sku, -units, -amount)
            shown[refund] += amount
    if settings.other_item:
        refunds = frames["stokly.refunds"]
        totals = columns.counts(refunds["total"]).astype(np.int64).tolist()
        for refund, total in zip(columns.keys(refunds["refund_id"]), totals, strict=True):
            if total != shown[refund]:
                add(found[refund], settings.other_item, 0, shown[refund] - total)
    return found


def _items_of_lines(frames: Frames) -> dict[str | None, str | None]:
    lines = frames["stokly.order_lines"]
    return dict(zip(columns.texts(lines["line_id"]), columns.texts(lines["item_id"]), strict=True))


def sales_of(frames: Frames, settings: EmarsysSettings) -> dict[str, Sale]:
    """The orders of `stokly.orders` as refunds need them, by order id."""
    orders, who = frames["stokly.orders"], buyers(frames)
    keys = columns.keys(orders["order_id"])
    # What does not fit keeps the order itself back, and its refund with it.
    custom, _ = custom_fields(orders, keys, settings.order_fields, ORDER_SOURCES)
    return {
        key: Sale(at, currency, channel, who[key], others)
        for key, at, currency, channel, others in zip(
            keys,
            columns.stamps(orders["created_at"]),
            columns.keys(orders["currency"]),
            columns.texts(orders["channel_name"]),
            custom,
            strict=True,
        )
    }


def kept_back(refund: Refund, sale: Sale | None, settings: EmarsysSettings) -> Problem | None:
    """Why a refund is not, or not yet, sent; None where nothing is wrong with it."""
    if refund.order is None:
        return Problem(refund.key, rules.REFUND_NO_ORDER.code, "the refund names no order")
    if sale is None:
        return Problem(refund.key, rules.REFUND_ORDER.code, f"order {refund.order} has not been taken over yet")
    if refund.currency != sale.currency:
        detail = f"the order is in {sale.currency}, the refund in {refund.currency}"
        return Problem(refund.key, rules.REFUND_CURRENCY.code, detail)
    if foreign(refund.currency, settings):
        detail = f"the refund is in {refund.currency}, the account in {settings.currency}"
        return Problem(refund.key, rules.CURRENCY.code, detail)
    if sale.buyer.nobody:
        return Problem(refund.key, rules.NO_IDENTITY.code, f"nobody can be told for order {refund.order}")
    if sale.buyer.guest and settings.guests == "exclude":
        return Problem(refund.key, rules.GUEST.code, f"its order {refund.order} belongs to a guest")
    if not refund.live or not refund.sold:
        return Problem(refund.key, rules.REFUND_NO_LINES.code, "removed in Stokly, or without lines")
    if not refund.counts:
        return Problem(refund.key, rules.REFUND_PENDING.code, "it is not completed")
    return None


def document_of(refund: Refund, sale: Sale, sold: Sold) -> Document:
    """What a refund should add up to."""
    lines = lines_of(sold, refund.currency)
    body: Json = {"order": refund.order, **told_of(sale.buyer), "at": refund.at, "ordered_at": sale.at}
    body |= {"currency": refund.currency, "channel": sale.channel, "custom": sale.custom, "lines": lines}
    newest = versioned(f"refund {refund.key}", refund.version)
    return Document(refund.key, body, newest, refund.moment, value_of(lines), refund.currency)
