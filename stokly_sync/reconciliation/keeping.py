"""What stays of a comparison: its row, of which the newest lists all records that differ, and a finding while they do.

Written in one transaction with the comparisons of the other feeds of the destination. How a comparison is told stands
in `report`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import sqlalchemy as sa

from stokly_sync.contracts.rules import Severity
from stokly_sync.flow import Feed
from stokly_sync.reconciliation.compare import Comparison
from stokly_sync.reconciliation.report import body_of, finding_of, shortened, title_of
from stokly_sync.warehouse.few import merge_few
from stokly_sync.warehouse.findings import clear_finding, raise_finding
from stokly_sync.warehouse.tables import RECONCILIATIONS

FINDING: Final = "reconciliation"
DIFFERS: Final = "differs"
ADVICE: Final = "Look at the records that it names, at both ends; a replay of their window sends what is missing."


def keep(conn: sa.Connection, brand: str, feed: Feed, comparison: Comparison, *, run_id: str, now: datetime) -> None:
    """Store a comparison as the newest of its feed, and raise or clear its finding."""
    _shorten_newest(conn, brand, feed)
    status = "agreed" if comparison.agreed else "differs"
    row = {"subject": feed.id, "status": status, "body": body_of(comparison).text}
    merge_few(conn, RECONCILIATIONS, [row], fixed={"brand": brand, "at": now, "run_id": run_id})
    if comparison.agreed:
        clear_finding(conn, brand=brand, kind=FINDING, subject=feed.id, problem_key=DIFFERS)
        return
    raise_finding(
        conn,
        brand=brand,
        kind=FINDING,
        subject=feed.id,
        problem_key=DIFFERS,
        title=title_of(comparison),
        body={**finding_of(comparison), "advice": ADVICE},
        severity=Severity.HIGH,
        owner=feed.owner,
        run_id=run_id,
    )


def _shorten_newest(conn: sa.Connection, brand: str, feed: Feed) -> None:
    """Leave the first records to what was the newest comparison until now: its numbers are all that drift needs."""
    c = RECONCILIATIONS.c
    mine = (c.brand == brand, c.subject == feed.id)
    found = conn.execute(sa.select(c.at, c.body).where(*mine).order_by(c.at.desc()).limit(1)).first()
    text = shortened(found.body) if found else None
    if found and text is not None:
        conn.execute(sa.update(RECONCILIATIONS).where(*mine, c.at == found.at).values(body=text))
