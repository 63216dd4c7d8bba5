"""A process that ships is killed at every step; started again, each dispatch is one shipment (G4, X6)."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from multiprocessing.context import ForkServerContext, ForkServerProcess
from typing import Final

import pytest

from stokly_sync.crashpoints import EXIT_STATUS, VARIABLE
from stokly_sync.pipeline.services import Services
from stokly_sync.sandbox.magento import mishaps
from stokly_sync_tests.acceptance.harness import load_feed
from stokly_sync_tests.support.databases import cases, on_sqlite
from stokly_sync_tests.systems.magento.bench import SHIP
from stokly_sync_tests.systems.magento.shop import Rig, extract, opened

pytestmark = [pytest.mark.kill, pytest.mark.sandbox]
ORDERS = 3


def context() -> ForkServerContext:
    """Where such processes come from: a server that has everything imported."""
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload([__name__])
    return made


def started(env: Mapping[str, str], crash_at: str) -> ForkServerProcess:
    process = context().Process(target=_ship, args=(dict(env), crash_at), daemon=True)
    process.start()
    return process


def _ship(env: dict[str, str], crash_at: str) -> None:
    os.environ[VARIABLE] = crash_at
    services = Services.open(env)
    extract(services, datetime.now(UTC))
    load_feed(services, services.feed("magento/shipments"))
    os._exit(0)


@pytest.fixture
def rig(warehouse_url: str) -> Iterator[Rig]:
    """A shop with some orders that Stokly has dispatched and Magento does not know of."""
    with opened(warehouse_url) as made:
        made.sync()
        for number in range(1, ORDERS + 1):
            _, order = made.buy(number, ("MUG", 1))
            made.dispatch(order, f"AB12345678{number}GB")
        yield made


def shipped(rig: Rig) -> list[str]:
    """Tracking numbers of the orders' shipments, each as often as it was shipped."""
    tracks = [track["track_number"] for one in rig.magento.store.shipments for track in one["_tracks"]]
    return sorted(track for track in tracks if track.startswith("AB12345678"))


def all_is_well(rig: Rig) -> None:
    rig.sync()
    assert shipped(rig) == [f"AB12345678{number}GB" for number in range(1, ORDERS + 1)]
    assert set(rig.states("shipments").values()) == {"accepted"}
    rig.agrees()
    assert "shipments" not in rig.sync()


PLACES: Final = (
    "plan:before-commit:1",
    "plan:after-commit:1",
    "send:attempt-opened:1",
    "send:before-call:1",
    "send:after-call:1",
    "send:before-merge:1",
)


@pytest.mark.parametrize(
    ("warehouse_url", "place"), cases(PLACES, on_postgresql=PLACES[-2:-1]), indirect=["warehouse_url"]
)
def test_a_process_killed_at_any_step_ships_nothing_twice_and_loses_nothing(rig: Rig, place: str) -> None:
    process = started(rig.env, place)
    process.join(timeout=90)
    assert process.exitcode == EXIT_STATUS
    all_is_well(rig)


@on_sqlite
def test_a_process_killed_between_two_shipments_of_a_batch_leaves_nothing_doubled(rig: Rig) -> None:
    rig.magento.faults.add(mishaps.slow(60, path=SHIP, after=1))
    process = started(rig.env, "nowhere")
    deadline = time.monotonic() + 90
    while not shipped(rig) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.kill()
    process.join(timeout=30)
    rig.magento.faults.clear()
    assert len(shipped(rig)) == 1
    all_is_well(rig)
