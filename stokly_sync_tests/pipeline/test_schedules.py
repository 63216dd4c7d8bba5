from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from stokly_sync.flow import Window
from stokly_sync.pipeline.build import build_defs
from stokly_sync.pipeline.declared import declare
from stokly_sync.pipeline.jobs import Cadence, plans
from stokly_sync.pipeline.names import load_key, plan_key
from stokly_sync.pipeline.partitions import last_closed, range_tags, window_key, window_partitions
from stokly_sync.pipeline.schedules import requested
from stokly_sync.pipeline.services import Services
from stokly_sync.settings import Settings, load
from stokly_sync.systems import SYSTEMS
from stokly_sync.warehouse.windows import WindowCount, note_landed

SET = {
    "STOKLY_ACCOUNT_KEY": "account",
    "STOKLY_CLIENT_ID": "client",
    "STOKLY_CLIENT_SECRET": "secret",
    "OMETRIA_API_KEY": "key",
    "STOKLY_SYNC_WINDOWS_FROM": "2026-10-01T00:00:00Z",
}
NOON = datetime(2026, 11, 20, 12, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load(SET)


def tick(settings: Settings, schedule: str, moment: datetime) -> dg.ScheduleExecutionData:
    defs = build_defs(settings, SYSTEMS)
    context = dg.build_schedule_context(scheduled_execution_time=moment, repository_def=defs.get_repository_def())
    return defs.resolve_schedule_def(schedule).evaluate_tick(context)


def test_a_tick_asks_for_the_newest_window_that_is_over(settings: Settings) -> None:
    asked = tick(settings, "stokly_windows_schedule", NOON).run_requests
    assert asked is not None
    assert [(r.partition_key, r.run_key) for r in asked] == [("2026-11-20-11:45", "2026-11-20-11:45")]


def test_a_tick_before_the_first_window_is_skipped_with_the_reason() -> None:
    late = load({**SET, "STOKLY_SYNC_WINDOWS_FROM": "2026-11-20T12:00:00Z"})
    skipped = tick(late, "ometria_interval_schedule", NOON)
    assert not skipped.run_requests
    assert "2026-11-20 12:00 UTC" in str(skipped.skip_message)


def test_a_system_without_credentials_is_skipped_and_the_variable_named() -> None:
    skipped = tick(load({}), "ometria_interval_schedule", NOON)
    assert not skipped.run_requests
    assert "OMETRIA_API_KEY" in str(skipped.skip_message)


def test_the_catalogue_is_asked_for_today_in_the_brands_zone(settings: Settings) -> None:
    # 23:30 UTC in summer is the next day in London.
    asked = tick(settings, "ometria_catalogue_schedule", datetime(2026, 7, 1, 23, 30, tzinfo=UTC)).run_requests
    early = load({**SET, "STOKLY_SYNC_WINDOWS_FROM": "2026-06-01T00:00:00Z"})
    asked = tick(early, "ometria_catalogue_schedule", datetime(2026, 7, 1, 23, 30, tzinfo=UTC)).run_requests
    assert asked is not None
    assert [r.partition_key for r in asked] == ["2026-07-02"]


def test_jobs_without_windows_get_a_run_for_each_tick(settings: Settings) -> None:
    stock = next(p for p in plans(declare(settings, SYSTEMS)) if p.name == "ometria_fast")
    first = requested(stock, settings, NOON, None)
    second = requested(stock, settings, NOON + timedelta(minutes=5), None)
    assert isinstance(first, dg.RunRequest)
    assert isinstance(second, dg.RunRequest)
    assert first.run_key != second.run_key


def test_local_schedules_stay_clear_of_the_hour_that_clocks_skip_or_repeat(settings: Settings) -> None:
    nightly = [p for p in plans(declare(settings, SYSTEMS)) if p.cron and p.cadence is not Cadence.WINDOW]
    fixed = [p for p in nightly if p.cron and p.cron.split()[1] != "*"]
    assert fixed
    assert all(p.cron and p.cron.split()[1] not in {"1"} for p in fixed)


def test_windows_are_a_quarter_of_an_hour_in_utc_with_the_running_one_offered() -> None:
    windows = window_partitions(datetime(2026, 10, 25, 0, 0, tzinfo=UTC))
    with dg.partition_loading_context(effective_dt=datetime(2026, 10, 25, 3, 7, tzinfo=UTC)):
        keys = windows.get_partition_keys()
    assert len(keys) == len(set(keys)) == 13, "the night in which London has an hour twice"
    assert keys[-1] == "2026-10-25-03:00"


def test_the_last_closed_window_ends_before_now() -> None:
    assert last_closed(NOON).end == datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    assert window_key(last_closed(NOON).start) == "2026-11-20-11:45"


def test_a_span_covers_every_window_that_it_touches() -> None:
    span = Window(datetime(2026, 11, 20, 10, 7, tzinfo=UTC), datetime(2026, 11, 20, 11, 0, tzinfo=UTC))
    assert sorted(range_tags(span).values()) == ["2026-11-20-10:00", "2026-11-20-10:45"]


def test_a_span_of_one_window_is_that_window_and_no_range() -> None:
    start = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
    assert range_tags(Window(start, start + timedelta(minutes=15))) == {"dagster/partition": "2026-11-20-10:00"}


def test_a_source_is_read_at_every_tick_once(settings: Settings) -> None:
    read = {p.name: p for p in plans(declare(settings, SYSTEMS)) if p.name in {"stokly_windows", "stokly_snapshots"}}
    minutes = [int(m) for p in read.values() for m in str(p.cron).split()[0].split(",")]
    assert sorted(minutes) == list(range(0, 60, 5)), "the stock is read every five minutes, by one of the two"
    assert dg.AssetKey(["stokly", "stock"]) in read["stokly_windows"].keys
    assert read["stokly_snapshots"].keys == (dg.AssetKey(["stokly", "stock"]),)
    assert not any(p.feeds for p in read.values()), "nobody knows what changed without asking"


def test_only_jobs_that_load_by_the_minute_may_be_skipped(settings: Settings) -> None:
    made = plans(declare(settings, SYSTEMS))
    assert {p.name.partition("_")[2] for p in made if p.feeds} == {"interval", "fast"}
    for p in made:
        assert not p.feeds or {key for f in p.feeds for key in (plan_key(f), load_key(f))} == set(p.keys)


@pytest.fixture
def landed(warehouse_url: str) -> Settings:
    """Settings of an empty warehouse."""
    return load({**SET, "STOKLY_SYNC_DATABASE_URL": warehouse_url})


def test_a_destination_with_nothing_to_do_has_no_run_and_the_tick_says_so(landed: Settings) -> None:
    for schedule in ("ometria_interval_schedule", "ometria_fast_schedule"):
        skipped = tick(landed, schedule, NOON)
        assert not skipped.run_requests
        assert skipped.skip_message == "Ometria: nothing changed, nothing is on its way."


def test_a_window_in_which_something_changed_is_asked_for_with_the_reason(landed: Settings) -> None:
    warehouse = Services.standing(landed).warehouse
    with warehouse.transaction() as conn:
        count = WindowCount(last_closed(NOON), read=1, changed=1)
        note_landed(conn, brand=warehouse.brand, dataset="stokly.refunds", counts=[count], run_id="run")
    asked = tick(landed, "ometria_interval_schedule", NOON).run_requests
    assert asked is not None
    assert [(r.partition_key, r.tags["stokly/reason"]) for r in asked] == [
        ("2026-11-20-11:45", "ometria/orders owes a window")
    ]
    assert not tick(landed, "ometria_interval_schedule", NOON + timedelta(minutes=15)).run_requests
    assert not tick(landed, "ometria_fast_schedule", NOON).run_requests


def test_choices_of_all_destinations_that_are_set_up_are_read_back_in_one_run(landed: Settings) -> None:
    asked = tick(landed, "consent_schedule", NOON).run_requests
    assert asked is not None
    (run,) = asked
    assert run.asset_selection
    assert {key.path[0] for key in run.asset_selection} == {"ometria"}, "no other destination has its credentials"


def test_without_a_destination_no_choices_are_read(warehouse_url: str) -> None:
    bare = {name: value for name, value in SET.items() if not name.startswith("OMETRIA")}
    skipped = tick(load({**bare, "STOKLY_SYNC_DATABASE_URL": warehouse_url}), "consent_schedule", NOON)
    assert skipped.skip_message == "No destination is set up."
