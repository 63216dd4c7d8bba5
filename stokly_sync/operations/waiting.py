"""What waits, and what is left out without being an exception: from the ledger, by rule and record by record.

An exception is somebody's work; these are not, so nothing is opened for them: a gate or a rule lets them wait, or what
they belong to is left out, or they lie before the beginning of history. Read from the ledger's index of states.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from stokly_sync.delivery.rules import BEFORE_HISTORY, LEFT_OUT
from stokly_sync.flow import State
from stokly_sync.operations.desk import Desk
from stokly_sync.operations.listing import Ref
from stokly_sync.operations.looking import record_of
from stokly_sync.warehouse.tables import LEDGER

PAGE: Final = 50
_C: Final = LEDGER.c
_UNLISTED: Final = (LEFT_OUT, BEFORE_HISTORY)
"""Rules by which delivery itself leaves records out; what other rules leave out is listed among the exceptions."""


@dataclass(frozen=True)
class Group:
    """How many records of a feed one rule lets wait or leaves out; `since` is when the first was planned so (UTC)."""

    feed: str
    rule: str
    state: str
    count: int
    since: datetime | None


@dataclass(frozen=True)
class Waiting:
    """One record: its key in the feed, dataset and key of its landed row, and why."""

    key: str
    record: tuple[str, str]
    reason: str
    since: datetime | None


def groups(desk: Desk, *, feed: str | None = None, rule: str | None = None) -> list[Group]:
    """What waits and what is left out, the largest numbers first; of one feed or rule where named."""
    told = (_C.feed, _C.rule, _C.state)
    first = sa.func.min(_C.planned_at, type_=_C.planned_at.type)
    query = sa.select(*told, sa.func.count(), first).where(*_conditions(desk, feed, rule)).group_by(*told)
    with desk.warehouse.reading() as conn:
        found = [Group(*row) for row in conn.execute(query)]
    return sorted(found, key=lambda g: (-g.count, g.feed, g.rule))


def records(desk: Desk, *, feed: str, rule: str, after: str = "", size: int = PAGE) -> tuple[Sequence[Waiting], str]:
    """Records of one feed and rule after a key, in order of their keys, and the key of the last; empty at the end."""
    query = sa.select(_C.key, _C.reason, _C.planned_at).where(*_conditions(desk, feed, rule), _C.key > after)
    with desk.warehouse.reading() as conn:
        rows: list[Any] = list(conn.execute(query.order_by(_C.key).limit(size + 1)))
        shown = [
            Waiting(row.key, record_of(conn, desk, Ref(feed, row.key, rule)), row.reason or "", row.planned_at)
            for row in rows[:size]
        ]
    return shown, shown[-1].key if len(rows) > size else ""


def _conditions(desk: Desk, feed: str | None, rule: str | None) -> list[sa.ColumnElement[bool]]:
    left_out = sa.and_(_C.state == State.EXCLUDED.value, _C.rule.in_(_UNLISTED))
    found = [
        _C.brand == desk.brand,
        _C.feed.in_(list(desk.feeds) if feed is None else [feed]),
        # PostgreSQL's index of states leaves out what was accepted, and is found by this alone.
        _C.state != State.ACCEPTED.value,
        _C.state.in_([State.PARKED.value, State.EXCLUDED.value]),
        sa.or_(_C.state == State.PARKED.value, left_out),
        _C.entry == 0,
    ]
    return found if rule is None else [*found, _C.rule == rule]
