"""Time for the acceptance tests: it runs as the machine's does, and jumps wherever anybody would wait.

The sandboxes and the product share one clock, so that a token, a queue or a `Retry-After` is really over after a wait,
and no test waits for it. What was asked to be waited for is kept, because it is what some tests are about.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stokly_sync.delivery.breaker import Breaker
from stokly_sync.delivery.budget import DatabaseBudget
from stokly_sync.delivery.options import Options
from stokly_sync.reconciliation import run as reconciling
from stokly_sync.sandbox.kit import Clock
from stokly_sync.systems import transport


class JumpingClock(Clock):
    """The machine's clock plus everything that was slept."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._lock = threading.Lock()
        self.waits: list[float] = []
        """Every wait of at least a tenth of a second, in seconds."""

    def now(self) -> datetime:
        """The time, UTC."""
        return datetime.now(UTC) + timedelta(seconds=self._ahead)

    def monotonic(self) -> float:
        """Seconds, with the jumps in them."""
        return super().monotonic() + self._ahead

    def sleep(self, seconds: float) -> None:
        """Jump forward instead of waiting."""
        with self._lock:
            self._ahead += seconds
            if seconds >= 0.1:
                self.waits.append(seconds)


def let_nobody_wait(patch: pytest.MonkeyPatch, clock: JumpingClock) -> None:
    """Give everything that is made from now on this clock, where it is not given another one."""
    _by_default(patch, transport.Clock, now=clock.now, monotonic=clock.monotonic, sleep=clock.sleep)
    _by_default(patch, DatabaseBudget, now=clock.now, sleep=clock.sleep)
    _by_default(patch, Breaker, now=clock.now)
    _by_default(patch, Options, now=clock.now, sleep=clock.sleep)
    patch.setattr(reconciling, "SECOND_LOOK_S", 0.0)


def _by_default(patch: pytest.MonkeyPatch, made: type[Any], **values: Callable[..., Any]) -> None:
    init: Any = made.__init__
    given = inspect.signature(init).parameters
    assert values.keys() <= given.keys(), f"{made.__name__} is not told the time in this way any more"
    positional = [p for p in given.values() if p.kind is p.POSITIONAL_OR_KEYWORD and p.default is not p.empty]
    patch.setattr(init, "__defaults__", tuple(values.get(p.name, p.default) for p in positional))
    if init.__kwdefaults__:
        patch.setattr(init, "__kwdefaults__", {**init.__kwdefaults__, **_among(values, init.__kwdefaults__)})


def _among(values: dict[str, Callable[..., Any]], names: dict[str, Any]) -> dict[str, Callable[..., Any]]:
    return {name: value for name, value in values.items() if name in names}
