"""What a channel sells becomes what Stokly holds: once each, complete, and never back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
import sqlalchemy as sa

from stokly_sync.contracts.money import NANO
from stokly_sync.delivery.options import DeliveryStopped
from stokly_sync.sandbox.kit import Fault
from stokly_sync.sandbox.stokly import Dispatch, Put, PutChildren
from stokly_sync.warehouse.tables import LANDED
from stokly_sync_tests.systems.stokly.channel import (
    PLACED,
    Desk,
    MakeDesk,
    imported,
    line,
    order,
    refund,
)

DISPATCHES: Final = LANDED["stokly.dispatches"]


def import_itself(at: Desk, key: int, number: str) -> None:
    """Stokly imports an order of the channel by itself."""
    row = imported(key, number)
    whole = {"displayLinePrice": 25, "displayLineTax": 5, "displayLineTotal": 30}
    sold = {
        "lineId": f"line {key}",
        "quantity": 1,
        "status": "unprocessed",
        "displayPrice": 25,
        "displayTax": 5,
        **whole,
    }
    at.account.mutate(
        Put(collection="saleorders", row=row),
        PutChildren(sublist="saleorders/items", parent=row["saleOrderId"], rows=[sold]),
    )


def test_an_order_arrives_with_customer_lines_shipping_and_payment(desk_on_each: MakeDesk) -> None:
    at = desk_on_each()
    at.shop(order(1))
    done = at.sync()
    assert (done.sent["customers"].accepted, done.sent["orders"].accepted) == (1, 1)
    found = at.orders()["100000001"]
    assert (found["sourceType"], found["channelName"], found["tags"]) == (
        "magento_two",
        "Magento Web Shop",
        ["magento"],
    )
    assert (found["displaySubtotal"], found["displayShippingCost"], found["displayShippingTax"]) == (25, 5, 1)
    assert (found["displayTotal"], found["amountPaid"], found["paymentStatus"]) == (36, 36, "paid")
    assert found["createdAt"] == "2026-01-05T12:01:00.000Z"
    assert found["shippingAddressPostcode"] == "LS1 0AA"
    customer = at.held("customers")[0]
    assert (customer["barcode"], customer["email"]) == ("MAGENTO-1", "1@example.com")
    assert found["customerId"] == customer["customerId"]
    lines = at.account.store.children("saleorders/items", found["saleOrderId"])
    assert [(one["itemSku"], one["quantity"], one["displayLineTotal"]) for one in lines] == [
        ("MUG", 2, 24),
        ("PLATE", 1, 6),
    ]


def test_what_was_sent_is_linked_to_its_id_in_stokly(desk_on_each: MakeDesk) -> None:
    at = desk_on_each()
    at.shop(order(1))
    at.sync()
    assert at.links("orders") == {"1": at.orders()["100000001"]["saleOrderId"]}
    assert at.links("orders.customer_key") == {"1": at.held("customers")[0]["customerId"]}


def test_a_second_sync_sends_nothing(desk: MakeDesk) -> None:
    at = desk()
    at.shop(order(1), order(2, customer_key=None))
    at.sync()
    assert at.sync().to_send() == {}
    assert len(at.orders()) == 2


def test_a_guest_is_sent_along_with_the_order(desk: MakeDesk) -> None:
    at = desk()
    at.shop(order(2, customer_key=None))
    at.sync()
    found = at.orders()["100000002"]
    assert "customerId" not in found
    assert (found["customerName"], found["customerEmail"]) == ("Customer 2", "2@example.com")
    assert at.held("customers") == []


def test_two_orders_of_one_customer_make_one_account(desk: MakeDesk) -> None:
    at = desk()
    at.shop(order(1), order(2, customer_key="1", customer_email="1@example.com"))
    at.sync()
    assert len(at.held("customers")) == 1
    assert len({row["customerId"] for row in at.orders().values()}) == 1


def test_an_account_with_the_same_address_is_the_customer(desk: MakeDesk) -> None:
    at = desk()
    known = {"customerId": "9c4e4a2e-0000-4000-8000-000000000001", "name": "Customer 1", "email": "1@EXAMPLE.com"}
    at.account.mutate(Put(collection="customers", row={**known, "status": 1}))
    at.shop(order(1))
    at.sync()
    assert len(at.held("customers")) == 1
    assert at.orders()["100000001"]["customerId"] == known["customerId"]


def test_older_orders_under_another_address_go_to_the_account_of_the_newest(desk: MakeDesk) -> None:
    at = desk()
    known = {"customerId": "9c4e4a2e-0000-4000-8000-000000000001", "name": "Customer 1", "email": "new@example.com"}
    at.account.mutate(Put(collection="customers", row={**known, "status": 1}))
    at.shop(order(1), order(2, customer_key="1", customer_email="new@example.com"))
    assert at.sync().sent["orders"].accepted == 2
    assert {row["customerId"] for row in at.orders().values()} == {known["customerId"]}


def test_nobody_gets_an_account_for_an_order_that_is_not_imported(desk: MakeDesk) -> None:
    at = desk(magento={"orders_from": "2026-01-05T12:01:30"})
    nameless = {"customer_surname": None, "billing_name": None, "shipping_name": None}
    at.shop(order(1), order(2, state="pending"), order(3, state="cancelled"), order(4, **nameless), order(5))
    at.sync()
    assert [row["barcode"] for row in at.held("customers")] == ["MAGENTO-5"]
    at.shop(order(2), order(4))
    at.sync()
    assert set(at.orders()) == {"100000002", "100000004", "100000005"}
    assert len({row["customerId"] for row in at.orders().values()}) == 3


def test_an_order_that_stokly_imported_itself_is_not_made_again(desk_on_each: MakeDesk) -> None:
    at = desk_on_each()
    import_itself(at, 1, "100000001")
    at.shop(order(1), order(2))
    done = at.sync()
    assert (done.plans["orders"].unchanged, done.sent["orders"].accepted) == (1, 1)
    assert set(at.orders()) == {"100000001", "100000002"}


def test_an_order_that_stokly_imports_between_plan_and_send_is_not_made_again(desk: MakeDesk) -> None:
    at = desk()
    at.shop(order(1, customer_key=None))
    at.read()
    at.plan("orders")
    import_itself(at, 1, "100000001")
    assert at.send("orders").accepted == 1
    assert len(at.orders()) == 1


def test_observing_first_and_writing_then_makes_only_what_is_missing(desk: MakeDesk) -> None:
    at = desk()
    import_itself(at, 1, "100000001")
    at.shop(order(1, customer_key=None), order(2, customer_key=None))
    at.read()
    observed = at.plan("orders")
    assert (observed.unchanged, observed.to_send) == (1, 1)
    import_itself(at, 2, "100000002")
    at.read()
    assert at.plan("orders").to_send == 0
    assert at.send("orders").api_calls == 0
    assert len(at.orders()) == 2


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no postcode": ({"shipping_postcode": None}, "MG-ORDER-INCOMPLETE"),
    "no country": ({"shipping_country": None}, "MG-ORDER-INCOMPLETE"),
    "a country in words": ({"shipping_country": "United Kingdom"}, "MG-ORDER-INCOMPLETE"),
    "nobody's order": ({"customer_surname": None, "billing_name": None, "shipping_name": None}, "MG-ORDER-INCOMPLETE"),
    "unknown SKU": ({"lines": [line(1, "VASE", 1, "10.00", order_id="1")]}, "MG-ORDER-SKU"),
    "a SKU in other case": ({"lines": [line(1, "mug", 1, "10.00", order_id="1")]}, "MG-ORDER-SKU"),
    "a bundle of its own": (
        {"lines": [line(1, "SET-MUG-BOWL", 1, "10.00", order_id="1", kind="bundle")]},
        "MG-ORDER-BUNDLE",
    ),
    "a total that is no sum": ({"total": 40 * NANO}, "MG-ORDER-TOTAL"),
    "a tax that is no sum": ({"tax": 9 * NANO}, "MG-ORDER-TAX"),
    "a line without tax": ({"lines": [line(1, "MUG", 1, "10.00", order_id="1", line_tax=None)]}, "MG-ORDER-TAX"),
    "unknown payment": ({"payment_method": "barter"}, "MG-PAYMENT-UNMAPPED"),
    "unknown shipping": ({"shipping_method": "pigeon_post"}, "MG-SHIPPING-UNMAPPED"),
}


@pytest.mark.parametrize("case", BAD)
def test_an_incomplete_order_is_listed_and_goes_through_once_it_is_completed(desk: MakeDesk, case: str) -> None:
    change, rule = BAD[case]
    at = desk()
    at.shop(order(1, customer_key=None) | change, order(2, customer_key=None))
    assert at.sync().sent["orders"].accepted == 1
    assert rule in {rule for key, rule in at.exceptions() if key == "1"}
    at.shop(order(1, customer_key=None))
    at.sync()
    assert set(at.orders()) == {"100000001", "100000002"}
    assert at.exceptions() == {}


def test_an_order_waits_for_an_item_that_is_made_later(desk: MakeDesk) -> None:
    at = desk()
    at.shop(order(1, line(1, "VASE", 1, "10.00"), customer_key=None))
    at.sync()
    assert at.states("orders") == {"1": ("quarantined", "MG-ORDER-SKU")}
    vase = {**at.held("items")[0], "itemId": "vase", "sku": "VASE"}
    vase.pop("timeUpdated")
    at.account.mutate(Put(collection="items", row=vase))
    at.sync()
    assert set(at.orders()) == {"100000001"}


def test_a_store_without_a_location_is_an_exception_where_locations_are_set(desk: MakeDesk) -> None:
    at = desk(magento={"locations": {"2": "somewhere"}})
    at.shop(order(1, customer_key=None))
    at.sync()
    assert ("1", "MG-ORDER-LOCATION") in at.exceptions()


def test_an_order_that_is_not_paid_waits_and_one_from_long_ago_is_left_out(desk: MakeDesk) -> None:
    at = desk(magento={"orders_from": "2026-01-05T12:01:30"})
    at.shop(order(1, customer_key=None), order(2, customer_key=None, state="pending"))
    at.sync()
    assert at.states("orders") == {"1": ("excluded", "MG-ORDER-BEFORE"), "2": ("parked", "MG-ORDER-PENDING")}
    at.shop(order(2, customer_key=None))
    at.sync()
    assert set(at.orders()) == {"100000002"}


def test_without_a_word_a_first_start_takes_recent_orders_and_leaves_old_ones(desk: MakeDesk) -> None:
    at = desk()
    at.first_read = PLACED + timedelta(days=400)
    recent, late = {"placed_at": at.first_read - timedelta(days=29)}, {"created_at": at.first_read}
    import_itself(at, 3, "100000003")
    known = order(3, line(1, "MUG", 1, "25.00"), customer_key=None)
    at.shop(order(1), order(2, **recent), known, order(4, state="cancelled"))
    back = line(1, "MUG", 1, "5.00")
    at.credit(
        refund(7, known, total=6 * NANO), refund(8, known, total=6 * NANO, **late), refund(9, order(1), back, **late)
    )
    at.sync()
    assert set(at.orders()) == {"100000002", "100000003"}
    assert [row["barcode"] for row in at.held("customers")] == ["MAGENTO-2"]
    states = at.states("orders")
    assert (states["1"], states["2"][0], states["3"][0]) == (("excluded", "MG-ORDER-BEFORE"), "accepted", "accepted")
    # A refund counts by its own time, because orders that Stokly has may be refunded at any time.
    denied = ("excluded", "MG-CREDIT-DENIED")
    refunds = at.states("refunds")
    assert (refunds["7"], refunds["8"][0], refunds["9"]) == (denied, "accepted", denied)
    assert at.held("invoices") == []


def test_an_order_waits_for_its_customer(desk: MakeDesk) -> None:
    at = desk()
    at.shop(order(1))
    at.read()
    assert at.plan("orders").parked == {"DELIVERY-WAITS": 1}


def test_an_account_that_cannot_be_seen_yet_is_waited_for(desk: MakeDesk) -> None:
    at = desk({"write_delay": 20.0})
    at.shop(order(1))
    done = at.sync()
    assert done.sent["orders"].accepted == 1
    assert at.orders()["100000001"]["customerId"] == at.held("customers")[0]["customerId"]


def test_an_account_that_never_appears_leaves_its_order_for_the_next_run(desk: MakeDesk) -> None:
    at = desk({"write_delay": 600.0}, visible_after=10)
    at.shop(order(1))
    done = at.sync()
    assert (done.sent["orders"].accepted, done.sent["orders"].still_planned) == (0, 1)
    at.clock.advance(600)
    assert at.send("orders").accepted == 1


@pytest.mark.parametrize("processed", [True, False])
def test_a_connection_that_is_cut_neither_loses_nor_doubles_an_order(desk: MakeDesk, processed: bool) -> None:
    at = desk({"write_delay": 30.0})
    at.account.faults.add(Fault(action="cut", path="/v2/saleorders", method="POST", processed=processed, times=1))
    at.shop(*(order(n, customer_key=None) for n in range(1, 4)))
    done = at.sync()
    assert done.sent["orders"].accepted == 3
    assert len(at.orders()) == 3


def test_an_account_that_is_down_stops_the_feed_and_leaves_the_orders_planned(desk: MakeDesk) -> None:
    at = desk()
    at.shop(order(1, customer_key=None))
    at.read()
    at.plan("orders")
    at.account.faults.add(Fault(action="answer", status=503, path="/v2/saleorders", times=99))
    with pytest.raises(DeliveryStopped):
        at.send("orders")
    at.account.faults.clear()
    assert at.states("orders") == {"1": ("planned", None)}
    assert at.send("orders").accepted == 1


def test_what_stokly_refuses_is_an_exception_and_the_rest_goes_on(desk: MakeDesk) -> None:
    at = desk()
    at.account.faults.add(
        Fault(action="answer", status=400, text='{"message":"No"}', path="/v2/saleorders", method="POST", times=1)
    )
    at.shop(order(1, customer_key=None), order(2, customer_key=None))
    done = at.sync()
    assert (done.sent["orders"].accepted, done.sent["orders"].rejected) == (1, {"MG-ORDER-REFUSED": 1})
    assert at.exceptions()["1", "MG-ORDER-REFUSED"]["detail"] == "No"


def test_calls_are_one_for_each_order_and_a_few_for_the_batch(desk: MakeDesk) -> None:
    at = desk()
    at.shop(*(order(n, customer_key=None) for n in range(1, 41)))
    at.read()
    at.plan("orders")
    sent = at.send("orders")
    assert sent.accepted == 40
    # The token beside them.
    assert (sent.api_calls, sent.least_calls) == (41 + 1, 41)


def test_a_cancelled_order_is_cancelled_in_stokly_before_it_leaves(desk: MakeDesk) -> None:
    at = desk()
    at.shop(order(1, customer_key=None), order(2, customer_key=None))
    at.sync()
    at.shop(order(1, customer_key=None, state="cancelled"))
    at.sync()
    stages = {number: row["stage"] for number, row in at.orders().items()}
    assert stages == {"100000001": "removed", "100000002": "order"}
    assert at.sync().to_send() == {}


@pytest.mark.parametrize("way", ["patch", "delete", "post"])
def test_an_order_is_cancelled_in_the_way_that_the_account_takes(desk: MakeDesk, way: str) -> None:
    at = desk({"cancellations": [way]}, cancel_orders=way)
    at.shop(order(1, customer_key=None))
    at.sync()
    at.shop(order(1, customer_key=None, state="cancelled"))
    at.sync()
    assert at.orders()["100000001"]["stage"] == "removed"


def test_a_cancelled_order_that_was_never_imported_is_left_alone(desk: MakeDesk) -> None:
    at = desk()
    at.shop(order(1, customer_key=None, state="cancelled"))
    done = at.sync()
    assert at.orders() == {}
    assert done.sent["cancellations"].accepted == 1
    assert at.sync().sent["cancellations"].rejected == {}


def test_an_order_that_was_cancelled_after_its_dispatch_is_for_people(desk: MakeDesk) -> None:
    at = desk()
    at.shop(order(1, customer_key=None))
    at.sync()
    at.account.dispatch(Dispatch(order="100000001"))
    at.shop(order(1, customer_key=None, state="cancelled"))
    at.sync()
    assert ("1", "MG-CANCEL-LATE") in at.exceptions()
    assert at.orders()["100000001"]["stage"] == "order"


def line_of(at: Desk, sku: str, **members: Any) -> None:
    """Let a person change a line of the only order in Stokly."""
    sale = at.orders()["100000001"]["saleOrderId"]
    rows = at.account.store.children("saleorders/items", sale)
    changed = [{**row, **members} if row["itemSku"] == sku else row for row in rows]
    at.account.mutate(PutChildren(sublist="saleorders/items", parent=sale, rows=changed))


def test_a_line_that_was_cancelled_alone_is_for_people_until_stokly_shows_it(desk: MakeDesk) -> None:
    at = desk()
    mugs, plate = line(1, "MUG", 2, "10.00"), line(2, "PLATE", 1, "5.00")
    at.shop(order(1, mugs, {**plate, "quantity_cancelled": 1}, customer_key=None))
    at.sync()
    assert at.states("cancellations") == {"1": ("parked", "MG-CANCEL-WAITS")}, "Stokly has not shown the order yet"
    at.sync()
    raised = at.exceptions()["1", "MG-CANCEL-LINES"]
    assert raised["detail"] == "order 100000001: 1 of SKU PLATE still open in Stokly"
    assert (raised["severity"], raised["value"]) == ("high", 36 * NANO)
    at.shop(order(1, {**mugs, "quantity_refunded": 1}, {**plate, "quantity_cancelled": 1}, customer_key=None))
    at.sync()
    assert "1 of SKU MUG, 1 of SKU PLATE" in at.exceptions()["1", "MG-CANCEL-LINES"]["detail"]
    line_of(at, "PLATE", status="cancelled")
    line_of(at, "MUG", quantity=1)
    at.sync()
    assert at.exceptions() == {}
    at.account.dispatch(Dispatch(order="100000001"))
    at.sync()
    [invoice] = at.held("invoices")
    items = at.account.store.children("invoices/items", invoice["saleInvoiceId"])
    assert [item["quantity"] for item in items if item["referenceType"] == "item"] == [1]


def test_a_line_that_was_cancelled_after_it_had_left_is_for_people(desk: MakeDesk) -> None:
    at = desk()
    mugs, plate = line(1, "MUG", 2, "10.00"), line(2, "PLATE", 1, "5.00")
    at.shop(order(1, mugs, plate, customer_key=None))
    at.sync()
    at.account.dispatch(Dispatch(order="100000001", items=[{"sku": "MUG", "quantity": 2}]))
    at.shop(order(1, {**mugs, "quantity_cancelled": 1}, plate, customer_key=None))
    at.sync()
    raised = at.exceptions()["1", "MG-CANCEL-LATE"]
    assert raised["detail"] == "order 100000001: 1 of SKU MUG cancelled after dispatch"
    at.shop(order(1, {**mugs, "quantity_refunded": 1}, plate, customer_key=None))
    at.sync()
    assert at.exceptions() == {}, "goods that came back and were refunded are no cancellation"


def credited(at: Desk) -> list[tuple[Any, Any]]:
    return [(row["displayTotal"], row["displayTax"]) for row in at.held("refunds")]


@pytest.mark.parametrize("by", ["refund", "credit_note", "auto"])
def test_a_refund_ends_as_one_credit_note(desk_on_each: MakeDesk, by: str) -> None:
    at = desk_on_each(credit_by=by)
    first = order(1, customer_key=None)
    at.shop(first)
    at.sync()
    at.credit(refund(7, first, line(1, "MUG", 1, "10.00")))
    for _ in range(3):
        at.sync()
    notes = at.held("credit-notes")
    assert [(note["value"], note["referenceId"]) for note in notes] == [(12, at.orders()["100000001"]["saleOrderId"])]
    assert credited(at) == ([] if by == "credit_note" else [(12, 2)])
    assert at.states("refunds")["7"][0] == "accepted"
    assert at.exceptions() == {}


def test_an_account_without_refunds_gets_credit_notes(desk: MakeDesk) -> None:
    at = desk({"absent_endpoints": ["refunds"]})
    first = order(1, customer_key=None)
    at.shop(first)
    at.sync()
    at.credit(refund(7, first, line(1, "MUG", 1, "10.00")))
    at.sync()
    assert [note["barcode"] for note in at.held("credit-notes")] == ["MAGENTO-CREDIT-7"]
    assert at.sync().to_send() == {}


def test_a_refund_that_a_person_made_in_stokly_is_the_same_one(desk: MakeDesk) -> None:
    at = desk()
    first = order(1, customer_key=None)
    at.shop(first)
    at.sync()
    at.read()
    sale = at.orders()["100000001"]["saleOrderId"]
    by_hand = {"refundId": "by-hand", "saleOrderId": sale, "status": "completed", "currency": "GBP", "displayTotal": 12}
    at.account.mutate(Put(collection="refunds", row={**by_hand, "displayTax": 2}))
    at.credit(refund(7, first, line(1, "MUG", 1, "10.00")), refund(8, first, line(1, "MUG", 1, "10.00")))
    at.sync()
    assert len(at.held("refunds")) == 2
    assert at.links("refunds")["7"] == "by-hand"
    assert at.sync().to_send() == {}


def test_a_refund_that_stokly_has_and_whose_row_cannot_be_landed_is_not_made_again(desk: MakeDesk) -> None:
    at = desk()
    first = order(1, customer_key=None)
    at.shop(first)
    at.sync()
    at.read()
    sale = at.orders()["100000001"]["saleOrderId"]
    broken = {"refundId": "broken", "saleOrderId": sale, "status": "completed", "currency": "GBP", "displayTotal": 12}
    at.account.mutate(Put(collection="refunds", row={**broken, "createdAt": "once upon a time"}))
    at.credit(refund(7, first, line(1, "MUG", 1, "10.00")))
    at.sync()
    assert [row["refundId"] for row in at.held("refunds")] == ["broken"]
    assert at.links("refunds") == {"7": "broken"}


def test_a_missing_credit_note_is_raised_with_the_vat_that_is_overstated(desk: MakeDesk) -> None:
    at = desk(magento={"refunds": "raise"})
    first = order(1, customer_key=None)
    at.shop(first)
    at.sync()
    at.credit(refund(7, first, line(1, "MUG", 1, "10.00")))
    at.sync()
    raised = at.exceptions()["7", "MG-CREDIT-MISSING"]
    assert raised["detail"] == "order 100000001: 12.00 GBP refunded; VAT is overstated by 2.00 GBP"
    assert (raised["value"], raised["currency"]) == (2 * NANO, "GBP")
    assert at.held("refunds") == []


def test_a_refund_waits_for_its_order_and_one_of_a_stranger_is_raised(desk: MakeDesk) -> None:
    at = desk()
    first = order(1, customer_key=None)
    at.shop(first)
    at.credit(refund(7, first, line(1, "MUG", 1, "10.00")), refund(8, first, line(1, "BOWL", 1, "1.00")))
    at.sync()
    assert {state for state, _ in at.states("refunds").values()} == {"parked"}
    at.sync()
    at.sync()
    assert at.states("refunds") == {"7": ("accepted", None), "8": ("quarantined", "MG-CREDIT-LINE")}


def test_an_order_is_invoiced_when_it_has_left_in_full_and_not_before(desk: MakeDesk) -> None:
    at = desk()
    at.shop(order(1, customer_key=None))
    at.sync()
    at.sync()
    assert at.states("invoices") == {"1": ("parked", "MG-INVOICE-WAITS")}
    at.account.dispatch(Dispatch(order="100000001", items=[{"sku": "MUG", "quantity": 2}]))
    at.sync()
    assert at.held("invoices") == []
    at.account.dispatch(Dispatch(order="100000001"))
    at.sync()
    invoice = at.held("invoices")[0]
    items = at.account.store.children("invoices/items", invoice["saleInvoiceId"])
    assert invoice["status"] == "paid"
    assert sum((i["displayPrice"] + i["displayTax"]) * i["quantity"] for i in items) == 36
    assert at.sync().to_send() == {}


def test_an_order_whose_last_part_does_not_leave_is_an_exception_until_it_does(desk: MakeDesk) -> None:
    at = desk(magento={"part_dispatched_days": 3})
    at.shop(order(1, customer_key=None), order(2, customer_key=None))
    at.sync()
    for key, days in (("1", 4), ("2", 2)):
        at.account.dispatch(Dispatch(order=f"10000000{key}", items=[{"sku": "MUG", "quantity": 2}]))
        at.read()
        with at.warehouse.transaction() as connection:
            mine = sa.update(DISPATCHES).where(DISPATCHES.c.order_id == at.links("orders")[key])
            connection.execute(mine.values(dispatched_at=datetime.now(UTC) - timedelta(days=days)))
    at.sync()
    assert at.states("invoices") == {"1": ("quarantined", "MG-INVOICE-LATE"), "2": ("parked", "MG-INVOICE-WAITS")}
    assert "dispatched in part since" in at.exceptions()["1", "MG-INVOICE-LATE"]["detail"]
    assert at.held("invoices") == []
    at.account.dispatch(Dispatch(order="100000001"))
    at.sync()
    assert len(at.held("invoices")) == 1
    assert at.exceptions() == {}


def test_an_order_that_stokly_invoiced_itself_is_not_invoiced_again(desk: MakeDesk) -> None:
    at = desk()
    at.shop(order(1, customer_key=None))
    at.sync()
    sale = at.orders()["100000001"]["saleOrderId"]
    at.account.dispatch(Dispatch(order=sale))
    own = {"saleInvoiceId": "own", "saleOrderId": sale, "status": "paid", "currency": "GBP", "invoiceNumber": "INV-1"}
    at.account.mutate(Put(collection="invoices", row=own))
    at.sync()
    at.sync()
    assert [row["saleInvoiceId"] for row in at.held("invoices")] == ["own"]


def test_an_order_that_is_there_twice_is_for_people(desk: MakeDesk) -> None:
    at = desk()
    for key in (1, 2):
        import_itself(at, key, "100000001")
    at.shop(order(1, customer_key=None))
    at.sync()
    assert ("1", "MG-ORDER-TWICE") in at.exceptions()


def test_a_removed_order_is_not_made_again(desk: MakeDesk) -> None:
    at = desk()
    at.shop(order(1, customer_key=None))
    at.sync()
    at.account.mutate(
        Put(collection="saleorders", row={"saleOrderId": at.orders()["100000001"]["saleOrderId"], "stage": "removed"})
    )
    at.shop(order(1, customer_key=None, updated_at=order(1)["updated_at"] + timedelta(hours=1)))
    at.sync()
    assert len(at.held("saleorders")) == 1
