"""Orders of a channel as sale orders in Stokly: complete for fulfilment and VAT, or kept back with what is missing.

Orders that Stokly holds already, by its own word, are held and never made again: whether it imported them itself or we
did. Prices are net after discount; the channel's number is the reference by which the two are known to be one.
Source: Stokly API contract 4.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

import pandas as pd

from stokly_sync.contracts import columns, money
from stokly_sync.flow import Built, Document, Frames, Json, Problem
from stokly_sync.systems.stokly.outgoing.common import (
    Channel,
    Row,
    alive,
    amount,
    begins,
    grouped,
    is_cancelled,
    records,
    stamp,
    told,
    twins,
    unit,
)
from stokly_sync.systems.stokly.outgoing.customers import address_of, name_of, newest_orders

VARIABLE_PARENT = 2
PURCHASES = "purchases"
"""All orders of the customers that the due ones belong to."""


def build_orders(frames: Frames, channel: Channel) -> Built:
    """Sale orders from a channel's orders with their lines, Stokly's items by SKU, and Stokly's orders by number.

    The key is the channel's id of the order. An order that Stokly holds more than once is an exception.
    """
    lines = grouped(records(frames[channel.table("order_lines")]), "order_id")
    items, there = items_by_sku(frames), twins(frames, channel)
    since = begins(frames, channel)
    buyers = newest_orders(records(frames[PURCHASES]), since)
    documents: list[Document] = []
    kept_back: list[Problem] = []
    held: dict[str, str | None] = {}
    for order in records(frames[channel.table("orders")]):
        known, own = there.get(order["number"], []), lines.get(order["order_id"], [])
        if is_cancelled(order):
            detail = f"order {order['number']} is cancelled"
            kept_back.append(Problem(order["order_id"], channel.rules.cancelled.code, detail))
            continue
        if known:
            held[order["order_id"]] = known[0]["order_id"]
            if sum(map(alive, known)) > 1:
                detail = f"order {order['number']} is in Stokly {sum(map(alive, known))} times"
                kept_back.append(Problem(order["order_id"], channel.rules.twice.code, detail))
                continue
        problems = list(_problems(order, own, items, channel, since)) if not known else []
        if problems:
            kept_back += problems
        else:
            documents.append(_document(order, own, items, buyers.get(order["customer_key"]), channel))
    return Built(documents, kept_back, held)


def customer_of_order(frames: Frames, channel: Channel) -> pd.DataFrame:
    """Which customer an order waits for; guests wait for nobody."""
    rows = frames[channel.table("orders")]
    return pd.DataFrame({"key": rows["order_id"], "needs": rows["customer_key"]}).dropna()


def items_by_sku(frames: Frames) -> dict[str, str]:
    """Item ids by exact SKU: live items that can be sold, so no parents of variants."""
    rows = frames["stokly.items"]
    sold = rows[columns.flags(rows["live"]) & (rows["format"].fillna(0) != VARIABLE_PARENT).to_numpy(dtype=bool)]
    return dict(zip(columns.keys(sold["sku"]), columns.keys(sold["item_id"]), strict=True))


def _problems(
    order: Row, lines: list[Row], items: Mapping[str, str], channel: Channel, since: datetime
) -> Iterator[Problem]:
    key, rules = order["order_id"], channel.rules
    if order["placed_at"] < since:
        yield Problem(key, rules.before.code, f"it was placed before {since:%F %R} UTC")
        return
    if order["state"] in ("pending", "held"):
        yield Problem(key, rules.pending.code, f"order {order['number']} is {order['state']}")
        return
    if lacking := _lacking(order, lines):
        detail = f"order {order['number']} lacks {', '.join(lacking)}"
        yield Problem(key, rules.incomplete.code, detail, order["total"], order["currency"])
    yield from _money_problems(order, lines, channel)
    for sku in sorted({line["sku"] or "" for line in lines if line["sku"] not in items}):
        composed = any(line["sku"] == sku and line["kind"] == "bundle" for line in lines)
        rule = (rules.bundle if composed else None) or rules.sku
        yield Problem(key, rule.code, f"SKU {sku or '(none)'}", order["total"], order["currency"])
    yield from _unmapped(order, channel)


def _lacking(order: Row, lines: list[Row]) -> list[str]:
    """What fulfilment and VAT need and the order does not have, in plain words."""
    goes = any(not line["virtual"] for line in lines)
    kind = "shipping" if goes else "billing"
    lacking = [f"the {kind} {part}" for part in ("line1", "city", "postcode", "country") if not order[f"{kind}_{part}"]]
    country = order[f"{kind}_country"]
    if country and not (len(country) == 2 and country.isalpha() and country.isupper()):
        lacking.append("a two-letter country code")
    if "surname" not in name_of(order):
        lacking.append("the customer's name")
    if not lines:
        lacking.append("lines")
    if any(line["quantity"] <= 0 for line in lines):
        lacking.append("a quantity on a line")
    return lacking


def _money_problems(order: Row, lines: list[Row], channel: Channel) -> Iterator[Problem]:
    """Totals and taxes that do not add up; each line may be off by one minor unit."""
    key, code = order["order_id"], order["currency"]
    tolerance = max(len(lines), 1) * money.minor_unit(code)
    shipping, shipping_tax = order["shipping"] or 0, order["shipping_tax"] or 0
    gap = order["total"] - order["lines_total"] - shipping - shipping_tax
    if abs(gap) > tolerance:
        detail = f"the total differs from its parts by {money.text(gap)} {code}"
        yield Problem(key, channel.rules.total.code, detail, gap, code)
    if any(line["line_tax"] is None for line in lines):
        yield Problem(key, channel.rules.tax.code, "a line has no tax", order["total"], code)
        return
    taxes = sum(line["line_tax"] for line in lines) + shipping_tax
    if order["tax"] is not None and abs(order["tax"] - taxes) > tolerance:
        gap = order["tax"] - taxes
        detail = f"the tax differs from that of lines and shipping by {money.text(gap)} {code}"
        yield Problem(key, channel.rules.tax.code, detail, gap, code)


def _unmapped(order: Row, channel: Channel) -> Iterator[Problem]:
    key, rules, settings = order["order_id"], channel.rules, channel.settings
    if rules.payment is not None and settings.payment(order["payment_method"]) is None:
        yield Problem(key, rules.payment.code, f"payment method {order['payment_method'] or '(none)'}")
    if settings.option(order["shipping_method"]) is None:
        yield Problem(key, rules.shipping.code, f"shipping method {order['shipping_method'] or '(none)'}")
    if settings.locations and settings.location(order["store"]) is None:
        yield Problem(key, rules.location.code, f"store {order['store'] or '(none)'}")


def _document(order: Row, lines: list[Row], items: Mapping[str, str], buyer: Row | None, channel: Channel) -> Document:
    settings, code = channel.settings, order["currency"]
    guest = order["customer_key"] is None
    # The address by which the account was looked for: that of the customer's newest order.
    email = buyer["customer_email"] if buyer and settings.customers_by_email else None
    body = {
        "account": None if guest else channel.account_code(order["customer_key"]),
        "email": (email or "").strip() or None,
        "order": told(
            stage="order",
            createdAt=stamp(order["placed_at"]),
            sourceType=settings.source_type,
            sourceId=settings.channel_id,
            sourceReferenceId=order["number"],
            currency=code,
            useSystemExchangeRate=False,
            exchangeRate=1,
            tags=[channel.name],
            locationId=settings.location(order["store"]),
            customer=_guest(order) if guest else None,
            shipping=_shipping(order, channel),
            items=[_line(line, items, code) for line in sorted(lines, key=lambda line: line["position"])],
        )
        | {"payments": _payments(order, channel)},
    }
    return Document(order["order_id"], body, order["version"], order["placed_at"], order["total"], code)


def _guest(order: Row) -> Json:
    address = address_of(order, "billing") or address_of(order, "shipping")
    email = (order["customer_email"] or "").strip()
    return told(name=name_of(order), address=address, email=email, phone=order["customer_phone"])


def _shipping(order: Row, channel: Channel) -> Json:
    code = order["currency"]
    return told(
        name=name_of(order, "shipping"),
        address=address_of(order, "shipping"),
        option=channel.settings.option(order["shipping_method"]),
        cost=amount(order["shipping"], code),
        tax=amount(order["shipping_tax"], code),
    )


def _line(line: Row, items: Mapping[str, str], code: str) -> Json:
    quantity = max(line["quantity"], 1)
    discount = line["line_discount"] or 0
    return {
        "type": "item",
        "referenceId": items.get(line["sku"]),
        "quantity": line["quantity"],
        "fulfilmentType": "none" if line["virtual"] else "delivery",
        "displayPrice": unit(line["line_price"], quantity),
        "displayTax": unit(line["line_tax"], quantity),
        "displayDiscount": unit(discount, quantity),
        "displayLinePrice": amount(line["line_price"], code),
        "displayLineTax": amount(line["line_tax"], code),
        "displayLineDiscount": amount(discount, code),
        "displayLineTotal": amount(line["line_total"], code),
    }


def _payments(order: Row, channel: Channel) -> list[Json]:
    paid = amount(order["amount_paid"], order["currency"])
    method = channel.settings.payment(order["payment_method"])
    if paid <= 0 or method is None:
        return []
    at = stamp(order["paid_at"] or order["placed_at"])
    return [{"method": method, "amount": paid, "label": order["payment_method"] or channel.name, "timestamp": at}]
