"""The facts of the daily health check: what happened on one day, and what needs a person now (X10).

Queries only. Everything is read from what runs have stored; nothing is called, counted again or changed. Days are the
brand's own.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import starmap
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import sqlalchemy as sa

from stokly_sync.contracts.rules import Catalogue
from stokly_sync.warehouse import findings
from stokly_sync.warehouse.exceptions import OPEN
from stokly_sync.warehouse.figures import Stage
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import EXCEPTIONS, LEDGER, RECONCILIATIONS, RUN_FIGURES

_NOBODY: Final = "nobody"


@dataclass(frozen=True)
class Volume:
    """What was read of a dataset, or sent by a feed, on the day; `counts` by name, runs added up."""

    subject: str
    counts: Mapping[str, int]


@dataclass(frozen=True)
class Latency:
    """From the event in the source to acceptance, in seconds, over the records that a feed had accepted on the day."""

    feed: str
    records: int
    p50: float
    p95: float


@dataclass(frozen=True)
class Moved:
    """Exceptions of one team: opened and closed on the day, and open now."""

    owner: str
    opened: int
    closed: int
    open: int


@dataclass(frozen=True)
class Compared:
    """The newest reconciliation of a feed."""

    subject: str
    agreed: bool
    at: datetime


@dataclass(frozen=True)
class Todo:
    """Something that waits for a person: how many records, since when, and what to do."""

    owner: str
    what: str
    records: int
    since: datetime
    advice: str


@dataclass(frozen=True)
class Health:
    """One day of one brand; `made_at` (UTC) is the moment of what stands under "now"."""

    brand: str
    day: date
    made_at: datetime
    read: tuple[Volume, ...] = ()
    sent: tuple[Volume, ...] = ()
    latencies: tuple[Latency, ...] = ()
    exceptions: tuple[Moved, ...] = ()
    reconciliations: tuple[Compared, ...] = ()
    todos: Mapping[str, tuple[Todo, ...]] = field(default_factory=dict)
    """By team, the most records first."""

    @property
    def waiting(self) -> int:
        """How many things wait for a person."""
        return sum(len(some) for some in self.todos.values())


def health(
    warehouse: Warehouse, catalogue: Catalogue, *, day: date, zone: ZoneInfo, now: datetime | None = None
) -> Health:
    """The facts of a day of the brand's own zone."""
    at, brand = now or datetime.now(UTC), warehouse.brand
    start = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    following = day + timedelta(days=1)
    end = datetime(following.year, following.month, following.day, tzinfo=zone).astimezone(UTC)
    with warehouse.reading() as conn:
        return Health(
            brand=brand,
            day=day,
            made_at=at,
            read=_volumes(conn, brand, Stage.EXTRACT, start, end),
            sent=_volumes(conn, brand, Stage.DELIVER, start, end),
            latencies=_latencies(conn, brand, start, end),
            exceptions=_moved(conn, brand, start, end),
            reconciliations=_compared(conn, brand),
            todos=_by_team([*_problems(conn, brand), *_kept_back(conn, brand, catalogue)]),
        )


def _volumes(conn: sa.Connection, brand: str, stage: Stage, start: datetime, end: datetime) -> tuple[Volume, ...]:
    c = RUN_FIGURES.c
    query = sa.select(c.subject, c.body).where(c.brand == brand, c.stage == stage.value, c.at >= start, c.at < end)
    sums: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for subject, body in conn.execute(query):
        figures: dict[str, Any] = msgspec.json.decode(body)
        for name, value in figures.items():
            if isinstance(value, dict):
                sums[subject][name] += sum(v for v in value.values() if isinstance(v, int))
            elif isinstance(value, int) and not isinstance(value, bool):
                sums[subject][name] += value
    return tuple(Volume(subject, dict(counts)) for subject, counts in sorted(sums.items()))


def _latencies(conn: sa.Connection, brand: str, start: datetime, end: datetime) -> tuple[Latency, ...]:
    c = LEDGER.c
    query = sa.select(c.feed, c.event_at, c.accepted_at).where(
        c.brand == brand, c.accepted_at >= start, c.accepted_at < end, c.event_at.is_not(None)
    )
    waited: defaultdict[str, list[float]] = defaultdict(list)
    for feed, event_at, accepted_at in conn.execution_options(yield_per=5_000).execute(query):
        waited[feed].append((accepted_at - event_at).total_seconds())
    return tuple(
        Latency(feed, len(some), *(float(v) for v in np.percentile(some, [50, 95])))
        for feed, some in sorted(waited.items())
    )


def _moved(conn: sa.Connection, brand: str, start: datetime, end: datetime) -> tuple[Moved, ...]:
    c = EXCEPTIONS.c

    def counted(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.sum(sa.case((condition, 1), else_=0))

    query = (
        sa.select(
            sa.func.coalesce(c.owner, _NOBODY),
            counted(sa.and_(c.state != "excluded", c.first_seen >= start, c.first_seen < end)),
            counted(sa.and_(c.closed_at >= start, c.closed_at < end)),
            counted(c.state == OPEN),
        )
        .where(c.brand == brand)
        .group_by(sa.func.coalesce(c.owner, _NOBODY))
        .order_by(sa.func.coalesce(c.owner, _NOBODY))
    )
    return tuple(row for row in starmap(Moved, conn.execute(query)) if row.opened or row.closed or row.open)


def _compared(conn: sa.Connection, brand: str) -> tuple[Compared, ...]:
    c = RECONCILIATIONS.c
    newest = sa.select(c.subject, sa.func.max(c.at).label("at")).where(c.brand == brand).group_by(c.subject).subquery()
    same = sa.and_(newest.c.subject == c.subject, newest.c.at == c.at)
    query = sa.select(c.subject, c.status, c.at).join(newest, same).where(c.brand == brand).order_by(c.subject)
    return tuple(Compared(subject, status == "agreed", at) for subject, status, at in conn.execute(query))


def _problems(conn: sa.Connection, brand: str) -> Iterable[Todo]:
    for found in findings.open_findings(conn, brand=brand):
        advice = str(found.body.get("advice", ""))
        yield Todo(found.owner.value if found.owner else _NOBODY, found.title, 0, found.first_seen, advice)


def _kept_back(conn: sa.Connection, brand: str, catalogue: Catalogue) -> Iterable[Todo]:
    c = EXCEPTIONS.c
    query = (
        sa.select(c.rule, c.owner, sa.func.count(), sa.func.min(c.first_seen))
        .where(c.brand == brand, c.state == OPEN)
        .group_by(c.rule, c.owner)
    )
    for code, owner, count, since in conn.execute(query):
        rule = catalogue.get(code)
        what = f"{code}: {rule.problem}" if rule else code
        yield Todo(owner or _NOBODY, what, count, since, rule.advice if rule else "")


def _by_team(todos: Iterable[Todo]) -> dict[str, tuple[Todo, ...]]:
    teams: defaultdict[str, list[Todo]] = defaultdict(list)
    for todo in todos:
        teams[todo.owner].append(todo)
    return {team: tuple(sorted(some, key=lambda t: (-t.records, t.what))) for team, some in sorted(teams.items())}
