"""One rate budget per API key, shared by every process that uses it (X17).

The budget is a row of slots in time, one call each, a little further apart than the limit asks for. A process leases
the next slots for about a second in one short transaction and then waits for each of them by itself, so the database
is touched rarely. Whoever comes next finds the following slots; so nobody overtakes and nobody starves, except by
lane: slower lanes may not lease far ahead, nor use the burst that is kept for faster ones. Clocks of several machines
must agree to a fraction of a second, as any time server provides.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from threading import Lock
from typing import Any, Final

import sqlalchemy as sa
from pydantic import SecretStr

from stokly_sync.delivery.options import utc_now
from stokly_sync.errors import TransientError
from stokly_sync.flow import Lane
from stokly_sync.warehouse.bulk import Merge
from stokly_sync.warehouse.few import merge_few
from stokly_sync.warehouse.tables import RATE_BUDGETS

# Slots lie this much further apart than the limit asks for: a call that starts late must not crowd the next ones.
_MARGIN: Final = 1.05
# How far ahead of the clock the last leased slot may lie when a lane asks for more; a faster lane may always queue.
_AHEAD: Final = {Lane.BULK: timedelta(seconds=1), Lane.INTERVAL: timedelta(seconds=2), Lane.FAST: timedelta.max}
# Part of the burst that a lane must leave to faster ones.
_LEFT: Final = {Lane.BULK: 0.5, Lane.INTERVAL: 0.25, Lane.FAST: 0.0}
# A wait is slept in pieces of at most this, so that a changed row is seen.
_NAP_S: Final = 1.0


@dataclass(frozen=True)
class Limits:
    """A vendor's limit: `calls` in any span of `seconds`, of which `burst` may come at once.

    `longest_wait` (seconds) is how long one call waits at most before it fails as transient.
    """

    calls: float
    seconds: float = 1.0
    burst: int = 0
    longest_wait: float = 900.0

    @property
    def together(self) -> int:
        """Calls that may come at once; by default a tenth of a limit over many seconds, else one."""
        return max(1, self.burst or (int(self.calls) // 10 if self.seconds >= 10 else 1))

    @property
    def lateness(self) -> timedelta:
        """How late a slot may be used; as the slots lie further apart by as much, the limit holds all the same."""
        return timedelta(seconds=(_MARGIN - 1) * self.seconds)

    @property
    def apart(self) -> timedelta:
        """Distance of two slots."""
        steady = max(self.calls - self.together + 1, self.calls / 2)
        return timedelta(seconds=_MARGIN * self.seconds / steady)

    def duration(self, calls: int, lane: Lane) -> float:
        """Seconds that so many calls of a lane take when nobody else uses the key, beside what answers take."""
        at_once = self.together - int(_LEFT[lane] * (self.together - 1))
        return max(0, calls - at_once) * self.apart.total_seconds()


class DatabaseBudget:
    """Implements `flow.Budget` over the table `rate_budgets`; safe to use from several threads."""

    def __init__(
        self,
        engine: sa.Engine,
        key: str,
        limits: Limits,
        *,
        now: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._engine = engine
        self._key = key
        self._limits = limits
        self._now = now
        self._sleep = sleep
        self._lock = Lock()
        self._slots: dict[Lane, deque[datetime]] = {lane: deque() for lane in Lane}
        self._lease: dict[Lane, int] = dict.fromkeys(Lane, 1)

    def take(self, *, lane: Lane, cost: int = 1) -> None:
        """Wait until `cost` calls may be made, then count them.

        Raises TransientError when that takes longer than the limits' `longest_wait`, with the seconds left to wait.
        """
        until = self._now() + timedelta(seconds=self._limits.longest_wait)
        for _ in range(cost):
            self._wait_for(self._next_slot(lane, until), until)

    def observe(self, *, remaining: int | None = None, retry_after: float | None = None) -> None:
        """Heed what the server said, for all processes: stay away for some seconds, or go without a burst."""
        if retry_after is not None:
            self._block(timedelta(seconds=retry_after))
        elif remaining is not None and remaining < self._limits.together:
            # Somebody else uses the key as well, or the vendor counts in another way: no more bursts for now.
            self._block(self._limits.apart * (2 if remaining > 0 else self._limits.together + 1))

    def _next_slot(self, lane: Lane, until: datetime) -> datetime:
        while True:
            with self._lock:
                slot = self._own_slot(lane)
                ready = None if slot else self._lease_slots(lane)
            if slot is not None:
                return slot
            if ready is not None:
                self._wait_for(ready, until)

    def _own_slot(self, lane: Lane) -> datetime | None:
        """A leased slot that may still be used; unused ones mean that fewer should be leased at once."""
        oldest = self._now() - self._limits.lateness
        slots = self._slots[lane]
        if slots and slots[0] < oldest:
            self._lease[lane] = max(1, self._lease[lane] // 2)
        while slots:
            slot = slots.popleft()
            if slot >= oldest:
                return slot
        return None

    def _lease_slots(self, lane: Lane) -> datetime | None:
        """Lease the next slots, or give the time at which to ask again."""
        apart, together = self._limits.apart, self._limits.together
        most = max(1, int(timedelta(seconds=1) / apart))
        number = min(self._lease[lane], most)
        with self._engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                # A lost lease costs nothing, so no call waits for the disk, which others keep busy.
                connection.exec_driver_sql("SET LOCAL synchronous_commit TO off")
            now = self._now()
            first, blocked = self._read(connection)
            if blocked is not None and blocked > now:
                return blocked
            idle = now - (together - 1) * apart
            first = max(first or idle, idle)
            if first - now > _AHEAD[lane]:
                return first - _AHEAD[lane]
            self._write(connection, next_slot=first + number * apart)
        # Slower lanes use their slots later than they could, which leaves the burst to faster ones.
        shift = int(_LEFT[lane] * (together - 1)) * apart
        self._slots[lane].extend(max(now, first + i * apart + shift) for i in range(number))
        self._lease[lane] = min(most, number * 2)
        return None

    def _wait_for(self, moment: datetime, until: datetime) -> None:
        left = (moment - self._now()).total_seconds()
        if moment > until:
            raise TransientError(
                f"the rate budget allows the next call in {left:.0f} s, longer than one call may wait. Nothing is "
                f"lost; the next run goes on. If it happens often, let fewer processes share this API key.",
                retry_after=left,
            )
        while left > 0:
            self._sleep(min(left, _NAP_S))
            left = (moment - self._now()).total_seconds()

    def _block(self, pause: timedelta) -> None:
        with self._lock, self._engine.begin() as connection:
            until = self._now() + pause
            first, blocked = self._read(connection)
            self._write(connection, blocked_until=max(until, blocked or until), next_slot=max(until, first or until))
            for slots in self._slots.values():
                slots.clear()
            self._lease = dict.fromkeys(Lane, 1)

    def _read(self, connection: sa.Connection) -> tuple[datetime | None, datetime | None]:
        """Lock the key's row and read it; the lock lasts until the transaction ends."""
        c = RATE_BUDGETS.c
        query = sa.select(c.next_slot, c.blocked_until).where(c.key == self._key).with_for_update()
        row = connection.execute(query).first()
        if row is None:
            new = {"key": self._key, "updated_at": self._now()}
            merge_few(connection, RATE_BUDGETS, [new], condition=_KNOWN)
            row = connection.execute(query).one()
        return row.next_slot, row.blocked_until

    def _write(self, connection: sa.Connection, **values: datetime) -> None:
        statement = sa.update(RATE_BUDGETS).where(RATE_BUDGETS.c.key == self._key)
        connection.execute(statement.values(updated_at=self._now(), **values))


_KNOWN: Final = Merge(keep=("updated_at",))


def budget_for(engine: sa.Engine, system: str, settings: Any) -> DatabaseBudget:
    """The budget of a system's API key, with the limits of its settings.

    Keys are told apart by a hash of all secrets in the settings, which cannot be turned back.
    """
    return DatabaseBudget(engine, _budget_key(system, settings), limits_of(settings))


def limits_of(settings: Any) -> Limits:
    """The limit of a system's API key, from its settings: `rate` (calls a second) or `rate_per_minute`, and `burst`."""
    per_minute = getattr(settings, "rate_per_minute", None)
    burst = getattr(settings, "burst", 0)
    rate = getattr(settings, "rate", 1.0)
    return Limits(rate, 1.0, burst) if per_minute is None else Limits(per_minute, 60.0, burst)


def _budget_key(system: str, settings: Any) -> str:
    values = [getattr(settings, name) for name in sorted(type(settings).model_fields)]
    secrets = [v.get_secret_value() for v in values if isinstance(v, SecretStr)]
    digest = blake2b("\x1f".join([system, *secrets]).encode(), digest_size=16)
    return f"{system}:{digest.hexdigest()}"
