"""Cancellations of a channel: its cancelled orders are cancelled in Stokly, before fulfilment only (P9).

An order that is not cancelled has nothing to cancel, so its document is held as it is. One that Stokly has not shown us
yet is asked for when it is sent. How an order is cancelled is not proven; see `unverified`. No way at all is known to
take single lines off an order, and a list that is patched may replace the other lines: so a person is told at once what
is still open there, and the exception closes when Stokly's lines show it. Source: Stokly API contract 3.2, 4.2, 4.5.
"""

from __future__ import annotations

from collections.abc import Mapping

from stokly_sync.flow import Built, Document, Frames, Problem
from stokly_sync.systems.stokly.outgoing.common import (
    Channel,
    Row,
    alive,
    begins,
    grouped,
    is_cancelled,
    records,
    twins,
)
from stokly_sync.systems.stokly.outgoing.units import DONE, Off, asked, dispatched, taken_off


def build_cancellations(frames: Frames, channel: Channel) -> Built:
    """One document an order of the channel, saying whether it is cancelled; held where Stokly says the same.

    Needs the lines of the channel's orders, and Stokly's orders by number with their lines and dispatches.
    """
    there, parts, sent = twins(frames, channel), asked(frames, channel), dispatched(frames)
    lines = grouped(records(frames["stokly.order_lines"]), "order_id")
    left = {row["order_id"] for row in records(frames["stokly.dispatches"], ("order_id", "live")) if row["live"]}
    left |= {order for order, rows in lines.items() if any(row["status"] in DONE for row in rows)}
    since = begins(frames, channel)
    documents: list[Document] = []
    kept_back: list[Problem] = []
    held: dict[str, str | None] = {}
    for order in records(frames[channel.table("orders")]):
        key, twin = order["order_id"], next(iter(there.get(order["number"], [])), None)
        ours = order["placed_at"] >= since
        if ours and is_cancelled(order) and (twin is None or alive(twin)):
            detail = f"order {order['number']} was cancelled after its dispatch"
            problem = _late(order, channel, detail) if twin is not None and twin["order_id"] in left else None
        else:
            own = lines.get(twin["order_id"], []) if twin else []
            off = taken_off(own, parts.get(key, {}), sent)
            problem = _part_problem(order, twin, off, channel) if ours and key in parts else None
            held[key] = twin["order_id"] if twin else None
        if problem is None:
            documents.append(_document(order, twin))
        else:
            kept_back.append(problem)
    return Built(documents, kept_back, held)


def _part_problem(order: Row, twin: Row | None, off: Off, channel: Channel) -> Problem | None:
    """What stands against an order of which single units were taken off; none where Stokly sends what it should."""
    number, confirmed = order["number"], order["state"] not in ("pending", "held")
    if is_cancelled(order) or not (alive(twin) if twin else confirmed):
        return None
    if twin is None:
        return Problem(order["order_id"], channel.rules.cancel_waits.code, f"order {number} is not in Stokly yet")
    if off.still_open.total():
        detail = f"order {number}: {_units(off.still_open)} still open in Stokly"
        return Problem(order["order_id"], channel.rules.cancel_lines.code, detail, order["total"], order["currency"])
    if off.left.total():
        return _late(order, channel, f"order {number}: {_units(off.left)} cancelled after dispatch")
    return None


def _late(order: Row, channel: Channel, detail: str) -> Problem:
    return Problem(order["order_id"], channel.rules.cancel_late.code, detail, order["total"], order["currency"])


def _units(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{units} of SKU {sku or '(none)'}" for sku, units in sorted(counted.items()) if units)


def _document(order: Row, twin: Row | None) -> Document:
    body = {"number": order["number"], "order_id": twin["order_id"] if twin else None, "cancelled": is_cancelled(order)}
    return Document(order["order_id"], body, order["version"], order["updated_at"], order["total"], order["currency"])
