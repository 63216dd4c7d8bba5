"""Items (SKUs) and stock. Stock is kept apart, so that a sale does not look like a change of the product."""

from __future__ import annotations

from typing import Final

from stokly_sync.contracts.tables import Column, Dataset, Kind, RowRule, Table

ITEMS: Final = Dataset(
    root=Table(
        name="stokly.items",
        description="Items: simple, composite, variable parent or manufactured.",
        key=("item_id",),
        columns=(
            Column("item_id", Kind.TEXT, "Stokly's id of the item.", required=True),
            Column("sku", Kind.TEXT, "SKU, exactly as in Stokly."),
            Column("name", Kind.TEXT, "Name."),
            Column(
                "format",
                Kind.WHOLE,
                "0 simple, 1 composite, 2 variable parent, 3 manufactured.",
                required=True,
            ),
            Column("type_name", Kind.TEXT, "Item type (category)."),
            Column("description", Kind.TEXT, "Description."),
            Column("parent_item_id", Kind.TEXT, "The variable parent of a variant."),
            Column("barcodes", Kind.JSON, "Barcodes, a list of texts."),
            Column("tags", Kind.JSON, "Tags, a list of texts."),
            Column("attributes", Kind.JSON, "Attribute values by attribute name, an object."),
            Column("components", Kind.JSON, "Parts of a composite: a list of {item_id, quantity}."),
            Column("images", Kind.JSON, "Image addresses, a list of texts."),
            Column("price", Kind.MONEY, "Sale price net of VAT."),
            Column("currency", Kind.TEXT, "Currency of the price, ISO 4217."),
            Column("tax_class_id", Kind.TEXT, "Tax class."),
            Column("manufacturer", Kind.TEXT, "Manufacturer or brand."),
            Column("weight", Kind.MONEY, "Weight in Stokly's unit, scaled by 10^9."),
            Column(
                "stocked",
                Kind.FLAG,
                "False for services and variable parents, which hold no stock.",
                required=True,
            ),
            Column("live", Kind.FLAG, "False once deleted in Stokly.", required=True),
            Column("created_at", Kind.TIME, "Creation time, UTC."),
            Column("updated_at", Kind.TIME, "Last update, UTC."),
        ),
        rules=(
            RowRule(
                "ST-ITEM-SKU",
                lambda frame: frame["sku"].fillna("").str.strip().ne("") | ~frame["live"].fillna(value=True),
                lambda row: "the item has no SKU",
            ),
            RowRule(
                "ST-CURRENCY",
                lambda frame: frame["currency"].isna() | frame["currency"].str.fullmatch("[A-Z]{3}").fillna(value=True),
                lambda row: f"currency has {len(str(row['currency']))} characters and is no currency code",
            ),
        ),
        indexes=("sku", "parent_item_id"),
    ),
    event_at="updated_at",
    unique=(("sku", "ST-SKU-DUPLICATE"),),
    sought_by=("sku",),
)

STOCK: Final = Dataset(
    root=Table(
        name="stokly.stock",
        description="Stock of one item at one location, or over all locations (`location_id` is empty). "
        "A variable parent has a total of its own, made from its variants: leave it out of sums over items.",
        key=("stock_id",),
        columns=(
            Column("stock_id", Kind.TEXT, "Item id and location id, joined by a slash.", required=True),
            Column("item_id", Kind.TEXT, "The item.", required=True),
            Column("location_id", Kind.TEXT, "The location; empty for the total over all."),
            Column("sku", Kind.TEXT, "SKU of the item."),
            Column("on_hand", Kind.WHOLE, "Units on the shelf; may be negative."),
            Column("available", Kind.WHOLE, "On hand less sold and allocated; may be negative."),
            Column("quarantined", Kind.WHOLE, "Units set aside in the warehouse."),
            Column("on_order", Kind.WHOLE, "Units ordered from suppliers."),
            Column("live", Kind.FLAG, "False once the row has left Stokly's list.", required=True),
        ),
        indexes=("item_id", "location_id", "sku"),
    ),
)
