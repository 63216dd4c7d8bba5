"""Orders become rows in which each unit and each amount stands once. Source: Magento API contract 6."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from stokly_sync.contracts.datasets import DATASETS
from stokly_sync.contracts.schema import validate
from stokly_sync.flow import Rows
from stokly_sync.systems.magento.documents.orders import order_rows
from stokly_sync_tests.systems.magento.rows import T0, item, money, order

D = Decimal


def rows_of(*documents: dict[str, Any]) -> Rows:
    return order_rows(documents, T0)


def root(document: dict[str, Any]) -> pd.Series:
    made = rows_of(document)
    assert not made.problems, made.problems
    return made.frames["magento.orders"].iloc[0]


def lines(document: dict[str, Any]) -> pd.DataFrame:
    made = rows_of(document)
    assert not made.problems, made.problems
    return made.frames["magento.order_lines"]


def test_an_order_keeps_the_contract_with_both_addresses_and_its_methods() -> None:
    made = rows_of(order(item(11, "SKU-1")))
    assert not validate(DATASETS["magento.orders"], made).problems
    row = made.frames["magento.orders"].iloc[0]
    assert (row["order_id"], row["number"], row["state"], row["store"]) == ("5", "000000005", "open", "1")
    assert (row["billing_line1"], row["billing_line2"]) == ("1 High Street", "Floor 2, Rear")
    assert (row["billing_city"], row["shipping_city"]) == ("Leeds", "York")
    assert (row["payment_method"], row["shipping_method"]) == ("checkmo", "flatrate_flatrate")
    assert (row["total"], row["shipping"], row["lines_total"]) == (money("30"), money("5"), money("24"))
    assert row["placed_at"] == pd.Timestamp("2026-03-01 09:30", tz="UTC")


def test_a_guest_has_no_customer_key_and_what_is_not_there_is_missing() -> None:
    row = root(order(item(11, "SKU-1")))
    assert pd.isna(row["customer_key"])
    assert pd.isna(row["amount_paid"])
    assert root(order(item(11, "SKU-1"), customer_id=7, total_paid=30))["customer_key"] == "7"


def test_a_discounted_line_is_what_was_paid_for_it_whatever_row_total_means() -> None:
    """3 x 10.00 net, 10 % coupon on prices that include 20 % VAT: 27.00 net and 32.40 in all."""
    common = {"qty_ordered": 3, "discount_amount": D("3.6"), "tax_amount": D("5.4")}
    common["discount_tax_compensation_amount"] = D("0.6")
    wire = item(11, "SKU-1", **common, row_total=D("26.4"), row_total_incl_tax=D("32.4"))
    column = item(11, "SKU-1", **common, row_total=30, row_total_incl_tax=36)
    for told in (wire, column):
        line = lines(order(told)).iloc[0]
        assert (line["line_price"], line["line_tax"], line["line_total"]) == (money("27"), money("5.4"), money("32.4"))
        assert line["line_discount"] == money("3.6")


def test_rounding_of_unit_prices_is_left_to_the_wire() -> None:
    """Three at 12.99 with tax: the unit's net price is rounded, the line's sum is not three times that."""
    told = item(11, "SKU-1", qty_ordered=3, price=D("10.83"), tax_amount=D("6.5"), row_total_incl_tax=D("38.97"))
    line = lines(order(told)).iloc[0]
    assert (line["line_price"], line["line_total"]) == (money("32.47"), money("38.97"))


def test_the_page_s_order_adds_up_with_its_compensation() -> None:
    """159.17 + 37.5 + 36.15 - 19.1 + 3.18 = 216.9. Source: contract 6.2."""
    told = item(11, "SKU-1", qty_ordered=1, price=D("159.17"), discount_amount=D("19.1"), tax_amount=D("28.65"))
    told |= {"discount_tax_compensation_amount": D("3.18"), "row_total_incl_tax": D("171.9")}
    amounts: dict[str, Any] = {"discount_amount": D("-19.1"), "tax_amount": D("36.15"), "shipping_amount": D("37.5")}
    row = root(order(told, **amounts, shipping_tax_amount=D("7.5"), grand_total=D("216.9")))
    assert row["total"] == row["lines_total"] + row["shipping"] + row["shipping_tax"]
    assert (row["discount"], row["subtotal"]) == (money("19.1"), money("143.25"))


def test_a_configurable_is_one_line_and_the_parent_s_units_and_money_count() -> None:
    parent = item(11, "TEE-RED-M", product_type="configurable", qty_shipped=1)
    child = item(12, "TEE-RED-M", parent_item_id=11, price=0, row_total_incl_tax=0, tax_amount=0)
    found = lines(order(parent, child))
    assert found[["line_id", "sku", "quantity", "quantity_shipped"]].to_numpy().tolist() == [["11", "TEE-RED-M", 2, 1]]
    assert found["line_total"].sum() == money("24")


def bundle(sku: str, **parent: Any) -> list[dict[str, Any]]:
    whole = item(11, sku, product_type="bundle", qty_ordered=2, **parent)
    parts = [item(12, "S1", parent_item_id=11, qty_ordered=2), item(13, "S2", parent_item_id=11, qty_ordered=4)]
    return [whole, *parts]


def test_a_bundle_with_prices_of_its_parts_is_its_parts_and_knows_the_bundle() -> None:
    whole, first, second = bundle("BD-S1-S2", price=30, row_total_incl_tax=72)
    second |= {"price": 5, "row_total_incl_tax": 24, "tax_amount": 4}
    found = lines(order(whole, first, second))
    assert found["sku"].tolist() == ["S1", "S2"]
    assert found["bundle_sku"].tolist() == ["BD-S1-S2"] * 2
    assert found["ships_as"].tolist() == ["11", "11"]
    assert found["ships_units"].tolist() == [1, 2]
    assert found["line_total"].sum() == money("48")


def test_a_bundle_with_a_price_of_its_own_is_one_line_under_its_own_sku() -> None:
    whole, *parts = bundle("BF", price=10)
    free: dict[str, Any] = {"price": 0, "row_total_incl_tax": 0, "tax_amount": 0}
    found = lines(order(whole, *[part | free for part in parts]))
    assert found[["line_id", "sku", "quantity"]].to_numpy().tolist() == [["11", "BF", 2]]
    assert found["line_total"].sum() == money("24")


def test_a_bundle_given_away_is_its_parts_when_its_sku_is_composed_of_them() -> None:
    free: dict[str, Any] = {"price": 0, "row_total_incl_tax": 0, "tax_amount": 0}
    assert lines(order(*[one | free for one in bundle("BD-S1-S2")]))["sku"].tolist() == ["S1", "S2"]
    assert lines(order(*[one | free for one in bundle("BF")]))["sku"].tolist() == ["BF"]


@pytest.mark.parametrize(
    ("state", "shipped", "ours"),
    [
        ("new", 0, "pending"),
        ("pending_payment", 0, "pending"),
        ("payment_review", 0, "pending"),
        ("holded", 0, "held"),
        ("processing", 0, "open"),
        ("processing", 1, "part_shipped"),
        ("processing", 2, "shipped"),
        ("complete", 2, "shipped"),
        ("canceled", 0, "cancelled"),
        ("closed", 2, "refunded"),
    ],
)
def test_states_are_ours_and_lines_of_orders_that_are_over_are_closed(state: str, shipped: int, ours: str) -> None:
    document = order(item(11, "SKU-1", qty_shipped=shipped), state=state)
    assert root(document)["state"] == ours
    assert lines(document)["open"].tolist() == [ours not in ("shipped", "cancelled", "refunded")]


def test_a_state_that_nobody_knows_is_a_problem_of_the_order() -> None:
    (problem,) = rows_of(order(item(11, "SKU-1"), state="awaiting_oracle")).problems
    assert (problem.key, problem.rule) == ("5", "MG-MEMBER-TYPE")
    assert "state" in problem.detail


def test_shipping_is_net_after_its_discount() -> None:
    cut: dict[str, Any] = {"shipping_discount_amount": D("1.2"), "shipping_discount_tax_compensation_amount": D("0.2")}
    assert root(order(item(11, "SKU-1"), **cut, shipping_amount=5))["shipping"] == money("4")


def test_a_virtual_line_says_so() -> None:
    assert lines(order(item(11, "SKU-1", is_virtual=1, product_type="virtual")))["virtual"].tolist() == [True]


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        ({"items": "none"}, "MG-MEMBER-TYPE"),
        ({"grand_total": "30"}, "MG-MEMBER-TYPE"),
        ({"grand_total": D("0.1234567891")}, "MG-MONEY"),
        ({"created_at": "yesterday"}, "MG-TIME"),
        ({"entity_id": None}, "MG-MEMBER-TYPE"),
    ],
)
def test_what_cannot_be_read_is_a_problem_of_its_order_alone(broken: dict[str, Any], rule: str) -> None:
    made = rows_of(order(item(11, "SKU-1"), **broken), order(item(12, "SKU-2"), entity_id=6))
    assert {problem.rule for problem in made.problems} == {rule}
    assert made.frames["magento.orders"]["order_id"].tolist() == ["6"]
    assert made.frames["magento.order_lines"]["order_id"].tolist() == ["6"]


def test_half_a_piece_is_a_problem() -> None:
    (problem,) = rows_of(order(item(11, "SKU-1", qty_ordered=D("0.5")))).problems
    assert (problem.rule, "qty_ordered" in problem.detail) == ("MG-MEMBER-TYPE", True)


def test_of_two_readings_of_an_order_the_newer_one_counts() -> None:
    older = order(item(11, "SKU-1"), status="old")
    newer = order(item(11, "SKU-1"), status="new", updated_at="2026-03-01 09:32:00")
    assert rows_of(newer, older).frames["magento.orders"]["status"].tolist() == ["new"]


def test_no_orders_are_no_rows_of_the_right_types() -> None:
    made = rows_of()
    assert [len(frame) for frame in made.frames.values()] == [0, 0]
    assert not validate(DATASETS["magento.orders"], made).problems
