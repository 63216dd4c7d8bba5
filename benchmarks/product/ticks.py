"""The ticks of a quarter of an hour in a standing code server: what the clocks ask for, and what all asking costs.

Schedules are asked at their moments, sensors as often as their interval allows. What happens once a day is left out.
Loading the definitions is not counted: a code server does it when it starts.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import takewhile

import dagster as dg
from dagster._utils.schedules import schedule_execution_time_iterator

from stokly_sync.definitions import defs
from stokly_sync.landing.grid import STEP, floor


def main() -> None:
    repository = defs.get_repository_def()
    runs: Counter[str] = Counter()
    seconds = {"schedules": 0.0, "sensors": 0.0}
    with dg.DagsterInstance.get() as instance:
        # Twice, because the first time opens what then stays open.
        for _ in range(2):
            runs.clear()
            seconds = {"schedules": 0.0, "sensors": 0.0}
            for schedule in repository.schedule_defs:
                for moment in moments(schedule):
                    context = dg.build_schedule_context(
                        instance=instance, scheduled_execution_time=moment, repository_def=repository
                    )
                    began = time.perf_counter()
                    asked = schedule.evaluate_tick(context).run_requests
                    seconds["schedules"] += time.perf_counter() - began
                    runs[schedule.job_name] += len(asked or ())
            for sensor in repository.sensor_defs:
                looking = dg.build_sensor_context(instance=instance, repository_def=repository)
                often = STEP.total_seconds() / (sensor.minimum_interval_seconds or 30)
                began = time.perf_counter()
                asked = sensor.evaluate_tick(looking).run_requests
                seconds["sensors"] += often * (time.perf_counter() - began)
                runs[sensor.name] += len(asked or ())
    print(json.dumps({"runs": {job: count for job, count in runs.items() if count}, **seconds}))


def moments(schedule: dg.ScheduleDefinition) -> list[datetime]:
    """When a schedule that runs every hour ticks in the quarter of an hour that begins with the running window."""
    cron = str(schedule.cron_schedule)
    if cron.split()[1] != "*":
        return []
    begin = floor(datetime.now(UTC))
    ticks = schedule_execution_time_iterator((begin - timedelta(seconds=1)).timestamp(), cron, "UTC")
    return list(takewhile(lambda moment: moment < begin + STEP, ticks))


if __name__ == "__main__":
    main()
