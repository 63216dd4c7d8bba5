"""Batches in flight: worker threads that call, and one thread that reads, announces and stores.

All database work happens in the thread that owns the `Flights`, so that there is one order of transactions; workers
only call the destination. While batches are on the wire, others are announced and the finished ones stored, so that
calls stay in flight up to the feed's limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Event, Lock
from typing import Any

from stokly_sync.delivery.calls import CallResult, send_batch, told
from stokly_sync.delivery.items import Item
from stokly_sync.errors import PermanentError, TransientError
from stokly_sync.flow import Feed, Outcome, State


@dataclass(frozen=True)
class Landed:
    """A batch whose call is over; `error` is set when it ended in an error that nobody expected."""

    attempt_id: str
    items: dict[str, Item]
    result: CallResult
    error: Exception | None = None


@dataclass(frozen=True)
class Settled:
    """What was learnt of submitted records while sending went on; `stored` are those that the ledger held as such."""

    stored: Mapping[str, Item]
    outcomes: Sequence[Outcome]
    error: Exception | None = None


class Flights:
    """The calls of one delivery; use as a context manager, so that its threads end with it."""

    def __init__(self, feed: Feed, client: Any, *, doubts_in_a_row: int) -> None:
        self._feed = feed
        self._client = client
        self._stop = Event()
        self._inbox: SimpleQueue[Landed | Settled] = SimpleQueue()
        self._senders = ThreadPoolExecutor(feed.limits.concurrency, thread_name_prefix="send")
        # A thread of its own, so that asking for fates never takes a sender's place.
        self._asker = ThreadPoolExecutor(1, thread_name_prefix="settle")
        self._doubts_allowed = doubts_in_a_row
        self._doubts = 0
        self._judging = Lock()
        self.trouble: TransientError | PermanentError | None = None
        """Why no further batch leaves, once the destination is not well enough."""
        self.up = 0
        """Batches whose call is not over."""
        self.asking = False
        """Whether fates are being asked for."""

    def __enter__(self) -> Flights:
        return self

    def __exit__(self, *_: object) -> None:
        self.halt()
        for pool in (self._senders, self._asker):
            pool.shutdown(wait=True, cancel_futures=True)

    def halt(self) -> None:
        """Let no further batch leave; those on the wire come in as usual."""
        self._stop.set()

    def send(self, attempt_id: str, items: Sequence[Item]) -> None:
        """Put one announced batch on the wire, as soon as a sender is free."""
        self.up += 1
        self._senders.submit(self._fly, attempt_id, {item.record.key: item for item in items})

    def ask(self, submitted: Sequence[Outcome], stored: Mapping[str, Item]) -> None:
        """Ask for the fate of submitted records while sending goes on; `stored` comes back with the answer."""
        self.asking = True
        self._asker.submit(self._ask, submitted, stored)

    def next(self) -> Landed | Settled:
        """Wait for the next thing to come in."""
        message = self._inbox.get()
        if isinstance(message, Settled):
            self.asking = False
        else:
            self.up -= 1
        return message

    def _fly(self, attempt_id: str, items: dict[str, Item]) -> None:
        records = [item.record for item in items.values()]
        if self._stop.is_set():
            self._inbox.put(Landed(attempt_id, items, CallResult(unsent=records)))
            return
        try:
            result = send_batch(self._feed, self._client, records)
        except Exception as error:  # noqa: BLE001  # handed to the owning thread, which raises it
            self.halt()
            self._inbox.put(Landed(attempt_id, items, CallResult(), error))
            return
        # Judged here and not by the owner: while that one is at the database, the next batch would already be out.
        self._judge(result)
        # Documents that nobody books end here: they would be most of what waits to be stored.
        landed = items if self._feed.append is not None else {key: item.bare() for key, item in items.items()}
        self._inbox.put(Landed(attempt_id, landed, result))

    def _judge(self, result: CallResult) -> None:
        """Decide whether the destination is well enough to go on."""
        with self._judging:
            if result.trouble is not None:
                self.trouble = self.trouble or result.trouble
            elif result.doubt is not None:
                self._doubts += 1
                if self._doubts >= self._doubts_allowed and self.trouble is None:
                    self.trouble = TransientError(
                        f"{self._feed.id}: {self._doubts} calls in a row had no answer; the last one: {result.doubt}"
                    )
            elif result.outcomes:
                self._doubts = 0
            if self.trouble is not None:
                self.halt()

    def _ask(self, submitted: Sequence[Outcome], stored: Mapping[str, Item]) -> None:
        try:
            self._inbox.put(Settled(stored, fates(self._feed, self._client, submitted)))
        except Exception as error:  # noqa: BLE001  # handed to the owning thread, which raises it
            self._inbox.put(Settled(stored, [], error))


def fates(feed: Feed, client: Any, submitted: Sequence[Outcome]) -> list[Outcome]:
    """What the destination tells by now of submitted records; those still open are left out."""
    if feed.settle is None:
        return []
    asked = {outcome.key for outcome in submitted}
    answers = {o.key: o for o in feed.settle(client, submitted) if o.state is not State.SUBMITTED and o.key in asked}
    return [told(feed, outcome) for outcome in answers.values()]


def still_submitted(items: Iterable[Item]) -> list[Outcome]:
    """What is known of records that the ledger holds as submitted."""
    return [Outcome(item.record.key, State.SUBMITTED, receipt=item.receipt) for item in items]
