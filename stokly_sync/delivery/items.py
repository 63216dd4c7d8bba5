"""A record on its way through a delivery, from the ledger and back. What becomes of it is decided elsewhere."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from stokly_sync.flow import Record


class Item(NamedTuple):
    """A record on its way with what the ledger adds: event time (UTC), tries so far, and the condition it left under.

    `receipt` is set once the destination has taken it; `condition` where the plan assumed that what it waits for would
    be sent before it.
    """

    record: Record
    event_at: datetime | None
    tries: int
    receipt: str | None = None
    condition: str | None = None

    def bare(self) -> Item:
        """The same without its document."""
        key, _, digest = self.record
        return Item(Record(key, b"", digest), self.event_at, self.tries, self.receipt, self.condition)
