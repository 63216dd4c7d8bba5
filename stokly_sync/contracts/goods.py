"""Items as goods: the row that stands for a SKU, whether it is sold, and how many are available.

Every destination with a catalogue asks this of the same rows. How a product is written there is its own matter.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from stokly_sync.contracts import columns

VARIABLE_PARENT: Final = 2


def one_for_each_sku(items: pd.DataFrame) -> pd.DataFrame:
    """The row that stands for each SKU: the live one where a deleted item once had it; none for rows without SKU."""
    known = items[items["sku"].notna()]
    ranked = known.assign(_live=columns.flags(known["live"])).sort_values(["_live", "version"], kind="stable")
    return ranked.drop_duplicates("sku", keep="last").drop(columns="_live").sort_index()


def sold(items: pd.DataFrame) -> pd.Series:
    """True for items that are sold as goods: live, and not a service."""
    goods = columns.flags(items["stocked"]) | (columns.counts(items["format"]) == VARIABLE_PARENT)
    return pd.Series(goods & columns.flags(items["live"]), index=items.index)


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
