"""The pipeline without the interface: the same jobs, run one after the other in this process (`stokly-sync sync`).

The order is the lineage's: history, windows, snapshots, then each destination and its reconciliation. Runs are stored
in the instance like any other, so the interface shows them. What they counted is read from the run figures afterwards;
nothing is added up on the way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import dagster as dg
import sqlalchemy as sa

from stokly_sync.contracts.consent import POOL
from stokly_sync.delivery.figures import PlanFigures, PlanScope
from stokly_sync.errors import SettingsError
from stokly_sync.flow import Feed, Mode, System, Window
from stokly_sync.landing.grid import STEP, floor
from stokly_sync.pipeline import gaps, progress, work
from stokly_sync.pipeline.asked import Request, destinations_of, feeds_asked, needed_sources, span_of_replay
from stokly_sync.pipeline.build import build_defs
from stokly_sync.pipeline.failures import impatient
from stokly_sync.pipeline.feed_assets import CHOICES
from stokly_sync.pipeline.jobs import Plan, plans
from stokly_sync.pipeline.names import load_key, plan_key, system_key
from stokly_sync.pipeline.partitions import range_tags
from stokly_sync.pipeline.services import Services
from stokly_sync.systems import SYSTEMS
from stokly_sync.warehouse import windows
from stokly_sync.warehouse.figures import Stage
from stokly_sync.warehouse.tables import PLANS

__all__ = ["MOST_PARTITIONS", "Conductor", "Ran", "Request", "plan", "sync"]

MOST_PARTITIONS: Final = 16
"""Windows that one run is recorded for; a longer span is recorded under its newest window (20 ms each and asset)."""

_QUIET: Final[Mapping[str, Any]] = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass
class Ran:
    """The runs of one sync, and what failed in them in plain words."""

    run_ids: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


class Conductor:
    """Runs jobs in this process against the instance of `DAGSTER_HOME`."""

    def __init__(self, services: Services, instance: dg.DagsterInstance) -> None:
        self._services = services
        self._instance = instance
        self._defs = build_defs(services.settings, SYSTEMS)
        self._plans = {plan.name: plan for plan in plans(services.declared)}
        self.ran = Ran()

    def has(self, name: str) -> bool:
        """Whether there is a job of that name."""
        return name in self._plans

    def run(
        self,
        name: str,
        *,
        span: Window | None = None,
        ops: Mapping[str, Any] | None = None,
        only: Sequence[dg.AssetKey] = (),
    ) -> bool:
        """Run one job, over the windows of `span` where it has windows; gives whether it succeeded.

        `only` leaves out all other assets of the job.
        """
        plan = self._plans[name]
        keys = only or plan.keys
        progress.announce(plan.description)
        with impatient():
            result = self._defs.resolve_job_def(name).execute_in_process(
                instance=self._instance,
                tags=_tags(span) if span else None,
                run_config={**_QUIET, "ops": _ops(plan, keys, ops or {})},
                asset_selection=list(only) or None,
                raise_on_error=False,
            )
        self.ran.run_ids.append(result.run_id)
        self.ran.failures += [f"{name}: {reason}" for reason in _reasons(result)]
        return result.success


def sync(services: Services, instance: dg.DagsterInstance, request: Request) -> Ran:
    """Run everything that a request asks for, and give the runs.

    Raises SettingsError before anything runs when a system that is needed has no credentials, the span is not one, or
    the plan is not known.
    """
    feeds = feeds_asked(services, request)
    if request.replay:
        span_of_replay(services, request)
    stored = _stored_plans(services, request.plan_id) if request.plan_id else {}
    conductor = Conductor(services, instance)
    if request.plan_id is None:
        landed = _extract_all(conductor, services, request)
        feeds = [f for f in feeds if services.declared.sources_of(f) & services.declared.enabled <= landed]
        _read_choices(conductor, destinations_of(services, feeds))
    while feeds:
        system = services.declared.systems[feeds[0].system]
        mine, feeds = [f for f in feeds if f.system == system.name], [f for f in feeds if f.system != system.name]
        if request.plan_id is None:
            _load(conductor, services, mine, request)
            _read_again(conductor, services, system, feeds)
        else:
            _send_stored(conductor, services, mine, stored)
        conductor.run(f"{system.name}_reconciliation")
    return conductor.ran


def plan(services: Services, instance: dg.DagsterInstance, request: Request) -> tuple[str, list[PlanFigures], Ran]:
    """Land what is due and decide what a sync would send, without sending it; gives the id to send it by (X12)."""
    feeds = feeds_asked(services, request)
    conductor = Conductor(services, instance)
    plan_id = uuid4().hex
    landed = _extract_all(conductor, services, request)
    figures: list[PlanFigures] = []
    for feed in feeds:
        if services.declared.sources_of(feed) & services.declared.enabled <= landed:
            progress.announce(f"Planning {feed.id}")
            figures.append(work.plan_feed(services, feed, PlanScope(), run_id=plan_id, assume_sent=True))
    return plan_id, figures, conductor.ran


def _extract_all(conductor: Conductor, services: Services, request: Request) -> frozenset[str]:
    """Land every source that is needed; gives those whose history is complete."""
    needed = needed_sources(services, request)
    return frozenset(source.name for source in needed if _extract(conductor, services, source, request))


def _read_again(conductor: Conductor, services: Services, system: System, feeds: Sequence[Feed]) -> None:
    """Read what the home system took just now, when feeds are left that are made of it: they need not wait for it."""
    if system.name != services.declared.home or not any(system.name in services.declared.sources_of(f) for f in feeds):
        return
    found = work.figures_of(services, conductor.ran.run_ids)
    if any(f.stage is Stage.DELIVER and f.subject.startswith(f"{system.name}/") and f.body["accepted"] for f in found):
        span = _due(services, system)
        conductor.run(f"{system.name}_windows", span=span, ops={"extract": _since(span)})


def _send_stored(conductor: Conductor, services: Services, feeds: Sequence[Feed], stored: Mapping[str, str]) -> None:
    """Send exactly what a plan holds, feed by feed in gate order."""
    now = floor(datetime.now(UTC))
    for feed in feeds:
        if feed.id in stored and services.mode(feed) is Mode.WRITE:
            by_window = services.declared.by_window(feed)
            conductor.run(
                f"{feed.system}_{'interval' if by_window else feed.pool or 'fast'}",
                span=Window(now, now + STEP) if by_window else None,
                ops={"load": {"plan_id": stored[feed.id]}},
                only=[load_key(feed)],
            )


def _stored_plans(services: Services, plan_id: str) -> dict[str, str]:
    """Plan id by feed; `plan_id` is the id of all plans made together, or of one of them."""
    c = PLANS.c
    query = sa.select(c.feed, c.plan_id).where(
        c.brand == services.warehouse.brand, sa.or_(c.run_id == plan_id, c.plan_id == plan_id)
    )
    with services.warehouse.reading() as conn:
        found = {row.feed: row.plan_id for row in conn.execute(query)}
    if not found:
        raise SettingsError(f"There is no plan {plan_id}. Make one with: stokly-sync plan")
    return found


def _extract(conductor: Conductor, services: Services, source: System, request: Request) -> bool:
    """Land what is due or asked for; False when the history could not be completed."""
    while not gaps.history_complete(services, source.name):
        if not conductor.run(f"{source.name}_baseline"):
            return False
    span = span_of_replay(services, request) if request.replay else _due(services, source)
    conductor.run(f"{source.name}_windows", span=span, ops={"extract": _since(span)})
    return True


def _read_choices(conductor: Conductor, destinations: Sequence[System]) -> None:
    """Read every destination's opt-outs before anything is sent to any, so that all of them hear of all."""
    for system in destinations:
        if system.choices is not None:
            conductor.run(f"{system.name}_{POOL}", only=[system_key(system.name, CHOICES)])


def _load(conductor: Conductor, services: Services, feeds: Sequence[Feed], request: Request) -> None:
    """Send what is owed, or the span that is asked for, to one destination, feed by feed."""
    system, declared = feeds[0].system, services.declared
    config: dict[str, Any] = {"force": request.force}
    if request.replay:
        span = span_of_replay(services, request)
        config |= _since(span)
    else:
        now = floor(datetime.now(UTC))
        span = Window(now, now + STEP)
        config["owed"] = True
    windowed = [f for f in feeds if declared.by_window(f)]
    snapshots = [f for f in feeds if not declared.by_window(f) and not f.pool]
    for name, some, within in ((f"{system}_interval", windowed, span), (f"{system}_fast", snapshots, None)):
        if some:
            keys = [key for feed in some for key in (plan_key(feed), load_key(feed))]
            conductor.run(name, span=within, ops={"plan": config}, only=keys)
    for feed in feeds:
        if feed.pool:
            keys = [plan_key(feed), load_key(feed)]
            conductor.run(f"{system}_{feed.pool}", ops={"plan": {**config, "owed": True}}, only=keys)


def _due(services: Services, source: System) -> Window:
    """From the oldest watermark of the source's datasets to the end of the running window."""
    now = floor(datetime.now(UTC))
    with services.warehouse.reading() as conn:
        marks = [
            windows.watermark(conn, brand=services.warehouse.brand, dataset=e.dataset)
            for e in services.declared.extracts_of(source.name)
            if not e.snapshot
        ]
    known = [m.watermark or m.baseline_to or now for m in marks]
    return Window(min([floor(k) for k in known] + [now]), now + STEP)


def _tags(span: Window) -> dict[str, str]:
    newest = floor(span.end - timedelta(microseconds=1))
    first = floor(span.start)
    return range_tags(Window(newest if (newest - first) / STEP >= MOST_PARTITIONS else first, span.end))


def _since(span: Window) -> dict[str, Any]:
    return {"since": span.start.isoformat()}


def _ops(plan: Plan, keys: Sequence[dg.AssetKey], config: Mapping[str, Any]) -> dict[str, Any]:
    """Config of every asset of a run, from what is given for extracts, plans and loads."""
    made: dict[str, Any] = {}
    for key in keys:
        kind = "extract" if not plan.loads else "plan" if key.path[-1].endswith("_plan") else "load"
        if config.get(kind):
            made["__".join(key.path)] = {"config": dict(config[kind])}
    return made


def _reasons(result: dg.ExecuteInProcessResult) -> list[str]:
    """Why steps of a run failed: the sentence of our own errors, else the error's class and text."""
    reasons: list[str] = []
    for event in result.get_step_failure_events():
        data = event.step_failure_data
        told = data.user_failure_data.description if data.user_failure_data else None
        error = data.error
        while error is not None and error.cause is not None and told is None:
            error = error.cause
        reasons.append(told or (error.message.strip() if error else "the step failed"))
    return reasons
