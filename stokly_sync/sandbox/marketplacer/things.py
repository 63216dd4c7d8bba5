"""What the Marketplacer sandbox holds of its catalogue: reference data, adverts, variants.

Belongs here: members and what can be said of a thing from itself alone. Names are the vendor's in snake case, so
that a field without a resolver of its own is read straight from here. Prices are pounds, times UTC. What is sold is
in `sales`. Source: Marketplacer API contract 1 (vocabulary), 3.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

import msgspec

from stokly_sync.sandbox.marketplacer.ids import global_id


class Thing(msgspec.Struct, kw_only=True):
    """Something with a global id; `number` is what the portals show."""

    kind: ClassVar[str] = ""
    number: int

    @property
    def id(self) -> str:
        """The opaque id."""
        return global_id(self.kind, self.number)

    @property
    def legacy_id(self) -> int:
        """The number."""
        return self.number


class Seller(Thing, kw_only=True):
    """A retailer on the marketplace."""

    kind: ClassVar[str] = "Seller"
    business_name: str
    business_number: str = ""
    email_address: str = ""
    phone: str = ""


class Brand(Thing, kw_only=True):
    """A brand."""

    kind: ClassVar[str] = "Brand"
    name: str


class Taxon(Thing, kw_only=True):
    """A category; only leaves have a prototype."""

    kind: ClassVar[str] = "Taxon"
    display_name: str
    tree_name: str
    parent: int | None = None
    prototype: int | None = None


class Prototype(Thing, kw_only=True):
    """The attribute set of a taxon."""

    kind: ClassVar[str] = "Prototype"
    name: str
    option_types: list[int]


class OptionType(Thing, kw_only=True):
    """One attribute; `applied_to` is ADVERT or VARIANT."""

    kind: ClassVar[str] = "OptionType"
    name: str
    field_type: str
    applied_to: str
    optional: bool = True
    option_values: list[int] = msgspec.field(default_factory=list)


class OptionValue(Thing, kw_only=True):
    """One value that an attribute may have."""

    kind: ClassVar[str] = "OptionValue"
    name: str
    display_name: str


class ShipmentCarrier(Thing, kw_only=True):
    """A carrier that shipments may name."""

    kind: ClassVar[str] = "ShipmentCarrier"
    name: str


class CommissionPackage(Thing, kw_only=True):
    """What the operator keeps of the goods; the rate is a switch."""

    kind: ClassVar[str] = "CommissionPackage"
    name: str
    applies_to_postage: bool = False


class ExternalID(Thing, kw_only=True):
    """A name that an outside system has for a thing; `owner` is a global id."""

    kind: ClassVar[str] = "ExternalID"
    owner: str
    key: str
    value: str


class Advert(Thing, kw_only=True):
    """A product. `price` is in pounds; what it sells is in its variants."""

    kind: ClassVar[str] = "Advert"
    seller: int
    title: str
    created_at: datetime
    updated_at: datetime
    description: str = ""
    brand: int | None = None
    taxon: int | None = None
    price: Decimal | None = None
    published: bool = False
    vetted: bool = True
    requires_vetting: bool = False
    vetting_rejected_at: datetime | None = None
    vetting_rejected_reason: str | None = None
    featured: bool = False
    deleted_at: datetime | None = None
    images: list[str] = msgspec.field(default_factory=list)
    options: list[dict[str, Any]] = msgspec.field(default_factory=list)
    variants: list[int] = msgspec.field(default_factory=list)

    @property
    def full_title(self) -> str:
        """The title; brands are not put in front of it here."""
        return self.title

    @property
    def vetting_rejected(self) -> bool:
        """Whether the operator refused it."""
        return self.vetting_rejected_at is not None


class Variant(Thing, kw_only=True):
    """The thing sold: SKU, price in pounds, and stock of its own."""

    kind: ClassVar[str] = "Variant"
    advert: int
    sku: str | None = None
    barcode: str | None = None
    description: str | None = None
    price: Decimal | None = None
    sale_price: Decimal | None = None
    sale_price_start_at: datetime | None = None
    sale_price_end_at: datetime | None = None
    count_on_hand: int = 0
    infinite_quantity: bool = False
    published: bool = True
    images: list[str] = msgspec.field(default_factory=list)
    options: list[dict[str, Any]] = msgspec.field(default_factory=list)
    metadata: dict[str, str | None] = msgspec.field(default_factory=dict)
    more: dict[str, Any] = msgspec.field(default_factory=dict)
    written: dict[str, int] = msgspec.field(default_factory=dict)
    """How often each attribute was written; no part of the API."""

    @property
    def label(self) -> str | None:
        """What tells it from its siblings."""
        return self.description
