"""Problems that people are told of, written in the transaction that found them and sent later (X8).

There is at most one open finding per kind, subject and problem key, so one problem is one message however often it is
found; a second message says that it is over. A sensor sends what `unsent` gives and notes it with `mark_sent`: a crash
between the two sends twice, never not at all. Wording and channels stand in `alerts`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from stokly_sync.contracts.rules import Severity
from stokly_sync.flow import Team
from stokly_sync.warehouse.bulk import among
from stokly_sync.warehouse.tables import FINDINGS

OPEN: Final = "open"
CLEARED: Final = "cleared"


@dataclass(frozen=True)
class Finding:
    """A stored finding; `body` holds the numbers, without personal data. Times are UTC."""

    finding_id: str
    kind: str
    subject: str
    problem_key: str
    state: str
    owner: Team | None
    severity: Severity
    title: str
    body: Mapping[str, Any]
    run_id: str | None
    first_seen: datetime
    last_seen: datetime
    cleared_at: datetime | None
    told: bool
    """Whether people were told of it before."""


def raise_finding(
    conn: sa.Connection,
    *,
    brand: str,
    kind: str,
    subject: str,
    problem_key: str,
    title: str,
    body: Mapping[str, Any],
    severity: Severity,
    owner: Team | None = None,
    run_id: str | None = None,
    at: datetime | None = None,
) -> str:
    """Open a finding, or refresh the open one of the same kind, subject and key; gives its id.

    Safe when two processes find the same thing at once.
    """
    now = at or datetime.now(UTC)
    make: Any = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    newest = {
        "owner": owner.value if owner else None,
        "severity": severity.value,
        "title": title,
        "body": msgspec.json.encode(body).decode(),
        "run_id": run_id,
        "last_seen": now,
    }
    where = {"brand": brand, "kind": kind, "subject": subject, "problem_key": problem_key}
    statement = make(FINDINGS).values(finding_id=uuid.uuid4().hex, state=OPEN, first_seen=now, **where, **newest)
    statement = statement.on_conflict_do_update(
        index_elements=list(where), index_where=sa.text("state = 'open'"), set_=newest
    )
    return str(conn.execute(statement.returning(FINDINGS.c.finding_id)).scalar_one())


def clear_finding(
    conn: sa.Connection, *, brand: str, kind: str, subject: str, problem_key: str, at: datetime | None = None
) -> bool:
    """Note that a problem is over; False when none was open."""
    c = FINDINGS.c
    mine = (c.brand == brand, c.kind == kind, c.subject == subject, c.problem_key == problem_key, c.state == OPEN)
    changes = {"state": CLEARED, "cleared_at": at or datetime.now(UTC)}
    return conn.execute(sa.update(FINDINGS).where(*mine).values(changes)).rowcount > 0


def unsent(conn: sa.Connection, *, brand: str, remind_before: datetime | None = None) -> list[Finding]:
    """Findings that nobody was told of yet, and cleared ones whose end nobody was told of, oldest first.

    One that was cleared before it was ever sent is told once, as cleared. With `remind_before` also those that are
    still open and were last told of before that time.
    """
    c = FINDINGS.c
    untold = c.sent_at.is_(None) if remind_before is None else sa.or_(c.sent_at.is_(None), c.sent_at < remind_before)
    due = sa.or_(sa.and_(c.state == OPEN, untold), sa.and_(c.state == CLEARED, c.cleared_sent_at.is_(None)))
    return _read(conn, sa.and_(c.brand == brand, due))


def open_findings(conn: sa.Connection, *, brand: str) -> list[Finding]:
    """All open findings of a brand, oldest first."""
    return _read(conn, sa.and_(FINDINGS.c.brand == brand, FINDINGS.c.state == OPEN))


def mark_sent(conn: sa.Connection, *, brand: str, findings: Iterable[Finding], at: datetime | None = None) -> None:
    """Note that messages went out for findings in the state in which `unsent` gave them."""
    now = at or datetime.now(UTC)
    told = list(findings)
    c = FINDINGS.c
    for state, column in ((OPEN, "sent_at"), (CLEARED, "cleared_sent_at")):
        ids = [f.finding_id for f in told if f.state == state]
        mine = (c.brand == brand, among(conn, c.finding_id, ids))
        conn.execute(sa.update(FINDINGS).where(*mine).values({column: now}))


def _read(conn: sa.Connection, condition: sa.ColumnElement[bool]) -> list[Finding]:
    c = FINDINGS.c
    query = sa.select(FINDINGS).where(condition).order_by(c.first_seen, c.finding_id)
    return [
        Finding(
            row.finding_id,
            row.kind,
            row.subject,
            row.problem_key,
            row.state,
            Team(row.owner) if row.owner else None,
            Severity(row.severity),
            row.title,
            msgspec.json.decode(row.body),
            row.run_id,
            row.first_seen,
            row.last_seen,
            row.cleared_at,
            row.sent_at is not None,
        )
        for row in conn.execute(query)
    ]
