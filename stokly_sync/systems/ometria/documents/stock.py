"""Stock as `is_in_stock` of products, the only stock member that Ometria is known to take (O4)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stokly_sync.contracts import columns
from stokly_sync.flow import Built, Document, Frames, Problem
from stokly_sync.systems.ometria import rules
from stokly_sync.systems.ometria.documents.products import sold


def build_stock(frames: Frames) -> Built:
    """Documents from `stokly.stock`, one for each SKU; key and id are the SKU.

    In stock means that more than nothing is available over all locations; a negative quantity is none. The total that
    Stokly gives is used, else the sum over the locations. A variable parent goes by its own total, which landing makes
    from its variants. Items that are no goods are left out. Source: Ometria API contract 3 (stock), Stokly API
    contract 3.7.
    """
    stock = frames["stokly.stock"]
    stock = stock[stock["sku"].notna()]
    known = frames["stokly.items"]
    goods = known[sold(known).to_numpy()]["item_id"]
    unsold = set(columns.keys(known["item_id"])) - set(columns.keys(goods))
    level = available(stock)
    versions = dict(zip(level["sku"], columns.moments(level["version"]), strict=True))
    held: dict[str, bool] = {}
    for sku, item_id, quantity in zip(level["sku"], level["item_id"], level["quantity"], strict=True):
        if item_id not in unsold:
            held[sku] = held.get(sku, False) or quantity > 0
    documents, kept = [], []
    for sku, version in versions.items():
        if sku not in held:
            kept.append(Problem(sku, rules.STOCK_NOT_HELD.code, "the item is a service or was deleted"))
        elif version is not None:
            body = {"@type": "product", "@merge": True, "id": sku, "is_in_stock": held[sku]}
            documents.append(Document(sku, body, version, event_at=version))
    return Built(documents, kept)


def available(stock: pd.DataFrame) -> pd.DataFrame:
    """Units over all locations: columns `sku`, `item_id`, `quantity` (int), `version` (the newest of the rows)."""
    free = stock["available"].fillna(stock["on_hand"])
    rows = pd.DataFrame(
        {
            "sku": stock["sku"],
            "item_id": stock["item_id"],
            "version": stock["version"],
            # A row that has left Stokly's list holds nothing any more.
            "units": np.where(columns.flags(stock["live"]), columns.counts(free), 0),
            "total": stock["location_id"].fillna("").eq(""),
        }
    )
    by = rows.groupby(["sku", "item_id"], sort=True)
    sums = rows[~rows["total"]].groupby(["sku", "item_id"])["units"].sum()
    totals = rows[rows["total"]].groupby(["sku", "item_id"])["units"].sum()
    newest = by["version"].max()
    quantity = totals.reindex(newest.index).fillna(sums.reindex(newest.index)).fillna(0)
    return pd.DataFrame({"quantity": quantity.astype("int64"), "version": newest}).reset_index()
