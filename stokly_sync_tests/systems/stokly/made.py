"""Rows of Stokly made for tests: whole and consistent, changed by keyword where a test is about a member."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

Row = dict[str, Any]
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def row_id(name: object) -> str:
    """A UUID that is the same for the same name."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, str(name)))


def at(minutes: float) -> str:
    """ISO text of so many minutes after NOON."""
    return (NOON + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def order(number: int, **changes: Any) -> Row:
    """An order row without lines: two units at 10.00 net, 20 % tax, shipping 4.00 and its tax 0.80."""
    amounts = {"subtotal": 20, "tax": 4, "discount": 0, "shippingCost": 4, "shippingTax": Decimal("0.80")}
    amounts["total"] = Decimal("28.80")
    row: Row = {
        "saleOrderId": row_id(f"order {number}"),
        "niceId": number,
        "stage": "order",
        "itemStatuses": ["unprocessed"],
        "sourceType": "magento_two",
        "createdAt": at(number),
        "updatedAt": at(number),
        "currency": "GBP",
        "shippingAddressCountry": "GB",
        **amounts,
        **{f"display{name[0].upper()}{name[1:]}": amount for name, amount in amounts.items()},
    }
    return changed(row, changes)


def line(order_number: int, place: int = 0, **changes: Any) -> Row:
    """The line of `order(order_number)`, as a row of the sub-list in a seed."""
    row: Row = {
        "_parent": row_id(f"order {order_number}"),
        "lineId": row_id(f"line {order_number}/{place}"),
        "type": "item",
        "referenceId": row_id("item 1"),
        "itemSku": "SKU-1",
        "itemName": "Mug",
        "quantity": 2,
        "status": "unprocessed",
        "price": 10,
        "tax": 2,
        "displayPrice": 10,
        "displayTax": 2,
        "displayDiscount": 0,
        "displayLinePrice": 20,
        "displayLineTax": 4,
        "displayLineDiscount": 0,
        "displayLineTotal": 24,
    }
    return changed(row, changes)


def whole_order(number: int, lines: list[Row] | None = None, **changes: Any) -> Row:
    """An order with its lines inside, as `documents.orders` takes it."""
    inner = [line(number)] if lines is None else lines
    return {**order(number, **changes), "items": [{k: v for k, v in row.items() if k != "_parent"} for row in inner]}


def item(number: int, **changes: Any) -> Row:
    """A simple item."""
    row: Row = {
        "itemId": row_id(f"item {number}"),
        "format": 0,
        "sku": f"SKU-{number}",
        "name": f"Thing {number}",
        "typeName": "Homeware",
        "status": 0,
        "salePrice": Decimal("49.991666667"),
        "saleCurrency": "GBP",
        "timeCreated": at(number),
        "timeUpdated": at(number),
        "onHand": 5,
        "sold": 1,
        "allocated": 1,
        "available": 3,
        "quarantined": 0,
        "onOrder": 2,
        "imageCount": 0,
        "attributeCount": 0,
        "composingItemCount": 0,
    }
    return changed(row, changes)


def customer(number: int, **changes: Any) -> Row:
    """A live customer."""
    row: Row = {
        "customerId": row_id(f"customer {number}"),
        "name": f"Customer {number}",
        "email": f"customer-{number}@example.com",
        "status": 1,
        "type": 0,
        "createdAt": at(number),
        "updatedAt": at(number),
    }
    return changed(row, changes)


def changed(row: Row, changes: Row) -> Row:
    """The row with changes; a change to `...` leaves the member out."""
    return {name: value for name, value in {**row, **changes}.items() if value is not ...}
