"""Where Dagster keeps its runs, events and schedules: PostgreSQL by URL, SQLite without one.

`dagster.yaml` names `InstanceStorage`, because its own syntax has neither defaults nor alternatives. The
variable that names the warehouse decides here too, so the two can never disagree about what has run.
Dagster's tables stand in a schema of their own: both sides keep a table `alembic_version`. Some of the
Dagster modules imported here are private; should they move, two files with plain `storage:` blocks are the
way back. The warehouse's own tables and engines do not belong here.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from dagster import Field, StringSource
from dagster._config.config_schema import UserConfigSchema
from dagster._core.storage.base_storage import DagsterStorage
from dagster._serdes import ConfigurableClass, ConfigurableClassData
from sqlalchemy import URL, Connection, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool

from stokly_sync.errors import SettingsError
from stokly_sync.pipeline import event_storage

DATABASE_URL: Final = "STOKLY_SYNC_DATABASE_URL"
ENVIRONMENT: Final = "STOKLY_SYNC_ENV"
SCHEMA: Final = "dagster"
DEFAULT_BASE_DIR: Final = "data/local/dagster"

# SQLAlchemy 2.1 takes a bare postgresql:// for psycopg 3, which dagster-postgres does not install.
_DRIVER: Final = "postgresql+psycopg2"
# Any number that nothing else here locks: it keeps two processes from creating the schema at once.
_SCHEMA_LOCK: Final = 7_305_512_001

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Backend:
    """The storage chosen for Dagster's instance.

    Attributes:
        kind: The database engine.
        label: A sentence part for people and logs; holds neither user name nor password.
        base_dir: Folder of the SQLite files; None on PostgreSQL.
        url: Connection URL with its password and Dagster's search path; None on SQLite. Never shown.
    """

    kind: Literal["postgresql", "sqlite"]
    label: str
    base_dir: Path | None = None
    url: URL | None = field(default=None, repr=False)


def choose_backend(environ: Mapping[str, str], *, base_dir: str = DEFAULT_BASE_DIR) -> Backend:
    """Say which storage the environment asks for, without touching it.

    A PostgreSQL URL gives PostgreSQL, with or without a driver in its scheme; a URL of an SQLite file gives
    SQLite in a folder `dagster` beside that file; no URL gives SQLite in `base_dir`, which is taken from
    `DAGSTER_HOME` (or else the working directory) when it is relative.

    Raises:
        SettingsError: production without PostgreSQL, or a URL that is unreadable or of another engine.
    """
    raw = environ.get(DATABASE_URL, "").strip()
    root = Path(environ.get("DAGSTER_HOME") or Path.cwd())
    backend = _backend_of(_parsed(raw)) if raw else _sqlite(root / base_dir)
    if backend.kind == "sqlite" and environ.get(ENVIRONMENT, "").strip().lower() == "production":
        raise SettingsError(
            f"{ENVIRONMENT} is 'production' but {DATABASE_URL} {'names SQLite' if raw else 'is not set'}: refusing to "
            "keep the state of a production installation in local files. Set it to the installation's PostgreSQL in "
            f"every process (webserver, daemon, code server, run workers), or unset {ENVIRONMENT}."
        )
    return backend


def open_storage(backend: Backend, *, inst_data: ConfigurableClassData | None = None) -> DagsterStorage:
    """Open Dagster's storage on the chosen backend, creating what is missing: folder, schema and tables.

    Raises:
        sqlalchemy.exc.OperationalError: the server cannot be reached or refuses the credentials.
        SettingsError: the role may not create the schema and nobody has created it yet.
    """
    _log.info("Dagster keeps its state in %s.", backend.label)
    event_storage.switch_on()
    if backend.url is None:
        return event_storage.sqlite_storage(str(backend.base_dir), inst_data=inst_data)
    with _alone(backend.url) as connection:
        _ensure_schema(connection)
        return event_storage.postgres_storage(backend.url.render_as_string(hide_password=False), inst_data=inst_data)


class InstanceStorage(DagsterStorage, ConfigurableClass):
    """Named in `dagster.yaml`; hands out the real storage and is never created itself."""

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """Return what may stand under `config:`: `base_dir`, the folder of SQLite when no URL is set."""
        return {"base_dir": Field(StringSource, default_value=DEFAULT_BASE_DIR)}

    @classmethod
    def from_config_value(  # type: ignore[override]  # as all of Dagster's own: the result is another storage
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> DagsterStorage:
        """Open the storage that the process's environment asks for (errors: `choose_backend`)."""
        base_dir = str(config_value.get("base_dir", DEFAULT_BASE_DIR))
        return open_storage(choose_backend(os.environ, base_dir=base_dir), inst_data=inst_data)


def _parsed(raw: str) -> URL:
    # The URL holds a password, so neither it nor the parser's own error may appear in ours.
    try:
        return make_url(raw.replace("postgres://", "postgresql://", 1) if raw.startswith("postgres://") else raw)
    except (ArgumentError, ValueError):
        problem = SettingsError(
            f"{DATABASE_URL} is not a database URL. Write postgresql://user:password@host:5432/database, "
            "with special characters of the password percent-encoded, or sqlite:///path/to/file.db."
        )
    raise problem


def _backend_of(url: URL) -> Backend:
    engine = url.get_backend_name()
    if engine == "postgresql":
        options = " ".join([*url.normalized_query.get("options", ()), f"-csearch_path={SCHEMA}"])
        place = url.host or "/".join(url.normalized_query.get("host", ("the local socket",)))
        return Backend(
            kind="postgresql",
            label=f"PostgreSQL (database {url.database} at {place}, schema {SCHEMA})",
            url=url.set(drivername=_DRIVER).update_query_dict({"options": options}),
        )
    if engine == "sqlite" and url.database and url.database != ":memory:":
        return _sqlite(Path(url.database).resolve().parent / "dagster")
    raise SettingsError(
        f"{DATABASE_URL} names {engine}{' in memory' if engine == 'sqlite' else ''}, which cannot hold "
        "Dagster's state. Use a postgresql:// URL or a file as sqlite:///path/to/file.db, or unset it to "
        "have SQLite without asking."
    )


def _sqlite(base_dir: Path) -> Backend:
    resolved = base_dir.resolve()
    return Backend(kind="sqlite", label=f"SQLite (folder {resolved})", base_dir=resolved)


@contextmanager
def _alone(url: URL) -> Iterator[Connection]:
    """Hold the lock under which schema and tables are made: Dagster's own do not bear two makers at once."""
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with closing(engine.connect()) as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _SCHEMA_LOCK})
        try:
            yield connection
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _SCHEMA_LOCK})


def _ensure_schema(connection: Connection) -> None:
    # Looked up first: a role without the right to create may still use a schema that somebody made for it.
    known = text("SELECT 1 FROM pg_namespace WHERE nspname = :name")
    if connection.scalar(known, {"name": SCHEMA}) is not None:
        return
    allowed = text("SELECT has_database_privilege(current_database(), 'CREATE')")
    if not connection.scalar(allowed):
        raise SettingsError(
            f"The role in {DATABASE_URL} may not create the schema '{SCHEMA}' that Dagster needs. "
            f"Have an administrator run: CREATE SCHEMA {SCHEMA} AUTHORIZATION <that role>."
        )
    connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))
