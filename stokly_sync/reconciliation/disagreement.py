"""How the two sides of one feed differ, as the audit shows it. What it asks landed rows is in `audit`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from stokly_sync.contracts import money
from stokly_sync.reconciliation.audit import EXAMPLES
from stokly_sync.reconciliation.compare import Comparison, Kind


@dataclass(frozen=True)
class Disagreement:
    """How one feed's two sides differ: records by kind, and the first of them."""

    feed: str
    ours: int
    theirs: int
    totals: str
    counts: Mapping[str, int]
    examples: tuple[str, ...]
    read_back: bool

    @property
    def open(self) -> int:
        """Records that differ without a rule that explains it; what cannot be read back is no difference."""
        return sum(self.counts.values()) if self.read_back else 0


def disagreement(comparison: Comparison) -> Disagreement:
    """A comparison as the report shows it; differences that a rule explains stand among what is kept back."""
    open_ones = comparison.unexplained
    counts = Counter(d.kind.value for d in open_ones)
    currencies = sorted({*comparison.ours.totals, *comparison.theirs.totals})
    totals = "; ".join(
        f"{money.text(comparison.ours.totals.get(c, 0))} / {money.text(comparison.theirs.totals.get(c, 0))} {c}"
        for c in currencies
    )
    return Disagreement(
        comparison.feed,
        comparison.ours.count,
        comparison.theirs.count,
        totals,
        {kind.value: counts.get(kind.value, 0) for kind in Kind},
        tuple(d.key for d in open_ones[:EXAMPLES]),
        comparison.read_back,
    )
