"""Assets of a destination as a whole: everything owed, the daily catalogue, the reconciliation.

The backlog plans and sends whatever the feeds owe, in gate order; so it also carries the history, which has no windows
of its own. The catalogue plans every product again, whatever changed (X3). The reconciliation computes and stores; its
checks judge, one for each feed, and do not stop anything.
"""

# Annotations are not postponed in this module: Dagster looks at them while the assets are made.

from collections.abc import Iterator
from typing import Any

import dagster as dg

from stokly_sync.contracts import money
from stokly_sync.contracts.consent import POOL
from stokly_sync.delivery.figures import DeliveryFigures, PlanFigures, PlanScope
from stokly_sync.flow import Feed, Lane, Mode, System, Team
from stokly_sync.pipeline import metadata, work
from stokly_sync.pipeline.declared import Declared
from stokly_sync.pipeline.failures import RETRIES, explained
from stokly_sync.pipeline.feed_assets import CHOICES
from stokly_sync.pipeline.names import lane_name, load_key, owners, system_key
from stokly_sync.pipeline.partitions import newest
from stokly_sync.pipeline.services import Services
from stokly_sync.reconciliation.compare import Comparison


def destination_assets(declared: Declared, days: dg.DailyPartitionsDefinition) -> list[dg.AssetsDefinition]:
    """Backlog, catalogue and reconciliation of every destination."""
    made: list[dg.AssetsDefinition] = []
    for system in declared.destinations:
        made += [_backlog(declared, system), _reconciliation(declared, system)]
        if system.choices is not None:
            made.append(_choices(declared, system))
        if any(declared.is_catalogue(f) for f in declared.feeds_of(system.name)):
            made.append(_catalogue(declared, system, days))
    return made


def _backlog(declared: Declared, system: System) -> dg.AssetsDefinition:
    feeds = declared.feeds_of(system.name)

    @dg.asset(
        key=system_key(system.name, "backlog"),
        description=f"Everything that {system.title} is owed, the history included, feed by feed in gate order.",
        group_name=system.name,
        kinds={system.name},
        owners=owners(Team.OPERATIONS),
        deps=[system_key(source.name, "baseline") for source in declared.sources],
        retry_policy=RETRIES,
        pool=lane_name(declared.brand, system.name, Lane.BULK, loads=True),
    )
    def backlog(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Services]) -> dg.MaterializeResult[Any]:
        with explained():
            done = [_run_feed(runtime, f, PlanScope(), context.run.run_id) for f in feeds]
        return dg.MaterializeResult(metadata=_by_feed([d for d in done if d]))

    return backlog


def _choices(declared: Declared, system: System) -> dg.AssetsDefinition:
    @dg.asset(
        key=system_key(system.name, CHOICES),
        description=f"Who has opted out in {system.title}, and what holds of everybody's consent by now.",
        group_name=system.name,
        kinds={system.name},
        owners=owners(Team.MARKETING),
        retry_policy=RETRIES,
        pool=f"{declared.brand}_{system.name}_{POOL}",
    )
    def choices(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Services]) -> dg.MaterializeResult[Any]:
        with explained():
            found = work.read_choices(runtime, system.name, run_id=context.run.run_id)
        return dg.MaterializeResult(metadata=metadata.numbers(found))

    return choices


def _catalogue(declared: Declared, system: System, days: dg.DailyPartitionsDefinition) -> dg.AssetsDefinition:
    feeds = [f for f in declared.feeds_of(system.name) if declared.is_catalogue(f)]

    @dg.asset(
        key=system_key(system.name, "catalogue"),
        description=f"The day's snapshot of all products for {system.title}; what changes later goes by interval.",
        group_name=system.name,
        kinds={system.name},
        owners=owners(Team.ECOMMERCE),
        # A local day is no whole number of another zone's windows, so it looks at all of them.
        deps=[dg.AssetDep(load_key(f), partition_mapping=dg.AllPartitionMapping()) for f in feeds],
        partitions_def=days,
        backfill_policy=dg.BackfillPolicy.multi_run(max_partitions_per_run=1),
        retry_policy=RETRIES,
        pool=lane_name(declared.brand, system.name, Lane.BULK, loads=True),
    )
    def catalogue(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Services]) -> dg.MaterializeResult[Any]:
        today = days.get_last_partition_key()
        if list(context.partition_keys) != [today]:
            raise dg.Failure(
                description=f"A catalogue snapshot can be made for today ({today}) only: an earlier one cannot be made "
                "from today's products. Start it for today, or replay windows of the products feed instead.",
                allow_retries=False,
            )
        with explained():
            done = [_run_feed(runtime, f, PlanScope(everything=True), context.run.run_id) for f in feeds]
        return dg.MaterializeResult(metadata=_by_feed([d for d in done if d]))

    return catalogue


def _reconciliation(declared: Declared, system: System) -> dg.AssetsDefinition:
    key, feeds = system_key(system.name, "reconciliation"), declared.feeds_of(system.name)

    @dg.asset(
        key=key,
        description=f"What {system.title} holds against what it should hold: records, money, fields.",
        group_name=system.name,
        kinds={system.name},
        owners=owners(Team.OPERATIONS),
        deps=[newest(load_key(f), windowed=declared.by_window(f)) for f in feeds],
        retry_policy=RETRIES,
        pool=lane_name(declared.brand, system.name, Lane.BULK),
        check_specs=[
            dg.AssetCheckSpec(
                f"{f.name}_agree",
                asset=key,
                description=f"Every difference of {f.id} is explained by a record that is kept back by name.",
            )
            for f in feeds
        ],
    )
    def reconciliation(
        context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Services]
    ) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
        with explained():
            found = {c.feed: c for c in work.reconcile_system(runtime, system.name, run_id=context.run.run_id)}
        shown: dict[str, dg.MetadataValue[Any]] = {}
        for feed in feeds:
            if feed.id in found:
                shown |= comparison_numbers(feed, found[feed.id])
        yield dg.MaterializeResult(asset_key=key, metadata=shown)
        for feed in feeds:
            yield _verdict(key, feed, found.get(feed.id))

    return reconciliation


def comparison_numbers(feed: Feed, found: Comparison) -> dict[str, dg.MetadataValue[Any]]:
    """The numbers of one comparison under names that stay, so that they plot over time."""
    counts: dict[str, object] = {
        f"{feed.name}_source_count": found.source.count,
        f"{feed.name}_expected_count": found.ours.count,
        f"{feed.name}_found_count": found.theirs.count,
        f"{feed.name}_unexplained": len(found.unexplained),
        f"{feed.name}_explained": sum(found.explained.values()),
        f"{feed.name}_in_doubt": found.in_doubt,
    }
    for currency in sorted({*found.ours.totals, *found.theirs.totals}):
        gap = found.ours.totals.get(currency, 0) - found.theirs.totals.get(currency, 0)
        counts[f"{feed.name}_difference_{metadata.plain(currency)}"] = float(money.decimal(gap))
    return metadata.numbers(counts)


def _verdict(key: dg.AssetKey, feed: Feed, found: Comparison | None) -> dg.AssetCheckResult:
    if found is None:
        return dg.AssetCheckResult(
            asset_key=key,
            check_name=f"{feed.name}_agree",
            passed=True,
            metadata=metadata.sentence(f"{feed.id} is off and was not compared."),
        )
    columns = ("record", "kind", "field", "ours", "theirs")
    rows: list[dict[str, str | int]] = [
        {"record": d.key, "kind": d.kind.value, "field": d.field, "ours": d.ours, "theirs": d.theirs}
        for d in found.unexplained[: metadata.MOST_ROWS]
    ]
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=f"{feed.name}_agree",
        passed=found.agreed,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata=metadata.joined(
            [
                metadata.sentence(_advice(feed, found)),
                metadata.table(rows, columns, total=len(found.unexplained)),
                metadata.numbers({"explained": dict(found.explained), "in_doubt": found.in_doubt}),
            ]
        ),
    )


def _advice(feed: Feed, found: Comparison) -> str:
    if found.agreed:
        note = "" if found.read_back else " The destination cannot be read back, so its ledger was compared."
        return f"Both sides agree.{note}"
    if found.unexplained:
        return (
            f"{len(found.unexplained)} differences of {feed.id} have no explanation. Records missing there: replay "
            "their windows. Records changed there: find out who changes them, then send them again with force."
        )
    if found.in_doubt:
        return f"{found.in_doubt} records of {feed.id} are in doubt: look them up at the destination and decide."
    gaps = ", ".join(f"{money.text(amount)} {code}" for code, amount in found.unaccounted.items())
    return f"Money is not accounted for in {feed.id}: {gaps}. The feed's builder loses it; compare single records."


def _run_feed(
    runtime: Services, feed: Feed, scope: PlanScope, run_id: str
) -> tuple[PlanFigures, DeliveryFigures | None] | None:
    """Plan and, where the mode allows it, send one feed."""
    if runtime.mode(feed) is Mode.OFF:
        return None
    planned = work.plan_feed(runtime, feed, scope, run_id=run_id)
    if runtime.mode(feed) is not Mode.WRITE:
        return planned, None
    return planned, work.deliver_feed(runtime, feed, run_id=run_id)


def _by_feed(done: list[tuple[PlanFigures, DeliveryFigures | None]]) -> dict[str, dg.MetadataValue[Any]]:
    columns = ("feed", "read", "unchanged", "kept_back", "to_send", "accepted", "rejected", "in_doubt")
    rows: list[dict[str, str | int]] = []
    for planned, sent in done:
        kept = sum(sum(part.values()) for part in (planned.quarantined, planned.excluded, planned.parked))
        rows.append(
            {
                "feed": planned.feed,
                "read": planned.read + planned.carried_in,
                "unchanged": planned.unchanged,
                "kept_back": kept,
                "to_send": planned.to_send,
                "accepted": sent.accepted if sent else 0,
                "rejected": sum(sent.rejected.values()) if sent else 0,
                "in_doubt": sent.in_doubt if sent else 0,
            }
        )
    sums = {name: sum(int(row[name]) for row in rows) for name in columns[1:]}
    return metadata.numbers(sums) | metadata.table(rows, columns)
