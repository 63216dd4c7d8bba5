"""Credentials, limits and policies of Dotdigital, typed; read from `DOTDIGITAL_<FIELD>` or the `[dotdigital]` table.

Belongs here: what a retailer may want otherwise, and what the vendor's pages leave open (each such reading has a
setting of its own). What is fixed by the contract stands beside the code that keeps it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from stokly_sync.contracts.confirmation import ConfirmedOrders
from stokly_sync.contracts.mapping import CONTACT_SOURCES, ORDER_SOURCES, PRODUCT_SOURCES, Properties, PropertyField
from stokly_sync.flow import Mode

_DATA_FIELD: Final = re.compile(r"[A-Za-z0-9_-]{1,20}")
_MEMBER: Final = re.compile(r"[A-Za-z0-9_-]{1,255}")

FEEDS = ("products", "contacts", "guests", "orders", "dispatches", "consents")


class OrderStatus(BaseModel):
    """What an order's status is called in Dotdigital, where the text is free."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    open: str = Field("processing", description="Confirmed, not yet sent in full.")
    complete: str = Field("complete", description="Every line has left, been collected or come back.")
    cancelled: str = Field("cancelled", description="Removed in Stokly, or every line cancelled.")
    refunded: str = Field("refunded", description="Refunded in full.")
    partly_refunded: str = Field("partially_refunded", description="Refunded in part.")
    done_lines: tuple[str, ...] = Field(
        ("dispatched", "collected", "returned"), description="Line statuses in Stokly that need nothing more."
    )
    cancelled_lines: tuple[str, ...] = Field(("cancelled",), description="Line statuses in Stokly that mean cancelled.")


class DotdigitalSettings(BaseModel):
    """Settings of Dotdigital; on when `username` and `password` are set."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    credentials: ClassVar[tuple[str, ...]] = ("username", "password")
    """Fields without which the system stays off."""

    base_url: str = Field(
        "https://r1-api.dotdigital.com", description="Address that is asked for the account's own; rarely another."
    )
    username: str | None = Field(None, description="User name of the API user.")
    password: SecretStr | None = Field(None, description="Password of the API user.")
    rate: float = Field(2.0, gt=0, description="Calls a second, polling included.")
    batch: int = Field(2000, ge=1, le=5000, description="Records in one import.")
    batch_bytes: int = Field(
        20_000_000, ge=1000, le=48_000_000, description="Bytes in one import; the vendor's limit is 50 MB."
    )
    contact_imports: int = Field(4, ge=1, le=25, description="Contact imports under way at once; at most 25.")
    insight_imports: int = Field(3, ge=1, le=5, description="Order and catalogue imports under way at once; at most 5.")
    poll_seconds: float = Field(5.0, gt=0, description="Seconds between two questions how an import stands.")
    import_wait: float = Field(
        900.0, gt=0, description="Seconds that a run waits for one import; a later run asks again."
    )
    identifier: str = Field(
        "stokly-id", pattern=r"^[-A-Za-z0-9_]{1,50}$", description="Custom identifier that holds Stokly's customer id."
    )
    contact_list: str = Field("Stokly", max_length=128, description="List that contacts are put on; empty for none.")
    field_prefix: str = Field(
        "STOKLY_", pattern=r"^[A-Za-z0-9_]{0,8}$", description="Start of the names of our data fields."
    )
    new_contact_status: Literal["unsubscribed", "subscribed"] = Field(
        "unsubscribed",
        description="E-mail status of contacts that are new to Dotdigital; subscribed only where everybody agreed.",
    )
    look_ups: int = Field(
        20, ge=0, le=500, description="Contacts in an import up to which each is looked up; above, all are listed."
    )
    guests: Literal["merge", "exclude"] = Field(
        "merge", description="Orders of guests: merge (into the contact of their e-mail address) or exclude."
    )
    confirmed: ConfirmedOrders = Field(default_factory=ConfirmedOrders, description="When an order may leave.")
    order_status: OrderStatus = Field(default_factory=OrderStatus, description="Names of order statuses in Dotdigital.")
    refund_states: tuple[str, ...] = Field(
        ("completed",), description="Refund states that lower an order; a refund without one counts."
    )
    orders_collection: str = Field(
        "Orders", pattern=r"^[-A-Za-z_][-A-Za-z0-9_]{1,255}$", description="Insight data collection of orders."
    )
    catalogue_collection: str = Field(
        "catalog_stokly",
        pattern=r"^[Cc]atalog_[-A-Za-z0-9_]{1,247}$",
        description="Insight data collection of products; its name starts with catalog_.",
    )
    product_url: str = Field("", description="Address of a product, with {sku} where its SKU belongs; empty for none.")
    default_store: str = Field("default", description="Store of orders without a channel.")
    stores: dict[str, str] = Field(default_factory=dict, description="Store in Dotdigital by channel name in Stokly.")
    event_type: str = Field("stokly-dispatch", min_length=1, max_length=80, description="Type of dispatch events.")
    tracking_pattern: str = Field(
        r"(?=[^\d]*\d)[A-Za-z0-9-]{6,40}", description="Regular expression that a whole tracking number must match."
    )
    contact_fields: Properties = Field(
        default_factory=dict,
        description="Data fields of contacts beside our own; those that are missing are made.",
    )
    order_fields: Properties = Field(default_factory=dict, description="Members of an order's custom object.")
    product_fields: Properties = Field(default_factory=dict, description="Members of a product's attributes object.")
    read_page: int = Field(5000, ge=1, le=5000, description="Records in one page of a read-back; at most 5000.")
    read_calls: int = Field(
        2000, ge=1, description="Calls that one read-back may make; one that needs more fails and says so."
    )
    modes: dict[str, Mode] = Field(
        default_factory=dict, description="Mode by feed: write, observe or off; write unless said otherwise."
    )

    @property
    def configured(self) -> bool:
        """Whether the system is on."""
        return not self.missing

    @property
    def missing(self) -> tuple[str, ...]:
        """Fields without which the system stays off."""
        return tuple(name for name in self.credentials if getattr(self, name) is None)

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if not re.fullmatch(r"https?://[^\s/]+\S*", value):
            raise ValueError("must be an address such as https://r1-api.dotdigital.com")
        return value.rstrip("/")

    @field_validator("tracking_pattern")
    @classmethod
    def _is_an_expression(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from error
        return value

    @field_validator("product_url")
    @classmethod
    def _has_a_place(cls, value: str) -> str:
        if value and not (value.startswith("https://") and "{sku}" in value):
            raise ValueError("must be an https address with {sku} in it")
        return value

    @field_validator("contact_fields")
    @classmethod
    def _from_customers(cls, value: dict[str, PropertyField]) -> dict[str, PropertyField]:
        _refuse_names(value, _DATA_FIELD, "letters, digits, _ and -, at most 20 characters")
        return CONTACT_SOURCES.checked(value)

    @field_validator("order_fields")
    @classmethod
    def _from_orders(cls, value: dict[str, PropertyField]) -> dict[str, PropertyField]:
        _refuse_names(value, _MEMBER, "letters, digits, _ and -")
        return ORDER_SOURCES.checked(value)

    @field_validator("product_fields")
    @classmethod
    def _from_items(cls, value: dict[str, PropertyField]) -> dict[str, PropertyField]:
        _refuse_names(value, _MEMBER, "letters, digits, _ and -")
        return PRODUCT_SOURCES.checked(value)

    @field_validator("modes")
    @classmethod
    def _are_feeds(cls, value: dict[str, Mode]) -> dict[str, Mode]:
        unknown = sorted(set(value) - set(FEEDS))
        if unknown:
            raise ValueError(f"there is no feed {unknown[0]!r}; feeds are {', '.join(FEEDS)}")
        return value


def _refuse_names(names: Iterable[str], allowed: re.Pattern[str], words: str) -> None:
    """Source: Dotdigital API contract 2 (data fields), 3 (key rules)."""
    wrong = next((name for name in names if not allowed.fullmatch(name)), None)
    if wrong is not None:
        raise ValueError(f"{wrong!r} is no name of a field in Dotdigital: {words}")
