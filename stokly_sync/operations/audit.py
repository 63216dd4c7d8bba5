"""What people did, and every time they looked at personal data: rows that are only ever added (X14).

An act on many records is written in one statement, a row for each, so that each record has its own history.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from uuid import uuid4

import sqlalchemy as sa

from stokly_sync.warehouse.tables import ACTIONS, EXCEPTIONS


class Action(StrEnum):
    """What was done."""

    REVEAL = "reveal"
    """Personal data was shown."""
    IGNORE = "ignore"
    REOPEN = "reopen"
    ASSIGN = "assign"
    RETRY = "retry"
    ARRIVED = "arrived"
    AGAIN = "send again"
    ERASE = "erase"
    """A person was erased: the subject is a system (or our own warehouse), the key a digest."""


@dataclass(frozen=True)
class Done:
    """One act on one record; `at` in UTC."""

    action: str
    actor: str
    at: datetime
    detail: str
    rule: str


def note(
    conn: sa.Connection,
    brand: str,
    action: Action,
    *,
    actor: str,
    detail: str,
    chosen: sa.ColumnElement[bool],
) -> int:
    """Write an act down for every exception of a condition, and give their number."""
    e, a = EXCEPTIONS.c, ACTIONS.c
    columns = [a.brand, a.subject, a.key, a.rule, a.action_id, a.action, a.actor, a.at, a.detail]
    told = [sa.literal(v, type_=c.type) for v, c in zip(_told(action, actor, detail), columns[4:], strict=True)]
    rows = sa.select(e.brand, e.subject, e.key, e.rule, *told).where(e.brand == brand, chosen)
    return conn.execute(sa.insert(ACTIONS).from_select(columns, rows)).rowcount


def note_record(
    conn: sa.Connection, brand: str, action: Action, *, actor: str, detail: str, subject: str, key: str, rule: str = ""
) -> None:
    """Write down an act on one record."""
    names = ("action_id", "action", "actor", "at", "detail")
    told = dict(zip(names, _told(action, actor, detail), strict=True))
    conn.execute(sa.insert(ACTIONS).values(brand=brand, subject=subject, key=key, rule=rule, **told))


def acts_on(conn: sa.Connection, brand: str, *, subject: str, key: str) -> list[Done]:
    """What was done about a record, oldest first."""
    a = ACTIONS.c
    query = sa.select(a.action, a.actor, a.at, sa.func.coalesce(a.detail, ""), a.rule).where(
        a.brand == brand, a.subject == subject, a.key == key
    )
    return [Done(*row) for row in conn.execute(query.order_by(a.at, a.action_id))]


def _told(action: Action, actor: str, detail: str) -> tuple[str, str, str, datetime, str]:
    return uuid4().hex, action.value, actor, datetime.now(UTC), detail
