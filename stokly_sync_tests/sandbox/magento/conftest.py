from collections.abc import Iterator

import pytest
import requests

from stokly_sync.sandbox.kit import ManualClock
from stokly_sync.sandbox.magento import MagentoSandbox
from stokly_sync.sandbox.serve import Sandbox
from stokly_sync_tests.sandbox.magento.bench import Bench


@pytest.fixture(scope="module")
def served() -> Iterator[Bench]:
    """One server a module: starting is quick, stopping takes a fifth of a second."""
    clock = ManualClock()
    system = MagentoSandbox(clock=clock)
    with Sandbox(systems=[system], seed="empty") as sandbox, requests.Session() as session:
        yield Bench(system, clock, sandbox.urls["magento"], session)


@pytest.fixture
def bench(served: Bench) -> Bench:
    """An empty shop, for one test."""
    served.reset()
    return served
