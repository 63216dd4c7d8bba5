"""What a plan comes to, and what has moved since it was made (X12)."""

from __future__ import annotations

import pytest

from stokly_sync.cli.planning import took
from stokly_sync.pipeline import headless
from stokly_sync.pipeline.forecast import forecast, moved_since
from stokly_sync.pipeline.summary import summarise
from stokly_sync_tests.pipeline.conftest import Rig

on_sqlite = pytest.mark.parametrize("warehouse_url", ["sqlite"], indirect=True)


@pytest.mark.sandbox
@on_sqlite
def test_a_plan_tells_calls_and_time_and_its_sync_what_has_moved(rig: Rig) -> None:
    plan_id, figures, _ = headless.plan(rig.services, rig.instance, headless.Request())
    found = forecast(rig.services, plan_id, figures).as_json()
    orders = found["feeds"]["ometria/orders"]
    assert orders["creates"] == orders["to_send"] > 0
    assert orders["least_calls"] > 0
    assert found["total"]["calls"] == sum(feed["least_calls"] for feed in found["feeds"].values())
    assert found["total"]["to_send"] == found["total"]["creates"]
    # A later plan takes the orders over: nothing of them is left to this one.
    headless.plan(rig.services, rig.instance, headless.Request())
    later = [f for f in figures if f.feed == "ometria/orders"]
    assert later
    ran = headless.sync(rig.services, rig.instance, headless.Request(plan_id=plan_id))
    told = {one.feed: one for one in moved_since(rig.services, plan_id, summarise(rig.services, ran))}
    assert told["ometria/orders"].planned == orders["to_send"]
    assert told["ometria/orders"].moved + (told["ometria/orders"].sent or 0) == orders["to_send"]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "0 s"), (59, "59 s"), (90, "1 min 30 s"), (7_260, "2 h 1 min"), (59.7, "1 min 0 s")]
)
def test_spans_are_written_for_people(seconds: float, words: str) -> None:
    assert took(seconds) == words
