"""What a benchmark is given: how much to do, and the servers, which start when first asked for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property

import sqlalchemy as sa

from benchmarks import surroundings
from benchmarks.results import Line


@dataclass
class Context:
    """`rows` orders (the targets speak of 200,000) and `rounds` rounds that count; the newest order is of yesterday."""

    rows: int
    rounds: int
    stack: ExitStack = field(repr=False)
    end: datetime = field(
        default_factory=lambda: datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    )

    @cached_property
    def postgresql(self) -> sa.URL:
        """A PostgreSQL server."""
        return self.stack.enter_context(surroundings.postgresql())

    @cached_property
    def wire(self) -> surroundings.Wire:
        """A wire server with `rows` orders."""
        return self.stack.enter_context(self.wire_of(self.rows))

    def wire_of(self, orders: int, *, keep_mb: int = 3_000) -> AbstractContextManager[surroundings.Wire]:
        """A wire server with so many orders."""
        return surroundings.wire(orders=orders, end=self.end, keep_mb=keep_mb)


Run = Callable[[Context], list[Line]]
