"""Sources, stocks, and which source belongs to which stock: the calls.

Belongs here: setting up where stock lies. Source: Magento API contract 11.1, 11.3.
"""

from typing import Any

from stokly_sync.sandbox.magento.call import Call, Spec, column, columns
from stokly_sync.sandbox.magento.errors import MagentoError, internal
from stokly_sync.sandbox.magento.figures import Row, shown
from stokly_sync.sandbox.magento.search import Listing
from stokly_sync.sandbox.magento.shapes import Many, Shape
from stokly_sync.sandbox.magento.stock import DEFAULT_SOURCE, DEFAULT_STOCK, add_source, stock_of_website

SOURCE = "Magento_InventoryApi::source"
STOCK = "Magento_InventoryApi::stock"

_SOURCE: dict[str, Shape] = {
    "source_code": "string",
    "name": "string",
    "enabled": "bool",
    "description": "string",
    "country_id": "string",
    "postcode": "string",
    "region": "string",
    "city": "string",
    "street": "string",
    "email": "string",
    "phone": "string",
    "contact_name": "string",
    "use_default_carrier_config": "bool",
    "carrier_links": "any",
    "extension_attributes": "any",
}
_CHANNELS: dict[str, Shape] = {"sales_channels": Many({"type": "string", "code": "string"})}
_STOCK: dict[str, Shape] = {"stock_id": "int", "name": "string", "extension_attributes": _CHANNELS}
_LINK: dict[str, Shape] = {"stock_id": "int", "source_code": "string", "priority": "int", "extension_attributes": "any"}


def _save_source(call: Call) -> list[Any]:
    """Create a source, or change it: a code that exists is answered with 200 as well."""
    row = dict(call.body["source"])
    row["source_code"] = call.params.get("sourceCode") or row.get("source_code")
    faults = [
        MagentoError('"%field" can not be empty.', {"field": name})
        for name in ("source_code", "name", "country_id", "postcode")
        if not row.get(name) and not call.store.sources.of("source_code", row["source_code"])
    ]
    if faults:
        raise MagentoError(f"Validation Failed: {faults[0].filled()}", errors=faults)
    add_source(call.store, row)
    return []


def _source(call: Call) -> Row:
    code = call.params["sourceCode"]
    found = call.store.sources.of("source_code", code)
    if not found:
        raise MagentoError('Source with code "%value" does not exist.', {"value": code}, status=404)
    return _source_view(found[0])


def _source_view(row: Row) -> Row:
    return {**shown(row, without=("number",)), "carrier_links": row.get("carrier_links") or []}


def _sources(call: Call) -> Row:
    known = columns(" ".join(_SOURCE))
    return call.page(Listing(call.store.sources, column, _unknown, known), _source_view)


def _unknown(field: str) -> MagentoError:
    return internal(f"{len(field):012x}")


def _save_stock(call: Call) -> int:
    given = call.body["stock"]
    number = call.params.get("stockId")
    row = call.store.stocks.get(int(number)) if number is not None else None
    if row is None:
        row = call.store.stocks.add({"name": given.get("name"), "_channels": []})
    row["name"] = given.get("name", row["name"])
    channels = (given.get("extension_attributes") or {}).get("sales_channels")
    if channels is not None:
        for other in call.store.stocks:
            other["_channels"] = [channel for channel in other["_channels"] if channel not in channels]
        row["_channels"] = channels
    stock_id: int = row["stock_id"]
    return stock_id


def _stock_view(row: Row) -> Row:
    return {**shown(row), "extension_attributes": {"sales_channels": row["_channels"]}}


def _stocks(call: Call) -> Row:
    return call.page(Listing(call.store.stocks, column, _unknown, columns("stock_id name")), _stock_view)


def _stock(call: Call) -> Row:
    row = call.store.stocks.get(call.number("stockId"))
    if row is None:
        raise MagentoError('Stock with id "%value" does not exist.', {"value": call.number("stockId")}, status=404)
    return _stock_view(row)


def _resolve(call: Call) -> Row:
    row = stock_of_website(call.store, call.params["code"])
    if row is None:
        raise MagentoError("No linked stock found", status=404)
    return _stock_view(row)


def _links(call: Call) -> Row:
    known = columns("stock_id source_code priority")
    listing = Listing(call.store.stock_links, column, _unknown, known)
    return call.page(listing, lambda row: shown(row, without=("link_id",)))


def _save_links(call: Call) -> list[Any]:
    links: list[Row] = call.body["links"]
    if not links:
        raise MagentoError("Input data is empty")
    for row in links:
        if (row["stock_id"] == DEFAULT_STOCK) != (row["source_code"] == DEFAULT_SOURCE):
            raise MagentoError("Can not save link related to Default Source or Default Stock")
    for row in links:
        same = [old for old in call.store.stock_links.of("stock_id", row["stock_id"]) if _is_same(old, row)]
        if same:
            same[0]["priority"] = row["priority"]
        else:
            call.store.stock_links.add(row)
    return []


def _is_same(one: Row, other: Row) -> bool:
    return bool(one["source_code"] == other["source_code"])


SPECS = (
    Spec("GET", "inventory/sources", SOURCE, _sources),
    Spec("POST", "inventory/sources", SOURCE, _save_source, {"source!": _SOURCE}),
    Spec("GET", "inventory/sources/{sourceCode}", SOURCE, _source),
    Spec("PUT", "inventory/sources/{sourceCode}", SOURCE, _save_source, {"source!": _SOURCE}),
    Spec("GET", "inventory/stocks", STOCK, _stocks),
    Spec("POST", "inventory/stocks", STOCK, _save_stock, {"stock!": _STOCK}),
    Spec("GET", "inventory/stocks/{stockId}", STOCK, _stock),
    Spec("PUT", "inventory/stocks/{stockId}", STOCK, _save_stock, {"stock!": _STOCK}),
    Spec("GET", "inventory/stock-resolver/website/{code}", STOCK, _resolve),
    Spec("GET", "inventory/stock-source-links", STOCK, _links),
    Spec("POST", "inventory/stock-source-links", STOCK, _save_links, {"links!": Many(_LINK)}),
)
