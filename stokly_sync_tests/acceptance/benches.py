"""Every destination that is held to the acceptance tests: each joins by one line here.

How one is looked into and disturbed stands in `marketing`, `channels` and `home`; what a bench has to say, in `bench`.
"""

from __future__ import annotations

from typing import Any, Final

import pytest

from stokly_sync_tests.acceptance.bench import Bench
from stokly_sync_tests.acceptance.channels import MagentoBench, MarketplacerBench
from stokly_sync_tests.acceptance.home import StoklyBench
from stokly_sync_tests.acceptance.marketing import DotdigitalBench, EmarsysBench, OmetriaBench

__all__ = [
    "BENCHES",
    "ON_EACH",
    "Bench",
    "DotdigitalBench",
    "EmarsysBench",
    "MagentoBench",
    "MarketplacerBench",
    "OmetriaBench",
    "StoklyBench",
    "on_each",
    "told",
]

BENCHES: Final[tuple[Bench, ...]] = (
    OmetriaBench(),
    DotdigitalBench(),
    EmarsysBench(),
    MagentoBench(),
    MarketplacerBench(),
    StoklyBench(),
)
"""Every destination that is held to the acceptance tests."""

ON_EACH: Final = [(bench, engine) for bench in BENCHES for engine in bench.engines]
"""Destinations with the databases on which they are held to what has to be so on each."""


def told(bench: Bench, engine: str, *more: str) -> Any:
    """One set of parameters of a test: `bench` and `warehouse_url`, which are fixtures, and more."""
    marks = [pytest.mark.postgres] if engine == "postgresql" else []
    return pytest.param(bench, engine, *more, marks=marks, id="-".join((bench.system, engine, *more)))


on_each = pytest.mark.parametrize(("bench", "warehouse_url"), [told(*pair) for pair in ON_EACH], indirect=True)
"""For tests whose rig is `rig_on_each`."""
