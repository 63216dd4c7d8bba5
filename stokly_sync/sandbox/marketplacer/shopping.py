"""Shoppers: orders that nobody places by the API, which take stock down.

Belongs here: turning a basket of SKUs into an order of one seller, at catalogue prices with the tax within; and raw
invoices, which follow no rule and leave stock alone, for what a checkout would not let through.
Source: Marketplacer API contract 4.1, 4.2.
"""

from dataclasses import replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

import msgspec

from stokly_sync.sandbox.marketplacer import flags, ordering
from stokly_sync.sandbox.marketplacer.call import Call
from stokly_sync.sandbox.marketplacer.furniture import OUR_SELLER
from stokly_sync.sandbox.marketplacer.order_writes import terms
from stokly_sync.sandbox.marketplacer.ordering import Line, Part, percent
from stokly_sync.sandbox.marketplacer.sales import Address, Invoice, Order
from stokly_sync.sandbox.marketplacer.things import Variant

TAX = Decimal(20)
SAMPLE_ADDRESS: dict[str, str | None] = {
    "address": "1 Sample Street",
    "city": "Bristol",
    "postcode": "BS1 0AA",
    "state": "BST",
}


class BasketLine(msgspec.Struct, forbid_unknown_fields=True):
    """So many of a SKU."""

    sku: str
    quantity: int = 1


class Basket(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What a shopper orders; an order to somebody at a sample address unless more is said. Postage is gross."""

    lines: list[BasketLine]
    email: str | None = "shopper@example.com"
    first_name: str | None = "Sample"
    surname: str | None = "Shopper"
    phone: str | None = "01632 960000"
    address: dict[str, str | None] | None = msgspec.field(default_factory=lambda: dict(SAMPLE_ADDRESS))
    postage_cents: int = 0
    seller: int = OUR_SELLER


class RawLine(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A line of a raw invoice; amounts are the line's, in pence."""

    sku: str | None
    quantity: int = 1
    amount_cents: int = 1200
    tax_cents: int | None = 200
    postage_cents: int = 0
    postage_tax_cents: int | None = 0
    discount_cents: int = 0
    title: str | None = None


class RawInvoice(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An invoice as it is to stand there, checked by nobody. A member left out has a sample value."""

    lines: list[RawLine] = msgspec.field(default_factory=lambda: [RawLine(sku="SAMPLE")])
    email: str | None = "shopper@example.com"
    first_name: str | None = "Sample"
    surname: str | None = "Shopper"
    phone: str | None = "01632 960000"
    address: dict[str, str | None] | None = msgspec.field(default_factory=lambda: dict(SAMPLE_ADDRESS))
    seller: int = OUR_SELLER
    legacy_id: int | None = None
    created_at: datetime | None = None
    paid: bool = True
    raised: set[str] = msgspec.field(default_factory=set)


def shop(call: Call, basket: Basket) -> Order:
    """Place a shopper's order and take its goods off stock.

    Raises:
        LookupError: if a SKU is not on sale at that seller.
        ValueError: if there is not enough of one, or nothing is ordered.
    """
    if not basket.lines or any(line.quantity < 1 for line in basket.lines):
        raise ValueError("An order has lines, each with a quantity of at least 1.")
    lines = [_line(call, line, basket.seller) for line in basket.lines]
    lacking = ordering.short(call.store, lines)
    if lacking is not None:
        raise ValueError(f"There are only {lacking.count_on_hand} of {lacking.sku} in the sandbox.")
    postage = basket.postage_cents
    lines[0] = replace(lines[0], postage=postage, postage_tax=tax_within(postage))
    order = place(call, basket, Part(basket.seller, lines))
    ordering.take_stock(call.store, lines, at=call.now)
    call.system.touch()
    return order


def _line(call: Call, line: BasketLine, seller: int) -> Line:
    variant = on_sale(call, line.sku, seller)
    price = flags.current_price(variant, call.now) or Decimal(0)
    amount = pence(price) * line.quantity
    return Line(seller, line.quantity, amount, tax_within(amount), postage_tax=0, variant=variant)


def on_sale(call: Call, sku: str, seller: int = OUR_SELLER) -> Variant:
    """The variant of that SKU which a shopper would find.

    Raises:
        LookupError: if there is none.
    """
    state = call.store.state
    for variant in state.variants.values():
        of_seller = state.adverts[variant.advert].seller == seller
        if variant.sku == sku and of_seller and flags.variant_displayable(call.store, variant):
            return variant
    raise LookupError(f"Nothing of SKU {sku!r} is on sale at seller {seller} of the sandbox.")


def pence(price: Decimal) -> int:
    """Pounds as whole pence, rounded half up."""
    return int((price * 100).quantize(Decimal(1), ROUND_HALF_UP))


def tax_within(amount: int) -> int:
    """The standard tax within an amount that includes it."""
    return amount - percent(amount * 100, 100 / (100 + TAX))


def place(
    call: Call, person: Basket | RawInvoice, part: Part, *, at: datetime | None = None, paid: bool = True
) -> Order:
    """Keep an order of one part by a person."""
    moment = at or call.now
    where = Address(**person.address) if person.address is not None else None
    order = Order(
        number=call.store.number(Order),
        created_at=moment,
        first_name=person.first_name,
        surname=person.surname,
        email_address=person.email,
        phone=person.phone,
        address=where,
        billing_address=where,
    )
    return ordering.place(call.store, order, [part], terms(call), paid_at=moment if paid else None)


def raw_invoice(call: Call, raw: RawInvoice) -> Invoice:
    """Keep an invoice as it is given."""
    part = Part(raw.seller, [_raw_line(call, line, raw.seller) for line in raw.lines], number=raw.legacy_id)
    order = place(call, raw, part, at=raw.created_at, paid=raw.paid)
    invoice = call.store.state.invoices[order.invoices[0]]
    invoice.raised = set(raw.raised)
    call.system.touch()
    return invoice


def _raw_line(call: Call, line: RawLine, seller: int) -> Line:
    variants = call.store.state.variants.values()
    known = next((variant for variant in variants if variant.sku == line.sku), None)
    return Line(
        seller,
        line.quantity,
        line.amount_cents,
        line.tax_cents,
        line.postage_cents,
        line.postage_tax_cents,
        line.discount_cents,
        variant=known,
        copied={} if known is not None else {"variant_sku": line.sku, "advert_title": line.title or "Sample product"},
    )
