"""Deleting a person in Emarsys (X14)."""

from __future__ import annotations

import pytest

from stokly_sync.flow import Person
from stokly_sync.systems.emarsys.contacts import send_contacts
from stokly_sync.systems.emarsys.erasure import SALES, forget
from stokly_sync_tests.systems.emarsys.bench import Bench, contact


def test_contacts_go_by_customer_id_and_by_address_even_where_there_are_two(bench: Bench) -> None:
    client = bench.client()
    send_contacts(client, [contact("C1"), contact("C2")])
    bench.make("c1@example.com")
    found = forget(client, Person(("C1",), ("c1@example.com",)))
    assert (found.done, found.answer) == (True, "2 contacts deleted")
    left = [one.fields.get("3") for one in bench.system.store.contacts.values()]
    assert left == ["c2@example.com"]


def test_without_an_address_the_customer_id_is_enough(bench: Bench) -> None:
    send_contacts(bench.client(), [contact("C1")])
    assert forget(bench.client(), Person(("C1",), ())).answer == "1 contacts deleted"
    assert not bench.system.store.contacts


@pytest.mark.parametrize("status", [200, 400, 404])
def test_who_is_not_there_is_forgotten_already(bench: Bench, status: int) -> None:
    bench.system.set_switches(delete_missing_status=status)
    assert forget(bench.client(), Person(("C1",), ("c1@example.com",))).answer == "nobody is there"


def test_lines_of_sales_data_are_left_to_a_person(bench: Bench) -> None:
    assert forget(bench.client(), Person(("C1",), ())).by_hand == SALES
    assert forget(bench.client(sales_token=None), Person(("C1",), ())).by_hand == ""
