"""Credentials, limits and policies of Stokly, typed; read from `STOKLY_<FIELD>` or the `[stokly]` table.

Belongs here: what a retailer may want otherwise, and one switch for each thing about the API that is not proven
(`auto` finds out by asking). What the switches mean on the wire stands in `unverified`.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

from stokly_sync.contracts.channels import MAGENTO, MARKETPLACER
from stokly_sync.flow import Mode
from stokly_sync.systems.stokly.channel_settings import DEFAULTS, KINDS, ChannelSettings

FEEDS: Final = tuple(f"{channel}_{kind}" for channel in DEFAULTS for kind in KINDS)
Offered = Literal["auto", "yes", "no"]


class StoklySettings(BaseModel):
    """Settings of one Stokly account; on when all three credentials are set."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    credentials: ClassVar[tuple[str, ...]] = ("account_key", "client_id", "client_secret")
    """Fields without which the system stays off."""

    base_url: str = Field("https://api.stok.ly", description="Base address of the API, without a path.")
    account_key: str | None = Field(None, description="The account's key, as it stands in its web address.")
    client_id: str | None = Field(None, description="Id of the API client, from Stokly.")
    client_secret: SecretStr | None = Field(None, description="Secret of the API client; it signs and never travels.")

    rate_per_minute: int = Field(120, ge=1, le=600_000, description="Calls a minute over all processes of the account.")
    burst: int = Field(10, ge=1, le=100, description="Calls that may follow each other at once.")
    concurrency: int = Field(2, ge=1, le=8, description="Calls in flight at once; 1 to 3 is what is known to be well.")
    page_size: int = Field(1000, ge=1, le=1000, description="Rows asked for in a page.")
    chunk: int = Field(250, ge=1, le=1000, description="Records handed on at once when each needs calls of its own.")
    paging_passes: int = Field(4, ge=1, le=20, description="Passes over a list that shifts before it is given up.")
    token_early: float = Field(120, ge=0, le=1800, description="Seconds before its expiry that a token is renewed.")
    verify_tls: bool = Field(True, description="Check the server's certificate; off only against a test server.")

    overlap: float = Field(300, ge=0, description="Seconds read again before a window that is found by update time.")
    creation_overlap: float = Field(
        3600, ge=0, description="Seconds read again before a window that can only be found by creation time."
    )
    open_orders_share: float = Field(
        0.25,
        ge=0,
        le=1,
        description="Share of a window's calls spent on re-reading open orders, where changes cannot be asked for.",
    )
    service_types: tuple[str, ...] = Field(
        ("service", "services", "delivery"), description="Item types that hold no stock, in any case."
    )
    live_customer_status: int = Field(1, description="Value of a customer's status that means live.")
    item_images: bool = Field(True, description="Read images: one call for each changed item that has any.")
    item_details: bool = Field(
        False, description="Read each changed item's own page for description and manufacturer: one call an item."
    )
    item_families: bool = Field(True, description="Read the variants of variable items: one call for each of them.")
    stock_locations: bool = Field(True, description="Read stock by location beside the totals.")
    dropped_members: tuple[str, ...] = Field((), description="Members never kept beside the known ones.")

    consent_members: dict[str, str] = Field(
        default_factory=dict,
        description="Member of a customer that holds the choice for a channel (email, sms); none is proven to exist.",
    )

    orders_update_filter: Offered = Field("auto", description="Whether orders can be filtered by updatedAt.")
    customers_update_filter: Offered = Field("auto", description="Whether customers can be filtered by updatedAt.")
    invoices_update_filter: Offered = Field("auto", description="Whether invoices can be filtered by updatedAt.")
    line_amounts: Literal["auto", "unit", "line"] = Field(
        "auto", description="Whether a line's price is a unit's or the line's; auto compares with the order's total."
    )
    order_lines: Literal["auto", "embedded", "sub_resource"] = Field(
        "auto", description="Where an order's lines are: in its row, or in a list of their own."
    )
    magento: ChannelSettings = Field(
        default_factory=DEFAULTS[MAGENTO], description="How orders of Magento become orders in Stokly."
    )
    marketplacer: ChannelSettings = Field(
        default_factory=DEFAULTS[MARKETPLACER], description="How orders of Marketplacer become orders in Stokly."
    )
    modes: dict[str, Mode] = Field(
        default_factory=dict, description="Mode by feed: write, observe or off; write unless said otherwise."
    )
    write_batch: int = Field(
        100, ge=1, le=200, description="Records that are looked up in one call before they are written one by one."
    )
    visible_after: float = Field(
        60, ge=0, le=600, description="Seconds that Stokly may take until a record that it took can be found."
    )
    cancel_orders: Literal["patch", "delete", "post"] = Field(
        "patch", description="How an order is cancelled: its stage patched, deleted, or posted to cancellations."
    )
    credit_by: Literal["auto", "refund", "credit_note"] = Field(
        "auto", description="How a refund is made: on its order, or as a credit note; auto takes what is offered."
    )
    invoice_shipping: bool = Field(True, description="Whether shipping is an item of the invoices that we make.")
    not_offered: tuple[str, ...] = Field((), description="Datasets that the account is known not to have.")
    paths: dict[str, str] = Field(
        default_factory=dict, description="Other paths of unproven resources by name, such as refunds."
    )

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the credentials that are not set."""
        return tuple(name for name in self.credentials if not getattr(self, name))

    @property
    def configured(self) -> bool:
        """True when there is enough to ask for a token."""
        return not self.missing

    def channel(self, name: str) -> ChannelSettings:
        """The settings of a channel by the name that its datasets begin with."""
        found: ChannelSettings = getattr(self, name)
        return found

    @field_validator("magento", "marketplacer", mode="before")
    @classmethod
    def _over_the_defaults(cls, value: Any, info: ValidationInfo) -> Any:
        """What is not said of a channel stays as it comes; words are added to those that are known."""
        if type(value) is not dict or info.field_name is None:
            return value
        known = DEFAULTS[info.field_name]().model_dump()
        for name, said in value.items():
            known[name] = {**known[name], **said} if type(said) is dict and isinstance(known.get(name), dict) else said
        return known

    @field_validator("modes")
    @classmethod
    def _are_feeds(cls, value: dict[str, Mode]) -> dict[str, Mode]:
        unknown = sorted(set(value) - set(FEEDS))
        if unknown:
            raise ValueError(f"there is no feed {unknown[0]!r}; feeds are {', '.join(FEEDS)}")
        return value

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if not re.fullmatch(r"https?://[^\s/]+\S*", value):
            raise ValueError("must be an address such as https://api.stok.ly")
        return value.rstrip("/")
