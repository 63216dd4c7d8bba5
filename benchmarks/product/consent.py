"""An opt-out on its way to Ometria while all orders are being loaded under the account's real rate, in one process.

The load is begun and left behind: what counts is how long the opt-out takes from being heard to being accepted.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime

from benchmarks.product.parts import RUN, Parts
from stokly_sync.flow import Choice, Lane, Statement
from stokly_sync.landing.consent import Keeper

RATE = 4.0
DRAIN = 30.0
UNDER_WAY = 20
"""Calls of the load after which it counts as running."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--until", type=datetime.fromisoformat, required=True)
    parser.add_argument("--customer", required=True)
    arguments = parser.parse_args()
    load = Parts(arguments.database, arguments.url, arguments.until, rate=RATE, drain=DRAIN)
    planned = load.plan("orders").to_send
    threading.Thread(target=load.deliver, args=("orders",), daemon=True).start()
    while load.calls < UNDER_WAY:
        time.sleep(0.1)
    fast = replace(load, lane=Lane.FAST)
    began = time.perf_counter()
    heard = Statement("email", Choice.OUT, datetime.now(UTC), customer=arguments.customer)
    keeper = Keeper(fast.warehouse, {"email": "stokly"}, arguments.until, RUN)
    keeper.take("dotdigital", [heard], asked_at=datetime.now(UTC))
    fast.plan("consents")
    sent = fast.deliver("consents")
    took = time.perf_counter() - began
    print(
        json.dumps(
            {
                "work": took,
                "accepted": sent.accepted,
                "calls": sent.api_calls,
                "load": planned,
                "load_calls": load.calls,
                "idle_mb": 0,
                "peak_mb": 0,
            }
        )
    )
    sys.stdout.flush()
    # The load would go on for many minutes; its database is thrown away.
    os._exit(0)


if __name__ == "__main__":
    main()
