"""Products as the shop keeps and shows them: values by store, variants, bundles, and finding one by SKU.

Belongs here: the state of a product and its JSON. Writing by API is in `product_calls`. Values of a store
view lie over those of `all`, attribute by attribute. Source: Magento API contract 3 (scope), 10.
"""

import re
from decimal import Decimal
from typing import Any

from stokly_sync.sandbox.magento.address import ALL
from stokly_sync.sandbox.magento.figures import ZERO, Row, amount, shown
from stokly_sync.sandbox.magento.stock import DEFAULT_SOURCE, put_source_item, source_item
from stokly_sync.sandbox.magento.store import Store, key

ON, OFF = 1, 2
HIDDEN, BOTH = 1, 4
DEFAULT_SET = 4
PER_STORE = frozenset({"name", "status", "visibility"})
"""Columns that a store view may have its own value of; of custom attributes, all but those of a bundle."""

GLOBAL_CODES = frozenset({"sku_type", "price_type", "weight_type", "shipment_type", "special_price", "cost"})
TEXT_CODES = (
    "description",
    "short_description",
    "url_key",
    "meta_title",
    "meta_description",
    "meta_keyword",
    "special_price",
    "special_from_date",
    "special_to_date",
    "cost",
    "barcode",
    "country_of_manufacture",
    "sku_type",
    "price_type",
    "weight_type",
    "shipment_type",
    "options_container",
    "gift_message_available",
)
SELECT_CODES = {
    "tax_class_id": ("None", "Taxable Goods"),
    "color": ("Blue", "Green", "Red", "Sand", "White"),
    "size": ("S", "M", "L", "XL", "XXL"),
    "manufacturer": ("Sample Works",),
}


def add_attributes(store: Store) -> None:
    """The attributes that the shop has from its first day."""
    for code in TEXT_CODES:
        add_attribute(store, code, ())
    for code, labels in SELECT_CODES.items():
        add_attribute(store, code, labels)


def add_attribute(store: Store, code: str, labels: tuple[str, ...]) -> Row:
    """Make an attribute; with labels it is one to select from, and each label gets an id."""
    options = [{"label": label, "value": str(store.next("option"))} for label in labels]
    return store.attributes.add({"attribute_code": code, "_options": options})


def find_product(store: Store, sku: str) -> Row | None:
    """The product of that SKU, without regard to case and trailing blanks (section 10)."""
    found = store.products.of("_key", key(sku))
    return found[0] if found else None


def url_key(name: str) -> str:
    """The address of a product's page, made from its name."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def add_product(store: Store, row: Row, *, at: str) -> Row:
    """Keep a new product; one that stock is kept of gets a row at the default source (section 11.2)."""
    custom = {"url_key": url_key(str(row.get("name") or row["sku"])), **row.get("_custom", {})}
    made = {
        "attribute_set_id": DEFAULT_SET,
        "price": ZERO,
        "status": ON,
        "visibility": BOTH,
        "type_id": "simple",
        "created_at": at,
        "updated_at": at,
        "_websites": [1],
        "_links": [],
        "_options": [],
        "_stores": {},
        **row,
        "_custom": custom,
        "_key": key(row["sku"]),
    }
    kept = store.products.add(made)
    if kept["type_id"] in ("simple", "virtual") and source_item(store, kept["sku"], DEFAULT_SOURCE) is None:
        put_source_item(store, kept["sku"], DEFAULT_SOURCE, quantity=ZERO, status=0)
    return kept


def value(product: Row, name: str, *, store_code: str) -> Any:
    """A column's or custom attribute's value as a store sees it."""
    own = product["_stores"].get(store_code, {}) if store_code != ALL else {}
    if name in own:
        return own[name]
    return product[name] if name in product else product["_custom"].get(name)


def gross_price(store: Store, product: Row) -> Decimal:
    """The price of one piece, as the catalogue has it; a dynamic bundle costs what its parts cost."""
    if is_dynamic(product):
        parts = [(find_product(store, link["sku"]), amount(link["qty"])) for link in bundle_links(product)]
        return sum((gross_price(store, part) * each for part, each in parts if part is not None), ZERO)
    return amount(product["price"])


def is_dynamic(product: Row) -> bool:
    """Whether this is a bundle whose price is that of its parts."""
    return bool(product["type_id"] == "bundle" and str(product["_custom"].get("price_type", "0")) == "0")


def bundle_links(product: Row) -> list[Row]:
    """The parts of a bundle that a shopper gets who changes nothing: the first of each option."""
    return [option["product_links"][0] for option in product["_options"] if option["product_links"]]


def parent_of(store: Store, product: Row) -> Row | None:
    """The configurable product that a variant belongs to."""
    return next((row for row in store.products if product["id"] in row["_links"]), None)


def product_view(store: Store, product: Row, *, store_code: str, whole: bool = True) -> Row:
    """A product's JSON; lists leave out its stock item (section 10, a guess there)."""
    names = [name for name in product if not name.startswith("_")]
    view = shown({name: value(product, name, store_code=store_code) for name in names})
    if product["type_id"] == "configurable" or is_dynamic(product):
        view["price"] = 0
    extension: Row = {"website_ids": product["_websites"], "category_links": []}
    if whole:
        extension["stock_item"] = stock_item_view(store, product)
    if product["type_id"] == "configurable":
        extension["configurable_product_options"] = product["_options"]
        extension["configurable_product_links"] = product["_links"]
    if product["type_id"] == "bundle":
        extension["bundle_product_options"] = product["_options"]
    codes = {**product["_custom"], **product["_stores"].get(store_code, {})}
    custom = {code: value(product, code, store_code=store_code) for code in codes if code not in product}
    return {
        **view,
        "extension_attributes": extension,
        "product_links": [],
        "options": [],
        "media_gallery_entries": [],
        "tier_prices": [],
        "custom_attributes": [{"attribute_code": code, "value": held} for code, held in custom.items()],
    }


def stock_item_view(store: Store, product: Row) -> Row:
    """The legacy view of the default source's level; `qty` is null where the product lives only elsewhere."""
    held = source_item(store, product["sku"], DEFAULT_SOURCE)
    return {
        "item_id": product["id"],
        "product_id": product["id"],
        "stock_id": 1,
        "qty": held["quantity"] if held is not None else None,
        "is_in_stock": bool(held is not None and held["status"]),
        "is_qty_decimal": False,
        "manage_stock": True,
        "use_config_manage_stock": True,
        "min_qty": 0,
        "min_sale_qty": 1,
        "max_sale_qty": 10000,
        "backorders": 0,
    }
