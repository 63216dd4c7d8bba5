"""*Where is order X*: the path of one record through every system, with times, states and reasons (X9).

A record is found by what people have in their hands: an order number, an e-mail address, a SKU, any id. What belongs to
it is found through the contracts: rows of other datasets that name its key, and rows whose key it names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from stokly_sync.contracts import money
from stokly_sync.contracts.datasets import DATASETS
from stokly_sync.contracts.owners import person, reachable
from stokly_sync.contracts.sales import ORDERS
from stokly_sync.contracts.tables import Dataset, Kind
from stokly_sync.operations import audit
from stokly_sync.operations.desk import Desk
from stokly_sync.operations.listing import Ref, Row, rows_of
from stokly_sync.operations.looking import NoSuchException
from stokly_sync.operations.relations import MOST_RELATED, related, row_of
from stokly_sync.operations.steps import Placed, Step, attempts_of, ledger_steps
from stokly_sync.warehouse.bulk import among
from stokly_sync.warehouse.exceptions import CLOSED
from stokly_sync.warehouse.tables import EXCEPTIONS, LANDED, LINKS, RECONCILIATIONS

MOST_FOUND: Final = 25
"""So many records are offered when what was asked for names several."""
_TOLD: Final = ("number", "sku", "channel_reference", "stage", "status", "payment_status", "live", "merged_into")


@dataclass(frozen=True)
class Found:
    """A record that answers a search: nothing personal. `there` says whether it was ever landed."""

    dataset: str
    key: str
    name: str
    there: bool = True


@dataclass(frozen=True)
class Stop:
    """One record on the path: what is known of it at its source, and where it stands with every feed of it."""

    dataset: str
    key: str
    name: str
    facts: Sequence[tuple[str, str]]
    landed_at: datetime | None
    version: datetime | None
    placed: Sequence[Placed]
    missing: Sequence[str]
    """Feeds of its dataset that have never planned it."""
    exceptions: Sequence[Row]


@dataclass(frozen=True)
class Path:
    """A record, what belongs to it, and everything that happened to them in order of time."""

    stops: Sequence[Stop]
    steps: Sequence[Step]
    links: Sequence[tuple[str, str, str]]
    """System, id there, and how that is known, of the record itself."""
    more: bool
    """Whether older records belong to it too and are not shown."""


def search(desk: Desk, words: str) -> list[Found]:
    """Records that an order number, an e-mail address, a SKU or an id names; at most MOST_FOUND."""
    text = words.strip()
    if not text:
        return []
    found: dict[tuple[str, str], Found] = {}
    with desk.warehouse.reading() as conn:
        for dataset in _searched():
            for key, name in _matches(conn, desk.brand, dataset, _spellings(text)):
                found.setdefault((dataset.name, key), Found(dataset.name, key, name))
        for subject, key in _kept_out(conn, desk, text, within=not found):
            found.setdefault((subject, key), Found(subject, key, key, there=False))
    return list(found.values())[:MOST_FOUND]


def trace(desk: Desk, dataset: str, key: str) -> Path:
    """The path of one record; raises NoSuchException when neither a row nor an exception has that key."""
    if dataset not in DATASETS:
        raise NoSuchException(f"There is no dataset {dataset}.")
    with desk.warehouse.reading() as conn:
        chosen = DATASETS[dataset]
        row = row_of(conn, desk.brand, chosen, key)
        belongs = list(related(conn, desk.brand, chosen, key, row))
        wanted = [(chosen, key, row), *belongs[:MOST_RELATED]]
        stops = [_stop(conn, desk, *one) for one in wanted]
        if row is None and not stops[0].exceptions:
            raise NoSuchException(f"{dataset} has no record {key}; look it up by another number.")
        steps = sorted(_steps(conn, desk, stops), key=lambda step: step.at)
        return Path(stops, steps, _links(conn, desk.brand, key), len(belongs) > MOST_RELATED)


def last_agreed(conn: sa.Connection, brand: str, feed: str) -> datetime | None:
    """When a feed's two sides last agreed (UTC)."""
    c = RECONCILIATIONS.c
    query = sa.select(c.at).where(c.brand == brand, c.subject == feed, c.status == "agreed")
    return conn.execute(query.order_by(c.at.desc()).limit(1)).scalar_one_or_none()


def _searched() -> Iterator[Dataset]:
    """Datasets that have something of their own to be found by, those with names for people first."""
    named = [d for d in DATASETS.values() if d.sought_by]
    yield from named
    yield from (d for d in DATASETS.values() if not d.sought_by and not d.name.startswith("derived."))


def _spellings(text: str) -> list[str]:
    return list(dict.fromkeys([text, text.lower(), text.upper()])) if "@" in text or text.isascii() else [text]


def _matches(conn: sa.Connection, brand: str, dataset: Dataset, texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    root = LANDED[dataset.name].c
    name = root[_name_column(dataset)]
    conditions: list[sa.ColumnElement[bool]] = [root[column].in_(texts) for column in (dataset.key, *dataset.sought_by)]
    if dataset.name == ORDERS.name:
        # Account holders are found by their customer; a guest's address stands in an order as a digest too.
        conditions.append(root.guest.in_([person(text) for text in texts if reachable(text)]))
    for condition in conditions:
        query = sa.select(root[dataset.key], name).where(root.brand == brand, condition).limit(MOST_FOUND)
        yield from ((row[0], row[1] or row[0]) for row in conn.execute(query))


def _name_column(dataset: Dataset) -> str:
    """The column by which people call a record: never a personal one."""
    personal = {c.name for c in dataset.root.columns if c.personal}
    names = {c.name for c in dataset.root.columns}
    for column in ("number", "account_code", *dataset.sought_by):
        if column in names - personal:
            return column
    return dataset.key


def _kept_out(conn: sa.Connection, desk: Desk, text: str, *, within: bool) -> Iterator[tuple[str, str]]:
    """Records that no row was ever landed of: their exceptions know them by key, and by what was received."""
    e = EXCEPTIONS.c
    there = (e.brand == desk.brand, e.subject.in_(list(desk.extracts)), e.state != CLOSED)
    named = e.key == text
    if within:
        quoted = e.payload.contains(f'"{text}"', autoescape=True)
        named = sa.or_(named, quoted, e.payload.contains(f":{text},", autoescape=True) if text.isdigit() else quoted)
    query = sa.select(e.subject, e.key).where(*there, named).distinct().limit(MOST_FOUND)
    yield from ((row[0], row[1]) for row in conn.execute(query))


def _stop(conn: sa.Connection, desk: Desk, dataset: Dataset, key: str, row: Any) -> Stop:
    placed: list[Placed] = []
    missing: list[str] = []
    subjects = [dataset.name]
    for feed in desk.feeds.values():
        own = row[feed.key] if feed.dataset == dataset.name and row is not None else None
        if own is None:
            continue
        subjects.append(feed.id)
        found = ledger_steps(conn, desk, feed.id, [own])
        placed += found
        if not found:
            missing.append(feed.id)
    named = row[_name_column(dataset)] if row is not None else None
    return Stop(
        dataset.name,
        key,
        named or key,
        _facts(dataset, row) if row is not None else (),
        row["landed_at"] if row is not None else None,
        row["version"] if row is not None else None,
        placed,
        missing,
        _exceptions(conn, desk.brand, subjects, sorted({key, *(p.key for p in placed)})),
    )


def _facts(dataset: Dataset, row: Any) -> list[tuple[str, str]]:
    """What people know a record by, in order of the contract: states, times and amounts, nothing personal."""
    found: list[tuple[str, str]] = []
    for column in dataset.root.columns:
        value = row[column.name]
        if value is None or column.personal or (column.name == "live" and value):
            continue
        if column.name in _TOLD or column.name == dataset.event_at:
            text = f"{value:%Y-%m-%d %H:%M}" if column.kind is Kind.TIME else "no" if value is False else str(value)
            found.append((column.name.replace("_", " "), text))
        elif column.name == dataset.value:
            found.append((column.name, f"{money.text(value)} {row['currency'] or ''}".strip()))
    return found


def _exceptions(conn: sa.Connection, brand: str, subjects: Sequence[str], keys: Sequence[str]) -> list[Row]:
    e = EXCEPTIONS.c
    query = sa.select(e.subject, e.key, e.rule).where(
        e.brand == brand, e.subject.in_(subjects), among(conn, e.key, keys), e.state != CLOSED
    )
    return rows_of(conn, brand, [Ref(*row) for row in conn.execute(query.order_by(e.subject, e.key, e.rule))])


def _steps(conn: sa.Connection, desk: Desk, stops: Sequence[Stop]) -> Iterator[Step]:
    for stop in stops:
        if stop.landed_at is not None:
            state = f"{stop.name}, as of {stop.version:%Y-%m-%d %H:%M}"
            yield Step(stop.landed_at, stop.dataset, "landed", state, None)
        for placed in stop.placed:
            yield from placed.steps
            # Calls are looked for among all calls of a feed: for the record itself that is worth it.
            if stop is stops[0]:
                yield from attempts_of(conn, desk, placed.feed, placed.key)
        for row in stop.exceptions:
            yield Step(row.first_seen, row.ref.subject, f"kept back by {row.ref.rule}", row.detail, row.run_id)
            for act in audit.acts_on(conn, desk.brand, subject=row.ref.subject, key=row.ref.key):
                yield Step(act.at, row.ref.subject, f"{act.action} by {act.actor}", act.detail, None)


def _links(conn: sa.Connection, brand: str, key: str) -> list[tuple[str, str, str]]:
    c = LINKS.c
    query = sa.select(c.system, c.external_id, c.known_by).where(c.brand == brand, c.key == key)
    return [(row[0], row[1], row[2]) for row in conn.execute(query.order_by(c.system))]
