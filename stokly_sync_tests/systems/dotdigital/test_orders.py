"""Orders as insight data: amounts, refunds, owners, and what keeps an order back (D4)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stokly_sync.contracts.buyers import order_contacts
from stokly_sync.systems.dotdigital import DotdigitalSettings
from stokly_sync.systems.dotdigital.documents import build_dispatches, build_orders, order_products
from stokly_sync.systems.transport import encode
from stokly_sync_tests.systems.dotdigital.rows import T0, body, frames, order_frames, rules

SETTINGS = DotdigitalSettings()
EXCLUDING = DotdigitalSettings(guests="exclude")


def json_of(order: dict[str, Any] | None = None, **tables: Any) -> dict[str, Any]:
    made: dict[str, Any] = body(build_orders(order_frames(order, **tables), SETTINGS))["json"]
    return made


def kept(order: dict[str, Any] | None = None, settings: DotdigitalSettings = SETTINGS, **tables: Any) -> dict[str, str]:
    return rules(build_orders(order_frames(order, **tables), settings))


def test_an_order_has_all_its_amounts() -> None:
    made = json_of()
    amounts = ("order_total", "order_total_gross", "refund_total", "order_subtotal", "tax_total", "delivery_total")
    assert [str(made[name]) for name in amounts] == ["30.00", "30.00", "0.00", "20.00", "5.00", "5.00"]
    assert made["purchase_date"] == "2026-03-01T09:30:00Z"
    assert (made["currency"], made["order_status"]) == ("GBP", "processing")
    (line,) = made["products"]
    assert (line["sku"], line["qty"], str(line["price"]), str(line["price_inc_tax"])) == ("SKU-1", 2, "10.00", "12.00")


@pytest.mark.parametrize("currency", ["GBP", "JPY", "KWD"])
def test_money_is_written_as_a_float_in_every_currency(currency: str) -> None:
    made = json_of({"currency": currency})
    for name, value in {**made, **made["products"][0]}.items():
        if isinstance(value, Decimal):
            assert b"." in encode(value), name


@given(pennies=st.integers(0, 10**9), refunded=st.integers(0, 10**9))
def test_what_is_left_is_the_whole_less_what_was_given_back(pennies: int, refunded: int) -> None:
    total, back = Decimal(pennies) / 100, Decimal(min(pennies, refunded)) / 100
    row = {"subtotal": str(total), "tax": "0", "shipping": "0", "shipping_tax": "0", "total": str(total)}
    made = json_of(row, refunds=[{"total": str(back)}])
    assert made["order_total"] + made["refund_total"] == made["order_total_gross"] == total


def test_a_part_refund_and_a_full_one_have_their_statuses() -> None:
    part = json_of(refunds=[{}], refund_lines=[{}])
    assert (part["order_status"], str(part["order_total"])) == ("partially_refunded", "18.00")
    assert part["products"][0]["qty_refunded"] == 1
    assert part["refunds"] == [{"id": "R1", "date": "2026-03-01T09:30:00Z", "total": Decimal("12.00")}]
    assert json_of(refunds=[{"total": "30.00"}])["order_status"] == "refunded"


@pytest.mark.parametrize("tax", ["5.00", "4.00"])
def test_tax_is_whole_whether_or_not_it_holds_that_on_shipping(tax: str) -> None:
    assert str(json_of({"tax": tax})["tax_total"]) == "5.00"


@pytest.mark.parametrize(
    ("order", "tables", "rule"),
    [
        ({"total": "31.50"}, {}, "DD-ORDER-TOTAL"),
        ({"payment_status": "unpaid"}, {}, "DD-ORDER-NOT-CONFIRMED"),
        ({}, {"items": []}, "DD-SKU-UNKNOWN"),
        ({}, {"refunds": [{"total": "31.00"}]}, "DD-REFUND-TOO-LARGE"),
        ({}, {"refunds": [{"currency": "EUR"}]}, "DD-REFUND-CURRENCY"),
        ({"customer_id": None, "customer_email": None}, {"customers": []}, "DD-NO-IDENTITY"),
    ],
)
def test_what_keeps_an_order_back(order: dict[str, Any], tables: dict[str, Any], rule: str) -> None:
    assert kept(order, **tables) == {"O1": rule}


def test_custom_fields_of_orders_stand_in_an_object_of_their_own() -> None:
    settings = DotdigitalSettings.model_validate({"order_fields": {"gift": {"source": "extra.gift", "type": "flag"}}})
    made = build_orders(order_frames({"extra": '{"gift": "yes"}'}), settings)
    assert body(made)["json"]["custom"] == {"gift": True}
    assert kept({"extra": '{"gift": "perhaps"}'}, settings) == {"O1": "DD-FIELD-TYPE"}


def test_a_text_that_is_too_long_is_cut_and_an_odd_sku_is_kept() -> None:
    made = json_of({"city": "x" * 1500}, items=[{"sku": 'A/"1" +ü'}])
    assert len(made["delivery_address"]["delivery_city"]) == 1000
    assert made["products"][0]["sku"] == 'A/"1" +ü'


def test_a_negative_total_is_named() -> None:
    row = {"total": "-1.00", "subtotal": "-1.00", "tax": "0", "shipping": "0", "shipping_tax": "0"}
    assert "DD-ORDER-NEGATIVE" in {p.rule for p in build_orders(order_frames(row), SETTINGS).kept_back}


def test_a_removed_order_has_a_cancelling_document_and_its_rule() -> None:
    made = build_orders(order_frames({"live": False}), SETTINGS)
    assert rules(made) == {"O1": "DD-ORDER-REMOVED"}
    (document,) = made.documents
    assert document.body["json"]["order_status"] == "cancelled"
    assert str(document.body["json"]["order_total"]) == "0.00"


def owner(order: dict[str, Any], customers: list[dict[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = body(build_orders(order_frames(order, customers=customers), SETTINGS))["contactIdentity"]
    return made


def test_an_order_belongs_to_the_contact_that_stands_for_its_customer() -> None:
    early = {"customer_id": "C0", "created_at": T0 - timedelta(days=1)}
    assert owner({}, [{}]) == {"identifier": "stokly-id", "value": "C1"}
    assert owner({}, [{}, early]) == {"identifier": "stokly-id", "value": "C0"}
    merged = [{"merged_into": "C2"}, {"customer_id": "C2", "email": "other@example.com"}]
    assert owner({}, merged) == {"identifier": "stokly-id", "value": "C2"}


def test_a_guest_is_a_customer_with_the_address_or_the_address() -> None:
    guest = {"customer_id": None, "customer_email": "Buyer@example.com"}
    assert owner(guest, [{}]) == {"identifier": "stokly-id", "value": "C1"}
    assert owner(guest, []) == {"identifier": "email", "value": "Buyer@example.com"}
    assert kept(guest, EXCLUDING) == {"O1": "DD-GUEST"}


def test_an_order_waits_for_its_contact_and_its_products() -> None:
    given_frames = order_frames()
    assert order_contacts(given_frames).values.tolist() == [["O1", "C1"]]
    assert order_products(given_frames).values.tolist() == [["O1", "SKU-1"]]


def test_a_dispatch_is_an_event_of_the_orders_owner() -> None:
    made = body(build_dispatches(frames(dispatches=[{}], orders=[{"number": "77"}], customers=[{}]), SETTINGS))
    assert made["contactIdentity"] == {"identifier": "stokly-id", "value": "C1"}
    assert (made["id"], made["type"]) == ("D1", "stokly-dispatch")
    assert made["timelineDetails"] == {"summary": "Order 77 dispatched"}
    assert made["eventData"]["tracking_number"] == "AB123456789GB"


@pytest.mark.parametrize(
    ("dispatch", "orders", "rule"),
    [
        ({"live": False}, [{}], "DD-DISPATCH-REMOVED"),
        ({}, [], "DD-DISPATCH-ORDER"),
        ({"tracking_number": "none yet"}, [{}], "DD-TRACKING"),
        ({}, [{"customer_id": None, "customer_email": None}], "DD-NO-IDENTITY"),
    ],
)
def test_what_keeps_a_dispatch_back(dispatch: dict[str, Any], orders: list[dict[str, Any]], rule: str) -> None:
    made = build_dispatches(frames(dispatches=[dispatch], orders=orders, customers=[{}]), SETTINGS)
    assert rules(made) == {"D1": rule}
    assert made.documents == []


def test_a_dispatch_without_tracking_is_sent_all_the_same() -> None:
    row = {"tracking_number": None, "tracking_url": None}
    made = body(build_dispatches(frames(dispatches=[row], orders=[{}], customers=[{}]), SETTINGS))
    assert "tracking_number" not in made["eventData"]
