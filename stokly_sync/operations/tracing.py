"""*Where is order X*: the path of one record through every system, with times, states and reasons (X9).

What belongs to a record is found through the contracts (`relations`), what happened is told in `story`, and where it is
found by its number, address or SKU stands in `searching`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa

from stokly_sync.contracts.datasets import DATASETS
from stokly_sync.contracts.sales import ORDERS
from stokly_sync.contracts.tables import Dataset, Kind
from stokly_sync.flow import Feed, State
from stokly_sync.operations import story
from stokly_sync.operations.desk import Desk, system_of
from stokly_sync.operations.listing import Ref, Row, rows_of
from stokly_sync.operations.looking import NoSuchException
from stokly_sync.operations.relations import MOST_RELATED, holds_orders, name_column, related, row_of
from stokly_sync.operations.steps import Placed, Step, placed
from stokly_sync.warehouse.bulk import among
from stokly_sync.warehouse.exceptions import CLOSED, EXCLUDED
from stokly_sync.warehouse.tables import EXCEPTIONS, LINKS

_TOLD: Final = (
    *("number", "sku", "channel_reference", "state", "stage", "status", "payment_status", "live", "merged_into"),
    *("courier", "carrier", "tracking_number", "source", "quantity"),
    *("available", "on_hand", "on_sale", "why_not"),
)
_DULL: Final = {"live": True, "stage": "order"}
"""What goes without saying."""
_YES: Final = {True: "yes", False: "no"}


@dataclass(frozen=True)
class Standing:
    """Where a record stands with one feed: at which system, as what, in which state and why; `at` its last success.

    `state` is the ledger's; None where the feed has never planned the record.
    """

    feed: str
    system: str
    what: str
    state: str | None
    words: str
    why: str
    at: datetime | None


@dataclass(frozen=True)
class Stop:
    """One record on the path: what is known of it at its source, and where it stands with every feed of it.

    `what` and `system` are words for people: an order in Magento.
    """

    dataset: str
    key: str
    name: str
    what: str
    system: str
    facts: Sequence[tuple[str, str]]
    landed_at: datetime | None
    version: datetime | None
    standing: Sequence[Standing]
    exceptions: Sequence[Row]
    """Those that stand out: what a feed says of the record already is not said again."""


@dataclass(frozen=True)
class Path:
    """A record, what belongs to it, and everything that happened to them in order of time."""

    stops: Sequence[Stop]
    steps: Sequence[Step]
    links: Sequence[tuple[str, str, str]]
    """System, id there, and how that is known, of the record itself."""
    more: bool
    """Whether older records belong to it too and are not shown."""


def trace(desk: Desk, dataset: str, key: str) -> Path:
    """The path of one record; raises NoSuchException when neither a row nor an exception has that key."""
    if dataset not in DATASETS:
        raise NoSuchException(f"There is no dataset {dataset}.")
    with desk.warehouse.reading() as conn:
        chosen = DATASETS[dataset]
        row = row_of(conn, desk.brand, chosen, key)
        belongs = list(related(conn, desk.brand, chosen, key, row))
        once: set[tuple[str, str]] = set()
        told = [_tell(conn, desk, *one, once=once) for one in [(chosen, key, row), *belongs[:MOST_RELATED]]]
        if row is None and not told[0].stop.exceptions:
            raise NoSuchException(f"{dataset} has no record {key}; look it up by another number.")
        told[1:] = sorted(told[1:], key=lambda one: one.at)
        whole = _whole(desk, told)
        steps = [step for one in told for step in _steps(conn, desk, one, whole)]
        steps.sort(key=lambda step: step.at)
        return Path([one.stop for one in told], steps, _links(conn, desk.brand, key), len(belongs) > MOST_RELATED)


@dataclass(frozen=True)
class _Told:
    """A stop with what its steps are made of."""

    stop: Stop
    dataset: Dataset
    row: Any
    placed: Sequence[Placed]
    kept: Sequence[Row]
    """Exceptions that were something to see to, those that are over as well."""

    @property
    def orders(self) -> bool:
        return holds_orders(self.dataset)

    @property
    def event_at(self) -> datetime | None:
        at: datetime | None = (
            self.row[self.dataset.event_at] if self.row is not None and self.dataset.event_at else None
        )
        return at

    @property
    def at(self) -> datetime:
        """By which stops are put in order."""
        return self.event_at or self.stop.landed_at or datetime.max.replace(tzinfo=UTC)


def _tell(
    conn: sa.Connection, desk: Desk, dataset: Dataset, key: str, row: Any, *, once: set[tuple[str, str]]
) -> _Told:
    """One stop; what feeds did that many rows share (stock of a SKU) is told with the first, noted in `once`."""
    found: list[Placed] = []
    standing: list[Standing] = []
    for feed in desk.feeds.values():
        own = row[feed.key] if feed.dataset == dataset.name and row is not None else None
        if own is None or (feed.id, own) in once:
            continue
        once.add((feed.id, own))
        here = placed(conn, desk, feed.id, [own])
        found += here
        at, what = desk.title(feed.system), story.feed_word(feed)
        standing += [Standing(feed.id, at, what, p.state, *story.state_words(feed, p), _since(feed, p)) for p in here]
        if not here:
            standing.append(Standing(feed.id, at, what, None, story.MISSING, "", None))
    said = {(one.feed, one.key, one.rule) for one in found}
    kept = _exceptions(
        conn, desk.brand, [dataset.name, *(one.feed for one in standing)], {key, *(p.key for p in found)}
    )
    name = (row[name_column(dataset)] if row is not None else None) or key
    stop = Stop(
        dataset.name,
        key,
        name,
        story.record_word(dataset.name),
        desk.title(system_of(dataset.name)),
        _facts(dataset, row, name) if row is not None else (),
        row["landed_at"] if row is not None else None,
        row["version"] if row is not None else None,
        standing,
        [one for one in kept if one.state not in (CLOSED, EXCLUDED) or (one.state == EXCLUDED and one.ref not in said)],
    )
    return _Told(stop, dataset, row, found, [one for one in kept if one.state != EXCLUDED])


def _since(feed: Feed, at: Placed) -> datetime | None:
    """The last success, where anything had to succeed."""
    return None if at.found and not feed.links else at.accepted_at


def _facts(dataset: Dataset, row: Any, name: str) -> list[tuple[str, str]]:
    """What people know a record by, in order of the contract: states, times and amounts, nothing personal."""
    found: list[tuple[str, str]] = []
    for column in dataset.root.columns:
        value = row[column.name]
        if value is None or value in (name, _DULL.get(column.name)) or column.personal:
            continue
        if column.name == "status" and row.get("state"):
            continue  # the channel's own word for it
        if column.name in _TOLD or column.name == dataset.event_at:
            text = (
                f"{value:%Y-%m-%d %H:%M}"
                if column.kind is Kind.TIME
                else _YES[value]
                if value in (True, False)
                else value
            )
            said = story.verb(dataset) if column.name == dataset.event_at else None
            found.append((said or column.name.replace("_", " "), str(text)))
        elif column.name == dataset.value:
            found.append((column.name, story.amount(dataset, row)))
    return found


def _exceptions(conn: sa.Connection, brand: str, subjects: Sequence[str], keys: set[str]) -> list[Row]:
    e = EXCEPTIONS.c
    query = sa.select(e.subject, e.key, e.rule).where(
        e.brand == brand, e.subject.in_(subjects), among(conn, e.key, sorted(keys))
    )
    return rows_of(conn, brand, [Ref(*row) for row in conn.execute(query.order_by(e.subject, e.key, e.rule))])


@dataclass(frozen=True)
class _Whole:
    """All that is told together: which datasets are told with every call, and what became of records elsewhere."""

    every: Collection[str]
    rows: Mapping[tuple[str, str], _Told]
    """By system and key there."""
    ours: Collection[tuple[str, str]]
    """Rows that our sending has made: when that was, the sending tells."""


def _whole(desk: Desk, told: Sequence[_Told]) -> _Whole:
    main = told[0]
    rows = {(system_of(one.dataset.name), one.stop.key): one for one in told if one.row is not None}
    sent = {(desk.feeds[p.feed].system, p.receipt) for one in told for p in one.placed if p.receipt and not p.found}
    every = {main.dataset.name, *(one.dataset.name for one in told if main.orders and one.orders)}
    return _Whole(every, rows, {place for place in sent if place in rows})


def _steps(conn: sa.Connection, desk: Desk, told: _Told, whole: _Whole) -> Iterator[Step]:
    """What happened to one record; all calls of the record that is asked for and of its twins, else the last ones."""
    dataset, row, stop = told.dataset, told.row, told.stop
    if row is not None:
        # An order that came from a channel was sold there; Stokly's copy has no event of its own.
        copy = dataset is ORDERS and any(one.orders and one is not told for one in whole.rows.values())
        if not copy and (system_of(dataset.name), stop.key) not in whole.ours:
            yield from story.event(desk, dataset, stop.name, row)
        yield story.reading(desk, dataset, stop.name, row)
    since = told.event_at if dataset.name in whole.every else None
    for one in told.placed:
        feed = desk.feeds[one.feed]
        there = whole.rows.get((feed.system, one.receipt or ""))
        made = story.Made(there.stop.name, story.particulars(there.dataset, there.row)) if there else None
        yield from story.sending(conn, desk, feed, one, since=since, made=made)
    fates = {(one.feed, one.key) for one in told.placed if one.state in (State.REJECTED, State.IN_DOUBT)}
    words = {one.feed: one.what for one in stop.standing}
    for kept in told.kept:
        subject = kept.ref.subject
        what = words.get(subject, f"{stop.what} {stop.name}")
        yield from story.kept_back(conn, desk, kept, what, told=(subject, kept.ref.key) in fates)


def _links(conn: sa.Connection, brand: str, key: str) -> list[tuple[str, str, str]]:
    c = LINKS.c
    query = sa.select(c.system, c.external_id, c.known_by).where(c.brand == brand, c.key == key)
    return [(row[0], row[1], row[2]) for row in conn.execute(query.order_by(c.system))]
