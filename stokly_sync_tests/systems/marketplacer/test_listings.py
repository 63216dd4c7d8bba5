"""Variants as listings and stock levels, and why one is not on sale (P1, P6, P7)."""

from __future__ import annotations

from typing import Any

import pytest

from stokly_sync.contracts.channels import LISTINGS, MARKETPLACER, STOCK_LEVELS
from stokly_sync.contracts.schema import validate
from stokly_sync.systems.marketplacer.documents.listings import level_rows, listing_rows
from stokly_sync_tests.systems.marketplacer.made import ASKED, advert, pounds, row, settings, variant


def listing(node: dict[str, Any]) -> dict[str, Any]:
    rows = validate(LISTINGS[MARKETPLACER], listing_rows([node], ASKED, settings=settings()))
    assert rows.problems == []
    return row(rows.frames["marketplacer.listings"])


def test_a_live_variant_is_on_sale_at_its_price_in_pounds() -> None:
    found = listing(variant())
    assert (found["on_sale"], found["why_not"], found["product_id"]) == (True, None, "A1")
    # A price is a decimal text in pounds, other than the pence of orders.
    assert (pounds(found["price"]), found["currency"]) == ("12.00", "GBP")


def test_the_price_that_was_set_comes_before_the_lowest() -> None:
    assert pounds(listing(variant(variant_price="14.50"))["price"]) == "14.50"


@pytest.mark.parametrize(
    ("node", "why"),
    [
        (
            variant(advert=advert(vettingRejected=True, vettingRejectedReason="No picture")),
            "rejected by the operator: No picture",
        ),
        (variant(advert=advert(requiresVetting=True, vetted=False)), "waits for the operator's approval"),
        (variant(advert=advert(published=False)), "the product is switched off by the seller"),
        (variant(published=False), "the variant is switched off by the seller"),
        (variant(displayable=False), "fails a rule of the catalogue, such as a missing picture or price"),
        (variant(advert=advert(online=False)), "the product is not online"),
        (variant(buyable=False, countOnHand=0), "out of stock"),
        (variant(buyable=False), "cannot be bought, and no flag says why"),
    ],
)
def test_a_variant_that_cannot_be_bought_says_why(node: dict[str, Any], why: str) -> None:
    found = listing(node)
    assert (found["on_sale"], found["why_not"]) == (False, why)


def test_an_unpublished_advert_keeps_its_fields_under_details() -> None:
    hidden = {"__typename": "UnpublishedAdvert", "id": "A2", "details": advert(published=False, title="Plate")}
    found = listing(variant(advert=hidden))
    assert (found["name"], found["on_sale"], found["live"]) == ("Plate", False, True)


def test_a_variant_of_a_deleted_advert_is_not_live() -> None:
    found = listing(variant(advert={"__typename": "DeletedAdvert", "id": "A3"}))
    assert (found["live"], found["on_sale"]) == (False, False)


def test_a_level_stands_under_its_sku_and_a_variant_without_one_holds_no_stock() -> None:
    rows = level_rows([variant(), variant(id="V2", sku=None)], ASKED)
    frame = validate(STOCK_LEVELS[MARKETPLACER], rows).frames["marketplacer.stock_levels"]
    assert frame["level_id"].tolist() == ["SKU-1/"]
    assert frame["quantity"].tolist() == [4]
