"""Erasing one person: out of our database, out of what waits to be sent, and out of every destination (X14).

Rows stay, without anything personal, because orders and money must still add up. The order of the steps is what makes
it hold: first it is written down who is erased, in the transaction that clears the rows, so that nothing read from then
on brings the person back; then what waits to be sent is taken away, feed by feed; then the destinations are asked.
Every step may be repeated, and what could not be done is said. What is written down about it is digests and counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

import sqlalchemy as sa

from stokly_sync.contracts import erasure
from stokly_sync.contracts.datasets import DATASETS
from stokly_sync.delivery.rules import ERASED
from stokly_sync.errors import PermissionDenied, StoklySyncError
from stokly_sync.flow import Feed, Forgotten, Person, State, System
from stokly_sync.operations import audit
from stokly_sync.operations.audit import Action
from stokly_sync.operations.person import Traces, accounts_of, documents_naming, traces_of
from stokly_sync.operations.places import mentions, strike_out
from stokly_sync.warehouse import erasures
from stokly_sync.warehouse.bulk import among
from stokly_sync.warehouse.erasures import Answer
from stokly_sync.warehouse.exceptions import CLOSED, EXCLUDED
from stokly_sync.warehouse.store import Busy, Warehouse
from stokly_sync.warehouse.tables import EXCEPTIONS, LANDED, LEDGER

WAIT_S: Final = 60.0
"""So long a load that is under way is waited for."""
DONE, ASKED, FAILED, BY_HAND = "done", "asked", "failed", "by hand"
OURS: Final = "warehouse"
"""The subject of the audit line about our own database: each erasure has one."""
_NO_CALL: Final = "No call for this is proven: have the account deleted there, and its orders made nameless."

Forget = Callable[[System, Person], Forgotten]
"""Asks one system; raises StoklySyncError."""


@dataclass(frozen=True)
class Erased:
    """What an erasure did. `person` is a digest; `rows` counts cleared rows by dataset.

    `busy` are feeds whose records could not be taken away yet, `left` columns where the address still stands.
    """

    person: str
    run_id: str
    at: datetime
    rows: Mapping[str, int]
    documents: int
    exceptions: int
    texts: int
    answers: tuple[Answer, ...] = ()
    busy: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether nothing has to be repeated; what is to be done by hand does not count."""
        return not self.busy and not self.left and all(a.state != FAILED for a in self.answers)


@dataclass(frozen=True)
class Eraser:
    """What stays the same for one erasure: whose database, which feeds and systems, who asked for it."""

    warehouse: Warehouse
    feeds: Sequence[Feed]
    systems: Sequence[System]
    """Those that are set up."""
    forget: Forget
    actor: str
    run_id: str = field(default_factory=lambda: uuid4().hex)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    wait: float = WAIT_S

    def erase(self, *, customer: str | None = None, email: str | None = None) -> Erased:
        """Erase a customer (by id or account code), or whoever has an address.

        Raises NobodyMeant when nobody, or somebody else too, is meant; then nothing was done.
        """
        if not (customer or email):
            raise ValueError("say who")
        traces, records, done = self._clear(customer, email)
        documents, busy = self._take_away(records)
        answers = tuple(self._ask(system, traces) for system in self.systems)
        with self.warehouse.reading() as conn:
            left = tuple(sorted(mentions(conn, self.warehouse.brand, traces.emails)))
        done = replace(done, documents=documents, answers=answers, busy=busy, left=left)
        self._write_down(done)
        return done

    def _clear(self, customer: str | None, email: str | None) -> tuple[Traces, Mapping[str, set[str]], Erased]:
        """Write down who is erased and clear landed rows, exceptions and free texts, all in one transaction.

        Gives also the records of each feed, whose keys may be among what is cleared.
        """
        brand = self.warehouse.brand
        with self.warehouse.transaction() as conn:
            erasures.alone(conn, brand)
            traces = traces_of(conn, brand, customer=customer, email=email)
            words = _words(conn, brand, traces)
            records = {feed.id: _keys(conn, brand, feed, traces) for feed in self.feeds}
            erasures.note(conn, brand, traces.digests, at=self.now, run_id=self.run_id)
            rows = {name: self._clear_rows(conn, name, keys) for name, keys in traces.records.items() if keys}
            closed = self._clear_exceptions(conn, traces, records, words)
            texts = strike_out(conn, brand, traces.emails)
        counts = {name: count for name, count in rows.items() if count}
        return traces, records, Erased(traces.handles[0], self.run_id, self.now, counts, 0, closed, texts)

    def _clear_rows(self, conn: sa.Connection, name: str, keys: set[str]) -> int:
        dataset, cleared = DATASETS[name], 0
        for table in dataset.tables:
            c = LANDED[table.name].c
            columns = erasure.cleared_columns(table)
            if columns:
                mine = (c.brand == self.warehouse.brand, among(conn, c[table.parent_key or dataset.key], keys))
                held = sa.or_(*(c[column].is_not(None) for column in columns))
                change = sa.update(LANDED[table.name]).where(*mine, held).values(dict.fromkeys(columns))
                cleared += conn.execute(change).rowcount
        return cleared

    def _clear_exceptions(
        self, conn: sa.Connection, traces: Traces, records: Mapping[str, set[str]], words: Sequence[str]
    ) -> int:
        """Drop documents that were kept back, strike names out of details and notes, and close what was open."""
        e, brand = EXCEPTIONS.c, self.warehouse.brand
        subjects: dict[str, set[str]] = {}
        for subject, key in documents_naming(conn, brand, traces):
            subjects.setdefault(subject, set()).add(key)
        for subject, keys in (*traces.records.items(), *records.items()):
            subjects.setdefault(subject, set()).update(keys)
        cleared = 0
        for subject, keys in subjects.items():
            mine = (e.brand == brand, e.subject == subject, among(conn, e.key, keys))
            strike_out(conn, brand, words, tables=(EXCEPTIONS,), where=mine)
            ends = sa.case((e.state.in_((CLOSED, EXCLUDED)), e.state), else_=CLOSED)
            standing = sa.or_(e.payload.is_not(None), e.state.not_in((CLOSED, EXCLUDED)))
            change = {"payload": None, "state": ends, "closed_at": self.now, "run_id": self.run_id}
            cleared += conn.execute(sa.update(EXCEPTIONS).where(*mine, standing).values(change)).rowcount
        return cleared

    def _take_away(self, records: Mapping[str, set[str]]) -> tuple[int, tuple[str, ...]]:
        """Take the person's records out of what is to be sent; gives how many documents, and feeds that were busy."""
        forgetting = {system.name for system in self.systems if system.forget is not None}
        documents, busy = 0, []
        for feed in self.feeds:
            keys = records[feed.id]
            if not keys or not (feed.system in forgetting or erasure.registered(DATASETS[feed.dataset])):
                continue
            try:
                with self.warehouse.exclusive(f"feed:{feed.id}", purpose=f"erase {self.run_id}", wait=self.wait):
                    documents += self._exclude(feed, keys, everything=feed.system in forgetting)
            except Busy:
                busy.append(feed.id)
        return documents, tuple(busy)

    def _exclude(self, feed: Feed, keys: set[str], *, everything: bool) -> int:
        """Exclude a feed's records: all where the destination forgets people, else only those not accepted yet."""
        c = LEDGER.c
        with self.warehouse.transaction() as conn:
            mine = [c.brand == self.warehouse.brand, c.feed == feed.id, among(conn, c.key, keys)]
            waiting = sa.select(sa.func.count()).select_from(LEDGER).where(*mine, c.document.is_not(None))
            documents = conn.execute(waiting).scalar_one()
            if not everything:
                mine.append(c.document.is_not(None))
            gone = {"state": State.EXCLUDED, "rule": ERASED, "reason": "the person was erased", "document": None}
            conn.execute(sa.update(LEDGER).where(*mine).values(**gone, receipt=None, stale=False))
        return documents

    def _ask(self, system: System, traces: Traces) -> Answer:
        """Ask one system, and keep its answer under everything that the person is known by."""
        handles, brand = traces.handles, self.warehouse.brand
        with self.warehouse.reading() as conn:
            before = erasures.answers(conn, brand, handles).get(system.name)
            accounts = accounts_of(conn, brand, system.name, traces)
        receipt = before.receipt if before else None
        person = Person(tuple(sorted(traces.customers)), tuple(sorted(traces.emails)), receipt, accounts)
        answer = self._answer(system, person)
        with self.warehouse.transaction() as conn:
            erasures.note_answer(conn, brand, handles, answer, at=self.now, run_id=self.run_id)
        return answer

    def _answer(self, system: System, person: Person) -> Answer:
        if system.forget is None:
            return Answer(system.name, BY_HAND, system.forget_by_hand or _NO_CALL)
        try:
            said = self.forget(system, person)
        except PermissionDenied as error:
            return Answer(system.name, BY_HAND, f"{error} By hand: {system.forget_by_hand or _NO_CALL}")
        except StoklySyncError as error:
            return Answer(system.name, FAILED, f"{error} Run the erasure again.", person.receipt)
        words = said.answer + (f". By hand: {said.by_hand}" if said.by_hand else "")
        return Answer(system.name, DONE if said.done else ASKED, words, said.receipt)

    def _write_down(self, done: Erased) -> None:
        """The audit trail: one line for our database, one for each system; who, when, which run, what answer."""
        counts = [f"{name} {count}" for name, count in sorted(done.rows.items())]
        counts += [f"documents {done.documents}", f"exceptions {done.exceptions}", f"texts {done.texts}"]
        lines = {OURS: ", ".join(counts)} | {a.system: f"{a.state}: {a.answer}" for a in done.answers}
        lines |= dict.fromkeys(done.busy, "busy, left for a second run")
        with self.warehouse.transaction() as conn:
            for subject, words in lines.items():
                told = f"run {self.run_id}: {words}"
                where = {"subject": subject, "key": done.person}
                audit.note_record(conn, self.warehouse.brand, Action.ERASE, actor=self.actor, detail=told, **where)


def _keys(conn: sa.Connection, brand: str, feed: Feed, traces: Traces) -> set[str]:
    """The person's records of a feed, by its own key; that of a guest is a digest of the address."""
    dataset = DATASETS[feed.dataset]
    mine = traces.records.get(dataset.name, set())
    if feed.key == dataset.key:
        return mine
    root = LANDED[dataset.name].c
    query = sa.select(root[feed.key]).where(root.brand == brand, among(conn, root[dataset.key], mine))
    found = {key for key in conn.execute(query).scalars() if key} if mine else set()
    return found | (traces.digests.get(erasure.EMAIL, set()) if erasure.registered(dataset) else set())


def _words(conn: sa.Connection, brand: str, traces: Traces) -> list[str]:
    """What stands in the person's rows now: long enough that striking it out hits nothing else."""
    found: set[str] = set(traces.emails)
    for name, keys in traces.records.items():
        table = DATASETS[name].root
        personal = [LANDED[name].c[column.name] for column in table.columns if column.personal]
        if personal and keys:
            mine = (LANDED[name].c.brand == brand, among(conn, LANDED[name].c[DATASETS[name].key], keys))
            for row in conn.execute(sa.select(*personal).where(*mine).distinct()):
                found.update(str(value) for value in row if value is not None and len(str(value)) >= 5)
    return sorted(found, key=len, reverse=True)
