"""Multi-source inventory as state: what is where, what is spoken for, and what can be sold.

Belongs here: sources, stocks, reservations and the arithmetic of `salable`. The calls are in `stock_calls`
and `legacy_stock`. Source: Magento API contract 11.1.
"""

from decimal import Decimal

from stokly_sync.sandbox.magento.figures import ZERO, Row, amount
from stokly_sync.sandbox.magento.store import Store, key

DEFAULT_SOURCE = "default"
DEFAULT_STOCK = 1
WEBSITE = "base"
COMPOSED = ("configurable", "bundle", "grouped")


def open_shop(store: Store) -> None:
    """What every shop has from its first day: source `default`, stock 1 with it, serving the website."""
    add_source(store, {"source_code": DEFAULT_SOURCE, "name": "Default Source", "enabled": True, "country_id": "GB"})
    channels = [{"type": "website", "code": WEBSITE}]
    store.stocks.add({"stock_id": DEFAULT_STOCK, "name": "Default Stock", "_channels": channels})
    store.stock_links.add({"stock_id": DEFAULT_STOCK, "source_code": DEFAULT_SOURCE, "priority": 1})


def add_source(store: Store, row: Row) -> Row:
    """Keep a source, or change the one that has the code."""
    known = store.sources.of("source_code", row["source_code"])
    if known:
        known[0].update(row)
        return known[0]
    return store.sources.add({"enabled": True, "use_default_carrier_config": True, **row})


def put_source_item(store: Store, sku: str, source_code: str, *, quantity: Decimal, status: int) -> Row:
    """Set the level of an SKU at a source; the spelling of the SKU that came first stays."""
    place = f"{source_code} {key(sku)}"
    known = store.source_items.of("_key", place)
    if known:
        known[0].update(quantity=quantity, status=status)
        return known[0]
    row = {"sku": sku, "source_code": source_code, "quantity": quantity, "status": status, "_key": place}
    return store.source_items.add(row)


def source_item(store: Store, sku: str, source_code: str) -> Row | None:
    """The level of an SKU at a source."""
    found = store.source_items.of("_key", f"{source_code} {key(sku)}")
    return found[0] if found else None


def stock_of_website(store: Store, code: str = WEBSITE) -> Row | None:
    """The stock that serves a website; the one assigned last, if an older one still names it."""
    serving = [row for row in store.stocks if {"type": "website", "code": code} in row["_channels"]]
    return serving[-1] if serving else None


def selling_stock(store: Store) -> int:
    """The number of the stock that serves the shop's website."""
    found = stock_of_website(store)
    return found["stock_id"] if found is not None else DEFAULT_STOCK


def sources_of(store: Store, stock_id: int) -> list[str]:
    """The codes of a stock's sources by priority."""
    links = sorted(store.stock_links.of("stock_id", stock_id), key=lambda row: row["priority"])
    return [row["source_code"] for row in links]


def levels(store: Store, stock_id: int, sku: str) -> list[Row]:
    """The levels of an SKU at the enabled sources of a stock."""
    enabled = {row["source_code"] for row in store.sources if row["enabled"]}
    found = [source_item(store, sku, code) for code in sources_of(store, stock_id) if code in enabled]
    return [row for row in found if row is not None]


def indexed(store: Store, stock_id: int, sku: str) -> Decimal:
    """The quantity of an SKU at a stock without reservations: levels that are in stock."""
    return sum((amount(row["quantity"]) for row in levels(store, stock_id, sku) if row["status"]), ZERO)


def salable(store: Store, stock_id: int, sku: str, *, threshold: Decimal = ZERO) -> Decimal:
    """What can be sold: source quantities plus reservations less the threshold (section 11.1)."""
    return indexed(store, stock_id, sku) + store.reserved(stock_id, sku) - threshold


def take_from(store: Store, source_code: str, needed: dict[str, Decimal]) -> bool:
    """Take quantities by SKU from a source, all or nothing, and say whether they were there."""
    rows = {sku: source_item(store, sku, source_code) for sku in needed}
    for sku, row in rows.items():
        if row is None or amount(row["quantity"]) < needed[sku]:
            return False
    for sku, row in rows.items():
        if row is not None:
            row["quantity"] = amount(row["quantity"]) - needed[sku]
    return True
