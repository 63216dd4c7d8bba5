"""What was missed: windows that nobody landed, windows that a feed still owes, histories that are not complete.

Schedules drop ticks while the daemon is down, runs crash, and late rows change windows that were sent long ago. All of
that shows in our own ledger of windows, whatever has become of Dagster's history. Pure questions to the warehouse;
`sensors` turns the answers into runs.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from stokly_sync.flow import Feed, Mode, Window
from stokly_sync.landing.grid import STEP, floor, windows_of
from stokly_sync.pipeline.services import Services
from stokly_sync.warehouse import windows

LOOK_BACK: Final = timedelta(days=7)
"""Windows that were never landed are looked for this far back; older ones are found by the nightly sweep."""

SETTLE: Final = timedelta(minutes=12)
"""The schedule's own run of a window gets this long after the window is over."""

MANY: Final = 96
"""More owed windows than this are sent by one baseline run instead of a run each."""


def not_landed(services: Services, source: str, *, now: datetime) -> list[Window]:
    """Closed windows of a source that some dataset lacks or has refused, oldest first.

    Windows before the end of a dataset's baseline are covered by that; without a baseline there are no gaps yet.
    """
    brand = services.warehouse.brand
    end = floor(now - SETTLE)
    found: set[Window] = set()
    with services.warehouse.reading() as conn:
        for extract in services.declared.extracts_of(source):
            if extract.snapshot:
                continue
            known = windows.watermark(conn, brand=brand, dataset=extract.dataset)
            if not known.baseline_done or known.baseline_to is None:
                continue
            start = max(floor(known.watermark or known.baseline_to), floor(now - LOOK_BACK))
            if start < end:
                span = Window(start, end)
                found |= set(windows.missing(conn, brand=brand, dataset=extract.dataset, grid=windows_of(span)))
    return sorted(found)


def owed_windows(services: Services, system: str, *, now: datetime) -> dict[datetime, int]:
    """Starts of the windows that some feed of a destination owes, each with the sum of revisions owed.

    Only windows that are over long enough for the schedule to have seen them; the sum changes when more is owed, so it
    makes a key for a new attempt.
    """
    latest = floor(now - SETTLE)
    found: dict[datetime, int] = {}
    with services.warehouse.reading() as conn:
        for feed in writing_feeds(services, system):
            owed = windows.owed(conn, brand=services.warehouse.brand, feed=feed.id, datasets=feed.datasets)
            for item in owed:
                if item.window.start + STEP <= latest:
                    found[item.window.start] = found.get(item.window.start, 0) + item.revision + 1
    return dict(sorted(found.items()))


def pool_owes(services: Services, system: str, pool: str) -> bool:
    """Whether a feed that has a pool of its own owes anything."""
    with services.warehouse.reading() as conn:
        return any(
            windows.owed(conn, brand=services.warehouse.brand, feed=feed.id, datasets=feed.datasets)
            for feed in services.declared.feeds_of(system)
            if feed.pool == pool and services.mode(feed) is Mode.WRITE
        )


def writing_feeds(services: Services, system: str) -> list[Feed]:
    """Feeds of a destination that run by window and are not off."""
    return [
        f
        for f in services.declared.feeds_of(system)
        if services.mode(f) is not Mode.OFF and services.declared.by_window(f)
    ]


def unread(services: Services, system: str) -> list[str]:
    """Sources that feeds of a destination are made of and whose history is not landed yet; those that are off apart."""
    declared = services.declared
    feeds = (f for f in declared.feeds_of(system) if services.mode(f) is not Mode.OFF)
    needed = {source for feed in feeds for source in declared.sources_of(feed)} & declared.enabled
    return sorted(source for source in needed if not history_complete(services, source))


def history_complete(services: Services, source: str) -> bool:
    """Whether the baseline of every dataset of a source is landed."""
    brand = services.warehouse.brand
    with services.warehouse.reading() as conn:
        return all(
            windows.watermark(conn, brand=brand, dataset=e.dataset).baseline_done
            for e in services.declared.extracts_of(source)
            if not e.snapshot
        )
