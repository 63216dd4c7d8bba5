"""Lines and refunds of orders as lists of objects, and the products that they need.

Belongs here: from rows to members of an order, a column at a time. What an order does with them stands in `orders`.
Source: Dotdigital API contract 3 (orders).
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

import numpy as np
import pandas as pd

from stokly_sync.contracts import columns
from stokly_sync.contracts.refunded import Refunded
from stokly_sync.flow import Frames, Json
from stokly_sync.systems.dotdigital.documents.common import floats
from stokly_sync.systems.dotdigital.settings import DotdigitalSettings

_NOTHING: Final = Refunded()


def order_products(frames: Frames) -> pd.DataFrame:
    """For the gate of orders: order id (`key`) and the SKU of each product that it sells (`needs`)."""
    skus, lines = _skus(frames), frames["stokly.order_lines"]
    named = zip(columns.keys(lines["order_id"]), columns.texts(lines["item_id"]), strict=True)
    pairs = [(order, skus[item]) for order, item in named if item in skus]
    return pd.DataFrame(pairs, columns=["key", "needs"], dtype="str")


def unknown_lines(frames: Frames) -> set[str]:
    """Orders with a line whose item has not been taken over."""
    skus, lines = _skus(frames), frames["stokly.order_lines"]
    named = zip(columns.keys(lines["order_id"]), columns.texts(lines["item_id"]), strict=True)
    return {order for order, item in named if item not in skus}


def _skus(frames: Frames) -> dict[str | None, str]:
    known = frames["stokly.items"][frames["stokly.items"]["sku"].notna()]
    return dict(zip(columns.texts(known["item_id"]), columns.keys(known["sku"]), strict=True))


def order_lines(frames: Frames, orders: pd.DataFrame, refunds: dict[str, Refunded]) -> dict[str, list[Json]]:
    """Lines by order id: net and gross prices a unit, the gross total, and the units that came back."""
    rows = frames["stokly.order_lines"].sort_values(["order_id", "position"], kind="stable")
    currency = rows["order_id"].map(pd.Series(orders["currency"].array, index=orders["order_id"].array))
    places = columns.digits(currency)
    skus = _skus(frames)
    units = columns.counts(rows["quantity"])
    price, gross = columns.counts(rows["line_price"]), columns.counts(rows["line_total"])
    each = np.where(units != 0, units, 1)
    found: dict[str, list[Json]] = defaultdict(list)
    for order, line, item, sold, name, quantity, net, with_tax, total in zip(
        columns.keys(rows["order_id"]),
        columns.keys(rows["line_id"]),
        columns.texts(rows["item_id"]),
        columns.texts(rows["sku"]),
        columns.texts(rows["name"]),
        units.tolist(),
        floats(price // each, places),
        floats(gross // each, places),
        floats(gross, places),
        strict=True,
    ):
        sku = skus.get(item) or sold or item or line
        returned = refunds.get(order, _NOTHING).lines.get(line, (0, 0))[0]
        found[order].append(
            {
                "name": name or sku,
                "sku": sku,
                "product_id": sku,
                "qty": quantity,
                "price": net,
                "price_inc_tax": with_tax,
                "line_total": total,
                "qty_refunded": returned,
            }
        )
    return found


def given_back(frames: Frames, settings: DotdigitalSettings) -> dict[str, list[Json]]:
    """Each refund and each credit note without one, by order: id, date and total."""
    refunds, notes = frames["stokly.refunds"], frames["stokly.credit_notes"]
    live = columns.flags(refunds["live"])
    states = (refunds["status"].isna() | refunds["status"].isin(list(settings.refund_states))).to_numpy()
    named = refunds["credit_note_id"][live].dropna()
    loose = notes[columns.flags(notes["live"]) & ~notes["credit_note_id"].isin(named).to_numpy()]
    found: dict[str, list[Json]] = defaultdict(list)
    for rows, key, amount in ((refunds[live & states], "refund_id", "total"), (loose, "credit_note_id", "value")):
        for order, one_id, at, total in zip(
            columns.texts(rows["order_id"]),
            columns.keys(rows[key]),
            columns.stamps(rows["created_at"]),
            floats(columns.counts(rows[amount]), columns.digits(rows["currency"])),
            strict=True,
        ):
            if order is not None:
                found[order].append({"id": one_id, "date": at, "total": total})
    for some in found.values():
        some.sort(key=lambda entry: str(entry["id"]))
    return found
