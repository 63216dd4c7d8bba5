"""Credentials, limits and policies of Emarsys, typed; read from `EMARSYS_<FIELD>` or the `[emarsys]` table.

Belongs here: what a retailer may want otherwise, and what the vendor's pages leave open (each such reading has a
setting of its own). What is fixed by the contract stands beside the code that keeps it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

from stokly_sync.contracts.confirmation import ConfirmedOrders
from stokly_sync.contracts.mapping import CONTACT_SOURCES, ORDER_SOURCES, PRODUCT_SOURCES, Properties, PropertyField
from stokly_sync.flow import Mode

FEEDS = ("products", "contacts", "guests", "orders", "refunds", "credits", "dispatches", "consents")
SALES_COLUMNS: Final = (
    *("item", "price", "c_sales_amount", "order", "timestamp", "date", "customer", "email", "quantity"),
    *("s_currency", "s_channel"),
)
"""Columns of sales data that we can fill, in the vendor's words. Source: Emarsys API contract 2.3."""
_TYPED: Final = {"s_": ("text", "flag"), "i_": ("whole",), "f_": ("number",), "t_": ("date",)}
"""Types of custom columns by the start of their name."""


class EmarsysSettings(BaseModel):
    """Settings of Emarsys; on when `client_id` and `client_secret` are set."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    credentials: ClassVar[tuple[str, ...]] = ("client_id", "client_secret")
    """Fields without which the system stays off."""

    base_url: str = Field("https://api.emarsys.net", description="Address of the Core API, without /api.")
    auth: Literal["oauth2", "wsse"] = Field(
        "oauth2", description="How we sign in: oauth2 (v3) or wsse (v2, until the vendor ends it)."
    )
    token_url: str = Field("https://auth.emarsys.net/oauth2/token", description="Address that gives OAuth2 tokens.")
    client_id: str | None = Field(None, description="OAuth2 client id; with wsse the user name.")
    client_secret: SecretStr | None = Field(None, description="OAuth2 client secret; with wsse the secret.")
    rate_per_minute: float = Field(
        200.0, gt=0, le=1000, description="Calls a minute; the vendor blocks above 1,000 and once promised 200."
    )
    batch: int = Field(1000, ge=1, le=1000, description="Contacts or events in one call; the vendor's limit is 1,000.")
    id_field: str = Field(
        "stokly_customer_id",
        pattern=r"^[a-z][a-z0-9_]{1,59}$",
        description="Custom field with Stokly's customer id; the vendor's support must index it.",
    )
    id_field_indexed: bool = Field(
        True, description="Whether that field is indexed; without, contacts are found by e-mail address alone."
    )
    field_prefix: str = Field(
        "stokly_", pattern=r"^[a-z0-9_]{0,20}$", description="Start of the names of our other custom fields."
    )
    guests: Literal["send", "exclude"] = Field(
        "send", description="Orders of guests: send (a contact is made of their e-mail address) or exclude."
    )
    confirmed: ConfirmedOrders = Field(default_factory=ConfirmedOrders, description="When an order may leave.")
    cancelled_lines: tuple[str, ...] = Field(("cancelled",), description="Line statuses in Stokly that mean not sold.")
    refund_states: tuple[str, ...] = Field(
        ("completed",), description="Refund states that are sent; a refund without one is."
    )
    sales_url: str = Field("https://admin.scarabresearch.com", description="Address of the Sales Data API.")
    sales_token: SecretStr | None = Field(None, description="Token of the sales data page.")
    merchant_id: str | None = Field(None, pattern=r"^[\w.-]{1,100}$", description="Merchant id of the sales data page.")
    order_fields: Properties = Field(
        default_factory=dict, description="Custom columns of sales data, from columns of orders; see sales_columns."
    )
    sales_columns: tuple[str, ...] = Field(
        ("item", "price", "order", "timestamp", "customer", "quantity"),
        description="Columns of sales data in the order agreed when the account was set up.",
    )
    sales_batch: int = Field(
        500, ge=1, le=1000, description="Orders in one upload; one without an answer is parked whole for a person."
    )
    sales_timeout: float = Field(
        60.0, gt=0, description="Seconds to wait for the answer to an upload; without one it is in doubt."
    )
    currency: str = Field("GBP", pattern=r"^[A-Z]{3}$", description="Currency of the account's sales data.")
    other_item: str = Field(
        "", description="Item under which shipping and amounts refunded beside the lines go; empty leaves them out."
    )
    credit_item: str = Field(
        "", description="Item under which credit notes that no refund names go; empty leaves them out by name."
    )
    history_from: datetime | None = Field(
        None,
        description="Orders from this time on (UTC) are sent; without it nothing is, until the account is adopted.",
    )
    catalogue_url: str | None = Field(
        None,
        description="Folder that Emarsys fetches the catalogue from; any fsspec address, such as s3:// or sftp://.",
    )
    catalogue_file: str = Field("catalogue.csv", pattern=r"^[\w.-]+$", description="Name of the file in that folder.")
    product_url: str = Field("", description="Address of a product, with {sku} where its SKU belongs; needed.")
    default_image: str = Field("", description="Picture of products that have none.")
    default_category: str = Field("Other", min_length=1, description="Category of products that have none.")
    contact_fields: Properties = Field(
        default_factory=dict, description="Custom fields of contacts beside our own; those that are missing are made."
    )
    product_fields: Properties = Field(
        default_factory=dict, description="Custom columns of the catalogue; their names start with c_."
    )
    dispatch_event: str = Field(
        "stokly_dispatch", min_length=1, description="External event of the shipped mail: its id, or a name."
    )
    dispatch_days: int = Field(
        7, ge=0, description="Age in days from which a dispatch is not told any more: nobody wants last year's mail."
    )
    tracking_pattern: str = Field(
        r"(?=[^\d]*\d)[A-Za-z0-9-]{6,40}", description="Regular expression that a whole tracking number must match."
    )
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

    @field_validator("base_url", "sales_url", "token_url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if not re.fullmatch(r"https?://[^\s/]+\S*", value):
            raise ValueError("must be an address such as https://api.emarsys.net")
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
        if value and not (re.match(r"https?://", value) and "{sku}" in value):
            raise ValueError("must be an https address with {sku} in it")
        return value

    @field_validator("history_from")
    @classmethod
    def _has_a_zone(cls, value: datetime | None) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value

    @field_validator("sales_columns")
    @classmethod
    def _are_columns(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        known = (*SALES_COLUMNS, *info.data.get("order_fields", {}))
        unknown = [name for name in value if name not in known]
        if unknown:
            raise ValueError(
                f"{unknown[0]!r} cannot be filled; columns are {', '.join(known)}, and any in order_fields"
            )
        for needed in (
            ("item",),
            ("order",),
            ("price", "c_sales_amount"),
            ("timestamp", "date"),
            ("customer", "email"),
        ):
            if sum(name in needed for name in value) != 1:
                raise ValueError(f"must have {' or '.join(needed)} exactly once")
        return value

    @field_validator("contact_fields")
    @classmethod
    def _from_customers(cls, value: dict[str, PropertyField]) -> dict[str, PropertyField]:
        _refuse_names(value, r"[a-z][a-z0-9_]{1,59}", "small letters, digits and _")
        return CONTACT_SOURCES.checked(value)

    @field_validator("product_fields")
    @classmethod
    def _from_items(cls, value: dict[str, PropertyField]) -> dict[str, PropertyField]:
        _refuse_names(value, r"c_[a-z0-9_]{1,50}", "c_, then small letters, digits and _")
        return PRODUCT_SOURCES.checked(value)

    @field_validator("order_fields")
    @classmethod
    def _from_orders(cls, value: dict[str, PropertyField]) -> dict[str, PropertyField]:
        _refuse_names(value, r"[sift]_[a-z0-9_]{1,50}", "s_, i_, f_ or t_, then small letters, digits and _")
        for name, field in value.items():
            if field.type not in _TYPED[name[:2]]:
                raise ValueError(f"{name} must be of type {' or '.join(_TYPED[name[:2]])}")
        return ORDER_SOURCES.checked(value)

    @field_validator("modes")
    @classmethod
    def _are_feeds(cls, value: dict[str, Mode]) -> dict[str, Mode]:
        unknown = sorted(set(value) - set(FEEDS))
        if unknown:
            raise ValueError(f"there is no feed {unknown[0]!r}; feeds are {', '.join(FEEDS)}")
        return value


def _refuse_names(mapping: dict[str, PropertyField], pattern: str, words: str) -> None:
    wrong = [name for name in mapping if not re.fullmatch(pattern, name)]
    if wrong:
        raise ValueError(f"{wrong[0]!r} is no name here: {words}")
