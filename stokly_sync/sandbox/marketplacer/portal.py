"""What people do in the portals: list raw products, approve them, refund, amend, pay out.

Belongs here: deeds that the API has no call for, or that somebody else does with theirs. Source: Marketplacer API
contract 3.4, 5, 6.
"""

from collections import Counter
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, TypeVar

import msgspec

from stokly_sync.sandbox.marketplacer import flags, refunds, settlement
from stokly_sync.sandbox.marketplacer.call import Call
from stokly_sync.sandbox.marketplacer.catalogue_writes import vet
from stokly_sync.sandbox.marketplacer.furniture import LEAVES, OUR_SELLER, ROOT
from stokly_sync.sandbox.marketplacer.ids import global_id
from stokly_sync.sandbox.marketplacer.order_writes import add_shipment
from stokly_sync.sandbox.marketplacer.sales import (
    Invoice,
    InvoiceAmendment,
    LineItem,
    RefundRequest,
    RemittanceAdvice,
    Shipment,
)
from stokly_sync.sandbox.marketplacer.things import Advert, Variant

T = TypeVar("T")


class RawVariant(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A variant as it is to stand there; the price is gross pounds."""

    sku: str | None
    price: Decimal | None = Decimal("12.00")
    count_on_hand: int = 0
    barcode: str | None = None
    label: str | None = None
    published: bool = True
    legacy_id: int | None = None


class RawAdvert(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An advert as it is to stand there."""

    variants: list[RawVariant]
    title: str = "Sample product"
    seller: int = OUR_SELLER
    published: bool = True
    legacy_id: int | None = None
    taxon: str = LEAVES[0]
    images: list[str] = msgspec.field(default_factory=list)


class Verdict(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What the operator thinks of an advert."""

    advert: int
    accept: bool
    reason: str | None = None


class Complaint(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A cancellation (`dispatched` false) or return of an invoice, taken so far.

    Without a SKU all that was bought is meant; without a quantity, all of the line.
    """

    invoice: int
    sku: str | None = None
    quantity: int | None = None
    dispatched: bool = False
    reason: str = "Changed mind"
    until: Literal["AWAITING", "RETURNED", "REFUNDED"] = "REFUNDED"


class Step(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The next step of a refund request."""

    request: int
    step: Literal["approve", "deny", "return", "refund"]


class DirectAmendment(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An amendment without a request: units of a SKU, or an amount for something else; pence, positive."""

    invoice: int
    sku: str | None = None
    quantity: int = 1
    dispatched: bool = True
    custom: str = "Goodwill"
    amount_cents: int | None = None


class Payout(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A remittance advice to be made over invoices and amendments, by their numbers."""

    invoices: list[int] = msgspec.field(default_factory=list)
    amendments: list[int] = msgspec.field(default_factory=list)
    paid: bool = True
    reference: str | None = None
    off_by: int = 0
    at: datetime | None = None


class Despatch(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A shipment entered in the portal, of all that is left."""

    invoice: int
    carrier: str = "Royal Mail"
    tracking_number: str = "PORTAL-1"


def list_advert(call: Call, raw: RawAdvert) -> Advert:
    """Keep an advert as it is given, approved."""
    store, state = call.store, call.store.state
    taxons = {taxon.display_name: taxon.number for taxon in state.taxons.values()}
    advert = Advert(
        number=store.number(Advert, wanted=raw.legacy_id),
        seller=raw.seller,
        title=raw.title,
        brand=min(state.brands),
        taxon=taxons.get(raw.taxon, ROOT),
        published=raw.published,
        created_at=call.now,
        updated_at=call.now,
        images=list(raw.images),
        price=next((variant.price for variant in raw.variants if variant.price is not None), None),
    )
    store.add(state.adverts, advert)
    for given in raw.variants:
        variant = Variant(
            number=store.number(Variant, wanted=given.legacy_id),
            advert=advert.number,
            sku=given.sku,
            barcode=given.barcode,
            description=given.label,
            price=given.price,
            count_on_hand=given.count_on_hand,
            published=given.published,
        )
        advert.variants.append(variant.number)
        store.add(state.variants, variant)
    call.system.touch()
    return advert


def judge(call: Call, verdict: Verdict) -> Advert:
    """Approve or reject an advert."""
    advert = _known(call.store.state.adverts, verdict.advert)
    vet(advert, accept=verdict.accept, reason=verdict.reason, at=call.now)
    call.system.touch()
    return advert


def complain(call: Call, complaint: Complaint) -> RefundRequest:
    """Let a refund request be opened and taken as far as asked.

    Raises:
        LookupError: if the invoice has no such line.
        ValueError: if the vendor's own rules refuse it.
    """
    invoice = _known(call.store.state.invoices, complaint.invoice)
    lines = [
        {
            "line_item_id": line.id,
            "quantity": complaint.quantity or line.quantity,
            "dispatched": complaint.dispatched,
            "reason": complaint.reason,
        }
        for line in lines_of(invoice, complaint.sku)
    ]
    request: RefundRequest = _asked(call, "refundRequestCreate", invoice_id=invoice.id, line_items=lines)
    steps = {"AWAITING": 0, "RETURNED": 1, "REFUNDED": 2}[complaint.until]
    first = "approve" if call.switches.advanced_refunds else "return"
    for step in (first, "refund")[:steps]:
        take_step(call, request, step)
    return request


def lines_of(invoice: Invoice, sku: str | None) -> list[LineItem]:
    """The lines of that SKU, or all.

    Raises:
        LookupError: if there are none.
    """
    found = [line for line in invoice.line_items if sku in (None, line.variant_sku)]
    if not found:
        raise LookupError(f"Invoice {invoice.number} of the sandbox has no line of SKU {sku!r}.")
    return found


def step_on(call: Call, asked: Step) -> RefundRequest:
    """Take the next step of a refund request; raises as `complain`."""
    return take_step(call, _known(call.store.state.refund_requests, asked.request), asked.step)


def take_step(call: Call, request: RefundRequest, step: str) -> RefundRequest:
    """Approve, deny, mark as returned or pay a refund request; raises as `complain`."""
    if step == "deny":
        if request.status != "AWAITING":
            raise ValueError(f"Refund request {request.number} of the sandbox is {request.status}.")
        call.system.touch()
        return refunds.move(call, request, status="DENIED", lines="REFUND_DENIED")
    moved: RefundRequest = _asked(call, f"refundRequest{step.capitalize()}", refund_request_id=request.id)
    return moved


def _asked(call: Call, field: str, **given: Any) -> Any:
    payload = refunds.RESOLVERS[f"Mutation.{field}"](None, call, {"input": given})
    if payload["refund_request"] is None:
        raise ValueError(payload["errors"][0]["messages"][0])
    return payload["refund_request"]


def amend_directly(call: Call, asked: DirectAmendment) -> InvoiceAmendment:
    """Amend an invoice without a request; raises as `complain`."""
    invoice = _known(call.store.state.invoices, asked.invoice)
    if asked.sku is not None:
        line = lines_of(invoice, asked.sku)[0]
        made = refunds.refund_lines(
            call.store, line, asked.quantity, dispatched=asked.dispatched, amount=asked.amount_cents
        )
    else:
        amount = -(asked.amount_cents or 0)
        made = [refunds.custom_line(call.store, invoice, asked.custom, amount=amount, quantity=asked.quantity)]
    call.system.touch()
    return refunds.amend(call, invoice, made)


def pay_out(call: Call, payout: Payout) -> RemittanceAdvice:
    """Make a remittance advice.

    Raises:
        LookupError: if an invoice or amendment is not there.
        ValueError: if there is nothing to pay out, or it belongs to several sellers.
    """
    invoices = [_known(call.store.state.invoices, number) for number in payout.invoices]
    amendments = []
    for number in payout.amendments:
        amendment = call.store.find(InvoiceAmendment, global_id(InvoiceAmendment.kind, number))
        if amendment is None:
            raise LookupError(f"The sandbox has no invoice amendment {number}.")
        amendments.append(amendment)
    call.system.touch()
    return settlement.make_advice(
        call,
        invoices,
        amendments,
        at=payout.at or call.now,
        paid=payout.paid,
        reference=payout.reference,
        off_by=payout.off_by,
    )


def despatch(call: Call, asked: Despatch) -> Shipment:
    """Ship all that is left of an invoice.

    Raises:
        ValueError: if nothing is left.
    """
    invoice = _known(call.store.state.invoices, asked.invoice)
    left = Counter(flags.undispatched(invoice))
    if not left:
        raise ValueError(f"Nothing is left to despatch of invoice {asked.invoice} of the sandbox.")
    call.system.touch()
    return add_shipment(call, invoice, asked.carrier, left, asked.tracking_number, call.now, note=None)


def _known(shelf: dict[int, T], number: int) -> T:
    found = shelf.get(number)
    if found is None:
        raise LookupError(f"The sandbox has nothing with the number {number} there.")
    return found
