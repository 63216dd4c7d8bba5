"""The waiting room between an accepted push and a stored record, and the ring of what failed there.

Belongs here: how long records wait, how many leave at once, and the newest 100 failures. What happens to
a record when it leaves is decided in `intake`. The queue is worked lazily, whenever a call comes in.
Source: Ometria API contract 1 (push backlog) and 2 (per-record errors).
"""

from collections import deque
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from stokly_sync.sandbox.kit import Clock
from stokly_sync.sandbox.ometria.store import Record
from stokly_sync.sandbox.ometria.validation import Problem

RING = 100


class Waiting(msgspec.Struct):
    """A record accepted under `request_id`; `since` is in seconds of the sandbox's clock."""

    request_id: str
    record: Record
    since: float


class PushError(msgspec.Struct, frozen=True):
    """One element of `GET /push/_errors` in its full shape."""

    request_id: str
    record_type: str
    record_id: Any
    record: Record
    timestamp: datetime
    message: dict[str, str]


class PushQueue:
    """Records in the order in which they came."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._waiting: deque[Waiting] = deque()
        self._left_last = float("-inf")

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, request_id: str, records: list[Record]) -> None:
        """Let the records of one push wait."""
        now = self._clock.monotonic()
        self._waiting.extend(Waiting(request_id, record, now) for record in records)

    def due(self, *, delay: float, per_second: float | None) -> Iterator[Waiting]:
        """Take out, oldest first, the records that waited `delay` seconds, at most `per_second` of them."""
        now = self._clock.monotonic()
        between = 1.0 / per_second if per_second else 0.0
        while self._waiting:
            # When it would have left, had somebody been watching all the time: the queue is worked lazily.
            leaves = max(self._waiting[0].since + delay, self._left_last + between)
            # A hair's breadth is forgiven, because sums of binary fractions fall short of whole numbers.
            if leaves > now + 1e-9:
                return
            self._left_last = leaves
            yield self._waiting.popleft()

    def dump(self) -> list[dict[str, Any]]:
        """What waits, without since when."""
        return [{"request_id": one.request_id, "record": one.record} for one in self._waiting]

    def load(self, waiting: list[dict[str, Any]]) -> None:
        """Let everything that `dump` gave wait from now on."""
        now = self._clock.monotonic()
        self._waiting = deque(Waiting(one["request_id"], one["record"], now) for one in waiting)
        self._left_last = float("-inf")


class ErrorRing:
    """The newest failures; older ones fall out unread (section 2)."""

    def __init__(self) -> None:
        self._errors: deque[PushError] = deque(maxlen=RING)

    def add(self, waiting: Waiting, problem: Problem, *, now: datetime) -> None:
        """Keep one failure."""
        record = waiting.record
        pair = {"error_message": problem.error_message, "error_path": problem.error_path}
        self._errors.appendleft(PushError(waiting.request_id, record["@type"], record.get("id"), record, now, pair))

    def newest(self) -> list[PushError]:
        """The failures, newest first (the order is not documented)."""
        return list(self._errors)

    def load(self, errors: list[Any]) -> None:
        """Replace the ring by what was saved of it, newest first."""
        self._errors = deque(msgspec.convert(errors, list[PushError]), maxlen=RING)
