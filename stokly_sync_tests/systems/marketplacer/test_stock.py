"""Stock for the marketplace: available, less what was sold there and is not in Stokly yet, less a buffer (P2)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from stokly_sync.flow import Built
from stokly_sync.systems.marketplacer.documents.stock import ORDERS, build_stock
from stokly_sync_tests.systems.marketplacer.made import T0, bodies, frames, rules, settings

SOLD: dict[str, Any] = {"marketplacer__orders": [{}], "marketplacer__order_lines": [{"quantity": 2}]}


def built(
    tables: dict[str, Any] | None = None, *, minutes: float = 10, sent_at: datetime | None = None, **given: Any
) -> Built:
    rows: dict[str, Any] = {"stokly__stock": [{}], "stokly__items": [{}], "marketplacer__listings": [{}]}
    made = frames(**rows | {"marketplacer__stock_levels": [{}]} | (tables or {}))
    made[ORDERS] = made[ORDERS].assign(sent_at=pd.Series([sent_at] * len(made[ORDERS]), dtype="datetime64[us, UTC]"))
    return build_stock(made, settings(**given), now=lambda: T0 + timedelta(minutes=minutes))


def units(made: Built) -> int:
    count: int = bodies(made)["SKU-1"]["countOnHand"]
    return count


def test_the_number_is_absolute_and_names_the_variant_that_was_read_last() -> None:
    assert bodies(built()) == {"SKU-1": {"sku": "SKU-1", "variantId": "V1", "countOnHand": 5}}


def test_what_the_marketplace_shows_already_is_held_and_what_it_changed_itself_is_not() -> None:
    assert built().held == {"SKU-1": "V1"}
    assert built({"marketplacer__stock_levels": [{"quantity": 3}]}).held == {}
    assert built({"marketplacer__stock_levels": []}).held == {}


def test_units_of_orders_that_are_not_in_stokly_are_subtracted() -> None:
    assert units(built(SOLD)) == 3


def test_units_of_orders_that_are_in_stokly_are_not_subtracted_twice() -> None:
    assert units(built({**SOLD, "stokly__orders": [{}]})) == 5


def test_an_order_that_was_sent_after_stokly_told_its_stock_is_still_subtracted() -> None:
    there = {**SOLD, "stokly__orders": [{}]}
    assert units(built(there, sent_at=T0 + timedelta(seconds=1))) == 3
    assert units(built(there, sent_at=T0 - timedelta(seconds=1))) == 5
    # It is in Stokly, so it is not late, however long ago it was placed.
    assert rules(built(there, sent_at=T0 + timedelta(seconds=1), minutes=600)) == {}


def test_an_order_of_another_channel_with_the_same_number_does_not_count() -> None:
    other = {**SOLD, "stokly__orders": [{"source_type": "magento_two"}]}
    assert units(built(other, channels=["marketplacer"])) == 3


@pytest.mark.parametrize("line", [{"quantity_cancelled": 2}, {"quantity_shipped": 2}])
def test_cancelled_and_shipped_units_are_not_subtracted(line: dict[str, Any]) -> None:
    assert units(built({**SOLD, "marketplacer__order_lines": [line]})) == 5


def test_a_removed_order_is_not_subtracted() -> None:
    assert units(built({**SOLD, "marketplacer__orders": [{"live": False}]})) == 5


def test_nothing_less_than_nothing_is_sent() -> None:
    assert units(built({"stokly__stock": [{"available": -2}]})) == 0
    assert units(built({**SOLD, "stokly__stock": [{"available": 1}]})) == 0


def test_buffers_go_by_sku_then_by_manufacturer_then_for_all() -> None:
    acme = {"stokly__items": [{"manufacturer": "Acme"}]}
    assert units(built(acme, buffer=1)) == 4
    assert units(built(acme, buffer=1, brand_buffers={"Acme": 2})) == 3
    assert units(built(acme, buffer=1, brand_buffers={"Acme": 2}, buffers={"SKU-1": 0})) == 5


def test_stock_is_held_while_orders_are_late() -> None:
    made = built(SOLD, minutes=61)
    assert rules(made) == {"SKU-1": "MP-STOCK-ORDERS-LATE"}
    assert "2 units" in made.kept_back[0].detail


def test_a_larger_buffer_may_apply_instead() -> None:
    assert units(built(SOLD, minutes=61, stock_when_late="buffer", late_buffer=1)) == 2


def test_without_any_import_of_orders_the_same_holds() -> None:
    assert rules(built(orders_imported=False)) == {"SKU-1": "MP-STOCK-ORDERS-LATE"}
    assert units(built(orders_imported=False, stock_when_late="buffer", late_buffer=2)) == 3


def test_only_the_locations_that_are_set_count() -> None:
    rows = [
        {"available": 50},
        {"stock_id": "I1/A", "location_id": "A", "available": None, "on_hand": 7},
        {"stock_id": "I1/B", "location_id": "B", "available": None, "on_hand": 9},
    ]
    assert units(built({"stokly__stock": rows})) == 50
    assert units(built({"stokly__stock": rows}, locations=["A"])) == 7


def test_a_sku_that_is_not_listed_is_named_and_the_others_are_sent() -> None:
    other = {"stock_id": "I2/", "item_id": "I2", "sku": "SKU-2"}
    made = built({"stokly__stock": [{}, other], "stokly__items": [{}, {"item_id": "I2", "sku": "SKU-2"}]})
    assert rules(made) == {"SKU-2": "MP-STOCK-NOT-LISTED"}
    assert list(bodies(made)) == ["SKU-1"]


def test_every_sku_is_answered_once() -> None:
    twice = {"marketplacer__listings": [{}, {"listing_id": "V2"}]}
    assert rules(built(twice)) == {"SKU-1": "MP-SKU-TWICE"}
