"""Loading into Stokly, killed at any step and started again, loses nothing and doubles nothing (X6).

Every place on SQLite, and those behind which most is looked up on PostgreSQL too. Stokly deduplicates nothing and shows
a write only after a moment: that is what the looking up has to bear.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest

from stokly_sync.crashpoints import EXIT_STATUS
from stokly_sync.flow import Lane
from stokly_sync.sandbox.kit import ManualClock
from stokly_sync.sandbox.seeds import Seed
from stokly_sync.sandbox.serve import Sandbox
from stokly_sync.sandbox.stokly import Dispatch, StoklySandbox
from stokly_sync.systems.stokly import StoklyClient, StoklySettings
from stokly_sync.systems.transport import Unlimited
from stokly_sync.warehouse.store import Warehouse
from stokly_sync_tests.support.databases import cases, on_sqlite
from stokly_sync_tests.systems.stokly.channel import Desk, account_rows, line, order, refund
from stokly_sync_tests.systems.stokly.process import killed, load

pytestmark = [pytest.mark.kill, pytest.mark.slow]

DELAY: Final = 0.3
PLANNING: Final = ("plan:before-commit:1", "plan:after-commit:2")
SENDING: Final = (
    "send:attempt-opened:1",
    "send:attempt-opened:2",
    "send:before-call:2",
    "send:between-records:1",
    "send:between-records:4",
    "send:after-call:1",
    "send:before-merge:2",
)
LOST: Final = ("send:between-records:4", "send:before-merge:2")
AFTERWARDS: Final = (
    "plan:before-commit:1",
    "send:attempt-opened:1",
    "send:before-call:2",
    "send:between-records:1",
    "send:between-records:4",
    "send:after-call:1",
    "send:before-merge:1",
)
SOON: Final = {"write_batch": 2, "concurrency": 1, "visible_after": 0.6}


@dataclass
class Scene:
    """A warehouse, an account that shows its writes a moment later, and the settings that lead there."""

    at: Desk
    url: str
    settings: dict[str, Any]

    def load(self, *kinds: str) -> None:
        load(self.url, self.settings, kinds)

    def killed(self, place: str, *kinds: str) -> None:
        assert killed(self.url, self.settings, kinds, place) == EXIT_STATUS, f"it did not end at {place}"


@pytest.fixture
def scene(warehouse: Warehouse, warehouse_url: str) -> Iterator[Scene]:
    account = StoklySandbox(seed=Seed(name="made", collections=account_rows()))
    account.set_switches(write_delay=DELAY)
    with Sandbox(systems=[account], limits=False) as box:
        env = account.settings_env(box.urls["stokly"])
        settings: dict[str, Any] = {name.removeprefix("STOKLY_").lower(): value for name, value in env.items()}
        settings |= SOON
        client = StoklyClient(StoklySettings(**settings), Unlimited(), Lane.INTERVAL)
        desk = Desk(warehouse, account, client, ManualClock())
        desk.read()
        yield Scene(desk, warehouse_url, settings)
        client.close()


@pytest.mark.parametrize(
    ("warehouse_url", "place"), cases([*PLANNING, *SENDING], on_postgresql=LOST), indirect=["warehouse_url"]
)
def test_orders_are_imported_once_each(scene: Scene, place: str) -> None:
    at = scene.at
    at.shop(*(order(n, customer_key=None) for n in range(1, 7)))
    scene.killed(place, "orders")
    scene.load("orders")
    assert set(at.orders()) == {f"1{n:08d}" for n in range(1, 7)}
    assert {state for state, _ in at.states("orders").values()} == {"accepted"}
    assert len(at.links("orders")) == 6


@pytest.mark.parametrize(
    ("warehouse_url", "place"),
    cases(["send:between-records:1", "send:before-merge:1"], on_postgresql=[]),
    indirect=["warehouse_url"],
)
def test_customers_are_made_once_each(scene: Scene, place: str) -> None:
    at = scene.at
    at.shop(*(order(n) for n in range(1, 5)))
    scene.killed(place, "customers", "orders")
    scene.load("customers", "orders")
    assert Counter(row["barcode"] for row in at.held("customers")) == Counter(f"MAGENTO-{n}" for n in range(1, 5))
    assert {row["customerId"] for row in at.orders().values()} == {row["customerId"] for row in at.held("customers")}


@pytest.mark.parametrize(
    ("warehouse_url", "place"), cases([*PLANNING[:1], *SENDING], on_postgresql=LOST[:1]), indirect=["warehouse_url"]
)
def test_refunds_end_as_one_credit_note_each(scene: Scene, place: str) -> None:
    at = scene.at
    orders = [order(n, customer_key=None) for n in range(1, 6)]
    at.shop(*orders)
    scene.load("orders")
    at.held("saleorders")
    at.read()
    at.credit(*(refund(n, one, line(1, "MUG", 1, "10.00")) for n, one in enumerate(orders, 1)))
    scene.killed(place, "refunds")
    scene.load("refunds")
    assert Counter(row["referenceId"] for row in at.held("credit-notes")) == Counter(at.links("orders").values())
    assert len(at.held("refunds")) == 5
    assert {state for state, _ in at.states("refunds").values()} == {"accepted"}


# Orders above hold the databases apart; here a scene serves both feeds, on one of them.
@on_sqlite
@pytest.mark.parametrize("place", AFTERWARDS)
def test_orders_are_cancelled_or_invoiced_once_each_and_no_others(scene: Scene, place: str) -> None:
    at, orders = scene.at, [order(n, customer_key=None) for n in range(1, 12)]
    at.shop(*orders)
    scene.load("orders")
    numbers = sorted(at.orders())
    dropped, sent, waiting = numbers[:5], numbers[5:10], numbers[10:]
    for number in sent:
        at.account.dispatch(Dispatch(order=number))
    at.read()
    at.shop(*({**one, "state": "cancelled"} for one in orders if one["number"] in dropped))
    for kind in ("cancellations", "invoices"):
        scene.killed(place, kind)
        scene.load(kind)
    assert {number for number, row in at.orders().items() if row["stage"] == "removed"} == set(dropped)
    invoiced = Counter(row["saleOrderId"] for row in at.held("invoices"))
    assert invoiced == Counter(at.orders()[number]["saleOrderId"] for number in sent)
    states = Counter(state for kind in ("cancellations", "invoices") for state, _ in at.states(kind).values())
    assert states == {"accepted": 2 * len(orders) - len(waiting), "parked": len(waiting)}
    assert at.exceptions() == {}
