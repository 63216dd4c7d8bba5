"""Making an order: who gets which invoice, what it costs, what the operator keeps, and what it takes off stock.

Belongs here: the arithmetic of a purchase, shared by `orderCreate`, shoppers and seeds. An amount is the whole
line's, in pence, tax within. A unit's price is whole pence: a fraction is rounded up, which moves the total.
Commission is on the goods after discount. Source: Marketplacer API contract 1, 2.4, 4.2, 6.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from stokly_sync.sandbox.marketplacer.sales import Adjustment, Invoice, LineItem, Order
from stokly_sync.sandbox.marketplacer.store import Store
from stokly_sync.sandbox.marketplacer.things import Variant

Names = Sequence[tuple[str, str | None]]


@dataclass(frozen=True)
class Line:
    """A line to be bought: of a variant, or of goods outside the catalogue (`copied`)."""

    seller: int
    quantity: int
    amount: int
    tax: int | None = None
    postage: int = 0
    postage_tax: int | None = None
    discount: int = 0
    variant: Variant | None = None
    copied: dict[str, Any] = field(default_factory=dict)
    adjustments: Sequence[Adjustment] = ()
    names: Names = ()


@dataclass(frozen=True)
class Terms:
    """What the operator keeps: commission and the tax on it, in percent."""

    rate: str
    tax_rate: float


@dataclass(frozen=True)
class Part:
    """One seller's part of a purchase; `number` asks for an invoice number."""

    seller: int
    lines: Sequence[Line]
    adjustments: Sequence[Adjustment] = ()
    names: Names = ()
    number: int | None = None


def split_by_seller(lines: Sequence[Line]) -> list[Part]:
    """The parts of a purchase, in the order in which their sellers first come."""
    sellers = dict.fromkeys(line.seller for line in lines)
    return [Part(seller, [line for line in lines if line.seller == seller]) for seller in sellers]


def percent(amount: int, rate: Decimal) -> int:
    """So many percent of an amount of pence, rounded half up."""
    return int((amount * rate / 100).quantize(Decimal(1), ROUND_HALF_UP))


def place(store: Store, order: Order, parts: Sequence[Part], terms: Terms, *, paid_at: datetime | None) -> Order:
    """Keep an order and its invoices, one a seller. Stock is not touched; see `take_stock`."""
    for part in parts:
        number = store.number(Invoice, wanted=part.number)
        invoice = Invoice(
            number=number,
            order=order.number,
            seller=part.seller,
            created_at=order.created_at,
            updated_at=order.created_at,
            paid_at=paid_at,
            line_items=[_line_item(store, number, line, terms) for line in part.lines],
            adjustments=list(part.adjustments),
        )
        order.invoices.append(number)
        store.add(store.state.invoices, invoice)
        for key, value in part.names:
            store.name(invoice, key, value)
        for item, line in zip(invoice.line_items, part.lines, strict=True):
            for key, value in line.names:
                store.name(item, key, value)
    return store.add(store.state.orders, order)


def _line_item(store: Store, invoice: int, line: Line, terms: Terms) -> LineItem:
    each = -(-line.amount // line.quantity)
    promotions = sum(adjustment.amount_cents for adjustment in line.adjustments if adjustment.type == "PROMOTION")
    discount = line.discount + promotions
    commission = percent(each * line.quantity + discount, Decimal(terms.rate))
    return LineItem(
        number=store.number(LineItem),
        invoice=invoice,
        quantity=line.quantity,
        item_cost_cents=each,
        tax_cents=line.tax,
        postage_cents=line.postage,
        postage_tax_cents=line.postage_tax,
        discount_cents=discount,
        commission_rate=terms.rate,
        commission_amount_cents=commission,
        commission_amount_tax_cents=percent(commission, Decimal(str(terms.tax_rate))),
        commission_tax_rate=terms.tax_rate,
        adjustments=list(line.adjustments),
        **(_copied(store, line.variant) if line.variant is not None else {}),
        **line.copied,
    )


def _copied(store: Store, variant: Variant) -> dict[str, Any]:
    advert = store.state.adverts[variant.advert]
    brand = store.state.brands.get(advert.brand) if advert.brand is not None else None
    return {
        "variant": variant.number,
        "variant_sku": variant.sku,
        "variant_barcode": variant.barcode,
        "variant_name": variant.label,
        "advert": advert.number,
        "advert_title": advert.title,
        "brand_name": brand.name if brand is not None else None,
    }


def wanted(lines: Sequence[Line]) -> Counter[int]:
    """Quantity by variant."""
    counts: Counter[int] = Counter()
    for line in lines:
        if line.variant is not None:
            counts[line.variant.number] += line.quantity
    return counts


def short(store: Store, lines: Sequence[Line]) -> Variant | None:
    """The first variant of which more is wanted than there is."""
    for number, quantity in wanted(lines).items():
        variant = store.state.variants[number]
        if not variant.infinite_quantity and quantity > variant.count_on_hand:
            return variant
    return None


def take_stock(store: Store, lines: Sequence[Line], *, at: datetime) -> None:
    """Take what was bought off the stock of its variants."""
    for number, quantity in wanted(lines).items():
        variant = store.state.variants[number]
        if not variant.infinite_quantity:
            variant.count_on_hand -= quantity
            store.state.adverts[variant.advert].updated_at = at
