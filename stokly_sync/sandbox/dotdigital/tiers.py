"""Call limits: four tiers a minute with headers, or the old flat number an hour.

Belongs here: counting calls and the look of a refusal. Which route is in which tier stands in `routes`.
Which call is in which tier, and all numbers but one, are not published: the assignment is a guess.
Source: Dotdigital API contract 1 (rate limits).
"""

from collections import deque
from math import ceil
from typing import Literal

from starlette.responses import Response

from stokly_sync.sandbox.dotdigital.problems import v2
from stokly_sync.sandbox.dotdigital.switches import DotdigitalSwitches
from stokly_sync.sandbox.kit import Clock

Tier = Literal["low", "medium", "high", "unlimited"]
MINUTE = 60.0
HOUR = 3600.0


class RollingHour:
    """Calls of the last hour, each forgotten an hour after it was made."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._calls: deque[float] = deque()

    def used(self) -> int:
        """How many calls the last hour saw."""
        edge = self._clock.monotonic() - HOUR
        while self._calls and self._calls[0] <= edge:
            self._calls.popleft()
        return len(self._calls)

    def add(self) -> None:
        """Count one."""
        self._calls.append(self._clock.monotonic())

    def clear(self) -> None:
        """Forget all."""
        self._calls.clear()


class CallLimits:
    """The limits of the API user; `on` switches the refusals, not the count of the hour."""

    def __init__(self, *, switches: DotdigitalSwitches, clock: Clock) -> None:
        self.on = True
        self.hour = RollingHour(clock=clock)
        self.enrolments = RollingHour(clock=clock)
        self._switches = switches
        self._clock = clock
        self._started: dict[str, float] = {}
        self._used: dict[str, int] = {}

    def take(self, tier: Tier) -> dict[str, str] | Response:
        """The headers of a call that may pass, or the 429 that refuses it.

        Raises:
            ProblemError: 400 `ERROR_APIUSAGE_EXCEEDED` when the flat hour is used up.
        """
        if self.on and self._switches.scheme == "flat" and self.hour.used() >= self._switches.flat_per_hour:
            raise v2(400, "ERROR_APIUSAGE_EXCEEDED", "Excess API activity: calls are refused for the time being")
        self.hour.add()
        if not self.on or self._switches.scheme == "flat" or tier == "unlimited":
            return {}
        now = self._clock.monotonic()
        if tier not in self._started or now - self._started[tier] >= MINUTE:
            self._started[tier], self._used[tier] = now, 0
        limit: int = getattr(self._switches, tier)
        refused = self._used[tier] >= limit
        self._used[tier] += not refused
        headers = self._headers(tier, limit, rest=self._started[tier] + MINUTE - now)
        return Response(status_code=429, headers=headers) if refused else headers

    def clear(self) -> None:
        """Forget every call."""
        self.hour.clear()
        self.enrolments.clear()
        self._started.clear()

    def _headers(self, tier: str, limit: int, *, rest: float) -> dict[str, str]:
        reset = ceil(rest) if self._switches.reset == "seconds" else ceil(self._clock.now().timestamp() + rest)
        return {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(limit - self._used[tier]),
            "X-RateLimit-Reset": str(reset),
            "X-RateLimit-Scope": f"{tier}CallRate",
        }
