"""The ledger: what is intended for every record, what was last accepted, and what lies between.

All statements about the table `ledger` stand here, each for many records at once. Callers hold `feed:<feed>`, so that
nobody else writes the same rows. What should happen to a record is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from stokly_sync.delivery.decide import Decision, Entry, Verdict
from stokly_sync.delivery.encoding import Encoded
from stokly_sync.delivery.items import Item
from stokly_sync.flow import Outcome, Record, State
from stokly_sync.warehouse.bulk import among, insert, update
from stokly_sync.warehouse.tables import LEDGER

_STATES: Final = {
    Verdict.SEND: State.PLANNED,
    Verdict.PARKED: State.PARKED,
    Verdict.QUARANTINED: State.QUARANTINED,
    Verdict.EXCLUDED: State.EXCLUDED,
    Verdict.UNCHANGED: State.ACCEPTED,
}
_LARGE: Final = 10_000
_SETTLED: Final = frozenset({State.ACCEPTED, State.SUBMITTED})


@dataclass(frozen=True)
class Ledger:
    """The ledger of one feed of one brand."""

    brand: str
    feed: str

    @property
    def fixed(self) -> dict[str, Any]:
        """The columns that are equal in all rows of this ledger."""
        return {"brand": self.brand, "feed": self.feed, "entry": 0}

    def entries(self, connection: sa.Connection, keys: Collection[str]) -> dict[str, Entry]:
        """What is known of `keys`; keys that were never planned are absent."""
        c = LEDGER.c
        query = sa.select(
            c.key, c.state, c.rule, c.document_hash, c.accepted_hash, c.accepted_version, c.stale, c.tries
        ).where(self._mine, among(connection, c.key, keys))
        return {row[0]: Entry(*row[1:]) for row in connection.execute(query)}

    def write(
        self,
        connection: sa.Connection,
        decisions: Sequence[Decision],
        entries: Mapping[str, Entry],
        *,
        plan_id: str,
        now: datetime,
    ) -> None:
        """Store what was decided; held records and those that stand as decided already are left alone."""
        moved = [d for d in decisions if _moves(d, entries.get(d.key))]
        for found, columns, settled in (
            (False, _columns, {"receipt": None, "settled_at": None}),
            (True, _found, {"settled_at": now, "accepted_at": now}),
        ):
            some = [d for d in moved if d.found is found]
            changes = {"plan_id": plan_id, "planned_at": now, **settled}
            new = [d for d in some if d.key not in entries]
            insert(connection, LEDGER, columns(new, entries), fixed=self.fixed | changes)
            known = [d for d in some if d.key in entries]
            update(connection, LEDGER, columns(known, entries), key=("key",), fixed=self.fixed, set_fixed=changes)

    def planned(
        self, connection: sa.Connection, *, after: str | None, size: int, plan_id: str | None = None
    ) -> list[Item]:
        """The next planned records after a key, in key order; of one plan, or of all."""
        query = self._items(State.PLANNED, after, size)
        if plan_id is not None:
            query = query.where(LEDGER.c.plan_id == plan_id)
        return _read(connection, query)

    def submitted(
        self,
        connection: sa.Connection,
        *,
        after: str | None,
        size: int,
        since: datetime | None = None,
        before: datetime | None = None,
        documents: bool = True,
    ) -> list[Item]:
        """The next records that the destination has taken without telling their fate, in key order.

        `since` (inclusive) and `before` (exclusive) narrow the time at which they were sent. Without `documents` theirs
        are left out, which are nearly all of the memory that many records take.
        """
        query = self._items(State.SUBMITTED, after, size, documents=documents)
        if since is not None:
            query = query.where(LEDGER.c.sent_at >= since)
        if before is not None:
            query = query.where(LEDGER.c.sent_at < before)
        return _read(connection, query)

    def parked(self, connection: sa.Connection, *, rule: str, after: str | None, size: int) -> list[Item]:
        """The next records that wait under a rule, in key order; those without a document are left out."""
        query = self._items(State.PARKED, after, size).where(LEDGER.c.rule == rule, LEDGER.c.document.is_not(None))
        return _read(connection, query)

    def doubtful(self, connection: sa.Connection, keys: Collection[str]) -> list[Item]:
        """Those of `keys` that are in doubt, in key order."""
        query = self._items(State.IN_DOUBT, None, len(keys)).where(among(connection, LEDGER.c.key, keys))
        return _read(connection, query)

    def planned_among(self, connection: sa.Connection, keys: Collection[str]) -> list[Item]:
        """Those of `keys` that are planned, in key order."""
        query = self._items(State.PLANNED, None, len(keys)).where(among(connection, LEDGER.c.key, keys))
        return _read(connection, query)

    def count(self, connection: sa.Connection, state: State, *, plan_id: str | None = None) -> int:
        """How many records are in a state; of one plan, or of all."""
        query = sa.select(sa.func.count()).where(self._mine, LEDGER.c.state == state)
        if plan_id is not None:
            query = query.where(LEDGER.c.plan_id == plan_id)
        return connection.execute(query).scalar_one()

    def count_of_plan(self, connection: sa.Connection, plan_id: str) -> int:
        """How many records of a plan are on their way or arrived."""
        c = LEDGER.c
        sent = (State.PLANNED, State.SUBMITTED, State.ACCEPTED, State.REJECTED, State.IN_DOUBT)
        query = sa.select(sa.func.count()).where(self._mine, c.plan_id == plan_id, c.state.in_(sent))
        return connection.execute(query).scalar_one()

    def note(self, connection: sa.Connection, outcomes: Sequence[Outcome], *, now: datetime, sent: bool = True) -> None:
        """Store the outcomes of records, each key once.

        `sent` says that they were just sent, so that the try counts; otherwise only their fate was learnt.
        An accepted record keeps no document: it holds personal data that nobody needs any more. One whose fate cannot
        be learnt is planned again, where a feed says so.
        """
        for state in (State.ACCEPTED, State.SUBMITTED, State.REJECTED, State.IN_DOUBT):
            some = [o for o in outcomes if o.state is state]
            if some:
                self._note(connection, some, _changes(state, now, sent))
        again = [o.key for o in outcomes if o.state is State.PLANNED]
        if again:
            bare = {"state": State.PLANNED, "receipt": None, "reason": None, "rule": None, "settled_at": None}
            connection.execute(sa.update(LEDGER).where(self._mine, among(connection, LEDGER.c.key, again)).values(bare))

    def park(self, connection: sa.Connection, reasons: Mapping[str, str], *, rule: str) -> None:
        """Turn planned records into parked ones, each with its reason."""
        rows = {"key": list(reasons), "reason": list(reasons.values())}
        update(
            connection, LEDGER, rows, key=("key",), fixed=self.fixed, set_fixed={"state": State.PARKED, "rule": rule}
        )

    def count_try(self, connection: sa.Connection, keys: Collection[str]) -> None:
        """Count one more try for records whose sending led to nothing known."""
        if keys:
            connection.execute(
                sa.update(LEDGER)
                .where(self._mine, among(connection, LEDGER.c.key, keys))
                .values(tries=LEDGER.c.tries + 1)
            )

    def refresh_statistics(self, connection: sa.Connection, *, written: int) -> None:
        """Let PostgreSQL know the ledger after a large change, which its own housekeeping notices a minute too late.

        Until then it would look for the few waiting records by reading all that were ever sent.
        """
        if written >= _LARGE and connection.dialect.name == "postgresql":
            connection.execute(sa.text(f"ANALYZE {LEDGER.name} (brand, feed, entry, key, state, stale)"))

    def _note(self, connection: sa.Connection, outcomes: Sequence[Outcome], changes: Mapping[str, Any]) -> None:
        told = {(o.receipt, o.reason, o.rule) for o in outcomes}
        keys = [o.key for o in outcomes]
        if len(told) == 1:
            receipt, reason, rule = told.pop()
            values = {"reason": reason, "rule": rule, **changes} | ({"receipt": receipt} if receipt else {})
            connection.execute(
                sa.update(LEDGER).where(self._mine, among(connection, LEDGER.c.key, keys)).values(values)
            )
            return
        rows: dict[str, list[str | None]] = {
            "key": [*keys],
            "receipt": [o.receipt for o in outcomes],
            "reason": [o.reason for o in outcomes],
            "rule": [o.rule for o in outcomes],
        }
        update(connection, LEDGER, rows, key=("key",), fixed=self.fixed, set_fixed=changes)

    @property
    def _mine(self) -> sa.ColumnElement[bool]:
        c = LEDGER.c
        return sa.and_(c.brand == self.brand, c.feed == self.feed, c.entry == 0)

    def _items(self, state: State, after: str | None, size: int, *, documents: bool = True) -> sa.Select[Any]:
        c = LEDGER.c
        document = c.document if documents else sa.literal_column("''")
        query = sa.select(c.key, document, c.document_hash, c.event_at, c.tries, c.receipt, c.rule).where(
            self._mine, c.state == state
        )
        if after is not None:
            query = query.where(c.key > after)
        return query.order_by(c.key).limit(size)


def _read(connection: sa.Connection, query: sa.Select[Any]) -> list[Item]:
    # All rows at once: one by one, fetching costs as much as all that is done with them.
    return [
        Item(Record(key, document.encode(), digest), event_at, tries, receipt, condition)
        for key, document, digest, event_at, tries, receipt, condition in connection.execute(query).all()
    ]


def _changes(state: State, now: datetime, sent: bool) -> dict[str, Any]:
    c = LEDGER.c
    changes: dict[str, Any] = {"state": state}
    if sent:
        changes |= {"tries": c.tries + 1, "sent_at": now}
    if state is not State.SUBMITTED:
        changes["settled_at"] = now
    if state is State.ACCEPTED:
        changes |= {
            "document": None,
            "accepted_hash": c.document_hash,
            "accepted_version": c.version,
            "accepted_at": now,
            "stale": False,
        }
    return changes


def _moves(decision: Decision, entry: Entry | None) -> bool:
    if decision.verdict is not Verdict.UNCHANGED:
        return decision.verdict is not Verdict.HELD
    if decision.found and (entry is None or decision.encoded is None or entry.accepted_hash != decision.encoded.hash):
        return True
    # Asked again and found to be right: the wish is fulfilled.
    return entry is not None and (entry.stale or State(entry.state) not in _SETTLED)


def _columns(decisions: Sequence[Decision], entries: Mapping[str, Entry]) -> dict[str, list[Any]]:
    """Ledger columns of decisions; the bulk paths turn them into the table's types."""
    documents = [d.encoded if d.verdict in (Verdict.SEND, Verdict.PARKED) else None for d in decisions]
    known = [d.encoded for d in decisions]
    return {
        "key": [d.key for d in decisions],
        "state": [_STATES[d.verdict].value for d in decisions],
        "rule": [d.rule for d in decisions],
        "reason": [d.reason for d in decisions],
        "document": [e.text if e else None for e in documents],
        "document_hash": _of(known, "hash"),
        "version": _of(known, "version"),
        "event_at": _of(known, "event_at"),
        "value": _of(known, "value"),
        "currency": _of(known, "currency"),
        "tries": [_tries(d, entries.get(d.key)) for d in decisions],
        "stale": [_stale(d, entries.get(d.key)) for d in decisions],
    }


def _found(decisions: Sequence[Decision], entries: Mapping[str, Entry]) -> dict[str, list[Any]]:
    """The same for records that the destination holds by its own word: as if they had been accepted there."""
    known = _columns(decisions, entries)
    accepted = {"accepted_hash": known["document_hash"], "accepted_version": known["version"]}
    return {**known, **accepted, "receipt": [d.receipt for d in decisions]}


def _of(encoded: Sequence[Encoded | None], name: str) -> list[Any]:
    return [getattr(e, name) if e is not None else None for e in encoded]


def _stale(decision: Decision, entry: Entry | None) -> bool:
    """Stale stands until the record is on its way again: planning it carries the wish from then on."""
    waits = decision.verdict in (Verdict.PARKED, Verdict.QUARANTINED)
    return waits and entry is not None and entry.stale


def _tries(decision: Decision, entry: Entry | None) -> int:
    """Tries count for one content: another document starts anew."""
    same = entry is not None and decision.encoded is not None and entry.document_hash == decision.encoded.hash
    return entry.tries if entry is not None and same and entry.state == State.PLANNED else 0
