"""What one landing run did, in numbers that add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from stokly_sync.errors import StoklySyncError
from stokly_sync.flow import Window
from stokly_sync.warehouse.windows import WindowCount


@dataclass
class LandingFigures:
    """Counts of root rows: read = changed + unchanged + quarantined (a row counts once, under its first rule)."""

    dataset: str
    read: int = 0
    changed: int = 0
    unchanged: int = 0
    """Same content as landed before, or an older version of it."""
    removed: int = 0
    """Landed rows that a full read no longer found; beside the sum."""
    quarantined: Counter[str] = field(default_factory=Counter)
    released: int = 0
    """Rows that were quarantined before and passed now; they are among changed or unchanged."""
    api_calls: int = 0
    offered: bool = True
    """False where the account has no such resource."""

    def check(self) -> None:
        """Raise StoklySyncError unless every row that was read is accounted for (X2)."""
        kept = self.changed + self.unchanged + self.quarantined.total()
        if self.read != kept:
            raise StoklySyncError(
                f"{self.dataset}: {self.read} rows read, but {kept} accounted for "
                f"({self.changed} changed, {self.unchanged} unchanged, {self.quarantined.total()} quarantined)."
            )

    def add(self, other: LandingFigures) -> None:
        """Add the counts of another chunk."""
        self.read += other.read
        self.changed += other.changed
        self.unchanged += other.unchanged
        self.removed += other.removed
        self.released += other.released
        self.quarantined.update(other.quarantined)

    def as_dict(self) -> dict[str, object]:
        """Plain values for JSON and metadata."""
        return {
            "read": self.read,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "removed": self.removed,
            "released": self.released,
            "quarantined": dict(sorted(self.quarantined.items())),
            "api_calls": self.api_calls,
            "offered": self.offered,
        }


class Counts:
    """Counts by window over the chunks of one read."""

    def __init__(self) -> None:
        self._by_start: dict[datetime, WindowCount] = {}

    def add(self, found: Iterable[WindowCount]) -> None:
        """Add the counts of a chunk."""
        for count in found:
            old = self._by_start.get(count.window.start, WindowCount(count.window))
            self._by_start[count.window.start] = WindowCount(
                count.window,
                read=old.read + count.read,
                changed=old.changed + count.changed,
                quarantined=old.quarantined + count.quarantined,
            )

    def all(self) -> list[WindowCount]:
        """Counts of every window in which something was seen, in order."""
        return [self._by_start[start] for start in sorted(self._by_start)]

    def of(self, spans: Iterable[Window]) -> list[WindowCount]:
        """Counts for each of `spans`, zero where nothing was seen."""
        return [self._by_start.get(span.start, WindowCount(span)) for span in spans]
