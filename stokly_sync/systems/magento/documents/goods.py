"""Products as listings and source items as stock levels: Magento's documents to our rows.

A product's price stands in the shop's base currency, which the reader puts beside it; products that take their price
from others (configurable ones, bundles) have none. Pure. Source: Magento API contract 10, 11.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import pandas as pd

from stokly_sync.contracts.channels import LISTINGS, MAGENTO, STOCK_LEVELS
from stokly_sync.flow import Json, Received, Rows
from stokly_sync.systems.magento.documents.common import identity
from stokly_sync.systems.magento.documents.lines import BUNDLE, CONFIGURABLE
from stokly_sync.systems.rows.cells import constant, texts
from stokly_sync.systems.rows.roots import finish, sheet
from stokly_sync.systems.rows.shapes import Shape, members

_LISTING: Final = LISTINGS[MAGENTO]
_LEVEL: Final = STOCK_LEVELS[MAGENTO]
COMPOSED: Final = frozenset({CONFIGURABLE, BUNDLE, "grouped"})
"""Product types that hold no stock of their own."""
LISTING_SHAPE: Final = Shape(
    _LISTING,
    key_member="id",
    update_member="updated_at",
    known=members(text=("id", "sku", "name", "type_id", "currency", "updated_at"), money=("price",), whole=("status",)),
)
LEVEL_SHAPE: Final = Shape(
    _LEVEL,
    key_member="level_id",
    update_member=None,
    known=members(text=("level_id", "sku", "source_code"), whole=("quantity", "status")),
)


def level_id(sku: str, source: str) -> str:
    """The key of a stock level."""
    return f"{sku}/{source}"


def listing_rows(documents: Sequence[Received], requested_at: datetime) -> Rows:
    """Products as rows of `magento.listings`; nano units of the shop's base currency, times UTC."""
    plain = [{**document, "id": identity(document.get("id"))} for document in documents]
    made = sheet(LISTING_SHAPE, plain, requested_at)
    c = made.cells
    enabled, price = c.whole("status") == 1, c.money("price")
    composed = pd.Series([kind in COMPOSED for kind in c.values("type_id")], dtype="boolean")
    missing = texts([None] * len(made.keys))
    columns = {
        "product_id": texts(made.keys),
        "sku": c.text("sku"),
        "name": c.text("name"),
        "kind": c.text("type_id"),
        "barcode": missing,
        "price": price.where(~(composed & (price == 0).fillna(value=True))),
        "currency": c.text("currency"),
        "enabled": enabled.fillna(value=False),
        "on_sale": enabled.fillna(value=False),
        "why_not": texts([None if on else "it is disabled in Magento" for on in enabled.fillna(value=False)]),
        "updated_at": c.time("updated_at"),
        "live": constant(value=True, length=len(made.keys)),
    }
    return finish(made, columns, {}, dropped=())


def level_rows(documents: Sequence[Received], requested_at: datetime) -> Rows:
    """Source items as rows of `magento.stock_levels`; a document carries its key as `level_id`."""
    plain: list[Json] = [dict(document) for document in documents]
    made = sheet(LEVEL_SHAPE, plain, requested_at)
    c = made.cells
    columns = {
        "sku": c.text("sku"),
        "listing_id": texts([None] * len(made.keys)),
        "source": c.text("source_code"),
        "quantity": c.whole("quantity"),
        "in_stock": c.flag("status"),
        "live": constant(value=True, length=len(made.keys)),
    }
    return finish(made, columns, {}, dropped=())
