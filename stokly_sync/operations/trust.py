"""Figures of trust: how well each destination is served, from what every delivery has counted (X13, X21).

Rates are sums over a span of days. Latencies are percentiles of single deliveries and cannot be added up: shown are
those of the newest delivery that sent anything, and the worst of the span.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from stokly_sync.flow import State
from stokly_sync.operations.desk import Desk
from stokly_sync.operations.tracing import last_agreed
from stokly_sync.warehouse import figures
from stokly_sync.warehouse.exceptions import OPEN
from stokly_sync.warehouse.figures import Figures, Stage
from stokly_sync.warehouse.tables import EXCEPTIONS, LEDGER, RECONCILIATIONS

DAYS: Final = 7
_WAITING: Final = (State.PLANNED, State.SUBMITTED, State.PARKED, State.REJECTED, State.IN_DOUBT)


@dataclass(frozen=True)
class Point:
    """One delivery in a chart: when it ended (UTC), and latencies in seconds."""

    at: datetime
    p50: float
    p95: float


@dataclass(frozen=True)
class Trust:
    """The figures of one feed over the span; rates are None where nothing was sent. Times are UTC, seconds latencies.

    `waiting` counts records by state that are meant to arrive and have not; `oldest` is the time of the oldest of their
    events. `kept_back` are open exceptions, which a person has to see to.
    """

    feed: str
    system: str
    accepted: int
    first_try: float | None
    final: float | None
    in_doubt: int
    waiting: Mapping[str, int]
    oldest: datetime | None
    kept_back: int
    latest: Point | None
    worst_p95: float | None
    last_delivery: datetime | None
    last_agreed: datetime | None
    agrees: bool | None
    """Whether the newest reconciliation agreed; None without any."""
    points: Sequence[Point]


def trust(desk: Desk, *, days: int = DAYS, now: datetime | None = None, feeds: Sequence[str] = ()) -> list[Trust]:
    """The figures of every feed, or of some, in the order of their declaration."""
    chosen = feeds or list(desk.feeds)
    since = (now or datetime.now(UTC)) - timedelta(days=days)
    with desk.warehouse.reading() as conn:
        delivered = figures.figures_since(conn, brand=desk.brand, subjects=chosen, stage=Stage.DELIVER, after=since)
        waiting, oldest = _waiting(conn, desk.brand, chosen)
        kept = _kept_back(conn, desk.brand)
        by_feed: dict[str, list[Figures]] = {feed: [] for feed in chosen}
        for one in delivered:
            by_feed[one.subject].append(one)
        return [
            _of_feed(conn, desk, feed, by_feed[feed], waiting.get(feed, {}), oldest.get(feed), kept.get(feed, 0))
            for feed in chosen
        ]


def _of_feed(
    conn: sa.Connection,
    desk: Desk,
    feed: str,
    found: Sequence[Figures],
    waiting: Mapping[str, int],
    oldest: datetime | None,
    kept_back: int,
) -> Trust:
    accepted = sum(one.body["accepted"] + _settled(one, State.ACCEPTED) for one in found)
    refused = sum(sum(one.body["rejected"].values()) + _settled(one, State.REJECTED) for one in found)
    doubtful = sum(one.body["in_doubt"] + _settled(one, State.IN_DOUBT) for one in found)
    fates, at_once = accepted + refused + doubtful, sum(one.body["accepted"] for one in found)
    points = [point for one in found if (point := _point(one)) is not None]
    return Trust(
        feed=feed,
        system=desk.feeds[feed].system,
        accepted=accepted,
        first_try=sum(one.body["first_try"] for one in found) / at_once if at_once else None,
        final=accepted / fates if fates else None,
        in_doubt=waiting.get(State.IN_DOUBT.value, 0),
        waiting=waiting,
        oldest=oldest,
        kept_back=kept_back,
        latest=points[-1] if points else None,
        worst_p95=max((point.p95 for point in points), default=None),
        last_delivery=max((one.at for one in found if one.body["to_send"]), default=None),
        last_agreed=last_agreed(conn, desk.brand, feed),
        agrees=_agrees(conn, desk.brand, feed),
        points=points,
    )


def _settled(one: Figures, state: State) -> int:
    return int(one.body.get("settled_earlier", {}).get(state.value, 0))


def _point(one: Figures) -> Point | None:
    p50, p95 = one.body.get("latency_p50_s"), one.body.get("latency_p95_s")
    return None if p50 is None or p95 is None else Point(one.at, float(p50), float(p95))


def _waiting(
    conn: sa.Connection, brand: str, feeds: Sequence[str]
) -> tuple[dict[str, dict[str, int]], dict[str, datetime]]:
    """Records that have not arrived, by feed and state, and the oldest event of a feed's."""
    c = LEDGER.c
    since = sa.func.min(sa.func.coalesce(c.event_at, c.planned_at), type_=c.event_at.type)
    query = sa.select(c.feed, c.state, sa.func.count(), since).where(
        c.brand == brand, c.feed.in_(feeds), c.state.in_([s.value for s in _WAITING])
    )
    counts: dict[str, dict[str, int]] = {}
    oldest: dict[str, datetime] = {}
    for feed, state, count, at in conn.execute(query.group_by(c.feed, c.state)):
        counts.setdefault(feed, {})[state] = count
        if at is not None:
            oldest[feed] = min(at, oldest.get(feed, at))
    return counts, oldest


def _kept_back(conn: sa.Connection, brand: str) -> dict[str, int]:
    e = EXCEPTIONS.c
    query = sa.select(e.subject, sa.func.count()).where(e.brand == brand, e.state == OPEN).group_by(e.subject)
    return {row[0]: row[1] for row in conn.execute(query)}


def _agrees(conn: sa.Connection, brand: str, feed: str) -> bool | None:
    c = RECONCILIATIONS.c
    query = sa.select(c.status).where(c.brand == brand, c.subject == feed).order_by(c.at.desc()).limit(1)
    status: Any = conn.execute(query).scalar_one_or_none()
    return None if status is None else bool(status == "agreed")
