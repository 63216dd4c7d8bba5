"""The demo's refunds, full and partial, some with their return and some with a credit note of the order.

Belongs here: refunds of clean orders, never above what was paid. `displayTotal` is gross and includes
`shippingRefund` (gross too). Source: Stokly API contract 5 #4, #5, #7.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random

from stokly_sync.sandbox.seeds.demo_orders import Made, OrderBook, at, move_update, tax_rate
from stokly_sync.sandbox.seeds.model import PARENT, Row
from stokly_sync.sandbox.seeds.words import ZERO, cents, make_id, midnight, stamp

REASONS = ("Damaged in transit", "Changed mind", "Wrong size", "Arrived late")
FULL, PARTIAL = 30, 45


def add_refunds(book: OrderBook, *, today: date, random: Random) -> None:
    """Refund some dispatched orders that are older than six days."""
    latest = stamp(midnight(today, days=-6))
    able = [
        made
        for made in book.made
        if made.basket.progress == "whole" and made.order["createdAt"] < latest and made.order["displayTotal"]
    ]
    chosen = random.sample(able, FULL + PARTIAL)
    for place, made in enumerate(chosen):
        lines = made.top_lines if place < FULL else [_dearest(made)]
        refund = add_refund(book, made, lines, full=place < FULL, reason=REASONS[place % len(REASONS)])
        if place % 4 == 0:
            _add_return(book, refund, lines)
        if place % 15 == 0:
            _add_credit_note(book, refund)


def add_refund(book: OrderBook, made: Made, lines: Sequence[Row], *, full: bool, reason: str) -> Row:
    """Refund an order whole, or one unit of each of these lines, three days after it was placed."""
    order, tables = made.order, book.tables
    moment = at(order) + timedelta(days=3)
    quantities = [line["quantity"] if full else 1 for line in lines]
    net = [cents(line["displayPrice"] * each) for line, each in zip(lines, quantities, strict=True)]
    taxes = [cents(line["displayPrice"] * each * tax_rate(order)) for line, each in zip(lines, quantities, strict=True)]
    shipping = order["displayShippingCost"] + order["displayShippingTax"] if full else ZERO
    shipping_tax = order["displayShippingTax"] if full else ZERO
    number = len(tables["refunds"]) + 1
    refund = {
        "refundId": make_id("refund", ("demo", number)),
        "niceId": number,
        "saleOrderId": order["saleOrderId"],
        "saleOrderNiceId": order["niceId"],
        "status": "completed",
        "reason": reason,
        "currency": order["currency"],
        "displayTotal": sum(net, ZERO) + sum(taxes, ZERO) + shipping,
        "displayTax": sum(taxes, ZERO) + shipping_tax,
        "shippingRefund": shipping,
        "createdAt": stamp(moment),
    }
    tables["refunds"].append(refund)
    tables["refunds/items"] += [_refund_item(refund, line, each) for line, each in zip(lines, quantities, strict=True)]
    move_update(order, moment)
    return refund


def _refund_item(refund: Row, line: Row, quantity: int) -> Row:
    kept = ("lineId", "referenceId", "itemSku", "displayPrice", "displayTax")
    return {
        PARENT: refund["refundId"],
        **{name: line[name] for name in kept},
        "quantity": quantity,
        "restocked": True,
    }


def _dearest(made: Made) -> Row:
    return max(made.top_lines, key=lambda line: (line["displayPrice"], line["itemSku"]))


def _add_return(book: OrderBook, refund: Row, lines: Sequence[Row]) -> None:
    number = len(book.tables["returns"]) + 1
    return_id = make_id("return", refund["refundId"])
    book.tables["returns"].append(
        {
            "returnId": return_id,
            "niceId": number,
            "saleOrderId": refund["saleOrderId"],
            "status": "closed",
            "createdAt": refund["createdAt"],
        }
    )
    book.tables["returns/items"] += [
        {
            PARENT: return_id,
            "lineId": line["lineId"],
            "quantity": line["quantity"],
            "quantityReceived": line["quantity"],
            "quantityBlemished": 0,
        }
        for line in lines
    ]


def _add_credit_note(book: OrderBook, refund: Row) -> None:
    note = credit_note(len(book.tables["credit-notes"]) + 1, refund)
    note["referenceType"], note["referenceId"] = 1, refund["saleOrderId"]
    refund["creditNoteId"] = note["creditNoteId"]
    book.tables["credit-notes"].append(note)


def credit_note(number: int, refund: Row) -> Row:
    """A credit note over a refund's amount that is tied to nothing yet (`referenceType` 0)."""
    return {
        "creditNoteId": make_id("credit note", ("demo", number)),
        "niceId": number,
        "barcode": f"CN-{number:05d}",
        "value": refund["displayTotal"],
        "currency": refund["currency"],
        "balance": refund["displayTotal"],
        "referenceType": 0,
        "status": "open",
        "createdAt": refund["createdAt"],
    }
