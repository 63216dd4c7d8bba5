"""Remittances and the advices that group them: what the operator pays out to a seller.

Belongs here: making an advice over invoices and amendments, and reading it. A remittance's amount is what is paid
out for its invoice: the total less commission less the tax on it; its commission is without that tax, as on the
invoice. The page leaves both open, so the first is a switch. Source: Marketplacer API contract 6.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from stokly_sync.sandbox.marketplacer.call import Args, Call, Resolver
from stokly_sync.sandbox.marketplacer.ids import global_id
from stokly_sync.sandbox.marketplacer.order_reads import invoice_total
from stokly_sync.sandbox.marketplacer.paging import connection
from stokly_sync.sandbox.marketplacer.sales import Invoice, InvoiceAmendment, Remittance, RemittanceAdvice


def make_advice(
    call: Call,
    invoices: Sequence[Invoice],
    amendments: Sequence[InvoiceAmendment],
    *,
    at: datetime,
    paid: bool = True,
    reference: str | None = None,
    off_by: int = 0,
) -> RemittanceAdvice:
    """Keep an advice over these invoices and amendments of one seller; `off_by` pence spoil its total.

    Raises:
        ValueError: if there is nothing to remit, or it belongs to several sellers.
    """
    state = call.store.state
    sellers = {invoice.seller for invoice in invoices}
    sellers |= {state.invoices[amendment.invoice].seller for amendment in amendments}
    if len(sellers) != 1:
        raise ValueError(f"A remittance advice is about one seller; these invoices are of {len(sellers)}.")
    seller = sellers.pop()
    remittances = [_of_invoice(call, invoice, at) for invoice in invoices]
    remittances += [_of_amendment(call, amendment, seller, at) for amendment in amendments]
    number = call.store.number(RemittanceAdvice)
    for invoice in invoices:
        invoice.remitted_at = invoice.updated_at = at
    advice = RemittanceAdvice(
        number=number,
        seller=seller,
        created_at=at,
        paid_at=at if paid else None,
        payment_reference=reference or f"PAY-{number:05d}",
        total_cents=sum(net for _, net in remittances) + off_by,
        commission_amount_total_cents=sum(remittance.commission_amount_cents for remittance, _ in remittances),
        remittances=[remittance for remittance, _ in remittances],
    )
    return call.store.add(state.advices, advice)


def _of_invoice(call: Call, invoice: Invoice, at: datetime) -> tuple[Remittance, int]:
    commission = sum(line.commission_amount_cents for line in invoice.line_items)
    tax = sum(line.commission_amount_tax_cents for line in invoice.line_items)
    total = invoice_total(invoice)
    return _remittance(call, invoice.seller, at, total, commission, tax, invoice=invoice.number)


def _of_amendment(call: Call, amendment: InvoiceAmendment, seller: int, at: datetime) -> tuple[Remittance, int]:
    total = amendment.line_item_amount_total_cents
    commission, tax = amendment.commission_amount_total_cents, amendment.commission_tax_total_cents
    return _remittance(call, seller, at, total, commission, tax, invoice_amendment=amendment.number)


def _remittance(
    call: Call, seller: int, at: datetime, total: int, commission: int, tax: int, **about: Any
) -> tuple[Remittance, int]:
    net = total - commission - tax
    made = Remittance(
        number=call.store.number(Remittance),
        seller=seller,
        created_at=at,
        amount_cents=net if call.switches.remittance_amounts == "net" else total,
        commission_amount_cents=commission,
        **about,
    )
    return made, net


def _advices(_source: Any, call: Call, args: Args) -> Any:
    rows = list(call.store.state.advices.values()) if call.switches.remittances else []
    return connection(call, rows, args)


def _amendment(remittance: Remittance, call: Call, _args: Args) -> InvoiceAmendment | None:
    number = remittance.invoice_amendment
    return call.store.find(InvoiceAmendment, global_id(InvoiceAmendment.kind, number)) if number is not None else None


def _packages(_source: Any, call: Call, args: Args) -> Any:
    return connection(call, list(call.store.state.packages.values()), args)


RESOLVERS: dict[str, Resolver] = {
    "Query.remittanceAdvices": _advices,
    "Query.commissionPackages": _packages,
    # What the operator keeps is a switch; new orders follow it too.
    "CommissionPackage.rate": lambda _package, call, _: call.switches.commission_rate,
    "Remittance.seller": lambda remittance, call, _: call.store.state.sellers[remittance.seller],
    "Remittance.invoice": lambda remittance, call, _: call.store.state.invoices.get(remittance.invoice),
    "Remittance.invoiceAmendment": _amendment,
    "RemittanceAdvice.seller": lambda advice, call, _: call.store.state.sellers[advice.seller],
}
