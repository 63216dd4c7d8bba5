from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._serdes import serialize_value

from stokly_sync.pipeline.build import build_defs
from stokly_sync.settings import load
from stokly_sync.systems import SYSTEMS

SNAPSHOT = Path(__file__).with_name("graph.json")
MARKER = "marker-of-a-secret-that-nobody-may-see"


def graph(defs: dg.Definitions) -> dict[str, Any]:
    """Everything that must not vanish unnoticed: keys, groups, dependencies, checks, jobs, crons, sensors."""
    found = defs.resolve_asset_graph()
    return {
        "assets": {
            key.to_user_string(): {
                "group": found.get(key).group_name,
                "needs": sorted(parent.to_user_string() for parent in found.get(key).parent_keys),
                "checks": sorted(check.name for check in found.get(key).check_keys),
                "partitions": type(found.get(key).partitions_def).__name__ if found.get(key).partitions_def else None,
                "pools": sorted(found.get(key).pools or ()),
                "owners": sorted(found.get(key).owners),
            }
            for key in sorted(found.get_all_asset_keys())
        },
        "jobs": {
            job.name: job.run_tags.get("stokly/destination") or job.tags.get("stokly/destination")
            for job in sorted(defs.resolve_all_job_defs(), key=lambda job: job.name)
            if not job.name.startswith("__")
        },
        "schedules": {
            schedule.name: [schedule.cron_schedule, schedule.execution_timezone]
            for schedule in sorted(defs.schedules or (), key=lambda s: s.name)
            if isinstance(schedule, dg.ScheduleDefinition)
        },
        "sensors": sorted(s.name for s in defs.sensors or ()),
    }


def test_definitions_load_without_any_setting(defs: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(defs)


def test_nothing_of_the_graph_changes_unnoticed(defs: dg.Definitions) -> None:
    assert graph(defs) == json.loads(SNAPSHOT.read_text("utf-8")), "if it is meant, renew graph.json in the same commit"


@pytest.mark.filterwarnings("ignore:Property `ScheduleDefinition.environment_vars`:DeprecationWarning")  # Dagster's own
def test_no_secret_reaches_what_dagster_stores_of_the_definitions(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("STOKLY_ACCOUNT_KEY", "STOKLY_CLIENT_ID", "STOKLY_CLIENT_SECRET", "OMETRIA_API_KEY")
    for name in (*names, "STOKLY_SYNC_ALERTS"):
        monkeypatch.setenv(name, f"jsons://hooks.example.com/{MARKER}" if name.endswith("ALERTS") else MARKER)
    settings = load()
    assert len(settings.enabled) == 2, "the marker must really be set"
    repository = build_defs(settings, SYSTEMS).get_repository_def()
    from dagster._core.remote_representation.external_data import RepositorySnap

    assert MARKER not in serialize_value(RepositorySnap.from_def(repository))


def test_every_asset_names_its_owner_and_says_what_it_is(defs: dg.Definitions) -> None:
    for spec in defs.resolve_all_asset_specs():
        assert spec.owners, spec.key
        assert spec.description, spec.key


def test_datasets_show_the_columns_of_their_contract(defs: dg.Definitions) -> None:
    spec = next(s for s in defs.resolve_all_asset_specs() if s.key == dg.AssetKey(["stokly", "orders"]))
    schema = spec.metadata["dagster/column_schema"]
    columns = {column.name: column for column in schema.columns}
    assert columns["order_id"].constraints.nullable is False
    assert "order_id" in columns
    assert columns["customer_email"].constraints.other == ["personal data: cleared by erasure"]


def test_an_asset_of_a_system_without_credentials_names_the_missing_variable(
    defs: dg.Definitions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STOKLY_SYNC_DATABASE_URL", f"sqlite:///{tmp_path / 'w.db'}")
    with dg.DagsterInstance.ephemeral() as instance:
        result = defs.resolve_job_def("ometria_reconciliation").execute_in_process(
            instance=instance, raise_on_error=False
        )
    failure = result.get_step_failure_events()[0].step_failure_data.user_failure_data
    assert failure is not None
    assert "OMETRIA_API_KEY" in str(failure.description)
