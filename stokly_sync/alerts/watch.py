"""Findings about what no single run sees: records in doubt, exceptions that cannot wait or pile up, and pauses.

Each look raises what it finds and clears what is over, in one transaction. What a run finds by itself (a reconciliation
that differs, a failed run, a feed that is behind) is raised elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from stokly_sync.contracts.rules import Catalogue, Severity
from stokly_sync.delivery.breaker import paused
from stokly_sync.flow import State, Team
from stokly_sync.warehouse import findings
from stokly_sync.warehouse.exceptions import OPEN
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import EXCEPTIONS, LEDGER

DOUBT: Final = "in-doubt"
QUARANTINE: Final = "quarantine"
PAUSED: Final = "paused"
URGENT: Final = "exception"
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Seen:
    """A problem as it stands: what about (a feed, dataset or system, or the team's part of it), and its words."""

    subject: str
    problem_key: str
    title: str
    body: Mapping[str, Any]
    owner: Team | None
    severity: Severity = Severity.HIGH


def watch(
    warehouse: Warehouse,
    *,
    owner_of: Callable[[str], Team],
    catalogue: Catalogue,
    quarantine: int,
    now: datetime | None = None,
) -> tuple[int, int]:
    """Raise and clear findings; gives how many problems stand and how many are over.

    `owner_of` gives the team of a feed's id; `quarantine` is the number of new exceptions within a day from which on
    the team that owns them is told; `catalogue` says of which rules it is told at once. Source: X8.
    """
    at = now or datetime.now(UTC)
    stand = over = 0
    with warehouse.transaction() as conn:
        for kind, seen in (
            (DOUBT, _in_doubt(conn, warehouse.brand, owner_of)),
            (QUARANTINE, _piling_up(conn, warehouse.brand, quarantine, at)),
            (URGENT, _urgent(conn, warehouse.brand, catalogue)),
            (PAUSED, _paused(conn, warehouse.brand)),
        ):
            stand += len(seen)
            over += _note(conn, warehouse.brand, kind, seen, at)
    return stand, over


def _in_doubt(conn: sa.Connection, brand: str, owner_of: Callable[[str], Team]) -> list[Seen]:
    c = LEDGER.c
    query = (
        sa.select(c.feed, sa.func.count(), sa.func.min(c.settled_at))
        .where(c.brand == brand, c.state == State.IN_DOUBT.value)
        .group_by(c.feed)
    )
    return [
        Seen(
            feed,
            "in doubt",
            f"{count} records of {feed} are in doubt",
            {
                "records": count,
                "oldest": f"{oldest:%Y-%m-%d %H:%M} UTC" if oldest else "",
                "advice": f"Look there whether they arrived, and say so: stokly-sync doubts --feed {feed}",
            },
            owner_of(feed),
        )
        for feed, count, oldest in conn.execute(query)
    ]


def _piling_up(conn: sa.Connection, brand: str, least: int, now: datetime) -> list[Seen]:
    c = EXCEPTIONS.c
    new = sa.func.sum(sa.case((c.first_seen >= now - _DAY, 1), else_=0))
    query = (
        sa.select(c.subject, c.owner, sa.func.count(), new.label("new"))
        .where(c.brand == brand, c.state == OPEN)
        .group_by(c.subject, c.owner)
        .having(new >= least)
    )
    return [
        Seen(
            subject,
            owner or "",
            f"{new_ones} new exceptions of {subject} within a day",
            {
                "new": int(new_ones),
                "open": int(count),
                "threshold": least,
                "advice": "Look for what they have in common: a rule that most break is a change at the source.",
            },
            Team(owner) if owner else None,
        )
        for subject, owner, count, new_ones in conn.execute(query)
    ]


def _urgent(conn: sa.Connection, brand: str, catalogue: Catalogue) -> list[Seen]:
    """Open exceptions of rules whose owner is told at once: a finding each, so that a second one is told as well."""
    c = EXCEPTIONS.c
    told = {code: rule for code, rule in catalogue.items() if rule.alert}
    query = sa.select(c.subject, c.key, c.rule, c.detail).where(
        c.brand == brand, c.state == OPEN, c.rule.in_(list(told))
    )
    return [
        Seen(
            subject,
            f"{code}/{key}",
            told[code].problem,
            {"rule": code, "record": key, "detail": detail, "advice": told[code].advice},
            told[code].owner,
            told[code].severity,
        )
        for subject, key, code, detail in conn.execute(query)
    ]


def _paused(conn: sa.Connection, brand: str) -> list[Seen]:
    return [
        Seen(
            found.system,
            "paused",
            f"{found.system} failed {found.failures} times in a row and is left alone for a while",
            {
                "failures": found.failures,
                "next try after": f"{found.until:%Y-%m-%d %H:%M} UTC",
                "advice": "Nothing is lost; look at the last failed run for what it answers, and at its status page.",
            },
            Team.OPERATIONS,
        )
        for found in paused(conn, brand=brand)
    ]


def _note(conn: sa.Connection, brand: str, kind: str, seen: list[Seen], at: datetime) -> int:
    standing = {(s.subject, s.problem_key) for s in seen}
    before = {(f.subject, f.problem_key) for f in findings.open_findings(conn, brand=brand) if f.kind == kind}
    for subject, key in before - standing:
        findings.clear_finding(conn, brand=brand, kind=kind, subject=subject, problem_key=key, at=at)
    for s in seen:
        findings.raise_finding(
            conn,
            brand=brand,
            kind=kind,
            subject=s.subject,
            problem_key=s.problem_key,
            title=s.title,
            body=s.body,
            severity=s.severity,
            owner=s.owner,
            at=at,
        )
    return len(before - standing)
