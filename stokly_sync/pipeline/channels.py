"""Sales channels whose orders another system holds: how it names them, and from when on they are brought there.

Nobody wants years of old orders made anew by a first start, nor none at all; so where the settings say nothing, some
days before the channel was first read are the beginning, and the doctor and every plan say which time that is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from stokly_sync.flow import Mode, Origin
from stokly_sync.pipeline.services import Services
from stokly_sync.warehouse.tables import LANDED
from stokly_sync.warehouse.windows import watermark


@dataclass(frozen=True)
class Beginning:
    """From when on a channel's orders are brought to the system that holds them, and how many are older.

    `at` (UTC) is None before any were read, unless somebody said it.
    """

    channel: str
    home: str
    """The system that holds them."""
    origin: Origin
    at: datetime | None
    older: int = 0

    @property
    def feed(self) -> str:
        """Id of the feed that brings them."""
        return f"{self.home}/{self.channel}_orders"

    @property
    def sentence(self) -> str:
        """The same in words."""
        title, days = self.channel.title(), self.origin.days
        if self.at is None:
            return f"orders of {title} are taken from {days} days before they are first read; orders_from is not set"
        said = "by orders_from" if self.origin.orders_from else f"{days} days before they were first read"
        left = f"; {self.older:,} older ones are neither taken nor compared" if self.older else ""
        return f"orders of {title} are taken from {self.at:%F %R} UTC on, {said}{left}"

    @property
    def advice(self) -> str:
        """What to do if that is not what is wanted; nothing where somebody has said it."""
        return (
            "" if self.origin.orders_from else f"Set orders_from under [{self.home}.{self.channel}] to say so yourself."
        )

    def as_json(self) -> Mapping[str, Any]:
        """Plain values."""
        since = self.at.isoformat() if self.at else None
        return {"orders_from": since, "by_setting": self.origin.orders_from is not None, "older": self.older}


def origins(services: Services) -> dict[str, Origin]:
    """Channels whose orders some system holds, by name."""
    found: dict[str, Origin] = {}
    for system in services.declared.systems.values():
        if system.origins is not None:
            found |= system.origins(services.settings.systems[system.name])
    return found


def beginning(services: Services, channel: str) -> Beginning:
    """Where the orders of a channel begin; raises KeyError for no channel."""
    origin, name, brand = origins(services)[channel], f"{channel}.orders", services.warehouse.brand
    home = services.declared.home
    with services.warehouse.reading() as conn:
        at = origin.begins(watermark(conn, brand=brand, dataset=name).baseline_to)
        if at is None:
            return Beginning(channel, home, origin, None)
        c = LANDED[name].c
        query = sa.select(sa.func.count()).where(c.brand == brand, c.placed_at < at)
        return Beginning(channel, home, origin, at, conn.execute(query).scalar_one())


def beginnings(services: Services) -> list[Beginning]:
    """The same of every channel that is set up and whose orders are taken or watched."""
    declared = services.declared
    found = [beginning(services, name) for name in origins(services) if {name, declared.home} <= declared.enabled]
    return [one for one in found if services.mode(services.feed(one.feed)) is not Mode.OFF]
