"""One served Dotdigital sandbox for these tests, brought back to how it was made before each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from stokly_sync.flow import Feed
from stokly_sync.sandbox.dotdigital import DotdigitalSandbox
from stokly_sync.sandbox.kit import ManualClock
from stokly_sync.sandbox.serve import Sandbox
from stokly_sync.systems.dotdigital import DotdigitalSettings
from stokly_sync.systems.dotdigital.feeds import feeds
from stokly_sync_tests.systems.dotdigital.bench import Bench


@pytest.fixture(scope="session")
def served() -> Iterator[Bench]:
    clock = ManualClock()
    system = DotdigitalSandbox(clock=clock)
    with Sandbox(systems=[system], limits=False) as sandbox:
        yield Bench(system, clock, sandbox.urls["dotdigital"], [])


@pytest.fixture
def bench(served: Bench) -> Bench:
    served.reset()
    return served


@pytest.fixture
def feed() -> Callable[[str], Feed]:
    by_name = {declared.name: declared for declared in feeds(DotdigitalSettings())}
    return by_name.__getitem__
