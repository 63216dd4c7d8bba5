"""What the assets do, without Dagster: one function a kind of step, each storing what it counted.

The figures of a run are what the command line prints and what later pages read; they are written here, in one place,
under the run's id. How rows land, are planned, sent and compared is the business of the rooms below.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from stokly_sync.contracts.people import CUSTOMERS
from stokly_sync.delivery.figures import DeliveryFigures, PlanFigures, PlanScope
from stokly_sync.delivery.history import note_mode
from stokly_sync.delivery.options import DeliveryRefused, DeliveryStopped
from stokly_sync.delivery.planning import plan
from stokly_sync.delivery.sending import deliver
from stokly_sync.flow import Feed, Lane, Mode, Window
from stokly_sync.landing import reference
from stokly_sync.landing import run as landing
from stokly_sync.landing.consent import Keeper
from stokly_sync.landing.figures import LandingFigures
from stokly_sync.pipeline.declared import source_of
from stokly_sync.pipeline.services import Services
from stokly_sync.reconciliation.compare import Comparison
from stokly_sync.reconciliation.matching import match
from stokly_sync.reconciliation.report import as_json
from stokly_sync.reconciliation.run import reconcile
from stokly_sync.warehouse import figures, windows
from stokly_sync.warehouse.figures import Stage


def land(services: Services, dataset: str, window: Window, *, run_id: str) -> LandingFigures:
    """Land what changed in a window of a dataset, and store the figures.

    Raises ContractBroken when most rows break the contract, SettingsError without credentials, and what the client
    raises.
    """
    extract = services.extract(dataset)
    source = source_of(dataset)
    client = services.client(source, Lane.FAST if extract.snapshot else Lane.INTERVAL)
    found = landing.land_window(services.reader(run_id), extract, client, window)
    if dataset == CUSTOMERS.name:
        _weigh_consent(services, run_id)
    return _landed(services, found, client, source, run_id)


def land_history(services: Services, source: str, *, run_id: str, seconds: float) -> tuple[list[LandingFigures], bool]:
    """Land the whole history of a source, dataset by dataset, for at most about `seconds`; True when it is complete.

    Goes on where an earlier run stopped, down to the page. Errors as `land`.
    """
    client = services.client(source, Lane.BULK)
    reader = services.reader(run_id)
    found: list[LandingFigures] = []
    now, ends = datetime.now(UTC), time.monotonic() + seconds
    for extract in services.declared.extracts_of(source):
        left = ends - time.monotonic()
        if left <= 0 or not _history_landed(services, found):
            return found, False
        before = services.calls(source, client)
        figures = landing.land_baseline(reader, extract, client, now, seconds=left)
        found.append(_landed(services, figures, client, source, run_id, calls_before=before))
    return found, _history_landed(services, found)


def _history_landed(services: Services, found: Sequence[LandingFigures]) -> bool:
    """Whether the dataset that was read last is complete: the next one may look at its rows."""
    if not found:
        return True
    with services.warehouse.reading() as conn:
        mark = windows.watermark(conn, brand=services.warehouse.brand, dataset=found[-1].dataset)
    return mark.baseline_done


def sweep(services: Services, source: str, *, run_id: str) -> list[LandingFigures]:
    """Compare all live records of a source with what is landed: deletions, merges, missed rows (X1)."""
    client = services.client(source, Lane.BULK)
    found = []
    for extract in services.declared.extracts_of(source):
        before = services.calls(source, client)
        figures = landing.sweep(services.reader(run_id), extract, client)
        found.append(_landed(services, figures, client, source, run_id, calls_before=before))
    return found


def _landed(
    services: Services, found: LandingFigures, client: Any, source: str, run_id: str, *, calls_before: int = 0
) -> LandingFigures:
    found.api_calls = services.calls(source, client) - calls_before
    record(services, run_id, found.dataset, Stage.EXTRACT, found.as_dict())
    return found


def refresh_reference(services: Services, system: str, *, run_id: str) -> list[reference.Change]:
    """Read vocabulary and shape of a system and give what changed; changes are a finding as well (X22)."""
    offered = services.system(system).reference
    if offered is None:
        return []
    found = offered(services.client(system, Lane.BULK))
    return reference.refresh(services.warehouse, system, found, run_id=run_id)


def plan_feed(
    services: Services,
    feed: Feed,
    scope: PlanScope,
    *,
    run_id: str,
    force: bool = False,
    assume_sent: bool = False,
) -> PlanFigures:
    """Decide what a feed has to send; raises RowSumBroken when records are not accounted for."""
    note_mode(services.warehouse, feed, services.mode(feed))
    found = plan(
        services.warehouse,
        feed,
        catalogue=services.catalogue,
        scope=scope,
        run_id=run_id,
        force=force,
        assume_sent=assume_sent,
        forgets=services.declared.systems[feed.system].forget is not None,
    )
    record(services, run_id, feed.id, Stage.PLAN, found.as_json())
    return found


def deliver_feed(services: Services, feed: Feed, *, run_id: str, plan_id: str | None = None) -> DeliveryFigures:
    """Send what is planned and learn its fate; raises SettingsError without credentials.

    A delivery that is cut short stores its figures before it raises DeliveryStopped or DeliveryRefused.
    """
    client = services.client(feed.system, feed.lane)
    note_mode(services.warehouse, feed, services.mode(feed))
    try:
        found = deliver(
            services.warehouse,
            feed,
            client,
            catalogue=services.catalogue,
            run_id=run_id,
            plan_id=plan_id,
            calls=services.declared.systems[feed.system].calls,
        )
    except (DeliveryStopped, DeliveryRefused) as error:
        _doubt_set_up(services, feed, error.figures)
        record(services, run_id, feed.id, Stage.DELIVER, error.figures.as_json())
        raise
    _doubt_set_up(services, feed, found)
    record(services, run_id, feed.id, Stage.DELIVER, found.as_json())
    return found


def _doubt_set_up(services: Services, feed: Feed, found: DeliveryFigures) -> None:
    """Let set-up be looked at again by the next load where this one was refused anything: it may be the account."""
    if found.rejected or found.still_planned:
        services.memory(feed.system).forget()


def read_choices(services: Services, system: str, *, run_id: str) -> dict[str, int]:
    """Read who has opted out at a destination, or in where it owns the channel, and weigh it anew (X19).

    What the source's customers state is weighed with it.

    Gives what was new, what changed of what holds, and the calls it took. Raises what the client raises.
    """
    keeper = _keeper(services, run_id)
    found = {"statements": 0, "changed": 0, "api_calls": 0}
    choices = services.system(system).choices
    if choices is not None:
        client, asked_at = services.client(system, Lane.FAST), datetime.now(UTC)
        told = choices(client, keeper.since(system), keeper.owned(system))
        found["statements"], found["changed"] = keeper.take(system, told, asked_at=asked_at)
        found["api_calls"] = services.calls(system, client)
    found["changed"] += _weigh_consent(services, run_id)
    return found


def _keeper(services: Services, run_id: str) -> Keeper:
    core = services.settings.core
    return Keeper(services.warehouse, core.consent_owners, core.windows_from, run_id)


def _weigh_consent(services: Services, run_id: str) -> int:
    """Look at the customers that were landed since the last time; gives for how many of them another choice holds."""
    changed, keeper = 0, _keeper(services, run_id)
    owner = source_of(CUSTOMERS.name)
    for source in (s for s in services.declared.sources if s.name == owner):
        stated = partial(source.said, services.settings.systems[source.name]) if source.said else None
        changed += keeper.look_over(source.name, stated)
    return changed


def reconcile_system(services: Services, system: str, *, run_id: str) -> list[Comparison]:
    """Compare what a destination holds with what it should hold, for feeds that are not off; stores the result (X7)."""
    client = services.client(system, Lane.BULK)
    feeds = [f for f in services.declared.feeds_of(system) if services.mode(f) is not Mode.OFF]
    found = reconcile(services.warehouse, feeds, client, run_id=run_id)
    body = as_json(found)
    if matched := match_system(services, system, run_id=run_id):
        body["matchings"] = matched
    record(services, run_id, system, Stage.RECONCILE, body)
    return found


def match_system(services: Services, system: str, *, run_id: str) -> dict[str, dict[str, int]]:
    """Hold landed tables against each other as a system declares; counts by rule for each matching that could run."""
    declared = services.declared.systems[system].matchings
    if declared is None:
        return {}
    matchings = declared(services.settings.systems[system])
    found = {m.name: match(services.warehouse, m, catalogue=services.catalogue, run_id=run_id) for m in matchings}
    return {name: counts for name, counts in found.items() if counts is not None}


def record(services: Services, run_id: str, subject: str, stage: Stage, body: Mapping[str, Any]) -> None:
    """Store what a step counted under its run."""
    with services.warehouse.transaction() as conn:
        figures.record_figures(
            conn, brand=services.warehouse.brand, run_id=run_id, subject=subject, stage=stage, body=body
        )


def figures_of(services: Services, run_ids: Iterable[str]) -> list[figures.Figures]:
    """What some runs counted, in the order in which it was stored."""
    with services.warehouse.reading() as conn:
        return [f for run in run_ids for f in figures.figures_of(conn, brand=services.warehouse.brand, run_id=run)]
