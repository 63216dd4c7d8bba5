"""The rig of the acceptance tests, sending in small batches, so that there is something to be killed between."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stokly_sync_tests.acceptance.benches import Bench
from stokly_sync_tests.acceptance.conftest import bench
from stokly_sync_tests.acceptance.harness import Rig, opened

__all__ = ["bench", "rig_on_each"]


@pytest.fixture
def rig_on_each(bench: Bench, warehouse_url: str) -> Iterator[Rig]:
    """The product between Stokly and a destination, once on each database."""
    with opened(bench, warehouse_url, environ=bench.small_batches) as made:
        yield made
