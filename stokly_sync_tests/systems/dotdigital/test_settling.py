"""Imports followed to their end: both words for it, refusals by record, lost and failed imports (D7)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stokly_sync.flow import Feed, Outcome, State
from stokly_sync_tests.systems.dotdigital.bench import Bench, accepted, carried, contact, record, states

Feeds = Callable[[str], Feed]


@pytest.mark.parametrize("done", ["Finished", "Complete"])
def test_both_words_are_ends(bench: Bench, feed: Feeds, done: str) -> None:
    bench.system.set_switches(done=done)
    product = record("S1", {"key": "S1", "json": {"sku": "S1"}})
    assert accepted(carried(feed("products"), bench.client(), product)) == ["S1"]


def test_a_refused_record_carries_the_vendors_reason_and_nobodys_address(bench: Bench, feed: Feeds) -> None:
    bench.system.set_switches(failing_ids=["C2"])
    found = carried(feed("contacts"), bench.client(), contact("C1"), contact("C2"))
    assert accepted(found) == ["C1"]
    assert found["C2"].rule == "DD-REJECTED"
    assert "unknown" in str(found["C2"].reason)
    assert "@" not in str(found["C2"].reason)


def test_an_import_that_fails_as_a_whole_is_halved_until_the_culprit_stands_alone(bench: Bench, feed: Feeds) -> None:
    bench.system.set_switches(poison_ids=["C5"])
    found = carried(feed("contacts"), bench.client(), *[contact(f"C{n}") for n in range(8)])
    assert accepted(found) == [f"C{n}" for n in range(8) if n != 5]
    assert "RejectedByWatchdog" in str(found["C5"].reason)


def test_a_lost_import_is_sent_again_by_the_run_that_sent_it(bench: Bench, feed: Feeds) -> None:
    client = bench.client()
    carried(feed("contacts"), client, contact("C0"))
    bench.system.set_switches(lost_imports=1)
    assert accepted(carried(feed("contacts"), client, contact("C1"))) == ["C1"]
    assert bench.system.store.find("stokly-id", "C1") is not None


def test_another_run_finds_an_import_by_its_id(bench: Bench, feed: Feeds) -> None:
    contacts = feed("contacts")
    sent = contacts.send(bench.client(), [contact("C1")])
    assert contacts.settle is not None
    writes = bench.calls("PUT", "/contacts/v3/import")
    assert states(contacts.settle(bench.client(), sent)) == {"C1": "accepted"}
    assert bench.calls("PUT", "/contacts/v3/import") == writes


def test_a_lost_import_of_another_run_is_sent_again_without_a_person(bench: Bench, feed: Feeds) -> None:
    contacts = feed("contacts")
    assert contacts.settle is not None
    (found,) = contacts.settle(bench.client(), [Outcome("C1", State.SUBMITTED, receipt="no-such-import#0")])
    assert found.state is State.PLANNED


def test_an_import_that_is_lost_again_and_again_is_named(bench: Bench, feed: Feeds) -> None:
    client = bench.client()
    carried(feed("contacts"), client, contact("C0"))
    bench.system.set_switches(lost_imports=99)
    found = carried(feed("contacts"), client, contact("C1"))["C1"]
    assert (found.state, found.rule) == (State.REJECTED, "DD-IMPORT-LOST")
    assert bench.system.switches.lost_imports == 99 - 3


def test_an_import_of_another_run_that_failed_as_a_whole_is_sent_again_and_halved(bench: Bench, feed: Feeds) -> None:
    contacts = feed("contacts")
    bench.system.set_switches(poison_ids=["C1"])
    sent = contacts.send(bench.client(), [contact("C1"), contact("C2")])
    assert contacts.settle is not None
    assert states(contacts.settle(bench.client(), sent)) == {"C1": "planned", "C2": "planned"}
    assert states(list(carried(contacts, bench.client(), contact("C1"), contact("C2")).values())) == {
        "C1": "rejected",
        "C2": "accepted",
    }


@pytest.mark.parametrize("told", [False, True])
def test_who_is_suppressed_is_named_although_the_vendor_only_counts(bench: Bench, feed: Feeds, told: bool) -> None:
    client = bench.client()
    carried(feed("contacts"), client, contact("C1"), contact("C2"))
    bench.system.set_switches(report_suppressed=told)
    bench.system.unsubscribe("c1@example.com", status="suppressed")
    found = carried(feed("contacts"), client, contact("C1", FIRSTNAME="A"), contact("C2", FIRSTNAME="B"))
    assert states(list(found.values())) == {"C1": "rejected", "C2": "accepted"}
    assert found["C1"].rule == ("DD-REJECTED" if told else "DD-SUPPRESSED")
    assert bench.email_status("c1@example.com") == "suppressed"


def test_an_import_that_does_not_end_stays_open(bench: Bench, feed: Feeds) -> None:
    client = bench.client(import_wait=60)
    bench.system.set_switches(stuck_imports=1)
    assert carried(feed("contacts"), client, contact("C1")) == {}


def test_no_more_imports_are_under_way_than_allowed(bench: Bench, feed: Feeds) -> None:
    bench.system.set_switches(import_delay=20.0, active_insight_imports=2)
    client = bench.client(insight_imports=2)
    sent: list[Outcome] = []
    for number in range(5):
        sent += feed("products").send(client, [record(f"S{number}", {"key": f"S{number}", "json": {"sku": "S"}})])
    settle = feed("products").settle
    assert settle is not None
    assert set(states(settle(client, sent)).values()) == {"accepted"}
    assert bench.system.calls.count(method="PUT", template="/insightData/v3/import", status=429) == 0


def test_an_import_is_asked_about_once_when_it_is_known_how_long_they_take(bench: Bench, feed: Feeds) -> None:
    bench.system.set_switches(import_delay=4.0)
    client = bench.client()
    carried(feed("contacts"), client, contact("C0"))
    before = bench.calls("GET", "/contacts/v3/import/{id}")
    for number in range(1, 6):
        carried(feed("contacts"), client, contact(f"C{number}"))
    assert bench.calls("GET", "/contacts/v3/import/{id}") - before == 5
