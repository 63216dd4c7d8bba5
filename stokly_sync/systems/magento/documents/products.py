"""Items as Magento products: name, price and status of what is listed there, with Stokly as the master (G1).

A SKU is never renamed: a product is found by exactly its SKU, and one that Magento does not have is created only where
the settings say so. What the listing read last says already is told as held and not written again. Pure. Source:
Magento API contract 10.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

import pandas as pd

from stokly_sync.contracts import columns
from stokly_sync.contracts.goods import VARIABLE_PARENT, one_for_each_sku, sold
from stokly_sync.contracts.money import decimal, minor_digits, nano
from stokly_sync.flow import Built, Document, Frames, Json, Problem
from stokly_sync.systems.magento import rules
from stokly_sync.systems.magento.documents.common import records, versioned
from stokly_sync.systems.magento.documents.goods import COMPOSED
from stokly_sync.systems.magento.settings import MagentoSettings
from stokly_sync.systems.transport import decode

LISTINGS: Final = "magento.listings"
ENABLED: Final = 1
DISABLED: Final = 2
_OTHERS: Final = "*"


def build_products(frames: Frames, settings: MagentoSettings) -> Built:
    """Products from `stokly.items`; the key is the SKU, `held` the id of those that Magento has as they are.

    A deleted item is disabled in Magento. Prices are exact to the minor unit of the shop's base currency. Keeps back
    what Magento does not have, what is not sold there, and prices that cannot be told.
    """
    items = one_for_each_sku(frames["stokly.items"])
    listed = by_sku(frames[LISTINGS])
    documents: list[Document] = []
    kept: list[Problem] = []
    held: dict[str, str | None] = {}
    for item in records(items.assign(goods=sold(items))):
        key, listing = item["sku"], listed.get(item["sku"])
        problem = _absent(item, settings) if listing is None else None
        body: Json = {}
        if problem is None:
            try:
                body = _body(item, listing, settings)
            except _Untold as untold:
                problem = untold.problem
        if problem is not None:
            kept.append(problem)
            continue
        version = versioned(f"item {key}", item["version"], listing["version"] if listing else None)
        documents.append(Document(key, body, version, event_at=item["updated_at"]))
        if listing is not None and _same(body, listing):
            held[key] = listing["listing_id"]
    return Built(documents, kept, held)


def by_sku(listings: pd.DataFrame) -> dict[str, Json]:
    """Live listings by exactly their SKU."""
    return {row["sku"]: row for row in records(listings[columns.flags(listings["live"])]) if row["sku"] is not None}


class _Untold(Exception):
    """A member that should be sent cannot be told."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def _absent(item: Json, settings: MagentoSettings) -> Problem | None:
    """Why an item that Magento does not have is not sent; None for one that is to be created."""
    key = item["sku"]
    if not item["goods"]:
        return Problem(key, rules.NO_ITEM.code, "deleted or a service, and not in Magento")
    if not is_expected(item["tags"], settings):
        return Problem(key, rules.NOT_SOLD_HERE.code, "none of its tags says that Magento sells it")
    if settings.create_products and item["format"] != VARIABLE_PARENT:
        return None
    return Problem(key, rules.SKU_UNKNOWN.code, "no product of Magento has exactly this SKU")


def is_expected(tags: str | None, settings: MagentoSettings) -> bool:
    """Whether an item with these tags (JSON text) is sold in Magento."""
    if not settings.expected_tags:
        return True
    return bool(set(settings.expected_tags) & set(decode(tags.encode()) if tags else ()))


def _body(item: Json, listing: Json | None, settings: MagentoSettings) -> Json:
    body: Json = {"sku": item["sku"]}
    wanted = set(settings.product_fields)
    if listing is None:
        wanted = {"name", "price", "status"}
        body |= {"type_id": "simple", "attribute_set_id": settings.attribute_set, "visibility": 4}
        body["extension_attributes"] = {"website_ids": list(settings.website_ids)}
    if "name" in wanted and item["name"]:
        body["name"] = item["name"]
    if "status" in wanted:
        body["status"] = ENABLED if item["goods"] else DISABLED
    if "price" in wanted and item["price"] is not None and _has_price(listing):
        body["price"] = _price(item, listing, settings)
    return body


def _has_price(listing: Json | None) -> bool:
    """Whether a product has a price of its own: composed ones may take theirs from their parts."""
    return listing is None or listing["kind"] not in COMPOSED or listing["price"] is not None


def _price(item: Json, listing: Json | None, settings: MagentoSettings) -> Decimal:
    currency = item["currency"]
    shops = listing["currency"] if listing else None
    if shops is not None and currency is not None and shops != currency:
        detail = f"the price is in {currency}, the catalogue in {shops}"
        raise _Untold(Problem(item["sku"], rules.PRICE_CURRENCY.code, detail))
    price = decimal(item["price"])
    if settings.prices_with_tax:
        rates = settings.tax_rates
        rate = rates.get(item["tax_class_id"] or _OTHERS, rates.get(_OTHERS))
        if rate is None:
            raise _Untold(Problem(item["sku"], rules.PRICE_TAX.code, "the rate of its tax class is not set"))
        price *= 1 + rate / 100
    return price.quantize(Decimal(1).scaleb(-minor_digits(currency)), rounding=ROUND_HALF_EVEN)


def _same(body: Json, listing: Json) -> bool:
    """Whether Magento has a product as it would be sent."""
    price = body.get("price")
    return (
        ("name" not in body or body["name"] == listing["name"])
        and ("status" not in body or (body["status"] == ENABLED) == listing["enabled"])
        and (price is None or nano(price) == listing["price"])
    )
