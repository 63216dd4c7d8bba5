"""When to call again, and after how long: backoff, Retry-After, and the clock that both are measured with.

Belongs here: pure arithmetic of waiting. What may be called again at all is decided in `session`, per request. Limits
are named and explained because the other side imposes their consequences on us.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

# "Retry-After: 0" in a busy loop would burn the budget of every process that shares the key.
RETRY_AFTER_FLOOR: Final = 0.5
# Longer than this, a step waits for nobody: it fails as transient and the scheduler comes back.
RETRY_AFTER_CEILING: Final = 300.0


@dataclass(frozen=True)
class Clock:
    """Time and sleep, replaceable in tests: `now()` is timezone-aware UTC, `monotonic()` and `sleep()` in seconds."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how patiently a request that may be repeated is repeated; all times in seconds."""

    attempts: int = 5
    first_wait: float = 1.0
    longest_wait: float = 60.0
    patience: float = 600.0
    """Waiting in all, over which no further attempt is made."""
    default_retry_after: float = 5.0
    """Taken for a 429 without a readable Retry-After."""
    limit_waits: tuple[float, ...] = ()
    """Taken in its place after the first, the second and each further one, where a vendor asks for longer waits."""
    jitter: Callable[[], float] = field(default=random.random)
    """A number in [0, 1): processes that failed together do not come back together."""

    def backoff(self, attempt: int) -> float:
        """Seconds to wait after the `attempt`-th failure (from 1): doubling, with half of it at random."""
        full = min(self.longest_wait, self.first_wait * 2.0 ** (attempt - 1))
        return float(full * (0.5 + self.jitter() / 2))


def retry_after(header: str | None, *, now: datetime, default: float) -> float:
    """Seconds to stay away, from a Retry-After header in seconds or as an HTTP date.

    `now` is timezone-aware UTC. Absent or malformed headers give `default`; the result lies between
    RETRY_AFTER_FLOOR and RETRY_AFTER_CEILING.
    """
    seconds = _seconds(header, now) if header else None
    if seconds is None:
        seconds = default
    return min(max(seconds, RETRY_AFTER_FLOOR), RETRY_AFTER_CEILING)


def _seconds(header: str, now: datetime) -> float | None:
    text = header.strip()
    if text.replace(".", "", 1).isdecimal() and text.isascii():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds()
