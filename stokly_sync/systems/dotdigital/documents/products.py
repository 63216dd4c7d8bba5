"""Items with their stock as records of the catalogue (D5).

A write replaces the whole record, so stock travels with the product. Source: Dotdigital API contract 3 (catalogue).
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

import msgspec
import pandas as pd

from stokly_sync.contracts import columns
from stokly_sync.contracts.goods import VARIABLE_PARENT, available, one_for_each_sku, sold
from stokly_sync.contracts.mapping import PRODUCT_SOURCES
from stokly_sync.contracts.problems import later, without
from stokly_sync.flow import Built, Document, Frames, Json
from stokly_sync.systems.dotdigital.documents.common import custom_fields, floats, with_optional
from stokly_sync.systems.dotdigital.settings import DotdigitalSettings

_LIST: Final = msgspec.json.Decoder(list[Any])


def build_products(frames: Frames, settings: DotdigitalSettings) -> Built:
    """Products from `stokly.items` with `stokly.stock` and their parents; the key is the SKU, prices are net.

    Deleted items and services are `Disabled`; what is out of stock has a stock of nought, never less.
    """
    items = one_for_each_sku(frames["stokly.items"])
    stock = {
        (sku, item): (quantity, version)
        for sku, item, quantity, version in _levels(frames["stokly.stock"]).itertuples(index=False, name=None)
    }
    documents = []
    keys = columns.keys(items["sku"])
    custom, misfits = custom_fields(items, keys, settings.product_fields, PRODUCT_SOURCES)
    versions = columns.moments(items["version"])
    events = columns.moments(items["updated_at"].fillna(items["created_at"]))
    rows = zip(
        keys,
        columns.keys(items["item_id"]),
        custom,
        _bodies(items, frames.get("parents", items), settings),
        sold(items).tolist(),
        versions,
        events,
        strict=True,
    )
    for sku, item, attributes, body, active, version, event in rows:
        quantity, counted = stock.get((sku, item), (0, None))
        body["stock"] = max(int(quantity), 0) if active else 0
        with_optional(body, attributes=attributes)
        newest = later(version, counted)
        if newest is None:
            raise ValueError(f"item {sku} has no version; rows come from landing, which always sets one")
        documents.append(Document(sku, {"key": sku, "json": body}, newest, event_at=later(event, counted)))
    return Built(without(documents, misfits), misfits)


def _levels(stock: pd.DataFrame) -> pd.DataFrame:
    level = available(stock[stock["sku"].notna()])
    moments = pd.Series(columns.moments(level["version"]), dtype=object)
    return pd.DataFrame(
        {"sku": level["sku"], "item_id": level["item_id"], "quantity": level["quantity"], "version": moments}
    )


def _bodies(items: pd.DataFrame, parents: pd.DataFrame, settings: DotdigitalSettings) -> list[Json]:
    skus = dict(zip(columns.keys(parents["item_id"]), columns.texts(parents["sku"]), strict=True))
    bodies = []
    for sku, name, price, currency, kind, parent, category, brand, text, images, created, active in zip(
        columns.keys(items["sku"]),
        columns.texts(items["name"]),
        floats(columns.counts(items["price"]), columns.digits(items["currency"])),
        columns.texts(items["currency"]),
        columns.counts(items["format"]).tolist(),
        columns.texts(items["parent_item_id"]),
        columns.texts(items["type_name"]),
        columns.texts(items["manufacturer"]),
        columns.texts(items["description"]),
        columns.texts(items["images"]),
        columns.stamps(items["created_at"]),
        sold(items).tolist(),
        strict=True,
    ):
        body: Json = {"id": sku, "sku": sku, "name": name or sku, "price": price}
        body["status"] = "Enabled" if active else "Disabled"
        body["type"] = "Variant" if parent else "Configurable" if kind == VARIABLE_PARENT else "Simple"
        picture = next(iter(_LIST.decode(images)), None) if images else None
        with_optional(
            body,
            currency=currency,
            parent_id=skus.get(parent) if parent else None,
            url=settings.product_url.replace("{sku}", quote(sku, safe="")),
            image_path=picture,
            description=text,
            brand=brand,
            categories=[{"Name": category}] if category else None,
            created_date=created,
        )
        bodies.append(body)
    return bodies
