"""Invoices: the deed, the amounts of a part, and the calls.

Belongs here: everything about an invoice. The last part of a line takes what rounding has left; the first
invoice carries all shipping. Source: Magento API contract 8.
"""

from collections.abc import Mapping
from decimal import Decimal

from stokly_sync.sandbox.magento.call import Call, Spec, column, columns
from stokly_sync.sandbox.magento.errors import MagentoError, document, no_entity
from stokly_sync.sandbox.magento.fields import INVOICE_FIELDS
from stokly_sync.sandbox.magento.figures import ZERO, Row, add_money, amount, portion, put_money, shown
from stokly_sync.sandbox.magento.order_calls import no_column
from stokly_sync.sandbox.magento.orders import (
    can_invoice,
    changing,
    children_of,
    find_order,
    is_dynamic_line,
    lines_of,
    money_lines,
    rate_of,
    settle,
    to_invoice,
    top_lines,
)
from stokly_sync.sandbox.magento.search import Listing
from stokly_sync.sandbox.magento.shapes import Many, Shape
from stokly_sync.sandbox.magento.stock import selling_stock
from stokly_sync.sandbox.magento.store import Store

READ = "Magento_Sales::sales_invoice"
OPEN, PAID = 1, 2
SHARED = {
    "row_total": "row_invoiced",
    "row_total_incl_tax": "_row_incl_invoiced",
    "tax_amount": "tax_invoiced",
    "discount_amount": "discount_invoiced",
    "discount_tax_compensation_amount": "discount_tax_compensation_invoiced",
}
"""Amount of an order's line -> what of it is invoiced."""


def invoice(store: Store, order: Row, items: list[Row], *, now: str, capture: bool) -> Row:
    """Invoice these quantities, or everything open.

    Raises:
        MagentoError: 400, worded as in section 8.
    """
    lines = lines_of(store, order)
    chosen = _chosen(lines, items)
    faults = []
    if not chosen:
        faults.append("The invoice can't be created without products. Add products and try again.")
    if not can_invoice(order, lines):
        faults.append("The order does not allow an invoice to be created.")
    if faults:
        raise document("Invoice", *faults)
    return add_invoice(store, order, chosen, at=now, paid=capture)


def _chosen(lines: list[Row], items: list[Row]) -> dict[int, Decimal]:
    """Quantities by line; the parts of a bundle and the child of a configurable follow their parent."""
    chosen: dict[int, Decimal] = {}
    named = {item.get("order_item_id"): amount(item.get("qty")) for item in items}
    for line in top_lines(lines):
        quantity = named.get(line["item_id"], ZERO) if items else to_invoice(line)
        children = children_of(lines, line)
        if quantity > 0:
            if quantity > to_invoice(line):
                raise MagentoError('We found an invalid quantity to invoice item "%1".', [line["name"]])
            chosen[line["item_id"]] = quantity
        for child in children:
            each = amount(child["qty_ordered"]) / amount(line["qty_ordered"])
            follows = min(each * quantity, to_invoice(child))
            own = min(named.get(child["item_id"], ZERO), to_invoice(child)) if is_dynamic_line(line) else ZERO
            if follows or own:
                chosen[child["item_id"]] = follows or own
    return chosen


def add_invoice(store: Store, order: Row, chosen: Mapping[int, Decimal], *, at: str, paid: bool) -> Row:
    """Keep an invoice of these quantities by line, and move lines and order on."""
    lines, rate = lines_of(store, order), rate_of(order)
    first = not store.invoices.of("order_id", order["entity_id"])
    row = store.invoices.add(
        {
            "increment_id": f"{store.next('invoice number'):09d}",
            "order_id": order["entity_id"],
            "store_id": order["store_id"],
            "state": PAID if paid else OPEN,
            "created_at": at,
            "updated_at": at,
            "billing_address_id": order["billing_address_id"],
            **{name: order[name] for name in order if name.endswith("currency_code")},
            "base_to_order_rate": order["base_to_order_rate"],
            "total_qty": sum((chosen[line["item_id"]] for line in top_lines(lines) if line["item_id"] in chosen), ZERO),
            "_items": [],
        }
    )
    carrying = money_lines(lines)
    sums = dict.fromkeys(SHARED, ZERO)
    with changing(order, now=at):
        for line in lines:
            if line["item_id"] in chosen:
                shares = _invoiced(store, row, line, chosen[line["item_id"]], rate=rate, at=at)
                if any(line is one for one in carrying):
                    sums = {name: sums[name] + shares.get(name, ZERO) for name in sums}
        amounts = _amounts(order, sums, with_shipping=first)
        put_money(row, amounts, rate=rate)
        _book(order, amounts, rate=rate, paid=paid)
        _release_virtual(store, order, lines, chosen)
        settle(store, order)
    return row


def _invoiced(store: Store, row: Row, line: Row, quantity: Decimal, *, rate: Decimal, at: str) -> dict[str, Decimal]:
    shares = {
        name: portion(
            amount(line[name]),
            quantity=quantity,
            of=amount(line["qty_ordered"]),
            done_quantity=amount(line["qty_invoiced"]),
            done=amount(line.get(kept)),
        )
        for name, kept in SHARED.items()
        if line.get(name) is not None
    }
    add_money(
        line, {SHARED[name]: share for name, share in shares.items() if not SHARED[name].startswith("_")}, rate=rate
    )
    line["_row_incl_invoiced"] = amount(line.get("_row_incl_invoiced")) + shares.get("row_total_incl_tax", ZERO)
    line["qty_invoiced"] = amount(line["qty_invoiced"]) + quantity
    line["updated_at"] = at
    item = {
        "entity_id": store.next("invoice item"),
        "parent_id": row["entity_id"],
        "order_item_id": line["item_id"],
        "product_id": line["product_id"],
        "sku": line["sku"],
        "name": line["name"],
        "qty": quantity,
    }
    prices = {name: amount(line[name]) for name in ("price", "price_incl_tax") if line.get(name) is not None}
    if "price_incl_tax" not in prices:
        shares = {}  # a child whose money is on its parent is listed at price 0 and without a row total
    put_money(item, {**prices, **shares}, rate=rate)
    row["_items"].append(item)
    return shares


def _amounts(order: Row, sums: Mapping[str, Decimal], *, with_shipping: bool) -> dict[str, Decimal]:
    names = ("shipping_amount", "shipping_incl_tax", "shipping_tax_amount")
    shipping = {name: amount(order.get(name)) for name in names} if with_shipping else {}
    tax = sums["tax_amount"] + shipping.get("shipping_tax_amount", ZERO)
    compensation = sums["discount_tax_compensation_amount"]
    net = sums["row_total"] - sums["discount_amount"] + compensation
    return {
        "subtotal": sums["row_total"],
        "subtotal_incl_tax": sums["row_total_incl_tax"],
        "tax_amount": tax,
        "discount_amount": -sums["discount_amount"],
        "discount_tax_compensation_amount": compensation,
        **shipping,
        "grand_total": net + shipping.get("shipping_amount", ZERO) + tax,
    }


def _book(order: Row, amounts: Mapping[str, Decimal], *, rate: Decimal, paid: bool) -> None:
    booked = {
        "total_invoiced": amounts["grand_total"],
        "subtotal_invoiced": amounts["subtotal"],
        "tax_invoiced": amounts["tax_amount"],
        "discount_invoiced": amounts["discount_amount"],
        "shipping_invoiced": amounts.get("shipping_amount", ZERO),
    }
    if paid:
        booked["total_paid"] = amounts["grand_total"]
        booked["total_due"] = -amounts["grand_total"]
        order["_payment"]["amount_paid"] = amount(order["_payment"].get("amount_paid")) + amounts["grand_total"]
    add_money(order, booked, rate=rate)


def _release_virtual(store: Store, order: Row, lines: list[Row], chosen: Mapping[int, Decimal]) -> None:
    for line in lines:
        if line["is_virtual"] and line["item_id"] in chosen:
            quantity, event = chosen[line["item_id"]], "invoice_created"
            store.reserve(selling_stock(store), line["sku"], quantity, event=event, order_id=order["entity_id"])


def _view(row: Row) -> Row:
    view = {**shown(row), "items": [shown(item) for item in row["_items"]], "comments": []}
    for name in ("shipping_amount", "base_shipping_amount"):
        if not view.get(name):
            view.pop(name, None)
    return view


def _list(call: Call) -> Row:
    return call.page(Listing(call.store.invoices, column, no_column, columns(INVOICE_FIELDS)), _view)


def _one(call: Call) -> Row:
    found = call.store.invoices.get(call.number("id"))
    if found is None:
        raise no_entity()
    return _view(found)


def _invoice(call: Call) -> str:
    order = find_order(call.store, call.number("orderId"))
    capture = bool(call.body.get("capture"))
    return str(invoice(call.store, order, call.body.get("items") or [], now=call.now, capture=capture)["entity_id"])


_ITEM: dict[str, Shape] = {"order_item_id": "int", "qty": "float", "extension_attributes": "any"}
_API = "Magento\\Sales\\Api"
_BODY: dict[str, Shape] = {
    "capture": "bool",
    "items": Many(_ITEM, f"{_API}\\Data\\InvoiceItemCreationInterface"),
    "notify": "bool",
    "appendComment": "bool",
    "comment": "any",
    "arguments": "any",
}

SPECS = (
    Spec("GET", "invoices", READ, _list),
    Spec("GET", "invoices/{id}", READ, _one),
    Spec(
        "POST",
        "order/{orderId}/invoice",
        "Magento_Sales::invoice",
        _invoice,
        _BODY,
        f"{_API}\\InvoiceOrderInterface::execute",
    ),
)
