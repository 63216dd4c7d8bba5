"""The time a sandbox lives by, so that a test can move it by hand.

Belongs here: reading and moving time. Does not belong here: how a vendor spells a time stamp, which is
the affair of that vendor's folder. Queues, tokens and rate limits ask one clock and nothing else.
"""

import time
from datetime import UTC, datetime, timedelta


class Clock:
    """The machine's clock: UTC for stamps, a monotonic second count for delays and limits."""

    def now(self) -> datetime:
        """The present time, timezone-aware, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since some fixed point; never runs backwards."""
        return time.monotonic()


class ManualClock(Clock):
    """A clock that stands still until it is told to move."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now = start
        self._seconds = 0.0

    def now(self) -> datetime:
        """The time to which the clock was moved last, UTC."""
        return self._now

    def monotonic(self) -> float:
        """Seconds by which the clock was moved altogether."""
        return self._seconds

    def advance(self, seconds: float) -> None:
        """Move forward by so many seconds.

        Raises:
            ValueError: if `seconds` is negative.
        """
        if seconds < 0:
            raise ValueError(f"A clock only moves forward: advance({seconds}) was asked for.")
        self._seconds += seconds
        self._now += timedelta(seconds=seconds)
