"""Records on the wire and what becomes of them, against the sandbox (D1, D2, D4, D6, D7, X19)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stokly_sync.contracts.owners import person
from stokly_sync.errors import BatchRefused, CredentialsError, InDoubt, PermanentError, TransientError
from stokly_sync.flow import Feed, State
from stokly_sync.sandbox.kit import Fault
from stokly_sync.systems.dotdigital import DotdigitalSettings
from stokly_sync.systems.dotdigital.probing import probe
from stokly_sync.systems.dotdigital.setup import data_fields
from stokly_sync.systems.transport import remember
from stokly_sync_tests.systems.dotdigital.bench import Bench, accepted, carried, contact, guest, order, record
from stokly_sync_tests.systems.transport.stub import Kept

Feeds = Callable[[str], Feed]


def test_set_up_makes_what_is_missing_once_and_repeats_safely(bench: Bench, feed: Feeds) -> None:
    for _ in range(2):
        client = bench.client()
        carried(feed("contacts"), client, contact("C1"))
        carried(feed("contacts"), client, contact("C2"))
    assert set(data_fields(DotdigitalSettings())) <= set(bench.system.store.fields)
    assert list(bench.system.store.custom_identifiers) == ["stokly-id"]
    assert [book.name for book in bench.system.store.lists.values()].count("Stokly") == 1
    assert bench.calls("POST", "/configuration/v3/customIdentifiers") == 2
    assert bench.calls("GET", "/v2/account-info") == 2


def test_what_set_up_found_is_not_asked_for_again_by_the_next_client(bench: Bench, feed: Feeds) -> None:
    memory = Kept()
    for key in ("C1", "C2"):
        client = bench.client()
        remember(client, memory)
        assert accepted(carried(feed("contacts"), client, contact(key))) == [key]
    for path in ("/v2/account-info", "/v2/data-fields", "/v2/address-books"):
        assert bench.calls("GET", path) == 1
    assert bench.calls("POST", "/configuration/v3/customIdentifiers") == 1
    assert bench.system.switches.password not in repr(memory.found)


def test_a_data_field_of_another_type_stops_the_load_and_says_what_to_do(bench: Bench, feed: Feeds) -> None:
    bench.system.store.fields["STOKLY_LTV"] = type(bench.system.store.fields["FIRSTNAME"])("STOKLY_LTV", "String")
    with pytest.raises(PermanentError, match="DOTDIGITAL_FIELD_PREFIX"):
        feed("contacts").send(bench.client(), [contact()])


@pytest.mark.parametrize("region", ["here", "moved"])
def test_the_account_is_found_where_discovery_says(bench: Bench, feed: Feeds, region: str) -> None:
    bench.system.set_switches(region=region)
    assert accepted(carried(feed("contacts"), bench.client(), contact())) == ["C1"]


def test_the_wrong_region_and_wrong_credentials_say_what_to_set(bench: Bench, feed: Feeds) -> None:
    bench.system.set_switches(region="closed")
    with pytest.raises(CredentialsError, match="DOTDIGITAL_BASE_URL"):
        feed("contacts").send(bench.client(), [contact()])
    with pytest.raises(CredentialsError, match="DOTDIGITAL_PASSWORD"):
        feed("contacts").send(bench.client(password="wrong"), [contact()])


def test_a_right_that_is_missing_stops_the_load_at_once(bench: Bench, feed: Feeds) -> None:
    bench.system.set_switches(denied=["/contacts/v3/import"])
    with pytest.raises(PermanentError, match="contacts/v3/import"):
        feed("contacts").send(bench.client(), [contact()])


@pytest.mark.parametrize("look_ups", [0, 20])
def test_nobody_is_subscribed_and_a_choice_is_never_overwritten(bench: Bench, feed: Feeds, look_ups: int) -> None:
    client = bench.client(look_ups=look_ups)
    carried(feed("contacts"), client, contact("C1"), contact("C2"))
    assert bench.email_status("c1@example.com") == "unsubscribed"
    chosen = bench.system.store.find("email", "c1@example.com")
    assert chosen is not None
    chosen.email_status = "subscribed"
    for one in (client, bench.client(look_ups=look_ups)):
        found = carried(feed("contacts"), one, contact("C1", FIRSTNAME="Changed"), contact("C3"))
        assert accepted(found) == ["C1", "C3"]
        assert bench.email_status("c1@example.com") == "subscribed"
    assert bench.email_status("c3@example.com") == "unsubscribed"


def test_somebody_who_signed_up_by_themselves_is_recognised_by_the_address(bench: Bench, feed: Feeds) -> None:
    store = bench.system.store
    bench.system.upserts.create({}, {"email": "C1@example.com"}, now=bench.clock.now())
    carried(feed("contacts"), bench.client(), contact("C1"))
    assert len(store.contacts) == 1
    (person,) = store.contacts.values()
    assert (person.identifiers["stokly-id"], person.email_status) == ("C1", "subscribed")


def test_a_new_address_stays_the_same_contact(bench: Bench, feed: Feeds) -> None:
    client = bench.client()
    carried(feed("contacts"), client, contact("C1"))
    assert accepted(carried(feed("contacts"), client, contact("C1", "new@example.com"))) == ["C1"]
    assert len(bench.system.store.contacts) == 1


def test_an_address_of_another_customers_contact_is_refused_with_its_rule(bench: Bench, feed: Feeds) -> None:
    client = bench.client()
    carried(feed("contacts"), client, contact("C1", "shared@example.com"))
    found = carried(feed("contacts"), client, contact("C2", "shared@example.com"))
    assert (found["C2"].state, found["C2"].rule) == (State.REJECTED, "DD-EMAIL-TAKEN")


def test_guests_become_contacts_that_are_not_subscribed(bench: Bench, feed: Feeds) -> None:
    found = carried(feed("guests"), bench.client(), guest("g@example.com"), guest("h@example.com"))
    assert accepted(found) == sorted([person("g@example.com"), person("h@example.com")])
    assert bench.email_status("g@example.com") == "unsubscribed"
    assert accepted(carried(feed("orders"), bench.client(), order("O1", email="g@example.com"))) == ["O1"]
    assert bench.calls("PUT", "/contacts/v3/import") == 1


def test_a_guest_who_signed_up_before_keeps_their_choice_and_their_customer_id(bench: Bench, feed: Feeds) -> None:
    carried(feed("contacts"), bench.client(), contact("C1", "g@example.com"))
    held = bench.system.store.find("email", "g@example.com")
    assert held is not None
    held.email_status = "subscribed"
    assert len(accepted(carried(feed("guests"), bench.client(), guest("g@example.com")))) == 1
    assert bench.email_status("g@example.com") == "subscribed"
    assert held.identifiers["stokly-id"] == "C1"
    assert len(bench.system.store.contacts) == 1


def test_a_guest_who_is_refused_is_named_by_a_digest_alone(bench: Bench, feed: Feeds) -> None:
    bench.system.set_switches(failing_ids=["g@example.com"])
    found = carried(feed("guests"), bench.client(), guest("g@example.com"), guest("h@example.com"))
    assert accepted(found) == [person("h@example.com")]
    refused = found[person("g@example.com")]
    assert (refused.state, refused.rule) == (State.REJECTED, "DD-REJECTED")
    assert "@" not in str(refused)


def test_guests_of_an_import_that_fails_are_sent_again_in_halves(bench: Bench, feed: Feeds) -> None:
    bench.system.set_switches(poison_ids=["g@example.com"])
    found = carried(feed("guests"), bench.client(), guest("g@example.com"), guest("h@example.com"))
    assert accepted(found) == [person("h@example.com")]


def test_an_order_of_another_owner_is_deleted_there_first(bench: Bench, feed: Feeds) -> None:
    client = bench.client()
    carried(feed("contacts"), client, contact("C1"), contact("C2"))
    carried(feed("orders"), client, order("O1", "C1"))
    assert accepted(carried(feed("orders"), bench.client(), order("O1", "C2"), order("O2", "C2"))) == ["O1", "O2"]
    new = bench.system.store.find("stokly-id", "C2")
    assert new is not None
    assert bench.system.store.collections["Orders"].records["O1"].owner == new.contact_id


def test_an_order_without_its_contact_is_rejected_with_the_reason(bench: Bench, feed: Feeds) -> None:
    client = bench.client()
    carried(feed("contacts"), client, contact("C1"))
    found = carried(feed("orders"), client, order("O1", "C1"), order("O2", "nobody"))
    assert accepted(found) == ["O1"]
    assert "ContactCustomIdentifierValueDoesNotExist" in str(found["O2"].reason)


def test_an_event_whose_answer_is_lost_is_in_doubt_and_not_sent_twice(bench: Bench, feed: Feeds) -> None:
    client = bench.client()
    carried(feed("contacts"), client, contact("C1"))
    event = {
        "contactIdentity": {"identifier": "stokly-id", "value": "C1"},
        "type": "stokly-dispatch",
        "id": "D1",
        "timelineDetails": {"summary": "Order dispatched"},
    }
    bench.system.faults.add(Fault(path="/events/v3/import", action="cut", processed=True))
    with pytest.raises(InDoubt):
        feed("dispatches").send(client, [record("D1", event)])
    assert len(bench.system.store.events) == 1


@pytest.mark.parametrize("reset", ["epoch", "seconds"])
def test_a_tier_that_is_used_up_is_waited_for_until_its_reset(bench: Bench, feed: Feeds, reset: str) -> None:
    bench.system.set_switches(low=1, reset=reset)
    bench.system.set_limits(True)
    client = bench.client()
    for key in ("C1", "C2"):
        assert accepted(carried(feed("contacts"), client, contact(key))) == [key]
    assert max(bench.slept) > 15.0


def test_the_old_scheme_says_400_when_its_hour_is_used_up_and_is_tried_again_later(bench: Bench, feed: Feeds) -> None:
    bench.system.set_switches(scheme="flat", flat_per_hour=1)
    bench.system.set_limits(True)
    with pytest.raises(TransientError, match="used up"):
        feed("contacts").send(bench.client(), [contact("C1")])
    bench.clock.advance(3600)
    bench.system.set_switches(flat_per_hour=2000)
    assert accepted(carried(feed("contacts"), bench.client(), contact("C1"))) == ["C1"]


def test_a_malformed_import_is_refused_as_a_batch(bench: Bench, feed: Feeds) -> None:
    client = bench.client()
    carried(feed("contacts"), client, contact("C1"))
    bench.system.faults.add(Fault(path="/contacts/v3/import", status=400, text='{"errorCode":"contacts:badJson"}'))
    with pytest.raises(BatchRefused):
        feed("contacts").send(client, [contact("C2")])


def test_the_doctor_finds_a_sound_account_and_a_wrong_password(bench: Bench) -> None:
    assert {found.subject for found in probe(bench.client()) if not found.ok} == set()
    assert [found.ok for found in probe(bench.client(password="wrong"))] == [False]
