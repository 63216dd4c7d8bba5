"""The run with nothing changed: every dataset read for the window after the history, every feed planned and sent."""

from __future__ import annotations

import argparse
import json
import time
from datetime import datetime, timedelta

from benchmarks.product.parts import Parts
from stokly_sync.flow import Window


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--until", type=datetime.fromisoformat, required=True)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    parts = Parts(arguments.database, arguments.url, arguments.until)
    _run(parts, arguments.until)
    before = parts.calls
    times = []
    for number in range(1, arguments.runs + 1):
        started = time.perf_counter()
        changed, sent = _run(parts, arguments.until + number * timedelta(minutes=15))
        times.append(time.perf_counter() - started)
        assert (changed, sent) == (0, 0), f"{changed} rows changed and {sent} records were sent"
    print(json.dumps({"work": sorted(times)[len(times) // 2], "calls": (parts.calls - before) / arguments.runs}))


def _run(parts: Parts, start: datetime) -> tuple[int, int]:
    """One cycle; gives how many rows changed and how many records were sent."""
    window = Window(start, start + timedelta(minutes=15))
    changed = sum(parts.land(dataset, window).changed for dataset in parts.extracts)
    sent = 0
    for feed in parts.feeds:
        parts.plan(feed)
        sent += parts.deliver(feed).to_send
    return changed, sent


if __name__ == "__main__":
    main()
