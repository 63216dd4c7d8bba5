"""The product put together without settings files: warehouse, clients with their shared budgets, declarations, rules.

The same objects as in production; only the rates are set so high that the wire never waits for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from pydantic import SecretStr

from stokly_sync.contracts import consent
from stokly_sync.contracts.rules import Catalogue, catalogue
from stokly_sync.delivery import planning, sending
from stokly_sync.delivery.budget import budget_for
from stokly_sync.delivery.figures import DeliveryFigures, PlanFigures, PlanScope
from stokly_sync.delivery.rules import RULES
from stokly_sync.flow import Extract, Feed, Lane, Window
from stokly_sync.landing.figures import LandingFigures
from stokly_sync.landing.run import Reader, land_baseline, land_window
from stokly_sync.systems.ometria import SYSTEM as OMETRIA
from stokly_sync.systems.ometria import OmetriaSettings
from stokly_sync.systems.stokly import SYSTEM as STOKLY
from stokly_sync.systems.stokly import StoklySettings
from stokly_sync.warehouse.store import Warehouse

RUN: Final = "bench"
UNLIMITED_A_MINUTE: Final = 6_000


@dataclass(frozen=True)
class Parts:
    """One brand with Stokly as source and Ometria as destination, both at `url`."""

    database: str
    url: str
    until: datetime
    """End of the history; interval windows follow."""
    concurrency: int = 2
    rate: float = 100_000.0
    """Calls a second that the destination allows; by default so many that nobody ever waits."""
    drain: float = 0.0
    """Seconds after which the destination has worked off what it took."""
    lane: Lane = Lane.BULK

    @cached_property
    def warehouse(self) -> Warehouse:
        """The open warehouse, migrated."""
        return Warehouse.open(self.database, brand="bench")

    @cached_property
    def catalogue(self) -> Catalogue:
        """All rules."""
        return catalogue([*RULES, *consent.RULES, *STOKLY.rules, *OMETRIA.rules])

    @cached_property
    def stokly(self) -> StoklySettings:
        """Settings of the source."""
        return StoklySettings(
            base_url=self.url,
            account_key="bench",
            client_id="bench",
            client_secret=SecretStr("no-secret"),
            rate_per_minute=UNLIMITED_A_MINUTE,
            burst=100,
        )

    @cached_property
    def ometria(self) -> OmetriaSettings:
        """Settings of the destination."""
        return OmetriaSettings(
            base_url=f"{self.url}/v2",
            api_key=SecretStr("no-key"),
            rate=self.rate,
            concurrency=self.concurrency,
            queue_drain_wait=self.drain,
        )

    @cached_property
    def source(self) -> Any:
        """A client of the source in the bulk lane."""
        return STOKLY.connect(self.stokly, budget_for(self.warehouse.engine, "stokly", self.stokly), Lane.BULK)

    @cached_property
    def destination(self) -> Any:
        """A client of the destination in the lane."""
        return OMETRIA.connect(self.ometria, budget_for(self.warehouse.engine, "ometria", self.ometria), self.lane)

    @cached_property
    def extracts(self) -> Mapping[str, Extract]:
        """Extracts by dataset, without its system's name."""
        declared = STOKLY.extracts(self.stokly) if STOKLY.extracts else ()
        return {e.dataset.partition(".")[2]: e for e in declared}

    @cached_property
    def feeds(self) -> Mapping[str, Feed]:
        """Feeds by name, in gate order."""
        return {f.name: f for f in (OMETRIA.feeds(self.ometria) if OMETRIA.feeds else ())}

    @property
    def reader(self) -> Reader:
        """What landing needs."""
        return Reader(self.warehouse, self.catalogue, RUN, windows_from=self.until)

    @property
    def calls(self) -> int:
        """Requests made so far, to both systems."""
        return STOKLY.calls(self.source) + OMETRIA.calls(self.destination)

    def land_history(self, dataset: str) -> LandingFigures:
        """First load of one dataset."""
        return land_baseline(self.reader, self.extracts[dataset], self.source, self.until)

    def land(self, dataset: str, window: Window) -> LandingFigures:
        """What changed in a window."""
        return land_window(self.reader, self.extracts[dataset], self.source, window)

    def plan(self, feed: str, scope: PlanScope | None = None) -> PlanFigures:
        """Plan a feed; by default what it owes."""
        return planning.plan(
            self.warehouse, self.feeds[feed], catalogue=self.catalogue, scope=scope or PlanScope(), run_id=RUN
        )

    def deliver(self, feed: str) -> DeliveryFigures:
        """Send what is planned."""
        return sending.deliver(
            self.warehouse,
            self.feeds[feed],
            self.destination,
            catalogue=self.catalogue,
            run_id=RUN,
            calls=OMETRIA.calls,
        )
