"""Outcomes on their way into the ledger: written in order by one thread beside the calls, counted once they are safe.

Many batches go into one transaction with the closing of their attempts, so that a crash finds either both or neither.
What is stored, and when, `outgoing` decides; how a statement looks is the ledger's business.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from stokly_sync.crashpoints import crashpoint
from stokly_sync.delivery.attempts import Closing
from stokly_sync.delivery.items import Item
from stokly_sync.delivery.site import Site
from stokly_sync.flow import Outcome

# So many groups may wait for the database before the calls do; each is some thousand records in memory.
_WAITING: Final = 2


@dataclass(frozen=True)
class Group:
    """Finished batches put together: records, outcomes, what must be sent again, and how their attempts closed.

    `settled` says that outcomes of the group were learnt by asking, and not only from the answers to the calls.
    """

    items: Mapping[str, Item]
    outcomes: Sequence[Outcome]
    again: Sequence[str]
    closings: Sequence[Closing]
    calls: int
    at: datetime
    settled: bool = False


@dataclass
class Storing:
    """The writer of one delivery; use as a context manager, so that all is written when it ends."""

    site: Site
    _writer: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "store"))
    _under: deque[tuple[Future[None], Callable[[], None]]] = field(default_factory=deque)

    def __enter__(self) -> Storing:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.shutdown(wait=True)

    def put(self, group: Group) -> None:
        """Write a group."""
        self._submit(lambda: self._write(group), lambda: self._count(group))

    def put_fates(self, outcomes: Sequence[Outcome], asked: Mapping[str, Item]) -> None:
        """Write what was learnt of records that are stored as submitted."""
        if outcomes:
            now = self.site.options.now()
            self._submit(
                lambda: self.site.store_fates(outcomes, asked, now=now),
                lambda: self.site.count(outcomes, asked, now=now, into=None),
            )

    def finish(self, waiting: int = 0) -> None:
        """Wait until at most so many writes are under way; raises what a write raised."""
        while len(self._under) > waiting or (self._under and self._under[0][0].done()):
            future, then = self._under.popleft()
            future.result()
            then()

    def _submit(self, write: Callable[[], None], then: Callable[[], None]) -> None:
        self._under.append((self._writer.submit(write), then))
        self.finish(_WAITING)

    def _write(self, group: Group) -> None:
        site = self.site
        crashpoint("send:before-merge")
        if group.settled:
            crashpoint("settle:before-merge")
        with site.warehouse.transaction() as connection:
            site.store(connection, group.outcomes, group.items, now=group.at)
            site.ledger.count_try(connection, group.again)
            site.attempts.close(connection, group.closings, now=group.at)

    def _count(self, group: Group) -> None:
        self.site.tally.note(group.outcomes, group.items, now=group.at)
        self.site.tally.api_calls += group.calls
