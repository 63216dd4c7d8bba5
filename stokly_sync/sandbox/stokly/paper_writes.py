"""Writing customers, the papers of orders, and stock adjustments.

Belongs here: the records that these writes make, refunds by the contract's proposal included [guess]. Nothing
deduplicates. Source: Stokly API contract 3.1, 3.3, 3.5, 4.4, 5 #6.
"""

from decimal import Decimal
from uuid import uuid4

from stokly_sync.sandbox.seeds.words import ZERO, stamp
from stokly_sync.sandbox.stokly import bodies
from stokly_sync.sandbox.stokly.bodies import RefusedWriteError
from stokly_sync.sandbox.stokly.conditions import Row
from stokly_sync.sandbox.stokly.levels import move, next_number
from stokly_sync.sandbox.stokly.store import Store, UnknownRecordError

NO_REFERENCE, SALE_ORDER, CUSTOMER = 0, 1, 2


def new_customer(body: Row) -> Row:
    """A checked customer with its further addresses under `_addresses` and contacts under `_contacts`."""
    if body.get("type") not in (0, 1):
        raise RefusedWriteError("type must be 0 or 1")
    name = bodies.person(body.get("name"))
    others = [_address(one) for one in bodies.objects(body, "shippingAddresses")]
    contacts = [{"contactId": str(uuid4()), **one} for one in bodies.objects(body, "contacts")]
    return {
        "customerId": str(uuid4()),
        "type": body["type"],
        "name": body.get("fullName") or name,
        "fullName": body.get("fullName") or name,
        "status": 1,
        "accountBalance": 0,
        # Both names have been seen; which one the server keeps is not shown (3.1).
        **bodies.address(body.get("billingAddress") or body.get("address"), "billing"),
        **bodies.present(body, "barcode", "email", "phone", "tags"),
        "_addresses": others,
        "_contacts": contacts,
    }


def keep_customer(store: Store, row: Row) -> None:
    """Keep a checked customer."""
    addresses, contacts = row.pop("_addresses"), row.pop("_contacts")
    row["niceId"] = next_number(store, "customers")
    key = store.put("customers", row)
    store.put_children("customers/addresses", key, addresses, touch=False)
    store.put_children("customers/contacts", key, contacts, touch=False)


def changed_customer(key: str, body: Row) -> Row:
    """The members of a customer that a change may touch, flattened as they are read."""
    row: Row = {"customerId": key, **bodies.present(body, "barcode", "email", "phone", "tags", "fullName")}
    if isinstance(body.get("name"), dict):
        row["name"] = bodies.person(body["name"])
    row |= bodies.address(body.get("billingAddress") or body.get("address"), "billing")
    if isinstance(body.get("accountBalance"), dict):
        row["accountBalance"] = bodies.number(body["accountBalance"].get("amount"), "amount")
    return row


def new_invoices(store: Store, order: Row, body: Row) -> list[Row]:
    """Checked invoices on an order, each with its items under `_items`; prices are a unit's (3.3)."""
    made = []
    for one in bodies.objects(body, "invoices"):
        code = bodies.currency(one)
        items = [_invoice_item(store, item) for item in bodies.objects(one, "items")]
        if not items:
            raise RefusedWriteError("items is required")
        due = sum(((i["displayPrice"] + i["displayTax"]) * i["quantity"] for i in items), ZERO)
        paid = sum((bodies.number(p.get("amount"), "amount") for p in bodies.objects(one, "payments")), ZERO)
        if one.get("status") == "paid" and abs(due - paid) > Decimal("0.05"):
            raise RefusedWriteError("payments do not add up to the invoice")
        now = stamp(store.clock.now())
        made.append(
            {
                "saleInvoiceId": str(uuid4()),
                "saleOrderId": order["saleOrderId"],
                "saleOrderNiceId": order["niceId"],
                "issueDate": bodies.moment(one, "issueDate", default=now),
                "dueDate": bodies.moment(one, "dueDate", default=now),
                "currency": code,
                "status": one.get("status", "issued"),
                "_items": items,
            }
        )
    if not made:
        raise RefusedWriteError("invoices is required")
    return made


def keep_invoice(store: Store, row: Row) -> None:
    """Keep a checked invoice under the next number."""
    items = row.pop("_items")
    row["niceId"] = next_number(store, "invoices")
    row["invoiceNumber"] = f"INV-{row['niceId']:06d}"
    store.put_children("invoices/items", store.put("invoices", row), items, touch=False)


def new_credit_note(store: Store, body: Row) -> Row:
    """A checked credit note; what it refers to must be there (3.5)."""
    value = body.get("value")
    if not isinstance(value, dict):
        raise RefusedWriteError("value is required")
    amount, kind = bodies.number(value.get("amount"), "amount"), body.get("referenceType")
    if amount <= 0:
        raise RefusedWriteError("amount must be above 0")
    if kind not in (NO_REFERENCE, SALE_ORDER, CUSTOMER):
        raise RefusedWriteError("Invalid referenceType")
    if kind != NO_REFERENCE:
        bodies.need(body, "referenceId")
        _known(store, {SALE_ORDER: "saleorders", CUSTOMER: "customers"}[kind], str(body["referenceId"]))
    return _credit_note(amount, bodies.currency(value), kind, bodies.present(body, "barcode", "referenceId"))


def new_refund(store: Store, order: Row, body: Row) -> Row:
    """A checked refund with its items under `_items`; what goes back is what its payments say (5 #6) [guess]."""
    lines = {line["lineId"]: line for line in store.children("saleorders/items", order["saleOrderId"])}
    items = [_refund_item(lines, one) for one in bodies.objects(body, "items")]
    shipping = body.get("shipping") or {}
    cost, tax = (bodies.number(shipping.get(name), name, missing=0) for name in ("cost", "tax"))
    parts = sum(((i["displayPrice"] + i["displayTax"]) * i["quantity"] for i in items), cost + tax)
    payments = bodies.objects(body, "payments")
    total = sum((bodies.number(p.get("amount"), "amount") for p in payments), ZERO) if payments else parts
    if total <= 0:
        raise RefusedWriteError("A refund must give something back")
    before = (r for r in store.children("saleorders/refunds", order["saleOrderId"]) if r.get("status") != "removed")
    if sum((one["displayTotal"] for one in before), ZERO) + total > order["displayTotal"] + Decimal("0.05"):
        raise RefusedWriteError("More is refunded than the order's total", 409)
    return {
        "refundId": str(uuid4()),
        "saleOrderId": order["saleOrderId"],
        "saleOrderNiceId": order["niceId"],
        "status": "completed",
        "currency": order["currency"],
        "displayTotal": total,
        "displayTax": sum((i["displayTax"] * i["quantity"] for i in items), tax),
        "shippingRefund": cost,
        **bodies.present(body, "reason"),
        "_items": items,
    }


def keep_refund(store: Store, row: Row, *, credit_note: bool) -> None:
    """Keep a checked refund, and the credit note that documents it where Stokly makes one [guess]."""
    items = row.pop("_items")
    row["niceId"] = next_number(store, "refunds")
    if credit_note:
        note = _credit_note(row["displayTotal"], row["currency"], SALE_ORDER, {"referenceId": row["saleOrderId"]})
        row["creditNoteId"] = keep_credit_note(store, note | {"balance": ZERO})
    store.put_children("refunds/items", store.put("refunds", row), items, touch=False)


def keep_credit_note(store: Store, row: Row) -> str:
    """Keep a credit note under the next number; gives its id."""
    return store.put("credit-notes", {**row, "niceId": next_number(store, "credit-notes")})


def check_adjustment(store: Store, body: Row) -> list[tuple[str, int]]:
    """Items and signed units of an adjustment; refuses places and items that are not there."""
    bodies.need(body, "locationId", "binId", "reason")
    location, place = str(body["locationId"]), str(body["binId"])
    _known(store, "locations", location)
    _known(store, "bins", place)
    moved = []
    for one in bodies.objects(body, "items"):
        _known(store, "items", str(one.get("itemId")))
        moved.append((str(one["itemId"]), int(bodies.number(one.get("quantity"), "quantity"))))
    return moved


def adjust(store: Store, body: Row) -> None:
    """Move stock of one bin by signed quantities (4.4)."""
    for item, units in check_adjustment(store, body):
        move(store, item, on_hand=units, location=str(body["locationId"]), bin_id=str(body["binId"]))


def _credit_note(amount: Decimal, code: str, kind: int, others: Row) -> Row:
    note = {"creditNoteId": str(uuid4()), "value": amount, "currency": code, "balance": amount}
    return {**note, "referenceType": kind, "status": "active", **others}


def _known(store: Store, collection: str, key: str) -> None:
    try:
        store.get(collection, key)
    except UnknownRecordError:
        raise RefusedWriteError(f"Unknown {collection.rstrip('s')}") from None


def _address(one: Row) -> Row:
    bodies.address(one, "shipping")
    return {part: one[part] for part in bodies.PARTS if one.get(part)}


def _invoice_item(store: Store, one: Row) -> Row:
    bodies.need(one, "referenceType", "quantity")
    told = {name: bodies.number(one.get(name), name, missing=0) for name in ("displayPrice", "displayTax")}
    known = bodies.present(one, "referenceType", "referenceId", "itemName")
    if one["referenceType"] == "item":
        _known(store, "items", str(one.get("referenceId")))
        known["itemSku"] = store.get("items", str(one["referenceId"])).get("sku")
    return {**known, "quantity": bodies.number(one["quantity"], "quantity"), **told}


def _refund_item(lines: dict[str, Row], one: Row) -> Row:
    line = lines.get(str(one.get("lineId")))
    if line is None:
        raise RefusedWriteError("Unknown line")
    quantity = bodies.number(one.get("quantity"), "quantity")
    if quantity < 0 or quantity > Decimal(line["quantity"]):
        raise RefusedWriteError("quantity is more than was sold")
    told = {name: bodies.number(one.get(name), name, missing=0) for name in ("displayPrice", "displayTax")}
    known = {"lineId": line["lineId"], "referenceId": line["referenceId"], "itemSku": line["itemSku"]}
    return {**known, "quantity": quantity, **told, "restocked": bool(one.get("restocked", False))}
