"""Stock as `is_in_stock` of products, the only stock member that Ometria is known to take (O4)."""

from __future__ import annotations

from stokly_sync.contracts import columns
from stokly_sync.contracts.goods import available, sold
from stokly_sync.flow import Built, Document, Frames, Problem
from stokly_sync.systems.ometria import rules


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
