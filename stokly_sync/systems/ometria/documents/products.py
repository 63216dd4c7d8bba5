"""Items as Ometria products, and stock as their `is_in_stock` (O4).

A product's id is its SKU, for parents and variants alike. Stock travels in a document of its own, merged into the
product, so that the catalogue and the fast stock feed never overwrite each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final

import msgspec
import pandas as pd

from stokly_sync.contracts import columns
from stokly_sync.contracts.goods import one_for_each_sku, sold
from stokly_sync.contracts.mapping import PRODUCT_SOURCES, mapped
from stokly_sync.contracts.money import decimal, minor_digits
from stokly_sync.contracts.problems import without
from stokly_sync.flow import Built, Document, Frames, Json, Problem
from stokly_sync.systems.ometria import rules
from stokly_sync.systems.ometria.documents.common import oversized, with_optional
from stokly_sync.systems.ometria.settings import OmetriaSettings

_DICT: Final = msgspec.json.Decoder(dict[str, Any])
_LIST: Final = msgspec.json.Decoder(list[Any])


def build_products(frames: Frames, settings: OmetriaSettings) -> Built:
    """Products from `stokly.items`, deleted ones and services as inactive; key and id are the SKU.

    Prices are net unless the settings say otherwise. Source: Ometria API contract 3 (product); O4.
    """
    items = one_for_each_sku(frames["stokly.items"])
    keys = columns.keys(items["sku"])
    properties = mapped(items, settings.product_properties, PRODUCT_SOURCES)
    versions = columns.moments(items["version"])
    events = columns.moments(items["updated_at"].fillna(items["created_at"]))
    documents = []
    for key, body, mine, version, event in zip(
        keys, _bodies(items, settings), properties.properties, versions, events, strict=True
    ):
        if version is None:
            raise ValueError(f"item {key} has no version; rows come from landing, which always sets one")
        documents.append(Document(key, with_optional(body, properties=mine), version, event_at=event))
    kept = [Problem(keys[i], rules.PROPERTY_TYPE.code, detail) for i, detail in properties.misfits.items()]
    kept += oversized(documents)
    return Built(without(documents, kept), kept)


def _bodies(items: pd.DataFrame, settings: OmetriaSettings) -> list[Json]:
    stores = tuple(dict.fromkeys((settings.default_store, *settings.stores.values())))
    attributes = _attributes(items, settings)
    bodies = []
    for index, (sku, title, price, currency, image, variant, active) in enumerate(
        zip(
            columns.keys(items["sku"]),
            columns.texts(items["name"]),
            _prices(items, settings),
            columns.texts(items["currency"]),
            _first_images(items),
            items["parent_item_id"].notna().tolist(),
            sold(items).tolist(),
            strict=True,
        )
    ):
        body: Json = {"@type": "product", "@merge": True, "id": sku, "sku": sku, "is_variant": variant}
        body["is_active"] = active
        offer = _offer(title, price, currency, image)
        body |= offer
        if attributes is not None:
            body["attributes"] = attributes[index]
        if not variant:
            body["listings"] = [{"store": store, **offer, "is_active": active} for store in stores]
        bodies.append(body)
    return bodies


def _offer(title: str | None, price: Decimal | None, currency: str | None, image: str | None) -> Json:
    offer = with_optional({}, title=title, currency=currency, image_url=image)
    if price is not None:
        offer["price"] = price
    return offer


def _prices(items: pd.DataFrame, settings: OmetriaSettings) -> list[Decimal | None]:
    if not settings.price_includes_vat:
        return columns.amounts(items["price"], items["currency"])
    rates = {code: 1 + Decimal(rate) / 100 for code, rate in settings.tax_rates.items()}
    return [
        None if nanos is None else _gross(nanos, currency, rates.get(tax_class or "", Decimal(1)))
        for nanos, currency, tax_class in zip(
            columns.wholes(items["price"]),
            columns.texts(items["currency"]),
            columns.texts(items["tax_class_id"]),
            strict=True,
        )
    ]


def _gross(nanos: int, currency: str | None, factor: Decimal) -> Decimal:
    step = Decimal(1).scaleb(-minor_digits(currency))
    return (decimal(nanos) * factor).quantize(step, rounding=ROUND_HALF_EVEN)


def _first_images(items: pd.DataFrame) -> list[str | None]:
    return [next(iter(_LIST.decode(text)), None) if text else None for text in columns.texts(items["images"])]


def _attributes(items: pd.DataFrame, settings: OmetriaSettings) -> Sequence[list[Json]] | None:
    """The complete list for each item, or None when none are configured: the vendor does not accumulate them."""
    plain = [
        (kind, columns.texts(items[column]))
        for kind, column, wanted in (
            ("brand", "manufacturer", settings.brand_attribute),
            ("category", "type_name", settings.category_attribute),
        )
        if wanted
    ]
    if not plain and not settings.attributes:
        return None
    lists: list[list[Json]] = [[] for _ in range(len(items))]
    for kind, values in plain:
        for mine, value in zip(lists, values, strict=True):
            mine.extend(_attribute(kind, value))
    if settings.attributes:
        for mine, text in zip(lists, columns.texts(items["attributes"]), strict=True):
            held = _DICT.decode(text) if text else {}
            for name in settings.attributes:
                mine.extend(_attribute(name, held.get(name)))
    return lists


def _attribute(kind: str, value: object) -> list[Json]:
    """One attribute for each value; lists of values have several of one type."""
    values = value if isinstance(value, list) else [value]
    return [{"type": kind, "id": str(v), "label": str(v)} for v in values if v not in (None, "")]
