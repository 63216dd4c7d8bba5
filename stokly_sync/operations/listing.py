"""Lists of exceptions: filtered, counted, a page at a time, from an index that holds all that is filtered by.

Payloads and details are read for the rows of a page alone. Pages follow each other by the last row seen, never by a
number of rows to skip, so that nothing is shown twice or missed while exceptions open and close.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

import msgspec
import sqlalchemy as sa

from stokly_sync.contracts import money
from stokly_sync.contracts.rules import Severity
from stokly_sync.errors import StoklySyncError
from stokly_sync.flow import Team
from stokly_sync.operations.desk import Desk, system_of
from stokly_sync.warehouse.exceptions import OPEN
from stokly_sync.warehouse.tables import EXCEPTIONS

PAGE: Final = 50
_STREAMED: Final = 1_000
_E: Final = EXCEPTIONS.c


class Order(StrEnum):
    """How a list is sorted."""

    NEWEST = "newest"
    OLDEST = "oldest"
    VALUE = "value"
    """The largest amounts first, whatever their currency; records without an amount last."""


class Ref(NamedTuple):
    """What names an exception within a brand; `subject` is a dataset's name or a feed's id."""

    subject: str
    key: str
    rule: str


@dataclass(frozen=True)
class Wanted:
    """Which exceptions are meant: all conditions that are set hold together. `at_least` is in nano units."""

    state: str = OPEN
    owner: Team | None = None
    system: str | None = None
    subject: str | None = None
    rule: str | None = None
    severity: Severity | None = None
    assigned_to: str | None = None
    older_than: timedelta | None = None
    at_least: int | None = None
    order: Order = Order.NEWEST


@dataclass(frozen=True)
class Row:
    """An exception as lists show it; `value` in nano units of `currency`, times in UTC."""

    ref: Ref
    state: str
    owner: str | None
    severity: str | None
    detail: str
    value: int | None
    currency: str | None
    first_seen: datetime
    last_seen: datetime
    run_id: str | None
    assigned_to: str | None
    note: str | None
    closed_at: datetime | None = None


@dataclass(frozen=True)
class Page:
    """Some rows of a list, and the place after them; None at the end."""

    rows: Sequence[Row]
    after: str | None


@dataclass(frozen=True)
class Total:
    """How many records a list holds, and what they are worth per currency, in nano units."""

    count: int
    values: dict[str, int]


@dataclass(frozen=True)
class Count:
    """How many exceptions in a state one team has of one subject and rule."""

    owner: str | None
    subject: str
    rule: str
    count: int


class BadPlace(StoklySyncError):
    """The place in a list cannot be read."""


def conditions(brand: str, wanted: Wanted, *, now: datetime | None = None) -> list[sa.ColumnElement[bool]]:
    """The conditions of a list, the brand's first; only columns of the index `exceptions_listed`."""
    found: list[sa.ColumnElement[bool]] = [_E.brand == brand, _E.state == wanted.state]
    for column, value in (
        (_E.owner, wanted.owner),
        (_E.subject, wanted.subject),
        (_E.rule, wanted.rule),
        (_E.severity, wanted.severity),
        (_E.assigned_to, wanted.assigned_to),
    ):
        if value is not None:
            found.append(column == str(value))
    if wanted.system is not None:
        starts = [f"{wanted.system}{mark}" for mark in "./"]
        found.append(sa.or_(*[_E.subject.startswith(start, autoescape=True) for start in starts]))
    if wanted.older_than is not None:
        found.append(_E.first_seen <= (now or datetime.now(UTC)) - wanted.older_than)
    if wanted.at_least is not None:
        found.append(_E.value >= wanted.at_least)
    return found


def page(desk: Desk, wanted: Wanted, *, after: str | None = None, size: int = PAGE) -> Page:
    """The next rows of a list after a place; raises BadPlace for one that this list did not give."""
    with desk.warehouse.reading() as conn:
        return _page(conn, desk.brand, wanted, after, size)


def stream(desk: Desk, wanted: Wanted) -> Iterator[Row]:
    """All rows of a list, some at a time, so that memory stays flat and no reader blocks a writer for long."""
    after: str | None = None
    while True:
        some = page(desk, wanted, after=after, size=_STREAMED)
        yield from some.rows
        after = some.after
        if after is None:
            return


def total(desk: Desk, wanted: Wanted) -> Total:
    """How many there are and what they are worth."""
    # Summed in two parts, because whole nano units of a long list would leave 64 bits.
    majors, rest = sa.func.sum(_E.value // money.NANO), sa.func.sum(_E.value % money.NANO)
    query = sa.select(_E.currency, sa.func.count(), majors, rest).where(*conditions(desk.brand, wanted))
    with desk.warehouse.reading() as conn:
        rows = list(conn.execute(query.group_by(_E.currency)))
    values = {r[0]: int(r[2]) * money.NANO + int(r[3]) for r in rows if r[0] is not None and r[2] is not None}
    return Total(sum(r[1] for r in rows), dict(sorted(values.items())))


def counts(desk: Desk, *, state: str = OPEN) -> list[Count]:
    """Exceptions in a state by team, subject and rule, the largest counts first."""
    grouped = (_E.owner, _E.subject, _E.rule)
    query = sa.select(*grouped, sa.func.count()).where(_E.brand == desk.brand, _E.state == state).group_by(*grouped)
    with desk.warehouse.reading() as conn:
        found = [Count(*row) for row in conn.execute(query)]
    return sorted(found, key=lambda c: (-c.count, c.subject, c.rule))


def by_system(found: Sequence[Count]) -> dict[str, int]:
    """Counts by system."""
    sums: dict[str, int] = {}
    for one in found:
        sums[system_of(one.subject)] = sums.get(system_of(one.subject), 0) + one.count
    return sums


def rows_of(conn: sa.Connection, brand: str, refs: Sequence[Ref]) -> list[Row]:
    """The exceptions of some names, in their order; those that are not there are left out."""
    if not refs:
        return []
    query = sa.select(*_SHOWN).where(_E.brand == brand, named(refs))
    found = {row.ref: row for row in (_row(r) for r in conn.execute(query))}
    return [found[ref] for ref in refs if ref in found]


def named(refs: Sequence[Ref]) -> sa.ColumnElement[bool]:
    """The condition of being one of these, to stand beside the brand's."""
    # The first two serve the primary key, which SQLite does not find behind a list of rows.
    return sa.and_(
        _E.subject.in_(sorted({ref.subject for ref in refs})),
        _E.key.in_(sorted({ref.key for ref in refs})),
        sa.tuple_(_E.subject, _E.key, _E.rule).in_([tuple(ref) for ref in refs]),
    )


_SHOWN: Final = (
    *(_E.subject, _E.key, _E.rule, _E.state, _E.owner, _E.severity, _E.detail, _E.value, _E.currency),
    *(_E.first_seen, _E.last_seen, _E.run_id, _E.assigned_to, _E.note, _E.closed_at),
)


def _row(found: Any) -> Row:
    return Row(
        ref=Ref(found.subject, found.key, found.rule),
        state=found.state,
        owner=found.owner,
        severity=found.severity,
        detail=found.detail or "",
        value=found.value,
        currency=found.currency,
        first_seen=found.first_seen,
        last_seen=found.last_seen,
        run_id=found.run_id,
        assigned_to=found.assigned_to,
        note=found.note,
        closed_at=found.closed_at,
    )


def _page(conn: sa.Connection, brand: str, wanted: Wanted, after: str | None, size: int) -> Page:
    worth = sa.func.coalesce(_E.value, -1)
    lead: sa.ColumnElement[Any] = worth if wanted.order is Order.VALUE else _E.first_seen
    sorted_by = (lead, _E.subject, _E.key, _E.rule)
    query = sa.select(*sorted_by).where(*conditions(brand, wanted))
    if after is not None:
        place = sa.tuple_(*[sa.bindparam(None, v, type_=c.type) for v, c in zip(_read(after), sorted_by, strict=True)])
        seen = sa.tuple_(*sorted_by)
        query = query.where(seen > place if wanted.order is Order.OLDEST else seen < place)
    ordered = sorted_by if wanted.order is Order.OLDEST else [c.desc() for c in sorted_by]
    found = list(conn.execute(query.order_by(*ordered).limit(size + 1)))
    rows = rows_of(conn, brand, [Ref(*r[1:]) for r in found[:size]])
    return Page(rows, _written(found[size - 1]) if len(found) > size else None)


def _written(place: Sequence[Any]) -> str:
    return msgspec.json.encode(list(place)).decode()


def _read(after: str) -> list[Any]:
    try:
        lead, *ref = msgspec.json.decode(after)
        if isinstance(lead, str):
            lead = datetime.fromisoformat(lead)
        Ref(*ref)
    except (msgspec.DecodeError, ValueError, TypeError) as error:
        raise BadPlace("The place in the list cannot be read; begin at its first page.") from error
    return [lead, *ref]
