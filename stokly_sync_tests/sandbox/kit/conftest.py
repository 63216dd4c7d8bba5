from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import requests

from stokly_sync.sandbox.serve import Sandbox
from stokly_sync_tests.sandbox.kit.toy import Toy


@dataclass(frozen=True)
class Served:
    """A toy system on loopback, and a session to call it with."""

    toy: Toy
    url: str
    session: requests.Session

    def get(self, path: str = "/things/1") -> requests.Response:
        return self.session.get(self.url + path, timeout=30)


@pytest.fixture
def served() -> Iterator[Served]:
    toy = Toy()
    with Sandbox(systems=[toy], limits=False) as sandbox, requests.Session() as session:
        yield Served(toy, sandbox.urls["toy"], session)
