"""What all parts of one delivery share: the feed, its client, its ledger, and the counting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from stokly_sync.contracts.rules import Catalogue
from stokly_sync.crashpoints import crashpoint
from stokly_sync.delivery.attempts import Attempts
from stokly_sync.delivery.booking import Books
from stokly_sync.delivery.gates import waiting
from stokly_sync.delivery.items import Item
from stokly_sync.delivery.ledger import Ledger
from stokly_sync.delivery.links import KnownBy, note_links
from stokly_sync.delivery.loading import load
from stokly_sync.delivery.options import Options
from stokly_sync.delivery.problems import Problems
from stokly_sync.delivery.tally import Tally
from stokly_sync.flow import Feed, Outcome, State
from stokly_sync.warehouse.store import Warehouse


@dataclass(frozen=True)
class Site:
    """One feed of one brand, being delivered by one run."""

    warehouse: Warehouse
    feed: Feed
    client: Any
    catalogue: Catalogue
    run_id: str
    options: Options
    tally: Tally = field(default_factory=Tally)
    settled_earlier: Counter[str] = field(default_factory=Counter)
    recovered: Counter[str] = field(default_factory=Counter)

    @cached_property
    def ledger(self) -> Ledger:
        """The feed's ledger."""
        return Ledger(self.warehouse.brand, self.feed.id)

    @cached_property
    def books(self) -> Books:
        """What the destination holds, for append-only feeds."""
        return Books(self.warehouse.brand, self.feed)

    @cached_property
    def attempts(self) -> Attempts:
        """The feed's attempts."""
        return Attempts(self.warehouse.brand, self.feed.id)

    @cached_property
    def problems(self) -> Problems:
        """The feed's exceptions."""
        return Problems(self.feed, self.warehouse.brand, self.catalogue, self.run_id)

    def waiting(self, keys: Collection[str]) -> dict[str, str]:
        """Those of `keys` that a gate keeps now, with the reason."""
        with self.warehouse.reading() as connection:
            frames = load(connection, self.feed, keys, brand=self.warehouse.brand)
            waits = waiting(connection, self.feed, frames, keys, brand=self.warehouse.brand)
        return {key: wait.reason for key, wait in waits.items()}

    def store(
        self,
        connection: sa.Connection,
        outcomes: Sequence[Outcome],
        items: Mapping[str, Item],
        *,
        now: datetime,
        sent: bool = True,
    ) -> None:
        """Store what became of records in ledger, links, books and exceptions; `sent` as in `Ledger.note`."""
        self.ledger.note(connection, outcomes, now=now, sent=sent)
        ids = {o.key: o.receipt for o in outcomes if o.state is State.ACCEPTED and o.receipt is not None}
        note_links(connection, self.feed, ids, brand=self.warehouse.brand, known_by=KnownBy.SENT, now=now)
        self.books.add(connection, outcomes, items, now=now)
        self.problems.follow(connection, outcomes, items, now=now)

    def settle(self, outcomes: Sequence[Outcome], asked: Mapping[str, Item], *, earlier: bool = False) -> None:
        """Store and count what was learnt of submitted records; `earlier` when another run had submitted them."""
        if outcomes:
            now = self.options.now()
            self.store_fates(outcomes, asked, now=now)
            self.count(outcomes, asked, now=now, into=self.settled_earlier if earlier else None)

    def store_fates(self, outcomes: Sequence[Outcome], asked: Mapping[str, Item], *, now: datetime) -> None:
        """Store what was learnt of records that the ledger holds as submitted."""
        crashpoint("settle:before-merge")
        with self.warehouse.transaction() as connection:
            self.store(connection, outcomes, asked, now=now, sent=False)

    def count(
        self,
        outcomes: Sequence[Outcome],
        items: Mapping[str, Item],
        *,
        now: datetime,
        into: Counter[str] | None,
    ) -> None:
        """Count outcomes: of this delivery's own records in the tally, of others by state in `into`."""
        if into is None:
            self.tally.note(outcomes, items, now=now)
        else:
            into.update(o.state.value for o in outcomes)
