"""How patient a delivery is. The defaults suit every destination; a feed's own limits stand in its declaration."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from stokly_sync.delivery.figures import DeliveryFigures
from stokly_sync.errors import PermanentError, TransientError


def utc_now() -> datetime:
    """The clock of this machine, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Options:
    """Settings of a delivery; times in seconds. `now` and `sleep` are the clock, replaced in tests."""

    look_up_delay: float = 60.0
    """How long a destination may take until a record that it took can be found (DESIGN, links)."""
    doubts_in_a_row: int = 3
    """So many calls in a row without an answer mean that the destination is down."""
    settle_rounds: int = 10
    """How often the fate of submitted records is asked for at the end, while something still changes."""
    settle_pause: float = 1.0
    """Pause between two such rounds in which nothing was learnt."""
    read_ahead: int = 3_000
    """Planned records that are read from the ledger at once."""
    commit_every: int = 32
    """Batches that are announced, and later closed, in one transaction; only where sending twice is harmless."""
    hold: float = 2.0
    """How long answered batches may wait for their fate before they are stored as submitted."""
    now: Callable[[], datetime] = utc_now
    sleep: Callable[[float], None] = time.sleep


class DeliveryStopped(TransientError):
    """The destination is down or wants us away; the ledger is consistent and what was not sent stays planned."""

    def __init__(self, message: str, *, figures: DeliveryFigures, retry_after: float | None = None) -> None:
        super().__init__(message, retry_after=retry_after)
        self.figures = figures


class DeliveryRefused(PermanentError):
    """The destination refuses us, not a record; the ledger is consistent and what was not sent stays planned."""

    def __init__(self, message: str, *, figures: DeliveryFigures) -> None:
        super().__init__(message)
        self.figures = figures
