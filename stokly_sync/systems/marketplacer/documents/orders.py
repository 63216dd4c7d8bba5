"""Invoices as orders: one seller's part of a purchase, with its lines (P3). Source: Marketplacer API contract 4.1.

An invoice carries several status flags at once, so states are told by membership. What was shipped, cancelled and given
back of a line comes from the invoice's shipments and amendments: an amendment of goods that had not left is a
cancellation. An order whose amounts do not add up is landed as it is: whoever loads it into Stokly asks for more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from stokly_sync.contracts.channels import MARKETPLACER, ORDERS
from stokly_sync.flow import Json, Received, Rows
from stokly_sync.systems.marketplacer import rules
from stokly_sync.systems.marketplacer.documents.amounts import Unreadable, pence, whole_number
from stokly_sync.systems.marketplacer.documents.pricing import Policy, Priced, priced
from stokly_sync.systems.marketplacer.documents.tables import Made, moment, nanos, rows_of
from stokly_sync.systems.marketplacer.settings import MarketplacerSettings

DATASET: Final = ORDERS[MARKETPLACER]
LINES: Final = f"{MARKETPLACER}.order_lines"
ENDED: Final = frozenset({"shipped", "cancelled", "refunded"})


def order_rows(documents: Sequence[Received], requested_at: datetime, *, settings: MarketplacerSettings) -> Rows:
    """Rows of `marketplacer.orders` and `marketplacer.order_lines`; nano units of the instance's currency. Pure."""
    return rows_of(DATASET, [_order(document, settings) for document in documents], requested_at)


def _order(node: Received, settings: MarketplacerSettings) -> Made:
    try:
        return _made(node, settings)
    except Unreadable as error:
        return unreadable(DATASET.key, node, error)


def unreadable(key: str, node: Received, error: Unreadable) -> Made:
    """A document that is kept out, with the contract's rule that it breaks."""
    rule = rules.TIME if error.time else rules.MONEY if error.money else rules.MEMBER_TYPE
    return Made({key: str(node.get("id"))}, problems=[(rule.code, str(error))])


def _made(node: Received, settings: MarketplacerSettings) -> Made:
    found = priced(node, Policy(settings.amounts, settings.tax_rate))
    if found is None:
        raise Unreadable("the marketplace does not say what its lines cost", money=True)
    lines, postage = found
    flags = {str(flag) for flag in node.get("statusFlags") or ()}
    moved = _moved(node)
    total = pence(node, "total")
    state = state_of(
        flags, paid=bool(node.get("paidAt")), total=total or 0, given_back=moved.amount, sent=bool(moved.shipped)
    )
    rows = [
        _line(str(node.get("id")), place, line, price, moved, state, settings)
        for place, (line, price) in enumerate(zip(node.get("lineItems") or (), lines, strict=True))
    ]
    tax = whole_number(node.get("tax"), "tax")
    if tax is None and all(one.tax is not None for one in (*lines, *([postage] if postage.gross else []))):
        tax = sum(one.tax or 0 for one in (*lines, postage))
    paid_at, created_at = moment(node.get("paidAt"), "paidAt"), moment(node.get("createdAt"), "createdAt")
    root = {
        **_who(node, settings),
        "state": state,
        "status": ", ".join(sorted(flags)) or None,
        "shipping_method": node.get("deliveryType"),
        "currency": settings.currency,
        "subtotal": sum(row["line_price"] for row in rows),
        "discount": nanos(sum(line.discount for line in lines)),
        "tax": nanos(tax),
        "shipping": nanos(postage.net),
        "shipping_tax": nanos(postage.tax),
        "total": nanos(total),
        "amount_paid": nanos(total if "PAID" in flags or paid_at else 0),
        "amount_invoiced": nanos(total),
        "amount_refunded": nanos(moved.amount),
        "commission": nanos(pence(node, "commissionAmount")),
        "commission_tax": nanos(pence(node, "commissionAmountTax")),
        "line_count": len(rows),
        "lines_total": sum(row["line_total"] for row in rows),
        # The time of payment is the order's time. Source: contract 4.1.
        "placed_at": paid_at or created_at,
        "paid_at": paid_at,
        "updated_at": moment(node.get("updated_at"), "updatedAt"),
        "live": True,
    }
    return Made(root, {LINES: rows})


def state_of(flags: set[str], *, paid: bool, total: int, given_back: int, sent: bool) -> str:
    """The state that several flags at once add up to; amounts in pence. Source: contract 4.1 (status flags)."""
    all_back = given_back >= total > 0 or (given_back == 0 and "REFUNDED" in flags)
    if "CANCELLED" in flags:
        return "cancelled"
    if "REFUNDED" in flags and all_back:
        return "refunded" if sent or flags & {"SENT", "PARTIALLY_SENT", "COLLECTED"} else "cancelled"
    if flags & {"SENT", "COLLECTED"}:
        return "shipped"
    if "PARTIALLY_SENT" in flags:
        return "part_shipped"
    if "PAYMENT_UNDER_REVIEW" in flags:
        return "held"
    return "open" if paid or "PAID" in flags else "pending"


class _Moved:
    """Units of each line that were shipped, cancelled and given back, and the pence that were given back."""

    def __init__(self) -> None:
        self.shipped: Counter[str] = Counter()
        self.cancelled: Counter[str] = Counter()
        self.refunded: Counter[str] = Counter()
        self.amount = 0


def _moved(node: Received) -> _Moved:
    moved = _Moved()
    for shipment in node.get("shipments") or ():
        for item in shipment.get("shippedItems") or ():
            moved.shipped[_id_of(item.get("lineItem"))] += whole_number(item.get("quantity"), "quantity") or 0
    for amendment in node.get("amendments") or ():
        for item in amendment.get("lineItems") or ():
            moved.amount -= pence(item, "total") or 0
            if item.get("lineItem"):
                units = moved.refunded if item.get("dispatched") else moved.cancelled
                units[_id_of(item["lineItem"])] += whole_number(item.get("quantity"), "quantity") or 0
    return moved


def _id_of(node: Any) -> str:
    return str(node.get("id")) if isinstance(node, Mapping) else ""


def _line(
    order: str, place: int, node: Json, price: Priced, moved: _Moved, state: str, settings: MarketplacerSettings
) -> Json:
    key, units = _id_of(node), whole_number(node.get("quantity"), "quantity")
    gone = units if node.get("status") == "CANCELLED" else moved.cancelled[key]
    return {
        "order_id": order,
        "line_id": key,
        "position": place,
        "sku": node.get("variantSku"),
        "name": " ".join(str(node[n]) for n in ("advertTitle", "variantName") if node.get(n)) or None,
        "quantity": units,
        "quantity_cancelled": gone,
        "quantity_shipped": moved.shipped[key],
        "quantity_refunded": moved.refunded[key],
        "line_price": nanos(price.net),
        "line_discount": nanos(price.discount),
        "line_tax": nanos(price.tax),
        "line_total": nanos(price.gross),
        "tax_rate": None if settings.tax_rate is None else int(settings.tax_rate.scaleb(9)),
        "commission": nanos(pence(node, "commissionAmount")),
        "commission_tax": nanos(pence(node, "commissionAmountTax")),
        "virtual": False,
        "open": state not in ENDED,
    }


def _who(node: Received, settings: MarketplacerSettings) -> Json:
    """Ids, the buyer and the addresses."""
    name = " ".join(str(node[n]) for n in ("buyerFirstName", "buyerSurname") if node.get(n)) or None
    order, seller = node.get("order") or {}, node.get("seller") or {}
    legacy = node.get("legacyId")
    if legacy is None or not node.get("id"):
        raise Unreadable("id or legacyId is missing")
    found: Json = {
        "order_id": str(node["id"]),
        "number": str(legacy),
        "parent_number": _text(order.get("legacyId")),
        "store": _text(seller.get("id")),
        "customer_email": _text(node.get("buyerEmailAddress")),
        "customer_forename": _text(node.get("buyerFirstName")),
        "customer_surname": _text(node.get("buyerSurname")),
        "customer_phone": _text(node.get("buyerPhone")),
    }
    for kind, member in (("billing", "buyerBillingAddress"), ("shipping", "shippingAddress")):
        found |= _address(kind, node.get(member), name, _text(node.get("buyerPhone")), settings.country)
    return found


def _address(kind: str, node: Any, name: str | None, phone: str | None, country: str | None) -> Json:
    if not isinstance(node, Mapping):
        return {}
    parts = [part.strip() for part in str(node.get("address") or "").splitlines() if part.strip()]
    return {
        f"{kind}_name": name,
        f"{kind}_line1": parts[0] if parts else None,
        f"{kind}_line2": ", ".join(parts[1:]) or None,
        f"{kind}_city": _text(node.get("city")),
        f"{kind}_region": _text((node.get("state") or {}).get("short")),
        f"{kind}_postcode": _text(node.get("postcode")),
        f"{kind}_country": _text(node.get("country")) or country,
        f"{kind}_phone": phone,
    }


def _text(value: Any) -> str | None:
    text = "" if value is None else str(value).strip()
    return text or None
