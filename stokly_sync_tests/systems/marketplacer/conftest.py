"""One served Marketplacer sandbox for these tests, brought back to how it was made before each of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stokly_sync.sandbox.kit import ManualClock
from stokly_sync.sandbox.marketplacer import MarketplacerSandbox
from stokly_sync.sandbox.serve import Sandbox
from stokly_sync_tests.systems.marketplacer.bench import Bench


@pytest.fixture(scope="session")
def served() -> Iterator[Bench]:
    clock = ManualClock()
    system = MarketplacerSandbox(clock=clock)
    with Sandbox(systems=[system], seed="empty", limits=False) as sandbox:
        yield Bench(system, clock, sandbox.urls["marketplacer"], [])


@pytest.fixture
def bench(served: Bench) -> Bench:
    served.reset()
    return served
