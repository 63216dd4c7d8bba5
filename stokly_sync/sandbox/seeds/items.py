"""Item rows with the counts and quantities that Stokly keeps on them.

Belongs here: the members of an item, shared by all seeds. `available` is `onHand - sold - allocated`.
Source: Stokly API contract 3.6.
"""

from dataclasses import dataclass
from decimal import Decimal

from stokly_sync.sandbox.seeds.account import ACCOUNT, BASE_CURRENCY, STANDARD_TAX
from stokly_sync.sandbox.seeds.model import Row
from stokly_sync.sandbox.seeds.rows import Product
from stokly_sync.sandbox.seeds.words import make_id

SIMPLE, COMPOSITE, VARIABLE = 0, 1, 2
_COUNTS = (
    "attributeCount",
    "unitOfMeasureCount",
    "composingItemCount",
    "variantItemCount",
    "preferredStorageLocationCount",
    "imageCount",
    "inventoryThresholdCount",
    "storageLocationCount",
)


@dataclass(frozen=True)
class Levels:
    """Quantities of an item over all locations."""

    on_hand: int = 0
    sold: int = 0
    on_order: int = 0


def item_row(
    product: Product,
    *,
    format_: int,
    type_name: str,
    price: Decimal | None,
    created: str,
    updated: str,
    levels: Levels | None = None,
) -> Row:
    """An item; `price` is net in the base currency, None leaves the price out."""
    known = levels or Levels()
    row: Row = {
        "itemId": product.item_id,
        "format": format_,
        "typeId": make_id("item type", type_name),
        "typeName": type_name,
        "sku": product.sku,
        "name": product.name,
        "timeCreated": created,
        "timeUpdated": updated,
        **dict.fromkeys(_COUNTS, 0),
        "onOrder": known.on_order,
        "onHand": known.on_hand,
        "sold": known.sold,
        "allocated": 0,
        "quarantined": 0,
        "available": known.on_hand - known.sold,
        "status": 0,
        "accountkey": ACCOUNT,
        "weightUnit": 0,
        "packIndividually": False,
        "taxClassId": STANDARD_TAX,
        "tags": [],
    }
    if price is not None:
        row["salePrice"], row["saleCurrency"] = price, BASE_CURRENCY
    return row
