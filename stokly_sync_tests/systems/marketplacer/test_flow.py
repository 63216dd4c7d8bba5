"""Whole flows: read from the marketplace, planned against landed rows, sent, and read again (P1, P2, P4, P10)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from stokly_sync.contracts.datasets import TABLES
from stokly_sync.crashpoints import EXIT_STATUS, VARIABLE
from stokly_sync.flow import Lane
from stokly_sync.sandbox.kit import Fault
from stokly_sync.sandbox.marketplacer import portal
from stokly_sync.sandbox.marketplacer.sales import Invoice
from stokly_sync.systems.marketplacer import MarketplacerClient, MarketplacerSettings
from stokly_sync.systems.transport import Unlimited
from stokly_sync.warehouse.bulk import rows_by
from stokly_sync.warehouse.store import Warehouse
from stokly_sync_tests.fault.process import context
from stokly_sync_tests.systems.marketplacer.bench import Bench
from stokly_sync_tests.systems.marketplacer.rig import Rig, feed_of, load

pytestmark = pytest.mark.sandbox


@pytest.fixture
def rig(bench: Bench, tmp_path: Path) -> Iterator[Rig]:
    warehouse = Warehouse.open(f"sqlite:///{tmp_path / 'warehouse.sqlite'}", brand="default")
    yield Rig(warehouse, bench)
    warehouse.close()


def units(bench: Bench) -> dict[str | None, int]:
    return {variant.sku: variant.count_on_hand for variant in bench.system.store.state.variants.values()}


def items(*skus: str, **more: Any) -> dict[str, Any]:
    rows = [{"item_id": f"I-{sku}", "sku": sku, **more} for sku in skus]
    return {"items": rows}


def levels(**by_sku: int) -> dict[str, Any]:
    rows = [{"stock_id": f"I-{s}/", "item_id": f"I-{s}", "sku": s, "available": n} for s, n in by_sku.items()]
    return {"stock": rows}


def bought(rig: Rig, invoice: Invoice, *, key: str = "O1") -> None:
    """The invoice as an order in Stokly, one line a line item."""
    lines = [
        {"order_id": key, "line_id": f"{key}-{line.variant_sku}", "position": i, "sku": line.variant_sku}
        | {"quantity": line.quantity, "line_total": "12.00"}
        for i, line in enumerate(invoice.line_items)
    ]
    rig.put(orders=[{"order_id": key, "channel_reference": str(invoice.number)}], order_lines=lines)


def dispatched(rig: Rig, key: str, tracking: str, **by_sku: int) -> None:
    """A dispatch of order O1."""
    at = rig.bench.now + timedelta(minutes=5)
    lines = [
        {"dispatch_id": key, "position": i, "line_id": f"O1-{sku}", "quantity": n}
        for i, (sku, n) in enumerate(by_sku.items())
    ]
    root = {"dispatch_id": key, "number": key, "order_id": "O1", "tracking_number": tracking, "dispatched_at": at}
    rig.put(dispatches=[root], dispatch_lines=lines)


def test_prices_and_status_leave_for_what_differs_and_the_unknown_is_named(rig: Rig) -> None:
    rig.bench.list("A", "B")
    rig.put(**items("A", "B", "C", price="10.00"))
    rig.put(items=[{"item_id": "I-B", "sku": "B", "price": "12.00"}])
    rig.land("listings")
    planned, sent = rig.send("products")
    assert (planned.to_send, planned.unchanged, planned.quarantined) == (1, 1, {"MP-SKU-UNKNOWN": 1})
    assert (sent.accepted, sent.api_calls, sent.least_calls) == (1, 1, 1)
    prices = {v.sku: v.price for v in rig.bench.system.store.state.variants.values()}
    assert [str(prices[sku]) for sku in "AB"] == ["10.00", "12.00"]
    rig.land("listings")
    assert rig.send("products")[0].unchanged == 2


def test_a_product_that_the_marketplace_lacks_is_made_once(rig: Rig) -> None:
    taxon = next(t for t in rig.bench.system.store.state.taxons.values() if t.prototype is not None)
    # An operator's key needs to be told for which seller; a seller's own is.
    rig.given |= {"seller": True, "advert_upsert": True, "taxon_id": taxon.id, "brand_id": brand(rig)}
    rig.put(**items("NEW", price="10.00", description="A mug"))
    rig.land("listings")
    assert rig.send("products")[1].accepted == 1
    # Not landed yet: it is found by its SKU and not made a second time.
    rig.send("products", force=True)
    assert [v.sku for v in rig.bench.system.store.state.variants.values()] == ["NEW"]


def brand(rig: Rig) -> str:
    return next(iter(rig.bench.system.store.state.brands.values())).id


def test_stock_leaves_as_an_absolute_number_in_full_batches(rig: Rig) -> None:
    skus = [f"S{i:02}" for i in range(60)]
    rig.bench.list(*skus)
    rig.put(**items(*skus))
    rig.put(**levels(**{sku: i for i, sku in enumerate(skus)}))
    rig.land("listings", "stock_levels", "orders")
    planned, sent = rig.send("stock")
    # One of them is at ten already.
    assert (planned.to_send, planned.unchanged) == (59, 1)
    assert (sent.accepted, sent.api_calls, sent.least_calls) == (59, 3, 3)
    assert units(rig.bench) == {sku: i for i, sku in enumerate(skus)}


def test_an_order_that_is_not_in_stokly_yet_is_not_sold_twice(rig: Rig) -> None:
    rig.bench.list("A")
    rig.put(**items("A"))
    rig.put(**levels(A=10))
    invoice = rig.bench.order(("A", 3))
    rig.given |= {"orders_late": 10_000_000}
    rig.land()
    # Stokly still has ten; three of them are sold, which the marketplace shows already.
    assert rig.send("stock")[0].unchanged == 1
    assert units(rig.bench) == {"A": 7}
    bought(rig, invoice)
    rig.put(**levels(A=7))
    assert rig.send("stock")[0].unchanged == 1
    rig.put(**levels(A=5))
    rig.send("stock")
    assert units(rig.bench) == {"A": 5}


def test_what_the_marketplace_changed_itself_is_set_right_again(rig: Rig) -> None:
    rig.bench.list("A")
    rig.put(**items("A"))
    rig.put(**levels(A=4))
    rig.land("listings", "stock_levels", "orders")
    rig.send("stock")
    next(iter(rig.bench.system.store.state.variants.values())).count_on_hand = 99
    rig.bench.clock.advance(60)
    rig.land("stock_levels")
    planned, _ = rig.send("stock")
    # The same number as before, and all the same it is sent: the marketplace says that it shows another.
    assert planned.to_send == 1
    assert units(rig.bench) == {"A": 4}


def test_a_variant_that_is_refused_does_not_hold_up_its_batch(rig: Rig) -> None:
    rig.bench.list("A", "B", "C")
    rig.bench.system.set_switches(refused_skus=["B"])
    rig.put(**items("A", "B", "C"))
    rig.put(**levels(A=1, B=2, C=3))
    rig.land("listings", "stock_levels", "orders")
    _, sent = rig.send("stock")
    assert (sent.accepted, sent.rejected) == (2, {"MP-REJECTED": 1})
    assert units(rig.bench) == {"A": 1, "B": 10, "C": 3}
    assert ("B", "MP-REJECTED") in rig.exceptions()


def shipped(rig: Rig, *lines: tuple[str, int]) -> Invoice:
    """An order in both, landed."""
    rig.bench.list(*(sku for sku, _ in lines))
    invoice = rig.bench.order(*lines)
    bought(rig, invoice)
    rig.land("orders", "shipments")
    return invoice


def test_parcels_leave_one_by_one_until_all_is_sent(rig: Rig) -> None:
    invoice = shipped(rig, ("A", 3), ("B", 1))
    dispatched(rig, "D1", "AB1", A=2)
    _, sent = rig.send("shipments")
    assert sent.accepted == 1
    rig.land("orders", "shipments")
    assert landed_state(rig) == "part_shipped"
    dispatched(rig, "D2", "CD2", A=1, B=1)
    planned, sent = rig.send("shipments")
    assert (planned.unchanged, sent.accepted) == (1, 1)
    assert [(s.tracking_number, sum(i.quantity for i in s.shipped_items)) for s in invoice.shipments] == [
        ("AB1", 2),
        ("CD2", 2),
    ]
    rig.land("orders", "shipments")
    assert landed_state(rig) == "shipped"


def landed_state(rig: Rig) -> str:
    with rig.warehouse.reading() as connection:
        table = TABLES["marketplacer.orders"]
        numbers = [str(n) for n in rig.bench.system.store.state.invoices]
        rows = rows_by(connection, table, brand="default", column="number", values=numbers)
    state: str = rows["state"][0]
    return state


def test_a_shipment_that_was_sent_is_not_sent_again_before_it_is_landed(rig: Rig) -> None:
    invoice = shipped(rig, ("A", 4))
    dispatched(rig, "D1", "AB1", A=2)
    rig.send("shipments")
    rig.send("shipments", force=True)
    assert len(invoice.shipments) == 1


def test_a_shipment_entered_by_hand_is_tied_to_its_dispatch(rig: Rig) -> None:
    invoice = shipped(rig, ("A", 2))
    portal.despatch(rig.bench.system.operator, portal.Despatch(invoice=invoice.number, tracking_number="ab 1"))
    dispatched(rig, "D1", "AB1", A=2)
    # It is not landed: the look before sending finds it.
    rig.send("shipments")
    assert rig.ledger("shipments") == {"D1": ("accepted", invoice.shipments[0].id)}
    rig.land("shipments")
    assert rig.send("shipments")[0].unchanged == 1
    assert len(invoice.shipments) == 1


def test_what_somebody_shipped_under_another_number_is_an_exception_and_not_tried_for_ever(rig: Rig) -> None:
    invoice = shipped(rig, ("A", 2))
    portal.despatch(rig.bench.system.operator, portal.Despatch(invoice=invoice.number, tracking_number="HAND"))
    dispatched(rig, "D1", "AB1", A=2)
    assert rig.send("shipments")[1].rejected == {"MP-SHIP-QUANTITY": 1}
    rig.land("shipments")
    planned, sent = rig.send("shipments")
    assert (planned.quarantined, sent.api_calls) == ({"MP-SHIP-QUANTITY": 1}, 0)


@pytest.mark.parametrize("processed", [True, False])
def test_a_lost_answer_never_makes_two_shipments(rig: Rig, processed: bool) -> None:
    invoice = shipped(rig, ("A", 4))
    dispatched(rig, "D1", "AB1", A=2)
    rig.given |= {"members": {}, "role": "operator"}
    # The third call is the one that writes: looked up, carriers, then the change.
    rig.bench.system.faults.add(Fault(path="/graphql", action="cut", processed=processed, times=1, after=2))
    _, sent = rig.send("shipments")
    assert sent.accepted == 1
    assert len(invoice.shipments) == 1


def refunded(rig: Rig, *, total: str = "12.00", key: str = "R1", sku: str = "A") -> None:
    rig.put(
        refunds=[{"refund_id": key, "total": total}],
        refund_lines=[{"refund_id": key, "sku": sku, "quantity": 1, "line_total": "12.00"}],
    )


def test_a_refund_of_stokly_becomes_a_paid_one_and_is_known_from_then_on(rig: Rig) -> None:
    rig.given |= {"refunds": "create", "refunds_pay": True}
    invoice = shipped(rig, ("A", 2))
    refunded(rig)
    rig.land("refunds")
    assert rig.send("refunds")[1].accepted == 1
    assert [-a.line_items[0].total_cents for a in invoice.amendments] == [1200]
    rig.send("refunds", force=True)
    rig.land("refunds")
    assert rig.send("refunds")[0].unchanged == 1
    assert len(rig.bench.system.store.state.refund_requests) == 1


def test_two_equal_refunds_are_two(rig: Rig) -> None:
    rig.given |= {"refunds": "create"}
    shipped(rig, ("A", 2))
    refunded(rig)
    rig.send("refunds")
    refunded(rig, key="R2")
    rig.send("refunds")
    assert len(rig.bench.system.store.state.refund_requests) == 2
    rig.land("refunds")
    assert rig.send("refunds")[0].unchanged == 2


def test_a_refund_that_began_in_the_marketplace_never_goes_back(rig: Rig) -> None:
    rig.given |= {"refunds": "create"}
    invoice = shipped(rig, ("A", 2))
    portal.complain(rig.bench.system.operator, portal.Complaint(invoice=invoice.number, quantity=1))
    rig.land("refunds")
    # As the import of refunds makes it in Stokly.
    refunded(rig)
    planned, _ = rig.send("refunds")
    assert (planned.unchanged, planned.to_send) == (1, 0)
    assert len(rig.bench.system.store.state.refund_requests) == 1


def test_by_setting_it_is_raised_until_somebody_entered_it(rig: Rig) -> None:
    invoice = shipped(rig, ("A", 2))
    refunded(rig)
    rig.land("refunds")
    assert rig.send("refunds")[0].quarantined == {"MP-REFUND-MISSING": 1}
    portal.amend_directly(rig.bench.system.operator, portal.DirectAmendment(invoice=invoice.number, sku="A"))
    rig.land("refunds")
    rig.send("refunds")
    assert rig.exceptions() == set()


def _ship(url: str, database: str, key: str, name: str, place: str | None) -> None:
    """What the process does that is killed: plan and send one feed."""
    if place is not None:
        os.environ[VARIABLE] = place
    settings = MarketplacerSettings.model_validate({"url": url, "api_key": key, "refunds": "create"})
    warehouse = Warehouse.open(database, brand="default")
    load(warehouse, feed_of(name, settings), MarketplacerClient(settings, Unlimited(), Lane.FAST))
    os._exit(0)


PLACES = (
    *("plan:before-commit:1", "plan:after-commit:1"),
    *("send:attempt-opened:1", "send:before-call:1", "send:after-call:1", "send:before-merge:1"),
)


@pytest.mark.kill
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ["shipments", "refunds"])
def test_a_process_killed_at_any_step_neither_loses_nor_doubles(rig: Rig, name: str, place: str) -> None:
    invoice = shipped(rig, ("A", 5))
    dispatched(rig, "D1", "AB1", A=2)
    dispatched(rig, "D2", "CD2", A=1)
    refunded(rig)
    rig.given |= {"refunds": "create"}
    database = str(rig.warehouse.engine.url.render_as_string(hide_password=False))
    arguments = (rig.bench.url, database, rig.bench.system.switches.operator_key, name, place)
    process = context().Process(target=_ship, args=arguments, daemon=True)
    process.start()
    process.join(timeout=60)
    assert process.exitcode == EXIT_STATUS, f"it ended with {process.exitcode} and not at {place}"
    rig.send(name)
    made = invoice.shipments if name == "shipments" else list(rig.bench.system.store.state.refund_requests.values())
    assert len(made) == (2 if name == "shipments" else 1)
    assert {state for state, _ in rig.ledger(name).values()} == {"accepted"}
    assert rig.exceptions() == set()
