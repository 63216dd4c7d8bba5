from collections.abc import Iterator

import pytest
import requests

from stokly_sync.sandbox.dotdigital import DotdigitalSandbox
from stokly_sync.sandbox.kit import ManualClock
from stokly_sync.sandbox.serve import Sandbox
from stokly_sync_tests.sandbox.dotdigital.bench import Bench


@pytest.fixture(scope="module")
def served() -> Iterator[Bench]:
    """One server a module: starting is quick, stopping takes a fifth of a second."""
    clock = ManualClock()
    system = DotdigitalSandbox(clock=clock)
    with Sandbox(systems=[system]) as sandbox, requests.Session() as session:
        yield Bench(system, clock, sandbox.urls["dotdigital"], session)


@pytest.fixture
def bench(served: Bench) -> Bench:
    """An empty account without rate limits, for one test."""
    served.reset()
    return served
