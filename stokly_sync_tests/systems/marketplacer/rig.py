"""The way from landed rows to the sandbox and back, for tests of whole flows and for the process that is killed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import sqlalchemy as sa

from stokly_sync.contracts.datasets import TABLES
from stokly_sync.contracts.rules import catalogue
from stokly_sync.delivery.figures import DeliveryFigures, PlanFigures, PlanScope
from stokly_sync.delivery.options import Options
from stokly_sync.delivery.planning import plan
from stokly_sync.delivery.rules import RULES as DELIVERY_RULES
from stokly_sync.delivery.sending import deliver
from stokly_sync.flow import Feed, Window
from stokly_sync.landing.run import Reader, land_window
from stokly_sync.systems.marketplacer import SYSTEM, MarketplacerClient, MarketplacerSettings
from stokly_sync.systems.marketplacer.extracts import extracts
from stokly_sync.systems.marketplacer.feeds import feeds
from stokly_sync.warehouse.bulk import insert
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import EXCEPTIONS, LANDED, LEDGER
from stokly_sync_tests.systems.marketplacer.bench import Bench
from stokly_sync_tests.systems.marketplacer.made import T0, frame

RULES = catalogue((*SYSTEM.rules, *DELIVERY_RULES))
Sent = tuple[PlanFigures, DeliveryFigures]


def load(
    warehouse: Warehouse, feed: Feed, client: MarketplacerClient, *, force: bool = False, run_id: str = "run"
) -> Sent:
    """Plan everything and send what is due; both row sums are held."""
    scope = PlanScope(everything=True)
    planned = plan(warehouse, feed, catalogue=RULES, scope=scope, run_id=run_id, force=force)
    planned.check()
    options = Options(settle_pause=0, sleep=lambda seconds: None)
    sent = deliver(warehouse, feed, client, catalogue=RULES, run_id=run_id, calls=SYSTEM.calls, options=options)
    sent.check()
    return planned, sent


def feed_of(name: str, settings: MarketplacerSettings) -> Feed:
    """One feed under these settings."""
    (found,) = [feed for feed in feeds(settings) if feed.name == name]
    return found


@dataclass
class Rig:
    """A warehouse between Stokly's rows, given by the test, and the sandbox."""

    warehouse: Warehouse
    bench: Bench
    given: dict[str, Any] = field(default_factory=dict)

    def land(self, *names: str) -> None:
        """Land what the marketplace has, all of it."""
        client = self.bench.client(**self.given)
        reader = Reader(self.warehouse, RULES, "landing", datetime(2020, 1, 1, tzinfo=UTC))
        end = self.bench.now + timedelta(seconds=1)
        for extract in extracts(client.settings):
            if not names or extract.dataset.removeprefix("marketplacer.") in names:
                land_window(reader, extract, client, Window(end - timedelta(days=400), end))

    def put(self, **tables: Sequence[Mapping[str, Any]]) -> None:
        """Put rows of Stokly there, by table (`orders=[...]`), in the place of those with the same key."""
        with self.warehouse.transaction() as connection:
            for name, rows in tables.items():
                table = TABLES[f"stokly.{name}"]
                made: pd.DataFrame = frame(table.name, rows)
                landed = LANDED[table.name]
                for values in made[list(table.key)].itertuples(index=False):
                    same = [landed.c[column] == value for column, value in zip(table.key, values, strict=True)]
                    connection.execute(sa.delete(landed).where(*same))
                roots = {} if table.parent_key else {"window_start": T0, "landed_at": T0}
                insert(connection, landed, made, fixed={"brand": "default", **roots})

    def send(self, name: str, *, force: bool = False) -> Sent:
        """Load one feed."""
        client = self.bench.client(**self.given)
        return load(self.warehouse, feed_of(name, client.settings), client, force=force)

    def ledger(self, name: str) -> dict[str, tuple[str, str | None]]:
        """State and receipt of a feed's records by key."""
        query = sa.select(LEDGER.c.key, LEDGER.c.state, LEDGER.c.receipt).where(LEDGER.c.feed == f"marketplacer/{name}")
        with self.warehouse.reading() as connection:
            return {key: (state, receipt) for key, state, receipt in connection.execute(query)}

    def exceptions(self) -> set[tuple[str, str]]:
        """Key and rule of what is open."""
        query = sa.select(EXCEPTIONS.c.key, EXCEPTIONS.c.rule).where(EXCEPTIONS.c.state == "open")
        with self.warehouse.reading() as connection:
            return {(key, rule) for key, rule in connection.execute(query)}
