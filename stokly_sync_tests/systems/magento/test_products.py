"""Products with Stokly as their master, found by exactly their SKU. Source: Magento API contract 10; G1."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from stokly_sync.flow import Built
from stokly_sync.systems.magento import MagentoSettings
from stokly_sync.systems.magento.documents.products import build_products
from stokly_sync_tests.systems.magento.rows import T0, body, frames, rules


def built(items: list[dict[str, Any]], listings: list[dict[str, Any]], **settings: Any) -> Built:
    chosen = MagentoSettings.model_validate(settings)
    return build_products(frames({"stokly.items": items, "magento.listings": listings}), chosen)


def test_name_price_and_status_are_told_under_the_sku() -> None:
    made = body(built([{"name": "Cup"}], [{}]))
    assert made == {"sku": "SKU-1", "name": "Cup", "status": 1, "price": Decimal("10.00")}


def test_what_magento_has_already_is_held_and_what_somebody_changed_there_is_not() -> None:
    assert built([{}], [{}]).held == {"SKU-1": "1"}
    for changed in ({"name": "Mugg"}, {"price": "10.01"}, {"enabled": False}):
        assert built([{}], [changed]).held == {}


def test_only_what_stokly_is_master_of_is_told() -> None:
    made = built([{"name": "Cup"}], [{}], product_fields=["price"])
    assert body(made) == {"sku": "SKU-1", "price": Decimal("10.00")}
    assert made.held == {"SKU-1": "1"}


def test_a_deleted_item_is_disabled_where_magento_has_it() -> None:
    assert body(built([{"live": False}], [{}]))["status"] == 2
    assert rules(built([{"live": False}], [])) == {"SKU-1": "MG-NO-ITEM"}


def test_a_product_that_magento_does_not_have_is_named_and_made_only_where_the_settings_say() -> None:
    assert rules(built([{}], [])) == {"SKU-1": "MG-SKU-UNKNOWN"}
    assert rules(built([{}], [{"sku": "sku-1"}])) == {"SKU-1": "MG-SKU-UNKNOWN"}
    made = body(built([{}], [], create_products=True, website_ids=[1, 2], product_fields=["price"]))
    assert (made["attribute_set_id"], made["type_id"], made["name"], made["status"]) == (4, "simple", "Mug", 1)
    assert made["extension_attributes"] == {"website_ids": [1, 2]}
    assert rules(built([{"format": 2, "stocked": False}], [], create_products=True)) == {"SKU-1": "MG-SKU-UNKNOWN"}


def test_what_is_not_sold_there_is_left_out_by_name() -> None:
    assert rules(built([{}], [], expected_tags=["web"])) == {"SKU-1": "MG-NOT-SOLD-HERE"}


def test_a_product_that_takes_its_price_from_others_is_given_none() -> None:
    assert "price" not in body(built([{}], [{"kind": "configurable", "price": None}]))
    assert "price" in body(built([{}], [{"kind": "bundle", "price": "8.00"}]))


def test_prices_include_tax_where_the_shop_s_do() -> None:
    rates: dict[str, Any] = {"prices_with_tax": True, "tax_rates": {"T20": "20", "*": "5"}}
    assert body(built([{"price": "9.995", "tax_class_id": "T20"}], [{}], **rates))["price"] == Decimal("11.99")
    assert body(built([{"tax_class_id": "OTHER"}], [{}], **rates))["price"] == Decimal("10.50")
    assert rules(built([{"tax_class_id": "T20"}], [{}], prices_with_tax=True)) == {"SKU-1": "MG-PRICE-TAX"}


def test_a_price_in_another_currency_is_no_price_of_this_shop() -> None:
    assert rules(built([{"currency": "EUR"}], [{}])) == {"SKU-1": "MG-PRICE-CURRENCY"}
    assert body(built([{"currency": "JPY", "price": "1000"}], [{"currency": "JPY"}]))["price"] == Decimal(1000)


def test_a_listing_that_moved_makes_the_document_newer() -> None:
    later = T0 + timedelta(minutes=5)
    (document,) = built([{}], [{"version": later}]).documents
    assert document.version == later


@pytest.mark.parametrize("sku", ["A/B 1+x", "Ä&%", "with,comma"])
def test_any_sku_is_written_as_it_is(sku: str) -> None:
    assert body(built([{"sku": sku}], [{"sku": sku}]))["sku"] == sku
