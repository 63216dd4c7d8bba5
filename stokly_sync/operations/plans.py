"""The newest plans of every feed: what a load has sent, or would send, as it was counted (X12)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from stokly_sync.operations.desk import Desk
from stokly_sync.warehouse.tables import PLANS

_OF_A_FEED: Final = 5


@dataclass(frozen=True)
class StoredPlan:
    """One plan; counts of records, the mappings by rule. `together` is the id under which it can be sent."""

    feed: str
    system: str
    plan_id: str
    together: str
    at: datetime
    sent: bool
    to_send: int
    creates: int
    updates: int
    removals: int
    unchanged: int
    held: int
    quarantined: Mapping[str, int]
    excluded: Mapping[str, int]
    parked: Mapping[str, int]
    api_calls: int


def latest_plans(desk: Desk) -> list[StoredPlan]:
    """The newest plans of each feed that looked at any record, newest first."""
    c, found = PLANS.c, []
    with desk.warehouse.reading() as conn:
        for feed in desk.feeds:
            query = sa.select(c.plan_id, c.run_id, c.created_at, c.counts, c.state).where(
                c.brand == desk.brand, c.feed == feed
            )
            rows = conn.execute(query.order_by(c.created_at.desc()).limit(_OF_A_FEED))
            found += [_plan(desk, feed, row) for row in rows]
    return sorted((p for p in found if _looked_at_any(p)), key=lambda p: p.at, reverse=True)


def _plan(desk: Desk, feed: str, row: Any) -> StoredPlan:
    counts = msgspec.json.decode(row.counts)
    return StoredPlan(
        feed=feed,
        system=desk.feeds[feed].system,
        plan_id=row.plan_id,
        together=row.run_id or row.plan_id,
        at=row.created_at,
        sent=row.state != "planned",
        to_send=counts["to_send"],
        creates=counts.get("creates", 0),
        updates=counts.get("updates", 0),
        removals=counts.get("removals", 0),
        unchanged=counts["unchanged"],
        held=counts["held"],
        quarantined=counts["quarantined"],
        excluded=counts["excluded"],
        parked=counts["parked"],
        api_calls=counts.get("least_calls", counts["api_calls_needed"]),
    )


def _looked_at_any(plan: StoredPlan) -> bool:
    kept = sum(sum(part.values()) for part in (plan.quarantined, plan.excluded, plan.parked))
    return bool(plan.to_send + plan.unchanged + plan.held + kept)
