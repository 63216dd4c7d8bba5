"""What is done at once for a person who waits: one record read again, one feed loaded, without Dagster.

The steps are those of the assets, under a run id of our own; a schedule that is busy with the same feed takes the
record along, and the person is told so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stokly_sync.delivery.figures import PlanScope
from stokly_sync.flow import Lane, Mode
from stokly_sync.landing.again import land_again
from stokly_sync.operations.desk import Desk
from stokly_sync.pipeline import work
from stokly_sync.pipeline.declared import source_of
from stokly_sync.pipeline.services import Services
from stokly_sync.warehouse.figures import Stage


@dataclass(frozen=True)
class ByHand:
    """`operations.desk.Hands`, over the settings' clients."""

    services: Services

    def read_again(self, dataset: str, keys: Sequence[str], *, run_id: str) -> None:
        """Read some records of a dataset from their source now, and land them; errors as `landing.again`."""
        services = self.services
        source = source_of(dataset)
        client = services.client(source, Lane.FAST)
        found = land_again(services.reader(run_id), services.extract(dataset), client, keys)
        found.api_calls = services.calls(source, client)
        work.record(services, run_id, dataset, Stage.EXTRACT, found.as_dict())

    def load(self, feed: str, *, run_id: str) -> None:
        """Plan what a feed carries or holds as stale and send what is planned; only plans where it may not write."""
        chosen = self.services.feed(feed)
        mode = self.services.mode(chosen)
        if mode is Mode.OFF:
            return
        planned = work.plan_feed(self.services, chosen, PlanScope(windows=()), run_id=run_id)
        if mode is Mode.WRITE and planned.to_send:
            work.deliver_feed(self.services, chosen, run_id=run_id)


def desk_of(services: Services) -> Desk:
    """The desk of a brand, with these hands."""
    declared = services.declared
    return Desk(
        services.warehouse,
        services.catalogue,
        declared.feeds,
        declared.extracts,
        {name: system.title for name, system in declared.systems.items()},
        services.settings.core.dagster_url,
        ByHand(services),
    )
