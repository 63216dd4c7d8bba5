"""First load, nothing changed, changes, and versions (X1, X5, X18)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from stokly_sync.sandbox.seeds.words import stamp
from stokly_sync.sandbox.stokly import Put
from stokly_sync_tests.acceptance.account import (
    add_customers,
    add_order,
    change_customer,
    change_order,
    customer,
    order_ids,
)
from stokly_sync_tests.acceptance.harness import Rig

pytestmark = [pytest.mark.acceptance, pytest.mark.sandbox]


def test_the_first_load_brings_everything_over_once_and_both_sides_agree(rig_on_each: Rig) -> None:
    rig = rig_on_each
    done = rig.sync().fine()
    assert set(rig.held(rig.bench.orders)) == set(order_ids(rig.stokly))
    assert set(rig.held(rig.bench.contacts)) == {row["customerId"] for row in rig.stokly.store.rows("customers")}
    assert set(rig.held(rig.bench.products)) == {row["sku"] for row in rig.stokly.store.rows("items")}
    assert set(rig.taken(rig.bench.orders).values()) == set(rig.taken(rig.bench.contacts).values()) == {1}
    assert {row["state"] for row in rig.ledger().values()} == {"accepted"}
    for one in done.loaded.values():
        assert one.plan is not None
        assert one.sent is not None
        assert one.sent.accepted == one.plan.to_send == one.sent.first_try
    rig.agrees()


def test_what_was_accepted_leaves_no_document_behind(loaded: Rig) -> None:
    assert {row["document"] for row in loaded.ledger().values()} == {None}


def test_with_nothing_changed_nothing_is_sent_and_the_destination_is_not_even_asked(rig_on_each: Rig) -> None:
    rig = rig_on_each
    rig.sync().fine()
    rig.there.calls.reset()
    done = rig.sync().fine()
    assert done.sent == {}
    assert rig.there.calls.rows() == []
    assert {name: figures.changed for name, figures in done.landed.items()} == dict.fromkeys(done.landed, 0)


def test_with_nothing_changed_a_list_of_the_source_costs_one_page(loaded: Rig) -> None:
    loaded.stokly.calls.reset()
    loaded.sync().fine()
    lists = {str(row["template"]): int(row["calls"]) for row in loaded.stokly.calls.rows() if row["method"] == "GET"}
    assert lists
    assert {path: calls for path, calls in lists.items() if "{id}" in path} == {}
    # The items' list is read for the catalogue and once more for the stock that stands in it.
    assert {path: calls for path, calls in lists.items() if calls > (2 if path.endswith("/items") else 1)} == {}


def test_a_late_update_is_sent_whole_and_once(loaded: Rig) -> None:
    rig, orders = loaded, loaded.bench.orders
    if rig.bench.appends:
        pytest.skip("an order is never sent whole again; what is sent instead is specified beside its system")
    late = order_ids(rig.stokly)[0]
    before = rig.held(orders)[late]
    change_order(rig.stokly, late, shippingAddressCity="Elsewhere")
    done = rig.sync().fine()
    assert done.sent == {orders: 1}
    assert rig.taken(orders)[late] == 2
    after = rig.held(orders)[late]
    assert after.keys() == before.keys()
    assert after != before
    assert rig.sync().fine().sent == {}
    rig.agrees()


def test_new_records_follow_their_first_load(loaded: Rig) -> None:
    rig = loaded
    (key,) = add_customers(rig.stokly, [1])
    bought = add_order(rig.stokly, 1, customer=customer(1))
    assert rig.sync().fine().sent == {rig.bench.contacts: 1, rig.bench.orders: 1}
    assert rig.held(rig.bench.contacts)[key]
    assert rig.held(rig.bench.orders)[bought]
    rig.agrees()


def test_an_older_version_never_wins_over_a_newer_one(rig_on_each: Rig) -> None:
    rig, orders = rig_on_each, rig_on_each.bench.orders
    late = add_order(rig.stokly, 1)
    rig.sync().fine()
    old = rig.stokly.store.get("saleorders", late)
    rig.clock.sleep(2)
    change_order(rig.stokly, late, shippingAddressCity="Newer")
    rig.sync().fine()
    newer = rig.held(orders)[late]
    # A cache of the vendor's, or a restored copy, shows the older state again.
    rig.stokly.mutate(Put(collection="saleorders", row=old, touch=False))
    done = rig.sync().fine()
    assert done.landed["stokly.orders"].read >= 1
    assert done.landed["stokly.orders"].changed == 0
    assert done.sent == {}
    assert rig.held(orders)[late] == newer
    assert rig.replay().fine().sent == {}
    assert rig.held(orders)[late] == newer


def test_a_change_that_says_an_older_time_is_not_taken_back_by_force(loaded: Rig) -> None:
    rig, contacts = loaded, loaded.bench.contacts
    (key,) = add_customers(rig.stokly, [1])
    change_customer(rig.stokly, key, name="Newer name")
    rig.sync().fine()
    newer = rig.held(contacts)[key]
    older = stamp(rig.clock.now() - timedelta(minutes=1))
    rig.stokly.mutate(Put(collection="customers", row={"customerId": key, "name": "Older name", "updatedAt": older}))
    rig.sync().fine()
    rig.replay(force=True).fine()
    assert rig.held(contacts)[key] == newer
