"""The few words that every flow speaks: extract, contract, plan, send, confirm, reconcile.

A *dataset* is a table of valid rows with its children (`stokly.orders` with `stokly.order_lines`). An `Extract` says
how it is read from its source; a `Feed` says how its rows become documents of a destination and how the fate of every
record is learnt. The Dagster assets, checks, the plan, the ledger, the reconciliation and the reference pages are all
made from these declarations. No vendor, no database and no Dagster here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

import pandas as pd

Frames = dict[str, pd.DataFrame]
"""Rows by table name, for example `{"stokly.orders": ..., "stokly.order_lines": ...}`."""

Json = dict[str, Any]

Received = Mapping[str, Any]
"""A document as its source gave it; it may be read only as far as somebody looks."""


class Team(StrEnum):
    """Who looks after an exception (X2)."""

    FINANCE = "finance"
    OPERATIONS = "operations"
    ECOMMERCE = "ecommerce"
    MARKETING = "marketing"
    CX = "cx"


class Lane(StrEnum):
    """How urgent a feed is; each lane has its own pool and its share of the rate budget (X17, E4)."""

    BULK = "bulk"
    INTERVAL = "interval"
    FAST = "fast"


class ReplayClass(StrEnum):
    """What may be done with a record whose outcome is unknown."""

    UPSERT = "upsert"
    LOOK_UP = "look_up"
    NEVER = "never"


class Mode(StrEnum):
    """What a feed may do: write, only reconcile and report, or nothing."""

    WRITE = "write"
    OBSERVE = "observe"
    OFF = "off"


class State(StrEnum):
    """The state of a record in the ledger; see docs/architecture.md for the transitions."""

    PLANNED = "planned"
    PARKED = "parked"
    QUARANTINED = "quarantined"
    EXCLUDED = "excluded"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    IN_DOUBT = "in_doubt"


class Choice(StrEnum):
    """What somebody has said of being written to (X19)."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True)
class Statement:
    """One choice as a system tells it; `said_at` (UTC) is None where nobody knows when: then the first sight counts.

    Whose it is, is said by Stokly's customer id, by the e-mail address, or by both.
    """

    channel: str
    choice: Choice
    said_at: datetime | None
    customer: str | None = None
    email: str | None = field(default=None, repr=False)
    reason: str | None = None


@dataclass(frozen=True, order=True)
class Window:
    """A half-open span of time `[start, end)` in UTC in which something was seen to change."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a window needs times with a zone")
        if self.start >= self.end:
            raise ValueError(f"a window must end after it starts: {self.start} .. {self.end}")

    def widened(self, overlap: timedelta) -> Window:
        """The same window, starting `overlap` earlier, so that late updates are seen (X1)."""
        return Window(self.start - overlap, self.end)


@dataclass(frozen=True)
class Scope:
    """What an extract is asked to read.

    Exactly one of: a `window` (what changed in it), a `baseline` (the whole history up to `window.end`, going on
    after `cursor`), or a `sweep` (every live record as cheaply as it comes, to find deletions, merges and missed rows).
    """

    window: Window
    baseline: bool = False
    sweep: bool = False
    cursor: str | None = None


@dataclass(frozen=True)
class Page:
    """Some documents as the source gave them, with their sub-documents already fetched.

    `requested_at` (UTC) is when the request started: the version of documents that carry no update time.
    `cursor` names the place after this page, for resuming a baseline; None where the source has no such place.
    `total` is the number of records that the source says match, where it says so.
    """

    documents: Sequence[Received]
    requested_at: datetime
    cursor: str | None = None
    total: int | None = None


@dataclass(frozen=True)
class Problem:
    """One row that breaks a rule: the row's natural key, the rule's code and the detail in plain words."""

    key: str
    rule: str
    detail: str


@dataclass(frozen=True)
class Rows:
    """Documents turned into rows: one frame a table, plus what could not be turned."""

    frames: Frames
    problems: Sequence[Problem] = ()


@dataclass(frozen=True)
class Extract:
    """How one dataset is read from its source; declared once in `systems/<name>/extracts.py`."""

    dataset: str
    owner: Team
    description: str
    read: Callable[[Any, Scope], Iterator[Page]]
    """`read(client, scope)`: pages as they come, never the whole history at once."""
    rows: Callable[[Sequence[Received], datetime], Rows]
    """`rows(documents, requested_at)`: pure; one frame for the dataset's table (with `contracts.tables.META` columns)
    and one for each child table. Documents that repeat a key count once, the newest wins."""
    key_member: str
    """The vendor's member that holds the natural key, to find the document of a problem."""
    snapshot: bool = False
    """True where the source has no way to ask for changes: each read is the full list, what is absent is gone."""
    after: tuple[str, ...] = ()
    """Datasets that must be landed before this one, because its rules look at their rows."""
    complete: Callable[[Any, Sequence[Received]], Sequence[Received]] | None = None
    """`complete(client, documents)`: documents of a sweep with the sub-documents that a sweep leaves out, for those
    few that are worth it. None where the documents of a sweep are whole. A document that is gone by now is left out."""


@dataclass(frozen=True)
class Need:
    """Rows of another table that documents are built from: `table.column` in the values of `of_table.of_column`.

    They come under the table's name, or under `name`: that is how a feed also sees other rows of its own dataset.
    """

    table: str
    column: str
    of_table: str
    of_column: str
    name: str | None = None
    columns: tuple[str, ...] = ()
    """Columns that the builder looks at, beside the table's key; all where none are named. Others are not read."""


@dataclass(frozen=True)
class Trigger:
    """A dataset whose changes make a record of this feed due again.

    `column` of `dataset` holds the feed's key. A row whose `column` is empty is counted under `orphan_rule` (an
    excluding rule); a row whose key is not landed yet is left to the time when that row lands.
    """

    dataset: str
    column: str
    orphan_rule: str | None = None


@dataclass(frozen=True)
class Gate:
    """A dependency on another feed of the same destination: a record is parked until these were accepted (X5)."""

    feed: str
    waits_for: str
    """Plain words for the reason, for example 'its product'."""
    keys: Callable[[Frames], pd.DataFrame]
    """Frame with str columns `key` (ours) and `needs` (a key of `feed`); pairs may repeat."""


@dataclass(frozen=True)
class Document:
    """One record as the destination takes it.

    `event_at` (UTC) is the time of the event in the source, for latency (X13); `value` is in nano units of
    `currency` (see `contracts.money`), for figures only; `version` (UTC) keeps older states from overwriting newer.
    """

    key: str
    body: Json
    version: datetime
    event_at: datetime | None = None
    value: int | None = None
    currency: str | None = None


@dataclass(frozen=True)
class Built:
    """What a feed's builder made of rows: documents, and the records that a named rule keeps back."""

    documents: Sequence[Document]
    kept_back: Sequence[Problem] = ()


@dataclass(frozen=True)
class Record:
    """A planned record on its way: its key and the encoded document exactly as planned."""

    key: str
    document: bytes
    hash: str
    version: datetime


@dataclass(frozen=True)
class Outcome:
    """What became of one record: `state` is accepted, submitted, rejected or in doubt; `reason` in plain words."""

    key: str
    state: State
    reason: str | None = None
    receipt: str | None = None
    rule: str | None = None


@dataclass(frozen=True)
class BatchLimits:
    """The destination's limits for one request."""

    records: int
    bytes: int
    concurrency: int = 1
    """Requests in flight at once."""
    calls: int = 1
    """Calls that a batch cannot do without: looking up, writing, asking once what became of it. None for a file in a
    place of our own."""

    def batches(self, records: int, size: int) -> int:
        """The fewest batches that so many records, of so many bytes together, fit in."""
        return max(-(-records // self.records), -(-size // self.bytes))


@dataclass(frozen=True)
class Facts:
    """Comparable facts of one side of a reconciliation, streamed in chunks.

    Frame columns: `key` (str), `value` and `refunded` (Int64 nano units, may be missing), `currency` (str, may be
    missing), then any number of text columns named in `Feed.compared`.
    """

    frame: pd.DataFrame


@dataclass(frozen=True)
class Part:
    """What an append-only destination holds, or should hold, of a part of a record: units, and nano units of money."""

    quantity: int
    value: int


@dataclass(frozen=True)
class Append:
    """How a feed adds to a destination that can neither replace nor remove: always the difference to what it holds.

    A document says what a record should add up to, part by part. Delivery keeps what was accepted of each record, sends
    what is missing (negative where it is too much), and nothing at all before it was said where history begins: from
    `history_from` on, or with what was adopted (see `delivery.history`).
    """

    parts: Callable[[Json], Mapping[str, Part]]
    """What a document adds up to, by part."""
    with_parts: Callable[[Json, Mapping[str, Part]], Json]
    """The same document with other parts: those still to be added."""
    at: Callable[[Json], datetime]
    """The time (UTC) by which a document lies before or after the beginning of history."""
    history_from: datetime | None = None
    advice: str = ""
    """How a person says where history begins, for messages."""


@dataclass(frozen=True)
class Whole:
    """How a feed publishes all of its records at once, for destinations that fetch a file and replace everything."""

    publish: Callable[[Any, Iterator[Sequence[Document]]], str]
    """`publish(client, documents)`: written aside, checked, then put in place in one step; gives a receipt. Nothing is
    changed when it raises (TransientError or PermanentError)."""
    current: Callable[[Any], bool]
    """Whether what is published is there and of today; otherwise it is published again though nothing changed."""


def _published_whole(client: Any, batch: Sequence[Record]) -> Sequence[Outcome]:
    del client, batch
    raise TypeError("a feed without `send` is published whole, never a batch at a time")


@dataclass(frozen=True)
class Feed:
    """What is loaded into a destination; the unit of the design, declared once in `systems/<name>/feeds.py`."""

    system: str
    name: str
    dataset: str
    key: str
    """Column of the dataset's table that is the natural key."""
    owner: Team
    description: str
    lane: Lane
    replay: ReplayClass
    limits: BatchLimits
    build: Callable[[Frames], Built]
    send: Callable[[Any, Sequence[Record]], Sequence[Outcome]] = _published_whole
    """`send(client, batch)`: one request. Returns the outcome of every record of the batch, or raises
    `BatchRefused`, `InDoubt`, `TransientError` or `PermanentError` for the batch as a whole.
    Left out where `whole` is declared."""
    append: Append | None = None
    """For destinations that can only be added to (`ReplayClass.NEVER`)."""
    whole: Whole | None = None
    """For destinations that take all records at once."""
    settle: Callable[[Any, Sequence[Outcome]], Sequence[Outcome]] | None = None
    """`settle(client, submitted)`: what is known by now of submitted records; open ones may be left out. A feed of
    `ReplayClass.UPSERT` may say planned of those whose fate nobody can tell any more: they are sent again."""
    look_up: Callable[[Any, Sequence[Record]], Sequence[Outcome]] | None = None
    """For `ReplayClass.LOOK_UP`: whether records arrived; a key left out did not."""
    read_back: Callable[[Any], Iterator[Facts]] | None = None
    """Everything that the destination says it holds for this feed, in chunks."""
    facts: Callable[[Sequence[Json]], pd.DataFrame] | None = None
    """The same facts from our own documents (`Document.body`), to compare with `read_back`."""
    compared: tuple[str, ...] = ()
    """Text columns of the facts that must be equal on both sides."""
    source_value: str | None = None
    """Money column of the dataset's table that is summed per currency on the source's side."""
    needs: tuple[Need, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    gates: tuple[Gate, ...] = ()
    rejected_rule: str = "DELIVERY-REJECTED"
    """Rule code of the exception that a rejection opens."""
    pool: str | None = None
    """A pool and a job of its own inside the lane, for what must not wait for others of the lane; it runs by the clock
    and sends whatever is owed."""

    @property
    def id(self) -> str:
        """`system/name`, as people and the ledger write it."""
        return f"{self.system}/{self.name}"

    @property
    def datasets(self) -> tuple[str, ...]:
        """Datasets whose changes make records of this feed due: its own and those of its triggers."""
        return tuple(dict.fromkeys([self.dataset, *(trigger.dataset for trigger in self.triggers)]))

    @property
    def gate_ids(self) -> tuple[str, ...]:
        """Ids of the feeds of the same destination that this feed's records wait for (X5)."""
        return tuple(g.feed if "/" in g.feed else f"{self.system}/{g.feed}" for g in self.gates)


class Budget(Protocol):
    """A rate budget shared by every process that uses the same API key (X17)."""

    def take(self, *, lane: Lane, cost: int = 1) -> None:
        """Wait until `cost` calls may be made, then count them."""

    def observe(self, *, remaining: int | None = None, retry_after: float | None = None) -> None:
        """Tell what the server said: calls left in its window, or seconds to stay away."""


@dataclass(frozen=True)
class Probe:
    """One line of the doctor: what was looked at, whether it is well, and what to do if not."""

    subject: str
    ok: bool
    finding: str
    advice: str = ""


@dataclass(frozen=True)
class System:
    """Everything that one system offers; the one object that `systems/<name>/__init__.py` exports."""

    name: str
    title: str
    settings: type[Any]
    """A pydantic model (`systems/<name>/settings.py`) with `configured: bool`, and the names of the fields that turn it
    on, all of them as `credentials` and those not set as `missing`."""
    connect: Callable[[Any, Budget, Lane], Any]
    """`connect(settings, budget, lane)`: a client whose calls are counted against the lane's share."""
    calls: Callable[[Any], int]
    """Requests that a client has made so far."""
    rules: tuple[Any, ...]
    extracts: Callable[[Any], tuple[Extract, ...]] | None = None
    """`extracts(settings)`"""
    feeds: Callable[[Any], tuple[Feed, ...]] | None = None
    """`feeds(settings)`"""
    reference: Callable[[Any], Mapping[str, Sequence[Json]]] | None = None
    """`reference(client)`: vocabulary and shape by kind, for drift (X22)."""
    probe: Callable[[Any], Iterable[Probe]] | None = None
    """`probe(client)`: checks for the doctor, reading only."""
    choices: Callable[[Any, datetime | None], Iterable[Statement]] | None = None
    """`choices(client, since)`: who has opted out there since then, or ever; not what its own creation left behind."""
    said: Callable[[Any, pd.DataFrame], Sequence[Statement]] | None = None
    """`said(settings, rows)`: choices that rows of the source's customers state, by the members that settings name."""
