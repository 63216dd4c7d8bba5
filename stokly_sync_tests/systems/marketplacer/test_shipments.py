"""Dispatches as shipments: lines by SKU, parts, what is there already, and what is too much (P4)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from stokly_sync.flow import Built
from stokly_sync.systems.marketplacer.documents.dispatches import OF_ORDER, build_shipments
from stokly_sync_tests.systems.marketplacer.made import bodies, frame, frames, rules, settings

DISPATCH = "stokly.dispatches"


def built(dispatches: list[dict[str, Any]], others: list[dict[str, Any]] | None = None, /, **tables: Any) -> Built:
    """All dispatches of the orders stand in `others`; those asked for in `dispatches`."""
    given = {name: tables.pop(name) for name in list(tables) if "__" not in name}
    plain: dict[str, Any] = {
        "stokly__orders": [{}],
        "stokly__order_lines": [{}],
        "stokly__dispatch_lines": [{}],
        "marketplacer__orders": [{}],
        "marketplacer__order_lines": [{}],
    }
    rows = frames(**plain | {"stokly__dispatches": dispatches} | tables)
    rows[OF_ORDER] = frame(DISPATCH, dispatches + (others or []))
    return build_shipments(rows, settings(**given))


def test_a_dispatch_is_a_shipment_of_the_invoice() -> None:
    assert bodies(built([{}])) == {
        "D1": {
            "invoiceId": "INV",
            "carrier": "Royal Mail",
            "dispatchedAt": "2026-03-02T10:00:00Z",
            "trackingNumber": "AB123456789GB",
            "shippedItems": [{"lineItemId": "L1", "quantity": 2}],
        }
    }


def test_a_part_of_an_order_is_shipped_as_a_part_and_the_rest_later() -> None:
    parts = [{}, {"dispatch_id": "D2", "tracking_number": "CD2", "dispatched_at": datetime(2026, 3, 3, tzinfo=UTC)}]
    lines = [{"quantity": 1}, {"dispatch_id": "D2", "quantity": 1}]
    made = bodies(built(parts, stokly__dispatch_lines=lines))
    assert [made[key]["shippedItems"] for key in ("D1", "D2")] == [[{"lineItemId": "L1", "quantity": 1}]] * 2


def test_units_of_one_sku_are_spread_over_the_lines_that_have_it() -> None:
    lines = [{"quantity": 1}, {"line_id": "L2", "position": 1, "quantity": 3}]
    made = built([{}], marketplacer__order_lines=lines, stokly__dispatch_lines=[{"quantity": 3}])
    assert bodies(made)["D1"]["shippedItems"] == [
        {"lineItemId": "L1", "quantity": 1},
        {"lineItemId": "L2", "quantity": 2},
    ]


def test_a_shipment_that_is_there_is_tied_to_its_dispatch_and_not_sent() -> None:
    made = built([{}], marketplacer__shipments=[{}], marketplacer__shipment_lines=[{}])
    assert made.held == {"D1": "S1"}
    assert rules(made) == {}


def test_a_number_in_other_capitals_and_blanks_is_the_same_number() -> None:
    there = [{"tracking_number": "ab123 456 789 gb"}]
    assert built([{}], marketplacer__shipments=there, marketplacer__shipment_lines=[{}]).held == {"D1": "S1"}


def test_one_shipment_is_tied_to_one_dispatch_alone() -> None:
    twins = [{}, {"dispatch_id": "D2", "dispatched_at": datetime(2026, 3, 3, tzinfo=UTC)}]
    lines = [{"quantity": 1}, {"dispatch_id": "D2", "quantity": 1}]
    there = {"marketplacer__shipments": [{}], "marketplacer__shipment_lines": [{"quantity": 1}]}
    # Also when only the later one is looked at.
    made = built(twins[1:], twins[:1], stokly__dispatch_lines=lines, **there)
    assert made.held == {}
    assert bodies(made)["D2"]["shippedItems"] == [{"lineItemId": "L1", "quantity": 1}]


def test_what_somebody_shipped_by_hand_is_not_left_to_ship() -> None:
    by_hand: dict[str, Any] = {
        "marketplacer__shipments": [{"tracking_number": "HAND"}],
        "marketplacer__shipment_lines": [{"quantity": 1}],
    }
    assert rules(built([{}], **by_hand)) == {"D1": "MP-SHIP-QUANTITY"}


@pytest.mark.parametrize(
    ("dispatch", "tables", "rule"),
    [
        ({"tracking_number": None}, {}, "MP-TRACKING"),
        ({"courier": None}, {}, "MP-CARRIER-UNMAPPED"),
        ({"live": False}, {}, "MP-DISPATCH-OTHER"),
        ({}, {"stokly__orders": [{"channel_reference": "999"}]}, "MP-DISPATCH-OTHER"),
        ({}, {"stokly__orders": [{"channel_reference": "999"}], "channels": ["marketplacer"]}, "MP-DISPATCH-ORDER"),
        ({}, {"stokly__orders": [{"source_type": "magento"}], "channels": ["marketplacer"]}, "MP-DISPATCH-OTHER"),
        ({}, {"stokly__order_lines": [{"sku": "SKU-9"}]}, "MP-SHIP-LINE"),
        ({}, {"stokly__dispatch_lines": []}, "MP-SHIP-LINE"),
        ({}, {"stokly__dispatch_lines": [{"quantity": 3}]}, "MP-SHIP-QUANTITY"),
        ({}, {"marketplacer__order_lines": [{"quantity_cancelled": 1}]}, "MP-SHIP-QUANTITY"),
    ],
)
def test_what_cannot_be_shipped_is_named(dispatch: dict[str, Any], tables: dict[str, Any], rule: str) -> None:
    made = built([dispatch], **tables)
    assert rules(made) == {"D1": rule}
    assert not made.documents


def test_couriers_are_mapped_in_any_case_and_others_go_by_the_default() -> None:
    mapped = built([{"courier": "royal mail "}], carriers={"Royal Mail": "Royal Mail Tracked"})
    assert bodies(mapped)["D1"]["carrier"] == "Royal Mail Tracked"
    assert bodies(built([{"courier": None}], default_carrier="Other"))["D1"]["carrier"] == "Other"


def test_a_parcel_without_tracking_may_go_by_its_number() -> None:
    made = built([{"tracking_number": None}], untracked="number")
    assert bodies(made)["D1"]["trackingNumber"] == "7001"


def test_nothing_leaves_before_it_was_ordered() -> None:
    early = built([{"dispatched_at": datetime(2026, 2, 28, tzinfo=UTC)}])
    assert bodies(early)["D1"]["dispatchedAt"] == "2026-03-01T09:30:00Z"
