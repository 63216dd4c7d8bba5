"""Credentials, limits and policies of Magento, typed; read from `MAGENTO_<FIELD>` or the `[magento]` table.

Belongs here: what a retailer may want otherwise, and what the contract page leaves open (each such reading has a
setting of its own). What is fixed by the contract stands beside the code that keeps it.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

from stokly_sync.flow import Mode

FEEDS: Final = ("products", "stock", "shipments", "refunds")
ALL_LOCATIONS: Final = "*"
"""Stands for the total over all of Stokly's locations."""
_SIGNED: Final = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
_CUSTOM: Final = ("royal mail", "parcelforce", "dpd", "evri", "hermes", "yodel", "amazon", "tnt", "gls", "an post")


class Source(BaseModel):
    """The Magento source that a Stokly location fills."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str = Field(min_length=1, description="Code of the source in Magento.")
    share: Decimal = Field(Decimal(1), gt=0, le=1, description="Part of the location's stock that Magento may sell.")


class Carrier(BaseModel):
    """A carrier as Magento's tracking knows it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str = Field(min_length=1, description="Carrier code in Magento.")
    title: str = Field("", description="Name that the customer reads; the courier's name in Stokly where empty.")


_CARRIERS: Final = {
    **{name: Carrier(code=name) for name in ("dhl", "ups", "fedex", "usps")},
    **{name: Carrier(code="custom") for name in _CUSTOM},
}


class MagentoSettings(BaseModel):
    """Settings of Magento; on when the base URL and the four credentials of an integration, or a token, are set."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    credentials: ClassVar[tuple[str, ...]] = ("base_url", *_SIGNED)
    """Fields without which the system stays off, unless there is a bearer token."""

    base_url: str | None = Field(None, description="Address of the shop, without /rest.")
    consumer_key: str | None = Field(None, description="Consumer key of the integration.")
    consumer_secret: SecretStr | None = Field(None, description="Consumer secret of the integration.")
    access_token: SecretStr | None = Field(None, description="Access token of the integration.")
    access_token_secret: SecretStr | None = Field(None, description="Secret of the access token.")
    bearer_token: SecretStr | None = Field(
        None, description="Access token used alone, where the shop has switched that on; wins over the four above."
    )
    rate_per_minute: float = Field(
        600.0, gt=0, description="Calls a minute over all processes; Magento has no limit, what stands before it has."
    )
    burst: int = Field(20, ge=1, le=200, description="Calls that may follow each other at once.")
    concurrency: int = Field(2, ge=1, le=8, description="Calls in flight at once.")
    verify_tls: bool = Field(True, description="Check the server's certificate; off only against a test server.")
    order_page: int = Field(100, ge=1, le=1000, description="Orders, shipments or credit memos in a page.")
    product_page: int = Field(300, ge=1, le=10_000, description="Products or source items in a page.")
    overlap: float = Field(300, ge=0, description="Seconds read again before a window.")
    product_batch: int = Field(
        1,
        ge=1,
        le=1000,
        description="Products in one call; more than 1 goes by the shop's queue, whose consumer must be running.",
    )
    stock_batch: int = Field(100, ge=1, le=2000, description="SKUs in one call that writes stock.")
    modes: dict[str, Mode] = Field(
        default_factory=dict, description="Mode by feed: write, observe or off; write unless said otherwise."
    )

    channels: tuple[str, ...] = Field(
        (), description="Ids of the Stokly channels that are this shop; none for all of its source types."
    )
    source_types: tuple[str, ...] = Field(
        ("magento_two", "magento"), min_length=1, description="Source types in Stokly of orders from Magento."
    )
    expected_tags: tuple[str, ...] = Field(
        (), description="Tags of items that are sold in Magento; without any, all items are."
    )
    product_fields: tuple[Literal["name", "price", "status"], ...] = Field(
        ("name", "price", "status"), min_length=1, description="What of a product Stokly is the master of."
    )
    create_products: bool = Field(False, description="Create products that Magento does not have.")
    attribute_set: int = Field(4, ge=1, description="Attribute set of products that are created; 4 is Default.")
    website_ids: tuple[int, ...] = Field((1,), description="Websites of products that are created.")
    prices_with_tax: bool = Field(False, description="Whether the shop's catalogue prices include tax.")
    tax_rates: dict[str, Decimal] = Field(
        default_factory=dict, description="Tax in per cent by tax class of Stokly; * for items of any other."
    )

    buffer: int = Field(0, ge=0, description="Units of each SKU that Magento never gets.")
    brand_buffers: dict[str, int] = Field(default_factory=dict, description="The same by manufacturer.")
    sku_buffers: dict[str, int] = Field(default_factory=dict, description="The same by SKU; the closest one counts.")
    order_import: bool = Field(
        True, description="Whether Magento's orders reach Stokly, by this product or by Stokly itself."
    )
    import_minutes: float = Field(
        30, gt=0, description="Age in minutes from which an order that Stokly does not have counts as late."
    )
    stock_without_orders: Literal["hold", "buffer"] = Field(
        "hold", description="Stock of a SKU whose orders are late or not imported: hold it, or take late_buffer off."
    )
    late_buffer: int = Field(5, ge=0, description="Units taken off then, beside those sold and not yet imported.")
    out_of_stock_at_zero: bool = Field(True, description="Whether a source without units is told as out of stock.")

    carriers: dict[str, Carrier] = Field(
        default_factory=dict, description="Carrier in Magento by courier in Stokly, in any case; over the known ones."
    )
    unmapped_carrier: Literal["raise", "custom"] = Field(
        "raise", description="Couriers without a carrier: raise an exception, or send them as custom."
    )
    dispatch_without_lines: Literal["raise", "whole"] = Field(
        "raise", description="A dispatch that does not say what it holds: raise it, or take it as all of its order."
    )
    notify_customer: bool = Field(False, description="Whether Magento writes to the customer on shipment and refund.")
    tracking_pattern: str = Field(
        r"(?=[^\d]*\d)[A-Za-z0-9-]{6,40}", description="Regular expression that a whole tracking number must match."
    )
    refunds: Literal["create", "raise"] = Field(
        "raise", description="A refund of Stokly that Magento does not have: create its credit memo, or raise it."
    )
    refund_shipping: Literal["net", "gross"] = Field(
        "net", description="How the shop reads shipping in a refund; see its tax display settings."
    )
    refund_states: tuple[str, ...] = Field(
        ("completed",), description="Refund states in Stokly that count; a refund without one does."
    )
    locations: dict[str, Source] = Field(
        default_factory=dict,
        validate_default=True,
        description="Source in Magento by Stokly location id (or * for the total of all); needed for stock.",
    )

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the credentials that are not set; none of the four are needed beside a bearer token."""
        needed = ("base_url",) if self.bearer_token is not None else self.credentials
        return tuple(name for name in needed if getattr(self, name) is None)

    @property
    def configured(self) -> bool:
        """Whether the system is on."""
        return not self.missing

    @property
    def sources(self) -> tuple[str, ...]:
        """Codes of the sources that stock is pushed to, in the order of the settings."""
        return tuple(dict.fromkeys(place.source for place in self.locations.values()))

    def carrier(self, courier: str) -> Carrier | None:
        """The carrier of a courier of Stokly, None where it is not mapped; its title is never empty."""
        own = {name.casefold(): carrier for name, carrier in self.carriers.items()}
        found = own.get(courier.casefold()) or _CARRIERS.get(courier.casefold())
        if found is None and self.unmapped_carrier == "custom":
            found = Carrier(code="custom")
        return None if found is None else Carrier(code=found.code, title=found.title or courier)

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not re.fullmatch(r"https?://[^\s/?#]+[^\s?#]*", value):
            raise ValueError("must be an address such as https://shop.example.com")
        return re.sub(r"/rest(/.*)?$", "", value.rstrip("/"))

    @field_validator("tracking_pattern")
    @classmethod
    def _is_an_expression(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from error
        return value

    @field_validator("modes")
    @classmethod
    def _are_feeds(cls, value: dict[str, Mode]) -> dict[str, Mode]:
        unknown = sorted(set(value) - set(FEEDS))
        if unknown:
            raise ValueError(f"there is no feed {unknown[0]!r}; feeds are {', '.join(FEEDS)}")
        return value

    @field_validator("locations", mode="before")
    @classmethod
    def _may_be_codes(cls, value: Any) -> Any:
        """A source's code alone stands for all of the location's stock."""
        return (
            {k: {"source": v} if isinstance(v, str) else v for k, v in value.items()} if type(value) is dict else value
        )

    @field_validator("locations")
    @classmethod
    def _needed_for_stock(cls, value: dict[str, Source], info: ValidationInfo) -> dict[str, Source]:
        known = info.data
        signed = all(known.get(name) is not None for name in _SIGNED)
        on = known.get("base_url") is not None and (signed or known.get("bearer_token") is not None)
        if on and not value and known.get("modes", {}).get("stock") is not Mode.OFF:
            raise ValueError(
                "no location of Stokly is mapped to a source of Magento, so stock has nowhere to go. Map at least one, "
                'for example {"<location id>": "default"} (* for the total of all), or set the mode of stock to off'
            )
        if ALL_LOCATIONS in value and len(value) > 1:
            raise ValueError("* is the total of all locations; it cannot stand beside single ones")
        return value
