"""Cancellations of a channel: its cancelled orders are cancelled in Stokly, before fulfilment only (P9).

An order that is not cancelled has nothing to cancel, so its document is held as it is. One that Stokly has not shown us
yet is asked for when it is sent. How an order is cancelled is not proven; see `unverified`.
"""

from __future__ import annotations

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

DONE = ("dispatched", "collected", "returned")
"""Line statuses of what has left. Source: Stokly API contract 3.2 [guess]."""


def build_cancellations(frames: Frames, channel: Channel) -> Built:
    """One document an order of the channel, saying whether it is cancelled; held where Stokly says the same.

    Needs Stokly's orders by number with their lines and dispatches.
    """
    there = twins(frames, channel)
    left = {row["order_id"] for row in records(frames["stokly.dispatches"], ("order_id", "live")) if row["live"]}
    lines = grouped(records(frames["stokly.order_lines"], ("order_id", "status")), "order_id")
    left |= {order for order, rows in lines.items() if any(row["status"] in DONE for row in rows)}
    since = begins(frames, channel)
    documents: list[Document] = []
    kept_back: list[Problem] = []
    held: dict[str, str | None] = {}
    for order in records(frames[channel.table("orders")]):
        twin = next(iter(there.get(order["number"], [])), None)
        wanted = is_cancelled(order) and order["placed_at"] >= since
        if not wanted or (twin is not None and not alive(twin)):
            held[order["order_id"]] = twin["order_id"] if twin else None
        elif twin is not None and twin["order_id"] in left:
            detail = f"order {order['number']} was cancelled after its dispatch"
            kept_back.append(
                Problem(order["order_id"], channel.rules.cancel_late.code, detail, order["total"], order["currency"])
            )
            continue
        documents.append(_document(order, twin))
    return Built(documents, kept_back, held)


def _document(order: Row, twin: Row | None) -> Document:
    body = {"number": order["number"], "order_id": twin["order_id"] if twin else None, "cancelled": is_cancelled(order)}
    return Document(order["order_id"], body, order["version"], order["updated_at"], order["total"], order["currency"])
