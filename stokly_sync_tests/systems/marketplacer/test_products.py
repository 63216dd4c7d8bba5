"""Items as changes of variants: by SKU as it was read last, one variant at a time (P1)."""

from __future__ import annotations

from typing import Any

import pytest

from stokly_sync.flow import Built
from stokly_sync.systems.marketplacer.documents.products import build_products
from stokly_sync_tests.systems.marketplacer.made import bodies, frames, rules, settings

LISTED: list[dict[str, Any]] = [{}]


def built(item: dict[str, Any], listings: list[dict[str, Any]] = LISTED, **given: Any) -> Built:
    return build_products(frames(stokly__items=[item], marketplacer__listings=listings), settings(**given))


def test_a_change_names_one_variant_and_its_price_with_tax() -> None:
    made = built({"price": "10.00"}, price_tax_rate="20")
    assert bodies(made)["SKU-1"] == {
        "variantId": "V1",
        "attributes": {"sku": "SKU-1", "published": True, "price": "12.00"},
    }


def test_what_the_marketplace_shows_already_is_held() -> None:
    assert built({"price": "10.00"}, price_tax_rate="20").held == {"SKU-1": "V1"}
    assert built({"price": "10.01"}, price_tax_rate="20").held == {}
    assert built({"price": "10.00"}, [{"enabled": False}], price_tax_rate="20").held == {}


def test_a_tax_class_may_have_a_rate_of_its_own() -> None:
    made = built({"tax_class_id": "books"}, price_tax_rate="20", price_tax_rates={"books": 0})
    assert bodies(made)["SKU-1"]["attributes"]["price"] == "10.00"


def test_a_deleted_item_takes_its_variant_off_sale() -> None:
    assert bodies(built({"live": False}))["SKU-1"]["attributes"]["published"] is False


@pytest.mark.parametrize(
    ("item", "listings", "given", "rule"),
    [
        ({}, [], {}, "MP-SKU-UNKNOWN"),
        # Capitals make another SKU: matching says so, and nothing is changed under the wrong one.
        ({}, [{"sku": "sku-1"}], {}, "MP-SKU-UNKNOWN"),
        ({}, [{}, {"listing_id": "V2"}], {}, "MP-SKU-TWICE"),
        ({}, [{"live": False}], {}, "MP-SKU-UNKNOWN"),
        ({"live": False}, [], {}, "MP-NOT-SOLD"),
        ({"format": 2, "stocked": False}, [], {}, "MP-NOT-SOLD"),
        ({}, [], {"only_tags": ["marketplace"]}, "MP-NOT-OFFERED"),
        ({"price": None}, [{}], {}, "MP-PRICE"),
        ({"currency": "EUR"}, [{}], {}, "MP-PRICE"),
    ],
)
def test_what_cannot_be_sent_is_named(
    item: dict[str, Any], listings: list[dict[str, Any]], given: dict[str, Any], rule: str
) -> None:
    made = built(item, listings, **given)
    assert rules(made) == {"SKU-1": rule}
    assert not made.documents


def test_an_item_that_lost_its_tag_is_taken_off_sale() -> None:
    made = built({"tags": '["other"]'}, only_tags=["marketplace"])
    assert bodies(made)["SKU-1"]["attributes"]["published"] is False


def test_a_product_is_created_where_that_is_switched_on_with_a_whole_list_of_variants() -> None:
    item = {"images": '["https://img.example.com/1.png"]', "barcodes": '["501"]', "manufacturer": "Acme"}
    made = bodies(built(item, [], advert_upsert=True, taxon_id="T1"))["SKU-1"]
    assert made["brandName"] == "Acme"
    assert made["advert"]["taxonId"] == "T1"
    assert made["advert"]["images"] == [{"sourceUrl": "https://img.example.com/1.png"}]
    assert made["advert"]["variants"] == [
        {"sku": "SKU-1", "published": True, "price": "10.00", "barcode": "501", "countOnHand": 0}
    ]


def test_a_type_without_a_taxon_is_named() -> None:
    made = built({"type_name": "Chair"}, [], advert_upsert=True, taxons={"Mug": "T1"})
    assert rules(made) == {"SKU-1": "MP-TAXON"}
