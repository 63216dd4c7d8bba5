"""What came of an erasure, told without anybody; what a whole erasure does stands in the acceptance tests."""

from __future__ import annotations

import pytest

from stokly_sync.errors import PermissionDenied, StoklySyncError, TransientError
from stokly_sync.flow import Forgotten, Person
from stokly_sync.operations.desk import Desk
from stokly_sync.operations.erasures import erasures
from stokly_sync_tests.delivery.kit import T0, land
from stokly_sync_tests.operations.kit import erase

EMAIL = "ann@example.com"
GONE = Forgotten(done=True, answer="1 contact deleted")


@pytest.fixture(autouse=True)
def _customer(desk: Desk) -> None:
    land(desk.warehouse, "stokly.customers", [{"customer_id": "c1", "email": EMAIL, "live": True}])


@pytest.mark.parametrize(
    ("answer", "state", "words", "failed", "waits"),
    [
        (GONE, "done", "1 contact deleted", False, False),
        (Forgotten(done=True, answer="gone", by_hand="the orders"), "done", "gone. By hand: the orders", False, False),
        (Forgotten(done=False, answer="asked for", receipt="7"), "asked", "asked for", False, True),
        (TransientError("it is down."), "failed", "it is down. Run the erasure again.", True, True),
        # Whoever may not do it says what is to be done by hand, instead of failing for ever.
        (PermissionDenied("no such right."), "by hand", "no such right. By hand: look.", False, False),
    ],
)
def test_each_answer_is_told_with_what_is_left_to_do(
    desk: Desk, *, answer: Forgotten | StoklySyncError, state: str, words: str, failed: bool, waits: bool
) -> None:
    done = erase(desk, forget=answer, customer="c1")
    (found,) = erasures(desk)
    assert (found.person, found.actor, found.first) == (done.person, "tester", found.last)
    assert [(a.system, a.state, a.answer) for a in found.answers] == [("test", state, words)]
    assert (found.failed, found.waits) == (failed, waits)
    assert EMAIL not in repr(found)


def test_one_person_is_one_line_however_often_it_was_erased_the_newest_answer_counts(desk: Desk) -> None:
    erase(desk, forget=TransientError("it is down."), customer="c1")
    erase(desk, forget=GONE, customer="c1")
    (found,) = erasures(desk)
    assert not found.failed
    assert found.first < found.last


def test_a_channel_is_told_its_own_ids_of_the_person(desk: Desk) -> None:
    columns = {"state": "shipped", "currency": "GBP", "total": 0, "placed_at": T0, "line_count": 1, "live": True}
    order = {"order_id": "9", "number": "N", "customer_key": "42", "customer_email": EMAIL, "lines_total": 0}
    land(desk.warehouse, "magento.orders", [order | columns])
    asked: list[Person] = []
    for system in ("magento", "test"):
        erase(desk, forget=GONE, system=system, noted=asked, customer="c1")
    assert [person.accounts for person in asked] == [("42",), ()]
