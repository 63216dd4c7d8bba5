"""What has happened to a record on its way to a destination: from the ledger and from the attempts to send it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from stokly_sync.operations.desk import Desk
from stokly_sync.warehouse.bulk import among
from stokly_sync.warehouse.tables import ATTEMPTS, LEDGER

# An audit trail is read by people: the newest calls of a record say what matters.
_NEWEST_ATTEMPTS: Final = 10


@dataclass(frozen=True)
class Step:
    """One thing that happened: when (UTC), in which dataset or feed, what, and the run that did it."""

    at: datetime
    where: str
    what: str
    detail: str
    run_id: str | None


@dataclass(frozen=True)
class Placed:
    """Where a record stands with one feed; `reason` in plain words, `accepted_at` its last success."""

    feed: str
    key: str
    state: str
    rule: str | None
    reason: str | None
    tries: int
    accepted_at: datetime | None
    steps: tuple[Step, ...]


def ledger_steps(conn: sa.Connection, desk: Desk, feed: str, keys: Sequence[str]) -> list[Placed]:
    """Where records stand with a feed, in key order; those that it never planned are left out."""
    c = LEDGER.c
    query = sa.select(
        *(c.key, c.state, c.rule, c.reason, c.tries, c.planned_at),
        *(c.sent_at, c.settled_at, c.accepted_at),
    ).where(c.brand == desk.brand, c.feed == feed, c.entry == 0, among(conn, c.key, keys))
    return [
        Placed(feed, row.key, row.state, row.rule, row.reason, row.tries, row.accepted_at, _steps(feed, row))
        for row in conn.execute(query.order_by(c.key))
    ]


def attempts_of(conn: sa.Connection, desk: Desk, feed: str, key: str) -> list[Step]:
    """The newest calls that carried a record, oldest first: how they ended, and what the destination said."""
    c = ATTEMPTS.c
    named = c["keys"].contains(msgspec.json.encode(key).decode(), autoescape=True)
    query = sa.select(c.opened_at, c.closed_at, c.outcome, c.answer, c.records, c.run_id).where(
        c.brand == desk.brand, c.feed == feed, named
    )
    rows = list(conn.execute(query.order_by(c.opened_at.desc()).limit(_NEWEST_ATTEMPTS)))
    return [
        Step(
            row.opened_at,
            feed,
            "sent" if row.closed_at is not None else "sending",
            f"{row.records:,} records in one call: {row.outcome or 'no answer yet'}" + _said(row.answer),
            row.run_id,
        )
        for row in reversed(rows)
    ]


def _said(answer: str | None) -> str:
    return f" ({answer[:200]})" if answer else ""


def _steps(feed: str, row: Any) -> tuple[Step, ...]:
    """The moments that the ledger keeps of a record; `sent_at` is told better by its attempts."""
    kept_back = row.state in ("parked", "quarantined", "excluded")
    moments = [
        (row.planned_at, row.state if kept_back else "planned", (row.reason or "") if kept_back else ""),
        (row.accepted_at, "accepted", ""),
    ]
    if row.state in ("rejected", "in_doubt"):
        moments.append((row.settled_at, row.state.replace("_", " "), row.reason or ""))
    return tuple(Step(at, feed, what, detail, None) for at, what, detail in moments if at is not None)
