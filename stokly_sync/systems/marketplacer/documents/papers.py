"""Shipments, refunds and remittances as rows. Source: Marketplacer API contract 4.3, 5, 6.

A refund has two documents: the request, and the amendment of the invoice once it was paid. The amendment is the refund;
a request stands for it until then, and is not live once it was paid. Amounts are positive there, and signed in
remittances, where what is given back is negative.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from stokly_sync.contracts.channels import MARKETPLACER, REFUNDS, SHIPMENTS
from stokly_sync.flow import Json, Received, Rows
from stokly_sync.systems.marketplacer.documents.amounts import Unreadable, pence, whole_number
from stokly_sync.systems.marketplacer.documents.orders import unreadable
from stokly_sync.systems.marketplacer.documents.tables import Made, moment, nanos, rows_of
from stokly_sync.systems.marketplacer.settings import MarketplacerSettings
from stokly_sync.systems.transport import encode

AMENDMENT: Final = "amendment"
"""Member that tells an amendment from a refund request, set by whoever reads them."""
_STATES: Final = {"REFUNDED": "completed", "DENIED": "denied", "REFUND_DENIED": "denied"}


def shipment_rows(documents: Sequence[Received], requested_at: datetime) -> Rows:
    """Rows of `marketplacer.shipments` and their lines; documents are shipments with their `invoice`. Pure."""
    dataset = SHIPMENTS[MARKETPLACER]
    return rows_of(dataset, [_guarded(dataset.key, d, _shipment) for d in documents], requested_at)


def refund_rows(documents: Sequence[Received], requested_at: datetime, *, settings: MarketplacerSettings) -> Rows:
    """Rows of `marketplacer.refunds` and their lines; nano units of the instance's currency. Pure."""
    dataset = REFUNDS[MARKETPLACER]
    made = [
        _guarded(dataset.key, d, lambda node: (_amendment if AMENDMENT in node else _request)(node, settings))
        for d in documents
    ]
    return rows_of(dataset, made, requested_at)


def _guarded(key: str, node: Received, make: Any) -> Made:
    try:
        made: Made = make(node)
        return made
    except Unreadable as error:
        return unreadable(key, node, error)


def _shipment(node: Received) -> Made:
    key, invoice = str(node.get("id")), node.get("invoice") or {}
    tracking = str(node["trackingNumber"]).strip() if node.get("trackingNumber") else None
    root = {
        "shipment_id": key,
        "order_id": invoice.get("id"),
        "carrier": node.get("carrier") or None,
        "tracking_number": tracking,
        "tracking_numbers": encode([tracking] if tracking else []).decode(),
        "shipped_at": moment(node.get("dispatchedAt") or invoice.get("createdAt"), "dispatchedAt"),
        "live": True,
    }
    lines = [
        {
            "shipment_id": key,
            "position": place,
            "line_id": (item.get("lineItem") or {}).get("id"),
            "sku": (item.get("lineItem") or {}).get("variantSku"),
            "quantity": whole_number(item.get("quantity"), "quantity"),
        }
        for place, item in enumerate(node.get("shippedItems") or ())
    ]
    return Made(root, {f"{MARKETPLACER}.shipment_lines": lines})


def _amendment(node: Received, settings: MarketplacerSettings) -> Made:
    key, invoice = str(node.get("id")), node.get("invoice") or {}
    created = moment(node.get("createdAt"), "createdAt")
    lines: list[Json] = []
    beside = 0
    for item in node.get("lineItems") or ():
        total, tax = -(pence(item, "total") or 0), pence(item, "tax")
        if not item.get("lineItem"):
            beside += total
            continue
        lines.append(
            {
                **_place(key, lines, item["lineItem"]),
                "quantity": whole_number(item.get("quantity"), "quantity"),
                "line_price": nanos(total - abs(tax or 0)),
                "line_tax": nanos(None if tax is None else abs(tax)),
                "line_total": nanos(total),
                "returned": item.get("dispatched"),
            }
        )
    commission = pence(node, "commissionAmountTotal")
    root = {
        **_refund(key, invoice, settings),
        "number": _number(node.get("legacyId")),
        "state": "completed",
        "status": "REFUNDED",
        "total": sum(row["line_total"] for row in lines) + (nanos(beside) or 0),
        "tax": sum(row["line_tax"] or 0 for row in lines)
        if any(row["line_tax"] is not None for row in lines)
        else None,
        "adjustment": nanos(beside),
        "commission": nanos(None if commission is None else abs(commission)),
        "created_at": created,
        "live": True,
    }
    return Made(root, {f"{MARKETPLACER}.refund_lines": lines})


def _request(node: Received, settings: MarketplacerSettings) -> Made:
    key, invoice = str(node.get("id")), node.get("invoice") or {}
    status = str(node.get("status"))
    lines: list[Json] = []
    for item in node.get("lineItems") or ():
        of = item.get("lineItem") or {}
        units = whole_number(item.get("request_quantity"), "quantity") or 0
        total = _requested(item, of, units)
        lines.append(
            {
                **_place(key, lines, of),
                "quantity": units,
                "line_price": nanos(total),
                "line_tax": None,
                "line_total": nanos(total),
                "returned": item.get("request_dispatched"),
            }
        )
    reasons = dict.fromkeys(str(item["reason"]) for item in node.get("lineItems") or () if item.get("reason"))
    root = {
        **_refund(key, invoice, settings),
        "number": _number(node.get("request_legacy")),
        "state": _STATES.get(status, "requested"),
        "status": status,
        "total": sum(row["line_total"] for row in lines),
        "reason": "; ".join(reasons) or None,
        # Nobody has seen a time on a request; its invoice has one.
        "created_at": moment(node.get("request_at") or invoice.get("createdAt"), "createdAt"),
        "updated_at": moment(node.get("request_updated"), "updatedAt"),
        # Once it is paid, the amendment is the refund.
        "live": status != "REFUNDED",
    }
    return Made(root, {f"{MARKETPLACER}.refund_lines": lines})


def _requested(item: Mapping[str, Any], line: Mapping[str, Any], units: int) -> int:
    """What a request asks for, in pence, as far as it is told."""
    amount = whole_number(item.get("request_amount"), "amount")
    if amount is not None:
        return abs(amount) * max(units, 1)
    cost, whole = (whole_number(line.get(n), n) for n in ("line_cost", "line_total"))
    if cost is not None:
        return cost * units
    of = whole_number(line.get("quantity"), "quantity") or 0
    return 0 if whole is None or not of else whole * units // of


def _refund(key: str, invoice: Mapping[str, Any], settings: MarketplacerSettings) -> Json:
    if not invoice.get("id"):
        raise Unreadable("the refund names no invoice")
    return {"refund_id": key, "order_id": invoice["id"], "currency": settings.currency, "updated_at": None}


def _place(key: str, lines: Sequence[Json], line: Mapping[str, Any]) -> Json:
    return {"refund_id": key, "position": len(lines), "line_id": line.get("id"), "sku": line.get("variantSku")}


def _number(value: Any) -> str | None:
    return None if value is None else str(value)
