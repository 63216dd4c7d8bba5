"""A process that is killed at any step, and started again, ends where an undisturbed one would (X6)."""

from __future__ import annotations

from pathlib import Path

import pytest

from stokly_sync.crashpoints import EXIT_STATUS
from stokly_sync.flow import ReplayClass
from stokly_sync.warehouse.store import Warehouse
from stokly_sync_tests.delivery.kit import land, ledger, order, states
from stokly_sync_tests.delivery.process import FileDestination, killed, run

pytestmark = [pytest.mark.kill, pytest.mark.slow]

ORDERS = 50
SENDING = ("send:attempt-opened:1", "send:before-call:3", "send:after-call:3", "send:before-merge:1")
UPSERT = [(ReplayClass.UPSERT, place) for place in (*SENDING, "settle:before-merge:1")]
PLANNING = [(ReplayClass.UPSERT, f"plan:{place}") for place in ("before-commit:2", "after-commit:1", "after-commit:4")]
CAREFUL = [(replay, place) for replay in (ReplayClass.LOOK_UP, ReplayClass.NEVER) for place in SENDING]


@pytest.mark.parametrize(("replay", "place"), PLANNING + UPSERT + CAREFUL)
def test_nothing_is_lost_and_nothing_doubled(
    warehouse: Warehouse, warehouse_url: str, tmp_path: Path, replay: ReplayClass, place: str
) -> None:
    land(warehouse, "stokly.orders", [order(f"{i:03}") for i in range(ORDERS)])
    client = FileDestination(tmp_path / "destination.jsonl")
    assert killed(warehouse_url, client.path, replay, place) == EXIT_STATUS, f"it did not die at {place}"
    run(warehouse, client, replay)
    rows = ledger(warehouse)
    found = states(warehouse)
    assert len(found) == ORDERS
    assert set(found.values()) <= {"accepted", "in_doubt"}
    held = client.held()
    for key, row in rows.items():
        if row["state"] == "accepted":
            assert set(held[key]) == {row["accepted_hash"]}
    if replay is not ReplayClass.NEVER:
        assert set(found.values()) == {"accepted"}
    if replay is not ReplayClass.UPSERT:
        assert {len(times) for times in held.values()} == {1}
    doubtful = sum(state == "in_doubt" for state in found.values())
    # Only what was announced and not yet answered is in doubt: the batches in flight.
    assert doubtful == 0 or (replay is ReplayClass.NEVER and doubtful <= 2 * 10)


def test_what_a_dead_run_may_have_sent_is_held_by_a_plan_that_comes_before_the_delivery(
    warehouse: Warehouse, warehouse_url: str, tmp_path: Path
) -> None:
    land(warehouse, "stokly.orders", [order(f"{i:03}") for i in range(ORDERS)])
    client = FileDestination(tmp_path / "destination.jsonl")
    assert killed(warehouse_url, client.path, ReplayClass.NEVER, "send:before-merge:1") == EXIT_STATUS
    sent = set(client.held())
    land(warehouse, "stokly.orders", [order(f"{i:03}", number="changed") for i in range(ORDERS)], number=1)
    run(warehouse, client, ReplayClass.NEVER)
    found = states(warehouse)
    assert sent
    assert all(len(times) == 1 for times in client.held().values())
    assert all(found[key] == "in_doubt" for key in sent)
