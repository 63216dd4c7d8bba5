"""A person who is erased is gone from our database and from every destination, and stays gone (X14)."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from stokly_sync.delivery.rules import ERASED
from stokly_sync.flow import Choice, Statement
from stokly_sync.landing.consent import Keeper
from stokly_sync.operations.erasing import Erased
from stokly_sync.operations.person import NobodyMeant
from stokly_sync.operations.places import mentions
from stokly_sync.pipeline.erasing import eraser
from stokly_sync.sandbox.kit import Fault, decode, encode
from stokly_sync.warehouse import tables
from stokly_sync_tests.acceptance.account import (
    MARKED,
    add_customers,
    add_order,
    change_customer,
    change_order,
    customer,
)
from stokly_sync_tests.acceptance.benches import on_each
from stokly_sync_tests.acceptance.harness import Rig

pytestmark = [pytest.mark.acceptance, pytest.mark.sandbox, pytest.mark.needs("people")]

EMAIL = f"{MARKED['email']}-1@example.com"
PERSONAL = (EMAIL, MARKED["name"], MARKED["phone"], MARKED["line1"], MARKED["city"], MARKED["postcode"])


def erase(rig: Rig, **who: str) -> Erased:
    return eraser(rig.services, actor="tester").erase(**who)


def one_person(rig: Rig) -> str:
    """The only marked customer of the account, with an order that was loaded; gives the id."""
    (key,) = add_customers(rig.stokly, [1])
    add_order(rig.stokly, 1, customer=customer(1))
    rig.sync().fine()
    assert EMAIL in str(rig.held("contacts")[key].values())
    return key


def found_with_us(rig: Rig, *words: str) -> set[str]:
    """Every column of our database, of whatever kind, that holds one of the words."""
    found = set()
    with rig.services.warehouse.reading() as conn:
        for table in tables.METADATA.sorted_tables:
            for row in conn.execute(sa.select(table)).mappings():
                for column, value in row.items():
                    if any(word.lower() in str(value).lower() for word in words):
                        found.add(f"{table.name}.{column}")
    return found


def found_there(rig: Rig) -> bool:
    """Whether the destination holds the address anywhere, after all that it does later is done.

    Reports of finished imports do not count: a vendor keeps them for a while, and no call removes them. Nor do the
    sandbox's own counts of what it was sent.
    """
    rig.bench.flat(rig)
    rig.clock.sleep(60)
    rig.bench.flat(rig)
    state = decode(encode(rig.there.dump()))
    state.pop("jobs", None)
    for counts in ("imported", "carried_out", "pushed"):
        state["store"].pop(counts, None)
    return EMAIL.encode() in encode(state)


@on_each
def test_the_person_stands_nowhere_with_us_and_nowhere_in_the_destination(rig_on_each: Rig) -> None:
    rig = rig_on_each
    key = one_person(rig)
    assert {"stokly_customers.email", "stokly_orders.customer_email"} <= found_with_us(rig, EMAIL)
    assert found_there(rig)
    done = erase(rig, customer=key)
    assert done.complete
    assert done.rows["stokly.customers"] == 1
    assert found_with_us(rig, *PERSONAL) == set()
    assert not found_there(rig)


@on_each
def test_what_is_read_again_of_an_erased_person_is_landed_without_anything_personal(rig_on_each: Rig) -> None:
    rig = rig_on_each
    key = one_person(rig)
    erase(rig, customer=key)
    change_customer(rig.stokly, key, billingAddressCity=f"New {MARKED['city']}")
    change_order(rig.stokly, add_order(rig.stokly, 2, customer=customer(1)), tags=["late"])
    done = rig.sync().fine()
    assert done.landed["stokly.orders"].changed == 1
    assert done.landed["stokly.customers"].changed == 1
    assert not [name for name, n in done.sent.items() if name in ("contacts", "orders", "dispatches")]
    assert found_with_us(rig, *PERSONAL) == set()
    assert not found_there(rig)


def test_no_feed_sends_the_person_again_not_even_when_forced(loaded: Rig) -> None:
    key = one_person(loaded)
    erase(loaded, customer=key)
    loaded.replay(force=True).fine()
    rows = [row for (feed, name), row in loaded.ledger().items() if name == key and feed in ("contacts", "consents")]
    assert {(row["state"], row["rule"], row["document"]) for row in rows} == {("excluded", ERASED, None)}
    assert not found_there(loaded)


def test_both_sides_agree_after_an_erasure(loaded: Rig) -> None:
    key = one_person(loaded)
    erase(loaded, customer=key)
    loaded.sync().fine()
    loaded.agrees()
    assert not {one for one in loaded.exceptions() if one[1] == key}


def test_a_document_that_waits_to_be_sent_is_taken_away(loaded: Rig) -> None:
    (key,) = add_customers(loaded.stokly, [1])
    loaded.there.faults.add(loaded.bench.fault(status=500, times=None))
    loaded.sync()
    assert "ledger.document" in found_with_us(loaded, EMAIL)
    loaded.there.faults.clear()
    done = erase(loaded, customer=key)
    assert done.documents == 1
    assert found_with_us(loaded, EMAIL) == set()
    assert not loaded.sync().fine().sent
    assert not found_there(loaded)


def test_a_second_erasure_finds_nothing_and_is_fine(loaded: Rig) -> None:
    key = one_person(loaded)
    first = erase(loaded, customer=key)
    again = erase(loaded, customer=key)
    by_address = erase(loaded, email=EMAIL)
    for done in (again, by_address):
        assert done.complete
        assert (done.rows, done.documents, done.exceptions, done.texts) == ({}, 0, 0, 0)
    assert again.person == first.person


def test_a_destination_that_was_down_is_asked_again(loaded: Rig) -> None:
    key = one_person(loaded)
    down = loaded.there.faults
    down.add(Fault(status=503, times=None))
    done = erase(loaded, customer=key)
    states = {answer.system: answer.state for answer in done.answers}
    assert not done.complete
    assert states[loaded.bench.system] == "failed"
    assert found_with_us(loaded, *PERSONAL) == set()
    down.clear()
    # Nothing of the person is left with us to ask by but the customer's id.
    assert erase(loaded, customer=key).complete
    assert not found_there(loaded)


def test_a_guest_is_erased_by_address(loaded: Rig) -> None:
    add_order(loaded.stokly, 1, customer={"email": EMAIL})
    loaded.sync().fine()
    assert erase(loaded, email=EMAIL.upper()).complete
    assert found_with_us(loaded, EMAIL) == set()
    add_order(loaded.stokly, 2, customer={"email": EMAIL})
    loaded.sync().fine()
    assert found_with_us(loaded, EMAIL) == set()
    assert not found_there(loaded)


def test_others_keep_everything_that_is_theirs(loaded: Rig) -> None:
    key = one_person(loaded)
    (other,) = add_customers(loaded.stokly, [22])
    add_order(loaded.stokly, 22, customer=customer(22))
    loaded.sync().fine()
    before = {feed: loaded.held(feed).get(other) for feed in ("contacts",)}
    erase(loaded, customer=key)
    loaded.sync().fine()
    assert {feed: loaded.held(feed).get(other) for feed in ("contacts",)} == before
    assert "stokly_customers.email" in found_with_us(loaded, f"{MARKED['email']}-22@example.com")


def test_statements_of_consent_outlive_the_person(loaded: Rig) -> None:
    key, now = one_person(loaded), loaded.clock.now()
    keeper = Keeper(loaded.services.warehouse, {}, now, "run")
    keeper.take(loaded.bench.system, [Statement("email", Choice.OUT, now, email=EMAIL)], asked_at=now)
    said = statements(loaded)
    assert said
    erase(loaded, customer=key)
    assert statements(loaded) == said


def statements(rig: Rig) -> set[Any]:
    with rig.services.warehouse.reading() as conn:
        return set(conn.execute(sa.select(tables.CONSENT_STATEMENTS.c.statement_id)).scalars())


def test_what_was_done_is_audited_by_digest(loaded: Rig) -> None:
    key = one_person(loaded)
    done = erase(loaded, customer=key)
    a = tables.ACTIONS.c
    with loaded.services.warehouse.reading() as conn:
        rows = list(conn.execute(sa.select(a.subject, a.actor, a.detail).where(a.key == done.person)))
        assert not list(mentions(conn, loaded.services.warehouse.brand, [EMAIL]))
    assert {row.subject for row in rows} == {"warehouse", "stokly", loaded.bench.system}
    assert {row.actor for row in rows} == {"tester"}
    assert all(done.run_id in row.detail for row in rows)


def test_a_document_that_a_rule_kept_back_goes_too(loaded: Rig) -> None:
    (key,) = add_customers(loaded.stokly, [1], email=f"{MARKED['email']}-1@@example.com")
    loaded.sync()
    assert "exceptions.payload" in found_with_us(loaded, MARKED["name"])
    erase(loaded, email=f"{MARKED['email']}-1@@example.com")
    assert found_with_us(loaded, *PERSONAL, f"{MARKED['email']}-1@@example.com") == set()
    change_customer(loaded.stokly, key, email=EMAIL)
    loaded.sync().fine()
    assert found_with_us(loaded, *PERSONAL) == set()


def test_an_address_of_two_customers_is_not_erased_by_one_of_them(loaded: Rig) -> None:
    key = one_person(loaded)
    add_customers(loaded.stokly, [2], email=EMAIL)
    loaded.sync()
    with pytest.raises(NobodyMeant, match="--email"):
        erase(loaded, customer=key)
    assert "stokly_customers.email" in found_with_us(loaded, EMAIL)
    assert erase(loaded, email=EMAIL).complete
    assert found_with_us(loaded, EMAIL) == set()


def test_nobody_is_erased_for_a_word_that_names_nobody(loaded: Rig) -> None:
    with pytest.raises(NobodyMeant, match="Nobody is known"):
        erase(loaded, customer="no such customer")
    with pytest.raises(NobodyMeant, match="Nobody is known"):
        erase(loaded, email="nobody@example.com")
