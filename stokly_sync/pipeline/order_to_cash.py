"""Order to cash in Dagster, for the finance team: an asset for each sales channel by month, checked every morning (G7).

A month, because that is what is closed and what the report sums; each day's run takes the running month and the one
before it, in which refunds and payouts still arrive. The check fails by the orders that differ and stops nothing. What
differs is decided in `reconciliation.order_to_cash`, what is read in `cash`.
"""

# Annotations are not postponed in this module: Dagster looks at them while the assets are made.

from collections.abc import Iterator
from typing import Any, Final

import dagster as dg

from stokly_sync.contracts import money
from stokly_sync.contracts.channels import CODES
from stokly_sync.flow import Team
from stokly_sync.pipeline import metadata
from stokly_sync.pipeline.cash import cash_report
from stokly_sync.pipeline.declared import Declared
from stokly_sync.pipeline.failures import RETRIES, explained
from stokly_sync.pipeline.names import dataset_key, owners
from stokly_sync.pipeline.services import Services
from stokly_sync.reconciliation.order_to_cash import AMOUNTS, Line, sums
from stokly_sync.settings import Settings

NAME: Final = "order_to_cash"
JOB: Final = f"daily_{NAME}"
CHECK: Final = "orders_agree"
CRON: Final = "45 6 * * *"
"""After the night's sweep and reconciliation, before the health check; the brand's own time."""
_HOME: Final = ("orders", "invoices", "refunds", "credit_notes", "dispatches")


def key_of(channel: str) -> dg.AssetKey:
    """The asset of a channel, `order_to_cash/magento`."""
    return dg.AssetKey([NAME, channel])


def cash_assets(declared: Declared, months: dg.MonthlyPartitionsDefinition) -> list[dg.AssetsDefinition]:
    """An asset for each channel."""
    return [_asset(declared, channel, months) for channel in _channels(declared)]


def cash_job(declared: Declared) -> "dg.UnresolvedAssetJobDefinition":
    """The job of all channels."""
    keys = [key_of(channel) for channel in _channels(declared)]
    return dg.define_asset_job(
        JOB, selection=dg.AssetSelection.assets(*keys), description="Order to cash of a month, for each sales channel."
    )


def cash_schedule(
    declared: Declared, settings: Settings, months: dg.MonthlyPartitionsDefinition
) -> dg.ScheduleDefinition:
    """Every morning, on from the start: the month before the running one, and the running one."""

    @dg.schedule(
        name=f"{JOB}_schedule",
        job_name=JOB,
        cron_schedule=CRON,
        execution_timezone=settings.core.time_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Order to cash of this month and the last one.",
    )
    def tick(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
        there = [
            key_of(channel) for channel in _channels(declared) if {channel, declared.home} <= settings.enabled.keys()
        ]
        if not there:
            return dg.SkipReason("No sales channel is set up beside the system that holds its orders.")
        moment = context.scheduled_execution_time
        with dg.partition_loading_context(effective_dt=moment):
            newest = list(months.get_partition_keys())[-2:]
        return [
            dg.RunRequest(partition_key=month, run_key=f"{moment:%F}/{month}", asset_selection=there)
            for month in newest
        ]

    return tick


def _channels(declared: Declared) -> list[str]:
    return [channel for channel in CODES if f"{channel}.orders" in declared.extracts]


def _asset(declared: Declared, channel: str, months: dg.MonthlyPartitionsDefinition) -> dg.AssetsDefinition:
    key, title = key_of(channel), declared.systems[channel].title
    read = [f"{channel}.orders", f"{channel}.refunds", *(f"{declared.home}.{name}" for name in _HOME)]

    @dg.asset(
        key=key,
        description=f"Each order of {title} placed in a month followed to invoice, payment, refund, fee and VAT.",
        group_name=NAME,
        kinds={channel},
        owners=owners(Team.FINANCE),
        # A month is looked at as it is landed now, whichever window brought it.
        deps=[dg.AssetDep(dataset_key(name), partition_mapping=dg.AllPartitionMapping()) for name in read],
        partitions_def=months,
        backfill_policy=dg.BackfillPolicy.multi_run(max_partitions_per_run=1),
        retry_policy=RETRIES,
        check_specs=[
            dg.AssetCheckSpec(
                CHECK, asset=key, description="Both sides of every order agree: total, payment, VAT, refund, invoice."
            )
        ],
    )
    def cash(
        context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Services]
    ) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
        month = context.partition_time_window
        with explained():
            lines = cash_report(runtime, channel, since=month.start, until=month.end)
        yield dg.MaterializeResult(asset_key=key, metadata=_figures(lines))
        yield _verdict(key, channel, lines)

    return cash


def _figures(lines: list[Line]) -> dict[str, dg.MetadataValue[Any]]:
    """Counts, each currency's amounts under names that stay, and the sums as a table."""
    columns = ("currency", "orders", "invoiced", "differing", *AMOUNTS)
    counts: dict[str, Any] = {"orders": len(lines), "invoiced": 0, "differing": 0}
    rows: list[dict[str, str | int]] = []
    for (_, currency), one in sums(lines).items():
        counts["invoiced"] += one.invoiced
        counts["differing"] += one.differing
        counts |= {f"{name}_{metadata.plain(currency)}": float(money.decimal(one.amounts[name])) for name in AMOUNTS}
        amounts = {name: money.text(one.amounts[name]) for name in AMOUNTS}
        tallies = {"orders": one.orders, "invoiced": one.invoiced, "differing": one.differing}
        rows.append({"currency": currency, **tallies, **amounts})
    return metadata.numbers(counts) | metadata.table(rows, columns)


def _verdict(key: dg.AssetKey, channel: str, lines: list[Line]) -> dg.AssetCheckResult:
    apart = [line for line in lines if line.differs]
    rows: list[dict[str, str | int]] = [
        {
            "order": line.number,
            "placed": f"{line.placed_at:%F}",
            "state": line.state,
            "differs": "; ".join(line.differs),
        }
        for line in apart[: metadata.MOST_ROWS]
    ]
    what = (
        f"{len(apart)} of {len(lines)} orders differ. `stokly-sync order-to-cash {channel} --csv FILE` lists them all."
        if apart
        else f"{len(lines)} orders, and nothing differs."
    )
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=CHECK,
        passed=not apart,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata=metadata.joined(
            [
                metadata.sentence(what),
                metadata.table(rows, ("order", "placed", "state", "differs"), total=len(apart)),
            ]
        ),
    )
