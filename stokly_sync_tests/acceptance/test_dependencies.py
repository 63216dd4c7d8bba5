"""What waits goes out by itself as soon as it may (X2, X5)."""

from __future__ import annotations

import pytest

from stokly_sync_tests.acceptance.account import (
    add_customers,
    add_order,
    change_customer,
    change_item,
    change_order,
    customer,
    order_ids,
)
from stokly_sync_tests.acceptance.harness import Rig

pytestmark = [pytest.mark.acceptance, pytest.mark.sandbox, pytest.mark.needs("people")]


@pytest.mark.needs("later")
def test_an_order_waits_for_its_product_and_leaves_with_it(rig: Rig) -> None:
    rig.bench.refuse(rig, "later", "MUG")
    rig.sync().fine()
    assert set(rig.states(rig.bench.follows).values()) == {"parked"}
    assert rig.held(rig.bench.follows) == {}
    assert {row["reason"] for (feed, _), row in rig.ledger().items() if feed == rig.bench.follows} != {None}
    rig.bench.refuse(rig, "later")
    change_item(rig.stokly, "MUG", name="Mug, corrected")
    rig.sync().fine()
    assert set(rig.states(rig.bench.follows).values()) == {"accepted"}
    assert set(rig.held(rig.bench.follows)) == set(order_ids(rig.stokly))
    rig.agrees()


def test_an_order_waits_for_its_contact_and_leaves_with_it(loaded: Rig) -> None:
    rig = loaded
    (key,) = add_customers(rig.stokly, [1], email=...)
    bought = add_order(rig.stokly, 1, customer=customer(1))
    rig.sync().fine()
    assert rig.state(rig.bench.follows, bought) == "parked"
    assert rig.state(rig.bench.main, key) == "quarantined"
    assert rig.sync().fine().sent == {}
    change_customer(rig.stokly, key, email="found@example.com")
    assert rig.sync().fine().sent == {rig.bench.main: 1, rig.bench.follows: 1}
    assert rig.state(rig.bench.follows, bought) == "accepted"
    assert rig.exceptions() == set()
    rig.agrees()


def test_an_order_that_is_not_confirmed_yet_leaves_when_it_is_paid(loaded: Rig) -> None:
    rig = loaded
    bought = add_order(rig.stokly, 1, paymentStatus="unpaid")
    rig.sync().fine()
    assert rig.state(rig.bench.follows, bought) == "parked"
    change_order(rig.stokly, bought, paymentStatus="paid")
    assert rig.sync().fine().sent == {rig.bench.follows: 1}
    rig.agrees()


def test_what_a_contract_keeps_back_is_released_once_it_is_corrected(loaded: Rig) -> None:
    rig = loaded
    bought = add_order(rig.stokly, 1)
    whole = rig.stokly.store.get("saleorders", bought)["displayTotal"]
    change_order(rig.stokly, bought, displayTotal=whole + 5)
    done = rig.sync().fine()
    assert dict(done.landed["stokly.orders"].quarantined) == {"ST-ORDER-TOTAL": 1}
    assert rig.exceptions() == {("stokly.orders", bought, "ST-ORDER-TOTAL")}
    assert bought not in rig.held(rig.bench.follows)
    plan = done.loaded[rig.bench.follows].plan
    assert plan is not None
    assert dict(plan.quarantined) == {"ST-ORDER-TOTAL": 1}
    rig.agrees()
    change_order(rig.stokly, bought, displayTotal=whole)
    assert rig.sync().fine().sent == {rig.bench.follows: 1}
    assert rig.exceptions() == set()
    rig.agrees()


def test_a_good_record_that_turns_bad_keeps_its_last_good_state_at_the_destination(loaded: Rig) -> None:
    rig = loaded
    bought = add_order(rig.stokly, 1)
    rig.sync().fine()
    before = rig.held(rig.bench.follows)[bought]
    change_order(rig.stokly, bought, currency="POUNDS")
    assert rig.sync().fine().sent == {}
    assert rig.held(rig.bench.follows)[bought] == before
    assert rig.exceptions() == {("stokly.orders", bought, "ST-CURRENCY")}
    rig.agrees()
