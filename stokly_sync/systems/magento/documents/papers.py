"""Shipments and credit memos: Magento's documents to our rows.

Both may carry our own mark in a comment, by which what we made is known again. A credit memo lists parents and
children of a product like an order does, without saying which is which; the reader therefore puts the order's lines
beside it under `order_items`. Pure. Source: Magento API contract 7, 9.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import pandas as pd

from stokly_sync.contracts.channels import MAGENTO, REFUNDS, SHIPMENTS
from stokly_sync.flow import Json, Received, Rows
from stokly_sync.systems.magento.documents.common import (
    DISPATCH,
    REFUND,
    identity,
    joined,
    marked,
    numbers,
    objects,
    part,
)
from stokly_sync.systems.magento.documents.lines import Line, flatten, number
from stokly_sync.systems.rows.cells import constant, texts
from stokly_sync.systems.rows.roots import Sheet, child_frame, finish, sheet, sub_documents
from stokly_sync.systems.rows.shapes import Shape, members

_SHIPMENT: Final = SHIPMENTS[MAGENTO]
_REFUND: Final = REFUNDS[MAGENTO]
_STATES: Final = {1: "requested", 2: "completed", 3: "denied"}
_SHIPMENT_TEXTS: Final = ("order_id", "number", "carrier", "tracking_number", "source", "reference")
_REFUND_TEXTS: Final = ("order_id", "number", "state", "status", "currency", "reason", "reference")
_AMOUNTS: Final = ("grand_total", "tax_amount", "shipping_amount", "shipping_tax_amount", "adjustment")
_LINE_AMOUNTS: Final = ("qty", "row_total", "tax_amount", "discount_amount", "discount_tax_compensation_amount")
SHIPMENT_SHAPE: Final = Shape(
    _SHIPMENT,
    key_member="entity_id",
    update_member="updated_at",
    known=members(
        text=("entity_id", *_SHIPMENT_TEXTS, "created_at", "updated_at"), texts=("tracks",), other=("lines",)
    ),
)
REFUND_SHAPE: Final = Shape(
    _REFUND,
    key_member="entity_id",
    update_member="updated_at",
    known=members(text=("entity_id", *_REFUND_TEXTS, "created_at", "updated_at"), money=_AMOUNTS, other=("lines",)),
)


def shipment_rows(documents: Sequence[Received], requested_at: datetime) -> Rows:
    """Shipments as rows of `magento.shipments` and `magento.shipment_lines`; times UTC."""
    made = sheet(SHIPMENT_SHAPE, [_plain_shipment(document) for document in documents], requested_at)
    c = made.cells
    columns = {name: c.text(name) for name in _SHIPMENT_TEXTS} | {
        "tracking_numbers": c.json("tracks", of=list),
        "shipped_at": c.time("created_at"),
        "updated_at": c.time("updated_at"),
        "live": constant(value=True, length=len(made.keys)),
    }
    return finish(made, columns, {_SHIPMENT.children[0].name: lambda _t: _shipment_lines(made)}, dropped=())


def refund_rows(documents: Sequence[Received], requested_at: datetime) -> Rows:
    """Credit memos as rows of `magento.refunds` and `magento.refund_lines`; nano units of the memo's currency."""
    made = sheet(REFUND_SHAPE, [_plain_refund(document) for document in documents], requested_at)
    c = made.cells
    money = {name: c.money(name) for name in _AMOUNTS}
    columns = {name: c.text(name) for name in _REFUND_TEXTS} | {
        "total": money["grand_total"],
        "tax": money["tax_amount"],
        "shipping": money["shipping_amount"],
        "shipping_tax": money["shipping_tax_amount"],
        "adjustment": money["adjustment"],
        "commission": pd.Series([None] * len(made.keys)),
        "created_at": c.time("created_at"),
        "updated_at": c.time("updated_at"),
        "live": constant(value=True, length=len(made.keys)),
    }
    return finish(made, columns, {_REFUND.children[0].name: lambda _t: _refund_lines(made)}, dropped=())


def _plain_shipment(document: Received) -> Json:
    items, tracks = objects(document.get("items")), objects(document.get("tracks"))
    found = [track["track_number"] for track in tracks or [] if track.get("track_number")]
    return {
        "entity_id": identity(document.get("entity_id")),
        "order_id": identity(document.get("order_id")),
        "number": identity(document.get("increment_id")),
        "carrier": tracks[0].get("carrier_code") if tracks else None,
        "tracking_number": identity(found[0]) if found else None,
        "tracks": [identity(one) for one in found],
        "source": part(document, "extension_attributes").get("source_code"),
        "reference": marked(document.get("comments"), DISPATCH),
        "created_at": document.get("created_at"),
        "updated_at": document.get("updated_at"),
        "lines": document.get("items")
        if items is None
        else [
            {"line_id": identity(item.get("order_item_id")), "sku": item.get("sku"), **numbers(item, ("qty",))}
            for item in items
        ],
    }


def _shipment_lines(made: Sheet) -> pd.DataFrame:
    found = sub_documents(made, "lines")
    c = made.children(found.documents, found.owners, prefix="items.")
    columns = {
        "shipment_id": texts(found.owners),
        "position": found.places,
        "line_id": c.text("line_id"),
        "sku": c.text("sku"),
        "quantity": c.whole("qty"),
    }
    return child_frame(_SHIPMENT.children[0], columns)


def _plain_refund(document: Received) -> Json:
    state = document.get("state")
    comments = objects(document.get("comments")) or []
    return {
        "entity_id": identity(document.get("entity_id")),
        "order_id": identity(document.get("order_id")),
        "number": identity(document.get("increment_id")),
        "state": _STATES.get(state) if type(state) is int else None,
        "status": identity(state),
        "currency": document.get("order_currency_code"),
        "reason": joined((comment.get("comment") for comment in comments), " "),
        "reference": marked(document.get("comments"), REFUND),
        **{name: document.get(name) for name in ("created_at", "updated_at", *_AMOUNTS)},
        "adjustment": document.get("adjustment"),
        "lines": _counted(document),
    }


def _counted(document: Received) -> Any:
    """The memo's lines that count, with what the order's lines know of them."""
    items = objects(document.get("items"))
    if items is None:
        return document.get("items")
    order = objects(document.get("order_items")) or []
    counted = {line.id: line for line in flatten(order)}
    known = {str(identity(item.get("item_id"))) for item in order}
    found = []
    for item in items:
        name = str(identity(item.get("order_item_id")))
        line = counted.get(name)
        # Without the order nobody knows what nests what: children have no amounts of their own then.
        if line is None and (name in known or "row_total" not in item):
            continue
        found.append(
            {
                "line_id": identity(item.get("order_item_id")),
                "sku": item.get("sku"),
                "returned": _was_shipped(line),
                **numbers(item, _LINE_AMOUNTS),
            }
        )
    return found


def _was_shipped(line: Line | None) -> bool | None:
    return None if line is None else bool(number(line.item, "qty_shipped"))


def _refund_lines(made: Sheet) -> pd.DataFrame:
    found = sub_documents(made, "lines")
    c = made.children(found.documents, found.owners, prefix="items.")
    tax = c.money("tax_amount")
    cut, given_back = c.money("discount_amount"), c.money("discount_tax_compensation_amount")
    price = c.money("row_total").fillna(0) - cut.fillna(0) + given_back.fillna(0)
    columns = {
        "refund_id": texts(found.owners),
        "position": found.places,
        "line_id": c.text("line_id"),
        "sku": c.text("sku"),
        "quantity": c.whole("qty"),
        "line_price": price,
        "line_tax": tax,
        "line_total": price + tax.fillna(0),
        "returned": c.flag("returned"),
    }
    return child_frame(_REFUND.children[0], columns)
