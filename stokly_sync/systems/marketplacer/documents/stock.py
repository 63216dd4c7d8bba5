"""Stock for the marketplace: available, less what was sold there and is not in Stokly yet, less a buffer (P2).

The marketplace takes an order off its own stock at once, Stokly when the order gets there; sending what Stokly has
meanwhile would sell the same goods twice. So units of open orders that no order in Stokly names are subtracted. The
marketplace changes the value itself, therefore what is sent is what differs from what it showed last. An order that was
sent to Stokly after its stock last moved is not in that stock either, although Stokly may list it. Source: Marketplacer
API contract 3.3, 10 (7).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import pandas as pd

from stokly_sync.contracts import columns
from stokly_sync.contracts.channels import MARKETPLACER
from stokly_sync.contracts.goods import VARIABLE_PARENT, available
from stokly_sync.contracts.problems import later
from stokly_sync.flow import Built, Document, Frames, Problem
from stokly_sync.systems.marketplacer import rules
from stokly_sync.systems.marketplacer.documents.common import of_channel
from stokly_sync.systems.marketplacer.documents.products import Listings, listed
from stokly_sync.systems.marketplacer.settings import MarketplacerSettings

LEVELS: Final = f"{MARKETPLACER}.stock_levels"
ORDERS: Final = f"{MARKETPLACER}.orders"
LINES: Final = f"{MARKETPLACER}.order_lines"


@dataclass(frozen=True)
class Sold:
    """Units of a SKU sold in the marketplace that Stokly's stock does not know of.

    `units` are in orders that Stokly does not have, the oldest placed at `since`; `sent` are in orders that it has,
    with the time when they were sent there.
    """

    units: int = 0
    since: datetime | None = None
    sent: tuple[tuple[datetime, int], ...] = ()

    def unseen(self, version: datetime) -> int:
        """Units that a stock of that version does not know of."""
        return self.units + sum(units for at, units in self.sent if at > version)


def build_stock(
    frames: Frames, settings: MarketplacerSettings, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Built:
    """Documents from `stokly.stock` by SKU: `countOnHand`, a whole number of at least 0.

    Held where the marketplace shows that number already; parked while orders of the SKU are late, by setting.
    """
    listings, levels, waiting = listed(frames), _levels(frames), sold_not_imported(frames, settings)
    units, makers = _units(frames, settings), _makers(frames)
    documents: list[Document] = []
    kept: list[Problem] = []
    held: dict[str, str | None] = {}
    late_before = now() - timedelta(minutes=settings.orders_late)
    for sku, (free, version) in units.items():
        problem = _unlisted(sku, listings, makers)
        sold = waiting.get(sku, Sold())
        late = not settings.orders_imported or (sold.since is not None and sold.since < late_before)
        if problem is None and late and settings.stock_when_late == "hold":
            problem = Problem(sku, rules.ORDERS_LATE.code, _why_late(sold, settings))
        if problem is not None:
            kept.append(problem)
            continue
        back = buffer_of(sku, makers.get(sku, (None, False))[0], settings) + (settings.late_buffer if late else 0)
        count = max(free - sold.unseen(version) - back, 0)
        there, shown = listings.by_sku[sku], levels.get(sku)
        newest = later(version, shown[1] if shown else None) or version
        body = {"sku": sku, "variantId": there.listing, "countOnHand": count}
        documents.append(Document(sku, body, newest, event_at=version))
        if shown is not None and shown[0] == count:
            held[sku] = there.listing
    return Built(documents, kept, held)


def sold_not_imported(frames: Frames, settings: MarketplacerSettings) -> dict[str, Sold]:
    """By SKU: units in open orders of the marketplace, less cancelled and shipped ones.

    Orders come with `sent_at`, when they were sent to Stokly.
    """
    orders, lines = frames[ORDERS], frames[LINES]
    imported = {ref for ref, ours in _references(frames["stokly.orders"], settings) if ours and ref is not None}
    placed = {
        key: (number in imported, sent if number in imported else at)
        for key, number, live, at, sent in zip(
            columns.keys(orders["order_id"]),
            columns.keys(orders["number"]),
            columns.flags(orders["live"]).tolist(),
            columns.moments(orders["placed_at"]),
            columns.moments(orders["sent_at"]),
            strict=True,
        )
        if live and (number not in imported or sent is not None)
    }
    found: dict[str, Sold] = {}
    for key, sku, ordered, cancelled, shipped in zip(
        columns.keys(lines["order_id"]),
        columns.texts(lines["sku"]),
        *(columns.counts(lines[name]).tolist() for name in ("quantity", "quantity_cancelled", "quantity_shipped")),
        strict=True,
    ):
        left = ordered - cancelled - shipped
        if sku is None or key not in placed or left <= 0:
            continue
        before, (known, at) = found.get(sku, Sold()), placed[key]
        if known and at is not None:
            found[sku] = replace(before, sent=(*before.sent, (at, left)))
        else:
            since = min(filter(None, (before.since, at)), default=None)
            found[sku] = replace(before, units=before.units + left, since=since)
    return found


def buffer_of(sku: str, maker: str | None, settings: MarketplacerSettings) -> int:
    """Units that are kept back: by SKU, else by manufacturer, else for all."""
    if sku in settings.buffers:
        return settings.buffers[sku]
    return settings.brand_buffers.get(maker or "", settings.buffer)


def _why_late(sold: Sold, settings: MarketplacerSettings) -> str:
    if not settings.orders_imported:
        return "orders of the marketplace are not taken into Stokly"
    return (
        f"{sold.units} units are in orders that Stokly does not have, the oldest from {sold.since:%Y-%m-%d %H:%M} UTC"
    )


def _unlisted(sku: str, listings: Listings, makers: Mapping[str, tuple[str | None, bool]]) -> Problem | None:
    if sku in listings.twice:
        return Problem(sku, rules.SKU_TWICE.code, "several variants have the SKU")
    if sku not in listings.by_sku:
        goods = makers.get(sku, (None, True))[1]
        if not goods:
            return Problem(sku, rules.NOT_SOLD.code, "it is no goods of its own")
        # The product says so already, as an exception of its own where it should be there.
        return Problem(sku, rules.NOT_LISTED.code, "the marketplace has no variant with the SKU")
    return None


def _units(frames: Frames, settings: MarketplacerSettings) -> dict[str, tuple[int, datetime]]:
    """Units and version by SKU, over the locations that are set, else over all."""
    stock = frames["stokly.stock"]
    stock = stock[stock["sku"].notna()]
    if settings.locations:
        # A row of another location counts for nothing; it stays, so that each SKU is answered.
        off = ~stock["location_id"].isin(settings.locations)
        stock = stock.assign(
            location_id=stock["location_id"].fillna("-"),
            **{name: stock[name].mask(off, 0) for name in ("available", "on_hand")},
        )
    found: dict[str, tuple[int, datetime]] = {}
    level = available(stock)
    for sku, quantity, version in zip(
        columns.keys(level["sku"]), level["quantity"].tolist(), columns.moments(level["version"]), strict=True
    ):
        if version is None:
            continue
        before = found.get(sku)
        found[sku] = (quantity + before[0], max(version, before[1])) if before else (quantity, version)
    return found


def _makers(frames: Frames) -> dict[str, tuple[str | None, bool]]:
    """Manufacturer by SKU, and whether the item is goods of its own."""
    items = frames["stokly.items"]
    return {
        sku: (maker, bool(live and stocked and form != VARIABLE_PARENT))
        for sku, maker, live, stocked, form in zip(
            columns.texts(items["sku"]),
            columns.texts(items["manufacturer"]),
            columns.flags(items["live"]).tolist(),
            columns.flags(items["stocked"]).tolist(),
            columns.wholes(items["format"]),
            strict=True,
        )
        if sku is not None
    }


def _levels(frames: Frames) -> dict[str, tuple[int | None, datetime | None]]:
    rows = frames[LEVELS]
    return {
        sku: (quantity, version)
        for sku, quantity, live, version in zip(
            columns.keys(rows["sku"]),
            columns.wholes(rows["quantity"]),
            columns.flags(rows["live"]).tolist(),
            columns.moments(rows["version"]),
            strict=True,
        )
        if live
    }


def _references(orders: pd.DataFrame, settings: MarketplacerSettings) -> list[tuple[str | None, bool]]:
    return list(zip(columns.texts(orders["channel_reference"]), of_channel(orders, settings), strict=True))
