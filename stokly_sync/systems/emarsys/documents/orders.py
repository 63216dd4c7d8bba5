"""Sale orders as sales data: what was sold, item by item, gross (E3).

Lines of one SKU are one. What a refund gives back of a cancelled line or order stays with the order, because the refund
has lines of its own. An order whose lines change, or that is cancelled, adds up to something else: the difference
is sent, never a line again. Shipping has no column of its own. Source: Emarsys API contract 2.3, 2.4.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import pandas as pd

from stokly_sync.contracts import columns
from stokly_sync.contracts.buyers import Buyer, buyers
from stokly_sync.contracts.confirmation import not_confirmed
from stokly_sync.contracts.mapping import ORDER_SOURCES
from stokly_sync.contracts.order_states import REMOVED_STAGE
from stokly_sync.flow import Built, Document, Frames, Json, Problem
from stokly_sync.systems.emarsys import rules
from stokly_sync.systems.emarsys.documents.common import broken, custom_fields, told_of, versioned
from stokly_sync.systems.emarsys.documents.sales import Sold, add, lines_of, value_of
from stokly_sync.systems.emarsys.settings import EmarsysSettings


@dataclass
class Lines:
    """What one order's lines come to, and what is wrong with them."""

    sold: Sold = field(default_factory=dict)
    given_back: Sold = field(default_factory=dict)
    """What refunds take off by lines of their own: it stays here, or it would be taken off twice."""
    live: bool = False
    """Whether a line is left that was not cancelled."""
    unknown: bool = False
    broken: bool = False


NOTHING: Final = Lines()


def build_orders(frames: Frames, settings: EmarsysSettings) -> Built:
    """Orders from `stokly.orders` with lines, items and customers; the key is the order id.

    An order that was removed or cancelled gets a document without lines and a problem at once: whoever sends decides by
    whether Emarsys ever had it. Keeps back what is not confirmed, other currencies, unknown items, guests if so set.
    """
    orders = frames["stokly.orders"].reset_index(drop=True)
    lines, who = _lines(frames, orders, settings), buyers(frames)
    waiting = not_confirmed(orders, settings.confirmed)
    removed = ~columns.flags(orders["live"]) | orders["stage"].eq(REMOVED_STAGE).to_numpy(dtype=bool)
    keys = columns.keys(orders["order_id"])
    custom, kept = custom_fields(orders, keys, settings.order_fields, ORDER_SOURCES)
    documents, bad = [], {problem.key for problem in kept}
    for index, (key, gone, currency, total, channel, at, event, version) in enumerate(
        zip(
            keys,
            removed.tolist(),
            columns.keys(orders["currency"]),
            columns.counts(orders["total"]).tolist(),
            columns.texts(orders["channel_name"]),
            columns.stamps(orders["created_at"]),
            columns.moments(orders["updated_at"].fillna(orders["created_at"])),
            columns.moments(orders["version"]),
            strict=True,
        )
    ):
        mine = lines.get(key, NOTHING)
        ended = gone or not mine.live
        problem = _kept_back(key, currency, total, ended, mine, who[key], settings)
        if problem is None and not ended and index in waiting:
            problem = Problem(key, rules.ORDER_NOT_CONFIRMED.code, waiting[index])
        if problem is not None:
            kept.append(problem)
        elif key in bad:
            continue
        if problem is None or problem.rule == rules.ORDER_REMOVED.code:
            head = {"order": key, **told_of(who[key]), "at": at, "currency": currency, "channel": channel}
            head["custom"] = custom[index]
            documents.append(_document(head, mine.given_back if ended else mine.sold, version, event))
    return Built(documents, kept)


def _document(head: Json, sold: Sold, version: datetime | None, event: datetime | None) -> Document:
    key, currency, lines = head["order"], head["currency"], lines_of(sold, head["currency"])
    body = {**head, "ordered_at": head["at"], "lines": lines}
    return Document(key, body, versioned(f"order {key}", version), event, value_of(lines), currency)


def order_products(frames: Frames) -> pd.DataFrame:
    """For the gate of orders: order id (`key`) and the SKU of each product that it needs (`needs`)."""
    skus = skus_of(frames["stokly.items"])
    lines = frames["stokly.order_lines"]
    orders, items = columns.keys(lines["order_id"]), columns.texts(lines["item_id"])
    pairs = [(order, skus[item]) for order, item in zip(orders, items, strict=True) if item in skus]
    return pd.DataFrame(pairs, columns=["key", "needs"], dtype="str")


def skus_of(items: pd.DataFrame) -> dict[str | None, str]:
    """SKUs by item id, of items that have one."""
    known = zip(columns.keys(items["item_id"]), columns.texts(items["sku"]), strict=True)
    return {item: sku for item, sku in known if sku is not None}


def _lines(frames: Frames, orders: pd.DataFrame, settings: EmarsysSettings) -> Mapping[str, Lines]:
    skus, rows = skus_of(frames["stokly.items"]), frames["stokly.order_lines"]
    refunded = refunded_lines(frames, settings)
    found: dict[str, Lines] = defaultdict(Lines)
    for order, line, item, units, amount, status in zip(
        columns.keys(rows["order_id"]),
        columns.keys(rows["line_id"]),
        columns.texts(rows["item_id"]),
        columns.counts(rows["quantity"]).tolist(),
        columns.counts(rows["line_total"]).tolist(),
        columns.texts(rows["status"]),
        strict=True,
    ):
        mine, sku, back = found[order], skus.get(item), refunded.get(line)
        if back is not None and sku is not None:
            add(mine.given_back, sku, *back)
        if status in settings.cancelled_lines:
            if back is not None and sku is not None:
                add(mine.sold, sku, *back)
            continue
        mine.live = True
        mine.unknown = mine.unknown or sku is None
        mine.broken = mine.broken or (sku is not None and broken(sku))
        add(mine.sold, sku or "", units, amount)
    if settings.other_item:
        shipping = columns.counts(orders["shipping"]) + columns.counts(orders["shipping_tax"])
        for order, amount in zip(columns.keys(orders["order_id"]), shipping.tolist(), strict=True):
            if amount and order in found:
                add(found[order].sold, settings.other_item, 1, amount)
    return found


def _kept_back(
    key: str, currency: str, total: int, ended: bool, lines: Lines, buyer: Buyer, settings: EmarsysSettings
) -> Problem | None:
    if ended:
        return Problem(key, rules.ORDER_REMOVED.code, "removed or cancelled in Stokly")
    if foreign(currency, settings):
        return Problem(key, rules.CURRENCY.code, f"the order is in {currency}, the account in {settings.currency}")
    if buyer.nobody:
        return Problem(key, rules.NO_IDENTITY.code, "the order has neither customer nor e-mail address")
    if buyer.guest and settings.guests == "exclude":
        return Problem(key, rules.GUEST.code, "the order belongs to a guest")
    if total < 0:
        return Problem(key, rules.ORDER_NEGATIVE.code, "the total is below nought")
    if lines.unknown:
        return Problem(key, rules.SKU_UNKNOWN.code, "a line names an item that has not been taken over")
    if lines.broken:
        return Problem(key, rules.SKU_TEXT.code, "the SKU of a line holds a control character")
    return None


def refunded_lines(frames: Frames, settings: EmarsysSettings) -> dict[str, tuple[int, int]]:
    """Units and amounts that refunds which count take off each line of an order, by line id, positive."""
    refunds, rows = frames["stokly.refunds"], frames["stokly.refund_lines"]
    states = refunds["status"].isna() | refunds["status"].isin(list(settings.refund_states))
    counted = set(columns.keys(refunds["refund_id"][columns.flags(refunds["live"]) & states.to_numpy(dtype=bool)]))
    found: Sold = {}
    for refund, line, units, amount in zip(
        columns.keys(rows["refund_id"]),
        columns.texts(rows["line_id"]),
        columns.counts(rows["quantity"]).tolist(),
        columns.counts(rows["line_total"]).tolist(),
        strict=True,
    ):
        if refund in counted and line is not None:
            add(found, line, units, amount)
    return found


def foreign(currency: str, settings: EmarsysSettings) -> bool:
    """Whether amounts in this currency have no place in the account's sales data."""
    return currency != settings.currency and "s_currency" not in settings.sales_columns
