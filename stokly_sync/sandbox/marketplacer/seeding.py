"""The marketplace's side of a seeded Stokly account: listings, invoices, shipments, refunds, payouts.

Belongs here: which part of the account is on the marketplace and how it looks there. The same day gives the same
data, id by id: an invoice's number is the order's `sourceReferenceId` in Stokly, an advert's or variant's is its
listing's `referenceId`.
Source: Marketplacer API contract 3, 4, 5, 6.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from stokly_sync.sandbox.marketplacer import ordering, refunds, settlement
from stokly_sync.sandbox.marketplacer.call import Call
from stokly_sync.sandbox.marketplacer.flags import undispatched
from stokly_sync.sandbox.marketplacer.furniture import OUR_SELLER
from stokly_sync.sandbox.marketplacer.order_writes import add_shipment, terms
from stokly_sync.sandbox.marketplacer.ordering import Line, Part
from stokly_sync.sandbox.marketplacer.portal import RawAdvert, RawVariant, list_advert
from stokly_sync.sandbox.marketplacer.sales import Address, Invoice, Order, RefundRequest, RefundRequestLineItem
from stokly_sync.sandbox.marketplacer.shopping import pence
from stokly_sync.sandbox.marketplacer.things import Variant
from stokly_sync.sandbox.seeds.account import MARKETPLACER
from stokly_sync.sandbox.seeds.model import PARENT, Row, Seed

NOT_LISTED = frozenset({"CLOTH-WAX", "BRUSH-POT", "HOOK-BRASS", "TWINE-JUTE", "JAR-1L"})
"""SKUs of the demo that nobody has put on the marketplace yet."""

STALE = 5
"""Every so many-th variant shows two units more than Stokly has, as after a sale that was not pushed."""

KNOWN_AFTER = timedelta(days=3)
"""A despatch that is younger is in Stokly but not here."""

PAID_AFTER = timedelta(days=14)
"""How long after its week an invoice is paid out."""

_GROSS = Decimal("1.2")
_VARIABLE = 2


def fill(call: Call, seed: Seed) -> None:
    """Put the marketplace's side of a seed into an empty sandbox."""
    collections: dict[str, list[Row]] = seed.collections
    _list_items(call, collections)
    by_order = _grouped(row for row in collections.get("saleorders/items", []) if "parentId" not in row)
    orders = [row for row in collections.get("saleorders", []) if row["sourceId"] == MARKETPLACER.channel_id]
    skus = {variant.sku: variant for variant in call.store.state.variants.values()}
    invoices = {order["saleOrderId"]: _sell(call, order, by_order[order["saleOrderId"]], skus) for order in orders}
    _ship(call, collections, invoices, by_order)
    _refund(call, collections, invoices)
    _pay_out(call)
    call.store.state.writes.clear()


def _grouped(rows: Iterable[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[PARENT]].append(row)
    return groups


def _list_items(call: Call, collections: dict[str, list[Row]]) -> None:
    items = {item["itemId"]: item for item in collections.get("items", [])}
    children = _grouped(collections.get("items/children", []))
    listings = [row for row in collections.get("listings", []) if row["channelId"] == MARKETPLACER.channel_id]
    numbers = {listing["itemId"]: int(listing["referenceId"]) for listing in listings}
    for listing in listings:
        item = items[listing["itemId"]]
        if item["sku"] in NOT_LISTED or not listing["data"]["listIndividually"]:
            continue
        variable = item["format"] == _VARIABLE
        sold = [items[child["itemId"]] for child in children[item["itemId"]]] if variable else [item]
        raw = RawAdvert(
            title=item["name"],
            taxon=item["typeName"],
            legacy_id=numbers[item["itemId"]],
            images=[image["uri"] for image in listing["images"]],
            variants=[_variant(row, numbers[row["itemId"]]) for row in sold],
        )
        list_advert(call, raw)


def _variant(item: Row, number: int) -> RawVariant:
    stale = 2 if number % STALE == 0 else 0
    return RawVariant(
        sku=item["sku"],
        barcode=item.get("barcode"),
        label=item["name"],
        price=(item["salePrice"] * _GROSS).quantize(Decimal("0.01")),
        count_on_hand=max(0, item["available"]) + stale,
        legacy_id=number,
    )


def _sell(call: Call, order: Row, lines: list[Row], skus: dict[str | None, Variant]) -> Invoice:
    first, _, last = order.get("customerName", "").partition(" ")
    shipping = _address(order, "shipping")
    placed = datetime.fromisoformat(order["createdAt"]).replace(microsecond=0)
    made = Order(
        number=call.store.number(Order),
        created_at=placed,
        first_name=first or None,
        surname=last or None,
        email_address=order.get("customerEmail"),
        phone=order.get("customerPhone"),
        address=shipping,
        billing_address=_address(order, "billing"),
    )
    postage = {
        "postage": pence(order["displayShippingCost"] + order["displayShippingTax"]),
        "postage_tax": pence(order["displayShippingTax"]),
    }
    bought = [_line(row, skus, **(postage if place == 0 else {"postage_tax": 0})) for place, row in enumerate(lines)]
    part = Part(OUR_SELLER, bought, number=int(order["sourceReferenceId"]))
    ordering.place(call.store, made, [part], terms(call), paid_at=placed)
    return call.store.state.invoices[made.invoices[0]]


def _address(order: Row, prefix: str) -> Address:
    parts = {name: order.get(f"{prefix}Address{name}") for name in ("Line1", "Line2", "City", "Region", "Postcode")}
    street = ", ".join(part for part in (parts["Line1"], parts["Line2"]) if part)
    return Address(address=street, city=parts["City"], postcode=parts["Postcode"], state=parts["Region"])


def _line(row: Row, skus: dict[str | None, Variant], **postage: Any) -> Line:
    amount, quantity = pence(row["displayLineTotal"]), row["quantity"]
    variant = skus.get(row["itemSku"])
    return Line(
        OUR_SELLER,
        quantity,
        amount,
        pence(row["displayLineTax"]),
        # A unit costs whole pence; what that is too much for the line comes off again.
        discount=amount - -(-amount // quantity) * quantity,
        variant=variant,
        copied={} if variant is not None else {"variant_sku": row["itemSku"], "advert_title": row["itemName"]},
        **postage,
    )


def _ship(
    call: Call, collections: dict[str, list[Row]], invoices: dict[str, Invoice], lines: dict[str, list[Row]]
) -> None:
    parts = _grouped(collections.get("dispatches/items", []))
    for row in collections.get("dispatches", []):
        invoice = invoices.get(row["saleOrderId"])
        at = datetime.fromisoformat(row["dispatchedAt"]).replace(microsecond=0)
        if invoice is None or at + KNOWN_AFTER > call.now:
            continue
        places = {line["lineId"]: place for place, line in enumerate(lines[row["saleOrderId"]])}
        quantities: Counter[int] = Counter()
        for part in parts[row["dispatchId"]]:
            quantities[invoice.line_items[places[part["lineId"]]].number] += part["quantity"]
        add_shipment(call, invoice, row["courier"], quantities, row["trackingNumber"], at, note=None)
        invoice.updated_at = at


def _refund(call: Call, collections: dict[str, list[Row]], invoices: dict[str, Invoice]) -> None:
    parts = _grouped(collections.get("refunds/items", []))
    for row in collections.get("refunds", []):
        invoice = invoices.get(row.get("saleOrderId", ""))
        if invoice is None:
            continue
        at = datetime.fromisoformat(row["createdAt"]).replace(microsecond=0)
        made = []
        for part in parts[row["refundId"]]:
            bought = next(line for line in invoice.line_items if line.variant_sku == part["itemSku"])
            net = part["displayPrice"] * part["quantity"]
            amount = pence(net) + pence(net * (_GROSS - 1))
            made += refunds.refund_lines(call.store, bought, part["quantity"], dispatched=True, amount=amount)
        if row["shippingRefund"]:
            made.append(refunds.custom_line(call.store, invoice, "Postage", amount=-pence(row["shippingRefund"])))
        refunds.amend(call, invoice, made, at=at)
        _request(call, invoice, parts[row["refundId"]], row["reason"], at)


def _request(call: Call, invoice: Invoice, parts: list[Row], reason: str, at: datetime) -> None:
    lines = {line.variant_sku: line.number for line in invoice.line_items}
    asked = [
        RefundRequestLineItem(
            number=call.store.number(RefundRequestLineItem),
            invoice=invoice.number,
            quantity=part["quantity"],
            status="REFUNDED",
            line_item=lines[part["itemSku"]],
            reason=reason,
            dispatched=True,
        )
        for part in parts
    ]
    number = call.store.number(RefundRequest)
    request = RefundRequest(number=number, invoice=invoice.number, created_at=at, status="REFUNDED", line_items=asked)
    call.store.add(call.store.state.refund_requests, request)


def _pay_out(call: Call) -> None:
    """One advice a week over what was sent in full, two weeks after the week is over."""
    weeks: dict[Any, list[Invoice]] = defaultdict(list)
    for invoice in call.store.state.invoices.values():
        monday = invoice.created_at.date() - timedelta(days=invoice.created_at.weekday())
        due = datetime(monday.year, monday.month, monday.day, 9, tzinfo=invoice.created_at.tzinfo)
        weeks[due + timedelta(days=7) + PAID_AFTER].append(invoice)
    for at, of_week in sorted(weeks.items(), key=lambda week: week[0]):
        sent = [invoice for invoice in of_week if invoice.shipments and not undispatched(invoice)]
        amendments = [change for invoice in sent for change in invoice.amendments if change.created_at <= at]
        if at <= call.now and sent:
            settlement.make_advice(call, sent, amendments, at=at)
