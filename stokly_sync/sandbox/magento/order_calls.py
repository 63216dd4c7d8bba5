"""The calls about orders: reading, comments, cancel and hold, and marking one by `POST /V1/orders`.

Belongs here: routes and refusals; shipments, invoices and credit memos have modules of their own.
Source: Magento API contract 6.
"""

from typing import Any

from stokly_sync.sandbox.magento.call import Call, Spec, column, columns
from stokly_sync.sandbox.magento.errors import MagentoError, internal
from stokly_sync.sandbox.magento.fields import ORDER_FIELDS, ORDER_ITEM_FIELDS
from stokly_sync.sandbox.magento.figures import ZERO, Row, amount, put_money
from stokly_sync.sandbox.magento.order_views import comments, line_view, order_view
from stokly_sync.sandbox.magento.orders import (
    ENDED,
    STATUS_OF_STATE,
    changing,
    find_order,
    lines_of,
    rate_of,
    set_state,
    to_invoice,
)
from stokly_sync.sandbox.magento.placing import reserve
from stokly_sync.sandbox.magento.search import Criteria, Listing, listed
from stokly_sync.sandbox.magento.shapes import Shape
from stokly_sync.sandbox.magento.store import Store

READ = "Magento_Sales::actions_view"


def no_column(field: str) -> MagentoError:
    """A document has no such column: the database's error comes through (section 4)."""
    return internal(f"{sum(field.encode()):012x}")


def _list(call: Call) -> Row:
    listing = Listing(call.store.orders, column, no_column, columns(ORDER_FIELDS))
    return call.page(listing, lambda order: order_view(call.store, order))


def _one(call: Call) -> Row:
    return order_view(call.store, find_order(call.store, call.number("id")))


def _items(call: Call) -> Row:
    def view(line: Row) -> Row:
        return line_view(line, call.store.order_items.of("order_id", line["order_id"]))

    return call.page(Listing(call.store.order_items, column, no_column, columns(ORDER_ITEM_FIELDS)), view)


def _comments(call: Call) -> Row:
    found = comments(find_order(call.store, call.number("id")))
    return listed(found, len(found), Criteria([], None, None, None))


def _status(call: Call) -> str:
    status: str = find_order(call.store, call.number("id"))["status"]
    return status


def _add_comment(call: Call) -> bool:
    order = find_order(call.store, call.number("id"))
    given = call.body["status_history"]
    status = given.get("status") or order["status"]
    if status not in STATUS_OF_STATE[order["state"]]:
        text = 'Unable to add comment: The status "%1" is not part of the order status history.'
        raise MagentoError(text, [status])
    with changing(order, now=call.now):
        order["status"] = status
    comment(call.store, order, text=given.get("comment"), status=status, at=call.now, flags=given)
    return True


def comment(store: Store, order: Row, *, text: str | None, status: str, at: str, flags: Row) -> None:
    """Put a comment on an order; that alone does not stamp the order (section 6.4)."""
    order["_comments"].append(
        {
            "entity_id": store.next("comment"),
            "parent_id": order["entity_id"],
            "comment": text,
            "status": status,
            "created_at": at,
            "entity_name": "order",
            "is_customer_notified": flags.get("is_customer_notified") or 0,
            "is_visible_on_front": flags.get("is_visible_on_front") or 0,
        }
    )


def _cancel(call: Call) -> bool:
    """Cancel an order that nothing was invoiced of; false, not an error, for any other."""
    order = find_order(call.store, call.number("id"))
    lines = lines_of(call.store, order)
    begun = any(amount(line["qty_invoiced"]) or amount(line["qty_shipped"]) for line in lines)
    if order["state"] in (*ENDED, "complete", "holded") or begun:
        return False
    cancel_order(call.store, order, now=call.now)
    return True


def cancel_order(store: Store, order: Row, *, now: str) -> None:
    """Cancel every line of an order and release what it had reserved."""
    lines = lines_of(store, order)
    with changing(order, now=now):
        for line in lines:
            line["qty_canceled"] = to_invoice(line)
            line["updated_at"] = now
        names = {"grand_total": "total_canceled", "subtotal": "subtotal_canceled", "tax_amount": "tax_canceled"}
        names |= {"shipping_amount": "shipping_canceled"}
        put_money(order, {to: amount(order[name]) for name, to in names.items()}, rate=rate_of(order))
        put_money(order, {"total_due": ZERO}, rate=rate_of(order))
        set_state(order, "canceled")
    reserve(store, order, lines, sign=1, event="order_canceled")


def _hold(call: Call) -> bool:
    order = find_order(call.store, call.number("id"))
    if order["state"] not in ("new", "processing", "pending_payment"):
        raise MagentoError("A hold action is not available.")
    with changing(order, now=call.now):
        order["hold_before_state"], order["hold_before_status"] = order["state"], order["status"]
        set_state(order, "holded")
    return True


def _unhold(call: Call) -> bool:
    order = find_order(call.store, call.number("id"))
    if order["state"] != "holded":
        raise MagentoError("You cannot remove the hold.")
    with changing(order, now=call.now):
        order["state"], order["status"] = order["hold_before_state"], order["hold_before_status"]
        order["hold_before_state"] = order["hold_before_status"] = None
    return True


def _update(call: Call) -> Row:
    """Set the columns that were sent and leave the rest; the answer is half empty (section 6.5)."""
    given = {name: value for name, value in call.body["entity"].items() if value is not None}
    number = given.pop("entity_id", None)
    if number is None:
        raise MagentoError("Please provide payment for the order.")
    order = find_order(call.store, number)
    for name in ("items", "billing_address", "payment", "status_histories", "extension_attributes"):
        given.pop(name, None)
    with changing(order, now=call.now):
        order.update(given)
    return {**dict.fromkeys(("increment_id", "state", "status", "grand_total")), "entity_id": number, **given}


def _create(_call: Call) -> Any:
    raise MagentoError("Please provide payment for the order.")


_COMMENT: dict[str, Shape] = {
    "comment": "string",
    "created_at": "string",
    "entity_id": "int",
    "entity_name": "string",
    "is_customer_notified": "int",
    "is_visible_on_front": "int",
    "parent_id": "int",
    "status": "string",
    "extension_attributes": "any",
}
_MONEY = [name for name in ORDER_FIELDS.split() if "amount" in name or "total" in name]
_ENTITY: dict[str, Shape] = {
    **dict.fromkeys(ORDER_FIELDS.split(), "any"),
    **dict.fromkeys(_MONEY, "float"),
    "entity_id": "int",
    "ext_order_id": "string",
    "state": "string",
    "status": "string",
    **dict.fromkeys(("items", "billing_address", "payment", "status_histories", "extension_attributes"), "any"),
}
_API = "Magento\\Sales\\Api\\OrderManagementInterface"

SPECS = (
    Spec("GET", "orders", READ, _list),
    Spec("GET", "orders/items", READ, _items),
    Spec("GET", "orders/{id}", READ, _one),
    Spec("GET", "orders/{id}/comments", "Magento_Sales::comment", _comments),
    Spec("GET", "orders/{id}/statuses", READ, _status),
    Spec(
        "POST",
        "orders/{id}/comments",
        "Magento_Sales::comment",
        _add_comment,
        {"statusHistory!": _COMMENT},
        f"{_API}::addComment",
    ),
    Spec("POST", "orders/{id}/cancel", "Magento_Sales::cancel", _cancel, {}, f"{_API}::cancel"),
    Spec("POST", "orders/{id}/hold", "Magento_Sales::hold", _hold, {}, f"{_API}::hold"),
    Spec("POST", "orders/{id}/unhold", "Magento_Sales::unhold", _unhold, {}, f"{_API}::unHold"),
    Spec(
        "POST",
        "orders",
        "Magento_Sales::create",
        _update,
        {"entity!": _ENTITY},
        "Magento\\Sales\\Api\\OrderRepositoryInterface::save",
        later_resource="Magento_Sales::api_actions",
    ),
    Spec("PUT", "orders/create", "Magento_Sales::create", _create, {"entity!": _ENTITY}),
)
