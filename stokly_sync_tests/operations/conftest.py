"""A desk over an empty warehouse, once on each engine."""

from __future__ import annotations

import pytest

from stokly_sync.operations.desk import Desk
from stokly_sync.warehouse.store import Warehouse
from stokly_sync_tests.operations.kit import desk_over


@pytest.fixture
def desk(warehouse: Warehouse) -> Desk:
    return desk_over(warehouse)
