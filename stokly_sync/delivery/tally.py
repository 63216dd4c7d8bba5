"""Counting during one delivery, so that its figures cost no query over the ledger. No decisions in here."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from stokly_sync.delivery.ledger import Item
from stokly_sync.flow import Outcome, State


@dataclass
class Tally:
    """What happened so far to the records of one delivery, each counted in the state it is in now."""

    states: Counter[State] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    latencies: array[float] = field(default_factory=lambda: array("d"))
    first_try: int = 0
    parked: int = 0
    api_calls: int = 0

    def note(self, outcomes: Iterable[Outcome], items: Mapping[str, Item], *, now: datetime) -> None:
        """Count new outcomes of records; `items` are those records as they were read from the ledger."""
        for outcome in outcomes:
            item = items[outcome.key]
            if item.receipt is not None:
                self.states[State.SUBMITTED] -= 1
            self.states[outcome.state] += 1
            if outcome.state is State.REJECTED:
                self.rejected[outcome.rule or ""] += 1
            elif outcome.state is State.ACCEPTED:
                self.first_try += item.tries <= (1 if item.receipt is not None else 0)
                if item.event_at is not None:
                    self.latencies.append((now - item.event_at).total_seconds())

    def percentile(self, share: float) -> float | None:
        """Latency in seconds below which `share` of the accepted records lie (nearest rank); None without any."""
        if not self.latencies:
            return None
        ordered = sorted(self.latencies)
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3)
