"""Credits of a transactions file: against which earlier order, or a credit note without one.

Belongs here: the search and the rows that come of it. A credited row goes to the same customer's latest
earlier order that still has so much of that SKU unrefunded; where no order has, further back ones are
tried, and failing all it becomes part of a credit note. One refund for each credit invoice and order, one
credit note for each credit invoice.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from stokly_sync.sandbox.seeds.account import BASE_CURRENCY
from stokly_sync.sandbox.seeds.model import PARENT, Row
from stokly_sync.sandbox.seeds.retail_file import Entry
from stokly_sync.sandbox.seeds.words import ZERO, cents, make_id, nine_places, stamp


@dataclass
class Sold:
    """What one order sold of one SKU, and how much of each line is not refunded yet."""

    order: Row
    at: datetime
    lines: list[Row]
    left: list[int]


@dataclass
class Credits:
    """The rows that came of the credits, and how many file rows went each way."""

    refunds: dict[tuple[str, str], Row] = field(default_factory=dict)
    refund_items: list[Row] = field(default_factory=list)
    credit_notes: dict[str, Row] = field(default_factory=dict)
    refund_lines: int = 0
    credit_note_lines: int = 0
    returned: dict[str, int] = field(default_factory=lambda: defaultdict(int))


class SalesIndex:
    """Sales by customer and SKU, in the order of their time."""

    def __init__(self) -> None:
        self._sales: dict[tuple[str, str], list[Sold]] = defaultdict(list)

    def add(self, customer: str, at: datetime, order: Row, lines: list[Row]) -> None:
        """Remember the lines of one order; orders must come in the order of their time."""
        by_sku: dict[str, list[Row]] = defaultdict(list)
        for line in lines:
            by_sku[line["itemSku"]].append(line)
        for sku, same in by_sku.items():
            sold = Sold(order, at, same, [line["quantity"] for line in same])
            self._sales[customer, sku].append(sold)

    def latest(self, entry: Entry) -> Sold | None:
        """The latest sale before the credit with enough left of its SKU, if there is one."""
        wanted = -entry.quantity
        for sold in reversed(self._sales.get((entry.customer, entry.sku), [])):
            if sold.at < entry.at and sum(sold.left) >= wanted:
                return sold
        return None


def credit(entry: Entry, sales: SalesIndex, done: Credits, *, rate: Decimal) -> None:
    """Turn one credited row into a line of a refund or a part of a credit note; `rate` is its VAT rate."""
    sold = sales.latest(entry) if entry.customer else None
    net = entry.price * -entry.quantity
    tax = cents(net * rate)
    gross = cents(net) + tax
    if sold is None:
        done.credit_note_lines += 1
        _add_to_credit_note(entry, done, gross)
        return
    done.refund_lines += 1
    refund = _refund(entry, sold.order, done)
    refund["displayTotal"] += gross
    refund["displayTax"] += tax
    _take(entry, sold, done, refund["refundId"], nine_places(entry.price * rate))
    sold.order["updatedAt"] = max(sold.order["updatedAt"], refund["createdAt"])


def _refund(entry: Entry, order: Row, done: Credits) -> Row:
    key = (entry.invoice, order["saleOrderId"])
    if key not in done.refunds:
        done.refunds[key] = {
            "refundId": make_id("refund", key),
            "niceId": len(done.refunds) + 1,
            "saleOrderId": order["saleOrderId"],
            "saleOrderNiceId": order["niceId"],
            "status": "completed",
            "reason": f"Credit {entry.invoice}",
            "currency": BASE_CURRENCY,
            "displayTotal": ZERO,
            "displayTax": ZERO,
            "shippingRefund": ZERO,
            "createdAt": stamp(entry.at),
        }
    return done.refunds[key]


def _take(entry: Entry, sold: Sold, done: Credits, refund_id: str, unit_tax: Decimal) -> None:
    """Take the quantity off the order's lines of that SKU; more than one line may be needed."""
    wanted = -entry.quantity
    done.returned[entry.sku] += wanted
    for place, line in enumerate(sold.lines):
        taken = min(wanted, sold.left[place])
        if taken == 0:
            continue
        sold.left[place] -= taken
        wanted -= taken
        done.refund_items.append(
            {
                PARENT: refund_id,
                "lineId": line["lineId"],
                "referenceId": line["referenceId"],
                "itemSku": entry.sku,
                "quantity": taken,
                "displayPrice": entry.price,
                "displayTax": unit_tax,
                "restocked": True,
            }
        )


def _add_to_credit_note(entry: Entry, done: Credits, gross: Decimal) -> None:
    note = done.credit_notes.get(entry.invoice)
    if note is None:
        note = {
            "creditNoteId": make_id("credit note", entry.invoice),
            "niceId": len(done.credit_notes) + 1,
            "barcode": f"CN-{entry.invoice}",
            "value": ZERO,
            "currency": BASE_CURRENCY,
            "balance": ZERO,
            "referenceType": 2 if entry.customer else 0,
            "status": "open",
            "createdAt": stamp(entry.at),
        }
        if entry.customer:
            note["referenceId"] = make_id("customer", entry.customer)
        done.credit_notes[entry.invoice] = note
    note["value"] += gross
    note["balance"] += gross
