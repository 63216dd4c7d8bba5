"""Cancellations, returns and refunds: requests, their states, and the amendments that they end in.

Belongs here: the state machine with the vendor's wording. A request goes AWAITING, RETURNED, REFUNDED; where refunds
are approved, AWAITING, PROCESSED (or DENIED), REFUNDED. Paying is the operator's. A refund's amounts are negative.
How the parts of a discounted line are rounded is assumed. Source: Marketplacer API contract 5.
"""

from decimal import Decimal
from typing import Any

from stokly_sync.sandbox.marketplacer.call import Args, Call, RefusedError, Resolver, mutation
from stokly_sync.sandbox.marketplacer.ids import global_id
from stokly_sync.sandbox.marketplacer.ordering import percent
from stokly_sync.sandbox.marketplacer.paging import connection
from stokly_sync.sandbox.marketplacer.sales import (
    Invoice,
    InvoiceAmendment,
    InvoiceAmendmentLineItem,
    LineItem,
    RefundRequest,
    RefundRequestLineItem,
)
from stokly_sync.sandbox.marketplacer.store import Store
from stokly_sync.sandbox.marketplacer.things import Seller

FOREIGN_LINE = "line items must be part of the same invoice for which you are raising a refund request."
NOT_AWAITING = "Can only mark an awaiting RefundRequest as returned"
NOT_RETURNED = "Can only mark a returned or processed RefundRequest as refunded"
STANDARD_TAX = Decimal(20)


def _create(call: Call, given: Args) -> RefundRequest:
    invoice = call.own(Invoice, given["invoice_id"], "invoiceId")
    if not given["line_items"]:
        raise RefusedError("lineItems", "Line items can't be blank")
    checked = [_checked_line(call, invoice, line) for line in given["line_items"]]
    _check_quantities(call, invoice, checked)
    store = call.store
    status = "PENDING_APPROVAL" if call.switches.advanced_refunds else "AWAITING_RETURN"
    lines = [
        RefundRequestLineItem(number=store.number(RefundRequestLineItem), invoice=invoice.number, status=status, **line)
        for line in checked
    ]
    request = RefundRequest(
        number=store.number(RefundRequest),
        invoice=invoice.number,
        created_at=call.now,
        line_items=lines,
        notes=_notes(given),
    )
    invoice.updated_at = call.now
    store.counted("refundRequestCreate")
    return store.add(store.state.refund_requests, request)


def _checked_line(call: Call, invoice: Invoice, given: Args) -> dict[str, Any]:
    by_line = given.get("line_item_id") is not None
    foreign = ("custom", "amount_per_item_cents") if by_line else ("line_item_id", "reason", "dispatched")
    if any(given.get(name) is not None for name in foreign):
        raise RefusedError(
            "lineItems", "Give either lineItemId, reason and dispatched, or custom and amountPerItemCents"
        )
    needed = ("reason", "dispatched") if by_line else ("custom", "amount_per_item_cents")
    if any(given.get(name) is None for name in needed):
        raise RefusedError("lineItems", f"{' and '.join(needed)} must be given")
    if given["quantity"] < 1:
        raise RefusedError("lineItems", "Quantity must be greater than 0")
    if given.get("only_remittance") and not call.principal.operator:
        raise RefusedError("lineItems", "onlyRemittance can only be given by operators")
    line = call.store.find(LineItem, given.get("line_item_id"))
    if by_line and (line is None or line.invoice != invoice.number):
        raise RefusedError("lineItems", FOREIGN_LINE)
    kept = ("quantity", "reason", "dispatched", "custom", "amount_per_item_cents")
    return {
        "line_item": line.number if line is not None else None,
        "only_remittance": bool(given.get("only_remittance")),
        **{name: given.get(name) for name in kept},
    }


def _check_quantities(call: Call, invoice: Invoice, lines: list[dict[str, Any]]) -> None:
    asked = {line.number: 0 for line in invoice.line_items}
    open_lines = [line for request in call.store.requests_of(invoice) for line in request.line_items]
    for line in open_lines:
        if line.line_item is not None and line.status != "REFUND_DENIED":
            asked[line.line_item] += line.quantity
    for given in lines:
        if given["line_item"] is not None:
            asked[given["line_item"]] += given["quantity"]
    if any(asked[line.number] > line.quantity for line in invoice.line_items):
        raise RefusedError("lineItems", "Quantity exceeds the quantity that can still be refunded")


def _notes(given: Args) -> list[str]:
    return [note["note"] for note in given.get("notes") or ()]


def move(call: Call, request: RefundRequest, *, status: str, lines: str) -> RefundRequest:
    """Put a request and its lines into a state."""
    request.status = status
    for line in request.line_items:
        line.status = lines
    call.store.state.invoices[request.invoice].updated_at = call.now
    call.store.counted(f"refundRequest {status}")
    return request


def _return(call: Call, given: Args) -> RefundRequest:
    request = call.own(RefundRequest, given["refund_request_id"], "refundRequestId")
    if request.status != "AWAITING":
        raise RefusedError("base", NOT_AWAITING)
    request.notes += _notes(given)
    return move(call, request, status="RETURNED", lines="REFUND_ACCEPTED")


def _approve(call: Call, given: Args) -> RefundRequest:
    request = call.own(RefundRequest, given["refund_request_id"], "refundRequestId")
    if request.status != "AWAITING":
        raise RefusedError("base", "Can only approve an awaiting RefundRequest")
    request.notes += _notes(given)
    return move(call, request, status="PROCESSED", lines="REFUND_ACCEPTED")


def _refund(call: Call, given: Args) -> RefundRequest:
    request = call.own(RefundRequest, given["refund_request_id"], "refundRequestId")
    if request.status not in ("RETURNED", "PROCESSED"):
        raise RefusedError("base", NOT_RETURNED)
    invoice = call.store.state.invoices[request.invoice]
    lines = [made for line in request.line_items for made in _amendment_lines(call.store, invoice, line)]
    owed = -sum(line.total_cents for line in lines)
    paid = given.get("cash_amount_cents")
    if paid is not None and not 0 <= paid <= owed:
        raise RefusedError("cashAmountCents", "Cash amount cents exceeds the amount that can be refunded")
    if paid is not None and paid < owed:
        lines.append(custom_line(call.store, invoice, "Kept back", amount=owed - paid))
    amend(call, invoice, lines)
    request.notes += _notes(given)
    return move(call, request, status="REFUNDED", lines="REFUNDED")


def _amendment_lines(store: Store, invoice: Invoice, line: RefundRequestLineItem) -> list[InvoiceAmendmentLineItem]:
    if line.line_item is None:
        amount = -(line.amount_per_item_cents or 0)
        return [custom_line(store, invoice, line.custom or "", amount=amount, quantity=line.quantity)]
    bought = next(item for item in invoice.line_items if item.number == line.line_item)
    return refund_lines(store, bought, line.quantity, dispatched=bool(line.dispatched))


def refund_lines(
    store: Store, bought: LineItem, quantity: int, *, dispatched: bool, amount: int | None = None
) -> list[InvoiceAmendmentLineItem]:
    """Lines that give back units of a line: `amount` pence altogether, or what they cost after discount.

    What does not divide evenly goes into one unit of its own, so that quantity and total are both exact. Tax and
    commission go back in proportion to the amount.
    """
    if amount is None:
        amount = (bought.subtotal_cents + bought.discount_cents) * quantity // bought.quantity
    each, rest = divmod(amount, quantity)
    shares = [(quantity, each)] if rest == 0 else [(quantity - 1, each), (1, each + rest)]
    return [_refund_line(store, bought, units, cents, dispatched) for units, cents in shares if units]


def _refund_line(store: Store, bought: LineItem, units: int, each: int, dispatched: bool) -> InvoiceAmendmentLineItem:
    paid = bought.subtotal_cents + bought.discount_cents
    share = Decimal(100 * units * each) / paid if paid else Decimal(0)
    return InvoiceAmendmentLineItem(
        number=store.number(InvoiceAmendmentLineItem),
        invoice=bought.invoice,
        quantity=units,
        amount_cents=-each,
        status="REFUNDED" if dispatched else "CANCELLED",
        line_item=bought.number,
        dispatched=dispatched,
        tax_cents=None if bought.tax_cents is None else -percent(bought.tax_cents, share),
        tax_rate=_rate(bought),
        commission_amount_cents=-percent(bought.commission_amount_cents, share),
        commission_tax_cents=-percent(bought.commission_amount_tax_cents, share),
    )


def _rate(bought: LineItem) -> float | None:
    paid = bought.subtotal_cents + bought.discount_cents
    if bought.tax_cents is None or paid <= bought.tax_cents:
        return None
    return float(round(Decimal(bought.tax_cents) * 100 / (paid - bought.tax_cents)))


def custom_line(
    store: Store, invoice: Invoice, name: str, *, amount: int, quantity: int = 1
) -> InvoiceAmendmentLineItem:
    """A line for something that is no line item, such as postage, taxed as the invoice is. `amount` is one unit's."""
    taxed = any(line.tax_cents for line in invoice.line_items)
    total = abs(amount) * quantity
    tax = total - percent(total * 100, 100 / (100 + STANDARD_TAX)) if taxed else 0
    return InvoiceAmendmentLineItem(
        number=store.number(InvoiceAmendmentLineItem),
        invoice=invoice.number,
        quantity=quantity,
        amount_cents=amount,
        status="REFUNDED",
        custom=name,
        custom_line_item_tax_rate=STANDARD_TAX if taxed else None,
        tax_cents=(-tax if amount < 0 else tax) if taxed else None,
        tax_rate=float(STANDARD_TAX) if taxed else None,
    )


def amend(call: Call, invoice: Invoice, lines: list[InvoiceAmendmentLineItem], *, at: Any = None) -> InvoiceAmendment:
    """Keep an amendment of an invoice."""
    moment = at or call.now
    amendment = InvoiceAmendment(
        number=call.store.number(InvoiceAmendment),
        invoice=invoice.number,
        created_at=moment,
        commission_tax_rate=call.switches.commission_tax_rate,
        line_items=lines,
    )
    invoice.amendments.append(amendment)
    invoice.updated_at = max(invoice.updated_at, moment)
    call.store.index([amendment, *lines])
    return amendment


def _requests(_source: Any, call: Call, args: Args) -> Any:
    statuses = (args.get("filters") or {}).get("statuses")
    rows = [
        request
        for request in call.store.state.refund_requests.values()
        if call.sees(request) and (statuses is None or request.status in statuses)
    ]
    if args.get("seller_id") is not None:
        seller = call.store.find(Seller, args["seller_id"])
        number = seller.number if seller is not None else None
        rows = [request for request in rows if call.store.state.invoices[request.invoice].seller == number]
    return connection(call, rows, args)


def _line_item(line: Any, call: Call, _args: Args) -> LineItem | None:
    return call.store.find(LineItem, global_id(LineItem.kind, line.line_item)) if line.line_item is not None else None


RESOLVERS: dict[str, Resolver] = {
    "Query.refundRequests": _requests,
    "RefundRequest.invoice": lambda request, call, _: call.store.state.invoices[request.invoice],
    "RefundRequestLineItem.lineItem": _line_item,
    "InvoiceAmendment.invoice": lambda amendment, call, _: call.store.state.invoices[amendment.invoice],
    "InvoiceAmendmentLineItem.lineItem": _line_item,
    "Mutation.refundRequestCreate": mutation("refund_request", _create),
    "Mutation.refundRequestApprove": mutation("refund_request", _approve),
    "Mutation.refundRequestReturn": mutation("refund_request", _return),
    "Mutation.refundRequestRefund": mutation("refund_request", _refund),
}
