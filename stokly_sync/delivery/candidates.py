"""Which records a plan looks at: those seen in its windows, those that another dataset touched, those carried in.

One query that the database sorts and hands out in pieces, so that memory stays flat however long the history is. What
becomes of a record is decided in `decide`, not here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import sqlalchemy as sa

from stokly_sync.contracts.datasets import DATASETS
from stokly_sync.delivery.figures import PlanScope
from stokly_sync.delivery.rules import LEFT_OUT
from stokly_sync.flow import Feed, State, Trigger, Window
from stokly_sync.warehouse.exceptions import EXCLUDED, IGNORED, OPEN
from stokly_sync.warehouse.tables import EXCEPTIONS, LANDED, LEDGER
from stokly_sync.warehouse.windows import OwedWindow

CARRIED_STATES = (State.PLANNED, State.PARKED, State.QUARANTINED)
"""States in which a record waits for something other than its own content, so that every plan asks again."""


@dataclass(frozen=True)
class Chunk:
    """Some keys in ascending order; `carried` are those that were not seen in the scope."""

    keys: list[str]
    carried: int


@dataclass(frozen=True)
class Kept:
    """A row that a contract, not the feed, keeps out: its key, rule and the state of its exception."""

    key: str
    rule: str
    state: str


@dataclass(frozen=True)
class Candidates:
    """The records of one feed and brand in a scope; `owed` are the windows read from the ledger of windows."""

    feed: Feed
    brand: str
    scope: PlanScope
    owed: tuple[OwedWindow, ...] = ()

    def stream(self, connection: sa.Connection, size: int) -> Iterator[Chunk]:
        """Chunks of at most `size` distinct keys, each key once; the connection must stay as it is meanwhile."""
        every = sa.union_all(*self._seen(), *self._carried()).subquery()
        query = sa.select(every.c.key, sa.func.min(every.c.carried)).group_by(every.c.key).order_by(every.c.key)
        result = connection.execution_options(yield_per=size).execute(query)
        for rows in result.partitions(size):
            yield Chunk([row[0] for row in rows], sum(row[1] for row in rows))

    def kept_out(self, connection: sa.Connection) -> Iterator[Kept]:
        """Rows of the feed's own dataset that broke a contract when they were seen in the scope, each key once."""
        e = EXCEPTIONS.c
        query = (
            sa.select(e.key, sa.func.min(e.rule), sa.func.max(e.state))
            .where(e.brand == self.brand, e.subject == self.feed.dataset, e.state.in_((OPEN, IGNORED, EXCLUDED)))
            .where(self._in_scope(self.feed.dataset, e.window_start))
            .group_by(e.key)
        )
        for row in connection.execute(query):
            yield Kept(*row)

    def orphans(self, connection: sa.Connection, trigger: Trigger) -> Iterator[str]:
        """Keys of a trigger's rows in the scope that belong to no record of this feed."""
        table = LANDED[trigger.dataset]
        query = sa.select(table.c[DATASETS[trigger.dataset].key]).where(
            table.c.brand == self.brand,
            table.c[trigger.column].is_(None),
            self._in_scope(trigger.dataset, table.c.window_start),
        )
        return connection.execute(query).scalars()

    def adopted(self, connection: sa.Connection, trigger: Trigger) -> list[str]:
        """Keys of rows that were orphans when last seen and have their record now."""
        table, e = LANDED[trigger.dataset], EXCEPTIONS.c
        query = sa.select(e.key).where(
            e.brand == self.brand,
            e.subject == self.feed.id,
            e.rule == trigger.orphan_rule,
            e.state == EXCLUDED,
            sa.exists().where(
                table.c.brand == self.brand,
                table.c[DATASETS[trigger.dataset].key] == e.key,
                table.c[trigger.column].is_not(None),
            ),
        )
        return list(connection.execute(query).scalars())

    def _seen(self) -> list[sa.Select[tuple[str, int]]]:
        root = LANDED[self.feed.dataset]
        key = root.c[self.feed.key]
        own = sa.select(key.label("key"), sa.literal_column("0").label("carried")).where(
            root.c.brand == self.brand,
            key.is_not(None),
            self._in_scope(self.feed.dataset, root.c.window_start),
        )
        return [own, *(self._touched(trigger) for trigger in self.feed.triggers)]

    def _touched(self, trigger: Trigger) -> sa.Select[tuple[str, int]]:
        table = LANDED[trigger.dataset].alias()
        return sa.select(table.c[trigger.column].label("key"), sa.literal_column("0").label("carried")).where(
            table.c.brand == self.brand,
            table.c[trigger.column].is_not(None),
            self._in_scope(trigger.dataset, table.c.window_start),
            self._landed(table.c[trigger.column]),
        )

    def _carried(self) -> list[sa.Select[tuple[str, int]]]:
        c = LEDGER.c
        mine = sa.select(c.key.label("key"), sa.literal_column("1").label("carried")).where(
            c.brand == self.brand, c.feed == self.feed.id, c.entry == 0, self._landed(c.key)
        )
        # Apart, because one with OR could use neither of the two indexes.
        return [
            mine.where(c.state.in_(CARRIED_STATES)),
            mine.where(c.state == State.EXCLUDED, c.rule == LEFT_OUT),
            mine.where(c.stale, c.state != State.IN_DOUBT),
        ]

    def _landed(self, key: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
        root = LANDED[self.feed.dataset].alias()
        return sa.exists().where(root.c.brand == self.brand, root.c[self.feed.key] == key)

    def _in_scope(self, dataset: str, column: sa.ColumnElement[datetime]) -> sa.ColumnElement[bool]:
        if self.scope.everything:
            return sa.true()
        windows = self.scope.windows
        if windows is None:
            windows = tuple(o.window for o in self.owed if o.dataset == dataset)
        return sa.or_(sa.false(), *[sa.and_(column >= w.start, column < w.end) for w in spans(windows)])


def spans(windows: Iterable[Window], most: int = 100) -> list[Window]:
    """Few spans that cover all windows: touching ones are joined, then those with the smallest gaps until `most`.

    A span too wide costs some records that are found unchanged; thousands of conditions would cost every plan.
    """
    joined: list[Window] = []
    for window in sorted(windows):
        if joined and window.start <= joined[-1].end:
            joined[-1] = Window(joined[-1].start, max(joined[-1].end, window.end))
        else:
            joined.append(window)
    if len(joined) <= most:
        return joined
    gaps = sorted(b.start - a.end for a, b in pairwise(joined))
    bridged = gaps[len(joined) - most - 1]
    wide = joined[:1]
    for window in joined[1:]:
        if window.start - wide[-1].end <= bridged:
            wide[-1] = Window(wide[-1].start, window.end)
        else:
            wide.append(window)
    return wide
