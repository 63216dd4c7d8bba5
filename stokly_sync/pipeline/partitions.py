"""Every partitions definition, with the reason for its zone and cadence.

Orders and the like: 15 minutes in UTC, because an hour that occurs twice in autumn would give two windows one name.
The catalogue: days of the brand's own zone, because a trading day is local; such a day may have 23 or 25 hours. Order
to cash: months, because those are closed. All offer the running window too (`end_offset=1`): a headless sync may read
up to now, our own ledger marks such a window as open, and it is read again once it is over. Schedules of windows ask
for closed ones only.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import dagster as dg

from stokly_sync.flow import Window
from stokly_sync.landing.grid import STEP, floor

WINDOW_FORMAT: Final = "%Y-%m-%d-%H:%M"
MONTH_FORMAT: Final = "%Y-%m"
WINDOWS_A_RUN: Final = 7 * 96
"""A backfill takes a week in a run: few processes to start, and little to repeat after a crash."""

PARTITION: Final = "dagster/partition"
RANGE_START: Final = "dagster/asset_partition_range_start"
RANGE_END: Final = "dagster/asset_partition_range_end"


def window_partitions(windows_from: datetime) -> dg.TimeWindowPartitionsDefinition:
    """Windows of 15 minutes in UTC from `windows_from` on, the running one included."""
    return dg.TimeWindowPartitionsDefinition(
        cron_schedule="*/15 * * * *", start=floor(windows_from), timezone="UTC", fmt=WINDOW_FORMAT, end_offset=1
    )


def day_partitions(windows_from: datetime, zone: str) -> dg.DailyPartitionsDefinition:
    """Days of the brand's zone, today included: a snapshot is of the day on which it is made."""
    return dg.DailyPartitionsDefinition(start_date=windows_from.strftime("%Y-%m-%d"), timezone=zone, end_offset=1)


def month_partitions(windows_from: datetime) -> dg.MonthlyPartitionsDefinition:
    """Months in UTC, as periods of reports are, the running one included."""
    first = windows_from.astimezone(UTC).strftime(MONTH_FORMAT)
    return dg.MonthlyPartitionsDefinition(start_date=first, fmt=MONTH_FORMAT, timezone="UTC", end_offset=1)


def backfill_by_week() -> dg.BackfillPolicy:
    """The policy of everything that has windows."""
    return dg.BackfillPolicy.multi_run(max_partitions_per_run=WINDOWS_A_RUN)


def newest(key: dg.AssetKey, *, windowed: bool) -> dg.AssetDep:
    """What an asset without partitions needs, by its newest window where that has windows.

    Dagster's own mapping is to all of them, and each step then lists every window since the first one: a tenth of a
    second for each ninety days and each asset that it needs.
    """
    return dg.AssetDep(key, partition_mapping=dg.LastPartitionMapping() if windowed else None)


def window_key(start: datetime) -> str:
    """Partition key of the window that starts at `start`."""
    return start.astimezone(UTC).strftime(WINDOW_FORMAT)


def last_closed(moment: datetime) -> Window:
    """The newest window that is over at `moment`."""
    end = floor(moment)
    return Window(end - STEP, end)


def range_tags(span: Window) -> dict[str, str]:
    """Run tags that make one run cover every window touched by `span`."""
    first, newest = window_key(floor(span.start)), window_key(floor(span.end - timedelta(microseconds=1)))
    # A range of one is no range: checks of a single window are recorded under that window.
    return {PARTITION: newest} if first == newest else {RANGE_START: first, RANGE_END: newest}


def span_of(context: dg.AssetExecutionContext, *, since: str = "") -> Window:
    """The span that a run of windows covers; `since` (ISO 8601 with a zone) makes it begin earlier.

    That is for long spans: an event for each of thousands of windows would take longer than the work.
    """
    asked = context.partition_time_window
    start = datetime.fromisoformat(since) if since else asked.start
    return Window(min(start, asked.start).astimezone(UTC), asked.end.astimezone(UTC))


def windows_in(context: dg.AssetExecutionContext) -> int:
    """How many windows a run covers; one where there are no windows."""
    return len(context.partition_keys) if context.has_partition_key_range or context.has_partition_key else 1
