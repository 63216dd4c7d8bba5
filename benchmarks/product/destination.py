"""Plan and send feeds of one destination in one process, or an opt-out while its orders are being sent.

Settings come from the environment, as in production. With `--opt-out` the orders' load is begun under whatever rate
they allow and left behind: what counts is how long the opt-out takes from being heard to being accepted.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from benchmarks.memory_figures import peak_mb
from stokly_sync.delivery.figures import PlanScope
from stokly_sync.flow import Choice, Feed, State, Statement
from stokly_sync.landing.consent import Keeper
from stokly_sync.pipeline import work
from stokly_sync.pipeline.services import Services
from stokly_sync.warehouse.tables import ATTEMPTS, LEDGER

RUN = "bench"
UNDER_WAY = 5
"""Batches of the load after which it counts as running."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--system", required=True)
    parser.add_argument("--feeds", required=True)
    parser.add_argument("--opt-out", action="store_true")
    arguments = parser.parse_args()
    services = Services.open()
    feeds = [services.feed(f"{arguments.system}/{name}") for name in arguments.feeds.split(",")]
    told = _opt_out(services, feeds[0]) if arguments.opt_out else _load(services, feeds)
    print(json.dumps({**told, "idle_mb": 0, "peak_mb": peak_mb()}))
    sys.stdout.flush()
    # A load that was left behind would go on for minutes; its database is thrown away.
    os._exit(0)


def _load(services: Services, feeds: list[Feed]) -> dict[str, Any]:
    planning = sending = 0.0
    records = calls = 0
    began, cpu = time.perf_counter(), time.process_time()
    for feed in feeds:
        started = time.perf_counter()
        work.plan_feed(services, feed, PlanScope(), run_id=RUN)
        planned = time.perf_counter()
        done = work.deliver_feed(services, feed, run_id=RUN)
        planning, sending = planning + planned - started, sending + time.perf_counter() - planned
        records, calls = records + done.accepted, calls + done.api_calls
    used = {"work": time.perf_counter() - began, "cpu": time.process_time() - cpu}
    return {**used, "planning": planning, "sending": sending, "accepted": records, "calls": calls}


def _opt_out(services: Services, orders: Feed) -> dict[str, Any]:
    load = work.plan_feed(services, orders, PlanScope(), run_id=RUN).to_send
    threading.Thread(target=work.deliver_feed, args=(services, orders), kwargs={"run_id": RUN}, daemon=True).start()
    while _batches(services, orders) < UNDER_WAY:
        time.sleep(0.1)
    consents = services.feed(f"{orders.system}/consents")
    began = time.perf_counter()
    heard = Statement("email", Choice.OUT, datetime.now(UTC), customer=_somebody(services, orders.system))
    keeper = Keeper(services.warehouse, {"email": "stokly"}, services.settings.core.windows_from, RUN)
    keeper.take("ometria", [heard], asked_at=datetime.now(UTC))
    work.plan_feed(services, consents, PlanScope(), run_id=RUN)
    sent = work.deliver_feed(services, consents, run_id=RUN)
    took = time.perf_counter() - began
    left = _planned(services, orders)
    return {"work": took, "accepted": sent.accepted, "calls": sent.api_calls, "load": load, "left": left}


def _batches(services: Services, feed: Feed) -> int:
    query = sa.select(sa.func.count()).select_from(ATTEMPTS).where(ATTEMPTS.c.feed == feed.id)
    with services.warehouse.reading() as connection:
        return int(connection.execute(query).scalar_one())


def _planned(services: Services, feed: Feed) -> int:
    """Records of a feed that are not sent yet."""
    c = LEDGER.c
    query = sa.select(sa.func.count()).where(c.feed == feed.id, c.state == State.PLANNED.value)
    with services.warehouse.reading() as connection:
        return int(connection.execute(query).scalar_one())


def _somebody(services: Services, system: str) -> str:
    """A customer whose contact is there."""
    c = LEDGER.c
    query = sa.select(sa.func.min(c.key)).where(c.feed == f"{system}/contacts", c.state == State.ACCEPTED.value)
    with services.warehouse.reading() as connection:
        return str(connection.execute(query).scalar_one())


if __name__ == "__main__":
    main()
