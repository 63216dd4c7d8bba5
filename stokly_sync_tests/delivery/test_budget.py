"""One rate budget for all processes of a key: the limit holds, urgent lanes go first, and a pause is heeded by all."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from pydantic import BaseModel, SecretStr

from stokly_sync.delivery.budget import DatabaseBudget, Limits, budget_for
from stokly_sync.errors import TransientError
from stokly_sync.flow import Lane
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import RATE_BUDGETS
from stokly_sync_tests.delivery.kit import T0


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.time = T0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += timedelta(seconds=seconds)


def budget(warehouse: Warehouse, clock: Clock, limits: Limits, key: str = "test:key") -> DatabaseBudget:
    return DatabaseBudget(warehouse.engine, key, limits, now=clock.now, sleep=clock.sleep)


def most_within(times: list[datetime], seconds: float) -> int:
    """The largest number of calls in any half-open span of so many seconds."""
    span = timedelta(seconds=seconds)
    return max(sum(start <= t < start + span for t in times) for start in times)


LIMITS = [
    Limits(4, 1.0),  # Ometria's Data API
    Limits(120, 60.0),  # Stokly
    Limits(35, 60.0),  # a small plan of Dotdigital
    Limits(20, 1.0, burst=5),
]


@pytest.mark.parametrize("limits", LIMITS)
def test_no_span_of_time_holds_more_calls_than_the_limit(warehouse: Warehouse, limits: Limits) -> None:
    clock, times = Clock(), []
    mine, other = budget(warehouse, clock, limits), budget(warehouse, clock, limits)
    for i in range(int(limits.calls * 2.5)):
        (other if i % 3 == 0 else mine).take(lane=(Lane.BULK, Lane.INTERVAL, Lane.FAST)[i % 3])
        times.append(clock.now())
    assert most_within(times, limits.seconds) <= limits.calls


@pytest.mark.parametrize("limits", LIMITS)
@pytest.mark.parametrize("lane", list(Lane))
def test_the_limit_is_used_and_not_only_kept(warehouse: Warehouse, limits: Limits, lane: Lane) -> None:
    clock, times = Clock(), []
    mine = budget(warehouse, clock, limits)
    for _ in range(int(limits.calls * 2.5)):
        mine.take(lane=lane)
        times.append(clock.now())
    assert most_within(times, limits.seconds) <= limits.calls
    assert (times[-1] - times[0]).total_seconds() < 1.25 * 2.5 * limits.seconds


def test_two_processes_together_keep_the_limit(warehouse: Warehouse, warehouse_url: str) -> None:
    script = (
        "import sys, time\n"
        "from datetime import UTC, datetime\n"
        "from stokly_sync.delivery.budget import DatabaseBudget, Limits\n"
        "from stokly_sync.flow import Lane\n"
        "from stokly_sync.warehouse.engine import open_engine\n"
        "budget = DatabaseBudget(open_engine(sys.argv[1]), 'test:shared', Limits(20, 1.0))\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "for _ in range(25):\n"
        "    budget.take(lane=Lane.BULK)\n"
        "    print(datetime.now(UTC).timestamp(), flush=True)\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, warehouse_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    outputs = [""] * 2

    def finish(i: int) -> None:
        outputs[i] = processes[i].communicate("go\n", timeout=60)[0]

    threads = [threading.Thread(target=finish, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times = sorted(float(line) for output in outputs for line in output.split())
    assert len(times) == 50
    assert times[-1] - times[0] >= 49 / 20 * 0.98
    with warehouse.reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(RATE_BUDGETS)).scalar_one() == 1


def test_the_database_is_asked_about_once_a_second_and_not_for_each_call(warehouse: Warehouse) -> None:
    statements: list[str] = []
    sa.event.listen(
        warehouse.engine,
        "before_cursor_execute",
        lambda conn, cursor, statement, *rest: statements.append(statement),
    )
    clock = Clock()
    steady = budget(warehouse, clock, Limits(50, 1.0))
    for _ in range(500):
        steady.take(lane=Lane.INTERVAL)
    updates = sum(statement.startswith("UPDATE") for statement in statements)
    assert updates <= 20


def test_an_urgent_call_passes_a_bulk_load_that_takes_all_it_can(warehouse: Warehouse) -> None:
    clock, limits = Clock(), Limits(120, 60.0)
    bulk, fast = budget(warehouse, clock, limits), budget(warehouse, clock, limits)
    for _ in range(200):
        bulk.take(lane=Lane.BULK)
    began = clock.now()
    fast.take(lane=Lane.FAST)
    # Half of the burst is kept for it.
    assert clock.now() == began


def test_bulk_waits_while_urgent_calls_queue(warehouse: Warehouse) -> None:
    clock, limits = Clock(), Limits(1, 1.0)
    fast, bulk = budget(warehouse, clock, limits), budget(warehouse, clock, limits)
    with warehouse.transaction() as connection:
        # Five urgent calls of other processes have taken the next slots.
        ahead = T0 + timedelta(seconds=5)
        connection.execute(sa.insert(RATE_BUDGETS).values(key="test:key", next_slot=ahead, updated_at=T0))
    bulk.take(lane=Lane.BULK)
    assert clock.now() >= ahead
    fast.take(lane=Lane.FAST)
    assert clock.now() >= ahead + timedelta(seconds=1)


def test_a_pause_that_the_server_asks_for_holds_for_every_process(warehouse: Warehouse) -> None:
    clock, limits = Clock(), Limits(10, 1.0)
    told, other = budget(warehouse, clock, limits), budget(warehouse, clock, limits)
    told.take(lane=Lane.BULK)
    told.observe(retry_after=30)
    other.take(lane=Lane.FAST)
    assert clock.now() >= T0 + timedelta(seconds=30)
    told.take(lane=Lane.BULK)


def test_a_shorter_pause_does_not_lift_a_longer_one(warehouse: Warehouse) -> None:
    clock, limits = Clock(), Limits(10, 1.0)
    mine = budget(warehouse, clock, limits)
    mine.observe(retry_after=30)
    mine.observe(retry_after=1)
    mine.take(lane=Lane.FAST)
    assert clock.now() >= T0 + timedelta(seconds=30)


def test_a_pause_longer_than_a_call_may_wait_is_an_error_with_the_time_left(warehouse: Warehouse) -> None:
    clock = Clock()
    mine = budget(warehouse, clock, Limits(10, 1.0, longest_wait=60))
    mine.observe(retry_after=3600)
    with pytest.raises(TransientError, match="next call in 3600 s") as error:
        mine.take(lane=Lane.FAST)
    assert error.value.retry_after == pytest.approx(3600)
    assert clock.slept == []


def test_bursts_end_when_the_server_says_that_little_is_left(warehouse: Warehouse) -> None:
    clock, limits = Clock(), Limits(120, 60.0)
    mine = budget(warehouse, clock, limits)
    mine.observe(remaining=100)
    mine.take(lane=Lane.FAST)
    assert clock.now() == T0
    mine.observe(remaining=0)
    mine.take(lane=Lane.FAST)
    assert clock.now() >= T0 + 10 * limits.apart


def test_different_keys_do_not_wait_for_each_other(warehouse: Warehouse) -> None:
    clock, limits = Clock(), Limits(1, 60.0)
    budget(warehouse, clock, limits, "one").take(lane=Lane.BULK)
    budget(warehouse, clock, limits, "two").take(lane=Lane.BULK)
    assert clock.now() == T0


def test_a_budget_from_settings_is_told_apart_by_its_secret_and_never_shows_it(warehouse: Warehouse) -> None:
    class Account(BaseModel):
        api_key: SecretStr
        rate_per_minute: int = 6000

    for secret in ("first-secret", "second-secret", "first-secret"):
        budget_for(warehouse.engine, "test", Account(api_key=SecretStr(secret))).take(lane=Lane.FAST)
    with warehouse.reading() as connection:
        keys = list(connection.execute(sa.select(RATE_BUDGETS.c.key)).scalars())
    assert len(keys) == 2
    assert not any("secret" in key for key in keys)


@pytest.mark.parametrize("lane", list(Lane))
@pytest.mark.parametrize("limits", LIMITS)
def test_the_time_that_calls_take_is_told_before(warehouse: Warehouse, limits: Limits, lane: Lane) -> None:
    clock, calls = Clock(), int(limits.calls * 2.5)
    mine, began = budget(warehouse, clock, limits), clock.now()
    for _ in range(calls):
        mine.take(lane=lane)
    took = (clock.now() - began).total_seconds()
    assert limits.duration(calls, lane) == pytest.approx(took, abs=2 * limits.apart.total_seconds())
    assert limits.duration(1, lane) == 0
