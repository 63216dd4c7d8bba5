"""Feeds that fall behind their schedule, as findings (O4, X8).

A feed is up to date when a delivery of it left nothing unsent not long ago. What Dagster remembers of runs does not
count: a backfill of last March makes a feed that stands still look fresh there.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from stokly_sync.contracts.rules import Severity
from stokly_sync.flow import Feed, Lane, Mode
from stokly_sync.pipeline.services import Services
from stokly_sync.warehouse import findings
from stokly_sync.warehouse.figures import Stage, latest_figures

KIND: Final = "behind"
PROBLEM: Final = "behind"

LIMITS: Final = {Lane.FAST: timedelta(minutes=30), Lane.INTERVAL: timedelta(hours=1), Lane.BULK: timedelta(hours=1)}
"""How old the last complete delivery may be: twice the cadence and the time that a run may take, at the least."""

_LOOKED_AT: Final = 50


def note_behind(services: Services, *, now: datetime) -> tuple[int, int]:
    """Raise a finding for each feed that is behind and clear those that caught up; gives both numbers.

    A feed that has never delivered anything is not behind: it has not begun.
    """
    raised = cleared = 0
    for feed in services.declared.feeds.values():
        if feed.system not in services.declared.enabled or services.mode(feed) is not Mode.WRITE:
            continue
        last = last_complete_delivery(services, feed)
        if last is None:
            continue
        late = now - last > LIMITS[feed.lane]
        _note(services, feed, last, late=late, now=now)
        raised, cleared = raised + late, cleared + (not late)
    return raised, cleared


def last_complete_delivery(services: Services, feed: Feed) -> datetime | None:
    """When a delivery of the feed last left nothing unsent; None where that was never, or too many deliveries ago."""
    with services.warehouse.reading() as conn:
        found = latest_figures(
            conn, brand=services.warehouse.brand, subject=feed.id, stage=Stage.DELIVER, limit=_LOOKED_AT
        )
    complete = (figures.at for figures in found if not figures.body.get("still_planned"))
    return next(complete, found[-1].at if found else None)


def _note(services: Services, feed: Feed, last: datetime, *, late: bool, now: datetime) -> None:
    brand = services.warehouse.brand
    with services.warehouse.transaction() as conn:
        if not late:
            findings.clear_finding(conn, brand=brand, kind=KIND, subject=feed.id, problem_key=PROBLEM, at=now)
            return
        minutes = int((now - last).total_seconds() // 60)
        findings.raise_finding(
            conn,
            brand=brand,
            kind=KIND,
            subject=feed.id,
            problem_key=PROBLEM,
            title=f"{feed.id} is behind: its last complete delivery was {minutes} minutes ago.",
            body={"minutes": minutes, "allowed_minutes": int(LIMITS[feed.lane].total_seconds() // 60)},
            severity=Severity.HIGH,
            owner=feed.owner,
            at=now,
        )
