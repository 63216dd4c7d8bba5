"""The daily health check as an asset with a job and a clock of its own: made, kept as files, and sent (X10).

Yesterday is the day it is about; a person may ask for another with `stokly-sync health --day`. What stands on the page
is said in `alerts.health`.
"""

# Annotations are not postponed in this module: Dagster looks at them while the assets are made.

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import dagster as dg

from stokly_sync import pages
from stokly_sync.alerts.health import Health, health
from stokly_sync.alerts.wording import Message
from stokly_sync.flow import Team
from stokly_sync.pipeline import home
from stokly_sync.pipeline.failures import RETRIES, explained
from stokly_sync.pipeline.names import owners
from stokly_sync.pipeline.sensors import alert_channels
from stokly_sync.pipeline.services import Services
from stokly_sync.settings import Settings

KEY: Final = dg.AssetKey("health")
JOB: Final = "daily_health"
CRON: Final = "0 7 * * *"
"""After the night's sweep and reconciliation, before people come in; the brand's own time."""


@dataclass(frozen=True)
class Page:
    """A health check in both forms, with the facts that it shows."""

    facts: Health
    markdown: str
    html: str


def page(services: Services, day: date | None = None) -> Page:
    """The health check of a day, yesterday where none is named."""
    zone = services.settings.zone
    chosen = day or datetime.now(UTC).astimezone(zone).date() - timedelta(days=1)
    facts = health(services.warehouse, services.catalogue, day=chosen, zone=zone)
    day_name = f"{facts.day:%A %-d %B %Y}"
    shown = {"health": facts, "day": day_name, "dashboard": services.settings.core.dashboard_url.rstrip("/")}
    text = pages.markdown("stokly_sync.alerts", "health.md.jinja", zone=zone, **shown)
    return Page(facts, text, pages.html(text, title=f"{facts.brand} {facts.day}"))


def keep(made: Page, folder: Path | None = None) -> Path:
    """Write both forms beside the local state, `health/BRAND/DAY.md` and `.html`; gives the HTML's path."""
    place = (folder or home.STATE / "health") / made.facts.brand
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{made.facts.day}.md").write_text(made.markdown, "utf-8")
    shown = place / f"{made.facts.day}.html"
    shown.write_text(made.html, "utf-8")
    return shown


def health_asset() -> dg.AssetsDefinition:
    """The asset that makes, keeps and sends the page."""

    @dg.asset(
        key=KEY,
        description="Yesterday on one page: volumes, latencies, exceptions, reconciliations, and who has to do what.",
        group_name="health",
        owners=owners(Team.OPERATIONS),
        retry_policy=RETRIES,
    )
    def checked(runtime: dg.ResourceParam[Services]) -> dg.MaterializeResult[Any]:
        with explained():
            made = page(runtime)
            keep(made)
            facts = made.facts
            waits = f"{facts.waiting} things wait for a person" if facts.waiting else "nothing waits for a person"
            title = f"{facts.brand}, {facts.day}: {waits}"
            words = Message(title, made.markdown, None, "low", over=not facts.waiting, markdown=True)
            alert_channels(runtime.settings.core).tell(words)
        return dg.MaterializeResult(
            metadata={
                "waiting": dg.MetadataValue.int(facts.waiting),
                "differing": dg.MetadataValue.int(sum(not r.agreed for r in facts.reconciliations)),
                "open_exceptions": dg.MetadataValue.int(sum(e.open for e in facts.exceptions)),
                "page": dg.MetadataValue.md(made.markdown),
            }
        )

    return checked


def health_job() -> "dg.UnresolvedAssetJobDefinition":
    """The job of the asset."""
    return dg.define_asset_job(JOB, selection=dg.AssetSelection.assets(KEY), description="The daily health check.")


def health_schedule(settings: Settings) -> dg.ScheduleDefinition:
    """Every morning, on from the start; nothing to report while no system is set up."""

    @dg.schedule(
        name=f"{JOB}_schedule",
        job_name=JOB,
        cron_schedule=CRON,
        execution_timezone=settings.core.time_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Makes and sends the health check of yesterday.",
    )
    def tick(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if not settings.enabled:
            return dg.SkipReason("No system is set up.")
        return dg.RunRequest(run_key=f"{context.scheduled_execution_time:%Y-%m-%d}")

    return tick
