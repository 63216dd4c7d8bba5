"""All feeds together, from landed rows through plan and delivery to the sandbox and back (X5, X6, O1 to O8)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stokly_sync.contracts.rules import catalogue
from stokly_sync.delivery.figures import DeliveryFigures, PlanFigures, PlanScope
from stokly_sync.delivery.options import Options
from stokly_sync.delivery.planning import plan
from stokly_sync.delivery.rules import RULES as DELIVERY_RULES
from stokly_sync.delivery.sending import deliver
from stokly_sync.flow import Frames
from stokly_sync.systems.ometria import SYSTEM
from stokly_sync.systems.ometria.feeds import feeds
from stokly_sync.systems.ometria.settings import OmetriaSettings
from stokly_sync.warehouse.bulk import insert
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import LANDED
from stokly_sync_tests.systems.ometria.bench import Bench
from stokly_sync_tests.systems.ometria.rows import T0, frames

pytestmark = pytest.mark.sandbox

RULES = catalogue((*SYSTEM.rules, *DELIVERY_RULES))
ROWS: dict[str, list[dict[str, Any]]] = {
    "customers": [{}, {"customer_id": "C0", "live": False, "merged_into": "C1"}, {"customer_id": "C3", "email": None}],
    "items": [
        {},
        {"item_id": "P", "sku": "PARENT", "format": 2, "stocked": False},
        {"item_id": "V", "sku": "PARENT-RED", "parent_item_id": "P"},
    ],
    "stock": [
        {},
        {"stock_id": "V/", "item_id": "V", "sku": "PARENT-RED", "available": -2},
        {"stock_id": "P/", "item_id": "P", "sku": "PARENT", "available": 0},
    ],
    "orders": [
        {},
        {"order_id": "O-merged", "customer_id": "C0"},
        {"order_id": "O-guest", "customer_id": None},
        {"order_id": "O-no-contact", "customer_id": "C3"},
        {"order_id": "O-unpaid", "payment_status": "unpaid"},
        {"order_id": "O-removed", "live": False},
        {"order_id": "O-unknown"},
    ],
    "order_lines": [
        {},
        {"order_id": "O-merged", "item_id": "V"},
        {"order_id": "O-guest"},
        {"order_id": "O-no-contact"},
        {"order_id": "O-unpaid"},
        {"order_id": "O-removed"},
        {"order_id": "O-unknown", "item_id": "I9"},
    ],
    "refunds": [{}, {"refund_id": "R2", "order_id": None}],
    "refund_lines": [{}],
    "credit_notes": [{"order_id": None}],
    "dispatches": [{}, {"dispatch_id": "D2", "tracking_number": "TBC"}, {"dispatch_id": "D3", "order_id": "O-unpaid"}],
}


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    opened = Warehouse.open(f"sqlite:///{tmp_path / 'warehouse.sqlite'}", brand="default")
    land(opened, frames(**ROWS))
    yield opened
    opened.close()


def land(warehouse: Warehouse, tables: Frames) -> None:
    with warehouse.transaction() as connection:
        for name, table in tables.items():
            roots = {} if "version" not in table else {"window_start": T0, "landed_at": T0}
            insert(connection, LANDED[name], table, fixed={"brand": "default", **roots})


def run(warehouse: Warehouse, bench: Bench, **settings: Any) -> dict[str, tuple[PlanFigures, DeliveryFigures]]:
    found = {}
    options = Options(settle_pause=0, sleep=lambda seconds: None, now=bench.clock.now)
    for feed in feeds(OmetriaSettings.model_validate(settings)):
        planned = plan(warehouse, feed, catalogue=RULES, scope=PlanScope(everything=True), run_id="run")
        planned.check()
        client = bench.client(feed.lane)
        sent = deliver(warehouse, feed, client, catalogue=RULES, run_id="run", calls=SYSTEM.calls, options=options)
        sent.check()
        found[feed.name] = (planned, sent)
    return found


def test_every_record_is_sent_or_kept_back_by_name(warehouse: Warehouse, bench: Bench) -> None:
    found = run(warehouse, bench)
    assert {name: sent.accepted for name, (_, sent) in found.items()} == {
        "products": 3,
        "stock": 3,
        "contacts": 1,
        "orders": 3,
        "dispatches": 1,
        "consents": 0,
    }
    orders, dispatches = found["orders"][0], found["dispatches"][0]
    assert orders.quarantined == {"OM-SKU-UNKNOWN": 1}
    assert orders.excluded == {"OM-ORDER-REMOVED": 1, "OM-REFUND-NO-ORDER": 2}
    assert orders.parked == {"OM-ORDER-NOT-CONFIRMED": 1, "DELIVERY-WAITS": 1}
    assert found["contacts"][0].quarantined == {"OM-CONTACT-EMAIL": 1}
    assert found["contacts"][0].excluded == {"OM-CUSTOMER-DELETED": 1}
    assert dispatches.quarantined == {"OM-TRACKING": 1}
    assert dispatches.parked == {"DELIVERY-WAITS": 1}


def test_what_arrives_is_what_was_meant(warehouse: Warehouse, bench: Bench) -> None:
    run(warehouse, bench)
    store = bench.system.store
    assert {key: row.fields["is_in_stock"] for key, row in store.products.items() if "is_in_stock" in row.fields} == {
        "SKU-1": True,
        "PARENT": False,
        "PARENT-RED": False,
    }
    merged = store.orders["O-merged"].fields
    assert merged["customer"]["id"] == "C1"
    assert (merged["lineitems"][0]["product_id"], merged["lineitems"][0]["variant_id"]) == ("PARENT", "PARENT-RED")
    assert store.orders["O1"].fields["status"] == "partial_refund"
    assert store.ignored == {}
    assert store.unknown_lines == []


def test_a_second_run_sends_nothing(warehouse: Warehouse, bench: Bench) -> None:
    run(warehouse, bench)
    before = bench.calls("POST", "/push")
    again = run(warehouse, bench)
    assert bench.calls("POST", "/push") == before
    assert {name: planned.to_send for name, (planned, _) in again.items()} == dict.fromkeys(again, 0)


def test_a_failed_record_is_held_until_it_changes(warehouse: Warehouse, bench: Bench) -> None:
    bench.system.set_switches(failing_ids=["O1"])
    first = run(warehouse, bench)["orders"][1]
    assert (first.accepted, first.rejected) == (2, {"OM-REJECTED": 1})
    bench.system.set_switches(failing_ids=[])
    assert run(warehouse, bench)["orders"][0].held == 1


def test_an_order_that_was_sent_is_cancelled_when_it_is_removed(warehouse: Warehouse, bench: Bench) -> None:
    run(warehouse, bench)
    with warehouse.transaction() as connection:
        table = LANDED["stokly.orders"]
        connection.execute(table.update().where(table.c.order_id == "O-guest").values(live=False))
    assert run(warehouse, bench)["orders"][1].accepted == 1
    fields = bench.system.store.orders["O-guest"].fields
    assert (fields["status"], fields["is_valid"]) == ("cancelled", False)
