"""What a channel took off its orders unit by unit, held against the lines of Stokly's orders.

Counted by SKU, because that is all that lines of both sides have in common. A unit counts as taken off when it was
cancelled, or refunded before it was shipped: shops cancel a single line of a paid order by refunding it. Where Stokly's
lines show that already (fewer units, a cancelled line), nothing is left to take off.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from stokly_sync.flow import Frames
from stokly_sync.systems.stokly.outgoing.common import Channel, Row, grouped, records

DONE = ("dispatched", "collected", "returned")
"""Line statuses of what has left. Source: Stokly API contract 3.2 [guess]."""
CANCELLED = "cancelled"
"""Line status of what is not wanted. Source: Stokly API contract 3.2 [guess]."""
NOTHING_TO_SEND = "none"
"""Fulfilment of lines that never leave."""
ASKED = ("sku", "quantity", "quantity_cancelled", "quantity_shipped", "quantity_refunded")
"""Columns of a channel's lines that say what it wants."""
LINES = ("sku", "quantity", "status", "fulfilment")
"""Columns of Stokly's lines that say what it would send."""


@dataclass
class Asked:
    """Units of one SKU in an order of the channel; `off` are taken off, of which `cancelled` not by a refund."""

    ordered: int = 0
    off: int = 0
    cancelled: int = 0


@dataclass
class Off:
    """What the channel took off an order, as Stokly's lines stand: by Stokly's line id, and by SKU what that means."""

    lines: Counter[str] = field(default_factory=Counter)
    still_open: Counter[str] = field(default_factory=Counter)
    """Units that Stokly would still send."""
    left: Counter[str] = field(default_factory=Counter)
    """Units that were cancelled and have left all the same; what was refunded may as well have come back."""


def asked(frames: Frames, channel: Channel) -> dict[str, dict[str, Asked]]:
    """Units by order and SKU of the channel, for orders of which anything was taken off."""
    found: dict[str, dict[str, Asked]] = {}
    for line in records(frames[channel.table("order_lines")], ("order_id", *ASKED)):
        one = found.setdefault(line["order_id"], {}).setdefault(line["sku"] or "", Asked())
        unsent = max(line["quantity"] - (line["quantity_shipped"] or 0), 0)
        cancelled = line["quantity_cancelled"] or 0
        one.ordered += line["quantity"]
        one.off += min(cancelled + (line["quantity_refunded"] or 0), unsent)
        one.cancelled += min(cancelled, unsent)
    return {order: skus for order, skus in found.items() if any(one.off for one in skus.values())}


def dispatched(frames: Frames) -> Counter[str | None]:
    """Units that have left by live dispatches, by Stokly's line id."""
    live = {row["dispatch_id"] for row in records(frames["stokly.dispatches"], ("dispatch_id", "live")) if row["live"]}
    units: Counter[str | None] = Counter()
    for row in records(frames["stokly.dispatch_lines"], ("dispatch_id", "line_id", "quantity")):
        if row["dispatch_id"] in live:
            units[row["line_id"]] += row["quantity"]
    return units


def taken_off(lines: Sequence[Row], wanted: Mapping[str, Asked], sent: Mapping[str | None, int]) -> Off:
    """What is taken off each of an order's lines in Stokly; cancelled lines bear it first, then units not sent."""
    found, by_sku = Off(), grouped(lines, "sku")
    for sku, one in wanted.items():
        own = by_sku.get(sku, [])
        excess = min(max(sum(line["quantity"] for line in own) - one.ordered + one.off, 0), one.off)
        for line, units, told in _places(own, sent, found):
            taken = min(units, excess)
            excess -= taken
            found.lines[line["line_id"]] += taken
            told[sku] += taken
        found.left[sku] = min(found.left[sku], one.cancelled)
    # Goods that Stokly sends under another name, such as a bundle's, may hold what was taken off.
    if any(line["sku"] not in wanted and _open(line, sent) for line in lines):
        found.still_open.update({sku: one.off for sku, one in wanted.items() if sku not in by_sku})
    return found


def _places(
    lines: Sequence[Row], sent: Mapping[str | None, int], found: Off
) -> Iterator[tuple[Row, int, Counter[str]]]:
    """Where units can be taken off: line, units, and the count that tells of it."""
    nobody: Counter[str] = Counter()
    goods = [line for line in lines if not _idle(line)]
    yield from ((line, line["quantity"], nobody) for line in lines if _idle(line))
    yield from ((line, _open(line, sent), found.still_open) for line in goods)
    yield from ((line, line["quantity"] - _open(line, sent), found.left) for line in goods)


def _idle(line: Row) -> bool:
    return bool(line["status"] == CANCELLED or line["fulfilment"] == NOTHING_TO_SEND)


def _open(line: Row, sent: Mapping[str | None, int]) -> int:
    """Units that Stokly would still send."""
    if _idle(line) or line["status"] in DONE:
        return 0
    return max(int(line["quantity"]) - sent.get(line["line_id"], 0), 0)
