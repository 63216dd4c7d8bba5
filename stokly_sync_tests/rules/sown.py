"""Defects that stand in Stokly before the first sync; each function plants one and gives the key of its record.

The key is that of the record that must be kept back: of an order, a customer, a SKU, or the digest of a guest.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Final

from stokly_sync.contracts.owners import person
from stokly_sync.sandbox.seeds.account import DEFAULT_BINS, WAREHOUSE
from stokly_sync.sandbox.seeds.demo_customers import guest
from stokly_sync.sandbox.seeds.demo_tables import read_places
from stokly_sync.sandbox.seeds.model import PARENT
from stokly_sync.sandbox.seeds.stock import stock_rows
from stokly_sync_tests.rules.ground import Ground, Row, key_of

_CARE: Final = "CARE-TEXT"


def refund_of_no_order(ground: Ground) -> str:
    refund = ground.refund(ground.order(progress="whole"), saleOrderId="no-such-order")
    return str(refund["refundId"])


def deleted_customer(ground: Ground) -> str:
    return key_of(ground.customer(status=0))


def order_of_a_deleted_customer(ground: Ground) -> str:
    made = ground.order(ground.buyer(status=0))
    return str(made.order["saleOrderId"])


def order_of_a_customer_without_address(ground: Ground) -> str:
    made = ground.order(ground.buyer(email=...))
    del made.order["customerEmail"]
    return str(made.order["saleOrderId"])


def custom_field_of_another_type(ground: Ground) -> str:
    return key_of(ground.customer(age="rather old"))


def long_attribute(ground: Ground) -> str:
    item = ground.goods(0)
    row = next(row for row in ground.tables["items"] if row["itemId"] == item.product.item_id)
    row["attributeCount"] += 1
    ground.tables["item-attribute-values"].append(
        {
            "itemId": item.product.item_id,
            "itemAttributeId": _CARE,
            "itemAttributeName": "Care",
            "value": "Do not tumble dry. " * 3_200,
            "timeUpdated": row["updatedAt"] if "updatedAt" in row else row["timeUpdated"],
            "status": "active",
        }
    )
    return item.sku


def sku_with_a_tab(ground: Ground) -> str:
    ground.garden.item(None, "its SKU holds a tab", "TAB\tSKU")
    return "TAB\tSKU"


def stock_of_a_service(ground: Ground) -> str:
    service = next(item for item in ground.catalogue if item.format == "service")
    bins = {(WAREHOUSE, DEFAULT_BINS[WAREHOUSE]): 3}
    ground.tables["inventory-records"].extend(stock_rows(service.product, bins, {}))
    return service.sku


def guest_order(ground: Ground) -> str:
    return str(ground.order(ground.guest()).order["saleOrderId"])


def order_of_nobody(ground: Ground) -> str:
    return str(ground.order(ground.guest(email=False)).order["saleOrderId"])


def dispatch_to_nobody(ground: Ground) -> str:
    return str(ground.dispatched(ground.guest(email=False))["dispatchId"])


def guest_with_the_address_of_a_customer(ground: Ground) -> str:
    email = ground.customer()["email"]
    ground.order(ground.guest(), customerEmail=email)
    return person(email)


def guest_whose_order_was_removed(ground: Ground) -> str:
    return person(ground.order(ground.guest(), stage="removed").order["customerEmail"])


def guest_who_has_not_paid(ground: Ground) -> str:
    made = ground.order(ground.guest(), paymentStatus="unpaid", amountPaid=Decimal(0))
    return person(made.order["customerEmail"])


def negative_order(ground: Ground) -> str:
    made = ground.order(lines=[(replace(ground.goods(1), price=Decimal("-4.00")), 1)])
    return str(made.order["saleOrderId"])


def net_amount_that_does_not_add_up(ground: Ground) -> str:
    order = ground.order().order
    order["displaySubtotal"] -= Decimal("5.00")
    return str(order["saleOrderId"])


def foreign_order(ground: Ground) -> str:
    abroad = next(place for place in read_places() if place.currency == "EUR")
    return str(ground.order(guest(85_000, abroad, email=True)).order["saleOrderId"])


def order_with_a_refund_in_another_currency(ground: Ground) -> str:
    return str(_refund_in_another_currency(ground)["saleOrderId"])


def refund_in_another_currency(ground: Ground) -> str:
    return str(_refund_in_another_currency(ground)["refundId"])


def _refund_in_another_currency(ground: Ground) -> Row:
    return ground.refund(ground.order(progress="whole"), currency="EUR")


def order_given_back_twice(ground: Ground) -> str:
    made = ground.order(progress="whole")
    ground.refund(made, full=True)
    ground.note(made)
    return str(made.order["saleOrderId"])


def note_that_a_refund_names(ground: Ground) -> str:
    made = ground.order(progress="whole")
    note = ground.note(made)
    ground.refund(made, full=True, creditNoteId=note["creditNoteId"])
    return str(note["creditNoteId"])


def note_of_an_order_with_cancelled_lines(ground: Ground) -> str:
    made = ground.order()
    made.lines[0]["status"] = "cancelled"
    return str(ground.note(made)["creditNoteId"])


def note_of_an_order(ground: Ground) -> str:
    return str(ground.note(ground.order(progress="whole"))["creditNoteId"])


def note_of_an_unknown_order(ground: Ground) -> str:
    return str(ground.note(ground.order(progress="whole"), referenceId="no-such-order")["creditNoteId"])


def refund_without_lines(ground: Ground) -> str:
    refund = ground.refund(ground.order(progress="whole"))
    kept = [row for row in ground.book.tables["refunds/items"] if row[PARENT] != refund["refundId"]]
    ground.book.tables["refunds/items"][:] = kept
    return str(refund["refundId"])


def pending_refund(ground: Ground) -> str:
    return str(ground.refund(ground.order(progress="whole"), status="pending")["refundId"])


def dispatch_of_an_unknown_order(ground: Ground) -> str:
    return str(ground.dispatched(saleOrderId="no-such-order")["dispatchId"])


def removed_dispatch(ground: Ground) -> str:
    return str(ground.dispatched(status="removed")["dispatchId"])


def order_before_history(ground: Ground) -> str:
    return str(ground.order(days=-30, progress="whole").order["saleOrderId"])


def dispatch_before_history(ground: Ground) -> str:
    ground.order(days=-30, progress="whole")
    return str(ground.book.tables["dispatches"][-1]["dispatchId"])


def any_dispatch(ground: Ground) -> str:
    return str(ground.dispatched()["dispatchId"])


def any_order(ground: Ground) -> str:
    return str(ground.order().order["saleOrderId"])
