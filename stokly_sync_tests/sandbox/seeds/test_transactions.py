"""The seed of a transactions file: every row accounted for, every amount as the file says."""

import gzip
from collections import defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stokly_sync.sandbox.seeds import RowReport, Seed, TransactionsFileError, load_seed, load_transactions
from stokly_sync.sandbox.seeds.retail_file import Entry
from stokly_sync.sandbox.seeds.transactions import seed_of
from stokly_sync.sandbox.seeds.words import cents, make_id

TODAY = date(2026, 3, 31)
HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
FILE = (
    HEADER
    + """\
536365,85123A,WHITE HEART,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom
536365,85123a,WHITE HEART,4,2010-12-01 08:26:00,2.55,17850.0,United Kingdom
536365,POST,POSTAGE,1,2010-12-01 08:26:00,1.00,17850.0,United Kingdom
536370,22728,ALARM CLOCK,24,2010-12-02 08:45:00,3.75,12583.0,France
536371,85123A,WHITE HEART,2,2010-12-03 09:00:00,2.55,17850.0,United Kingdom
536372,22728,"CLOCK, ""RED"" ONE",1,2010-12-04 09:00:00,4.21,,United Kingdom
536589,21777,,-10,2010-12-05 10:00:00,0.0,,United Kingdom
C536379,85123A,WHITE HEART,-5,2010-12-06 09:41:00,2.55,17850.0,United Kingdom
C536379,D,Discount,-1,2010-12-06 09:41:00,27.50,17850.0,United Kingdom
C536380,85123A,WHITE HEART,-2,2010-12-06 10:00:00,2.55,17850.0,United Kingdom
C536381,85123A,WHITE HEART,-6,2010-12-06 11:00:00,2.55,17850.0,United Kingdom
C536382,22728,ALARM CLOCK,-1,2010-12-06 12:00:00,3.75,,United Kingdom
C536383,22728,ALARM CLOCK,-1,2010-12-01 12:00:00,3.75,12583.0,France
A563185,B,Adjust bad debt,1,2010-12-07 14:50:00,-11062.06,,United Kingdom
536400,21777,RECIPE BOX,1,2010-12-08 23:59:00,7.95,17850.0,United Kingdom
"""
)


@pytest.fixture(scope="module")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Seed:
    path = tmp_path_factory.mktemp("retail") / "retail.csv"
    path.write_text(FILE, encoding="utf-8")
    return load_transactions(path, TODAY)


def order(seed: Seed, invoice: str) -> dict[str, Any]:
    return next(row for row in seed.collections["saleorders"] if row["sourceReferenceId"] == invoice)


def lines(seed: Seed, invoice: str) -> list[dict[str, Any]]:
    parent = order(seed, invoice)["saleOrderId"]
    return [row for row in seed.collections["saleorders/items"] if row["_parent"] == parent]


def test_every_row_is_accounted_for(seed: Seed) -> None:
    report = seed.report
    assert report == RowReport(
        rows=15,
        order_lines=7,
        refund_lines=2,
        credit_note_lines=4,
        write_off_lines=1,
        excluded={"bad_debt": 1},
    )
    assert report.accounted == report.rows


def test_the_last_day_becomes_yesterday_and_times_stay(seed: Seed) -> None:
    assert order(seed, "536400")["createdAt"] == "2026-03-30T23:59:00.000Z"
    assert order(seed, "536365")["createdAt"] == "2026-03-23T08:26:00.000Z"


def test_an_invoice_of_digits_is_an_order_of_its_lines_with_british_vat(seed: Seed) -> None:
    row = order(seed, "536365")
    assert [line["displayLineTotal"] for line in lines(seed, "536365")] == [
        Decimal("18.36"),
        Decimal("12.24"),
        Decimal("1.20"),
    ]
    assert (row["displayTotal"], row["displayTax"], row["currency"]) == (Decimal("31.80"), Decimal("5.30"), "GBP")
    assert (row["paymentStatus"], row["amountPaid"]) == ("paid", Decimal("31.80"))
    assert row["customerEmail"] == "customer-17850@example.com"
    assert row["shippingAddressCountry"] == "GB"


def test_there_is_no_vat_elsewhere(seed: Seed) -> None:
    row = order(seed, "536370")
    assert (row["displayTotal"], row["displayTax"], row["shippingAddressCountry"]) == (90, 0, "FR")


def test_the_tax_of_a_line_is_rounded_half_even_on_the_whole_line(seed: Seed) -> None:
    line = lines(seed, "536372")[0]
    assert (line["displayLinePrice"], line["displayLineTax"]) == (Decimal("4.21"), Decimal("0.84"))
    assert line["displayTax"] == Decimal("0.842")


def test_no_customer_means_a_guest(seed: Seed) -> None:
    assert not {"customerId", "customerEmail", "customerName"} & set(order(seed, "536372"))


def test_case_twins_of_a_sku_are_one_item(seed: Seed) -> None:
    assert {line["itemSku"] for line in lines(seed, "536365")} == {"85123A", "POST"}
    skus = [row["sku"] for row in seed.collections["items"]]
    assert len(skus) == len({sku.casefold() for sku in skus})


def test_a_credit_goes_to_the_latest_earlier_order_that_has_enough_left(seed: Seed) -> None:
    refunds = {row["reason"]: row for row in seed.collections["refunds"]}
    # Five hearts: the latest order has two only, so the one before it is refunded; then two off the latest.
    assert refunds["Credit C536379"]["saleOrderId"] == order(seed, "536365")["saleOrderId"]
    assert refunds["Credit C536379"]["displayTotal"] == Decimal("15.30")
    assert refunds["Credit C536380"]["saleOrderId"] == order(seed, "536371")["saleOrderId"]
    assert len(refunds) == 2


def test_a_credit_without_such_an_order_is_a_credit_note_one_an_invoice(seed: Seed) -> None:
    notes = {row["barcode"]: row for row in seed.collections["credit-notes"]}
    # A discount never sold; more than is left; a guest; before the customer's first order.
    assert {name: row["value"] for name, row in notes.items()} == {
        "CN-C536379": Decimal("33.00"),
        "CN-C536381": Decimal("18.36"),
        "CN-C536382": Decimal("4.50"),
        "CN-C536383": Decimal("3.75"),
    }
    assert notes["CN-C536381"]["referenceType"] == 2
    assert notes["CN-C536381"]["referenceId"] == make_id("customer", "17850")
    assert (notes["CN-C536382"]["referenceType"], "referenceId" in notes["CN-C536382"]) == (0, False)


def test_a_refund_names_lines_of_its_order_and_more_than_one_if_needed(seed: Seed) -> None:
    refund = next(row for row in seed.collections["refunds"] if row["reason"] == "Credit C536379")
    taken = [
        (row["lineId"], row["quantity"])
        for row in seed.collections["refunds/items"]
        if row["_parent"] == refund["refundId"]
    ]
    assert taken == [(lines(seed, "536365")[0]["lineId"], 5)]
    assert order(seed, "536365")["updatedAt"] == refund["createdAt"]


def test_stock_write_offs_and_returns_move_stock(seed: Seed) -> None:
    reserve = {row["sku"]: int(row["itemId"][:4], 16) % 301 for row in seed.collections["items"]}
    on_hand = {row["sku"]: row["onHand"] for row in seed.collections["items"]}
    assert on_hand["21777"] == reserve["21777"] - 10
    assert on_hand["85123A"] == reserve["85123A"] + 7
    records = [row["onHand"] for row in seed.collections["inventory-records"] if row["itemSku"] == "21777"]
    assert set(records) == {on_hand["21777"]}


def test_service_items_have_no_stock_and_are_not_dispatched(seed: Seed) -> None:
    assert not [row for row in seed.collections["inventory-records"] if row["itemSku"] in ("POST", "D")]
    post = next(line["lineId"] for line in lines(seed, "536365") if line["itemSku"] == "POST")
    assert post not in {row["lineId"] for row in seed.collections["dispatches/items"]}


def test_bad_debt_leaves_no_item_and_no_customer(seed: Seed) -> None:
    assert "B" not in {row["sku"] for row in seed.collections["items"]}


def test_orders_older_than_two_days_are_dispatched(seed: Seed) -> None:
    dispatched = {row["saleOrderId"] for row in seed.collections["dispatches"]}
    assert order(seed, "536400")["saleOrderId"] not in dispatched
    assert order(seed, "536400")["itemStatuses"] == ["unprocessed"]
    assert dispatched == {order(seed, number)["saleOrderId"] for number in ("536365", "536370", "536371", "536372")}


def test_an_item_is_named_by_its_first_priced_row(seed: Seed) -> None:
    names = {row["sku"]: row["name"] for row in seed.collections["items"]}
    assert (names["21777"], names["22728"]) == ("RECIPE BOX", "ALARM CLOCK")


def test_a_compressed_file_gives_the_same_seed(seed: Seed, tmp_path: Path) -> None:
    path = tmp_path / "retail.csv.gz"
    path.write_bytes(gzip.compress(FILE.encode()))
    assert load_seed(str(path), today=TODAY) == seed


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "lacks the column 'InvoiceNo'"),
        (HEADER, "has no rows"),
        (HEADER.replace("Country", "Land"), "lacks the column 'Country'"),
        (HEADER + "1,A,x,one,2010-12-01 08:26:00,2.55,1,United Kingdom\n", "line 2"),
        (HEADER + "1,A,x,1,2010-12-01 08:26:00,NaN,1,United Kingdom\n", "line 2"),
        (HEADER + "1,A,x,1,yesterday,2.55,1,United Kingdom\n", "line 2"),
        (HEADER + "1,A,x,1\n", "line 2"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TransactionsFileError, match=message):
        load_transactions(path, TODAY)


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(TransactionsFileError, match="Cannot read"):
        load_transactions(tmp_path / "none.csv", TODAY)


def entry(invoice: str, quantity: int, hour: int, **more: Any) -> Entry:
    known = {"sku": "MUG", "price": Decimal("2.50"), "customer": "1", "country": "United Kingdom", **more}
    at = datetime(2026, 3, 1, hour, tzinfo=UTC)
    return Entry(invoice=invoice, description="x", quantity=quantity, at=at, **known)


def test_a_credit_larger_than_one_line_is_taken_off_several_of_the_same_order() -> None:
    seed = seed_of([entry("1", 6, 1), entry("1", 4, 1), entry("C2", -8, 2), entry("C3", -2, 3)], today=TODAY)
    items = seed.collections["refunds/items"]
    assert [row["quantity"] for row in items] == [6, 2, 2]
    assert [row["displayTotal"] for row in seed.collections["refunds"]] == [Decimal("24.00"), Decimal("6.00")]
    assert seed.report is not None
    assert seed.report.refund_lines == 2


def test_a_credit_at_the_very_time_of_an_order_is_not_of_that_order() -> None:
    seed = seed_of([entry("1", 1, 1), entry("C2", -1, 1)], today=TODAY)
    assert len(seed.collections["credit-notes"]) == 1


ENTRIES = st.lists(
    st.builds(
        entry,
        st.sampled_from(["1", "2", "3", "C4", "C5", "A6", "X7"]),
        st.integers(-9, 9),
        st.integers(0, 23),
        sku=st.sampled_from(["MUG", "PLATE", "POST"]),
        price=st.decimals(0, 99, places=2),
        customer=st.sampled_from(["", "1", "2"]),
        country=st.sampled_from(["United Kingdom", "France", "Unspecified"]),
    ),
    min_size=1,
    max_size=25,
)


@given(ENTRIES)
def test_no_row_and_no_penny_is_lost(entries: list[Entry]) -> None:
    seed = seed_of(entries, today=TODAY)
    assert seed.report is not None
    assert seed.report.accounted == len(entries)
    returned = sum((gross(row) for row in entries if row.is_credit and row.quantity < 0), Decimal(0))
    given_back = [row["displayTotal"] for row in seed.collections["refunds"]]
    given_back += [row["value"] for row in seed.collections["credit-notes"]]
    assert sum(given_back) == -returned
    left: dict[str, int] = defaultdict(int)
    for line in seed.collections.get("saleorders/items", []):
        left[line["lineId"]] += line["quantity"]
    for item in seed.collections["refunds/items"]:
        left[item["lineId"]] -= item["quantity"]
    assert all(quantity >= 0 for quantity in left.values())


def gross(row: Entry) -> Decimal:
    net = row.price * row.quantity
    rate = Decimal("0.2") if row.country == "United Kingdom" else Decimal(0)
    return cents(net) + cents(net * rate)
