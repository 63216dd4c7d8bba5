"""What a plan and a delivery report: counts that must add up, and the errors raised when they do not.

Pure values. They are made by `planning` and `sending`, stored as run figures, and shown by whoever runs them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stokly_sync.errors import PermanentError
from stokly_sync.flow import Window


class RowSumBroken(PermanentError):
    """Records that were read are not all accounted for; nothing may be sent."""


@dataclass(frozen=True)
class PlanScope:
    """Which records a plan looks at, beside those carried in.

    By default the windows that the feed owes; with `windows` what was observed in those spans, whatever was planned
    before (replay, backfill; X18); with `everything` all landed records.
    """

    windows: tuple[Window, ...] | None = None
    everything: bool = False

    def __post_init__(self) -> None:
        if self.everything and self.windows is not None:
            raise ValueError("a plan looks at some windows or at everything, not at both")

    def covers(self, window: Window) -> bool:
        """Whether the scope looks at the whole of `window`; an owed window always is."""
        if self.windows is None:
            return True
        return any(w.start <= window.start and window.end <= w.end for w in self.windows)


@dataclass(frozen=True)
class PlanFigures:
    """What a plan found; counts of records, the dictionaries by rule code.

    `read` counts the records seen in the scope, rows that a contract kept out and orphans included; `carried_in` those
    that waited from earlier and were not seen in the scope. What is to be sent is `creates` (the destination has never
    accepted the record), `updates`, or `removals` (a document that takes back what the destination holds).
    `api_calls_needed` are the calls that write, `least_calls` with those for looking up and asking what became of it,
    without what a client does once (signing in, set-up).
    """

    plan_id: str
    feed: str
    read: int
    carried_in: int
    to_send: int
    unchanged: int
    held: int
    quarantined: Mapping[str, int] = field(default_factory=dict)
    excluded: Mapping[str, int] = field(default_factory=dict)
    parked: Mapping[str, int] = field(default_factory=dict)
    api_calls_needed: int = 0
    least_calls: int = 0
    creates: int = 0
    updates: int = 0
    removals: int = 0

    @property
    def accounted(self) -> int:
        """Sum of all that became of the records."""
        kept = sum(sum(by_rule.values()) for by_rule in (self.quarantined, self.excluded, self.parked))
        return self.to_send + self.unchanged + self.held + kept

    def check(self) -> None:
        """Raise RowSumBroken unless read + carried in equals what became of them (X2)."""
        if self.read + self.carried_in != self.accounted:
            raise RowSumBroken(
                f"{self.feed}: {self.read} records read and {self.carried_in} carried in, but {self.accounted} "
                f"accounted for in plan {self.plan_id}. Nothing is sent. Plan the feed over everything "
                f"and compare; if the difference stays, the feed's builder loses records."
            )

    def as_json(self) -> dict[str, Any]:
        """The figures as plain JSON values."""
        return {
            "plan_id": self.plan_id,
            "feed": self.feed,
            "read": self.read,
            "carried_in": self.carried_in,
            "to_send": self.to_send,
            "unchanged": self.unchanged,
            "held": self.held,
            "quarantined": dict(self.quarantined),
            "excluded": dict(self.excluded),
            "parked": dict(self.parked),
            "creates": self.creates,
            "updates": self.updates,
            "removals": self.removals,
            "api_calls_needed": self.api_calls_needed,
            "least_calls": self.least_calls,
        }


@dataclass(frozen=True)
class DeliveryFigures:
    """What a delivery did; counts of records, `rejected` by rule code, latencies in seconds.

    `to_send = accepted + rejected + submitted + in_doubt + still_planned`; the last is 0 unless the delivery was cut
    short. `settled_earlier` are records submitted by an earlier run whose fate was learnt now, by state, and
    `recovered` what a dead run had left open, by what was decided; both stand outside that sum. `moved` are records
    of the asked plan that a later plan has changed. Latency is from the event in the source to acceptance (X13).
    `least_calls` stands beside `api_calls`: what full batches of the records that left need by the feed's limits,
    without what a client does once (signing in, set-up, listing).
    """

    feed: str
    to_send: int = 0
    accepted: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    submitted: int = 0
    in_doubt: int = 0
    parked: int = 0
    still_planned: int = 0
    api_calls: int = 0
    least_calls: int = 0
    first_try: int = 0
    moved: int = 0
    settled_earlier: Mapping[str, int] = field(default_factory=dict)
    recovered: Mapping[str, int] = field(default_factory=dict)
    latency_p50_s: float | None = None
    latency_p95_s: float | None = None

    @property
    def accounted(self) -> int:
        """Sum of all that became of the records to send."""
        rejected = sum(self.rejected.values())
        return self.accepted + rejected + self.submitted + self.in_doubt + self.parked + self.still_planned

    def check(self) -> None:
        """Raise RowSumBroken unless every record to send has a known fate."""
        if self.to_send != self.accounted:
            raise RowSumBroken(
                f"{self.feed}: {self.to_send} records to send, but the fate of {self.accounted} is known. "
                f"Deliver the feed again: the ledger decides what is still owed."
            )

    def as_json(self) -> dict[str, Any]:
        """The figures as plain JSON values."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        for name in ("rejected", "settled_earlier", "recovered"):
            plain[name] = dict(plain[name])
        return plain
