"""From taken to accepted or rejected, against the sandbox (O7)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from stokly_sync.errors import BatchRefused
from stokly_sync.flow import Feed, Outcome, State
from stokly_sync.sandbox.kit import Fault
from stokly_sync.systems.ometria import OmetriaClient
from stokly_sync.systems.ometria.settling import NOT_VERIFIABLE
from stokly_sync_tests.systems.ometria.bench import Bench, contact, record, states

pytestmark = pytest.mark.sandbox
Feeds = Callable[[str], Feed]


def settle(feed: Feed, client: OmetriaClient, submitted: Any) -> list[Outcome]:
    assert feed.settle is not None
    return list(feed.settle(client, [outcome for outcome in submitted if outcome.state is State.SUBMITTED]))


def test_taken_records_are_submitted_and_then_accepted(bench: Bench, feed: Feeds) -> None:
    client, contacts = bench.client(), feed("contacts")
    sent = contacts.send(client, [contact("C1"), contact("C2")])
    assert states(sent) == {"C1": "submitted", "C2": "submitted"}
    assert states(settle(contacts, client, sent)) == {"C1": "accepted", "C2": "accepted"}
    assert bench.calls("GET", "/push/_errors") == 1


def test_nothing_is_accepted_before_the_queue_had_its_time(bench: Bench, feed: Feeds) -> None:
    bench.clock.advance(0.000_9)
    bench.system.set_switches(queue_delay=29.0, failing_ids=["C1"])
    client, contacts = bench.client(), feed("contacts")
    sent = contacts.send(client, [contact("C1")])
    assert states(settle(contacts, client, sent)) == {"C1": "rejected"}
    assert sum(bench.slept) == pytest.approx(30, abs=1e-6)


def test_a_record_that_fails_later_is_rejected_with_the_reason(bench: Bench, feed: Feeds) -> None:
    client, contacts = bench.client(), feed("contacts")
    sent = contacts.send(client, [contact("C1", gender="unknown"), contact("C2")])
    found = {outcome.key: outcome for outcome in settle(contacts, client, sent)}
    assert (found["C1"].state, found["C1"].reason) == (State.REJECTED, "not a valid value at root > gender")
    assert found["C1"].rule == "OM-REJECTED"
    assert found["C2"].state is State.ACCEPTED


def test_a_failure_of_an_earlier_push_does_not_reject_its_repair(bench: Bench, feed: Feeds) -> None:
    client, contacts = bench.client(), feed("contacts")
    first = contacts.send(client, [contact("C1", gender="unknown")])
    assert states(settle(contacts, client, first)) == {"C1": "rejected"}
    second = contacts.send(client, [contact("C1", gender="f")])
    assert states(settle(contacts, client, second)) == {"C1": "accepted"}
    # Neither does it for a new process, which has seen nothing.
    assert states(settle(contacts, bench.client(), second)) == {"C1": "accepted"}


def test_a_new_process_settles_what_a_dead_one_submitted(bench: Bench, feed: Feeds) -> None:
    contacts = feed("contacts")
    sent = contacts.send(bench.client(), [contact("C1", gender="unknown"), contact("C2")])
    bench.clock.advance(3600)
    assert states(settle(contacts, bench.client(), sent)) == {"C1": "rejected", "C2": "accepted"}
    assert bench.slept == []


def test_a_receipt_that_cannot_be_read_is_waited_for_like_a_new_one(bench: Bench, feed: Feeds) -> None:
    contacts, client = feed("contacts"), bench.client()
    contacts.send(client, [contact("C1")])
    assert states(settle(contacts, client, [Outcome("C1", State.SUBMITTED)])) == {"C1": "accepted"}
    assert sum(bench.slept) == pytest.approx(30, abs=1e-6)


@pytest.mark.parametrize(("inside", "state"), [(["C1"], "rejected"), ([], "submitted")])
def test_a_record_refused_in_the_answer_itself_is_rejected(
    bench: Bench, feed: Feeds, inside: list[str], state: str
) -> None:
    bench.system.set_switches(reject_inside_ids=inside)
    sent = feed("contacts").send(bench.client(), [contact("C1"), contact("C2")])
    assert states(sent) == {"C1": state, "C2": "submitted"}


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        ('["C1"]', "refused without a reason"),
        ('[{"record_id":"C1","message":"too old"}]', "too old"),
        ('[{"id":"C1","message":{"error_message":"bad","error_path":"root > id"}}]', "bad at root > id"),
    ],
)
def test_refused_records_are_found_in_every_shape(bench: Bench, feed: Feeds, items: str, reason: str) -> None:
    answer = f'{{"status":"OK","request_id":"r","accepted":1,"rejected":1,"rejected_items":{items}}}'
    bench.system.faults.add(Fault(path="/push$", status=200, text=answer))
    sent = {o.key: o for o in feed("contacts").send(bench.client(), [contact("C1"), contact("C2")])}
    assert (sent["C1"].state, sent["C1"].reason) == (State.REJECTED, reason)
    assert sent["C2"].state is State.SUBMITTED


def test_refusals_without_names_are_isolated_by_halving(bench: Bench, feed: Feeds) -> None:
    answer = '{"status":"OK","request_id":"r","accepted":1,"rejected":1}'
    bench.system.faults.add(Fault(path="/push$", status=200, text=answer, times=2))
    contacts, client = feed("contacts"), bench.client()
    with pytest.raises(BatchRefused, match="without naming"):
        contacts.send(client, [contact("C1"), contact("C2")])
    assert states(contacts.send(client, [contact("C1")])) == {"C1": "rejected"}
    assert states(contacts.send(client, [contact("C2")])) == {"C2": "submitted"}


def test_lost_failures_are_found_by_reading_the_records(bench: Bench, feed: Feeds) -> None:
    contacts, client = feed("contacts"), bench.client(verify_calls=200)
    bad = [contact(f"B{i:03}", gender="unknown") for i in range(60)]
    good = [contact(f"G{i:03}") for i in range(40)]
    sent = [
        *contacts.send(client, bad + good),
        *contacts.send(client, [contact(f"W{i}", gender="?") for i in range(60)]),
    ]
    found = settle(contacts, client, sent)
    # 120 failed, the list keeps 100: the rest are told apart by what is there.
    assert {key: state for key, state in states(found).items() if state == "accepted"} == {
        f"G{i:03}": "accepted" for i in range(40)
    }
    lost = [outcome for outcome in found if outcome.reason and "was lost" in outcome.reason]
    assert len(lost) == 20


def test_reading_for_lost_failures_is_bounded_and_the_rest_stays_open(bench: Bench, feed: Feeds) -> None:
    bench.system.set_switches(error_shape="reduced")
    contacts, client = feed("contacts"), bench.client(verify_calls=3)
    sent = contacts.send(client, [contact("C1", gender="?"), *(contact(f"C{i}") for i in range(2, 7))])
    first = settle(contacts, client, sent)
    assert states(first) == {"C1": "rejected", "C2": "accepted", "C3": "accepted"}
    second = settle(contacts, client, [outcome for outcome in sent if outcome.key not in states(first)])
    assert states(second) == {"C4": "accepted", "C5": "accepted", "C6": "accepted"}


def test_an_older_state_is_not_taken_for_the_update(bench: Bench, feed: Feeds) -> None:
    contacts, client = feed("contacts"), bench.client()
    assert states(settle(contacts, client, contacts.send(client, [contact("C1")]))) == {"C1": "accepted"}
    bench.clock.advance(600)
    bench.system.set_switches(error_shape="reduced")
    sent = contacts.send(client, [contact("C1", gender="?")])
    assert states(settle(contacts, client, sent)) == {"C1": "rejected"}


def test_events_cannot_be_read_and_that_is_said(bench: Bench, feed: Feeds) -> None:
    bench.system.set_switches(error_shape="reduced")
    dispatches, client = feed("dispatches"), bench.client()
    event = {"@type": "custom_event", "id": "D1", "event_type": "order_shipped", "timestamp": "2026-03-01T09:30:00Z"}
    sent = dispatches.send(
        client, [record({**event, "identity_email": "a@example.com"}), record({**event, "id": "D2"})]
    )
    (one, two) = settle(dispatches, client, sent)
    assert one.state is two.state is State.ACCEPTED
    assert one.reason is not None
    assert "not verifiable" in one.reason


def test_a_record_whose_id_makes_no_path_is_not_taken_for_missing(bench: Bench, feed: Feeds) -> None:
    bench.system.set_switches(error_shape="reduced", failing_ids=["X"])
    products, client = feed("products"), bench.client()
    sent = products.send(client, [record({"@type": "product", "id": key}) for key in ("A/B", "X", "C")])
    found = {outcome.key: outcome for outcome in settle(products, client, sent)}
    assert (found["A/B"].state, found["A/B"].reason) == (State.ACCEPTED, NOT_VERIFIABLE)
    assert (found["X"].state, found["C"].state) == (State.REJECTED, State.ACCEPTED)


def test_what_is_still_on_its_way_is_left_open(bench: Bench, feed: Feeds) -> None:
    contacts, client = feed("contacts"), bench.client()
    late = Outcome("C9", State.SUBMITTED, receipt=f"r@{(bench.clock.now() + timedelta(hours=1)).isoformat()}")
    assert settle(contacts, client, [late]) == []


def test_nothing_submitted_costs_no_call(bench: Bench, feed: Feeds) -> None:
    client = bench.client()
    assert settle(feed("orders"), client, []) == []
    assert client.calls == 0


def test_a_poison_record_refuses_its_batch_and_only_that(bench: Bench, feed: Feeds) -> None:
    bench.system.set_switches(poison_ids=["C1"])
    contacts, client = feed("contacts"), bench.client()
    with pytest.raises(BatchRefused):
        contacts.send(client, [contact("C1"), contact("C2")])
    assert states(contacts.send(client, [contact("C2")])) == {"C2": "submitted"}
