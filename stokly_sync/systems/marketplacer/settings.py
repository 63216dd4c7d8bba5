"""Credentials, limits and policies of Marketplacer, typed; read from `MARKETPLACER_<FIELD>` or `[marketplacer]`.

Belongs here: what a seller or an operator may want otherwise, and names that the vendor's pages leave open. How the
names are found out without being told stands in `unverified`.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SecretStr, ValidationInfo, field_validator

from stokly_sync.contracts.journals import ROLES
from stokly_sync.flow import Mode
from stokly_sync.systems.marketplacer.unverified import CANDIDATES

FEEDS: Final = ("products", "stock", "shipments", "refunds")


class MarketplacerSettings(BaseModel):
    """Settings of one Marketplacer instance; on when `url` and `api_key` are set."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    credentials: ClassVar[tuple[str, ...]] = ("url", "api_key")
    """Fields without which the system stays off."""

    url: str | None = Field(None, description="Address of the marketplace, without /graphql.")
    api_key: SecretStr | None = Field(None, description="Key from the portal: an operator's or a seller's.")
    basic_user: str | None = Field(None, description="User of HTTP Basic, where the site stands behind it.")
    basic_password: SecretStr | None = Field(None, validate_default=True, description="Password of HTTP Basic.")
    role: Literal["auto", "operator", "seller"] = Field("auto", description="Whose key it is; auto asks the server.")
    seller_id: str | None = Field(None, description="Seller whose part is taken, with an operator's key; all without.")
    verify_tls: bool = Field(True, description="Check the server's certificate; off only against a test server.")

    rate: float = Field(50.0, gt=0, le=75, description="Calls a second; the vendor allows 750 in ten for a key.")
    burst: int = Field(25, ge=1, le=500, description="Calls that may follow each other at once.")
    concurrency: int = Field(2, ge=1, le=8, description="Calls in flight at once.")
    page_size: int = Field(
        250, ge=1, le=500, description="Records asked for in a page; the vendor advises 500 at most."
    )
    aliases: int = Field(25, ge=1, le=100, description="Changes in one request.")
    overlap: float = Field(300, ge=0, description="Seconds read again before a window.")
    read_calls: int = Field(4000, ge=1, description="Calls that one read may make; one that needs more fails.")
    members: dict[str, str] = Field(
        default_factory=dict,
        description="Names of members that the vendor's pages leave open, such as line_cost; found out where not set.",
    )

    currency: str = Field("GBP", pattern=r"^[A-Z]{3}$", description="The one currency of the instance, ISO 4217.")
    country: str | None = Field(
        "GB", pattern=r"^[A-Z]{2}$", description="Country of addresses, which the marketplace does not name."
    )
    amounts: Literal["gross", "net"] = Field("gross", description="Whether order lines are given with tax or without.")
    tax_rate: Decimal | None = Field(
        None, ge=0, lt=100, description="Per cent of tax in order lines where the marketplace does not say the tax."
    )
    price_tax_rate: Decimal = Field(
        Decimal(0), ge=0, lt=100, description="Per cent added to Stokly's net prices for the marketplace."
    )
    price_tax_rates: dict[str, Decimal] = Field(
        default_factory=dict, description="The same by tax class id in Stokly, for those that differ."
    )
    channels: tuple[str, ...] = Field(
        (),
        description="Id, name or source type in Stokly of this marketplace's orders; without, the reference decides.",
    )
    only_tags: tuple[str, ...] = Field(
        (), description="Tags of which an item must have one to be offered; all without."
    )
    brand_id: str | None = Field(None, description="Brand of created products, where its name is not the maker's.")
    taxon_id: str | None = Field(None, description="Taxon (category) of created products.")
    taxons: dict[str, str] = Field(
        default_factory=dict, description="Taxon by Stokly's item type, for those that differ."
    )
    advert_upsert: bool = Field(False, description="Create what the marketplace lacks; needs a brand and a taxon.")

    locations: tuple[str, ...] = Field((), description="Stokly locations whose stock is offered; the total without.")
    buffer: int = Field(0, ge=0, description="Units of each SKU that are kept back from the marketplace.")
    buffers: dict[str, int] = Field(default_factory=dict, description="Units kept back by SKU, for those that differ.")
    brand_buffers: dict[str, int] = Field(default_factory=dict, description="Units kept back by manufacturer.")
    orders_imported: bool = Field(True, description="Whether orders of the marketplace get into Stokly at all.")
    orders_late: float = Field(
        60, gt=0, description="Minutes after which an order that is not in Stokly makes the stock of its SKUs doubtful."
    )
    stock_when_late: Literal["hold", "buffer"] = Field(
        "hold", description="What then becomes of the stock: it is held back, or a larger buffer applies."
    )
    late_buffer: int = Field(5, ge=0, description="Units kept back in addition while orders are late.")

    carriers: dict[str, str] = Field(
        default_factory=dict, description="Carrier of the marketplace, by name or id, for each courier in Stokly."
    )
    default_carrier: str | None = Field(None, description="Carrier of couriers that are not in the list.")
    untracked: Literal["hold", "number"] = Field(
        "hold", description="Parcels without tracking: held back, or sent with the dispatch's number."
    )

    refunds: Literal["create", "raise"] = Field(
        "raise", description="Refunds made in Stokly: create a refund request, or raise an exception."
    )
    refunds_pay: bool = Field(False, description="Pay refund requests out as well; with an operator's key only.")
    refund_states: tuple[str, ...] = Field(
        ("completed",), description="Refund states in Stokly that count; a refund without one does."
    )

    accounts: dict[str, str] = Field(
        default_factory=dict,
        description="Accounts of journals by role: sales, refunds, commission, payout; *_tax and adjustments as well.",
    )
    journal_tax: str | None = Field(
        None, description="Tax of journal lines as the accounting package names it; No VAT in Xero, T9 in Sage."
    )
    modes: dict[str, Mode] = Field(
        default_factory=dict, description="Mode by feed: write, observe or off; write unless said otherwise."
    )

    _asked: dict[str, Any] = PrivateAttr(default_factory=dict)

    @property
    def asked(self) -> dict[str, Any]:
        """What the instance was asked about itself, kept for all clients of a process: it stays what it is."""
        return self._asked

    @property
    def configured(self) -> bool:
        """Whether the system is on."""
        return not self.missing

    @property
    def missing(self) -> tuple[str, ...]:
        """Fields without which the system stays off."""
        return tuple(name for name in self.credentials if getattr(self, name) is None)

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not re.fullmatch(r"https?://[^\s/]+\S*", value):
            raise ValueError("must be an address such as https://shop.marketplacer.com")
        return value.rstrip("/").removesuffix("/graphql")

    @field_validator("basic_password")
    @classmethod
    def _has_its_user(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if (value is None) != (info.data.get("basic_user") is None):
            raise ValueError("belongs together with basic_user: set both, or none")
        return value

    @field_validator("advert_upsert")
    @classmethod
    def _has_a_taxon(cls, value: bool, info: ValidationInfo) -> bool:
        if value and info.data.get("taxon_id") is None and not info.data.get("taxons"):
            raise ValueError("needs taxon_id or taxons: the marketplace takes no product without one")
        return value

    @field_validator("members")
    @classmethod
    def _are_members(cls, value: dict[str, str]) -> dict[str, str]:
        _refuse_unknown(value, tuple(CANDIDATES), "member")
        return value

    @field_validator("accounts")
    @classmethod
    def _are_roles(cls, value: dict[str, str]) -> dict[str, str]:
        _refuse_unknown(value, ROLES, "role")
        return value

    @field_validator("carriers")
    @classmethod
    def _in_any_case(cls, value: dict[str, str]) -> dict[str, str]:
        return {courier.strip().lower(): carrier for courier, carrier in value.items()}

    @field_validator("modes")
    @classmethod
    def _are_feeds(cls, value: dict[str, Mode]) -> dict[str, Mode]:
        _refuse_unknown(value, FEEDS, "feed")
        return value


def _refuse_unknown(given: dict[str, str] | dict[str, Mode], known: tuple[str, ...], what: str) -> None:
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ValueError(f"there is no {what} {unknown[0]!r}; there are {', '.join(known)}")
