"""A desk over the small destination of the delivery tests, and exceptions to put on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import pandas as pd

from stokly_sync.delivery.figures import PlanScope
from stokly_sync.delivery.planning import plan
from stokly_sync.delivery.sending import deliver
from stokly_sync.errors import StoklySyncError
from stokly_sync.flow import Extract, Feed, Forgotten, Person, System
from stokly_sync.operations.desk import Desk
from stokly_sync.operations.erasing import Erased, Eraser
from stokly_sync.operations.listing import Ref
from stokly_sync.warehouse.exceptions import open_exceptions
from stokly_sync.warehouse.store import Warehouse
from stokly_sync_tests.delivery.kit import QUICK, RULES, T0, Destination, land, order, orders_feed
from stokly_sync_tests.landing.source import Source

ORDERS: Final = "stokly.orders"
FEED: Final = "test/orders"
DAGSTER_RUN: Final = "6f1c1c1e-0f4b-4d0e-9b8a-3f6a2d5c7e10"


@dataclass
class Hands:
    """Reads again what a test says the source holds now, and loads into the small destination."""

    warehouse: Warehouse
    feeds: Mapping[str, Feed]
    client: Destination = field(default_factory=Destination)
    corrected: Callable[[str], None] = lambda key: None
    trouble: StoklySyncError | None = None
    read: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def read_again(self, dataset: str, keys: Sequence[str], *, run_id: str) -> None:
        del run_id
        self.read.append((dataset, tuple(keys)))
        for key in keys:
            self.corrected(key)

    def load(self, feed: str, *, run_id: str) -> None:
        if self.trouble is not None:
            raise self.trouble
        load(self.warehouse, self.feeds[feed], self.client, scope=PlanScope(windows=()), run_id=run_id)


def load(
    warehouse: Warehouse,
    feed: Feed,
    client: Destination,
    *,
    scope: PlanScope | None = None,
    run_id: str = DAGSTER_RUN,
) -> None:
    """Plan and deliver a feed."""
    plan(warehouse, feed, catalogue=RULES, scope=scope, run_id=run_id)
    deliver(warehouse, feed, client, catalogue=RULES, run_id=run_id, options=QUICK)


def desk_over(warehouse: Warehouse, feed: Feed | None = None) -> Desk:
    """A desk with one feed of orders and a source that can be asked for single orders."""
    feeds = {FEED: feed or orders_feed()}
    extract: Extract = Source(ORDERS).extract()
    return Desk(
        warehouse, RULES, feeds, {ORDERS: extract}, {"test": "Test"}, "http://127.0.0.1:3000/", Hands(warehouse, feeds)
    )


def hands_of(desk: Desk) -> Hands:
    """The hands of a desk made here."""
    assert isinstance(desk.hands, Hands)
    return desk.hands


def kept_back(
    warehouse: Warehouse,
    key: str,
    *,
    subject: str = ORDERS,
    rule: str = "ST-ORDER-TOTAL",
    at: datetime = T0,
    **columns: Any,
) -> Ref:
    """Open one exception."""
    values = {"key": key, "rule": rule, "state": "open", "owner": "operations", "severity": "medium"} | columns
    frame = pd.DataFrame({name: [value] for name, value in values.items()}, dtype=object)
    with warehouse.transaction() as conn:
        open_exceptions(conn, frame, brand=warehouse.brand, subject=subject, run_id=DAGSTER_RUN, at=at)
    return Ref(subject, key, rule)


def rejected(warehouse: Warehouse, *keys: str, feed: Feed | None = None) -> None:
    """Orders that the destination has refused."""
    land(warehouse, ORDERS, [order(key) for key in keys])
    load(warehouse, feed or orders_feed(), Destination(reject=lambda record: record.key in keys))


def erase(
    desk: Desk,
    *,
    forget: Forgotten | StoklySyncError,
    system: str = "test",
    noted: list[Person] | None = None,
    **who: str,
) -> Erased:
    """Erase a person, with one system that answers so; whom it was asked for is `noted`."""

    def asked(_system: System, person: Person) -> Forgotten:
        if noted is not None:
            noted.append(person)
        if isinstance(forget, StoklySyncError):
            raise forget
        return forget

    def offered(_client: object, _person: Person) -> Forgotten:
        raise AssertionError("`asked` stands in for it")

    one = System(system, "Test", object, connect=print, calls=id, rules=(), forget=offered, forget_by_hand="look.")
    return Eraser(desk.warehouse, tuple(desk.feeds.values()), [one], asked, "tester").erase(**who)
