"""One served Emarsys sandbox for these tests, brought back to how it was made before each of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stokly_sync.sandbox.emarsys import EmarsysSandbox
from stokly_sync.sandbox.kit import ManualClock
from stokly_sync.sandbox.serve import Sandbox
from stokly_sync_tests.systems.emarsys.bench import Bench


@pytest.fixture(scope="session")
def served() -> Iterator[Bench]:
    clock = ManualClock()
    system = EmarsysSandbox(clock=clock)
    with Sandbox(systems=[system], limits=False) as sandbox:
        yield Bench(system, clock, sandbox.urls["emarsys"], [])


@pytest.fixture
def bench(served: Bench) -> Bench:
    served.reset()
    return served
