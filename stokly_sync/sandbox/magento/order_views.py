"""Orders and their lines as JSON.

Belongs here: what the wire shows that no column is: addresses inside `extension_attributes`, the four
amounts of a line after discount, parents repeated inside children. Source: Magento API contract 6.2, 6.3.
"""

from decimal import Decimal
from typing import Any

from stokly_sync.sandbox.magento.figures import ZERO, Row, amount, shown
from stokly_sync.sandbox.magento.orders import lines_of
from stokly_sync.sandbox.magento.store import Store


def order_view(store: Store, order: Row) -> Row:
    """An order's JSON, whole."""
    lines = lines_of(store, order)
    items = [line_view(line, lines) for line in lines]
    view = {**shown(order), "items": items, "billing_address": shown(order["_billing"])}
    view["payment"] = order["_payment"]
    view["status_histories"] = comments(order)
    view["extension_attributes"] = {
        "shipping_assignments": _assignments(order, items),
        "payment_additional_info": [{"key": "method_title", "value": order["_payment_title"]}],
        "applied_taxes": _applied_taxes(order, lines),
        "item_applied_taxes": [],
        "converting_from_quote": True,
        "taxes": [],
        "additional_itemized_taxes": [],
    }
    if order.get("coupon_code"):
        view["extension_attributes"]["coupon_codes"] = [order["coupon_code"]]
        view["extension_attributes"]["coupon_discounts"] = [abs(amount(order["discount_amount"]))]
    return view


def comments(order: Row) -> list[Row]:
    """The order's comments, newest first."""
    return [{"comment": None, **shown(row)} for row in reversed(order["_comments"])]


def _assignments(order: Row, items: list[Row]) -> list[Row]:
    shipping: Row = {"total": _shipping_total(order)}
    if order["_shipping"] is not None:
        shipping = {"address": shown(order["_shipping"]), "method": order["_method"], **shipping}
    return [{"shipping": shipping, "items": items}]


def _shipping_total(order: Row) -> Row:
    names = ("shipping_amount", "shipping_incl_tax", "shipping_tax_amount", "shipping_discount_amount")
    both = [*names, *(f"base_{name}" for name in names)]
    return {name: order[name] for name in both if order.get(name) is not None}


def _applied_taxes(order: Row, lines: list[Row]) -> list[Row]:
    percents = {amount(line["tax_percent"]) for line in lines if line.get("tax_percent")}
    tax = amount(order["tax_amount"])
    return [
        {"code": f"VAT {percent.normalize():f}", "title": "VAT", "percent": percent, "amount": tax, "base_amount": tax}
        for percent in sorted(percents)[:1]
    ]


def line_view(line: Row, lines: list[Row]) -> Row:
    """A line's JSON; a child carries its whole parent."""
    view = {**shown(line), **_after_discount(line)}
    if line["_option"] is not None:
        view["product_option"] = line["_option"]
    parent = next((other for other in lines if other["item_id"] == line["parent_item_id"]), None)
    if parent is not None:
        view["parent_item"] = line_view(parent, lines)
    return view


def _after_discount(line: Row) -> dict[str, Any]:
    """`row_total` and its three kin are shown after discount, not below zero (section 6.3)."""
    found: dict[str, Any] = {}
    for prefix in ("", "base_"):
        held = {
            name: amount(line.get(prefix + name))
            for name in ("row_total", "discount_amount", "tax_amount", "discount_tax_compensation_amount")
        }
        net = held["row_total"]
        gross = net + held["tax_amount"] + held["discount_tax_compensation_amount"]
        if line.get(f"{prefix}row_total") is not None:
            found[f"{prefix}row_total"] = _floored(net - held["discount_amount"])
        if line.get(f"{prefix}row_total_incl_tax") is not None:
            found[f"{prefix}row_total_incl_tax"] = _floored(gross - held["discount_amount"])
    return found


def _floored(value: Decimal) -> Decimal:
    return max(value, ZERO)
