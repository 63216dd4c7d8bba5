"""Prices written and read by themselves: what fails is listed in an answer of 200, the rest is saved.

Belongs here: base prices and special prices. Source: Magento API contract 10.
"""

from collections.abc import Callable

from stokly_sync.sandbox.magento.call import Call, Spec
from stokly_sync.sandbox.magento.figures import Row
from stokly_sync.sandbox.magento.products import find_product, is_dynamic
from stokly_sync.sandbox.magento.shapes import Many, Shape

RESOURCE = "Magento_Catalog::catalog"
_INVALID = "Invalid attribute %fieldName = %fieldValue."
_API = "Magento\\Catalog\\Api"


def _save(call: Call, write: Callable[[Row, Row], None]) -> list[Row]:
    failures: list[Row] = []
    for row in call.body["prices"]:
        fault = _fault(call, row)
        if fault is None:
            product = find_product(call.store, row["sku"])
            if product is not None:
                write(product, row)
                product["updated_at"] = call.now
        else:
            failures.append({"message": _INVALID, "parameters": list(fault)})
    return failures


def _fault(call: Call, row: Row) -> tuple[str, str] | None:
    product = find_product(call.store, row.get("sku") or "")
    if product is None or product["type_id"] == "configurable" or is_dynamic(product):
        return "SKU", str(row.get("sku"))
    if row.get("price") is None or row["price"] < 0:
        return "Price", str(row.get("price"))
    if row.get("store_id") not in (0, 1):
        return "Store Id", str(row.get("store_id"))
    return None


def _base(call: Call) -> list[Row]:
    return _save(call, lambda product, row: product.update(price=row["price"]))


def _special(call: Call) -> list[Row]:
    def write(product: Row, row: Row) -> None:
        product["_custom"]["special_price"] = str(row["price"])
        for name, code in (("price_from", "special_from_date"), ("price_to", "special_to_date")):
            if row.get(name) is not None:
                product["_custom"][code] = row[name]

    return _save(call, write)


def _read_base(call: Call) -> list[Row]:
    found = [find_product(call.store, sku) for sku in call.body["skus"]]
    return [{"price": row["price"], "store_id": 0, "sku": row["sku"]} for row in found if row is not None]


_BASE: dict[str, Shape] = {"sku": "string", "price": "float", "store_id": "int", "extension_attributes": "any"}
_SPECIAL: dict[str, Shape] = {**_BASE, "price_from": "string", "price_to": "string"}

SPECS = (
    Spec(
        "POST",
        "products/base-prices",
        RESOURCE,
        _base,
        {"prices!": Many(_BASE, f"{_API}\\Data\\BasePriceInterface")},
        f"{_API}\\BasePriceStorageInterface::update",
    ),
    Spec("POST", "products/base-prices-information", RESOURCE, _read_base, {"skus!": ["string"]}),
    Spec(
        "POST",
        "products/special-price",
        RESOURCE,
        _special,
        {"prices!": Many(_SPECIAL, f"{_API}\\Data\\SpecialPriceInterface")},
        f"{_API}\\SpecialPriceStorageInterface::update",
    ),
)
