"""Items as changes of variants: price, identity, and whether they are sold (P1).

A variant is found by its SKU among the listings as they were read last, never by an id from long ago. A change names
one variant and only what it changes; a product with its list of variants is sent for what the marketplace lacks alone,
because nobody knows whether a list removes what it leaves out. Source: Marketplacer API contract 3.2, 3.3, 8, 10 (9).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final

import msgspec
import pandas as pd

from stokly_sync.contracts import columns
from stokly_sync.contracts.channels import MARKETPLACER
from stokly_sync.contracts.goods import VARIABLE_PARENT, one_for_each_sku
from stokly_sync.contracts.money import decimal, minor_digits
from stokly_sync.contracts.problems import later
from stokly_sync.flow import Built, Document, Frames, Json, Problem
from stokly_sync.systems.marketplacer import rules
from stokly_sync.systems.marketplacer.settings import MarketplacerSettings

LISTINGS: Final = f"{MARKETPLACER}.listings"
_LIST: Final = msgspec.json.Decoder(list[Any])


@dataclass(frozen=True)
class Listed:
    """A variant as it was read last: ids, price in nano units, and the seller's switch."""

    listing: str
    product: str | None
    price: int | None
    enabled: bool
    version: datetime | None


@dataclass
class Listings:
    """Live variants by their exact SKU, and SKUs that several of them have."""

    by_sku: dict[str, Listed] = field(default_factory=dict)
    twice: set[str] = field(default_factory=set)


def listed(frames: Frames) -> Listings:
    """The listings of `marketplacer.listings` by SKU."""
    rows, found = frames[LISTINGS], Listings()
    for listing, product, sku, price, enabled, live, version in zip(
        columns.keys(rows["listing_id"]),
        columns.texts(rows["product_id"]),
        columns.texts(rows["sku"]),
        columns.wholes(rows["price"]),
        columns.flags(rows["enabled"]).tolist(),
        columns.flags(rows["live"]).tolist(),
        columns.moments(rows["version"]),
        strict=True,
    ):
        if sku is None or not live:
            continue
        if sku in found.by_sku:
            found.twice.add(sku)
        found.by_sku[sku] = Listed(listing, product, price, enabled, version)
    return found


def build_products(frames: Frames, settings: MarketplacerSettings) -> Built:
    """Documents from `stokly.items` by SKU; held where the marketplace shows the same price and switch already."""
    items = one_for_each_sku(frames["stokly.items"])
    listings = listed(frames)
    documents: list[Document] = []
    kept: list[Problem] = []
    held: dict[str, str | None] = {}
    for item in _items(items):
        made = _one(item, listings, settings)
        if isinstance(made, Problem):
            kept.append(made)
            continue
        documents.append(made)
        there = listings.by_sku.get(item.sku)
        if there is not None and _same(made.body, there):
            held[item.sku] = there.listing
    return Built(documents, kept, held)


@dataclass(frozen=True)
class Item:
    """One item of Stokly, as far as the marketplace takes it; the price is net, in nano units."""

    sku: str
    name: str | None
    price: int | None
    currency: str | None
    tax_class: str | None
    type_name: str | None
    manufacturer: str | None
    description: str | None
    barcode: str | None
    images: tuple[str, ...]
    tags: frozenset[str]
    sold: bool
    parent: bool
    version: datetime
    event_at: datetime | None


def offered(item: Item, settings: MarketplacerSettings) -> bool:
    """Whether the item is meant for the marketplace."""
    return not settings.only_tags or bool(item.tags & set(settings.only_tags))


def _one(item: Item, listings: Listings, settings: MarketplacerSettings) -> Document | Problem:
    there, wanted = listings.by_sku.get(item.sku), offered(item, settings)
    if item.sku in listings.twice:
        return Problem(item.sku, rules.SKU_TWICE.code, "several variants have the SKU")
    if item.parent or (there is None and not item.sold):
        return Problem(item.sku, rules.NOT_SOLD.code, "there is nothing to sell under the SKU itself")
    if there is None and not wanted:
        return Problem(item.sku, rules.NOT_OFFERED.code, "no tag says that it is offered")
    if there is None and not settings.advert_upsert:
        return Problem(item.sku, rules.SKU_UNKNOWN.code, "no variant has the SKU, letter by letter")
    price = price_of(item, settings)
    if price is None and item.sold:
        return Problem(item.sku, rules.PRICE.code, f"the price is missing or not in {settings.currency}")
    body: Json = {"sku": item.sku, "published": item.sold and wanted}
    if price is not None:
        body["price"] = price
    if there is not None:
        version = later(item.version, there.version) or item.version
        return Document(item.sku, {"variantId": there.listing, "attributes": body}, version, event_at=item.event_at)
    return _new(item, body, settings)


def _new(item: Item, body: Json, settings: MarketplacerSettings) -> Document | Problem:
    taxon = settings.taxons.get(item.type_name or "") or settings.taxon_id
    if taxon is None:
        return Problem(item.sku, rules.TAXON.code, "no taxon is set for its item type")
    variant = {**body, **({"barcode": item.barcode} if item.barcode else {}), "countOnHand": 0}
    attributes: Json = {
        "title": item.name or item.sku,
        "description": item.description or item.name or item.sku,
        "taxonId": taxon,
        "price": body.get("price"),
        "attemptAutoPublish": True,
        "images": [{"sourceUrl": url} for url in item.images],
        "variants": [variant],
    }
    maker: Json = {"brandName": item.manufacturer} if item.manufacturer else {}
    return Document(item.sku, {"advert": attributes, **maker}, item.version, event_at=item.event_at)


def _same(body: Mapping[str, Any], there: Listed) -> bool:
    wanted = body["attributes"]
    price = wanted.get("price")
    same_price = price is None or (there.price is not None and decimal(there.price) == Decimal(price))
    return same_price and bool(wanted["published"]) == there.enabled


def price_of(item: Item, settings: MarketplacerSettings) -> str | None:
    """The price for the marketplace as its decimal text; None where there is none in its currency. Rounded once."""
    if item.price is None or (item.currency or settings.currency) != settings.currency:
        return None
    rate = settings.price_tax_rates.get(item.tax_class or "", settings.price_tax_rate)
    step = Decimal(1).scaleb(-minor_digits(settings.currency))
    return format((decimal(item.price) * (100 + rate) / 100).quantize(step, rounding=ROUND_HALF_EVEN), "f")


def _items(rows: pd.DataFrame) -> list[Item]:
    texts = (columns.texts(rows[name]) for name in ("name", "currency", "tax_class_id", "type_name", "manufacturer"))
    lists = (columns.texts(rows[name]) for name in ("barcodes", "images", "tags"))
    return [
        Item(
            sku=sku,
            name=name,
            price=price,
            currency=currency,
            tax_class=tax_class,
            type_name=type_name,
            manufacturer=manufacturer,
            description=description,
            barcode=next((str(one) for one in _read(barcodes)), None),
            images=tuple(str(one) for one in _read(images)),
            tags=frozenset(str(one) for one in _read(tags)),
            sold=bool(live and stocked),
            parent=form == VARIABLE_PARENT,
            version=version,
            event_at=event_at,
        )
        for (
            sku,
            price,
            description,
            name,
            currency,
            tax_class,
            type_name,
            manufacturer,
            barcodes,
            images,
            tags,
            live,
            stocked,
            form,
            version,
            event_at,
        ) in zip(
            columns.keys(rows["sku"]),
            columns.wholes(rows["price"]),
            columns.texts(rows["description"]),
            *texts,
            *lists,
            columns.flags(rows["live"]).tolist(),
            columns.flags(rows["stocked"]).tolist(),
            columns.wholes(rows["format"]),
            _versions(rows),
            columns.moments(rows["updated_at"].fillna(rows["created_at"])),
            strict=True,
        )
    ]


def _versions(rows: pd.DataFrame) -> list[datetime]:
    return [moment for moment in columns.moments(rows["version"]) if moment is not None]


def _read(text: str | None) -> list[Any]:
    return _LIST.decode(text) if text else []
