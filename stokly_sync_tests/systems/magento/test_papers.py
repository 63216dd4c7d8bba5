"""Shipments, credit memos, products and source items become rows. Source: Magento API contract 7, 9, 10, 11."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pandas as pd

from stokly_sync.contracts.datasets import DATASETS
from stokly_sync.contracts.schema import validate
from stokly_sync.flow import Rows
from stokly_sync.systems.magento.documents.goods import level_rows, listing_rows
from stokly_sync.systems.magento.documents.papers import refund_rows, shipment_rows
from stokly_sync_tests.systems.magento.rows import T0, item, money

D = Decimal


def kept(made: Rows, dataset: str) -> Rows:
    """The rows, after a look that all of them keep the contract."""
    assert not validate(DATASETS[dataset], made).problems
    return made


def shipment(**members: Any) -> dict[str, Any]:
    return {
        "entity_id": 3,
        "increment_id": "000000003",
        "order_id": 5,
        "created_at": "2026-03-02 10:00:00",
        "updated_at": "2026-03-02 10:00:00",
        "items": [{"order_item_id": 11, "sku": "SKU-1", "qty": 2}],
        "tracks": [{"track_number": "AB1", "carrier_code": "custom"}, {"track_number": "AB2"}],
        "extension_attributes": {"source_code": "default"},
        **members,
    }


def memo(*items: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {
        "entity_id": 8,
        "increment_id": "000000008",
        "order_id": 5,
        "state": 2,
        "order_currency_code": "GBP",
        "created_at": "2026-03-03 10:00:00",
        "updated_at": "2026-03-03 10:00:00",
        "grand_total": 12,
        "tax_amount": 2,
        "shipping_amount": 0,
        "adjustment": 0,
        "items": list(items),
        **members,
    }


def test_a_shipment_keeps_its_lines_source_and_tracking_numbers() -> None:
    made = kept(shipment_rows([shipment()], T0), "magento.shipments")
    row = made.frames["magento.shipments"].iloc[0]
    assert (row["order_id"], row["source"], row["carrier"]) == ("5", "default", "custom")
    assert (row["tracking_number"], row["tracking_numbers"]) == ("AB1", '["AB1","AB2"]')
    assert made.frames["magento.shipment_lines"][["line_id", "quantity"]].to_numpy().tolist() == [["11", 2]]


def test_a_shipment_that_we_made_says_of_which_dispatch() -> None:
    comments = [{"comment": "Packed by night shift"}, {"comment": "Dispatch 77 of Stokly [stokly:dispatch:D-1]"}]
    made = shipment_rows([shipment(comments=comments), shipment(entity_id=4, comments=None, tracks=None)], T0)
    assert made.frames["magento.shipments"]["reference"].fillna("").tolist() == ["D-1", ""]


def test_a_credit_memo_counts_parents_of_configurables_and_parts_of_bundles_once() -> None:
    order_items = [
        item(11, "TEE", product_type="configurable", qty_shipped=1),
        item(12, "TEE", parent_item_id=11, price=0),
        item(13, "BD-S1", product_type="bundle"),
        item(14, "S1", parent_item_id=13),
    ]
    priced: dict[str, Any] = {"qty": 1, "row_total": 10, "tax_amount": 2}
    lines = [{"order_item_id": n, "sku": "x", **priced} for n in (11, 13, 14)]
    lines.insert(1, {"order_item_id": 12, "sku": "TEE", "qty": 1})
    made = kept(refund_rows([memo(*lines, order_items=order_items)], T0), "magento.refunds")
    found = made.frames["magento.refund_lines"]
    assert found["line_id"].tolist() == ["11", "14"]
    assert found["line_total"].tolist() == [money("12")] * 2
    assert found["returned"].tolist() == [True, False]


def test_a_memo_s_line_is_after_discount_with_its_compensation() -> None:
    line = {"order_item_id": 11, "sku": "A", "qty": 3, "row_total": 30, "tax_amount": D("5.4")}
    line |= {"discount_amount": D("3.6"), "discount_tax_compensation_amount": D("0.6")}
    found = refund_rows([memo(line)], T0).frames["magento.refund_lines"].iloc[0]
    assert (found["line_price"], found["line_total"]) == (money("27"), money("32.4"))
    assert pd.isna(found["returned"])


def test_an_adjustment_alone_is_a_refund_without_lines() -> None:
    made = kept(refund_rows([memo(adjustment=5, grand_total=5, items=None, tax_amount=0)], T0), "magento.refunds")
    row = made.frames["magento.refunds"].iloc[0]
    assert (row["total"], row["adjustment"], row["state"]) == (money("5"), money("5"), "completed")
    assert made.frames["magento.refund_lines"].empty


def test_a_refund_that_we_made_says_of_which_refund_of_stokly() -> None:
    made = refund_rows([memo(comments=[{"comment": "Refund 9 of Stokly [stokly:refund:R1]"}])], T0)
    assert made.frames["magento.refunds"]["reference"].tolist() == ["R1"]


def product(number: int, sku: str, **members: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {"id": number, "sku": sku, "name": "Mug", "price": 10, "status": 1, "type_id": "simple"}
    return {**plain, "updated_at": "2026-03-01 09:30:00", "currency": "GBP", **members}


def test_a_product_is_a_listing_and_says_why_it_is_not_on_sale() -> None:
    off = product(2, "SKU-2", status=2)
    made = kept(listing_rows([product(1, "SKU-1", price=D("9.99")), off], T0), "magento.listings").frames
    rows = made["magento.listings"]
    assert rows["price"].tolist() == [money("9.99"), money("10")]
    assert rows["enabled"].tolist() == [True, False]
    assert rows["why_not"].fillna("").tolist() == ["", "it is disabled in Magento"]


def test_a_product_without_a_price_of_its_own_has_none() -> None:
    kinds = [product(1, "C", type_id="configurable", price=0), product(2, "B", type_id="bundle", price=8)]
    prices = listing_rows([*kinds, product(3, "S", price=0)], T0).frames["magento.listings"]["price"]
    assert prices.fillna(-1).tolist() == [-1, money("8"), 0]


def test_a_source_item_is_a_stock_level_and_half_a_piece_a_problem() -> None:
    level = {"level_id": "SKU-1/default", "sku": "SKU-1", "source_code": "default", "quantity": D("7.0"), "status": 1}
    half = {**level, "level_id": "SKU-2/default", "quantity": D("0.5")}
    made = level_rows([level, half], T0)
    rows = made.frames["magento.stock_levels"][["sku", "quantity", "in_stock"]]
    assert rows.to_numpy().tolist() == [["SKU-1", 7, True]]
    assert [(p.key, p.rule) for p in made.problems] == [("SKU-2/default", "MG-MEMBER-TYPE")]
