"""Asking Ometria to forget a person (X14)."""

from __future__ import annotations

from stokly_sync.flow import Person
from stokly_sync.systems.ometria.erasure import forget
from stokly_sync_tests.systems.ometria.bench import Bench, contact


def put(bench: Bench, *keys: str) -> None:
    bench.client().push([contact(key).document for key in keys])
    bench.clock.advance(60)
    bench.system.settle()


def test_a_person_is_asked_for_by_address_and_the_request_is_followed(bench: Bench) -> None:
    put(bench, "C1")
    bench.system.set_switches(deletion_delay=3600.0)
    first = forget(bench.client(), Person(("C1",), ("c1@example.com",)))
    assert (first.done, first.receipt) == (False, "deletion-1")
    again = forget(bench.client(), Person(("C1",), (), first.receipt))
    assert (again.done, again.receipt) == (False, first.receipt)
    bench.clock.advance(3700)
    bench.system.settle()
    assert forget(bench.client(), Person(("C1",), (), first.receipt)).done
    assert bench.calls("POST", "/data-deletion-requests") == 1


def test_an_address_that_we_do_not_know_any_more_is_looked_up_there(bench: Bench) -> None:
    put(bench, "C1")
    assert forget(bench.client(), Person(("C1",), ())).receipt == "deletion-1"
    assert bench.calls("POST", "/data-deletion-requests") == 1


def test_nobody_is_asked_for_where_nobody_is_known(bench: Bench) -> None:
    found = forget(bench.client(), Person(("C9",), ()))
    assert (found.done, found.answer) == (True, "nobody is there")
    assert bench.calls("POST", "/data-deletion-requests") == 0


def test_requests_keep_the_pace_that_is_let_in(bench: Bench) -> None:
    bench.system.set_limits(True)
    emails = tuple(f"c{n}@example.com" for n in range(8))
    found = forget(bench.client(), Person((), emails))
    assert len((found.receipt or "").split()) == 8
    assert bench.calls("POST", "/data-deletion-requests") == 8


def test_no_answer_names_the_person(bench: Bench) -> None:
    person = Person(("C1",), ("c1@example.com",))
    assert "@" not in forget(bench.client(), person).answer
    assert "@" not in repr(person)
