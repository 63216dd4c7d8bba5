"""Emarsys: contacts with metrics, a catalogue file, sales data of orders and refunds, dispatch events; see `feeds`."""

from typing import Final

from stokly_sync.flow import System
from stokly_sync.systems.emarsys.client import EmarsysClient, connect
from stokly_sync.systems.emarsys.consent import choices
from stokly_sync.systems.emarsys.erasure import forget
from stokly_sync.systems.emarsys.feeds import NAME, feeds
from stokly_sync.systems.emarsys.probing import probe
from stokly_sync.systems.emarsys.rules import RULES
from stokly_sync.systems.emarsys.settings import EmarsysSettings
from stokly_sync.systems.transport import remember

SYSTEM: Final = System(
    name=NAME,
    title="Emarsys",
    settings=EmarsysSettings,
    connect=connect,
    calls=lambda client: client.calls,
    rules=RULES,
    feeds=feeds,
    probe=probe,
    choices=choices,
    forget=forget,
    remember=remember,
)

__all__ = ["SYSTEM", "EmarsysClient", "EmarsysSettings"]
