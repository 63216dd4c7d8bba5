"""Who left Emarsys by themselves, and choices that were made elsewhere (X19, E4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from stokly_sync.contracts.consent import Told
from stokly_sync.flow import Choice, Record
from stokly_sync.systems.emarsys.consent import choices, document, send_consents
from stokly_sync.systems.emarsys.contacts import send_contacts
from stokly_sync_tests.systems.emarsys.bench import Bench, contact, record, rules, states

T0 = datetime(2026, 3, 1, tzinfo=UTC)


def told(customer: str, choice: str, at: datetime = T0, channel: str = "email") -> Record:
    email = f"{customer.lower()}@example.com"
    return record(customer, document(Told(customer, email, {channel: (Choice(choice), at)})))


@pytest.mark.parametrize("ever", [True, False])
def test_who_opts_out_is_read_back_with_its_time(bench: Bench, ever: bool) -> None:
    client = bench.client()
    send_contacts(client, [contact("C1"), contact("C2")])
    assert list(choices(client, None)) == []
    bench.clock.advance(600)
    at = bench.clock.now()
    bench.system.unsubscribe("c1@example.com")
    bench.clock.advance(600)
    (one,) = choices(bench.client(), None if ever else at - timedelta(seconds=1))
    assert (one.channel, one.choice, one.customer, one.email) == ("email", "out", "C1", "c1@example.com")
    assert one.said_at is not None
    assert abs(one.said_at - at) < timedelta(seconds=1)
    assert list(choices(bench.client(), at + timedelta(seconds=2))) == []


@pytest.mark.parametrize("end", ["done", "ready"])
def test_an_export_is_followed_to_its_end_by_either_word(bench: Bench, end: str) -> None:
    bench.system.set_switches(export_end=end, export_delay=10.0)
    bench.make("left@example.com", "guest:0123")
    at = bench.clock.now()
    bench.system.unsubscribe("left@example.com")
    (one,) = choices(bench.client(), at - timedelta(minutes=1))
    assert (one.customer, one.email) == (None, "left@example.com")
    assert sum(bench.slept) >= 10


def test_a_choice_is_written_to_the_contact_that_is_there_and_nothing_else_of_it(bench: Bench) -> None:
    client = bench.client()
    send_contacts(client, [contact("C1", first_name="Kept"), contact("C2")])
    assert states(send_consents(client, [told("C1", "out"), told("C2", "in")])) == {"C1": "accepted", "C2": "accepted"}
    assert (bench.contact("C1").fields["31"], bench.contact("C2").fields["31"]) == ("2", "1")
    assert bench.contact("C1").fields["1"] == "Kept"
    send_contacts(client, [contact("C1", first_name="New")])
    assert bench.contact("C1").fields["31"] == "2", "a load does not touch it"


def test_nobody_is_created_by_a_choice(bench: Bench) -> None:
    client = bench.client()
    send_contacts(client, [contact("C1")])
    sent = send_consents(client, [told("nobody", "out"), told("C1", "out")])
    assert rules(sent) == {"nobody": "EM-CONSENT-REFUSED"}
    assert states(sent)["C1"] == "accepted"
    assert len(bench.system.store.contacts) == 1


def test_a_channel_that_emarsys_lacks_is_left_alone(bench: Bench) -> None:
    client = bench.client()
    send_contacts(client, [contact("C1")])
    assert states(send_consents(client, [told("C1", "out", channel="sms")])) == {"C1": "accepted"}
    assert "31" not in bench.contact("C1").fields


def test_a_choice_that_is_made_again_is_another_document() -> None:
    assert told("C1", "out") == told("C1", "out")
    assert told("C1", "out").document != told("C1", "out", T0 + timedelta(days=1)).document


@pytest.mark.parametrize("ever", [True, False])
def test_who_opts_in_is_read_back_where_emarsys_owns_the_channel_and_nowhere_else(bench: Bench, ever: bool) -> None:
    send_contacts(bench.client(), [contact("C1"), contact("C2")])
    bench.clock.advance(600)
    at = bench.clock.now()
    bench.system.subscribe("c1@example.com")
    since = None if ever else at - timedelta(seconds=1)
    (one,) = choices(bench.client(), since, ["email"])
    assert (one.channel, one.choice, one.customer) == ("email", "in", "C1")
    assert one.said_at is not None
    assert abs(one.said_at - at) < timedelta(seconds=1)
    assert list(choices(bench.client(), since)) == []
    assert list(choices(bench.client(), since, ["sms"])) == []
