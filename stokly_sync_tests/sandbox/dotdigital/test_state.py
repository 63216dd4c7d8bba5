"""State that outlives a process: contract section 8 asks for a sandbox that can be stopped and started."""

import pytest

from stokly_sync.sandbox.dotdigital import DotdigitalSandbox
from stokly_sync.sandbox.kit import ManualClock, decode, encode
from stokly_sync_tests.sandbox.dotdigital.bench import CATALOGUE, Bench, contact, email_of, order, product

pytestmark = pytest.mark.sandbox


def filled(bench: Bench) -> str:
    """Fill a sandbox with a bit of everything, and start one more import."""
    bench.ok("POST", "/configuration/v3/customIdentifiers", {"name": "stokly-id"})
    number = bench.ok("POST", "/v2/address-books", {"name": "Customers"})["id"]
    report = bench.load(contact(identifiers={"email": email_of("C1"), "stokly-id": "1"}, lists=[number]), contact("C2"))
    bench.load_insight(order(products=[{"qty": 1}]), order("O2", owner="NOBODY"))
    bench.load_insight(product(price=1), **CATALOGUE)
    people = [row["contactId"] for row in report["created"]]
    bench.ok("POST", "/v2/programs/enrolments", {"programId": 1, "contacts": people})
    bench.ok("PATCH", "/contacts/v3/stokly-id/1", {"preferences": [{"id": 7, "isOptedIn": True}]})
    return bench.start(contact("C3"))


def test_all_state_survives_being_saved_and_loaded(bench: Bench) -> None:
    number = filled(bench)
    saved = encode(bench.system.dump())
    clock = ManualClock()
    second = DotdigitalSandbox(clock=clock)
    second.load(decode(saved))
    assert encode(second.store) == encode(bench.system.store)
    assert second.store.find("stokly-id", "1") is not None
    clock.advance(1)
    second.settle()
    job = second.jobs.find("contacts", number)
    assert job is not None
    assert (second.jobs.status(job), len(second.store.contacts)) == ("Finished", 3)


def test_types_of_a_collection_survive_too(bench: Bench) -> None:
    filled(bench)
    bench.system.load(decode(encode(bench.system.dump())))
    assert bench.reasons(order("O3", products=[{"qty": "1"}])) == ["JsonValueIncompatibleWithSchema"]


def test_a_change_is_told_and_a_look_is_none(bench: Bench) -> None:
    before = bench.system.changes
    bench.get("/contacts/v3")
    assert bench.system.changes == before
    bench.start(contact())
    assert bench.system.changes > before
