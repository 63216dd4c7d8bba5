"""Rules that a row can only keep or break together with other rows.

They run after the single-row contract, on the rows that kept it, and look up what is landed already. Which of two
offenders is held back must not depend on the order of reading, or a replay would end differently: the older keeps its
place, by creation time and then by key.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from stokly_sync.contracts.money import minor_unit
from stokly_sync.contracts.tables import Dataset
from stokly_sync.flow import Frames, Problem

LookUp = Callable[[str, str, Sequence[str]], pd.DataFrame]
"""`look_up(table, column, values)`: landed rows whose column is among the values."""

REFUND_OVER = "ST-REFUND-OVER"
REFUND_ORDER = "ST-REFUND-ORDER"


def relation_rules(dataset: Dataset) -> frozenset[str]:
    """Codes of the rules here that apply to a dataset; their exceptions are looked at again in every run."""
    codes = {rule for _, rule in dataset.unique}
    return frozenset(codes | ({REFUND_OVER, REFUND_ORDER} if dataset.name == "stokly.refunds" else set()))


def relation_problems(dataset: Dataset, frames: Frames, look_up: LookUp) -> list[Problem]:
    """Problems of root rows in `frames` (validated, keys unique) with each other and with landed rows."""
    root = frames[dataset.name]
    if root.empty:
        return []
    found = [p for column, rule in dataset.unique for p in _duplicates(dataset, root, column, rule, look_up)]
    if dataset.name == "stokly.refunds":
        found += _refunds(root, look_up)
    return found


def _duplicates(dataset: Dataset, root: pd.DataFrame, column: str, rule: str, look_up: LookUp) -> list[Problem]:
    live = root[root["live"].fillna(value=True) & root[column].notna()]
    folded = live[column].str.casefold()
    landed = look_up(dataset.name, f"lower({column})", folded.unique().tolist())
    landed = landed[landed["live"].fillna(value=True) & ~landed[dataset.key].isin(root[dataset.key])]
    together = pd.concat(
        [
            live[[dataset.key, column, "created_at"]].assign(folded=folded, new=True),
            landed[[dataset.key, column, "created_at"]].assign(folded=landed[column].str.casefold(), new=False),
        ]
    ).sort_values(["new", "created_at", dataset.key], na_position="last")
    later = together[together.duplicated("folded", keep="first")]
    return [
        Problem(str(key), rule, f"another live row has the same {column} {value!r}, compared without regard to case")
        for key, value in zip(later[dataset.key], later[column], strict=True)
    ]


def _refunds(root: pd.DataFrame, look_up: LookUp) -> list[Problem]:
    """Refunds of an order that is not landed, or by which more than its total (and a minor unit) is given back."""
    new = root[root["live"].fillna(value=True) & root["order_id"].notna()]
    order_ids = new["order_id"].unique().tolist()
    orders = look_up("stokly.orders", "order_id", order_ids).set_index("order_id")
    landed = look_up("stokly.refunds", "order_id", order_ids)
    landed = landed[landed["live"].fillna(value=True) & ~landed["refund_id"].isin(root["refund_id"])]
    columns = ["refund_id", "order_id", "total", "created_at"]
    together = pd.concat([landed[columns].assign(new=False), new[columns].assign(new=True)])
    together = together.sort_values(["new", "created_at", "refund_id"])
    running = together.groupby("order_id")["total"].cumsum()
    unknown = new[~new["order_id"].isin(orders.index)]
    limit = together["order_id"].map(orders["total"])
    tolerance = together["order_id"].map(orders["currency"]).map(minor_unit, na_action="ignore")
    over = (running > limit + tolerance).fillna(value=False) & together["new"]
    return [
        Problem(str(key), REFUND_ORDER, "its order is not known here, or is itself held back")
        for key in unknown["refund_id"]
    ] + [
        Problem(str(key), REFUND_OVER, "with this refund more is given back than the order's total")
        for key in together.loc[over, "refund_id"]
    ]
