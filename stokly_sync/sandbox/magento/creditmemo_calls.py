"""The calls about credit memos.

Belongs here: routes and JSON; the deed is in `creditmemos`. Source: Magento API contract 9.
"""

from stokly_sync.sandbox.magento.call import Call, Spec, column, columns
from stokly_sync.sandbox.magento.creditmemos import refund
from stokly_sync.sandbox.magento.errors import document, no_entity
from stokly_sync.sandbox.magento.fields import CREDITMEMO_FIELDS
from stokly_sync.sandbox.magento.figures import Row, shown
from stokly_sync.sandbox.magento.order_calls import comment, no_column
from stokly_sync.sandbox.magento.orders import find_order
from stokly_sync.sandbox.magento.search import Listing
from stokly_sync.sandbox.magento.shapes import Many, Shape

READ = "Magento_Sales::sales_creditmemo"
WRITE = "Magento_Sales::creditmemo"


def _view(row: Row) -> Row:
    return {**shown(row), "items": [shown(item) for item in row["_items"]], "comments": row["_comments"]}


def _list(call: Call) -> Row:
    return call.page(Listing(call.store.creditmemos, column, no_column, columns(CREDITMEMO_FIELDS)), _view)


def _one(call: Call) -> Row:
    found = call.store.creditmemos.get(call.number("id"))
    if found is None:
        raise no_entity()
    return _view(found)


def _refund(call: Call) -> str:
    order = find_order(call.store, call.number("orderId"))
    memo = refund(call.store, order, call.body, now=call.now, gross_shipping=call.switches.refund_shipping_gross)
    note = call.body.get("comment")
    if note is not None:
        memo["_comments"].append(
            {
                "entity_id": call.store.next("creditmemo comment"),
                "parent_id": memo["entity_id"],
                "comment": note.get("comment"),
                "created_at": call.now,
                "is_customer_notified": int(bool(call.body.get("notify"))),
                "is_visible_on_front": note.get("is_visible_on_front") or 0,
            }
        )
        if call.body.get("append_comment"):
            comment(call.store, order, text=note.get("comment"), status=order["status"], at=call.now, flags=note)
    return str(memo["entity_id"])


def _online(call: Call) -> str:
    """Through the gateway; no method of the sandbox has one."""
    if call.store.invoices.get(call.number("invoiceId")) is None:
        raise no_entity()
    raise document("Creditmemo", "We can't create creditmemo for the invoice.")


_API = "Magento\\Sales\\Api"
_ITEM: dict[str, Shape] = {"order_item_id": "int", "qty": "float", "extension_attributes": "any"}
_COMMENT: dict[str, Shape] = {"comment": "string", "is_visible_on_front": "int", "extension_attributes": "any"}
_ARGUMENTS: dict[str, Shape] = {
    "shipping_amount": "float",
    "adjustment_positive": "float",
    "adjustment_negative": "float",
    "extension_attributes": {"return_to_stock_items": ["int"]},
}
_BODY: dict[str, Shape] = {
    "items": Many(_ITEM, f"{_API}\\Data\\CreditmemoItemCreationInterface"),
    "isOnline": "bool",
    "notify": "bool",
    "appendComment": "bool",
    "comment": _COMMENT,
    "arguments": _ARGUMENTS,
}

SPECS = (
    Spec("GET", "creditmemos", READ, _list),
    Spec("GET", "creditmemo/{id}", READ, _one),
    Spec("POST", "order/{orderId}/refund", WRITE, _refund, _BODY, f"{_API}\\RefundOrderInterface::execute"),
    Spec("POST", "invoice/{invoiceId}/refund", WRITE, _online, _BODY, f"{_API}\\RefundInvoiceInterface::execute"),
)
