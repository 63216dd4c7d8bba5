"""Putting the code location together: one function, so that tests can put together another one."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping

import dagster as dg

from stokly_sync.flow import System
from stokly_sync.pipeline.declared import Declared, declare
from stokly_sync.pipeline.destination_assets import destination_assets
from stokly_sync.pipeline.extract_assets import extract_assets
from stokly_sync.pipeline.feed_assets import feed_assets
from stokly_sync.pipeline.health import health_asset, health_job, health_schedule
from stokly_sync.pipeline.jobs import jobs, plans
from stokly_sync.pipeline.names import RUNTIME
from stokly_sync.pipeline.order_to_cash import cash_assets, cash_job, cash_schedule
from stokly_sync.pipeline.partitions import day_partitions, month_partitions, window_partitions
from stokly_sync.pipeline.runtime import Runtime
from stokly_sync.pipeline.schedules import schedules
from stokly_sync.pipeline.sensors import sensors
from stokly_sync.pipeline.source_assets import source_assets
from stokly_sync.settings import Settings


def build_defs(
    settings: Settings, systems: Iterable[System], *, resources: Mapping[str, object] | None = None
) -> dg.Definitions:
    """Everything that Dagster loads; `resources` replaces the runtime in tests."""
    declared = declare(settings, systems)
    windows = window_partitions(settings.core.windows_from)
    days = day_partitions(settings.core.windows_from, settings.core.time_zone)
    months = month_partitions(settings.core.windows_from)
    return dg.Definitions(
        assets=all_assets(declared, windows, days, months),
        jobs=[*jobs(declared), cash_job(declared), health_job()],
        schedules=[
            *schedules(declared, settings, plans(declared), days),
            cash_schedule(declared, settings, months),
            health_schedule(settings),
        ],
        sensors=sensors(declared, settings),
        resources={RUNTIME: Runtime(), **(resources or {})},
        # A step in a process of its own costs a second; parallelism comes from separate runs.
        executor=dg.in_process_executor,
    )


def all_assets(
    declared: Declared,
    windows: dg.TimeWindowPartitionsDefinition,
    days: dg.DailyPartitionsDefinition,
    months: dg.MonthlyPartitionsDefinition,
) -> list[dg.AssetsDefinition]:
    """From the source to the reconciliation, as the lineage reads."""
    with warnings.catch_warnings():
        # Two features of Dagster that we chose while they are beta and preview; see the same two in pyproject.toml.
        warnings.simplefilter("ignore", dg.BetaWarning)
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return [
            *extract_assets(declared, windows),
            *source_assets(declared),
            *feed_assets(declared, windows),
            *destination_assets(declared, days),
            *cash_assets(declared, months),
            health_asset(),
        ]
