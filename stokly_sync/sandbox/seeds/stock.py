"""Stock records: rows by item, location and bin, and the UNASSIGNED rows that sum them up.

Belongs here: how on-hand quantities become the rows that Stokly lists, roll-ups included, because a reader
who adds roll-ups to bins must get a wrong answer. Source: Stokly API contract 3.6, 3.7.
"""

from collections.abc import Iterable, Mapping

from stokly_sync.sandbox.seeds.account import BIN_NAMES, LOCATION_NAMES
from stokly_sync.sandbox.seeds.model import Row
from stokly_sync.sandbox.seeds.rows import Product

UNASSIGNED = "UNASSIGNED"


def stock_rows(product: Product, on_hand: Mapping[tuple[str, str], int], on_order: Mapping[str, int]) -> Iterable[Row]:
    """The stock rows of one item.

    Args:
        product: the item.
        on_hand: quantity by (location id, bin id); may be negative.
        on_order: quantity on order from suppliers by location id.
    """
    for (location, bin_id), quantity in on_hand.items():
        yield {
            **_item(product),
            "locationId": location,
            "locationName": LOCATION_NAMES[location],
            "binId": bin_id,
            "binName": BIN_NAMES[bin_id],
            "onHand": quantity,
            "quarantined": 0,
            "onOrder": 0,
        }
    for location in dict.fromkeys(location for location, _ in on_hand):
        yield {
            **_item(product),
            "locationId": location,
            "locationName": LOCATION_NAMES[location],
            "binId": UNASSIGNED,
            "onHand": sum(quantity for (place, _), quantity in on_hand.items() if place == location),
            "quarantined": 0,
            "onOrder": on_order.get(location, 0),
        }
    yield {
        **_item(product),
        "locationId": UNASSIGNED,
        "binId": UNASSIGNED,
        "onHand": sum(on_hand.values()),
        "quarantined": 0,
        "onOrder": sum(on_order.values()),
    }


def _item(product: Product) -> Row:
    return {"itemId": product.item_id, "itemSku": product.sku, "itemName": product.name}
