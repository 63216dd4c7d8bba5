"""Deleting a person in Dotdigital (X14)."""

from __future__ import annotations

from datetime import UTC, datetime

from stokly_sync.flow import Person
from stokly_sync.sandbox.dotdigital.store import Contact
from stokly_sync.systems.dotdigital.erasure import forget
from stokly_sync_tests.systems.dotdigital.bench import Bench

T0 = datetime(2026, 3, 1, tzinfo=UTC)


def put(bench: Bench, number: int, **identifiers: str) -> None:
    named = {name.replace("_", "-"): value for name, value in identifiers.items()}
    bench.system.store.custom_identifiers["stokly-id"] = T0
    made = Contact(number, {}, T0, T0)
    bench.system.store.contacts[number] = made
    bench.system.store.identify(made, named)


def test_contacts_go_by_customer_id_and_by_address(bench: Bench) -> None:
    put(bench, 1, email="old@example.com", stokly_id="C1")
    put(bench, 2, email="c1@example.com")
    put(bench, 3, email="c3@example.com", stokly_id="C3")
    found = forget(bench.client(), Person(("C1",), ("c1@example.com",)))
    assert (found.done, found.answer) == (True, "2 contacts deleted")
    assert [one.contact_id for one in bench.system.store.contacts.values() if one.removed is None] == [3]


def test_who_is_not_there_is_forgotten_already(bench: Bench) -> None:
    bench.system.store.custom_identifiers["stokly-id"] = T0
    assert forget(bench.client(), Person(("C1",), ("c1@example.com",))).answer == "nobody is there"


def test_an_account_that_nothing_was_loaded_into_knows_nobody(bench: Bench) -> None:
    assert forget(bench.client(), Person(("C1",), ("c1@example.com",))).answer == "nobody is there"
