"""Figures of trust: how well each destination is served, from what every delivery has counted (X13, X21).

Rates are sums over a span of days. Latencies are percentiles of single deliveries and cannot be added up: shown are
those of the newest delivery that sent anything, and the worst of the span.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from stokly_sync.flow import State
from stokly_sync.operations.agreement import last_agreed
from stokly_sync.operations.desk import Desk
from stokly_sync.warehouse.exceptions import OPEN
from stokly_sync.warehouse.figures import Stage
from stokly_sync.warehouse.tables import EXCEPTIONS, LEDGER, RECONCILIATIONS, RUN_FIGURES

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
        by_feed = _delivered(conn, desk.brand, chosen, since)
        waiting, oldest = _waiting(conn, desk.brand, chosen)
        kept = _kept_back(conn, desk.brand)
        return [
            _of_feed(conn, desk, feed, by_feed[feed], waiting.get(feed, {}), oldest.get(feed), kept.get(feed, 0))
            for feed in chosen
        ]


class _Body(msgspec.Struct):
    """What of a delivery's figures is added up; decoded straight into place, because a month has very many."""

    to_send: int = 0
    accepted: int = 0
    first_try: int = 0
    in_doubt: int = 0
    rejected: dict[str, int] = {}
    settled_earlier: dict[str, int] = {}
    latency_p50_s: float | None = None
    latency_p95_s: float | None = None


@dataclass
class _Sums:
    """The deliveries of one feed, added up one by one in order of time."""

    accepted: int = 0
    at_once: int = 0
    first_try: int = 0
    fates: int = 0
    last: datetime | None = None
    points: list[Point] = field(default_factory=list)

    def add(self, at: datetime, body: _Body) -> None:
        """Take in one delivery."""
        settled = body.settled_earlier
        accepted = body.accepted + settled.get(State.ACCEPTED.value, 0)
        refused = sum(body.rejected.values()) + settled.get(State.REJECTED.value, 0)
        self.accepted += accepted
        self.at_once += body.accepted
        self.first_try += body.first_try
        self.fates += accepted + refused + body.in_doubt + settled.get(State.IN_DOUBT.value, 0)
        if body.to_send:
            self.last = at
        if body.latency_p50_s is not None and body.latency_p95_s is not None:
            self.points.append(Point(at, body.latency_p50_s, body.latency_p95_s))


_DECODE: Final = msgspec.json.Decoder(_Body).decode


def _delivered(conn: sa.Connection, brand: str, feeds: Sequence[str], since: datetime) -> dict[str, _Sums]:
    c = RUN_FIGURES.c
    mine = (c.brand == brand, c.subject.in_(feeds), c.stage == Stage.DELIVER.value, c.at > since)
    found = {feed: _Sums() for feed in feeds}
    for subject, at, body in conn.execute(sa.select(c.subject, c.at, c.body).where(*mine).order_by(c.at)):
        found[subject].add(at, _DECODE(body))
    return found


def _of_feed(
    conn: sa.Connection,
    desk: Desk,
    feed: str,
    sums: _Sums,
    waiting: Mapping[str, int],
    oldest: datetime | None,
    kept_back: int,
) -> Trust:
    return Trust(
        feed=feed,
        system=desk.feeds[feed].system,
        accepted=sums.accepted,
        first_try=sums.first_try / sums.at_once if sums.at_once else None,
        final=sums.accepted / sums.fates if sums.fates else None,
        in_doubt=waiting.get(State.IN_DOUBT.value, 0),
        waiting=waiting,
        oldest=oldest,
        kept_back=kept_back,
        latest=sums.points[-1] if sums.points else None,
        worst_p95=max((point.p95 for point in sums.points), default=None),
        last_delivery=sums.last,
        last_agreed=last_agreed(conn, desk.brand, feed),
        agrees=_agrees(conn, desk.brand, feed),
        points=sums.points,
    )


def _waiting(
    conn: sa.Connection, brand: str, feeds: Sequence[str]
) -> tuple[dict[str, dict[str, int]], dict[str, datetime]]:
    """Records that have not arrived, by feed and state, and the oldest event of a feed's."""
    c = LEDGER.c
    since = sa.func.min(sa.func.coalesce(c.event_at, c.planned_at), type_=c.event_at.type)
    query = sa.select(c.feed, c.state, sa.func.count(), since).where(
        c.brand == brand, c.feed.in_(feeds), c.state != State.ACCEPTED.value, c.state.in_([s.value for s in _WAITING])
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
