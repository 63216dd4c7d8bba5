"""Items with their stock as rows of the catalogue file (E5). Source: Emarsys API contract 3."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

import msgspec
import pandas as pd

from stokly_sync.contracts import columns
from stokly_sync.contracts.goods import available, one_for_each_sku, sold
from stokly_sync.contracts.mapping import PRODUCT_SOURCES
from stokly_sync.contracts.problems import later
from stokly_sync.flow import Built, Document, Frames, Json, Problem
from stokly_sync.systems.emarsys import rules
from stokly_sync.systems.emarsys.documents.common import broken, custom_fields, plain, versioned
from stokly_sync.systems.emarsys.settings import EmarsysSettings

LONGEST: Final = 1_000
_LIST: Final = msgspec.json.Decoder(list[Any])


def build_products(frames: Frames, settings: EmarsysSettings) -> Built:
    """Rows from `stokly.items` with `stokly.stock`; the key is the SKU, prices are net.

    A deleted item or one out of stock stays, as not available: a row that is left out is deleted at Emarsys.
    For the same reason a row with a custom value of another type is there without the value, beside its problem.
    """
    items = one_for_each_sku(frames["stokly.items"])
    skus = columns.keys(items["sku"])
    levels = _levels(frames)
    custom, kept = custom_fields(items, skus, settings.product_fields, PRODUCT_SOURCES)
    documents = []
    for sku, item, body, others, sold_as_goods, version, event in zip(
        skus,
        columns.keys(items["item_id"]),
        _bodies(items, settings),
        custom,
        sold(items).tolist(),
        columns.moments(items["version"]),
        columns.moments(items["updated_at"].fillna(items["created_at"])),
        strict=True,
    ):
        if broken(sku):
            kept.append(Problem(sku, rules.SKU_TEXT.code, "the SKU holds a control character"))
            continue
        units, counted = levels.get((sku, item), (0, None))
        body["available"] = "true" if sold_as_goods and units > 0 else "false"
        newest = versioned(f"item {sku}", version, counted)
        documents.append(Document(sku, {**body, **others}, newest, event_at=later(event, counted)))
    return Built(documents, kept)


def _bodies(items: pd.DataFrame, settings: EmarsysSettings) -> list[Json]:
    """Rows without what depends on stock."""
    return [
        {
            "item": sku,
            "title": plain(name, LONGEST) or sku,
            "link": settings.product_url.replace("{sku}", quote(sku, safe="")),
            "image": plain(_first(images), LONGEST) or settings.default_image,
            "category": plain(category, LONGEST) or settings.default_category,
            "price": "" if price is None else format(max(price, 0), "f"),
            "description": plain(text, LONGEST),
            "brand": plain(brand, LONGEST),
            "c_currency": currency or "",
        }
        for sku, name, price, currency, category, brand, text, images in zip(
            columns.keys(items["sku"]),
            columns.texts(items["name"]),
            columns.amounts(items["price"], items["currency"]),
            columns.texts(items["currency"]),
            columns.texts(items["type_name"]),
            columns.texts(items["manufacturer"]),
            columns.texts(items["description"]),
            columns.texts(items["images"]),
            strict=True,
        )
    ]


def _first(images: str | None) -> str | None:
    return next(iter(_LIST.decode(images)), None) if images else None


def _levels(frames: Frames) -> dict[tuple[str, str], tuple[int, Any]]:
    stock = frames["stokly.stock"]
    level = available(stock[stock["sku"].notna()])
    return {
        (sku, item): (int(units), counted)
        for sku, item, units, counted in zip(
            columns.keys(level["sku"]),
            columns.keys(level["item_id"]),
            level["quantity"].tolist(),
            columns.moments(level["version"]),
            strict=True,
        )
    }
