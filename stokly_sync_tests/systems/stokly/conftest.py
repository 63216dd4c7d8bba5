"""A Stokly account on loopback and a client for it, made to measure by each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from stokly_sync.flow import Lane
from stokly_sync.sandbox.kit import ManualClock
from stokly_sync.sandbox.seeds import Seed
from stokly_sync.sandbox.serve import Sandbox
from stokly_sync.sandbox.stokly import StoklySandbox
from stokly_sync.systems.stokly import StoklyClient, StoklySettings
from stokly_sync.systems.transport import Clock, RetryPolicy, Unlimited
from stokly_sync.warehouse.store import Warehouse
from stokly_sync_tests.systems.stokly.channel import Desk, MakeDesk, account_rows

Account = Callable[..., StoklySandbox]
Connect = Callable[..., StoklyClient]


class Served(StoklySandbox):
    """A sandbox that knows its own address."""

    url = ""


@pytest.fixture
def account() -> Iterator[Callable[..., Served]]:
    """`account(rows_by_collection, switch=value)`: a served account with just these rows."""
    running: list[Sandbox] = []

    def serve(rows: dict[str, list[dict[str, Any]]] | None = None, seed: Seed | None = None, **switches: Any) -> Served:
        system = Served(seed=seed or Seed(name="made", collections=rows or {}))
        system.set_limits(False)
        system.set_switches(**switches)
        running.append(Sandbox(systems=[system], limits=False).start())
        system.url = running[-1].urls["stokly"]
        return system

    yield serve
    for sandbox in running:
        sandbox.stop()


@pytest.fixture
def connect() -> Iterator[Connect]:
    """`connect(account, setting=value)`: a client that never really sleeps."""
    made: list[StoklyClient] = []

    def client(system: Served, **changes: Any) -> StoklyClient:
        env = system.settings_env(system.url)
        values = {name.removeprefix("STOKLY_").lower(): value for name, value in env.items()}
        clock = Clock(now=lambda: datetime.now(UTC), sleep=lambda _seconds: None)
        settings = StoklySettings(**{**values, **changes})
        made.append(StoklyClient(settings, Unlimited(), Lane.BULK, clock=clock, retry=RetryPolicy(jitter=lambda: 0.0)))
        return made[-1]

    yield client
    for each in made:
        each.close()


@contextmanager
def desks(warehouse: Warehouse) -> Iterator[MakeDesk]:
    """`made(setting=value)`: the warehouse between a channel and an account; waiting moves the account's clock."""
    running: list[Sandbox] = []
    clients: list[StoklyClient] = []

    def make(switches: dict[str, Any] | None = None, **settings: Any) -> Desk:
        clock = ManualClock(datetime.now(UTC))
        account = StoklySandbox(seed=Seed(name="made", collections=account_rows()), clock=clock)
        account.set_switches(**(switches or {}))
        running.append(Sandbox(systems=[account], limits=False).start())
        env = account.settings_env(running[-1].urls["stokly"])
        values = {name.removeprefix("STOKLY_").lower(): value for name, value in env.items()}
        waits = Clock(now=lambda: datetime.now(UTC), sleep=clock.advance)
        made = StoklySettings(**{**values, **settings})
        retry = RetryPolicy(attempts=2, jitter=lambda: 0.0)
        clients.append(StoklyClient(made, Unlimited(), Lane.INTERVAL, clock=waits, retry=retry))
        return Desk(warehouse, account, clients[-1], clock)

    yield make
    for client in clients:
        client.close()
    for sandbox in running:
        sandbox.stop()


@pytest.fixture
def desk(sqlite_warehouse: Warehouse) -> Iterator[MakeDesk]:
    """`desk(setting=value)` on SQLite."""
    with desks(sqlite_warehouse) as make:
        yield make


@pytest.fixture
def desk_on_each(warehouse: Warehouse) -> Iterator[MakeDesk]:
    """The same once on each database, where what was said or held is looked up in it."""
    with desks(warehouse) as make:
        yield make
