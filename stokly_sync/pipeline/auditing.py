"""The audit as a run of its own: everything is read into a warehouse that is thrown away, and nothing is written (X11).

The same landing, planning and comparing as in a sync, with every feed on observe and every call that would write
refused at the transport. Rate budgets are the shared ones, so an audit beside a running pipeline keeps the limits.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4
from zoneinfo import ZoneInfo

from stokly_sync import pages
from stokly_sync.delivery.figures import PlanScope
from stokly_sync.errors import PermanentError, StoklySyncError
from stokly_sync.flow import Mode, System
from stokly_sync.pipeline import progress, work
from stokly_sync.pipeline.services import Services, require
from stokly_sync.reconciliation.audit import Audit, audit
from stokly_sync.reconciliation.compare import Comparison
from stokly_sync.reconciliation.disagreement import disagreement
from stokly_sync.systems.transport import reading_only
from stokly_sync.warehouse.store import Warehouse

_WHOLE = 7 * 24 * 3600.0


@dataclass(frozen=True)
class Audited:
    """The report, and the destinations that could not be compared, with the reason."""

    report: Audit
    failed: dict[str, str]


def run_audit(services: Services) -> Audited:
    """Read every source and every destination that is set up, and compare.

    Raises SettingsError when a source has no credentials, and what its client raises.
    """
    for source in services.declared.sources:
        if source.feeds is None:
            require(services.settings, source)
    with _apart(services) as apart, reading_only():
        run_id = f"audit-{uuid4().hex}"
        for source in services.declared.sources:
            if source.name in services.declared.enabled:
                _read(apart, source, run_id)
        compared: dict[str, list[Comparison]] = {}
        failed: dict[str, str] = {}
        for system in apart.declared.destinations:
            feeds = apart.declared.feeds_of(system.name)
            if system.name in apart.declared.enabled and any(apart.mode(f) is not Mode.OFF for f in feeds):
                try:
                    compared[system.title] = _compare(apart, system, run_id)
                except StoklySyncError as error:
                    failed[system.title] = str(error)
        made = audit(apart.warehouse, apart.catalogue, compared, made_at=datetime.now(UTC))
    return Audited(made, failed)


def _read(services: Services, source: System, run_id: str) -> None:
    progress.announce(f"Reading {source.title}")
    _, complete = work.land_history(services, source.name, run_id=run_id, seconds=_WHOLE)
    if not complete:
        raise PermanentError(f"The history of {source.title} could not be read within a week.")


def _compare(services: Services, system: System, run_id: str) -> list[Comparison]:
    progress.announce(f"Comparing with {system.title}")
    for feed in services.declared.feeds_of(system.name):
        if services.mode(feed) is Mode.OFF:
            continue
        work.plan_feed(services, feed, PlanScope(everything=True), run_id=run_id, assume_sent=True)
    return work.reconcile_system(services, system.name, run_id=run_id)


@contextmanager
def _apart(services: Services) -> Iterator[Services]:
    """The same settings over an empty warehouse in a folder that is removed, all feeds on observe."""
    declared = services.declared
    modes = {feed: Mode.OFF if mode is Mode.OFF else Mode.OBSERVE for feed, mode in declared.modes.items()}
    observed = replace(declared, modes=modes)
    with TemporaryDirectory(prefix="stokly-sync-audit-") as folder:
        warehouse = Warehouse.open(f"sqlite:///{Path(folder) / 'audit.db'}", brand=services.warehouse.brand)
        try:
            yield replace(services, declared=observed, warehouse=warehouse, shared=services.warehouse)
        finally:
            warehouse.close()


def report(audited: Audited, *, zone: ZoneInfo) -> str:
    """The report as Markdown; times in the brand's zone."""
    found = {name: [disagreement(c) for c in some] for name, some in audited.report.destinations.items()}
    values = {"audit": audited.report, "destinations": found, "failed": audited.failed}
    return pages.markdown("stokly_sync.reconciliation", "audit.md.jinja", zone=zone, **values)
