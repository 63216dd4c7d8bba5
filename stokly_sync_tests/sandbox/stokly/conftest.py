from collections.abc import Iterator

import pytest
import requests

from stokly_sync.sandbox.kit import ManualClock
from stokly_sync.sandbox.seeds import minimal_seed
from stokly_sync.sandbox.serve import Sandbox
from stokly_sync.sandbox.stokly import StoklySandbox
from stokly_sync_tests.sandbox.stokly.bench import TODAY, Bench


@pytest.fixture(scope="module")
def served() -> Iterator[Bench]:
    """One server a module: starting is quick, stopping takes a fifth of a second."""
    clock = ManualClock()
    system = StoklySandbox(clock=clock, seed=minimal_seed(TODAY))
    with Sandbox(systems=[system], limits=False) as sandbox, requests.Session() as session:
        yield Bench(system, clock, sandbox.urls["stokly"], session)


@pytest.fixture
def bench(served: Bench) -> Bench:
    """The minimal account without rate limits, for one test."""
    served.reset()
    return served
