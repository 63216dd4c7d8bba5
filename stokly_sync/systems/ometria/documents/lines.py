"""Lines of orders as `lineitems`, and the products that they need.

Belongs here: from rows of lines and items to lists of line objects, a column at a time, because there are several
lines to an order. What an order does with them stands in `orders`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from stokly_sync.contracts import columns, written
from stokly_sync.contracts.money import minor_unit, nano, rounded
from stokly_sync.contracts.refunded import Refunded
from stokly_sync.flow import Frames, Json

LINE_COLUMNS: Final = (
    *("order_id", "line_id", "position", "item_id", "sku", "quantity", "unit_price", "unit_discount"),
    *("line_price", "line_discount", "line_tax", "line_total"),
)
"""Columns of `stokly.order_lines` that are looked at."""
ITEM_COLUMNS: Final = ("item_id", "sku", "parent_item_id")
"""Columns of `stokly.items` that are looked at."""


@dataclass(frozen=True)
class Catalogue:
    """Items that have a SKU, by place: their ids, their SKUs, and for variants the parent's SKU, else missing."""

    items: pa.Array
    skus: pa.Array
    parents: pa.Array

    def of(self, items: pa.Array) -> tuple[pa.Array, pa.Array]:
        """SKU and parent's SKU of each item id; missing where the item is not known."""
        places = pc.index_in(items, value_set=self.items)
        places = pc.if_else(items.is_valid(), places, pa.scalar(None, places.type))
        return self.skus.take(places), self.parents.take(places)


def catalogue_of(items: pd.DataFrame) -> Catalogue:
    """The catalogue of `stokly.items` rows; items without SKU are not in it, deleted ones are.

    Deleted items count as known, because they are with Ometria as inactive products and old orders need them.
    """
    known = items[items["sku"].notna()]
    ids, skus = written.arrow(known["item_id"]), written.arrow(known["sku"])
    above = written.arrow(known["parent_item_id"])
    parents = skus.take(pc.if_else(above.is_valid(), pc.index_in(above, value_set=ids), pa.scalar(None, pa.int32())))
    return Catalogue(ids, skus, parents)


@dataclass(frozen=True)
class Lines:
    """Lines of all orders of a chunk, sorted by order and place.

    `texts` are the JSON lists of each order's lines, in the order of the orders; the lines of an order are those from
    its start to before the next one in `line_ids`. `unknown` are the ids of orders with a line whose item is not known.
    """

    texts: pa.Array
    line_ids: list[str]
    starts: npt.NDArray[np.int64]
    unknown: set[str]

    def ids_of(self, order: int) -> list[str]:
        """Line ids of the order with that row number."""
        return self.line_ids[self.starts[order] : self.starts[order + 1]]


def build_lines(lines: pd.DataFrame, orders: pd.DataFrame, catalogue: Catalogue, *, discount_sign: int) -> Lines:
    """Line objects from `stokly.order_lines` rows for the orders of a chunk, in their currency.

    Prices are before discount and without tax, `total` is what was paid for the line with tax; so
    subtotal - discount + tax = total. `discount_sign` is 1 or -1. Source: Ometria API contract 3 (order).
    """
    ids = written.arrow(orders["order_id"])
    found = pc.index_in(written.arrow(lines["order_id"]), value_set=ids)
    if found.null_count:
        # A line whose order is not in the chunk belongs to none of its documents.
        lines, found = lines[found.is_valid().to_numpy(zero_copy_only=False)], found.drop_null()
    owners = found.to_numpy().astype(np.int64)
    place = np.lexsort((columns.counts(lines["position"]), owners))
    if (np.diff(place) < 0).any():
        lines, owners = lines.iloc[place], owners[place]
    skus, parents = catalogue.of(written.arrow(lines["item_id"]))
    unknown: set[str] = set()
    if skus.null_count:
        unknown = set(ids.take(pa.array(owners[skus.is_null().to_numpy(zero_copy_only=False)])).to_pylist())
        skus = _stand_ins(lines, skus)
    objects = _objects(lines, columns.digits(orders["currency"])[owners], skus, parents, discount_sign)
    starts = np.concatenate([[0], np.bincount(owners, minlength=len(orders)).cumsum()])
    return Lines(written.lists(objects, starts), columns.keys(lines["line_id"]), starts, unknown)


def _stand_ins(lines: pd.DataFrame, skus: pa.Array) -> pa.Array:
    """What lines of unknown items call their product; only cancelling documents are ever sent with such a line."""
    return pc.coalesce(skus, *(written.arrow(lines[name]) for name in ("sku", "item_id", "line_id")))


def _objects(
    lines: pd.DataFrame, places: npt.NDArray[np.int64], skus: pa.Array, parents: pa.Array, sign: int
) -> pa.Array:
    """Each line as JSON, amounts with as many decimals as `places` says."""
    price, discount = columns.counts(lines["line_price"]), columns.counts(lines["line_discount"])
    units = columns.counts(lines["quantity"])
    unit_price = columns.counts(lines["unit_price"].fillna(0)) + columns.counts(lines["unit_discount"])
    # A line that gives no price a unit gets it from its own total; exact to a billionth.
    missing = lines["unit_price"].isna().to_numpy() & (units != 0)
    unit_price[missing] = (price + discount)[missing] // units[missing]
    own, above = written.texts(skus), written.texts(parents)
    return written.objects(
        {
            "product_id": pc.coalesce(above, own),
            "variant_id": pc.if_else(above.is_valid(), own, pa.scalar(None, written.TEXT)),
            "sku": own,
            "quantity": written.wholes(units),
            "unit_price": written.numbers(unit_price, places),
            "subtotal": written.numbers(price + discount, places),
            "discount": written.numbers(sign * discount, places),
            "tax": written.amounts(lines["line_tax"], places),
            "total": written.amounts(lines["line_total"], places),
        }
    )


def order_products(frames: Frames) -> pd.DataFrame:
    """For the gate of orders: order id (`key`) and the SKU of each product and parent that it needs (`needs`)."""
    lines = frames["stokly.order_lines"]
    own, above = catalogue_of(frames["stokly.items"]).of(written.arrow(lines["item_id"]))
    needed = [own] if above.null_count == len(above) else [own, above]
    return pd.concat([_needed(lines["order_id"], skus) for skus in needed], ignore_index=True)


def _needed(orders: pd.Series, skus: pa.Array) -> pd.DataFrame:
    pairs = pd.DataFrame({"key": orders.array, "needs": pd.array(skus, dtype="str")})
    return pairs[pairs["needs"].notna()]


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
