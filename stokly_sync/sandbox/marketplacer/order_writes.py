"""`orderCreate`, despatch and names: what is written about orders.

Belongs here: the rules of these mutations with the vendor's wording where it is known. Source: Marketplacer API
contract 4.2, 4.3.
"""

from collections import Counter
from typing import Any

from stokly_sync.sandbox.marketplacer import flags, ordering
from stokly_sync.sandbox.marketplacer.call import Args, Call, RefusedError, Resolver, mutation
from stokly_sync.sandbox.marketplacer.ordering import Line, Part, Terms
from stokly_sync.sandbox.marketplacer.sales import (
    Address,
    Adjustment,
    Invoice,
    LineItem,
    Order,
    Shipment,
    ShippedItem,
)
from stokly_sync.sandbox.marketplacer.things import ExternalID, Seller, ShipmentCarrier, Taxon, Variant

TRACKING = "https://tracking.example.com/"


def _order_create(call: Call, given: Args) -> Order:
    loose, explicit = given.get("line_items") or [], given.get("invoices") or []
    if bool(loose) == bool(explicit):
        raise RefusedError("lineItems", "Give either lineItems or invoices")
    parts = _explicit_parts(call, explicit) if explicit else ordering.split_by_seller([_line(call, x) for x in loose])
    lines = [line for part in parts for line in part.lines]
    _check_tax(loose or [line for invoice in explicit for line in invoice["line_items"]])
    lacking = ordering.short(call.store, lines)
    if lacking is not None:
        raise RefusedError("lineItems", f"Quantity exceeds the count on hand of variant {lacking.sku}")
    order = _order(call, given["order"])
    ordering.place(call.store, order, parts, terms(call), paid_at=call.now)
    ordering.take_stock(call.store, lines, at=call.now)
    call.store.counted("orderCreate")
    for pair in given["order"].get("external_ids") or ():
        call.store.name(order, pair["key"], pair.get("value"))
    return order


def terms(call: Call) -> Terms:
    """The commission of new orders."""
    return Terms(call.switches.commission_rate, call.switches.commission_tax_rate)


def _explicit_parts(call: Call, invoices: list[Args]) -> list[Part]:
    parts = []
    for invoice in invoices:
        lines = [_line(call, given) for given in invoice["line_items"]]
        sellers = {line.seller for line in lines}
        if len(sellers) != 1:
            raise RefusedError("invoices", "An invoice has the line items of one seller")
        parts.append(Part(sellers.pop(), lines, _adjustments(invoice), _pairs(invoice)))
    if len({part.seller for part in parts}) < len(parts):
        raise RefusedError("invoices", "A seller can only have one invoice per order")
    return parts


def _line(call: Call, given: Args) -> Line:
    if (given.get("variant_id") is None) == (given.get("custom") is None):
        raise RefusedError("lineItems", "Exactly one of variantId and custom must be given")
    cost, postage = given["cost"], given.get("postage") or {"amount": 0}
    if given["quantity"] < 1 or cost["amount"] < 0 or postage["amount"] < 0:
        raise RefusedError("lineItems", "Quantity must be greater than 0 and amounts must not be negative")
    amounts: dict[str, Any] = {
        "quantity": given["quantity"],
        "amount": cost["amount"],
        "tax": cost.get("tax"),
        "postage": postage["amount"],
        "postage_tax": postage.get("tax"),
        "adjustments": _adjustments(given),
        "names": _pairs(given),
    }
    if given.get("custom") is not None:
        return _custom_line(call, given["custom"], amounts)
    variant = call.own(Variant, given["variant_id"], "variantId")
    if not flags.variant_displayable(call.store, variant):
        raise RefusedError("lineItems", f"Variant {variant.sku} cannot be ordered: it is not on sale")
    return Line(seller=call.store.state.adverts[variant.advert].seller, variant=variant, **amounts)


def _custom_line(call: Call, custom: Args, amounts: dict[str, Any]) -> Line:
    seller = call.own(Seller, custom["seller_id"], "sellerId")
    if custom.get("taxon_id") is not None:
        call.own(Taxon, custom["taxon_id"], "taxonId")
    copied = {
        "advert_title": custom.get("advert_name"),
        "variant_name": custom.get("variant_name"),
        "variant_sku": custom.get("sku"),
        "variant_barcode": custom.get("barcode"),
    }
    return Line(seller=seller.number, copied=copied, **amounts)


def _check_tax(lines: list[Args]) -> None:
    """Tax is all or nothing: on every line, for cost and postage, or nowhere."""
    given = [(part or {}).get("tax") is not None for line in lines for part in (line["cost"], line.get("postage"))]
    if any(given) and not all(given):
        raise RefusedError("lineItems", "Tax must be given for cost and postage of every line item, or for none")


def _adjustments(given: Args) -> list[Adjustment]:
    made = []
    for adjustment in given.get("adjustments") or ():
        kind, amount = adjustment.get("type") or "FEE", abs(adjustment.get("amount") or 0)
        made.append(Adjustment(type=kind, amount_cents=-amount if kind == "PROMOTION" else amount))
    return made


def _pairs(given: Args) -> list[tuple[str, str | None]]:
    return [(pair["key"], pair.get("value")) for pair in given.get("external_ids") or ()]


def _order(call: Call, given: Args) -> Order:
    shipping = address(given.get("address"))
    return Order(
        number=call.store.number(Order),
        created_at=call.now,
        address=shipping,
        billing_address=address(given.get("billing_address")) or shipping,
        first_name=given.get("first_name"),
        surname=given.get("surname"),
        email_address=given.get("email_address"),
        phone=given.get("phone"),
        message_to_seller=given.get("message_to_seller"),
    )


def address(given: Args | None) -> Address | None:
    """An address as it is kept; the country is the marketplace's own and is not kept."""
    if given is None:
        return None
    return Address(**{name: given.get(name) for name in ("address", "city", "postcode", "state")})


def _shipment_create(call: Call, given: Args) -> Shipment:
    invoice = call.own(Invoice, given["invoice_id"], "invoiceId")
    carrier = call.own(ShipmentCarrier, given["postage_carrier_id"], "postageCarrierId")
    quantities = _quantities(call, invoice, given["shipped_items"])
    _check_day(invoice, given["dispatched_at"])
    return add_shipment(
        call,
        invoice,
        carrier.name,
        quantities,
        given["tracking_number"],
        given["dispatched_at"],
        note=given.get("note"),
    )


def _quantities(call: Call, invoice: Invoice, items: list[Args]) -> Counter[int]:
    if not items:
        raise RefusedError("shippedItems", "Shipped items can't be blank")
    quantities: Counter[int] = Counter()
    for item in items:
        line = call.own(LineItem, item["line_item_id"], "lineItemId")
        if line.invoice != invoice.number:
            raise RefusedError("shippedItems", "Shipped items must be line items of the invoice.")
        if item["quantity"] < 1:
            raise RefusedError("shippedItems", "Shipped items quantity must be greater than 0")
        quantities[line.number] += item["quantity"]
    left = flags.undispatched(invoice)
    if any(quantity > left.get(number, 0) for number, quantity in quantities.items()):
        raise RefusedError("shippedItems", "Shipped items quantity exceeds the maximum number of undispatched items.")
    return quantities


def _check_day(invoice: Invoice, moment: Any) -> None:
    if moment.date() < invoice.created_at.date():
        raise RefusedError("dispatchedAt", "Dispatched at is before shipped items were ordered")


def add_shipment(
    call: Call, invoice: Invoice, carrier: str, quantities: Counter[int], tracking: str, at: Any, *, note: str | None
) -> Shipment:
    """Keep a checked shipment."""
    store = call.store
    items = [
        ShippedItem(number=store.number(ShippedItem), invoice=invoice.number, line_item=number, quantity=quantity)
        for number, quantity in quantities.items()
    ]
    shipment = Shipment(
        number=store.number(Shipment),
        invoice=invoice.number,
        carrier=carrier,
        tracking_number=tracking,
        tracking_link=f"{TRACKING}{tracking}",
        dispatched_at=at,
        note=note,
        shipped_items=items,
    )
    invoice.shipments.append(shipment)
    invoice.updated_at = call.now
    store.index([shipment, *items])
    store.counted("shipmentCreate")
    return shipment


def _shipment_update(call: Call, given: Args) -> Shipment:
    shipment = call.own(Shipment, given["shipment_id"], "shipmentId")
    invoice = call.store.state.invoices[shipment.invoice]
    if given.get("dispatched_at") is not None:
        _check_day(invoice, given["dispatched_at"])
    if given.get("postage_carrier_id") is not None:
        shipment.carrier = call.own(ShipmentCarrier, given["postage_carrier_id"], "postageCarrierId").name
    if given.get("dispatched_at") is not None:
        shipment.dispatched_at = given["dispatched_at"]
    if given.get("tracking_number") is not None:
        shipment.tracking_number = given["tracking_number"]
        shipment.tracking_link = f"{TRACKING}{shipment.tracking_number}"
    if given.get("note") is not None:
        shipment.note = given["note"]
    invoice.updated_at = call.now
    return shipment


def _external_id_upsert(call: Call, given: Args) -> ExternalID:
    owner = call.store.node(given["owner"])
    if owner is None or isinstance(owner, ExternalID):
        raise RefusedError("owner", f"No object found for owner: {given['owner']}", status=404)
    return call.store.name(owner, given["key"], given["value"])


RESOLVERS: dict[str, Resolver] = {
    "Mutation.orderCreate": mutation("order", _order_create),
    "Mutation.shipmentCreate": mutation("shipment", _shipment_create),
    "Mutation.shipmentUpdate": mutation("shipment", _shipment_update),
    "Mutation.externalIdUpsert": mutation("external_id", _external_id_upsert),
}
