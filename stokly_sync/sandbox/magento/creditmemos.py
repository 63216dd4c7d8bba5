"""Credit memos as state: refunding an order offline, the refusals, and what comes back.

Belongs here: the deed; the calls are in `creditmemo_calls`. Unlike a shipment, too large a quantity is
refused; and without a word about shipping, all shipping that is left is refunded too.
Source: Magento API contract 9, 11.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from stokly_sync.sandbox.magento.errors import MagentoError, document
from stokly_sync.sandbox.magento.figures import ZERO, Row, add_money, amount, cents, plain, portion, put_money
from stokly_sync.sandbox.magento.orders import (
    changing,
    children_of,
    is_dynamic_line,
    leaves,
    lines_of,
    money_lines,
    rate_of,
    settle,
    to_refund,
    to_ship,
    top_lines,
)
from stokly_sync.sandbox.magento.stock import DEFAULT_SOURCE, put_source_item, selling_stock, source_item
from stokly_sync.sandbox.magento.store import Store

REFUNDED = 2
SHARED = {
    "row_total": "amount_refunded",
    "row_total_incl_tax": "_row_incl_refunded",
    "tax_amount": "tax_refunded",
    "discount_amount": "discount_refunded",
    "discount_tax_compensation_amount": "discount_tax_compensation_refunded",
}
"""Amount of an order's line -> what of it is refunded."""


@dataclass(frozen=True)
class Extras:
    """What a refund holds beside goods; `shipping` is net, None = all that is left."""

    shipping: Decimal | None = None
    positive: Decimal = ZERO
    negative: Decimal = ZERO


def refund(store: Store, order: Row, given: Row, *, now: str, gross_shipping: bool) -> Row:
    """Refund an order offline.

    Raises:
        MagentoError: 400, worded as in section 9.
    """
    lines = lines_of(store, order)
    arguments = given.get("arguments") or {}
    chosen = _chosen(order, lines, given.get("items") or [])
    extras = Extras(
        shipping=_net_shipping(order, arguments.get("shipping_amount"), gross=gross_shipping),
        positive=amount(arguments.get("adjustment_positive")),
        negative=amount(arguments.get("adjustment_negative")),
    )
    _check_money(order, lines, chosen, extras)
    back = set((arguments.get("extension_attributes") or {}).get("return_to_stock_items") or [])
    released = _return_goods(store, order, lines, chosen, back)
    for sku, quantity in released.items():
        event = "creditmemo_created"
        store.reserve(selling_stock(store), sku, quantity, event=event, order_id=order["entity_id"])
    return add_creditmemo(store, order, chosen, extras, at=now)


def _chosen(order: Row, lines: list[Row], items: list[Row]) -> dict[int, Decimal]:
    """Quantities by line; children follow their parent."""
    known = {line["item_id"]: line for line in lines}
    faults = [fault for item in items if (fault := _fault(known, item.get("order_item_id")))]
    if faults:
        raise document("Creditmemo", *dict.fromkeys(faults))
    if not amount(order.get("total_paid")):
        raise _too_much(order)
    named = {item["order_item_id"]: amount(item.get("qty")) for item in items}
    chosen: dict[int, Decimal] = {}
    for line in top_lines(lines):
        quantity = named.get(line["item_id"], ZERO) if items else to_refund(line)
        _check_quantity(line, quantity)
        if quantity > 0:
            chosen[line["item_id"]] = quantity
        for child in children_of(lines, line):
            each = amount(child["qty_ordered"]) / amount(line["qty_ordered"])
            own = named.get(child["item_id"], ZERO) or min(each * quantity, to_refund(child))
            _check_quantity(child, own)
            if own:
                chosen[child["item_id"]] = own
    return chosen


def _fault(known: Mapping[int, Row], number: int | None) -> str | None:
    line = known.get(number or 0)
    if line is None:
        return "The creditmemo contains product item that is not part of the original order."
    parent = known.get(line["parent_item_id"] or 0)
    if parent is not None and not is_dynamic_line(parent):
        return "The creditmemo contains incorrect product items."
    return None


def _check_quantity(line: Row, quantity: Decimal) -> None:
    if quantity < 0 or quantity > to_refund(line):
        raise MagentoError('We found an invalid quantity to refund item "%1".', [line["name"]])


def shipping_left(order: Row) -> Decimal:
    """The net shipping that is not refunded yet."""
    return amount(order.get("shipping_amount")) - amount(order.get("shipping_refunded"))


def _net_shipping(order: Row, asked: Decimal | None, *, gross: bool) -> Decimal | None:
    if asked is None or not gross or not amount(order.get("shipping_incl_tax")):
        return asked
    return cents(asked * amount(order["shipping_amount"]) / amount(order["shipping_incl_tax"]))


def _check_money(order: Row, lines: list[Row], chosen: Mapping[int, Decimal], extras: Extras) -> None:
    if extras.shipping is not None and extras.shipping > shipping_left(order):
        text = "Maximum shipping amount allowed to refund is: %1"
        raise MagentoError(text, [str(plain(shipping_left(order)))])
    grand = _amounts(order, _sums(lines, chosen), extras)["grand_total"]
    if grand > _left(order):
        raise _too_much(order)


def _left(order: Row) -> Decimal:
    return amount(order.get("total_paid")) - amount(order.get("total_refunded"))


def _too_much(order: Row) -> MagentoError:
    return document("Creditmemo", f"The most money available to refund is {plain(_left(order))}.")


def _shares(line: Row, quantity: Decimal) -> dict[str, Decimal]:
    return {
        name: portion(
            amount(line[name]),
            quantity=quantity,
            of=amount(line["qty_ordered"]),
            done_quantity=amount(line["qty_refunded"]),
            done=amount(line.get(kept)),
        )
        for name, kept in SHARED.items()
        if line.get(name) is not None
    }


def _sums(lines: list[Row], chosen: Mapping[int, Decimal]) -> dict[str, Decimal]:
    sums = dict.fromkeys(SHARED, ZERO)
    for line in money_lines(lines):
        if line["item_id"] in chosen:
            for name, share in _shares(line, chosen[line["item_id"]]).items():
                sums[name] += share
    return sums


def _amounts(order: Row, sums: Mapping[str, Decimal], extras: Extras) -> dict[str, Decimal]:
    shipping = extras.shipping if extras.shipping is not None else shipping_left(order)
    whole, whole_tax = amount(order.get("shipping_amount")), amount(order.get("shipping_tax_amount"))
    shipping_tax = ZERO
    if shipping:
        last = shipping == shipping_left(order)
        shipping_tax = (
            whole_tax - amount(order.get("_shipping_tax_refunded")) if last else cents(whole_tax * shipping / whole)
        )
    tax = sums["tax_amount"] + shipping_tax
    compensation = sums["discount_tax_compensation_amount"]
    adjustment = extras.positive - extras.negative
    return {
        "subtotal": sums["row_total"],
        "subtotal_incl_tax": sums["row_total_incl_tax"],
        "tax_amount": tax,
        "discount_amount": -sums["discount_amount"],
        "discount_tax_compensation_amount": compensation,
        "shipping_amount": shipping,
        "shipping_incl_tax": shipping + shipping_tax,
        "shipping_tax_amount": shipping_tax,
        "adjustment": adjustment,
        "adjustment_positive": extras.positive,
        "adjustment_negative": extras.negative,
        "grand_total": sums["row_total"] - sums["discount_amount"] + compensation + tax + shipping + adjustment,
    }


def add_creditmemo(store: Store, order: Row, chosen: Mapping[int, Decimal], extras: Extras, *, at: str) -> Row:
    """Keep a credit memo of these quantities by line, and move lines and order on; shelves are not touched."""
    lines, rate = lines_of(store, order), rate_of(order)
    amounts = _amounts(order, _sums(lines, chosen), extras)
    memo = store.creditmemos.add(
        {
            "increment_id": f"{store.next('creditmemo number'):09d}",
            "order_id": order["entity_id"],
            "store_id": order["store_id"],
            "state": REFUNDED,
            "created_at": at,
            "updated_at": at,
            "billing_address_id": order["billing_address_id"],
            **{name: order[name] for name in order if name.endswith("currency_code")},
            "base_to_order_rate": order["base_to_order_rate"],
            "_items": [],
            "_comments": [],
        }
    )
    put_money(memo, amounts, rate=rate)
    with changing(order, now=at):
        for line in lines:
            if line["item_id"] in chosen:
                _refunded(store, memo, line, chosen[line["item_id"]], rate=rate, at=at)
        _book(order, amounts, rate=rate)
        settle(store, order)
    return memo


def _refunded(store: Store, memo: Row, line: Row, quantity: Decimal, *, rate: Decimal, at: str) -> None:
    shares = _shares(line, quantity)
    kept = {SHARED[name]: share for name, share in shares.items() if not SHARED[name].startswith("_")}
    add_money(line, kept, rate=rate)
    line["_row_incl_refunded"] = amount(line.get("_row_incl_refunded")) + shares.get("row_total_incl_tax", ZERO)
    line["qty_refunded"] = amount(line["qty_refunded"]) + quantity
    line["updated_at"] = at
    item = {
        "entity_id": store.next("creditmemo item"),
        "parent_id": memo["entity_id"],
        "order_item_id": line["item_id"],
        "product_id": line["product_id"],
        "sku": line["sku"],
        "name": line["name"],
        "qty": quantity,
    }
    prices = {name: amount(line[name]) for name in ("price", "price_incl_tax") if line.get(name) is not None}
    put_money(item, {**prices, **(shares if "price_incl_tax" in prices else {})}, rate=rate)
    memo["_items"].append(item)


def _book(order: Row, amounts: Mapping[str, Decimal], *, rate: Decimal) -> None:
    booked = {
        "total_refunded": amounts["grand_total"],
        "total_offline_refunded": amounts["grand_total"],
        "subtotal_refunded": amounts["subtotal"],
        "tax_refunded": amounts["tax_amount"],
        "discount_refunded": amounts["discount_amount"],
        "shipping_refunded": amounts["shipping_amount"],
    }
    for name in ("adjustment_positive", "adjustment_negative"):
        if amounts[name]:
            booked[name] = amounts[name]
    add_money(order, booked, rate=rate)
    order["_shipping_tax_refunded"] = amount(order.get("_shipping_tax_refunded")) + amounts["shipping_tax_amount"]


def _return_goods(
    store: Store, order: Row, lines: list[Row], chosen: Mapping[int, Decimal], back: set[int]
) -> dict[str, Decimal]:
    """Put shipped goods back where asked, and say by SKU what was never shipped and is no longer reserved."""
    released: dict[str, Decimal] = {}
    shipments = store.shipments.of("order_id", order["entity_id"])
    source = shipments[0]["_source"] if shipments and shipments[0]["_source"] else DEFAULT_SOURCE
    for line in top_lines(lines):
        quantity = chosen.get(line["item_id"], ZERO)
        if line["is_virtual"] or not quantity:
            continue
        unshipped = min(quantity, to_ship(line))
        for sku, each in leaves(lines, line, unshipped).items():
            released[sku] = released.get(sku, ZERO) + each
        if line["item_id"] in back:
            for sku, each in leaves(lines, line, quantity - unshipped).items():
                held = source_item(store, sku, source)
                put_source_item(store, sku, source, quantity=amount((held or {}).get("quantity")) + each, status=1)
    return released
