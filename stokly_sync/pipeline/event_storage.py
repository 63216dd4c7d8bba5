"""Dagster's event log with batches: what a run over many windows records is written in a few transactions.

A run over a range records an event for every window of every asset, once when it is made and once when it is done.
Dagster hands them over in batches when `DAGSTER_EVENT_BATCH_SIZE` says so, but its SQLite storage takes each batch
apart into three transactions an event, and its PostgreSQL storage does so with planned events: up to 20 ms for each of
the 70,000 events of 90 days of orders. The classes here lean on private parts of Dagster; without them everything works
as well, and long backfills take an hour. Which database is used is decided in `instance_storage`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from dagster import DagsterEventType
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationPlanned
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage, _event_logs_directory
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.event_log import PostgresEventLogStorage
from dagster_shared.record import replace
from sqlalchemy.pool import NullPool

BATCH_VARIABLE: Final = "DAGSTER_EVENT_BATCH_SIZE"
_BATCH_SIZE: Final = "1000"
_ENGINES: Final = 8
"""More than the index and the runs of one process at a time."""

_EVENTS: Final = SqlEventLogStorageTable


def switch_on() -> None:
    """Have Dagster hand over events in batches, in this process and its children; a size that is set already stays."""
    os.environ.setdefault(BATCH_VARIABLE, _BATCH_SIZE)


class _Batches(SqlEventLogStorage):
    """What both databases share: batches as a whole, and one row for a check over a range."""

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store the events of a batch, all of one run, in their order."""
        ids = self._insert(events)
        newest = {
            (event.asset_key, event.event_type): (entry, event_id)
            for entry, event_id in zip(events, ids, strict=True)
            if (event := entry.get_dagster_event()).asset_key is not None
        }
        with self.index_transaction() as connection:
            self._store_asset_event_tags(connection, *_about_assets(events, ids))
            # One row an asset, which holds its last event of each kind.
            for entry, event_id in newest.values():
                self._store_asset_event(connection, entry, event_id)
        for entry, event_id in zip(events, ids, strict=True):
            if entry.dagster_event_type is DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED:
                self.store_asset_check_event(entry, event_id)

    def store_asset_check_event(self, event: EventLogEntry, event_id: int | None) -> None:
        """Store what a check will do or has found.

        A run over a range evaluates a check once. Dagster would plan it for every window of the range, and all those
        rows would stay planned for ever.
        """
        super().store_asset_check_event(_once(event), event_id)

    def _insert(self, events: Sequence[EventLogEntry]) -> list[int]:
        """Write the rows of a batch and give their ids in the index, in order."""
        with self.index_transaction() as connection:
            return _inserted(connection, [self._event_to_row(event) for event in events])


class SqliteEvents(_Batches, SqliteEventLogStorage):
    """The log in SQLite: a file for each run, and an index over all of them.

    The engines of the index and of the newest runs are kept: Dagster's own makes one for every event, and compiles each
    statement anew.
    """

    def __init__(self, base_dir: str) -> None:
        self._engine_of = lru_cache(maxsize=_ENGINES)(self._opened)
        super().__init__(base_dir)

    def _opened(self, shard: str) -> sa.Engine:
        waits = {"timeout": SQLITE_BUSY_TIMEOUT_SECONDS}
        return sa.create_engine(self.conn_string_for_shard(shard), poolclass=NullPool, connect_args=waits)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[sa.Connection]:
        with self._db_lock:
            engine = self._engine_of(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.begin() as connection:
                yield connection

    def _insert(self, events: Sequence[EventLogEntry]) -> list[int]:
        connected: AbstractContextManager[sa.Connection] = self.run_connection(events[0].run_id)
        with connected as connection:
            connection.execute(_EVENTS.insert(), [self._event_to_row(event) for event in events])
        return super()._insert(events)


class PostgresEvents(_Batches, PostgresEventLogStorage):
    """The log in PostgreSQL, over a connection that is kept: Dagster's own opens one for every event."""

    def __init__(self, url: str) -> None:
        # Its tables exist by now.
        super().__init__(url, should_autocreate_tables=False)
        self._engine = sa.create_engine(
            url, isolation_level="AUTOCOMMIT", pool_size=1, max_overflow=20, pool_pre_ping=True
        )


def sqlite_storage(base_dir: str, *, inst_data: ConfigurableClassData | None) -> DagsterSqliteStorage:
    """Dagster's storage in a folder, with batches."""
    storage = DagsterSqliteStorage.from_local(base_dir, inst_data=inst_data)
    storage._event_log_storage = SqliteEvents(_event_logs_directory(base_dir))  # noqa: SLF001 - its constructor takes no other
    return storage


def postgres_storage(url: str, *, inst_data: ConfigurableClassData | None) -> DagsterPostgresStorage:
    """Dagster's storage in a PostgreSQL database, with batches."""
    storage = DagsterPostgresStorage(url, inst_data=inst_data)
    storage._event_log_storage = PostgresEvents(url)  # noqa: SLF001 - as above
    return storage


def _inserted(connection: sa.Connection, rows: Sequence[dict[str, Any]]) -> list[int]:
    made = connection.execute(_EVENTS.insert().returning(_EVENTS.c.id, sort_by_parameter_order=True), rows)
    return list(made.scalars())


def _about_assets(events: Sequence[EventLogEntry], ids: Sequence[int]) -> tuple[list[EventLogEntry], list[int]]:
    """The events that are about an asset itself, not about a check of it, and their ids."""
    chosen = [pair for pair in zip(events, ids, strict=True) if pair[0].get_dagster_event().asset_key is not None]
    return [entry for entry, _ in chosen], [event_id for _, event_id in chosen]


def _once(entry: EventLogEntry) -> EventLogEntry:
    """A check that is planned for several partitions, planned once; anything else as it is."""
    event = entry.dagster_event
    planned = event.event_specific_data if event is not None else None
    if event is None or not isinstance(planned, AssetCheckEvaluationPlanned) or planned.partitions_subset is None:
        return entry
    if len(planned.partitions_subset) == 1:
        return entry
    return entry._replace(dagster_event=event._replace(event_specific_data=replace(planned, partitions_subset=None)))
