"""What the destination holds already by its own word: not sent, counted as accepted, and tied to our record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from stokly_sync.delivery.decide import Known, decide
from stokly_sync.delivery.figures import PlanScope
from stokly_sync.delivery.planning import plan
from stokly_sync.delivery.sending import deliver
from stokly_sync.flow import Built, Document, Feed, Frames, Problem, ReplayClass
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import LINKS
from stokly_sync_tests.delivery.kit import (
    QUICK,
    RULES,
    Destination,
    build_orders,
    customer_gate,
    land,
    ledger,
    look_up,
    order,
    orders_feed,
    window,
)

EVERYTHING = PlanScope(everything=True)


def holding(held: Mapping[str, str | None] | None) -> Callable[[Frames], Built]:
    """The kit's builder, told that the destination holds some keys."""
    return lambda frames: replace(build_orders(frames), held=held)


def planned(warehouse: Warehouse, feed: Feed, **options: Any) -> Any:
    return plan(warehouse, feed, catalogue=RULES, scope=EVERYTHING, run_id="run", **options)


def sent(warehouse: Warehouse, feed: Feed, client: Destination) -> Any:
    return deliver(warehouse, feed, client, catalogue=RULES, run_id="run", options=QUICK)


def links(warehouse: Warehouse) -> dict[str, tuple[str, str, str, str]]:
    with warehouse.reading() as connection:
        rows = connection.execute(LINKS.select()).mappings()
        return {r["key"]: (r["entity"], r["system"], r["external_id"], r["known_by"]) for r in rows}


def test_what_the_destination_holds_is_accepted_without_being_sent(warehouse: Warehouse) -> None:
    land(warehouse, "stokly.orders", [order("1"), order("2")])
    figures = planned(warehouse, orders_feed(build=holding({"1": "id-1"})))
    assert (figures.unchanged, figures.to_send) == (1, 1)
    row = ledger(warehouse)["1"]
    assert (row["state"], row["receipt"], row["document"]) == ("accepted", "id-1", None)
    assert row["accepted_hash"] == row["document_hash"] is not None
    assert row["accepted_at"] is not None


def test_what_it_does_not_hold_is_sent_although_the_content_is_the_same(warehouse: Warehouse) -> None:
    land(warehouse, "stokly.orders", [order("1")])
    client = Destination()
    planned(warehouse, orders_feed())
    sent(warehouse, orders_feed(), client)
    assert planned(warehouse, orders_feed(build=holding({}))).to_send == 1
    assert planned(warehouse, orders_feed(build=holding(None))).to_send == 1, "planned stays planned"


def test_a_planned_record_that_turns_out_to_be_there_is_not_sent_any_more(warehouse: Warehouse) -> None:
    land(warehouse, "stokly.orders", [order("1")])
    client = Destination()
    planned(warehouse, orders_feed(build=holding({})))
    planned(warehouse, orders_feed(build=holding({"1": None})))
    sent(warehouse, orders_feed(), client)
    assert client.calls == []
    assert ledger(warehouse)["1"]["state"] == "accepted"


def test_what_was_refused_is_not_sent_again_because_the_destination_does_not_hold_it(warehouse: Warehouse) -> None:
    land(warehouse, "stokly.orders", [order("1")])
    feed = orders_feed(build=holding({}))
    planned(warehouse, feed)
    sent(warehouse, feed, Destination(reject=lambda record: True))
    assert planned(warehouse, feed).held == 1


def test_a_gate_opens_for_what_the_destination_holds_by_its_own_word(warehouse: Warehouse) -> None:
    customers = orders_feed(
        name="customers", dataset="stokly.customers", key="customer_id", build=_customers, links=True
    )
    land(warehouse, "stokly.customers", [{"customer_id": "C1"}])
    land(warehouse, "stokly.orders", [order("1", customer_id="C1")])
    feed = orders_feed(gates=(customer_gate(),))
    assert planned(warehouse, feed).to_send == 0
    planned(warehouse, customers)
    assert planned(warehouse, feed).to_send == 1
    assert links(warehouse) == {"C1": ("stokly.customers", "test", "id-C1", "found")}


def test_the_id_that_a_destination_names_is_kept_as_a_link(warehouse: Warehouse) -> None:
    land(warehouse, "stokly.orders", [order("1")])
    feed = orders_feed(replay=ReplayClass.LOOK_UP, look_up=look_up, send=_send_with_ids, links=True)
    planned(warehouse, feed)
    sent(warehouse, feed, Destination())
    assert links(warehouse) == {"1": ("stokly.orders", "test", "id-1", "sent")}


def test_a_rule_keeps_a_record_back_unless_the_destination_holds_its_document() -> None:
    orders = orders_feed()
    document = Document("1", {"id": "1"}, window().start)
    bad = Problem("1", "T-BAD", "it is bad")
    for held, verdict in ((None, "quarantined"), ({}, "quarantined"), ({"1": None}, "unchanged")):
        built = Built([document], [bad], held)
        decided = decide(orders, ["1"], built, Known({}), waits=lambda due: {}, catalogue=RULES)
        assert decided[0].verdict == verdict


def test_what_the_destination_holds_comes_to_nothing_twice(warehouse: Warehouse) -> None:
    land(warehouse, "stokly.orders", [order("1")])
    feed = orders_feed(build=holding({"1": "id-1"}), links=True)
    planned(warehouse, feed)
    before = ledger(warehouse)["1"]
    planned(warehouse, feed)
    assert ledger(warehouse)["1"] == before


def _customers(frames: Frames) -> Built:
    rows = frames["stokly.customers"].rename(columns={"customer_id": "order_id"})
    rows = rows.assign(number=None, stage="order", total=0, currency="GBP", created_at=window().start)
    built = build_orders({"stokly.orders": rows})
    return replace(built, held={d.key: f"id-{d.key}" for d in built.documents})


def _send_with_ids(client: Destination, batch: Any) -> Any:
    client.take(batch)
    return look_up(client, batch)
