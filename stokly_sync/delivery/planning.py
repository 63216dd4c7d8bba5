"""Plan a feed: which records it has to send now, and what becomes of all others.

Reads landed rows in chunks, builds documents, holds them against rules, gates and the ledger, and writes the result
chunk by chunk; nothing leaves. A plan that is interrupted owes its windows again, and what it wrote stands. How one
record is decided is in `decide`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import islice
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from stokly_sync.contracts.rules import Catalogue, Effect
from stokly_sync.crashpoints import crashpoint
from stokly_sync.delivery.attempts import Attempts
from stokly_sync.delivery.booking import Books
from stokly_sync.delivery.candidates import Candidates, Chunk, Kept
from stokly_sync.delivery.decide import Decision, Entry, Known, Verdict, Wait, decide, effect_of
from stokly_sync.delivery.erased import of_erased, without
from stokly_sync.delivery.figures import PlanFigures, PlanScope
from stokly_sync.delivery.gates import Met, waiting
from stokly_sync.delivery.history import beginning
from stokly_sync.delivery.ledger import Ledger
from stokly_sync.delivery.links import KnownBy, note_links
from stokly_sync.delivery.loading import load
from stokly_sync.delivery.options import utc_now
from stokly_sync.delivery.problems import Problems
from stokly_sync.flow import Feed, Frames, Problem, Trigger
from stokly_sync.steady import steady, tidy
from stokly_sync.warehouse.bulk import insert
from stokly_sync.warehouse.exceptions import IGNORED
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import PLANS
from stokly_sync.warehouse.windows import OwedWindow, mark_planned, owed

CHUNK = 6_000
"""Records that are planned at once: enough for the bulk paths, few enough for flat memory."""


def plan(
    warehouse: Warehouse,
    feed: Feed,
    *,
    catalogue: Catalogue,
    scope: PlanScope | None = None,
    run_id: str,
    force: bool = False,
    assume_sent: bool = False,
    forgets: bool = False,
    chunk: int = CHUNK,
) -> PlanFigures:
    """Decide what a feed has to send, store it under a plan id, and give the figures, whose sum was checked.

    `force` sends again what the destination holds already (X18). `assume_sent` takes for granted that records which
    others wait for and which are planned themselves will be sent first; `deliver` looks again. `forgets` says that the
    destination forgets people when it is asked to: then all that belongs to somebody who was erased is left out, and
    elsewhere only the person's own records (see `erased`). Holds `feed:<feed>`;
    raises Busy when another run has it, RowSumBroken when records are not accounted for (the windows then stay owed),
    PermanentError when the builder or the catalogue is wrong. Source: X2, X4, X5, X12, X18.
    """
    with warehouse.exclusive(f"feed:{feed.id}", purpose=f"plan {run_id}"), steady():
        planning = _Planning(warehouse, feed, catalogue, run_id, scope or PlanScope(), force, assume_sent, forgets)
        return planning.run(chunk)


@dataclass(frozen=True)
class _Gathered:
    """What is needed to decide on a chunk."""

    chunk: Chunk
    frames: Frames
    known: Known
    erased: frozenset[str]
    """Records about people who were erased."""


@dataclass
class _Planning:
    """One plan in the making: what was read on one side, what became of it on the other."""

    warehouse: Warehouse
    feed: Feed
    catalogue: Catalogue
    run_id: str
    scope: PlanScope
    force: bool
    assume_sent: bool
    forgets: bool
    plan_id: str = field(default_factory=lambda: uuid4().hex)
    now: datetime = field(default_factory=utc_now)
    read: int = 0
    carried_in: int = 0
    bytes: int = 0
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)
    rules: dict[Verdict, Counter[str]] = field(
        default_factory=lambda: {v: Counter() for v in (Verdict.QUARANTINED, Verdict.EXCLUDED, Verdict.PARKED)}
    )
    sending: Collection[str] = ()
    met: Met = field(default_factory=Met)

    def run(self, size: int) -> PlanFigures:
        """Go through all candidates, then close the plan."""
        with self.warehouse.reading() as snapshot:
            windows = self._owed(snapshot)
            candidates = Candidates(self.feed, self.warehouse.brand, self.scope, tuple(windows))
            attempts = Attempts(self.warehouse.brand, self.feed.id).left_open(snapshot)
            self.sending = {key for attempt in attempts for key in attempt.keys}
            for kept in candidates.kept_out(snapshot):
                self._count_kept(kept)
            for trigger in self.feed.triggers:
                self._orphans(snapshot, candidates, trigger, size)
            self._take_all(candidates.stream(snapshot, size))
        figures = self._figures()
        figures.check()
        self._close(figures, [w for w in windows if self.scope.covers(w.window)])
        return figures

    def _owed(self, connection: sa.Connection) -> list[OwedWindow]:
        return owed(connection, brand=self.warehouse.brand, feed=self.feed.id, datasets=self.feed.datasets)

    def _take_all(self, chunks: Iterator[Chunk]) -> None:
        """Go through the chunks: while one is built and decided, the next is read and the last one stored."""
        with ThreadPoolExecutor(1, "read") as reader, ThreadPoolExecutor(1, "write") as writer:
            first = next(chunks, None)
            reading = reader.submit(self._gather, first) if first else None
            writing: Future[None] | None = None
            while reading is not None:
                gathered = reading.result()
                following = next(chunks, None)
                reading = reader.submit(self._gather, following) if following else None
                decisions, kept_back = self._decide(gathered)
                if writing is not None:
                    writing.result()
                writing = writer.submit(self._store, decisions, kept_back, gathered.known.entries)
                self.read += len(gathered.chunk.keys) - gathered.chunk.carried
                self.carried_in += gathered.chunk.carried
                self._count(decisions, gathered.known.entries, {p.key for p in kept_back})
                tidy()
            if writing is not None:
                writing.result()

    def _gather(self, chunk: Chunk) -> _Gathered:
        with self.warehouse.reading() as connection:
            frames = load(connection, self.feed, chunk.keys, brand=self.warehouse.brand)
            entries = self.ledger.entries(connection, chunk.keys)
            ignored = self.problems.ignored(connection, chunk.keys)
            held = Books(self.warehouse.brand, self.feed).held(connection, chunk.keys)
            begins = beginning(connection, self.feed, brand=self.warehouse.brand)
            gone = of_erased(connection, self.feed, frames, brand=self.warehouse.brand, belongings=self.forgets)
        return _Gathered(chunk, frames, Known(entries, ignored, self.sending, held, begins), gone)

    def _decide(self, gathered: _Gathered) -> tuple[list[Decision], Sequence[Problem]]:
        # The documents end here: encoded they take a tenth of the memory.
        built = without(self.feed.build(gathered.frames), gathered.erased)
        decisions = decide(
            self.feed,
            gathered.chunk.keys,
            built,
            gathered.known,
            waits=lambda due: self._waits(gathered.frames, due),
            catalogue=self.catalogue,
            force=self.force,
        )
        return decisions, built.kept_back

    def _store(self, decisions: Sequence[Decision], kept_back: Sequence[Problem], entries: Mapping[str, Entry]) -> None:
        with self.warehouse.transaction() as connection:
            self.ledger.write(connection, decisions, entries, plan_id=self.plan_id, now=self.now)
            ids = {d.key: d.receipt for d in decisions if d.found and d.receipt is not None}
            brand = self.warehouse.brand
            note_links(connection, self.feed, ids, brand=brand, known_by=KnownBy.FOUND, now=self.now)
            self.problems.planned(connection, decisions, kept_back, now=self.now)
            crashpoint("plan:before-commit")
        crashpoint("plan:after-commit")

    def _waits(self, frames: Frames, due: Collection[str]) -> Mapping[str, Wait]:
        if not self.feed.gates:
            return {}
        with self.warehouse.reading() as connection:
            return waiting(
                connection,
                self.feed,
                frames,
                due,
                brand=self.warehouse.brand,
                assume_sent=self.assume_sent,
                met=self.met,
            )

    def _orphans(self, snapshot: sa.Connection, candidates: Candidates, trigger: Trigger, size: int) -> None:
        """Name the trigger's rows that belong to no record; those that have one by now are not named any more."""
        if trigger.orphan_rule is None:
            return
        adopted = candidates.adopted(snapshot, trigger)
        if adopted:
            with self.warehouse.transaction() as connection:
                self.problems.adopted(connection, trigger, adopted, now=self.now)
        for keys in _chunks(candidates.orphans(snapshot, trigger), size):
            with self.warehouse.transaction() as connection:
                self.problems.orphaned(connection, trigger, keys)
            self.read += len(keys)
            self._add(Verdict.EXCLUDED, trigger.orphan_rule, len(keys))

    def _count_kept(self, kept: Kept) -> None:
        self.read += 1
        if kept.state == IGNORED:
            self._add(Verdict.HELD, None, 1)
        elif effect_of(kept.rule, self.catalogue) is Effect.EXCLUDE:
            self._add(Verdict.EXCLUDED, kept.rule, 1)
        else:
            self._add(Verdict.QUARANTINED, kept.rule, 1)

    def _count(self, decisions: Iterable[Decision], entries: Mapping[str, Entry], kept_back: Collection[str]) -> None:
        for decision in decisions:
            self._add(decision.verdict, decision.rule, 1)
            if decision.verdict is Verdict.SEND and decision.encoded is not None:
                self.bytes += len(decision.encoded.text) + 1
                entry = entries.get(decision.key)
                known = entry is not None and entry.accepted_hash is not None
                # A document beside a problem takes back what is there.
                self.changes["removals" if decision.key in kept_back else "updates" if known else "creates"] += 1

    def _add(self, verdict: Verdict, rule: str | None, records: int) -> None:
        self.verdicts[verdict] += records
        if verdict in self.rules:
            self.rules[verdict][rule or ""] += records

    def _figures(self) -> PlanFigures:
        to_send = self.verdicts[Verdict.SEND]
        batches = self.feed.limits.batches(to_send, self.bytes)
        return PlanFigures(
            plan_id=self.plan_id,
            feed=self.feed.id,
            read=self.read,
            carried_in=self.carried_in,
            to_send=to_send,
            unchanged=self.verdicts[Verdict.UNCHANGED],
            held=self.verdicts[Verdict.HELD],
            quarantined=dict(sorted(self.rules[Verdict.QUARANTINED].items())),
            excluded=dict(sorted(self.rules[Verdict.EXCLUDED].items())),
            parked=dict(sorted(self.rules[Verdict.PARKED].items())),
            api_calls_needed=batches + self.feed.limits.each * to_send,
            least_calls=self.feed.limits.least_calls(to_send, self.bytes),
            creates=self.changes["creates"],
            updates=self.changes["updates"],
            removals=self.changes["removals"],
        )

    def _close(self, figures: PlanFigures, windows: list[OwedWindow]) -> None:
        """Keep the plan, and note its windows as planned."""
        spans = [[w.dataset, w.window.start.isoformat(), w.revision] for w in windows]
        row: dict[str, list[Any]] = {
            "plan_id": [self.plan_id],
            "feed": [self.feed.id],
            "run_id": [self.run_id],
            "created_at": [self.now],
            "counts": [json.dumps(figures.as_json())],
            "windows": [json.dumps(spans)],
            "state": ["planned"],
        }
        with self.warehouse.transaction() as connection:
            insert(connection, PLANS, row, fixed={"brand": self.warehouse.brand})
            if windows:
                mark_planned(
                    connection,
                    brand=self.warehouse.brand,
                    feed=self.feed.id,
                    windows=windows,
                    run_id=self.run_id,
                )
            self.ledger.refresh_statistics(connection, written=figures.to_send)
            crashpoint("plan:before-commit")
        crashpoint("plan:after-commit")

    @cached_property
    def ledger(self) -> Ledger:
        """The feed's ledger."""
        return Ledger(self.warehouse.brand, self.feed.id)

    @cached_property
    def problems(self) -> Problems:
        """The feed's exceptions."""
        return Problems(self.feed, self.warehouse.brand, self.catalogue, self.run_id)


def _chunks(keys: Iterator[str], size: int) -> Iterator[list[str]]:
    while some := list(islice(keys, size)):
        yield some
