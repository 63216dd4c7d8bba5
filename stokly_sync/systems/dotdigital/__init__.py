"""Dotdigital: contacts with metrics, catalogue with stock, orders with refunds and dispatch events; see `feeds`."""

from typing import Final

from stokly_sync.flow import System
from stokly_sync.systems.dotdigital.client import DotdigitalClient, connect
from stokly_sync.systems.dotdigital.consent import choices
from stokly_sync.systems.dotdigital.erasure import forget
from stokly_sync.systems.dotdigital.feeds import NAME, feeds
from stokly_sync.systems.dotdigital.probing import probe
from stokly_sync.systems.dotdigital.rules import RULES
from stokly_sync.systems.dotdigital.settings import DotdigitalSettings
from stokly_sync.systems.transport import remember

SYSTEM: Final = System(
    name=NAME,
    title="Dotdigital",
    settings=DotdigitalSettings,
    connect=connect,
    calls=lambda client: client.calls,
    rules=RULES,
    feeds=feeds,
    probe=probe,
    choices=choices,
    forget=forget,
    remember=remember,
)

__all__ = ["SYSTEM", "DotdigitalClient", "DotdigitalSettings"]
