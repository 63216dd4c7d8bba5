"""Quantities of items as writes move them, and the running numbers of papers.

Belongs here: keeping an item's counts, its bins and the roll-ups that repeat them in step. Why something moves is said
where it is written. Source: Stokly API contract 3.6, 3.7.
"""

from stokly_sync.sandbox.seeds.stock import UNASSIGNED
from stokly_sync.sandbox.stokly.conditions import Row
from stokly_sync.sandbox.stokly.store import Store, UnknownRecordError

_VARIABLE = 2


def move(store: Store, item_id: str, *, sold: int = 0, on_hand: int = 0, location: str = "", bin_id: str = "") -> None:
    """Add to what is sold and on hand; `available` follows. Without a bin the location's default one is meant."""
    item = store.get("items", item_id)
    if "onHand" not in item:
        return
    levels = {"onHand": item["onHand"] + on_hand, "sold": item.get("sold", 0) + sold}
    available = levels["onHand"] - levels["sold"] - item.get("allocated", 0)
    store.put("items", {"itemId": item_id, **levels, "available": available}, touch=False)
    if not on_hand:
        return
    place = bin_id or default_bin(store, location)
    for where in ((location, place), (location, UNASSIGNED), (UNASSIGNED, UNASSIGNED)):
        _add(store, item, where, on_hand)


def default_bin(store: Store, location: str) -> str:
    """The default bin of a location; UNASSIGNED where it has none."""
    bins = store.children("locations/bins", location)
    return next((str(one["binId"]) for one in bins if one.get("default") == 1), UNASSIGNED)


def next_number(store: Store, collection: str) -> int:
    """The next running number for people of a collection."""
    return max((int(row["niceId"]) for row in store.rows(collection) if "niceId" in row), default=0) + 1


def unlisted(store: Store, item_id: str) -> bool:
    """Whether an item is the parent of variants, which nobody can sell."""
    return bool(store.get("items", item_id).get("format") == _VARIABLE)


def _add(store: Store, item: Row, where: tuple[str, str], on_hand: int) -> None:
    location, bin_id = where
    key = {"itemId": item["itemId"], "locationId": location, "binId": bin_id}
    try:
        known = store.get("inventory-records", "|".join(key.values()))
    except UnknownRecordError:
        known = {"itemSku": item.get("sku"), "itemName": item.get("name"), "onHand": 0, "quarantined": 0, "onOrder": 0}
        known |= _names(store, location, bin_id)
    store.put("inventory-records", {**known, **key, "onHand": known["onHand"] + on_hand})


def _names(store: Store, location: str, bin_id: str) -> Row:
    names: Row = {}
    if location != UNASSIGNED:
        names["locationName"] = store.get("locations", location)["name"]
    if bin_id != UNASSIGNED:
        names["binName"] = store.get("bins", bin_id)["name"]
    return names
