"""Marketplacer's GraphQL API on loopback: one endpoint, an operator's and a seller's key, executed for real.

`MarketplacerSandbox` is the system, `MarketplacerSwitches` what can be set about it, `DEFECTS` what can be planted;
`build` makes one with the contract's preferred readings.
"""

from stokly_sync.sandbox.marketplacer.defects import DEFECTS
from stokly_sync.sandbox.marketplacer.switches import MarketplacerSwitches
from stokly_sync.sandbox.marketplacer.system import MarketplacerSandbox

__all__ = ["DEFECTS", "MarketplacerSandbox", "MarketplacerSwitches", "build"]


def build() -> MarketplacerSandbox:
    """A sandbox with reference data and nothing for sale, with its limits on."""
    return MarketplacerSandbox()
