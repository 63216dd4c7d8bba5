"""Items with their stock as the catalogue (D5)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from stokly_sync.systems.dotdigital import DotdigitalSettings
from stokly_sync.systems.dotdigital.documents import build_products
from stokly_sync_tests.systems.dotdigital.rows import T0, body, frames

SETTINGS = DotdigitalSettings(product_url="https://shop.example.com/p/{sku}")


def json_of(item: dict[str, Any], stock: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    made = body(build_products(frames(items=[item], stock=[{}] if stock is None else stock), SETTINGS))
    assert made["key"] == made["json"]["sku"]
    json: dict[str, Any] = made["json"]
    return json


def test_a_product_has_what_the_vendor_demands() -> None:
    made = json_of({"sku": "A/1", "images": '["https://img.example.com/1.png"]'}, [{"sku": "A/1"}])
    assert (made["name"], str(made["price"]), made["status"], made["stock"]) == ("Mug", "10.00", "Enabled", 5)
    assert made["url"] == "https://shop.example.com/p/A%2F1"
    assert made["image_path"] == "https://img.example.com/1.png"


@pytest.mark.parametrize("item", [{"live": False}, {"stocked": False}])
def test_what_is_not_sold_is_disabled_and_has_no_stock(item: dict[str, Any]) -> None:
    made = json_of(item)
    assert (made["status"], made["stock"]) == ("Disabled", 0)


def test_stock_below_nought_is_nought_and_without_any_row_too() -> None:
    assert json_of({}, [{"available": -3}])["stock"] == 0
    assert json_of({}, [])["stock"] == 0


def test_a_change_of_stock_is_a_new_version_of_the_product() -> None:
    built = build_products(frames(items=[{}], stock=[{"version": T0 + timedelta(hours=1)}]), SETTINGS)
    assert built.documents[0].version == T0 + timedelta(hours=1)


def test_custom_fields_of_products_are_attributes() -> None:
    settings = DotdigitalSettings.model_validate({"product_fields": {"colour": "attributes.Colour"}})
    made = body(build_products(frames(items=[{"attributes": '{"Colour": "Blue"}'}], stock=[{}]), settings))
    assert made["json"]["attributes"] == {"colour": "Blue"}
