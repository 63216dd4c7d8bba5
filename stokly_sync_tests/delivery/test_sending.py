"""What a delivery does with what was planned, on both databases, against a destination that misbehaves on demand."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from stokly_sync.delivery.breaker import Breaker
from stokly_sync.delivery.figures import DeliveryFigures
from stokly_sync.delivery.options import DeliveryRefused, DeliveryStopped, utc_now
from stokly_sync.delivery.planning import plan
from stokly_sync.delivery.sending import deliver
from stokly_sync.errors import CredentialsError, InDoubt, PermanentError, TransientError
from stokly_sync.flow import BatchLimits, Feed, Outcome, Record, ReplayClass, State
from stokly_sync.warehouse.store import Busy, Warehouse
from stokly_sync.warehouse.tables import ATTEMPTS, EXCEPTIONS, PLANS
from stokly_sync_tests.delivery.kit import (
    QUICK,
    RULES,
    Destination,
    land,
    ledger,
    look_up,
    order,
    orders_feed,
    settle,
    states,
    submit,
)

SUBMITTING: dict[str, Any] = {"send": submit, "settle": settle}


def prepare(warehouse: Warehouse, feed: Feed, orders: int, **columns: Any) -> str:
    """Land and plan some orders; gives the plan's id."""
    land(warehouse, "stokly.orders", [order(f"{i:03}", **columns) for i in range(orders)])
    return plan(warehouse, feed, catalogue=RULES, run_id="run").plan_id


def sent(warehouse: Warehouse, feed: Feed, client: Destination, **options: Any) -> DeliveryFigures:
    return deliver(warehouse, feed, client, catalogue=RULES, run_id="run", **({"options": QUICK} | options))


def attempts(warehouse: Warehouse) -> list[Any]:
    with warehouse.reading() as connection:
        return list(connection.execute(sa.select(ATTEMPTS).order_by(ATTEMPTS.c.opened_at)))


def exceptions(warehouse: Warehouse) -> list[tuple[str, str, str, str]]:
    e = EXCEPTIONS.c
    with warehouse.reading() as connection:
        rows = connection.execute(sa.select(e.key, e.rule, e.state, e.detail).order_by(e.key))
        return [tuple(row) for row in rows]


def failing(error: Callable[[], Exception], when: Callable[[int], bool]) -> Callable[[Sequence[Record]], None]:
    """A hook that raises at some of its calls, counted from 1."""
    passages = iter(range(1, 1_000_000))
    lock = threading.Lock()

    def hook(batch: Sequence[Record]) -> None:  # noqa: ARG001
        with lock:
            passage = next(passages)
        if when(passage):
            raise error()

    return hook


def test_everything_planned_is_sent_in_full_batches_and_accepted(warehouse: Warehouse) -> None:
    feed, client = orders_feed(), Destination()
    prepare(warehouse, feed, 25)
    figures = sent(warehouse, feed, client)
    assert (figures.to_send, figures.accepted, figures.still_planned, figures.first_try) == (25, 25, 0, 25)
    assert sorted(client.calls) == [5, 10, 10]
    assert figures.api_calls == 3
    assert len(client.held) == 25


@pytest.mark.parametrize(
    ("limits", "least"),
    [
        (BatchLimits(10, 100_000), 3),
        (BatchLimits(10, 100_000, calls=2), 6),
        (BatchLimits(100, 100_000, calls=0), 0),
    ],
)
def test_the_least_calls_that_full_batches_need_stand_beside_those_that_were_made(
    warehouse: Warehouse, limits: BatchLimits, least: int
) -> None:
    feed = orders_feed(limits=limits)
    prepare(warehouse, feed, 25)
    figures = sent(warehouse, feed, Destination())
    assert figures.as_json()["least_calls"] == figures.least_calls == least


def test_bytes_count_as_records_do_for_the_least_calls(warehouse: Warehouse) -> None:
    feed = orders_feed()
    plan_id = prepare(warehouse, feed, 25)
    size = sum(len(row["document"]) + 1 for row in ledger(warehouse).values())
    feed = replace(feed, limits=BatchLimits(100, size // 5 + 1))
    assert sent(warehouse, feed, Destination(), plan_id=plan_id).least_calls == 5


def test_what_is_sent_again_does_not_add_to_the_least_calls(warehouse: Warehouse) -> None:
    feed = orders_feed()
    prepare(warehouse, feed, 20)
    client = Destination(after=failing(lambda: InDoubt("cut"), lambda passage: passage == 1))
    figures = sent(warehouse, feed, client)
    assert (figures.accepted, figures.api_calls, figures.least_calls) == (20, 3, 2)


def test_a_delivery_of_nothing_needs_no_call(warehouse: Warehouse) -> None:
    assert sent(warehouse, orders_feed(), Destination()).least_calls == 0


def test_batches_stay_full_across_the_pieces_in_which_the_ledger_is_read(warehouse: Warehouse) -> None:
    feed, client = orders_feed(), Destination()
    prepare(warehouse, feed, 25)
    sent(warehouse, feed, client, options=replace(QUICK, read_ahead=7))
    assert sorted(client.calls) == [5, 10, 10]


def test_the_ledger_keeps_hash_version_and_time_of_what_was_accepted_but_no_document(warehouse: Warehouse) -> None:
    feed, client = orders_feed(), Destination()
    prepare(warehouse, feed, 1)
    before = ledger(warehouse)["000"]
    sent(warehouse, feed, client)
    after = ledger(warehouse)["000"]
    assert after["document"] is None
    assert (after["accepted_hash"], after["accepted_version"]) == (before["document_hash"], before["version"])
    assert after["accepted_at"] is not None
    assert after["tries"] == 1


def test_every_batch_leaves_an_audit_row_with_run_keys_hashes_and_answer(warehouse: Warehouse) -> None:
    feed, client = orders_feed(**SUBMITTING), Destination()
    plan_id = prepare(warehouse, feed, 3)
    sent(warehouse, feed, client, plan_id=plan_id)
    (attempt,) = attempts(warehouse)
    assert (attempt.run_id, attempt.plan_id, attempt.records, attempt.api_calls) == ("run", plan_id, 3, 1)
    assert json.loads(attempt._mapping["keys"]) == ["000", "001", "002"]
    assert json.loads(attempt.hashes) == [ledger(warehouse)[k]["document_hash"] for k in ("000", "001", "002")]
    assert (attempt.outcome, attempt.answer) == ("submitted 3", "receipt-1")
    assert attempt.closed_at is not None


def test_one_poison_record_does_not_sink_its_batch(warehouse: Warehouse) -> None:
    feed, client = orders_feed(), Destination(refuse=lambda record: record.key == "006")
    prepare(warehouse, feed, 20)
    figures = sent(warehouse, feed, client)
    assert (figures.accepted, figures.rejected) == (19, {"T-REJECTED": 1})
    assert states(warehouse)["006"] == "rejected"
    assert exceptions(warehouse) == [("006", "T-REJECTED", "open", "a record of 1 cannot be read, see ***")]
    assert len(client.held) == 19


def test_a_rejection_opens_an_exception_that_closes_on_acceptance(warehouse: Warehouse) -> None:
    feed, client = orders_feed(), Destination(reject=lambda record: b"wrong" in record.document)
    prepare(warehouse, feed, 2, number="wrong")
    assert sent(warehouse, feed, client).rejected == {"T-REJECTED": 2}
    assert exceptions(warehouse)[0][2:] == ("open", "no such person as ***")
    assert ledger(warehouse)["000"]["document"] is not None
    land(warehouse, "stokly.orders", [order("000", number="right")], number=1)
    plan(warehouse, feed, catalogue=RULES, run_id="run")
    assert exceptions(warehouse)[0][2] == "open"
    sent(warehouse, feed, client)
    assert [row[2] for row in exceptions(warehouse)] == ["closed", "open"]


def test_nothing_is_sent_twice(warehouse: Warehouse) -> None:
    feed, client = orders_feed(), Destination()
    prepare(warehouse, feed, 5)
    sent(warehouse, feed, client)
    again = sent(warehouse, feed, client)
    assert (again.to_send, again.api_calls, client.calls) == (0, 0, [5])


def test_a_destination_that_is_down_stops_the_feed_and_loses_nothing(warehouse: Warehouse) -> None:
    feed = orders_feed(limits=BatchLimits(10, 100_000))
    client = Destination(before=failing(lambda: TransientError("503", retry_after=7), lambda n: n >= 3))
    prepare(warehouse, feed, 50)
    with pytest.raises(DeliveryStopped, match="30 records stay planned") as stopped:
        sent(warehouse, feed, client)
    assert stopped.value.retry_after == 7
    assert (stopped.value.figures.accepted, stopped.value.figures.still_planned) == (20, 30)
    assert len(client.calls) == 3
    assert all(a.closed_at is not None for a in attempts(warehouse))
    figures = sent(warehouse, feed, Destination())
    assert (figures.to_send, figures.accepted) == (30, 30)


def test_refused_credentials_stop_the_feed_as_permanent(warehouse: Warehouse) -> None:
    feed, client = orders_feed(), Destination(before=failing(lambda: CredentialsError("no key"), lambda n: True))
    prepare(warehouse, feed, 5)
    with pytest.raises(DeliveryRefused, match="5 records stay planned") as refused:
        sent(warehouse, feed, client)
    assert isinstance(refused.value.__cause__, CredentialsError)
    assert set(states(warehouse).values()) == {"planned"}


def test_an_unexpected_error_is_raised_after_everything_else_was_stored(warehouse: Warehouse) -> None:
    feed = orders_feed(limits=BatchLimits(10, 100_000))
    client = Destination(before=failing(lambda: KeyError("surprise"), lambda n: n == 2))
    prepare(warehouse, feed, 30)
    with pytest.raises(KeyError, match="surprise"):
        sent(warehouse, feed, client)
    assert list(states(warehouse).values()).count("accepted") >= 10
    assert sent(warehouse, feed, Destination()).recovered == {"planned": 10}
    assert set(states(warehouse).values()) == {"accepted"}


def test_an_upsert_without_an_answer_is_sent_once_more_in_the_same_run(warehouse: Warehouse) -> None:
    feed, client = orders_feed(), Destination(after=failing(lambda: InDoubt("no answer"), lambda n: n == 1))
    prepare(warehouse, feed, 20)
    figures = sent(warehouse, feed, client)
    assert (figures.accepted, figures.first_try, figures.api_calls) == (20, 10, 3)


def test_a_destination_that_never_answers_counts_as_down(warehouse: Warehouse) -> None:
    feed = orders_feed(limits=BatchLimits(1, 100_000))
    client = Destination(after=failing(lambda: InDoubt("no answer"), lambda n: True))
    prepare(warehouse, feed, 10)
    with pytest.raises(DeliveryStopped, match="3 calls in a row had no answer"):
        sent(warehouse, feed, client)
    assert len(client.calls) <= 4


def test_a_record_that_cannot_be_asked_for_is_in_doubt_and_never_sent_again(warehouse: Warehouse) -> None:
    feed = orders_feed(replay=ReplayClass.NEVER, limits=BatchLimits(10, 100_000))
    client = Destination(after=failing(lambda: InDoubt("no answer"), lambda n: n == 1))
    prepare(warehouse, feed, 20)
    with pytest.raises(DeliveryStopped) as stopped:
        sent(warehouse, feed, client)
    assert (stopped.value.figures.in_doubt, stopped.value.figures.still_planned) == (10, 10)
    assert {row[1:3] for row in exceptions(warehouse)} == {("DELIVERY-IN-DOUBT", "open")}
    assert plan(warehouse, feed, catalogue=RULES, run_id="run").to_send == 10
    sent(warehouse, feed, client)
    assert {len(bodies) for bodies in client.held.values()} == {1}


@pytest.mark.parametrize("arrived", [True, False])
def test_a_record_that_can_be_asked_for_is_created_again_only_when_it_did_not_arrive(
    warehouse: Warehouse, arrived: bool
) -> None:
    feed = orders_feed(replay=ReplayClass.LOOK_UP, look_up=look_up)
    lost = failing(lambda: InDoubt("no answer"), lambda n: n == 1)
    client = Destination(after=lost) if arrived else Destination(before=lost)
    prepare(warehouse, feed, 20)
    figures = sent(warehouse, feed, client)
    assert (figures.to_send, figures.accepted) == (20, 20)
    assert {len(bodies) for bodies in client.held.values()} == {1}
    assert all(a.closed_at is not None for a in attempts(warehouse))


def test_a_record_is_looked_up_twice_and_only_after_the_delay_of_the_destination(warehouse: Warehouse) -> None:
    asked: list[int] = []

    def slow(client: Destination, records: Sequence[Record]) -> list[Outcome]:
        asked.append(len(records))
        return look_up(client, records) if len(asked) > 1 else []

    slept: list[float] = []
    feed = orders_feed(replay=ReplayClass.LOOK_UP, look_up=slow)
    client = Destination(after=failing(lambda: InDoubt("no answer"), lambda n: n == 1))
    prepare(warehouse, feed, 5)
    sent(warehouse, feed, client, options=replace(QUICK, look_up_delay=60, sleep=slept.append))
    assert (asked, len(client.calls)) == ([5, 5], 1)
    assert 50 < slept[0] <= 60 < slept[1] <= 120


def test_submitted_records_are_followed_until_their_fate_is_known(warehouse: Warehouse) -> None:
    feed = orders_feed(**SUBMITTING)
    client = Destination(
        settled=lambda o: o._replace(state=State.REJECTED, reason="bad") if o.key == "003" else accepted(o)
    )
    prepare(warehouse, feed, 25)
    figures = sent(warehouse, feed, client)
    assert (figures.accepted, figures.rejected, figures.submitted) == (24, {"T-REJECTED": 1}, 0)
    assert figures.first_try == 24


def test_a_fate_that_is_known_soon_is_stored_together_with_the_answer(warehouse: Warehouse) -> None:
    feed = orders_feed(**SUBMITTING, limits=BatchLimits(5, 100_000))

    def before(batch: Sequence[Record]) -> None:
        """The last batch leaves when the first one is stored, so that there is time to ask."""
        end = time.monotonic() + 20
        while batch[0].key == "015" and states(warehouse)["000"] == "planned" and time.monotonic() < end:
            time.sleep(0.01)

    client = Destination(before=before)
    prepare(warehouse, feed, 20)
    figures = sent(warehouse, feed, client, options=replace(QUICK, commit_every=2))
    assert (figures.accepted, figures.submitted, figures.first_try) == (20, 0, 20)
    first = ledger(warehouse)["000"]
    assert first["sent_at"] == first["settled_at"] == first["accepted_at"]
    assert {a.outcome for a in attempts(warehouse)} == {"submitted 5"}


def test_answers_do_not_wait_for_a_destination_that_takes_its_time_to_tell_fates(warehouse: Warehouse) -> None:
    feed = orders_feed(**SUBMITTING, limits=BatchLimits(5, 100_000))
    all_sent = threading.Event()
    stored: list[int] = []

    def settled(outcome: Outcome) -> Outcome:
        all_sent.wait(20)
        return accepted(outcome)

    def before(batch: Sequence[Record]) -> None:
        if batch[0].key == "035":
            stored.append(list(states(warehouse).values()).count("submitted"))
            all_sent.set()

    prepare(warehouse, feed, 40)
    options = replace(QUICK, commit_every=1, hold=0)
    figures = sent(warehouse, feed, Destination(settled=settled, before=before), options=options)
    assert stored[0] > 0
    assert (figures.accepted, figures.submitted, figures.first_try) == (40, 0, 40)
    assert set(states(warehouse).values()) == {"accepted"}


def test_what_stays_submitted_is_settled_first_by_the_next_run_and_counted_apart(warehouse: Warehouse) -> None:
    feed, client = orders_feed(**SUBMITTING), Destination(settled=lambda outcome: None)
    prepare(warehouse, feed, 5)
    first = sent(warehouse, feed, client)
    assert (first.submitted, first.accepted) == (5, 0)
    client.settled = accepted
    second = sent(warehouse, feed, client)
    assert (second.to_send, second.accepted, second.settled_earlier) == (0, 0, {"accepted": 5})
    assert set(states(warehouse).values()) == {"accepted"}


def test_a_record_whose_fate_nobody_can_tell_is_sent_again_by_the_next_run(warehouse: Warehouse) -> None:
    feed, client = orders_feed(**SUBMITTING), Destination(settled=lambda outcome: None)
    prepare(warehouse, feed, 3)
    sent(warehouse, feed, client)
    client.settled = lambda o: o._replace(state=State.PLANNED) if len(client.held[o.key]) < 2 else accepted(o)
    figures = sent(warehouse, feed, client)
    assert (figures.settled_earlier, figures.to_send, figures.accepted) == ({"planned": 3}, 3, 3)
    assert set(states(warehouse).values()) == {"accepted"}


def test_content_that_was_overtaken_while_submitted_is_not_settled_by_the_old_answer(warehouse: Warehouse) -> None:
    feed, client = orders_feed(**SUBMITTING), Destination(settled=lambda outcome: None)
    prepare(warehouse, feed, 1)
    sent(warehouse, feed, client)
    land(warehouse, "stokly.orders", [order("000", number="new")], number=1)
    plan(warehouse, feed, catalogue=RULES, run_id="run")
    client.settled = accepted
    figures = sent(warehouse, feed, client)
    assert (figures.settled_earlier, figures.accepted) == ({}, 1)
    assert [body["note"] for body in client.held["000"]] == [None, "new"]


def test_a_plan_is_sent_exactly_or_says_what_moved_since(warehouse: Warehouse) -> None:
    feed, client = orders_feed(), Destination()
    plan_id = prepare(warehouse, feed, 3)
    land(warehouse, "stokly.orders", [order("001", number="new"), order("009")], number=1)
    other = plan(warehouse, feed, catalogue=RULES, run_id="run")
    assert other.to_send == 4  # what waits is planned again, too
    figures = sent(warehouse, feed, client, plan_id=plan_id)
    assert (figures.to_send, figures.moved, client.calls) == (0, 3, [])
    assert sent(warehouse, feed, client, plan_id=other.plan_id).accepted == 4


def test_an_unknown_plan_is_an_error(warehouse: Warehouse) -> None:
    with pytest.raises(PermanentError, match="has no plan nonsense"):
        sent(warehouse, orders_feed(), Destination(), plan_id="nonsense")


def test_a_plan_that_was_delivered_is_marked_so(warehouse: Warehouse) -> None:
    feed = orders_feed()
    prepare(warehouse, feed, 1)
    sent(warehouse, feed, Destination())
    with warehouse.reading() as connection:
        assert connection.execute(sa.select(PLANS.c.state)).scalar_one() == "sent"


def test_latency_runs_from_the_event_in_the_source_to_acceptance(warehouse: Warehouse) -> None:
    feed = orders_feed()
    hour_ago = utc_now() - timedelta(hours=1)
    prepare(warehouse, feed, 3, created_at=hour_ago)
    figures = sent(warehouse, feed, Destination())
    assert figures.latency_p50_s is not None
    assert figures.latency_p95_s is not None
    assert 3600 <= figures.latency_p50_s <= figures.latency_p95_s < 3700


def test_the_clients_own_count_of_calls_is_reported_where_it_has_one(warehouse: Warehouse) -> None:
    feed, client = orders_feed(), Destination()
    prepare(warehouse, feed, 25)
    assert sent(warehouse, feed, client, calls=lambda c: 100 + 2 * len(c.calls)).api_calls == 6


def test_no_more_calls_are_in_flight_than_the_feed_allows_and_as_many_as_it_allows(warehouse: Warehouse) -> None:
    together = threading.Barrier(3)
    flying: list[int] = []
    feed = orders_feed(limits=BatchLimits(1, 100_000, concurrency=3))

    def meet(batch: Sequence[Record]) -> None:
        together.wait(timeout=20)
        flying.append(len(batch))

    prepare(warehouse, feed, 9)
    sent(warehouse, feed, Destination(before=meet))
    assert len(flying) == 9


def test_two_deliveries_of_one_feed_do_not_run_at_once(warehouse: Warehouse) -> None:
    with warehouse.exclusive("feed:test/orders"), pytest.raises(Busy):
        sent(warehouse, orders_feed(), Destination())


def test_the_breaker_opens_after_failures_in_a_row_and_one_run_probes_after_a_while(warehouse: Warehouse) -> None:
    now = utc_now()
    clock = [now]
    breaker = Breaker(warehouse.engine, "demo/test", failures=2, now=lambda: clock[0])
    feed, down = orders_feed(), Destination(before=failing(lambda: TransientError("503"), lambda n: True))
    prepare(warehouse, feed, 1)
    for _ in range(2):
        with pytest.raises(DeliveryStopped):
            sent(warehouse, feed, down, breaker=breaker)
    with pytest.raises(TransientError, match="failed 2 times in a row") as resting:
        sent(warehouse, feed, down, breaker=breaker)
    assert resting.value.retry_after == pytest.approx(300)
    assert len(down.calls) == 2
    clock[0] = now + timedelta(minutes=6)
    breaker.check()
    with pytest.raises(TransientError):
        breaker.check()  # the probe is taken
    clock[0] = now + timedelta(minutes=12)
    assert sent(warehouse, feed, Destination(), breaker=breaker).accepted == 1
    breaker.check()


def test_breakers_of_several_destinations_know_nothing_of_each_other(warehouse: Warehouse) -> None:
    one = Breaker(warehouse.engine, "demo/one", failures=1)
    one.failed()
    Breaker(warehouse.engine, "demo/two", failures=1).check()
    with pytest.raises(TransientError):
        one.check()


def accepted(outcome: Outcome) -> Outcome:
    return outcome._replace(state=State.ACCEPTED)
