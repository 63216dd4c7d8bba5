"""The watchers: gaps, unfinished histories, feeds that are behind, failed runs, and findings to be told.

Each is a thin shell around a function that can be tested without a daemon. All are plain sensors: the built-in ones for
run states lose what happened while they failed. A tick does little and says why when it does nothing, because that
sentence is all that people see of a sensor.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Final

import dagster as dg

from stokly_sync.alerts.channels import Channels, channels
from stokly_sync.alerts.links import Links
from stokly_sync.alerts.send import send_findings
from stokly_sync.alerts.watch import watch
from stokly_sync.flow import System, Team
from stokly_sync.pipeline import gaps
from stokly_sync.pipeline.behind import note_behind
from stokly_sync.pipeline.declared import Declared
from stokly_sync.pipeline.failed_runs import note_failed_runs
from stokly_sync.pipeline.partitions import window_key
from stokly_sync.pipeline.services import Services
from stokly_sync.settings import Core, Settings

MOST_REQUESTS: Final = 8
"""Runs that one tick may ask for: the live cadence comes first, the rest waits for the next tick."""

IN_PROGRESS: Final = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]

Ask = Callable[[Services, dg.SensorEvaluationContext], Sequence[dg.RunRequest] | str]
"""What a sensor does: the runs to ask for, or a sentence why there are none."""


Opened = Callable[[], Services]
"""Gives the services of a tick."""


def sensors(declared: Declared, settings: Settings) -> list[dg.SensorDefinition]:
    """All sensors of the code location."""
    opened = partial(Services.standing, settings)
    made = [
        *(_sensor(opened, s, f"{s.name}_windows", 120, _source_gaps(s)) for s in declared.sources),
        *(_sensor(opened, s, f"{s.name}_baseline", 60, _history(s)) for s in declared.sources),
        *(_sensor(opened, s, f"{s.name}_interval", 120, _owed_gaps(s)) for s in declared.destinations),
        *(_sensor(opened, s, f"{s.name}_backlog", 120, _backlog(s)) for s in declared.destinations),
        *(
            _sensor(opened, s, f"{s.name}_{pool}", 60, _pool(s, pool))
            for s in declared.destinations
            for pool in _pools(declared, s)
        ),
    ]
    return [*made, _findings(opened, settings.core), _failed_runs(opened), _behind(opened)]


def requests_for(
    starts: Iterable[tuple[datetime, str]], *, busy: Collection[str], now: datetime, most: int = MOST_REQUESTS
) -> list[dg.RunRequest]:
    """A run for each window (its start, and a token that changes when there is more to do) that is not in progress.

    The run key lets a window be tried again after an hour, or at once when its token changes.
    """
    asked = []
    for start, token in starts:
        key = window_key(start)
        if key not in busy:
            asked.append(dg.RunRequest(partition_key=key, run_key=f"{key}:gap:{token}:{now:%Y-%m-%dT%H}"))
    return asked[:most]


def _source_gaps(source: System) -> Ask:
    def ask(services: Services, context: dg.SensorEvaluationContext) -> Sequence[dg.RunRequest] | str:
        now = datetime.now(UTC)
        missing = gaps.not_landed(services, source.name, now=now)
        if not missing:
            return f"Every closed window of {source.title} is landed."
        busy = _busy_partitions(context.instance, f"{source.name}_windows")
        return requests_for(((w.start, "land") for w in missing), busy=busy, now=now) or (
            f"{len(missing)} windows of {source.title} are being landed."
        )

    return ask


def _owed_gaps(system: System) -> Ask:
    def ask(services: Services, context: dg.SensorEvaluationContext) -> Sequence[dg.RunRequest] | str:
        now = datetime.now(UTC)
        owed = gaps.owed_windows(services, system.name, now=now)
        in_reach = {s: r for s, r in owed.items() if s >= services.settings.core.windows_from}
        if not owed:
            return f"Nothing is owed to {system.title}."
        if needs_backlog(services, owed):
            return f"{len(owed)} windows are owed to {system.title}: the backlog sensor sends them in one run."
        busy = _busy_partitions(context.instance, f"{system.name}_interval")
        return requests_for(((s, str(r)) for s, r in in_reach.items()), busy=busy, now=now) or (
            f"{len(owed)} windows are on their way to {system.title}."
        )

    return ask


def _history(source: System) -> Ask:
    def ask(services: Services, context: dg.SensorEvaluationContext) -> Sequence[dg.RunRequest] | str:
        if gaps.history_complete(services, source.name):
            return f"The history of {source.title} is complete."
        return _one_run(context.instance, f"{source.name}_baseline")

    return ask


def _backlog(system: System) -> Ask:
    def ask(services: Services, context: dg.SensorEvaluationContext) -> Sequence[dg.RunRequest] | str:
        if unread := gaps.unread(services, system.name):
            return f"The history of {', '.join(unread)} is not complete yet."
        owed = gaps.owed_windows(services, system.name, now=datetime.now(UTC))
        if not needs_backlog(services, owed):
            return f"{len(owed)} windows are owed to {system.title}, few enough for runs of their own."
        return _one_run(context.instance, f"{system.name}_backlog")

    return ask


def _pools(declared: Declared, system: System) -> list[str]:
    return list(dict.fromkeys(f.pool for f in declared.feeds_of(system.name) if f.pool))


def _pool(system: System, pool: str) -> Ask:
    """What has a pool of its own must not wait for the clock either."""

    def ask(services: Services, context: dg.SensorEvaluationContext) -> Sequence[dg.RunRequest] | str:
        if not gaps.pool_owes(services, system.name, pool):
            return f"No {pool} is owed to {system.title}."
        return _one_run(context.instance, f"{system.name}_{pool}")

    return ask


def needs_backlog(services: Services, owed: Collection[datetime]) -> bool:
    """Whether what is owed goes beyond what windows can carry: too many of them, or older than the first."""
    return len(owed) > gaps.MANY or any(start < services.settings.core.windows_from for start in owed)


def _one_run(instance: dg.DagsterInstance, job: str) -> Sequence[dg.RunRequest] | str:
    """A run of a job unless one is in progress; after a failure only once in a quarter of an hour."""
    if instance.get_runs(dg.RunsFilter(job_name=job, statuses=IN_PROGRESS), limit=1):
        return f"A run of {job} is in progress."
    now = datetime.now(UTC)
    last = instance.get_run_records(dg.RunsFilter(job_name=job), limit=1)
    if last and last[0].dagster_run.status is not dg.DagsterRunStatus.SUCCESS:
        return [dg.RunRequest(run_key=f"{job}:after-failure:{now:%Y-%m-%dT%H}:{now.minute // 15}")]
    return [dg.RunRequest(run_key=f"{job}:{now:%Y-%m-%dT%H:%M}")]


def _busy_partitions(instance: dg.DagsterInstance, job: str) -> set[str]:
    runs = instance.get_runs(dg.RunsFilter(job_name=job, statuses=IN_PROGRESS))
    return {run.tags["dagster/partition"] for run in runs if "dagster/partition" in run.tags}


def _sensor(opened: Opened, system: System, job: str, seconds: int, ask: Ask) -> dg.SensorDefinition:
    @dg.sensor(
        name=f"{job}_sensor",
        job_name=job,
        minimum_interval_seconds=seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Starts {job} when the ledger of windows says that something is missing.",
    )
    def watch(context: dg.SensorEvaluationContext) -> dg.SkipReason | list[dg.RunRequest]:
        services = opened()
        if system.name not in services.declared.enabled:
            return dg.SkipReason(f"{system.title} is not set up.")
        answer = ask(services, context)
        return dg.SkipReason(answer) if isinstance(answer, str) else list(answer)

    return watch


def _findings(opened: Opened, core: Core) -> dg.SensorDefinition:
    # They stay as long as the process, and with them who has heard a message that others could not be given.
    told_to = cache(partial(alert_channels, core))

    @dg.sensor(
        name="findings_sensor",
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Tells every finding at least once: when a problem opens, while it lasts, and when it is over.",
    )
    def tell() -> dg.SkipReason:
        hours = core.alert_reminder_hours
        told = send_findings(
            opened().warehouse,
            told_to(),
            links=Links(core.dagster_url, core.dashboard_url),
            remind_after=timedelta(hours=hours) if hours else None,
        )
        said = f"{told.findings} findings told in {told.messages} messages."
        return dg.SkipReason(said if told.findings else "No finding is waiting to be told.")

    return tell


def alert_channels(core: Core) -> Channels:
    """The channels that are set; raises SettingsError naming the variable of an address that cannot be used."""
    everybody = core.alerts.get_secret_value() if core.alerts else ""
    return channels(everybody, {team: core.alerts_of(team) for team in Team})


def _failed_runs(opened: Opened) -> dg.SensorDefinition:
    @dg.sensor(
        name="failed_runs_sensor",
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Turns failed runs into findings, and clears them when the job succeeds again.",
    )
    def note(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        raised, cleared, cursor = note_failed_runs(opened().warehouse, context.instance, context.cursor)
        said = f"{raised} failed runs noted, {cleared} problems over."
        return dg.SensorResult(skip_reason=dg.SkipReason(said), cursor=cursor)

    return note


def _behind(opened: Opened) -> dg.SensorDefinition:
    @dg.sensor(
        name="behind_sensor",
        minimum_interval_seconds=300,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Turns feeds that are late, records in doubt, exceptions and pauses into findings.",
    )
    def note() -> dg.SkipReason:
        services = opened()
        behind, on_time = note_behind(services, now=datetime.now(UTC))
        threshold = services.settings.core.alert_quarantine
        stand, _ = watch(
            services.warehouse, owner_of=services.owner_of, catalogue=services.catalogue, quarantine=threshold
        )
        return dg.SkipReason(f"{behind} feeds are behind, {on_time} on time; {stand} other problems stand.")

    return note
