"""Results as people read them in a terminal: tables, one line of verdict, no JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from stokly_sync.contracts.rules import Catalogue
from stokly_sync.delivery.figures import PlanFigures
from stokly_sync.demo import Defect, Result
from stokly_sync.pipeline.declared import all_rules
from stokly_sync.pipeline.summary import AGREED, Exit, FeedFigures, Summary
from stokly_sync.systems import SYSTEMS

_MOST = 20


def summary(found: Summary, catalogue: Catalogue) -> None:
    """What was extracted, loaded, kept back by which rule, and whether the systems agree."""
    console = _console()
    _extracted(console, found.extracted)
    _loaded(console, found.feeds)
    kept: Counter[str] = Counter(found.kept_out)
    for feed in found.feeds.values():
        for part in (feed.quarantined, feed.excluded, feed.parked):
            kept.update({code: n for code, n in part.items() if code not in found.kept_out})
    _rules(console, kept, catalogue)
    _reconciled(console, found.reconciliations)
    console.print(_verdict(found))


def plan(plan_id: str, figures: Sequence[PlanFigures], minutes: Mapping[str, float], catalogue: Catalogue) -> None:
    """What each feed would send, in how many calls and minutes at the least, and how to send exactly that."""
    console = _console()
    kinds = ("read", "to send", "unchanged", "held", "quarantined", "excluded", "parked")
    table = _table("Planned", "feed", *kinds, "calls", "minutes")
    kept: Counter[str] = Counter()
    for f in figures:
        parts = [sum(p.values()) for p in (f.quarantined, f.excluded, f.parked)]
        counts = (f.read + f.carried_in, f.to_send, f.unchanged, f.held, *parts, f.api_calls_needed)
        _row(table, f.feed, *counts, f"{minutes[f.feed]:,}")
        for part in (f.quarantined, f.excluded, f.parked):
            kept.update(part)
    console.print(table)
    _rules(console, kept, catalogue)
    console.print(f"Nothing was sent. To send exactly this: stokly-sync sync --plan {plan_id}")


def demo(result: Result) -> None:
    """The summary, the sums, and planted defects against reported ones."""
    console = _console()
    if not result.limits:
        console.print("The sandboxes ran without the vendors' rate limits; `stokly-sync demo --limits` turns them on.")
    if result.report is not None:
        r = result.report
        table = _table("Rows of the file", "became", "rows")
        for name in ("order_lines", "refund_lines", "credit_note_lines", "write_off_lines"):
            _row(table, name.replace("_", " "), getattr(r, name))
        for reason, count in sorted(r.excluded.items()):
            _row(table, f"excluded: {reason}", count)
        _row(table, "all", f"{r.accounted:,} of {r.rows:,}")
        console.print(table)
    summary(result.summary, all_rules(SYSTEMS))
    open_sums = [feed for feed, figures in result.summary.feeds.items() if not figures.closes]
    console.print(
        f"Sums that do not close: {', '.join(open_sums)}."
        if open_sums
        else "Every record of every feed is accounted for."
    )
    _defects(console, "Planted, but not reported", result.missing)
    _defects(console, "Reported, but not planted", result.unexpected)
    if result.planted and not result.missing and not result.unexpected:
        console.print(f"All {len(result.planted)} planted defects were reported under their rules, and none besides.")
    console.print("Look at it in the interface: make dev (or stokly-sync dev)")


def _extracted(console: Console, extracted: Mapping[str, Mapping[str, Any]]) -> None:
    if not extracted:
        return
    table = _table("Extracted", "dataset", "read", "changed", "unchanged", "removed", "quarantined", "calls")
    for dataset, body in extracted.items():
        kept = sum(body["quarantined"].values())
        counts = (body["read"], body["changed"], body["unchanged"], body["removed"], kept, body["api_calls"])
        _row(table, dataset if body.get("offered", True) else f"{dataset} (not offered)", *counts)
    console.print(table)


def _loaded(console: Console, feeds: Mapping[str, FeedFigures]) -> None:
    if not feeds:
        return
    columns = ("read", "accepted", "rejected", "in doubt", "unchanged", "held", "quarantined", "excluded", "parked")
    table = _table("Loaded", "feed", *columns, "calls")
    for feed, f in feeds.items():
        kept = (f.quarantined.total(), f.excluded.total(), f.parked.total())
        _row(table, feed, f.read, f.accepted, f.rejected, f.in_doubt, f.unchanged, f.held, *kept, f.api_calls)
    console.print(table)


def _rules(console: Console, kept: Mapping[str, int], catalogue: Catalogue) -> None:
    if not kept:
        return
    table = _table("Kept back", "rule", "records", "problem", "what to do", "owner")
    for code, count in sorted(kept.items()):
        rule = catalogue[code]
        table.add_row(code, f"{count:,}", rule.problem, rule.advice, rule.owner.value)
    console.print(table)


def _reconciled(console: Console, reconciliations: Mapping[str, Mapping[str, Any]]) -> None:
    for system, body in reconciliations.items():
        table = _table(
            f"Reconciled with {system}", "feed", "in the source", "expected", "found", "explained", "unexplained"
        )
        for name, feed in body["feeds"].items():
            counts, differences = feed["counts"], feed["differences"]
            explained = sum(differences["explained"].values())
            label = name if feed["read_back"] else f"{name} (by the ledger)"
            _row(
                table,
                label,
                counts[feed["source"]],
                counts["expected"],
                counts["destination"],
                explained,
                differences["unexplained"],
            )
        console.print(table)


def _defects(console: Console, title: str, defects: Sequence[Defect]) -> None:
    if not defects:
        return
    table = _table(f"{title} ({len(defects)})", "rule", "subject", "key", "what is wrong")
    for d in defects[:_MOST]:
        table.add_row(d.rule, d.subject, d.key, d.note)
    console.print(table)


def _verdict(found: Summary) -> str:
    if found.exit is Exit.COULD_NOT_RUN:
        return "Not everything could run; see the messages."
    if not found.reconciliations:
        return "Nothing was reconciled: no destination is set up."
    apart = [system for system, body in found.reconciliations.items() if body["status"] != AGREED]
    if apart:
        return f"What was read and {', '.join(apart)} do not agree: there are unexplained differences."
    if found.exit is Exit.DIFFERS:
        return "Some records are in doubt or their fate is not known yet."
    return f"Stokly and {', '.join(found.reconciliations)} agree: every difference is explained by a named record."


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", header_style="bold")
    for i, column in enumerate(columns):
        text = i == 0 or column in {"problem", "what to do", "owner", "subject", "key", "what is wrong"}
        table.add_column(column, justify="left" if text else "right", no_wrap=i == 0)
    return table


def _row(table: Table, name: str, *values: int | str) -> None:
    table.add_row(name, *(value if isinstance(value, str) else f"{value:,}" for value in values))


def _console() -> Console:
    console = Console(highlight=False)
    # Without a terminal there is no width to know; tables that wrap at 80 columns can be read by nobody.
    return console if console.is_terminal else Console(highlight=False, width=160)
