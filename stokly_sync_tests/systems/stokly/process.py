"""Plans and delivers feeds into Stokly, here or in a process of its own that tests kill at named places.

The clock is the machine's: what a killed process had waited for nobody else can know.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Mapping, Sequence
from multiprocessing.context import ForkServerContext
from typing import Any

from stokly_sync.crashpoints import VARIABLE
from stokly_sync.delivery.figures import PlanScope
from stokly_sync.delivery.planning import plan
from stokly_sync.delivery.sending import deliver
from stokly_sync.flow import Lane
from stokly_sync.systems.stokly import StoklyClient, StoklySettings
from stokly_sync.systems.stokly.feeds import feeds
from stokly_sync.systems.transport import Unlimited
from stokly_sync.warehouse.store import Warehouse
from stokly_sync_tests.systems.stokly.channel import CHANNEL, RULES


def load(url: str, settings: Mapping[str, Any], kinds: Sequence[str]) -> None:
    """Plan and deliver some feeds of the channel, one after the other."""
    warehouse, model = Warehouse.open(url, brand="demo"), StoklySettings(**settings)
    client = StoklyClient(model, Unlimited(), Lane.INTERVAL)
    for feed in feeds(model):
        if feed.name.removeprefix(f"{CHANNEL}_") in kinds:
            plan(warehouse, feed, catalogue=RULES, scope=PlanScope(everything=True), run_id="run", chunk=4)
            deliver(warehouse, feed, client, catalogue=RULES, run_id="run")
    client.close()
    warehouse.close()


def killed(url: str, settings: Mapping[str, Any], kinds: Sequence[str], place: str) -> int | None:
    """The same in a process of its own that ends at a place as `kill -9` would end it; gives its exit status."""
    process = _context().Process(target=_run, args=(url, dict(settings), tuple(kinds), place), daemon=True)
    process.start()
    process.join(timeout=60)
    return process.exitcode


def _run(url: str, settings: dict[str, Any], kinds: Sequence[str], place: str) -> None:
    os.environ[VARIABLE] = place
    load(url, settings, kinds)
    os._exit(0)


def _context() -> ForkServerContext:
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload([__name__])
    return made
