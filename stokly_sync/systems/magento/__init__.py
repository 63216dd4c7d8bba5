"""Magento: a shop whose orders go to Stokly, and which gets products, stock, shipments and credit memos from it.

`client` signs and calls, `reading` loses no row, `documents` turns documents into rows and back, `shipping` and
`refunding` look before they write, `matching` holds both sides against each other.
"""

from typing import Final

from stokly_sync.flow import System
from stokly_sync.systems.magento.client import MagentoClient, connect
from stokly_sync.systems.magento.erasure import BY_HAND, forget
from stokly_sync.systems.magento.extracts import extracts
from stokly_sync.systems.magento.feeds import NAME, feeds
from stokly_sync.systems.magento.matching import matchings
from stokly_sync.systems.magento.probing import probe, reference
from stokly_sync.systems.magento.rules import RULES
from stokly_sync.systems.magento.settings import MagentoSettings
from stokly_sync.systems.transport import remember

SYSTEM: Final = System(
    name=NAME,
    title="Magento",
    settings=MagentoSettings,
    connect=connect,
    calls=lambda client: int(client.calls),
    rules=RULES,
    extracts=extracts,
    feeds=feeds,
    reference=reference,
    probe=probe,
    matchings=matchings,
    forget=forget,
    forget_by_hand=BY_HAND,
    remember=remember,
)

__all__ = ["SYSTEM", "MagentoClient", "MagentoSettings"]
