"""Items with their stock as rows of the catalogue file (E5). Source: Emarsys API contract 3."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

import msgspec

from stokly_sync.contracts import columns
from stokly_sync.contracts.goods import VARIABLE_PARENT, available, one_for_each_sku, sold
from stokly_sync.contracts.mapping import PRODUCT_SOURCES
from stokly_sync.flow import Built, Document, Frames, Json, Problem
from stokly_sync.systems.emarsys import rules
from stokly_sync.systems.emarsys.documents.common import broken, custom_fields, later, plain, versioned
from stokly_sync.systems.emarsys.settings import EmarsysSettings

LONGEST: Final = 1_000
_LIST: Final = msgspec.json.Decoder(list[Any])


def build_products(frames: Frames, settings: EmarsysSettings) -> Built:
    """Rows from `stokly.items` with `stokly.stock`; the key is the SKU, prices are net.

    A deleted item or one out of stock stays, as not available: a row that is left out is deleted at Emarsys.
    For the same reason a row with a custom value of another type is there without the value, beside its problem.
    """
    items = one_for_each_sku(frames["stokly.items"])
    levels = _levels(frames)
    custom, kept = custom_fields(items, columns.keys(items["sku"]), settings.product_fields, PRODUCT_SOURCES)
    documents = []
    for (
        others,
        sku,
        item,
        name,
        price,
        currency,
        kind,
        category,
        brand,
        text,
        images,
        active,
        stocked,
        version,
        event,
    ) in zip(
        custom,
        columns.keys(items["sku"]),
        columns.keys(items["item_id"]),
        columns.texts(items["name"]),
        columns.amounts(items["price"], items["currency"]),
        columns.texts(items["currency"]),
        columns.counts(items["format"]).tolist(),
        columns.texts(items["type_name"]),
        columns.texts(items["manufacturer"]),
        columns.texts(items["description"]),
        columns.texts(items["images"]),
        sold(items).tolist(),
        columns.flags(items["stocked"]).tolist(),
        columns.moments(items["version"]),
        columns.moments(items["updated_at"].fillna(items["created_at"])),
        strict=True,
    ):
        if broken(sku):
            kept.append(Problem(sku, rules.SKU_TEXT.code, "the SKU holds a control character"))
            continue
        units, counted = levels.get((sku, item), (0, None))
        there = active and (units > 0 or (not stocked and kind != VARIABLE_PARENT))
        picture = next(iter(_LIST.decode(images)), None) if images else None
        body: Json = {
            "item": sku,
            "title": plain(name, LONGEST) or sku,
            "link": settings.product_url.replace("{sku}", quote(sku, safe="")),
            "image": plain(picture, LONGEST) or settings.default_image,
            "category": plain(category, LONGEST) or settings.default_category,
            "available": "true" if there else "false",
            "price": "" if price is None else format(max(price, 0), "f"),
            "description": plain(text, LONGEST),
            "brand": plain(brand, LONGEST),
            "c_currency": currency or "",
            **others,
        }
        newest = versioned(f"item {sku}", version, counted)
        documents.append(Document(sku, body, newest, event_at=later(event, counted)))
    return Built(documents, kept)


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
