"""Placing an order, as a shopper would: SKUs, quantities, an account or none, a coupon.

Belongs here: the order's row with its addresses and payment, its lines, and the reservations of what was
bought. Source: Magento API contract 6.2, 6.3, 11.1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from stokly_sync.sandbox.magento.baskets import Wanted, lines_for, money_of, totals
from stokly_sync.sandbox.magento.errors import MagentoError
from stokly_sync.sandbox.magento.figures import ZERO, Row, amount, put_money
from stokly_sync.sandbox.magento.orders import leaves, lines_of, money_lines, set_state, top_lines
from stokly_sync.sandbox.magento.stock import salable, selling_stock
from stokly_sync.sandbox.magento.store import Store

if TYPE_CHECKING:
    from stokly_sync.sandbox.magento.system import MagentoSandbox

STORE_NAME = "Main Website\nMain Website Store\nDefault Store View"
PAYMENTS = {"checkmo": "Check / Money order", "free": "No Payment Information Required", "cashondelivery": "Cash"}


class BasketLine(msgspec.Struct, forbid_unknown_fields=True):
    """So many of an SKU: a variant's own SKU, or that of a bundle as it is offered."""

    sku: str
    quantity: Decimal = Decimal(1)


class Basket(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What is bought and by whom: the account `customer_id`, else a guest with `email`.

    `address` replaces members of the addresses; `paid` captures an invoice at once, as a gateway does;
    `ignore_stock` sells what is not there.
    """

    lines: list[BasketLine]
    customer_id: int | None = None
    email: str = "guest@example.com"
    coupon: str | None = None
    payment: str = "checkmo"
    paid: bool = False
    shipping_method: str = "flatrate_flatrate"
    address: dict[str, Any] = {}
    ignore_stock: bool = False


@dataclass(frozen=True)
class Buyer:
    """Who an order is for."""

    email: str | None
    firstname: str
    lastname: str
    customer_id: int | None = None
    group_id: int = 0


def place_order(system: "MagentoSandbox", basket: Basket) -> Row:
    """Make an order as the shop's checkout would and reserve what was bought.

    Raises:
        MagentoError: if there is no such product, customer or coupon, or too little of a product is left.
    """
    store, switches = system.store, system.switches
    money = money_of(switches, basket.coupon)
    groups: list[list[Row]] = []
    for line in basket.lines:
        groups += lines_for(store, Wanted(line.sku, line.quantity), money)
    if not groups:
        raise MagentoError("An order needs at least one line.")
    virtual = all(group[0]["is_virtual"] for group in groups)
    kept = add_order(store, _basket_row(system, basket, virtual=virtual), groups)
    lines = lines_of(store, kept)
    if not basket.ignore_stock:
        try:
            _check_stock(store, lines, threshold=switches.out_of_stock_threshold)
        except MagentoError:
            _forget(store, kept, lines)
            raise
    put_money(
        kept,
        totals(money_lines(lines), shipping=ZERO if virtual else switches.shipping, money=money),
        rate=Decimal(1),
    )
    reserve(store, kept, lines)
    note_payment(kept)
    system.touch()
    return kept


def _basket_row(system: "MagentoSandbox", basket: Basket, *, virtual: bool) -> Row:
    store, switches = system.store, system.switches
    buyer = _buyer(store, basket)
    order = order_row(
        store,
        buyer=buyer,
        at=system.now(),
        currency=(switches.currency, switches.currency, Decimal(1)),
        virtual=virtual,
        address={**_address(store, buyer), **basket.address},
        shipping=(basket.shipping_method, switches.shipping_title),
        payment=basket.payment,
    )
    if basket.coupon is not None:
        order.update(coupon_code=basket.coupon, discount_description=basket.coupon, applied_rule_ids="1")
    return order


def order_row(
    store: Store,
    *,
    buyer: Buyer,
    at: str,
    currency: tuple[str, str, Decimal],
    virtual: bool,
    address: Row,
    shipping: tuple[str, str],
    payment: str,
    increment_id: str | None = None,
) -> Row:
    """The row of a new order without amounts; `currency` is (order's, base, order by base)."""
    method, title = shipping
    row: Row = {
        "increment_id": increment_id or f"{store.next('order number'):09d}",
        "created_at": at,
        "updated_at": at,
        "store_id": 1,
        "store_name": STORE_NAME,
        **_buyer_columns(buyer),
        "remote_ip": "192.0.2.1",
        "protect_code": f"{store.next('protect code'):032x}",
        "quote_id": store.next("quote"),
        "is_virtual": int(virtual),
        **_currency_columns(*currency),
        "billing_address_id": store.next("address"),
        "email_sent": 1,
        "shipping_description": None if virtual else title,
        "_method": method,
        "_payment_title": PAYMENTS.get(payment, payment),
        "_payment": {"method": payment, "additional_information": [PAYMENTS.get(payment, payment)]},
        "_comments": [],
    }
    own = {**address, "firstname": buyer.firstname, "lastname": buyer.lastname, "email": buyer.email}
    row["_billing"] = {"address_type": "billing", **own}
    row["_shipping"] = None if virtual else {"address_type": "shipping", **own}
    set_state(row, "new")
    return row


def _buyer_columns(buyer: Buyer) -> Row:
    return {
        "customer_is_guest": int(buyer.customer_id is None),
        "customer_id": buyer.customer_id,
        "customer_email": buyer.email,
        "customer_firstname": buyer.firstname,
        "customer_lastname": buyer.lastname,
        "customer_group_id": buyer.group_id,
        "customer_note_notify": 1,
    }


def _currency_columns(code: str, base: str, rate: Decimal) -> Row:
    return {
        "order_currency_code": code,
        **dict.fromkeys(("base_currency_code", "store_currency_code", "global_currency_code"), base),
        "base_to_order_rate": rate,
        "base_to_global_rate": 1,
        # As the wire has them, whatever the documentation says (section 14).
        "store_to_base_rate": 0,
        "store_to_order_rate": 0,
    }


def add_order(store: Store, order: Row, groups: Sequence[Sequence[Row]]) -> Row:
    """Keep an order with its lines and their counts; the amounts of the order are put on it afterwards."""
    kept = store.orders.add(order)
    for group in groups:
        head: Row | None = None
        for line in group:
            row = {
                **line,
                "order_id": kept["entity_id"],
                "store_id": 1,
                "quote_item_id": store.next("quote item"),
                "created_at": kept["created_at"],
                "updated_at": kept["created_at"],
                "parent_item_id": head["item_id"] if head is not None else None,
            }
            added = store.order_items.add(row)
            head = head or added
    tops = top_lines(lines_of(store, kept))
    kept["total_item_count"] = len(tops)
    kept["total_qty_ordered"] = sum((amount(line["qty_ordered"]) for line in tops), ZERO)
    kept["weight"] = sum((amount(line["row_weight"]) for line in tops), ZERO)
    for number, name in enumerate(("_billing", "_shipping")):
        if kept[name] is not None:
            entity = kept["billing_address_id"] if number == 0 else store.next("address")
            kept[name] = {"entity_id": entity, "parent_id": kept["entity_id"], **kept[name]}
    return kept


def note_payment(order: Row) -> None:
    """Let the order's payment know what is owed, once the order's amounts are on it."""
    base = order["base_grand_total"]
    order["_payment"].update(
        amount_ordered=order["grand_total"],
        base_amount_ordered=base,
        shipping_amount=order["shipping_amount"],
        base_shipping_amount=order["base_shipping_amount"],
        account_status=None,
        cc_last4=None,
        entity_id=order["entity_id"],
        parent_id=order["entity_id"],
    )


def reserve(store: Store, order: Row, lines: Sequence[Row], *, sign: int = -1, event: str = "order_placed") -> None:
    """Reserve (or, with `sign` 1, release) what the open lines of an order will take from the shelves."""
    stock_id = selling_stock(store)
    for sku, quantity in needed(list(lines)).items():
        store.reserve(stock_id, sku, sign * quantity, event=event, order_id=order["entity_id"])


def needed(lines: list[Row]) -> dict[str, Decimal]:
    """What an order takes, by SKU: variants and parts, and virtual goods too."""
    found: dict[str, Decimal] = {}
    for line in top_lines(lines):
        quantity = amount(line["qty_ordered"])
        taken = leaves(lines, line, quantity) if not line["is_virtual"] else {line["sku"]: quantity}
        for sku, each in taken.items():
            found[sku] = found.get(sku, ZERO) + each
    return found


def _check_stock(store: Store, lines: list[Row], *, threshold: Decimal) -> None:
    stock_id = selling_stock(store)
    for sku, quantity in needed(lines).items():
        left = salable(store, stock_id, sku, threshold=threshold)
        if left < quantity:
            raise MagentoError(f"The requested qty is not available: {quantity} of {sku} wanted, {left} left.")


def _forget(store: Store, order: Row, lines: list[Row]) -> None:
    for line in lines:
        store.order_items.remove(line)
    store.orders.remove(order)


def _buyer(store: Store, basket: Basket) -> Buyer:
    if basket.customer_id is None:
        return Buyer(email=basket.email, firstname="Guest", lastname="Shopper")
    customer = store.customers.get(basket.customer_id)
    if customer is None:
        raise MagentoError(f"The sandbox has no customer {basket.customer_id}.", status=404)
    return Buyer(
        email=customer["email"],
        firstname=customer["firstname"],
        lastname=customer["lastname"],
        customer_id=customer["id"],
        group_id=customer["group_id"],
    )


def _address(store: Store, buyer: Buyer) -> Row:
    standard: Row = {
        "street": ["1 Sample Street"],
        "city": "Leeds",
        "postcode": "LS1 0AA",
        "country_id": "GB",
        "telephone": "01632 960001",
    }
    customer = store.customers.get(buyer.customer_id) if buyer.customer_id is not None else None
    if customer is None or not customer["addresses"]:
        return standard
    own = customer["addresses"][0]
    names = ("street", "city", "postcode", "country_id", "telephone", "company", "vat_id")
    return {**standard, **{name: own[name] for name in names if own.get(name)}}
