"""The calls of multi-source inventory: writing levels, reading them back, and what can be sold.

Belongs here: routes and refusals. Sources, stocks and their links are in `stock_places`.
Source: Magento API contract 11.2, 11.3.
"""

from decimal import Decimal
from typing import Any

from stokly_sync.sandbox.magento.call import Call, Spec, column, columns
from stokly_sync.sandbox.magento.errors import CrashError, MagentoError, internal
from stokly_sync.sandbox.magento.figures import ZERO, Row, amount, shown
from stokly_sync.sandbox.magento.products import find_product
from stokly_sync.sandbox.magento.search import Listing
from stokly_sync.sandbox.magento.shapes import Many, Shape
from stokly_sync.sandbox.magento.stock import (
    COMPOSED,
    indexed,
    levels,
    put_source_item,
    salable,
    sources_of,
    stock_of_website,
)
from stokly_sync.sandbox.magento.store import Store, key

WRITE = "Magento_InventoryApi::stock_source_item_assign"
READ_ITEMS = "Magento_InventoryApi::source"
EXPORT = "Magento_InventoryApi::stock"
SALABLE = "Magento_InventorySalesApi::stock"

_ITEM = "Magento\\InventoryApi\\Api\\Data\\SourceItemInterface"
_LEVEL: dict[str, Shape] = {
    "sku": "string",
    "source_code": "string",
    # Checked by the inventory itself, whose texts differ from those of a wrong type.
    "quantity": "any",
    "status": "any",
    "extension_attributes": "any",
}
_LEVELS: dict[str, Shape] = {"sourceItems!": Many(_LEVEL, _ITEM)}


def _save(call: Call) -> list[Any]:
    """All rows or none; an SKU that no product has is taken (section 11.2)."""
    rows = _some(call)
    _refuse([fault for row in rows for fault in _faults(row)])
    if any(not call.store.sources.of("source_code", row["source_code"]) for row in rows):
        raise MagentoError("Could not save Source Item")
    _refuse(_second_sources(call.store, rows))
    for row in rows:
        put_source_item(
            call.store,
            row["sku"],
            row["source_code"],
            quantity=Decimal(row["quantity"]),
            status=int(row["status"]),
        )
    return []


def _delete(call: Call) -> list[Any]:
    for row in _some(call):
        for found in call.store.source_items.of("_key", f"{row['source_code']} {key(row['sku'])}"):
            call.store.source_items.remove(found)
    return []


def _some(call: Call) -> list[Row]:
    rows: list[Row] = call.body["source_items"]
    if not rows:
        raise MagentoError("Input data is empty")
    return rows


def _faults(row: Row) -> list[MagentoError]:
    faults = [
        MagentoError('"%field" can not be empty.', {"field": name})
        for name in ("sku", "source_code")
        if not str(row.get(name) or "").strip()
    ]
    faults += [
        MagentoError('"%field" should be numeric.', {"field": name})
        for name in ("quantity", "status")
        if _numeric(row.get(name)) is None
    ]
    status = _numeric(row.get("status"))
    if status is not None and status not in (0, 1):
        faults.append(MagentoError('"%field" should a known status.', {"field": "status"}))
    return faults


def _numeric(value: Any) -> Decimal | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        found = Decimal(str(value).strip())
    except ArithmeticError:
        return None
    return found if found.is_finite() else None


def _second_sources(store: Store, rows: list[Row]) -> list[MagentoError]:
    """A part of a bundle that is shipped together may lie at one source only."""
    faults: list[MagentoError] = []
    bundles = [
        row for row in store.products if row["type_id"] == "bundle" and row["_custom"].get("shipment_type") == "0"
    ]
    for bundle in bundles:
        parts = {key(link["sku"]) for option in bundle["_options"] for link in option["product_links"]}
        for row in rows:
            if key(row["sku"]) not in parts:
                continue
            held = {item["source_code"] for item in store.source_items if key(item["sku"]) == key(row["sku"])}
            if held and row["source_code"] not in held:
                text = 'Not able to assign "%1" to product "%2" as it is part of bundle product "%3".'
                faults.append(MagentoError(text, [row["source_code"], row["sku"], bundle["sku"]]))
    return faults


def _refuse(faults: list[MagentoError]) -> None:
    if faults:
        raise MagentoError(f"Validation Failed: {faults[0].filled()}", errors=faults)


def _list(call: Call) -> Row:
    known = columns("sku source_code quantity status source_item_id")
    listing = Listing(call.store.source_items, column, lambda field: internal(f"{len(field):012x}"), known)
    return call.page(listing, lambda row: shown(row, without=("source_item_id",)))


def _salable_quantity(call: Call) -> Decimal:
    product = find_product(call.store, call.params["sku"])
    if product is None:
        raise CrashError
    if product["type_id"] in COMPOSED:
        raise MagentoError("Can't check requested quantity for products without Source Items support.")
    stock_id = call.number("stockId")
    if not levels(call.store, stock_id, product["sku"]):
        raise MagentoError("Could not receive Stock Item data")
    return salable(call.store, stock_id, product["sku"], threshold=call.switches.out_of_stock_threshold)


def _is_salable(call: Call, sku: str, stock_id: int, quantity: Decimal = ZERO) -> bool:
    if find_product(call.store, sku) is None:
        return False
    left = salable(call.store, stock_id, sku, threshold=call.switches.out_of_stock_threshold)
    return left > 0 and left >= quantity


def _one_salable(call: Call) -> bool:
    return _is_salable(call, call.params["sku"], call.number("stockId"))


def _many_salable(call: Call) -> list[Row]:
    stock_id = int(call.query.get("stockId", call.query.get("stock_id", 1)))
    skus = call.query.get("skus", {})
    return [{"sku": sku, "stock_id": stock_id, "salable": _is_salable(call, sku, stock_id)} for sku in skus.values()]


def _enough_salable(call: Call) -> Row:
    wanted = Decimal(call.params["qty"])
    if _is_salable(call, call.params["sku"], call.number("stockId"), wanted):
        return {"salable": True, "errors": []}
    text = "The requested qty is not available"
    return {"salable": False, "errors": [{"code": "is_salable_with_reservations-not_enough_qty", "message": text}]}


def _at_website(call: Call) -> tuple[int, list[str]]:
    stock = stock_of_website(call.store, call.params["code"])
    if stock is None:
        raise MagentoError("No linked stock found", status=404)
    codes = set(sources_of(call.store, stock["stock_id"]))
    skus = {key(row["sku"]): row["sku"] for row in call.store.source_items if row["source_code"] in codes}
    return stock["stock_id"], list(skus.values())


def _export(call: Call) -> Row:
    stock_id, skus = _at_website(call)
    threshold = call.switches.out_of_stock_threshold
    rows: list[Row] = []
    for sku in skus:
        left = salable(call.store, stock_id, sku, threshold=threshold)
        rows.append({"sku": sku, "qty": left, "is_salable": left > 0})
    known = columns("sku")
    page = call.page(Listing(rows, column, lambda field: internal(f"{len(field):012x}"), known), dict)
    return {**page, "total_count": len(page["items"])}


def _dump(call: Call) -> list[Row]:
    stock_id, skus = _at_website(call)
    quantities = {sku: indexed(call.store, stock_id, sku) for sku in skus}
    return [{"sku": sku, "qty": left, "is_salable": left > 0} for sku, left in quantities.items()]


def _select(call: Call) -> Row:
    """Sources by priority, each giving what it has (algorithm `priority`)."""
    asked = call.body["inventory_request"]
    chosen: list[Row] = []
    shippable = True
    for item in asked["items"]:
        left = amount(item["qty"])
        for row in levels(call.store, asked["stock_id"], item["sku"]):
            given = max(min(left, amount(row["quantity"])), ZERO)
            left -= given
            chosen.append(
                {
                    "source_code": row["source_code"],
                    "sku": item["sku"],
                    "qty_to_deduct": given,
                    "qty_available": row["quantity"],
                }
            )
        shippable = shippable and left <= 0
    return {"source_selection_items": chosen, "shippable": shippable}


_REQUEST: dict[str, Shape] = {
    "stock_id": "int",
    "items": Many({"sku": "string", "qty": "float"}),
    "extension_attributes": "any",
}

SPECS = (
    Spec(
        "POST",
        "inventory/source-items",
        WRITE,
        _save,
        _LEVELS,
        "Magento\\InventoryApi\\Api\\SourceItemsSaveInterface::execute",
    ),
    Spec(
        "POST",
        "inventory/source-items-delete",
        WRITE,
        _delete,
        _LEVELS,
        "Magento\\InventoryApi\\Api\\SourceItemsDeleteInterface::execute",
    ),
    Spec("GET", "inventory/source-items", READ_ITEMS, _list),
    Spec("GET", "inventory/get-product-salable-quantity/{sku}/{stockId}", SALABLE, _salable_quantity),
    Spec("GET", "inventory/is-product-salable/{sku}/{stockId}", SALABLE, _one_salable),
    Spec("GET", "inventory/are-products-salable", SALABLE, _many_salable),
    Spec("GET", "inventory/is-product-salable-for-requested-qty/{sku}/{stockId}/{qty}", SALABLE, _enough_salable),
    Spec("GET", "inventory/export-stock-salable-qty/website/{code}", EXPORT, _export),
    Spec("GET", "inventory/dump-stock-index-data/website/{code}", EXPORT, _dump),
    Spec(
        "POST",
        "inventory/source-selection-algorithm-result",
        READ_ITEMS,
        _select,
        {"inventoryRequest!": _REQUEST, "algorithmCode!": "string"},
    ),
)
