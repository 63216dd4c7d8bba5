"""Assets of one feed: a plan, and the load that sends it.

Two assets, because the row sum must be a blocking check before anything is sent. Made from the feed's declaration; the
gates of a feed are its dependencies, so that what it waits for has been sent in the same run. What is planned and sent
is decided in `delivery`.
"""

# Annotations are not postponed in this module: Dagster looks at them while the assets are made.

from collections.abc import Iterator
from typing import Any

import dagster as dg

from stokly_sync.contracts.consent import CONSENTS
from stokly_sync.delivery.figures import DeliveryFigures, PlanFigures, PlanScope
from stokly_sync.flow import Feed, Mode
from stokly_sync.pipeline import metadata, work
from stokly_sync.pipeline.declared import Declared
from stokly_sync.pipeline.failures import RETRIES, explained
from stokly_sync.pipeline.names import dataset_key, load_key, owners, plan_key, pool_of, system_key
from stokly_sync.pipeline.partitions import backfill_by_week, newest, span_of, windows_in
from stokly_sync.pipeline.services import Services

ROW_SUM, DELIVERED = "row_sum", "delivered"
CHOICES = "choices"
"""The asset of a destination that reads back who has opted out there."""

Results = Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]


class PlanConfig(dg.Config):
    """What a person may choose when starting a plan by hand."""

    force: bool = False
    """Send all records of the windows, also those that the destination holds already (X18)."""
    owed: bool = False
    """Plan everything that is owed instead of the run's own windows."""
    since: str = ""
    """Plan from this time on (ISO 8601 with a zone) instead of the start of the run's first window."""


class LoadConfig(dg.Config):
    """What a person may choose when starting a load by hand."""

    plan_id: str = ""
    """Send exactly the plan of this id; empty sends whatever is planned."""


def feed_assets(declared: Declared, windows: dg.TimeWindowPartitionsDefinition) -> list[dg.AssetsDefinition]:
    """A plan and a load for every feed of every destination."""
    made: list[dg.AssetsDefinition] = []
    for feed in declared.feeds.values():
        partitions = windows if declared.by_window(feed) else None
        made += [_plan_asset(declared, feed, partitions), _load_asset(declared, feed, partitions)]
    return made


def _plan_asset(
    declared: Declared, feed: Feed, windows: dg.TimeWindowPartitionsDefinition | None
) -> dg.AssetsDefinition:
    key = plan_key(feed)
    sources = dict.fromkeys([*feed.datasets, *(need.table for need in feed.needs)])
    needed = {dataset_key(d): not declared.extracts[d].snapshot for d in sources if d in declared.extracts}
    needed |= _before(declared, feed)

    @dg.asset(
        key=key,
        description=f"What {feed.id} has to send, decided record by record and kept in the ledger.",
        group_name=feed.system,
        kinds={"plan"},
        owners=owners(feed.owner),
        deps=list(needed) if windows else [newest(key, windowed=each) for key, each in needed.items()],
        partitions_def=windows,
        backfill_policy=backfill_by_week() if windows else None,
        retry_policy=RETRIES,
        check_specs=[
            dg.AssetCheckSpec(
                ROW_SUM,
                asset=key,
                blocking=True,
                partitions_def=windows,
                description="Read + carried in = to send + unchanged + held + quarantined + excluded + parked.",
            )
        ],
    )
    def planned(context: dg.AssetExecutionContext, config: PlanConfig, runtime: dg.ResourceParam[Services]) -> Results:
        if runtime.mode(feed) is Mode.OFF:
            yield from _nothing(key, ROW_SUM, feed)
            return
        scope = (
            PlanScope() if config.owed or not windows else PlanScope(windows=(span_of(context, since=config.since),))
        )
        with explained():
            found = work.plan_feed(runtime, feed, scope, run_id=context.run.run_id, force=config.force)
        yield from plan_results(runtime, key, found, windows=windows_in(context) if windows else 1)

    return planned


def _before(declared: Declared, feed: Feed) -> dict[dg.AssetKey, bool]:
    """What has to be done at the destination before a feed is planned, and whether that has windows."""
    gates = (declared.feeds[gate] for gate in feed.gate_ids)
    found = {load_key(gate): declared.by_window(gate) for gate in gates}
    if feed.dataset == CONSENTS.name and declared.systems[feed.system].choices is not None:
        found[system_key(feed.system, CHOICES)] = False
    return found


def _load_asset(
    declared: Declared, feed: Feed, windows: dg.TimeWindowPartitionsDefinition | None
) -> dg.AssetsDefinition:
    key = load_key(feed)

    @dg.asset(
        key=key,
        description=feed.description,
        group_name=feed.system,
        kinds={feed.system},
        owners=owners(feed.owner),
        deps=[plan_key(feed)],
        partitions_def=windows,
        backfill_policy=backfill_by_week() if windows else None,
        retry_policy=RETRIES,
        pool=pool_of(declared.brand, feed),
        tags={"lane": feed.lane.value, "replay": feed.replay.value},
        check_specs=[
            dg.AssetCheckSpec(
                DELIVERED,
                asset=key,
                partitions_def=windows,
                description="To send = accepted + rejected + submitted + in doubt, and nothing rejected or in doubt.",
            )
        ],
    )
    def loaded(context: dg.AssetExecutionContext, config: LoadConfig, runtime: dg.ResourceParam[Services]) -> Results:
        if runtime.mode(feed) is not Mode.WRITE:
            yield from _nothing(key, DELIVERED, feed, runtime.mode(feed))
            return
        with explained():
            found = work.deliver_feed(runtime, feed, run_id=context.run.run_id, plan_id=config.plan_id or None)
        yield from load_results(runtime, key, found, windows=windows_in(context) if windows else 1)

    return loaded


def plan_results(runtime: Services, key: dg.AssetKey, found: PlanFigures, *, windows: int) -> Results:
    """A plan's numbers and its row sum; what was kept back stands in the check's table."""
    on_asset, on_check = metadata.placed(metadata.numbers(found.as_json()), windows=windows)
    yield dg.MaterializeResult(asset_key=key, metadata=on_asset)
    kept = {**found.quarantined, **found.excluded, **found.parked}
    yield dg.AssetCheckResult(
        asset_key=key,
        check_name=ROW_SUM,
        passed=found.read + found.carried_in == found.accounted,
        metadata=metadata.numbers({"read_and_carried_in": found.read + found.carried_in, "accounted": found.accounted})
        | metadata.rule_table(kept, runtime.catalogue)
        | on_check,
    )


def load_results(runtime: Services, key: dg.AssetKey, found: DeliveryFigures, *, windows: int) -> Results:
    """A delivery's numbers and whether all of it arrived."""
    counts = metadata.numbers(found.as_json()) | {"dagster/partition_row_count": dg.MetadataValue.int(found.accepted)}
    on_asset, on_check = metadata.placed(counts, windows=windows)
    yield dg.MaterializeResult(asset_key=key, metadata=on_asset)
    rejected = sum(found.rejected.values())
    whole = found.to_send == found.accounted and not found.still_planned
    yield dg.AssetCheckResult(
        asset_key=key,
        check_name=DELIVERED,
        passed=whole and not rejected and not found.in_doubt,
        severity=dg.AssetCheckSeverity.WARN if whole else dg.AssetCheckSeverity.ERROR,
        metadata=metadata.rule_table(found.rejected, runtime.catalogue)
        | metadata.sentence(_advice(rejected, found.in_doubt, whole=whole))
        | on_check,
    )


def _advice(rejected: int, in_doubt: int, *, whole: bool) -> str:
    if not whole:
        return "Not everything was sent. Run the load again: the ledger knows what is still owed."
    if in_doubt:
        return f"{in_doubt} records are in doubt: look them up at the destination and say what became of them."
    if rejected:
        return f"{rejected} records were rejected: each is an open exception that gives the destination's reason."
    return "Nothing to do."


def _nothing(key: dg.AssetKey, check: str, feed: Feed, mode: Mode = Mode.OFF) -> Results:
    """What a feed that may not write reports: that it did nothing, and why."""
    note = f"{feed.id} is set to {mode.value}: nothing was done. See modes in docs/settings.md."
    shown: dict[str, dg.MetadataValue[Any]] = {"mode": dg.MetadataValue.text(mode.value), **metadata.sentence(note)}
    yield dg.MaterializeResult(asset_key=key, metadata=shown)
    yield dg.AssetCheckResult(asset_key=key, check_name=check, passed=True, metadata=shown)
