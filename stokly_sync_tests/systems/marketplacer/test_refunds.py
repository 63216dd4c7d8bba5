"""Refunds of Stokly: tied to what the marketplace has, then created or raised, and never sent back (P10)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from stokly_sync.flow import Built
from stokly_sync.systems.marketplacer.documents.refunds import OF_ORDER, build_refunds
from stokly_sync_tests.systems.marketplacer.made import bodies, frame, frames, rules, settings

LATER = datetime(2026, 3, 4, tzinfo=UTC)
SECOND = {"refund_id": "R2", "created_at": LATER}


def built(asked: list[dict[str, Any]], others: list[dict[str, Any]] | None = None, /, **tables: Any) -> Built:
    given = {"refunds": "create"} | {name: tables.pop(name) for name in list(tables) if "__" not in name}
    plain: dict[str, Any] = {
        "stokly__orders": [{}],
        "stokly__refund_lines": [{}],
        "marketplacer__orders": [{}],
        "marketplacer__order_lines": [{"quantity_shipped": 2}],
    }
    rows = frames(**plain | {"stokly__refunds": asked} | tables)
    rows[OF_ORDER] = frame("stokly.refunds", asked + (others or []))
    return build_refunds(rows, settings(**given))


def test_units_at_their_price_go_by_line_item() -> None:
    made = bodies(built([{}]))["R1"]
    assert made["lineItems"] == [
        {"lineItemId": "L1", "quantity": 1, "reason": "Refunded in Stokly", "dispatched": True}
    ]
    assert (made["invoiceId"], made["cashAmountCents"]) == ("INV", 1200)


def test_goods_that_had_not_left_are_a_cancellation() -> None:
    made = built([{}], marketplacer__order_lines=[{}])
    assert bodies(made)["R1"]["lineItems"][0]["dispatched"] is False


def test_an_amount_that_is_not_the_price_goes_by_amount() -> None:
    made = built([{"total": "5.00"}], stokly__refund_lines=[{"line_total": "5.00"}])
    assert bodies(made)["R1"]["lineItems"] == [{"custom": "Refund of SKU-1", "quantity": 1, "amountPerItemCents": 500}]


def test_what_is_refunded_beside_the_lines_has_a_line_of_its_own() -> None:
    made = built([{"total": "15.00"}])
    assert bodies(made)["R1"]["lineItems"][1] == {
        "custom": "Postage and other",
        "quantity": 1,
        "amountPerItemCents": 300,
    }


def test_a_refund_that_came_from_the_marketplace_never_goes_back() -> None:
    made = built([{}], marketplacer__refunds=[{}], marketplacer__refund_lines=[{}])
    assert made.held == {"R1": "M1"}


def test_a_request_without_an_amount_is_known_by_its_goods() -> None:
    made = built(
        [{}],
        marketplacer__refunds=[{"state": "requested", "total": "0.00"}],
        marketplacer__refund_lines=[{"line_total": "0.00"}],
    )
    assert made.held == {"R1": "M1"}


@pytest.mark.parametrize("theirs", [{"state": "denied"}, {"live": False}, {"total": "9.00"}])
def test_another_refund_does_not_stand_for_it(theirs: dict[str, Any]) -> None:
    made = built([{}], marketplacer__refunds=[theirs], marketplacer__refund_lines=[{"sku": "SKU-9"}])
    assert made.held == {}


def test_two_equal_refunds_need_two_of_theirs() -> None:
    lines = [{}, {"refund_id": "R2"}]
    one: dict[str, Any] = {"marketplacer__refunds": [{}], "marketplacer__refund_lines": [{}]}
    # Only the second one is looked at; the first one has the amendment.
    made = built([SECOND], [{}], stokly__refund_lines=lines, **one)
    assert made.held == {}
    assert bodies(made)["R2"]["before"] == 1


def test_by_setting_it_is_raised_with_its_vat() -> None:
    made = built([{}], refunds="raise")
    assert rules(made) == {"R1": "MP-REFUND-MISSING"}
    assert "12.00 GBP" in made.kept_back[0].detail
    assert "VAT of 2.00" in made.kept_back[0].detail


def test_a_raised_one_is_over_once_it_is_there() -> None:
    made = built([{}], refunds="raise", marketplacer__refunds=[{}], marketplacer__refund_lines=[{}])
    assert (rules(made), made.held) == ({}, {"R1": "M1"})


@pytest.mark.parametrize(
    ("refund", "tables"),
    [
        ({"order_id": None}, {}),
        ({"live": False}, {}),
        ({"status": "draft"}, {}),
        ({}, {"stokly__orders": [{"channel_reference": None}]}),
        ({}, {"marketplacer__orders": []}),
    ],
)
def test_what_is_none_of_the_marketplaces_is_left_out_by_name(refund: dict[str, Any], tables: dict[str, Any]) -> None:
    assert rules(built([refund], **tables)) == {"R1": "MP-REFUND-OTHER"}
