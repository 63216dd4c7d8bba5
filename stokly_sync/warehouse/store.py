"""The warehouse of one brand: how other rooms get a transaction, a snapshot to read, or a lock.

Rows go in and out through `bulk` and the modules named after the tables, always with a connection from here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from stokly_sync.warehouse import locks
from stokly_sync.warehouse.engine import READING, open_engine
from stokly_sync.warehouse.locks import Busy
from stokly_sync.warehouse.migrations import is_current, migrate

__all__ = ["Busy", "Warehouse"]


@dataclass(frozen=True)
class Warehouse:
    """An open database and the brand whose rows are meant; cheap to pass around, safe to share between threads."""

    engine: sa.Engine
    brand: str

    @classmethod
    def open(cls, url: str, *, brand: str) -> Warehouse:
        """Open the database of a URL and bring it to the current schema first.

        Raises SettingsError for a URL that cannot be used, a schema that may not be created, or a database that a
        newer version of this program has changed already.
        """
        engine = open_engine(url)
        if not is_current(engine):
            migrate(engine)
        return cls(engine, brand)

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """Write: committed at the end, rolled back on any error. SQLite takes its one write lock at once."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Read from one snapshot: what others commit meanwhile is not seen. Writing is refused."""
        if self.engine.dialect.name == "postgresql":
            options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        else:
            options = {READING: True}
        with self.engine.connect().execution_options(**options) as connection, connection.begin():
            yield connection

    def exclusive(self, name: str, *, purpose: str = "", wait: float = 0.0) -> AbstractContextManager[None]:
        """Hold the lock `name` of this brand across processes; see `locks.exclusive`. Raises Busy."""
        return locks.exclusive(self.engine, f"{self.brand}/{name}", purpose=purpose, wait=wait)

    def close(self) -> None:
        """Give back the pooled connections."""
        self.engine.dispose()
