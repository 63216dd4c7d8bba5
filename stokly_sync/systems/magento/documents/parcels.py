"""Which shipment is which dispatch (G4).

A shipment is known to be ours by our mark in its comment, by its tracking number, or, where neither can be, by holding
the same units: each shipment once, in the order of the dispatches. Pure. Source: Magento API contract 7, 15 (8).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stokly_sync.flow import Frames, Json
from stokly_sync.systems.magento.documents.common import records
from stokly_sync.systems.transport import decode


@dataclass(frozen=True)
class Shipment:
    """A shipment as Magento holds it, or a dispatch that should be one: its key, tracking numbers and units by SKU.

    `reference` is the dispatch that a shipment is marked with.
    """

    key: str
    units: Mapping[str, int]
    tracking: tuple[str, ...] = ()
    reference: str | None = None


def matched(wanted: Sequence[Shipment], there: Sequence[Shipment]) -> dict[str, str]:
    """For dispatches of one order, in their order, the shipment that each is; those without one are left out."""
    free = {shipment.key: shipment for shipment in there}
    found: dict[str, str] = {}

    def take(dispatch: Shipment, fits: Sequence[Shipment]) -> None:
        if fits and dispatch.key not in found:
            found[dispatch.key] = fits[0].key
            del free[fits[0].key]

    for dispatch in wanted:
        take(dispatch, [s for s in free.values() if s.reference == dispatch.key])
    for dispatch in wanted:
        numbers = {plain(number) for number in dispatch.tracking}
        take(dispatch, [s for s in _unmarked(free) if numbers & {plain(number) for number in s.tracking}])
    for dispatch in wanted:
        same = [s for s in _unmarked(free) if Counter(s.units) == Counter(dispatch.units)]
        # Two different tracking numbers are two parcels, however alike.
        take(dispatch, [s for s in same if not (s.tracking and dispatch.tracking)])
    return found


def _unmarked(free: Mapping[str, Shipment]) -> list[Shipment]:
    return [shipment for shipment in free.values() if shipment.reference is None]


def plain(number: str) -> str:
    """A tracking number as it is compared: without blanks and dashes, in capitals."""
    return re.sub(r"[\s-]", "", number).upper()


def units_by_dispatch(
    frames: Frames, owners: Mapping[str, str], skus: Mapping[tuple[str, str], str]
) -> dict[str, Counter[str] | None]:
    """Units by SKU of each dispatch; None where a dispatch has no lines, or one of a line that nobody knows."""
    found: dict[str, Counter[str] | None] = dict.fromkeys(owners)
    unknown: set[str] = set()
    for line in records(frames["stokly.dispatch_lines"]):
        key = line["dispatch_id"]
        sku = skus.get((owners.get(key, ""), line["line_id"] or ""))
        if sku is None:
            unknown.add(key)
            continue
        units = found.get(key) or Counter()
        units[sku] += line["quantity"]
        found[key] = units
    return found | dict.fromkeys(unknown)


def shipments_by_order(frames: Frames) -> dict[str, list[Shipment]]:
    """Live shipments of `magento.shipments` by order id, oldest first."""
    units: dict[str, Counter[str]] = {}
    for line in records(frames["magento.shipment_lines"]):
        if line["sku"] is not None:
            units.setdefault(line["shipment_id"], Counter())[line["sku"]] += line["quantity"]
    found: dict[str, list[Shipment]] = {}
    for row in sorted(records(frames["magento.shipments"]), key=lambda r: (r["shipped_at"], r["shipment_id"])):
        if row["live"]:
            tracking = decode(row["tracking_numbers"].encode()) if row["tracking_numbers"] else []
            one = Shipment(row["shipment_id"], units.get(row["shipment_id"], {}), tuple(tracking), row["reference"])
            found.setdefault(row["order_id"], []).append(one)
    return found


def shown(one: Shipment) -> Json:
    """A dispatch as documents carry it."""
    return {"dispatch": one.key, "units": dict(sorted(one.units.items())), "tracking": list(one.tracking)}


def wanted_of(document: Json) -> list[Shipment]:
    """The dispatches that a document tells of: those before it, oldest first, then its own."""
    own = {"dispatch": document["dispatch"], "units": document["units"], "tracking": [document["tracking"] or ""]}
    return [
        Shipment(one["dispatch"], one["units"], tuple(number for number in one["tracking"] if number))
        for one in (*document["before"], own)
    ]


def has(there: Shipment, tracking: str) -> bool:
    """Whether a shipment carries a tracking number."""
    return plain(tracking) in {plain(number) for number in there.tracking}
