"""Variants as listings and stock levels, with the reason in words where one is not on sale (P1, P6, P7).

Whoever reads them has turned each advert into one document a variant, with the advert under `advert`. Source:
Marketplacer API contract 3.3, 3.4, 3.5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from stokly_sync.contracts.channels import LISTINGS, MARKETPLACER, STOCK_LEVELS
from stokly_sync.flow import Received, Rows
from stokly_sync.systems.marketplacer.documents.amounts import Unreadable, whole_number
from stokly_sync.systems.marketplacer.documents.orders import unreadable
from stokly_sync.systems.marketplacer.documents.tables import Made, major, moment, rows_of
from stokly_sync.systems.marketplacer.settings import MarketplacerSettings

DELETED: Final = "DeletedAdvert"


def listing_rows(documents: Sequence[Received], requested_at: datetime, *, settings: MarketplacerSettings) -> Rows:
    """Rows of `marketplacer.listings`, one for each variant; prices in nano units. Pure."""
    dataset = LISTINGS[MARKETPLACER]
    return rows_of(dataset, [_listing(document, settings) for document in documents], requested_at)


def level_rows(documents: Sequence[Received], requested_at: datetime) -> Rows:
    """Rows of `marketplacer.stock_levels`, one for each SKU; variants without a SKU hold stock of nothing. Pure."""
    dataset = STOCK_LEVELS[MARKETPLACER]
    return rows_of(dataset, [_level(document) for document in documents if document.get("sku")], requested_at)


def _listing(node: Received, settings: MarketplacerSettings) -> Made:
    advert = node.get("advert") or {}
    details = advert.get("details") or advert
    deleted = advert.get("__typename") == DELETED
    why = None if deleted else why_not(node, details)
    try:
        root = {
            "listing_id": str(node.get("id")),
            "product_id": advert.get("id"),
            "sku": node.get("sku") or None,
            "name": details.get("title") or node.get("label") or None,
            "barcode": node.get("barcode") or None,
            "price": major(node.get("variant_price") or node.get("lowestPrice"), "price"),
            "currency": settings.currency,
            "enabled": bool(node.get("published")) and not deleted,
            "on_sale": why is None and not deleted,
            "why_not": why,
            "updated_at": moment(advert.get("updatedAt"), "updatedAt"),
            "live": not deleted,
        }
    except Unreadable as error:
        return unreadable("listing_id", node, error)
    return Made(root)


def why_not(variant: Mapping[str, Any], advert: Mapping[str, Any]) -> str | None:
    """Why a variant cannot be bought now, the first cause first; None where it can. Source: contract 3.4."""
    if advert.get("vettingRejected"):
        reason = str(advert.get("vettingRejectedReason") or "").strip()
        return f"rejected by the operator: {reason}" if reason else "rejected by the operator"
    if advert.get("requiresVetting") and not advert.get("vetted"):
        return "waits for the operator's approval"
    if not advert.get("published"):
        return "the product is switched off by the seller"
    if not variant.get("published"):
        return "the variant is switched off by the seller"
    if not advert.get("displayable") or not variant.get("displayable"):
        return "fails a rule of the catalogue, such as a missing picture or price"
    if not advert.get("online"):
        return "the product is not online"
    if not variant.get("buyable"):
        return "out of stock" if not variant.get("countOnHand") else "cannot be bought, and no flag says why"
    return None


def _level(node: Received) -> Made:
    sku = str(node["sku"])
    try:
        units = whole_number(node.get("countOnHand"), "countOnHand")
    except Unreadable as error:
        return Made({"level_id": f"{sku}/"}, problems=unreadable("level_id", node, error).problems)
    root: dict[str, Any] = {
        "level_id": f"{sku}/",
        "sku": sku,
        "listing_id": node.get("id"),
        "quantity": units,
        "in_stock": bool(units and units > 0),
        "live": True,
    }
    return Made(root)
