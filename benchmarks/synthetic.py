"""Synthetic Stokly documents as JSON bytes: customers, items and sale orders with their lines.

Deterministic, invented, and in the shape of the list calls (Source: Stokly API contract 3.1, 3.2, 3.6, 5 #1). Only a
record's own members (id, number, times) differ from row to row; the rest repeats after `DISTINCT` orders, so that
millions of orders cost no memory. Amounts add up as the contract asks: total = lines + shipping + its tax.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import msgspec

Piece = Callable[[int], bytes]

DISTINCT = 5_000
ITEMS = 2_000
CUSTOMERS = 10_000
HISTORY = timedelta(days=3 * 365)

_CENT = Decimal("0.01")
_VAT = Decimal("0.2")
_RATES = {"GBP": Decimal(1), "EUR": Decimal("1.17"), "USD": Decimal("1.31")}
_CURRENCIES = ("GBP", "GBP", "GBP", "GBP", "EUR", "USD")
_TOWNS = ("Leeds", "Bristol", "Cardiff", "Glasgow", "Norwich", "Exeter", "York", "Saint-Étienne")
_CHANNELS = (("magento_two", "Web UK"), ("magento_two", "Web EU"), ("ebay", "Marketplace"), ("other", "Telephone"))
_ENCODER = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True)
class Timeline:
    """Row i was created at `start + i * step` and updated `lag` later: times grow with the row number."""

    start: datetime
    step: timedelta
    lag: timedelta

    @classmethod
    def until(cls, end: datetime, *, rows: int, lag: timedelta = timedelta(minutes=90)) -> Timeline:
        """Spread rows evenly over three years, the last one updated before `end`."""
        step = timedelta(milliseconds=(HISTORY // max(rows, 1)) // timedelta(milliseconds=1))
        return cls(end - lag - step * rows, step, lag)

    def created(self, row: int) -> str:
        """Creation time as Stokly writes it."""
        return _stamp(self.start + self.step * row)

    def updated(self, row: int) -> str:
        """Update time as Stokly writes it."""
        return _stamp(self.start + self.step * row + self.lag)

    def first_row(self, moment: datetime, *, updated: bool) -> int:
        """Number of the first row that is not earlier than `moment`; may lie outside the rows."""
        since = moment - self.start - (self.lag if updated else timedelta(0))
        return -(-since // self.step)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def identity(kind: int, row: int) -> str:
    """A UUID-like id; `kind` keeps those of orders, customers and items apart."""
    return f"{kind:08x}-0000-4000-8000-{row:012x}"


ORDER, CUSTOMER, ITEM, CHANNEL, LOCATION, DISPATCH, REFUND = range(1, 8)


def orders(timeline: Timeline, *, guests: int = 0) -> Piece:
    """Order number i with embedded lines, as JSON; with `guests` every so many orders one belongs to a guest."""
    tails = [_encode(_order(random.Random(n), n, guest=guests > 0 and n % guests == 0))[1:] for n in range(DISTINCT)]

    def piece(row: int) -> bytes:
        head = (
            f'{{"saleOrderId":"{identity(ORDER, row)}","niceId":{100_000 + row},"sourceReferenceId":"W{row:09d}",'
            f'"createdAt":"{timeline.created(row)}","updatedAt":"{timeline.updated(row)}",'
        )
        return head.encode() + tails[row % DISTINCT]

    return piece


def _order(chance: random.Random, number: int, *, guest: bool) -> dict[str, Any]:
    lines = [_line(chance, place) for place in range(chance.randint(1, 5))]
    currency = chance.choice(_CURRENCIES)
    source_type, channel = _CHANNELS[number % len(_CHANNELS)]
    display = {
        "Subtotal": _sum(lines, "displayLinePrice"),
        "Tax": _sum(lines, "displayLineTax"),
        "Discount": Decimal("0.00"),
        "ShippingCost": Decimal("3.95"),
        "ShippingTax": Decimal("0.79"),
    }
    display["Total"] = display["Subtotal"] + display["Tax"] + display["ShippingCost"] + display["ShippingTax"]
    buyer = number % CUSTOMERS
    return {
        "stage": "order",
        "itemStatuses": ["dispatched"],
        "sourceType": source_type,
        "sourceId": identity(CHANNEL, number % len(_CHANNELS)),
        "channelName": channel,
        **({} if guest else {"customerId": identity(CUSTOMER, buyer)}),
        "customerName": f"Customer {buyer}",
        "customerEmail": f"guest.{number}@example.com" if guest else f"customer.{buyer}@example.com",
        "customerPhone": f"+4477009{buyer:05d}",
        **_address(chance, "shipping"),
        **_address(chance, "billing"),
        "currency": currency,
        "exchangeRate": _RATES[currency],
        **{name[0].lower() + name[1:]: _cents(amount / _RATES[currency]) for name, amount in display.items()},
        **{f"display{name}": amount for name, amount in display.items()},
        "amountPaid": display["Total"],
        "paymentStatus": "paid",
        "locationId": identity(LOCATION, number % 3),
        "tags": ["vip"] if number % 20 == 0 else [],
        "items": lines,
    }


def _line(chance: random.Random, place: int) -> dict[str, Any]:
    item, quantity = chance.randrange(ITEMS), chance.randint(1, 4)
    price = Decimal(chance.randint(199, 19_999)).scaleb(-2)
    net = price * quantity
    tax = _cents(net * _VAT)
    return {
        "lineId": identity(9, place),
        "type": "item",
        "referenceId": identity(ITEM, item),
        "itemSku": f"SKU-{item:05d}",
        "itemName": f"Product {item} in blue",
        "quantity": quantity,
        "status": "dispatched",
        "fulfilmentType": "delivery",
        "price": price,
        "tax": price * _VAT,
        "displayPrice": price,
        "displayTax": price * _VAT,
        "displayDiscount": Decimal("0.00"),
        "displayLinePrice": net,
        "displayLineTax": tax,
        "displayLineDiscount": Decimal("0.00"),
        "displayLineTotal": net + tax,
    }


def _address(chance: random.Random, kind: str) -> dict[str, str]:
    return {
        f"{kind}AddressLine1": f"{chance.randint(1, 400)} High Street",
        f"{kind}AddressCity": chance.choice(_TOWNS),
        f"{kind}AddressRegion": "England",
        f"{kind}AddressCountry": "GB",
        f"{kind}AddressPostcode": f"LS{chance.randint(1, 29)} {chance.randint(1, 9)}AB",
    }


def customers(timeline: Timeline) -> Piece:
    """Customer number i, as JSON."""

    def piece(row: int) -> bytes:
        return _encode(
            {
                "customerId": identity(CUSTOMER, row),
                "niceId": row,
                "barcode": f"ACC-{row:06d}",
                "name": f"Customer {row}",
                "email": f"customer.{row}@example.com",
                "phone": f"+4477009{row:05d}",
                "type": 0,
                "status": 1,
                "billingAddressCountry": "GB",
                "billingAddressCity": "Leeds",
                "createdAt": timeline.created(row),
                "updatedAt": timeline.updated(row),
            }
        )

    return piece


def items(timeline: Timeline) -> Piece:
    """Simple item number i, as JSON."""

    def piece(row: int) -> bytes:
        return _encode(
            {
                "itemId": identity(ITEM, row),
                "format": 0,
                "acquisition": 0,
                "typeName": "Clothes",
                "sku": f"SKU-{row:05d}",
                "name": f"Product {row} in blue",
                "isSold": True,
                "status": 0,
                "imageCount": 0,
                "composingItemCount": 0,
                "variantItemCount": 0,
                "attributeCount": 0,
                "onHand": 10,
                "available": 8,
                "quarantined": 0,
                "onOrder": 0,
                "salePrice": Decimal("12.50"),
                "saleCurrency": "GBP",
                "timeCreated": timeline.created(row),
                "timeUpdated": timeline.updated(row),
            }
        )

    return piece


def dispatches(timeline: Timeline) -> Piece:
    """The dispatch of order number i, as JSON."""

    def piece(row: int) -> bytes:
        return _encode(
            {
                "dispatchId": identity(DISPATCH, row),
                "niceId": row,
                "saleOrderId": identity(ORDER, row),
                "courier": "Courier",
                "trackingNumber": f"TRACK{row:08d}",
                "trackingUrl": f"https://track.example.com/{row}",
                "status": "dispatched",
                "dispatchedAt": timeline.created(row),
                "updatedAt": timeline.updated(row),
            }
        )

    return piece


def refunds(timeline: Timeline) -> Piece:
    """A refund of one unit of the first line of order number i, as JSON; its line is `refund_line`."""

    def piece(row: int) -> bytes:
        order = _order_of(row)
        price, tax = order["items"][0]["displayPrice"], order["items"][0]["displayTax"]
        return _encode(
            {
                "refundId": identity(REFUND, row),
                "niceId": row,
                "saleOrderId": identity(ORDER, row),
                "status": "completed",
                "currency": order["currency"],
                "displayTotal": _cents(price + tax),
                "displayTax": _cents(tax),
                "createdAt": timeline.created(row),
                "updatedAt": timeline.updated(row),
            }
        )

    return piece


def refund_line(row: int) -> bytes:
    """The line of refund number i, as JSON."""
    bought = _order_of(row)["items"][0]
    names = ("lineId", "referenceId", "itemSku", "displayPrice", "displayTax")
    return _encode({**{name: bought[name] for name in names}, "quantity": 1})


def _order_of(row: int) -> dict[str, Any]:
    number = row % DISTINCT
    return _order(random.Random(number), number, guest=False)


def _sum(lines: list[dict[str, Any]], member: str) -> Decimal:
    return sum((line[member] for line in lines), Decimal("0.00"))


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, rounding=ROUND_HALF_EVEN)


def _encode(document: dict[str, Any]) -> bytes:
    return _ENCODER.encode(document)
