"""The shop beside a seeded Stokly account: the same goods, the same customers, the same orders.

Belongs here: goods, sources and stock, and putting the parts together. The orders are made by
`seeded_orders`, the planted defects by `defects`. The same Stokly seed gives the same shop, number by number.

A product's id is the reference of Stokly's listing of it on the Magento channel, where there is one. A
composite of Stokly is a simple product here (the shop knows nothing of its parts), a variable item a configurable
one, and a service a virtual product. Catalogue prices include VAT, Stokly's do not.
Source: Magento API contract 10, 11.1; Stokly API contract 3.6, 3.7.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from stokly_sync.sandbox.magento.defects import plant_defects
from stokly_sync.sandbox.magento.figures import Row, cents
from stokly_sync.sandbox.magento.products import BOTH, HIDDEN, add_product, find_product
from stokly_sync.sandbox.magento.seeded_orders import add_orders, magento_time
from stokly_sync.sandbox.magento.stock import WEBSITE, add_source, put_source_item
from stokly_sync.sandbox.magento.store import Store
from stokly_sync.sandbox.seeds.account import MAGENTO, SHOP, WAREHOUSE
from stokly_sync.sandbox.seeds.model import PARENT, Seed
from stokly_sync.sandbox.seeds.rows import VAT
from stokly_sync.sandbox.seeds.stock import UNASSIGNED

SOURCES = {WAREHOUSE: "warehouse", SHOP: "shop"}
"""Stokly location -> source of the seeded shop."""

STOCK_NAME = "Shop Stock"
_VARIABLE = 2


def fill(store: Store, seed: Seed, *, today: date, defects: bool) -> None:
    """Fill a new shop with what the Stokly account of a seed knows of it; `defects` plants those of `defects`."""
    planted = {(row.dataset, row.key) for row in seed.planted if row.rule.startswith("ST-")}
    items = [
        row for row in seed.collections.get("items", []) if row.get("sku") and ("items", row["itemId"]) not in planted
    ]
    _add_places(store)
    _add_products(store, items, seed)
    _add_stock(store, items, seed)
    add_orders(store, seed, skip={key for dataset, key in planted if dataset in ("saleorders", "refunds")})
    if defects:
        plant_defects(store, seed, today=today)


def _add_places(store: Store) -> None:
    """A stock of its own for the website, because source `default` cannot be joined by others (section 11.1)."""
    for code, name in zip(SOURCES.values(), ("Main Warehouse", "High Street Shop"), strict=True):
        add_source(store, {"source_code": code, "name": name, "country_id": "GB", "postcode": "LS1 0AA"})
    for row in store.stocks:
        row["_channels"] = []
    stock = store.stocks.add({"name": STOCK_NAME, "_channels": [{"type": "website", "code": WEBSITE}]})
    for priority, code in enumerate(SOURCES.values(), start=1):
        store.stock_links.add({"stock_id": stock["stock_id"], "source_code": code, "priority": priority})


def _add_products(store: Store, items: list[Row], seed: Seed) -> None:
    children: dict[str, list[str]] = {}
    for row in seed.collections.get("items/children", []):
        children.setdefault(row[PARENT], []).append(row["sku"])
    variants = {sku for row in items if row["format"] == _VARIABLE for sku in children.get(row["itemId"], [])}
    ids = _product_ids(items, seed)
    for row in items:
        if row["format"] != _VARIABLE:
            _add_product(store, row, ids[row["itemId"]], hidden=row["sku"] in variants)
    for row in items:
        if row["format"] == _VARIABLE:
            _add_configurable(store, row, ids[row["itemId"]], children.get(row["itemId"], []))


def _product_ids(items: list[Row], seed: Seed) -> dict[str, int]:
    """The ids that Stokly's listings name, and numbers after them for items that are not listed."""
    ids = {
        row["itemId"]: int(row["referenceId"])
        for row in seed.collections.get("listings", [])
        if row["channelId"] == MAGENTO.channel_id
    }
    last = max(ids.values(), default=0)
    unlisted = [row["itemId"] for row in items if row["itemId"] not in ids]
    return {**ids, **{item_id: last + place for place, item_id in enumerate(unlisted, start=1)}}


def _add_product(store: Store, row: Row, number: int, *, hidden: bool) -> None:
    product = {
        "id": number,
        "sku": row["sku"],
        "name": row["name"],
        "price": cents(Decimal(row.get("salePrice", 0)) * (1 + VAT)),
        "visibility": HIDDEN if hidden else BOTH,
        "type_id": "virtual" if row["typeName"] == "Service" else "simple",
        "weight": Decimal(row.get("weight", 0)),
        "_custom": {name: row[name] for name in ("description", "barcode") if row.get(name)},
    }
    product["_custom"]["tax_class_id"] = "2"
    add_product(store, product, at=magento_time(row["timeCreated"]))


def _add_configurable(store: Store, row: Row, number: int, skus: list[str]) -> None:
    found = [product for sku in skus if (product := find_product(store, sku)) is not None]
    option = {"id": row["sku"], "attribute_id": "93", "label": "Variant", "position": 0}
    product = {
        "id": number,
        "sku": row["sku"],
        "name": row["name"],
        "type_id": "configurable",
        "_links": [variant["id"] for variant in found],
        "_options": [option],
        "_custom": {"description": row.get("description", ""), "tax_class_id": "2"},
    }
    add_product(store, product, at=magento_time(row["timeCreated"]))


def _add_stock(store: Store, items: list[Row], seed: Seed) -> None:
    """Stokly's on-hand quantity of each location at its source; roll-ups over all locations are none."""
    skus: Mapping[str, str] = {row["itemId"]: row["sku"] for row in items}
    for row in seed.collections.get("inventory-records", []):
        if row["binId"] != UNASSIGNED or row["locationId"] == UNASSIGNED or row["itemId"] not in skus:
            continue
        quantity = Decimal(row["onHand"])
        code = SOURCES[row["locationId"]]
        put_source_item(store, skus[row["itemId"]], code, quantity=quantity, status=int(quantity > 0))
