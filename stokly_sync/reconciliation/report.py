"""How a comparison is told: as the JSON of `stokly-sync sync`, as a stored body, and in one sentence.

Amounts are text with two places per currency. Nothing personal: keys are ids, compared texts are no addresses, and
what looks like one all the same is masked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final

import msgspec

from stokly_sync.contracts import money
from stokly_sync.delivery.calls import masked
from stokly_sync.flow import Json
from stokly_sync.reconciliation.compare import Comparison, Difference

SAMPLE: Final = 20
"""Differences that a message, and a comparison that is not the newest, lists; their number stands beside them."""
KEPT: Final = 10_000
"""Differences that the newest comparison of a feed lists; their number stands beside them."""


@dataclass(frozen=True)
class Body:
    """The same body as a value and as JSON text."""

    value: Json
    text: str


def body_of(comparison: Comparison) -> Body:
    """What is stored of one comparison: counts, totals, differences by rule, and the records that differ.

    Those that nothing explains come first; `differing` counts all, `records` lists the first KEPT.
    """
    rows = [*comparison.unexplained, *(d for d in comparison.differences if d.explained_by is not None)]
    records = {"differing": len(rows), "records": [_row(d) for d in rows[:KEPT]]}
    return _body(feed_json(comparison) | records)


def finding_of(comparison: Comparison) -> Json:
    """What a message about a comparison holds: the same numbers, and the first unexplained records."""
    return feed_json(comparison) | {"sample": [_row(d) for d in comparison.unexplained[:SAMPLE]]}


def shortened(text: str) -> str | None:
    """The body of a comparison that is not the newest any more, with its first records; None where it has no more."""
    value = msgspec.json.decode(text)
    records = value.get("records", ())
    return _body(value | {"records": records[:SAMPLE]}).text if len(records) > SAMPLE else None


def _body(value: Json) -> Body:
    return Body(value, msgspec.json.encode(value).decode())


def title_of(comparison: Comparison) -> str:
    """What is wrong, in one sentence."""
    parts = []
    if comparison.unexplained:
        parts.append(f"{len(comparison.unexplained)} unexplained differences")
    if comparison.in_doubt:
        parts.append(f"{comparison.in_doubt} records in doubt")
    if comparison.unaccounted:
        parts.append("unaccounted " + ", ".join(f"{a} {c}" for c, a in money.texts(comparison.unaccounted).items()))
    return f"{comparison.feed} does not agree with {comparison.came_from.title()}: {', '.join(parts)}."


def feed_json(comparison: Comparison) -> Json:
    """One feed of a reconciliation as plain JSON values."""
    return {
        "status": "agreed" if comparison.agreed else "differs",
        "source": comparison.came_from,
        "read_back": comparison.read_back,
        "counts": {
            comparison.came_from: comparison.source.count,
            "expected": comparison.ours.count,
            "destination": comparison.theirs.count,
        },
        "totals": _both(
            comparison.came_from, comparison.source.totals or comparison.ours.totals, comparison.theirs.totals
        ),
        "refunds": _both(comparison.came_from, comparison.ours.refunds, comparison.theirs.refunds),
        "differences": {
            "explained": comparison.explained,
            "unexplained": len(comparison.unexplained),
            "unexplained_by_kind": _by_kind(comparison.unexplained),
            "unaccounted": money.texts(comparison.unaccounted),
            "in_doubt": comparison.in_doubt,
        },
    }


def as_json(comparisons: Iterable[Comparison]) -> Json:
    """The reconciliation of one destination: its status, and every feed by name."""
    found = list(comparisons)
    feeds = {c.feed.partition("/")[2]: feed_json(c) for c in found}
    return {
        "status": "agreed" if all(c.agreed for c in found) else "differs",
        "counts": {name: feed["counts"] for name, feed in feeds.items()},
        "totals": {name: feed["totals"] for name, feed in feeds.items() if feed["totals"]},
        "refunds": {name: feed["refunds"] for name, feed in feeds.items() if feed["refunds"]},
        "differences": {
            "explained": sum(sum(c.explained.values()) for c in found),
            "unexplained": sum(len(c.unexplained) + len(c.unaccounted) for c in found),
            "in_doubt": sum(c.in_doubt for c in found),
        },
        "feeds": feeds,
    }


def _both(source: str, ours: Any, theirs: Any) -> Json:
    currencies = sorted({*ours, *theirs})
    return {c: {source: money.text(ours.get(c, 0)), "destination": money.text(theirs.get(c, 0))} for c in currencies}


def _by_kind(differences: Iterable[Difference]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for difference in differences:
        kind = f"{difference.kind}:{difference.field}" if difference.field else str(difference.kind)
        counts[kind] = counts.get(kind, 0) + 1
    return dict(sorted(counts.items()))


def _row(difference: Difference) -> Json:
    texts = {name: masked(getattr(difference, name)) for name in ("key", "ours", "theirs")}
    return asdict(difference) | texts | {"amount": money.text(difference.amount), "kind": str(difference.kind)}
