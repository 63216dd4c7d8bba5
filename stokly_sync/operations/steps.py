"""What has happened to a record on its way to a destination: from the ledger and from the attempts to send it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec
import sqlalchemy as sa

from stokly_sync.flow import State
from stokly_sync.operations.desk import Desk
from stokly_sync.warehouse.bulk import among
from stokly_sync.warehouse.tables import ATTEMPTS, LEDGER

# An audit trail is read by people: the newest calls of a record say what matters.
NEWEST_CALLS: Final = 10


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
    """Where a record stands with one feed, as the ledger has it: times in UTC, `reason` in plain words.

    `receipt` is what the destination answered with: its own id of the record, where it has one.
    """

    feed: str
    key: str
    state: str
    rule: str | None
    reason: str | None
    receipt: str | None
    tries: int
    planned_at: datetime | None
    sent_at: datetime | None
    settled_at: datetime | None
    accepted_at: datetime | None

    @property
    def found(self) -> bool:
        """Whether the destination held it already, by its own word, so that nothing was sent."""
        last_plan_sent = self.sent_at is not None and (self.planned_at is None or self.sent_at >= self.planned_at)
        return self.state == State.ACCEPTED and not last_plan_sent

    @property
    def steps(self) -> tuple[Step, ...]:
        """The moments that the ledger keeps; when it was sent is told better by `attempts_of`."""
        kept_back = self.state in (State.PARKED, State.QUARANTINED, State.EXCLUDED)
        moments = [
            (self.planned_at, self.state if kept_back else "planned", (self.reason or "") if kept_back else ""),
            (self.accepted_at, "accepted", ""),
        ]
        if self.state in (State.REJECTED, State.IN_DOUBT):
            moments.append((self.settled_at, self.state.replace("_", " "), self.reason or ""))
        return tuple(Step(at, self.feed, what, detail, None) for at, what, detail in moments if at is not None)


def placed(conn: sa.Connection, desk: Desk, feed: str, keys: Sequence[str]) -> list[Placed]:
    """Where records stand with a feed, in key order; those that it never planned are left out."""
    c = LEDGER.c
    query = sa.select(
        *(c.feed, c.key, c.state, c.rule, c.reason, c.receipt, c.tries, c.planned_at),
        *(c.sent_at, c.settled_at, c.accepted_at),
    ).where(c.brand == desk.brand, c.feed == feed, c.entry == 0, among(conn, c.key, keys))
    return [Placed(*row) for row in conn.execute(query.order_by(c.key))]


@dataclass(frozen=True)
class Call:
    """One call that carried a record: when it began and ended (UTC), with how many records, and how it ended."""

    at: datetime
    closed_at: datetime | None
    outcome: str | None
    answer: str | None
    records: int
    run_id: str | None

    @property
    def company(self) -> str:
        """In whose company the record travelled."""
        others = self.records - 1
        return f"in one call with {others:,} other{'s' * (others > 1)}" if others else "in a call of its own"


def calls_of(
    conn: sa.Connection,
    desk: Desk,
    feed: str,
    key: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    most: int = NEWEST_CALLS,
) -> list[Call]:
    """The newest calls that carried a record, oldest first.

    They are looked for among all calls of the feed, or among those that began within some time, which takes much less.
    """
    c = ATTEMPTS.c
    wanted = [c.brand == desk.brand, c.feed == feed, *((c.opened_at >= since,) if since else ())]
    wanted += [c.opened_at <= until] if until else []
    named = c["keys"].contains(msgspec.json.encode(key).decode(), autoescape=True)
    query = sa.select(c.opened_at, c.closed_at, c.outcome, c.answer, c.records, c.run_id).where(*wanted, named)
    rows = list(conn.execute(query.order_by(c.opened_at.desc()).limit(most)))
    return [Call(*row) for row in reversed(rows)]


def attempts_of(conn: sa.Connection, desk: Desk, feed: str, key: str) -> list[Step]:
    """The newest calls that carried a record, oldest first: how they ended, and what the destination said."""
    return [
        Step(
            call.at,
            feed,
            "sent" if call.closed_at is not None else "sending",
            f"{call.company}: {call.outcome or 'no answer yet'}" + _said(call.answer),
            call.run_id,
        )
        for call in calls_of(conn, desk, feed, key)
    ]


def _said(answer: str | None) -> str:
    return f" ({answer[:200]})" if answer else ""
