"""Items as products, and stock as their `is_in_stock`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from stokly_sync.systems.ometria.documents import build_products, build_stock
from stokly_sync.systems.ometria.settings import OmetriaSettings
from stokly_sync_tests.systems.ometria.rows import T0, body, frames, rules

BARE = OmetriaSettings(brand_attribute=False, category_attribute=False)


def product(settings: OmetriaSettings = BARE, **row: Any) -> dict[str, Any]:
    return body(build_products(frames(items=[row]), settings))


def test_a_product_is_identified_by_its_sku_and_merged() -> None:
    offer = {"title": "Mug", "price": Decimal("10.00"), "currency": "GBP"}
    assert product() == {
        "@type": "product",
        "@merge": True,
        "id": "SKU-1",
        "sku": "SKU-1",
        "is_variant": False,
        "is_active": True,
        **offer,
        "listings": [{"store": "default", **offer, "is_active": True}],
    }


def test_stock_is_left_to_the_stock_feed() -> None:
    assert "is_in_stock" not in product()


def test_a_variant_has_no_listing_of_its_own() -> None:
    document = product(parent_item_id="P1")
    assert document["is_variant"] is True
    assert "listings" not in document


@pytest.mark.parametrize(
    ("row", "active"),
    [
        ({}, True),
        ({"live": False}, False),
        ({"stocked": False}, False),  # a service such as delivery
        ({"stocked": False, "format": 2}, True),  # a variable parent is sold through its variants
    ],
)
def test_services_and_deleted_items_are_inactive(row: dict[str, Any], active: bool) -> None:
    document = product(**row)
    assert document["is_active"] is active
    assert document["listings"][0]["is_active"] is active


def test_there_is_a_listing_for_each_store() -> None:
    settings = OmetriaSettings(default_store="uk", stores={"Web": "uk", "Web DE": "de"})
    assert [listing["store"] for listing in product(settings)["listings"]] == ["uk", "de"]


@pytest.mark.parametrize(
    ("price", "expected"),
    [("49.991666667", "49.99"), ("0.125", "0.12"), ("0.135", "0.14"), ("0", "0.00"), (None, None)],
)
def test_net_prices_are_rounded_half_even(price: str | None, expected: str | None) -> None:
    found = product(price=price).get("price")
    assert found == (None if expected is None else Decimal(expected))


def test_prices_with_vat_follow_the_tax_class() -> None:
    settings = OmetriaSettings(price_includes_vat=True, tax_rates={"standard": "20"})
    assert product(settings, price="49.991666667", tax_class_id="standard")["price"] == Decimal("59.99")
    assert product(settings, price="49.99", tax_class_id=None)["price"] == Decimal("49.99")


def test_attributes_are_always_the_complete_list() -> None:
    settings = OmetriaSettings(attributes=("Colour", "Size"))
    document = product(
        settings, manufacturer="Acme", type_name="Mugs", attributes='{"Colour":["Red","Blue"],"Material":"Clay"}'
    )
    assert document["attributes"] == [
        {"type": "brand", "id": "Acme", "label": "Acme"},
        {"type": "category", "id": "Mugs", "label": "Mugs"},
        {"type": "Colour", "id": "Red", "label": "Red"},
        {"type": "Colour", "id": "Blue", "label": "Blue"},
    ]
    assert product(settings)["attributes"] == []
    assert "attributes" not in product(BARE)


def test_the_first_image_is_sent() -> None:
    assert product(images='["https://img.example.com/1.jpg","https://img.example.com/2.jpg"]')["image_url"].endswith(
        "1.jpg"
    )
    assert "image_url" not in product(images="[]")


def test_a_live_item_wins_over_a_deleted_one_with_the_same_sku() -> None:
    rows = [
        {"item_id": "I1", "name": "Old", "live": False, "version": T0.replace(day=9)},
        {"item_id": "I2", "name": "New", "live": True},
    ]
    document = body(build_products(frames(items=rows), BARE))
    assert (document["title"], document["is_active"]) == ("New", True)


def test_a_product_larger_than_sixty_kilobytes_is_kept_back() -> None:
    built = build_products(frames(items=[{"name": "x" * 70_000}]), BARE)
    assert rules(built) == {"SKU-1": "OM-RECORD-SIZE"}
    assert not built.documents


@pytest.mark.parametrize("sku", ["00123", "A/B", 'A"B', "mug ø"])
def test_a_sku_is_sent_exactly_as_it_is(sku: str) -> None:
    assert product(sku=sku)["id"] == sku


@pytest.mark.parametrize(("available", "expected"), [(3, True), (0, False), (-4, False)])
def test_in_stock_means_more_than_nothing_available(available: int, expected: bool) -> None:
    built = build_stock(frames(stock=[{"available": available}], items=[{}]))
    assert body(built) == {"@type": "product", "@merge": True, "id": "SKU-1", "is_in_stock": expected}


def test_the_total_counts_and_locations_are_not_added_to_it() -> None:
    rows: list[dict[str, Any]] = [
        {"stock_id": "I1/", "available": 0},
        {"stock_id": "I1/A", "location_id": "A", "available": 5},
        {"stock_id": "I1/B", "location_id": "B", "available": -5},
    ]
    assert body(build_stock(frames(stock=rows, items=[{}])))["is_in_stock"] is False


def test_without_a_total_the_locations_are_added() -> None:
    rows: list[dict[str, Any]] = [
        {"stock_id": "I1/A", "location_id": "A", "available": 5},
        {"stock_id": "I1/B", "location_id": "B", "available": -5},
    ]
    assert body(build_stock(frames(stock=rows, items=[{}])))["is_in_stock"] is False
    rows[1]["available"] = -4
    assert body(build_stock(frames(stock=rows, items=[{}])))["is_in_stock"] is True


def test_a_row_that_left_the_list_holds_nothing() -> None:
    built = build_stock(frames(stock=[{"available": 5, "live": False}], items=[{}]))
    assert body(built)["is_in_stock"] is False


def test_on_hand_counts_where_nothing_says_what_is_available() -> None:
    assert body(build_stock(frames(stock=[{"available": None, "on_hand": 2}], items=[{}])))["is_in_stock"] is True


def test_a_variable_parent_goes_by_its_own_total() -> None:
    built = build_stock(frames(stock=[{"available": 7}], items=[{"format": 2, "stocked": False}]))
    assert body(built)["is_in_stock"] is True


@pytest.mark.parametrize("item", [{"stocked": False}, {"live": False}])
def test_stock_of_what_is_not_sold_is_excluded(item: dict[str, Any]) -> None:
    built = build_stock(frames(stock=[{}], items=[item]))
    assert rules(built) == {"SKU-1": "OM-STOCK-NOT-HELD"}
    assert not built.documents


def test_a_deleted_item_does_not_hide_the_stock_of_its_successor() -> None:
    rows: list[dict[str, Any]] = [
        {"item_id": "I1", "stock_id": "I1/", "available": 0},
        {"item_id": "I2", "stock_id": "I2/", "available": 3},
    ]
    items: list[dict[str, Any]] = [{"item_id": "I1", "live": False}, {"item_id": "I2"}]
    assert body(build_stock(frames(stock=rows, items=items)))["is_in_stock"] is True


def test_the_version_of_stock_is_that_of_its_newest_row() -> None:
    newest = T0.replace(day=5)
    rows: list[dict[str, Any]] = [{"stock_id": "I1/"}, {"stock_id": "I1/A", "location_id": "A", "version": newest}]
    (document,) = build_stock(frames(stock=rows, items=[{}])).documents
    assert document.version == newest
