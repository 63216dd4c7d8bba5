"""Results as people read them in a terminal: tables, one line of verdict, no JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from stokly_sync.contracts.rules import Catalogue
from stokly_sync.demo import Defect, Result
from stokly_sync.demo.circle import Stop
from stokly_sync.pipeline.declared import all_rules
from stokly_sync.pipeline.summary import AGREED, Exit, FeedFigures, Summary
from stokly_sync.systems import SYSTEMS

_MOST = 20


def summary(found: Summary, catalogue: Catalogue) -> None:
    """What was extracted, loaded, kept back by which rule, and whether the systems agree."""
    console = console_of()
    _extracted(console, found.extracted)
    _loaded(console, found.feeds)
    kept: Counter[str] = Counter(found.kept_out)
    for feed in found.feeds.values():
        for part in (feed.quarantined, feed.excluded, feed.parked):
            kept.update({code: n for code, n in part.items() if code not in found.kept_out})
    kept_back(console, kept, catalogue)
    _reconciled(console, found.reconciliations)
    console.print(_verdict(found))


def demo(result: Result) -> None:
    """The summary, the sums, and planted defects against reported ones."""
    console = console_of()
    if not result.limits:
        console.print("The sandboxes ran without the vendors' rate limits; `stokly-sync demo --limits` turns them on.")
    if result.report is not None:
        r = result.report
        table = table_of("Rows of the file", "became", "rows")
        for name in ("order_lines", "refund_lines", "credit_note_lines", "write_off_lines"):
            row_of(table, name.replace("_", " "), getattr(r, name))
        for reason, count in sorted(r.excluded.items()):
            row_of(table, f"excluded: {reason}", count)
        row_of(table, "all", f"{r.accounted:,} of {r.rows:,}")
        console.print(table)
    summary(result.summary, all_rules(SYSTEMS))
    open_sums = [feed for feed, figures in result.summary.feeds.items() if not figures.closes]
    console.print(
        f"Sums that do not close: {', '.join(open_sums)}."
        if open_sums
        else "Every record of every feed is accounted for."
    )
    _circle(console, result.circle)
    _defects(console, "Planted, but not reported", result.missing)
    _defects(console, "Reported, but not planted", result.unexpected)
    if result.planted and not result.missing and not result.unexpected:
        console.print(f"All {len(result.planted)} planted defects were reported under their rules, and none besides.")
    console.print("Look at it in the interface: make dev (or stokly-sync dev)")


def _extracted(console: Console, extracted: Mapping[str, Mapping[str, Any]]) -> None:
    if not extracted:
        return
    table = table_of("Extracted", "dataset", "read", "changed", "unchanged", "removed", "quarantined", "calls")
    for dataset, body in extracted.items():
        kept = sum(body["quarantined"].values())
        counts = (body["read"], body["changed"], body["unchanged"], body["removed"], kept, body["api_calls"])
        row_of(table, dataset if body.get("offered", True) else f"{dataset} (not offered)", *counts)
    console.print(table)


def _loaded(console: Console, feeds: Mapping[str, FeedFigures]) -> None:
    if not feeds:
        return
    columns = ("read", "accepted", "rejected", "in doubt", "unchanged", "held", "quarantined", "excluded", "parked")
    table = table_of("Loaded", "feed", *columns, "calls")
    for feed, f in feeds.items():
        kept = (f.quarantined.total(), f.excluded.total(), f.parked.total())
        row_of(table, feed, f.read, f.accepted, f.rejected, f.in_doubt, f.unchanged, f.held, *kept, f.api_calls)
    console.print(table)


def kept_back(console: Console, kept: Mapping[str, int], catalogue: Catalogue) -> None:
    """Records by the rule that keeps them back, with what to do."""
    if not kept:
        return
    table = table_of("Kept back", "rule", "records", "problem", "what to do", "owner")
    for code, count in sorted(kept.items()):
        rule = catalogue[code]
        table.add_row(code, f"{count:,}", rule.problem, rule.advice, rule.owner.value)
    console.print(table)


def _reconciled(console: Console, reconciliations: Mapping[str, Mapping[str, Any]]) -> None:
    for system, body in reconciliations.items():
        table = table_of(
            f"Reconciled with {system}", "feed", "in the source", "expected", "found", "explained", "unexplained"
        )
        for name, feed in body["feeds"].items():
            counts, differences = feed["counts"], feed["differences"]
            explained = sum(differences["explained"].values())
            label = name if feed["read_back"] else f"{name} (by the ledger)"
            row_of(
                table,
                label,
                counts[feed["source"]],
                counts["expected"],
                counts["destination"],
                explained,
                differences["unexplained"],
            )
        console.print(table)


def _circle(console: Console, stops: Sequence[Stop]) -> None:
    if not stops:
        return
    table = table_of("Round the circle", "what", "wanted", "found")
    for stop in stops:
        row_of(table, stop.what, stop.wanted, stop.found)
    console.print(table)
    missed = sum(1 for stop in stops if not stop.reached)
    console.print(
        f"The circle is not closed: {missed} of {len(stops)} are not as wanted."
        if missed
        else "The circle is closed: each order, parcel and refund is there once, on every side."
    )


def _defects(console: Console, title: str, defects: Sequence[Defect]) -> None:
    if not defects:
        return
    table = table_of(f"{title} ({len(defects)})", "rule", "subject", "key", "what is wrong")
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
    others = ", ".join(system for system in found.reconciliations if system != "stokly")
    return f"Stokly and {others} agree: every difference is explained by a named record."


def table_of(title: str, *columns: str) -> Table:
    """A table whose columns hold numbers, but for the first one and those known to hold words."""
    table = Table(title=title, title_justify="left", header_style="bold")
    for i, column in enumerate(columns):
        text = i == 0 or column in {"problem", "what to do", "owner", "subject", "key", "what is wrong"}
        table.add_column(column, justify="left" if text else "right", no_wrap=i == 0)
    return table


def row_of(table: Table, name: str, *values: int | str) -> None:
    """Add a row; numbers are written for people."""
    table.add_row(name, *(value if isinstance(value, str) else f"{value:,}" for value in values))


def console_of() -> Console:
    """Where tables go."""
    console = Console(highlight=False)
    # Without a terminal there is no width to know; tables that wrap at 80 columns can be read by nobody.
    return console if console.is_terminal else Console(highlight=False, width=160)
