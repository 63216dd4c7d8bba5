"""Lines of orders as `lineitems`, and the products that they need.

Belongs here: from rows of lines and items to lists of line objects, a column at a time, because there are several
lines to an order. What an order does with them stands in `orders`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import pandas as pd

from stokly_sync.contracts import columns
from stokly_sync.contracts.money import minor_unit, nano, rounded
from stokly_sync.contracts.refunded import Refunded
from stokly_sync.flow import Frames, Json
from stokly_sync.systems.ometria.documents.common import WORST_ESCAPE, text_bytes

LINE_BYTES: Final = 400
"""More than one line object takes apart from its SKUs: member names, punctuation and eight numbers."""


@dataclass(frozen=True)
class Catalogue:
    """SKUs of items by item id, and the parent's SKU of variants by item id."""

    skus: Mapping[str, str]
    parents: Mapping[str, str]


def catalogue_of(items: pd.DataFrame) -> Catalogue:
    """The catalogue of `stokly.items` rows; items without SKU are not in it, deleted ones are.

    Deleted items count as known, because they are with Ometria as inactive products and old orders need them.
    """
    known = items[items["sku"].notna()]
    skus = dict(zip(columns.keys(known["item_id"]), columns.keys(known["sku"]), strict=True))
    variants = known[known["parent_item_id"].notna()]
    parents = {
        item: skus[parent]
        for item, parent in zip(
            columns.keys(variants["item_id"]), columns.keys(variants["parent_item_id"]), strict=True
        )
        if parent in skus
    }
    return Catalogue(skus, parents)


@dataclass(frozen=True)
class Lines:
    """Line objects of all orders of a chunk, sorted by order and place.

    `spans` gives for each order id the first and the last-but-one index in `bodies` and `line_ids`; `unknown` are
    orders with a line whose item is not known; `room` bounds the bytes that the lines of an order can take.
    """

    bodies: list[Json]
    line_ids: list[str]
    spans: dict[str, tuple[int, int]]
    unknown: set[str]
    room: dict[str, int]


def build_lines(lines: pd.DataFrame, currency: pd.Series, catalogue: Catalogue, *, discount_sign: int) -> Lines:
    """Line objects from `stokly.order_lines` rows; `currency` is the order's, by line (same index).

    Prices are before discount and without tax, `total` is what was paid for the line with tax; so
    subtotal - discount + tax = total. `discount_sign` is 1 or -1. Source: Ometria API contract 3 (order).
    """
    codes, orders = pd.factorize(lines["order_id"])
    place = np.lexsort((columns.counts(lines["position"]), codes))
    if (np.diff(place) < 0).any():
        lines, currency, codes = lines.iloc[place], currency.iloc[place], codes[place]
    items = columns.texts(lines["item_id"])
    skus = [catalogue.skus.get(item) if item is not None else None for item in items]
    unknown: set[str] = set()
    if None in skus:
        unknown = {order for order, sku in zip(columns.keys(lines["order_id"]), skus, strict=True) if sku is None}
        skus = _stand_ins(lines, skus)
    bodies = _bodies(lines, currency, skus, discount_sign)
    if catalogue.parents:
        _point_at_parents(bodies, items, catalogue.parents)
    starts = np.searchsorted(codes, np.arange(len(orders) + 1)).tolist()
    ids: list[str] = list(orders)
    spans = dict(zip(ids, pairwise(starts), strict=True))
    return Lines(bodies, columns.keys(lines["line_id"]), spans, unknown, _room(lines, codes, ids))


def _stand_ins(lines: pd.DataFrame, skus: Sequence[str | None]) -> list[str | None]:
    """What lines of unknown items call their product; only cancelling documents are ever sent with such a line."""
    others = zip(
        columns.texts(lines["sku"]), columns.texts(lines["item_id"]), columns.keys(lines["line_id"]), strict=True
    )
    return [known or sold or item or line for known, (sold, item, line) in zip(skus, others, strict=True)]


def _bodies(lines: pd.DataFrame, currency: pd.Series, skus: Sequence[str | None], sign: int) -> list[Json]:
    price, discount = columns.counts(lines["line_price"]), columns.counts(lines["line_discount"])
    units = columns.counts(lines["quantity"])
    unit_price = columns.counts(lines["unit_price"].fillna(0)) + columns.counts(lines["unit_discount"])
    # A line that gives no price a unit gets it from its own total; exact to a billionth.
    missing = lines["unit_price"].isna().to_numpy() & (units != 0)
    unit_price[missing] = (price + discount)[missing] // units[missing]
    places = columns.digits(currency)
    return [
        {
            "product_id": sku,
            "sku": sku,
            "quantity": quantity,
            "unit_price": each,
            "subtotal": subtotal,
            "discount": less,
            "tax": tax,
            "total": total,
        }
        for sku, quantity, each, subtotal, less, tax, total in zip(
            skus,
            units.tolist(),
            columns.decimals(unit_price, places),
            columns.decimals(price + discount, places),
            columns.decimals(sign * discount, places),
            columns.decimals(columns.counts(lines["line_tax"]), places),
            columns.decimals(columns.counts(lines["line_total"]), places),
            strict=True,
        )
    ]


def _point_at_parents(bodies: list[Json], items: Sequence[str | None], parents: Mapping[str, str]) -> None:
    for body, item in zip(bodies, items, strict=True):
        parent = parents.get(item) if item is not None else None
        if parent is not None:
            body["variant_id"] = body["product_id"]
            body["product_id"] = parent


def _room(lines: pd.DataFrame, codes: np.ndarray[tuple[int], np.dtype[np.int64]], orders: list[str]) -> dict[str, int]:
    # A line names its SKU, its parent's and itself again; a parent's SKU is taken to be as long as four of them.
    each = LINE_BYTES + 6 * WORST_ESCAPE * text_bytes(lines, ("sku",)).to_numpy()
    room = np.bincount(codes, weights=each, minlength=len(orders))
    return dict(zip(orders, room.astype(np.int64).tolist(), strict=True))


def order_products(frames: Frames) -> pd.DataFrame:
    """For the gate of orders: order id (`key`) and the SKU of each product and parent that it needs (`needs`)."""
    catalogue = catalogue_of(frames["stokly.items"])
    lines = frames["stokly.order_lines"]
    orders, items = columns.keys(lines["order_id"]), columns.texts(lines["item_id"])
    pairs = _pairs(orders, items, catalogue.skus)
    if catalogue.parents:
        pairs += _pairs(orders, items, catalogue.parents)
    return pd.DataFrame(pairs, columns=["key", "needs"], dtype="str")


def _pairs(orders: Sequence[str], items: Sequence[str | None], skus: Mapping[str, str]) -> list[tuple[str, str]]:
    found = (skus.get(item) if item is not None else None for item in items)
    return [(order, sku) for order, sku in zip(orders, found, strict=True) if sku is not None]


def show_refunds(bodies: Sequence[Json], line_ids: Sequence[str], refunded: Refunded, currency: str | None) -> int:
    """Write refunded units and amounts on the lines of one order; gives the nano units that no line shows.

    Each line is rounded once. What that alone makes the lines miss (at most a minor unit for each line of a refund)
    goes to the largest amount, so that they add up to what was given back. Source: Ometria API contract 3 (refunds and
    cancellations); O3.
    """
    by_line = dict(zip(line_ids, bodies, strict=True))
    shown: list[Json] = []
    for line, (units, amount) in refunded.lines.items():
        body = by_line.get(line)
        if body is not None:
            body["quantity_refunded"] = units
            body["refunded"] = rounded(amount, currency)
            shown.append(body)
    left = refunded.total - sum(nano(body["refunded"]) for body in shown)
    if shown and abs(left) <= minor_unit(currency) * refunded.pieces:
        largest = max(shown, key=lambda body: abs(body["refunded"]))
        largest["refunded"] += rounded(left, currency)
        return 0
    return left
