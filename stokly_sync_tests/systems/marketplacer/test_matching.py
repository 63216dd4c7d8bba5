"""What no feed sees: rogue listings, capitals, listings that are not live, orphans on either side (P1, P7-P9)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from stokly_sync.contracts.datasets import TABLES
from stokly_sync.contracts.rules import catalogue
from stokly_sync.flow import Problem
from stokly_sync.systems.marketplacer.matching import find_listings, find_orders, matchings
from stokly_sync.systems.marketplacer.rules import RULES
from stokly_sync_tests.systems.marketplacer.made import T0, frames, settings


def listings(*rows: dict[str, Any], **tables: Any) -> dict[str, str]:
    given = {name: tables.pop(name) for name in list(tables) if "__" not in name}
    plain: dict[str, Any] = {"stokly__items": [{}], "stokly__stock": [{}]}
    found = find_listings(frames(**plain | {"marketplacer__listings": rows} | tables), settings=settings(**given))
    return {problem.key: problem.rule for problem in found}


def orders(
    theirs: list[dict[str, Any]], ours: list[dict[str, Any]], *, hours: float = 2, **given: Any
) -> list[Problem]:
    made = frames(marketplacer__orders=theirs, stokly__orders=ours)
    return find_orders(made, settings=settings(**given), now=lambda: T0 + timedelta(hours=hours))


def test_a_listing_of_a_live_item_that_can_be_bought_is_well() -> None:
    assert listings({}) == {}


@pytest.mark.parametrize(
    ("listing", "rule"),
    [
        ({"sku": "SKU-9"}, "MP-LISTING-ROGUE"),
        ({"sku": None}, "MP-LISTING-ROGUE"),
        ({"sku": "sku-1"}, "MP-SKU-CASE"),
        ({"sku": "SKU-1 "}, "MP-SKU-CASE"),
        ({"on_sale": False, "why_not": "waits for the operator's approval"}, "MP-LISTING-NOT-LIVE"),
    ],
)
def test_a_listing_that_is_not_well_is_named(listing: dict[str, Any], rule: str) -> None:
    assert listings(listing) == {"V1": rule}


def test_a_listing_that_is_gone_is_nobodys_problem() -> None:
    assert listings({"sku": "SKU-9", "live": False}) == {}


@pytest.mark.parametrize(
    "tables",
    [
        {"stokly__stock": [{"available": 0}]},
        {"stokly__items": [{"stocked": False}]},
        {"only_tags": ["marketplace"]},
    ],
)
def test_only_what_could_be_sold_must_be_live(tables: dict[str, Any]) -> None:
    assert listings({"on_sale": False, "why_not": "the product is not online"}, **tables) == {}


def test_out_of_stock_is_the_stock_feeds_matter() -> None:
    assert listings({"on_sale": False, "why_not": "out of stock"}) == {}


def test_a_listing_of_a_deleted_item_is_rogue() -> None:
    assert listings({}, stokly__items=[{"live": False}]) == {"V1": "MP-LISTING-ROGUE"}


def test_two_variants_with_one_sku_are_both_named() -> None:
    assert listings({}, {"listing_id": "V2"}) == {"V1": "MP-SKU-TWICE", "V2": "MP-SKU-TWICE"}


def test_orders_on_both_sides_are_well() -> None:
    assert orders([{}], [{}]) == []


def test_an_order_that_is_not_in_stokly_is_an_orphan_after_a_while() -> None:
    assert orders([{}], [], hours=0.5) == []
    assert [(p.key, p.rule) for p in orders([{}], [])] == [("INV", "MP-ORDER-ORPHAN")]


@pytest.mark.parametrize("state", ["pending", "held", "cancelled"])
def test_an_order_that_stokly_need_not_have_is_no_orphan(state: str) -> None:
    assert orders([{"state": state}], []) == []


def test_an_order_of_this_channel_that_the_marketplace_lacks_is_an_orphan() -> None:
    ours = [{"channel_reference": "404"}]
    assert [(p.key, p.rule) for p in orders([], ours, channels=["marketplacer"])] == [("O1", "MP-ORDER-ORPHAN")]
    # Without the channel's name every other order in Stokly would be one.
    assert orders([], ours) == []


@pytest.mark.parametrize("ours", [{"live": False}, {"stage": "removed"}, {"item_statuses": '["cancelled"]'}])
def test_an_order_cancelled_in_stokly_alone_is_named(ours: dict[str, Any]) -> None:
    assert [(p.key, p.rule) for p in orders([{}], [ours])] == [("INV", "MP-CANCELLED-ONLY-IN-STOKLY")]
    assert orders([{"state": "cancelled"}], [ours]) == []
    assert orders([{"state": "shipped"}], [ours]) == []


def test_an_order_that_was_made_anew_after_it_was_removed_is_well() -> None:
    assert orders([{}], [{"live": False}, {"order_id": "O2"}]) == []


def test_matchings_ask_for_columns_that_there_are_and_their_rules_are_in_the_catalogue() -> None:
    known = catalogue(RULES)
    for matching in matchings(settings()):
        for table, columns in matching.needs.items():
            assert set(columns) <= {column.name for column in TABLES[table].all_columns}
    assert {"MP-LISTING-ROGUE", "MP-ORDER-ORPHAN", "MP-SKU-CASE"} <= known.keys()
