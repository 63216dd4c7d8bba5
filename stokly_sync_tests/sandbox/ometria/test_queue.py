"""What becomes of accepted records: contract sections 2 (per-record errors), 5 and 7."""

from decimal import Decimal

import pytest

from stokly_sync.sandbox.kit import ManualClock, decode, encode
from stokly_sync.sandbox.ometria import OmetriaSandbox
from stokly_sync_tests.sandbox.ometria.bench import Bench, contact, event, order, product

pytestmark = pytest.mark.sandbox


def count(bench: Bench) -> int:
    return sum(row["count"] for row in bench.get("/contacts"))


def test_an_accepted_record_shows_only_after_the_queue_came_to_it(bench: Bench) -> None:
    bench.system.set_switches(queue_delay=5)
    bench.push(contact())
    bench.clock.advance(4.9)
    assert count(bench) == 0
    bench.clock.advance(0.1)
    assert count(bench) == 1


def test_the_queue_can_drain_slowly(bench: Bench) -> None:
    bench.system.set_switches(queue_delay=0, drain_per_second=2)
    bench.push(*(contact(f"C{n}") for n in range(10)))
    seen = []
    for _ in range(3):
        bench.clock.advance(1)
        seen.append(count(bench))
    assert seen == [3, 5, 7]


def test_a_record_can_be_accepted_and_fail_afterwards(bench: Bench) -> None:
    bench.system.set_switches(failing_ids={"C2"})
    bench.store(contact("C1"), contact("C2"))
    assert count(bench) == 1
    assert [error["record_id"] for error in bench.errors()] == ["C2"]


def test_a_record_can_be_accepted_and_get_lost_without_a_word(bench: Bench) -> None:
    bench.system.set_switches(lost_ids={"C2"})
    bench.store(contact("C1"), contact("C2"))
    assert (count(bench), bench.errors()) == (1, [])


def test_a_failure_is_told_with_its_request_record_time_and_path(bench: Bench) -> None:
    bad = contact(gender="x")
    request_id = bench.push(bad).json()["request_id"]
    bench.clock.advance(1)
    (error,) = bench.errors()
    assert error.pop("timestamp").endswith(("Z", "+00:00"))
    assert error == {
        "request_id": request_id,
        "record_type": "contact",
        "record_id": "C1",
        "record": bad,
        "message": {"error_message": "not a valid value", "error_path": "root > gender"},
    }


def test_the_reduced_shape_tells_only_message_and_path(bench: Bench) -> None:
    bench.system.set_switches(error_shape="reduced")
    bench.store(contact(gender="x"))
    assert bench.errors() == [{"error_message": "not a valid value", "error_path": "root > gender"}]


def test_only_the_newest_100_failures_are_kept(bench: Bench) -> None:
    bench.store(*(contact(f"C{n}", gender="x") for n in range(130)))
    assert [error["record_id"] for error in bench.errors()] == [f"C{n}" for n in range(129, 29, -1)]


def test_one_bad_record_does_not_hold_up_the_others_of_its_push(bench: Bench) -> None:
    bench.store(contact("C1", gender="x"), contact("C2"))
    assert [row["id"] for row in bench.get("/contacts/stokly")] == ["C2"]


def test_pushes_are_counted_by_record_and_needless_ones_apart(bench: Bench) -> None:
    bench.store(contact("C1"), contact("C2"))
    bench.store(contact("C1"))
    bench.store(contact("C2", firstname="Changed"))
    pushes = bench.inspect("pushes")
    assert pushes["pushed"] == {"contact/stokly/C1": 2, "contact/stokly/C2": 2}
    assert pushes["unchanged"] == {"contact/stokly/C1": 1}


def test_a_refused_push_is_not_counted(bench: Bench) -> None:
    bench.system.set_switches(poison_ids={"C1"})
    bench.push(contact("C1"), contact("C2"))
    assert bench.inspect("pushes")["pushed"] == {}


def test_all_state_survives_being_saved_and_loaded() -> None:
    clock = ManualClock()
    first = OmetriaSandbox(clock=clock)
    unknown = order(lines=[{"product_id": "P0", "quantity": 1, "unit_price": Decimal("1.10")}])
    first.queue.add("R1", [contact(), product(), unknown, event(), contact("C2", gender="x")])
    clock.advance(1)
    first.settle()
    first.queue.add("R2", [contact("C3", properties={"size": 7})])
    first.deletions.ask(email="c1@example.com", comment="", delay=0)
    first.unsubscribe("c9@example.com")
    saved = encode(first.dump())

    second = OmetriaSandbox(clock=clock)
    second.load(decode(saved))
    assert encode(second.dump()) == saved
    clock.advance(1)
    second.settle()
    assert set(second.store.contacts["stokly"]) == {"C1", "C3"}
    assert "email" not in second.store.contacts["stokly"]["C1"].fields
