"""The client against the sandbox: pushes, errors of the wire, paging, and keeping off a full queue."""

from __future__ import annotations

import logging

import pytest

from stokly_sync.errors import BatchRefused, CredentialsError, PermanentError, TransientError
from stokly_sync.flow import Lane
from stokly_sync.sandbox.kit import Fault
from stokly_sync.systems.ometria import OmetriaClient, OmetriaSettings
from stokly_sync.systems.transport import Unlimited
from stokly_sync_tests.systems.ometria.bench import Bench, contact

pytestmark = pytest.mark.sandbox


def documents(count: int) -> list[bytes]:
    return [contact(f"C{i:04}").document for i in range(count)]


def test_a_push_is_answered_with_its_request_and_the_time_it_was_sent(bench: Bench) -> None:
    answer = bench.client().push(documents(2))
    assert (answer.status, answer.accepted, answer.rejected) == ("OK", 2, 0)
    assert answer.push.request_id
    assert answer.push.at == bench.clock.now()


def test_both_success_codes_are_taken(bench: Bench) -> None:
    bench.system.set_switches(push_status=200)
    assert bench.client().push(documents(1)).accepted == 1


def test_there_is_no_client_without_a_key() -> None:
    with pytest.raises(CredentialsError, match="OMETRIA_API_KEY"):
        OmetriaClient(OmetriaSettings(), Unlimited(), Lane.BULK)


def test_a_wrong_key_is_named_and_not_shown(bench: Bench) -> None:
    with pytest.raises(CredentialsError, match="Check OMETRIA_API_KEY") as raised:
        bench.client(api_key="wrong-but-secret").push(documents(1))
    assert "wrong-but-secret" not in str(raised.value)
    assert bench.calls("POST", "/push") == 1


def test_a_key_without_the_right_is_no_reason_to_try_again(bench: Bench) -> None:
    bench.system.set_switches(denied=["/orders"])
    with pytest.raises(CredentialsError, match="right to this resource"):
        list(bench.client().orders())


@pytest.mark.parametrize("count", [0, 101])
def test_a_request_that_is_refused_as_a_whole_may_be_halved(bench: Bench, count: int) -> None:
    with pytest.raises(BatchRefused, match="Payload invalid"):
        bench.client().push(documents(count))


@pytest.mark.parametrize("form", ["absent", "seconds", "date"])
def test_a_429_is_waited_out_in_every_form(bench: Bench, form: str) -> None:
    bench.system.faults.add(
        Fault(method="POST", path="/push$", status=429, times=2, retry_after=form, retry_after_seconds=7)  # type: ignore[arg-type]
    )
    assert bench.client().push(documents(1)).accepted == 1
    assert len(bench.slept) == 2
    assert all(4 <= wait <= 10 for wait in bench.slept)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(method="POST", path="/push$", status=500, times=2),
        Fault(method="POST", path="/push$", action="cut", times=2),
        # The push took effect and its answer was lost: sending it again is harmless.
        Fault(method="POST", path="/push$", action="cut", processed=True, times=2),
        Fault(method="POST", path="/push$", action="truncate", times=2),
        Fault(method="POST", path="/push$", status=200, text="<html>", content_type="text/html", times=2),
    ],
)
def test_a_push_is_repeated_where_that_may_help(bench: Bench, fault: Fault) -> None:
    bench.system.faults.add(fault)
    assert bench.client().push(documents(1)).accepted == 1
    assert bench.calls("POST", "/push") == 3


def test_a_destination_that_stays_down_is_given_up_as_transient(bench: Bench) -> None:
    bench.system.faults.add(Fault(path="/push", status=503, times=None))
    with pytest.raises(TransientError, match="503"):
        bench.client().push(documents(1))


def test_calls_are_counted_with_their_repetitions(bench: Bench) -> None:
    bench.system.faults.add(Fault(path="/push", status=500, times=1))
    client = bench.client()
    client.push(documents(1))
    assert client.calls == 2


@pytest.mark.parametrize(("lane", "waits"), [(Lane.BULK, True), (Lane.INTERVAL, False), (Lane.FAST, False)])
def test_bulk_yields_first_when_the_queue_is_nearly_full(bench: Bench, lane: Lane, waits: bool) -> None:
    bench.system.set_switches(queue_limit=108, queue_delay=1000.0)
    bench.client(lane).push(documents(100))
    assert bench.slept == ([5.0] if waits else [])


def test_without_queue_headers_nobody_waits(bench: Bench) -> None:
    bench.system.set_switches(queue_limit=100, queue_delay=1000.0, queue_headers=False)
    client = bench.client()
    client.push(documents(100))
    assert bench.slept == []
    assert client.patience.total_seconds() == 30


def test_a_full_queue_is_waited_out(bench: Bench) -> None:
    bench.system.set_switches(queue_limit=100, queue_delay=3.0)
    client = bench.client(Lane.FAST)
    client.push(documents(100))
    client.push(documents(100))
    assert bench.slept == [5.0]


def test_a_slow_queue_lengthens_the_patience(bench: Bench) -> None:
    bench.system.set_switches(drain_per_second=1.0)
    client = bench.client(Lane.FAST)
    for _ in range(5):
        client.push(documents(100))
        bench.clock.advance(10)
    # Some 460 records wait and one leaves a second.
    assert 300 < client.patience.total_seconds() <= 600


def test_following_errors_costs_at_most_a_twentieth_of_the_pushes(bench: Bench) -> None:
    client = bench.client()
    for _ in range(100):
        client.push(documents(1))
    assert 3 <= bench.calls("GET", "/push/_errors") <= 5


def test_lists_are_read_to_their_end(bench: Bench) -> None:
    client = bench.client(read_page=100)
    for start in range(0, 250, 50):
        client.push([contact(f"C{i:04}").document for i in range(start, start + 50)])
    bench.clock.advance(1)
    pages = list(client.contacts())
    assert [len(page) for page in pages] == [100, 100, 50]
    assert len({row["id"] for page in pages for row in page}) == 250
    assert bench.calls("GET", "/contacts/{collection}") == 3


def test_a_list_that_needs_too_many_calls_is_not_read_in_part(bench: Bench) -> None:
    client = bench.client(read_page=1, read_calls=2)
    client.push(documents(3))
    bench.clock.advance(1)
    with pytest.raises(PermanentError, match="OMETRIA_READ_CALLS"):
        list(client.contacts())


def test_a_list_that_goes_in_circles_is_noticed(bench: Bench) -> None:
    client = bench.client(read_page=1)
    bench.system.faults.add(Fault(path="/orders", status=200, text='[{"id":"O1"}]', times=None))
    with pytest.raises(TransientError, match="same page again"):
        list(client.orders())


def test_an_answer_of_another_shape_is_not_taken_for_an_empty_list(bench: Bench) -> None:
    bench.system.faults.add(Fault(path="/orders", status=200, text='{"status":"OK"}', times=None))
    with pytest.raises(TransientError, match="instead of a list"):
        list(bench.client().orders())


def test_one_record_is_found_or_none(bench: Bench) -> None:
    client = bench.client()
    client.push([contact("C 1?", email="c1@example.com").document])
    bench.clock.advance(1)
    found = client.one("/contacts/stokly", "C 1?")
    assert found is not None
    assert found["id"] == "C 1?"
    assert client.one("/contacts/stokly", "C9") is None


def test_nothing_personal_is_logged(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    bench.system.faults.add(Fault(path="/push", status=500, text='{"message":"buyer@example.com is broken"}', times=1))
    bench.client().push([contact("C1", email="buyer@example.com").document])
    assert caplog.records
    assert "buyer@example.com" not in caplog.text
    assert bench.system.switches.api_key not in caplog.text
