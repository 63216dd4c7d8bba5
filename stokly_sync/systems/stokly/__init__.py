"""Stokly as the source, and as the destination of what sales channels sell.

`client` makes the calls, `paging` loses no row, `reading` knows what to ask for, `documents` turns answers into rows;
`outgoing` makes documents of a channel's rows, `lookups` asks what is there, `writing` sends, `feeds` declares it.
`unverified` holds what nobody has proven about the API.
"""

from stokly_sync.flow import System
from stokly_sync.systems.stokly.client import StoklyClient
from stokly_sync.systems.stokly.consent import said
from stokly_sync.systems.stokly.extracts import extracts
from stokly_sync.systems.stokly.feeds import feeds, origins
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
    feeds=feeds,
    origins=origins,
    reference=reference,
    probe=probe,
    said=said,
    forget_by_hand="Stokly only hides a deleted customer: have the customer and the orders made nameless in Stokly.",
)

__all__ = ["SYSTEM", "StoklyClient", "StoklySettings"]
