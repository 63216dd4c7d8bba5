"""The exceptions of a feed, kept in step with what plans and deliveries find.

Opened when a rule keeps a record back or the destination refuses it, closed by themselves once the record passes;
always in the transaction that writes the ledger. How exceptions are stored is the warehouse's business.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from threading import Event

import sqlalchemy as sa

from stokly_sync.contracts.datasets import DATASETS
from stokly_sync.contracts.rules import Catalogue, Effect
from stokly_sync.delivery.decide import Decision, Verdict, effect_of
from stokly_sync.delivery.items import Item
from stokly_sync.delivery.rules import IN_DOUBT, LEFT_OUT, WAITS
from stokly_sync.errors import PermanentError
from stokly_sync.flow import Feed, Outcome, Problem, State, Trigger
from stokly_sync.warehouse.bulk import among
from stokly_sync.warehouse.exceptions import CLOSED, IGNORED, AtStake, close_absent, open_for
from stokly_sync.warehouse.tables import EXCEPTIONS, LANDED

_STANDING = frozenset({Verdict.SEND, Verdict.PARKED, Verdict.QUARANTINED})
_KEPT = frozenset({Verdict.QUARANTINED, Verdict.EXCLUDED})


@dataclass(frozen=True)
class Problems:
    """The exceptions of one feed of one brand in one run."""

    feed: Feed
    brand: str
    catalogue: Catalogue
    run_id: str
    _seen: Event = field(default_factory=Event, compare=False)

    def __post_init__(self) -> None:
        rules = (self.feed.rejected_rule, WAITS, LEFT_OUT, IN_DOUBT, *(t.orphan_rule for t in self.feed.triggers))
        for rule in rules:
            if rule is not None and rule not in self.catalogue:
                raise PermanentError(f"{self.feed.id}: rule {rule} is not in the rule catalogue; add it there")

    def ignored(self, connection: sa.Connection, keys: Collection[str]) -> set[tuple[str, str]]:
        """Pairs of key and rule that a person chose to ignore."""
        e = EXCEPTIONS.c
        if not self._any(connection):
            return set()
        query = sa.select(e.key, e.rule).where(
            e.brand == self.brand, e.subject == self.feed.id, e.state == IGNORED, among(connection, e.key, keys)
        )
        return {(key, rule) for key, rule in connection.execute(query)}

    def planned(
        self, connection: sa.Connection, decisions: Sequence[Decision], kept_back: Iterable[Problem], *, now: datetime
    ) -> None:
        """Open what keeps records back now, and close what does no longer.

        What a destination refused stays open until the record is accepted, or is not to be sent at all.
        """
        kept = {d.key for d in decisions if d.verdict in _KEPT}
        found = [p for p in kept_back if p.key in kept and effect_of(p.rule, self.catalogue) is not Effect.PARK]
        self._open(connection, found)
        pairs = [(p.key, p.rule) for p in found]
        standing = [d.key for d in decisions if d.verdict in _STANDING]
        self._close(connection, standing, pairs, self._of_plans, now)
        done = [d.key for d in decisions if d.verdict in (Verdict.UNCHANGED, Verdict.EXCLUDED)]
        self._close(connection, done, pairs, self._of_records, now)

    def orphaned(self, connection: sa.Connection, trigger: Trigger, keys: Sequence[str]) -> None:
        """Name rows of another dataset that belong to no record of this feed (excluded, nobody's work)."""
        if trigger.orphan_rule is not None:
            detail = f"the row of {trigger.dataset} names no {trigger.column}"
            self._open(connection, [Problem(key, trigger.orphan_rule, detail) for key in keys])

    def adopted(self, connection: sa.Connection, trigger: Trigger, keys: Sequence[str], *, now: datetime) -> None:
        """Close what `orphaned` named and has its record now."""
        if trigger.orphan_rule is not None:
            self._close(connection, keys, [], [trigger.orphan_rule], now)

    def decided(self, connection: sa.Connection, keys: Sequence[str], *, now: datetime) -> None:
        """Close what was in doubt and is to be sent again."""
        self._close(connection, keys, [], [IN_DOUBT], now)

    def follow(
        self, connection: sa.Connection, outcomes: Sequence[Outcome], items: Mapping[str, Item], *, now: datetime
    ) -> None:
        """Open what a destination refused or left in doubt, close what it accepted."""
        accepted = [o.key for o in outcomes if o.state is State.ACCEPTED]
        self._close(connection, accepted, [], self._of_records, now)
        refused = [o for o in outcomes if o.state in (State.REJECTED, State.IN_DOUBT)]
        if not refused:
            return
        found = [Problem(o.key, o.rule or self.feed.rejected_rule, o.reason or "") for o in refused]
        self._open(connection, found, {o.key: items[o.key].record.hash for o in refused})

    def _open(
        self, connection: sa.Connection, found: Sequence[Problem], hashes: Mapping[str, str] | None = None
    ) -> None:
        if found:
            self._seen.set()
            open_for(
                connection,
                brand=self.brand,
                subject=self.feed.id,
                problems=found,
                catalogue=self.catalogue,
                run_id=self.run_id,
                hashes=hashes,
                values=self._at_stake(connection, {p.key for p in found}),
            )

    def _at_stake(self, connection: sa.Connection, keys: Collection[str]) -> dict[str, AtStake]:
        """What records are worth, from their landed rows, where the dataset's rows are worth anything."""
        column = DATASETS[self.feed.dataset].value
        if column is None:
            return {}
        root = LANDED[self.feed.dataset].c
        query = sa.select(root[self.feed.key], root[column], root.currency).where(
            root.brand == self.brand, among(connection, root[self.feed.key], keys)
        )
        return {key: (value, currency) for key, value, currency in connection.execute(query)}

    def _close(
        self,
        connection: sa.Connection,
        keys: Sequence[str],
        found: Sequence[tuple[str, str]],
        rules: Sequence[str],
        now: datetime,
    ) -> None:
        if keys and self._any(connection):
            close_absent(
                connection,
                brand=self.brand,
                subject=self.feed.id,
                keys=keys,
                found=found,
                rules=rules,
                run_id=self.run_id,
                at=now,
            )

    def _any(self, connection: sa.Connection) -> bool:
        """Whether the feed has any exception that can be closed; most runs have none and need not look for each key.

        Nobody else opens exceptions of a feed whose lock we hold, so that "none" stays true until we open one.
        """
        if not self._seen.is_set():
            e = EXCEPTIONS.c
            query = sa.select(e.key).where(e.brand == self.brand, e.subject == self.feed.id, e.state != CLOSED)
            if connection.execute(query.limit(1)).first() is not None:
                self._seen.set()
        return self._seen.is_set()

    @cached_property
    def _of_records(self) -> list[str]:
        """Rules about this feed's records; those of orphans are about rows of another dataset."""
        orphans = {t.orphan_rule for t in self.feed.triggers}
        return [code for code in self.catalogue if code not in orphans]

    @cached_property
    def _of_plans(self) -> list[str]:
        """Rules that a plan finds kept or broken; the rest is found by sending."""
        sent = {IN_DOUBT, self.feed.rejected_rule}
        return [
            code for code in self._of_records if code not in sent and self.catalogue[code].effect is not Effect.REJECT
        ]
