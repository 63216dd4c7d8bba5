"""Landed tables held against each other: orphans, twins and the like, which no feed sees (P1, P7, P8, G1).

What a system declares as a matching is found by its own pure function; here the rows are read, and the exceptions are
opened and closed. What differs between us and a destination record by record is found in `compare`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa

from stokly_sync.contracts.datasets import DATASETS, TABLES
from stokly_sync.contracts.rules import Catalogue
from stokly_sync.contracts.tables import DTYPES
from stokly_sync.flow import Frames, Matching, Problem
from stokly_sync.warehouse.bulk import read_frame
from stokly_sync.warehouse.exceptions import CLOSED, EXCLUDED, OPEN, close_absent, open_for
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import EXCEPTIONS, LANDED
from stokly_sync.warehouse.windows import watermark


def match(
    warehouse: Warehouse, matching: Matching, *, catalogue: Catalogue, run_id: str, now: datetime | None = None
) -> dict[str, int] | None:
    """Find what does not match, open an exception for each and close those that are over; gives counts by rule.

    None while the history of a table is not landed. Raises KeyError for a rule that the catalogue does not know.
    """
    brand, moment = warehouse.brand, now or datetime.now(UTC)
    with warehouse.reading() as conn:
        if not _landed(conn, matching, brand):
            return None
        found = matching.find(_frames(conn, matching, brand))
        problems = _unknown(conn, matching, brand, found)
        before = _named(conn, matching, brand)
    with warehouse.transaction() as conn:
        if problems:
            open_for(conn, brand=brand, subject=matching.subject, problems=problems, catalogue=catalogue, run_id=run_id)
        if before:
            pairs = [(p.key, p.rule) for p in problems]
            close_absent(
                conn, brand=brand, subject=matching.subject, keys=before, found=pairs, run_id=run_id, at=moment
            )
    return dict(sorted(Counter(p.rule for p in {(p.key, p.rule): p for p in problems}.values()).items()))


def _landed(conn: sa.Connection, matching: Matching, brand: str) -> bool:
    roots = {dataset.name for dataset in DATASETS.values() for table in dataset.tables if table.name in matching.needs}
    marks = [watermark(conn, brand=brand, dataset=root) for root in roots]
    return all(mark.baseline_done or mark.watermark is not None for mark in marks)


def _frames(conn: sa.Connection, matching: Matching, brand: str) -> Frames:
    frames: Frames = {}
    for name, columns in matching.needs.items():
        table, contract = LANDED[name], TABLES[name]
        query = sa.select(*(table.c[c] for c in columns)).where(table.c.brand == brand)
        kinds = {c.name: DTYPES[c.kind] for c in contract.all_columns if c.name in columns}
        frames[name] = read_frame(conn, query).astype(kinds)  # type: ignore[arg-type]
    return frames


def _unknown(conn: sa.Connection, matching: Matching, brand: str, found: Sequence[Problem]) -> list[Problem]:
    """Problems of rows that no feed has named: people look at those there, or a rule leaves them out for good."""
    if not matching.known_in or not found:
        return list(found)
    e = EXCEPTIONS.c
    query = sa.select(e.key).where(e.brand == brand, e.subject.in_(matching.known_in), e.state.in_((OPEN, EXCLUDED)))
    known = set(conn.execute(query).scalars())
    return [problem for problem in found if problem.key not in known]


def _named(conn: sa.Connection, matching: Matching, brand: str) -> list[str]:
    e = EXCEPTIONS.c
    query = sa.select(e.key).where(e.brand == brand, e.subject == matching.subject, e.state != CLOSED).distinct()
    return list(conn.execute(query).scalars())
