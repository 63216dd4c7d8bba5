"""The defects planted in the demo: each breaks one rule, on a record that is otherwise clean.

Belongs here: what is wrong on purpose, and the list of it. A defective record is always an extra one, and
nothing else depends on it (no order names a defective item or customer), so that no second rule is
broken on its account. What several destinations mind is one defect under the code of each of them.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from stokly_sync.sandbox.seeds.account import MAGENTO
from stokly_sync.sandbox.seeds.demo_customers import Buyer, customer_row
from stokly_sync.sandbox.seeds.demo_orders import Basket, Made, OrderBook, Progress
from stokly_sync.sandbox.seeds.demo_refunds import add_refund, credit_note
from stokly_sync.sandbox.seeds.demo_tables import CatalogueItem, Place
from stokly_sync.sandbox.seeds.items import SIMPLE, item_row
from stokly_sync.sandbox.seeds.model import Planted, Row
from stokly_sync.sandbox.seeds.rows import Product
from stokly_sync.sandbox.seeds.words import make_id, stamp

HOLD_TAG = "fraud-hold"
LONG_NOTE = "Prefers deliveries before noon. " * 47
DESTINATIONS = ("OM", "DD", "EM")
"""Prefixes of the rule codes of destinations that mind the same defects."""


@dataclass
class Garden:
    """Where defects are planted. `start` is the time of the first extra order."""

    book: OrderBook
    items: list[Row]
    customers: list[Row]
    buyer: Buyer
    place: Place
    goods: list[CatalogueItem]
    start: datetime
    planted: list[Planted] = field(default_factory=list)

    def note(self, rule: str, dataset: str, key: str, note: str) -> None:
        """Write a defect down; a rule that begins with a hyphen is one of every destination."""
        prefixes = DESTINATIONS if rule.startswith("-") else ("",)
        self.planted += [Planted(rule=f"{prefix}{rule}", dataset=dataset, key=key, note=note) for prefix in prefixes]

    def order(
        self, *, progress: Progress = "open", payment: str = "paid", tags: tuple[str, ...] = (), stage: str = "order"
    ) -> Made:
        """A clean extra order of two lines by a known customer, an hour after the one before."""
        place = len(self.book.made)
        lines = [(self.goods[place % 7], 2), (self.goods[7 + place % 5], 1)]
        created = self.start + timedelta(hours=len(self.planted))
        return self.book.add(Basket(MAGENTO, self.buyer, lines, created, progress, payment, tags, stage))

    def bend_order(self, rule: str, note: str, bend: Callable[[Row], None]) -> None:
        """Plant an order that is clean but for what `bend` does to its row."""
        order = self.order().order
        bend(order)
        self.note(rule, "saleorders", order["saleOrderId"], note)

    def customer(self, rule: str, note: str, **members: object) -> None:
        """Plant a customer that is clean but for these members; None takes a member away."""
        number = len(self.customers) + 1
        row = {**customer_row(number, self.place, created=stamp(self.start)), **members}
        self.customers.append({name: value for name, value in row.items() if value is not None})
        self.note(rule, "customers", row["customerId"], note)

    def item(self, rule: str | None, note: str, code: str, /, *, days: int = 0, **members: object) -> None:
        """Plant an item that nobody buys and that is clean but for these members; None takes one away.

        `days` is its age after the first day of the seed; without a rule it is no defect.
        """
        product = Product(make_id("item", code), code, f"Sample {len(self.items) + 1}")
        at = stamp(self.start + timedelta(days=days))
        price = Decimal("9.50")
        row = item_row(product, format_=SIMPLE, type_name="Gifts", price=price, created=at, updated=at)
        row.update(members)
        self.items.append({name: value for name, value in row.items() if value is not None})
        if rule is not None:
            self.note(rule, "items", product.item_id, note)


def plant(garden: Garden) -> list[Planted]:
    """Plant every defect and return the list."""
    _plant_items(garden)
    _plant_customers(garden)
    _plant_orders(garden)
    _plant_states(garden)
    _plant_refunds(garden)
    _plant_dispatches(garden)
    return garden.planted


def _plant_items(garden: Garden) -> None:
    nested = {"amount": Decimal("9.50"), "currency": "GBP"}
    garden.item("ST-MEMBER-TYPE", "salePrice is an object", "SAMPLE-NESTED", salePrice=nested)
    garden.item("ST-MONEY", "salePrice is 1E+30", "SAMPLE-HUGE", salePrice=Decimal("1E+30"))
    ten = Decimal("3.1234567891")
    garden.item("ST-MONEY", "salePrice has ten decimals", "SAMPLE-FINE", salePrice=ten)
    garden.item("ST-ITEM-SKU", "sku is missing", "(no sku)", sku=None)
    garden.item(None, "the older of two items whose SKU differ only by case keeps its place", "PLATE-BLUE")
    garden.item("ST-SKU-DUPLICATE", "same SKU as an older live item but for case", "Plate-Blue", days=1)


def _plant_customers(garden: Garden) -> None:
    garden.customer("ST-CUSTOMER-EMAIL", "email has two @", email="customer@@example.com")
    garden.customer("-CONTACT-EMAIL", "email is missing", email=None)
    garden.customer("OM-PROPERTIES-SIZE", "notes of 1,500 characters", notes=LONG_NOTE[:1500])
    shared = {email for email, number in Counter(row.get("email") for row in garden.customers).items() if number > 1}
    both = [row for row in garden.customers if row.get("email") in shared]
    later = max(both, key=lambda row: (row["createdAt"], row["customerId"]))
    for rule in ("DD-EMAIL-SHARED", "EM-EMAIL-SHARED"):
        garden.note(rule, "customers", later["customerId"], "an earlier customer has the e-mail address")


def _plant_orders(garden: Garden) -> None:
    def retype(order: Row) -> None:
        order["displayTotal"] = {"amount": order["displayTotal"], "currency": order["currency"]}

    def overcharge(order: Row) -> None:
        for name in ("total", "displayTotal", "amountPaid"):
            order[name] += Decimal("5.00")
        garden.book.tables["saleorders/payments"][-1]["amount"] = order["amountPaid"]

    future = stamp(garden.start + timedelta(days=5 * 365))
    bend = garden.bend_order
    bend("ST-MEMBER-TYPE", "displayTotal is an object", retype)
    bend("ST-TIME", "createdAt cannot be read", lambda order: order.update(createdAt="the day before"))
    bend("ST-TIME", "createdAt lies years ahead", lambda order: order.update(createdAt=future))
    bend("ST-CURRENCY", "currency is POUNDS", lambda order: order.update(currency="POUNDS"))
    bend("ST-ORDER-TOTAL", "displayTotal is 5.00 more than the sum of its parts", overcharge)
    bend(
        "ST-ORDER-COUNTRY",
        "shippingAddressCountry is England",
        lambda order: order.update(shippingAddressCountry="England"),
    )
    empty = garden.book.add(Basket(MAGENTO, garden.buyer, (), garden.start))
    garden.note("ST-ORDER-LINES", "saleorders", empty.order["saleOrderId"], "no lines")
    unknown = garden.order()
    unknown.lines[1].update(referenceId=make_id("item", "NO-SUCH-ITEM"), itemSku="NO-SUCH-ITEM")
    key = unknown.order["saleOrderId"]
    garden.note("-SKU-UNKNOWN", "saleorders", key, "the second line's item is not in the catalogue")


def _plant_states(garden: Garden) -> None:
    unpaid = garden.order(payment="unpaid").order["saleOrderId"]
    garden.note("-ORDER-NOT-CONFIRMED", "saleorders", unpaid, "paymentStatus is unpaid")
    held = garden.order(tags=(HOLD_TAG,)).order["saleOrderId"]
    garden.note("-ORDER-NOT-CONFIRMED", "saleorders", held, f"tagged {HOLD_TAG}")
    removed = garden.order(stage="removed").order["saleOrderId"]
    garden.note("-ORDER-REMOVED", "saleorders", removed, "stage is removed")


def _plant_refunds(garden: Garden) -> None:
    book = garden.book
    over = _refunded(garden)
    over["displayTotal"] += Decimal("10.00")
    garden.note("ST-REFUND-OVER", "refunds", over["refundId"], "displayTotal is 10.00 above its order's")
    loose = _refunded(garden)
    del loose["saleOrderId"], loose["saleOrderNiceId"]
    garden.note("-REFUND-NO-ORDER", "refunds", loose["refundId"], "names no order")
    note = credit_note(len(book.tables["credit-notes"]) + 1, loose)
    book.tables["credit-notes"].append(note)
    for rule in ("OM-REFUND-NO-ORDER", "DD-REFUND-NO-ORDER", "EM-REFUND-NO-ORDER"):
        garden.note(rule, "credit-notes", note["creditNoteId"], "referenceType is 0, no order")


def _refunded(garden: Garden) -> Row:
    made = garden.order(progress="whole")
    return add_refund(garden.book, made, made.top_lines, full=True, reason="Changed mind")


def _plant_dispatches(garden: Garden) -> None:
    for number in ("TBC", "RM 1234 5678?"):
        garden.order(progress="whole")
        dispatch = garden.book.tables["dispatches"][-1]
        dispatch["trackingNumber"] = number
        dispatch.pop("trackingUrl")
        note = f"trackingNumber is {number!r}"
        garden.note("-TRACKING", "dispatches", dispatch["dispatchId"], note)
