"""Dispatches as shipments: which line items, how many, with which carrier and number (P4).

An order in Stokly carries the invoice's number as its reference; lines are found by SKU. A shipment that is there
already, entered by hand or by Stokly's own link to the marketplace, is tied to the dispatch that it shows, one to one,
and not sent again. Source: Marketplacer API contract 4.3.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import pandas as pd

from stokly_sync.contracts import columns
from stokly_sync.contracts.channels import MARKETPLACER
from stokly_sync.flow import Built, Document, Frames, Json, Problem
from stokly_sync.systems.marketplacer import rules
from stokly_sync.systems.marketplacer.documents.common import Sale, invoices, sales
from stokly_sync.systems.marketplacer.settings import MarketplacerSettings

OF_ORDER: Final = "dispatches of the same orders"
"""Frame of all dispatches of the orders that are looked at: each shipment is tied to one of them."""


@dataclass(frozen=True)
class Parcel:
    """One dispatch of Stokly with its units by SKU."""

    key: str
    number: str | None
    order: str
    courier: str | None
    tracking: str | None
    at: datetime
    live: bool
    version: datetime
    units: Mapping[str, int]


@dataclass
class _Shipment:
    key: str
    tracking: str | None
    units: Counter[str] = field(default_factory=Counter)
    by_line: Counter[str] = field(default_factory=Counter)


def build_shipments(frames: Frames, settings: MarketplacerSettings) -> Built:
    """Documents from `stokly.dispatches`; held where the marketplace has the shipment, with its id."""
    asked = set(columns.keys(frames["stokly.dispatches"]["dispatch_id"]))
    bought = sales(frames, settings)
    by_order: dict[str, list[Parcel]] = defaultdict(list)
    for parcel in sorted(_parcels(frames), key=lambda p: (p.at, p.key)):
        by_order[parcel.order].append(parcel)
    shipments = _shipments(frames)
    documents: list[Document] = []
    kept: list[Problem] = []
    held: dict[str, str | None] = {}
    for order, parcels in by_order.items():
        sale = bought.get(order)
        if sale is None:
            kept += [_not_ours(p, frames, settings) for p in parcels if p.key in asked]
            continue
        tied = _tied([p for p in parcels if p.live], shipments.get(sale.invoice, []))
        left = _left(sale, shipments.get(sale.invoice, []), set(tied.values()))
        for parcel in parcels:
            made = _document(parcel, sale, left, settings)
            if parcel.key not in asked:
                continue
            if isinstance(made, Document):
                documents.append(made)
                if parcel.key in tied:
                    held[parcel.key] = tied[parcel.key]
            else:
                kept.append(made)
    return Built(documents, kept, held)


def _document(parcel: Parcel, sale: Sale, left: Counter[str], settings: MarketplacerSettings) -> Document | Problem:
    if not parcel.live:
        return Problem(parcel.key, rules.DISPATCH_OTHER.code, "it was removed in Stokly")
    carrier = (
        settings.carriers.get((parcel.courier or "").strip().lower()) or settings.default_carrier or parcel.courier
    )
    if not carrier:
        return Problem(parcel.key, rules.CARRIER_UNMAPPED.code, "the dispatch names no courier")
    tracking = (parcel.tracking or "").strip() or (parcel.number if settings.untracked == "number" else None)
    if not tracking:
        return Problem(parcel.key, rules.TRACKING.code, "the dispatch has no tracking number")
    items: list[Json] = []
    for sku, units in parcel.units.items():
        lines = sale.lines.get(sku)
        if lines is None:
            return Problem(parcel.key, rules.SHIP_LINE.code, f"the marketplace's order has no line with SKU {sku}")
        for line in lines:
            some = min(units, left[line])
            if some > 0:
                items.append({"lineItemId": line, "quantity": some})
                left[line] -= some
                units -= some
        if units > 0:
            return Problem(parcel.key, rules.SHIP_QUANTITY.code, f"{units} more of {sku} than are left to ship")
    if not items:
        return Problem(parcel.key, rules.SHIP_LINE.code, "the dispatch has no lines")
    body = {
        "invoiceId": sale.invoice,
        "carrier": carrier,
        # Goods cannot leave before they were ordered: the marketplace refuses it, and clocks differ.
        "dispatchedAt": max(filter(None, (parcel.at, sale.placed_at))).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "trackingNumber": tracking,
        "shippedItems": items,
    }
    return Document(parcel.key, body, parcel.version, event_at=parcel.at)


def _not_ours(parcel: Parcel, frames: Frames, settings: MarketplacerSettings) -> Problem:
    """Why a dispatch has no sale: another channel's, or an order of this one that was not read yet."""
    from_here = settings.channels and parcel.order in invoices(frames, settings)
    if from_here:
        return Problem(parcel.key, rules.DISPATCH_ORDER.code, "the marketplace's order is not landed")
    return Problem(parcel.key, rules.DISPATCH_OTHER.code, "its order is none of this marketplace")


def _tied(parcels: Sequence[Parcel], shipments: Sequence[_Shipment]) -> dict[str, str]:
    """Shipments tied to the parcels that they show: by number and units, then by units where one has no number."""
    tied: dict[str, str] = {}
    free = {shipment.key: shipment for shipment in shipments}
    for by_number in (True, False):
        for parcel in parcels:
            if parcel.key in tied:
                continue
            found = next((s for s in free.values() if _shows(s, parcel, by_number=by_number)), None)
            if found is not None:
                tied[parcel.key] = found.key
                del free[found.key]
    return tied


def _shows(shipment: _Shipment, parcel: Parcel, *, by_number: bool) -> bool:
    if dict(shipment.units) != dict(parcel.units):
        return False
    theirs, ours = (
        (number or "").replace(" ", "").upper() for number in (shipment.tracking, parcel.tracking or parcel.number)
    )
    return theirs == ours if by_number else not theirs or not parcel.tracking


def _left(sale: Sale, shipments: Sequence[_Shipment], tied: set[str]) -> Counter[str]:
    """Units left to ship by line, less those in shipments that no dispatch of Stokly shows."""
    left = Counter(sale.to_ship)
    for shipment in shipments:
        if shipment.key not in tied:
            left.subtract(shipment.by_line)
    return left


def _parcels(frames: Frames) -> list[Parcel]:
    rows = pd.concat([frames["stokly.dispatches"], frames[OF_ORDER]]).drop_duplicates("dispatch_id")
    skus = _skus(frames)
    units: dict[str, Counter[str]] = defaultdict(Counter)
    lines = frames["stokly.dispatch_lines"]
    for key, line, quantity in zip(
        columns.keys(lines["dispatch_id"]),
        columns.texts(lines["line_id"]),
        columns.counts(lines["quantity"]).tolist(),
        strict=True,
    ):
        if quantity > 0:
            units[key][skus.get(line or "") or "?"] += quantity
    return [
        Parcel(key, number, order, courier, tracking, at, live, version or at, dict(units[key]))
        for key, number, order, courier, tracking, at, live, version in zip(
            columns.keys(rows["dispatch_id"]),
            columns.texts(rows["number"]),
            columns.keys(rows["order_id"]),
            columns.texts(rows["courier"]),
            columns.texts(rows["tracking_number"]),
            columns.moments(rows["dispatched_at"]),
            columns.flags(rows["live"]).tolist(),
            columns.moments(rows["version"]),
            strict=True,
        )
        if at is not None
    ]


def _skus(frames: Frames) -> dict[str, str | None]:
    lines = frames["stokly.order_lines"]
    return dict(zip(columns.keys(lines["line_id"]), columns.texts(lines["sku"]), strict=True))


def _shipments(frames: Frames) -> dict[str, list[_Shipment]]:
    rows, lines = frames[f"{MARKETPLACER}.shipments"], frames[f"{MARKETPLACER}.shipment_lines"]
    by_key: dict[str, _Shipment] = {}
    found: dict[str, list[_Shipment]] = defaultdict(list)
    for key, order, tracking, live in zip(
        columns.keys(rows["shipment_id"]),
        columns.keys(rows["order_id"]),
        columns.texts(rows["tracking_number"]),
        columns.flags(rows["live"]).tolist(),
        strict=True,
    ):
        if live:
            by_key[key] = _Shipment(key, tracking)
            found[order].append(by_key[key])
    for key, line, sku, quantity in zip(
        columns.keys(lines["shipment_id"]),
        columns.texts(lines["line_id"]),
        columns.texts(lines["sku"]),
        columns.counts(lines["quantity"]).tolist(),
        strict=True,
    ):
        if key in by_key:
            by_key[key].units[sku or "?"] += quantity
            by_key[key].by_line[line or ""] += quantity
    return found
