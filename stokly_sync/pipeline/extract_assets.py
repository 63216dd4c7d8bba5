"""Assets that land the source: one for each dataset and window, one for each snapshot, and the long ones.

Made from the extracts' declarations. The contract and the row sum are checks inside the asset, blocking, so that
nothing is planned from rows that are not accounted for. Rows live in the warehouse; an asset returns numbers only.
"""

# Annotations are not postponed in this module: Dagster looks at them while the assets are made.

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from stokly_sync.contracts.datasets import DATASETS
from stokly_sync.errors import ContractBroken
from stokly_sync.flow import Extract, Lane, Window
from stokly_sync.landing.figures import LandingFigures
from stokly_sync.landing.grid import STEP, floor
from stokly_sync.pipeline import metadata, work
from stokly_sync.pipeline.declared import Declared, source_of
from stokly_sync.pipeline.failures import RETRIES, explained
from stokly_sync.pipeline.names import dataset_key, lane_name, owners
from stokly_sync.pipeline.partitions import backfill_by_week, span_of, windows_in
from stokly_sync.pipeline.services import Services

CONTRACT, ROW_SUM = "contract", "row_sum"

Results = Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]


class SpanConfig(dg.Config):
    """What a person may choose when starting an extract by hand."""

    since: str = ""
    """Read from this time on (ISO 8601 with a zone) instead of the start of the run's first window."""


def extract_assets(declared: Declared, windows: dg.TimeWindowPartitionsDefinition) -> list[dg.AssetsDefinition]:
    """One asset a dataset, for every source."""
    return [_dataset_asset(declared, e, None if e.snapshot else windows) for e in declared.extracts.values()]


def _dataset_asset(
    declared: Declared, extract: Extract, windows: dg.TimeWindowPartitionsDefinition | None
) -> dg.AssetsDefinition:
    """The asset of one dataset: by window, or unpartitioned for a snapshot, which is of the moment it is made."""
    dataset, key, source = DATASETS[extract.dataset], dataset_key(extract.dataset), source_of(extract.dataset)

    @dg.asset(
        key=key,
        description=extract.description,
        group_name=source,
        kinds={source, "pandera"},
        owners=owners(extract.owner),
        deps=[dataset_key(d) for d in extract.after],
        partitions_def=windows,
        backfill_policy=backfill_by_week() if windows else None,
        retry_policy=RETRIES,
        pool=lane_name(declared.brand, source, Lane.FAST if extract.snapshot else Lane.INTERVAL),
        # Where lists and windows share a run, the lists come first: they are the more urgent.
        op_tags={"dagster/priority": "1"} if extract.snapshot else None,
        metadata={
            "dagster/column_schema": metadata.column_schema(dataset.root),
            "dagster/table_name": dataset.root.sql_name,
        },
        check_specs=[
            dg.AssetCheckSpec(
                CONTRACT,
                asset=key,
                blocking=True,
                partitions_def=windows,
                description="Rows keep the rules of their contract; when most break them, nothing is stored.",
            ),
            dg.AssetCheckSpec(
                ROW_SUM,
                asset=key,
                blocking=True,
                partitions_def=windows,
                description="Rows read = rows changed + unchanged + quarantined.",
            ),
        ],
    )
    def landed(context: dg.AssetExecutionContext, config: SpanConfig, runtime: dg.ResourceParam[Services]) -> Results:
        window = span_of(context, since=config.since) if windows else snapshot_window()
        try:
            with explained():
                found = work.land(runtime, extract.dataset, window, run_id=context.run.run_id)
        except dg.Failure as error:
            if isinstance(error.__cause__, ContractBroken):
                yield _refused(key, error.__cause__)
            raise
        yield from _results(runtime, key, found, windows=windows_in(context) if windows else 1)

    return landed


def snapshot_window() -> Window:
    """The window in which a snapshot that is made now was observed."""
    start = floor(datetime.now(UTC))
    return Window(start, start + STEP)


def _results(runtime: Services, key: dg.AssetKey, found: LandingFigures, *, windows: int) -> Results:
    counts = metadata.numbers(found.as_dict()) | {"dagster/partition_row_count": dg.MetadataValue.int(found.changed)}
    on_asset, on_check = metadata.placed(counts, windows=windows)
    yield dg.MaterializeResult(asset_key=key, metadata=on_asset)
    quarantined = found.quarantined
    yield dg.AssetCheckResult(
        asset_key=key,
        check_name=CONTRACT,
        passed=not quarantined,
        # A warning: the rows are kept back as exceptions, and the others go on.
        severity=dg.AssetCheckSeverity.WARN,
        metadata=metadata.rule_table(quarantined, runtime.catalogue)
        | metadata.sentence(
            "Each row that is kept back is an open exception of the team named; it goes on by itself once it passes."
            if quarantined
            else "Nothing to do."
        ),
    )
    accounted = found.changed + found.unchanged + quarantined.total()
    yield dg.AssetCheckResult(
        asset_key=key,
        check_name=ROW_SUM,
        passed=found.read == accounted,
        metadata=metadata.numbers({"read": found.read, "accounted": accounted}) | on_check,
    )


def _refused(key: dg.AssetKey, error: ContractBroken) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(asset_key=key, check_name=CONTRACT, passed=False, metadata=metadata.sentence(str(error)))
