"""Whether two systems agree, now and over time: what every reconciliation has stored, for people (X7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from stokly_sync.operations.desk import Desk
from stokly_sync.operations.looking import NoSuchException
from stokly_sync.warehouse.tables import RECONCILIATIONS

POINTS: Final = 60
"""Reconciliations of a feed that a chart shows."""


@dataclass(frozen=True)
class Drift:
    """One reconciliation in a chart: records that differ with and without a reason, and the gap of the counts."""

    at: datetime
    unexplained: int
    explained: int
    gap: int


@dataclass(frozen=True)
class Agreement:
    """The newest reconciliation of a feed. Amounts are text per currency.

    `counts` are those of `source`, `expected` and `destination`; `came_from` names the system of the first.
    """

    feed: str
    system: str
    at: datetime
    run_id: str | None
    agreed: bool
    came_from: str
    read_back: bool
    counts: Mapping[str, int]
    totals: Mapping[str, Mapping[str, str]]
    refunds: Mapping[str, Mapping[str, str]]
    explained: Mapping[str, int]
    unexplained: int
    in_doubt: int
    unaccounted: Mapping[str, str]
    differing: int
    """Records that differ, with and without a reason."""
    records: Sequence[Mapping[str, Any]]
    """Those of them that are kept, the unexplained ones first."""
    last_agreed: datetime | None


def agreements(desk: Desk) -> list[Agreement]:
    """The newest reconciliation of every feed that has one, in the order of declaration."""
    with desk.warehouse.reading() as conn:
        found = [(feed, _newest(conn, desk.brand, feed, 1)) for feed in desk.feeds]
        return [_agreement(conn, desk, feed, rows[0]) for feed, rows in found if rows]


def agreement(desk: Desk, feed: str) -> Agreement:
    """The newest reconciliation of one feed; raises NoSuchException where there is none."""
    with desk.warehouse.reading() as conn:
        rows = _newest(conn, desk.brand, feed, 1) if feed in desk.feeds else ()
        if not rows:
            raise NoSuchException(f"Nothing was compared for {feed} yet.")
        return _agreement(conn, desk, feed, rows[0])


def drift(desk: Desk, feed: str, *, points: int = POINTS) -> list[Drift]:
    """The newest reconciliations of a feed, oldest first."""
    with desk.warehouse.reading() as conn:
        rows = _newest(conn, desk.brand, feed, points)
    return [_drift(row.at, msgspec.json.decode(row.body)) for row in reversed(rows)]


def last_agreed(conn: sa.Connection, brand: str, feed: str) -> datetime | None:
    """When a feed's two sides last agreed (UTC)."""
    c = RECONCILIATIONS.c
    query = sa.select(c.at).where(c.brand == brand, c.subject == feed, c.status == "agreed")
    return conn.execute(query.order_by(c.at.desc()).limit(1)).scalar_one_or_none()


def _newest(conn: sa.Connection, brand: str, feed: str, limit: int) -> Sequence[Any]:
    c = RECONCILIATIONS.c
    query = sa.select(c.at, c.run_id, c.status, c.body).where(c.brand == brand, c.subject == feed)
    return conn.execute(query.order_by(c.at.desc()).limit(limit)).all()


def _agreement(conn: sa.Connection, desk: Desk, feed: str, row: Any) -> Agreement:
    body = msgspec.json.decode(row.body)
    differences = body["differences"]
    return Agreement(
        feed=feed,
        system=desk.feeds[feed].system,
        at=row.at,
        run_id=row.run_id,
        agreed=row.status == "agreed",
        # Stokly was the only source when nothing was said of it.
        came_from=body.get("source", "stokly"),
        read_back=body["read_back"],
        counts=_named(body["counts"]),
        totals={currency: _named(both) for currency, both in body["totals"].items()},
        refunds={currency: _named(both) for currency, both in body["refunds"].items()},
        explained=differences["explained"],
        unexplained=differences["unexplained"],
        in_doubt=differences["in_doubt"],
        unaccounted=differences["unaccounted"],
        # What was stored before all records were kept lists some of the unexplained ones.
        differing=body.get("differing", differences["unexplained"]),
        records=body.get("records", body.get("sample", ())),
        last_agreed=last_agreed(conn, desk.brand, feed),
    )


def _drift(at: datetime, body: Any) -> Drift:
    counts, differences = body["counts"], body["differences"]
    return Drift(
        at,
        differences["unexplained"],
        sum(differences["explained"].values()),
        counts["expected"] - counts["destination"],
    )


def _named(sides: dict[str, Any]) -> dict[str, Any]:
    """Both sides by what they are: the first one is stored under the name of its system."""
    return {name if name in ("expected", "destination") else "source": value for name, value in sides.items()}
