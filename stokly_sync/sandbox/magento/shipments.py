"""Shipments: shipping an order, the refusals, and what leaves the shelves.

Belongs here: `order/{id}/ship` as state; reading and tracks are in `shipment_calls`. Too large a quantity is
cut down to what is open, without a word. Source: Magento API contract 7, 11.1.
"""

from collections.abc import Mapping
from decimal import Decimal

from stokly_sync.sandbox.magento.errors import MagentoError, document
from stokly_sync.sandbox.magento.figures import ZERO, Row, amount
from stokly_sync.sandbox.magento.orders import (
    can_ship,
    changing,
    children_of,
    is_dynamic_line,
    leaves,
    lines_of,
    settle,
    shippable_lines,
    ships_apart,
    to_ship,
    top_lines,
)
from stokly_sync.sandbox.magento.stock import DEFAULT_SOURCE, selling_stock, take_from
from stokly_sync.sandbox.magento.store import Store

NO_PRODUCTS = "You can't create a shipment without products."
NOT_ALLOWED = "The order does not allow a shipment to be created."
NOT_SAVED = "Could not save a shipment, see error log for details"


def ship(store: Store, order: Row, given: Row, *, now: str) -> Row:
    """Ship what is asked for, cut down to what is open; nothing named means everything open.

    Raises:
        MagentoError: 400, worded as in the table of section 7.
    """
    lines = lines_of(store, order)
    chosen = _chosen(lines, given.get("items") or [])
    _check(order, lines, chosen, given)
    taken: dict[str, Decimal] = {}
    for line in shippable_lines(lines):
        if line["item_id"] in chosen:
            for sku, quantity in leaves(lines, line, chosen[line["item_id"]]).items():
                taken[sku] = taken.get(sku, ZERO) + quantity
    arguments = given.get("arguments") or {}
    source = (arguments.get("extension_attributes") or {}).get("source_code") or DEFAULT_SOURCE
    tracks = given.get("tracks") or []
    if any(not track.get("title") or not track.get("carrier_code") for track in tracks):
        raise MagentoError(NOT_SAVED)
    if not store.sources.of("source_code", source) or not take_from(store, source, taken):
        raise MagentoError(NOT_SAVED)
    for sku, quantity in taken.items():
        event = "shipment_created"
        store.reserve(selling_stock(store), sku, quantity, event=event, order_id=order["entity_id"])
    shipment = add_shipment(store, order, chosen, at=now, source=source)
    for track in tracks:
        add_track(store, shipment, track, at=now)
    return shipment


def _chosen(lines: list[Row], items: list[Row]) -> dict[int, Decimal]:
    """Quantities by line, already cut down; lines that cannot be named by a shipment are not in it."""
    able = {line["item_id"]: line for line in shippable_lines(lines)}
    if not items:
        return {number: to_ship(line) for number, line in able.items() if to_ship(line) > 0}
    chosen: dict[int, Decimal] = {}
    for item in items:
        line = able.get(item.get("order_item_id") or 0)
        quantity = amount(item.get("qty"))
        if line is None or quantity <= 0 or quantity != quantity.to_integral_value():
            continue
        left = to_ship(line) - chosen.get(line["item_id"], ZERO)
        if left > 0:
            chosen[line["item_id"]] = chosen.get(line["item_id"], ZERO) + min(quantity, left)
    return chosen


def _check(order: Row, lines: list[Row], chosen: Mapping[int, Decimal], given: Row) -> None:
    faults: list[str] = []
    if order["state"] in ("canceled", "holded"):
        faults.append(f"A shipment cannot be created when an order has a status of {order['state']}")
    elif not can_ship(order, lines):
        faults.append(NOT_ALLOWED)
    if not chosen:
        faults.append(NO_PRODUCTS)
    faults += [fault for item in given.get("items") or [] for fault in _bundle_faults(lines, item)]
    if any(not str(track.get("track_number") or "").strip() for track in given.get("tracks") or []):
        faults.append("Please enter a tracking number.")
    if faults:
        raise document("Shipment", *faults)


def _bundle_faults(lines: list[Row], item: Row) -> list[str]:
    line = next((row for row in lines if row["item_id"] == item.get("order_item_id")), None)
    parent = next((row for row in lines if line is not None and row["item_id"] == line["parent_item_id"]), None)
    if parent is None or parent["product_type"] != "bundle" or ships_apart(parent):
        return []
    text = (
        f'Cannot create shipment as bundle product "{parent["sku"]}" has shipment type "Together". '
        "Bundle product itself should be shipped instead."
    )
    return [text]


def add_shipment(store: Store, order: Row, chosen: Mapping[int, Decimal], *, at: str, source: str) -> Row:
    """Keep a shipment of these quantities by line, and move lines and order on; shelves are not touched."""
    lines = lines_of(store, order)
    shipment = store.shipments.add(_document(store, order, at=at, source=source))
    with changing(order, now=at):
        for line in lines:
            if line["item_id"] not in chosen:
                continue
            quantity = chosen[line["item_id"]]
            _shipped(store, shipment, line, quantity, at=at)
            if line["product_type"] == "bundle":
                for child in children_of(lines, line):
                    each = amount(child["qty_ordered"]) / amount(line["qty_ordered"])
                    _shipped(store, shipment, child, each * quantity, at=at)
        for parent in top_lines(lines):
            # The parent of a bundle shipped separately counts once per shipment, even beyond what was ordered.
            if ships_apart(parent) and any(child["item_id"] in chosen for child in children_of(lines, parent)):
                parent["qty_shipped"] = amount(parent["qty_shipped"]) + 1
        settle(store, order)
    shipment["total_qty"] = sum(chosen.values(), ZERO)
    return shipment


def _document(store: Store, order: Row, *, at: str, source: str | None) -> Row:
    return {
        "increment_id": f"{store.next('shipment number'):09d}",
        "order_id": order["entity_id"],
        "store_id": order["store_id"],
        "customer_id": order.get("customer_id"),
        "created_at": at,
        "updated_at": at,
        "total_qty": ZERO,
        "billing_address_id": order["billing_address_id"],
        "shipping_address_id": order["_shipping"]["entity_id"] if order["_shipping"] is not None else None,
        "_packages": [],
        "_items": [],
        "_tracks": [],
        "_comments": [],
        "_source": source,
    }


def _shipped(store: Store, shipment: Row, line: Row, quantity: Decimal, *, at: str) -> None:
    line["qty_shipped"] = amount(line["qty_shipped"]) + quantity
    line["updated_at"] = at
    shipment["_items"].append(shipment_item(store, shipment, line, quantity))


def shipment_item(store: Store, shipment: Row, line: Row, quantity: Decimal) -> Row:
    """A line of a shipment."""
    return {
        "entity_id": store.next("shipment item"),
        "parent_id": shipment["entity_id"],
        "order_item_id": line["item_id"],
        "product_id": line["product_id"],
        "sku": line["sku"],
        "name": line["name"],
        "price": ZERO if is_dynamic_line(line) else line["price"],
        "weight": line["weight"],
        "qty": quantity,
    }


def add_track(store: Store, shipment: Row, given: Row, *, at: str) -> Row:
    """Put a tracking number on a shipment; that stamps neither the order nor the shipment (section 6.4)."""
    track = {
        "entity_id": store.next("track"),
        "parent_id": shipment["entity_id"],
        "order_id": shipment["order_id"],
        "track_number": given.get("track_number"),
        "title": given.get("title"),
        "carrier_code": given.get("carrier_code"),
        "description": given.get("description"),
        "qty": given.get("qty"),
        "weight": given.get("weight"),
        "created_at": at,
        "updated_at": at,
    }
    shipment["_tracks"].append(track)
    return track


def store_document(store: Store, order: Row, given: Row, *, now: str) -> Row:
    """`POST /V1/shipment`: a document and a deduction from the shelves, without a look at the order.

    Raises:
        MagentoError: 400 if it names no source, or its lines lack what is needed.
    """
    source = (given.get("extension_attributes") or {}).get("source_code")
    items = given.get("items") or []
    lines = {line["item_id"]: line for line in lines_of(store, order)}
    if source is None or not items or any(item.get("order_item_id") not in lines for item in items):
        raise MagentoError("The shipment couldn't be saved.")
    shipment = store.shipments.add(_document(store, order, at=now, source=source))
    for item in items:
        line, quantity = lines[item["order_item_id"]], amount(item.get("qty"))
        shipment["_items"].append(shipment_item(store, shipment, line, quantity))
        take_from(store, source, leaves(list(lines.values()), line, quantity))
    shipment["total_qty"] = sum((amount(item.get("qty")) for item in items), ZERO)
    for track in given.get("tracks") or []:
        add_track(store, shipment, track, at=now)
    return shipment
