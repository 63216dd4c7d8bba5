"""What only one side has: SKUs, cancellations, shipments, credit memos. G1, G3, G4, G5."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from stokly_sync.contracts.channels import CREDIT_MISSING, MAGENTO, ORDER_BUNDLE
from stokly_sync.contracts.datasets import TABLES
from stokly_sync.flow import Problem
from stokly_sync.systems.magento.matching import matchings
from stokly_sync.systems.magento.rules import RULES
from stokly_sync_tests.systems.magento.rows import SETTINGS, frames

# What is about an order or a refund on its way into Stokly has the code of that flow, whoever finds it.
CODES = {*(rule.code for rule in RULES), CREDIT_MISSING[MAGENTO], ORDER_BUNDLE[MAGENTO]}
MATCHINGS = {matching.name: matching for matching in matchings(SETTINGS)}


def found(name: str, tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, str]:
    """Rule by key of what a matching finds, given the columns that it asks for and no others."""
    matching, whole = MATCHINGS[name], frames(tables)
    asked = {table: whole[table][list(columns)] for table, columns in matching.needs.items()}
    problems: Sequence[Problem] = matching.find(asked)
    assert all(problem.rule in CODES for problem in problems)
    return {problem.key: problem.rule for problem in problems}


@pytest.mark.parametrize("name", MATCHINGS)
def test_every_matching_asks_for_columns_that_there_are_and_finds_nothing_in_nothing(name: str) -> None:
    for table, columns in MATCHINGS[name].needs.items():
        assert {column.name for column in TABLES[table].all_columns} >= set(columns)
    assert found(name, {}) == {}


def skus(listing: Mapping[str, Any], *items: Mapping[str, Any]) -> dict[str, str]:
    return found("skus", {"stokly.items": items, "magento.listings": [listing]})


def test_a_listing_without_an_item_is_rogue_unless_nobody_can_buy_it() -> None:
    assert skus({}, {}) == {}
    assert skus({}) == {"SKU-1": "MG-LISTING-ROGUE"}
    assert skus({}, {"live": False}) == {"SKU-1": "MG-LISTING-ROGUE"}
    assert skus({"enabled": False}) == {}
    assert skus({"live": False}) == {}


@pytest.mark.parametrize("twin", ["sku-1", "SKU-1 "])
def test_a_sku_that_differs_in_case_or_blanks_alone_is_a_twin(twin: str) -> None:
    assert skus({"sku": twin}, {}) == {twin: "MG-SKU-CASE"}


def test_a_composed_product_needs_an_item_only_where_it_is_sold_under_its_own_sku() -> None:
    assert skus({"kind": "configurable", "price": None}) == {}
    assert skus({"kind": "bundle", "price": "10.00"}) == {"SKU-1": "MG-LISTING-ROGUE"}


def test_a_bundle_whose_sku_is_put_together_is_named_on_open_orders() -> None:
    line = {"kind": "bundle", "sku": "BF-S1"}
    assert found("bundles", {"magento.order_lines": [line], "magento.listings": [{}]}) == {"5": "MG-ORDER-BUNDLE"}
    assert found("bundles", {"magento.order_lines": [{**line, "open": False}]}) == {}
    assert found("bundles", {"magento.order_lines": [line], "magento.listings": [{"sku": "BF-S1"}]}) == {}


def orders(stokly: Mapping[str, Any], magento: Sequence[Mapping[str, Any]] = ({},), **more: Any) -> dict[str, str]:
    named = {name.replace("_", ".", 1): rows for name, rows in more.items()}
    return found("orders", {"stokly.orders": [stokly], "magento.orders": magento, **named})


@pytest.mark.parametrize("gone", [{"live": False}, {"stage": "removed"}, {"item_statuses": '["cancelled"]'}])
def test_an_order_cancelled_in_stokly_alone_is_named_while_it_is_open_in_magento(gone: Mapping[str, Any]) -> None:
    assert orders(gone) == {"000000005": "MG-CANCELLED-ONLY-IN-STOKLY"}
    assert orders(gone, [{"state": "cancelled"}]) == {}
    assert orders(gone, [{"state": "refunded"}]) == {}
    assert orders(gone, []) == {}


def test_an_order_that_the_shop_does_not_have_is_an_orphan() -> None:
    assert orders({}) == {}
    assert orders({}, []) == {"000000005": "MG-ORDER-ORPHAN"}
    assert orders({"source_type": "epos"}, []) == {}


def test_an_order_that_stokly_does_not_have_is_an_orphan_once_an_import_would_have_taken_it() -> None:
    of_the_till = {"source_type": "epos"}
    assert orders(of_the_till) == {"5": "MG-ORDER-ORPHAN"}
    assert orders(of_the_till, [{"placed_at": datetime.now(UTC)}]) == {}
    for state in ("pending", "held", "shipped", "cancelled", "refunded"):
        assert orders(of_the_till, [{"state": state}]) == {}


def test_a_shipment_that_stokly_has_not_dispatched_is_named() -> None:
    other = [{"order_id": "O9"}]
    shipped: dict[str, Any] = {"magento_shipments": [{}], "stokly_dispatches": other}
    assert orders({}, **shipped) == {"000000005": "MG-SHIPPED-ONLY-IN-MAGENTO"}
    assert orders({}, **{**shipped, "stokly_dispatches": [*other, {}]}) == {}
    assert orders({}, **{**shipped, "stokly_dispatches": []}) == {}
    assert orders({}, stokly_dispatches=other) == {}


def refunds(**tables: Sequence[Mapping[str, Any]]) -> list[Problem]:
    named = {name.replace("_", ".", 1): rows for name, rows in tables.items()}
    plain: dict[str, Any] = {"stokly.orders": [{}], "magento.orders": [{}], "magento.refunds": [{}]}
    matching, whole = MATCHINGS["refunds"], frames({**plain, **named})
    return list(matching.find({table: whole[table][list(columns)] for table, columns in matching.needs.items()}))


def test_a_credit_memo_without_a_refund_in_stokly_tells_the_vat_that_is_overstated() -> None:
    (problem,) = refunds()
    assert (problem.key, problem.rule) == ("8", "MG-CREDIT-MISSING")
    assert "VAT overstated by GBP 2.00" in problem.detail
    assert refunds(magento_refunds=[{"state": "requested"}]) == []


def test_a_refund_or_a_credit_note_of_the_same_amount_settles_it() -> None:
    assert refunds(stokly_refunds=[{}]) == []
    assert refunds(stokly_credit_notes=[{}]) == []
    assert len(refunds(stokly_refunds=[{"status": "pending"}])) == 1
    assert len(refunds(stokly_refunds=[{"order_id": "O9"}])) == 1


def test_a_credit_note_that_belongs_to_a_refund_counts_once() -> None:
    two = [{}, {"refund_id": "9", "number": "000000009"}]
    found = refunds(magento_refunds=two, stokly_refunds=[{"credit_note_id": "N1"}], stokly_credit_notes=[{}])
    assert [problem.key for problem in found] == ["9"]


def test_a_pair_of_different_amounts_is_named() -> None:
    (problem,) = refunds(stokly_refunds=[{"total": "11.00"}], magento_refunds=[{"reference": "R1"}])
    assert problem.rule == "MG-REFUND-AMOUNT"


def test_memos_of_orders_that_stokly_does_not_have_are_no_matter_of_refunds() -> None:
    assert refunds(stokly_orders=[]) == []
