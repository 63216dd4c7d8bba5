"""Items and stock: Stokly's rows to ours.

An item's document carries what other lists say about it under members of our own that begin with `$`: `$barcodes`,
`$attributes`, `$components`, `$images`, `$parent` (see `reading.items`). Its stock counts do not count for its
content: a sale is no change of the product. Stock documents are made by `reading.stock` and bear our own key. Source:
Stokly API contract 3.6, 3.7.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Final

import pandas as pd

from stokly_sync.contracts.products import ITEMS, STOCK
from stokly_sync.flow import Received, Rows
from stokly_sync.systems.rows.cells import constant, texts
from stokly_sync.systems.rows.roots import Sheet, finish, live_unless, rows_of
from stokly_sync.systems.rows.shapes import Shape, members
from stokly_sync.systems.stokly.settings import StoklySettings
from stokly_sync.systems.transport import encode

VARIABLE: Final = 2
DELETED: Final = frozenset({1, "deleted"})
_COUNTS: Final = frozenset({"onOrder", "onHand", "sold", "allocated", "quarantined", "available"})
# What things cost to buy changes with every delivery and is nobody's concern here.
_COSTS: Final = frozenset({"averageCostPrice", "averageCostPriceCurrency", "actualMargin", "actualProfitPercentage"})
_TALLIES: Final = frozenset(
    f"{name}Count"
    for name in (
        *("attribute", "unitOfMeasure", "composingItem", "variantItem", "preferredStorageLocation", "image"),
        *("inventoryThreshold", "storageLocation"),
    )
)
ITEM_SHAPE: Final = Shape(
    ITEMS,
    key_member="itemId",
    update_member="timeUpdated",
    known=members(
        text=(
            *("itemId", "sku", "name", "typeId", "typeName", "description", "barcode", "saleCurrency", "taxClassId"),
            *("manufacturer", "timeCreated", "timeUpdated", "accountkey", "$parent"),
        ),
        money=("salePrice", "weight"),
        whole=("format",),
        texts=("barcodes", "tags", "$barcodes", "$images"),
        other=("status", "$attributes", "$components", *_COUNTS, *_COSTS, *_TALLIES),
    ),
)
STOCK_SHAPE: Final = Shape(
    STOCK,
    key_member="stockId",
    update_member=None,
    known=members(
        text=("stockId", "itemId", "locationId", "sku"),
        whole=("onHand", "available", "quarantined", "onOrder", "sold", "allocated"),
    ),
)


def item_rows(documents: Sequence[Received], requested_at: datetime, *, settings: StoklySettings) -> Rows:
    """Items as rows of `stokly.items`; prices are net, nano units of `currency`. Pure.

    Members that cannot be converted are problems under ST-MEMBER-TYPE, ST-MONEY or ST-TIME.
    """
    return rows_of(ITEM_SHAPE, documents, requested_at, partial(_items, settings=settings))


def _items(made: Sheet, *, settings: StoklySettings) -> Rows:
    c = made.cells
    services = {name.casefold() for name in settings.service_types}
    formats = c.whole("format")
    type_name = c.text("typeName", strip=True)
    is_service = pd.Series(type_name).str.casefold().isin(services).astype("boolean")
    columns = {
        "sku": c.text("sku", numbers=True),
        "name": c.text("name", strip=True),
        "format": formats,
        "type_name": type_name,
        "description": c.text("description"),
        "parent_item_id": c.text("$parent"),
        "barcodes": texts([_barcodes(d) for d in made.records]),
        "tags": c.json("tags", of=list),
        "attributes": c.json("$attributes", of=dict),
        "components": c.json("$components", of=list),
        "images": c.json("$images", of=list),
        "price": c.money("salePrice"),
        "currency": c.text("saleCurrency", strip=True),
        "tax_class_id": c.text("taxClassId"),
        "manufacturer": c.text("manufacturer", strip=True),
        "weight": c.money("weight"),
        "stocked": (formats != VARIABLE).fillna(value=True).astype("boolean") & ~is_service,
        "live": live_unless(c.values("status"), DELETED),
        "created_at": c.time("timeCreated"),
        "updated_at": c.time("timeUpdated"),
    }
    return finish(made, columns, {}, dropped=settings.dropped_members)


def stock_rows(documents: Sequence[Received], requested_at: datetime, *, settings: StoklySettings) -> Rows:
    """Stock as rows of `stokly.stock`; counts may be negative. Pure."""
    return rows_of(STOCK_SHAPE, documents, requested_at, partial(_stocks, settings=settings))


def _stocks(made: Sheet, *, settings: StoklySettings) -> Rows:
    c = made.cells
    columns = {
        "item_id": c.text("itemId"),
        "location_id": c.text("locationId"),
        "sku": c.text("sku", numbers=True),
        "on_hand": c.whole("onHand"),
        "available": c.whole("available"),
        "quarantined": c.whole("quarantined"),
        "on_order": c.whole("onOrder"),
        "live": constant(value=True, length=len(made.keys)),
    }
    return finish(made, columns, {}, dropped=settings.dropped_members)


def _barcodes(document: Received) -> str | None:
    """All barcodes that any of Stokly's three places gives, each once, as JSON text."""
    found: dict[str, None] = {}
    for member in ("barcodes", "$barcodes"):
        inner = document.get(member)
        found |= dict.fromkeys(str(b) for b in inner if b) if isinstance(inner, list) else {}
    if document.get("barcode"):
        found |= {str(document["barcode"]): None}
    return encode(list(found)).decode() if found else None
