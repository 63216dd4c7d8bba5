"""Rows of sale orders, lines, payments, dispatches and invoices as Stokly serves them.

Belongs here: the arithmetic and the member names, shared by all seeds, so that every seeded document adds
up in the same way. Prices are net, after discount, in the document's currency; a line's tax is
rounded half-even to two places on the whole line: `displayLineTotal = round2(net x quantity) +
round2(net x quantity x rate)`, and an order's `displayTotal` is the sum of its lines' totals plus
`displayShippingCost` plus `displayShippingTax`. Source: Stokly API contract 2.4, 3.2, 4.2, 5 #1.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from stokly_sync.sandbox.seeds.account import Channel
from stokly_sync.sandbox.seeds.model import PARENT, Row
from stokly_sync.sandbox.seeds.words import ZERO, cents, make_id, nine_places, stamp

VAT = Decimal("0.2")
ONE = Decimal(1)


@dataclass(frozen=True)
class Product:
    """What an order line needs to know of an item."""

    item_id: str
    sku: str
    name: str


@dataclass(frozen=True)
class Pricing:
    """How a document counts: its currency, document value by base value, and its tax rate."""

    currency: str = "GBP"
    rate: Decimal = ONE
    tax: Decimal = VAT

    def base(self, amount: Decimal, *, places: int = 2) -> Decimal:
        """An amount of the document in the account's base currency, rounded half-even to 2 or 9 places."""
        if self.rate == ONE:
            return amount
        return cents(amount / self.rate) if places == 2 else nine_places(amount / self.rate)


@dataclass(frozen=True)
class OrderHead:
    """Everything about an order but its lines. `buyer` and `address` are members ready for the row."""

    key: object
    nice_id: int
    channel: Channel
    reference: str
    created: datetime
    updated: datetime
    location: str
    pricing: Pricing = Pricing()
    buyer: Row = field(default_factory=dict)
    address: Row = field(default_factory=dict)
    shipping: Decimal = ZERO
    stage: str = "order"
    payment_status: str = "paid"
    tags: Sequence[str] = ()
    extra: Row = field(default_factory=dict)

    @property
    def order_id(self) -> str:
        """The order's `saleOrderId`."""
        return make_id("order", self.key)


def order_line(
    line_id: str,
    order_id: str,
    product: Product,
    *,
    quantity: int,
    price: Decimal,
    pricing: Pricing,
    status: str,
    fulfilment: str = "delivery",
    discount: Decimal = ZERO,
) -> Row:
    """A line; `price` and `discount` are a unit's, net, in the document's currency."""
    net = price * quantity
    line_price, line_tax = cents(net), cents(net * pricing.tax)
    unit_tax = nine_places(price * pricing.tax)
    return {
        PARENT: order_id,
        "lineId": line_id,
        "type": "item",
        "referenceId": product.item_id,
        "itemSku": product.sku,
        "itemName": product.name,
        "quantity": quantity,
        "status": status,
        "fulfilmentType": fulfilment,
        "price": pricing.base(price, places=9),
        "tax": pricing.base(unit_tax, places=9),
        "displayPrice": price,
        "displayTax": unit_tax,
        "displayDiscount": discount,
        "displayLinePrice": line_price,
        "displayLineTax": line_tax,
        "displayLineDiscount": cents(discount * quantity),
        "displayLineTotal": line_price + line_tax,
    }


def component_line(parent: Row, product: Product, *, quantity: int) -> Row:
    """A line for one part of a composite: it costs nothing of its own and points at its parent line."""
    free = dict.fromkeys((name for name in parent if name.startswith("display")), ZERO)
    return {
        **parent,
        **free,
        "lineId": make_id("component", (parent["lineId"], product.sku)),
        "referenceId": product.item_id,
        "itemSku": product.sku,
        "itemName": product.name,
        "quantity": parent["quantity"] * quantity,
        "price": ZERO,
        "tax": ZERO,
        "parentId": parent["lineId"],
    }


def order_row(head: OrderHead, lines: Sequence[Row]) -> Row:
    """The order's own row, with totals from its lines."""
    pricing, channel = head.pricing, head.channel
    totals = _totals(head, lines)
    paid = {"paid": totals["displayTotal"], "part_paid": cents(totals["displayTotal"] / 2)}
    row: Row = {
        "saleOrderId": head.order_id,
        "niceId": head.nice_id,
        "stage": head.stage,
        "itemStatuses": list(dict.fromkeys(line["status"] for line in lines)),
        "sourceType": channel.source_type,
        "sourceId": channel.channel_id,
        "sourceReferenceId": head.reference,
        "channelName": channel.name,
        "createdAt": stamp(head.created),
        "updatedAt": stamp(head.updated),
        **head.buyer,
        **head.address,
        "currency": pricing.currency,
        "exchangeRate": pricing.rate,
        **totals,
        "amountPaid": paid.get(head.payment_status, ZERO),
        "paymentStatus": head.payment_status,
        "locationId": head.location,
        **head.extra,
    }
    if head.tags:
        row["tags"] = list(head.tags)
    return row


def _totals(head: OrderHead, lines: Sequence[Row]) -> Row:
    pricing = head.pricing
    display = {
        "subtotal": sum((line["displayLinePrice"] for line in lines), ZERO),
        "tax": sum((line["displayLineTax"] for line in lines), ZERO),
        "discount": sum((line["displayLineDiscount"] for line in lines), ZERO),
        "shippingCost": head.shipping,
        "shippingTax": cents(head.shipping * pricing.tax),
    }
    summed = ("subtotal", "tax", "shippingCost", "shippingTax")
    base = {name: pricing.base(amount) for name, amount in display.items()}
    display["total"] = sum((display[name] for name in summed), ZERO)
    base["total"] = sum((base[name] for name in summed), ZERO)
    return {**base, **{f"display{name[0].upper()}{name[1:]}": amount for name, amount in display.items()}}


def payment_row(order: Row) -> Row:
    """The one payment, made outside Stokly, of a paid order."""
    return {
        PARENT: order["saleOrderId"],
        "paymentId": make_id("payment", order["saleOrderId"]),
        "method": 4,
        "amount": order["amountPaid"],
        "currency": order["currency"],
        "label": f"Payment for {order['sourceReferenceId']}",
        "timestamp": order["createdAt"],
    }


def dispatch_rows(
    order: Row, lines: Sequence[Row], *, number: int, part: int, courier: str, at: datetime
) -> tuple[Row, list[Row]]:
    """One dispatch of these lines, whole, and its items; `part` counts the dispatches of an order."""
    dispatch_id = make_id("dispatch", (order["saleOrderId"], part))
    tracking = f"{courier[:2].upper()}{number:09d}GB"
    dispatch = {
        "dispatchId": dispatch_id,
        "niceId": number,
        "saleOrderId": order["saleOrderId"],
        "locationId": order["locationId"],
        "courier": courier,
        "service": "Standard",
        "trackingNumber": tracking,
        "trackingUrl": f"https://tracking.example.com/{tracking}",
        "status": "dispatched",
        "dispatchedAt": stamp(at),
    }
    items = [{PARENT: dispatch_id, "lineId": line["lineId"], "quantity": line["quantity"]} for line in lines]
    return dispatch, items


def invoice_rows(order: Row, lines: Sequence[Row], *, number: int, at: datetime) -> tuple[Row, list[Row]]:
    """A paid invoice over these lines, and its items (prices and taxes are a unit's)."""
    invoice_id = make_id("invoice", order["saleOrderId"])
    invoice = {
        "saleInvoiceId": invoice_id,
        "invoiceNumber": f"INV-{number:06d}",
        "niceId": number,
        "saleOrderId": order["saleOrderId"],
        "saleOrderNiceId": order["niceId"],
        "issueDate": stamp(at),
        "dueDate": stamp(at),
        "currency": order["currency"],
        "status": "paid",
        "updatedAt": stamp(at),
    }
    items = [
        {
            PARENT: invoice_id,
            "referenceType": "item",
            **{
                name: line[name]
                for name in ("referenceId", "itemSku", "itemName", "quantity", "displayPrice", "displayTax")
            },
        }
        for line in lines
    ]
    return invoice, items
