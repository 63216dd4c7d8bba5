"""What a system offers: its extracts and feeds, a client under a rate budget, and what the doctor may ask it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import pandas as pd

from stokly_sync.flow.reading import Extract
from stokly_sync.flow.sending import Feed
from stokly_sync.flow.words import Frames, Json, Lane, Problem, Statement


class Budget(Protocol):
    """A rate budget shared by every process that uses the same API key (X17)."""

    def take(self, *, lane: Lane, cost: int = 1) -> None:
        """Wait until `cost` calls may be made, then count them."""

    def observe(self, *, remaining: int | None = None, retry_after: float | None = None) -> None:
        """Tell what the server said: calls left in its window, or seconds to stay away."""


class Memory(Protocol):
    """What a system's set-up found there, kept for a day between clients; nothing secret, nothing personal."""

    def get(self, what: str) -> Any:
        """What was found, a JSON value; None where it has to be looked for."""

    def put(self, what: str, found: Any) -> None:
        """Keep what was found."""


@dataclass(frozen=True)
class Probe:
    """One line of the doctor: what was looked at, whether it is well, and what to do if not."""

    subject: str
    ok: bool
    finding: str
    advice: str = ""


@dataclass(frozen=True)
class Matching:
    """Two or more landed tables held against each other, for problems of rows that no feed sees.

    What is found opens exceptions under `subject` and closes by itself once it is not found any more. Nothing is said
    before the history of all tables is landed: an order whose other half is still to be read is no orphan.
    """

    name: str
    subject: str
    """What the exceptions are about, for example `magento/order_matching`; no dataset's name and no feed's id."""
    description: str
    needs: Mapping[str, tuple[str, ...]]
    """Columns that are looked at, by landed table; all of its rows are read."""
    find: Callable[[Frames], Sequence[Problem]]
    """`find(frames)`: pure; frames by table name with the columns of `needs` and their contract's dtypes."""
    known_in: tuple[str, ...] = ()
    """Ids of feeds: a row that is open or left out there under the same key is not named a second time."""


@dataclass(frozen=True)
class Origin:
    """How a system that holds the orders of several channels says of an order that it is of one of them."""

    source_type: str
    channel_id: str | None = None
    orders_from: datetime | None = None
    """Orders placed before are neither brought there nor missed there."""
    days: int = 0
    """Where nobody said from when on: so many days before the channel's orders were first read."""

    def begins(self, first_read: datetime | None) -> datetime | None:
        """The time (UTC) from which on orders are brought there; None for all, as long as none were read."""
        if self.orders_from is not None or first_read is None:
            return self.orders_from
        return first_read - timedelta(days=self.days)

    def holds(self, order: Mapping[str, Any]) -> bool:
        """Whether an order (a row with `channel_id` and `source_type`) is of the channel."""
        if self.channel_id is not None:
            return bool(order["channel_id"] == self.channel_id)
        return bool(order["source_type"] == self.source_type)


@dataclass(frozen=True)
class Person:
    """Somebody to be forgotten: Stokly's customer ids, and addresses in lower case as far as we still know them.

    `receipt` is what the system answered with when it was asked before, `accounts` its own ids of the person, where its
    orders were landed.
    """

    customers: tuple[str, ...]
    emails: tuple[str, ...] = field(repr=False)
    receipt: str | None = None
    accounts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Forgotten:
    """What came of asking a system to forget somebody; texts hold nothing personal.

    `done` says that nothing is left to wait for. `by_hand` is what a person has to do there besides.
    """

    done: bool
    answer: str
    receipt: str | None = None
    by_hand: str = ""


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
    choices: Callable[[Any, datetime | None, Collection[str]], Iterable[Statement]] | None = None
    """`choices(client, since, owned)`: who has opted out there since then, or ever, and for the channels in `owned` who
    has opted in; not what its own creation or our own writing left behind."""
    matchings: Callable[[Any], tuple[Matching, ...]] | None = None
    """`matchings(settings)`: what is held against each other when the system is reconciled."""
    origins: Callable[[Any], Mapping[str, Origin]] | None = None
    """`origins(settings)`: the channels whose orders it holds, by the name that their datasets begin with."""
    said: Callable[[Any, pd.DataFrame], Sequence[Statement]] | None = None
    """`said(settings, rows)`: choices that rows of the source's customers state, by the members that settings name."""
    forget: Callable[[Any, Person], Forgotten] | None = None
    """`forget(client, person)`: delete the person there, or ask for it; asking again for the same does no harm. None
    where the system offers no call for it."""
    forget_by_hand: str = ""
    """What a person has to do where there is no `forget`, or where it is not allowed to us, in a sentence."""
    remember: Callable[[Any, Memory], None] | None = None
    """`remember(client, memory)`: let a client keep there what its set-up finds, and take it from there."""
