"""Replays, backfills, plans, and runs at the same time (X12, X18)."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa

from stokly_sync.delivery.figures import PlanScope
from stokly_sync.flow import Window
from stokly_sync.landing.grid import STEP, floor
from stokly_sync.pipeline import work
from stokly_sync.pipeline.services import Services
from stokly_sync.warehouse.locks import Busy
from stokly_sync.warehouse.tables import ATTEMPTS
from stokly_sync_tests.acceptance.benches import on_each
from stokly_sync_tests.acceptance.harness import Loaded, Rig, extract, load

pytestmark = [pytest.mark.acceptance, pytest.mark.sandbox]


@on_each
def test_a_backfill_of_ninety_days_sends_nothing_that_is_held_and_leaves_the_watermark(rig_on_each: Rig) -> None:
    rig = rig_on_each
    rig.sync().fine()
    rig.come_to_rest()
    marks, writes = rig.watermarks(), rig.writes
    now = floor(rig.clock.now())
    span = Window(now - timedelta(days=90), now)
    for dataset in rig.windowed:
        assert work.land(rig.services, dataset, span, run_id=uuid4().hex).changed == 0
    done = rig.replay(days=90).fine()
    plan = done.loaded[rig.bench.follows].plan
    assert plan is not None
    assert plan.unchanged > 0
    assert done.sent == {}
    assert rig.writes == writes
    assert rig.watermarks() == marks


def test_force_sends_all_of_a_window_again_and_leaves_the_watermark(loaded: Rig) -> None:
    rig = loaded
    rig.come_to_rest()
    marks, held = rig.watermarks(), rig.bench.flat(rig)
    rig.replay(force=True).fine()
    for feed in (rig.bench.main, rig.bench.follows):
        assert set(rig.taken(feed).values()) == {1 if feed in rig.bench.once else 2}
    assert rig.bench.flat(rig) == held
    assert rig.watermarks() == marks
    states = rig.states(rig.bench.follows)
    assert {states[key] for key in rig.bench.wanted(rig)[rig.bench.follows]} == {"accepted"}


@on_each
def test_a_plan_announces_exactly_what_is_then_sent(rig_on_each: Rig) -> None:
    rig = rig_on_each
    rig.bench.add(rig, rig.bench.main, range(1, 31))
    rig.extract()
    feed = rig.services.feed(rig.feed_id(rig.bench.main))
    plan = work.plan_feed(rig.services, feed, PlanScope(), run_id=uuid4().hex)
    assert rig.writes == 0
    announced = {
        key: row["document_hash"]
        for (name, key), row in rig.ledger().items()
        if name == rig.bench.main and row["plan_id"] == plan.plan_id and row["state"] == "planned"
    }
    assert len(announced) == plan.to_send
    sent = work.deliver_feed(rig.services, feed, run_id=uuid4().hex, plan_id=plan.plan_id)
    assert (sent.to_send, sent.accepted, sent.moved) == (plan.to_send, plan.to_send, 0)
    assert set(rig.held(rig.bench.main)) == announced.keys()
    assert attempted(rig, rig.bench.main) == announced
    assert plan.api_calls_needed <= rig.writes + rig.bench.asks <= plan.api_calls_needed + 1


def test_a_plan_that_has_moved_says_so_and_sends_the_rest(loaded: Rig) -> None:
    rig, main = loaded, loaded.bench.main
    keys = rig.bench.add(rig, main, range(1, 11))
    rig.extract()
    feed = rig.services.feed(rig.feed_id(main))
    plan = work.plan_feed(rig.services, feed, PlanScope(), run_id=uuid4().hex)
    rig.bench.change(rig, main, keys[0], "Changed since")
    rig.extract()
    newer = work.plan_feed(rig.services, feed, PlanScope(), run_id=uuid4().hex)
    sent = work.deliver_feed(rig.services, feed, run_id=uuid4().hex, plan_id=plan.plan_id)
    assert sent.moved == plan.to_send - sent.to_send > 0
    rest = work.deliver_feed(rig.services, feed, run_id=uuid4().hex, plan_id=newer.plan_id)
    assert sent.accepted + rest.accepted == len(keys)
    assert {rig.taken(main)[key] for key in keys} == {1}


@on_each
def test_runs_at_the_same_time_neither_lose_nor_double(rig_on_each: Rig) -> None:
    rig = rig_on_each
    keys = rig.bench.add(rig, rig.bench.main, range(1, rig.bench.crowd + 1))
    others = rig.bench.add(rig, rig.bench.follows, range(1, 11))
    start = threading.Barrier(2)

    def one() -> None:
        services = Services.open(rig.env)
        try:
            start.wait(timeout=30)
            patient(lambda: extract(services, rig.clock.now()))
            patient(lambda: raised(load(services, rig.bench.system)))
        finally:
            services.close()

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(one) for _ in range(2)]:
            done.result(timeout=110)
    rig.sync().fine()
    assert {rig.taken(rig.bench.main)[key] for key in keys} == {1}
    assert {rig.taken(rig.bench.follows)[key] for key in others} == {1}
    assert {row["state"] for row in rig.ledger().values()} - {"excluded"} == {"accepted"}
    rig.agrees()


def test_a_row_that_lands_late_in_an_old_window_is_owed_again(loaded: Rig) -> None:
    rig = loaded
    at = floor(rig.clock.now()) - timedelta(days=20)
    feed = rig.services.feed(rig.feed_id(rig.bench.follows))
    (late,) = rig.bench.add(rig, feed.name, [1], created=at + timedelta(minutes=1))
    assert feed.name not in rig.sync().fine().sent
    for dataset in rig.windowed:
        work.land(rig.services, dataset, Window(at, at + STEP), run_id=uuid4().hex)
    assert rig.load().fine().sent[feed.name] == 1
    assert late in rig.held(feed.name)


def attempted(rig: Rig, feed: str) -> dict[str, str]:
    """Hash by key of everything that a feed announced to send."""
    with rig.services.warehouse.reading() as connection:
        rows = connection.execute(
            sa.select(ATTEMPTS.c["keys"], ATTEMPTS.c["hashes"]).where(ATTEMPTS.c.feed == rig.feed_id(feed))
        ).all()
    return {
        key: digest for keys, digests in rows for key, digest in zip(json.loads(keys), json.loads(digests), strict=True)
    }


def patient(step: Callable[[], object]) -> None:
    """Try again while another run holds what this one needs, as the scheduler does."""
    for _ in range(600):
        try:
            step()
        except Busy:
            threading.Event().wait(0.05)
        else:
            return
    raise AssertionError("another run held its lock for half a minute")


def raised(done: Mapping[str, Loaded]) -> None:
    """Raise the first error that was kept, if there is one."""
    for one in done.values():
        if one.error is not None:
            raise one.error
