"""How every rule of Stokly, the marketing systems, consent, guests and delivery is reached.

Two worlds: `open` takes guests, knows where history begins and has custom fields; `strict` leaves guests out and has
been told nothing of history. What the demo plants is planted here too, by the demo's own function.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Final, cast

from stokly_sync.contracts.owners import person
from stokly_sync.pipeline.erasing import eraser
from stokly_sync.sandbox.dotdigital import DotdigitalSandbox
from stokly_sync.sandbox.dotdigital.store import Contact
from stokly_sync.sandbox.dotdigital.upserts import set_status
from stokly_sync.sandbox.emarsys import EmarsysSandbox
from stokly_sync.sandbox.kit import Fault
from stokly_sync.sandbox.ometria.system import OmetriaSandbox
from stokly_sync.sandbox.seeds.account import DEFAULT_BINS, WAREHOUSE
from stokly_sync.sandbox.seeds.demo_customers import guest
from stokly_sync.sandbox.seeds.demo_tables import read_places
from stokly_sync.sandbox.seeds.model import PARENT
from stokly_sync.sandbox.seeds.stock import stock_rows
from stokly_sync.sandbox.stokly import StoklySandbox
from stokly_sync_tests.acceptance.account import add_customers, add_order, change_customer, change_item, product_of
from stokly_sync_tests.acceptance.harness import TODAY
from stokly_sync_tests.rules.ground import Ground, Row, began
from stokly_sync_tests.rules.worlds import Plant, Spec, Table, World

OPEN: Final = "open"
STRICT: Final = "strict"
SYSTEMS: Final = ("stokly", "ometria", "dotdigital", "emarsys")
_ADDRESS: Final = "3"
"""Emarsys' field of the e-mail address."""
_CARE: Final = "CARE-TEXT"
_QUICK: Final = {"OMETRIA_RATE": "1000", "DOTDIGITAL_RATE": "1000", "EMARSYS_RATE_PER_MINUTE": "1000"}
_SETTINGS: Final = {
    **_QUICK,
    "STOKLY_SYNC_CONSENT_OWNERS": '{"email": "stokly"}',
    "OMETRIA_CONTACT_PROPERTIES": '{"note": "extra.notes", "age": {"source": "extra.age", "type": "number"}}',
    "OMETRIA_ATTRIBUTES": '["Care"]',
    "DOTDIGITAL_CONTACT_FIELDS": '{"AGE": {"source": "extra.age", "type": "number"}}',
    "EMARSYS_CONTACT_FIELDS": '{"age": {"source": "extra.age", "type": "number"}}',
    "EMARSYS_CREDIT_ITEM": "CREDIT",
    "EMARSYS_DISPATCH_DAYS": "100000",
    "EMARSYS_HISTORY_FROM": f"{began(TODAY):%Y-%m-%dT00:00:00Z}",
}


def _left_in_doubt(failure: str) -> bool:
    """The run that lost the answer to an upload says so."""
    return failure.startswith("emarsys_interval: emarsys/orders") and "sales-data/api got no answer" in failure


WORLDS: Final[Mapping[str, Spec]] = {
    OPEN: Spec(
        SYSTEMS, _SETTINGS, {"emarsys": {"advanced_events": True, "nobody_listens": True}}, accepts=_left_in_doubt
    ),
    STRICT: Spec(
        SYSTEMS,
        {
            **_QUICK,
            **dict.fromkeys(("OMETRIA_GUESTS", "DOTDIGITAL_GUESTS", "EMARSYS_GUESTS"), "exclude"),
            "EMARSYS_HISTORY_FROM": "",
        },
    ),
}


def _id(row: Row) -> str:
    return str(row["customerId"])


# What stands in Stokly before the first sync.


def refund_of_no_order(ground: Ground) -> str:
    refund = ground.refund(ground.order(progress="whole"), saleOrderId="no-such-order")
    return str(refund["refundId"])


def deleted_customer(ground: Ground) -> str:
    return _id(ground.customer(status=0))


def order_of_a_deleted_customer(ground: Ground) -> str:
    made = ground.order(ground.buyer(status=0))
    return str(made.order["saleOrderId"])


def order_of_a_customer_without_address(ground: Ground) -> str:
    made = ground.order(ground.buyer(email=...))
    del made.order["customerEmail"]
    return str(made.order["saleOrderId"])


def custom_field_of_another_type(ground: Ground) -> str:
    return _id(ground.customer(age="rather old"))


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


# What stands in the destinations before the first sync, and what they refuse.


def refused_by_ometria(ground: Ground) -> str:
    key = _id(ground.customer())
    ground.boxes["ometria"].set_switches(failing_ids=[key])
    return key


def refused_by_dotdigital(ground: Ground) -> str:
    key = _id(ground.customer())
    ground.boxes["dotdigital"].set_switches(failing_ids=[key])
    return key


def refused_by_emarsys(ground: Ground) -> str:
    key = _id(ground.customer())
    ground.boxes["emarsys"].set_switches(refused=[key])
    return key


def address_taken_in_dotdigital(ground: Ground) -> str:
    row = ground.customer()
    _contact(_dotdigital(ground), {"email": row["email"], "stokly-id": "another-customer"})
    return _id(row)


def suppressed_in_dotdigital(ground: Ground) -> str:
    row = ground.customer()
    box = _dotdigital(ground)
    set_status(_contact(box, {"email": row["email"]}), "suppressed", now=box.clock.now())
    return _id(row)


def _contact(box: DotdigitalSandbox, identifiers: dict[str, str]) -> Contact:
    now = box.clock.now()
    number = box.store.next_number()
    contact = Contact(contact_id=number, identifiers={}, created=now, updated=now)
    box.store.contacts[number] = contact
    box.store.identify(contact, identifiers)
    return contact


def twice_in_emarsys(ground: Ground) -> str:
    row, box = ground.customer(), cast("EmarsysSandbox", ground.boxes["emarsys"])
    for _ in range(2):
        box.store.write(box.store.create(at=box.clock.now()), _ADDRESS, row["email"], at=box.clock.now())
    return _id(row)


# What happens after the first sync.


def address_taken_in_emarsys(world: World) -> str:
    owner, box, email = _known(world, 1), _emarsys(world), "taken@example.com"
    field = box.store.fields.named("stokly_customer_id")
    assert field is not None
    (contact,) = box.store.find(field.id, _id(owner))
    box.store.write(contact, _ADDRESS, email, at=box.clock.now())
    return add_customers(_stokly(world), [1], email=email)[0]


def import_that_is_lost(world: World) -> None:
    world.ground.boxes["dotdigital"].set_switches(lost_imports=3)
    change_item(_stokly(world), world.ground.goods(2).sku, name="Renamed")


def choice_made_in_ometria(world: World) -> str:
    row = _known(world, 3)
    _ometria(world).unsubscribe(row["email"])
    return _id(row)


def choice_of_somebody_unknown_to_dotdigital(world: World) -> str:
    row, box = _known(world, 4), _dotdigital(world.ground)
    _ometria(world).unsubscribe(row["email"])
    contact = box.store.find("email", row["email"])
    assert contact is not None
    box.store.remove([contact])
    return _id(row)


def choice_that_emarsys_refuses(world: World) -> str:
    row, box = _known(world, 5), _emarsys(world)
    _ometria(world).unsubscribe(row["email"])
    box.set_switches(refused=[*box.switches.refused, _id(row)])
    return _id(row)


def erased_customer(world: World) -> str:
    row = _known(world, 6)
    assert eraser(world.services, actor="test").erase(customer=_id(row), email=None).complete
    change_customer(_stokly(world), _id(row), phone="01632 960999")
    return _id(row)


def upload_without_an_answer(world: World) -> str:
    cut = Fault(method="POST", path="/hapi/", action="cut", processed=True)
    world.ground.boxes["emarsys"].faults.add(cut)
    stokly = _stokly(world)
    return add_order(stokly, 1, customer=_known(world, 7), product=product_of(stokly, world.ground.goods(3).sku))


def _known(world: World, place: int) -> Row:
    """One of the customers with whom nothing is wrong."""
    return world.ground.garden.customers[place]


def _stokly(world: World) -> StoklySandbox:
    return cast("StoklySandbox", world.ground.boxes["stokly"])


def _ometria(world: World) -> OmetriaSandbox:
    return cast("OmetriaSandbox", world.ground.boxes["ometria"])


def _dotdigital(ground: Ground) -> DotdigitalSandbox:
    return cast("DotdigitalSandbox", ground.boxes["dotdigital"])


def _emarsys(world: World) -> EmarsysSandbox:
    return cast("EmarsysSandbox", world.ground.boxes["emarsys"])


_DEMO: Final = Plant(OPEN)
TABLE: Final[Table] = {
    **dict.fromkeys(
        (
            *("ST-CURRENCY", "ST-CUSTOMER-EMAIL", "ST-ITEM-SKU", "ST-MEMBER-TYPE", "ST-MONEY", "ST-ORDER-COUNTRY"),
            *("ST-ORDER-LINES", "ST-ORDER-TOTAL", "ST-REFUND-OVER", "ST-SKU-DUPLICATE", "ST-TIME"),
            *("OM-CONTACT-EMAIL", "OM-ORDER-NOT-CONFIRMED", "OM-ORDER-REMOVED", "OM-PROPERTIES-SIZE"),
            *("OM-REFUND-NO-ORDER", "OM-SKU-UNKNOWN", "OM-TRACKING"),
            *("DD-CONTACT-EMAIL", "DD-EMAIL-SHARED", "DD-ORDER-NOT-CONFIRMED", "DD-ORDER-REMOVED"),
            *("DD-REFUND-NO-ORDER", "DD-SKU-UNKNOWN", "DD-TRACKING"),
            *("EM-CONTACT-EMAIL", "EM-EMAIL-SHARED", "EM-ORDER-NOT-CONFIRMED", "EM-ORDER-REMOVED"),
            *("EM-REFUND-NO-ORDER", "EM-SKU-UNKNOWN", "EM-TRACKING"),
        ),
        _DEMO,
    ),
    "ST-REFUND-ORDER": Plant(OPEN, refund_of_no_order),
    "OM-CUSTOMER-DELETED": Plant(OPEN, deleted_customer),
    "OM-DISPATCH-ORDER": Plant(OPEN, dispatch_of_an_unknown_order),
    "OM-DISPATCH-REMOVED": Plant(OPEN, removed_dispatch),
    "OM-GUEST": Plant(STRICT, guest_order),
    "OM-NO-IDENTITY": Plant(OPEN, dispatch_to_nobody),
    "OM-PROPERTY-TYPE": Plant(OPEN, custom_field_of_another_type),
    "OM-RECORD-SIZE": Plant(OPEN, long_attribute),
    "OM-REFUND-CURRENCY": Plant(OPEN, order_with_a_refund_in_another_currency),
    "OM-REJECTED": Plant(OPEN, refused_by_ometria),
    "OM-STOCK-NOT-HELD": Plant(OPEN, stock_of_a_service),
    "DD-CONSENT-REFUSED": Plant(OPEN, grow=choice_of_somebody_unknown_to_dotdigital),
    "DD-CUSTOMER-DELETED": Plant(OPEN, deleted_customer),
    "DD-DISPATCH-ORDER": Plant(OPEN, dispatch_of_an_unknown_order),
    "DD-DISPATCH-REMOVED": Plant(OPEN, removed_dispatch),
    "DD-EMAIL-TAKEN": Plant(OPEN, address_taken_in_dotdigital),
    "DD-FIELD-TYPE": Plant(OPEN, custom_field_of_another_type),
    "DD-GUEST": Plant(STRICT, guest_order),
    "DD-IMPORT-LOST": Plant(OPEN, grow=import_that_is_lost),
    "DD-NO-IDENTITY": Plant(OPEN, order_of_nobody),
    "DD-ORDER-NEGATIVE": Plant(OPEN, negative_order),
    "DD-ORDER-TOTAL": Plant(OPEN, net_amount_that_does_not_add_up),
    "DD-REFUND-CURRENCY": Plant(OPEN, order_with_a_refund_in_another_currency),
    "DD-REFUND-TOO-LARGE": Plant(OPEN, order_given_back_twice),
    "DD-REJECTED": Plant(OPEN, refused_by_dotdigital),
    "DD-SUPPRESSED": Plant(OPEN, suppressed_in_dotdigital),
    "EM-CONSENT-REFUSED": Plant(OPEN, grow=choice_that_emarsys_refuses),
    "EM-CREDIT-CANCELLED": Plant(OPEN, note_of_an_order_with_cancelled_lines),
    "EM-CREDIT-NO-ITEM": Plant(STRICT, note_of_an_order),
    "EM-CREDIT-REFUND": Plant(OPEN, note_that_a_refund_names),
    "EM-CURRENCY": Plant(OPEN, foreign_order),
    "EM-CUSTOMER-DELETED": Plant(OPEN, deleted_customer),
    "EM-DISPATCH-OLD": Plant(OPEN, dispatch_before_history),
    "EM-DISPATCH-ORDER": Plant(OPEN, dispatch_of_an_unknown_order),
    "EM-DISPATCH-REMOVED": Plant(OPEN, removed_dispatch),
    "EM-DUPLICATE": Plant(OPEN, twice_in_emarsys),
    "EM-EMAIL-TAKEN": Plant(OPEN, grow=address_taken_in_emarsys),
    "EM-EVENT-UNHEARD": Plant(OPEN, any_dispatch),
    "EM-FIELD-TYPE": Plant(OPEN, custom_field_of_another_type),
    "EM-GUEST": Plant(STRICT, guest_order),
    "EM-NO-IDENTITY": Plant(OPEN, order_of_nobody),
    "EM-ORDER-NEGATIVE": Plant(OPEN, negative_order),
    "EM-REFUND-CURRENCY": Plant(OPEN, refund_in_another_currency),
    "EM-REFUND-NO-LINES": Plant(OPEN, refund_without_lines),
    "EM-REFUND-ORDER": Plant(OPEN, note_of_an_unknown_order),
    "EM-REFUND-PENDING": Plant(OPEN, pending_refund),
    "EM-REJECTED": Plant(OPEN, refused_by_emarsys),
    "EM-SKU-TEXT": Plant(OPEN, sku_with_a_tab),
    "CONSENT-ORIGIN": Plant(OPEN, grow=choice_made_in_ometria),
    "GUEST-CUSTOMER": Plant(OPEN, guest_with_the_address_of_a_customer),
    "GUEST-NO-ORDER": Plant(OPEN, guest_whose_order_was_removed),
    "GUEST-NOT-CONFIRMED": Plant(OPEN, guest_who_has_not_paid),
    "DELIVERY-BEFORE-HISTORY": Plant(OPEN, order_before_history),
    "DELIVERY-ERASED": Plant(OPEN, grow=erased_customer),
    "DELIVERY-IN-DOUBT": Plant(OPEN, grow=upload_without_an_answer),
    "DELIVERY-LEFT-OUT": Plant(OPEN, order_of_a_deleted_customer),
    "DELIVERY-NO-HISTORY": Plant(STRICT, any_order),
    "DELIVERY-WAITS": Plant(OPEN, order_of_a_customer_without_address),
}
