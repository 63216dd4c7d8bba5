"""What several documents ask of orders: which of Stokly's came from this marketplace, and what was bought in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import pandas as pd

from stokly_sync.contracts import columns
from stokly_sync.contracts.channels import MARKETPLACER
from stokly_sync.flow import Frames
from stokly_sync.systems.marketplacer.settings import MarketplacerSettings

ORDERS: Final = f"{MARKETPLACER}.orders"
LINES: Final = f"{MARKETPLACER}.order_lines"


@dataclass
class Line:
    """One line item: its SKU, units ordered, cancelled, shipped and refunded, and its total in nano units."""

    key: str
    sku: str | None
    ordered: int
    cancelled: int
    shipped: int
    refunded: int
    total: int


@dataclass
class Sale:
    """One invoice that an order in Stokly was made of."""

    invoice: str
    number: str
    currency: str
    placed_at: datetime | None
    all_lines: list[Line] = field(default_factory=list)

    @property
    def lines(self) -> Mapping[str, list[str]]:
        """Line items by SKU."""
        found: dict[str, list[str]] = defaultdict(list)
        for line in self.all_lines:
            if line.sku is not None:
                found[line.sku].append(line.key)
        return found

    @property
    def to_ship(self) -> Mapping[str, int]:
        """Units by line item that are to be shipped in all."""
        return {line.key: line.ordered - line.cancelled for line in self.all_lines}


def of_channel(orders: pd.DataFrame, settings: MarketplacerSettings) -> list[bool]:
    """For each row of `stokly.orders`: whether it is of this marketplace.

    By the channel's id, name or source type where the settings name some; else every order may be, and its reference
    decides.
    """
    if not settings.channels:
        return [True] * len(orders)
    wanted = set(settings.channels)
    told = zip(*(columns.texts(orders[name]) for name in ("channel_id", "channel_name", "source_type")), strict=True)
    return [bool(wanted & {word for word in words if word is not None}) for words in told]


def invoices(frames: Frames, settings: MarketplacerSettings) -> dict[str, str]:
    """Numbers of invoices by Stokly's order id, for the orders of this marketplace that have one."""
    orders = frames["stokly.orders"]
    return {
        key: number
        for key, number, ours in zip(
            columns.keys(orders["order_id"]),
            columns.texts(orders["channel_reference"]),
            of_channel(orders, settings),
            strict=True,
        )
        if ours and number
    }


def sales(frames: Frames, settings: MarketplacerSettings) -> dict[str, Sale]:
    """The invoice behind each of Stokly's orders, by Stokly's order id, with its lines."""
    rows, lines = frames[ORDERS], frames[LINES]
    by_invoice: dict[str, Sale] = {}
    by_number: dict[str, Sale] = {}
    for key, number, currency, placed_at, live in zip(
        columns.keys(rows["order_id"]),
        columns.keys(rows["number"]),
        columns.keys(rows["currency"]),
        columns.moments(rows["placed_at"]),
        columns.flags(rows["live"]).tolist(),
        strict=True,
    ):
        if live:
            by_invoice[key] = by_number[number] = Sale(key, number, currency, placed_at)
    amounts = ("quantity", "quantity_cancelled", "quantity_shipped", "quantity_refunded", "line_total")
    for key, line, sku, *numbers in zip(
        columns.keys(lines["order_id"]),
        columns.keys(lines["line_id"]),
        columns.texts(lines["sku"]),
        *(columns.counts(lines[name]).tolist() for name in amounts),
        strict=True,
    ):
        if key in by_invoice:
            by_invoice[key].all_lines.append(Line(line, sku, *numbers))
    return {key: by_number[number] for key, number in invoices(frames, settings).items() if number in by_number}
