"""What the set-up of a system has found there, kept for a day, so that not every load asks for it again.

Rows of the reference table that end by themselves. Found anew when the settings differ from those that it was found
under, after a day, or once somebody says that it may be wrong. Neither secrets nor anything personal belongs here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import REFERENCE

KIND: Final = "set-up"
LASTS: Final = timedelta(days=1)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Remembered:
    """What was found at one system under settings of one `digest`; a `flow.Memory`."""

    warehouse: Warehouse
    system: str
    digest: str
    now: Callable[[], datetime] = _now

    def get(self, what: str) -> Any:
        """What was found within a day under these settings, as JSON gives it; None where nothing was."""
        c = REFERENCE.c
        query = sa.select(c.body).where(*self._mine, c.key == what, c.hash == self.digest, c.valid_to > self.now())
        with self.warehouse.reading() as connection:
            body = connection.execute(query).scalars().first()
        return None if body is None else msgspec.json.decode(body)

    def put(self, what: str, found: Any) -> None:
        """Keep what was found (a JSON value), instead of what was kept before."""
        moment = self.now()
        row = {"key": what, "hash": self.digest, "body": msgspec.json.encode(found).decode()}
        row |= {"brand": self.warehouse.brand, "system": self.system, "kind": KIND}
        with self.warehouse.transaction() as connection:
            connection.execute(sa.delete(REFERENCE).where(*self._mine, REFERENCE.c.key == what))
            connection.execute(sa.insert(REFERENCE).values(valid_from=moment, valid_to=moment + LASTS, **row))

    def forget(self) -> None:
        """Let everything be looked at again."""
        with self.warehouse.transaction() as connection:
            connection.execute(sa.delete(REFERENCE).where(*self._mine))

    @property
    def _mine(self) -> tuple[sa.ColumnElement[bool], ...]:
        c = REFERENCE.c
        return c.brand == self.warehouse.brand, c.system == self.system, c.kind == KIND
