"""Assets of a source as a whole: its history, the nightly sweep, and its reference data.

None has partitions. The baseline stops after 50 minutes and is started again by a sensor until the history is complete;
it goes on where it stopped, so no run is long and none is repeated.
"""

# Annotations are not postponed in this module: Dagster looks at them while the assets are made.

from collections.abc import Sequence
from typing import Any, Final

import dagster as dg

from stokly_sync.flow import Lane, System, Team
from stokly_sync.landing.figures import LandingFigures
from stokly_sync.pipeline import metadata, work
from stokly_sync.pipeline.declared import Declared
from stokly_sync.pipeline.failures import RETRIES, explained
from stokly_sync.pipeline.names import lane_name, owners, system_key
from stokly_sync.pipeline.services import Services

BASELINE_SECONDS: Final = 50 * 60.0


def source_assets(declared: Declared) -> list[dg.AssetsDefinition]:
    """Baseline, sweep and reference of every source."""
    made: list[dg.AssetsDefinition] = []
    for source in declared.sources:
        made += [_baseline(declared, source), _sweep(declared, source)]
        if source.reference is not None:
            made.append(_reference(declared, source))
    return made


def _baseline(declared: Declared, source: System) -> dg.AssetsDefinition:
    @dg.asset(
        key=system_key(source.name, "baseline"),
        description=f"The whole history of {source.title}, landed once, in runs of at most 50 minutes.",
        group_name=source.name,
        kinds={source.name},
        owners=owners(Team.OPERATIONS),
        retry_policy=RETRIES,
        pool=lane_name(declared.brand, source.name, Lane.BULK),
    )
    def baseline(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Services]) -> dg.MaterializeResult[Any]:
        with explained():
            found, done = work.land_history(runtime, source.name, run_id=context.run.run_id, seconds=BASELINE_SECONDS)
        return dg.MaterializeResult(metadata={"complete": dg.MetadataValue.bool(done), **_by_dataset(found)})

    return baseline


def _sweep(declared: Declared, source: System) -> dg.AssetsDefinition:
    @dg.asset(
        key=system_key(source.name, "sweep"),
        description=f"Every live record of {source.title} against what is landed: deletions, merges, missed rows.",
        group_name=source.name,
        kinds={source.name},
        owners=owners(Team.OPERATIONS),
        retry_policy=RETRIES,
        pool=lane_name(declared.brand, source.name, Lane.BULK),
    )
    def sweep(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Services]) -> dg.MaterializeResult[Any]:
        with explained():
            found = work.sweep(runtime, source.name, run_id=context.run.run_id)
        return dg.MaterializeResult(metadata=_by_dataset(found))

    return sweep


def _reference(declared: Declared, source: System) -> dg.AssetsDefinition:
    @dg.asset(
        key=system_key(source.name, "reference"),
        description=f"Vocabulary and shape of {source.title}; what changed since yesterday becomes a finding (X22).",
        group_name=source.name,
        kinds={source.name},
        owners=owners(Team.OPERATIONS),
        retry_policy=RETRIES,
        pool=lane_name(declared.brand, source.name, Lane.BULK),
    )
    def reference(context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Services]) -> dg.MaterializeResult[Any]:
        with explained():
            changes = work.refresh_reference(runtime, source.name, run_id=context.run.run_id)
        rows = [{"kind": c.kind, "name": c.key, "change": c.what} for c in changes]
        return dg.MaterializeResult(metadata=metadata.table(rows, ("kind", "name", "change")))

    return reference


def _by_dataset(found: Sequence[LandingFigures]) -> dict[str, dg.MetadataValue[Any]]:
    columns = ("dataset", "read", "changed", "unchanged", "removed", "quarantined", "api_calls")
    rows: list[dict[str, str | int]] = [
        {
            "dataset": f.dataset,
            "read": f.read,
            "changed": f.changed,
            "unchanged": f.unchanged,
            "removed": f.removed,
            "quarantined": f.quarantined.total(),
            "api_calls": f.api_calls,
        }
        for f in found
    ]
    sums = {name: sum(int(row[name]) for row in rows) for name in columns[1:]}
    return metadata.numbers(sums) | metadata.table(rows, columns)
