"""Dispatches of Stokly as shipments of Magento orders (G4).

A document names units by SKU; which line of the order they are taken from is decided against the order as it is when
the shipment is made, because Magento cuts what is too much in silence. Which shipment is which dispatch stands in
`parcels`. Pure. Source: Magento API contract 7, 15 (8).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from stokly_sync.contracts.order_states import REMOVED_STAGE
from stokly_sync.flow import Built, Document, Frames, Json, Problem
from stokly_sync.systems.magento import order_rules as rules
from stokly_sync.systems.magento.documents.common import records, versioned
from stokly_sync.systems.magento.documents.parcels import (
    Shipment,
    has,
    matched,
    shipments_by_order,
    shown,
    units_by_dispatch,
)
from stokly_sync.systems.magento.documents.stock import is_ours
from stokly_sync.systems.magento.settings import ALL_LOCATIONS, MagentoSettings

SIBLINGS: Final = "siblings"
"""All dispatches of the orders concerned."""


def build_shipments(frames: Frames, settings: MagentoSettings) -> Built:
    """Shipments from `stokly.dispatches`; the key is the dispatch id, `held` names shipments that are there already.

    Keeps back dispatches of other channels, those that say too little, and those that Magento would not take whole.
    """
    world = _World.of(frames, settings)
    documents: list[Document] = []
    kept: list[Problem] = []
    held: dict[str, str | None] = {}
    for row in records(frames["stokly.dispatches"]):
        key = row["dispatch_id"]
        problem = world.kept_back(row) or _tracking_problem(row, settings)
        document = None if problem is not None else world.document(row)
        if problem is not None or document is None:
            kept.append(problem or Problem(key, rules.SHIP_VIRTUAL.code, "nothing in it is shipped by Magento"))
            continue
        version = versioned(f"dispatch {key}", row["version"])
        documents.append(Document(key, document, version, event_at=row["dispatched_at"]))
        there = world.shipment_of(row)
        if there is not None and (not document["tracking"] or has(there, document["tracking"])):
            held[key] = there.key
    return Built(documents, kept, held)


def _tracking_problem(row: Json, settings: MagentoSettings) -> Problem | None:
    number, courier = row["tracking_number"], row["courier"] or ""
    if not number:
        return None
    if not re.fullmatch(settings.tracking_pattern, number):
        return Problem(row["dispatch_id"], rules.TRACKING.code, "the tracking number has not the form of one")
    if settings.carrier(courier) is None:
        named = f"courier {courier!r}" if courier else "no courier"
        return Problem(row["dispatch_id"], rules.CARRIER_UNMAPPED.code, f"{named} is not among the carriers")
    return None


@dataclass(frozen=True)
class _World:
    """What dispatches are held against: orders of both sides, other dispatches, and shipments that are there."""

    settings: MagentoSettings
    orders: Mapping[str, Json]
    """Orders of Stokly by id."""
    skus: Mapping[tuple[str, str], str]
    """SKU of a line of Stokly by order and line."""
    dispatches: Mapping[str, list[Json]]
    """Live dispatches by order, oldest first."""
    units: Mapping[str, Counter[str] | None]
    """Units by SKU of each dispatch; None where it does not say."""
    channel: Mapping[str, Json]
    """Orders of Magento by number."""
    lines: Mapping[str, list[Json]]
    """Lines of Magento's orders by order id."""
    shipments: Mapping[str, list[Shipment]]
    """Shipments by order id of Magento."""

    @classmethod
    def of(cls, frames: Frames, settings: MagentoSettings) -> _World:
        """The world of some dispatches."""
        skus = {(r["order_id"], r["line_id"]): r["sku"] for r in records(frames["stokly.order_lines"])}
        dispatches: dict[str, list[Json]] = {}
        ordered = sorted(records(frames[SIBLINGS]), key=lambda r: (r["dispatched_at"], r["dispatch_id"]))
        for row in ordered:
            if row["live"]:
                dispatches.setdefault(row["order_id"], []).append(row)
        owners = {row["dispatch_id"]: row["order_id"] for row in ordered}
        lines: dict[str, list[Json]] = {}
        for row in records(frames["magento.order_lines"]):
            lines.setdefault(row["order_id"], []).append(row)
        return cls(
            settings,
            {row["order_id"]: row for row in records(frames["stokly.orders"])},
            skus,
            dispatches,
            units_by_dispatch(frames, owners, skus),
            {row["number"]: row for row in records(frames["magento.orders"]) if row["live"]},
            lines,
            shipments_by_order(frames),
        )

    def kept_back(self, row: Json) -> Problem | None:
        """Why a dispatch is not sent, None for one that may be."""
        key, order = row["dispatch_id"], self.orders.get(row["order_id"])
        if order is not None and not is_ours(order, self.settings):
            return Problem(key, rules.NOT_FROM_HERE.code, "its order came from another channel")
        if order is None or not row["live"] or not order["live"] or order["stage"] == REMOVED_STAGE:
            gone = row["live"] and order is None
            why = "its order has not been taken over" if gone else "it or its order was removed in Stokly"
            return Problem(key, (rules.ORDER_UNKNOWN if gone else rules.SHIP_REMOVED).code, why)
        there = self.channel.get(order["channel_reference"])
        if there is None:
            return Problem(key, rules.ORDER_UNKNOWN.code, f"Magento's order {order['channel_reference']} is not known")
        if self.shipment_of(row) is not None:
            return None
        return self._not_shippable(key, there) or self._too_much(row, there) or self._no_source(row)

    def _not_shippable(self, key: str, there: Json) -> Problem | None:
        if there["state"] in ("cancelled", "refunded"):
            return Problem(key, rules.SHIP_CANCELLED.code, f"order {there['number']} is {there['state']} in Magento")
        if there["state"] == "held":
            return Problem(key, rules.SHIP_HELD.code, f"order {there['number']} is on hold in Magento")
        return None

    def _too_much(self, row: Json, there: Json) -> Problem | None:
        """What of a dispatch the order does not have, counted together with the dispatches before it."""
        key, units = row["dispatch_id"], self.units[row["dispatch_id"]]
        if units is None:
            if self.settings.dispatch_without_lines == "whole" and len(self.dispatches[row["order_id"]]) == 1:
                return None
            return Problem(key, rules.SHIP_LINES.code, "its lines, or their SKUs, are not known")
        ordered = self._ordered(there)
        together = sum((self.units[d["dispatch_id"]] or Counter() for d in self._until(row)), Counter[str]())
        for sku, wanted in units.items():
            if sku not in ordered:
                return Problem(key, rules.SHIP_SKU.code, f"SKU {sku} is not on order {there['number']} in Magento")
            if together[sku] > ordered[sku]:
                told = f"{together[sku]} of SKU {sku} dispatched, {ordered[sku]} ordered and not cancelled"
                return Problem(key, rules.SHIP_QUANTITY.code, f"{told}; this one holds {wanted}")
        return None

    def _no_source(self, row: Json) -> Problem | None:
        if self.source(row) is not None or not self.settings.locations:
            return None
        return Problem(row["dispatch_id"], rules.LOCATION_MISSING.code, "its location has no source")

    def source(self, row: Json) -> str | None:
        """The source that a dispatch left from: its location's, or the only one there is."""
        places = self.settings.locations
        place = places.get(row["location_id"] or "", places.get(ALL_LOCATIONS))
        if place is not None:
            return place.source
        return self.settings.sources[0] if len(self.settings.sources) == 1 and not row["location_id"] else None

    def document(self, row: Json) -> Json | None:
        """The document of a dispatch; None where Magento ships nothing of it."""
        there = self.channel[self.orders[row["order_id"]]["channel_reference"]]
        units = self.units[row["dispatch_id"]] or self._ordered(there)
        shipped = {line["sku"] for line in self.lines.get(there["order_id"], ()) if not line["virtual"]}
        goods = {sku: n for sku, n in sorted(units.items()) if n > 0 and sku in shipped}
        if not goods:
            return None
        carrier = self.settings.carrier(row["courier"] or "") if row["tracking_number"] else None
        return {
            "order": there["order_id"],
            "dispatch": row["dispatch_id"],
            "number": row["number"],
            "units": goods,
            "source": self.source(row),
            "tracking": row["tracking_number"] if carrier else None,
            "carrier": carrier.code if carrier else None,
            "title": (carrier.title or carrier.code) if carrier else None,
            "notify": self.settings.notify_customer,
            "before": [shown(one) for one in self._wanted(row["order_id"]) if one.key in self._earlier(row)],
        }

    def shipment_of(self, row: Json) -> Shipment | None:
        """The shipment that a dispatch is in Magento."""
        order = self.orders.get(row["order_id"])
        there = self.channel.get(order["channel_reference"]) if order else None
        if there is None:
            return None
        shipments = self.shipments.get(there["order_id"], [])
        key = matched(self._wanted(row["order_id"]), shipments).get(row["dispatch_id"])
        return next((shipment for shipment in shipments if shipment.key == key), None)

    def _wanted(self, order_id: str) -> list[Shipment]:
        rows = self.dispatches.get(order_id, [])
        return [
            Shipment(
                r["dispatch_id"],
                self.units[r["dispatch_id"]] or {},
                (r["tracking_number"],) if r["tracking_number"] else (),
            )
            for r in rows
        ]

    def _until(self, row: Json) -> list[Json]:
        rows = self.dispatches.get(row["order_id"], [])
        keys = [r["dispatch_id"] for r in rows]
        return rows[: keys.index(row["dispatch_id"]) + 1] if row["dispatch_id"] in keys else rows

    def _earlier(self, row: Json) -> set[str]:
        return {r["dispatch_id"] for r in self._until(row)} - {row["dispatch_id"]}

    def _ordered(self, there: Json) -> Counter[str]:
        found: Counter[str] = Counter()
        for line in self.lines.get(there["order_id"], ()):
            if line["sku"] is not None:
                found[line["sku"]] += line["quantity"] - (line["quantity_cancelled"] or 0)
        return found
