"""What was refunded of each order: by line where the refund says so, the rest beside the lines (O3).

Belongs here: bringing refunds, their lines and loose credit notes together. How an order
shows them is a matter of each destination.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd

from stokly_sync.contracts import columns
from stokly_sync.flow import Frames


@dataclass
class Refunded:
    """What was refunded of one order, nano units of its currency; `lines` by line id: units and amount."""

    total: int = 0
    lines: dict[str, tuple[int, int]] = field(default_factory=dict)
    version: datetime | None = None
    event_at: datetime | None = None
    currencies: set[str] = field(default_factory=set)
    pieces: int = 0
    """How many lines the refunds have: each may be off by the rounding of one amount."""

    def seen(self, version: datetime | None, event_at: datetime | None) -> None:
        """Take note of a change; later ones win."""
        self.version = max(filter(None, (self.version, version)), default=None)
        self.event_at = max(filter(None, (self.event_at, event_at)), default=None)


def refunds_by_order(frames: Frames, states: Sequence[str]) -> dict[str, Refunded]:
    """Refunds and credit notes by order id, for the orders that have any.

    A refund counts when it is live and its status is in `states` or missing; a credit note counts unless a refund names
    it. Those that do not count still leave their version, so that a refund taken back reaches the destination.
    """
    found: dict[str, Refunded] = {}
    refunds = frames["stokly.refunds"]
    counted = (
        columns.flags(refunds["live"]) & (refunds["status"].isna() | refunds["status"].isin(list(states))).to_numpy()
    )
    _add(found, refunds, counted.tolist(), order="order_id", amount="total")
    notes = _loose_notes(frames)
    _add(found, notes, columns.flags(notes["live"]).tolist(), order="order_id", amount="value")
    owners = dict(
        zip(
            columns.keys(refunds["refund_id"][counted]),
            columns.texts(refunds["order_id"][counted]),
            strict=True,
        )
    )
    _add_lines(found, frames["stokly.refund_lines"], owners)
    return found


def _loose_notes(frames: Frames) -> pd.DataFrame:
    notes = frames["stokly.credit_notes"]
    refunds = frames["stokly.refunds"]
    named = refunds["credit_note_id"][columns.flags(refunds["live"])].dropna()
    loose: pd.DataFrame = notes[(notes["order_id"].notna() & ~notes["credit_note_id"].isin(named)).to_numpy()]
    return loose


def _add(found: dict[str, Refunded], rows: pd.DataFrame, counted: list[bool], *, order: str, amount: str) -> None:
    for key, counts, value, currency, version, at in zip(
        columns.texts(rows[order]),
        counted,
        columns.counts(rows[amount]).tolist(),
        columns.texts(rows["currency"]),
        columns.moments(rows["version"]),
        columns.moments(rows["created_at"]),
        strict=True,
    ):
        if key is None:
            continue
        refunded = found.setdefault(key, Refunded())
        refunded.seen(version, at)
        if counts:
            refunded.total += value
            refunded.currencies.add(currency or "")


def _add_lines(found: dict[str, Refunded], lines: pd.DataFrame, owners: dict[str, str | None]) -> None:
    for refund, line, units, amount in zip(
        columns.keys(lines["refund_id"]),
        columns.texts(lines["line_id"]),
        columns.counts(lines["quantity"]).tolist(),
        columns.counts(lines["line_total"]).tolist(),
        strict=True,
    ):
        order = owners.get(refund)
        if order is None or line is None:
            continue
        of_lines = found[order].lines
        found[order].pieces += 1
        before = of_lines.get(line, (0, 0))
        of_lines[line] = (before[0] + units, before[1] + amount)
