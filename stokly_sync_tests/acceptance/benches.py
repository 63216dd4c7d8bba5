"""Every destination that is held to the acceptance tests: each joins by one line here.

How one is looked into and disturbed stands in `marketing`, `channels` and `home`; what a bench has to say, in `bench`.
"""

from __future__ import annotations

from typing import Final

from stokly_sync_tests.acceptance.bench import Bench
from stokly_sync_tests.acceptance.channels import MagentoBench, MarketplacerBench
from stokly_sync_tests.acceptance.home import StoklyBench
from stokly_sync_tests.acceptance.marketing import DotdigitalBench, EmarsysBench, OmetriaBench

__all__ = [
    "BENCHES",
    "Bench",
    "DotdigitalBench",
    "EmarsysBench",
    "MagentoBench",
    "MarketplacerBench",
    "OmetriaBench",
    "StoklyBench",
]

BENCHES: Final[tuple[Bench, ...]] = (
    OmetriaBench(),
    DotdigitalBench(),
    EmarsysBench(),
    MagentoBench(),
    MarketplacerBench(),
    StoklyBench(),
)
