"""States that no field stores: whether a product can be seen and bought, and how far an invoice has got.

Belongs here: deriving flags from what is kept. There is no single status, neither of a product nor of an invoice;
an invoice has several flags at once. Which refunds raise REFUNDED is assumed: any that was paid.
Source: Marketplacer API contract 3.4, 4.1, 5.
"""

from collections import Counter
from datetime import datetime
from decimal import Decimal

from stokly_sync.sandbox.marketplacer.sales import Invoice, LineItem
from stokly_sync.sandbox.marketplacer.store import Store
from stokly_sync.sandbox.marketplacer.things import Advert, Variant

FLAGS = (
    "PAID",
    "PAYMENT_UNDER_REVIEW",
    "SENT",
    "PARTIALLY_SENT",
    "AWAITING_RETURN",
    "AWAITING_REFUND",
    "REFUNDED",
    "CANCELLED",
    "READY",
    "COLLECTED",
    "REMITTED",
)


def allowed(advert: Advert) -> bool:
    """Whether nothing about the advert itself keeps it off the site."""
    approved = advert.vetted or not advert.requires_vetting
    return advert.published and approved and not advert.vetting_rejected and advert.deleted_at is None


def variant_displayable(store: Store, variant: Variant) -> bool:
    """Whether a variant passes all rules for display."""
    advert = store.state.adverts[variant.advert]
    return allowed(advert) and variant.published and variant.price is not None


def advert_displayable(store: Store, advert: Advert) -> bool:
    """Whether an advert does: it has a variant that does. What is displayable is online here."""
    variants = store.state.variants
    return any(variant_displayable(store, variants[number]) for number in advert.variants)


def buyable(store: Store, variant: Variant) -> bool:
    """Whether a variant can be bought now."""
    return variant_displayable(store, variant) and (variant.infinite_quantity or variant.count_on_hand > 0)


def current_price(variant: Variant, now: datetime) -> Decimal | None:
    """The sale price while it runs, else the price."""
    begun = variant.sale_price_start_at is None or variant.sale_price_start_at <= now
    over = variant.sale_price_end_at is not None and variant.sale_price_end_at <= now
    return variant.sale_price if variant.sale_price is not None and begun and not over else variant.price


def shipped(invoice: Invoice) -> Counter[int]:
    """Quantity in shipments by line."""
    counts: Counter[int] = Counter()
    for shipment in invoice.shipments:
        for item in shipment.shipped_items:
            counts[item.line_item] += item.quantity
    return counts


def amended(invoice: Invoice, *, status: str) -> Counter[int]:
    """Quantity refunded after despatch (REFUNDED) or before it (CANCELLED), by line."""
    counts: Counter[int] = Counter()
    for amendment in invoice.amendments:
        for line in amendment.line_items:
            if line.line_item is not None and line.status == status:
                counts[line.line_item] += line.quantity
    return counts


def undispatched(invoice: Invoice) -> dict[int, int]:
    """What may still be despatched, by line: neither shipped nor cancelled; lines with nothing left are not in it."""
    sent, cancelled = shipped(invoice), amended(invoice, status="CANCELLED")
    left = {line.number: line.quantity - sent[line.number] - cancelled[line.number] for line in invoice.line_items}
    return {number: quantity for number, quantity in left.items() if quantity > 0}


def line_status(invoice: Invoice, line: LineItem) -> str:
    """NEW, ALLOCATED (all of it is in shipments), REFUNDED or CANCELLED."""
    if amended(invoice, status="CANCELLED")[line.number] >= line.quantity:
        return "CANCELLED"
    if amended(invoice, status="REFUNDED")[line.number] >= line.quantity:
        return "REFUNDED"
    return "ALLOCATED" if shipped(invoice)[line.number] >= line.quantity else "NEW"


def status_flags(store: Store, invoice: Invoice) -> list[str]:
    """Every flag of an invoice, in the order of the enum."""
    raised = set(invoice.raised)
    if invoice.paid_at is not None:
        raised.add("PAID")
    if invoice.remitted_at is not None:
        raised.add("REMITTED")
    if invoice.shipments:
        raised.add("PARTIALLY_SENT" if undispatched(invoice) else "SENT")
    if any(amendment.line_item_amount_total_cents < 0 for amendment in invoice.amendments):
        raised.add("REFUNDED")
    if invoice.line_items and all(line_status(invoice, line) == "CANCELLED" for line in invoice.line_items):
        raised.add("CANCELLED")
    for request in store.requests_of(invoice):
        comes_back = any(line.dispatched for line in request.line_items)
        if request.status == "AWAITING" and comes_back:
            raised.add("AWAITING_RETURN")
        elif request.status in ("AWAITING", "RETURNED", "REFUND_ACCEPTED", "PROCESSED"):
            raised.add("AWAITING_REFUND")
    return [flag for flag in FLAGS if flag in raised]
