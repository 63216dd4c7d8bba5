"""*Where is order X*: found by whatever people have in their hands, and told through every system."""

from __future__ import annotations

from typing import Any

import pytest

from stokly_sync.contracts.owners import person
from stokly_sync.operations.desk import Desk
from stokly_sync.operations.looking import NoSuchException
from stokly_sync.operations.searching import Found, search
from stokly_sync.operations.tracing import trace
from stokly_sync_tests.delivery.kit import T0, Destination, land, order, orders_feed
from stokly_sync_tests.operations.kit import DAGSTER_RUN, ORDERS, kept_back, load


@pytest.fixture
def shop(desk: Desk) -> Desk:
    """A customer with an order and its refund, a guest's order, an item, and what became of the orders."""
    warehouse = desk.warehouse
    land(
        warehouse,
        "stokly.customers",
        [{"customer_id": "c1", "email": "ann@example.com", "account_code": "ACC-1", "live": True}],
    )
    land(warehouse, "stokly.items", [{"item_id": "i1", "sku": "MUG-1"}])
    land(
        warehouse,
        ORDERS,
        [
            order("o1", number="1001", channel_reference="WEB-9", customer_id="c1"),
            order("o2", number="1002", customer_email="guest@example.com", guest=person("guest@example.com")),
        ],
    )
    land(
        warehouse,
        "stokly.refunds",
        [{"refund_id": "r1", "order_id": "o1", "currency": "GBP", "total": 10**9, "created_at": T0}],
    )
    load(warehouse, orders_feed(), Destination(reject=lambda record: record.key == "o2"))
    return desk


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("1001", Found(ORDERS, "o1", "1001")),
        (" WEB-9 ", Found(ORDERS, "o1", "1001")),
        ("o1", Found(ORDERS, "o1", "1001")),
        ("ann@example.com", Found("stokly.customers", "c1", "ACC-1")),
        ("ANN@EXAMPLE.COM", Found("stokly.customers", "c1", "ACC-1")),
        ("guest@example.com", Found(ORDERS, "o2", "1002")),
        ("MUG-1", Found("stokly.items", "i1", "MUG-1")),
        ("mug-1", Found("stokly.items", "i1", "MUG-1")),
        ("r1", Found("stokly.refunds", "r1", "r1")),
    ],
)
def test_a_record_is_found_by_what_people_have(shop: Desk, words: str, expected: Found) -> None:
    assert search(shop, words) == [expected]


@pytest.mark.parametrize("words", ["", "  ", "nothing like it", "%", "_"])
def test_what_is_not_there_is_not_found(shop: Desk, words: str) -> None:
    assert search(shop, words) == []


@pytest.mark.parametrize("words", ["o9", "1009", "WEB-77"])
def test_a_record_that_never_passed_its_contract_is_found_by_its_exception(shop: Desk, words: str) -> None:
    kept_back(shop.warehouse, "o9", payload='{"id":"o9","number":1009,"reference":"WEB-77"}')
    assert search(shop, words) == [Found(ORDERS, "o9", "o9", there=False)]


def test_the_path_holds_the_record_what_belongs_to_it_and_where_each_stands(shop: Desk) -> None:
    path = trace(shop, ORDERS, "o1")
    assert [(stop.dataset, stop.name) for stop in path.stops] == [
        (ORDERS, "1001"),
        ("stokly.refunds", "r1"),
        ("stokly.customers", "ACC-1"),
    ]
    assert [(s.feed, s.system, s.what, s.words) for s in path.stops[0].standing] == [
        ("test/orders", "Test", "order", "accepted")
    ]
    assert ("total", "12.00 GBP") in path.stops[0].facts


def test_each_thing_that_happened_is_told_once_and_in_order_of_time(shop: Desk) -> None:
    steps = trace(shop, ORDERS, "o1").steps
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    assert [(step.where, step.what) for step in steps] == [
        ("stokly", "order 1001 placed"),
        ("stokly", "refund r1 made"),
        ("stokly", "newest state of order 1001 read"),
        ("stokly", "refund r1 read"),
        ("stokly", "customer ACC-1 read"),
        ("Test", "order accepted"),
    ]
    assert next(step.detail for step in steps if step.where == "Test").endswith("in one call with 1 other")
    assert [step.run_id for step in steps if step.where == "Test"] == [DAGSTER_RUN]


def test_a_refused_record_shows_its_exception_and_reason(shop: Desk) -> None:
    stop = trace(shop, ORDERS, "o2").stops[0]
    assert [(s.state, s.words, s.why) for s in stop.standing] == [
        ("rejected", "refused", "no such person as *** (T-REJECTED)")
    ]
    assert [row.ref.rule for row in stop.exceptions] == ["T-REJECTED"]
    told = [step.what for step in trace(shop, ORDERS, "o2").steps if step.where == "Test"]
    assert told == ["order sent", "order refused"]


def test_a_record_that_was_never_planned_says_so(shop: Desk) -> None:
    land(shop.warehouse, ORDERS, [order("o3")])
    assert [(s.feed, s.words) for s in trace(shop, ORDERS, "o3").stops[0].standing] == [
        ("test/orders", "not planned yet")
    ]


def test_nothing_personal_is_told(shop: Desk) -> None:
    for dataset, key in ((ORDERS, "o1"), (ORDERS, "o2"), ("stokly.customers", "c1")):
        assert "@" not in repr(trace(shop, dataset, key))


@pytest.mark.parametrize(("dataset", "key"), [(ORDERS, "o77"), ("no.such", "o1")])
def test_a_path_to_nowhere_is_refused(shop: Desk, dataset: str, key: str) -> None:
    with pytest.raises(NoSuchException):
        trace(shop, dataset, key)


def test_a_customer_with_many_orders_shows_some_and_says_that_there_are_more(shop: Desk) -> None:
    rows: list[dict[str, Any]] = [order(f"x{n:02}", customer_id="c1") for n in range(30)]
    land(shop.warehouse, ORDERS, rows, number=1)
    path = trace(shop, "stokly.customers", "c1")
    assert (len(path.stops), path.more) == (21, True)


CHANNEL_ORDER: dict[str, Any] = {
    "order_id": "9",
    "number": "WEB-9",
    "currency": "GBP",
    "total": 12 * 10**9,
    "state": "shipped",
    "placed_at": T0,
    "line_count": 1,
    "lines_total": 12 * 10**9,
    "live": True,
}
CHANNEL_REFUND: dict[str, Any] = {
    "refund_id": "m1",
    "order_id": "9",
    "currency": "GBP",
    "total": 10**9,
    "state": "completed",
    "created_at": T0,
    "live": True,
}


@pytest.mark.parametrize("asked", [(ORDERS, "o1"), ("magento.orders", "9"), ("stokly.customers", "c1")])
def test_an_order_of_a_channel_and_its_twin_in_stokly_are_one_story(shop: Desk, asked: tuple[str, str]) -> None:
    """From either side, and from a customer who has no other order; its sale is told where it was sold."""
    land(shop.warehouse, "magento.orders", [CHANNEL_ORDER])
    land(shop.warehouse, "magento.refunds", [CHANNEL_REFUND])
    path = trace(shop, *asked)
    assert {(s.dataset, s.key) for s in path.stops} == {
        *((ORDERS, "o1"), ("stokly.refunds", "r1"), ("stokly.customers", "c1")),
        *(("magento.orders", "9"), ("magento.refunds", "m1")),
    }
    assert [s.what for s in path.steps if s.what.endswith("placed")] == ["order WEB-9 placed"]
    assert [(f.dataset, f.key) for f in search(shop, "WEB-9")] == [(ORDERS, "o1")]


def test_goods_are_one_story_by_their_sku(shop: Desk) -> None:
    land(shop.warehouse, "magento.listings", [{"listing_id": "L1", "sku": "MUG-1", "live": True}])
    land(shop.warehouse, "magento.listings", [{"listing_id": "L2", "sku": "mug-1", "live": True}], number=1)
    assert ("magento.listings", "L1") in [(s.dataset, s.key) for s in trace(shop, "stokly.items", "i1").stops]
    assert [(f.dataset, f.key) for f in search(shop, "MUG-1")] == [("stokly.items", "i1")]
    assert [(f.dataset, f.key) for f in search(shop, "mug-1")] == [("magento.listings", "L2")]
    assert len(search(shop, "Mug-1")) == 2
