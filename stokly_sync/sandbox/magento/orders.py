"""Orders as state: what may still be done to one, and what follows when something was.

Belongs here: open quantities, the movement of states, and the rule that decides whether `updated_at` moves:
the order's row is saved, and stamped, only if one of its own columns changed.
Source: Magento API contract 6.1, 6.3, 6.4.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from stokly_sync.sandbox.magento.errors import no_entity
from stokly_sync.sandbox.magento.figures import ZERO, Row, amount
from stokly_sync.sandbox.magento.store import Store

STATUS_OF_STATE = {
    "new": ("pending",),
    "pending_payment": ("pending_payment",),
    "payment_review": ("payment_review", "fraud"),
    "processing": ("processing",),
    "complete": ("complete",),
    "closed": ("closed",),
    "canceled": ("canceled",),
    "holded": ("holded",),
}
"""The statuses of each state; the first is its default (section 6.1)."""

ENDED = ("canceled", "closed")


def find_order(store: Store, number: int) -> Row:
    """The order of that entity id.

    Raises:
        MagentoError: 404.
    """
    order = store.orders.get(number)
    if order is None:
        raise no_entity()
    return order


@contextmanager
def changing(order: Row, *, now: str) -> Iterator[None]:
    """Stamp the order if the block changes one of its columns; lines, tracks and comments are none."""
    before = _columns(order)
    yield
    if _columns(order) != before:
        order["updated_at"] = now


def _columns(order: Row) -> Row:
    return {name: value for name, value in order.items() if not name.startswith("_")}


def set_state(order: Row, state: str) -> None:
    """Move an order to a state and its default status."""
    order["state"], order["status"] = state, STATUS_OF_STATE[state][0]


def rate_of(order: Row) -> Decimal:
    """Units of the order's currency for one of the base currency."""
    return amount(order["base_to_order_rate"])


def lines_of(store: Store, order: Row) -> list[Row]:
    """The order's lines, parents before their children."""
    return store.order_items.of("order_id", order["entity_id"])


def top_lines(lines: list[Row]) -> list[Row]:
    """The lines without those that belong to another."""
    return [line for line in lines if line["parent_item_id"] is None]


def children_of(lines: list[Row], parent: Row) -> list[Row]:
    """The lines below a configurable or a bundle."""
    return [line for line in lines if line["parent_item_id"] == parent["item_id"]]


def is_dynamic_line(line: Row) -> bool:
    """Whether this is the parent line of a bundle whose money is on its parts."""
    return line["product_type"] == "bundle" and bool(line["_dynamic"])


def ships_apart(line: Row) -> bool:
    """Whether this is the parent line of a bundle whose parts are shipped separately."""
    return line["product_type"] == "bundle" and bool(line["_apart"])


def money_lines(lines: list[Row]) -> list[Row]:
    """The lines on which money stands once: parents, but the parts of a dynamic bundle (section 6.3)."""
    found: list[Row] = []
    for line in top_lines(lines):
        found += children_of(lines, line) if is_dynamic_line(line) else [line]
    return found


def to_ship(line: Row) -> Decimal:
    """The quantity of a line that may still be shipped."""
    if line["is_virtual"]:
        return ZERO
    gone = max(amount(line["qty_shipped"]), amount(line["qty_refunded"])) + amount(line["qty_canceled"])
    return max(amount(line["qty_ordered"]) - gone, ZERO)


def to_invoice(line: Row) -> Decimal:
    """The quantity of a line that may still be invoiced."""
    gone = amount(line["qty_invoiced"]) + amount(line["qty_canceled"])
    return max(amount(line["qty_ordered"]) - gone, ZERO)


def to_refund(line: Row) -> Decimal:
    """The quantity of a line that may still be refunded."""
    return max(amount(line["qty_invoiced"]) - amount(line["qty_refunded"]), ZERO)


def shippable_lines(lines: list[Row]) -> list[Row]:
    """The lines that a shipment names: parents, but the parts of a bundle that is shipped separately."""
    found: list[Row] = []
    for line in top_lines(lines):
        found += children_of(lines, line) if ships_apart(line) else [line]
    return found


def leaves(lines: list[Row], line: Row, quantity: Decimal) -> dict[str, Decimal]:
    """What leaves a shelf when so much of a line is shipped: quantities by SKU."""
    children = children_of(lines, line)
    if line["product_type"] != "bundle" or not children:
        return {} if line["is_virtual"] else {line["sku"]: quantity}
    found: dict[str, Decimal] = {}
    for child in children:
        each = amount(child["qty_ordered"]) / amount(line["qty_ordered"])
        found[child["sku"]] = found.get(child["sku"], ZERO) + each * quantity
    return found


def can_invoice(order: Row, lines: list[Row]) -> bool:
    """Whether the order still takes an invoice."""
    return order["state"] not in (*ENDED, "holded", "complete") and any(to_invoice(line) for line in money_lines(lines))


def can_ship(order: Row, lines: list[Row]) -> bool:
    """Whether the order still takes a shipment."""
    return order["state"] not in (*ENDED, "holded") and any(to_ship(line) for line in shippable_lines(lines))


def settle(store: Store, order: Row) -> None:
    """Move the order on after an invoice, a shipment or a refund (section 6.1)."""
    lines = lines_of(store, order)
    if order["state"] in (*ENDED, "holded"):
        return
    begun = any(amount(line["qty_invoiced"]) or amount(line["qty_shipped"]) for line in lines)
    if order["state"] in ("new", "pending_payment") and begun:
        set_state(order, "processing")
    if _is_refunded(order, lines):
        set_state(order, "closed")
    elif order["state"] == "processing" and not can_invoice(order, lines) and not can_ship(order, lines):
        set_state(order, "complete")


def _is_refunded(order: Row, lines: list[Row]) -> bool:
    if not amount(order.get("total_refunded")):
        return False
    refundable = money_lines(lines)
    whole = all(
        amount(line["qty_refunded"]) >= amount(line["qty_ordered"]) - amount(line["qty_canceled"])
        for line in refundable
    )
    return whole or amount(order["total_refunded"]) >= amount(order["grand_total"])
