"""Dispatches as events (O6)."""

from __future__ import annotations

from typing import Any

import pytest

from stokly_sync.flow import Built
from stokly_sync.systems.ometria.documents import build_dispatches
from stokly_sync.systems.ometria.settings import OmetriaSettings
from stokly_sync_tests.systems.ometria.rows import T0, body, frames, rules

SETTINGS = OmetriaSettings()


def build(settings: OmetriaSettings = SETTINGS, order: dict[str, Any] | None = None, **row: Any) -> Built:
    orders = [{"number": "1001", **(order or {})}]
    return build_dispatches(frames(dispatches=[row], orders=orders, customers=[{}]), settings)


def test_a_dispatch_is_an_event_of_the_customer() -> None:
    built = build()
    assert body(built) == {
        "@type": "custom_event",
        "id": "D1",
        "event_type": "order_shipped",
        "timestamp": "2026-03-01T09:30:00Z",
        "identity_account_id": "C1",
        "properties": {
            "order_id": "O1",
            "order_number": "1001",
            "carrier": "Royal Mail",
            "service": "Tracked 24",
            "tracking_number": "AB123456789GB",
            "tracking_url": "https://track.example.com/AB123456789GB",
        },
    }
    assert built.documents[0].event_at == T0


def test_a_guest_is_identified_by_the_address() -> None:
    document = body(build(order={"customer_id": None}))
    assert document["identity_email"] == "buyer@example.com"
    assert "identity_account_id" not in document


@pytest.mark.parametrize("number", ["TBC", "1Z 999 AA1", "see e-mail", "A" * 41 + "1", "ABCDEFGH", "№12345678"])
def test_a_wrong_tracking_number_is_an_exception_and_is_not_quoted(number: str) -> None:
    built = build(tracking_number=number)
    assert rules(built) == {"D1": "OM-TRACKING"}
    assert number not in built.kept_back[0].detail


@pytest.mark.parametrize("number", ["AB123456789GB", "15501234567890", "jd-0002-1234"])
def test_tracking_numbers_of_couriers_pass(number: str) -> None:
    assert body(build(tracking_number=number))["properties"]["tracking_number"] == number


def test_a_dispatch_without_tracking_is_told_all_the_same() -> None:
    assert body(build(tracking_number=None, tracking_url=None))["properties"].keys() == {
        "order_id",
        "order_number",
        "carrier",
        "service",
    }


def test_what_a_tracking_number_looks_like_is_a_setting() -> None:
    assert rules(build(OmetriaSettings(tracking_pattern="[0-9]{10}"))) == {"D1": "OM-TRACKING"}


@pytest.mark.parametrize(
    ("settings", "order", "row", "rule"),
    [
        (SETTINGS, {"customer_id": None, "customer_email": None}, {}, "OM-NO-IDENTITY"),
        (OmetriaSettings(guests="exclude"), {"customer_id": None}, {}, "OM-GUEST"),
        (SETTINGS, {"live": False}, {}, "OM-ORDER-REMOVED"),
        (SETTINGS, {"stage": "removed"}, {}, "OM-ORDER-REMOVED"),
        (SETTINGS, {}, {"live": False}, "OM-DISPATCH-REMOVED"),
        (SETTINGS, {"order_id": "O2"}, {}, "OM-DISPATCH-ORDER"),
        # Nobody is asked to repair the number of a parcel that nobody is told about.
        (SETTINGS, {"customer_id": None, "customer_email": None}, {"tracking_number": "TBC"}, "OM-NO-IDENTITY"),
        (SETTINGS, {}, {"tracking_url": "https://track.example.com/" + "x" * 500}, "OM-TRACKING"),
    ],
)
def test_each_reason_to_keep_a_dispatch_back_has_its_rule(
    settings: OmetriaSettings, order: dict[str, Any], row: dict[str, Any], rule: str
) -> None:
    built = build(settings, order, **row)
    assert rules(built) == {"D1": rule}
    assert not built.documents


def test_long_texts_are_cut_to_what_an_event_takes() -> None:
    assert len(body(build(service="x" * 600))["properties"]["service"]) == 512
