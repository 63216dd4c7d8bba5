"""What a plan comes to: calls, and how long they take under the limits; and what has moved since it was made (X12).

Times are what the rate budget allows when nobody else uses the key; answers that are slower than that come on top, and
so does what the home system and the destinations are asked besides (signing in, reading back).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa

from stokly_sync.delivery.budget import limits_of
from stokly_sync.delivery.figures import PlanFigures
from stokly_sync.flow import Mode
from stokly_sync.pipeline.services import Services
from stokly_sync.pipeline.summary import Summary
from stokly_sync.warehouse.tables import PLANS
from stokly_sync.warehouse.windows import owed


@dataclass(frozen=True)
class Planned:
    """What one feed would send: the figures, seconds under the limits, and whether the feed writes at all."""

    figures: PlanFigures
    seconds: float
    writes: bool


@dataclass(frozen=True)
class Forecast:
    """All that a plan comes to; feeds that only observe do not count in the sums."""

    plan_id: str
    feeds: tuple[Planned, ...]

    @property
    def calls(self) -> int:
        """Calls in all."""
        return sum(one.figures.least_calls for one in self.feeds if one.writes)

    @property
    def seconds(self) -> float:
        """Seconds in all: a sync sends feed by feed."""
        return sum(one.seconds for one in self.feeds if one.writes)

    def as_json(self) -> dict[str, Any]:
        """The object that `stokly-sync plan --json` prints."""
        feeds = {
            one.figures.feed: {
                **one.figures.as_json(),
                "seconds_under_limits": round(one.seconds, 1),
                "writes": one.writes,
            }
            for one in self.feeds
        }
        sums = {
            name: sum(getattr(one.figures, name) for one in self.feeds if one.writes)
            for name in ("to_send", "creates", "updates", "removals", "unchanged")
        }
        total = {**sums, "calls": self.calls, "seconds_under_limits": round(self.seconds, 1)}
        return {"plan_id": self.plan_id, "feeds": feeds, "total": total}


def forecast(services: Services, plan_id: str, figures: Sequence[PlanFigures]) -> Forecast:
    """What the figures of a plan come to under the limits of the settings."""
    feeds = []
    for one in figures:
        feed = services.feed(one.feed)
        seconds = limits_of(services.settings.systems[feed.system]).duration(one.least_calls, feed.lane)
        feeds.append(Planned(one, seconds, services.mode(feed) is Mode.WRITE))
    return Forecast(plan_id, tuple(feeds))


@dataclass(frozen=True)
class Since:
    """What became of one feed's plan: records to send then, those planned anew since, and windows read since.

    `sent` is None where the feed does not write.
    """

    feed: str
    planned: int
    sent: int | None
    moved: int
    windows: int

    def as_json(self) -> Mapping[str, Any]:
        """Plain values."""
        return {"planned": self.planned, "sent": self.sent, "moved": self.moved, "windows_since": self.windows}


def moved_since(services: Services, plan_id: str, found: Summary) -> list[Since]:
    """What a sync of a plan sent of it, and what it did not cover because it came later."""
    c, brand, told = PLANS.c, services.warehouse.brand, []
    query = sa.select(c.feed, c.counts).where(c.brand == brand, sa.or_(c.run_id == plan_id, c.plan_id == plan_id))
    with services.warehouse.reading() as conn:
        counts = {feed: int(msgspec.json.decode(body)["to_send"]) for feed, body in conn.execute(query)}
        for name in [name for name in services.declared.feeds if name in counts]:
            feed, loaded = services.feed(name), found.feeds.get(name)
            later = len(owed(conn, brand=brand, feed=name, datasets=feed.datasets))
            writes = services.mode(feed) is Mode.WRITE
            sent = (loaded.to_send if loaded else 0) if writes else None
            told.append(Since(name, counts[name], sent, loaded.moved if loaded else 0, later))
    return told
