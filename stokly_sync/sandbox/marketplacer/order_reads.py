"""Reading invoices, orders and shipments.

Belongs here: the `invoices` query with its filters and sorts, and what an invoice adds up to. A seller sees paid
invoices of its own; orders are the operator's alone, which `access` sees to. Source: Marketplacer API contract 4.1.
"""

from collections.abc import Callable
from typing import Any

from stokly_sync.sandbox.marketplacer import flags
from stokly_sync.sandbox.marketplacer.call import Args, Call, Resolver
from stokly_sync.sandbox.marketplacer.ids import global_id
from stokly_sync.sandbox.marketplacer.paging import connection
from stokly_sync.sandbox.marketplacer.sales import Address, Invoice, LineItem, Order, ShippedItem

_TIMES = {"created": "created_at", "updated": "updated_at", "paid": "paid_at", "remitted": "remitted_at"}
_SORTS: dict[str, Callable[[Invoice], Any]] = {
    "CREATED_AT": lambda invoice: (invoice.created_at, invoice.number),
    "PAID_AT": lambda invoice: (invoice.paid_at or invoice.created_at, invoice.number),
}


def _invoices(_source: Any, call: Call, args: Args) -> Any:
    filters = {name: value for name, value in (args.get("filters") or {}).items() if value is not None}
    rows = [
        invoice
        for invoice in call.store.state.invoices.values()
        if call.sees(invoice)
        and (call.principal.operator or invoice.paid_at is not None)
        and all(_passes(call, invoice, name, value) for name, value in filters.items())
    ]
    sort = args.get("sort") or {}
    # The last field sorts first, so that the first one has the last word.
    for name in reversed(sort.get("fields") or ["CREATED_AT"]):
        rows.sort(key=_SORTS[name], reverse=sort.get("ordering") == "DESCENDING")
    return connection(call, rows, args)


def _passes(call: Call, invoice: Invoice, name: str, value: Any) -> bool:
    word, _, end = name.rpartition("_")
    if end in ("since", "until"):
        moment = getattr(invoice, _TIMES[word])
        return bool(moment is not None and (moment >= value if end == "since" else moment <= value))
    order = call.store.state.orders[invoice.order]
    match name:
        case "statuses":
            return not set(value).isdisjoint(flags.status_flags(call.store, invoice))
        case "buyer_email_address":
            return bool((order.email_address or "").lower() == value.lower())
        case "buyer_name":
            return str(value).lower() in f"{order.first_name or ''} {order.surname or ''}".lower()
        case "external_id":
            return value in _external_values(call, invoice, order)
        case "partial_external_id":
            return any(value in text for text in _external_values(call, invoice, order))
        case "legacy_id":
            return bool(invoice.number == value)
        case "order_id":
            return bool(invoice.order == value)
        case _:
            return bool(flags.undispatched(invoice)) is bool(value)


def _external_values(call: Call, invoice: Invoice, order: Order) -> list[str]:
    return [name.value for thing in (invoice, order) for name in call.store.names_of(thing)]


def invoice_total(invoice: Invoice) -> int:
    """What the buyer pays for an invoice, in pence, tax within."""
    adjusted = sum(adjustment.amount_cents for adjustment in invoice.adjustments)
    return sum(line.total_cents for line in invoice.line_items) + adjusted


def _discount(invoice: Invoice) -> int:
    off = sum(line.discount_cents for line in invoice.line_items)
    return off + sum(min(0, adjustment.amount_cents) for adjustment in invoice.adjustments)


def invoice_tax(invoice: Invoice) -> int | None:
    """The tax within goods and postage; None where none was given."""
    taxes = [tax for line in invoice.line_items for tax in (line.tax_cents, line.postage_tax_cents) if tax is not None]
    return sum(taxes) if taxes else None


def _postage_tax(invoice: Invoice) -> int | None:
    taxes = [line.postage_tax_cents for line in invoice.line_items if line.postage_tax_cents is not None]
    return sum(taxes) if taxes else None


def _tax_rate(invoice: Invoice) -> float | None:
    return next((line.commission_tax_rate for line in invoice.line_items), None)


def _summed(member: str) -> Resolver:
    return lambda invoice, _call, _args: sum(getattr(line, member) for line in invoice.line_items)


def _of_order(member: str) -> Resolver:
    return lambda invoice, call, _args: getattr(call.store.state.orders[invoice.order], member)


def _full_address(address: Address, _call: Call, _args: Args) -> str:
    return ", ".join(part for part in (address.address, address.city, address.state, address.postcode) if part)


def _order_total(order: Order, call: Call, _args: Args) -> int:
    return sum(invoice_total(call.store.state.invoices[number]) for number in order.invoices)


def _external_id(order: Order, call: Call, _args: Args) -> str | None:
    return next((name.value for name in call.store.names_of(order)), None)


def _line_of(item: ShippedItem, call: Call, _args: Args) -> LineItem | None:
    return call.store.find(LineItem, global_id(LineItem.kind, item.line_item))


def _line_status(line: LineItem, call: Call, _args: Args) -> str:
    return flags.line_status(call.store.state.invoices[line.invoice], line)


def _number_id(kind: str, number: int | None) -> str | None:
    return None if number is None else global_id(kind, number)


RESOLVERS: dict[str, Resolver] = {
    "Query.invoices": _invoices,
    "Query.shipmentCarriers": lambda _, call, args: connection(call, list(call.store.state.carriers.values()), args),
    "Address.state": lambda address, _call, _: {"short": address.state} if address.state is not None else None,
    "Address.fullAddress": _full_address,
    "Order.externalId": _external_id,
    "Order.externalIds": lambda order, call, _: call.store.names_of(order),
    "Order.invoices": lambda order, call, _: [call.store.state.invoices[number] for number in order.invoices],
    "Order.totalCents": _order_total,
    "Invoice.order": lambda invoice, call, _: call.store.state.orders[invoice.order],
    "Invoice.seller": lambda invoice, call, _: call.store.state.sellers[invoice.seller],
    "Invoice.statusFlags": lambda invoice, call, _: flags.status_flags(call.store, invoice),
    "Invoice.externalIds": lambda invoice, call, _: call.store.names_of(invoice),
    "Invoice.annotations": lambda _invoice, _call, _: [],
    "Invoice.buyerFirstName": _of_order("first_name"),
    "Invoice.buyerSurname": _of_order("surname"),
    "Invoice.buyerEmailAddress": _of_order("email_address"),
    "Invoice.buyerPhone": _of_order("phone"),
    "Invoice.buyerMessageToSeller": _of_order("message_to_seller"),
    "Invoice.buyerBillingAddress": _of_order("billing_address"),
    "Invoice.shippingAddress": _of_order("address"),
    "Invoice.postageCents": _summed("postage_cents"),
    "Invoice.postageTaxCents": lambda invoice, _call, _: _postage_tax(invoice),
    "Invoice.taxCents": lambda invoice, _call, _: invoice_tax(invoice),
    "Invoice.discountCents": lambda invoice, _call, _: _discount(invoice),
    "Invoice.totalCents": lambda invoice, _call, _: invoice_total(invoice),
    "Invoice.commissionAmountCents": _summed("commission_amount_cents"),
    "Invoice.commissionAmountTaxCents": _summed("commission_amount_tax_cents"),
    "Invoice.commissionTaxRate": lambda invoice, _call, _: _tax_rate(invoice),
    "Invoice.commissionInvoiceId": lambda invoice, _call, _: f"C-{invoice.number}",
    "LineItem.status": _line_status,
    "LineItem.advert": lambda line, call, _: call.store.state.adverts.get(line.advert),
    "LineItem.advertId": lambda line, _call, _: _number_id("Advert", line.advert),
    "LineItem.advertLegacyId": lambda line, _call, _: line.advert,
    "LineItem.advertCode": lambda line, _call, _: None if line.advert is None else f"A{line.advert:06d}",
    "LineItem.variantId": lambda line, _call, _: _number_id("Variant", line.variant),
    "LineItem.externalIds": lambda line, call, _: call.store.names_of(line),
    "LineItem.invoice": lambda line, call, _: call.store.state.invoices[line.invoice],
    "ShippedItem.lineItem": _line_of,
}
