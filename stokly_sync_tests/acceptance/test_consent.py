"""Consent: opt-outs from anywhere, opt-ins of the owner, never overwritten by a load and never behind one (X19, E4)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from typing import Final

import pytest
import sqlalchemy as sa

from stokly_sync.contracts.consent import CONSENTS
from stokly_sync.warehouse.tables import LANDED
from stokly_sync_tests.acceptance.account import MARKED, add_customers, change_customer
from stokly_sync_tests.acceptance.benches import Bench
from stokly_sync_tests.acceptance.harness import Rig, opened

pytestmark = [pytest.mark.acceptance, pytest.mark.sandbox, pytest.mark.needs("people")]

OWNED: Final[Mapping[str, str]] = {
    "STOKLY_SYNC_CONSENT_OWNERS": '{"email": "stokly"}',
    "STOKLY_CONSENT_MEMBERS": '{"email": "newsletter"}',
}


@pytest.fixture
def owned(bench: Bench, sqlite_url: str) -> Iterator[Rig]:
    """A rig in which Stokly owns the channel and says so by a member of its own."""
    with opened(bench, sqlite_url, environ={**OWNED, **bench.small_batches}) as made:
        yield made


def mail(number: int) -> str:
    return f"{MARKED['email']}-{number}@example.com"


def left(rig: Rig, number: int) -> None:
    """Let a person leave the destination, some time after the contact was made."""
    rig.clock.sleep(600)
    rig.bench.leave(rig, mail(number))


def test_what_stokly_states_reaches_the_destination(owned: Rig) -> None:
    rig = owned
    (yes,) = add_customers(rig.stokly, [1], newsletter=True)
    (no,) = add_customers(rig.stokly, [2], newsletter=False)
    (silent,) = add_customers(rig.stokly, [3])
    rig.sync().fine()
    rig.consent().fine()
    assert (rig.bench.choice(rig, yes), rig.bench.choice(rig, no)) == ("in", "out")
    assert rig.bench.choice(rig, silent) != "in"
    change_customer(rig.stokly, yes, newsletter=False)
    rig.sync().fine()
    rig.consent().fine()
    assert rig.bench.choice(rig, yes) == "out"
    assert rig.consent().fine().sent == {}, "nothing is said twice"
    rig.agrees()


def test_who_left_there_stays_out_whatever_is_loaded(owned: Rig) -> None:
    rig = owned
    (key,) = add_customers(rig.stokly, [1], newsletter=True)
    rig.sync().fine()
    rig.consent().fine()
    left(rig, 1)
    rig.consent().fine()
    assert rig.state("consents", key) == "excluded"
    assert (rig.feed_id("consents"), key, "CONSENT-ORIGIN") in rig.exceptions(state="excluded")
    change_customer(rig.stokly, key, name="Changed")
    rig.sync().fine()
    rig.replay(force=True).fine()
    rig.consent().fine()
    assert rig.bench.choice(rig, key) == "out"
    rig.agrees()


def test_without_the_settings_no_choice_is_ever_sent(rig: Rig) -> None:
    (key,) = add_customers(rig.stokly, [1], newsletter=True)
    rig.sync().fine()
    left(rig, 1)
    rig.consent().fine()
    assert rig.states("consents") == {}
    assert rig.bench.choice(rig, key) != "in"


def test_a_choice_is_taken_while_a_load_is_running(owned: Rig) -> None:
    rig = owned
    (key,) = add_customers(rig.stokly, [1])
    rig.sync().fine()
    add_customers(rig.stokly, range(100, 400))
    change_customer(rig.stokly, key, newsletter=False)
    rig.extract()
    rig.there.faults.add(rig.bench.fault(action="pass", times=None, delay=0.05))
    load = threading.Thread(target=rig.load)
    load.start()
    try:
        began = time.monotonic()
        while len(rig.states(rig.bench.main)) < 300 and time.monotonic() < began + 30:
            time.sleep(0.01)
        began = time.monotonic()
        rig.consent().fine()
        took = time.monotonic() - began
        waiting = sum(state == "planned" for state in rig.states(rig.bench.main).values())
        assert rig.state("consents", key) == "accepted"
        assert rig.bench.choice(rig, key) == "out"
        assert waiting, "the load must still be running, or this proves nothing"
        assert took < 20
    finally:
        rig.there.faults.clear()
        load.join()
    rig.agrees()


def test_an_opt_in_made_where_the_channel_is_owned_wins_over_an_older_opt_out_and_never_goes_back(
    bench: Bench, sqlite_url: str
) -> None:
    owners = {**OWNED, "STOKLY_SYNC_CONSENT_OWNERS": f'{{"email": "{bench.system}"}}'}
    with opened(bench, sqlite_url, environ=owners) as rig:
        (key, other) = add_customers(rig.stokly, [1, 2], newsletter=False)
        rig.sync().fine()
        rig.consent().fine()
        assert rig.state("consents", key) == "accepted"
        rig.clock.sleep(600)
        rig.bench.join(rig, mail(1))
        rig.consent().fine()
        assert held(rig) == {key: ("in", bench.system), other: ("out", "stokly")}
        assert rig.state("consents", key) == "excluded"
        assert (rig.feed_id("consents"), key, "CONSENT-ORIGIN") in rig.exceptions(state="excluded")
        left(rig, 1)
        rig.consent().fine()
        assert held(rig)[key] == ("out", bench.system)


def held(rig: Rig) -> dict[str, tuple[str, str]]:
    """What holds of e-mail for each customer, and where it was said."""
    c = LANDED[CONSENTS.name].c
    with rig.services.warehouse.reading() as connection:
        rows = connection.execute(sa.select(c.customer_id, c.email_choice, c.email_source)).all()
    return {row.customer_id: (row.email_choice, row.email_source) for row in rows}
