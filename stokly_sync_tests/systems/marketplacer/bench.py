"""A client of the Marketplacer sandbox that shares its hand-moved clock, and what shoppers and the portal do there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from stokly_sync.flow import Lane, Page, Scope, Window
from stokly_sync.sandbox.kit import ManualClock, decode, encode
from stokly_sync.sandbox.marketplacer import MarketplacerSandbox, MarketplacerSwitches
from stokly_sync.sandbox.marketplacer.portal import RawAdvert, RawVariant, list_advert
from stokly_sync.sandbox.marketplacer.sales import Invoice
from stokly_sync.sandbox.marketplacer.shopping import Basket, BasketLine, shop
from stokly_sync.sandbox.marketplacer.things import Advert
from stokly_sync.systems.marketplacer import MarketplacerClient, MarketplacerSettings
from stokly_sync.systems.transport import Clock, Unlimited

_FRESH = encode(MarketplacerSandbox().dump())


@dataclass
class Bench:
    """The sandbox, its clock, and how a client gets there."""

    system: MarketplacerSandbox
    clock: ManualClock
    url: str
    slept: list[float]

    def settings(self, *, seller: bool = False, **given: Any) -> MarketplacerSettings:
        """Settings that point here, with the operator's key or the seller's."""
        switches = self.system.switches
        key = switches.seller_key if seller else switches.operator_key
        return MarketplacerSettings.model_validate({"url": self.url, "api_key": key, **given})

    def client(self, lane: Lane = Lane.INTERVAL, **given: Any) -> MarketplacerClient:
        """A client of the sandbox whose waiting moves the clock."""
        clock = Clock(now=self.clock.now, monotonic=self.clock.monotonic, sleep=self._sleep)
        return MarketplacerClient(self.settings(**given), Unlimited(), lane, clock=clock)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.advance(seconds)

    def list(self, *skus: str | None, units: int = 10, **more: Any) -> Advert:
        """Put one product with these SKUs on sale, at 12.00 each."""
        variants = [RawVariant(sku=sku, count_on_hand=units) for sku in skus]
        return list_advert(self.system.operator, RawAdvert(variants=variants, **more))

    def order(self, *lines: tuple[str, int], **more: Any) -> Invoice:
        """Let a shopper order so many of these SKUs."""
        order = shop(self.system.operator, Basket(lines=[BasketLine(sku, units) for sku, units in lines], **more))
        return self.system.store.state.invoices[order.invoices[0]]

    @property
    def now(self) -> datetime:
        """The sandbox's time."""
        return self.clock.now()

    def window(self, hours: float = 1) -> Scope:
        """The window that ends now."""
        return Scope(Window(self.now - timedelta(hours=hours), self.now + timedelta(seconds=1)))

    def reset(self) -> None:
        """Bring the sandbox back to how it was made."""
        self.system.load(decode(_FRESH))
        self.system.set_switches(**msgspec.to_builtins(MarketplacerSwitches()))
        self.system.set_limits(False)
        self.system.faults.clear()
        self.system.calls.reset()
        self.clock.advance(3600)
        self.slept.clear()


def documents(pages: Iterator[Page]) -> list[Any]:
    """All documents of some pages."""
    return [document for page in pages for document in page.documents]
