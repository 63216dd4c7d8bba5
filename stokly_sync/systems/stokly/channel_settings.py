"""How the orders of one sales channel become orders in Stokly: words that are mapped, and what a person decides.

Belongs here: one model for every channel with what differs between them, read from `[stokly.magento]` and the like.
What the words mean on the wire stands in `outgoing` and, where nobody has proven it, in `unverified`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from stokly_sync.contracts.channels import MAGENTO, MARKETPLACER
from stokly_sync.flow import Origin

KINDS: Final = ("customers", "orders", "cancellations", "refunds", "invoices")
"""What is loaded into Stokly from a channel."""
OUTSIDE: Final = 4
"""Payment method "paid outside", the only one that is proven. Source: Stokly API contract 3.2."""
ANY: Final = "*"


class ChannelSettings(BaseModel):
    """How one channel's documents are made in Stokly."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channel_id: str | None = Field(
        None, description="Stokly's id of the channel; found by its kind and name where not set."
    )
    source_type: str = Field("other", min_length=1, description="Source type of its orders in Stokly.")
    account_prefix: str = Field(..., min_length=1, description="Start of the account codes of its customers.")
    orders_from: datetime | None = Field(
        None, description="Orders placed before that time are neither imported nor compared; see orders_days."
    )
    orders_days: int = Field(
        30, ge=0, description="Where orders_from is not set: so many days before the channel's orders were first read."
    )
    payments: dict[str, int] = Field(
        default_factory=dict,
        description="Payment method in Stokly by the channel's word; * for any other, an empty word for none.",
    )
    shipping: dict[str, str] = Field(
        default_factory=dict,
        description="Shipping option in Stokly by the channel's word; * for any other, an empty word for none.",
    )
    locations: dict[str, str] = Field(
        default_factory=dict,
        description="Stokly's location that fulfils, by store of the channel or *; none is said where this is empty.",
    )
    customers_by_email: bool = Field(
        True, description="Whether an account in Stokly with the same e-mail address is the customer."
    )
    refunds: Literal["create", "raise"] = Field(
        "create", description="A refund of the channel that Stokly does not have: create it there, or raise it."
    )

    part_dispatched_days: int = Field(
        14,
        ge=1,
        description="Days from an order's first dispatch after which it is an exception that the rest has not left; "
        "an order is invoiced once, after its last dispatch.",
    )

    @field_validator("orders_from")
    @classmethod
    def _in_utc(cls, value: datetime | None) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    @property
    def origin(self) -> Origin:
        """How Stokly's orders name the channel, and from when on its orders are imported."""
        return Origin(self.source_type, self.channel_id, self.orders_from, self.orders_days)

    def payment(self, word: str | None) -> int | None:
        """Stokly's payment method for the channel's word, None where it is not mapped."""
        return self.payments.get(word or "", self.payments.get(ANY))

    def option(self, word: str | None) -> str | None:
        """Stokly's shipping option for the channel's word, None where it is not mapped."""
        return self.shipping.get(word or "", self.shipping.get(ANY))

    def location(self, store: str | None) -> str | None:
        """The location that fulfils orders of a store, None where it is not mapped."""
        return self.locations.get(store or "", self.locations.get(ANY))


def magento() -> ChannelSettings:
    """The defaults for Magento: the methods that come with it."""
    words = (
        *("checkmo", "banktransfer", "cashondelivery", "purchaseorder", "free", "paypal_express", "payflow_express"),
        *("braintree", "braintree_paypal", "braintree_applepay", "braintree_googlepay", "stripe_payments"),
        *("klarna_kp", "adyen_cc", "adyen_hpp", "amazon_payment_v2", "worldpay_cc", "sagepaysuiteform"),
    )
    options = {
        "flatrate_flatrate": "Standard",
        "tablerate_bestway": "Table rate",
        "freeshipping_freeshipping": "Free",
        "instore_pickup": "Collection",
        "": "Standard",
    }
    return ChannelSettings(
        source_type="magento_two",
        account_prefix="MAGENTO-",
        payments=dict.fromkeys(words, OUTSIDE),
        shipping=options,
    )


def marketplacer() -> ChannelSettings:
    """The defaults for Marketplacer: the marketplace takes the money, and names no method."""
    return ChannelSettings(
        source_type=MARKETPLACER,
        account_prefix="MARKETPLACER-",
        payments={"": OUTSIDE},
        shipping={"": "Standard", "ONLINE": "Standard", "CLICK_AND_COLLECT": "Collection"},
    )


DEFAULTS: Final = {MAGENTO: magento, MARKETPLACER: marketplacer}
