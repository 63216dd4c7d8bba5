"""Plans as people read them in a terminal: what would be sent, and what has moved since a plan was made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from stokly_sync.cli.printing import console_of, kept_back, row_of, table_of
from stokly_sync.contracts.rules import Catalogue
from stokly_sync.pipeline.channels import Beginning
from stokly_sync.pipeline.forecast import Forecast, Planned, Since

_COLUMNS = (
    *("feed", "create", "update", "remove", "unchanged", "held"),
    *("quarantined", "excluded", "parked", "calls", "takes"),
)


def plan(found: Forecast, catalogue: Catalogue, begun: Sequence[Beginning]) -> None:
    """What each feed would send and what that costs, and how to send exactly that."""
    console = console_of()
    table = table_of("Planned", *_COLUMNS)
    kept: Counter[str] = Counter()
    for one in found.feeds:
        f = one.figures
        row_of(table, f.feed if one.writes else f"{f.feed} (not sent: it observes)", *_counts(one), took(one.seconds))
        for part in (f.quarantined, f.excluded, f.parked):
            kept.update(part)
    counted = [_counts(one) for one in found.feeds if one.writes]
    sums = [sum(column) for column in zip(*counted, strict=True)][:-1] if counted else [0] * (len(_COLUMNS) - 3)
    row_of(table, "in all", *sums, found.calls, took(found.seconds))
    console.print(table)
    kept_back(console, kept, catalogue)
    for channel in begun:
        console.print(f"{channel.sentence[:1].upper()}{channel.sentence[1:]}. {channel.advice}".rstrip())
    console.print("Times are what the limits allow; slow answers come on top.")
    console.print(f"Nothing was sent. To send exactly this: stokly-sync sync --plan {found.plan_id}")


def since(found: Sequence[Since]) -> None:
    """What a sync of a plan sent, and what has moved since the plan was made."""
    console = console_of()
    table = table_of("The plan", "feed", "planned", "sent", "planned anew since", "windows read since")
    for one in found:
        row_of(table, one.feed, one.planned, "observes" if one.sent is None else one.sent, one.moved, one.windows)
    console.print(table)
    if any(one.moved or one.windows for one in found):
        console.print("What has moved since is not part of the plan: stokly-sync sync sends it.")


def took(seconds: float) -> str:
    """A span for people."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _counts(one: Planned) -> list[int]:
    f = one.figures
    parts = [sum(part.values()) for part in (f.quarantined, f.excluded, f.parked)]
    return [f.creates, f.updates, f.removals, f.unchanged, f.held, *parts, f.least_calls]
