from collections.abc import Iterator

import pytest
import requests

from stokly_sync.sandbox.emarsys import EmarsysSandbox
from stokly_sync.sandbox.kit import ManualClock
from stokly_sync.sandbox.serve import Sandbox
from stokly_sync_tests.sandbox.emarsys.bench import Bench


@pytest.fixture(scope="module")
def served() -> Iterator[Bench]:
    """One server a module: starting is quick, stopping takes a fifth of a second."""
    clock = ManualClock()
    system = EmarsysSandbox(clock=clock)
    with Sandbox(systems=[system]) as sandbox, requests.Session() as session:
        yield Bench(system, clock, sandbox.urls["emarsys"], session)


@pytest.fixture
def bench(served: Bench) -> Bench:
    """An empty sandbox without rate limits, for one test."""
    served.reset()
    return served
