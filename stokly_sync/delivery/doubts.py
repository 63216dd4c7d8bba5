"""Records in doubt, and a person's word about them: it arrived, or send it again.

Where a destination neither deduplicates nor can be asked, nobody but a person who looks there can tell. Until then the
record and everything that would follow it stay where they are.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa

from stokly_sync.contracts.rules import Catalogue
from stokly_sync.delivery.options import Options
from stokly_sync.delivery.site import Site
from stokly_sync.errors import PermanentError
from stokly_sync.flow import Feed, Outcome, State
from stokly_sync.warehouse.bulk import among
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import ATTEMPTS, LEDGER

Word = Literal["arrived", "again"]
BY_HAND = "arrived, as a person found at the destination"


@dataclass(frozen=True)
class Doubt:
    """One record in doubt: since when, why, and the attempt by which it left with others."""

    feed: str
    key: str
    since: datetime | None
    reason: str
    attempt_id: str | None


def doubts(warehouse: Warehouse, *, feed: str | None = None) -> list[Doubt]:
    """All records in doubt, of one feed or of all, those that left together beside each other."""
    c = LEDGER.c
    query = sa.select(c.feed, c.key, c.settled_at, c.reason).where(
        c.brand == warehouse.brand, c.state == State.IN_DOUBT.value
    )
    with warehouse.reading() as connection:
        rows = connection.execute(query if feed is None else query.where(c.feed == feed)).all()
        attempts = {(name, key): found for name in {r.feed for r in rows} for key, found in _last(connection, name)}
    found = [Doubt(r.feed, r.key, r.settled_at, r.reason or "", attempts.get((r.feed, r.key))) for r in rows]
    return sorted(found, key=lambda doubt: (doubt.feed, doubt.attempt_id or "", doubt.key))


def resolve(
    warehouse: Warehouse,
    feed: Feed,
    keys: Collection[str],
    word: Word,
    *,
    catalogue: Catalogue,
    run_id: str,
    options: Options | None = None,
) -> int:
    """Do what a person says of records in doubt, all of them or none, and give their number.

    *arrived* books them as accepted; *again* plans them, so that the next load sends exactly the same document. Raises
    PermanentError when one of the keys is not in doubt.
    """
    site = Site(warehouse, feed, None, catalogue, run_id, options or Options())
    now = site.options.now()
    with warehouse.exclusive(f"feed:{feed.id}", purpose=f"resolve {run_id}"), warehouse.transaction() as connection:
        c = LEDGER.c
        mine = sa.update(LEDGER).where(c.brand == warehouse.brand, c.feed == feed.id, c.entry == 0)
        items = {i.record.key: i for i in site.ledger.doubtful(connection, keys)}
        strange = sorted(set(keys) - items.keys())
        if strange:
            raise PermanentError(f"{feed.id}: {strange[0]} is not in doubt; nothing was changed.")
        if word == "arrived":
            outcomes = [Outcome(key, State.ACCEPTED, BY_HAND, receipt=items[key].receipt) for key in items]
            site.store(connection, outcomes, items, now=now, sent=False)
            # What changed meanwhile was held back and is owed by no window any more.
            connection.execute(mine.where(among(connection, c.key, list(items))).values(stale=True))
        else:
            again = {"state": State.PLANNED.value, "rule": None, "reason": None, "settled_at": None}
            connection.execute(mine.where(among(connection, c.key, list(items))).values(again))
            site.problems.decided(connection, list(items), now=now)
    return len(items)


def _last(connection: sa.Connection, feed: str) -> list[tuple[str, str]]:
    """Keys with the newest attempt that named them, of the attempts that ended in doubt."""
    c = ATTEMPTS.c
    query = sa.select(c.attempt_id, c["keys"]).where(c.feed == feed, c.outcome.contains("doubt")).order_by(c.opened_at)
    return [(key, found) for found, keys in connection.execute(query) for key in json.loads(keys)]
