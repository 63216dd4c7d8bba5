"""Writing sale orders: creation, changes, cancellation, collection, dispatch, and what they do to stock.

Belongs here: the records that these writes make. Nothing deduplicates: two equal creations make two orders. What the
papers of an order are (invoices, refunds, credit notes) stands in `paper_writes`. Source: Stokly API contract 3.2, 3.4,
4.2; cancellation and dispatch are [guess].
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import uuid4

from stokly_sync.sandbox.seeds.words import ZERO, cents, nine_places, stamp
from stokly_sync.sandbox.stokly import bodies
from stokly_sync.sandbox.stokly.bodies import RefusedWriteError
from stokly_sync.sandbox.stokly.conditions import Row
from stokly_sync.sandbox.stokly.levels import move as move_stock
from stokly_sync.sandbox.stokly.levels import next_number, unlisted
from stokly_sync.sandbox.stokly.store import Store, UnknownRecordError

OPEN, DISPATCHED, COLLECTED, CANCELLED = "unprocessed", "dispatched", "collected", "cancelled"
_ORDER = ("stage", "createdAt", "sourceType", "sourceId", "sourceReferenceId", "currency", "items")


def new_order(store: Store, body: Row) -> Row:
    """A checked order with its lines under `_lines` and its payments under `_payments`; nothing is kept yet."""
    bodies.need(body, *_ORDER)
    code = bodies.currency(body)
    channel = _channel(store, body["sourceId"], body["sourceType"])
    lines = [_line(store, one) for one in bodies.objects(body, "items")]
    shipping = body.get("shipping") or {}
    if not isinstance(shipping, dict):
        raise RefusedWriteError("shipping must be an object")
    totals = _totals(lines, shipping, bodies.number(body.get("exchangeRate"), "exchangeRate", missing=1))
    payments = [_payment(one, code, store) for one in bodies.objects(body, "payments")]
    paid = sum((one["amount"] for one in payments), ZERO)
    row: Row = {
        "saleOrderId": str(uuid4()),
        "stage": str(body["stage"]),
        "itemStatuses": list(dict.fromkeys(line["status"] for line in lines)),
        "sourceType": str(body["sourceType"]),
        "sourceId": str(body["sourceId"]),
        "sourceReferenceId": str(body["sourceReferenceId"]),
        "createdAt": bodies.moment(body, "createdAt", default=""),
        "currency": code,
        "exchangeRate": bodies.number(body.get("exchangeRate"), "exchangeRate", missing=1),
        "amountPaid": paid,
        "paymentStatus": "unpaid" if not paid else "paid" if paid >= totals["displayTotal"] else "part_paid",
        **({"channelName": channel["name"]} if channel else {}),
        **_customer(store, body.get("customer")),
        **bodies.address(shipping.get("address"), "shipping"),
        **totals,
        **bodies.present(body, "customerReference", "tags", "barcode", "userId", "locationId"),
    }
    return {**row, "_lines": lines, "_payments": payments}


def keep_order(store: Store, row: Row) -> None:
    """Keep a checked order; its units count as sold."""
    lines, payments = row.pop("_lines"), row.pop("_payments")
    row["niceId"] = next_number(store, "saleorders")
    key = store.put("saleorders", row)
    store.put_children("saleorders/items", key, lines, touch=False)
    store.put_children("saleorders/payments", key, payments, touch=False)
    for line in lines:
        move_stock(store, line["referenceId"], sold=int(line["quantity"]))


def change_order(store: Store, key: str, body: Row, *, may_cancel: bool) -> None:
    """Change tags and references (lists replace); `stage` only where a change of it cancels [guess]."""
    if body.get("stage") == "removed":
        if not may_cancel:
            raise RefusedWriteError("Invalid stage")
        cancel_order(store, key)
        return
    allowed = ("tags", "customerReference", "carrierReference")
    unknown = sorted(set(body) - set(allowed))
    if unknown:
        raise RefusedWriteError(f"Unknown member {unknown[0]}")
    store.put("saleorders", {"saleOrderId": key, **{name: body[name] for name in allowed if name in body}})


def check_cancel(store: Store, key: str) -> None:
    """Refuse to cancel what is not there, is cancelled already, or has left in part [guess]."""
    order = store.get("saleorders", key)
    if order["stage"] == "removed":
        raise RefusedWriteError("The order is removed already", 409)
    if any(sent_of(store, key).values()):
        raise RefusedWriteError("The order has been dispatched", 409)


def cancel_order(store: Store, key: str) -> None:
    """Remove an order and free what it had sold."""
    check_cancel(store, key)
    lines = [dict(line) for line in store.children("saleorders/items", key)]
    for line in lines:
        if line["status"] == OPEN and not line.get("parentId"):
            move_stock(store, line["referenceId"], sold=-int(line["quantity"]))
        line["status"] = CANCELLED
    store.put_children("saleorders/items", key, lines)
    store.put("saleorders", {"saleOrderId": key, "stage": "removed", "itemStatuses": [CANCELLED]})


def check_collect(store: Store, key: str, body: Row) -> list[tuple[Row, Decimal]]:
    """The lines and units that a collection names; refuses a place that is not there and lines that are not open."""
    bodies.need(body, "locationId", "items")
    store.get("saleorders", key)
    try:
        store.get("locations", str(body["locationId"]))
    except UnknownRecordError:
        raise RefusedWriteError("Unknown location") from None
    return _chosen(store, key, bodies.objects(body, "items"))


def collect(store: Store, key: str, body: Row) -> None:
    """Hand lines over at a location: they must be open, and the stock leaves that location (3.4)."""
    chosen = check_collect(store, key, body)
    _leave(store, key, chosen, COLLECTED, str(body["locationId"]))


def dispatch(store: Store, order: Row, wanted: Sequence[Row], *, location: str, parcel: Row) -> str:
    """Send lines of an order (all that is open where none are named); gives the dispatch's id.

    Not part of the API: Stokly's own people do this. `wanted` names lines by `lineId` or `sku`.
    """
    key = order["saleOrderId"]
    chosen = _chosen(store, key, _named(store, key, wanted))
    if not chosen:
        raise RefusedWriteError("Nothing of the order is left to send", 409)
    row = {
        "dispatchId": str(uuid4()),
        "niceId": next_number(store, "dispatches"),
        "saleOrderId": key,
        "locationId": location,
        "status": "dispatched",
        "dispatchedAt": stamp(store.clock.now()),
        **bodies.present(parcel, "courier", "service", "trackingNumber", "trackingUrl", "dispatchedAt"),
    }
    store.put("dispatches", row)
    items = [{"lineId": line["lineId"], "quantity": quantity} for line, quantity in chosen]
    store.put_children("dispatches/items", row["dispatchId"], items, touch=False)
    _leave(store, key, chosen, DISPATCHED, location)
    return str(row["dispatchId"])


def sent_of(store: Store, key: str) -> dict[str, Decimal]:
    """Units of each line that have left by dispatches, or whole by collection."""
    sent = {line["lineId"]: ZERO for line in store.children("saleorders/items", key)}
    for one in store.children("saleorders/dispatches", key):
        for item in store.children("dispatches/items", one["dispatchId"]):
            sent[item["lineId"]] = sent.get(item["lineId"], ZERO) + Decimal(item["quantity"])
    for line in store.children("saleorders/items", key):
        if line["status"] in (DISPATCHED, COLLECTED):
            sent[line["lineId"]] = Decimal(line["quantity"])
    return sent


def _named(store: Store, key: str, wanted: Sequence[Row]) -> Sequence[Row]:
    lines = store.children("saleorders/items", key)
    if not wanted:
        sent = sent_of(store, key)
        left = [(line, Decimal(line["quantity"]) - sent[line["lineId"]]) for line in lines if line["status"] == OPEN]
        return [{"lineId": line["lineId"], "quantity": n} for line, n in left if n > 0 and not line.get("parentId")]
    by_sku = {line["itemSku"]: line["lineId"] for line in lines}
    return [{"lineId": one.get("lineId") or by_sku.get(one.get("sku")), "quantity": one["quantity"]} for one in wanted]


def _chosen(store: Store, key: str, wanted: Sequence[Row]) -> list[tuple[Row, Decimal]]:
    lines = {line["lineId"]: line for line in store.children("saleorders/items", key)}
    sent, chosen = sent_of(store, key), []
    for one in wanted:
        line = lines.get(one.get("lineId"))
        quantity = bodies.number(one.get("quantity"), "quantity")
        if line is None:
            raise RefusedWriteError("Unknown line")
        if line["status"] != OPEN or quantity <= 0 or quantity > Decimal(line["quantity"]) - sent[line["lineId"]]:
            raise RefusedWriteError("The line is not open for so many units", 409)
        chosen.append((line, quantity))
    return chosen


def _leave(store: Store, key: str, chosen: Sequence[tuple[Row, Decimal]], status: str, location: str) -> None:
    """Lines that have left whole take their status; the units leave the location's stock."""
    sent = sent_of(store, key)
    lines = [dict(line) for line in store.children("saleorders/items", key)]
    leaving = {line["lineId"]: quantity for line, quantity in chosen}
    for line in lines:
        if (quantity := leaving.get(line["lineId"])) is None:
            continue
        gone = sent[line["lineId"]] if status == DISPATCHED else sent[line["lineId"]] + quantity
        if gone >= Decimal(line["quantity"]):
            line["status"] = status
        move_stock(store, line["referenceId"], sold=-int(quantity), on_hand=-int(quantity), location=location)
    store.put_children("saleorders/items", key, lines)
    statuses = list(dict.fromkeys(line["status"] for line in lines))
    store.put("saleorders", {"saleOrderId": key, "itemStatuses": statuses})


def _line(store: Store, one: Row) -> Row:
    bodies.need(one, "type", "referenceId", "quantity")
    try:
        item = store.get("items", str(one["referenceId"]))
    except UnknownRecordError:
        raise RefusedWriteError("Unknown item") from None
    quantity = bodies.number(one["quantity"], "quantity")
    if quantity <= 0 or quantity != int(quantity):
        raise RefusedWriteError("quantity must be a whole number above 0")
    price, tax, discount = (
        bodies.number(one.get(name), name, missing=0) for name in ("displayPrice", "displayTax", "displayDiscount")
    )
    whole = {
        name: bodies.number(one[name], name) if name in one else cents(unit * quantity)
        for name, unit in (("displayLinePrice", price), ("displayLineTax", tax), ("displayLineDiscount", discount))
    }
    total = one.get("displayLineTotal", whole["displayLinePrice"] + whole["displayLineTax"])
    return {
        "lineId": str(uuid4()),
        "type": str(one["type"]),
        "referenceId": item["itemId"],
        "itemSku": item.get("sku"),
        "itemName": item.get("name"),
        "quantity": int(quantity),
        "status": OPEN,
        "fulfilmentType": one.get("fulfilmentType", "delivery"),
        "price": price,
        "tax": tax,
        "displayPrice": price,
        "displayTax": tax,
        "displayDiscount": discount,
        **whole,
        "displayLineTotal": bodies.number(total, "displayLineTotal"),
    }


def _totals(lines: Sequence[Row], shipping: Row, rate: Decimal) -> Row:
    def summed(name: str) -> Decimal:
        return sum((line[name] for line in lines), ZERO)

    display = {
        "subtotal": summed("displayLinePrice"),
        "tax": summed("displayLineTax"),
        "discount": summed("displayLineDiscount"),
        "shippingCost": bodies.number(shipping.get("cost"), "cost", missing=0),
        "shippingTax": bodies.number(shipping.get("tax"), "tax", missing=0),
    }
    display["total"] = sum((display[n] for n in ("subtotal", "tax", "shippingCost", "shippingTax")), ZERO)
    base = {name: amount if rate == 1 else nine_places(amount / rate) for name, amount in display.items()}
    return {**base, **{f"display{name[0].upper()}{name[1:]}": amount for name, amount in display.items()}}


def _payment(one: Row, code: str, store: Store) -> Row:
    method = one.get("method")
    if not isinstance(method, int):
        raise RefusedWriteError("method must be a whole number")
    at = bodies.moment(one, "timestamp", default=stamp(store.clock.now()))
    amount = bodies.number(one.get("amount"), "amount")
    known = bodies.present(one, "label")
    return {"paymentId": str(uuid4()), "method": method, "amount": amount, "currency": code, "timestamp": at, **known}


def _channel(store: Store, channel: Any, kind: Any) -> Row | None:
    try:
        return store.get("channels", str(channel))
    except UnknownRecordError:
        if kind == "other":
            return None
        raise RefusedWriteError("Unknown channel") from None


def _customer(store: Store, value: Any) -> Row:
    """The buyer as an order tells of them: an account by its id, or the guest who was sent along."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise RefusedWriteError("customer must be an object")
    if "customerId" in value:
        try:
            known = store.get("customers", str(value["customerId"]))
        except UnknownRecordError:
            raise RefusedWriteError("Unknown customer") from None
        told = {"customerName": known.get("name"), "customerEmail": known.get("email")}
        told |= {"customerId": known["customerId"], "customerPhone": known.get("phone")}
        told |= {name: known[name] for name in known if name.startswith("billingAddress")}
        return {name: one for name, one in told.items() if one is not None}
    told = {"customerName": bodies.person(value.get("name"))}
    told |= {"customerEmail": value.get("email"), "customerPhone": value.get("phone")}
    told |= bodies.address(value.get("address"), "billing")
    return {name: one for name, one in told.items() if one}


def check_lines(store: Store, row: Row) -> None:
    """Refuse items that nobody can sell: variable parents hold no stock."""
    if any(unlisted(store, line["referenceId"]) for line in row["_lines"]):
        raise RefusedWriteError("The item cannot be sold")
