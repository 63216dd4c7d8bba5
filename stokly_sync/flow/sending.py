"""How rows reach a destination: what a feed needs, waits for, builds and sends, and how fates are learnt."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec
import pandas as pd

from stokly_sync.flow.words import Frames, Json, Lane, Problem, ReplayClass, State, Team

FIRST_READ: Final = "first read"
"""Frame of a feed that asks for it (`Feed.first_read`): one column `at` (UTC), one row or none."""

_DECODER: Final = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


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
    lower: bool = False
    """Whether values are looked for in lower case too: addresses are mostly kept so, and typed in any case."""
    only: str | None = None
    """Flag of the table that must be true, where rows grow without end and only those are of use."""
    sent_by: str | None = None
    """Feed whose keys the table has: a column `sent_at` (UTC) tells when it last sent the row, if ever."""


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
    follows: bool = False
    """Whether a record is left out as long as a named rule leaves out what it waits for; otherwise it waits on."""


# Tuples, because a plan and a delivery make some of these for each record, and a dataclass takes thrice as long.
class Document(NamedTuple):
    """One record as the destination takes it.

    `event_at` (UTC) is the time of the event in the source, for latency (X13); `value` is in nano units of
    `currency` (see `contracts.money`), for figures only; `version` (UTC) keeps older states from overwriting newer.
    """

    key: str
    content: Json | bytes
    """What is sent: an object, or its JSON text exactly as the encoder of documents would write it (`written`)."""
    version: datetime
    event_at: datetime | None = None
    value: int | None = None
    currency: str | None = None

    @property
    def body(self) -> Json:
        """The content as an object."""
        return _DECODER.decode(self.content) if isinstance(self.content, bytes) else self.content


@dataclass(frozen=True)
class Built:
    """What a feed's builder made of rows: documents, and the records that a named rule keeps back."""

    documents: Sequence[Document]
    kept_back: Sequence[Problem] = ()
    held: Mapping[str, str | None] | None = None
    """Keys of documents that the destination holds already as they are, by its own word (rows that were read back from
    it), each with its id there where that is known. Where given, it stands in for the hash of what was sent last: what
    is in it counts as accepted and is not sent, what is not in it is sent although its content did not change."""


class Record(NamedTuple):
    """A planned record on its way: its key and the encoded document exactly as planned."""

    key: str
    document: bytes
    hash: str


class Outcome(NamedTuple):
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
    each: int = 0
    """Calls for each record beside, where the destination takes them one by one."""

    def batches(self, records: int, size: int) -> int:
        """The fewest batches that so many records, of so many bytes together, fit in."""
        return max(-(-records // self.records), -(-size // self.bytes))

    def least_calls(self, records: int, size: int) -> int:
        """The fewest calls for so many records, of so many bytes together."""
        return self.calls * self.batches(records, size) + self.each * records


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
    rejected_rule: str
    """Rule code of the exception that a rejection opens."""
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
    shared: bool = False
    """The destination holds records that are none of ours: what is there and not with us is no difference."""
    source_value: str | None = None
    """Money column of the dataset's table that is summed per currency on the source's side."""
    columns: tuple[str, ...] = ()
    """Columns of the dataset's table that the builder and the gates look at, beside its key and those by which needs
    find their rows; all where none are named. Others are not read."""
    needs: tuple[Need, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    gates: tuple[Gate, ...] = ()
    mirror: str | None = None
    """Dataset in which the destination's own records are landed, where it is a source as well. Facts then give its key
    as `there`, and a record that is with them alone is explained by what keeps its row out of that dataset."""
    links: bool = False
    """Whether the receipt of an accepted record is its id at the destination, to be kept in the table of links."""
    look_up_delay: float | None = None
    """Seconds that the destination may take until a record that it took can be found; a minute where not said."""
    first_read: str | None = None
    """A dataset of which the builder has to know when its history was first read; told in the frame `FIRST_READ`."""
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
