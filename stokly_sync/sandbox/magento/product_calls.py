"""The calls about products: reading, the upsert by SKU, and deleting.

Belongs here: what a save takes and refuses. Prices alone are written in `price_calls`.
Source: Magento API contract 3 (scope of a write), 10.
"""

from decimal import Decimal
from typing import Any

from stokly_sync.sandbox.magento.address import ALL
from stokly_sync.sandbox.magento.call import Call, Spec, columns, no_attribute
from stokly_sync.sandbox.magento.errors import CrashError, MagentoError, no_product
from stokly_sync.sandbox.magento.figures import Row, amount
from stokly_sync.sandbox.magento.legacy_stock import LEGACY_ITEM, write_default
from stokly_sync.sandbox.magento.products import (
    GLOBAL_CODES,
    HIDDEN,
    PER_STORE,
    SELECT_CODES,
    add_product,
    find_product,
    product_view,
    url_key,
    value,
)
from stokly_sync.sandbox.magento.search import Listing
from stokly_sync.sandbox.magento.shapes import Many, Shape, scalar
from stokly_sync.sandbox.magento.store import Store

RESOURCE = "Magento_Catalog::products"
ATTRIBUTES = "Magento_Catalog::attributes_attributes"

_IS_COLUMN = columns(
    "id entity_id sku name attribute_set_id price status visibility type_id created_at updated_at weight website_id"
)
_LINK: dict[str, Shape] = {
    "id": "string",
    "sku": "string",
    "option_id": "int",
    "qty": "float",
    "position": "int",
    "is_default": "bool",
    "price": "float",
    "price_type": "int",
    "can_change_quantity": "int",
    "extension_attributes": "any",
}
_OPTION: dict[str, Shape] = {
    "option_id": "int",
    "title": "string",
    "required": "bool",
    "type": "string",
    "position": "int",
    "sku": "string",
    "product_links": Many(_LINK),
    "extension_attributes": "any",
}
_EXTENSION: dict[str, Shape] = {
    "website_ids": ["int"],
    "category_links": "any",
    "stock_item": LEGACY_ITEM,
    "configurable_product_options": "any",
    "configurable_product_links": ["int"],
    "bundle_product_options": Many(_OPTION),
    "discounts": "any",
}
_PRODUCT: dict[str, Shape] = {
    "id": "int",
    "sku": "string",
    "name": "string",
    "attribute_set_id": "int",
    "price": "float",
    "status": "int",
    "visibility": "int",
    "type_id": "string",
    "created_at": "string",
    "updated_at": "string",
    "weight": "float",
    "extension_attributes": _EXTENSION,
    "product_links": "any",
    "options": "any",
    "media_gallery_entries": "any",
    "tier_prices": "any",
    "custom_attributes": Many({"attribute_code": "string", "value": "any"}),
}
_BODY: dict[str, Shape] = {"product!": _PRODUCT, "saveOptions": "bool"}


def _list(call: Call) -> Row:
    codes = {row["attribute_code"] for row in call.store.attributes}

    def held(row: Row, field: str) -> Any:
        if field == "entity_id":
            return row["id"]
        if field == "website_id":
            return ",".join(map(str, row["_websites"]))
        return value(row, field, store_code=call.store_code)

    listing = Listing(call.store.products, held, no_attribute, lambda field: _IS_COLUMN(field) or field in codes)
    return call.page(listing, lambda row: product_view(call.store, row, store_code=call.store_code, whole=False))


def _one(call: Call) -> Row:
    product = find_product(call.store, call.params["sku"])
    if product is None:
        raise no_product()
    return product_view(call.store, product, store_code=call.store_code)


def _put(call: Call) -> Row:
    """The path's SKU wins over the body's; with a query it is not merged in at all (section 3)."""
    if call.query and not call.body["product"].get("sku"):
        raise CrashError
    return _save(call, {**call.body["product"], "sku": call.params["sku"]})


def _post(call: Call) -> Row:
    return _save(call, call.body["product"])


def _save(call: Call, given: Row) -> Row:
    store = call.store
    sku = given.get("sku") or ""
    if not sku:
        raise _empty("SKU")
    product = find_product(store, sku)
    custom = _custom(store, given.get("custom_attributes") or [])
    _check(store, given, custom, product)
    if product is None:
        product = add_product(store, {**_columns(given), "sku": sku, "_custom": custom}, at=call.now)
    else:
        _change(product, given, custom, store_code=call.store_code)
        product["updated_at"] = call.now
    product["_saves"] = product.get("_saves", 0) + 1
    _extend(call, product, given.get("extension_attributes") or {})
    return product_view(store, product, store_code=call.store_code)


def _empty(label: str) -> MagentoError:
    return MagentoError(f'The "{label}" attribute value is empty. Set the attribute and try again.')


def _check(store: Store, given: Row, custom: Row, product: Row | None) -> None:
    """What a save refuses; what it takes without a word is in the page's section 10.

    Raises:
        MagentoError: 400.
    """
    if product is None and not given.get("attribute_set_id"):
        raise MagentoError("Invalid product data: %1", ["Invalid attribute set entity type"])
    kind = given.get("type_id") or (product or {}).get("type_id", "simple")
    if ("name" in given or product is None) and not given.get("name"):
        raise _empty("Product Name")
    needs_price = kind not in ("configurable", "bundle", "grouped")
    if needs_price and ("price" in given or product is None) and given.get("price") is None:
        raise _empty("Price")
    if given.get("price") is not None and given["price"] < 0:
        raise MagentoError("Please enter a number 0 or greater in this field.")
    _check_address(store, given, custom, product)


def _check_address(store: Store, given: Row, custom: Row, product: Row | None) -> None:
    wanted = custom.get("url_key") or (url_key(given["name"]) if product is None else None)
    visibility = given.get("visibility", (product or {}).get("visibility"))
    if wanted is None or visibility == HIDDEN:
        return
    for other in store.products:
        if other is not product and other["visibility"] != HIDDEN and other["_custom"].get("url_key") == wanted:
            raise MagentoError("URL key for specified store already exists.")


def _custom(store: Store, given: list[Row]) -> Row:
    """Custom attributes by code; unknown ones vanish, and one to select from takes an option's id."""
    found: Row = {}
    for row in given:
        code, held = row.get("attribute_code"), row.get("value")
        known = store.attributes.of("attribute_code", code)
        if not known:
            continue
        if (known[0]["_options"] or code in SELECT_CODES) and held not in (None, ""):
            try:
                scalar(held, "int")
            except MagentoError as error:
                raise MagentoError(f'Error occurred during "{code}" processing. {error.message}') from error
        found[str(code)] = held if isinstance(held, list) or held is None else str(held)
    return found


def _columns(given: Row) -> Row:
    names = ("name", "attribute_set_id", "price", "status", "visibility", "type_id", "weight")
    return {name: given[name] for name in names if given.get(name) is not None}


def _change(product: Row, given: Row, custom: Row, *, store_code: str) -> None:
    """Set what was sent: for all stores, or as the store's own values (section 3)."""
    own = product["_stores"].setdefault(store_code, {}) if store_code != ALL else None
    for name, held in _columns(given).items():
        if own is not None and name in PER_STORE:
            own[name] = held
        else:
            product[name] = held
    for code, held in custom.items():
        if own is not None and code not in GLOBAL_CODES:
            own[code] = held
        else:
            product["_custom"][code] = held


def _extend(call: Call, product: Row, given: Row) -> None:
    names = {"website_ids": "_websites", "configurable_product_links": "_links"}
    for name, kept in names.items():
        if given.get(name) is not None:
            product[kept] = given[name]
    options = given.get("configurable_product_options") or given.get("bundle_product_options")
    if options is not None:
        product["_options"] = [_numbered(call.store, option) for option in options]
    legacy = given.get("stock_item")
    if legacy is not None:
        write_default(call.store, product["sku"], legacy)


def _numbered(store: Store, option: Row) -> Row:
    links = [
        {"id": str(store.next("selection")), "qty": Decimal(1), **link, "price": amount(link.get("price"))}
        for link in option.get("product_links") or []
    ]
    return {**option, "option_id": option.get("option_id") or store.next("bundle option"), "product_links": links}


def _delete(call: Call) -> bool:
    product = find_product(call.store, call.params["sku"])
    if product is None:
        raise no_product()
    call.store.products.remove(product)
    return True


def _options(call: Call) -> list[Row]:
    found = call.store.attributes.of("attribute_code", call.params["attributeCode"])
    if not found:
        text = 'The attribute with a "%1" attributeCode doesn\'t exist. Verify the attribute and try again.'
        raise MagentoError(text, [call.params["attributeCode"]], status=404)
    return [{"label": " ", "value": ""}, *found[0]["_options"]]


_SERVICE = "Magento\\Catalog\\Api\\ProductRepositoryInterface"

SPECS = (
    Spec("GET", "products", RESOURCE, _list),
    Spec("GET", "products/{sku}", RESOURCE, _one),
    Spec("POST", "products", RESOURCE, _post, _BODY, f"{_SERVICE}::save"),
    Spec("PUT", "products/{sku}", RESOURCE, _put, _BODY, f"{_SERVICE}::save"),
    Spec("DELETE", "products/{sku}", RESOURCE, _delete, {}, f"{_SERVICE}::deleteById"),
    Spec("GET", "products/attributes/{attributeCode}/options", ATTRIBUTES, _options),
)
