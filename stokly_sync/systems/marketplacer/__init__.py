"""Marketplacer: invoices, shipments, refunds, listings and payouts read; products, stock, shipments and refunds loaded.

`client` makes the one call, `queries` holds its texts, `unverified` what nobody has proven of the schema; `reading` and
`extracts` bring it in, `feeds` with `sending`, `shipping` and `refunding` take it out.
"""

from typing import Final

from stokly_sync.flow import System
from stokly_sync.systems.marketplacer.client import MarketplacerClient, connect
from stokly_sync.systems.marketplacer.extracts import extracts
from stokly_sync.systems.marketplacer.feeds import NAME, feeds
from stokly_sync.systems.marketplacer.matching import matchings
from stokly_sync.systems.marketplacer.probing import probe
from stokly_sync.systems.marketplacer.reference import reference
from stokly_sync.systems.marketplacer.rules import RULES
from stokly_sync.systems.marketplacer.settings import MarketplacerSettings
from stokly_sync.systems.transport import remember

SYSTEM: Final = System(
    name=NAME,
    title="Marketplacer",
    settings=MarketplacerSettings,
    connect=connect,
    calls=lambda client: int(client.calls),
    rules=RULES,
    extracts=extracts,
    feeds=feeds,
    reference=reference,
    probe=probe,
    matchings=matchings,
    forget_by_hand="No call of Marketplacer forgets a shopper: have the marketplace's operator do it.",
    remember=remember,
)

__all__ = ["SYSTEM", "MarketplacerClient", "MarketplacerSettings"]
