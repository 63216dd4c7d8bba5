"""The older stock calls, which know one source only: `default`.

Belongs here: `stockItems` and `stockStatuses`. On a shop whose website sells from another stock they change
nothing that can be sold. Source: Magento API contract 11.4.
"""

from stokly_sync.sandbox.magento.call import Call, Spec
from stokly_sync.sandbox.magento.errors import MagentoError
from stokly_sync.sandbox.magento.figures import Row, amount
from stokly_sync.sandbox.magento.products import find_product, stock_item_view
from stokly_sync.sandbox.magento.shapes import Shape
from stokly_sync.sandbox.magento.stock import DEFAULT_SOURCE, put_source_item, salable, selling_stock, source_item
from stokly_sync.sandbox.magento.store import Store

RESOURCE = "Magento_Catalog::catalog_inventory"

LEGACY_ITEM: dict[str, Shape] = {
    "item_id": "int",
    "product_id": "int",
    "stock_id": "int",
    "qty": "float",
    "is_in_stock": "bool",
    **dict.fromkeys(("is_qty_decimal", "manage_stock", "use_config_manage_stock"), "bool"),
    **dict.fromkeys(("min_qty", "min_sale_qty", "max_sale_qty", "backorders"), "float"),
}


def write_default(store: Store, sku: str, given: Row) -> None:
    """Set the level at the default source; none left flips the status off, a quantity alone flips it on again."""
    held = source_item(store, sku, DEFAULT_SOURCE)
    quantity = amount(given["qty"]) if given.get("qty") is not None else amount((held or {}).get("quantity"))
    in_stock = given.get("is_in_stock")
    status = int(quantity > 0 and in_stock is not False)
    put_source_item(store, sku, DEFAULT_SOURCE, quantity=quantity, status=status)


def _product(call: Call) -> Row:
    product = find_product(call.store, call.params["sku"])
    if product is None:
        raise MagentoError('The Product with the "%1" SKU doesn\'t exist.', [call.params["sku"]], status=404)
    return product


def _write(call: Call) -> int:
    product = _product(call)
    write_default(call.store, product["sku"], call.body["stock_item"])
    number: int = product["id"]
    return number


def _read(call: Call) -> Row:
    return stock_item_view(call.store, _product(call))


def _status(call: Call) -> Row:
    product = _product(call)
    left = salable(
        call.store, selling_stock(call.store), product["sku"], threshold=call.switches.out_of_stock_threshold
    )
    return {
        "product_id": product["id"],
        "stock_id": 1,
        "qty": left,
        "stock_status": int(left > 0),
        "stock_item": stock_item_view(call.store, product),
    }


SPECS = (
    Spec(
        "PUT",
        "products/{sku}/stockItems/{itemId}",
        RESOURCE,
        _write,
        {"stockItem!": LEGACY_ITEM},
        "Magento\\CatalogInventory\\Api\\StockRegistryInterface::updateStockItemBySku",
    ),
    Spec("GET", "stockItems/{sku}", RESOURCE, _read),
    Spec("GET", "stockStatuses/{sku}", RESOURCE, _status),
)
