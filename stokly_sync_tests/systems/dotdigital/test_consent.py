"""Who left Dotdigital by themselves, and choices that were made elsewhere (X19)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from stokly_sync.contracts.consent import CONSENTS, LONG_AGO, Told
from stokly_sync.flow import Choice, Feed, Record, State
from stokly_sync.systems.dotdigital import DotdigitalSettings
from stokly_sync.systems.dotdigital.consent import choices, document
from stokly_sync.systems.dotdigital.documents import build_contacts
from stokly_sync.systems.dotdigital.feeds import feeds
from stokly_sync_tests.systems.dotdigital.bench import Bench, carried, contact, record, states
from stokly_sync_tests.systems.dotdigital.rows import frames

Feeds = Callable[[str], Feed]
T0 = datetime(2026, 3, 1, tzinfo=UTC)


def told(customer: str, choice: str, at: datetime = T0, channel: str = "email") -> Record:
    return record(customer, document(Told(customer, None, {channel: (Choice(choice), at)})))


def left(bench: Bench, since: datetime | None = None) -> list[str | None]:
    return [one.email for one in choices(bench.client(), since)]


@pytest.mark.parametrize("times", ["iso", "spaced"])
def test_who_leaves_is_read_back_with_its_time_and_who_was_made_so_not(bench: Bench, feed: Feeds, times: str) -> None:
    bench.system.set_switches(v2_times=times)
    carried(feed("contacts"), bench.client(), contact("C1"), contact("C2"))
    assert left(bench) == [], "both were created as unsubscribed, which is nobody's choice"
    bench.clock.advance(600)
    bench.system.upserts.create({}, {"email": "came@example.com"}, now=bench.clock.now())
    bench.clock.advance(600)
    bench.system.unsubscribe("came@example.com")
    (one,) = choices(bench.client(), None)
    assert (one.channel, one.choice, one.email, one.reason) == ("email", "out", "came@example.com", "Unsubscribed")
    assert one.said_at is not None
    assert abs(one.said_at - bench.clock.now()) < timedelta(seconds=1)
    assert left(bench, bench.clock.now() - timedelta(seconds=1)) == ["came@example.com"]
    assert left(bench, bench.clock.now() + timedelta(seconds=1)) == []


@pytest.mark.parametrize("look_ups", [0, 20])
def test_a_choice_is_written_alone_or_as_an_import(bench: Bench, feed: Feeds, look_ups: int) -> None:
    client = bench.client(look_ups=look_ups)
    carried(feed("contacts"), client, contact("C1"), contact("C2", FIRSTNAME="Kept"))
    sent = feed("consents").send(client, [told("C1", "in"), told("C2", "out")])
    assert states(sent) == {"C1": "accepted", "C2": "accepted"}
    assert [bench.email_status(f"c{n}@example.com") for n in (1, 2)] == ["subscribed", "unsubscribed"]
    person = bench.system.store.find("stokly-id", "C2")
    assert person is not None
    assert person.fields["FIRSTNAME"] == "Kept"


@pytest.mark.parametrize("look_ups", [0, 20])
def test_who_is_suppressed_is_never_opened_again(bench: Bench, feed: Feeds, look_ups: int) -> None:
    client = bench.client(look_ups=look_ups)
    carried(feed("contacts"), client, contact("C1"), contact("C2"))
    for number in (1, 2):
        bench.system.unsubscribe(f"c{number}@example.com", status="suppressed")
    sent = {one.key: one for one in feed("consents").send(client, [told("C1", "in"), told("C2", "out")])}
    assert (sent["C1"].state, sent["C1"].rule) == (State.REJECTED, "DD-CONSENT-REFUSED")
    assert sent["C2"].state is State.ACCEPTED
    assert {bench.email_status(f"c{number}@example.com") for number in (1, 2)} == {"suppressed"}


def test_nobody_is_created_by_a_choice(bench: Bench, feed: Feeds) -> None:
    client = bench.client()
    carried(feed("contacts"), client, contact("C1"))
    (sent,) = feed("consents").send(client, [told("nobody", "out")])
    assert (sent.state, sent.rule) == (State.REJECTED, "DD-CONSENT-REFUSED")
    assert len(bench.system.store.contacts) == 1


def test_who_opted_out_elsewhere_is_not_subscribed_by_being_new(bench: Bench) -> None:
    subscribing = DotdigitalSettings(new_contact_status="subscribed")
    contacts = next(one for one in feeds(subscribing) if one.name == "contacts")
    assert CONSENTS.name in {need.table for need in contacts.needs}
    rows = frames(customers=[{"customer_id": "C1"}, {"customer_id": "C2", "email": "c2@example.com"}])
    out = pd.DataFrame([{"customer_id": "C2", "email_choice": "out"}])
    made = build_contacts({**rows, CONSENTS.name: out}, subscribing).documents
    carried(contacts, bench.client(new_contact_status="subscribed"), *(record(d.key, d.body) for d in made))
    assert bench.email_status("buyer@example.com") == "subscribed"
    assert bench.email_status("c2@example.com") == "unsubscribed"


def test_a_channel_that_a_contact_lacks_is_left_alone(bench: Bench, feed: Feeds) -> None:
    client = bench.client()
    carried(feed("contacts"), client, contact("C1"))
    (sent,) = feed("consents").send(client, [told("C1", "out", channel="sms")])
    assert sent.state is State.ACCEPTED
    assert bench.calls("PATCH", "/contacts/v3/{identifier}/{value}") == 0


def test_a_choice_that_is_made_again_is_another_document() -> None:
    def body(at: datetime) -> Any:
        return document(Told("C1", None, {"email": (Choice.OUT, at)}))

    assert body(T0) == body(T0)
    assert body(T0) != body(T0 + timedelta(days=1))


@pytest.mark.parametrize("ever", [True, False])
def test_who_subscribes_is_read_back_where_dotdigital_owns_the_channel_and_nowhere_else(
    bench: Bench, feed: Feeds, ever: bool
) -> None:
    carried(feed("contacts"), bench.client(), contact("C1"), contact("C2"))
    bench.clock.advance(600)
    at = bench.clock.now()
    bench.system.subscribe("c1@example.com")
    since = None if ever else at - timedelta(seconds=1)
    (one,) = (said for said in choices(bench.client(), since, ["email"]) if said.choice is Choice.IN)
    assert one.email == "c1@example.com"
    assert one.said_at is not None
    assert abs(one.said_at - at) < timedelta(seconds=1)
    assert [said for said in choices(bench.client(), since) if said.choice is Choice.IN] == []


def test_a_subscription_of_unknown_age_beats_no_opt_out_when_it_is_first_seen(bench: Bench) -> None:
    bench.system.upserts.create({}, {"email": "came@example.com"}, now=bench.clock.now())
    (one,) = choices(bench.client(), None, ["email"])
    assert (one.choice, one.said_at) == (Choice.IN, LONG_AGO)
    (later,) = choices(bench.client(), bench.clock.now() - timedelta(minutes=1), ["email"])
    assert (later.choice, later.said_at) == (Choice.IN, None)
    assert list(choices(bench.client(new_contact_status="subscribed"), None, ["email"])) == []
