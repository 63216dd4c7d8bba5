"""*Where is order X*: found by whatever people have in their hands, and told through every system."""

from __future__ import annotations

from typing import Any

import pytest

from stokly_sync.contracts.owners import person
from stokly_sync.operations.desk import Desk
from stokly_sync.operations.looking import NoSuchException
from stokly_sync.operations.tracing import Found, search, trace
from stokly_sync_tests.delivery.kit import T0, Destination, land, order, orders_feed
from stokly_sync_tests.operations.kit import ORDERS, kept_back, load


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
    assert [(p.feed, p.state) for p in path.stops[0].placed] == [("test/orders", "accepted")]
    assert ("total", "12.00 GBP") in path.stops[0].facts
    assert [step.what for step in path.steps if step.where == "test/orders"] == ["planned", "sent", "accepted"]


def test_a_refused_record_shows_its_exception_and_reason(shop: Desk) -> None:
    stop = trace(shop, ORDERS, "o2").stops[0]
    assert [(p.state, p.reason) for p in stop.placed] == [("rejected", "no such person as ***")]
    assert [row.ref.rule for row in stop.exceptions] == ["T-REJECTED"]


def test_a_record_that_was_never_planned_says_so(shop: Desk) -> None:
    land(shop.warehouse, ORDERS, [order("o3")])
    assert trace(shop, ORDERS, "o3").stops[0].missing == ["test/orders"]


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


def test_an_order_of_a_channel_and_its_twin_in_stokly_are_one_story(shop: Desk) -> None:
    columns = {"currency": "GBP", "total": 12 * 10**9, "state": "shipped", "placed_at": T0, "live": True}
    land(shop.warehouse, "magento.orders", [{"order_id": "9", "number": "WEB-9", **columns}])
    assert ("magento.orders", "WEB-9") in [(s.dataset, s.name) for s in trace(shop, ORDERS, "o1").stops]
    assert (ORDERS, "1001") in [(s.dataset, s.name) for s in trace(shop, "magento.orders", "9").stops]


def test_goods_are_one_story_by_their_sku(shop: Desk) -> None:
    land(shop.warehouse, "magento.listings", [{"listing_id": "L1", "sku": "MUG-1", "live": True}])
    assert ("magento.listings", "L1") in [(s.dataset, s.key) for s in trace(shop, "stokly.items", "i1").stops]
    assert [f.dataset for f in search(shop, "MUG-1")] == ["stokly.items", "magento.listings"]
