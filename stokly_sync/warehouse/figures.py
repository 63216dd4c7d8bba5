"""What a run counted, stage by stage: read by the command line, the metadata in the UI and later pages.

Figures are plain numbers and names of rules, never rows. Whoever counts also checks its own sum before it writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec
import sqlalchemy as sa

from stokly_sync.warehouse.few import merge_few
from stokly_sync.warehouse.tables import RUN_FIGURES


class Stage(StrEnum):
    """The part of a flow that was counted."""

    EXTRACT = "extract"
    PLAN = "plan"
    DELIVER = "deliver"
    RECONCILE = "reconcile"


@dataclass(frozen=True)
class Figures:
    """What one stage of a run counted for one subject (a dataset, a feed's id or a system), at a time in UTC."""

    run_id: str
    subject: str
    stage: Stage
    at: datetime
    body: Mapping[str, Any]


def record_figures(
    conn: sa.Connection,
    *,
    brand: str,
    run_id: str,
    subject: str,
    stage: Stage,
    body: Mapping[str, Any],
    at: datetime | None = None,
) -> None:
    """Store the figures of a stage; a stage that is run again under the same run id replaces its own."""
    row = {"subject": subject, "body": msgspec.json.encode(body).decode(), "at": at or datetime.now(UTC)}
    merge_few(conn, RUN_FIGURES, [row], fixed={"brand": brand, "run_id": run_id, "stage": stage.value})


def figures_of(conn: sa.Connection, *, brand: str, run_id: str) -> list[Figures]:
    """All figures of a run, by subject and stage."""
    c = RUN_FIGURES.c
    return _read(conn, sa.select(RUN_FIGURES).where(c.brand == brand, c.run_id == run_id).order_by(c.subject, c.stage))


def latest_figures(conn: sa.Connection, *, brand: str, subject: str, stage: Stage, limit: int = 1) -> list[Figures]:
    """The newest figures of a subject and stage over all runs, newest first."""
    c = RUN_FIGURES.c
    mine = (c.brand == brand, c.subject == subject, c.stage == stage.value)
    return _read(conn, sa.select(RUN_FIGURES).where(*mine).order_by(c.at.desc()).limit(limit))


def figures_since(
    conn: sa.Connection, *, brand: str, subjects: Iterable[str], stage: Stage, after: datetime
) -> list[Figures]:
    """The figures of some subjects that were stored after a moment (UTC), oldest first."""
    c = RUN_FIGURES.c
    mine = (c.brand == brand, c.subject.in_(list(subjects)), c.stage == stage.value, c.at > after)
    return _read(conn, sa.select(RUN_FIGURES).where(*mine).order_by(c.at))


def _read(conn: sa.Connection, query: sa.Select[Any]) -> list[Figures]:
    return [
        Figures(row.run_id, row.subject, Stage(row.stage), row.at, msgspec.json.decode(row.body))
        for row in conn.execute(query)
    ]
