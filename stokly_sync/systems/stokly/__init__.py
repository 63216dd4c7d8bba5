"""Stokly as the source: customers, items, stock, orders and their papers, read and turned into rows.

`client` makes the calls, `paging` loses no row, `reading` knows what to ask for, `documents` turns answers into rows,
`unverified` holds what nobody has proven about the API. Nothing is written to Stokly so far.
"""

from stokly_sync.flow import System
from stokly_sync.systems.stokly.client import StoklyClient
from stokly_sync.systems.stokly.consent import said
from stokly_sync.systems.stokly.extracts import extracts
from stokly_sync.systems.stokly.reference import probe, reference
from stokly_sync.systems.stokly.rules import RULES
from stokly_sync.systems.stokly.settings import StoklySettings

SYSTEM = System(
    name="stokly",
    title="Stokly",
    settings=StoklySettings,
    connect=StoklyClient,
    calls=lambda client: int(client.calls),
    rules=RULES,
    extracts=extracts,
    reference=reference,
    probe=probe,
    said=said,
    forget_by_hand="Stokly only hides a deleted customer: have the customer and the orders made nameless in Stokly.",
)

__all__ = ["SYSTEM", "StoklyClient", "StoklySettings"]
