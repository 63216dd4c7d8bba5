"""Records that a destination refuses: alone, by name, and not again and again (X6, X16, O7)."""

from __future__ import annotations

import pytest

from stokly_sync_tests.acceptance.bench import Bench, Way
from stokly_sync_tests.acceptance.harness import Rig

pytestmark = [pytest.mark.acceptance, pytest.mark.sandbox]

WAYS: dict[str, Way] = {
    "the batch is refused without a name": "whole",
    "the answer of success names it": "inside",
    "it fails after it was taken": "later",
}


@pytest.fixture(params=list(WAYS.values()), ids=list(WAYS))
def way(request: pytest.FixtureRequest, bench: Bench) -> Way:
    """Each way in which the destination refuses a record."""
    made: Way = request.param
    if made in bench.lacks:
        pytest.skip(bench.lacks[made])
    return made


def refused_one(rig: Rig, way: Way) -> tuple[str, list[str]]:
    """A sync of many new records of which one is refused: its key, and the others'."""
    keys = rig.bench.add(rig, rig.bench.main, range(1, rig.bench.crowd + 1))
    bad = keys[len(keys) // 2]
    rig.bench.refuse(rig, way, bad)
    done = rig.sync().fine()
    sent = done.loaded[rig.bench.main].sent
    assert sent is not None
    assert sum(sent.rejected.values()) == 1
    assert sent.accepted == sent.to_send - 1
    return bad, [key for key in keys if key != bad]


def test_one_bad_record_does_not_sink_its_batch_and_is_named(way: Way, rig: Rig) -> None:
    bad, others = refused_one(rig, way)
    held = rig.held(rig.bench.main)
    assert set(others) <= held.keys()
    assert bad not in held
    states = rig.states(rig.bench.main)
    assert states.pop(bad) == "rejected"
    assert set(states.values()) == {"accepted"}
    assert {key for subject, key, _ in rig.exceptions() if subject == rig.feed_id(rig.bench.main)} == {bad}
    taken = rig.taken(rig.bench.main)
    assert {taken[key] for key in others} == {1}


def test_a_refused_record_is_not_sent_again_by_itself(way: Way, rig: Rig) -> None:
    bad, _ = refused_one(rig, way)
    rig.come_to_rest()
    writes = rig.writes
    assert rig.sync().fine().sent == {}
    done = rig.replay().fine()
    assert done.sent == {}
    plan = done.loaded[rig.bench.main].plan
    assert plan is not None
    assert plan.held == 1
    assert rig.writes == writes
    assert rig.state(rig.bench.main, bad) == "rejected"


def test_a_refused_record_is_sent_again_once_it_has_changed(way: Way, rig: Rig) -> None:
    bad, _ = refused_one(rig, way)
    rig.bench.refuse(rig, way)
    rig.bench.change(rig, rig.bench.main, bad, "Corrected name")
    assert rig.sync().fine().sent == {rig.bench.main: 1}
    assert rig.state(rig.bench.main, bad) == "accepted"
    assert bad in rig.held(rig.bench.main)
    assert rig.exceptions() == set()
    rig.agrees()


def test_a_refused_record_is_sent_again_when_a_person_retries(way: Way, rig: Rig) -> None:
    bad, _ = refused_one(rig, way)
    rig.bench.refuse(rig, way)
    rig.retry(rig.bench.main, bad)
    assert rig.sync().fine().sent == {rig.bench.main: 1}
    assert rig.state(rig.bench.main, bad) == "accepted"
    assert rig.exceptions() == set()


def test_a_refused_record_explains_its_difference(rig: Rig) -> None:
    ways: tuple[Way, ...] = ("later", "inside", "whole")
    refused_one(rig, next(way for way in ways if way not in rig.bench.lacks))
    found = {c.feed: c for c in rig.reconcile()}[rig.feed_id(rig.bench.main)]
    assert found.agreed
    assert len(found.explained) == 1
