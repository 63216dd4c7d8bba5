"""Keeping and changing records: contract 2.1 (delayed writes), 2.4 (soft deletes)."""

from datetime import date

import pytest

from stokly_sync.sandbox.kit import ManualClock, decode, encode
from stokly_sync.sandbox.seeds import demo_seed, minimal_seed
from stokly_sync.sandbox.seeds.words import stamp
from stokly_sync.sandbox.stokly import StoklySandbox, Store
from stokly_sync.sandbox.stokly.store import UnknownRecordError, key_of

TODAY = date(2026, 1, 1)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(clock: ManualClock) -> Store:
    store = Store(clock)
    store.load(minimal_seed(TODAY).collections)
    return store


def test_a_change_merges_members_and_moves_the_update_time(store: Store, clock: ManualClock) -> None:
    before = dict(store.rows("saleorders")[0])
    clock.advance(5)
    store.put("saleorders", {"saleOrderId": before["saleOrderId"], "tags": ["x"]}, remove=["barcode"])
    after = store.get("saleorders", before["saleOrderId"])
    assert after == {**before, "tags": ["x"], "updatedAt": stamp(clock.now())}


def test_a_new_record_gets_its_times(store: Store, clock: ManualClock) -> None:
    store.put("items", {"itemId": "i-1", "sku": "NEW"})
    row = store.get("items", "i-1")
    assert row["timeCreated"] == row["timeUpdated"] == stamp(clock.now())


def test_an_untouched_change_leaves_the_update_time(store: Store) -> None:
    before = dict(store.rows("items")[0])
    store.put("items", {"itemId": before["itemId"], "name": "Other"}, touch=False)
    assert store.get("items", before["itemId"])["timeUpdated"] == before["timeUpdated"]


@pytest.mark.parametrize(
    ("collection", "member", "value"),
    [
        ("customers", "status", 0),
        ("items", "status", 1),
        ("channels", "status", 2),
        ("saleorders", "stage", "removed"),
    ],
)
def test_a_deleted_record_stays_with_the_status_of_its_kind(
    store: Store, collection: str, member: str, value: object
) -> None:
    key = key_of(collection, store.rows(collection)[0])
    store.delete(collection, key)
    assert store.get(collection, key)[member] == value


def test_a_record_without_a_status_goes_away(store: Store) -> None:
    key = key_of("inventory-records", store.rows("inventory-records")[0])
    store.delete("inventory-records", key)
    with pytest.raises(UnknownRecordError):
        store.get("inventory-records", key)


def test_a_merged_customer_is_deleted_says_into_whom_and_gives_its_orders_over(store: Store) -> None:
    winner, loser = (row["customerId"] for row in store.rows("customers"))
    store.merge_customers(winner=winner, loser=loser)
    gone = store.get("customers", loser)
    assert (gone["status"], gone["mergedIntoId"]) == (0, winner)
    assert {order["customerId"] for order in store.rows("saleorders")} == {winner}


def test_an_accepted_write_is_seen_only_after_its_delay(store: Store, clock: ManualClock) -> None:
    store.accept(lambda: store.delete("items", store.rows("items")[0]["itemId"]), delay=1.0)
    clock.advance(0.9)
    assert store.settle() == 0
    assert store.rows("items")[0]["status"] == 0
    clock.advance(0.1)
    assert store.settle() == 1
    assert store.rows("items")[0]["status"] == 1


def test_sublists_that_repeat_a_collection_follow_it(store: Store) -> None:
    item = store.rows("items")[0]["itemId"]
    assert store.children("items/barcodes", item) == []
    store.put("item-barcodes", {"itemId": item, "barcode": "2000000000017"})
    assert [row["barcode"] for row in store.children("items/barcodes", item)] == ["2000000000017"]


def test_replacing_the_lines_of_an_order_moves_its_update_time(store: Store, clock: ManualClock) -> None:
    order = store.rows("saleorders")[0]["saleOrderId"]
    clock.advance(1)
    store.put_children("saleorders/items", order, [])
    assert store.children("saleorders/items", order) == []
    assert store.get("saleorders", order)["updatedAt"] == stamp(clock.now())


def test_the_state_survives_a_round_trip_through_json() -> None:
    system = StoklySandbox(seed=demo_seed(TODAY))
    system.revoke_tokens()
    state = decode(encode(system.dump()))
    again = StoklySandbox()
    again.load(state)
    assert decode(encode(again.dump())) == state
    assert again.seeded.planted == system.seeded.planted
    again.seed("empty")
    assert decode(encode(again.dump())) == state
