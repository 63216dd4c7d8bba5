"""One run of one Dagster job in a process of its own, as the run launcher starts it; the work inside is timed apart.

What is left, process start and loading of all definitions included, is Dagster's share. Settings come from the
environment, as in production.
"""

from __future__ import annotations

import argparse
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final

STARTED: Final = time.perf_counter()
WORK: Final = ("land", "land_history", "plan_feed", "deliver_feed", "read_choices")


class Stopwatch:
    """Sums up the time spent inside the functions that do the work."""

    def __init__(self) -> None:
        self.seconds = self.cpu = 0.0

    def around(self, function: Any) -> Any:
        """The same function, timed."""

        def timed(*args: Any, **kwargs: Any) -> Any:
            began, cpu = time.perf_counter(), time.process_time()
            try:
                return function(*args, **kwargs)
            finally:
                self.seconds += time.perf_counter() - began
                self.cpu += time.process_time() - cpu

        return timed


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("jobs", help="names of jobs, separated by commas")
    arguments = parser.parse_args()
    import dagster as dg

    from stokly_sync.definitions import defs
    from stokly_sync.pipeline import work
    from stokly_sync.pipeline.partitions import last_closed, window_key
    from stokly_sync.settings import load

    watch = Stopwatch()
    for name in WORK:
        setattr(work, name, watch.around(getattr(work, name)))
    key = window_key(last_closed(datetime.now(UTC) - timedelta(minutes=1)).start)
    enabled = load().enabled
    with dg.DagsterInstance.get() as instance:
        for name in arguments.jobs.split(","):
            job = defs.resolve_job_def(name)
            partition = key if job.partitions_def is not None else None
            # A run that goes through all destinations is asked for with those that are set up.
            chosen = [key for key in job.asset_layer.executable_asset_keys if key.path[0] in enabled]
            job.execute_in_process(instance=instance, partition_key=partition, asset_selection=chosen)
    print(json.dumps({"work": watch.seconds, "work_cpu": watch.cpu, "inside": time.perf_counter() - STARTED}))


if __name__ == "__main__":
    main()
