"""Credentials, limits and policies of Ometria, typed; read from `OMETRIA_<FIELD>` or the `[ometria]` table.

Belongs here: what a retailer may want otherwise, and what the vendor's pages leave open (each such reading has a
setting of its own). What is fixed by the contract stands beside the code that keeps it.
"""

from __future__ import annotations

import re
from typing import ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from stokly_sync.contracts.confirmation import ConfirmedOrders
from stokly_sync.contracts.mapping import (
    CONTACT_SOURCES,
    ORDER_SOURCES,
    PRODUCT_SOURCES,
    Properties,
    PropertyField,
    Sources,
)
from stokly_sync.flow import Mode

FEEDS = ("contacts", "products", "stock", "orders", "dispatches", "consents")


MOST_PROPERTIES: Final = 100
"""Custom fields that the vendor keeps for one type of record."""


class OrderStatus(BaseModel):
    """What an order's status is called in Ometria, where the text is free."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    open: str = Field("pending", description="Confirmed, not yet sent in full.")
    complete: str = Field("complete", description="Every line has left, been collected or come back.")
    cancelled: str = Field("cancelled", description="Removed in Stokly, or every line cancelled.")
    refunded: str = Field("refunded", description="Refunded in full.")
    partly_refunded: str = Field("partial_refund", description="Refunded in part.")
    done_lines: tuple[str, ...] = Field(
        ("dispatched", "collected", "returned"), description="Line statuses in Stokly that need nothing more."
    )
    cancelled_lines: tuple[str, ...] = Field(("cancelled",), description="Line statuses in Stokly that mean cancelled.")


class OmetriaSettings(BaseModel):
    """Settings of Ometria; on when `api_key` is set."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    credentials: ClassVar[tuple[str, ...]] = ("api_key",)
    """Fields without which the system stays off."""

    base_url: str = Field("https://api.ometria.com/v2", description="Address of the Data API, with its version.")
    api_key: SecretStr | None = Field(None, description="API key with rights to push and to read.")
    collection: str = Field(
        "stokly", pattern=r"^[\w.:-]{1,60}$", description="Collection of our contacts; one for each source of contacts."
    )
    rate: float = Field(
        4.0, gt=0, description="Calls a second that the account may make (4 unless the plan says more)."
    )
    concurrency: int = Field(2, ge=1, le=16, description="Pushes in flight at once.")
    batch: int = Field(100, ge=1, le=100, description="Records in one push; the vendor's limit is 100.")
    queue_drain_wait: float = Field(
        30.0,
        ge=0,
        description="Seconds after which pushed records count as processed where no queue header tells.",
    )
    queue_low_share: float = Field(
        0.1, ge=0, lt=1, description="Share of the vendor's queue below which bulk loads wait; interval loads at half."
    )
    queue_low_wait: float = Field(5.0, ge=0, description="Seconds to wait each time the queue is nearly full.")
    guests: Literal["send", "exclude"] = Field("send", description="Orders of guests: send (by e-mail) or leave out.")
    confirmed: ConfirmedOrders = Field(default_factory=ConfirmedOrders, description="When an order may leave.")
    order_status: OrderStatus = Field(default_factory=OrderStatus, description="Names of order statuses in Ometria.")
    refund_states: tuple[str, ...] = Field(
        ("completed",), description="Refund states that lower an order; a refund without one counts."
    )
    discount_sign: Literal["positive", "negative"] = Field(
        "positive", description="Sign of discounts, which the vendor does not document."
    )
    tracking_pattern: str = Field(
        r"(?=[^\d]*\d)[A-Za-z0-9-]{6,40}", description="Regular expression that a whole tracking number must match."
    )
    base_currency: str = Field("GBP", pattern=r"^[A-Z]{3}$", description="Reporting currency of the Ometria account.")
    price_includes_vat: bool = Field(False, description="Send product prices with VAT; needs tax_rates.")
    tax_rates: dict[str, str] = Field(
        default_factory=dict, description="VAT rate in per cent by tax class id; an item without one is sent net."
    )
    default_store: str = Field("default", description="Store of product listings and of orders without a channel.")
    stores: dict[str, str] = Field(default_factory=dict, description="Store in Ometria by channel name in Stokly.")
    brand_attribute: bool = Field(True, description="Send the manufacturer as the attribute brand.")
    category_attribute: bool = Field(True, description="Send the item type as the attribute category.")
    attributes: tuple[str, ...] = Field((), description="Stokly attributes that are sent as product attributes.")
    contact_properties: Properties = Field(default_factory=dict, description="Custom fields of contacts.")
    product_properties: Properties = Field(default_factory=dict, description="Custom fields of products.")
    order_properties: Properties = Field(default_factory=dict, description="Custom fields of orders.")
    force_optin: bool = Field(
        False, description="Send opt-ins so that they win over an earlier opt-out; Ometria ignores them otherwise."
    )
    read_page: int = Field(250, ge=1, le=250, description="Records in one page of a read-back; at most 250.")
    read_calls: int = Field(
        2000, ge=1, description="Calls that one read-back may make; one that needs more fails and says so."
    )
    verify_calls: int = Field(
        50, ge=0, description="Calls to check single records by reading when error reports may have been lost."
    )
    modes: dict[str, Mode] = Field(
        default_factory=dict, description="Mode by feed: write, observe or off; write unless said otherwise."
    )

    @property
    def configured(self) -> bool:
        """Whether the system is on."""
        return self.api_key is not None

    @property
    def missing(self) -> tuple[str, ...]:
        """Fields without which the system stays off."""
        return () if self.configured else self.credentials

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if not re.fullmatch(r"https?://[^\s/]+\S*", value):
            raise ValueError("must be an address such as https://api.ometria.com/v2")
        return value.rstrip("/")

    @field_validator("tracking_pattern")
    @classmethod
    def _is_an_expression(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from error
        return value

    @field_validator("tax_rates")
    @classmethod
    def _are_rates(cls, value: dict[str, str]) -> dict[str, str]:
        wrong = [rate for rate in value.values() if not re.fullmatch(r"\d{1,2}(\.\d{1,4})?", rate)]
        if wrong:
            raise ValueError(f'{wrong[0]!r} is no rate in per cent; write it as text, such as "20"')
        return value

    @field_validator("modes")
    @classmethod
    def _are_feeds(cls, value: dict[str, Mode]) -> dict[str, Mode]:
        unknown = sorted(set(value) - set(FEEDS))
        if unknown:
            raise ValueError(f"there is no feed {unknown[0]!r}; feeds are {', '.join(FEEDS)}")
        return value

    @field_validator("contact_properties")
    @classmethod
    def _from_customers(cls, value: dict[str, PropertyField]) -> dict[str, PropertyField]:
        return _checked(CONTACT_SOURCES, value)

    @field_validator("product_properties")
    @classmethod
    def _from_items(cls, value: dict[str, PropertyField]) -> dict[str, PropertyField]:
        return _checked(PRODUCT_SOURCES, value)

    @field_validator("order_properties")
    @classmethod
    def _from_orders(cls, value: dict[str, PropertyField]) -> dict[str, PropertyField]:
        return _checked(ORDER_SOURCES, value)


def _checked(sources: Sources, mapping: dict[str, PropertyField]) -> dict[str, PropertyField]:
    if len(mapping) > MOST_PROPERTIES:
        raise ValueError(f"{len(mapping)} fields; Ometria keeps at most {MOST_PROPERTIES} for a type of record")
    return sources.checked(mapping)
