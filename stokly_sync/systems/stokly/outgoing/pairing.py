"""Which refund of a channel is which paper in Stokly: by mark, by id, and one to one by amount.

What we made carries a mark; what a person made by hand in both systems can only be known by its order, currency and
amount, in the order of time. Each paper stands for one refund and no more (G5).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from stokly_sync.contracts import money
from stokly_sync.contracts.origins import marked
from stokly_sync.flow import Frames
from stokly_sync.systems.stokly.outgoing.common import Channel, Row, grouped, records

SIBLINGS = "siblings"
"""All refunds of the orders that the due ones belong to."""
_MEMBERS = msgspec.json.Decoder(dict[str, Any])


@dataclass(frozen=True)
class Paper:
    """A refund or a loose credit note in Stokly; `made_for` is the channel's refund that it was made for by us."""

    paper_id: str
    order_id: str
    currency: str
    total: int
    created_at: datetime
    made_for: str | None
    ours: bool


def papers(frames: Frames, channel: Channel) -> dict[str, list[Paper]]:
    """Live papers by Stokly's order; a credit note that documents a refund is no paper of its own."""
    refunds = [row for row in records(frames["stokly.refunds"]) if row["live"]]
    named = {row["credit_note_id"] for row in refunds}
    notes = [
        row for row in records(frames["stokly.credit_notes"]) if row["live"] and row["credit_note_id"] not in named
    ]
    found: dict[str, list[Paper]] = {}
    for paper in (*(_of_refund(row, channel) for row in refunds), *(_of_note(row, channel) for row in notes)):
        found.setdefault(paper.order_id, []).append(paper)
    return found


def credit_code(channel: Channel, refund: str) -> str:
    """The barcode of a credit note that we make for a refund of the channel."""
    return f"{channel.settings.account_prefix}CREDIT-{refund}"


def paired(refunds: Iterable[Row], found: Sequence[Paper]) -> dict[str, str]:
    """Paper id by refund id, for completed and live refunds of one order; `found` are that order's papers."""
    counted = sorted(
        (r for r in refunds if r["live"] and r["state"] == "completed"), key=lambda r: (r["created_at"], r["refund_id"])
    )
    by_mark = {paper.made_for: paper.paper_id for paper in found if paper.made_for is not None}
    by_id = {paper.paper_id for paper in found}
    pairs: dict[str, str] = {}
    for refund in counted:
        known = by_mark.get(refund["refund_id"]) or (refund["reference"] if refund["reference"] in by_id else None)
        if known is not None:
            pairs[refund["refund_id"]] = known
    free = sorted(
        (p for p in found if not p.ours and p.paper_id not in pairs.values()), key=lambda p: (p.created_at, p.paper_id)
    )
    for refund in counted:
        if refund["refund_id"] in pairs:
            continue
        paper = next((p for p in free if _alike(refund, p)), None)
        if paper is not None:
            pairs[refund["refund_id"]] = paper.paper_id
            free.remove(paper)
    return pairs


def siblings(frames: Frames) -> dict[str, list[Row]]:
    """All refunds of the channel by order."""
    return grouped(records(frames[SIBLINGS]), "order_id")


def _alike(refund: Row, paper: Paper) -> bool:
    apart = abs(refund["total"] - paper.total)
    return bool(refund["currency"] == paper.currency and apart <= money.minor_unit(paper.currency))


def _of_refund(row: Row, channel: Channel) -> Paper:
    made_for = marked(row["reason"], channel.name)
    key, order, at = row["refund_id"], row["order_id"] or "", row["created_at"]
    return Paper(key, order, row["currency"], row["total"], at, made_for, made_for is not None)


def _of_note(row: Row, channel: Channel) -> Paper:
    code = _MEMBERS.decode(row["extra"]).get("barcode") if row["extra"] else None
    start = credit_code(channel, "")
    made_for = str(code).removeprefix(start) if str(code or "").startswith(start) else None
    key, order, at = row["credit_note_id"], row["order_id"] or "", row["created_at"]
    return Paper(key, order, row["currency"], row["value"], at, made_for, made_for is not None)
