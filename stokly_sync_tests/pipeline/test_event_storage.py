"""That what Dagster records of many windows at once is all there, and is not written window by window."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events.log import EventLogEntry
from sqlalchemy import make_url

from stokly_sync.pipeline.event_storage import BATCH_VARIABLE, PostgresEvents, SqliteEvents
from stokly_sync.pipeline.instance_storage import DATABASE_URL

ROOT = Path(__file__).parents[2]
WINDOWS = dg.TimeWindowPartitionsDefinition(
    cron_schedule="*/15 * * * *", start="2026-11-01-00:00", fmt="%Y-%m-%d-%H:%M", timezone="UTC"
)
DAY = {
    "dagster/asset_partition_range_start": "2026-11-02-00:00",
    "dagster/asset_partition_range_end": "2026-11-02-23:45",
}
pytestmark = [
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
    pytest.mark.filterwarnings("ignore::dagster.PreviewWarning"),
]


@pytest.fixture(params=["sqlite", "postgresql"])
def instance(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dg.DagsterInstance]:
    """An instance of the project's own dagster.yaml."""
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.delenv(BATCH_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    if request.param == "postgresql":
        bare = make_url(request.getfixturevalue("fresh_postgres_url")).set(drivername="postgresql")
        monkeypatch.setenv(DATABASE_URL, bare.render_as_string(hide_password=False))
    else:
        monkeypatch.delenv(DATABASE_URL, raising=False)
    with dg.DagsterInstance.get() as opened:
        assert isinstance(opened.event_log_storage, (SqliteEvents, PostgresEvents))
        yield opened


def chain() -> list[dg.AssetsDefinition]:
    """An asset with a blocking check by window, and one that needs it."""
    source, target = dg.AssetKey("source"), dg.AssetKey("target")

    @dg.asset(
        key=source,
        partitions_def=WINDOWS,
        backfill_policy=dg.BackfillPolicy.single_run(),
        check_specs=[dg.AssetCheckSpec("whole", asset=source, partitions_def=WINDOWS, blocking=True)],
    )
    def one() -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        yield dg.MaterializeResult(asset_key=source, metadata={"rows": 1}, tags={"kind": "source"})
        yield dg.AssetCheckResult(asset_key=source, check_name="whole", passed=True)

    @dg.asset(key=target, deps=[source], partitions_def=WINDOWS, backfill_policy=dg.BackfillPolicy.single_run())
    def two() -> dg.MaterializeResult[None]:
        return dg.MaterializeResult(metadata={"rows": 2})

    return [one, two]


def checked(instance: dg.DagsterInstance) -> list[tuple[str, str | None]]:
    """Status and window of all that is recorded of the check, oldest first."""
    found = instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(dg.AssetKey("source"), "whole"), limit=1_000
    )
    return [(record.status.value, record.partition) for record in reversed(found)]


def test_every_window_of_a_range_is_recorded(instance: dg.DagsterInstance) -> None:
    result = dg.materialize(chain(), instance=instance, tags=DAY)
    assert result.success
    for name in ("source", "target"):
        key = dg.AssetKey(name)
        assert len(instance.get_materialized_partitions(key)) == 96
        newest = instance.get_latest_materialization_event(key)
        assert newest is not None
        assert newest.asset_materialization is not None
        assert newest.asset_materialization.partition == "2026-11-02-23:45"
        planned = instance.get_latest_planned_materialization_info(key)
        assert planned is not None
        assert planned.run_id == result.run_id
    logs = instance.get_records_for_run(result.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION).records
    assert len(logs) == 2 * 96


def test_no_window_of_a_range_is_written_by_itself(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone: list[str] = []
    storage = type(instance.event_log_storage)
    store = storage.store_event

    def counted(self: SqliteEvents, event: EventLogEntry) -> None:
        alone.append(event.dagster_event.event_type_value if event.dagster_event else "")
        store(self, event)

    monkeypatch.setattr(storage, "store_event", counted)
    dg.materialize(chain(), instance=instance, tags=DAY)
    assert alone, "the run's own start and end are written one by one"
    assert not {"ASSET_MATERIALIZATION", "ASSET_MATERIALIZATION_PLANNED"} & set(alone)


def test_a_check_over_a_range_is_recorded_once_and_nothing_stays_planned(instance: dg.DagsterInstance) -> None:
    dg.materialize(chain(), instance=instance, tags=DAY)
    assert checked(instance) == [("SUCCEEDED", None)]


def test_a_check_of_one_window_is_recorded_under_that_window(instance: dg.DagsterInstance) -> None:
    dg.materialize(chain(), instance=instance, partition_key="2026-11-03-10:15")
    assert checked(instance) == [("SUCCEEDED", "2026-11-03-10:15")]


def test_a_batch_size_that_somebody_chose_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv(BATCH_VARIABLE, "50")
    monkeypatch.delenv(DATABASE_URL, raising=False)
    with dg.DagsterInstance.get() as instance:
        dg.materialize(chain(), instance=instance, tags=DAY)
        assert len(instance.get_materialized_partitions(dg.AssetKey("source"))) == 96
    assert os.environ[BATCH_VARIABLE] == "50"
