"""A breaker per destination: after some failures in a row nobody calls it for a while, then one run tries (X17).

Kept in the database, so that all processes see it. It decides only whether a delivery may begin; what a failure is,
the delivery says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from stokly_sync.delivery.options import utc_now
from stokly_sync.errors import TransientError
from stokly_sync.warehouse.bulk import Merge
from stokly_sync.warehouse.few import merge_few
from stokly_sync.warehouse.tables import RATE_BUDGETS


@dataclass(frozen=True)
class Breaker:
    """The breaker of one destination; `key` names brand and system.

    Opens after `failures` in a row for `cool_down`; then one caller may probe, and the others wait for its result.
    """

    engine: sa.Engine
    key: str
    failures: int = 3
    cool_down: timedelta = timedelta(minutes=5)
    now: Callable[[], datetime] = utc_now

    @property
    def _row(self) -> str:
        return f"breaker:{self.key}"

    def check(self) -> None:
        """Raise TransientError while the breaker is open; when the time is over, take the one probe."""
        now = self.now()
        c = RATE_BUDGETS.c
        with self.engine.begin() as connection:
            query = sa.select(c.failures, c.breaker_until).where(c.key == self._row)
            row = connection.execute(query.with_for_update()).first()
            if row is None or row.failures < self.failures or row.breaker_until is None:
                return
            if row.breaker_until > now:
                raise TransientError(
                    f"{self.key} failed {row.failures} times in a row and is left alone until "
                    f"{row.breaker_until:%Y-%m-%d %H:%M:%S} UTC. Look at its last error; nothing is lost, and the next "
                    f"run after that time tries by itself.",
                    retry_after=(row.breaker_until - now).total_seconds(),
                )
            probing = sa.update(RATE_BUDGETS).where(c.key == self._row)
            connection.execute(probing.values(breaker_until=now + self.cool_down, updated_at=now))

    def failed(self) -> None:
        """Count a failure; from the last allowed one on, the breaker is open."""
        now = self.now()
        row = {"key": self._row, "failures": 1, "breaker_until": now + self.cool_down, "updated_at": now}
        counting = Merge(compute={"failures": lambda old, new: old.failures + new.failures})
        with self.engine.begin() as connection:
            merge_few(connection, RATE_BUDGETS, [row], condition=counting)

    def succeeded(self) -> None:
        """Close the breaker."""
        c = RATE_BUDGETS.c
        with self.engine.begin() as connection:
            closing = sa.update(RATE_BUDGETS).where(c.key == self._row, c.failures > 0)
            connection.execute(closing.values(failures=0, breaker_until=None, updated_at=self.now()))


@dataclass(frozen=True)
class Paused:
    """A destination that is left alone: its name, failures in a row, and until when (UTC)."""

    system: str
    failures: int
    until: datetime


def paused(connection: sa.Connection, *, brand: str, failures: int = Breaker.failures) -> list[Paused]:
    """The brand's destinations whose breaker is not closed: open, or being probed."""
    c, start = RATE_BUDGETS.c, f"breaker:{brand}/"
    query = sa.select(c.key, c.failures, c.breaker_until).where(
        c.key.startswith(start, autoescape=True), c.failures >= failures, c.breaker_until.is_not(None)
    )
    return [Paused(key.removeprefix(start), count, until) for key, count, until in connection.execute(query)]
