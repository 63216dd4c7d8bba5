"""The schema's history: one file a step under `versions/`, applied in order by alembic.

The steps are part of the package, so an installed wheel can bring any older database up to date. They are written
out and never made from today's tables: an old step must do next year what it did when it was written. A new one is
begun with `python -m stokly_sync.warehouse.migrations "what changes"`, then read and corrected by hand.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from stokly_sync.errors import SettingsError
from stokly_sync.warehouse import locks
from stokly_sync.warehouse.engine import SCHEMA

if TYPE_CHECKING:
    from alembic.config import Config

_HERE: Final = Path(__file__).parent
# A first start may have to wait for another process that is just doing the same.
_WAIT_S: Final = 120.0
# Alembic's own table. Alembic itself is imported for the change of a schema only: it takes a tenth of every start.
_VERSION: Final = sa.table("alembic_version", sa.column("version_num"))


def config() -> Config:
    """Alembic's configuration, made here because an installed package has no alembic.ini."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    made.set_main_option("path_separator", "os")
    return made


def migrate(engine: sa.Engine) -> None:
    """Bring the database to the current schema; safe when several processes start at once.

    Raises SettingsError when the schema may not be created, or when a newer version has changed the database.
    """
    from alembic import command
    from alembic.util.exc import CommandError

    if engine.dialect.name == "postgresql":
        _ensure_schema(engine.url)
    with locks.exclusive(engine, "migrate", wait=_WAIT_S), engine.begin() as connection:
        made = config()
        made.attributes["connection"] = connection
        try:
            command.upgrade(made, "head")
        except CommandError as error:
            raise _newer() from error


def is_current(engine: sa.Engine) -> bool:
    """Whether the database has exactly the schema that this version wants.

    Raises SettingsError when a newer version has changed the database.
    """
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table(_VERSION.name):
            return False
        stored = set(connection.execute(sa.select(_VERSION.c.version_num)).scalars())
    known = revisions()
    if not stored.issubset(known):
        raise _newer()
    return stored == {known[-1]}


def revisions() -> list[str]:
    """All steps in their order: each file begins with the number that is its revision, which spares reading it."""
    return sorted(file.name[:4] for file in (_HERE / "versions").glob("[0-9]*.py"))


def revision_of(engine: sa.Engine) -> str | None:
    """The newest step that the database has seen; None where it has seen none."""
    with engine.connect() as connection:
        return connection.execute(sa.select(sa.func.max(_VERSION.c.version_num))).scalar_one_or_none()


def _newer() -> SettingsError:
    return SettingsError(
        "the warehouse was changed by a newer version of stokly-sync. Install that version again, or restore the "
        "database from a backup made before the change."
    )


def _ensure_schema(url: sa.URL) -> None:
    # Looked up first: a role without the right to create may still use a schema that somebody made for it. An engine
    # of its own, because one that has met the database without the schema remembers that there is none.
    engine = sa.create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        if connection.scalar(sa.text("SELECT to_regnamespace(:name)"), {"name": SCHEMA}) is not None:
            return
        if not connection.scalar(sa.text("SELECT has_database_privilege(current_database(), 'CREATE')")):
            raise SettingsError(
                f"The role of the database URL may not create the schema '{SCHEMA}'. Have an administrator run: "
                f"CREATE SCHEMA {SCHEMA} AUTHORIZATION <that role>."
            )
        try:
            connection.execute(sa.text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
        except sa.exc.IntegrityError:
            # Another process created it between our look and our statement; IF NOT EXISTS does not cover that.
            if connection.scalar(sa.text("SELECT to_regnamespace(:name)"), {"name": SCHEMA}) is None:
                raise
