"""Attempts: one row a batch, committed before the call and closed after it.

They are the audit trail of every write to another system, and what a start reads to find what a dead run may have
sent. A record is *sending* exactly while an open attempt names it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import msgspec
import sqlalchemy as sa

from stokly_sync.flow import Record
from stokly_sync.warehouse.bulk import insert
from stokly_sync.warehouse.tables import ATTEMPTS


@dataclass(frozen=True)
class OpenAttempt:
    """A batch whose call may or may not have happened."""

    attempt_id: str
    opened_at: datetime
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Closing:
    """How an attempt ended: counts by state as text, the destination's receipt or error, and the calls it took."""

    attempt_id: str
    outcome: str
    answer: str | None
    api_calls: int


@dataclass(frozen=True)
class Attempts:
    """The attempts of one feed of one brand."""

    brand: str
    feed: str

    def open(
        self,
        connection: sa.Connection,
        batches: Sequence[Sequence[Record]],
        *,
        run_id: str,
        plan_id: str | None,
        now: datetime,
    ) -> list[str]:
        """Announce batches; gives an attempt id for each. Commit before the first call."""
        ids = [uuid4().hex for _ in batches]
        rows: dict[str, list[Any]] = {
            "attempt_id": ids,
            "records": [len(batch) for batch in batches],
            "keys": [_listed([r.key for r in batch]) for batch in batches],
            "hashes": [_listed([r.hash for r in batch]) for batch in batches],
        }
        fixed = {"brand": self.brand, "feed": self.feed, "run_id": run_id, "plan_id": plan_id, "opened_at": now}
        insert(connection, ATTEMPTS, rows, fixed=fixed)
        return ids

    def close(self, connection: sa.Connection, closings: Sequence[Closing], *, now: datetime) -> None:
        """Close attempts, in the transaction that stores their outcomes."""
        if not closings:
            return
        c = ATTEMPTS.c
        statement = (
            sa.update(ATTEMPTS)
            .where(c.brand == self.brand, c.attempt_id == sa.bindparam("id_"))
            .values(
                closed_at=now,
                outcome=sa.bindparam("outcome_"),
                answer=sa.bindparam("answer_"),
                api_calls=sa.bindparam("calls_"),
            )
        )
        connection.execute(
            statement,
            [
                {"id_": x.attempt_id, "outcome_": x.outcome, "answer_": x.answer, "calls_": x.api_calls}
                for x in closings
            ],
        )

    def left_open(self, connection: sa.Connection) -> list[OpenAttempt]:
        """Attempts that nobody closed, the oldest first: while we hold the feed, those of dead runs."""
        c = ATTEMPTS.c
        query = (
            sa.select(c.attempt_id, c.opened_at, c["keys"])
            .where(c.brand == self.brand, c.feed == self.feed, c.closed_at.is_(None))
            .order_by(c.opened_at)
        )
        return [OpenAttempt(i, at, tuple(json.loads(keys))) for i, at, keys in connection.execute(query)]


def _listed(texts: list[str]) -> str:
    return msgspec.json.encode(texts).decode()
