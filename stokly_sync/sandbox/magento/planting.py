"""Raw orders put into the tables as they are given, right or wrong.

Belongs here: the way past the shop's own arithmetic, for seeds, planted defects and tests. What is left out
gets the value of an ordinary order; totals that are left out are the sums of the lines.
Source: Magento API contract 6.2, 6.3.
"""

from decimal import Decimal
from typing import Any

import msgspec

from stokly_sync.sandbox.magento.baskets import Money, blank_line, totals, with_money, without_money
from stokly_sync.sandbox.magento.figures import ZERO, Row, amount, cents, put_money
from stokly_sync.sandbox.magento.orders import lines_of, money_lines, rate_of, to_invoice, to_ship, top_lines
from stokly_sync.sandbox.magento.placing import Buyer, add_order, note_payment, order_row
from stokly_sync.sandbox.magento.products import find_product, parent_of
from stokly_sync.sandbox.magento.stock import selling_stock
from stokly_sync.sandbox.magento.store import Store

GONE = 999_999
"""The product id of a line whose product the shop no longer has."""


class RawLine(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A line as it shall stand: net amounts of the whole row, in the order's currency.

    `price` is a unit's net price (default: row by quantity); `columns` replaces any column.
    """

    sku: str
    quantity: Decimal
    row_total: Decimal
    tax_amount: Decimal = ZERO
    tax_percent: Decimal = Decimal(20)
    name: str | None = None
    price: Decimal | None = None
    columns: dict[str, Any] = {}


class RawOrder(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An order as it shall stand; `columns` replaces any column of the finished row.

    `shipping` and `shipping_tax` are net amounts, `created_at` is UTC (`2026-01-02 03:04:05`), `address` has
    members such as `street` and `country_id`; `ships` False leaves the shipping address out.
    """

    lines: list[RawLine]
    created_at: str | None = None
    increment_id: str | None = None
    email: str | None = "guest@example.com"
    firstname: str = "Guest"
    lastname: str = "Shopper"
    customer_id: int | None = None
    currency: str = "GBP"
    base_currency: str = "GBP"
    rate: Decimal = Decimal(1)
    shipping: Decimal = ZERO
    shipping_tax: Decimal = ZERO
    payment: str = "checkmo"
    shipping_method: str = "flatrate_flatrate"
    shipping_title: str = "Flat Rate - Fixed"
    address: dict[str, Any] = {}
    ships: bool = True
    columns: dict[str, Any] = {}


def plant_order(store: Store, raw: RawOrder, *, now: str) -> Row:
    """Put an order into the tables; nothing is reserved (`reserve_open` does that)."""
    groups = [_line(store, line, rate=raw.rate) for line in raw.lines]
    virtual = bool(groups) and all(group[0]["is_virtual"] for group in groups)
    buyer = Buyer(
        email=raw.email,
        firstname=raw.firstname,
        lastname=raw.lastname,
        customer_id=raw.customer_id,
        group_id=0 if raw.customer_id is None else 1,
    )
    order = order_row(
        store,
        buyer=buyer,
        at=raw.created_at or now,
        currency=(raw.currency, raw.base_currency, raw.rate),
        virtual=virtual,
        address=raw.address,
        shipping=(raw.shipping_method, raw.shipping_title),
        payment=raw.payment,
        increment_id=raw.increment_id,
    )
    if not raw.ships:
        order["_shipping"] = None
    kept = add_order(store, order, groups)
    counted = totals(money_lines(lines_of(store, kept)), shipping=ZERO, money=Money(ZERO, False, ZERO))
    counted.update(
        shipping_amount=raw.shipping,
        shipping_tax_amount=raw.shipping_tax,
        shipping_incl_tax=raw.shipping + raw.shipping_tax,
    )
    counted["tax_amount"] += raw.shipping_tax
    counted["grand_total"] += raw.shipping + raw.shipping_tax
    counted["total_due"] = counted["grand_total"]
    put_money(kept, counted, rate=rate_of(kept))
    kept.update(raw.columns)
    note_payment(kept)
    return kept


def _line(store: Store, raw: RawLine, *, rate: Decimal) -> list[Row]:
    product = find_product(store, raw.sku)
    known = product or {"id": GONE, "sku": raw.sku, "name": raw.name or raw.sku, "type_id": "simple"}
    parent = parent_of(store, known) if product is not None else None
    kind = "configurable" if parent is not None else known["type_id"]
    head = blank_line(parent or known, raw.quantity, kind=kind, sku=raw.sku)
    if raw.name is not None:
        head["name"] = raw.name
    gross = raw.row_total + raw.tax_amount
    amounts = {
        "price": raw.price if raw.price is not None else _each(raw.row_total, raw.quantity),
        "price_incl_tax": _each(gross, raw.quantity),
        "original_price": _each(gross, raw.quantity),
        "row_total": raw.row_total,
        "row_total_incl_tax": gross,
        "tax_amount": raw.tax_amount,
        "discount_amount": ZERO,
        "discount_tax_compensation_amount": ZERO,
    }
    with_money(head, amounts, Money(raw.tax_percent, True, ZERO), rate=rate)
    head.update(raw.columns)
    if parent is None:
        return [head]
    return [head, without_money(blank_line(known, raw.quantity, kind="simple"))]


def _each(total: Decimal, quantity: Decimal) -> Decimal:
    return cents(total / quantity) if quantity else ZERO


def reserve_open(store: Store, order: Row) -> None:
    """Reserve what is still to be shipped, or of virtual goods to be invoiced."""
    if order["state"] in ("canceled", "closed", "complete"):
        return
    for line in top_lines(lines_of(store, order)):
        quantity = to_invoice(line) if line["is_virtual"] else to_ship(line)
        if amount(quantity):
            event, number = "order_placed", order["entity_id"]
            store.reserve(selling_stock(store), line["sku"], -quantity, event=event, order_id=number)
