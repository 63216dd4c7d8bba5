"""One served Magento sandbox for these tests, brought back to its first day before each of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stokly_sync.sandbox.kit import ManualClock
from stokly_sync.sandbox.magento import MagentoSandbox
from stokly_sync.sandbox.serve import Sandbox
from stokly_sync_tests.systems.magento.bench import Bench


@pytest.fixture(scope="session")
def served() -> Iterator[Bench]:
    clock = ManualClock()
    system = MagentoSandbox(clock=clock)
    with Sandbox(systems=[system], limits=False) as sandbox:
        yield Bench(system, clock, sandbox.urls["magento"], [])


@pytest.fixture
def bench(served: Bench) -> Bench:
    served.reset()
    return served
