"""The whole product between Stokly and a Magento shop, on one database; used by tests and by the process they kill."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, cast
from uuid import uuid4

import pytest
import requests

from stokly_sync.flow import Window
from stokly_sync.landing.grid import STEP, floor
from stokly_sync.pipeline import gaps, work
from stokly_sync.pipeline.services import Services
from stokly_sync.sandbox.kit import decode, encode
from stokly_sync.sandbox.magento import MagentoSandbox
from stokly_sync.sandbox.seeds import load_seed
from stokly_sync.sandbox.seeds.account import WAREHOUSE
from stokly_sync.sandbox.serve import Sandbox
from stokly_sync.sandbox.stokly import Dispatch, StoklySandbox
from stokly_sync.sandbox.stokly.levels import move as move_stock
from stokly_sync.warehouse import windows
from stokly_sync_tests.acceptance.account import add_order, product_of
from stokly_sync_tests.acceptance.books import exceptions, ledger
from stokly_sync_tests.acceptance.clock import JumpingClock, let_nobody_wait
from stokly_sync_tests.acceptance.harness import QUICK, TODAY, Loaded, load

SOURCES: Final = ("stokly", "magento")


def extract(services: Services, now: datetime) -> None:
    """Land what is due from both: the history where it is not complete, then windows and snapshots."""
    run_id = uuid4().hex
    for source in SOURCES:
        while not gaps.history_complete(services, source):
            work.land_history(services, source, run_id=run_id, seconds=60)
        for one in services.declared.extracts_of(source):
            work.land(services, one.dataset, due(services, source, now), run_id=run_id)


def due(services: Services, source: str, now: datetime) -> Window:
    """From the oldest watermark of a source to the end of the running window."""
    with services.warehouse.reading() as connection:
        marks = [
            windows.watermark(connection, brand=services.warehouse.brand, dataset=e.dataset).watermark
            for e in services.declared.extracts_of(source)
            if not e.snapshot
        ]
    return Window(min([floor(m) for m in marks if m] + [floor(now)]), floor(now) + STEP)


@dataclass
class Rig:
    """Both sandboxes, their clock, and the product."""

    clock: JumpingClock
    box: Sandbox
    env: Mapping[str, str]
    services: Services

    @property
    def stokly(self) -> StoklySandbox:
        return cast("StoklySandbox", self.box.systems["stokly"])

    @property
    def magento(self) -> MagentoSandbox:
        return cast("MagentoSandbox", self.box.systems["magento"])

    def extract(self) -> None:
        extract(self.services, self.clock.now())

    def sync(self) -> dict[str, int]:
        """Extract and load; gives how many records of each feed were sent."""
        self.extract()
        done = load(self.services, "magento")
        assert not {name: one.error for name, one in done.items() if one.error is not None}
        return {name: one.to_send for name, one in done.items() if one.to_send}

    def load(self) -> dict[str, Loaded]:
        return load(self.services, "magento")

    def match(self) -> set[tuple[str, str]]:
        """Rule and key of all that the matchings have open."""
        work.match_system(self.services, "magento", run_id=uuid4().hex)
        return {(rule, key) for subject, key, rule in exceptions(self.services) if subject.endswith("_matching")}

    def agrees(self) -> None:
        found = work.reconcile_system(self.services, "magento", run_id=uuid4().hex)
        assert not {c.feed: (c.unexplained, c.in_doubt) for c in found if not c.agreed}

    def into_stokly(self, collection: str, **members: Any) -> list[dict[str, Any]]:
        """Extract and load into Stokly, twice and some minutes apart, and give the rows there with these members."""
        for _ in range(2):
            self.clock.sleep(300)
            self.extract()
            done = load(self.services, "stokly")
            assert not {name: one.error for name, one in done.items() if one.error is not None}
        rows = self.stokly.store.rows(collection)
        return [dict(row) for row in rows if all(row.get(name) == value for name, value in members.items())]

    def rules(self, feed: str) -> dict[str, str | None]:
        """Rule by key of a feed's records that are not accepted."""
        rows = ledger(self.services, "magento").items()
        return {key: row["rule"] for (name, key), row in rows if name == feed and row["state"] != "accepted"}

    def states(self, feed: str) -> dict[str, str]:
        return {key: row["state"] for (name, key), row in ledger(self.services, "magento").items() if name == feed}

    def receipt(self, feed: str, key: str) -> str | None:
        """The destination's id of a record."""
        found = ledger(self.services, "magento")[feed, key]["receipt"]
        return None if found is None else str(found)

    def do(self, name: str, body: Any = None) -> Any:
        """One deed in the shop by a test-only route."""
        answer = requests.post(f"{self.box.urls['magento']}/_sandbox/{name}", data=encode(body or {}), timeout=10)
        assert answer.status_code in (200, 204), answer.text
        return decode(answer.content) if answer.content else None

    def buy(self, number: int, *lines: tuple[str, int], imported: bool = True, paid: bool = True) -> tuple[str, str]:
        """An order in the shop, taken over by Stokly unless said otherwise; gives Magento's id and Stokly's."""
        basket = {"lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines], "paid": paid}
        made = self.do("orders/place", basket)
        if not imported:
            return str(made["entity_id"]), ""
        (sku, quantity), *_ = lines
        order = add_order(
            self.stokly,
            number,
            product=product_of(self.stokly, sku),
            quantity=quantity,
            sourceReferenceId=made["increment_id"],
        )
        self.move(sku, sold=quantity)
        return str(made["entity_id"]), order

    def move(self, sku: str, *, sold: int = 0, on_hand: int = 0) -> None:
        """Let Stokly count more units as sold, or as being on the warehouse's shelf."""
        item = product_of(self.stokly, sku).item_id
        move_stock(self.stokly.store, item, sold=sold, on_hand=on_hand, location=WAREHOUSE)
        self.stokly.touch()

    def dispatch(self, order: str, tracking: str = "AB123456789GB", **more: Any) -> str:
        """Let Stokly send an order, or some of it; gives the dispatch's id."""
        return self.stokly.dispatch(Dispatch(order=order, trackingNumber=tracking, **more))

    def at(self, sku: str, source: str = "warehouse") -> int:
        """What a source holds of a SKU."""
        rows = [r for r in self.magento.store.source_items if (r["sku"], r["source_code"]) == (sku, source)]
        return int(rows[0]["quantity"])

    def salable(self, sku: str) -> int:
        """What a shopper may buy of a SKU."""
        held = [r for r in self.magento.store.source_items if r["sku"] == sku and r["source_code"] != "default"]
        reserved = [Decimal(r["quantity"]) for r in self.magento.store.reservations if r["sku"] == sku]
        return int(sum((Decimal(r["quantity"]) for r in held), Decimal(0)) + sum(reserved, Decimal(0)))


@contextmanager
def opened(
    url: str,
    *,
    seed: str = "minimal",
    environ: Mapping[str, str] | None = None,
    state: Mapping[str, bytes] | None = None,
) -> Iterator[Rig]:
    """Serve both sandboxes with the same seed and open the product on a database, with a clock nobody waits by.

    With a `state` that `saved` gave, the sandboxes go on from there instead.
    """
    clock = JumpingClock()
    stokly, magento = StoklySandbox(clock=clock), MagentoSandbox(clock=clock)
    if state is None:
        stokly.plant(load_seed(seed, today=TODAY))
        magento.seed(seed)
    else:
        stokly.load(decode(state[stokly.name]))
        magento.load(decode(state[magento.name]))
    with pytest.MonkeyPatch.context() as patch:
        let_nobody_wait(patch, clock)
        with Sandbox(systems=[stokly, magento], limits=False) as box:
            pace = {**QUICK, "MAGENTO_RATE_PER_MINUTE": "60000", "MAGENTO_SOURCE_TYPES": json.dumps(["magento_two"])}
            env = {**pace, **box.env, "STOKLY_SYNC_DATABASE_URL": url, **(environ or {})}
            services = Services.open(env)
            try:
                yield Rig(clock, box, env, services)
            finally:
                services.close()


def saved(box: Sandbox) -> dict[str, bytes]:
    """The state of both sandboxes, to open another rig with."""
    return {name: encode(system.dump()) for name, system in box.systems.items()}
