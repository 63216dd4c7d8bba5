"""Dispatches as external events, once each (E6; Emarsys API contract 1.8)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from stokly_sync.errors import PermanentError
from stokly_sync.systems.emarsys import EmarsysSettings
from stokly_sync.systems.emarsys.contacts import send_contacts
from stokly_sync.systems.emarsys.documents import build_dispatches, dispatch_contacts, dispatch_orders
from stokly_sync.systems.emarsys.events import send_events
from stokly_sync_tests.systems.emarsys.bench import Bench, contact, dispatch, rules, states
from stokly_sync_tests.systems.emarsys.rows import T0, body, order_frames
from stokly_sync_tests.systems.emarsys.rows import rules as kept_back

SETTINGS = EmarsysSettings()
SOON = T0 + timedelta(hours=1)


def test_an_event_tells_the_parcel() -> None:
    made = body(build_dispatches(order_frames({"number": "1001"}, dispatches=[{}]), SETTINGS, now=SOON))
    assert made["customer"] == "C1"
    assert made["at"] == "2026-03-01T09:30:00Z"
    assert made["told"] == {
        "orderId": "O1",
        "orderNumber": "1001",
        "carrier": "Royal Mail",
        "service": "Tracked 24",
        "trackingNumber": "AB123456789GB",
        "trackingUrl": "https://track.example.com/AB123456789GB",
    }


def test_a_dispatch_without_tracking_is_told_all_the_same() -> None:
    found = order_frames(dispatches=[{"tracking_number": None, "tracking_url": None}])
    assert "trackingNumber" not in body(build_dispatches(found, SETTINGS, now=SOON))["told"]


@pytest.mark.parametrize(
    ("row", "order", "rule"),
    [
        ({"live": False}, {}, "EM-DISPATCH-REMOVED"),
        ({}, {"live": False}, "EM-DISPATCH-REMOVED"),
        ({"order_id": "O9"}, {}, "EM-DISPATCH-ORDER"),
        ({"tracking_number": "TBC"}, {}, "EM-TRACKING"),
        ({}, {"customer_id": None, "customer_email": None}, "EM-NO-IDENTITY"),
    ],
)
def test_a_dispatch_that_nobody_should_hear_of_is_kept_back(
    row: dict[str, Any], order: dict[str, Any], rule: str
) -> None:
    found = order_frames(order, dispatches=[row])
    assert kept_back(build_dispatches(found, SETTINGS, now=SOON)) == {"D1": rule}


def test_last_year_s_parcels_make_no_mail() -> None:
    found = order_frames(dispatches=[{}])
    assert kept_back(build_dispatches(found, SETTINGS, now=T0 + timedelta(days=8))) == {"D1": "EM-DISPATCH-OLD"}
    history = EmarsysSettings(history_from=T0 + timedelta(seconds=1))
    assert kept_back(build_dispatches(found, history, now=SOON)) == {"D1": "EM-DISPATCH-OLD"}


def test_a_dispatch_waits_for_contact_and_order_but_not_for_an_order_that_sales_data_cannot_hold() -> None:
    found = order_frames(dispatches=[{}])
    assert dispatch_orders(found, SETTINGS)["needs"].tolist() == ["O1"]
    assert dispatch_contacts(found)["needs"].tolist() == ["C1"]
    assert dispatch_orders(order_frames({"currency": "EUR"}, dispatches=[{}]), SETTINGS).empty


def test_an_event_is_made_by_its_name_and_triggered_once_however_often_it_is_sent(bench: Bench) -> None:
    client = bench.client()
    send_contacts(client, [contact("C1")])
    for _ in range(2):
        assert states(send_events(bench.client(), [dispatch("D1"), dispatch("D2")])) == {
            "D1": "accepted",
            "D2": "accepted",
        }
    counted = [trigger.trigger_id for trigger in bench.system.store.triggers if not trigger.dropped]
    assert counted == ["stokly-dispatch-D1", "stokly-dispatch-D2"]
    assert [event.name for event in bench.system.store.events.values()] == ["stokly_dispatch"]


def test_a_contact_that_is_not_there_is_the_fault_of_its_own_dispatches_alone(bench: Bench) -> None:
    client = bench.client()
    send_contacts(client, [contact("C1")])
    sent = send_events(client, [dispatch("D1"), dispatch("D2", "C2")])
    assert states(sent) == {"D1": "accepted", "D2": "rejected"}
    assert rules(sent) == {"D2": "EM-REJECTED"}


def test_an_event_that_does_not_exist_stops_the_load_at_once(bench: Bench) -> None:
    with pytest.raises(PermanentError, match="EMARSYS_DISPATCH_EVENT"):
        send_events(bench.client(dispatch_event="4711"), [dispatch()])


def test_an_event_that_nothing_listens_to_is_a_fault_of_the_account(bench: Bench) -> None:
    client = bench.client()
    send_contacts(client, [contact("C1")])
    bench.system.set_switches(nobody_listens=True)
    with pytest.raises(PermanentError, match="program"):
        send_events(client, [dispatch()])
    bench.system.set_switches(advanced_events=True)
    assert rules(send_events(client, [dispatch()])) == {"D1": "EM-EVENT-UNHEARD"}
