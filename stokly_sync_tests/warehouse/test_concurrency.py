"""Several processes on one database: locks exclude and die with their holder, merges neither deadlock nor lose."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from stokly_sync.errors import TransientError
from stokly_sync.warehouse.store import Busy, Warehouse
from stokly_sync.warehouse.tables import LANDED

ORDER_TABLE = LANDED["stokly.orders"]


def start(job: str, url: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "stokly_sync_tests.warehouse.processes", job, url, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@contextmanager
def holding(url: str, name: str, purpose: str = "") -> Iterator[subprocess.Popen[str]]:
    """Another process that holds a lock."""
    with start("hold", url, name, purpose) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


@pytest.mark.kill
def test_a_lock_keeps_other_processes_out_and_names_its_holder(warehouse: Warehouse, warehouse_url: str) -> None:
    with holding(warehouse_url, "land:stokly.orders", purpose="run 4711"):
        with (
            pytest.raises(Busy, match=r"demo/land:stokly\.orders is held by .*run 4711.*since .*run this again"),
            warehouse.exclusive("land:stokly.orders"),
        ):
            pytest.fail("two holders")
        with warehouse.exclusive("land:stokly.items"):
            pass


@pytest.mark.kill
def test_a_lock_is_free_as_soon_as_its_holder_is_killed(warehouse: Warehouse, warehouse_url: str) -> None:
    with holding(warehouse_url, "feed:ometria/orders") as process:
        process.send_signal(signal.SIGKILL)
        with warehouse.exclusive("feed:ometria/orders", wait=10):
            pass


@pytest.mark.kill
def test_who_waits_gets_the_lock_once_it_is_free(warehouse: Warehouse, warehouse_url: str) -> None:
    with holding(warehouse_url, "feed:ometria/orders") as process:
        began = time.monotonic()
        with pytest.raises(Busy), warehouse.exclusive("feed:ometria/orders", wait=0.3):
            pytest.fail("two holders")
        assert time.monotonic() - began >= 0.3
        process.kill()
        with warehouse.exclusive("feed:ometria/orders", wait=10):
            pass


def test_a_second_taker_of_the_same_process_is_kept_out_too(warehouse: Warehouse) -> None:
    with warehouse.exclusive("a"), pytest.raises(Busy), warehouse.exclusive("a"):
        pytest.fail("two holders")
    with warehouse.exclusive("a"):
        pass


def test_brands_have_locks_of_their_own(warehouse: Warehouse) -> None:
    with warehouse.exclusive("a"), Warehouse(warehouse.engine, "other").exclusive("a"):
        pass


def test_names_that_look_alike_as_files_are_different_locks(warehouse: Warehouse) -> None:
    with warehouse.exclusive("feed:ometria/orders"), warehouse.exclusive("feed-ometria-orders"):
        pass


def test_a_lock_is_released_when_the_work_fails(warehouse: Warehouse) -> None:
    with pytest.raises(RuntimeError, match="work failed"), warehouse.exclusive("a"):
        raise RuntimeError("work failed")
    with warehouse.exclusive("a"):
        pass


def test_a_lock_that_was_lost_with_its_connection_is_reported(fresh_postgres_url: str) -> None:
    warehouse = Warehouse.open(fresh_postgres_url, brand="demo")
    cut = sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '%run 4711%'")
    with (
        pytest.raises(TransientError, match="the lock demo/a was lost"),
        warehouse.exclusive("a", purpose="run 4711"),
        warehouse.transaction() as conn,
    ):
        conn.execute(cut)
    warehouse.close()


def test_processes_that_merge_the_same_keys_wait_for_each_other_and_lose_nothing(
    warehouse: Warehouse, warehouse_url: str
) -> None:
    rounds = 15
    both = [start("merge_often", warehouse_url, city, str(rounds)) for city in ("Leeds", "York")]
    errors = [process.communicate(timeout=90)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], errors
    with warehouse.reading() as conn:
        c = ORDER_TABLE.c
        found = conn.execute(sa.select(sa.func.count(), sa.func.min(c.tax), sa.func.max(c.tax))).one()
    assert tuple(found) == (300, 2 * rounds, 2 * rounds)


def test_processes_that_replace_the_same_rows_leave_the_newest_version(
    warehouse: Warehouse, warehouse_url: str
) -> None:
    rounds = 15
    both = [start("replace_often", warehouse_url, first, str(rounds)) for first in ("0", "1")]
    errors = [process.communicate(timeout=90)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], errors
    with warehouse.reading() as conn:
        c = ORDER_TABLE.c
        found = conn.execute(sa.select(sa.func.count(), sa.func.min(c.tax), sa.func.max(c.tax))).one()
    assert tuple(found) == (600, 2 * rounds - 1, 2 * rounds - 1)
