"""Import the orders of a burst from the shop, with stock read and pushed once each interval beside it.

Settings come from the environment, as in production; each lane has a client of its own, as in processes of their own.
"""

from __future__ import annotations

import argparse
import json
import os
import threading
import time
from datetime import UTC, datetime
from typing import Any

import requests

from benchmarks.memory_figures import peak_mb
from stokly_sync.delivery.figures import PlanScope
from stokly_sync.flow import Window
from stokly_sync.landing.grid import STEP, floor
from stokly_sync.pipeline import gaps, work
from stokly_sync.pipeline.forecast import forecast
from stokly_sync.pipeline.services import Services

RUN = "bench"
OTHER = "PLATE"
"""What is pushed: nobody buys it here."""
FEEDS = ("stokly/magento_customers", "stokly/magento_orders")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--history", action="store_true")
    parser.add_argument("--interval", type=float, default=30.0)
    arguments = parser.parse_args()
    services = Services.open()
    told = _history(services) if arguments.history else _burst(services, arguments.interval)
    print(json.dumps({**told, "idle_mb": 0, "peak_mb": peak_mb()}))


def _history(services: Services) -> dict[str, Any]:
    """Land what is there before the burst, and tie both sides together."""
    for source in ("stokly", "magento"):
        while not gaps.history_complete(services, source):
            work.land_history(services, source, run_id=RUN, seconds=600)
    for dataset in ("stokly.stock", "magento.stock_levels", "magento.listings"):
        work.land(services, dataset, _window(), run_id=RUN)
    for feed in (*FEEDS, "magento/stock"):
        _load(services, feed)
    return {}


def _burst(services: Services, interval: float) -> dict[str, Any]:
    work.land(services, "magento.orders", _window(), run_id=RUN)
    done, took, pushed = threading.Event(), list[float](), list[int]()
    beside = threading.Thread(target=_push, args=(services, interval, done, took, pushed))
    began = time.perf_counter()
    beside.start()
    expected = calls = least = 0.0
    try:
        for name in FEEDS:
            planned = work.plan_feed(services, services.feed(name), PlanScope(), run_id=RUN)
            sent = work.deliver_feed(services, services.feed(name), run_id=RUN)
            expected += forecast(services, planned.plan_id, [planned]).seconds
            calls, least = calls + sent.api_calls, least + sent.least_calls
        seconds = time.perf_counter() - began
    finally:
        done.set()
        beside.join()
    figures = {"forecast": expected, "seconds": seconds, "calls": calls, "least": max(least, 1)}
    return {**figures, "pushes": len(took), "pushed": sum(pushed), "slowest": max(took)}


def _push(services: Services, interval: float, done: threading.Event, took: list[float], pushed: list[int]) -> None:
    """Read and push stock at once and then once each interval, until the orders are through."""
    while True:
        _sell(len(took))
        began = time.perf_counter()
        for dataset in ("stokly.stock", "magento.stock_levels"):
            work.land(services, dataset, _window(), run_id=RUN)
        pushed.append(_load(services, "magento/stock"))
        took.append(time.perf_counter() - began)
        if done.wait(max(0.0, interval - took[-1])):
            return


def _sell(times: int) -> None:
    """Let the shop's stock differ from Stokly's, so that there is something to push each time."""
    level = {"sku": OTHER, "source_code": "warehouse", "quantity": 1000 + times}
    url = f"{os.environ['MAGENTO_BASE_URL']}/_sandbox/source-items"
    requests.post(url, json=level, timeout=60).raise_for_status()


def _load(services: Services, feed: str) -> int:
    work.plan_feed(services, services.feed(feed), PlanScope(), run_id=RUN)
    return work.deliver_feed(services, services.feed(feed), run_id=RUN).accepted


def _window() -> Window:
    now = floor(datetime.now(UTC))
    return Window(now - STEP, now + STEP)


if __name__ == "__main__":
    main()
