"""Customers, items, stock, refunds, credit notes, dispatches and invoices. Source: Stokly API contract 3, 5."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from stokly_sync.contracts.datasets import DATASETS
from stokly_sync.contracts.money import nano
from stokly_sync.contracts.schema import validate
from stokly_sync.contracts.tables import empty
from stokly_sync.flow import Extract, Rows
from stokly_sync.systems.stokly import StoklySettings
from stokly_sync.systems.stokly.extracts import extracts
from stokly_sync.systems.transport import decode
from stokly_sync_tests.systems.stokly.documents.both import read_both
from stokly_sync_tests.systems.stokly.made import at, customer, item, row_id

ASKED = datetime(2026, 3, 3, tzinfo=UTC)


def extract(name: str, **settings: Any) -> Extract:
    return {e.dataset: e for e in extracts(StoklySettings(**settings))}[f"stokly.{name}"]


def rows(name: str, *documents: dict[str, Any], **settings: Any) -> Rows:
    return read_both(extract(name, **settings).rows, documents, ASKED)


def one(name: str, *documents: dict[str, Any], **settings: Any) -> pd.Series:
    made = rows(name, *documents, **settings)
    assert validate(DATASETS[f"stokly.{name}"], made).problems == []
    return made.frames[f"stokly.{name}"].iloc[0]


def found_rules(name: str, *documents: dict[str, Any]) -> list[str]:
    return [p.rule for p in validate(DATASETS[f"stokly.{name}"], rows(name, *documents)).problems]


@pytest.mark.parametrize("name", [name.removeprefix("stokly.") for name in DATASETS if name.startswith("stokly.")])
def test_every_dataset_has_an_extract_whose_empty_frames_fit_the_contract(name: str) -> None:
    made = rows(name)
    for table in DATASETS[f"stokly.{name}"].tables:
        pd.testing.assert_frame_equal(made.frames[table.name], empty(table), check_index_type=False)


STATUSES = [({}, True), ({"status": 0}, False), ({"status": ...}, True), ({"mergedIntoId": row_id("w")}, False)]


@pytest.mark.parametrize(("change", "live"), STATUSES)
def test_a_customers_live_status_is_one_and_a_merged_one_is_not_live(change: dict[str, Any], live: bool) -> None:
    row = one("customers", customer(1, **change))
    assert bool(row["live"]) == live
    assert (row["merged_into"] == row_id("w")) == ("mergedIntoId" in change)


def test_a_malformed_address_is_kept_back_and_a_missing_one_is_not() -> None:
    assert found_rules("customers", customer(1, email="jo at example.com"), customer(2, email=...)) == [
        "ST-CUSTOMER-EMAIL"
    ]


def test_a_balance_says_nothing_about_a_customers_content() -> None:
    plain = one("customers", customer(1, accountBalance=1))["content_hash"]
    assert one("customers", customer(1, accountBalance=Decimal("2.5")))["content_hash"] == plain
    assert one("customers", customer(1, name="Other"))["content_hash"] != plain


def test_an_items_price_is_net_with_nine_decimals_and_it_is_live_with_status_zero() -> None:
    row = one("items", item(1))
    assert (row["price"], row["currency"]) == (49_991_666_667, "GBP")
    assert bool(row["live"])
    assert not one("items", item(1, status=1))["live"]


STOCKED = [({}, True), ({"format": 2}, False), ({"typeName": "Service"}, False), ({"typeName": ...}, True)]


@pytest.mark.parametrize(("change", "stocked"), STOCKED)
def test_services_and_variable_parents_hold_no_stock(change: dict[str, Any], stocked: bool) -> None:
    assert bool(one("items", item(1, **change))["stocked"]) == stocked


def test_a_sale_is_no_change_of_the_product() -> None:
    plain = one("items", item(1))["content_hash"]
    assert one("items", item(1, onHand=-9, sold=4, available=-13, timeUpdated=at(99)))["content_hash"] == plain
    assert one("items", item(1, salePrice=50))["content_hash"] != plain


def test_an_item_gathers_what_other_lists_say_about_it() -> None:
    gathered = {
        "$barcodes": ["501", "502"],
        "barcodes": ["500"],
        "barcode": "501",
        "$attributes": {"Colour": "Red", "Price": {"amount": 5}},
        "$components": [{"item_id": row_id("item 2"), "quantity": 2}],
        "$images": ["https://example.com/1.png"],
        "$parent": row_id("item 3"),
    }
    row = one("items", item(1, **gathered))
    assert decode(row["barcodes"].encode()) == ["500", "501", "502"]
    assert decode(row["attributes"].encode())["Colour"] == "Red"
    assert decode(row["components"].encode()) == [{"item_id": row_id("item 2"), "quantity": 2}]
    assert decode(row["images"].encode()) == ["https://example.com/1.png"]
    assert row["parent_item_id"] == row_id("item 3")
    assert pd.isna(row["extra"])


def test_a_live_item_without_sku_is_kept_back_and_a_deleted_one_is_not() -> None:
    assert found_rules("items", item(1, sku=...), item(2, sku=" "), item(3, sku=..., status=1)) == ["ST-ITEM-SKU"] * 2


def test_stock_may_be_negative() -> None:
    document = {"stockId": "a/", "itemId": "a", "sku": "0012", "onHand": -1, "available": -4000}
    row = one("stock", document)
    assert (row["on_hand"], row["available"], row["sku"]) == (-1, -4000, "0012")
    assert pd.isna(row["location_id"])


def refund(**changes: Any) -> dict[str, Any]:
    line = {"lineId": "l", "referenceId": "i", "itemSku": "S", "quantity": 2, "displayPrice": 10, "displayTax": 2}
    goodwill = {"quantity": 0, "displayPrice": 5, "displayTax": 1, "restocked": False}
    row = {
        "refundId": row_id("refund"),
        "saleOrderId": row_id("order 1"),
        "status": "completed",
        "currency": "GBP",
        "displayTotal": 30,
        "displayTax": 5,
        "createdAt": at(0),
        "items": [line, goodwill],
    }
    return {k: v for k, v in {**row, **changes}.items() if v is not ...}


def test_a_refund_multiplies_units_and_lets_goodwill_lines_be() -> None:
    made = rows("refunds", refund())
    lines = made.frames["stokly.refund_lines"]
    assert lines["line_total"].tolist() == [nano(24), nano(6)]
    assert lines["position"].tolist() == [0, 1]
    assert found_rules("refunds", refund()) == []


def test_a_refund_without_an_order_or_without_line_list_is_still_a_refund() -> None:
    row = one("refunds", refund(saleOrderId=..., items=[]))
    assert pd.isna(row["order_id"])
    assert row["total"] == nano(30)


def test_a_removed_refund_is_not_live() -> None:
    assert not one("refunds", refund(status="removed"))["live"]


def test_a_credit_notes_barcode_is_money_and_is_not_kept() -> None:
    note = {"creditNoteId": "c", "barcode": "VOUCHER-1", "value": 25, "currency": "EUR", "createdAt": at(0)}
    row = one("credit_notes", note)
    assert (row["value"], row["currency"]) == (nano(25), "EUR")
    assert "VOUCHER-1" not in " ".join(str(value) for value in row)


def test_a_dispatch_keeps_its_tracking_number_as_entered() -> None:
    lines = [{"lineId": "l", "quantity": 1}]
    document = {"dispatchId": "d", "saleOrderId": "o", "trackingNumber": " AB 1", "dispatchedAt": at(0), "items": lines}
    made = rows("dispatches", document)
    assert made.frames["stokly.dispatches"]["tracking_number"].tolist() == [" AB 1"]
    assert made.frames["stokly.dispatch_lines"]["quantity"].tolist() == [1]


def test_an_invoice_takes_its_update_time_as_version_where_it_has_one() -> None:
    document = {"saleInvoiceId": "i", "invoiceNumber": "INV-1", "currency": "GBP", "issueDate": at(0)}
    assert one("invoices", {**document, "updatedAt": at(5)})["version"] == pd.Timestamp(at(5))
    assert one("invoices", document)["version"] == pd.Timestamp(ASKED)


def test_a_member_that_is_new_is_kept_and_one_that_is_gone_is_missing() -> None:
    row = one("customers", customer(1, loyaltyTier="gold", phone=...))
    assert decode(row["extra"].encode()) == {"loyaltyTier": "gold"}
    assert pd.isna(row["phone"])
