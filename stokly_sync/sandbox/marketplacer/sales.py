"""What the Marketplacer sandbox holds of its sales: orders, invoices, shipments, refunds, remittances.

Belongs here: members and what can be said of a thing from itself alone, in the vendor's names in snake case. Amounts
are whole pence and include their tax, times UTC. Source: Marketplacer API contract 1 (vocabulary), 4, 5, 6.
"""

from datetime import datetime
from decimal import Decimal
from typing import ClassVar

import msgspec

from stokly_sync.sandbox.marketplacer.things import Thing


class Address(msgspec.Struct, kw_only=True):
    """A postal address; `state` is the short form."""

    address: str | None = None
    city: str | None = None
    postcode: str | None = None
    state: str | None = None


class Adjustment(msgspec.Struct, kw_only=True):
    """A fee or promotion; a promotion's amount is negative."""

    type: str
    amount_cents: int


class Order(Thing, kw_only=True):
    """A whole purchase, over all sellers."""

    kind: ClassVar[str] = "Order"
    created_at: datetime
    first_name: str | None = None
    surname: str | None = None
    email_address: str | None = None
    phone: str | None = None
    address: Address | None = None
    billing_address: Address | None = None
    message_to_seller: str | None = None
    status: str = "COMPLETE"
    invoices: list[int] = msgspec.field(default_factory=list)


class LineItem(Thing, kw_only=True):
    """A bought variant as it was then. `item_cost_cents` is one unit's, the rest the line's; tax is within."""

    kind: ClassVar[str] = "LineItem"
    invoice: int
    quantity: int
    item_cost_cents: int
    tax_cents: int | None = None
    postage_cents: int = 0
    postage_tax_cents: int | None = None
    discount_cents: int = 0
    commission_rate: str = "0"
    commission_amount_cents: int = 0
    commission_amount_tax_cents: int = 0
    commission_tax_rate: float = 0.0
    variant: int | None = None
    variant_sku: str | None = None
    variant_barcode: str | None = None
    variant_name: str | None = None
    advert: int | None = None
    advert_title: str | None = None
    brand_name: str | None = None
    adjustments: list[Adjustment] = msgspec.field(default_factory=list)

    @property
    def subtotal_cents(self) -> int:
        """The goods."""
        return self.item_cost_cents * self.quantity

    @property
    def total_cents(self) -> int:
        """Goods, postage, discount and fees."""
        fees = sum(adjustment.amount_cents for adjustment in self.adjustments if adjustment.type == "FEE")
        return self.subtotal_cents + self.postage_cents + self.discount_cents + fees


class ShippedItem(Thing, kw_only=True):
    """How much of a line is in a shipment."""

    kind: ClassVar[str] = "ShippedItem"
    invoice: int
    line_item: int
    quantity: int


class Shipment(Thing, kw_only=True):
    """One parcel."""

    kind: ClassVar[str] = "Shipment"
    invoice: int
    carrier: str
    tracking_number: str
    dispatched_at: datetime
    note: str | None = None
    tracking_link: str | None = None
    shipped_items: list[ShippedItem] = msgspec.field(default_factory=list)


class InvoiceAmendmentLineItem(Thing, kw_only=True):
    """One line of an amendment. `amount_cents` is one unit's, the rest the line's; a refund's are negative."""

    kind: ClassVar[str] = "InvoiceAmendmentLineItem"
    invoice: int
    quantity: int
    amount_cents: int
    status: str
    line_item: int | None = None
    custom: str | None = None
    custom_line_item_tax_rate: Decimal | None = None
    dispatched: bool | None = None
    tax_cents: int | None = None
    tax_rate: float | None = None
    commission_amount_cents: int = 0
    commission_tax_cents: int = 0

    @property
    def total_cents(self) -> int:
        """The line."""
        return self.amount_cents * self.quantity


class InvoiceAmendment(Thing, kw_only=True):
    """A later change of an invoice."""

    kind: ClassVar[str] = "InvoiceAmendment"
    invoice: int
    created_at: datetime
    external_tax_applied: bool = False
    commission_tax_rate: float = 0.0
    line_items: list[InvoiceAmendmentLineItem] = msgspec.field(default_factory=list)

    @property
    def line_item_amount_total_cents(self) -> int:
        """What all lines come to."""
        return sum(line.total_cents for line in self.line_items)

    @property
    def line_item_tax_total_cents(self) -> int:
        """The tax within it."""
        return sum(line.tax_cents or 0 for line in self.line_items)

    @property
    def commission_amount_total_cents(self) -> int:
        """Commission given back, negative, without its tax."""
        return sum(line.commission_amount_cents for line in self.line_items)

    @property
    def commission_tax_total_cents(self) -> int:
        """Tax on the commission given back, negative."""
        return sum(line.commission_tax_cents for line in self.line_items)


class Invoice(Thing, kw_only=True):
    """One seller's part of an order. `raised` are flags that no rule derives (READY, COLLECTED, under review)."""

    kind: ClassVar[str] = "Invoice"
    order: int
    seller: int
    created_at: datetime
    updated_at: datetime
    paid_at: datetime | None = None
    remitted_at: datetime | None = None
    delivery_type: str = "ONLINE"
    raised: set[str] = msgspec.field(default_factory=set)
    line_items: list[LineItem] = msgspec.field(default_factory=list)
    shipments: list[Shipment] = msgspec.field(default_factory=list)
    amendments: list[InvoiceAmendment] = msgspec.field(default_factory=list)
    adjustments: list[Adjustment] = msgspec.field(default_factory=list)


class RefundRequestLineItem(Thing, kw_only=True):
    """What a refund is asked for: units of a line, or something else at an amount."""

    kind: ClassVar[str] = "RefundRequestLineItem"
    invoice: int
    quantity: int
    status: str
    line_item: int | None = None
    reason: str | None = None
    dispatched: bool | None = None
    custom: str | None = None
    amount_per_item_cents: int | None = None
    only_remittance: bool = False


class RefundRequest(Thing, kw_only=True):
    """A cancellation or return on its way."""

    kind: ClassVar[str] = "RefundRequest"
    invoice: int
    created_at: datetime
    status: str = "AWAITING"
    line_items: list[RefundRequestLineItem] = msgspec.field(default_factory=list)
    notes: list[str] = msgspec.field(default_factory=list)


class Remittance(Thing, kw_only=True):
    """Money owed to a seller for one invoice or one amendment."""

    kind: ClassVar[str] = "Remittance"
    seller: int
    created_at: datetime
    amount_cents: int
    commission_amount_cents: int
    invoice: int | None = None
    invoice_amendment: int | None = None
    released: bool = True
    pending_reasons: list[str] = msgspec.field(default_factory=list)


class RemittanceAdvice(Thing, kw_only=True):
    """Several remittances, paid together."""

    kind: ClassVar[str] = "RemittanceAdvice"
    seller: int
    created_at: datetime
    total_cents: int
    commission_amount_total_cents: int
    paid_at: datetime | None = None
    payment_reference: str | None = None
    remittances: list[Remittance] = msgspec.field(default_factory=list)
