from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from stokly_sync.errors import SettingsError
from stokly_sync.flow import Window
from stokly_sync.landing.grid import STEP, floor
from stokly_sync.pipeline import headless
from stokly_sync.pipeline.partitions import WINDOWS_A_RUN, range_tags, window_key
from stokly_sync.pipeline.summary import Exit, Summary, summarise
from stokly_sync.sandbox.kit.faults import Fault
from stokly_sync.warehouse import windows
from stokly_sync_tests.pipeline.conftest import Rig

pytestmark = pytest.mark.sandbox
on_sqlite = pytest.mark.parametrize("warehouse_url", ["sqlite"], indirect=True)


def sync(rig: Rig, **asked: object) -> Summary:
    ran = headless.sync(rig.services, rig.instance, headless.Request(**asked))  # type: ignore[arg-type]
    return summarise(rig.services, ran)


def test_the_first_sync_loads_the_history_and_the_second_sends_nothing(rig: Rig) -> None:
    first = sync(rig)
    assert first.failures == ()
    assert first.exit is Exit.AGREED
    assert first.feeds["ometria/orders"].accepted > 0
    assert all(feed.closes for feed in first.feeds.values())
    second = sync(rig)
    assert second.exit is Exit.AGREED
    assert sum(feed.to_send for feed in second.feeds.values()) == 0


@on_sqlite
def test_a_replay_sends_only_what_is_missing_and_leaves_the_watermark(rig: Rig) -> None:
    sync(rig)
    before = marks(rig)
    since = datetime.now(UTC) - timedelta(days=60)
    until = datetime.now(UTC) - timedelta(hours=6)
    replayed = sync(rig, since=since, until=until)
    assert replayed.failures == ()
    assert sum(feed.to_send for feed in replayed.feeds.values()) == 0
    assert marks(rig) == before
    forced = sync(rig, since=since, force=True)
    assert forced.feeds["ometria/orders"].to_send == forced.feeds["ometria/orders"].accepted > 0


@on_sqlite
def test_a_plan_sends_nothing_and_a_sync_of_it_sends_exactly_that(rig: Rig) -> None:
    plan_id, figures, ran = headless.plan(rig.services, rig.instance, headless.Request())
    assert ran.failures == []
    wanted = {f.feed: f.to_send for f in figures}
    assert sum(wanted.values()) > 0
    held = rig.services.declared.feeds["ometria/orders"]
    assert held.id in wanted
    sent = sync(rig, plan_id=plan_id)
    assert sent.failures == ()
    assert {feed: f.accepted for feed, f in sent.feeds.items()} == wanted


@on_sqlite
def test_a_plan_that_nobody_made_is_refused_before_anything_runs(rig: Rig) -> None:
    with pytest.raises(SettingsError, match="no plan nothing"):
        sync(rig, plan_id="nothing")


@on_sqlite
def test_an_unknown_system_is_refused_before_anything_runs(rig: Rig) -> None:
    with pytest.raises(SettingsError, match="no system 'oracle'"):
        sync(rig, only="oracle")


@on_sqlite
def test_a_span_before_the_first_window_is_refused_with_the_setting_to_change(rig: Rig) -> None:
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    with pytest.raises(SettingsError, match="STOKLY_SYNC_WINDOWS_FROM"):
        sync(rig, since=long_ago, until=long_ago + timedelta(days=1))


@on_sqlite
def test_wrong_credentials_end_the_sync_with_the_reason(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOKLY_CLIENT_SECRET", "wrong")
    summary = sync(rig)
    assert summary.exit is Exit.COULD_NOT_RUN
    assert "STOKLY_CLIENT_SECRET" in summary.failures[0]


@on_sqlite
def test_a_feed_that_observes_is_planned_and_reconciled_but_not_sent(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMETRIA_MODES", '{"orders": "observe", "dispatches": "off"}')
    services = type(rig.services).open()
    watching = Rig(rig.sandbox, services, rig.instance)
    summary = sync(watching)
    services.close()
    assert summary.feeds["ometria/orders"].to_send > 0
    assert summary.feeds["ometria/orders"].accepted == 0
    assert "ometria/dispatches" not in summary.feeds
    assert summary.reconciliations["ometria"]["status"] == "differs", "nobody sent the orders"


@on_sqlite
def test_a_window_is_landed_by_its_asset_with_checks_and_numbers(rig: Rig, defs: dg.Definitions) -> None:
    key = window_key(floor(datetime.now(UTC)) - STEP)
    result = defs.resolve_job_def("stokly_windows").execute_in_process(instance=rig.instance, partition_key=key)
    assert {e.check_name for e in result.get_asset_check_evaluations()} == {"contract", "row_sum"}
    orders = result.asset_materializations_for_node("stokly__orders")[0]
    assert orders.partition == key
    assert orders.metadata["read"] == dg.MetadataValue.int(0)
    assert orders.metadata["api_calls"] != dg.MetadataValue.int(0)


@on_sqlite
def test_a_backfill_of_a_week_sends_nothing_again_and_leaves_the_watermark(rig: Rig, defs: dg.Definitions) -> None:
    sync(rig)
    before = marks(rig)
    end = floor(datetime.now(UTC)) - timedelta(days=1)
    keys = [dg.AssetKey(path) for path in (["stokly", "orders"], ["ometria", "orders_plan"], ["ometria", "orders"])]
    result = defs.resolve_implicit_global_asset_job_def().execute_in_process(
        instance=rig.instance, asset_selection=keys, tags=range_tags(Window(end - WINDOWS_A_RUN * STEP, end))
    )
    assert marks(rig) == before
    checks = {e.check_name: e for e in result.get_asset_check_evaluations() if e.asset_key == keys[1]}
    assert checks["row_sum"].metadata["read"] != dg.MetadataValue.int(0)
    assert checks["row_sum"].metadata["to_send"] == dg.MetadataValue.int(0)
    stored = result.asset_materializations_for_node("ometria__orders_plan")
    assert len(stored) == WINDOWS_A_RUN
    assert set(stored[0].metadata) == {"windows_in_run"}, "the counts of a week are not those of each of its windows"


@on_sqlite
def test_the_catalogue_refuses_any_day_but_today(rig: Rig, defs: dg.Definitions) -> None:
    yesterday = (datetime.now(UTC) - timedelta(days=2)).strftime("%Y-%m-%d")
    result = defs.resolve_job_def("ometria_catalogue").execute_in_process(
        instance=rig.instance, partition_key=yesterday, raise_on_error=False
    )
    assert not result.success
    assert result.get_step_failure_events()[0].step_failure_data.user_failure_data is not None


def marks(rig: Rig) -> dict[str, datetime | None]:
    brand = rig.services.warehouse.brand
    with rig.services.warehouse.reading() as conn:
        return {
            d: windows.watermark(conn, brand=brand, dataset=d).watermark for d in sorted(rig.services.declared.extracts)
        }


@on_sqlite
def test_a_destination_that_refuses_us_fails_the_sync_and_what_was_not_sent_leaves_later(rig: Rig) -> None:
    ometria = rig.sandbox.systems["ometria"]
    ometria.faults.add(Fault(method="POST", path="/push", status=403, times=None))
    refused = sync(rig)
    assert refused.exit is Exit.COULD_NOT_RUN
    assert any("OMETRIA_API_KEY" in reason or "Ometria" in reason for reason in refused.failures)
    ometria.faults.clear()
    assert sync(rig).exit is Exit.AGREED
