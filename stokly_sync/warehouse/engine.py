"""How the database is opened: the driver, the session's settings, and errors that repeat no data.

Everything that differs between the two databases before the first statement stands here. Tables, migrations and
transactions do not.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from stokly_sync.errors import SettingsError

SCHEMA: Final = "stokly_sync"
"""PostgreSQL schema of our tables, apart from Dagster's and from other people's."""

READING: Final = "stokly_sync_reading"
"""Execution option of a connection that only reads: SQLite then begins without the write lock."""

COPY_IN: Final = "stokly_sync_copy_in"
"""Execution option of a `COPY .. FROM STDIN`: the readable file of bytes to send."""

COPY_OUT: Final = "stokly_sync_copy_out"
"""Execution option of a select: the writable file that gets its rows as CSV instead."""

# A writer waits this long for another one. Our own write transactions end within seconds.
BUSY_TIMEOUT_S: Final = 30
# A lost network must not leave a session (and its advisory locks) alive for the two hours that TCP would.
_KEEPALIVES: Final = {"keepalives": 1, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
# SQLSTATE classes whose messages quote the offending value: data exception, integrity violation.
_QUOTING: Final = ("22", "23")


def open_engine(url: str) -> sa.Engine:
    """Open the database of a URL: `postgresql://...` (with or without driver) or `sqlite:///path/to/file`.

    The parent folder of an SQLite file is created; nothing else is. Sessions run in UTC, on PostgreSQL with the schema
    `stokly_sync` alone on the search path. Errors of the engine never show parameters or stored values.
    Raises SettingsError for a URL that is unreadable or of another engine; the URL itself is not repeated.
    """
    parsed = _parsed(url)
    if parsed.get_backend_name() == "postgresql":
        return _postgresql(parsed)
    if parsed.get_backend_name() == "sqlite" and parsed.database and parsed.database != ":memory:":
        return _sqlite(parsed)
    raise SettingsError(
        f"the database URL names {parsed.get_backend_name()}{' in memory' * parsed.drivername.startswith('sqlite')}, "
        "which the warehouse cannot live in. Use postgresql://user:password@host/database or sqlite:///path/to/file."
    )


def _parsed(url: str) -> sa.URL:
    # The parser's own error repeats the URL, and with it the password: ours must stand alone.
    try:
        return sa.make_url("postgresql" + url[len("postgres") :] if url.startswith("postgres:") else url)
    except (ArgumentError, ValueError):
        problem = SettingsError(
            "the database URL cannot be read. Write postgresql://user:password@host:5432/database, with special "
            "characters of the password percent-encoded, or sqlite:///path/to/file."
        )
    raise problem


def _postgresql(url: sa.URL) -> sa.Engine:
    options = " ".join([*url.normalized_query.get("options", ()), f"-csearch_path={SCHEMA}", "-ctimezone=UTC"])
    engine = sa.create_engine(
        url.set(drivername="postgresql+psycopg2").update_query_dict({"options": options}),
        hide_parameters=True,
        pool_pre_ping=True,
        connect_args=_KEEPALIVES,
    )
    sa.event.listen(engine, "do_execute", _copy)
    sa.event.listen(engine, "handle_error", _without_values)
    return engine


def _sqlite(url: sa.URL) -> sa.Engine:
    path = Path(str(url.database))
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(url.set(drivername="sqlite"), hide_parameters=True)
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver's own transactions begin too late and end too early; `_begin_sqlite` takes over.
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_S * 1000}",
        "journal_mode = WAL",
        # An attempt must be on the disk before the call that it announces.
        "synchronous = FULL",
        "foreign_keys = ON",
        "temp_store = MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: sa.Connection) -> None:
    # A writer takes the lock at once: a transaction that reads first and then writes could not wait for it.
    reading = connection.get_execution_options().get(READING)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _copy(cursor: Any, statement: str, parameters: Any, context: Any) -> bool:
    """Run COPY in place of a statement that asks for it; True tells the engine that it was done."""
    options = context.execution_options
    if COPY_IN in options:
        cursor.copy_expert(statement, options[COPY_IN], 1 << 20)
    elif COPY_OUT in options:
        query = cursor.mogrify(statement, parameters or None).decode()
        cursor.copy_expert(f"COPY ({query}) TO STDOUT WITH (FORMAT csv)", options[COPY_OUT])
    else:
        return False
    return True


def _without_values(context: sa.ExceptionContext) -> None:
    """Keep a message of the server to what cannot be personal.

    Its further lines repeat the statement with the values in it, or the stored row; some first lines quote a value.
    """
    error: Any = context.original_exception
    state = getattr(error, "pgcode", None)
    if not state:
        return
    message = "PostgreSQL refused a value" if state.startswith(_QUOTING) else error.diag.message_primary
    place = {name: getattr(error.diag, f"{name}_name") for name in ("table", "column", "constraint")}
    where = ", ".join(f"{name} {value}" for name, value in place.items() if value)
    message = f"{type(error).__name__} ({state}){' at ' + where if where else ''}: {message}"
    error.args = (message,)
    if context.sqlalchemy_exception is not None:
        context.sqlalchemy_exception.args = (message,)
