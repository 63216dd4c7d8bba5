"""Guests as contacts at Emarsys: found before they are made, never a customer's contact (E1)."""

from __future__ import annotations

from stokly_sync.contracts.guests import Guest
from stokly_sync.contracts.owners import person
from stokly_sync.flow import Record
from stokly_sync.systems.emarsys.contacts import send_contacts
from stokly_sync.systems.emarsys.documents import guest_contact
from stokly_sync.systems.emarsys.documents.common import guest_id
from stokly_sync_tests.systems.emarsys.bench import Bench, record, rules, states

EMAIL = "guest@example.com"
KEY = person(EMAIL)


def guest(email: str = EMAIL, *former: str) -> Record:
    return record(person(email), guest_contact(Guest(person(email), email, former)))


def test_a_guest_becomes_a_contact_whose_id_says_nothing(bench: Bench) -> None:
    assert states(send_contacts(bench.client(), [guest()])) == {KEY: "accepted"}
    made = bench.contact(guest_id(EMAIL))
    assert made.fields["3"] == EMAIL
    assert "31" not in made.fields
    assert EMAIL not in KEY + guest_id(EMAIL)


def test_guests_in_a_full_batch_cost_two_look_ups_and_one_write(bench: Bench) -> None:
    client = bench.client()
    send_contacts(client, [guest(f"guest.{n}@example.com") for n in range(100)])
    assert (bench.calls("/contact/checkids"), bench.calls("/contact/")) == (2, 1)


def test_a_contact_that_is_nobody_s_yet_becomes_the_guest_s(bench: Bench) -> None:
    made = bench.make(EMAIL, f31="1")
    send_contacts(bench.client(), [guest()])
    assert bench.contact(guest_id(EMAIL)).id == made.id
    assert made.fields["31"] == "1"


def test_a_customer_s_contact_is_not_taken_over_but_that_of_one_who_is_gone(bench: Bench) -> None:
    made = bench.make(EMAIL, "C7")
    assert rules(send_contacts(bench.client(), [guest()])) == {KEY: "EM-EMAIL-TAKEN"}
    assert states(send_contacts(bench.client(), [guest(EMAIL, "C7")])) == {KEY: "accepted"}
    assert bench.contact(guest_id(EMAIL)).id == made.id


def test_a_guest_whom_nobody_can_tell_apart_is_reported_and_the_rest_is_made(bench: Bench) -> None:
    bench.make(EMAIL)
    bench.make(EMAIL)
    sent = send_contacts(bench.client(), [guest(), guest("other@example.com")])
    assert rules(sent) == {KEY: "EM-DUPLICATE"}
    assert states(sent)[person("other@example.com")] == "accepted"


def test_without_the_index_a_guest_is_found_by_address(bench: Bench) -> None:
    bench.system.set_switches(indexed_fields=[], external_id_field="other")
    for _ in range(2):
        assert states(send_contacts(bench.client(id_field_indexed=False), [guest()])) == {KEY: "accepted"}
    assert len(bench.system.store.contacts) == 1
