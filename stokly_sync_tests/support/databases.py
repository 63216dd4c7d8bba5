"""On which of the two databases a test runs, where running each on both would prove the same thing twice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import pytest

on_sqlite: Final = pytest.mark.parametrize("warehouse_url", ["sqlite"], indirect=True)
"""For tests of what lies above the database; SQL that differs is tested on both where it is written."""


def cases(some: Iterable[str], *, on_postgresql: Iterable[str]) -> list[Any]:
    """Values of `("warehouse_url", "place")`: all of some places on SQLite, and a few on PostgreSQL as well."""
    few = [pytest.param("postgresql", place, marks=pytest.mark.postgres) for place in on_postgresql]
    return [*(pytest.param("sqlite", place) for place in some), *few]
