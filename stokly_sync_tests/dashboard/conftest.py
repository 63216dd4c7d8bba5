"""A dashboard over a small desk: open to whoever sits at the machine, or to users alone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from stokly_sync.dashboard.access import Access, access_for, hashed
from stokly_sync.operations.desk import Desk
from stokly_sync.warehouse.store import Warehouse
from stokly_sync_tests.dashboard.site import Visitor, served
from stokly_sync_tests.operations.kit import desk_over

PASSWORD = "correct horse battery"


@pytest.fixture
def desk(tmp_path: Path, migrated_sqlite: Path) -> Iterator[Desk]:
    """What is asked is tested on both databases in `operations`; pages need one."""
    path = tmp_path / "warehouse.sqlite"
    shutil.copy(migrated_sqlite, path)
    warehouse = Warehouse.open(f"sqlite:///{path}", brand="demo")
    yield desk_over(warehouse)
    warehouse.close()


@pytest.fixture
def visitor(desk: Desk) -> Iterator[Visitor]:
    """Somebody at the machine itself."""
    access = access_for(host="127.0.0.1", url="http://127.0.0.1:3001", users={}, session_key=None)
    with served(desk, access) as address:
        yield Visitor(address)


@pytest.fixture(scope="session")
def password_hash() -> str:
    return hashed(PASSWORD)


@pytest.fixture
def guarded(password_hash: str) -> Access:
    """A dashboard that only Kim may see."""
    users = {"kim": SecretStr(password_hash)}
    return access_for(host="127.0.0.1", url="http://127.0.0.1:3001", users=users, session_key=None)


@pytest.fixture
def stranger(desk: Desk, guarded: Access) -> Iterator[Visitor]:
    """Somebody who has not signed in."""
    with served(desk, guarded) as address:
        yield Visitor(address)
