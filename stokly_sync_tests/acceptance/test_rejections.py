"""Records that a destination refuses: alone, by name, and not again and again (X6, X16, O7)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stokly_sync.sandbox.kit import SandboxSystem
from stokly_sync_tests.acceptance.account import add_customers, change_customer
from stokly_sync_tests.acceptance.benches import Bench
from stokly_sync_tests.acceptance.harness import Rig

pytestmark = [pytest.mark.acceptance, pytest.mark.sandbox]

MANY = range(1, 151)
BAD = 77

Refuse = Callable[[Bench, SandboxSystem, str], None]
WAYS: dict[str, Refuse] = {
    "the batch is refused without a name": lambda bench, there, key: bench.poison(there, key),
    "the answer of success names it": lambda bench, there, key: bench.refuse_inside(there, key),
    "it fails after it was taken": lambda bench, there, key: bench.fail_later(there, key),
}
HEAL: dict[str, Callable[[Bench, SandboxSystem], None]] = {
    "the batch is refused without a name": lambda bench, there: bench.poison(there),
    "the answer of success names it": lambda bench, there: bench.refuse_inside(there),
    "it fails after it was taken": lambda bench, there: bench.fail_later(there),
}


@pytest.fixture(params=list(WAYS))
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def refused_one(rig: Rig, way: str) -> tuple[str, list[str]]:
    """A sync of many new contacts of which one is refused: its key, and the others'."""
    keys = add_customers(rig.stokly, MANY)
    WAYS[way](rig.bench, rig.there, keys[BAD])
    done = rig.sync().fine()
    sent = done.loaded[rig.bench.contacts].sent
    assert sent is not None
    assert sum(sent.rejected.values()) == 1
    assert sent.accepted == sent.to_send - 1
    return keys[BAD], [key for key in keys if key != keys[BAD]]


def test_one_bad_record_does_not_sink_its_batch_and_is_named(rig: Rig, way: str) -> None:
    bad, others = refused_one(rig, way)
    held = rig.held(rig.bench.contacts)
    assert set(others) <= held.keys()
    assert bad not in held
    states = rig.states(rig.bench.contacts)
    assert states.pop(bad) == "rejected"
    assert set(states.values()) == {"accepted"}
    assert {key for subject, key, _ in rig.exceptions() if subject == rig.feed_id(rig.bench.contacts)} == {bad}
    taken = rig.taken(rig.bench.contacts)
    assert {taken[key] for key in others} == {1}


def test_a_refused_record_is_not_sent_again_by_itself(rig: Rig, way: str) -> None:
    bad, _ = refused_one(rig, way)
    writes = rig.writes
    assert rig.sync().fine().sent == {}
    done = rig.replay().fine()
    assert done.sent == {}
    plan = done.loaded[rig.bench.contacts].plan
    assert plan is not None
    assert plan.held == 1
    assert rig.writes == writes
    assert rig.state(rig.bench.contacts, bad) == "rejected"


def test_a_refused_record_is_sent_again_once_it_has_changed(rig: Rig, way: str) -> None:
    bad, _ = refused_one(rig, way)
    HEAL[way](rig.bench, rig.there)
    change_customer(rig.stokly, bad, name="Corrected name")
    assert rig.sync().fine().sent == {rig.bench.contacts: 1}
    assert rig.state(rig.bench.contacts, bad) == "accepted"
    assert bad in rig.held(rig.bench.contacts)
    assert rig.exceptions() == set()
    rig.agrees()


def test_a_refused_record_is_sent_again_when_a_person_retries(rig: Rig, way: str) -> None:
    bad, _ = refused_one(rig, way)
    HEAL[way](rig.bench, rig.there)
    rig.retry(rig.bench.contacts, bad)
    assert rig.sync().fine().sent == {rig.bench.contacts: 1}
    assert rig.state(rig.bench.contacts, bad) == "accepted"
    assert rig.exceptions() == set()


def test_a_refused_record_explains_its_difference(rig: Rig) -> None:
    refused_one(rig, "it fails after it was taken" if rig.bench.settles else "the answer of success names it")
    found = {c.feed: c for c in rig.reconcile()}[rig.feed_id(rig.bench.contacts)]
    assert found.agreed
    assert sum(found.explained.values()) == 1
