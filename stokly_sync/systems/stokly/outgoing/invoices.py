"""Invoices on a channel's orders, made once fulfilment is confirmed by dispatches and never before (G6, X5).

One invoice an order, when all of it that is not cancelled has left. Where Stokly has an invoice of the order, made by
itself or by a person, ours is held. Source: Stokly API contract 3.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal

from stokly_sync.contracts import money
from stokly_sync.flow import Built, Document, Frames, Json, Problem
from stokly_sync.systems.stokly.outgoing.cancellations import DONE
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


def build_invoices(frames: Frames, channel: Channel) -> Built:
    """Invoices from a channel's orders, and Stokly's orders with their lines, dispatches and invoices.

    The key is the channel's id of the order. What has nothing to invoice is held.
    """
    there = twins(frames, channel)
    lines = grouped(records(frames["stokly.order_lines"]), "order_id")
    cancelled, since = _cancelled(frames, channel), begins(frames, channel)
    sent, invoiced = _dispatched(frames), _invoiced(frames)
    documents: list[Document] = []
    kept_back: list[Problem] = []
    held: dict[str, str | None] = {}
    for order in records(frames[channel.table("orders")]):
        key, twin = order["order_id"], next(iter(there.get(order["number"], [])), None)
        own = lines.get(twin["order_id"], []) if twin else []
        left = {line["line_id"]: _to_invoice(line, cancelled.get(key, {})) for line in own}
        old = order["placed_at"] < since
        if old or is_cancelled(order) or (twin is not None and (not alive(twin) or not any(left.values()))):
            held[key] = None
        elif twin is not None and twin["order_id"] in invoiced:
            held[key] = invoiced[twin["order_id"]]
        elif twin is None or not all(_gone(line, left, sent) for line in own):
            state = "not in Stokly yet" if twin is None else "not dispatched in full"
            kept_back.append(Problem(key, channel.rules.invoice_waits.code, f"order {order['number']} is {state}"))
            continue
        documents.append(_document(order, twin, own, left, channel))
    return Built(documents, kept_back, held)


def _cancelled(frames: Frames, channel: Channel) -> dict[str, dict[str | None, int]]:
    """Units cancelled in the channel, by its order and SKU; what was refunded before it was shipped is among them."""
    found: dict[str, dict[str | None, int]] = {}
    for line in records(frames[channel.table("order_lines")]):
        unsent = max(line["quantity"] - (line["quantity_shipped"] or 0), 0)
        units = min((line["quantity_cancelled"] or 0) + (line["quantity_refunded"] or 0), unsent)
        if units:
            of_order = found.setdefault(line["order_id"], {})
            of_order[line["sku"]] = of_order.get(line["sku"], 0) + units
    return found


def _dispatched(frames: Frames) -> dict[str | None, int]:
    live = {row["dispatch_id"] for row in records(frames["stokly.dispatches"], ("dispatch_id", "live")) if row["live"]}
    units: dict[str | None, int] = {}
    for row in records(frames["stokly.dispatch_lines"]):
        if row["dispatch_id"] in live:
            units[row["line_id"]] = units.get(row["line_id"], 0) + row["quantity"]
    return units


def _invoiced(frames: Frames) -> dict[str, str]:
    rows = records(frames["stokly.invoices"], ("order_id", "invoice_id", "live"))
    return {row["order_id"]: row["invoice_id"] for row in rows if row["live"]}


def _to_invoice(line: Row, cancelled: Mapping[str | None, int]) -> int:
    return max(int(line["quantity"]) - cancelled.get(line["sku"], 0), 0)


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
