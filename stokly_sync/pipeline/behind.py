"""Feeds that fall behind their schedule, as findings (O4, X8).

A feed is up to date when its dataset was read not long ago and nothing of it waits to be sent for long. A feed without
anything to send has no runs, and is up to date all the same. What Dagster remembers of runs does not count: a backfill
of last March makes a feed that stands still look fresh there.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import takewhile
from typing import Final

from stokly_sync.contracts.rules import Severity
from stokly_sync.delivery.due import waiting_since
from stokly_sync.flow import Feed, Lane, Mode
from stokly_sync.pipeline.services import Services
from stokly_sync.warehouse import findings, windows
from stokly_sync.warehouse.figures import Figures, Stage, latest_figures

KIND: Final = "behind"
PROBLEM: Final = "behind"

LIMITS: Final = {Lane.FAST: timedelta(minutes=30), Lane.INTERVAL: timedelta(hours=1), Lane.BULK: timedelta(hours=1)}
"""How long a change may wait: twice the cadence and the time that a run may take, at the least."""

_LOOKED_AT: Final = 50


def note_behind(services: Services, *, now: datetime) -> tuple[int, int]:
    """Raise a finding for each feed that is behind and clear those that caught up; gives both numbers.

    A feed that has never delivered anything is not behind: it has not begun.
    """
    raised = cleared = 0
    for feed in services.declared.feeds.values():
        if feed.system not in services.declared.enabled or services.mode(feed) is not Mode.WRITE:
            continue
        deliveries = _latest(services, feed.id, Stage.DELIVER, _LOOKED_AT)
        if not deliveries:
            continue
        since = min([now, *_open_since(services, feed, deliveries)])
        late = now - since > LIMITS[feed.lane]
        _note(services, feed, since, late=late, now=now)
        raised, cleared = raised + late, cleared + (not late)
    return raised, cleared


def _open_since(services: Services, feed: Feed, deliveries: list[Figures]) -> list[datetime]:
    """Moments from which on the destination may lack something: not read, not planned, not sent."""
    incomplete = list(takewhile(lambda figures: figures.body.get("still_planned"), deliveries))
    moments = [_read_until(services, feed), incomplete[-1].at if incomplete else None]
    with services.warehouse.reading() as conn:
        moments.append(waiting_since(conn, feed, brand=services.warehouse.brand))
    return [moment for moment in moments if moment is not None]


def _read_until(services: Services, feed: Feed) -> datetime | None:
    """Up to when changes of the feed's dataset are known; None where it was never read."""
    if not services.declared.by_window(feed):
        # A list that is always read whole has no windows without a gap; its last reading is what it shows.
        found = _latest(services, feed.dataset, Stage.EXTRACT, 1)
        return found[0].at if found else None
    with services.warehouse.reading() as conn:
        return windows.watermark(conn, brand=services.warehouse.brand, dataset=feed.dataset).watermark


def _latest(services: Services, subject: str, stage: Stage, limit: int) -> list[Figures]:
    with services.warehouse.reading() as conn:
        return latest_figures(conn, brand=services.warehouse.brand, subject=subject, stage=stage, limit=limit)


def _note(services: Services, feed: Feed, since: datetime, *, late: bool, now: datetime) -> None:
    brand = services.warehouse.brand
    with services.warehouse.transaction() as conn:
        if not late:
            findings.clear_finding(conn, brand=brand, kind=KIND, subject=feed.id, problem_key=PROBLEM, at=now)
            return
        minutes = int((now - since).total_seconds() // 60)
        findings.raise_finding(
            conn,
            brand=brand,
            kind=KIND,
            subject=feed.id,
            problem_key=PROBLEM,
            title=f"{feed.id} is behind: what changed {minutes} minutes ago may not have arrived yet.",
            body={"minutes": minutes, "allowed_minutes": int(LIMITS[feed.lane].total_seconds() // 60)},
            severity=Severity.HIGH,
            owner=feed.owner,
            at=now,
        )
