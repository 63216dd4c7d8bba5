"""A rig for every destination: on SQLite for most tests, on both databases where it is theirs to keep a promise."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from stokly_sync_tests.acceptance.benches import BENCHES, Bench
from stokly_sync_tests.acceptance.harness import Rig, opened, saved


@pytest.fixture(params=BENCHES, ids=lambda bench: bench.system)
def bench(request: pytest.FixtureRequest) -> Bench:
    """Each destination in turn; one that lacks what a test needs is left out, before anything is opened."""
    made: Bench = request.param
    for mark in request.node.iter_markers("needs"):
        if mark.args[0] in made.lacks:
            pytest.skip(made.lacks[mark.args[0]])
    return made


@pytest.fixture
def rig(bench: Bench, sqlite_url: str) -> Iterator[Rig]:
    """The product between Stokly and a destination, nothing loaded yet."""
    with opened(bench, sqlite_url) as made:
        yield made


@dataclass(frozen=True)
class FirstLoad:
    """What a first load leaves: a database to copy, and the state of both sandboxes."""

    database: Path
    state: Mapping[str, bytes]


@pytest.fixture(scope="session")
def first_loads(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Callable[[Bench], FirstLoad]:
    """The first load of a destination, done once for all tests that begin after it."""

    @cache
    def done(bench: Bench) -> FirstLoad:
        path = tmp_path_factory.mktemp("loaded") / "warehouse.sqlite"
        shutil.copy(migrated_sqlite, path)
        with opened(bench, f"sqlite:///{path}") as rig:
            rig.sync().fine()
            # Looked at once, so that what a destination fetches on a schedule has been fetched.
            rig.bench.flat(rig)
            state = saved(rig)
        return FirstLoad(path, state)

    return done


@pytest.fixture
def loaded(bench: Bench, tmp_path: Path, first_loads: Callable[[Bench], FirstLoad]) -> Iterator[Rig]:
    """The product between Stokly and a destination after the first load."""
    before = first_loads(bench)
    path = tmp_path / "warehouse.sqlite"
    shutil.copy(before.database, path)
    with opened(bench, f"sqlite:///{path}", state=before.state) as made:
        yield made


@pytest.fixture
def rig_on_each(bench: Bench, warehouse_url: str) -> Iterator[Rig]:
    """The product between Stokly and a destination, once on each database."""
    with opened(bench, warehouse_url) as made:
        yield made
