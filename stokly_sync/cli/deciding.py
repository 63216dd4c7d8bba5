"""`adopt` and `doubts`: what only a person can say of destinations that can be added to and not asked.

Each prints what it did, and with nothing asked for what there is to decide.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import uuid4

from rich.console import Console
from rich.table import Table

from stokly_sync.delivery.doubts import Doubt, Word, doubts, resolve
from stokly_sync.delivery.figures import PlanScope
from stokly_sync.delivery.history import adopt as adopt_feed
from stokly_sync.errors import SettingsError
from stokly_sync.flow import Feed
from stokly_sync.pipeline import work
from stokly_sync.pipeline.services import Services


def adopt(system: str, *, before: datetime | None) -> int:
    """Take for granted that a destination holds what Stokly holds, feed by feed; sends nothing."""
    with _services() as services:
        if system not in services.declared.systems:
            raise SettingsError(f"There is no system {system!r}; systems are {', '.join(services.declared.systems)}.")
        feeds = [feed for feed in services.declared.feeds_of(system) if feed.append is not None]
        if not feeds:
            raise SettingsError(f"{system} can be asked what it holds: there is nothing to adopt.")
        moment = before.replace(tzinfo=UTC) if before is not None and before.tzinfo is None else before
        for feed in feeds:
            run_id = uuid4().hex
            work.plan_feed(services, feed, PlanScope(everything=True), run_id=run_id)
            found = adopt_feed(services.warehouse, feed, catalogue=services.catalogue, run_id=run_id, before=moment)
            sys.stdout.write(f"{feed.id}: {found:,} records adopted, none sent\n")
    return 0


def doubt(feed_id: str | None, keys: Sequence[str], *, every: bool, arrived: bool, again: bool) -> int:
    """List records in doubt, or say of some that they arrived or are to be sent again; gives 1 while some are left."""
    if arrived and again:
        raise SettingsError("Say either --arrived or --send-again, not both.")
    with _services() as services:
        found = doubts(services.warehouse, feed=feed_id)
        if not arrived and not again:
            _show(found)
            return 1 if found else 0
        feed = _feed(services, feed_id)
        chosen = [one.key for one in found] if every else list(keys)
        if not chosen:
            raise SettingsError("Say of which records: their keys, or --all.")
        word: Word = "arrived" if arrived else "again"
        done = resolve(services.warehouse, feed, chosen, word, catalogue=services.catalogue, run_id=uuid4().hex)
        what = "booked as arrived" if arrived else "sent again by the next load"
        sys.stdout.write(f"{feed.id}: {done:,} records {what}\n")
        return 1 if len(found) > done else 0


def _feed(services: Services, feed_id: str | None) -> Feed:
    feeds = services.declared.feeds
    if feed_id is None or feed_id not in feeds:
        raise SettingsError(f"Say of which feed; there are {', '.join(feeds)}.")
    return feeds[feed_id]


def _show(found: Sequence[Doubt]) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=180)
    if not found:
        console.print("Nothing is in doubt.")
        return
    table = Table(header_style="bold")
    for column in ("feed", "key", "since", "left together as", "why"):
        table.add_column(column, no_wrap=column in ("feed", "key"))
    for one in found:
        since = one.since.strftime("%Y-%m-%d %H:%M") if one.since else ""
        table.add_row(one.feed, one.key, since, (one.attempt_id or "")[:8], one.reason)
    console.print(table)


@contextmanager
def _services() -> Iterator[Services]:
    services = Services.open()
    try:
        yield services
    finally:
        services.close()
