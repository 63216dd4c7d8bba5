"""Send what was planned: announce, call, store, until nothing is left or the destination wants no more.

A batch is announced in the ledger of attempts before its call and closed with its outcomes after it; so a start after
a crash knows what may have been sent (see `recovery`). What the plan decided is not questioned here, except for a
record that was planned on the condition that something else be sent before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from stokly_sync.crashpoints import crashpoint
from stokly_sync.delivery.attempts import Closing
from stokly_sync.delivery.calls import masked
from stokly_sync.delivery.encoding import batches
from stokly_sync.delivery.flights import Flights, Landed, Settled
from stokly_sync.delivery.ledger import Item
from stokly_sync.delivery.rules import IN_DOUBT, WAITS
from stokly_sync.delivery.site import Site
from stokly_sync.errors import PermanentError, TransientError
from stokly_sync.flow import Outcome, ReplayClass, State

# Submitted records that are remembered so as to ask for their fate while sending; the rest is asked for at the end.
_REMEMBERED = 20_000


@dataclass(frozen=True)
class _Stored:
    """Finished batches put together: records, outcomes, what must be sent again, and how their attempts closed."""

    items: Mapping[str, Item]
    outcomes: Sequence[Outcome]
    again: Sequence[str]
    closings: Sequence[Closing]
    calls: int
    at: datetime


@dataclass
class Outgoing:
    """One pass over the planned records of a feed."""

    site: Site
    plan_id: str | None
    trouble: TransientError | PermanentError | None = None
    unknown: int = 0
    """Records that were sent without an answer and may be sent again in another pass."""
    _done: list[Landed] = field(default_factory=list)
    _submitted: dict[str, Item] = field(default_factory=dict)
    _storing: tuple[_Stored, Future[None]] | None = None
    _storer: ThreadPoolExecutor = field(init=False)

    def run(self) -> None:
        """Send until nothing planned is left, or until `trouble` says why not.

        Errors that are not ours are raised after everything that came in was stored.
        """
        source = batches(self._planned(), self.site.feed.limits, document=lambda item: item.record.document)
        with ThreadPoolExecutor(1, "store") as self._storer:
            failure = self._exchange(source)
            self._store()
            self._finish_storing()
        if failure is not None:
            raise failure

    def _exchange(self, source: Iterator[list[Item]]) -> Exception | None:
        """Keep calls in flight until nothing more should leave and everything came in; gives an unexpected error."""
        failure: Exception | None = None
        allowed = 1 if self.site.feed.replay is ReplayClass.NEVER else self.site.options.doubts_in_a_row
        with Flights(self.site.feed, self.site.client, doubts_in_a_row=allowed) as flights:
            more = True
            while True:
                if more and flights.trouble is None and failure is None:
                    more = self._announce(source, flights)
                if not flights.up and not flights.asking:
                    break
                failure = self._receive(flights) or failure
            self.trouble = flights.trouble
        return failure

    def _announce(self, source: Iterator[list[Item]], flights: Flights) -> bool:
        """Open attempts for the next batches and put them on the wire; False when there are none left."""
        careful = self.site.feed.replay is not ReplayClass.UPSERT
        together = self.site.feed.limits.concurrency if careful else self.site.options.commit_every
        free = together - flights.up
        # A careful feed announces only what leaves at once: what is announced may have to be looked up, or parked.
        if free < (1 if careful else together // 2):
            return True
        group = list(islice(source, free if careful else together))
        if not group:
            return False
        with self.site.warehouse.transaction() as connection:
            ids = self.site.attempts.open(
                connection,
                [[item.record for item in batch] for batch in group],
                run_id=self.site.run_id,
                plan_id=self.plan_id,
                now=self.site.options.now(),
            )
        crashpoint("send:attempt-opened")
        for attempt_id, batch in zip(ids, group, strict=True):
            flights.send(attempt_id, batch)
        return True

    def _planned(self) -> Iterator[Item]:
        last: str | None = None
        while True:
            with self.site.warehouse.reading() as connection:
                items = self.site.ledger.planned(
                    connection, after=last, size=self.site.options.read_ahead, plan_id=self.plan_id
                )
            if not items:
                return
            last = items[-1].record.key
            yield from self._still_due(items)

    def _still_due(self, items: Sequence[Item]) -> Iterator[Item]:
        """Records whose condition did not come true are parked now."""
        conditional = [item.record.key for item in items if item.condition == WAITS]
        waits = self.site.waiting(conditional) if conditional else {}
        if waits:
            with self.site.warehouse.transaction() as connection:
                self.site.ledger.park(connection, waits, rule=WAITS)
            self.site.tally.parked += len(waits)
        return (item for item in items if item.record.key not in waits)

    def _receive(self, flights: Flights) -> Exception | None:
        message = flights.next()
        if isinstance(message, Settled):
            self.site.settle(message.outcomes, message.asked)
            for outcome in message.outcomes:
                self._submitted.pop(outcome.key, None)
            if isinstance(message.error, TransientError | PermanentError):
                return None  # asked again at the end, where it counts
            return message.error
        if message.error is not None:
            return message.error
        self._done.append(message)
        careful = self.site.feed.replay is not ReplayClass.UPSERT
        if careful or len(self._done) >= self.site.options.commit_every or not flights.up:
            self._store()
            if careful:
                # Until it is safe, what was answered would count as in doubt: nothing else is announced meanwhile.
                self._finish_storing()
            if self._submitted and not flights.asking and self.site.feed.settle is not None:
                flights.ask(self._submitted)
        return None

    def _store(self) -> None:
        """Store the outcomes of finished batches and close their attempts, in one transaction beside the calls."""
        self._finish_storing()
        if not self._done:
            return
        done, self._done = self._done, []
        items = {key: item for landed in done for key, item in landed.items.items()}
        stored = _Stored(
            items,
            [outcome for landed in done for outcome in self._outcomes(landed)],
            self._again(done),
            [closing for landed in done if (closing := self._closing(landed))],
            sum(landed.result.calls for landed in done),
            self.site.options.now(),
        )
        self._storing = stored, self._storer.submit(self._write, stored)

    def _write(self, stored: _Stored) -> None:
        site = self.site
        crashpoint("send:before-merge")
        with site.warehouse.transaction() as connection:
            site.store(connection, stored.outcomes, stored.items, now=stored.at)
            site.ledger.count_try(connection, stored.again)
            site.attempts.close(connection, stored.closings, now=stored.at)

    def _finish_storing(self) -> None:
        """Wait until what is being stored is safe; only then does it count."""
        if self._storing is None:
            return
        (stored, future), self._storing = self._storing, None
        future.result()
        self.unknown += len(stored.again)
        self.site.tally.note(stored.outcomes, stored.items, now=stored.at)
        self.site.tally.api_calls += stored.calls
        self._remember(stored.outcomes, stored.items)

    def _outcomes(self, landed: Landed) -> list[Outcome]:
        """Known outcomes; where nobody can ever be asked, an unknown one is in doubt and a person decides."""
        if self.site.feed.replay is not ReplayClass.NEVER:
            return landed.result.outcomes
        reason = masked(str(landed.result.doubt))
        doubtful = [Outcome(r.key, State.IN_DOUBT, reason, rule=IN_DOUBT) for r in landed.result.unknown]
        return landed.result.outcomes + doubtful

    def _again(self, done: Sequence[Landed]) -> list[str]:
        if self.site.feed.replay is ReplayClass.NEVER:
            return []
        return [record.key for landed in done for record in landed.result.unknown]

    def _closing(self, landed: Landed) -> Closing | None:
        """How an attempt is closed; one with records to look up stays open until that is done."""
        result = landed.result
        if result.unknown and self.site.feed.replay is ReplayClass.LOOK_UP:
            return None
        return Closing(
            landed.attempt_id, *summary(result.outcomes, len(result.unknown), len(result.unsent)), result.calls
        )

    def _remember(self, outcomes: Sequence[Outcome], items: Mapping[str, Item]) -> None:
        for outcome in outcomes:
            if outcome.state is State.SUBMITTED and len(self._submitted) < _REMEMBERED:
                item = items[outcome.key]
                self._submitted[outcome.key] = Item(item.record, item.event_at, item.tries + 1, outcome.receipt or "")


def summary(outcomes: Sequence[Outcome], unknown: int, unsent: int) -> tuple[str, str | None]:
    """An attempt's outcome as text (`accepted 98, rejected 2`) and the first thing that the destination said."""
    counts: dict[str, int] = {}
    for outcome in outcomes:
        counts[outcome.state] = counts.get(outcome.state, 0) + 1
    counts |= {name: n for name, n in (("unknown", unknown), ("unsent", unsent)) if n}
    said = next((o.reason for o in outcomes if o.reason), None) or next(
        (o.receipt for o in outcomes if o.receipt), None
    )
    return ", ".join(f"{state} {n}" for state, n in counts.items()) or "nothing", said
