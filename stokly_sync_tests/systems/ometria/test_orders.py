"""Sale orders as Ometria orders: what they say, and when they may leave."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stokly_sync.contracts.confirmation import ConfirmedOrders
from stokly_sync.contracts.money import nano
from stokly_sync.delivery.encoding import encode
from stokly_sync.systems.ometria.documents import build_orders, order_accounts, order_products
from stokly_sync.systems.ometria.settings import OmetriaSettings
from stokly_sync_tests.systems.ometria.rows import T0, as_planned, body, frames, order_frames, rules, wire

SETTINGS = OmetriaSettings()


def build(order: dict[str, Any] | None = None, settings: OmetriaSettings = SETTINGS, **tables: Any) -> Any:
    return build_orders(as_planned(order_frames(order, **tables), settings), settings)


def test_an_order_is_sent_whole() -> None:
    assert body(build({"city": "Leeds", "postcode": "LS1 1AA", "region": "Yorkshire"})) == {
        "@type": "order",
        "id": "O1",
        "timestamp": "2026-03-01T09:30:00Z",
        "status": "pending",
        "is_valid": True,
        "currency": "GBP",
        "grand_total": Decimal("30.00"),
        "subtotal": Decimal("20.00"),
        "discount": Decimal("0.00"),
        "shipping": Decimal("5.00"),
        "tax": Decimal("5.00"),
        "store": "Web",
        "channel": "magento_two",
        "web_id": "100000123",
        "customer": {"id": "C1", "email": "buyer@example.com"},
        "shipping_address": {"city": "Leeds", "state": "Yorkshire", "postcode": "LS1 1AA", "country_code": "GB"},
        "lineitems": [
            {
                "product_id": "SKU-1",
                "sku": "SKU-1",
                "quantity": 2,
                "unit_price": Decimal("10.00"),
                "subtotal": Decimal("20.00"),
                "discount": Decimal("0.00"),
                "tax": Decimal("4.00"),
                "total": Decimal("24.00"),
            }
        ],
    }


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"city": 'Saint-Étienne "sur\\mer"\n', "region": "\x00", "postcode": None, "channel_name": "A\tB"},
        {"currency": "EUR", "base_total": "25.555", "subtotal": None, "shipping": "-0.001"},
        {"currency": "JPY", "total": "3000", "customer_id": None, "customer_email": None},
        {"customer_email": "o'brien+x@example.com", "source_type": "epos", "number": '"7"'},
    ],
)
@pytest.mark.parametrize("refunded", [False, True])
def test_an_order_is_written_exactly_as_the_encoder_would_write_it(order: dict[str, Any], refunded: bool) -> None:
    refund = {"currency": order.get("currency", "GBP")}
    tables: dict[str, Any] = {"refunds": [refund], "refund_lines": [{}]} if refunded else {}
    settings = OmetriaSettings.model_validate({"order_properties": {"number": "number"}})
    (document,) = build(order, settings, **tables).documents
    assert encode(document).text == encode(document._replace(content=document.body)).text


def test_an_order_carries_figures_and_times_for_the_ledger() -> None:
    later = T0.replace(day=3)
    (document,) = build({"updated_at": later, "version": later}).documents
    assert (document.key, document.value, document.currency) == ("O1", nano("30.00"), "GBP")
    assert (document.version, document.event_at) == (later, later)


def test_a_till_order_has_no_web_id_because_the_reference_is_the_shop() -> None:
    document = body(build({"source_type": "epos", "channel_reference": "LOCATION-1"}))
    assert "web_id" not in document
    assert document["channel"] == "epos"


def test_the_store_follows_the_channel() -> None:
    settings = OmetriaSettings(stores={"Web": "shop.example.com"}, default_store="none")
    assert body(build(settings=settings))["store"] == "shop.example.com"
    assert body(build({"channel_name": "Till 1"}, settings))["store"] == "Till 1"
    assert body(build({"channel_name": None}, settings))["store"] == "none"


def test_amounts_that_stokly_does_not_give_are_left_out() -> None:
    document = body(build({"subtotal": None, "shipping": None, "tax": None}))
    assert not document.keys() & {"subtotal", "shipping", "tax"}
    assert document["grand_total"] == Decimal("30.00")


@pytest.mark.parametrize(("sign", "shown"), [("positive", "2.50"), ("negative", "-2.50")])
def test_the_sign_of_discounts_is_a_setting(sign: str, shown: str) -> None:
    settings = OmetriaSettings.model_validate({"discount_sign": sign})
    line = {"unit_price": "8.75", "unit_discount": "1.25", "line_price": "17.50", "line_discount": "2.50"}
    document = body(build({"discount": "2.50", "subtotal": "17.50"}, settings, lines=[line]))
    assert document["discount"] == document["lineitems"][0]["discount"] == Decimal(shown)
    assert document["subtotal"] == document["lineitems"][0]["subtotal"] == Decimal("20.00")
    assert document["lineitems"][0]["unit_price"] == Decimal("10.00")


def test_a_line_without_a_price_a_unit_gets_it_from_its_total() -> None:
    line = {"unit_price": None, "unit_discount": None, "quantity": 3, "line_price": "10.00"}
    assert body(build(lines=[line]))["lineitems"][0]["unit_price"] == Decimal("3.33")


@given(
    quantity=st.integers(min_value=1, max_value=500),
    unit=st.integers(min_value=0, max_value=10**12),
    tax=st.integers(min_value=0, max_value=10**12),
    shipping=st.integers(min_value=0, max_value=10**11),
)
def test_each_amount_is_at_most_half_a_minor_unit_from_the_source(
    quantity: int, unit: int, tax: int, shipping: int
) -> None:
    price = quantity * unit
    line = {"quantity": quantity, "unit_price": unit, "line_price": price, "line_tax": tax, "line_total": price + tax}
    order = {"subtotal": price, "tax": tax, "shipping": shipping, "total": price + tax + shipping}
    document = body(build(order, lines=[line]))
    (shown,) = document["lineitems"]
    half = nano("0.005")
    for name, amount in (("grand_total", order["total"]), ("subtotal", price), ("tax", tax), ("shipping", shipping)):
        assert abs(nano(document[name]) - amount) <= half
    for name, amount in (("unit_price", unit), ("subtotal", price), ("tax", tax), ("total", price + tax)):
        assert abs(nano(shown[name]) - amount) <= half
        assert shown[name].as_tuple().exponent == -2


def test_yen_have_no_decimals() -> None:
    document = body(build({"currency": "JPY", "total": "3000", "base_total": None}))
    assert str(document["grand_total"]) == "3000"


def test_lines_stand_in_the_order_of_their_place() -> None:
    lines = [
        {"line_id": "L3", "position": 2, "quantity": 3},
        {"line_id": "L1", "position": 0, "quantity": 1},
        {"line_id": "L2", "position": 1, "quantity": 2},
    ]
    assert [line["quantity"] for line in body(build(lines=lines))["lineitems"]] == [1, 2, 3]


def test_lines_of_several_orders_do_not_mix() -> None:
    built = build_orders(
        frames(
            orders=[{"order_id": "O1"}, {"order_id": "O2"}, {"order_id": "O3"}],
            order_lines=[
                {"order_id": "O2", "line_id": "b", "quantity": 20},
                {"order_id": "O1", "line_id": "a", "quantity": 10},
                {"order_id": "O2", "line_id": "c", "position": 1, "quantity": 21},
            ],
            items=[{}],
            customers=[{}],
        ),
        SETTINGS,
    )
    quantities = {d.key: [line["quantity"] for line in wire(d)["lineitems"]] for d in built.documents}
    assert quantities == {"O1": [10], "O2": [20, 21], "O3": []}


def test_a_variant_points_at_its_parent() -> None:
    items: list[dict[str, Any]] = [{"parent_item_id": "P"}, {"item_id": "P", "sku": "PARENT", "format": 2}]
    tables = as_planned(order_frames(items=items), SETTINGS)
    (line,) = body(build_orders(tables, SETTINGS))["lineitems"]
    assert (line["product_id"], line["variant_id"], line["sku"]) == ("PARENT", "SKU-1", "SKU-1")
    assert sorted(order_products(tables)["needs"]) == ["PARENT", "SKU-1"]


def test_a_variant_whose_parent_is_not_known_stands_for_itself() -> None:
    (line,) = body(build(items=[{"parent_item_id": "P"}]))["lineitems"]
    assert line["product_id"] == "SKU-1"
    assert "variant_id" not in line


def test_an_order_in_another_currency_carries_its_base_total() -> None:
    document = body(build({"currency": "EUR", "base_total": "25.555"}))
    assert document["totals"] == {
        "base": {"currency": "GBP", "grand_total": Decimal("25.56")},
        "local": {
            "currency": "EUR",
            "grand_total": Decimal("30.00"),
            "subtotal": Decimal("20.00"),
            "discount": Decimal("0.00"),
            "shipping": Decimal("5.00"),
            "tax": Decimal("5.00"),
        },
    }


@pytest.mark.parametrize("order", [{"currency": "EUR"}, {"base_total": "30.00"}])
def test_base_totals_are_left_out_where_unknown_or_the_same(order: dict[str, Any]) -> None:
    assert "totals" not in body(build(order))


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ({"stage": "quote"}, "stage is quote"),
        ({"payment_status": "unpaid"}, "payment is unpaid"),
        ({"payment_status": "part_paid"}, "payment is part_paid"),
        ({"payment_status": None}, "payment is unknown"),
        ({"tags": '["vip","fraud-hold"]'}, "the tag fraud-hold holds it"),
    ],
)
def test_an_order_waits_until_it_is_confirmed(order: dict[str, Any], reason: str) -> None:
    built = build(order)
    assert [(p.rule, p.detail) for p in built.kept_back] == [("OM-ORDER-NOT-CONFIRMED", reason)]
    assert not built.documents


def test_what_confirms_an_order_is_a_setting() -> None:
    policy = ConfirmedOrders(
        stages=("order", "quote"), payment_states=("paid", "unknown"), hold_tags=(), needed_tags=("checked",)
    )
    settings = OmetriaSettings(confirmed=policy)
    built = build({"stage": "quote", "payment_status": None, "tags": '["fraud-hold","checked"]'}, settings)
    assert [d.key for d in built.documents] == ["O1"]
    assert rules(build({"tags": '["vip"]'}, settings)) == {"O1": "OM-ORDER-NOT-CONFIRMED"}
    assert rules(build({"tags": None}, settings)) == {"O1": "OM-ORDER-NOT-CONFIRMED"}


@pytest.mark.parametrize(
    ("statuses", "status", "valid"),
    [
        ('["unprocessed"]', "pending", True),
        ('["dispatched","unprocessed"]', "pending", True),
        ('["dispatched","collected"]', "complete", True),
        ('["dispatched","cancelled"]', "complete", True),
        ('["cancelled"]', "cancelled", False),
        ("[]", "pending", True),
        (None, "pending", True),
    ],
)
def test_the_status_follows_the_lines(statuses: str | None, status: str, valid: bool) -> None:
    document = body(build({"item_statuses": statuses}))
    assert (document["status"], document["is_valid"]) == (status, valid)


@pytest.mark.parametrize("order", [{"live": False}, {"stage": "removed"}, {"live": False, "payment_status": "unpaid"}])
def test_a_removed_order_is_both_cancelled_and_kept_back(order: dict[str, Any]) -> None:
    built = build(order)
    assert rules(built) == {"O1": "OM-ORDER-REMOVED"}
    (document,) = built.documents
    assert (document.body["status"], document.body["is_valid"]) == ("cancelled", False)


def test_a_removed_order_with_an_unknown_item_can_still_be_cancelled() -> None:
    built = build({"live": False}, items=[])
    assert rules(built) == {"O1": "OM-ORDER-REMOVED"}
    assert wire(built.documents[0])["lineitems"][0]["product_id"] == "SKU-1"


@pytest.mark.parametrize(
    "lines",
    [
        [{"item_id": "I9"}],
        [{"item_id": None}],
        [{}, {"line_id": "L2", "position": 1, "item_id": "I9"}],
    ],
)
def test_a_line_of_an_unknown_item_keeps_the_order_back(lines: list[dict[str, Any]]) -> None:
    built = build(lines=lines)
    assert rules(built) == {"O1": "OM-SKU-UNKNOWN"}
    assert not built.documents


def test_an_item_that_was_deleted_since_is_still_known() -> None:
    assert body(build(items=[{"live": False}]))["lineitems"][0]["product_id"] == "SKU-1"


def test_a_guest_with_an_address_is_known_by_it_alone() -> None:
    tables = as_planned(order_frames({"customer_id": None}), SETTINGS)
    assert body(build_orders(tables, SETTINGS))["customer"] == {"email": "buyer@example.com"}
    assert order_accounts(tables).empty


@pytest.mark.parametrize("email", [None, "", "not an address"])
def test_a_guest_without_an_address_is_nobody(email: str | None) -> None:
    assert "customer" not in body(build({"customer_id": None, "customer_email": email}))


def test_guests_may_be_left_out_by_policy() -> None:
    built = build({"customer_id": None}, OmetriaSettings(guests="exclude"))
    assert rules(built) == {"O1": "OM-GUEST"}
    assert not built.documents


@pytest.mark.parametrize(
    ("customers", "account"),
    [
        ([{"customer_id": "C1", "live": False, "merged_into": "C2"}, {"customer_id": "C2"}], "C2"),
        # The survivor is not among the rows: it may not have landed yet, and the gate waits for it.
        ([{"customer_id": "C1", "live": False, "merged_into": "C2"}], "C2"),
        (
            [
                {"customer_id": "C1", "live": False, "merged_into": "C2"},
                {"customer_id": "C2", "live": False, "merged_into": "C3"},
            ],
            "C3",
        ),
        # Deleted, or a ring of merges: nobody is left.
        ([{"customer_id": "C1", "live": False}], None),
        (
            [
                {"customer_id": "C1", "live": False, "merged_into": "C2"},
                {"customer_id": "C2", "live": False, "merged_into": "C1"},
            ],
            None,
        ),
        ([], "C1"),
    ],
)
def test_an_order_belongs_to_the_customer_who_is_left(customers: list[dict[str, Any]], account: str | None) -> None:
    tables = as_planned(order_frames(customers=customers), SETTINGS)
    assert body(build_orders(tables, SETTINGS))["customer"].get("id") == account
    assert order_accounts(tables)["needs"].tolist() == ([account] if account else [])


def test_an_order_larger_than_sixty_kilobytes_is_kept_back() -> None:
    lines = [{"line_id": f"L{i}", "position": i} for i in range(600)]
    assert rules(build(lines=lines)) == {"O1": "OM-RECORD-SIZE"}
    assert not rules(build(lines=lines[:60]))


def test_an_order_of_long_texts_is_measured_too() -> None:
    assert rules(build({"city": "x" * 61_000})) == {"O1": "OM-RECORD-SIZE"}


def test_mapped_properties_stand_beside_the_refunded_rest() -> None:
    settings = OmetriaSettings.model_validate(
        {"order_properties": {"number": "number", "base": {"source": "base_total", "type": "number"}}}
    )
    document = body(build({"number": "1001", "base_total": "30.5"}, settings, credit_notes=[{}]))
    assert document["properties"] == {"number": "1001", "base": Decimal("30.5"), "refunded_other": "5.00"}


def test_an_order_for_nothing_passes() -> None:
    order = {"subtotal": "0", "tax": "0", "shipping": "0", "total": "0"}
    line = {"unit_price": "0", "line_price": "0", "line_tax": "0", "line_total": "0"}
    document = body(build(order, lines=[line]))
    assert (document["grand_total"], document["is_valid"]) == (Decimal("0.00"), True)


def test_building_nothing_gives_nothing() -> None:
    assert build_orders(frames(), SETTINGS).documents == []
    assert order_products(frames()).empty
