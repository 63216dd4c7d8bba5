"""What Magento may sell of a SKU, and when it is not told. Source: Magento API contract 11; G2, G8."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from stokly_sync.flow import Built, Frames
from stokly_sync.systems.magento import MagentoSettings
from stokly_sync.systems.magento.documents.stock import build_stock
from stokly_sync_tests.systems.magento.rows import T0, body, frames, rules

NOW = T0 + timedelta(hours=1)
TOTAL: dict[str, Any] = {"stock_id": "I1/", "on_hand": 20, "available": 14}
SHELF: dict[str, Any] = {"stock_id": "I1/LOC", "location_id": "LOC", "on_hand": 20}
IMPORTED: dict[str, Sequence[Mapping[str, Any]]] = {
    "magento.orders": [{}],
    "magento.order_lines": [{"quantity": 4}],
    "stokly.orders": [{}],
    "stokly.order_lines": [{"quantity": 4}],
}


def world(tables: Mapping[str, Sequence[Mapping[str, Any]]] | None = None, /, **more: Any) -> Frames:
    """One SKU that both sides have, 20 on the shelf of which 6 are sold; `more` by short name of Stokly's tables."""
    plain: dict[str, Any] = {"stokly.items": [{}], "stokly.stock": [TOTAL, SHELF], "magento.listings": [{}]}
    return frames({**plain, **(tables or {}), **{f"stokly.{name}": rows for name, rows in more.items()}})


def built(made: Frames, **settings: Any) -> Built:
    chosen = MagentoSettings.model_validate({"locations": {"LOC": "default"}, **settings})
    return build_stock(made, chosen, now=NOW)


def units(made: Frames, **settings: Any) -> dict[str, int]:
    levels = body(built(made, **settings))["levels"]
    return {level["source_code"]: level["quantity"] for level in levels}


def test_what_is_available_in_stokly_is_what_magento_may_sell() -> None:
    assert units(world()) == {"default": 14}


def test_what_stokly_has_imported_and_magento_not_shipped_is_put_back() -> None:
    """Magento takes its own open orders off itself; without this they would be taken off twice."""
    assert units(world(IMPORTED)) == {"default": 18}


def test_what_stokly_has_dispatched_and_magento_not_shipped_is_put_back_too() -> None:
    """It has left Stokly's shelf, and Magento still counts it."""
    left: dict[str, Any] = {**IMPORTED, "stokly.order_lines": [{"quantity": 4, "status": "dispatched"}]}
    rows = [{**TOTAL, "on_hand": 16}, {**SHELF, "on_hand": 16}]
    assert units(world(left, stock=rows)) == {"default": 18}
    part: dict[str, Any] = {**IMPORTED, "stokly.dispatches": [{}], "stokly.dispatch_lines": [{"quantity": 3}]}
    rows = [{**TOTAL, "on_hand": 17}, {**SHELF, "on_hand": 17}]
    assert units(world(part, stock=rows)) == {"default": 18}
    shipped = {**part, "magento.order_lines": [{"quantity": 4, "quantity_shipped": 3}]}
    assert units(world(shipped, stock=rows)) == {"default": 15}


def test_what_is_shipped_cancelled_or_over_is_not_put_back() -> None:
    line = {"quantity": 4, "quantity_shipped": 1, "quantity_cancelled": 1}
    assert units(world({**IMPORTED, "magento.order_lines": [line]})) == {"default": 16}
    assert units(world({**IMPORTED, "magento.order_lines": [{"quantity": 4, "open": False}]})) == {"default": 14}


@pytest.mark.parametrize(
    "gone",
    [
        {"stokly.orders": [{"live": False}]},
        {"stokly.order_lines": [{"quantity": 4, "status": "cancelled"}]},
        {"stokly.orders": [{"source_type": "epos"}]},
        {"stokly.orders": []},
    ],
)
def test_only_what_stokly_itself_has_taken_off_is_put_back(gone: dict[str, Any]) -> None:
    fresh = [{"placed_at": NOW}]  # not late
    assert units(world({**IMPORTED, **gone, "magento.orders": fresh})) == {"default": 14}


def test_no_more_is_put_back_than_stokly_has_taken_off() -> None:
    counted = {**TOTAL, "available": 19}
    assert units(world(IMPORTED, stock=[counted, SHELF])) == {"default": 20}


def test_locations_are_split_over_sources_and_what_is_sold_leaves_the_first() -> None:
    shop = {**SHELF, "stock_id": "I1/SHOP", "location_id": "SHOP", "on_hand": 9}
    unmapped = {**SHELF, "stock_id": "I1/X", "location_id": "X", "on_hand": 100}
    rows = [{**TOTAL, "on_hand": 129, "available": 123}, SHELF, shop, unmapped]
    locations = {"LOC": "default", "SHOP": {"source": "shop", "share": "0.5"}}
    assert units(world(stock=rows), locations=locations) == {"default": 14, "shop": 4}


def test_two_locations_may_fill_one_source() -> None:
    shop = {**SHELF, "stock_id": "I1/SHOP", "location_id": "SHOP", "on_hand": 9}
    rows = [{**TOTAL, "on_hand": 29, "available": 23}, SHELF, shop]
    assert units(world(stock=rows), locations={"LOC": "default", "SHOP": "default"}) == {"default": 23}


def test_the_total_of_all_locations_may_be_what_is_told() -> None:
    assert units(world(IMPORTED), locations={"*": "default"}) == {"default": 18}


def test_a_location_that_tells_what_is_available_needs_no_total() -> None:
    rows = [{**SHELF, "available": 11}]
    assert units(world(IMPORTED, stock=rows)) == {"default": 15}


def test_without_a_total_nobody_knows_what_is_sold() -> None:
    assert rules(built(world(stock=[SHELF]))) == {"SKU-1": "MG-STOCK-MISSING"}


@pytest.mark.parametrize(
    ("buffers", "left"),
    [
        ({"buffer": 3}, 11),
        ({"buffer": 3, "brand_buffers": {"Acme": 5}}, 9),
        ({"buffer": 3, "brand_buffers": {"Acme": 5}, "sku_buffers": {"SKU-1": 0}}, 14),
        ({"buffer": 99}, 0),
    ],
)
def test_the_closest_buffer_counts(buffers: dict[str, Any], left: int) -> None:
    assert units(world(items=[{"manufacturer": "Acme"}]), **buffers) == {"default": left}


def test_a_buffer_is_taken_once_over_all_sources() -> None:
    shop = {**SHELF, "stock_id": "I1/SHOP", "location_id": "SHOP", "on_hand": 9}
    rows = [{**TOTAL, "on_hand": 29, "available": 29}, SHELF, shop]
    locations = {"LOC": "default", "SHOP": "shop"}
    assert units(world(stock=rows), locations=locations, buffer=22) == {"default": 0, "shop": 7}


def test_negative_stock_is_none() -> None:
    rows = [{**TOTAL, "on_hand": -3, "available": -3}, {**SHELF, "on_hand": -3}]
    assert units(world(stock=rows)) == {"default": 0}


def test_a_source_without_units_is_out_of_stock_unless_the_shop_takes_backorders() -> None:
    rows = [{**TOTAL, "on_hand": 0, "available": 0}, {**SHELF, "on_hand": 0}]
    assert body(built(world(stock=rows)))["levels"][0]["status"] == 0
    assert body(built(world(stock=rows), out_of_stock_at_zero=False))["levels"][0]["status"] == 1


def test_what_magento_holds_already_is_told_as_held() -> None:
    there = {"magento.stock_levels": [{"quantity": 14}]}
    assert built(world(there)).held == {"SKU-1": None}
    assert built(world({"magento.stock_levels": [{"quantity": 14, "in_stock": False}]})).held == {}
    assert built(world({"magento.stock_levels": [{"quantity": 13}]})).held == {}
    assert built(world()).held == {}


def test_a_change_that_magento_made_itself_makes_the_document_newer() -> None:
    later = T0 + timedelta(minutes=5)
    (document,) = built(world({"magento.stock_levels": [{"version": later}]})).documents
    assert (document.version, document.event_at) == (later, T0)


def test_a_sku_that_magento_does_not_have_is_named_and_never_sent() -> None:
    """Magento would answer 200 and drop it. Source: contract 11.2."""
    made = world({"magento.listings": []})
    assert rules(built(made)) == {"SKU-1": "MG-SKU-UNKNOWN"}
    assert not built(made).documents
    assert rules(built(world({"magento.listings": [{"sku": "sku-1"}]}))) == {"SKU-1": "MG-SKU-UNKNOWN"}


def test_what_is_not_sold_in_magento_is_left_out_by_name() -> None:
    absent: dict[str, Any] = {"magento.listings": []}
    tagged = world(absent, items=[{"tags": '["till"]'}])
    assert rules(built(tagged, expected_tags=["web"])) == {"SKU-1": "MG-NOT-SOLD-HERE"}
    assert rules(built(world(absent, items=[{"tags": '["web"]'}]), expected_tags=["web"])) == {
        "SKU-1": "MG-SKU-UNKNOWN"
    }
    assert rules(built(world(absent, items=[{"live": False}]))) == {"SKU-1": "MG-NO-ITEM"}


@pytest.mark.parametrize("kind", ["configurable", "bundle", "grouped"])
def test_magento_keeps_no_stock_of_what_is_made_of_others(kind: str) -> None:
    assert rules(built(world({"magento.listings": [{"kind": kind}]}))) == {"SKU-1": "MG-STOCK-COMPOSED"}


def test_an_item_deleted_in_stokly_has_nothing_left_in_magento() -> None:
    assert units(world(items=[{"live": False}])) == {"default": 0}


LATE: dict[str, Any] = {"magento.orders": [{}], "magento.order_lines": [{"quantity": 4}]}


def test_a_rise_waits_for_orders_that_are_late() -> None:
    lower = {"magento.stock_levels": [{"quantity": 10}]}
    assert rules(built(world({**LATE, **lower}))) == {"SKU-1": "MG-STOCK-HELD"}
    assert "4 units" in built(world({**LATE, **lower})).kept_back[0].detail


def test_a_fall_is_never_held_back() -> None:
    higher = {"magento.stock_levels": [{"quantity": 30}]}
    assert units(world({**LATE, **higher})) == {"default": 14}


def test_a_late_order_may_cost_a_larger_buffer_instead() -> None:
    assert units(world(LATE), stock_without_orders="buffer", late_buffer=5) == {"default": 9}


@pytest.mark.parametrize("order", [{"placed_at": NOW - timedelta(minutes=29)}, {"state": "pending"}, {"state": "held"}])
def test_an_order_that_need_not_be_there_yet_holds_nothing(order: dict[str, Any]) -> None:
    assert units(world({**LATE, "magento.orders": [order]})) == {"default": 14}


def test_without_an_import_of_orders_stock_only_falls_or_has_the_larger_buffer() -> None:
    assert rules(built(world(), order_import=False)) == {"SKU-1": "MG-STOCK-HELD"}
    assert units(world({"magento.stock_levels": [{"quantity": 99}]}), order_import=False) == {"default": 14}
    settings = {"order_import": False, "stock_without_orders": "buffer", "late_buffer": 2}
    assert units(world(), **settings) == {"default": 12}


def test_the_live_item_stands_for_a_sku_that_a_deleted_one_once_had() -> None:
    old = {"item_id": "I0", "live": False}
    rows = [TOTAL, SHELF, {"stock_id": "I0/", "item_id": "I0", "on_hand": 3, "available": 3}]
    assert units(world(items=[old, {}], stock=rows)) == {"default": 14}
