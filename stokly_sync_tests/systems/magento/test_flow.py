"""Magento through the whole product: what a shop sees of Stokly, and Stokly of a shop. G1 to G5, G8."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from stokly_sync.sandbox.magento import mishaps
from stokly_sync.sandbox.seeds.account import MAGENTO
from stokly_sync.sandbox.stokly import Put
from stokly_sync_tests.acceptance.account import change_item, change_order, product_of
from stokly_sync_tests.systems.magento.bench import SHIP
from stokly_sync_tests.systems.magento.shop import Rig, opened, saved

pytestmark = [pytest.mark.sandbox]


@pytest.fixture(scope="module")
def first_load(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> tuple[Path, Mapping[str, bytes]]:
    """What a first sync leaves: a database to copy, and the state of both sandboxes."""
    path = tmp_path_factory.mktemp("loaded") / "warehouse.sqlite"
    shutil.copy(migrated_sqlite, path)
    with opened(f"sqlite:///{path}") as made:
        made.sync()
        return path, saved(made.box)


@pytest.fixture
def rig(tmp_path: Path, first_load: tuple[Path, Mapping[str, bytes]]) -> Iterator[Rig]:
    """The product between both after a first sync."""
    before, state = first_load
    path = tmp_path / "warehouse.sqlite"
    shutil.copy(before, path)
    with opened(f"sqlite:///{path}", state=state) as made:
        yield made


def test_both_agree_after_a_first_sync_and_a_second_one_sends_nothing(warehouse_url: str) -> None:
    with opened(warehouse_url) as rig:
        rig.sync()
        agrees_and_sends_nothing(rig)


def agrees_and_sends_nothing(rig: Rig) -> None:
    rig.agrees()
    writes = [call for call in rig.magento.calls.rows() if call["method"] == "POST"]
    assert rig.sync() == {}
    assert [call for call in rig.magento.calls.rows() if call["method"] == "POST"] == writes
    assert rig.match() == set()


def test_a_name_and_a_price_reach_the_shop_and_what_somebody_changes_there_is_put_right(rig: Rig) -> None:
    change_item(rig.stokly, "MUG", name="Enamel mug")
    assert rig.sync() == {"products": 1}
    rig.clock.sleep(60)
    rig.do("products/alter", {"sku": "MUG", "columns": {"name": "Mine"}})
    assert rig.sync() == {"products": 1}
    assert next(row for row in rig.magento.store.products if row["sku"] == "MUG")["name"] == "Enamel mug"
    rig.agrees()


def test_a_shopper_sees_what_stokly_has_through_an_order_s_whole_life(rig: Rig) -> None:
    """Sold is taken off once: by Magento until it ships, by Stokly from then on."""
    before = rig.salable("MUG")
    _, order = rig.buy(1, ("MUG", 3))
    assert rig.salable("MUG") == before - 3
    rig.sync()
    assert rig.salable("MUG") == before - 3
    rig.dispatch(order)
    rig.sync()
    assert rig.salable("MUG") == before - 3
    rig.clock.sleep(60)
    assert rig.sync() == {}
    assert rig.salable("MUG") == before - 3
    rig.agrees()


def test_stock_that_magento_changed_itself_is_sent_again_only_where_it_differs(rig: Rig) -> None:
    there = rig.at("PLATE")
    rig.do("source-items", {"sku": "PLATE", "source_code": "warehouse", "quantity": 999})
    rig.clock.sleep(60)
    assert rig.sync() == {"stock": 1}
    assert rig.at("PLATE") == there


def test_a_sku_that_magento_lacks_is_named_and_the_others_of_its_batch_leave(rig: Rig) -> None:
    mug = product_of(rig.stokly, "MUG").item_id
    row = next(row for row in rig.stokly.store.rows("items") if row["itemId"] == mug)
    fresh = {key: value for key, value in row.items() if key not in ("timeCreated", "timeUpdated")}
    rig.stokly.mutate(Put(collection="items", row={**fresh, "itemId": "new-item", "sku": "NEW-1", "name": "New"}))
    rig.move("PLATE", sold=2)
    assert rig.sync() == {"stock": 1}
    assert rig.rules("stock")["NEW-1"] == "MG-SKU-UNKNOWN"
    rig.clock.sleep(60)
    rig.do("products", {"sku": "NEW-1", "name": "New", "price": 9})
    rig.sync()
    assert "NEW-1" not in rig.rules("stock")


def test_a_dispatch_ships_its_order_with_tracking_and_is_shipped_once(rig: Rig) -> None:
    _, order = rig.buy(1, ("MUG", 2))
    dispatch = rig.dispatch(order)
    assert rig.sync()["shipments"] == 1
    (made,) = [
        one for one in rig.magento.store.shipments if str(one["entity_id"]) == rig.receipt("shipments", dispatch)
    ]
    assert [track["track_number"] for track in made["_tracks"]] == ["AB123456789GB"]
    rig.clock.sleep(60)
    assert rig.sync() == {}
    rig.agrees()


def test_part_dispatches_are_part_shipments(rig: Rig) -> None:
    entity, order = rig.buy(1, ("MUG", 3))
    line = next(row["lineId"] for row in rig.stokly.store.children("saleorders/items", order))
    for number in (1, 2):
        rig.dispatch(order, f"AB12345678{number}GB", items=[{"lineId": line, "quantity": number}])
        rig.clock.sleep(60)
        assert rig.sync()["shipments"] == 1
    made = [row for row in rig.magento.store.shipments if str(row["order_id"]) == entity]
    assert sorted(int(row["total_qty"]) for row in made) == [1, 2]
    rig.agrees()


def test_a_shipment_made_by_hand_is_tied_to_its_dispatch_without_a_call(rig: Rig) -> None:
    entity, order = rig.buy(1, ("MUG", 2))
    track = {"track_number": "AB 123456789 GB", "title": "Post", "carrier_code": "custom"}
    by_hand = {"items": [], "tracks": [track], "arguments": {"extension_attributes": {"source_code": "warehouse"}}}
    made = rig.do("orders/ship", {"entity_id": int(entity), "arguments": by_hand})
    dispatch = rig.dispatch(order)
    assert "shipments" not in rig.sync()
    assert rig.states("shipments")[dispatch] == "accepted"
    assert rig.receipt("shipments", dispatch) == str(made["id"])


def test_a_lost_answer_to_a_shipment_is_looked_up_and_never_repeated(rig: Rig) -> None:
    entity, order = rig.buy(1, ("MUG", 2))
    dispatch = rig.dispatch(order)
    rig.magento.faults.add(mishaps.cut_after_commit(path=SHIP))
    rig.sync()
    assert rig.states("shipments")[dispatch] == "accepted"
    assert len([row for row in rig.magento.store.shipments if str(row["order_id"]) == entity]) == 1


def test_an_order_on_hold_ships_by_itself_once_it_is_released(rig: Rig) -> None:
    entity, order = rig.buy(1, ("MUG", 2))
    rig.do("orders/alter", {"entity_id": int(entity), "arguments": {"state": "holded", "status": "holded"}})
    dispatch = rig.dispatch(order)
    rig.sync()
    assert (rig.states("shipments")[dispatch], rig.rules("shipments")[dispatch]) == ("parked", "MG-SHIP-HELD")
    rig.clock.sleep(60)
    rig.do("orders/alter", {"entity_id": int(entity), "arguments": {"state": "processing", "status": "processing"}})
    assert rig.sync()["shipments"] == 1


def test_orders_that_are_late_hold_a_rise_of_stock_and_let_it_go_when_they_arrive(sqlite_url: str) -> None:
    with opened(sqlite_url, environ={"MAGENTO_IMPORT_MINUTES": "0.00001"}) as rig:
        rig.sync()
        entity, _ = rig.buy(1, ("MUG", 2), imported=False)
        rig.move("MUG", on_hand=5)
        assert "stock" not in rig.sync()
        assert rig.rules("stock")["MUG"] == "MG-STOCK-HELD"
        rig.clock.sleep(60)
        rig.do("orders/refund", {"entity_id": int(entity)})
        assert rig.sync()["stock"] == 1
        assert "MUG" not in rig.rules("stock")


def test_an_order_cancelled_in_stokly_alone_is_an_exception_that_closes_by_itself(rig: Rig) -> None:
    entity, order = rig.buy(1, ("MUG", 2), paid=False)
    change_order(rig.stokly, order, stage="removed")
    rig.sync()
    number = next(row["increment_id"] for row in rig.magento.store.orders if str(row["entity_id"]) == entity)
    assert ("MG-CANCELLED-ONLY-IN-STOKLY", number) in rig.match()
    rig.clock.sleep(60)
    rig.do("orders/cancel", {"entity_id": int(entity)})
    rig.sync()
    assert rig.match() == set()


def test_a_refund_made_in_the_shop_shows_its_vat_until_stokly_has_it(rig: Rig) -> None:
    entity, _ = rig.buy(1, ("MUG", 2))
    made = rig.do("orders/refund", {"entity_id": int(entity), "arguments": {"arguments": {"shipping_amount": 0}}})
    rig.sync()
    assert ("MG-CREDIT-MISSING", str(made["id"])) in rig.match()


def test_the_demo_s_planted_defects_are_found_and_no_other_listing_or_order_is_named(sqlite_url: str) -> None:
    with opened(sqlite_url, seed="demo") as rig:
        rig.sync()
        found = rig.match()
        assert {pair for pair in found if pair[0] in ("MG-LISTING-ROGUE", "MG-SKU-CASE")} == {
            ("MG-LISTING-ROGUE", "SHOP-ONLY-PRINT"),
            ("MG-SKU-CASE", "Twine-Jute"),
        }
        assert len([pair for pair in found if pair[0] == "MG-CREDIT-MISSING"]) == 1
        rig.agrees()


def test_an_order_goes_all_the_way_round_and_its_refund_does_not_come_back(warehouse_url: str) -> None:
    """Placed in the shop, fulfilled by Stokly, shipped in the shop, refunded there, credited in Stokly, once each."""
    channel = json.dumps({"channel_id": MAGENTO.channel_id})
    with opened(warehouse_url, environ={"STOKLY_MAGENTO": channel}) as rig:
        rig.sync()
        placed = rig.do("orders/place", {"lines": [{"sku": "MUG", "quantity": 2}], "paid": True})
        salable = rig.salable("MUG")
        (order,) = rig.into_stokly("saleorders", sourceReferenceId=placed["increment_id"])
        rig.dispatch(order["saleOrderId"])
        assert rig.sync() == {"shipments": 1}
        assert rig.salable("MUG") == salable
        line = next(row["item_id"] for row in rig.magento.store.order_items if row["order_id"] == placed["entity_id"])
        back = {"items": [{"order_item_id": line, "qty": 1}], "arguments": {"shipping_amount": 0}}
        rig.do("orders/refund", {"entity_id": placed["entity_id"], "arguments": back})
        (refund,) = rig.into_stokly("refunds", saleOrderId=order["saleOrderId"])
        assert rig.sync() == {}
        assert rig.rules("refunds") == {refund["refundId"]: "MG-REFUND-ORIGIN"}
        assert rig.match() == set()
        rig.agrees()
