from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from stokly_sync.flow import Window
from stokly_sync.landing.grid import STEP, floor
from stokly_sync.pipeline import gaps
from stokly_sync.pipeline.failed_runs import KIND, note_failed_runs
from stokly_sync.pipeline.sensors import MOST_REQUESTS, needs_backlog, requests_for
from stokly_sync.pipeline.services import Services
from stokly_sync.settings import load
from stokly_sync.warehouse import findings, windows
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.windows import WindowCount

NOW = datetime(2026, 11, 20, 12, 5, tzinfo=UTC)
NOON = floor(NOW)


@pytest.fixture
def services(warehouse_url: str) -> Services:
    return Services.of(
        load({"STOKLY_SYNC_DATABASE_URL": warehouse_url, "STOKLY_SYNC_WINDOWS_FROM": "2026-11-01T00:00:00Z"})
    )


def land(services: Services, dataset: str, start: datetime, *, changed: int = 1) -> None:
    brand = services.warehouse.brand
    with services.warehouse.transaction() as conn:
        count = WindowCount(Window(start, start + STEP), read=changed, changed=changed)
        windows.note_landed(conn, brand=brand, dataset=dataset, counts=[count], run_id="run")
        windows.advance(conn, brand=brand, dataset=dataset)


def complete_history(services: Services, to: datetime) -> None:
    with services.warehouse.transaction() as conn:
        for dataset in services.declared.extracts:
            windows.set_baseline(conn, brand=services.warehouse.brand, dataset=dataset, to=to, cursor=None, done=True)


def test_without_a_history_there_are_no_gaps_yet(services: Services) -> None:
    assert gaps.not_landed(services, "stokly", now=NOW) == []
    assert not gaps.history_complete(services, "stokly")


def test_a_window_that_one_dataset_lacks_is_a_gap(services: Services) -> None:
    complete_history(services, NOON - 3 * STEP)
    for dataset in services.declared.extracts:
        land(services, dataset, NOON - 3 * STEP)
        if dataset != "stokly.refunds":
            land(services, dataset, NOON - 2 * STEP)
    assert gaps.history_complete(services, "stokly")
    assert [w.start for w in gaps.not_landed(services, "stokly", now=NOW)] == [NOON - 2 * STEP]


def test_a_window_that_is_just_over_is_left_to_its_schedule(services: Services) -> None:
    complete_history(services, NOON - STEP)
    assert gaps.not_landed(services, "stokly", now=NOW) == []
    assert len(gaps.not_landed(services, "stokly", now=NOW + timedelta(minutes=15))) == 1


def test_a_late_row_makes_its_window_due_again_under_a_new_token(services: Services) -> None:
    start = NOON - 4 * STEP
    land(services, "stokly.orders", start)
    first = gaps.owed_windows(services, "ometria", now=NOW)
    land(services, "stokly.orders", start)
    second = gaps.owed_windows(services, "ometria", now=NOW)
    assert list(first) == list(second) == [start]
    assert first[start] < second[start]


def test_what_is_owed_from_before_the_first_window_needs_the_backlog(services: Services) -> None:
    first = services.settings.core.windows_from
    assert needs_backlog(services, [first - timedelta(days=1)])
    assert not needs_backlog(services, [first, NOON])
    assert needs_backlog(services, [first + i * STEP for i in range(gaps.MANY + 1)])


def test_a_tick_asks_for_few_runs_and_for_none_that_is_in_progress() -> None:
    starts = [(NOON + i * STEP, "land") for i in range(20)]
    asked = requests_for(starts, busy={"2026-11-20-12:00"}, now=NOW)
    assert len(asked) == MOST_REQUESTS
    assert asked[0].partition_key == "2026-11-20-12:15"


def test_a_window_is_tried_again_after_an_hour_or_when_more_is_owed() -> None:
    def key(token: str, now: datetime) -> str | None:
        return requests_for([(NOON, token)], busy=(), now=now)[0].run_key

    assert key("1", NOW) == key("1", NOW + timedelta(minutes=5))
    assert key("1", NOW) != key("2", NOW)
    assert key("1", NOW) != key("1", NOW + timedelta(hours=1))


@dg.op
def works() -> None: ...


@dg.op
def breaks() -> None:
    raise dg.Failure("broken on purpose", allow_retries=False)


def run(instance: dg.DagsterInstance, op: dg.OpDefinition) -> None:
    job = dg.JobDefinition(name="nightly", graph_def=dg.GraphDefinition("nightly", node_defs=[op]))
    job.execute_in_process(instance=instance, raise_on_error=False)


def test_a_failed_run_is_one_finding_until_its_job_works_again(warehouse: Warehouse) -> None:
    with dg.instance_for_test() as instance:
        run(instance, breaks)
        run(instance, breaks)
        _, _, cursor = note_failed_runs(warehouse, instance, None)
        with warehouse.reading() as conn:
            opened = findings.open_findings(conn, brand=warehouse.brand)
        assert [(f.kind, f.subject) for f in opened] == [(KIND, "nightly")]
        raised, cleared, cursor = note_failed_runs(warehouse, instance, cursor)
        assert (raised, cleared) == (0, 0)
        run(instance, works)
        raised, cleared, cursor = note_failed_runs(warehouse, instance, cursor)
        assert (raised, cleared) == (0, 1)


def test_a_failure_that_is_over_before_anybody_looked_is_no_finding(warehouse: Warehouse) -> None:
    with dg.instance_for_test() as instance:
        run(instance, breaks)
        run(instance, works)
        assert note_failed_runs(warehouse, instance, None)[:2] == (0, 0)
