"""Counting during one delivery, so that its figures cost no query over the ledger. No decisions in here."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from stokly_sync.delivery.items import Item
from stokly_sync.flow import Outcome, State

# Looked up once: a member of an enumeration costs a call each time.
_ACCEPTED: Final = State.ACCEPTED
_REJECTED: Final = State.REJECTED


@dataclass
class Tally:
    """What happened so far to the records of one delivery, each counted in the state it is in now."""

    states: Counter[State] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    latencies: array[float] = field(default_factory=lambda: array("d"))
    first_try: int = 0
    parked: int = 0
    api_calls: int = 0
    sent: int = 0
    sent_bytes: int = 0
    """Records that left, and their bytes, those that were sent once more counted once."""

    def note(self, outcomes: Iterable[Outcome], items: Mapping[str, Item], *, now: datetime) -> None:
        """Count new outcomes of records; `items` are those records as they were read from the ledger."""
        since = now.timestamp()
        told = list(outcomes)
        held = [items[outcome.key] for outcome in told]
        self.states.update([outcome.state for outcome in told])
        self.states[State.SUBMITTED] -= len(held) - [item.receipt for item in held].count(None)
        self.rejected.update([outcome.rule or "" for outcome in told if outcome.state is _REJECTED])
        accepted = [item for outcome, item in zip(told, held, strict=True) if outcome.state is _ACCEPTED]
        self.first_try += sum([item.tries <= (item.receipt is not None) for item in accepted])
        self.latencies.extend([since - item.event_at.timestamp() for item in accepted if item.event_at is not None])

    def percentile(self, share: float) -> float | None:
        """Latency in seconds below which `share` of the accepted records lie (nearest rank); None without any."""
        if not self.latencies:
            return None
        ordered = sorted(self.latencies)
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3)
