"""The clock: one schedule for each job that has a cron.

A schedule asks for closed windows only. It does not make up for ticks that were missed while the daemon was down: the
gap sensors do. Schedules are on from the start and skip, with a sentence, while a system has no credentials, and while
a destination has nothing to do: a run is a process of seconds, the question is a few queries.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg

from stokly_sync.delivery.due import reason_to_run
from stokly_sync.errors import SettingsError
from stokly_sync.flow import Mode
from stokly_sync.pipeline.declared import Declared
from stokly_sync.pipeline.jobs import Cadence, Plan
from stokly_sync.pipeline.names import REASON_TAG
from stokly_sync.pipeline.partitions import last_closed, window_key
from stokly_sync.pipeline.services import Services, require
from stokly_sync.settings import Settings

Tick = dg.RunRequest | dg.SkipReason


def schedules(
    declared: Declared, settings: Settings, plans: Sequence[Plan], days: dg.DailyPartitionsDefinition
) -> list[dg.ScheduleDefinition]:
    """A schedule for every plan with a cron."""
    return [_schedule(declared, settings, plan, days) for plan in plans if plan.cron]


def requested(plan: Plan, settings: Settings, moment: datetime, today: str | None) -> Tick:
    """What a tick at `moment` (UTC) asks for: the newest closed window, today, or one run for this tick."""
    match plan.cadence:
        case Cadence.WINDOW:
            window = last_closed(moment)
            if window.start < settings.core.windows_from:
                return dg.SkipReason(
                    f"No window is over yet: the first begins at {settings.core.windows_from:%F %R} UTC."
                )
            key = window_key(window.start)
            return dg.RunRequest(partition_key=key, run_key=key)
        case Cadence.DAY:
            return dg.RunRequest(partition_key=today, run_key=today)
        case _:
            return dg.RunRequest(run_key=moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M"))


def blocked(declared: Declared, settings: Settings, plan: Plan) -> str | None:
    """Why a job cannot do anything useful now, or None."""
    if plan.system is None:
        return None if ready(settings, plan) else "No destination is set up."
    try:
        require(settings, declared.systems[plan.system])
    except SettingsError as error:
        return str(error)
    return None


def ready(settings: Settings, plan: Plan) -> list[dg.AssetKey]:
    """The assets of a plan whose system has its credentials; an asset's key begins with the name of its system."""
    return [key for key in plan.keys if key.path[0] in settings.enabled]


def _title(declared: Declared, plan: Plan) -> str:
    return declared.systems[plan.system].title if plan.system else "All destinations"


def work_for(services: Services, plan: Plan, moment: datetime) -> str | None:
    """What a run of a plan would have to do at a moment (UTC), in a few words; None when no feed has anything."""
    window = last_closed(moment) if plan.cadence is Cadence.WINDOW else None
    with services.warehouse.reading() as conn:
        for feed in plan.feeds:
            mode = services.mode(feed)
            if mode is not Mode.OFF:
                found = reason_to_run(
                    conn,
                    feed,
                    brand=services.warehouse.brand,
                    window=window,
                    writes=mode is Mode.WRITE,
                    now=moment,
                )
                if found:
                    return found
    return None


def _schedule(
    declared: Declared, settings: Settings, plan: Plan, days: dg.DailyPartitionsDefinition
) -> dg.ScheduleDefinition:
    zone = "UTC" if plan.cadence is Cadence.WINDOW else settings.core.time_zone

    @dg.schedule(
        name=f"{plan.name}_schedule",
        job_name=plan.name,
        cron_schedule=plan.cron or "",
        execution_timezone=zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=plan.description,
    )
    def tick(context: dg.ScheduleEvaluationContext) -> Tick:
        reason = blocked(declared, settings, plan)
        if reason:
            return dg.SkipReason(reason)
        moment = context.scheduled_execution_time
        with dg.partition_loading_context(effective_dt=moment):
            today = days.get_last_partition_key()
        asked = requested(plan, settings, moment, today)
        if plan.feeds and isinstance(asked, dg.RunRequest):
            reason = work_for(Services.standing(settings), plan, moment)
            if reason is None:
                return dg.SkipReason(f"{_title(declared, plan)}: nothing changed, nothing is on its way.")
            asked = asked.with_replaced_attrs(tags={**asked.tags, REASON_TAG: reason})
        if plan.system is None and isinstance(asked, dg.RunRequest):
            asked = asked.with_replaced_attrs(asset_selection=ready(settings, plan))
        return asked

    return tick
