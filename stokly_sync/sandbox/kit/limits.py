"""Rate limiters as vendors run them: a fixed window and a token bucket.

Belongs here: the arithmetic of allowing or refusing a call. How a refusal looks on the wire (status,
`Retry-After`, remaining-calls header) belongs to each system. A limiter that is off allows everything.
"""

from dataclasses import dataclass
from typing import Protocol

from stokly_sync.sandbox.kit.clock import Clock


@dataclass(frozen=True)
class Taken:
    """What a limiter said: whether the call may pass, calls left, and seconds until the next may pass."""

    allowed: bool
    remaining: int
    retry_after: float


class RateLimiter(Protocol):
    """Something that lets a call pass or not; `on` switches it."""

    on: bool

    def take(self) -> Taken:
        """Ask for one call."""
        ...


class FixedWindow:
    """So many calls in each period, counted from the first call after the previous period ended."""

    def __init__(self, limit: int, period: float, *, clock: Clock | None = None, on: bool = True) -> None:
        self.limit = limit
        self.period = period
        self.on = on
        self._clock = clock or Clock()
        self._started: float | None = None
        self._used = 0

    def take(self) -> Taken:
        """Use one call of the present window, if one is left. `retry_after` is the rest of the window."""
        if not self.on:
            return Taken(allowed=True, remaining=self.limit, retry_after=0.0)
        now = self._clock.monotonic()
        if self._started is None or now - self._started >= self.period:
            self._started, self._used = now, 0
        if self._used >= self.limit:
            return Taken(allowed=False, remaining=0, retry_after=self._started + self.period - now)
        self._used += 1
        return Taken(allowed=True, remaining=self.limit - self._used, retry_after=0.0)


class TokenBucket:
    """`rate` calls a second on average, at most `burst` at once."""

    def __init__(self, rate: float, burst: int | None = None, *, clock: Clock | None = None, on: bool = True) -> None:
        self.rate = rate
        self.burst = burst if burst is not None else max(1, int(rate))
        self.on = on
        self._clock = clock or Clock()
        self._tokens = float(self.burst)
        self._seen = self._clock.monotonic()

    def take(self) -> Taken:
        """Use one token, if one is there. `retry_after` is the time until one will be."""
        now = self._clock.monotonic()
        self._tokens = min(float(self.burst), self._tokens + (now - self._seen) * self.rate)
        self._seen = now
        if not self.on:
            return Taken(allowed=True, remaining=self.burst, retry_after=0.0)
        # A hair's breadth below one counts as one: sums of binary fractions fall short of it.
        if self._tokens < 1.0 - 1e-9:
            return Taken(allowed=False, remaining=0, retry_after=(1.0 - self._tokens) / self.rate)
        self._tokens -= 1.0
        return Taken(allowed=True, remaining=int(self._tokens), retry_after=0.0)
