"""Invoices on a channel's orders, made once fulfilment is confirmed by dispatches and never before (G6, X5).

One invoice an order, when all of it that is not cancelled has left: an order that is dispatched in parts is invoiced
once, after the last part. One whose last part does not come is an exception after `part_dispatched_days`. Where Stokly
has an invoice of the order, made by itself or by a person, ours is held. Source: Stokly API contract 3.3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from stokly_sync.contracts import money
from stokly_sync.flow import Built, Document, Frames, Json, Problem
from stokly_sync.systems.stokly.outgoing.common import (
    Channel,
    Row,
    alive,
    amount,
    begins,
    grouped,
    is_cancelled,
    records,
    twins,
    unit,
)
from stokly_sync.systems.stokly.outgoing.units import DONE, asked, dispatched, taken_off


def build_invoices(frames: Frames, channel: Channel, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Built:
    """Invoices from a channel's orders, and Stokly's orders with their lines, dispatches and invoices.

    The key is the channel's id of the order. What has nothing to invoice is held.
    """
    there, parts = twins(frames, channel), asked(frames, channel)
    lines = grouped(records(frames["stokly.order_lines"]), "order_id")
    sent, invoiced, first = dispatched(frames), _invoiced(frames), _first_dispatch(frames)
    since = begins(frames, channel)
    overdue = now() - timedelta(days=channel.settings.part_dispatched_days)
    documents: list[Document] = []
    kept_back: list[Problem] = []
    held: dict[str, str | None] = {}
    for order in records(frames[channel.table("orders")]):
        key, twin = order["order_id"], next(iter(there.get(order["number"], [])), None)
        own = lines.get(twin["order_id"], []) if twin else []
        off = taken_off(own, parts.get(key, {}), sent).lines
        left = {line["line_id"]: int(line["quantity"]) - off[line["line_id"]] for line in own}
        old = order["placed_at"] < since
        if old or is_cancelled(order) or (twin is not None and (not alive(twin) or not any(left.values()))):
            held[key] = None
        elif twin is not None and twin["order_id"] in invoiced:
            held[key] = invoiced[twin["order_id"]]
        elif twin is None or not all(_gone(line, left, sent) for line in own):
            kept_back.append(_waits(order, twin, _begun(twin, own, first), overdue, channel))
            continue
        documents.append(_document(order, twin, own, left, channel))
    return Built(documents, kept_back, held)


def _begun(twin: Row | None, lines: list[Row], first: Mapping[str, datetime]) -> datetime | None:
    """Since when an order has been on its way in part; where no parcel is known, since it last moved."""
    if twin is None:
        return None
    moved: datetime | None = twin["updated_at"] if any(line["status"] in DONE for line in lines) else None
    return first.get(twin["order_id"], moved)


def _waits(order: Row, twin: Row | None, since: datetime | None, overdue: datetime, channel: Channel) -> Problem:
    """Why an order is not invoiced yet; one of which a part left long ago needs a person."""
    key, number = order["order_id"], order["number"]
    if since is not None and since < overdue:
        detail = f"order {number} is dispatched in part since {since:%Y-%m-%d}"
        return Problem(key, channel.rules.invoice_late.code, detail, order["total"], order["currency"])
    state = "not in Stokly yet" if twin is None else "not dispatched in full"
    return Problem(key, channel.rules.invoice_waits.code, f"order {number} is {state}")


def _first_dispatch(frames: Frames) -> dict[str, datetime]:
    """When the first parcel of each of Stokly's orders left, where its parcels are known."""
    first: dict[str, datetime] = {}
    for row in records(frames["stokly.dispatches"], ("order_id", "dispatched_at", "live")):
        if row["live"]:
            first[row["order_id"]] = min(first.get(row["order_id"], row["dispatched_at"]), row["dispatched_at"])
    return first


def _invoiced(frames: Frames) -> dict[str, str]:
    rows = records(frames["stokly.invoices"], ("order_id", "invoice_id", "live"))
    return {row["order_id"]: row["invoice_id"] for row in rows if row["live"]}


def _gone(line: Row, left: Mapping[str, int], sent: Mapping[str | None, int]) -> bool:
    done = line["status"] in DONE or line["fulfilment"] == "none"
    return done or sent.get(line["line_id"], 0) >= left[line["line_id"]]


def _document(order: Row, twin: Row | None, lines: list[Row], left: Mapping[str, int], channel: Channel) -> Document:
    code = order["currency"]
    items = [_item(line, left[line["line_id"]]) for line in lines if left[line["line_id"]]]
    shipping, tax = amount(order["shipping"], code), amount(order["shipping_tax"], code)
    if shipping and channel.stokly.invoice_shipping:
        told = {"referenceType": "shipping", "itemName": "Shipping", "quantity": 1}
        items.append({**told, "displayPrice": shipping, "displayTax": tax})
    due = sum(((i["displayPrice"] + i["displayTax"]) * i["quantity"] for i in items), Decimal(0))
    due = due.quantize(Decimal(1).scaleb(-money.minor_digits(code)), ROUND_HALF_EVEN)
    method = channel.settings.payment(order["payment_method"])
    paid = method is not None and (order["amount_paid"] or 0) >= order["total"]
    invoice: Json = {
        "status": "paid" if paid else "issued",
        "currency": code,
        "exchangeRate": 1,
        "useSystemExchangeRate": False,
        "payments": [{"method": method, "amount": due}] if paid else [],
        "items": items,
    }
    body = {"order_id": twin["order_id"] if twin else None, "invoice": invoice}
    return Document(order["order_id"], body, order["version"], order["placed_at"], money.nano(due), code)


def _item(line: Row, quantity: int) -> Json:
    whole = max(int(line["quantity"]), 1)
    return {
        "referenceType": "item",
        "referenceId": line["item_id"],
        "itemName": line["name"],
        "quantity": quantity,
        "displayPrice": unit(line["line_price"], whole),
        "displayTax": unit(line["line_tax"], whole),
    }
