"""What all documents for Stokly share: the channel they come from, and which of Stokly's orders is whose.

An order of a channel and one of Stokly are the same when Stokly's names the channel and, as its reference, the number
of the order. Till orders repeat a location there and never count. Source: Stokly API contract 3.2, 4.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final

import pandas as pd

from stokly_sync.contracts import columns, money
from stokly_sync.flow import FIRST_READ, Frames, Json, Mode, Need
from stokly_sync.systems.stokly.channel_rules import CHANNEL_RULES, ChannelRules
from stokly_sync.systems.stokly.channel_settings import ChannelSettings
from stokly_sync.systems.stokly.settings import StoklySettings

TILL: Final = "epos"
ORDERS: Final = "stokly.orders"
LINES: Final = "stokly.order_lines"
UNIT_PLACES: Final = 4
"""Places of a unit's price, as the newest importer rounds it. Source: Stokly API contract 4.2."""

_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)

Row = dict[str, Any]


@dataclass(frozen=True)
class Channel:
    """One channel: the name that its datasets begin with, its settings, and Stokly's."""

    name: str
    stokly: StoklySettings

    @property
    def settings(self) -> ChannelSettings:
        """What is said of the channel."""
        return self.stokly.channel(self.name)

    @property
    def rules(self) -> ChannelRules:
        """The rules for what comes from it."""
        return CHANNEL_RULES[self.name]

    @property
    def makes_refunds(self) -> bool:
        """Whether a refund that Stokly lacks is made there; otherwise it is raised, as it is where nothing is sent."""
        sends = self.stokly.modes.get(f"{self.name}_refunds", Mode.WRITE) is Mode.WRITE
        return sends and self.settings.refunds == "create"

    def table(self, name: str) -> str:
        """The channel's table of that name, such as `magento.orders`."""
        return f"{self.name}.{name}"

    def account_code(self, customer: str) -> str:
        """The account code in Stokly of a customer of the channel."""
        return f"{self.settings.account_prefix}{customer}"

    def twins(self, *columns_: str) -> Need:
        """Orders in Stokly that have the number of an order of the channel as their reference."""
        names = ("channel_reference", "channel_id", "source_type", "live", "stage", "created_at", *columns_)
        return Need(ORDERS, "channel_reference", self.table("orders"), "number", columns=names)


def records(frame: pd.DataFrame, names: Iterable[str] | None = None) -> list[Row]:
    """Rows as dictionaries with None for what is missing; times are UTC datetimes, amounts whole nano units."""
    chosen = list(names) if names is not None else list(frame.columns)
    values = [_plain(frame[name]) for name in chosen]
    return [dict(zip(chosen, row, strict=True)) for row in zip(*values, strict=True)] if chosen else []


def _plain(column: pd.Series) -> list[Any]:
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return columns.moments(column)
    return columns.texts(column)


def grouped(rows: Iterable[Row], key: str) -> dict[Any, list[Row]]:
    """Rows by the value of one column, in their order; rows without one are left out."""
    found: dict[Any, list[Row]] = {}
    for row in rows:
        if row[key] is not None:
            found.setdefault(row[key], []).append(row)
    return found


def twins(frames: Frames, channel: Channel) -> dict[str, list[Row]]:
    """Orders in Stokly by the number that the channel gave them: live ones first, then the oldest."""
    known = [row for row in records(frames[ORDERS]) if of_channel(row, channel.settings)]
    by_number = grouped(known, "channel_reference")
    for rows in by_number.values():
        rows.sort(key=lambda row: (not alive(row), row["created_at"]))
    return by_number


def of_channel(order: Mapping[str, Any], settings: ChannelSettings) -> bool:
    """Whether an order in Stokly is of the channel: by its id where that is set, else by its source type."""
    if order["source_type"] == TILL:
        return False
    return settings.origin.holds(order)


def alive(order: Mapping[str, Any]) -> bool:
    """Whether an order in Stokly is neither deleted nor removed."""
    return bool(order["live"]) and order["stage"] != "removed"


def is_cancelled(order: Mapping[str, Any]) -> bool:
    """Whether the channel does not want an order to be fulfilled any more."""
    return bool(order["state"] == "cancelled" or not order["live"])


def begins(frames: Frames, channel: Channel) -> datetime:
    """The time from which on orders of the channel are imported; the earliest there is where all are."""
    first = next(iter(columns.moments(frames[FIRST_READ]["at"])), None) if FIRST_READ in frames else None
    return channel.settings.origin.begins(first) or _EARLIEST


def is_wanted(order: Mapping[str, Any], since: datetime) -> bool:
    """Whether an order is confirmed in the channel, not cancelled, and not from before orders are imported."""
    confirmed = order["state"] not in ("pending", "held") and not is_cancelled(order)
    return confirmed and bool(order["placed_at"] >= since)


def amount(nanos: int | None, currency: str | None) -> Decimal:
    """An amount rounded to the minor unit of its currency; nothing is 0."""
    return money.rounded(nanos or 0, currency)


def unit(nanos: int | None, quantity: int) -> Decimal:
    """A unit's share of a line's amount, rounded half-even to four places."""
    return (money.decimal(nanos or 0) / quantity).quantize(Decimal(1).scaleb(-UNIT_PLACES), ROUND_HALF_EVEN)


def stamp(moment: datetime | None) -> str | None:
    """A time as Stokly takes it: ISO 8601 in UTC with milliseconds."""
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def told(**members: Any) -> Json:
    """Members that are not empty: what is absent is left out rather than sent empty (contract 3.1)."""
    return {name: value for name, value in members.items() if value not in (None, "")}
