"""The demo's items with all that hangs on them: barcodes, variants, parts, images, attributes, listings.

Belongs here: catalogue rows. Quantities sold on open orders come from outside, because orders are made
after the catalogue is known. Source: Stokly API contract 3.6, 3.7, 3.9.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

from stokly_sync.sandbox.seeds.account import (
    ATTRIBUTE_NAMES,
    COLOUR,
    DEFAULT_BINS,
    MAGENTO,
    MARKETPLACER,
    OVERFLOW_BIN,
    SHOP,
    SIZE,
    STANDARD_TAX,
    WAREHOUSE,
    Channel,
)
from stokly_sync.sandbox.seeds.demo_tables import CatalogueItem
from stokly_sync.sandbox.seeds.items import COMPOSITE, SIMPLE, VARIABLE, Levels, item_row
from stokly_sync.sandbox.seeds.model import PARENT, Row
from stokly_sync.sandbox.seeds.stock import stock_rows
from stokly_sync.sandbox.seeds.words import make_id, midnight, nine_places, stamp

FORMATS = {"simple": SIMPLE, "service": SIMPLE, "composite": COMPOSITE, "variable": VARIABLE}
_IMAGES = "https://images.example.com"
_OVERFLOW_ABOVE = 300
_ON_ORDER = 50

Tables = dict[str, list[Row]]


def catalogue_tables(items: list[CatalogueItem], *, sold: Mapping[str, int], today: date) -> Tables:
    """All catalogue and stock collections; `sold` is the quantity on open orders by SKU."""
    tables: Tables = defaultdict(list)
    by_sku = {item.sku: item for item in items}
    for number, item in enumerate(items, start=1):
        created = stamp(midnight(today, days=-200) + timedelta(hours=number))
        updated = stamp(midnight(today, days=-1 - number % 60) + timedelta(hours=9, minutes=number))
        row = item_row(
            item.product,
            format_=FORMATS[item.format],
            type_name=item.type_name,
            price=item.price,
            created=created,
            updated=updated,
            levels=_levels(item, sold),
        )
        tables["items"].append(row)
        _describe(tables, row, item, number)
        _add_attributes(tables, row, item, updated)
        _add_listings(tables, row, item, number)
        if item.stocked:
            tables["inventory-records"] += stock_rows(item.product, _bins(item), _on_order(item))
    for item in items:
        _add_family(tables, item, by_sku)
    tables["tags"] = [{"value": "gift", "group": "items"}]
    return tables


def _levels(item: CatalogueItem, sold: Mapping[str, int]) -> Levels:
    if not item.stocked:
        return Levels()
    return Levels(
        on_hand=item.warehouse + item.shop,
        sold=sold.get(item.sku, 0),
        on_order=sum(_on_order(item).values()),
    )


def _bins(item: CatalogueItem) -> dict[tuple[str, str], int]:
    bins = {(WAREHOUSE, DEFAULT_BINS[WAREHOUSE]): item.warehouse, (SHOP, DEFAULT_BINS[SHOP]): item.shop}
    if item.warehouse > _OVERFLOW_ABOVE:
        bins[WAREHOUSE, DEFAULT_BINS[WAREHOUSE]] = _OVERFLOW_ABOVE
        bins[WAREHOUSE, OVERFLOW_BIN] = item.warehouse - _OVERFLOW_ABOVE
    return bins


def _on_order(item: CatalogueItem) -> dict[str, int]:
    return {WAREHOUSE: _ON_ORDER} if item.warehouse <= 0 else {}


def _describe(tables: Tables, row: Row, item: CatalogueItem, number: int) -> None:
    row["description"] = f"{item.product.name}, from the demo catalogue."
    if item.type_name == "Gifts":
        row["tags"] = ["gift"]
    if item.format != "service":
        tables["items/images"].append(
            {
                PARENT: row["itemId"],
                "imageId": make_id("image", item.sku),
                "uri": f"{_IMAGES}/{number:03d}.jpg",
                "title": item.product.name,
            }
        )
        row["imageCount"] = 1
    if not item.stocked:
        return
    barcode = _barcode(number)
    row["barcode"], row["barcodes"], row["storageLocationCount"] = barcode, [barcode], len(_bins(item))
    row["weight"], row["averageCostPriceCurrency"] = Decimal("0.25"), row["saleCurrency"]
    row["averageCostPrice"] = nine_places(row["salePrice"] * Decimal("0.4"))
    tables["item-barcodes"].append({"itemId": row["itemId"], "barcode": barcode})
    if item.format == "simple":
        row["unitOfMeasureCount"] = 1
        tables["units-of-measure"].append(_unit(row))


def _unit(row: Row) -> Row:
    return {
        "unitOfMeasureId": make_id("unit", row["itemId"]),
        "itemId": row["itemId"],
        "supplierId": make_id("supplier", "Demo Supplies"),
        "supplierName": "Demo Supplies",
        "supplierSku": f"DS-{row['sku']}",
        "cost": row["averageCostPrice"],
        "currency": row["averageCostPriceCurrency"],
        "quantityInUnit": 1,
    }


def _barcode(number: int) -> str:
    """An EAN-13 of the range kept for use inside a company."""
    digits = f"20000000{number:04d}"
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return f"{digits}{-total % 10}"


def _add_attributes(tables: Tables, row: Row, item: CatalogueItem, updated: str) -> None:
    values = {COLOUR: item.colour, SIZE: item.size}
    for attribute, value in values.items():
        if value:
            row["attributeCount"] += 1
            tables["item-attribute-values"].append(
                {
                    "itemId": row["itemId"],
                    "itemAttributeId": attribute,
                    "itemAttributeName": ATTRIBUTE_NAMES[attribute],
                    "value": value,
                    "timeUpdated": updated,
                    "status": "active",
                }
            )


def _add_family(tables: Tables, item: CatalogueItem, by_sku: Mapping[str, CatalogueItem]) -> None:
    """Children of a bundle or of a variable parent, with the counts on the parent's row."""
    row = next(row for row in tables["items"] if row["itemId"] == item.product.item_id)
    if item.format == "composite":
        row["composingItemCount"] = len(item.parts)
        for sku, quantity in item.parts:
            part = by_sku[sku]
            tables["composing-items"].append(
                {"itemId": row["itemId"], "composingItemId": part.product.item_id, "quantity": quantity}
            )
            tables["items/children"].append({**_child(row, part), "composingItemQuantity": quantity})
    if item.format == "variable":
        variants = [variant for variant in by_sku.values() if variant.parent == item.sku]
        row["variantItemCount"] = len(variants)
        tables["items/children"] += [_child(row, variant) for variant in variants]
        names = [("Colour", any(v.colour for v in variants)), ("Size", any(v.size for v in variants))]
        tables["items/variable-attributes"] += [{PARENT: row["itemId"], "name": name} for name, used in names if used]


def _child(parent: Row, child: CatalogueItem) -> Row:
    return {
        PARENT: parent["itemId"],
        "itemId": child.product.item_id,
        "sku": child.sku,
        "name": child.product.name,
        "format": FORMATS[child.format],
        "status": 0,
    }


def _add_listings(tables: Tables, row: Row, item: CatalogueItem, number: int) -> None:
    if item.format == "service":
        return
    for channel in (MAGENTO, MARKETPLACER):
        tables["listings"].append(_listing(row, item, channel, number))


def _listing(row: Row, item: CatalogueItem, channel: Channel, number: int) -> Row:
    variable = item.format == "variable"
    listing: Row = {
        "listingId": make_id("listing", (channel.name, item.sku)),
        "type": 3 if variable else 1,
        "status": 0,
        "dataSynchronised": True,
        "inventorySynchronised": True,
        "channelId": channel.channel_id,
        "mappingId": make_id("mapping", (channel.name, item.type_name)),
        "referenceId": str(channel.type * 1000 + number),
        "listToChannel": True,
        "deniedInventory": False,
        "itemId": row["itemId"],
        "sku": item.sku,
        "name": item.product.name,
        "taxRate": "20",
        "images": [{"imageId": make_id("image", item.sku), "uri": f"{_IMAGES}/{number:03d}.jpg"}],
        "itemFormat": row["format"],
        "itemTypeId": row["typeId"],
        "itemTypeName": row["typeName"],
        "taxClassId": STANDARD_TAX,
        "data": {
            "stokly_type": f"Demo\\{'Variable' if variable else 'Simple'}ListingDataPacket",
            "itemId": row["itemId"],
            "listIndividually": not item.parent,
            "attributes": [],
            "channelSpecifics": [],
        },
    }
    optional = ("barcode", "salePrice", "saleCurrency", "averageCostPrice")
    return {**listing, **{name: row[name] for name in optional if name in row}}
