"""Which dispatches become shipments, and which shipment is which dispatch. G4."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from stokly_sync.flow import Built
from stokly_sync.systems.magento import MagentoSettings
from stokly_sync.systems.magento.documents.parcels import Shipment, matched
from stokly_sync.systems.magento.documents.shipments import build_shipments
from stokly_sync_tests.systems.magento.rows import SETTINGS, T0, body, frames, rules

PLAIN: dict[str, Sequence[Mapping[str, Any]]] = {
    "stokly.dispatches": [{}],
    "stokly.dispatch_lines": [{}],
    "stokly.orders": [{}],
    "stokly.order_lines": [{}],
    "magento.orders": [{}],
    "magento.order_lines": [{}],
}


def built(tables: Mapping[str, Sequence[Mapping[str, Any]]] | None = None, **settings: Any) -> Built:
    chosen = MagentoSettings.model_validate({"locations": {"LOC": "default"}, **settings})
    return build_shipments(frames({**PLAIN, **(tables or {})}, siblings="stokly.dispatches"), chosen)


def test_a_dispatch_names_units_source_carrier_and_tracking_number() -> None:
    assert body(built()) == {
        "order": "5",
        "dispatch": "D1",
        "number": "77",
        "units": {"SKU-1": 2},
        "source": "default",
        "tracking": "AB123456789GB",
        "carrier": "custom",
        "title": "Royal Mail",
        "notify": False,
        "before": [],
    }


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"stokly.orders": [{"source_type": "epos"}]}, "MG-NOT-FROM-HERE"),
        ({"stokly.orders": []}, "MG-ORDER-UNKNOWN"),
        ({"magento.orders": []}, "MG-ORDER-UNKNOWN"),
        ({"stokly.dispatches": [{"live": False}]}, "MG-SHIP-REMOVED"),
        ({"stokly.orders": [{"stage": "removed"}]}, "MG-SHIP-REMOVED"),
        ({"magento.orders": [{"state": "cancelled"}]}, "MG-SHIP-CANCELLED"),
        ({"magento.orders": [{"state": "refunded"}]}, "MG-SHIP-CANCELLED"),
        ({"magento.orders": [{"state": "held"}]}, "MG-SHIP-HELD"),
        ({"stokly.dispatch_lines": []}, "MG-SHIP-LINES"),
        ({"stokly.dispatch_lines": [{"line_id": "L9"}]}, "MG-SHIP-LINES"),
        ({"magento.order_lines": [{"sku": "SKU-2"}]}, "MG-SHIP-SKU"),
        ({"stokly.dispatch_lines": [{"quantity": 3}]}, "MG-SHIP-QUANTITY"),
        ({"magento.order_lines": [{"quantity_cancelled": 1}]}, "MG-SHIP-QUANTITY"),
        ({"magento.order_lines": [{"virtual": True}]}, "MG-SHIP-VIRTUAL"),
        ({"stokly.dispatches": [{"courier": "Nobody Knows Ltd"}]}, "MG-CARRIER-UNMAPPED"),
        ({"stokly.dispatches": [{"courier": None}]}, "MG-CARRIER-UNMAPPED"),
        ({"stokly.dispatches": [{"tracking_number": "to follow"}]}, "MG-TRACKING"),
        ({"stokly.dispatches": [{"location_id": "ELSEWHERE"}]}, "MG-LOCATION-MISSING"),
    ],
)
def test_what_is_not_sent_is_named(changed: dict[str, Any], rule: str) -> None:
    assert rules(built(changed)) == {"D1": rule}


def test_a_dispatch_without_lines_may_stand_for_its_whole_order_if_it_is_the_only_one() -> None:
    nothing: dict[str, Any] = {"stokly.dispatch_lines": []}
    assert body(built(nothing, dispatch_without_lines="whole"))["units"] == {"SKU-1": 2}
    both = {**nothing, "stokly.dispatches": [{}, {"dispatch_id": "D2"}]}
    assert rules(built(both, dispatch_without_lines="whole")) == {"D1": "MG-SHIP-LINES", "D2": "MG-SHIP-LINES"}


def test_a_dispatch_without_tracking_needs_no_carrier() -> None:
    made = body(built({"stokly.dispatches": [{"tracking_number": None, "courier": None}]}))
    assert (made["tracking"], made["carrier"]) == (None, None)


def test_an_unknown_courier_may_go_as_custom_under_its_own_name() -> None:
    made = body(built({"stokly.dispatches": [{"courier": "Nobody Knows Ltd"}]}, unmapped_carrier="custom"))
    assert (made["carrier"], made["title"]) == ("custom", "Nobody Knows Ltd")


def test_part_dispatches_are_counted_together_and_know_of_those_before_them() -> None:
    rows = [{"dispatched_at": T0 + timedelta(hours=n), "dispatch_id": f"D{n}"} for n in (1, 2, 3)]
    lines = [{"dispatch_id": f"D{n}", "quantity": 1} for n in (1, 2, 3)]
    made = built({"stokly.dispatches": rows, "stokly.dispatch_lines": lines})
    assert [document.key for document in made.documents] == ["D1", "D2"]
    assert [one["dispatch"] for one in made.documents[1].body["before"]] == ["D1"]
    assert rules(made) == {"D3": "MG-SHIP-QUANTITY"}


def test_a_shipment_that_is_there_is_told_as_held_with_its_id() -> None:
    there: dict[str, Any] = {"magento.shipments": [{"reference": "D1", "tracking_numbers": '["AB123456789GB"]'}]}
    assert built({**there, "magento.shipment_lines": [{}]}).held == {"D1": "3"}
    by_tracking: dict[str, Any] = {
        "magento.shipments": [{"tracking_numbers": '["ab 1234-56789 gb"]'}],
        "magento.shipment_lines": [{}],
    }
    assert built(by_tracking).held == {"D1": "3"}


def test_a_shipment_without_its_tracking_number_is_not_held_so_that_it_gets_it() -> None:
    there: dict[str, Any] = {"magento.shipments": [{}], "magento.shipment_lines": [{}]}
    assert built(there).held == {}
    assert built({**there, "stokly.dispatches": [{"tracking_number": None}]}).held == {"D1": "3"}


def test_what_is_shipped_already_is_no_problem_although_its_order_is_over() -> None:
    there: dict[str, Any] = {"magento.shipments": [{"reference": "D1"}], "magento.shipment_lines": [{}]}
    assert not built({**there, "magento.orders": [{"state": "refunded"}]}).kept_back


def parcel(key: str, units: int = 1, tracking: str = "", reference: str | None = None) -> Shipment:
    return Shipment(key, {"SKU-1": units}, (tracking,) if tracking else (), reference)


def test_our_mark_wins_over_tracking_and_tracking_over_units() -> None:
    wanted = [parcel("D1", tracking="T1"), parcel("D2", tracking="T2"), parcel("D3")]
    there = [parcel("1"), parcel("2", tracking="t-2"), parcel("3", reference="D1")]
    assert matched(wanted, there) == {"D1": "3", "D2": "2", "D3": "1"}


def test_each_shipment_is_one_dispatch_and_two_alike_need_two() -> None:
    assert matched([parcel("D1"), parcel("D2")], [parcel("1")]) == {"D1": "1"}
    assert matched([parcel("D1"), parcel("D2")], [parcel("1"), parcel("2")]) == {"D1": "1", "D2": "2"}


def test_another_tracking_number_or_another_dispatch_s_mark_is_another_parcel() -> None:
    assert matched([parcel("D1", tracking="T1")], [parcel("1", tracking="T9")]) == {}
    assert matched([parcel("D1")], [parcel("1", reference="D2")]) == {}
    assert matched([parcel("D1", 2)], [parcel("1", 1)]) == {}


def test_the_defaults_are_those_of_the_settings() -> None:
    assert SETTINGS.unmapped_carrier == "raise"
