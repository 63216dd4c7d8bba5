"""Refunds of a channel as refunds in Stokly: one each, whoever made it, and never back to where it came from (G5).

A refund that Stokly holds already (we made it, a person did, or it came from there) is held. One that it lacks is made
or raised, by setting; until then VAT is overstated by the refund's tax, which the exception says.
Source: Stokly API contract 5 (4), (5), (6) [guess].
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from stokly_sync.contracts import money
from stokly_sync.contracts.origins import mark
from stokly_sync.flow import Built, Document, Frames, Json, Problem
from stokly_sync.systems.stokly.outgoing.common import (
    Channel,
    Row,
    alive,
    amount,
    begins,
    grouped,
    records,
    twins,
    unit,
)
from stokly_sync.systems.stokly.outgoing.pairing import credit_code, paired, papers, siblings


@dataclass(frozen=True)
class Around:
    """What stands around a refund: its order in the channel, that order in Stokly, and the lines of both."""

    order: Row | None
    twin: Row | None
    lines: list[Row]
    skus: Mapping[str, str | None]
    """SKU by line id of the channel's order."""
    sold: Mapping[str | None, Row]
    """Lines of Stokly's order by SKU."""
    known: list[str]
    """Ids of the papers that Stokly has of its order, as far as they are landed."""


def build_refunds(frames: Frames, channel: Channel) -> Built:
    """Refunds from a channel's refunds with their lines, orders and siblings, and Stokly's orders and papers.

    The key is the channel's id of the refund.
    """
    orders = {row["order_id"]: row for row in records(frames[channel.table("orders")])}
    there, found, others = twins(frames, channel), papers(frames, channel), siblings(frames)
    lines = grouped(records(frames[channel.table("refund_lines")]), "refund_id")
    skus = {row["line_id"]: row["sku"] for row in records(frames[channel.table("order_lines")], ("line_id", "sku"))}
    sold = grouped(records(frames["stokly.order_lines"], ("order_id", "line_id", "sku", "quantity")), "order_id")
    since = begins(frames, channel)
    documents: list[Document] = []
    kept_back: list[Problem] = []
    held: dict[str, str | None] = {}
    for refund in records(frames[channel.table("refunds")]):
        key, order = refund["refund_id"], orders.get(refund["order_id"])
        twin = next(iter(there.get(order["number"], [])), None) if order else None
        pairs = paired(others.get(refund["order_id"], []), found.get(twin["order_id"], [])) if twin else {}
        goods = {row["sku"]: row for row in sold.get(twin["order_id"], [])} if twin else {}
        known = sorted(paper.paper_id for paper in found.get(twin["order_id"], [])) if twin else []
        around = Around(order, twin, lines.get(key, []), skus, goods, known)
        if key in pairs:
            held[key] = pairs[key]
        elif problem := _problem(refund, around, channel, since):
            kept_back.append(problem)
            continue
        documents.append(_document(refund, around, channel))
    return Built(documents, kept_back, held)


def _problem(refund: Row, around: Around, channel: Channel, since: datetime) -> Problem | None:
    key, rules, order, twin = refund["refund_id"], channel.rules, around.order, around.twin
    if not refund["live"] or refund["state"] == "denied" or refund["total"] <= 0:
        return Problem(key, rules.credit_denied.code, "it gives nothing back")
    if refund["state"] != "completed" or order is None:
        return Problem(key, rules.credit_waits.code, f"it is {refund['state']}" if order else "its order is not read")
    if refund["created_at"] < since:
        return Problem(key, rules.credit_denied.code, f"it was given before {since:%F %R} UTC")
    if twin is None and (order["state"] == "cancelled" or order["placed_at"] < since):
        return Problem(key, rules.credit_denied.code, f"order {order['number']} was never imported")
    if twin is None:
        return Problem(key, rules.credit_waits.code, f"order {order['number']} is not in Stokly yet")
    if not alive(twin):
        return Problem(key, rules.credit_denied.code, f"order {order['number']} is cancelled in Stokly")
    code, tax = refund["currency"], refund["tax"] or 0
    if not channel.makes_refunds:
        detail = f"order {order['number']}: {money.text(refund['total'])} {code} refunded; VAT is overstated by "
        return Problem(key, rules.credit_missing.code, f"{detail}{money.text(tax)} {code}", tax, code)
    if code != twin["currency"]:
        return Problem(key, rules.credit_line.code, f"order {order['number']} is in {twin['currency']}", tax, code)
    strange = next((sku for line in around.lines if (sku := _sku(line, around)) not in around.sold), None)
    if strange is not None and any(line["quantity"] for line in around.lines):
        return Problem(key, rules.credit_line.code, f"order {order['number']} has no line of SKU {strange}", tax, code)
    return None


def _sku(line: Row, around: Around) -> str | None:
    return line["sku"] or around.skus.get(line["line_id"])


def _document(refund: Row, around: Around, channel: Channel) -> Document:
    code, key = refund["currency"], refund["refund_id"]
    method = channel.settings.payment(around.order["payment_method"]) if around.order else None
    body: Json = {
        "order_id": around.twin["order_id"] if around.twin else None,
        "barcode": credit_code(channel, key),
        "mark": mark(channel.name, key),
        "known": around.known,
        "currency": code,
        "total": amount(refund["total"], code),
        "refund": {
            "items": [_line(line, around) for line in around.lines if line["quantity"] and _sku(line, around)],
            "shipping": {"cost": amount(refund["shipping"], code), "tax": amount(refund["shipping_tax"], code)},
            "payments": [{"method": method, "amount": amount(refund["total"], code)}] if method is not None else [],
            "reason": f"Refund {refund['number'] or key} of {channel.name.title()} {mark(channel.name, key)}",
        },
    }
    return Document(key, body, refund["version"], refund["created_at"], refund["total"], code)


def _line(line: Row, around: Around) -> Json:
    sold = around.sold.get(_sku(line, around), {})
    return {
        "lineId": sold.get("line_id"),
        "quantity": line["quantity"],
        "displayPrice": unit(line["line_price"], line["quantity"]),
        "displayTax": unit(line["line_tax"], line["quantity"]),
    }
