"""The calls about shipments.

Belongs here: routes and JSON; the deeds are in `shipments`. Source: Magento API contract 7.
"""

from stokly_sync.sandbox.magento.call import Call, Spec, column, columns
from stokly_sync.sandbox.magento.errors import MagentoError, no_entity
from stokly_sync.sandbox.magento.fields import SHIPMENT_FIELDS
from stokly_sync.sandbox.magento.figures import Row, shown
from stokly_sync.sandbox.magento.order_calls import comment, no_column
from stokly_sync.sandbox.magento.orders import find_order
from stokly_sync.sandbox.magento.search import Listing
from stokly_sync.sandbox.magento.shapes import Many, Shape
from stokly_sync.sandbox.magento.shipments import add_track, ship, store_document

READ = "Magento_Sales::shipment"
NO_TRACK = "Could not save the shipment tracking."


def shipment_view(row: Row) -> Row:
    """A shipment's JSON."""
    extension = {"source_code": row["_source"]} if row["_source"] is not None else {}
    return {
        **shown(row),
        "packages": row["_packages"],
        "items": [shown(item) for item in row["_items"]],
        "tracks": [shown(track) for track in row["_tracks"]],
        "comments": row["_comments"],
        "extension_attributes": extension,
    }


def _list(call: Call) -> Row:
    return call.page(Listing(call.store.shipments, column, no_column, columns(SHIPMENT_FIELDS)), shipment_view)


def _one(call: Call) -> Row:
    found = call.store.shipments.get(call.number("id"))
    if found is None:
        raise no_entity()
    return shipment_view(found)


def _ship(call: Call) -> str:
    """The shipment's entity id, as a text (section 7)."""
    order = find_order(call.store, call.number("orderId"))
    shipment = ship(call.store, order, call.body, now=call.now)
    note = call.body.get("comment")
    if note is not None:
        flags = {"is_visible_on_front": note.get("is_visible_on_front")}
        shipment["_comments"].append(
            {
                "entity_id": call.store.next("shipment comment"),
                "parent_id": shipment["entity_id"],
                "comment": note.get("comment"),
                "created_at": call.now,
                "is_customer_notified": int(bool(call.body.get("notify"))),
                "is_visible_on_front": note.get("is_visible_on_front") or 0,
            }
        )
        if call.body.get("append_comment"):
            text = note.get("comment")
            comment(call.store, order, text=text, status=order["status"], at=call.now, flags=flags)
    return str(shipment["entity_id"])


def _document(call: Call) -> Row:
    given = call.body["entity"]
    return shipment_view(
        store_document(call.store, find_order(call.store, given.get("order_id") or 0), given, now=call.now)
    )


def _track(call: Call) -> Row:
    given = call.body["entity"]
    shipment = call.store.shipments.get(given.get("parent_id") or 0)
    needed = ("track_number", "title", "carrier_code", "weight", "qty", "description", "order_id")
    if shipment is None or any(given.get(name) is None for name in needed):
        raise MagentoError(NO_TRACK)
    return shown(add_track(call.store, shipment, given, at=call.now))


_ITEM: dict[str, Shape] = {"order_item_id": "int", "qty": "float", "extension_attributes": "any"}
_TRACK: dict[str, Shape] = {
    "track_number": "string",
    "title": "string",
    "carrier_code": "string",
    "extension_attributes": "any",
}
_COMMENT: dict[str, Shape] = {"comment": "string", "is_visible_on_front": "int", "extension_attributes": "any"}
_ARGUMENTS: dict[str, Shape] = {"extension_attributes": {"source_code": "string", "ext_return_to_stock_items": "any"}}
_API = "Magento\\Sales\\Api"
_SHIP: dict[str, Shape] = {
    "items": Many(_ITEM, f"{_API}\\Data\\ShipmentItemCreationInterface"),
    "notify": "bool",
    "appendComment": "bool",
    "comment": _COMMENT,
    "tracks": Many(_TRACK, f"{_API}\\Data\\ShipmentTrackCreationInterface"),
    "packages": "any",
    "arguments": _ARGUMENTS,
}
_STORED_TRACK: dict[str, Shape] = {
    **_TRACK,
    **dict.fromkeys(("entity_id", "order_id", "parent_id"), "int"),
    **dict.fromkeys(("weight", "qty"), "float"),
    **dict.fromkeys(("description", "created_at", "updated_at"), "string"),
}
_STORED_ITEM: dict[str, Shape] = {
    **dict.fromkeys(("entity_id", "parent_id", "order_item_id", "product_id"), "int"),
    **dict.fromkeys(("sku", "name", "description", "additional_data"), "string"),
    **dict.fromkeys(("qty", "price", "weight", "row_total"), "float"),
    "extension_attributes": "any",
}
_ENTITY: dict[str, Shape] = {
    **dict.fromkeys(SHIPMENT_FIELDS.split(), "any"),
    "order_id": "int",
    "items": Many(_STORED_ITEM),
    "tracks": Many(_STORED_TRACK),
    "packages": "any",
    "comments": "any",
    "extension_attributes": {"source_code": "string"},
}

SPECS = (
    Spec("GET", "shipments", READ, _list),
    Spec("GET", "shipment/{id}", READ, _one),
    Spec("POST", "order/{orderId}/ship", "Magento_Sales::ship", _ship, _SHIP, f"{_API}\\ShipOrderInterface::execute"),
    Spec("POST", "shipment", READ, _document, {"entity!": _ENTITY}, f"{_API}\\ShipmentRepositoryInterface::save"),
    Spec(
        "POST",
        "shipment/track",
        READ,
        _track,
        {"entity!": _STORED_TRACK},
        f"{_API}\\ShipmentTrackRepositoryInterface::save",
    ),
)
