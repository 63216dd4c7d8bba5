"""First load through our own landing, in one process: extract, contract, store.

`idle_mb` is the memory after everything was imported, opened and asked once, `peak_mb` the most that was held.
`derived` are the seconds in which customer metrics were derived behind the load, which no other tool does.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from unittest.mock import patch

from benchmarks.memory_figures import forget_peak, peak_mb, resident_mb
from benchmarks.product.parts import Parts
from stokly_sync.landing import derived


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--until", type=datetime.fromisoformat, required=True)
    parser.add_argument("--datasets", default="orders")
    arguments = parser.parse_args()
    parts = Parts(arguments.database, arguments.url, arguments.until)
    # A dataset without rows: opens the database, asks for a token, and imports all that is imported late.
    parts.land_history("returns" if "returns" in parts.extracts else "credit_notes")
    idle = resident_mb()
    forget_peak()
    started, cpu = time.perf_counter(), time.process_time()
    with _timed_deriving() as seconds:
        figures = [parts.land_history(name) for name in arguments.datasets.split(",")]
    print(
        json.dumps(
            {
                "work": time.perf_counter() - started,
                "cpu": time.process_time() - cpu,
                "derived": sum(seconds),
                "idle_mb": idle,
                "peak_mb": peak_mb(),
                "landed": sum(one.changed for one in figures),
                "quarantined": sum(one.quarantined.total() for one in figures),
            }
        )
    )


@contextmanager
def _timed_deriving() -> Iterator[list[float]]:
    seconds: list[float] = []
    recompute = derived.recompute

    def timed(*arguments: Any) -> int:
        started = time.perf_counter()
        changed = recompute(*arguments)
        seconds.append(time.perf_counter() - started)
        return changed

    with patch.object(derived, "recompute", timed):
        yield seconds


if __name__ == "__main__":
    main()
