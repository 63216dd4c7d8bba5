"""Plan and send feeds of Ometria through our own delivery, in one process, with the ledger kept as in production."""

from __future__ import annotations

import argparse
import json
import time
from datetime import datetime

from benchmarks.memory_figures import forget_peak, peak_mb, resident_mb
from benchmarks.product.parts import Parts


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--until", type=datetime.fromisoformat, required=True)
    parser.add_argument("--feeds", default="orders")
    parser.add_argument("--concurrency", type=int, default=2)
    arguments = parser.parse_args()
    parts = Parts(arguments.database, arguments.url, arguments.until, concurrency=arguments.concurrency)
    # Without orders to send it opens the database and imports all that is imported late.
    parts.plan("dispatches")
    parts.deliver("dispatches")
    idle = resident_mb()
    forget_peak()
    started, cpu, sending = time.perf_counter(), time.process_time(), 0.0
    accepted = calls = 0
    for feed in arguments.feeds.split(","):
        parts.plan(feed)
        began = time.perf_counter()
        sent = parts.deliver(feed)
        sending += time.perf_counter() - began
        accepted, calls = accepted + sent.accepted, calls + sent.api_calls
    print(
        json.dumps(
            {
                "work": time.perf_counter() - started,
                "cpu": time.process_time() - cpu,
                "sending": sending,
                "idle_mb": idle,
                "peak_mb": peak_mb(),
                "accepted": accepted,
                "calls": calls,
            }
        )
    )


if __name__ == "__main__":
    main()
