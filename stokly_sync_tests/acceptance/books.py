"""What our own tables say of a destination after a run: its ledger and the exceptions."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from stokly_sync.pipeline.services import Services
from stokly_sync.warehouse.tables import EXCEPTIONS, LEDGER


def ledger(services: Services, system: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Ledger rows of a destination by feed and key."""
    query = sa.select(LEDGER).where(LEDGER.c.feed.startswith(f"{system}/"))
    with services.warehouse.reading() as connection:
        rows = [dict(row._mapping) for row in connection.execute(query)]
    return {(row["feed"].partition("/")[2], row["key"]): row for row in rows}


def exceptions(services: Services, *, state: str = "open") -> set[tuple[str, str, str]]:
    """(subject, key, rule) of all exceptions in a state."""
    e = EXCEPTIONS.c
    query = sa.select(e.subject, e.key, e.rule).where(e.state == state)
    with services.warehouse.reading() as connection:
        return {(row[0], row[1], row[2]) for row in connection.execute(query)}
