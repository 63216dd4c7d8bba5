"""Uploads of sales data: the agreed columns, once, and never again by themselves (Emarsys API contract 2)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from stokly_sync.errors import BatchRefused, CredentialsError, InDoubt, PermanentError
from stokly_sync.sandbox.emarsys.sales import sales_totals
from stokly_sync.sandbox.kit import Fault
from stokly_sync.systems.emarsys import EmarsysSettings
from stokly_sync.systems.emarsys.contacts import send_contacts
from stokly_sync.systems.emarsys.sales import cell, send_sales
from stokly_sync_tests.systems.emarsys.bench import Bench, contact, sale, states

UPLOAD = "/sales-data/api"


def lines(bench: Bench) -> list[dict[str, str]]:
    return bench.system.sales.shown()


def test_a_line_has_the_columns_that_were_agreed_in_their_order(bench: Bench) -> None:
    client = bench.client()
    send_contacts(client, [contact("C1")])
    assert states(send_sales(client, [sale()])) == {"O1": "accepted"}
    assert lines(bench) == [
        {
            "item": "SKU-1",
            "price": "24.00",
            "order": "O1",
            "timestamp": "2026-03-01T09:30:00Z",
            "customer": "C1",
            "quantity": "2",
        }
    ]
    assert sales_totals(bench.system.sales)["placeholder"] == 0


def test_the_other_dialect_is_a_setting(bench: Bench) -> None:
    columns = ("item", "order", "date", "email", "quantity", "c_sales_amount", "s_channel")
    bench.system.set_switches(sales_columns=list(columns))
    client = bench.client(sales_columns=columns)
    send_sales(client, [sale(channel='Shop, "main"\nfloor ')])
    (line,) = lines(bench)
    assert (line["date"], line["email"], line["c_sales_amount"]) == ("2026-03-01", "c1@example.com", "24.00")
    assert line["s_channel"] == 'Shop, "main" floor'


@pytest.mark.parametrize(
    ("text", "written"), [("A", "A"), ("A,B", '"A,B"'), ('5" pipe', '"5"" pipe"'), (" A ", '" A "')]
)
def test_a_value_is_quoted_only_where_it_must_be(text: str, written: str) -> None:
    assert cell(text) == written


def test_a_refund_is_a_line_with_negative_units_and_money(bench: Bench) -> None:
    client = bench.client()
    send_sales(client, [sale("O1", lines=[{"item": "SKU-1", "quantity": -1, "price": Decimal("-12.00")}])])
    totals = sales_totals(bench.system.sales)
    assert (totals["refund_lines"], totals["price"], totals["quantity"]) == (1, "-12.00", "-1")


def test_an_upload_without_an_answer_is_in_doubt_and_not_repeated(bench: Bench) -> None:
    bench.system.faults.add(Fault(path=UPLOAD, action="cut", processed=True))
    with pytest.raises(InDoubt):
        send_sales(bench.client(), [sale()])
    assert bench.calls(UPLOAD) == 1
    assert len(lines(bench)) == 1


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_server_error_leaves_an_upload_in_doubt(bench: Bench, status: int) -> None:
    bench.system.faults.add(Fault(path=UPLOAD, status=status, text="oops", content_type="text/plain"))
    with pytest.raises(InDoubt):
        send_sales(bench.client(), [sale()])
    assert bench.calls(UPLOAD) == 1


def test_too_many_uploads_are_waited_for_because_nothing_was_taken(bench: Bench) -> None:
    bench.system.faults.add(Fault(path=UPLOAD, status=429, text="slow down", content_type="text/plain"))
    assert states(send_sales(bench.client(), [sale()])) == {"O1": "accepted"}
    assert bench.slept == [60.0]
    assert len(lines(bench)) == 1


def test_a_line_that_is_refused_names_no_order_and_the_batch_is_halved(bench: Bench) -> None:
    broken = sale("O1", at="yesterday")
    with pytest.raises(BatchRefused, match="timestamp"):
        send_sales(bench.client(), [broken, sale("O2")])
    assert lines(bench) == []


def test_columns_that_were_not_agreed_stop_the_load_at_once(bench: Bench) -> None:
    bench.system.set_switches(sales_columns=["order", "item", "price", "timestamp", "customer", "quantity"])
    with pytest.raises(PermanentError, match="EMARSYS_SALES_COLUMNS"):
        send_sales(bench.client(), [sale()])


def test_sales_have_a_token_of_their_own(bench: Bench) -> None:
    with pytest.raises(CredentialsError, match="EMARSYS_SALES_TOKEN"):
        send_sales(bench.client(sales_token="another"), [sale()])
    with pytest.raises(CredentialsError, match="EMARSYS_SALES_TOKEN"):
        send_sales(bench.client(sales_token=None), [sale()])


@pytest.mark.parametrize(
    "columns",
    [
        ("item", "price", "order", "timestamp", "quantity"),
        ("item", "price", "order", "timestamp", "customer", "email"),
        ("item", "price", "order", "timestamp", "customer", "s_colour"),
    ],
    ids=["nobody", "customer and e-mail", "a column we cannot fill"],
)
def test_columns_are_checked_when_settings_are_read(columns: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="sales_columns"):
        EmarsysSettings(sales_columns=columns)
