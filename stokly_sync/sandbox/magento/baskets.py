"""What a shopper puts into a basket, turned into the lines and totals of an order.

Belongs here: the arithmetic of a new order: tax inside or on top of the catalogue's price, a percentage off
with its tax compensation, and the line patterns of each kind of product. Whole rows are rounded, half up;
the page leaves the shop's method of rounding open. Source: Magento API contract 6.2, 6.3.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from stokly_sync.sandbox.magento.errors import MagentoError
from stokly_sync.sandbox.magento.figures import HUNDRED, ZERO, Row, amount, cents, put_money
from stokly_sync.sandbox.magento.products import bundle_links, find_product, gross_price, is_dynamic, parent_of
from stokly_sync.sandbox.magento.store import Store
from stokly_sync.sandbox.magento.switches import MagentoSwitches

ONE = Decimal(1)


@dataclass(frozen=True)
class Wanted:
    """So many of an SKU."""

    sku: str
    quantity: Decimal


@dataclass(frozen=True)
class Money:
    """How a shop counts: tax in per cent, whether prices include it, and per cent off for a coupon."""

    tax: Decimal
    included: bool
    off: Decimal

    def of(self, price: Decimal, quantity: Decimal) -> dict[str, Decimal]:
        """The amounts of a row of so many pieces at a catalogue price."""
        rate = self.tax / HUNDRED
        listed = cents(price * quantity)
        discount = cents(listed * self.off / HUNDRED)
        if self.included:
            before = cents(listed * rate / (1 + rate))
            net = listed - before
            tax = cents((listed - discount) * rate / (1 + rate))
        else:
            net, before = listed, cents((listed - discount) * rate)
            tax = before
        return {
            "price": cents(net / quantity) if quantity else ZERO,
            "price_incl_tax": cents((net + before) / quantity) if quantity else ZERO,
            "original_price": price,
            "row_total": net,
            "row_total_incl_tax": net + before,
            "tax_amount": tax,
            "discount_amount": discount,
            "discount_tax_compensation_amount": before - tax,
        }


def money_of(switches: MagentoSwitches, coupon: str | None) -> Money:
    """How the shop counts for a basket with this coupon.

    Raises:
        MagentoError: 400 if there is no such coupon.
    """
    if coupon is not None and coupon not in switches.coupons:
        raise MagentoError("The coupon code isn't valid. Verify the code and try again.", status=404)
    off = switches.coupons[coupon] if coupon is not None else ZERO
    return Money(tax=switches.tax_percent, included=switches.prices_include_tax, off=off)


def blank_line(product: Row, quantity: Decimal, *, kind: str, **more: Any) -> Row:
    """A line without money."""
    return {
        "parent_item_id": None,
        "product_id": product["id"],
        "product_type": kind,
        "sku": product["sku"],
        "name": product["name"],
        "qty_ordered": quantity,
        **dict.fromkeys(("qty_invoiced", "qty_shipped", "qty_refunded", "qty_canceled"), ZERO),
        "is_qty_decimal": 0,
        "is_virtual": int(kind == "virtual"),
        "no_discount": 0,
        "free_shipping": 0,
        "weight": amount(product.get("weight")),
        "row_weight": amount(product.get("weight")) * quantity,
        "_option": None,
        "_dynamic": False,
        "_apart": False,
        **more,
    }


def with_money(line: Row, amounts: dict[str, Decimal], money: Money, *, rate: Decimal = ONE) -> Row:
    """A line with its amounts, and nothing invoiced or refunded yet."""
    put_money(line, amounts, rate=rate)
    nothing = ("amount_refunded", "row_invoiced", "tax_invoiced", "discount_invoiced")
    put_money(line, dict.fromkeys(nothing, ZERO), rate=rate)
    line["tax_percent"], line["discount_percent"] = money.tax, money.off if amounts["discount_amount"] else ZERO
    return line


def without_money(line: Row) -> Row:
    """A child whose money is on its parent: price 0, no `price_incl_tax`, no `tax_percent` (section 6.3)."""
    names = (
        "price",
        "original_price",
        "row_total",
        "tax_amount",
        "discount_amount",
        "discount_tax_compensation_amount",
    )
    put_money(line, dict.fromkeys((*names, "amount_refunded", "row_invoiced"), ZERO), rate=ONE)
    return line


def lines_for(store: Store, wanted: Wanted, money: Money) -> list[list[Row]]:
    """The lines of one choice: each inner list is a parent with its children.

    Raises:
        MagentoError: 404 if there is no such product.
    """
    product = find_product(store, wanted.sku)
    if product is None:
        raise MagentoError(f"The sandbox sells nothing of SKU {wanted.sku!r}.", status=404)
    price = gross_price(store, product)
    if product["type_id"] == "bundle":
        return [_bundle(store, product, wanted.quantity, money)]
    parent = parent_of(store, product)
    if parent is None:
        line = blank_line(product, wanted.quantity, kind=product["type_id"])
        return [[with_money(line, money.of(price, wanted.quantity), money)]]
    options = [
        {"option_id": str(row.get("attribute_id", number)), "option_value": product["id"]}
        for number, row in enumerate(parent["_options"], start=1)
    ]
    option = {"extension_attributes": {"configurable_item_options": options}}
    head = blank_line(parent, wanted.quantity, kind="configurable", sku=product["sku"], _option=option)
    child = blank_line(product, wanted.quantity, kind="simple")
    return [[with_money(head, money.of(price, wanted.quantity), money), without_money(child)]]


def _bundle(store: Store, product: Row, quantity: Decimal, money: Money) -> list[Row]:
    links = bundle_links(product)
    found = [(find_product(store, link["sku"]), amount(link["qty"])) for link in links]
    parts = [(part, each) for part, each in found if part is not None]
    dynamic, apart = is_dynamic(product), str(product["_custom"].get("shipment_type", "0")) == "1"
    composed = str(product["_custom"].get("sku_type", "0")) == "0"
    sku = "-".join([product["sku"], *(part["sku"] for part, _ in parts)]) if composed else product["sku"]
    head = blank_line(product, quantity, kind="bundle", sku=sku, _dynamic=dynamic, _apart=apart)
    head["_option"] = {"extension_attributes": {"bundle_options": _chosen(product)}}
    children = [blank_line(part, quantity * each, kind="simple") for part, each in parts]
    if not dynamic:
        price = gross_price(store, product)
        return [with_money(head, money.of(price, quantity), money), *map(without_money, children)]
    for child, (part, _) in zip(children, parts, strict=True):
        with_money(child, money.of(gross_price(store, part), child["qty_ordered"]), money)
    names = ("row_total", "row_total_incl_tax", "tax_amount")
    sums = {name: sum((child[name] for child in children), ZERO) for name in names}
    for name, row in (("price", "row_total"), ("price_incl_tax", "row_total_incl_tax")):
        sums[name] = cents(sums[row] / quantity)
    sums.update(original_price=sums["price_incl_tax"], discount_amount=ZERO, discount_tax_compensation_amount=ZERO)
    return [with_money(head, sums, money), *children]


def _chosen(product: Row) -> list[Row]:
    return [
        {"option_id": option["option_id"], "option_qty": 1, "option_selections": [option["product_links"][0]["id"]]}
        for option in product["_options"]
        if option["product_links"]
    ]


def totals(lines: Sequence[Row], *, shipping: Decimal, money: Money) -> dict[str, Decimal]:
    """The amounts of an order from its money lines and a flat rate for shipping (section 6.2)."""
    rate = money.tax / HUNDRED
    shipping_tax = cents(shipping * rate / (1 + rate)) if money.included else cents(shipping * rate)
    shipping_net = shipping - shipping_tax if money.included else shipping
    summed = {
        name: sum((amount(line[name]) for line in lines), ZERO)
        for name in ("row_total", "row_total_incl_tax", "tax_amount", "discount_amount")
    }
    compensation = sum((amount(line["discount_tax_compensation_amount"]) for line in lines), ZERO)
    tax = summed["tax_amount"] + shipping_tax
    grand = summed["row_total"] + shipping_net + tax - summed["discount_amount"] + compensation
    return {
        "subtotal": summed["row_total"],
        "subtotal_incl_tax": summed["row_total_incl_tax"],
        "discount_amount": -summed["discount_amount"],
        "tax_amount": tax,
        "discount_tax_compensation_amount": compensation,
        "shipping_amount": shipping_net,
        "shipping_incl_tax": shipping_net + shipping_tax,
        "shipping_tax_amount": shipping_tax,
        "shipping_discount_amount": ZERO,
        "shipping_discount_tax_compensation_amount": ZERO,
        "grand_total": grand,
        "total_due": grand,
    }
