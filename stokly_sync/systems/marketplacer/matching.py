"""What no feed sees: rogue listings, SKUs in other capitals, listings that are not live, orphaned orders (P1, P7-P9).

Pure functions from landed tables to problems; reconciliation reads the tables, and opens and closes the exceptions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

import msgspec
import pandas as pd

from stokly_sync.contracts import columns
from stokly_sync.contracts.channels import MARKETPLACER
from stokly_sync.contracts.goods import available, sold
from stokly_sync.contracts.order_states import REMOVED_STAGE
from stokly_sync.flow import Frames, Matching, Problem
from stokly_sync.systems.marketplacer import rules
from stokly_sync.systems.marketplacer.documents.common import of_channel
from stokly_sync.systems.marketplacer.settings import MarketplacerSettings

LISTINGS: Final = f"{MARKETPLACER}.listings"
ORDERS: Final = f"{MARKETPLACER}.orders"
UNSHIPPED: Final = frozenset({"pending", "held", "open", "part_shipped"})
_CHANNEL: Final = ("channel_reference", "channel_id", "channel_name", "source_type")
_LIST: Final = msgspec.json.Decoder(list[Any])
_OUT_OF_STOCK: Final = "out of stock"


def matchings(settings: MarketplacerSettings) -> tuple[Matching, ...]:
    """All matchings of Marketplacer."""
    return (
        Matching(
            name="listing_matching",
            subject=f"{MARKETPLACER}/listing_matching",
            description="Listings held against the items of Stokly: rogue ones, other capitals, not on sale.",
            needs={
                LISTINGS: ("listing_id", "sku", "enabled", "on_sale", "why_not", "live"),
                "stokly.items": ("item_id", "sku", "tags", "stocked", "format", "live"),
                "stokly.stock": ("sku", "item_id", "location_id", "available", "on_hand", "live", "version"),
            },
            find=partial(find_listings, settings=settings),
        ),
        Matching(
            name="order_matching",
            subject=f"{MARKETPLACER}/order_matching",
            description="Orders held against those of Stokly, one to one: orphans, and cancelled on one side alone.",
            needs={
                ORDERS: ("order_id", "number", "state", "placed_at", "live"),
                "stokly.orders": ("order_id", "stage", "live", "item_statuses", *_CHANNEL),
            },
            find=partial(find_orders, settings=settings),
            known_in=("stokly/marketplacer_orders",),
        ),
    )


def find_listings(frames: Frames, *, settings: MarketplacerSettings) -> list[Problem]:
    """Problems of listings, by listing id; Stokly's items are the master (P1, P7)."""
    items = frames["stokly.items"]
    live = items[columns.flags(items["live"]) & items["sku"].notna().to_numpy()]
    exact = set(columns.keys(live["sku"]))
    folded = {_folded(sku): sku for sku in sorted(exact)}
    wanted = _wanted(live, settings) & _in_stock(frames["stokly.stock"])
    rows = frames[LISTINGS]
    found: list[Problem] = []
    by_sku: dict[str, list[str]] = defaultdict(list)
    for key, sku, on_sale, why, alive in zip(
        columns.keys(rows["listing_id"]),
        columns.texts(rows["sku"]),
        columns.flags(rows["on_sale"]).tolist(),
        columns.texts(rows["why_not"]),
        columns.flags(rows["live"]).tolist(),
        strict=True,
    ):
        if not alive:
            continue
        if sku is not None:
            by_sku[sku].append(key)
        if sku in exact:
            if sku in wanted and not on_sale and why != _OUT_OF_STOCK:
                found.append(Problem(key, rules.LISTING_NOT_LIVE.code, f"SKU {sku}: {why or 'no flag says why'}"))
        elif sku is not None and _folded(sku) in folded:
            detail = f"{sku!r} in the marketplace is {folded[_folded(sku)]!r} in Stokly"
            found.append(Problem(key, rules.SKU_CASE.code, detail))
        else:
            detail = "the variant has no SKU" if sku is None else f"Stokly has no live item with SKU {sku}"
            found.append(Problem(key, rules.LISTING_ROGUE.code, detail))
    for sku, keys in by_sku.items():
        if len(keys) > 1:
            found += [Problem(key, rules.SKU_TWICE.code, f"{len(keys)} variants have SKU {sku}") for key in keys]
    return found


def find_orders(
    frames: Frames, *, settings: MarketplacerSettings, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> list[Problem]:
    """Orphans on either side, by order id of the side that has them, and orders cancelled in Stokly alone (P8, P9)."""
    theirs, ours = frames[ORDERS], frames["stokly.orders"]
    by_number: dict[str, list[bool]] = defaultdict(list)
    own: list[tuple[str, str | None, bool]] = []
    for key, number, mine, gone in zip(
        columns.keys(ours["order_id"]),
        columns.texts(ours["channel_reference"]),
        of_channel(ours, settings),
        _cancelled(ours),
        strict=True,
    ):
        if mine:
            own.append((key, number, gone))
            if number is not None:
                by_number[number].append(gone)
    numbers = set(columns.keys(theirs["number"]))
    found = _theirs(theirs, by_number, now() - timedelta(minutes=settings.orders_late))
    if settings.channels:
        found += [
            Problem(key, rules.ORDER_ORPHAN.code, f"the marketplace has no order {number or 'without a number'}")
            for key, number, gone in own
            if not gone and number not in numbers
        ]
    return found


def _theirs(rows: pd.DataFrame, by_number: dict[str, list[bool]], late: datetime) -> list[Problem]:
    found = []
    for key, number, state, placed_at, live in zip(
        columns.keys(rows["order_id"]),
        columns.keys(rows["number"]),
        columns.keys(rows["state"]),
        columns.moments(rows["placed_at"]),
        columns.flags(rows["live"]).tolist(),
        strict=True,
    ):
        gone = by_number.get(number)
        if not live or state in ("pending", "held", "cancelled"):
            continue
        if gone is None:
            if placed_at is not None and placed_at < late:
                found.append(Problem(key, rules.ORDER_ORPHAN.code, f"Stokly has no order with reference {number}"))
        elif all(gone) and state in UNSHIPPED:
            detail = f"order {number} is cancelled in Stokly and {state} in the marketplace"
            found.append(Problem(key, rules.CANCELLED_ONLY_IN_STOKLY.code, detail))
    return found


def _cancelled(orders: pd.DataFrame) -> list[bool]:
    """Whether each order was removed, or all of its lines cancelled."""
    statuses = [set(_LIST.decode(text)) if text else set() for text in columns.texts(orders["item_statuses"])]
    gone = ~columns.flags(orders["live"]) | orders["stage"].eq(REMOVED_STAGE).to_numpy(dtype=bool)
    return [bool(removed) or words == {"cancelled"} for removed, words in zip(gone, statuses, strict=True)]


def _wanted(items: pd.DataFrame, settings: MarketplacerSettings) -> set[str]:
    """SKUs of goods that are meant for the marketplace."""
    meant = set(settings.only_tags)
    return {
        sku
        for sku, goods, tags in zip(
            columns.keys(items["sku"]), sold(items).tolist(), columns.texts(items["tags"]), strict=True
        )
        if goods and (not meant or meant & set(_LIST.decode(tags or "[]")))
    }


def _in_stock(stock: pd.DataFrame) -> set[str]:
    level = available(stock[stock["sku"].notna()])
    return set(columns.keys(level["sku"][level["quantity"] > 0]))


def _folded(sku: str) -> str:
    return "".join(sku.split()).casefold()
