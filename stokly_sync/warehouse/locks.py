"""Locks between processes that die with their holder: what keeps two runs from landing or sending the same thing.

PostgreSQL gives session advisory locks, held on a connection of their own; for SQLite a locked file stands next to the
database. Both are freed by the system when the process dies, so nobody ever has to clear one by hand. What is locked
under which name is the callers' business (`store.Warehouse.exclusive`).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from filelock import FileLock, Timeout

from stokly_sync.errors import TransientError
from stokly_sync.warehouse.engine import open_engine

_POLL_S: Final = 0.1
# PostgreSQL cuts the name of a session at 63 bytes.
_LONGEST_NAME: Final = 63


class Busy(TransientError):
    """Somebody else holds the lock; the message says who and for what."""


@contextmanager
def exclusive(engine: sa.Engine, name: str, *, purpose: str = "", wait: float = 0.0) -> Iterator[None]:
    """Hold the lock `name` of this database, waiting up to `wait` seconds for it.

    `purpose` (for example the run id) is what others read when they find the lock taken. A second taker is kept out
    even inside the same process. Raises Busy when the time is over, TransientError when the lock was lost meanwhile
    because its connection broke: what was done under it may have overlapped and should be run again.
    """
    taken = _advisory if engine.dialect.name == "postgresql" else _file
    with taken(engine, name, purpose, time.monotonic() + wait):
        yield


def _busy(name: str, holder: str) -> Busy:
    return Busy(
        f"{name} is held by {holder or 'another process'}. Wait until it ends and run this again; if that process "
        f"hangs, end it: its lock goes with it."
    )


@contextmanager
def _advisory(engine: sa.Engine, name: str, purpose: str, deadline: float) -> Iterator[None]:
    key = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), signed=True)
    label = " ".join(filter(None, (name, purpose))).encode()[:_LONGEST_NAME].decode(errors="ignore")
    own = open_engine(engine.url.render_as_string(hide_password=False)).execution_options(isolation_level="AUTOCOMMIT")
    try:
        with own.connect() as connection:
            connection.execute(sa.text("SELECT set_config('application_name', :label, false)"), {"label": label})
            while not connection.scalar(sa.text("SELECT pg_try_advisory_lock(:key)"), {"key": key}):
                if time.monotonic() >= deadline:
                    raise _busy(name, _advisory_holder(connection, key))
                time.sleep(_POLL_S)
            yield
            _unlock(connection, name, key)
    finally:
        own.dispose()


def _unlock(connection: sa.Connection, name: str, key: int) -> None:
    try:
        held = connection.scalar(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": key})
    except sa.exc.DBAPIError as error:
        raise TransientError(f"the lock {name} was lost with its connection; run this again") from error
    if not held:
        raise TransientError(f"the lock {name} was lost; run this again")


def _advisory_holder(connection: sa.Connection, key: int) -> str:
    row = connection.execute(
        sa.text(
            "SELECT a.pid, a.application_name, a.backend_start FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
            "WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 "
            "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
            "AND ((l.classid::bigint << 32) | l.objid::bigint) = :key"
        ),
        {"key": key},
    ).first()
    return f"{row.application_name!r} (session {row.pid}, since {row.backend_start:%Y-%m-%d %H:%M:%S}Z)" if row else ""


@contextmanager
def _file(engine: sa.Engine, name: str, purpose: str, deadline: float) -> Iterator[None]:
    database = Path(str(engine.url.database))
    folder = database.with_name(f"{database.name}.locks")
    folder.mkdir(exist_ok=True)
    # Two names must not meet in one file, hence the hash.
    readable = re.sub(r"[^A-Za-z0-9._-]+", "-", name)[:80]
    path = folder / f"{readable}-{hashlib.blake2b(name.encode(), digest_size=4).hexdigest()}.lock"
    note = path.with_suffix(".holder")
    lock = FileLock(path)
    try:
        lock.acquire(timeout=max(0.0, deadline - time.monotonic()), poll_interval=_POLL_S)
    except Timeout:
        raise _busy(name, _file_holder(note)) from None
    try:
        note.write_text(json.dumps({"purpose": purpose or name, "pid": os.getpid(), "since": int(time.time())}))
        yield
    finally:
        note.unlink(missing_ok=True)
        lock.release()


def _file_holder(note: Path) -> str:
    try:
        holder = json.loads(note.read_text())
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(holder["since"]))
        return f"{holder['purpose']!r} (process {holder['pid']}, since {since}Z)"
    except (OSError, ValueError, KeyError, TypeError):
        # Read while it was being written or removed.
        return ""
