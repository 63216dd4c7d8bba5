"""Send what was planned: announce, call, store, until nothing is left or the destination wants no more.

A batch is announced in the ledger of attempts before its call and closed with its outcomes after it; so a start after
a crash knows what may have been sent (see `recovery`). What the plan decided is not questioned here, except for a
record that was planned on the condition that something else be sent before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from stokly_sync.crashpoints import crashpoint
from stokly_sync.delivery.attempts import Closing
from stokly_sync.delivery.calls import masked
from stokly_sync.delivery.encoding import batches
from stokly_sync.delivery.flights import Flights, Landed, Settled, still_submitted
from stokly_sync.delivery.items import Item
from stokly_sync.delivery.rules import IN_DOUBT, WAITS
from stokly_sync.delivery.site import Site
from stokly_sync.delivery.storing import Group, Storing
from stokly_sync.errors import PermanentError, TransientError
from stokly_sync.flow import Outcome, ReplayClass, State

# Submitted records that are remembered so as to ask for their fate while sending; the rest is asked for at the end.
_REMEMBERED: Final = 20_000
# Finished groups that wait at most while the first one's fate is being asked for; they are memory.
_HELD_GROUPS: Final = 2


@dataclass
class Outgoing:
    """One pass over the planned records of a feed."""

    site: Site
    plan_id: str | None
    trouble: TransientError | PermanentError | None = None
    unknown: int = 0
    """Records that were sent without an answer and may be sent again in another pass."""
    sent: int = 0
    sent_bytes: int = 0
    _done: list[Landed] = field(default_factory=list)
    """Finished batches that are not being stored yet."""
    _held: list[Landed] = field(default_factory=list)
    """Finished batches whose fate is being asked for before they are stored, so that it takes one write and not two."""
    _held_since: datetime = field(init=False)
    _submitted: dict[str, Item] = field(default_factory=dict)
    _storing: Storing = field(init=False)
    _reader: ThreadPoolExecutor = field(init=False)

    def run(self) -> None:
        """Send until nothing planned is left, or until `trouble` says why not.

        Errors that are not ours are raised after everything that came in was stored.
        """
        with ThreadPoolExecutor(1, "read") as self._reader, Storing(self.site) as self._storing:
            source = batches(self._planned(), self.site.feed.limits, document=lambda item: item.record.document)
            failure = self._exchange(source)
            self._store_all()
            self._storing.finish()
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
        if self._careful:
            # Only what leaves at once: what is announced may have to be looked up, or parked.
            together = self.site.feed.limits.concurrency - flights.up
        else:
            # A second group while the first one flies, so that no sender waits for a transaction.
            together = self.site.options.commit_every if flights.up <= self.site.options.commit_every else 0
        if together < 1:
            return True
        group = list(islice(source, together))
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
        self.sent += sum(map(len, group))
        self.sent_bytes += sum(len(item.record.document) + 1 for batch in group for item in batch)
        crashpoint("send:attempt-opened")
        for attempt_id, batch in zip(ids, group, strict=True):
            flights.send(attempt_id, batch)
        return True

    def _planned(self) -> Iterator[Item]:
        """Planned records in key order; while some are sent, the next ones are read."""
        page = self._reader.submit(self._page, None)
        while items := page.result():
            page = self._reader.submit(self._page, items[-1].record.key)
            yield from self._still_due(items)

    def _page(self, after: str | None) -> list[Item]:
        with self.site.warehouse.reading() as connection:
            size = self.site.options.read_ahead
            return self.site.ledger.planned(connection, after=after, size=size, plan_id=self.plan_id)

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
            return self._take_fates(message)
        if message.error is not None:
            return message.error
        self._done.append(message)
        if self._careful:
            # Until it is safe, what was answered would count as in doubt: nothing else is announced meanwhile.
            self._store_all()
            self._storing.finish()
            self._ask(flights)
        elif self._group_is_full(flights):
            self._turn(flights)
        return None

    def _group_is_full(self, flights: Flights) -> bool:
        """Whether it is time to store; a little later while fates are on their way that would spare a write."""
        options, batches_done = self.site.options, len(self._done)
        if not flights.up:
            return True
        if not self._held or batches_done < options.commit_every:
            return batches_done >= options.commit_every
        held_for = options.now() - self._held_since
        return held_for > timedelta(seconds=options.hold) or batches_done >= _HELD_GROUPS * options.commit_every

    def _turn(self, flights: Flights) -> None:
        """Ask for the fate of the finished group if that can be known soon, else store it."""
        asks = self.site.feed.settle is not None and not flights.asking
        if asks and flights.up:
            self._store(self._held)
            self._held, self._done, self._held_since = self._done, [], self.site.options.now()
        else:
            self._store_all()
        if asks:
            self._ask(flights)

    def _ask(self, flights: Flights) -> None:
        if flights.asking or self.site.feed.settle is None:
            return
        stored = dict(self._submitted)
        asked = still_submitted(stored.values())
        for landed in self._held:
            asked += [outcome for outcome in landed.result.outcomes if outcome.state is State.SUBMITTED]
        if asked:
            flights.ask(asked, stored)

    def _take_fates(self, message: Settled) -> Exception | None:
        """Store what was learnt: with the group that was held for it, or as the next step of what is stored already."""
        fates = {outcome.key: outcome for outcome in message.outcomes}
        held, self._held = self._held, []
        self._store(held, fates)
        # Others were stored as submitted meanwhile; what is not remembered of them is asked for again at the end.
        stored = {**message.stored, **self._submitted}
        self._storing.put_fates([outcome for key, outcome in fates.items() if key in stored], stored)
        for key in fates:
            self._submitted.pop(key, None)
        # Asked again at the end, where it counts.
        return None if isinstance(message.error, TransientError | PermanentError) else message.error

    def _store_all(self) -> None:
        held, done, self._held, self._done = self._held, self._done, [], []
        self._store(held + done)

    def _store(self, done: Sequence[Landed], fates: dict[str, Outcome] | None = None) -> None:
        """Store the outcomes of finished batches and close their attempts; takes what it uses out of `fates`."""
        if not done:
            return
        outcomes = [outcome for landed in done for outcome in self._outcomes(landed)]
        if fates:
            outcomes = [fates.pop(o.key, o) if o.state is State.SUBMITTED else o for o in outcomes]
        group = Group(
            {key: item for landed in done for key, item in landed.items.items()},
            outcomes,
            self._again(done),
            [closing for landed in done if (closing := self._closing(landed))],
            sum(landed.result.calls for landed in done),
            self.site.options.now(),
            settled=fates is not None,
        )
        self.unknown += len(group.again)
        if self.site.feed.settle is not None and len(self._submitted) < _REMEMBERED:
            self._submitted |= submitted(outcomes, group.items)
        self._storing.put(group)

    @property
    def _careful(self) -> bool:
        """Whether sending twice does harm."""
        return self.site.feed.replay is not ReplayClass.UPSERT

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


def submitted(outcomes: Iterable[Outcome], items: Mapping[str, Item]) -> dict[str, Item]:
    """Those records that were just taken, each with its receipt, to ask for their fate."""
    found = {}
    for outcome in outcomes:
        if outcome.state is State.SUBMITTED:
            record, event_at, tries, *_ = items[outcome.key]
            found[outcome.key] = Item(record, event_at, tries + 1, outcome.receipt or "")
    return found
