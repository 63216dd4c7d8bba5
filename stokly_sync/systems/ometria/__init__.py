"""Ometria: contacts, products with stock, orders with refunds and dispatch events; see docs and `feeds`."""

from typing import Final

from stokly_sync.flow import System
from stokly_sync.systems.ometria.client import OmetriaClient, connect
from stokly_sync.systems.ometria.consent import choices
from stokly_sync.systems.ometria.erasure import forget
from stokly_sync.systems.ometria.feeds import NAME, feeds
from stokly_sync.systems.ometria.probing import probe
from stokly_sync.systems.ometria.rules import RULES
from stokly_sync.systems.ometria.settings import OmetriaSettings

SYSTEM: Final = System(
    name=NAME,
    title="Ometria",
    settings=OmetriaSettings,
    connect=connect,
    calls=lambda client: client.calls,
    rules=RULES,
    feeds=feeds,
    probe=probe,
    choices=choices,
    forget=forget,
)

__all__ = ["SYSTEM", "OmetriaClient", "OmetriaSettings"]
