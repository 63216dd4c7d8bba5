"""Which guests become contacts, whose orders are whose, and what orders wait for because of it (D2, E1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from stokly_sync.contracts.buyers import buyers, order_contacts, order_guests
from stokly_sync.contracts.confirmation import Confirmation
from stokly_sync.contracts.guests import Guest, guests_feed
from stokly_sync.contracts.owners import person
from stokly_sync.flow import BatchLimits, Built, Json
from stokly_sync_tests.systems.emarsys.rows import frames

Row = Mapping[str, Any]
EMAIL = "Guest@example.com"
KEY = person(EMAIL)


def told(guest: Guest) -> Json:
    return {"email": guest.email, "former": list(guest.former)}


FEED = guests_feed(
    system="demo",
    document=told,
    send=lambda client, batch: [],
    limits=BatchLimits(10, 1000),
    confirmed=Confirmation(),
    rejected_rule="T-REJECTED",
)


def bought(order: str = "O1", **columns: Any) -> Row:
    return {"order_id": order, "customer_id": None, "customer_email": EMAIL, "guest": KEY, **columns}


def built(*orders: Row, customers: Sequence[Row] = ()) -> Built:
    return FEED.build(frames(orders=orders, customers=customers))


def kept(made: Built) -> dict[str, str]:
    return {problem.key: problem.rule for problem in made.kept_back}


def test_a_guest_is_one_record_whatever_was_bought_and_the_address_is_no_part_of_the_key() -> None:
    made = built(bought("O1"), bought("O2", customer_email="guest@EXAMPLE.com"))
    (document,) = made.documents
    assert (document.key, document.body["email"]) == (KEY, "guest@example.com")
    assert "guest" not in KEY


def test_a_guest_whose_address_a_customer_has_is_no_guest() -> None:
    made = built(bought(), customers=[{"email": "guest@example.com"}])
    assert (made.documents, kept(made)) == ([], {KEY: "GUEST-CUSTOMER"})


def test_customers_who_are_gone_leave_their_address_to_the_guest() -> None:
    (document,) = built(bought(), customers=[{"email": EMAIL, "live": False}]).documents
    assert document.body["former"] == ["C1"]


@pytest.mark.parametrize(
    ("orders", "rule"),
    [
        ([bought(payment_status="unpaid")], "GUEST-NOT-CONFIRMED"),
        ([bought(tags='["fraud-hold"]')], "GUEST-NOT-CONFIRMED"),
        ([bought(live=False)], "GUEST-NO-ORDER"),
        ([bought(stage="removed"), bought("O2", payment_status="unpaid")], "GUEST-NOT-CONFIRMED"),
    ],
)
def test_nobody_becomes_a_contact_before_an_order_may_leave(orders: list[Row], rule: str) -> None:
    made = built(*orders)
    assert (made.documents, kept(made)) == ([], {KEY: rule})
    assert len(built(*orders, bought("O3")).documents) == 1


def test_orders_wait_for_the_contact_of_their_customer_or_of_their_guest() -> None:
    found = frames(orders=[bought("O1"), {"order_id": "O2"}], customers=[{}])
    assert order_guests(found).values.tolist() == [["O1", KEY]]
    assert order_contacts(found).values.tolist() == [["O2", "C1"]]


def test_a_deleted_customer_stays_the_buyer_and_does_not_come_back_as_a_guest() -> None:
    found = frames(orders=[{}], customers=[{"live": False}])
    assert buyers(found)["O1"].customer == "C1"
    merged = [{"merged_into": "C2", "live": False}, {"customer_id": "C2", "email": "other@example.com", "live": False}]
    assert buyers(frames(orders=[{}], customers=merged))["O1"].customer == "C2"
    somebody: list[Row] = [{"live": False}, {"customer_id": "C3"}]
    assert buyers(frames(orders=[{}], customers=somebody))["O1"].customer == "C3"


def test_an_order_without_customer_and_address_is_nobody_s() -> None:
    assert buyers(frames(orders=[bought(customer_email=None)]))["O1"].nobody
    assert buyers(frames(orders=[bought(customer_email="no address")]))["O1"].nobody
