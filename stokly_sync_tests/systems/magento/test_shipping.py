"""Shipping against the sandbox: once each, never more than is open, and known again. Source: Magento API contract 7."""

from __future__ import annotations

from typing import Any

import pytest

from stokly_sync.flow import Outcome, State
from stokly_sync.sandbox.kit import Fault
from stokly_sync.sandbox.magento import mishaps
from stokly_sync.systems.magento import MagentoClient
from stokly_sync.systems.magento.shipping import look_up_shipments, send_shipments
from stokly_sync_tests.systems.magento.bench import SHIP, Bench, record


def dispatch(order: str, units: dict[str, int], key: str = "D1", **members: Any) -> dict[str, Any]:
    return {
        "order": order,
        "dispatch": key,
        "number": "77",
        "units": units,
        "source": "default",
        "tracking": "AB1",
        "carrier": "custom",
        "title": "Royal Mail",
        "notify": False,
        "before": [],
        **members,
    }


def ship(client: MagentoClient, *documents: dict[str, Any]) -> list[Outcome]:
    return send_shipments(client, [record(document["dispatch"], document) for document in documents])


def shipments(bench: Bench) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = bench.look("shipments")
    return found


@pytest.fixture
def shop(bench: Bench) -> Bench:
    for sku in ("S1", "S2"):
        bench.goods(sku)
    return bench


def test_a_dispatch_is_shipped_with_its_tracking_number_and_our_mark(shop: Bench) -> None:
    order = shop.place(("S1", 2))
    (outcome,) = ship(shop.client(), dispatch(order, {"S1": 2}))
    (there,) = shop.system.store.shipments
    assert (outcome.state, outcome.receipt) == (State.ACCEPTED, str(there["entity_id"]))
    (found,) = look_up_shipments(shop.client(), [record("D1", dispatch(order, {"S1": 2}))])
    assert found.receipt == outcome.receipt


def test_sending_again_ships_nothing_again(shop: Bench) -> None:
    order = shop.place(("S1", 2))
    first = ship(shop.client(), dispatch(order, {"S1": 1}))
    assert ship(shop.client(), dispatch(order, {"S1": 1})) == first
    assert len(shipments(shop)) == 1
    assert shop.calls("/ship") == 1


def test_part_shipments_of_one_order_in_one_batch_are_two(shop: Bench) -> None:
    order = shop.place(("S1", 2))
    one, two = dispatch(order, {"S1": 1}), dispatch(order, {"S1": 1}, "D2", tracking="AB2")
    two["before"] = [{"dispatch": "D1", "units": {"S1": 1}, "tracking": ["AB1"]}]
    outcomes = ship(shop.client(), one, two)
    assert len({outcome.receipt for outcome in outcomes}) == 2
    assert len(shipments(shop)) == 2


def test_more_than_is_open_is_refused_here_because_magento_would_cut_it(shop: Bench) -> None:
    order = shop.place(("S1", 2))
    shop.do("orders/ship", {"entity_id": int(order), "arguments": {"items": []}})
    (conflict,) = ship(shop.client(), dispatch(order, {"S1": 1}))
    assert (conflict.state, conflict.rule) == (State.REJECTED, "MG-SHIP-CONFLICT")
    other = shop.place(("S1", 2))
    (much,) = ship(shop.client(), dispatch(other, {"S1": 3}))
    assert (much.state, much.rule) == (State.REJECTED, "MG-SHIP-QUANTITY")
    assert shop.calls("/ship") == 0


def test_a_shipment_made_by_hand_is_tied_and_gets_the_tracking_number(shop: Bench) -> None:
    order = shop.place(("S1", 2))
    made = shop.do("orders/ship", {"entity_id": int(order), "arguments": {"items": []}})["id"]
    for _ in range(2):
        (outcome,) = ship(shop.client(), dispatch(order, {"S1": 2}))
        assert (outcome.state, outcome.receipt) == (State.ACCEPTED, str(made))
    assert shop.calls("/shipment/track") == 1
    assert shop.calls("/ship") == 0


@pytest.mark.parametrize("fault", [mishaps.cut_after_commit, mishaps.cut_before])
def test_a_lost_answer_is_in_doubt_and_looked_up_and_never_shipped_twice(shop: Bench, fault: Any) -> None:
    order = shop.place(("S1", 2), ("S2", 1))
    shop.fault(fault(path=SHIP))
    document = dispatch(order, {"S1": 1})
    (outcome,) = ship(shop.client(), document)
    assert outcome.state is State.IN_DOUBT
    found = look_up_shipments(shop.client(), [record("D1", document)])
    assert len(found) == len(shipments(shop)) == (fault is mishaps.cut_after_commit)
    (again,) = ship(shop.client(), document)
    assert again.state is State.ACCEPTED
    assert len(shipments(shop)) == 1


def test_one_lost_answer_leaves_the_others_of_its_batch_alone(shop: Bench) -> None:
    orders = [shop.place(("S1", 1)) for _ in range(3)]
    shop.fault(mishaps.cut_after_commit(path=SHIP, after=1))
    outcomes = ship(shop.client(), *[dispatch(order, {"S1": 1}, f"D{order}") for order in orders])
    assert [outcome.state for outcome in outcomes] == [State.ACCEPTED, State.IN_DOUBT, State.ACCEPTED]


def test_a_busy_proxy_is_waited_for(shop: Bench) -> None:
    order = shop.place(("S1", 1))
    shop.fault(mishaps.too_many(path=SHIP, retry_after="seconds", seconds=4))
    (outcome,) = ship(shop.client(), dispatch(order, {"S1": 1}))
    assert outcome.state is State.ACCEPTED
    assert shop.slept == [4.0]


def test_an_order_cancelled_or_held_meanwhile_is_told_by_its_rule(shop: Bench) -> None:
    cancelled = shop.place(("S1", 1), paid=False)
    held = shop.place(("S1", 1))
    shop.do("orders/alter", {"entity_id": int(cancelled), "arguments": {"state": "canceled", "status": "canceled"}})
    shop.do("orders/alter", {"entity_id": int(held), "arguments": {"state": "holded", "status": "holded"}})
    outcomes = ship(shop.client(), dispatch(cancelled, {"S1": 1}, "D1"), dispatch(held, {"S1": 1}, "D2"))
    assert [outcome.rule for outcome in outcomes] == ["MG-SHIP-CANCELLED", "MG-SHIP-HELD"]


def test_a_source_without_the_goods_is_named_as_the_likely_reason(shop: Bench) -> None:
    order = shop.place(("S1", 2))
    shop.level("S1", 0)
    (outcome,) = ship(shop.client(), dispatch(order, {"S1": 2}))
    assert (outcome.state, outcome.rule) == (State.REJECTED, "MG-SHIP-SOURCE")


def test_an_order_that_is_gone_is_refused(shop: Bench) -> None:
    (outcome,) = ship(shop.client(), dispatch("999", {"S1": 1}))
    assert (outcome.state, outcome.rule) == (State.REJECTED, "MG-REJECTED")


def test_a_configurable_ships_by_its_parent(shop: Bench) -> None:
    rows = shop.system.store.products
    child = next(row["id"] for row in rows if row["sku"] == "S1")
    option = {"id": "O", "attribute_id": "93", "label": "Variant", "position": 0}
    shop.do("products", {"sku": "C", "name": "C", "type_id": "configurable", "_links": [child], "_options": [option]})
    order = shop.place(("S1", 2))
    (outcome,) = ship(shop.client(), dispatch(order, {"S1": 2}))
    assert outcome.state is State.ACCEPTED


@pytest.mark.parametrize("price_type", ["0", "1"])
def test_a_bundle_that_ships_together_is_sent_whole_once_the_shop_says_so(shop: Bench, price_type: str) -> None:
    shop.bundle("BT", {"S1": 2, "S2": 1}, price="15", price_type=price_type, sku_type="1")
    first, second = shop.place(("BT", 2)), shop.place(("BT", 1))
    client = shop.client()
    units = {"S1": 4, "S2": 2} if price_type == "0" else {"BT": 2}
    (outcome,) = ship(client, dispatch(first, units))
    assert outcome.state is State.ACCEPTED, outcome
    half = {sku: n // 2 for sku, n in units.items()}
    assert ship(client, dispatch(second, half, "D2"))[0].state is State.ACCEPTED
    # The refusal is remembered: the second bundle costs one call.
    assert shop.calls("/ship") == (3 if price_type == "0" else 2)


def test_a_part_of_a_bundle_that_ships_together_is_refused(shop: Bench) -> None:
    shop.bundle("BT", {"S1": 2, "S2": 1}, sku_type="1")
    order = shop.place(("BT", 1))
    (outcome,) = ship(shop.client(), dispatch(order, {"S1": 1}))
    assert (outcome.state, outcome.rule) == (State.REJECTED, "MG-SHIP-QUANTITY")


@pytest.mark.parametrize("price_type", ["0", "1"])
def test_a_bundle_that_ships_part_by_part_is_sent_so(shop: Bench, price_type: str) -> None:
    shop.bundle("BS", {"S1": 2, "S2": 1}, price="15", price_type=price_type, sku_type="1", shipment_type="1")
    order = shop.place(("BS", 1))
    units = {"S1": 2, "S2": 1} if price_type == "0" else {"BS": 1}
    (outcome,) = ship(shop.client(), dispatch(order, units))
    assert outcome.state is State.ACCEPTED, outcome
    (there,) = shop.system.store.shipments
    assert int(there["total_qty"]) == 3


def test_a_batch_of_dispatches_costs_two_calls_to_look_and_one_for_each(shop: Bench) -> None:
    orders = [shop.place(("S1", 1)) for _ in range(10)]
    client = shop.client()
    ship(client, *[dispatch(order, {"S1": 1}, f"D{order}") for order in orders])
    assert client.calls == 2 + len(orders)


def test_a_maintenance_page_stops_the_batch_before_anything_is_sent(shop: Bench) -> None:
    order = shop.place(("S1", 1))
    shop.fault(Fault(path="/orders", status=503, text="<html></html>", content_type="text/html", times=None))
    with pytest.raises(Exception, match="maintenance"):
        ship(shop.client(), dispatch(order, {"S1": 1}))
    assert shipments(shop) == []
