"""A sync that is killed at any step and started again ends where an undisturbed one ends (X6, X18).

The whole product runs in the killed process, against sandboxes that live on. Compared are all landed rows, the state
and content of every record in the ledger, the exceptions, and what the destination holds.

Every destination is killed at every step of a load, on the databases that its bench names: `delivery` kills on both in
every way of sending. Reading knows no destination, so it is killed for one, and for one that is a source as well.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from stokly_sync.crashpoints import EXIT_STATUS
from stokly_sync.delivery.doubts import Word, resolve
from stokly_sync.sandbox.kit import Fault
from stokly_sync.sandbox.stokly import Delete, Merge
from stokly_sync.warehouse.tables import ATTEMPTS, LANDED
from stokly_sync_tests.acceptance.account import order_ids
from stokly_sync_tests.acceptance.bench import Bench
from stokly_sync_tests.acceptance.benches import ON_EACH, MagentoBench, OmetriaBench, on_each, told
from stokly_sync_tests.acceptance.harness import TODAY, Rig, landed, opened, saved
from stokly_sync_tests.fault.process import FINISHED, started

pytestmark = [pytest.mark.kill, pytest.mark.sandbox]

# Long ago, so that the same rows have the same times in both accounts.
THEN = datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC) - timedelta(days=3)


def is_read(place: str) -> bool:
    return place.startswith("extract:")


READ_FOR = [run for run in ON_EACH if isinstance(run[0], OmetriaBench | MagentoBench)]
READING = [told(bench, engine, place) for bench, engine in READ_FOR for place in bench.places if is_read(place)]
LOADING = [told(bench, engine, place) for bench, engine in ON_EACH for place in bench.places if not is_read(place)]
of_one = pytest.mark.parametrize(
    ("bench", "warehouse_url"), [told(*run) for run in ON_EACH if isinstance(run[0], OmetriaBench)], indirect=True
)


@dataclass(frozen=True)
class End:
    """Everything that two ways to the same end must have in common."""

    landed: dict[str, Any]
    ledger: dict[tuple[str, str], tuple[Any, ...]]
    exceptions: set[tuple[str, str, str]]
    held: dict[str, Any]


def end_of(rig: Rig) -> End:
    names = ["state", "rule", "document", "value", "currency", "stale"]
    if not rig.bench.names_there:
        names.append("accepted_hash")
    rig.come_to_rest()
    ledger = {key: tuple(row[name] for name in names) for key, row in rig.ledger().items()}
    # What is read of the destination itself tells when that was written; what it holds is compared instead.
    return End(landed(rig.services, but=rig.bench.system), ledger, rig.exceptions(), rig.bench.flat(rig))


def prepare(rig: Rig) -> None:
    """Some more records, one of which breaks its contract."""
    rig.bench.add(rig, rig.bench.main, range(1, 21), created=THEN)
    rig.bench.add(rig, rig.bench.follows, range(1, 9), created=THEN)
    rig.bench.spoil(rig, 9, created=THEN)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Callable[[Bench], End]:
    """The end of a sync that nobody disturbs."""

    @cache
    def done(bench: Bench) -> End:
        path = tmp_path_factory.mktemp("undisturbed") / "warehouse.sqlite"
        shutil.copy(migrated_sqlite, path)
        with opened(bench, f"sqlite:///{path}") as rig:
            prepare(rig)
            rig.sync().fine()
            return end_of(rig)

    return done


@dataclass(frozen=True)
class Landed:
    """A database in which everything is landed and nothing planned, the state of both sandboxes, and where it ends."""

    database: Path
    state: Mapping[str, bytes]
    end: End


@pytest.fixture(scope="module")
def landings(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Callable[[Bench], Landed]:
    """What a load begins with, made once for all tests that kill one."""

    @cache
    def done(bench: Bench) -> Landed:
        path = tmp_path_factory.mktemp("landed") / "warehouse.sqlite"
        shutil.copy(migrated_sqlite, path)
        with opened(bench, f"sqlite:///{path}", environ=bench.small_batches) as rig:
            prepare(rig)
            rig.extract()
            state = saved(rig)
        loaded = path.with_name("loaded.sqlite")
        shutil.copy(path, loaded)
        with opened(bench, f"sqlite:///{loaded}", environ=bench.small_batches, state=state) as rig:
            rig.sync().fine()
            return Landed(path, state, end_of(rig))

    return done


@pytest.fixture
def rig_to_load(bench: Bench, warehouse_url: str, landings: Callable[[Bench], Landed]) -> Iterator[Rig]:
    """The rig with everything landed and nothing planned."""
    before, database = landings(bench), sa.make_url(warehouse_url)
    if database.get_backend_name() == "sqlite":
        shutil.copy(before.database, str(database.database))
    with opened(bench, warehouse_url, environ=bench.small_batches, state=before.state) as rig:
        if database.get_backend_name() != "sqlite":
            rig.extract()
        yield rig


def decide(rig: Rig) -> None:
    """What a person does about records in doubt: looks at the destination and says what is there, then all goes on."""
    rows = {(feed, key): row for (feed, key), row in rig.ledger().items() if row["state"] == "in_doubt"}
    for (feed, key), row in rows.items():
        # Sales lines are held by order, everything else under the key of its record.
        there = json.loads(row["document"]).get("order", key) in rig.held(feed)
        declared, catalogue = rig.services.feed(rig.feed_id(feed)), rig.services.catalogue
        word: Word = "arrived" if there else "again"
        resolve(rig.services.warehouse, declared, [key], word, catalogue=catalogue, run_id="a person")
    if rows:
        rig.sync().fine()


def killed(rig: Rig, place: str, *, sweep: bool = False) -> None:
    process = started(rig.env, rig.bench.system, crash_at=place, sweep=sweep)
    process.join(timeout=60)
    assert process.exitcode == EXIT_STATUS, f"it ended with {process.exitcode} and not at {place}"


@pytest.mark.parametrize(("bench", "warehouse_url", "place"), READING, indirect=["bench", "warehouse_url"])
def test_a_sync_killed_while_it_reads_ends_as_an_undisturbed_one(
    rig_on_each: Rig, undisturbed: Callable[[Bench], End], place: str
) -> None:
    rig = rig_on_each
    prepare(rig)
    killed(rig, place)
    rig.sync().fine()
    decide(rig)
    assert end_of(rig) == undisturbed(rig.bench)


@pytest.mark.parametrize(("bench", "warehouse_url", "place"), LOADING, indirect=["bench", "warehouse_url"])
def test_a_sync_killed_at_any_step_of_its_load_ends_as_an_undisturbed_one(
    rig_to_load: Rig, landings: Callable[[Bench], Landed], place: str
) -> None:
    rig = rig_to_load
    killed(rig, place)
    rig.sync().fine()
    decide(rig)
    assert end_of(rig) == landings(rig.bench).end


@on_each
def test_a_process_that_is_killed_again_and_again_gets_there_all_the_same(
    rig_on_each: Rig, undisturbed: Callable[[Bench], End]
) -> None:
    rig = rig_on_each
    prepare(rig)
    for place in ("extract:after-commit:2", "plan:after-commit:2", "send:after-call:1", "settle:before-merge:1"):
        if place.startswith("settle") and "later" in rig.bench.lacks:
            continue
        killed(rig, place)
    process = started(rig.env, rig.bench.system)
    process.join(timeout=60)
    assert process.exitcode == FINISHED
    decide(rig)
    assert end_of(rig) == undisturbed(rig.bench)
    rig.agrees()
    assert rig.sync().fine().sent == {}


@on_each
def test_kill_9_while_a_call_is_in_flight_loses_and_doubles_nothing(
    rig_on_each: Rig, undisturbed: Callable[[Bench], End]
) -> None:
    rig = rig_on_each
    prepare(rig)
    rig.there.faults.add(rig.bench.fault(action="pass", delay=0.5, times=None))
    process = started(rig.env, rig.bench.system)
    wait_until(lambda: open_attempts(rig) > 0)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join(timeout=10)
    assert process.exitcode == -signal.SIGKILL
    assert open_attempts(rig) > 0
    rig.there.faults.clear()
    rig.sync().fine()
    decide(rig)
    assert end_of(rig) == undisturbed(rig.bench)
    assert open_attempts(rig) == 0


@of_one
def test_kill_9_while_the_source_is_read_leaves_nothing_half_landed(
    rig_on_each: Rig, undisturbed: Callable[[Bench], End]
) -> None:
    rig = rig_on_each
    prepare(rig)
    rig.stokly.faults.add(Fault(path="^/v2/saleorders/", action="pass", delay=0.5, times=None))
    process = started(rig.env, rig.bench.system)
    wait_until(lambda: rig.stokly.calls.count(template="/v2/saleorders") > 0)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join(timeout=10)
    assert landed(rig.services)["stokly.orders"] == []
    rig.stokly.faults.clear()
    rig.sync().fine()
    assert end_of(rig) == undisturbed(rig.bench)


@of_one
def test_a_sweep_that_is_killed_is_made_up_for_by_the_next(rig_on_each: Rig) -> None:
    rig = rig_on_each
    prepare(rig)
    rig.sync().fine()
    gone, customers = order_ids(rig.stokly)[-2], rig.stokly.store.rows("customers")
    rig.stokly.mutate(
        Delete(collection="saleorders", key=gone),
        Merge(winner=customers[0]["customerId"], loser=customers[-1]["customerId"]),
    )
    killed(rig, "sweep:before-commit:4", sweep=True)
    process = started(rig.env, rig.bench.system, sweep=True)
    process.join(timeout=60)
    assert process.exitcode == FINISHED
    rig.sync().fine()
    orders = LANDED["stokly.orders"]
    with rig.services.warehouse.reading() as connection:
        dead = connection.execute(sa.select(orders.c.order_id).where(~orders.c.live)).scalars().all()
    assert dead == [gone]
    rig.agrees()


def open_attempts(rig: Rig) -> int:
    with rig.services.warehouse.reading() as connection:
        query = sa.select(sa.func.count()).select_from(ATTEMPTS).where(ATTEMPTS.c.closed_at.is_(None))
        return connection.execute(query).scalar_one()


def wait_until(seen: Callable[[], bool]) -> None:
    """Look every few hundredths of a second, for half a minute at most."""
    end = time.monotonic() + 30
    while not seen():
        assert time.monotonic() < end, "it did not come to it"
        time.sleep(0.03)
