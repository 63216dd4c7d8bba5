"""Fixtures for the whole suite: clean surroundings, loopback only, and both databases.

Tests ask for `database_url` to run on SQLite and on PostgreSQL, for `postgres_url` to share a database within
their worker, and for `fresh_postgres_url` to have one for themselves. `warehouse` and `warehouse_url` give a
migrated database on each engine. Fixtures of one package belong in that
package's own conftest.
"""

from __future__ import annotations

import ipaddress
import os
import shutil
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import hypothesis
import pytest
from sqlalchemy import URL

from stokly_sync.warehouse.engine import SCHEMA
from stokly_sync.warehouse.store import Warehouse
from stokly_sync_tests.support.browser import REQUIRED as BROWSER_REQUIRED
from stokly_sync_tests.support.postgres import (
    EXTERNAL_SERVER,
    REQUIRED,
    PostgresUnavailable,
    empty,
    new_database,
    running_server,
)

# What a developer has set for real work must not reach a test.
_SETTINGS_PREFIXES: Final = (
    "DAGSTER_",
    "DOTDIGITAL_",
    "EMARSYS_",
    "MAGENTO_",
    "MARKETPLACER_",
    "OMETRIA_",
    "STOKLY_",
)
_ENGINES: Final = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgres))
_KEPT: Final = frozenset({EXTERNAL_SERVER, REQUIRED, BROWSER_REQUIRED, "STOKLY_SYNC_TRANSACTIONS"})
_POSTGRES_FIXTURES: Final = frozenset({"postgres_server", "postgres_url", "fresh_postgres_url"})

# Two busy cores make any deadline a coin toss. The suite tries a few examples each time it runs;
# `make test ARGS="--hypothesis-profile thorough"` tries many.
hypothesis.settings.register_profile("suite", deadline=None, print_blob=True, max_examples=25)
hypothesis.settings.register_profile("thorough", deadline=None, print_blob=True, max_examples=500)
hypothesis.settings.load_profile("suite")


def pytest_configure() -> None:
    for name in list(os.environ):
        if name.startswith(_SETTINGS_PREFIXES) and name not in _KEPT:
            del os.environ[name]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _POSTGRES_FIXTURES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.postgres)


@pytest.fixture(scope="session", autouse=True)
def loopback_only() -> Iterator[None]:
    """Refuse every connection that would leave this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(str(address[0])):
            pytest.fail(f"a test tried to reach {address[0]}: tests talk to loopback only")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[URL]:
    """The server of this test run; started by the first worker that needs it."""
    run_id = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid.uuid4().hex
    try:
        with running_server(run_id[:12]) as url:
            yield url
    except PostgresUnavailable as error:
        if os.environ.get(REQUIRED) == "1":
            pytest.fail(f"{error}; {REQUIRED}=1 says that these tests must run here")
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def postgres_url(postgres_server: URL) -> Iterator[str]:
    """A database of this worker; what one test leaves in it the next one finds."""
    with new_database(postgres_server, prefix=os.environ.get("PYTEST_XDIST_WORKER", "main")) as url:
        yield url.render_as_string(hide_password=False)


@pytest.fixture
def fresh_postgres_url(postgres_server: URL) -> Iterator[str]:
    """An empty database for this test alone."""
    with new_database(postgres_server) as url:
        yield url.render_as_string(hide_password=False)


@pytest.fixture(params=_ENGINES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database for this test alone, once on each engine."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'warehouse.sqlite'}"
    return str(request.getfixturevalue("fresh_postgres_url"))


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with the warehouse's schema, to copy and not to touch."""
    path = tmp_path_factory.mktemp("migrated") / "warehouse.sqlite"
    Warehouse.open(f"sqlite:///{path}", brand="demo").close()
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: URL) -> Iterator[URL]:
    """A database of this worker with the warehouse's schema; each test empties it before it begins."""
    with new_database(postgres_server, prefix="migrated") as url:
        Warehouse.open(url.render_as_string(hide_password=False), brand="demo").close()
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path, migrated_sqlite: Path) -> str:
    """A migrated SQLite database for this test alone, where the engine makes no difference."""
    path = tmp_path / "warehouse.sqlite"
    shutil.copy(migrated_sqlite, path)
    return f"sqlite:///{path}"


@pytest.fixture
def sqlite_warehouse(sqlite_url: str) -> Iterator[Warehouse]:
    """An empty warehouse of the brand `demo` on SQLite alone."""
    opened = Warehouse.open(sqlite_url, brand="demo")
    yield opened
    opened.close()


@pytest.fixture(params=_ENGINES)
def warehouse_url(request: pytest.FixtureRequest) -> str:
    """A migrated and empty database, once on each engine; also for processes that the test starts.

    Whoever changes its schema has to change it back.
    """
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite_url"))
    url: URL = request.getfixturevalue("migrated_postgres")
    empty(url, schema=SCHEMA)
    return url.render_as_string(hide_password=False)


@pytest.fixture
def warehouse(warehouse_url: str) -> Iterator[Warehouse]:
    """An empty warehouse of the brand `demo`, once on each engine."""
    opened = Warehouse.open(warehouse_url, brand="demo")
    yield opened
    opened.close()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
